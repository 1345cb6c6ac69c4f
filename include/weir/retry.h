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

struct weir_retry_input {
    unsigned attempt;    /* requests sent so far, 1 or more */
    bool repeatable;     /* GET, HEAD, PUT or DELETE with If-Match, validate */
    enum weir_code code; /* WEIR_OK if an answer came */
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
    WEIR_RETRY_UNSAFE,   /* may have been done and is not repeatable */
    WEIR_RETRY_ATTEMPTS, /* all attempts used */
    WEIR_RETRY_CAP,      /* the server asks for longer than the cap */
    WEIR_RETRY_DEADLINE  /* the wait would pass the caller's deadline */
};

struct weir_retry_decision {
    enum weir_retry_reason reason;
    int64_t wait_ms;  /* AGAIN: wait; ATTEMPTS, CAP, DEADLINE: what would be
                         needed */
    bool from_server; /* the wait is the server's Retry-After */
    bool pause_all;   /* 429: everyone on this client waits, whatever the
                         reason says */
    int64_t pause_ms; /* for so long, the cap at most */
};

/* 429 and 503 are repeated for any call, since the server did not take it
 * on; 500, 502, 504, WEIR_TRANSPORT and WEIR_TIMEOUT for a repeatable one, or
 * where nothing was sent.  Everything else is final. */
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
