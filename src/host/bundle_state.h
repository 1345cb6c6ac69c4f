/*
 * bundle_state: a Lua state that finds modules and files in a bundle.
 *
 * `require`, dofile, loadfile and the reading functions of io look there, and
 * never at a file of the machine that has such a name.  What is written, and
 * paths that are no file of the bundle, go the way that they always go.
 */
#ifndef HOST_BUNDLE_STATE_H
#define HOST_BUNDLE_STATE_H

#include <lua.h>

#include "weir/bundle.h"

/* Prepares a state whose scripts are confined (sandbox.h); `bundle`, which is
 * unpacked, must outlive it.  Raises without memory. */
void host_bundle_state_open(lua_State *L, const struct weir_bundle *bundle);

/* Loads the main script as a chunk named like its file in the bundle:
 * "deploy.weir/main.lua".  A code of luaL_loadbufferx. */
int host_bundle_state_load_main(lua_State *L, const struct weir_bundle *bundle);

/* Pushes "@deploy.weir/main.lua". */
const char *host_bundle_state_push_chunk(lua_State *L,
                                         const struct weir_bundle *bundle,
                                         const char *path);

#endif
