/*
 * The coroutine library, with one addition: when the function inside waits,
 * the wait goes outwards through every resume to the task, and the wake
 * comes back in the same way.  To scripts nothing else is different.
 *
 * A task's own coroutine looks to its script as the main program does in
 * plain Lua: coroutine.running() says so, and yield from it is an error.
 */
#include <lualib.h>

#include "budgets.h"
#include "scheduler.h"

enum status { RUNNING, DEAD, SUSPENDED, NORMAL };

static const char *const status_words[] = {"running", "dead", "suspended",
                                           "normal"};

/* Outcomes of driving a coroutine besides the number of its results. */
enum { FAILED = -1, WAITS = -2 };

/* Where the coroutine is: argument 1 of resume, upvalue of a wrapper. */
#define RESUMED 1
#define WRAPPED lua_upvalueindex(1)

static lua_State *check_thread(lua_State *L)
{
    lua_State *co = lua_tothread(L, 1);

    luaL_argexpected(L, co, 1, "coroutine");
    return co;
}

static bool is_task(lua_State *L)
{
    struct bind_task *task = bind_context(L)->scheduler->current;

    return !task || task->co == L;
}

static enum status status_of(lua_State *L, int index)
{
    lua_State *co = lua_tothread(L, index);
    lua_Debug ar;

    if (co == L)
        return RUNNING;
    if (bind_thread_held(L, index))
        return NORMAL;
    switch (lua_status(co)) {
    case LUA_YIELD: return SUSPENDED;
    case LUA_OK:
        if (lua_getstack(co, 0, &ar))
            return NORMAL;
        return lua_gettop(co) == 0 ? DEAD : SUSPENDED;
    default: return DEAD;
    }
}

/* ---- resuming ---- */

static int resumed(lua_State *L, lua_State *co, int n)
{
    if (!lua_checkstack(L, n + 1)) {
        lua_pop(co, n);
        lua_pushliteral(L, "too many results to resume");
        return FAILED;
    }
    lua_xmove(co, L, n);
    return n;
}

/* Runs `co` until it yields, ends, fails or waits; its results or its error
 * are then on top of L. */
static int drive(lua_State *L, int index, int nargs)
{
    lua_State *co = lua_tothread(L, index);

    for (;;) {
        lua_State *before = bind_running_set(L, co);
        int n, status = lua_resume(co, L, nargs, &n);

        bind_running_set(L, before);
        /* The hook counts anew in every coroutine, and may never fire. */
        bind_budgets_check(L);
        if (status != LUA_OK && status != LUA_YIELD) {
            lua_checkstack(L, 1);
            lua_xmove(co, L, 1);
            if (index == RESUMED)
                bind_trace_note_of(L, co);
            return FAILED;
        }
        if (status == LUA_OK || !bind_is_wait(co, n))
            return resumed(L, co, n);
        lua_pop(co, 1);
        if (lua_isyieldable(L))
            return WAITS;
        bind_wait_refuse(L);
        nargs = 0;
    }
}

static int begin(lua_State *L, int index, int nargs)
{
    lua_State *co = lua_tothread(L, index);
    enum status status = status_of(L, index);

    if (status != SUSPENDED) {
        lua_pushfstring(L, "cannot resume %s coroutine",
                        status == DEAD ? "dead" : "non-suspended");
        return FAILED;
    }
    if (!lua_checkstack(co, nargs)) {
        lua_pushliteral(L, "too many arguments to resume");
        return FAILED;
    }
    lua_xmove(L, co, nargs);
    return drive(L, index, nargs);
}

/* Hands a wait on to whoever resumed L; `k` comes back when it is over. */
static int pass_on(lua_State *L, int index, lua_KFunction k)
{
    bind_thread_pass(L, index, true);
    return bind_wait_pass(L, k);
}

static int go_on(lua_State *L, int index)
{
    bind_thread_pass(L, index, false);
    return drive(L, index, 0);
}

static int resume_k(lua_State *L, int status, lua_KContext ctx);

static int resume_results(lua_State *L, int n)
{
    if (n == WAITS)
        return pass_on(L, RESUMED, resume_k);
    lua_pushboolean(L, n >= 0);
    n = n >= 0 ? n : 1;
    lua_insert(L, -(n + 1));
    return n + 1;
}

static int resume_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    (void)ctx;
    return resume_results(L, go_on(L, RESUMED));
}

static int co_resume(lua_State *L)
{
    check_thread(L);
    return resume_results(L, begin(L, RESUMED, lua_gettop(L) - 1));
}

/* ---- wrapping ---- */

/* The error is on top: raised as coroutine.wrap raises it, after the
 * coroutine has been closed. */
