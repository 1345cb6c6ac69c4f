#include "watchdog.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "exit.h"
#include "signals.h"

/* How often memory is measured, and the longest sleep while armed. */
#define LOOK_EVERY 50000 /* microseconds */
/* Not more often, however near the deadline is. */
#define LOOK_LEAST 1000

static int64_t read_clock(clockid_t clock)
{
    struct timespec now;

    if (clock_gettime(clock, &now))
        return 0;
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- the last word ---- */

static void write_line(const struct host_watchdog *dog, const char *message)
{
    struct timespec now;
    struct tm parts;
    char line[400], time[32];
    int len;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    strftime(time, sizeof(time), "%Y-%m-%dT%H:%M:%S", &parts);
    if (dog->json)
        len = snprintf(line, sizeof(line),
                       "{\"time\":\"%s.%03ldZ\",\"level\":\"error\","
                       "\"message\":\"%s\"}\n",
                       time, now.tv_nsec / 1000000, message);
    else
        len = snprintf(line, sizeof(line), "weir: %s\n", message);
    if (write(STDERR_FILENO, line, (size_t)len) < 0) {
        /* There is nobody left to tell. */
    }
}

/* `message` is on the stack of last_word, which does not return. */
static void *exit_soon(void *message)
{
    sleep(1);
    host_exit_now(HOST_EXIT_TIMEOUT, message);
    return NULL;
}

static void last_word(const struct host_watchdog *dog, enum bind_budget which)
{
    const struct bind_budgets *b = dog->budgets;
    bool cpu = which == BIND_BUDGET_CPU;
    pthread_t other;
    char message[200];

    snprintf(message, sizeof(message),
             "timeout: the script did not stop after %s %g s%s; ended at "
             "twice that",
             cpu ? "its" : "the",
             (double)(cpu ? b->max_cpu : b->max_time) / 1000,
             cpu ? " of processor time" : " that it had");
    /* Who reads stdout or stderr may have stopped reading. */
    if (pthread_create(&other, NULL, exit_soon, message))
        host_exit_now(HOST_EXIT_TIMEOUT, message);
    write_line(dog, message);
    /* What the script printed before it hung; unless it hangs while it
     * prints. */
    if (ftrylockfile(stdout) == 0)
        fflush_unlocked(stdout);
    host_exit_now(HOST_EXIT_TIMEOUT, message);
}

/* ---- looking ---- */

/* What waits without the loop has no argument to find these by. */
static struct bind_budgets *_Atomic watched;

bool host_watchdog_is_over(void)
{
    const struct bind_budgets *budgets = watched;

    return budgets && bind_budgets_spent(budgets) != BIND_BUDGET_NONE;
}

static void wake(struct host_watchdog *dog)
{
    weir_loop_wake(dog->loop);
    host_signals_nudge();
}

/* Of one clock: the microseconds until it is worth looking again. */
static int64_t look_at(struct host_watchdog *dog, enum bind_budget which,
                       int64_t used, int64_t most)
{
    struct bind_budgets *b = dog->budgets;

    if (most == 0)
        return LOOK_EVERY;
    if (used >= 2 * most)
        last_word(dog, which);
    if (used < most)
        return most - used;
    if (which == BIND_BUDGET_TIME) {
        if (!atomic_exchange(&b->late, true))
            wake(dog);
    } else {
        int none = BIND_BUDGET_NONE;

        if (atomic_compare_exchange_strong(&b->spent, &none, BIND_BUDGET_CPU))
            wake(dog);
    }
    return 2 * most - used;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The C library goes through all free blocks for it, and lets nobody else have
 * one meanwhile: at most a fiftieth of the time. */
static void measure(struct host_watchdog *dog)
{
    int64_t began = read_clock(CLOCK_MONOTONIC);

    if (began < dog->measure_at)
        return;
    if (bind_budgets_measure(dog->budgets))
        host_signals_nudge();
    dog->measure_at = began + 50 * (read_clock(CLOCK_MONOTONIC) - began);
}

static int64_t look(struct host_watchdog *dog)
{
    const struct bind_budgets *b = dog->budgets;
    int64_t wait = LOOK_EVERY;

    wait = least(wait, look_at(dog, BIND_BUDGET_CPU,
                               read_clock(dog->cpu_clock) - dog->cpu_at,
                               b->max_cpu * 1000));
    wait = least(wait, look_at(dog, BIND_BUDGET_TIME,
                               read_clock(CLOCK_MONOTONIC) - dog->time_at,
                               b->max_time * 1000));
    if (b->max_memory > 0)
        measure(dog);
    return wait < LOOK_LEAST ? LOOK_LEAST : wait;
}

static void wait_for(struct host_watchdog *dog, int64_t us)
{
    int64_t until = read_clock(CLOCK_MONOTONIC) + us;
    struct timespec at = {until / 1000000, until % 1000000 * 1000};

    pthread_cond_timedwait(&dog->change, &dog->lock, &at);
}

static void *watch(void *ud)
{
    struct host_watchdog *dog = ud;

    pthread_mutex_lock(&dog->lock);
    while (!dog->stopping) {
        if (dog->armed)
            wait_for(dog, look(dog));
        else
            pthread_cond_wait(&dog->change, &dog->lock);
    }
    pthread_mutex_unlock(&dog->lock);
    return NULL;
}

/* ---- for the thread of the run ---- */

bool host_watchdog_start(struct host_watchdog *dog)
{
    const struct bind_budgets *b = dog->budgets;
    pthread_condattr_t monotonic;
    sigset_t every, before;
    int failed;

    if (b->max_cpu == 0 && b->max_time == 0 && b->max_memory == 0)
        return true;
    if (pthread_getcpuclockid(pthread_self(), &dog->cpu_clock))
        return false;
    pthread_mutex_init(&dog->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&dog->change, &monotonic);
    pthread_condattr_destroy(&monotonic);
    /* Signals are for the thread that reads them. */
    sigfillset(&every);
    pthread_sigmask(SIG_SETMASK, &every, &before);
    failed = pthread_create(&dog->thread, NULL, watch, dog);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    dog->started = failed == 0;
    watched = failed ? NULL : dog->budgets;
    if (failed) {
        pthread_cond_destroy(&dog->change);
        pthread_mutex_destroy(&dog->lock);
    }
    return dog->started;
}

static void set_armed(struct host_watchdog *dog, bool armed)
{
    if (!dog->started)
        return;
    pthread_mutex_lock(&dog->lock);
    dog->armed = armed;
    dog->cpu_at = read_clock(dog->cpu_clock);
    dog->time_at = read_clock(CLOCK_MONOTONIC);
    pthread_cond_signal(&dog->change);
    pthread_mutex_unlock(&dog->lock);
}

void host_watchdog_arm(struct host_watchdog *dog)
{
    set_armed(dog, true);
}

void host_watchdog_disarm(struct host_watchdog *dog)
{
    set_armed(dog, false);
}

void host_watchdog_stop(struct host_watchdog *dog)
{
    if (!dog->started)
        return;
    pthread_mutex_lock(&dog->lock);
    dog->stopping = true;
    pthread_cond_signal(&dog->change);
    pthread_mutex_unlock(&dog->lock);
    pthread_join(dog->thread, NULL);
    watched = NULL;
    pthread_cond_destroy(&dog->change);
    pthread_mutex_destroy(&dog->lock);
    dog->started = false;
}
