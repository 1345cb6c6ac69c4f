/* secret: texts that Lua can hand on and not read. */
#ifndef WEIR_BIND_SECRET_H
#define WEIR_BIND_SECRET_H

#include <stddef.h>

#include <lua.h>

/* The text of the string or weir.secret at `index`, NULL for other values;
 * anchored by the value. */
const char *bind_secret_text(lua_State *L, int index, size_t *len);

/* host_secret(name) → the secret variable of that name, or nil: for our own
 * modules that read the configuration, which asks nobody. */
int bind_secret_host(lua_State *L);

#endif
