/*
 * core: everything that libweir does, with each allocation failing in turn.
 *
 * Usage: core [NAME ...]
 *
 * A scenario runs again and again: its first allocation fails, then its
 * second, until it gets through; once with that one alone, once with all that
 * follow.  It must succeed with the same result as ever or say that memory is
 * out, and give back every block it took.  Each runs in a process of its own,
 * so that a crash is told with the allocation that led to it.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scenario.h"
#include "shim.h"

/* Of a sanitizer, if it is linked in: names what was lost, and exits. */
void __lsan_do_leak_check(void) __attribute__((weak));

/* More than any scenario needs: one that never gets through has a fault. */
enum { MOST = 200000, SECONDS = 120, KEPT = 16 };

/* Seen by the process that waits. */
static struct progress {
    unsigned long at, in_a_row, runs, refused;
    char stack[4096];
} * progress;

void say(struct weir_buf *said, const char *fmt, ...)
{
    char text[512];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    /* Reserved before the first run: this takes no memory. */
    if (weir_buf_adds(said, text))
        abort();
}

static void fault(const struct scenario *s, const char *fmt, ...)
{
    va_list args;

    shim_stop();
    fprintf(stderr, "%s: allocation %lu, %s: ", s->name, progress->at,
            progress->in_a_row ? "alone" : "and all after it");
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    _exit(2);
}

static void reserve(struct weir_buf *buf)
{
    weir_buf_init(buf, 1 << 16);
    if (weir_buf_reserve(buf, 1 << 16))
        abort();
}

static void judge(const struct scenario *s, enum weir_code code,
                  const struct weir_err *err, bool failed,
                  const struct weir_buf *good, const struct weir_buf *got)
{
    if (code == WEIR_OK) {
        if (strcmp(weir_buf_str(good), weir_buf_str(got)) != 0)
            fault(s, "succeeded with\n%s\ninstead of\n%s", weir_buf_str(got),
                  weir_buf_str(good));
        return;
    }
    if (!failed)
        fault(s, "%s: %s, though nothing failed", weir_code_word(code),
              err->message);
    progress->refused++;
    if (code != WEIR_NOMEM && (code != s->may_say || code != err->code))
        fault(s, "%s: %s", weir_code_word(code), err->message);
    if (err->code && !strstr(err->message, "memory"))
        fault(s, "%s: '%s' does not name memory", weir_code_word(code),
              err->message);
}

/* One run; returns whether an allocation failed in it, and how many blocks it
 * did not give back. */
static bool try_one(const struct scenario *s, unsigned long n,
                    unsigned long in_a_row, const struct weir_buf *good,
                    struct weir_buf *got, long *lost)
{
    struct weir_err err = WEIR_ERR_INIT;
    enum weir_code code;
    bool failed;
    long live;

    weir_buf_reset(got);
    live = shim_live();
    shim_fail_at(n, in_a_row);
    code = s->run(got, &err);
    shim_stop();
    failed = shim_failed();
    judge(s, code, &err, failed, good, got);
    weir_err_clear(&err);
    *lost = shim_live() - live;
    progress->runs++;
    return failed;
}

/* All runs of one scenario in one way. */
static void sweep(const struct scenario *s, unsigned long in_a_row,
                  const struct weir_buf *good, struct weir_buf *got)
{
    bool failed = true;

    progress->in_a_row = in_a_row;
    for (unsigned long n = 1; failed; n++) {
        long lost;

        progress->at = n;
        if (n > MOST)
            fault(s, "never gets through");
        failed = try_one(s, n, in_a_row, good, got, &lost);
        /* What a library keeps once and for all it does not keep twice; a
         * text of libcrypto's for each of the places of its queue of errors,
         * sixteen times. */
        for (int more = 0; lost && more < KEPT; more++)
            try_one(s, n, in_a_row, good, got, &lost);
        if (lost && __lsan_do_leak_check)
            __lsan_do_leak_check();
        if (lost)
            fault(s, "%ld blocks not given back", lost);
    }
}

static void run(const struct scenario *s)
{
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_buf good, got;
    enum weir_code code;

    alarm(SECONDS);
    reserve(&good);
    reserve(&got);
    scenarios_begin();
    /* Twice: what libraries keep for themselves they have after the first. */
    for (int i = 0; i < 2; i++) {
        weir_buf_reset(&good);
        code = s->run(&good, &err);
        if (code)
            fault(s, "%s: %s, by itself", weir_code_word(code), err.message);
    }
    shim_only_this_thread();
    if (getenv("TORTURE_VERBOSE"))
        shim_report_to(STDERR_FILENO);
    sweep(s, 1, &good, &got);
    sweep(s, 0, &good, &got);
    scenarios_end();
    weir_buf_fini(&good);
    weir_buf_fini(&got);
}

static bool run_apart(const struct scenario *s)
{
    int status;
    pid_t child;

    memset(progress, 0, sizeof(*progress));
    fflush(NULL);
    child = fork();
    if (child == 0) {
        run(s);
        exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child) {
        perror("fork");
        return false;
    }
    if (status == 0) {
        printf("ok     %s (%lu runs, %lu refused)\n", s->name, progress->runs,
               progress->refused);
        return true;
    }
    if (WIFSIGNALED(status))
        fprintf(stderr, "%s: allocation %lu, %s: %s\n", s->name, progress->at,
                progress->in_a_row ? "alone" : "and all after it",
                WTERMSIG(status) == SIGALRM ? "hangs"
                                            : strsignal(WTERMSIG(status)));
    printf("FAILED %s\n", s->name);
    return false;
}

static bool is_wanted(const char *name, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], name) == 0)
            return true;
    }
    return argc < 2;
}

int main(int argc, char **argv)
{
    const struct scenario *const lists[] = {scenarios_pure, scenarios_ops};
    unsigned long runs = 0;
    unsigned ran = 0, failed = 0;

    progress = mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (progress == MAP_FAILED)
        return 1;
    for (size_t l = 0; l < 2; l++) {
        for (const struct scenario *s = lists[l]; s->name; s++) {
            if (!is_wanted(s->name, argc, argv))
                continue;
            failed += !run_apart(s);
            runs += progress->runs;
            ran++;
        }
    }
    printf("torture: %u scenarios, %lu runs, %u failed\n", ran, runs, failed);
    return failed || !ran;
}
