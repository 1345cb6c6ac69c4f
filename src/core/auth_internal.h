/* auth's two halves: auth.c keeps a token fresh, auth_grant.c speaks
 * RFC 6749. */
#ifndef WEIR_AUTH_INTERNAL_H
#define WEIR_AUTH_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir/auth.h"

/* Longest token that is taken; larger headers are refused by servers. */
#define WEIR_AUTH_MAX_TOKEN ((size_t)16 * 1024)
/* Life of a token whose server does not say. */
#define WEIR_AUTH_LIFE_MS ((int64_t)300 * 1000)

/* What an asker says while all goes well. */
#define WEIR_AUTH_NOTE "waiting for a token"

/* The request for a token, made once, since it never changes. */
struct weir_grant {
    char *url;
    char *body; /* the form; secret */
    size_t body_len;
    char *basic; /* value of Authorization, or NULL; secret */
};

/* Checks `config` and makes its request, telling the log each secret.
 * WEIR_OK, WEIR_INVALID naming the field, WEIR_NOMEM. */
enum weir_code weir_grant_init(struct weir_grant *grant,
                               const struct weir_auth_config *config,
                               struct weir_err *err);
void weir_grant_fini(struct weir_grant *grant);

/* What an answer of the token endpoint grants. */
struct weir_granted {
    char *token;     /* malloc'd */
    char *scope;     /* malloc'd; NULL: the answer names none */
    int64_t life_ms; /* of the token, from when it was asked for */
};

/* Reads such an answer.  On WEIR_OK the texts are the caller's. */
enum weir_code weir_grant_answer(const struct weir_http_response *response,
                                 struct weir_granted *granted,
                                 struct weir_err *err);

/* True if `token` can stand in a header: 1 to 16 K of visible ASCII. */
bool weir_auth_token_is_sane(const char *token, size_t len);
/* Tells the log, where there is one.  WEIR_OK, WEIR_INVALID (under 4
 * bytes), WEIR_NOMEM. */
enum weir_code weir_auth_tell(struct weir_log *log, const char *what,
                              const char *secret, struct weir_err *err);
/* No request for a token is repeated before `until_ms` of the loop's clock:
 * a client that is paused waits with all that it has under way. */
void weir_auth_hold(struct weir_auth *auth, int64_t until_ms);
/* Frees text after wiping it; NULL is allowed. */
void weir_auth_wipe(char *text, size_t len);

#endif
