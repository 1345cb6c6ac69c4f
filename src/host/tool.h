/* tool: commands whose work is done by a Lua room of their own, without a
 * loop, a network or a script. */
#ifndef HOST_TOOL_H
#define HOST_TOOL_H

#include <stdbool.h>
#include <stdio.h>

#include "bind.h"

/* Calls work(ud) in a state with Lua's libraries and weir's modules; its
 * result is the exit code.  What it raises is said on stderr as
 * "weir COMMAND: …", and is HOST_EXIT_FAILED. */
int host_tool_run(const char *command, lua_CFunction work, void *ud);

/* Writes text of such a state, without the secrets of the environment, which
 * a script may have written down; false if it could not be written. */
bool host_tool_write(lua_State *L, FILE *out, const char *text);

/* Pushes the field `function` of the embedded module. */
void host_tool_push(lua_State *L, const char *module, const char *function);

#endif
