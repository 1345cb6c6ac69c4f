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

/* ---- the door ---- */

struct weir_header;
struct weir_permissions;

/* A call about to be made. */
struct weir_changes_call {
    const char *method;
    const char *url;
    const struct weir_header *headers;
    size_t n_headers;
    size_t body_len;
};
struct weir_changes_door {
    const struct weir_permissions *permissions; /* asked for each change */
    /* What changes nothing all the same, NULL at the end: "POST https://…",
     * the whole address.  No other word counts for that: the same path of
     * another server, or behind another one, is another call.  NULL:
     * nothing. */
    const char *const *safe;
    /* Told of each call that is kept back: its path, and what takes the
     * permission away ("--dry-run"), NULL if it was never granted. */
    void (*kept)(void *ud, const struct weir_changes_call *call,
                 const char *path, const char *by);
    void *ud;
};
/* From now on only what the door lets through is sent.  All that it points to
 * must outlive the sink. */
void weir_changes_guard(struct weir_changes *changes,
                        const struct weir_changes_door *door);
/* Asked before each request that a script can make: WEIR_OK; or WEIR_DENIED,
 * with the change counted as WEIR_CHANGE_WOULD_SEND, if it is neither GET nor
 * HEAD nor safe (a header that overrides the method makes it none of these).
 * NULL, and a sink without a door, let all through. */
enum weir_code weir_changes_ask(struct weir_changes *changes,
                                const struct weir_changes_call *call,
                                struct weir_err *err);

/* "done" … "would_send". */
const char *weir_change_word(enum weir_change_outcome outcome);

#endif
