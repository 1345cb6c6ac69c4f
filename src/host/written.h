/* written: what a script writes, counted against the run's budget of output.
 * What a program writes that the script starts is not. */
#ifndef HOST_WRITTEN_H
#define HOST_WRITTEN_H

#include <lua.h>

/* As Lua's print. */
int host_written_print(lua_State *L);
/* io.write, and the method of files; Lua's own is upvalue 1. */
int host_written_io(lua_State *L);
int host_written_file(lua_State *L);

/* Puts host_written_file in the place of the method, for the whole state. */
void host_written_files(lua_State *L);
/* In a state that is not confined: puts all of them in the place of Lua's
 * where the run has such a budget. */
void host_written_open(lua_State *L);

#endif
