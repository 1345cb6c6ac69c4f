/*
 * retry: may this call be sent again, and when?  Pure functions.
 *
 * On 429 and 503 the Retry-After header rules (RFC 9110 section 10.2.3),
 * otherwise exponential backoff with full jitter.
 */
#ifndef WEIR_RETRY_H
#define WEIR_RETRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir/err.h"

#define WEIR_RETRY_ATTEMPTS_DEFAULT 4
#define WEIR_RETRY_BASE_MS_DEFAULT  500
#define WEIR_RETRY_CAP_MS_DEFAULT   20000

struct weir_retry_policy {
    unsigned attempts; /* requests in all; 0: 4 */
    int64_t base_ms;   /* first backoff ceiling; 0: 500 */
    int64_t cap_ms;    /* longest single wait; 0: 20,000 */
};

/* What sending a call twice would do. */
enum weir_retry_kind {
    WEIR_RETRY_ONCE,  /* something else than sending it once: a create */
    WEIR_RETRY_TWICE, /* the same: a change that is guarded or idempotent */
    WEIR_RETRY_READ   /* nothing: it changes nothing anyway */
};

/* GET and HEAD read, as does what the caller calls `safe` (the validate call).
 * PUT and DELETE with If-Match may be sent twice, since the first that is done
 * makes the ETag stale; so may what the caller calls `idempotent` (adding
 * members to a group).  Everything else must be sent once. */
enum weir_retry_kind weir_retry_kind(const char *method, bool if_match,
                                     bool safe, bool idempotent);

/* Whether the server may have done what it was asked for. */
enum weir_retry_done {
    WEIR_DONE_NOT,     /* it changes nothing, never arrived, or was refused */
    WEIR_DONE_HARDLY,  /* 503: the server says no, but a proxy that lost the
                          server says the same */
    WEIR_DONE_PERHAPS, /* no answer, or one that does not tell */
};

struct weir_retry_input {
    unsigned attempt; /* requests sent so far, 1 or more */
    enum weir_retry_kind kind;
    enum weir_code code;            /* WEIR_OK if an answer came */
    enum weir_reach reach;          /* of a failed transport */
    bool final;                     /* it would fail in the same way again */
    int status;                     /* of an answer */
    const char *const *retry_after; /* header values as received */
    size_t n_retry_after;
    const char *date; /* the answer's Date header, or NULL */
    int64_t wall_ms;  /* our wall clock, used when Date is missing */
    int64_t left_ms;  /* until the caller's deadline; < 0: none */
    uint64_t random;  /* 64 random bits for the jitter */
};

enum weir_retry_reason {
    WEIR_RETRY_AGAIN,    /* send again after wait_ms */
    WEIR_RETRY_DONE,     /* a success, or a status not worth repeating */
    WEIR_RETRY_UNSAFE,   /* may have been done and must not be done twice */
    WEIR_RETRY_ATTEMPTS, /* all attempts used */
    WEIR_RETRY_CAP,      /* the server asks for longer than the cap */
    WEIR_RETRY_DEADLINE  /* the wait would pass the caller's deadline */
};

struct weir_retry_decision {
    enum weir_retry_reason reason;
    enum weir_retry_done done; /* of this attempt */
    int64_t wait_ms;  /* AGAIN: wait; ATTEMPTS, CAP, DEADLINE: what would be
                         needed */
    bool from_server; /* the wait is the server's Retry-After */
    bool pause_all;   /* 429: everyone on this client waits, whatever the
                         reason says */
    int64_t pause_ms; /* for so long, the cap at most */
};

/* 429 and 503 are repeated for any call, since the server says that it did
 * not take it on; 500, 502, 504, an unknown 5xx (which is as 500, RFC 9110
 * section 15), WEIR_TRANSPORT and WEIR_TIMEOUT for one that may be sent twice,
 * or where nothing was sent.  Everything else is final. */
struct weir_retry_decision
weir_retry_decide(const struct weir_retry_policy *policy,
                  const struct weir_retry_input *input);

/* Reads Retry-After values: delta-seconds (digits only), or an HTTP-date
 * (IMF-fixdate, RFC 850, asctime) measured against `date`, else `wall_ms`.
 * The largest usable value counts, a past date is 0.  Milliseconds, or -1
 * where no value is usable. */
int64_t weir_retry_after(const char *const *values, size_t n, const char *date,
                         int64_t wall_ms);

/* Milliseconds since the epoch of an HTTP-date (RFC 9110 section 5.6.7), or
 * -1 if it is none or before the epoch.  Two digits of a year mean 1970 to
 * 2069. */
int64_t weir_http_date(const char *text);

#endif
