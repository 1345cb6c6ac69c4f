/*
 * poll: look until a state, a failure or a deadline.
 */
#ifndef WEIR_POLL_H
#define WEIR_POLL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir/client.h"
#include "weir/err.h"
#include "weir/json.h"
#include "weir/op.h"

struct weir_poll_options {
    const char *what;  /* for messages: "filter flt_1"; NULL: the path */
    const char *path;  /* NULL: the caller looks and calls weir_poll_answer */
    const char *field; /* NULL: "status" */
    const char *reason_field; /* NULL: "reason" */
    const char *const *done;  /* words that end the wait well */
    size_t n_done;
    const char *const *failed; /* words that end it badly */
    size_t n_failed;
    int64_t interval_ms; /* 0: 3,000 */
    int64_t timeout_ms;  /* 0: 60,000 */
    bool pause_on_look;  /* finish after every look; start again to go on */
};

enum weir_poll_state {
    WEIR_POLL_LOOK,   /* no path: look now, weir_poll_answer(), start again */
    WEIR_POLL_LOOKED, /* pause_on_look: start again to go on */
    WEIR_POLL_DONE    /* the word is one of `done` */
};

/* An op that goes on, as the states above say.  `client` may be NULL without
 * a path.  The first look comes at once.  op: WEIR_FAILED with the server's
 * reason; WEIR_TIMEOUT with how long it waited and the last word; or the
 * call's own. */
enum weir_code weir_poll_new(struct weir_loop *loop, struct weir_client *client,
                             const struct weir_poll_options *options,
                             struct weir_op **out, struct weir_err *err);
enum weir_poll_state weir_poll_state(const struct weir_op *op);
/* The last word seen, or "". */
const char *weir_poll_word(const struct weir_op *op);
/* The last document seen (path looks only), or NULL. */
const struct weir_json *weir_poll_document(const struct weir_op *op);
unsigned weir_poll_looks(const struct weir_op *op);
/* Milliseconds since the first look. */
int64_t weir_poll_waited(const struct weir_op *op);
/* Milliseconds that a look that begins now has: what is left of the time, and
 * for the last look, which begins when it is up, the interval or 5 s. */
int64_t weir_poll_left(const struct weir_op *op);
/* In place of an answer: the look that was asked for took longer than that.
 * Start again for the WEIR_TIMEOUT that it ends in. */
void weir_poll_cut(struct weir_op *op);
/* Gives the word that a WEIR_POLL_LOOK asked for, with an optional reason.
 * WEIR_OK, WEIR_NOMEM. */
enum weir_code weir_poll_answer(struct weir_op *op, const char *word,
                                const char *reason, struct weir_err *err);

#endif
