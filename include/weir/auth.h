/*
 * auth: where a bearer token comes from (RFC 6749, RFC 6750).
 *
 * A token is cached, refreshed 30 s before it expires (at half its life
 * where that is under 60 s), and fetched once however many wait for it.
 */
#ifndef WEIR_AUTH_H
#define WEIR_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir/err.h"
#include "weir/http.h"
#include "weir/loop.h"
#include "weir/op.h"
#include "weir/retry.h"

struct weir_auth;
struct weir_log;

enum weir_auth_kind {
    WEIR_AUTH_CLIENT_CREDENTIALS, /* RFC 6749 section 4.4, secret in body */
    WEIR_AUTH_ACCESS_KEY,         /* section 4.3 with HTTP Basic client auth */
    WEIR_AUTH_BEARER              /* a token given as it is */
};

struct weir_auth_config {
    enum weir_auth_kind kind;
    const char *token_url;
    const char *client_id;
    const char *client_secret;
    const char *access_key_id;        /* ACCESS_KEY: the username */
    const char *access_key_secret;    /* ACCESS_KEY: the password */
    const char *token;                /* BEARER */
    const char *scope;                /* NULL: none sent */
    const struct weir_header *fields; /* further form fields (tenant) */
    size_t n_fields;
    bool allow_plain_http;
    struct weir_retry_policy retry;
    struct weir_http_limits limits;
    /* NULL: weir_http_transport. */
    const struct weir_transport *transport;
    /* Told of every secret and token before it is used; may be NULL. */
    struct weir_log *log;
    /* Its door is asked before each request: a run that may change nothing
     * takes tokens of its tenant only, since a POST to anywhere else may be
     * anything.  May be NULL, and must outlive the auth. */
    struct weir_changes *changes;
};

/* Copies `config`; the log must outlive the auth.  Secrets have at least 4
 * bytes, since the log could not hide shorter ones.  Copies that this noun
 * makes of secrets are wiped before they are freed.  WEIR_OK, WEIR_INVALID
 * naming the field, WEIR_NOMEM. */
enum weir_code weir_auth_new(struct weir_loop *loop,
                             const struct weir_auth_config *config,
                             struct weir_auth **out, struct weir_err *err);
/* Reference counted, since clients share one. */
struct weir_auth *weir_auth_ref(struct weir_auth *auth);
void weir_auth_unref(struct weir_auth *auth);

/* An op whose result is a token that is valid now: at once from the cache,
 * else by a fetch that all waiters share.  Cancelling one waiter leaves the
 * fetch to the others.  op: WEIR_AUTH (the server's error and description),
 * WEIR_PROTOCOL, or how the transport failed. */
enum weir_code weir_auth_token_new(struct weir_auth *auth, struct weir_op **out,
                                   struct weir_err *err);
/* The finished op's token; owned by the op. */
const char *weir_auth_token(const struct weir_op *op);

/* The cached token if it is valid now, else NULL; no waiting. */
const char *weir_auth_cached(struct weir_auth *auth);
/* Forgets the cached token if it is `token` (NULL: whatever it is), so that
 * a late 401 does not drop a token that was renewed meanwhile. */
void weir_auth_invalidate(struct weir_auth *auth, const char *token);
/* False for WEIR_AUTH_BEARER: its token is the only one there will be, and
 * invalidating it does nothing. */
bool weir_auth_renewable(const struct weir_auth *auth);
/* Milliseconds that the cached token is good for, as the server has said; < 0
 * where there is none, and for WEIR_AUTH_BEARER, of which nobody knows. */
int64_t weir_auth_left_ms(const struct weir_auth *auth);
/* What the server granted with it (RFC 6749 section 3.3), or NULL where its
 * answer named none, which means all that was asked for.  Until the token is
 * renewed or forgotten. */
const char *weir_auth_scope(const struct weir_auth *auth);
/* Token requests sent so far. */
unsigned weir_auth_fetches(const struct weir_auth *auth);

#endif
