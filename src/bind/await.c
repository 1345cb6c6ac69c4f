/*
 * Waiting: the one door out, the one door in, and ops on top of them.
 */
#include "scheduler.h"

#include <assert.h>

/* What a task yields to say "I wait".  Its address is the message; nothing
 * that a script can make is equal to it. */
static const char wait_mark;

bool bind_is_wait(lua_State *co, int n)
{
    return n == 1 && lua_touserdata(co, -1) == (const void *)&wait_mark &&
           lua_islightuserdata(co, -1);
}

bool bind_task_must_stop(const struct bind_task *task)
{
    return task->cancelled && task->shield == 0;
}

/* ---- out ---- */

static int cannot_wait(lua_State *L, const char *what)
{
    return bind_misuse(
        L,
        "%s cannot wait here: it was called from inside a function that "
        "cannot pause (a table.sort comparator, a string.gsub callback, a "
        "__gc or __tostring metamethod, …); move the call out of it",
        what);
}

struct bind_task *bind_wait_begin(lua_State *L, const char *what)
{
    struct bind_scheduler *scheduler = bind_context(L)->scheduler;
    struct bind_task *task = scheduler ? scheduler->current : NULL;

    if (!task)
        bind_misuse(L, "%s can wait only inside a task", what);
    else if (scheduler->closing)
        bind_misuse(L,
                    "%s cannot wait here: it was called from a __close "
                    "handler that coroutine.close runs",
                    what);
    else if (!lua_isyieldable(L))
        cannot_wait(L, what);
    else
        task->generation++;
    return task;
}

int bind_wait_pass(lua_State *L, lua_KFunction k)
{
    luaL_checkstack(L, 1, NULL);
    lua_pushlightuserdata(L, (void *)(uintptr_t)&wait_mark);
    return lua_yieldk(L, 1, 0, k);
}

int bind_wait_yield(lua_State *L, lua_KContext ctx, lua_KFunction k)
{
    struct bind_task *task = bind_context(L)->scheduler->current;

    task->state = BIND_TASK_WAITING;
    /* A task that was cancelled does not wait; but it lets others run, so
     * that one which swallows its cancellation does not stop the rest. */
    if (bind_task_must_stop(task))
        bind_task_ready(task);
    luaL_checkstack(L, 1, NULL);
    lua_pushlightuserdata(L, (void *)(uintptr_t)&wait_mark);
    return lua_yieldk(L, 1, ctx, k);
}

/* ---- in ---- */

struct bind_waiter bind_waiter(struct bind_task *task)
{
    return (struct bind_waiter){task, task->generation};
}

void bind_wake(struct bind_waiter *waiter)
{
    struct bind_task *task = waiter->task;

    if (!task || waiter->generation != task->generation ||
        task->state != BIND_TASK_WAITING)
        return;
    bind_wait_drop(task);
    bind_task_ready(task);
}

static void leave_joiners(struct bind_task *task)
{
    struct bind_task **link = &task->joining->joiners;

    while (*link != task)
        link = &(*link)->next_joiner;
    *link = task->next_joiner;
    task->joining = task->next_joiner = NULL;
}

void bind_wait_drop(struct bind_task *task)
{
    if (task->op)
        weir_op_cancel(task->op); /* nothing if it has finished */
    task->op = NULL;
    weir_timer_stop(&task->timer);
    if (task->joining)
        leave_joiners(task);
}

bool bind_wait_over(lua_State *L)
{
    struct bind_task *task = bind_context(L)->scheduler->current;

    return !task->refused && !bind_task_must_stop(task);
}

int bind_wait_raise(lua_State *L)
{
    struct bind_task *task = bind_context(L)->scheduler->current;
    struct weir_err err = WEIR_ERR_INIT;

    if (task->refused) {
        task->refused = false;
        return cannot_wait(L, "this call");
    }
    task->interrupt = false;
    weir_err_set(&err, WEIR_CANCELLED, "%s", task->cancelled);
    return bind_raise(L, &err);
}

void bind_wait_refuse(lua_State *L)
{
    struct bind_task *task = bind_context(L)->scheduler->current;

    bind_wait_drop(task);
    task->refused = true;
    task->state = BIND_TASK_RUNNING;
}

/* ---- waiting for an op ---- */

static void op_done(void *ud, struct weir_op *op)
{
    (void)op;
    bind_wake(ud);
}

static int op_failed(lua_State *L, int index, struct op_box *box)
{
    luaL_checkstack(L, 4, NULL);
    lua_pushnil(L);
    bind_err_push(L, weir_op_err(box->op));
    bind_box_close(L, index);
    return box->raises ? lua_error(L) : 2;
}

static int op_waited(lua_State *L, int status, lua_KContext index)
{
    struct op_box *box = bind_op_box(L, (int)index);

    (void)status;
    if (!bind_wait_over(L)) {
        bind_box_close(L, (int)index);
        return bind_wait_raise(L);
    }
    assert(box && box->op);
    if (weir_op_code(box->op))
        return op_failed(L, (int)index, box);
    return box->results(L, box->op);
}

static int await(lua_State *L, int index, bind_results_fn *results, bool raises)
{
    struct op_box *box = bind_op_box(L, index);
    struct bind_task *task;

    index = lua_absindex(L, index);
    if (!box || !box->op)
        return bind_misuse(L, "what is waited for here has been closed");
    if (box->op->state == WEIR_OP_RUNNING || box->op->queued)
        return bind_misuse(L, "another task waits for this already");
    task = bind_wait_begin(L, "this call");
    box->results = results;
    box->raises = raises;
    if (!bind_task_must_stop(task)) {
        box->waiter = bind_waiter(task);
        task->op = box->op;
        weir_op_start(box->op, op_done, &box->waiter);
    }
    return bind_wait_yield(L, index, op_waited);
}

int bind_await(lua_State *L, int box, bind_results_fn *results)
{
    return await(L, box, results, false);
}

int bind_await_or_raise(lua_State *L, int box, bind_results_fn *results)
{
    return await(L, box, results, true);
}
