/*
 * http_trace: somebody is told of every request that leaves, and of what came
 * back: each attempt of a call, each redirect, each request for a token.
 */
#ifndef WEIR_HTTP_TRACE_H
#define WEIR_HTTP_TRACE_H

#include "weir/http.h"

/* One request.  Everything belongs to the exchange and is as it was sent,
 * secrets too: what is shown of it goes through weir_log_redact(). */
struct weir_http_trace {
    const char *method, *url;
    /* "Name: value", in the order in which they were given. */
    const char *const *headers;
    size_t n_headers;
    const char *body;
    size_t body_len;
    bool secret;      /* the answer is one: a token */
    unsigned attempt; /* of the call that it is part of; 0: of none */

    /* Once it is over: the response, or why there is none; both NULL when it
     * was given up. */
    const struct weir_http_response *response;
    const struct weir_err *err;
    /* Seconds since it was sent: < 0 where that was not reached.  A connection
     * that was there already has `connected` 0. */
    double connected, secured, first_byte, total;
    bool fresh; /* it went over a new connection */
};

/* Told of requests; called from within the loop's turn, or from where an op
 * is started, and must start and free no ops. */
struct weir_http_observer {
    void (*sent)(void *ud, const struct weir_http_trace *trace);
    void (*ended)(void *ud, const struct weir_http_trace *trace);
    void *ud;
};

/* From now on `observer` (kept; NULL: nobody) is told of the loop's requests.
 * WEIR_OK, WEIR_NOMEM. */
enum weir_code weir_http_observe(struct weir_loop *loop,
                                 const struct weir_http_observer *observer,
                                 struct weir_err *err);

#endif
