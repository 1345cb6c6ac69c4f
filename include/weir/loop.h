/*
 * loop: everything that waits, in one place.
 *
 * One thread owns a loop: libcurl transfers, timers, extra descriptors and
 * the queue of finished ops.  weir_loop_turn() is one turn of it.
 */
#ifndef WEIR_LOOP_H
#define WEIR_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir/clock.h"
#include "weir/err.h"
#include "weir/op.h"

struct weir_loop;

/* A loop on `clock` (NULL: the system's; must outlive the loop).  WEIR_OK,
 * WEIR_NOMEM, or WEIR_TRANSPORT when libcurl cannot start or there is no
 * descriptor left to be woken by. */
enum weir_code weir_loop_new(const struct weir_clock *clock,
                             struct weir_loop **out, struct weir_err *err);
/* Frees the loop.  Every op on it must have been freed before. */
void weir_loop_free(struct weir_loop *loop);

const struct weir_clock *weir_loop_clock(const struct weir_loop *loop);
/* weir_clock.now and .wall of the loop's clock, milliseconds.  Inside a turn
 * `now` is when its waiting, and then its moving of transfers, was over. */
int64_t weir_loop_now(const struct weir_loop *loop);
int64_t weir_loop_wall(const struct weir_loop *loop);

/* One turn: moves transfers on, fires due timers and ready descriptors,
 * calls `done` of finished ops; waits at most `max_wait_ms` (< 0: as long as
 * it takes) for the first of these.  It costs what happens in it, however many
 * transfers wait.  WEIR_OK, WEIR_NOMEM, or WEIR_TRANSPORT when libcurl's multi
 * interface itself, or poll(2), is broken.  What libcurl's failed with once,
 * each later turn fails with: then ops and loop are only to be freed. */
enum weir_code weir_loop_turn(struct weir_loop *loop, int64_t max_wait_ms,
                              struct weir_err *err);

/* Wakes a turn that waits.  Safe from any thread and from a signal handler. */
void weir_loop_wake(struct weir_loop *loop);

/* Ops running or finished with `done` still to come; what tests look at. */
size_t weir_loop_ops(const struct weir_loop *loop);
/* Running timers. */
size_t weir_loop_timers(const struct weir_loop *loop);
/* True when no op, timer or due `done` is left: waiting would be for ever. */
bool weir_loop_idle(const struct weir_loop *loop);
/* Visits running ops, newest first, until `fn` returns false. */
void weir_loop_each_op(const struct weir_loop *loop,
                       bool (*fn)(void *ud, const struct weir_op *op),
                       void *ud);

/* A timer, embedded in what it serves; starting cannot fail.  Zero it first.
 * It is stopped when it fires, before `fn` is called. */
struct weir_timer {
    int64_t due;
    uint64_t order; /* equal due times fire in the order of starting */
    void (*fn)(void *ud);
    void *ud;
    struct weir_loop *loop;                    /* NULL while stopped */
    struct weir_timer *child, *sibling, *prev; /* pairing heap */
};
void weir_timer_start(struct weir_loop *loop, struct weir_timer *timer,
                      int64_t delay_ms, void (*fn)(void *ud), void *ud);
void weir_timer_stop(struct weir_timer *timer);
bool weir_timer_running(const struct weir_timer *timer);

/* An extra descriptor (terminal, signal pipe), watched for reading. */
struct weir_watch {
    int fd;
    void (*fn)(void *ud);
    void *ud;
    struct weir_loop *loop; /* NULL while stopped */
    struct weir_watch *next;
};
/* WEIR_OK, WEIR_LIMIT (over 16 descriptors). */
enum weir_code weir_watch_start(struct weir_loop *loop,
                                struct weir_watch *watch, int fd,
                                void (*fn)(void *ud), void *ud);
void weir_watch_stop(struct weir_watch *watch);

#endif
