#include "scheduler.h"

#include <stdlib.h>
#include <string.h>

#include "budgets.h"

static const char tasks_key;  /* task → its userdata, while it is alive */
static const char unseen_key; /* list of failed tasks nobody has joined */
static const char held_key;   /* coroutine → the one it waits in, or true */

/* So many failures that nobody looks at are kept for the report. */
#define MAX_UNSEEN ((size_t)100)

/* So often a task may go on after its cancellation was raised, once all are
 * to end: enough for any number of things to be let go of. */
#define MAX_SWALLOWED 1000

/* Closing inside closing takes C stack that Lua does not count. */
#define MAX_CLOSING 100

static void mark_weak(lua_State *L, const char *mode)
{
    lua_createtable(L, 0, 1);
    lua_pushstring(L, mode);
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
}

struct bind_scheduler *bind_scheduler_new(struct weir_loop *loop)
{
    struct bind_scheduler *scheduler = calloc(1, sizeof(*scheduler));

    if (scheduler) {
        scheduler->loop = loop;
        scheduler->ready_end = &scheduler->ready;
    }
    return scheduler;
}

void bind_scheduler_free(struct bind_scheduler *scheduler)
{
    free(scheduler);
}

static int task_gc(lua_State *L)
{
    struct bind_task *task = lua_touserdata(L, 1);

    /* Only at lua_close is a task collected that is still alive. */
    if (task->scheduler)
        weir_timer_stop(&task->timer);
    return 0;
}

void bind_scheduler_open(lua_State *L)
{
    luaL_newmetatable(L, "weir.task");
    lua_pushcfunction(L, task_gc);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &tasks_key);
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &unseen_key);
    lua_newtable(L);
    mark_weak(L, "k");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &held_key);
    bind_trace_open(L);
}

/* ---- coroutines that are not a script's to resume ---- */

void bind_thread_hold(lua_State *L, int index, bool hold)
{
    index = lua_absindex(L, index);
    luaL_checkstack(L, 3, NULL);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &held_key);
    lua_pushvalue(L, index);
    if (hold)
        lua_pushboolean(L, 1);
    else
        lua_pushnil(L);
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

void bind_thread_pass(lua_State *L, int index, bool passes)
{
    int table;

    index = lua_absindex(L, index);
    if (!passes || !bind_thread_held(L, index))
        bind_thread_hold(L, index, passes);
    luaL_checkstack(L, 4, NULL);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &held_key);
    table = lua_gettop(L);
    lua_pushthread(L);
    /* L itself is held if it is a task, or once its own wait passes on. */
    if (passes) {
        lua_pushvalue(L, index);
        lua_rawset(L, table);
    } else if (lua_pushvalue(L, -1), lua_rawget(L, table) != LUA_TNIL) {
        lua_pop(L, 1);
        lua_pushboolean(L, 1);
        lua_rawset(L, table);
    }
    lua_settop(L, table - 1);
}

bool bind_thread_held(lua_State *L, int index)
{
    bool held;

    index = lua_absindex(L, index);
    luaL_checkstack(L, 2, NULL);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &held_key);
    lua_pushvalue(L, index);
    held = lua_rawget(L, -2) != LUA_TNIL;
    lua_pop(L, 2);
    return held;
}

int bind_close_thread(lua_State *L, lua_State *co)
{
    struct bind_scheduler *scheduler = bind_context(L)->scheduler;
    struct bind_closing closing = {co, scheduler->closing};
    lua_State *before;
    int status;

    if (scheduler->closing_depth >= MAX_CLOSING)
        return luaL_error(L,
                          "stack overflow: a __close handler closes a "
                          "coroutine whose handler closes another, %d deep",
                          MAX_CLOSING);
    scheduler->closing = &closing;
    scheduler->closing_depth++;
    before = bind_running_set(L, co);
    status = lua_resetthread(co); /* protected: always comes back */
    bind_running_set(L, before);
    scheduler->closing_depth--;
    scheduler->closing = closing.outer;
    return status;
}

/* ---- the ready queue ---- */

void bind_task_ready(struct bind_task *task)
{
    struct bind_scheduler *scheduler = task->scheduler;

    task->state = BIND_TASK_READY;
    if (task->queued)
        return;
    task->queued = true;
    task->next_ready = NULL;
    task->ready_link = scheduler->ready_end;
    *scheduler->ready_end = task;
    scheduler->ready_end = &task->next_ready;
    scheduler->n_ready++;
}

