/*
 * client: what bindings that take a client or an auth from a script use.
 */
#ifndef WEIR_BIND_CLIENT_H
#define WEIR_BIND_CLIENT_H

#include "bind.h"
#include "weir/auth.h"
#include "weir/client.h"

/* The auth or client in the userdata at `index`, or NULL if there is none.
 * It lives as long as the userdata; the core takes references of its own. */
struct weir_auth *bind_auth(lua_State *L, int index);
struct weir_client *bind_client(lua_State *L, int index);
/* The same, raising for anything else; `what` is the function's name. */
struct weir_client *bind_client_check(lua_State *L, int index,
                                      const char *what);

#endif
