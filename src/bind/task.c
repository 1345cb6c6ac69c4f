/* weir.core.task: tasks as scripts hold them. */
#include <math.h>

#include "scheduler.h"
#include "weir/http.h"

/* Longer is a mistake in units. */
#define MAX_SECONDS 1e10

static const char *const state_words[] = {
    [BIND_TASK_READY] = "ready",     [BIND_TASK_RUNNING] = "running",
    [BIND_TASK_WAITING] = "waiting", [BIND_TASK_DONE] = "done",
    [BIND_TASK_FAILED] = "failed",   [BIND_TASK_CANCELLED] = "cancelled",
};

struct bind_task *bind_task_check(lua_State *L, int index)
{
    struct bind_task *task = luaL_testudata(L, index, "weir.task");

    if (!task)
        bind_misuse(L,
                    "a task was expected, not a %s; write t:join(), with "
                    "a colon",
                    luaL_typename(L, index));
    return task;
}

static int64_t check_seconds(lua_State *L, int index, const char *what)
{
    double seconds = lua_tonumber(L, index);

    if (lua_type(L, index) != LUA_TNUMBER)
        bind_misuse(L, "%s: seconds must be a number, not a %s", what,
                    luaL_typename(L, index));
    if (!(seconds >= 0) || seconds > MAX_SECONDS)
        bind_misuse(L, "%s: seconds must be 0 or more, not %g", what, seconds);
    return (int64_t)ceil(seconds * 1000);
}

static void check_function(lua_State *L, int index, const char *what)
{
    if (lua_isfunction(L, index))
        return;
    if (luaL_getmetafield(L, index, "__call") != LUA_TNIL) {
        lua_pop(L, 1);
        return;
    }
    bind_misuse(L, "%s: a function was expected, not a %s", what,
                luaL_typename(L, index));
}

static int task_spawn(lua_State *L)
{
    check_function(L, 1, "task.spawn");
    bind_task_spawn(L, lua_gettop(L) - 1);
    return 1;
}

static void timer_fired(void *ud)
{
    bind_wake(ud);
}

static void start_timer(struct bind_task *task, int64_t ms)
{
    task->timer_waiter = bind_waiter(task);
    weir_timer_start(task->scheduler->loop, &task->timer, ms, timer_fired,
                     &task->timer_waiter);
}

/* ---- sleep ---- */

static int slept(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    (void)ctx;
    return bind_wait_over(L) ? 0 : bind_wait_raise(L);
}

static int task_sleep(lua_State *L)
{
    int64_t ms = check_seconds(L, 1, "task.sleep");
    struct bind_task *task = bind_wait_begin(L, "task.sleep");

    if (!bind_task_must_stop(task))
        start_timer(task, ms);
    return bind_wait_yield(L, 0, slept);
}

/* ---- join and wait ---- */

/* The results of the ended task at index 1, or its error raised. */
static int outcome(lua_State *L)
{
    struct bind_task *task = bind_task_check(L, 1);
    int n;

    if (task->failed) {
        bind_task_error(L, 1);
        lua_pop(L, 1);
        return lua_error(L);
    }
    if (lua_getiuservalue(L, 1, 1) != LUA_TTABLE)
        return 0;
    lua_getfield(L, -1, "n");
    n = (int)lua_tointeger(L, -1);
    lua_pop(L, 1);
    luaL_checkstack(L, n, "too many results of a task");
    for (int i = 1; i <= n; i++)
        lua_rawgeti(L, 2, i);
    return n;
}

static struct bind_task *begin_joining(lua_State *L, const char *what)
{
    struct bind_task *other = bind_task_check(L, 1);
    struct bind_task *task;

    if (other == bind_context(L)->scheduler->current)
        bind_misuse(L, "%s: a task cannot wait for itself", what);
    task = bind_wait_begin(L, what);
    if (!bind_task_must_stop(task))
        bind_wait_enter(task, &other->joiners);
    return task;
}

static int joined(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    (void)ctx;
    lua_settop(L, 1);
    return bind_wait_over(L) ? outcome(L) : bind_wait_raise(L);
}

static int task_join(lua_State *L)
{
    struct bind_task *other = bind_task_check(L, 1);

    lua_settop(L, 1);
    if (!other->co)
        return outcome(L);
    begin_joining(L, "task:join");
    return bind_wait_yield(L, 0, joined);
}

