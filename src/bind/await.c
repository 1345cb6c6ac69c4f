/*
 * Ops in boxes, and waiting for them.
 */
#include "budgets.h"
#include "scheduler.h"

/* A box whose op is waited for can be closed by another task that holds it
 * too: whoever waits must not be left behind. */
static void op_fini(void *memory)
{
    struct op_box *box = memory;

    bind_wake(&box->waiter);
    weir_op_free(box->op);
    box->op = NULL;
}

struct weir_op **bind_op(lua_State *L)
{
    struct op_box *box = bind_box(L, sizeof(*box), op_fini);

    return &box->op;
}

struct op_box *bind_op_box(lua_State *L, int index)
{
    return bind_box_memory_of(L, index, op_fini);
}

void bind_wait_drop_op(struct bind_task *task)
{
    struct op_box *box = task->awaited;

    if (!box)
        return;
    weir_op_cancel(box->op); /* nothing if it has finished */
    box->waiter.task = NULL; /* the box may outlive the task */
    task->awaited = NULL;
}

static void op_done(void *ud, struct weir_op *op)
{
    (void)op;
    bind_wake(ud);
}

/* Whatever raises here leaves the box to the garbage collector. */
static int op_waited(lua_State *L, int status, lua_KContext index)
{
    struct op_box *box = bind_op_box(L, (int)index);
    int n;

    (void)status;
    if (!bind_wait_over(L)) {
        bind_box_close(L, (int)index);
        return bind_wait_raise(L);
    }
    if (!box)
        return bind_misuse(L, "what is waited for here has been closed");
    if (weir_op_code(box->op)) {
        luaL_checkstack(L, 4, NULL);
        lua_pushnil(L);
        bind_err_push(L, weir_op_err(box->op));
        bind_box_close(L, (int)index);
        return 2;
    }
    n = box->results(L, box->op);
    if (box->goes_on)
        return n;
    /* An op holds more memory than the collector knows of. */
    bind_box_close(L, (int)index);
    return n;
}

static int await(lua_State *L, int index, bind_results_fn *results,
                 bool goes_on)
{
    struct op_box *box = bind_op_box(L, index);
    struct bind_task *task;

    index = lua_absindex(L, index);
    if (!box || !box->op)
        return bind_misuse(L, "what is waited for here has been closed");
    if (box->op->state == WEIR_OP_RUNNING || box->op->queued)
        return bind_misuse(L, "another task waits for this already");
    bind_budgets_request(L);
    task = bind_wait_begin(L, "this call");
    box->results = results;
    box->goes_on = goes_on;
    if (!bind_task_must_stop(task)) {
        box->waiter = bind_waiter(task);
        task->awaited = box;
        weir_op_start(box->op, op_done, &box->waiter);
    }
    return bind_wait_yield(L, index, op_waited);
}

int bind_await(lua_State *L, int box, bind_results_fn *results)
{
    return await(L, box, results, false);
}

int bind_await_step(lua_State *L, int box, bind_results_fn *results)
{
    return await(L, box, results, true);
}