/* A refused wait leaves its task in the queue while it runs; and very many
 * may be there when a run is ended. */
static void leave_ready(struct bind_task *task)
{
    struct bind_scheduler *scheduler = task->scheduler;

    if (!task->queued)
        return;
    *task->ready_link = task->next_ready;
    if (task->next_ready)
        task->next_ready->ready_link = task->ready_link;
    else
        scheduler->ready_end = task->ready_link;
    task->next_ready = NULL;
    task->queued = false;
    scheduler->n_ready--;
}

static struct bind_task *take_ready(struct bind_scheduler *scheduler)
{
    struct bind_task *task = scheduler->ready;

    leave_ready(task);
    return task;
}

bool bind_scheduler_ready(const struct bind_scheduler *scheduler)
{
    return scheduler->ready != NULL;
}

/* ---- beginning ---- */

static int body_ended(lua_State *L, int status, lua_KContext ctx)
{
    struct bind_task *task = bind_context(L)->scheduler->current;

    (void)ctx;
    task->failed = status != LUA_OK && status != LUA_YIELD;
    return lua_gettop(L) - 1; /* all but the message handler */
}

/* The bottom of every task.  The protected call is what lets __close
 * handlers wait while an error unwinds, and takes the trace before. */
static int body(lua_State *L)
{
    int nargs = lua_gettop(L) - 1;

    lua_pushcfunction(L, bind_trace_note);
    lua_insert(L, 1);
    return body_ended(L, lua_pcallk(L, nargs, LUA_MULTRET, 1, 0, body_ended),
                      0);
}

static void anchor(lua_State *L, struct bind_task *task)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &tasks_key);
    lua_pushvalue(L, -2);
    lua_rawsetp(L, -2, task);
    lua_pop(L, 1);
}

static void link_alive(struct bind_task *task)
{
    struct bind_scheduler *scheduler = task->scheduler;

    task->next = scheduler->alive;
    if (task->next)
        task->next->prev = task;
    scheduler->alive = task;
    scheduler->n_alive++;
}

struct bind_task *bind_task_spawn(lua_State *L, int nargs)
{
    int base = lua_gettop(L) - nargs;
    struct bind_task *task;
    lua_State *co;

    luaL_checkstack(L, 6, "too many arguments for a task");
    task = lua_newuserdatauv(L, sizeof(*task), 2);
    memset(task, 0, sizeof(*task));
    luaL_setmetatable(L, "weir.task");
    lua_insert(L, base);
    co = lua_newthread(L);
    if (!lua_checkstack(co, nargs + 4))
        luaL_error(L, "too many arguments for a task");
    bind_thread_hold(L, -1, true);
    lua_setiuservalue(L, base, 1);
    lua_pushvalue(L, base);
    anchor(L, task);
    lua_pop(L, 1);
    lua_pushcfunction(co, body);
    lua_xmove(L, co, nargs + 1);
    task->scheduler = bind_context(L)->scheduler;
    task->co = co;
    /* What a cancelled task spawns is born cancelled; what it spawns inside
     * a shield is part of what must be completed. */
    if (task->scheduler->current &&
        bind_task_must_stop(task->scheduler->current))
        task->cancelled = task->scheduler->current->cancelled;
    link_alive(task);
    bind_task_ready(task);
    return task;
}

/* ---- ending ---- */

static void unlink_alive(struct bind_task *task)
{
    struct bind_scheduler *scheduler = task->scheduler;

    if (task->prev)
        task->prev->next = task->next;
    else
        scheduler->alive = task->next;
    if (task->next)
        task->next->prev = task->prev;
    task->prev = task->next = NULL;
    scheduler->n_alive--;
}

/* Takes the results (n) or the error (n = 1) off `co` and leaves them with
 * the userdata that is on top of L. */
static void keep_outcome(lua_State *L, struct bind_task *task, int n)
{
    lua_State *co = task->co;
    int userdata = lua_gettop(L);

    luaL_checkstack(L, n + 4, "too many results of a task");
    if (task->failed) {
        lua_xmove(co, L, 1);
        bind_trace_push(L, -1);
        lua_setiuservalue(L, userdata, 2);
    } else if (n == 0) {
        lua_pushnil(L);
    } else {
        lua_createtable(L, n, 1);
        lua_xmove(co, L, n);
        for (int i = n; i > 0; i--)
            lua_rawseti(L, userdata + 1, i);
        lua_pushinteger(L, n);
        lua_setfield(L, userdata + 1, "n");
    }
    lua_setiuservalue(L, userdata, 1);
}