static int waited(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    (void)ctx;
    if (!bind_wait_over(L))
        return bind_wait_raise(L);
    lua_pushboolean(L, !bind_task_check(L, 1)->co);
    return 1;
}

/* True once the task has ended, false when `seconds` have passed before. */
static int task_wait(lua_State *L)
{
    struct bind_task *other = bind_task_check(L, 1), *task;
    int64_t ms = -1;

    if (!lua_isnoneornil(L, 2))
        ms = check_seconds(L, 2, "task:wait");
    if (!other->co) {
        lua_pushboolean(L, 1);
        return 1;
    }
    task = begin_joining(L, "task:wait");
    if (ms >= 0 && !bind_task_must_stop(task))
        start_timer(task, ms);
    return bind_wait_yield(L, 0, waited);
}

/* ---- cancel, status, shield ---- */

static int task_cancel(lua_State *L)
{
    bind_task_cancel(bind_task_check(L, 1), "the task was cancelled");
    return 0;
}

static int task_status(lua_State *L)
{
    lua_pushstring(L, state_words[bind_task_check(L, 1)->state]);
    return 1;
}

static int task_tostring(lua_State *L)
{
    lua_pushfstring(L, "task (%s)", state_words[bind_task_check(L, 1)->state]);
    return 1;
}

/* Which errors of a cancelled task are the cancellation itself, Lua asks. */
static int task_cancelled(lua_State *L)
{
    struct bind_task *task = bind_context(L)->scheduler->current;

    lua_pushboolean(L, task && task->cancelled);
    return 1;
}

/* A shield belongs to the coroutine it was opened in, which cannot yield out
 * of it; so shields end in the reverse order of their beginning, and `outer`
 * is right. */
static int shielded(lua_State *L, int status, lua_KContext outer)
{
    bind_context(L)->scheduler->current->shield = (const lua_State *)outer;
    if (status != LUA_OK && status != LUA_YIELD)
        return lua_error(L);
    return lua_gettop(L) - 1;
}

static int task_shield(lua_State *L)
{
    struct bind_scheduler *scheduler = bind_context(L)->scheduler;
    int nargs = lua_gettop(L) - 1;
    lua_KContext outer;

    check_function(L, 1, "task.shield");
    if (!scheduler || !scheduler->current)
        return bind_misuse(L, "task.shield works only inside a task");
    lua_pushcfunction(L, bind_trace_note);
    lua_insert(L, 1);
    outer = (lua_KContext)scheduler->current->shield;
    scheduler->current->shield = L;
    return shielded(L, lua_pcallk(L, nargs, LUA_MULTRET, 1, outer, shielded),
                    outer);
}

/* ---- what a test looks at ---- */

/* Tasks that have not ended, the caller's own too; operations under way;
 * timers; handles of libcurl that requests hold. */
static int task_count(lua_State *L)
{
    struct bind_scheduler *scheduler = bind_context(L)->scheduler;

    if (!scheduler)
        return 0;
    lua_pushinteger(L, (lua_Integer)scheduler->n_alive);
    lua_pushinteger(L, (lua_Integer)weir_loop_ops(scheduler->loop));
    lua_pushinteger(L, (lua_Integer)weir_loop_timers(scheduler->loop));
    lua_pushinteger(L, (lua_Integer)weir_http_in_flight(scheduler->loop));
    return 4;
}

/* probe(n, fn): see bind_wait_probe. */
static int task_probe(lua_State *L)
{
    lua_Integer n = luaL_checkinteger(L, 1);

    luaL_argcheck(L, n > 0, 1, "must be 1 or more");
    luaL_checktype(L, 2, LUA_TFUNCTION);
    if (!bind_context(L)->scheduler)
        return bind_misuse(L, "there are no tasks here");
    lua_settop(L, 2);
    bind_wait_probe(L, n);
    return 0;
}

static const luaL_Reg methods[] = {
    {"join", task_join},     {"wait", task_wait}, {"cancel", task_cancel},
    {"status", task_status}, {NULL, NULL},
};

static const luaL_Reg metamethods[] = {
    {"__tostring", task_tostring},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"spawn", task_spawn},           {"sleep", task_sleep},
    {"shield", task_shield},         {"cancelled", task_cancelled},
    {"count", task_count},           {"probe", task_probe},
    {"note_trace", bind_trace_note}, {NULL, NULL},
};

int luaopen_weir_task(lua_State *L)
{
    bind_class(L, "weir.task", methods, metamethods);
    luaL_newlib(L, functions);
    return 1;
}
