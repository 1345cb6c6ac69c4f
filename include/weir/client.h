/*
 * client: base URL + auth + retry + limit: "do this call".
 */
#ifndef WEIR_CLIENT_H
#define WEIR_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir/auth.h"
#include "weir/err.h"
#include "weir/http.h"
#include "weir/loop.h"
#include "weir/op.h"
#include "weir/retry.h"

struct weir_client;

struct weir_client_config {
    const char *base_url;   /* origin, with an optional path prefix */
    struct weir_auth *auth; /* a reference is taken; NULL: no token sent */
    struct weir_retry_policy retry;
    double rate;  /* requests a second; 0: 100; < 0: unlimited */
    double burst; /* 0: the rate */
    /* The whole call with all its attempts and waits; 0: 120,000. */
    int64_t timeout_ms;
    bool allow_plain_http;
    /* Each attempt; what is called timeout_ms there is attempt_timeout in
     * messages, since `timeout` is the whole call's here. */
    struct weir_http_limits limits;
    unsigned max_depth; /* of documents that the nouns above read; as in */
    size_t max_nodes;   /* struct weir_json_options */
    const struct weir_transport *transport; /* NULL: weir_http_transport */
    struct weir_log *log;                   /* may be NULL */
    /* Is told how each call that changes something ended; may be NULL, and
     * outlives the client. */
    struct weir_changes *changes;
};

/* Copies `config`; the log must outlive the client.  The calls of a client
 * share its rate limit (waiting calls go in order of asking), the pause after
 * a 429, and a retry budget: when most calls fail, none is repeated.  WEIR_OK,
 * WEIR_INVALID naming the field, WEIR_NOMEM. */
enum weir_code weir_client_new(struct weir_loop *loop,
                               const struct weir_client_config *config,
                               struct weir_client **out, struct weir_err *err);
struct weir_client *weir_client_ref(struct weir_client *client);
void weir_client_unref(struct weir_client *client);
struct weir_loop *weir_client_loop(const struct weir_client *client);

struct weir_call {
    const char *method;
    /* Begins with one '/', already percent-encoded, without '?' and '#'.
     * Segments '.' and '..' are refused, also encoded: an id that was not
     * encoded must not choose another resource.  The rest goes as it is. */
    const char *path;
    const char *query; /* encoded, without '?'; or NULL */
    /* Not If-Match; not Authorization where the client has an auth. */
    const struct weir_header *headers;
    size_t n_headers;
    const char *body; /* NULL: none */
    size_t body_len;
    /* NULL: application/json when a body is set.  The headers go before. */
    const char *content_type;
    const char *if_match; /* ETag, or NULL; a weak one is refused */
    /* A call that changes nothing although its method suggests it (the
     * validate call), so it may be repeated after an ambiguous failure. */
    bool safe;
    /* Done twice it is as done once (adding members), so it may be repeated,
     * too. */
    bool idempotent;
    int64_t timeout_ms; /* 0: the client's */
    size_t max_bytes;   /* 0: the client's */
};

/* An op whose result is a 2xx response (weir_http_response).  429 and 503 are
 * waited out for any call; 500, 502, 504 and broken connections for what
 * weir_retry_kind() lets be sent twice; a 401 takes one new token.
 * new: WEIR_OK, WEIR_INVALID, WEIR_DENIED (weir_changes_ask), WEIR_NOMEM.
 * op: WEIR_AUTH 401 after one renewed token; WEIR_PERMISSION 403;
 * WEIR_NOT_FOUND 404, 410; WEIR_CONFLICT 409, 412, 428; WEIR_VALIDATION
 * 400, 422 (err.detail: the server's "errors" array); WEIR_RATE 429;
 * WEIR_SERVER 5xx; WEIR_STATUS other; WEIR_AMBIGUOUS when a call that must be
 * sent once may have been done (err.because: what was met); WEIR_TIMEOUT,
 * WEIR_TRANSPORT, WEIR_LIMIT, WEIR_PROTOCOL.  err.maybe_done whenever the call
 * may have been done, by whatever attempt: also with a 500, and with a refusal
 * (404, 409, 412, 400, 422) that may be the answer to its own earlier work.
 * After an error status weir_client_error_response() has the answer. */
enum weir_code weir_client_call(struct weir_client *client,
                                const struct weir_call *call,
                                struct weir_op **out, struct weir_err *err);
/* The answer behind a failed call op, or NULL if there was none. */
const struct weir_http_response *
weir_client_error_response(const struct weir_op *op);

/* True for a call that must be sent once, succeeded, and had been answered
 * 503 before: the server said no, but so says a proxy that lost it, and then
 * the call may have been done twice. */
bool weir_client_maybe_twice(const struct weir_op *op);

/* Requests sent, retries among them, 429s met; for :trace and reports. */
struct weir_client_stats {
    unsigned long requests, retries, rate_limited;
};
struct weir_client_stats weir_client_stats(const struct weir_client *client);

#endif