static bool is_cancellation(lua_State *L, struct bind_task *task)
{
    bool is = false;

    if (!task->cancelled)
        return false;
    lua_getiuservalue(L, -1, 1);
    if (bind_is_err(L, -1)) {
        lua_getfield(L, -1, "code");
        is = lua_type(L, -1) == LUA_TSTRING &&
             strcmp(lua_tostring(L, -1), weir_code_word(WEIR_CANCELLED)) == 0;
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return is;
}

/* An error nobody waits for is kept until the end.  The userdata is on top. */
static void keep_unseen(lua_State *L, struct bind_task *task)
{
    struct bind_scheduler *scheduler = task->scheduler;

    if (scheduler->n_kept >= MAX_UNSEEN) {
        scheduler->n_lost++;
        task->lost = true;
        return;
    }
    lua_rawgetp(L, LUA_REGISTRYINDEX, &unseen_key);
    lua_pushvalue(L, -2);
    lua_rawseti(L, -2, (lua_Integer)++scheduler->n_kept);
    lua_pop(L, 1);
}

/* The one end of every task, whatever way it took. */
static void end_task(lua_State *L, struct bind_task *task, int n)
{
    int top = lua_gettop(L);

    luaL_checkstack(L, 6, NULL);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &tasks_key);
    lua_rawgetp(L, -1, task);
    lua_getiuservalue(L, -1, 1); /* the coroutine */
    bind_thread_hold(L, -1, false);
    lua_insert(L, top + 1); /* anchored until it is closed */
    keep_outcome(L, task, n);
    bind_wait_drop(task);
    leave_ready(task);
    bind_close_thread(L, task->co);
    task->co = NULL;
    if (!task->failed)
        task->state = BIND_TASK_DONE;
    else if (is_cancellation(L, task))
        task->state = BIND_TASK_CANCELLED;
    else
        task->state = BIND_TASK_FAILED;
    /* Also if somebody waits: who only waits, or is cancelled while joining,
     * does not look at the error. */
    if (task->state == BIND_TASK_FAILED)
        keep_unseen(L, task);
    unlink_alive(task);
    bind_wake_all(&task->joiners);
    lua_pushnil(L);
    lua_rawsetp(L, top + 2, task);
    lua_settop(L, top);
}

/* Closes the task's coroutine, after those inside it through which its wait
 * passed, innermost first. */
static void close_chain(lua_State *L, lua_State *co)
{
    int held = lua_gettop(L) + 1;

    luaL_checkstack(L, 4, NULL);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &held_key);
    lua_pushthread(co);
    lua_xmove(co, L, 1);
    do {
        luaL_checkstack(L, 3, NULL);
        lua_pushvalue(L, -1);
    } while (lua_rawget(L, held) == LUA_TTHREAD);
    lua_pop(L, 1);
    for (; lua_gettop(L) > held; lua_pop(L, 1)) {
        lua_State *inner = lua_tothread(L, -1);

        bind_close_thread(L, inner);
        lua_settop(inner, 0);
        bind_thread_hold(L, -1, false);
    }
    lua_settop(L, held - 1);
}

void bind_task_kill(lua_State *L, struct bind_task *task)
{
    close_chain(L, task->co);
    end_task(L, task, 0);
}

/* A C module that yields on its own: nobody is there to take it. */
static void foreign_yield(lua_State *L, struct bind_task *task)
{
    lua_settop(task->co, 0);
    lua_pushstring(task->co, "attempt to yield from outside a coroutine");
    task->failed = true;
    end_task(L, task, 1);
}

/* ---- running ---- */

static void resume(lua_State *L, struct bind_task *task)
{
    struct bind_scheduler *scheduler = task->scheduler;
    bool fresh = lua_status(task->co) == LUA_OK;
    int nargs = fresh ? lua_gettop(task->co) - 1 : 0;
    lua_State *before;
    int status, n;

    task->state = BIND_TASK_RUNNING;
    scheduler->current = task;
    before = bind_running_set(L, task->co);
    status = lua_resume(task->co, L, nargs, &n);
    bind_running_set(L, before);
    scheduler->current = NULL;
    if (status == LUA_YIELD && bind_is_wait(task->co, n)) {
        lua_pop(task->co, 1);
        if (scheduler->stopping && !task->shield &&
            task->n_raised > MAX_SWALLOWED) {
            scheduler->n_killed++;
            bind_task_kill(L, task);
        }
    } else if (status == LUA_YIELD) {
        foreign_yield(L, task);
    } else {
        if (status != LUA_OK) {
            task->failed = true;
            n = 1;
        }
        end_task(L, task, task->failed ? 1 : n);
    }
}

