#include "budgets.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler.h"

#ifdef WEIR_SANITIZED_MALLOC
/* Of sanitizer/allocator_interface.h, which Debian's gcc does not bring. */
size_t __sanitizer_get_current_allocated_bytes(void);
#endif

/* Beyond the ceiling, for the host alone: the report of what went wrong. */
#define RESERVE ((size_t)16 << 20)

/* No larger block is had by a script once a budget is spent: unwinding needs
 * none, and copying texts of many megabytes takes long. */
#define LAST_BLOCK ((size_t)64 << 10)

static const char spent_keys[BIND_BUDGETS]; /* err objects, made once */

struct bind_budgets *bind_budgets(lua_State *L)
{
    return bind_context(L)->budgets;
}

static enum bind_budget spent(const struct bind_budgets *budgets)
{
    return (enum bind_budget)atomic_load_explicit(&budgets->spent,
                                                  memory_order_relaxed);
}

enum bind_budget bind_budgets_spent(const struct bind_budgets *budgets)
{
    enum bind_budget which = budgets ? spent(budgets) : BIND_BUDGET_NONE;

    if (which == BIND_BUDGET_NONE && budgets && atomic_load(&budgets->late))
        which = BIND_BUDGET_TIME;
    return which;
}

static void spend(struct bind_budgets *budgets, enum bind_budget which)
{
    int none = BIND_BUDGET_NONE;

    atomic_compare_exchange_strong(&budgets->spent, &none, (int)which);
    bind_running_nudge(budgets->running);
}

void bind_budgets_renew(struct bind_budgets *budgets)
{
    atomic_store(&budgets->spent, BIND_BUDGET_NONE);
    atomic_store(&budgets->late, false);
    budgets->refused = false;
    budgets->output = 0;
}

/* Whether a script's code runs: in a task, or in a __close handler of one that
 * is being ended. */
static bool in_task(const struct bind_context *context)
{
    const struct bind_scheduler *scheduler = context->scheduler;

    return scheduler && (scheduler->current || scheduler->closing);
}

/* ---- memory ---- */

/* What malloc takes for a block, so that the state's part of the process and
 * the whole are counted alike. */
static size_t weight(void *block)
{
    return block ? malloc_usable_size(block) + sizeof(size_t) : 0;
}

static bool may_grow(const struct bind_context *context, size_t by)
{
    const struct bind_budgets *budgets = context->budgets;
    bool task = in_task(context);
    size_t ceiling = budgets->max_memory;

    if (task && by >= LAST_BLOCK && spent(budgets) != BIND_BUDGET_NONE)
        return false;
    if (ceiling == 0)
        return true;
    /* To close a coroutine takes some, too: at the ceiling each of many tasks
     * that end would have all garbage collected for it. */
    if (!task)
        ceiling += RESERVE;
    else if (!context->scheduler->current)
        ceiling += spent(budgets) ? RESERVE : RESERVE / 2;
    return budgets->memory <= ceiling && by <= ceiling - budgets->memory;
}

static void *allocate(void *ud, void *block, size_t old, size_t size)
{
    const struct bind_context *context = ud;
    struct bind_budgets *budgets = context->budgets;
    size_t had = block ? old : 0; /* else `old` is a kind of object */
    size_t weighed = weight(block);
    void *grown;

    if (size == 0) {
        free(block);
        budgets->memory -= weighed;
        return NULL;
    }
    if (size > had && !may_grow(context, size - had)) {
        budgets->refused = true;
        return NULL;
    }
    grown = realloc(block, size);
    if (grown)
        budgets->memory = budgets->memory - weighed + weight(grown);
    return grown;
}

/* All that is allocated.  A sanitizer has a malloc of its own, of which
 * mallinfo2() knows nothing. */
static size_t of_process(void)
{
#ifdef WEIR_SANITIZED_MALLOC
    return __sanitizer_get_current_allocated_bytes();
#else
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
#endif
}

static bool is_heavy(const struct bind_budgets *budgets)
{
    return budgets->max_memory > 0 &&
           atomic_load_explicit(&budgets->process, memory_order_relaxed) >
               budgets->max_memory + budgets->base;
}

bool bind_budgets_measure(struct bind_budgets *budgets)
{
    atomic_store(&budgets->process, of_process());
    return is_heavy(budgets);
}

void bind_budgets_open(lua_State *L, struct bind_budgets *budgets)
{
    budgets->running = &bind_context(L)->running;
    budgets->base = of_process();
    /* At least what will be given back of the little that there is. */
    budgets->memory = ((size_t)lua_gc(L, LUA_GCCOUNT) + 1) * 2048;
    lua_setallocf(L, allocate, bind_context(L));
}

/* The host's buffers and documents hang on small userdata, and the collector
 * knows nothing of their weight: it is called when they weigh too much. */
static void weigh(lua_State *L, struct bind_budgets *budgets)
{
    if (!is_heavy(budgets))
        return;
    lua_gc(L, LUA_GCCOLLECT);
    if (bind_budgets_measure(budgets))
        spend(budgets, BIND_BUDGET_MEMORY);
}

/* ---- what is said ---- */

struct size {
    unsigned long long number;
    const char *unit, *letter; /* "MiB", "M" */
};

/* In the largest unit that says it exactly. */
static struct size size_of(uint64_t bytes)
{
    if (bytes % (1 << 20) == 0)
        return (struct size){bytes >> 20, "MiB", "M"};
    if (bytes % (1 << 10) == 0)
        return (struct size){bytes >> 10, "KiB", "K"};
    return (struct size){bytes, "bytes", ""};
}

