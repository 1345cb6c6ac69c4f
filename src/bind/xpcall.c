/*
 * pcall and xpcall, with two additions.  Neither goes on after a budget is
 * spent: the error is raised again.  And a message handler that wants to wait
 * learns why it cannot.  Lua calls the handler again for the handler's own
 * error, until the C stack is full, and then says only "error in error
 * handling".
 */
#include "budgets.h"
#include "scheduler.h"

/* Where time is measured, pcalls are not to be nested so deep that unwinding
 * them one by one takes long: each looks at all that are still there. */
#define MAX_DEPTH 5000

static void check_depth(lua_State *L)
{
    lua_Debug ar;

    if (bind_budgets(L) && lua_getstack(L, MAX_DEPTH, &ar))
        luaL_error(L,
                   "stack overflow: a protected call more than %d calls "
                   "deep",
                   MAX_DEPTH);
}

/* Stack: true, then the results or the error. */
static int pcall_ended(lua_State *L, int status, lua_KContext ctx)
{
    (void)ctx;
    if (status == LUA_OK || status == LUA_YIELD)
        return lua_gettop(L);
    bind_budgets_check(L);
    lua_pushboolean(L, 0);
    lua_pushvalue(L, -2);
    return 2;
}

static int pcall(lua_State *L)
{
    luaL_checkany(L, 1);
    check_depth(L);
    lua_pushboolean(L, 1);
    lua_insert(L, 1);
    return pcall_ended(
        L, lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0, pcall_ended), 0);
}

/* Stack: 1 function, 2 handler, 3 true, then the results or the error. */
static int ended(lua_State *L, int status, lua_KContext ctx)
{
    struct bind_scheduler *scheduler = bind_context(L)->scheduler;

    (void)ctx;
    if (status == LUA_OK || status == LUA_YIELD)
        return lua_gettop(L) - 2;
    bind_budgets_check(L);
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
    check_depth(L);
    bind_context(L)->scheduler->hindered = false;
    lua_pushboolean(L, 1);
    lua_pushvalue(L, 1);
    lua_rotate(L, 3, 2);
    return ended(L, lua_pcallk(L, nargs, LUA_MULTRET, 2, 0, ended), 0);
}

/* ---- handlers that run after the unwinding ----
 *
 * No hook runs in a handler that Lua calls for the error of a hook, so that
 * nothing could end it.  Confined scripts have theirs called when the stack
 * has been unwound; what it looked like is noted before. */

static const char handled_key; /* the trace of the error being handled */

bool bind_handled_trace_push(lua_State *L)
{
    if (bind_context(L)->scheduler->handling != L)
        return false;
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &handled_key) == LUA_TTABLE) {
        lua_getfield(L, -1, "text");
        lua_remove(L, -2);
    }
    if (lua_type(L, -1) == LUA_TSTRING)
        return true;
    lua_pop(L, 1);
    return false;
}

/* Stack: 1 function, 2 handler, 3 true, then false and the handler's result
 * or error. */
static int handled(lua_State *L, int status, lua_KContext outer)
{
    bind_context(L)->scheduler->handling = (const lua_State *)outer;
    if (status != LUA_OK && status != LUA_YIELD)
        bind_budgets_check(L);
    return 2;
}

static int unwound(lua_State *L, int status, lua_KContext ctx)
{
    struct bind_scheduler *scheduler = bind_context(L)->scheduler;
    lua_KContext outer = (lua_KContext)scheduler->handling;

    (void)ctx;
    if (status == LUA_OK || status == LUA_YIELD)
        return lua_gettop(L) - 3;
    bind_budgets_check(L);
    bind_trace_push(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &handled_key);
    lua_pushboolean(L, 0);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, -3);
    scheduler->handling = L;
    return handled(L, lua_pcallk(L, 1, 1, 0, outer, handled), outer);
}

static int confined_xpcall(lua_State *L)
{
    int nargs = lua_gettop(L) - 2;

    luaL_checktype(L, 2, LUA_TFUNCTION);
    check_depth(L);
    lua_pushcfunction(L, bind_trace_note);
    lua_pushboolean(L, 1);
    lua_pushvalue(L, 1);
    lua_rotate(L, 3, 3);
    return unwound(L, lua_pcallk(L, nargs, LUA_MULTRET, 3, 0, unwound), 0);
}

void bind_confined_xpcall_open(lua_State *L)
{
    lua_pushcfunction(L, confined_xpcall);
    lua_setglobal(L, "xpcall");
}

void bind_xpcall_open(lua_State *L)
{
    lua_pushcfunction(L, pcall);
    lua_setglobal(L, "pcall");
    lua_pushcfunction(L, xpcall);
    lua_setglobal(L, "xpcall");
}