/* Whether a budget is spent for which the host is to do something first: the
 * hook counts anew in every task, and comes in none of those that are short. */
static bool must_wait(const struct bind_context *context)
{
    enum bind_budget which = bind_budgets_spent(context->budgets);

    return which != BIND_BUDGET_NONE &&
           (which != BIND_BUDGET_TIME || !context->scheduler->stopping);
}

void bind_scheduler_drain(lua_State *L)
{
    struct bind_scheduler *scheduler = bind_context(L)->scheduler;

    for (size_t n = scheduler->n_ready;
         n > 0 && scheduler->ready && !must_wait(bind_context(L)); n--) {
        struct bind_task *task = take_ready(scheduler);

        if (task->state != BIND_TASK_READY)
            continue; /* a refused wait left it here */
        if (task->cancelled && lua_status(task->co) == LUA_OK) {
            /* Cancelled before its first step: it never begins. */
            struct weir_err err = WEIR_ERR_INIT;

            weir_err_set(&err, WEIR_CANCELLED, "%s", task->cancelled);
            lua_settop(task->co, 0);
            bind_err_push(L, &err);
            lua_xmove(L, task->co, 1);
            task->failed = true;
            end_task(L, task, 1);
        } else {
            resume(L, task);
        }
    }
}

/* ---- cancelling ---- */

void bind_task_cancel(struct bind_task *task, const char *why)
{
    if (!task->co || task->cancelled)
        return;
    task->cancelled = why;
    if (task->state == BIND_TASK_RUNNING)
        task->interrupt = true;
    if (task->state != BIND_TASK_WAITING || task->shield)
        return;
    bind_wait_drop(task);
    bind_task_ready(task);
}

void bind_scheduler_cancel_all(struct bind_scheduler *scheduler,
                               const char *why)
{
    scheduler->stopping = true;
    for (struct bind_task *task = scheduler->alive; task; task = task->next)
        bind_task_cancel(task, why);
}

void bind_scheduler_check(lua_State *L)
{
    struct bind_scheduler *scheduler = bind_context(L)->scheduler;
    struct bind_task *task = scheduler->current;

    if (task && task->interrupt && bind_task_must_stop(task))
        bind_wait_raise(L);
}

/* ---- failures that nobody has seen ---- */

/* Takes the task at `index` out of the list of those nobody has seen. */
static void forget_unseen(lua_State *L, int index, struct bind_task *task)
{
    struct bind_scheduler *scheduler = task->scheduler;
    lua_Integer kept = 0, n = (lua_Integer)scheduler->n_kept;

    lua_rawgetp(L, LUA_REGISTRYINDEX, &unseen_key);
    for (lua_Integer i = 1; i <= n; i++) {
        lua_rawgeti(L, -1, i);
        if (lua_rawequal(L, -1, index))
            lua_pop(L, 1);
        else
            lua_rawseti(L, -2, ++kept);
    }
    if (kept < n) {
        lua_pushnil(L);
        lua_rawseti(L, -2, n);
    } else if (task->lost) {
        scheduler->n_lost--;
    }
    scheduler->n_kept = (size_t)kept;
    lua_pop(L, 1);
}

void bind_task_error(lua_State *L, int index)
{
    struct bind_task *task = lua_touserdata(L, index);

    index = lua_absindex(L, index);
    luaL_checkstack(L, 4, NULL);
    if (!task->observed)
        forget_unseen(L, index, task);
    task->observed = true;
    lua_getiuservalue(L, index, 1);
    lua_getiuservalue(L, index, 2);
}

void bind_scheduler_unseen(lua_State *L)
{
    struct bind_scheduler *scheduler = bind_context(L)->scheduler;

    lua_createtable(L, (int)scheduler->n_kept, 0);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &unseen_key);
    for (lua_Integer i = 1; i <= (lua_Integer)scheduler->n_kept; i++) {
        lua_rawgeti(L, -1, i);
        lua_rawseti(L, -3, i);
    }
    lua_pop(L, 1);
}
