/* warnings: Lua's warn(), through the log. */
#ifndef HOST_WARNINGS_H
#define HOST_WARNINGS_H

#include <lua.h>

/* What `warn` says, and Lua itself of an error in a __gc, becomes a line of
 * the log: redacted, and an object with --log-format json.  As in lua, it is
 * off until warn("@on").  May raise for want of memory. */
void host_warnings_open(lua_State *L);

#endif
