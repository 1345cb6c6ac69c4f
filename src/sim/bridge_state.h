/*
 * bridge_state: the state file as lua/sim sees it.
 */
#ifndef WEIR_SIM_BRIDGE_STATE_H
#define WEIR_SIM_BRIDGE_STATE_H

#include <lua.h>

#include "state.h"

/* Pushes a table of functions; the state must outlive the Lua state.
 *   items() → {kind, key, text, kind, key, text, …}; or nil, message
 *   commit(clear, {kind, key, text or false, …}) → true; or nil, message:
 *     one transaction, from an empty file if `clear`; false drops an item */
void bridge_state_push(lua_State *L, struct state *state);

#endif
