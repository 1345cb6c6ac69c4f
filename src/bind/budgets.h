/*
 * budgets: what a run may use up: memory, processor time, wall-clock time,
 * output, open requests.
 *
 * One value a run.  The host sets the ceilings and measures time in a thread
 * of its own (host/watchdog.c), which says so through two flags and nothing
 * else; everything here runs in the thread of the Lua state.  A budget of time
 * or output that is spent stays spent: bind_budgets_check raises the same err
 * object in whatever the script does next, so that no pcall lives on it.
 */
#ifndef WEIR_BIND_BUDGETS_H
#define WEIR_BIND_BUDGETS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lua.h>

#include "weir/err.h"

enum bind_budget {
    BIND_BUDGET_NONE, /* nothing is spent */
    BIND_BUDGET_CPU,
    BIND_BUDGET_TIME,
    BIND_BUDGET_OUTPUT,
    BIND_BUDGET_MEMORY,
    BIND_BUDGETS
};

struct bind_budgets {
    /* Ceilings; 0: none. */
    size_t max_memory;   /* bytes */
    int64_t max_cpu;     /* milliseconds of the thread's processor time */
    int64_t max_time;    /* milliseconds */
    uint64_t max_output; /* bytes */
    size_t max_requests; /* open at once */

    atomic_int spent;      /* enum bind_budget: the first that was; not TIME */
    atomic_bool late;      /* the time is over: tasks are cancelled */
    atomic_size_t process; /* bytes of the whole process, as last measured */

    struct bind_running *running; /* is nudged when a budget is spent */

    size_t memory; /* bytes of the Lua state, with what malloc adds */
    size_t base;   /* bytes of the process when the run began */
    bool refused;  /* the state was refused memory */
    uint64_t output;
};

/* The budgets of the state, or NULL. */
struct bind_budgets *bind_budgets(lua_State *L);

/* Counts the state's memory from now on, and refuses it beyond the ceiling:
 * Lua then collects garbage, and raises "not enough memory" if that is not
 * enough.  While no task runs, the host has a reserve for the last word. */
void bind_budgets_open(lua_State *L, struct bind_budgets *budgets);

/* Nothing is spent any more: another input begins. */
void bind_budgets_renew(struct bind_budgets *budgets);
/* Measures the memory of the process, for the hook to see; true if that is
 * too much.  From any thread. */
bool bind_budgets_measure(struct bind_budgets *budgets);
/* The one that is spent, or late, or BIND_BUDGET_NONE. */
enum bind_budget bind_budgets_spent(const struct bind_budgets *budgets);

/* Raises in a task if a budget is spent.  In functions that may take long,
 * and wherever a script could otherwise go on after an error. */
void bind_budgets_check(lua_State *L);
/* True if the value at `index` is what that raised. */
bool bind_budgets_raised(lua_State *L, int index);
/* For the count hook: the same, and at every instruction from then on. */
void bind_budgets_hook(lua_State *L);

/* Counts bytes that the script writes, before they are written; raises if
 * they are too many. */
void bind_budgets_write(lua_State *L, size_t len);
/* The same for the log, which cannot raise: what is called next does. */
void bind_budgets_note(struct bind_budgets *budgets, size_t len);

/* Raises if as many requests are open as may be. */
void bind_budgets_request(lua_State *L);

/* Fills `err` with what is said of a budget that is spent, and how there is
 * more of it. */
void bind_budgets_err(const struct bind_budgets *budgets,
                      enum bind_budget which, struct weir_err *err);

#endif
