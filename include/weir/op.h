/*
 * op: one asynchronous operation, whatever its noun.
 *
 * The life of every op: the noun's own weir_<noun>_new() makes it (idle),
 * weir_op_start() sets it going, `done` is called once when it has finished,
 * weir_op_free() ends it.  Rules that hold for all:
 *
 *  - `done` is never called from inside start, nor from inside a callback of
 *    libcurl: always from weir_loop_turn(), on the loop's own stack.
 *  - After weir_op_cancel() or weir_op_free(), `done` never comes.
 *  - Inside `done` the op may be freed, or started again where its noun says
 *    that it goes on (page: next item; poll: next look).
 */
#ifndef WEIR_OP_H
#define WEIR_OP_H

#include <stdbool.h>

#include "weir/err.h"

struct weir_loop;
struct weir_op;

typedef void weir_done_fn(void *ud, struct weir_op *op);

#define WEIR_OP_NOTE 160 /* bytes of a note, with its NUL */

/* What a noun supplies. */
struct weir_op_class {
    const char *name; /* the noun, for leak reports */
    /* Begins; may call weir_op_finish() at once (done still comes later). */
    void (*start)(struct weir_op *op);
    /* Stops all that is under way, without calling weir_op_finish(). */
    void (*cancel)(struct weir_op *op);
    /* Releases the op's memory; it is not running any more. */
    void (*free)(struct weir_op *op);
    /* Writes what a running op without a note waits for; may be NULL.  Asked
     * only when somebody looks, so what every op would say costs nothing. */
    void (*note)(const struct weir_op *op, char out[WEIR_OP_NOTE]);
};

enum weir_op_state { WEIR_OP_IDLE, WEIR_OP_RUNNING, WEIR_OP_FINISHED };

/* Embedded as the first member of every operation. */
struct weir_op {
    const struct weir_op_class *class;
    struct weir_loop *loop;
    enum weir_op_state state;
    bool queued;                 /* finished, done not called yet */
    struct weir_op *prev, *next; /* among the loop's running or ready ops */
    weir_done_fn *done;
    void *ud;
    /* NULL unless it failed: most do not, and an error is larger than the
     * rest of most ops.  weir_op_err() reads it. */
    const struct weir_err *err;
    /* What is being waited for, for the progress line: "" or e.g.
     * "GET /filters/x: 503, again in 2.1 s (attempt 2 of 4)"; where it is ""
     * the class may know.  weir_op_note_text() reads it. */
    char note[WEIR_OP_NOTE];
};

/* For nouns: fills in the common part of an op that the noun allocated. */
void weir_op_init(struct weir_op *op, struct weir_loop *loop,
                  const struct weir_op_class *class);
/* For nouns: the op has ended.  On failure op->err was filled before.
 * Schedules `done` for the next turn; the op is FINISHED from now on. */
void weir_op_finish(struct weir_op *op);
/* For nouns: moves `err` in and finishes; returns nothing. */
void weir_op_fail(struct weir_op *op, struct weir_err *err);
/* For nouns: the op's own error, to be filled; never NULL.  Without memory
 * for one the op has failed with WEIR_NOMEM, and what is filled is lost. */
struct weir_err *weir_op_error(struct weir_op *op);
/* For nouns: sets the progress note (printf, cut to fit). */
void weir_op_note(struct weir_op *op, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Starts an idle op, or a finished one whose noun goes on. */
void weir_op_start(struct weir_op *op, weir_done_fn *done, void *ud);
/* Ends a running op early; a no-op on any other.  err says "cancelled". */
void weir_op_cancel(struct weir_op *op);
/* Cancels if need be and frees.  NULL is allowed. */
void weir_op_free(struct weir_op *op);

/* After `done`: WEIR_OK or what went wrong. */
enum weir_code weir_op_code(const struct weir_op *op);
const struct weir_err *weir_op_err(const struct weir_op *op);
/* What a running op waits for, for the progress line; "" if it has nothing
 * to say. */
void weir_op_note_text(const struct weir_op *op, char out[WEIR_OP_NOTE]);

/* Starts `op` and turns the loop until it has finished or `timeout_ms` (< 0:
 * none) has passed, which cancels it.  For C programs without a loop of
 * their own, and for tests. */
enum weir_code weir_op_run(struct weir_op *op, long timeout_ms);

#endif
