/*
 * scheduler: tasks, and who runs next.
 *
 * A task is a coroutine.  It leaves through one door (bind_wait_yield) and
 * comes back through one (bind_wake); Lua runs only inside
 * bind_scheduler_drain, which the host calls between two turns of the loop,
 * so never inside a callback of the core or of a library.
 */
#ifndef WEIR_BIND_SCHEDULER_H
#define WEIR_BIND_SCHEDULER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bind.h"
#include "box.h"
#include "weir/loop.h"

enum bind_task_state {
    BIND_TASK_READY,
    BIND_TASK_RUNNING,
    BIND_TASK_WAITING,
    BIND_TASK_DONE,
    BIND_TASK_FAILED,
    BIND_TASK_CANCELLED
};

/* A userdata with two user values: first the coroutine, and from its end on
 * the packed results or the error; second the error's trace. */
struct bind_task {
    struct bind_scheduler *scheduler;
    lua_State *co; /* NULL once it has ended */
    enum bind_task_state state;
    uint64_t generation; /* of its waits; a wake of an earlier one is stale */
    const lua_State *shield; /* coroutine of the innermost task.shield */
    const char *cancelled;   /* why, or NULL; static text */
    unsigned n_raised;       /* how often that was raised in it */
    bool interrupt;          /* the count hook must raise */
    bool refused;            /* the wait could not leave a C function */
    bool failed;             /* its function raised */
    bool observed;           /* somebody has seen its error */
    bool lost;               /* failed unseen when enough of them were kept */
    bool queued;             /* in the ready queue */

    /* What it waits for: any of these, or nothing but a wake. */
    struct op_box *awaited;
    struct weir_timer timer;
    struct bind_waiter timer_waiter;
    struct bind_task **entered; /* a list of tasks that wait for one thing */
    struct bind_task **place;   /* what points to this task in it */
    struct bind_waiter list_waiter;

    struct bind_task *joiners;      /* who waits for this one to end */
    struct bind_task *next_entered; /* in the list it has entered */
    struct bind_task *next_ready;
    struct bind_task **ready_link; /* what points to it in the queue */
    struct bind_task *prev, *next; /* among the tasks that are alive */
};

/* A coroutine that lua_resetthread is closing, innermost first. */
struct bind_closing {
    lua_State *co;
    struct bind_closing *outer;
};

struct bind_loading;

struct bind_scheduler {
    struct weir_loop *loop;
    struct bind_task *current;
    struct bind_task *alive; /* newest first */
    struct bind_task *ready, **ready_end;
    size_t n_alive, n_ready;
    struct bind_closing *closing;
    unsigned closing_depth;
    struct bind_loading *loading; /* modules, innermost first */
    bool stopping;                /* every task has been cancelled */
    size_t n_killed;              /* went on after that for too long */
    bool hindered;                /* a wait was refused, */
    char hindrance[64];           /* because of this */
    const lua_State *handling;    /* in it a handler runs, after unwinding */
    size_t n_lost; /* unobserved failures beyond those that are kept */
    size_t n_kept;
    uint64_t n_waits; /* begun, by all tasks */
    uint64_t probed;  /* the wait that bind_wait_probe is for; 0: none */
};

/* ---- for the host ---- */

/* A scheduler on `loop`; NULL without memory.  Free it after lua_close. */
struct bind_scheduler *bind_scheduler_new(struct weir_loop *loop);
void bind_scheduler_free(struct bind_scheduler *scheduler);
/* Makes what the scheduler keeps in the state; the context names it. */
void bind_scheduler_open(lua_State *L);

/* Makes a task of the function and its `nargs` arguments on top, replacing
 * them by the task. */
struct bind_task *bind_task_spawn(lua_State *L, int nargs);
/* Resumes each task that is ready now, once.  Protect the call: it raises
 * when memory is out. */
void bind_scheduler_drain(lua_State *L);
bool bind_scheduler_ready(const struct bind_scheduler *scheduler);
/* Cancels every task; `why` is static text. */
void bind_scheduler_cancel_all(struct bind_scheduler *scheduler,
                               const char *why);
/* For the count hook: raises in the running task if it was cancelled while
 * it computed. */
void bind_scheduler_check(lua_State *L);
/* Ends a task that will not be resumed again; its __close handlers run, and
 * those of the coroutines through which it waits. */
