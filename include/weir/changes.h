/*
 * changes: every call that changes something, and how it ended: one sink
 * for all clients of a run.
 *
 * Calls that only read (weir_retry_kind) never come here.  What is kept is
 * text, written once and published with one store, so that a signal handler
 * or another thread can read it while a run goes on.
 */
#ifndef WEIR_CHANGES_H
#define WEIR_CHANGES_H

#include <stdbool.h>
#include <stddef.h>

#include "weir/clock.h"
#include "weir/err.h"
#include "weir/log.h"

struct weir_changes;

enum weir_change_outcome {
    WEIR_CHANGE_DONE,       /* "done": the server says so */
    WEIR_CHANGE_REFUSED,    /* "refused": the server says no */
    WEIR_CHANGE_AMBIGUOUS,  /* "ambiguous": it may have been done */
    WEIR_CHANGE_NOT_SENT,   /* "not_sent": nothing reached the server */
    WEIR_CHANGE_WOULD_SEND, /* "would_send": a dry run kept it back */
    WEIR_CHANGE_OUTCOMES
};

struct weir_change {
    enum weir_change_outcome outcome;
    const char *method;
    const char *url;        /* without credentials; its query is left out */
    enum weir_code code;    /* why it was not done; WEIR_OK: nothing to say */
    int status;             /* of the last answer; 0: there was none */
    const char *request_id; /* the server's name for it; NULL or "": none */
    unsigned tries;         /* requests sent */
    bool maybe_twice;       /* done, and perhaps more than once */
};

/* Text that is kept, bytes.  The last quarter is for what was not simply
 * done. */
#define WEIR_CHANGES_MAX ((size_t)4 << 20)

/* `log` redacts what is kept (NULL: nothing is) and must outlive the sink.
 * WEIR_OK, WEIR_NOMEM. */
enum weir_code weir_changes_new(const struct weir_clock *clock,
                                const struct weir_log *log,
                                struct weir_changes **out,
                                struct weir_err *err);
void weir_changes_free(struct weir_changes *changes);

/* A call that changes something is on its way from now on; once a call. */
void weir_changes_sent(struct weir_changes *changes);
/* It has ended so; once a call, also for one that was never sent.  What has
 * tries was told of by weir_changes_sent.  Never fails: what there is no room
 * for is counted.  Both take NULL, and do nothing. */
void weir_changes_add(struct weir_changes *changes,
                      const struct weir_change *change);

struct weir_changes_counts {
    unsigned long of[WEIR_CHANGE_OUTCOMES];
    unsigned long more;      /* of them, those that are only counted */
    unsigned long under_way; /* sent, and not ended yet */
};
/* The next two may be called from a signal handler or another thread. */
struct weir_changes_counts
weir_changes_counts(const struct weir_changes *changes);
/* Hands over in pieces what is kept: JSON objects {"time", "method", "url",
 * "outcome", "code"?, "status"?, "request_id"?, "tries", "maybe_twice"?} in
 * the order of their ends, one a line, with commas between them. */
void weir_changes_text(const struct weir_changes *changes,
                       void (*write)(void *ud, const char *text, size_t len),
                       void *ud);

/* "done" … "would_send". */
const char *weir_change_word(enum weir_change_outcome outcome);

#endif