static int wrap_raise(lua_State *L)
{
    lua_State *co = lua_tothread(L, WRAPPED);
    int status = lua_status(co);

    if (status != LUA_OK && status != LUA_YIELD) {
        lua_checkstack(co, 1);
        lua_xmove(L, co, 1); /* handlers get it, and may replace it */
        status = bind_close_thread(L, co);
        lua_xmove(co, L, 1);
    }
    if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
        luaL_where(L, 1);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

static int wrap_k(lua_State *L, int status, lua_KContext ctx);

static int wrap_results(lua_State *L, int n)
{
    if (n == WAITS)
        return pass_on(L, WRAPPED, wrap_k);
    return n >= 0 ? n : wrap_raise(L);
}

static int wrap_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    (void)ctx;
    return wrap_results(L, go_on(L, WRAPPED));
}

static int wrapper(lua_State *L)
{
    return wrap_results(L, begin(L, WRAPPED, lua_gettop(L)));
}

/* ---- the rest ---- */

static int co_create(lua_State *L)
{
    lua_State *co;

    luaL_checktype(L, 1, LUA_TFUNCTION);
    co = lua_newthread(L);
    lua_pushvalue(L, 1);
    lua_xmove(L, co, 1);
    return 1;
}

static int wrapped_ended(lua_State *L, int status, lua_KContext ctx)
{
    (void)ctx;
    if (status != LUA_OK && status != LUA_YIELD)
        return lua_error(L);
    return lua_gettop(L) - 1; /* all but the message handler */
}

/* The bottom of a wrapped coroutine.  A wrapper closes its coroutine when
 * that fails; the protected call does so while it is still running, which is
 * what lets its __close handlers wait. */
static int wrapped(lua_State *L)
{
    int nargs = lua_gettop(L);

    luaL_checkstack(L, 2, NULL);
    lua_pushcfunction(L, bind_trace_note);
    lua_insert(L, 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 2);
    return wrapped_ended(
        L, lua_pcallk(L, nargs, LUA_MULTRET, 1, 0, wrapped_ended), 0);
}

static int co_wrap(lua_State *L)
{
    lua_State *co;

    luaL_checktype(L, 1, LUA_TFUNCTION);
    co = lua_newthread(L);
    lua_pushvalue(L, 1);
    lua_pushcclosure(L, wrapped, 1);
    lua_xmove(L, co, 1);
    lua_pushcclosure(L, wrapper, 1);
    return 1;
}

/* A shield that its coroutine leaves would cover the wrong code. */
static bool is_shielded(lua_State *L)
{
    struct bind_task *task = bind_context(L)->scheduler->current;

    return task && task->shield == L;
}

static int co_yield (lua_State *L)
{
    struct bind_closing *closing = bind_context(L)->scheduler->closing;

    if (is_task(L))
        return luaL_error(L, "attempt to yield from outside a coroutine");
    if (is_shielded(L))
        return luaL_error(L, "attempt to yield out of task.shield");
    /* lua_resetthread would take the yield for an error. */
    for (; closing; closing = closing->outer) {
        if (closing->co == L)
            return luaL_error(L, "attempt to yield from a __close handler "
                                 "that coroutine.close runs");
    }
    return lua_yield(L, lua_gettop(L));
}

static int co_status(lua_State *L)
{
    check_thread(L);
    lua_pushstring(L, status_words[status_of(L, 1)]);
    return 1;
}

static int co_close(lua_State *L)
{
    lua_State *co = check_thread(L);
    enum status status = status_of(L, 1);

    /* No hook runs in what a hook's error has left open. */
    bind_budgets_check(L);
    if (status != DEAD && status != SUSPENDED)
        return luaL_error(L, "cannot close a %s coroutine",
                          status_words[status]);
    if (bind_close_thread(L, co) == LUA_OK) {
        lua_pushboolean(L, 1);
        return 1;
    }
    lua_pushboolean(L, 0);
    lua_xmove(co, L, 1);
    return 2;
}

static int co_running(lua_State *L)
{
    lua_pushthread(L);
    lua_pushboolean(L, is_task(L));
    return 2;
}

static int co_isyieldable(lua_State *L)
{
    lua_State *co = lua_isthread(L, 1) ? lua_tothread(L, 1) : L;

    lua_pushboolean(L, !is_task(co) && !is_shielded(co) && lua_isyieldable(co));
    return 1;
}

void bind_coroutine_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"close", co_close},
        {"create", co_create},
        {"isyieldable", co_isyieldable},
        {"resume", co_resume},
        {"running", co_running},
        {"status", co_status},
        {"wrap", co_wrap},
        {"yield", co_yield },
        {NULL, NULL},
    };

    luaL_newlib(L, functions);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, LUA_COLIBNAME);
    lua_pop(L, 1);
    lua_setglobal(L, LUA_COLIBNAME);
}
