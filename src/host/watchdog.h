/*
 * watchdog: the thread that measures a run's time.
 *
 * At a deadline it sets a flag of the budgets, wakes the loop, and nudges the
 * thread that runs scripts (host_signals_nudge).  At twice the deadline, when
 * nothing has come of that (a C function that goes on for ever), it writes the
 * last word itself and ends the process.
 */
#ifndef HOST_WATCHDOG_H
#define HOST_WATCHDOG_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "budgets.h"
#include "weir/loop.h"

struct host_watchdog {
    struct bind_budgets *budgets;
    struct weir_loop *loop;
    bool json; /* the last word is an object */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t change;
    clockid_t cpu_clock; /* of the runner */
    bool started;
    int64_t measure_at;      /* of the thread alone: memory, not before */
    bool stopping, armed;    /* under the lock, as all below */
    int64_t cpu_at, time_at; /* microseconds when it was armed */
};

/* Starts the thread, which measures nothing yet; true at once where there is
 * no ceiling that needs it.  False without a thread. */
bool host_watchdog_start(struct host_watchdog *watchdog);
/* From now on, in the calling thread, time counts; and no more. */
void host_watchdog_arm(struct host_watchdog *watchdog);
void host_watchdog_disarm(struct host_watchdog *watchdog);
void host_watchdog_stop(struct host_watchdog *watchdog);
/* Whether the run that is watched, if one is, has spent a budget: for what
 * waits without the loop. */
bool host_watchdog_is_over(void);

#endif
