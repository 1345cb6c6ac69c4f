/*
 * err_internal: what the scheduler and the error report need beyond bind.h.
 */
#ifndef WEIR_BIND_ERR_INTERNAL_H
#define WEIR_BIND_ERR_INTERNAL_H

#include <stdbool.h>

#include "bind.h"

/* Replaces all above the err object at `index` by its one readable line,
 * with its hint at the end or without. */
void bind_err_line(lua_State *L, int index, bool with_hint);

/* The exit code that the err object at `index` asks for, 1 to 125; 0: none, or
 * it is no err. */
int bind_err_exit_code(lua_State *L, int index);

/* The innermost frame, from `level` outwards, that is a script's own: Lua,
 * and not one of the modules embedded here. */
bool bind_script_frame(lua_State *L, int level, lua_Debug *ar);

/* Pushes "deploy.lua:12: " for the script's own line, or "". */
void bind_where(lua_State *L);

#endif
