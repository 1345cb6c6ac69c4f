/*
 * http: one request and its response (libcurl); no policy.
 *
 * Nothing is repeated, no redirect leaves the origin, no environment is
 * read: proxies and trust come in through struct weir_http_settings.
 */
#ifndef WEIR_HTTP_H
#define WEIR_HTTP_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir/changes.h"
#include "weir/err.h"
#include "weir/loop.h"
#include "weir/op.h"

struct weir_header {
    const char *name;
    const char *value;
};

/* What holds for every request of a loop.  NULL: none. */
struct weir_http_settings {
    const char *proxy;      /* URL; never used for loopback */
    const char *no_proxy;   /* as in the NO_PROXY variable */
    const char *ca_file;    /* PEM bundle instead of the system's */
    const char *user_agent; /* NULL: "weir/<version>"; "": no such header */
};
/* Copies `settings`.  WEIR_OK, WEIR_NOMEM; WEIR_INVALID if user_agent is no
 * header's value (RFC 9110 section 5.5), and all stays as it was. */
enum weir_code weir_http_configure(struct weir_loop *loop,
                                   const struct weir_http_settings *settings,
                                   struct weir_err *err);

struct weir_permissions;
/* From now on every request of the loop, for whomever it is made, asks
 * `permissions` (borrowed; NULL: none) as it begins, by the name in its URL,
 * and before each connection by the address that the name has led to; what is
 * denied fails as WEIR_DENIED with nothing sent.  Where a proxy connects, the
 * proxy finds the address, and the name alone is asked for.  WEIR_OK,
 * WEIR_NOMEM. */
enum weir_code weir_http_confine(struct weir_loop *loop,
                                 const struct weir_permissions *permissions,
                                 struct weir_err *err);

/* None at all, for members where 0 takes the default. */
#define WEIR_HTTP_NONE UINT_MAX

/* Ceilings and deadlines; 0 takes the default in brackets.  Each has an error
 * of its own (WEIR_TIMEOUT for the "timeout"s and min_speed, else WEIR_LIMIT)
 * that says its value and calls it what it is called here without "_ms", as
 * the options of scripts do, and a hint that says how to raise it.  Of several
 * that pass at once the whole exchange's is told. */
struct weir_http_limits {
    int64_t timeout_ms;            /* whole exchange [30,000] */
    int64_t connect_timeout_ms;    /* name, TCP and TLS [10,000] */
    int64_t first_byte_timeout_ms; /* request sent to first byte [30,000] */
    int64_t stall_timeout_ms;      /* without a byte while receiving [20,000] */
    /* Decoded bytes a second, on average over each stall_timeout while
     * receiving [1]; WEIR_HTTP_NONE: however slow. */
    unsigned min_speed;
    unsigned max_redirects;  /* GET and HEAD, same origin only [3]; or none */
    size_t max_bytes;        /* of the body, decoded [16 MiB] */
    size_t max_header_bytes; /* all header lines together [64 KiB] */
    size_t max_headers;      /* header lines [200] */
    /* What the caller's own options call timeout_ms; NULL: "timeout". */
    const char *timeout_name;
    /* If timeout_ms is what is left of a longer time, that time; else 0. */
    int64_t timeout_of_ms;
};

struct weir_http_request {
    const char *method; /* upper-case token */
    const char *url;    /* absolute; https, or http to loopback */
    const struct weir_header *headers;
    size_t n_headers;
    const char *body; /* NULL: none */
    size_t body_len;
    /* Must reach the server at most once: goes out on a fresh connection,
     * since libcurl re-sends by itself when a reused one dies. */
    bool once;
    bool allow_plain_http; /* http beyond loopback */
    /* The answer carries one (a token): its memory is wiped before it is
     * freed.  That of a request always is. */
    bool secret;
    unsigned attempt; /* of the call it is part of, for traces; 0: of none */
    /* Is told how it ended, unless it only reads; NULL where it is part of
     * something larger that tells (a client's call), or of nobody's interest
     * (a token). */
    struct weir_changes *changes;
    struct weir_http_limits limits;
};

struct weir_http_response {
    int status;
    const char *url; /* final, after redirects; no credentials in it */
    const struct weir_header *headers; /* in order, names as received */
    size_t n_headers;
    const char *body; /* never NULL; NUL-terminated; may hold NUL */
    size_t body_len;
    double elapsed; /* seconds */
};

/* Checks and copies `request`; the op's result is the response of whatever
 * status.  new: WEIR_OK; WEIR_INVALID (bad method, header, URL; CR, LF or
 * NUL); WEIR_DENIED (weir_changes_ask); WEIR_NOMEM.  op: WEIR_TRANSPORT,
 * WEIR_TIMEOUT, WEIR_LIMIT, WEIR_PROTOCOL, WEIR_DENIED, each with
 * err.reach. */
enum weir_code weir_http_new(struct weir_loop *loop,
                             const struct weir_http_request *request,
                             struct weir_op **out, struct weir_err *err);
/* The response of a finished op, NULL if it failed; owned by the op.  Works
 * for every op whose result is a response (http, client call, fakes). */
const struct weir_http_response *weir_http_response(const struct weir_op *op);

/* Value of the n-th header of that name (case-insensitive), or NULL. */
const char *weir_http_header(const struct weir_http_response *response,
                             const char *name, size_t n);

/* Where requests go: weir_http_new in production, a script of answers in
 * tests.  `request` has the meaning of weir_http_new. */
struct weir_transport {
    enum weir_code (*request)(void *ud, struct weir_loop *loop,
                              const struct weir_http_request *request,
                              struct weir_op **out, struct weir_err *err);
    void *ud;
};
extern const struct weir_transport weir_http_transport;

/* For ops whose result is a response: embed this in place of weir_op. */
struct weir_http_op {
    struct weir_op op; /* first */
    const struct weir_http_response *response;
};

/* WEIR_OK if `url` may carry a secret: https, or http to localhost,
 * 127.0.0.0/8 or ::1.  WEIR_INVALID with the reason; WEIR_NOMEM. */
enum weir_code weir_http_url_safe(const char *url, struct weir_err *err);

/* Requests that hold a handle of libcurl now: what tests look at. */
size_t weir_http_in_flight(const struct weir_loop *loop);

#endif
