#include "signals.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "scheduler.h"

/* Instructions between two looks at the flag: under 1 ms of Lua. */
#define HOOK_COUNT 10000

/* A signal handler has no argument to find these by. */
static volatile sig_atomic_t received;
static volatile sig_atomic_t cancelled;
static struct weir_loop *volatile woken;

static void on_signal(int number)
{
    static const char clear_line[] = "\r\033[K";

    if (received) {
        /* Nothing to be done about a failed write on the way out. */
        if (isatty(STDERR_FILENO) &&
            write(STDERR_FILENO, clear_line, sizeof(clear_line) - 1) < 0)
            _exit(128 + number);
        _exit(128 + number);
    }
    received = number;
    if (woken)
        weir_loop_wake(woken);
}

void host_signals_start(struct weir_loop *loop)
{
    struct sigaction action;

    memset(&action, 0, sizeof(action));
    action.sa_handler = on_signal;
    sigemptyset(&action.sa_mask);
    /* No SA_RESTART: a script that reads standard input must notice. */
    woken = loop;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
}

void host_signals_stop(void)
{
    woken = NULL;
}

int host_signal(void)
{
    return received;
}

/* Reaches a task that computes.  It raises once: a second time it would
 * break into the __close handlers that the first has set going. */
static void on_count(lua_State *L, lua_Debug *frame)
{
    (void)frame;
    if (!received)
        return;
    if (!cancelled) {
        cancelled = 1;
        bind_scheduler_cancel_all(bind_context(L)->scheduler, "interrupted");
    }
    bind_scheduler_check(L);
}

void host_signals_hook(lua_State *L)
{
    lua_sethook(L, on_count, LUA_MASKCOUNT, HOOK_COUNT);
}