static void set_size_err(struct weir_err *err, const char *what, const char *of,
                         uint64_t bytes, const char *option)
{
    struct size size = size_of(bytes);

    weir_err_set(err, WEIR_LIMIT, "the script %s more than its %llu %s of %s",
                 what, size.number, size.unit, of);
    weir_err_hint(err, "if it needs more: %s %llu%s", option, 2 * size.number,
                  size.letter);
}

void bind_budgets_err(const struct bind_budgets *budgets,
                      enum bind_budget which, struct weir_err *err)
{
    switch (which) {
    case BIND_BUDGET_NONE:
    case BIND_BUDGETS: break;
    case BIND_BUDGET_CPU:
        weir_err_set(err, WEIR_TIMEOUT,
                     "the script has used up its %g s of processor time",
                     (double)budgets->max_cpu / 1000);
        weir_err_hint(err, "if it needs more: --max-cpu %g",
                      (double)budgets->max_cpu / 500);
        break;
    case BIND_BUDGET_TIME:
        weir_err_set(err, WEIR_TIMEOUT, "the script was not done within %g s",
                     (double)budgets->max_time / 1000);
        weir_err_hint(err, "if it needs more: --max-time %g",
                      (double)budgets->max_time / 500);
        break;
    case BIND_BUDGET_OUTPUT:
        set_size_err(err, "has written", "output", budgets->max_output,
                     "--max-output");
        break;
    case BIND_BUDGET_MEMORY:
        set_size_err(err, "needs", "memory", budgets->max_memory,
                     "--max-memory");
        break;
    }
}

/* ---- what is raised ---- */

bool bind_budgets_raised(lua_State *L, int index)
{
    bool raised;

    index = lua_absindex(L, index);
    lua_rawgetp(L, LUA_REGISTRYINDEX,
                &spent_keys[bind_budgets_spent(bind_budgets(L))]);
    raised = lua_istable(L, -1) && lua_rawequal(L, index, -1);
    lua_pop(L, 1);
    return raised;
}

static void raise_spent(lua_State *L, enum bind_budget which)
{
    struct weir_err err = WEIR_ERR_INIT;

    luaL_checkstack(L, 4, NULL);
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &spent_keys[which]) == LUA_TNIL) {
        lua_pop(L, 1);
        bind_budgets_err(bind_budgets(L), which, &err);
        bind_err_push(L, &err);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &spent_keys[which]);
    }
    lua_error(L);
}

void bind_budgets_check(lua_State *L)
{
    const struct bind_context *context = bind_context(L);
    enum bind_budget which =
        context->budgets ? spent(context->budgets) : BIND_BUDGET_NONE;

    if (which != BIND_BUDGET_NONE && in_task(context))
        raise_spent(L, which);
}

void bind_budgets_hook(lua_State *L)
{
    struct bind_budgets *budgets = bind_budgets(L);

    if (!budgets || !in_task(bind_context(L)))
        return;
    weigh(L, budgets);
    if (spent(budgets) != BIND_BUDGET_NONE) {
        lua_sethook(L, lua_gethook(L), LUA_MASKCOUNT, 1);
        bind_budgets_check(L);
    }
    if (!atomic_load_explicit(&budgets->late, memory_order_relaxed))
        return;
    if (!bind_context(L)->scheduler->current)
        return;
    bind_task_cancel(bind_context(L)->scheduler->current,
                     "the time of the run is over");
    bind_scheduler_check(L);
}

/* ---- output and requests ---- */

void bind_budgets_note(struct bind_budgets *budgets, size_t len)
{
    budgets->output += len;
    if (budgets->max_output > 0 && budgets->output > budgets->max_output)
        spend(budgets, BIND_BUDGET_OUTPUT);
}

void bind_budgets_write(lua_State *L, size_t len)
{
    if (!bind_budgets(L))
        return;
    bind_budgets_note(bind_budgets(L), len);
    bind_budgets_check(L);
}

static bool count_call(void *ud, const struct weir_op *op)
{
    size_t *n = ud;

    *n += strcmp(op->class->name, "call") == 0;
    return true;
}

/* What tasks wait for; or calls that are under way, if these are more: of a
 * listing that nobody waits for the next page is fetched all the same. */
static size_t count_requests(const struct bind_context *context)
{
    size_t waits = 0, calls = 0;

    for (const struct bind_task *t = context->scheduler->alive; t; t = t->next)
        waits += t->awaited != NULL;
    weir_loop_each_op(context->loop, count_call, &calls);
    return waits > calls ? waits : calls;
}

void bind_budgets_request(lua_State *L)
{
    const struct bind_budgets *budgets = bind_budgets(L);
    struct weir_err err = WEIR_ERR_INIT;

    if (!budgets || budgets->max_requests == 0 ||
        weir_loop_ops(bind_context(L)->loop) < budgets->max_requests ||
        count_requests(bind_context(L)) < budgets->max_requests)
        return;
    weir_err_set(&err, WEIR_LIMIT,
                 "%zu requests are open at once, which is all that this run "
                 "may have",
                 budgets->max_requests);
    weir_err_hint(&err,
                  "do fewer at a time (task.map's limit), or: "
                  "--max-requests %zu",
                  2 * budgets->max_requests);
    bind_raise(L, &err);
}
