#include "signals.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "budgets.h"
#include "exit.h"
#include "scheduler.h"

/* Instructions between two looks at the flags, once there are some: what one
 * of them does can take long. */
#define HOOK_COUNT 1000
/* ThreadSanitizer hands a signal on at the next call that it knows: in its
 * build a loop looks at the flags by itself. */
#ifdef __SANITIZE_THREAD__
#define LOOKS true
#else
#define LOOKS false
#endif

/* A signal handler has no argument to find these by. */
static volatile sig_atomic_t received;
static volatile sig_atomic_t cancelled;
static struct weir_loop *volatile woken;
static struct bind_running *volatile reached;
static pthread_t runner; /* of both, and of what is reached */

/* Where lines are typed. */
#define MAX_INTERRUPTS 3
static bool interactive;
static volatile sig_atomic_t n_interrupts, n_raised;
static struct bind_task *volatile guarded;

/* True if the signal was no more than the end of a line. */
static bool interrupts_line(int number)
{
    if (!interactive || number != SIGINT || received == SIGTERM)
        return false;
    n_interrupts++;
    return n_interrupts < MAX_INTERRUPTS || !guarded;
}

static void on_nudge(int number)
{
    (void)number;
    if (reached)
        bind_running_nudge(reached);
}

void host_signals_nudge(void)
{
    pthread_kill(runner, SIGURG);
}

static void on_signal(int number)
{
    static const char clear_line[] = "\r\033[K";

    if (received && !interrupts_line(number)) {
        /* Nothing to be done about a failed write on the way out. */
        if (isatty(STDERR_FILENO) &&
            write(STDERR_FILENO, clear_line, sizeof(clear_line) - 1) < 0)
            host_exit_now(HOST_EXIT_SIGNAL + number, "a second signal");
        host_exit_now(HOST_EXIT_SIGNAL + number, "a second signal");
    }
    if (!received)
        interrupts_line(number);
    received = number;
    /* A library's thread may have been the one that got it. */
    if (pthread_equal(pthread_self(), runner))
        on_nudge(number);
    else
        host_signals_nudge();
    if (woken)
        weir_loop_wake(woken);
}

/* Not SIG_IGN, which a program that is started would inherit. */
static void on_full(int number)
{
    (void)number;
}

void host_signals_start(struct weir_loop *loop, struct bind_running *running)
{
    struct sigaction action;

    memset(&action, 0, sizeof(action));
    action.sa_handler = on_signal;
    sigemptyset(&action.sa_mask);
    /* No SA_RESTART: a script that reads standard input must notice. */
    runner = pthread_self();
    reached = running;
    woken = loop;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    /* Beyond ulimit -f: an error of the write, which can be told of. */
    action.sa_handler = on_full;
    sigaction(SIGXFSZ, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
    action.sa_handler = on_nudge; /* SIGURG: nobody else uses it */
    action.sa_flags = SA_RESTART;
    sigaction(SIGURG, &action, NULL);
}

void host_signals_stop(void)
{
    woken = NULL;
    reached = NULL;
}

int host_signal(void)
{
    return received;
}

void host_signals_interactive(bool on)
{
    interactive = on;
}

void host_signals_guard(struct bind_task *task)
{
    guarded = task;
}

unsigned host_signals_interrupts(void)
{
    return (unsigned)n_interrupts;
}

unsigned host_signals_take(void)
{
    unsigned n = (unsigned)n_interrupts;

    if (received != SIGINT)
        return 0;
    /* First: what comes after it nudges anew. */
    if (reached)
        bind_running_calm(reached);
    received = 0;
    n_interrupts = n_raised = 0;
    return n;
}

/* Raises once for the first Ctrl-C; from the second on at every instruction,
 * so that no pcall in a loop can live on, and no shield. */
static void interrupt_line(lua_State *L)
{
    struct bind_task *task = bind_context(L)->scheduler->current;

    if (!task || (guarded && task != guarded))
        return;
    bind_task_cancel(task, "interrupted");
    if (n_interrupts > 1) {
        lua_sethook(L, lua_gethook(L), LUA_MASKCOUNT, 1);
        task->shield = NULL;
        task->interrupt = true;
    } else if (n_raised == 0) {
        n_raised = 1;
        task->interrupt = true;
    }
    bind_scheduler_check(L);
}

static void on_count(lua_State *L, lua_Debug *frame);

/* After a nudge: from time to time where there is something to look for. */
static void settle(lua_State *L)
{
    if (LOOKS || received ||
        bind_budgets_spent(bind_budgets(L)) != BIND_BUDGET_NONE)
        lua_sethook(L, on_count, LUA_MASKCOUNT, HOOK_COUNT);
    else
        lua_sethook(L, NULL, 0, 0);
}

/* Reaches a task that computes.  It raises once: a second time it would
 * break into the __close handlers that the first has set going. */
static void on_count(lua_State *L, lua_Debug *frame)
{
    (void)frame;
    /* Before anything is looked at: what comes meanwhile is found below, or
     * nudges anew. */
    if (lua_gethookcount(L) == 1)
        settle(L);
    bind_budgets_hook(L);
    if (!received)
        return;
    if (interactive && received == SIGINT) {
        interrupt_line(L);
        return;
    }
    if (!cancelled) {
        cancelled = 1;
        bind_scheduler_cancel_all(bind_context(L)->scheduler, "interrupted");
    }
    bind_scheduler_check(L);
}

void host_signals_hook(lua_State *L)
{
    struct bind_running *running = &bind_context(L)->running;

    running->hook = on_count;
    if (received) /* before there was a hook to set */
        bind_running_nudge(running);
    if (LOOKS)
        settle(L); /* each coroutine has it from the one that makes it */
}