void bind_task_kill(lua_State *L, struct bind_task *task);
/* Pushes the list of the tasks that failed and that nobody joined, in the
 * order of their failing, at most 100 of them. */
void bind_scheduler_unseen(lua_State *L);

/* Pushes the error and the trace (or nil) of the failed task at `index`;
 * its error counts as seen from now on. */
void bind_task_error(lua_State *L, int index);

/* ---- for whoever waits ---- */

/* The running task; raises plain words where nothing can wait. */
struct bind_task *bind_wait_begin(lua_State *L, const char *what);
/* Calls the function on top, which it takes, in the place of whoever begins
 * the n-th wait from now, before that wait begins: so that a test can make
 * something happen at every moment at which a task can wait. */
void bind_wait_probe(lua_State *L, lua_Integer n);
/* Leaves.  To be used as `return bind_wait_yield(…)`. */
int bind_wait_yield(lua_State *L, lua_KContext ctx, lua_KFunction k);
/* First thing in `k`: false if the wait has to be given up: let go of what
 * was held and call bind_wait_raise. */
bool bind_wait_over(lua_State *L);
int bind_wait_raise(lua_State *L);
/* Makes the task ready, unless the waiter is stale. */
void bind_wake(struct bind_waiter *waiter);
/* A waiter of the current wait. */
struct bind_waiter bind_waiter(struct bind_task *task);

/* True if the `n` values on top of `co` say that a task's wait passes. */
bool bind_is_wait(lua_State *co, int n);
/* Hands a wait that came out of a coroutine on to the one outside. */
int bind_wait_pass(lua_State *L, lua_KFunction k);
/* The wait that just came to a function that cannot yield is refused: the
 * task goes on at once, and the wait raises. */
void bind_wait_refuse(lua_State *L);

/* ---- within the scheduler ---- */

void bind_task_ready(struct bind_task *task);
void bind_task_cancel(struct bind_task *task, const char *why);
bool bind_task_must_stop(const struct bind_task *task);
/* Ends all that the task waits for. */
void bind_wait_drop(struct bind_task *task);
void bind_wait_drop_op(struct bind_task *task);
/* Enters a list of tasks that wait for the same thing, and leaves it. */
void bind_wait_enter(struct bind_task *task, struct bind_task **list);
void bind_wait_leave(struct bind_task *task);
void bind_wake_all(struct bind_task **list);
/* The task at `index`; raises if it is none. */
struct bind_task *bind_task_check(lua_State *L, int index);
/* lua_resetthread, guarded against nesting; status and error as there. */
int bind_close_thread(lua_State *L, lua_State *co);

/* Marks or unmarks the coroutine at `index` as one that only the scheduler
 * may resume: it is a task, or a wait passes through it. */
void bind_thread_hold(lua_State *L, int index, bool hold);
bool bind_thread_held(lua_State *L, int index);
/* Notes that the wait of the coroutine at `index` passes out to L, or that it
 * has come back. */
void bind_thread_pass(lua_State *L, int index, bool passes);

/* Replaces the coroutine library by ours. */
void bind_coroutine_open(lua_State *L);
/* Replaces `require` by one through which a module may wait. */
void bind_require_open(lua_State *L);
/* Pushes another one, for the two tables on top, which it takes: a `package`,
 * of which it uses the searchers, and what has been loaded. */
void bind_require_push(lua_State *L);
/* Replaces `pcall` and `xpcall` by ours, which know of budgets; this xpcall
 * says why a handler cannot wait. */
void bind_xpcall_open(lua_State *L);
/* Replaces `xpcall` by one whose handler is called after the unwinding. */
void bind_confined_xpcall_open(lua_State *L);
/* In such a handler: pushes the stack, as text, from which the error came. */
bool bind_handled_trace_push(lua_State *L);

/* ---- traces: where an error came from ---- */

void bind_trace_open(lua_State *L);
/* A message handler: notes the stack of its error and returns it. */
int bind_trace_note(lua_State *L);
/* Notes the stack of `co` for the error on top of L. */
void bind_trace_note_of(lua_State *L, lua_State *co);
/* Pushes the trace of the error at `index`, or nil: {source=, line=} of the
 * script's innermost frame, text= the whole, sources= from short names. */
void bind_trace_push(lua_State *L, int index);
/* Pushes a trace for an error in loading the chunk `name` ("@deploy.lua"). */
void bind_trace_push_chunk(lua_State *L, const char *name);

#endif
