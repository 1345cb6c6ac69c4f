/*
 * xpcall, with one addition: a message handler that wants to wait learns why
 * it cannot.  Lua calls the handler again for the handler's own error, until
 * the C stack is full, and then says only "error in error handling".
 */
#include "scheduler.h"

/* Stack: 1 function, 2 handler, 3 true, then the results or the error. */
static int ended(lua_State *L, int status, lua_KContext ctx)
{
    struct bind_scheduler *scheduler = bind_context(L)->scheduler;

    (void)ctx;
    if (status == LUA_OK || status == LUA_YIELD)
        return lua_gettop(L) - 2;
    lua_pushboolean(L, 0);
    if (status == LUA_ERRERR && scheduler->hindered)
        lua_pushfstring(L,
                        "the message handler failed: a wait was called from "
                        "inside %s, which cannot pause",
                        scheduler->hindrance);
    else
        lua_pushvalue(L, -2);
    return 2;
}

static int xpcall(lua_State *L)
{
    int nargs = lua_gettop(L) - 2;

    luaL_checktype(L, 2, LUA_TFUNCTION);
    bind_context(L)->scheduler->hindered = false;
    lua_pushboolean(L, 1);
    lua_pushvalue(L, 1);
    lua_rotate(L, 3, 2);
    return ended(L, lua_pcallk(L, nargs, LUA_MULTRET, 2, 0, ended), 0);
}

void bind_xpcall_open(lua_State *L)
{
    lua_pushcfunction(L, xpcall);
    lua_setglobal(L, "xpcall");
}
