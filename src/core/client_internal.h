/* client's halves: client.c has what the calls share, call.c the life of one
 * call, call_request.c what it sends, call_error.c how its failures read,
 * call_change.c what the sink of changes is told of it. */
#ifndef WEIR_CLIENT_INTERNAL_H
#define WEIR_CLIENT_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "budget.h"
#include "weir/changes.h"
#include "weir/client.h"
#include "weir/json.h"
#include "weir/limit.h"

/* ---- what the calls of a client share (client.c) ---- */

/* A place in the queue for the rate limit. */
struct weir_turn {
    void (*go)(void *ud);
    void *ud;
    bool waiting;
    struct weir_turn *prev, *next;
};

struct weir_client {
    unsigned refs;
    struct weir_loop *loop;
    char *base_url;    /* no slash at its end */
    size_t origin_len; /* of it: scheme, host and port */
    struct weir_auth *auth;
    struct weir_retry_policy retry;
    struct weir_http_limits limits;
    struct weir_json_options document;
    int64_t timeout_ms;
    bool allow_plain_http;
    struct weir_transport transport;
    struct weir_log *log;
    struct weir_changes *changes;

    struct weir_limit limit;
    struct weir_turn *first, *last; /* who waits, in order of asking */
    struct weir_timer next_turn;    /* the one timer of the queue */
    struct weir_budget budget;
    struct weir_client_stats stats;
};

/* True if `turn` may go now; otherwise it waits, and go() comes later. */
bool weir_client_ask(struct weir_client *client, struct weir_turn *turn);
/* Leaves the queue; a no-op where it is not in it. */
void weir_client_leave(struct weir_client *client, struct weir_turn *turn);
/* Milliseconds left of a pause, 0 if there is none. */
int64_t weir_client_paused(const struct weir_client *client);
void weir_client_pause(struct weir_client *client, int64_t ms);

/* ---- one call ---- */

/* An attempt's own deadline comes a little before the call's, since only the
 * transport knows how far a request got. */
#define WEIR_CALL_TRANSPORT_FIRST_MS 20

/* Each state waits for one thing.  call.c has the one function that goes
 * from one to another. */
enum call_state {
    CALL_IDLE,
    CALL_TOKEN,   /* a token that is valid now */
    CALL_TURN,    /* the rate limit, or the end of a pause */
    CALL_REQUEST, /* the answer */
    CALL_BACKOFF, /* the time of the next attempt */
    CALL_ENDED
};

struct call {
    struct weir_http_op http; /* first */
    struct weir_client *client;

    /* What is sent (call_request.c), all in one block of memory. */
    void *block;
    const char *method;
    const char *url;
    struct weir_header *headers; /* with room for Authorization */
    size_t n_headers;
    const char *body; /* NULL: none */
    size_t body_len;
    enum weir_retry_kind kind;
    int64_t timeout_ms;
    size_t max_bytes;

    /* How far it is (call.c). */
    enum call_state state;
    int64_t deadline_ms;
    struct weir_timer deadline;
    struct weir_timer backoff;
    int64_t wait_ms; /* how long a backoff lasts */
    struct weir_turn turn;
    bool has_turn;
    struct weir_op *token;
    char *used_token; /* sent last, to be named when it is refused */
    struct weir_op *request;
    unsigned attempt;          /* requests, but for those that a 401 cost */
    unsigned sent;             /* requests */
    unsigned spent;            /* budget that the last retry cost */
    bool renewed;              /* a 401 has had its new token */
    bool answered;             /* some attempt was, with whatever status */
    enum weir_retry_done done; /* by an earlier attempt, at the most */
    char last_problem[96];     /* of the attempt before, for a deadline */
};

/* Checks `from` and copies it.  WEIR_OK, WEIR_INVALID, WEIR_NOMEM. */
enum weir_code weir_call_copy(struct call *call, const struct weir_call *from,
                              struct weir_err *err);
void weir_call_fini(struct call *call);
/* Asks the transport for the next request, with `token` or NULL. */
enum weir_code weir_call_request(struct call *call, const char *token,
                                 int64_t timeout_ms, struct weir_err *err);

/* Fills `err` for an answer that is no success, or a failed request
 * (`failure`), after which there is no further attempt. */
void weir_call_error(const struct call *call,
                     const struct weir_http_response *response,
                     const struct weir_err *failure,
                     const struct weir_retry_decision *decision,
                     bool budget_empty, struct weir_err *err);
/* Fills `err` for a deadline that passed in the call's state. */
void weir_call_error_deadline(const struct call *call, struct weir_err *err);

/* Before the call's first request leaves. */
void weir_call_change_sent(const struct call *call);
/* It has ended: with an answer (`err` NULL), or so. */
void weir_call_change_ended(const struct call *call,
                            const struct weir_http_response *response,
                            const struct weir_err *err);
/* Its caller has let go of it. */
void weir_call_change_cancelled(const struct call *call);

#endif
