#include "weir/auth.h"

#include <stdlib.h>
#include <string.h>

#include "auth_internal.h"
#include "budget.h"
#include "reply_internal.h"
#include "weir/log.h"

/* Renewed so long before its end, or at half its life if that is short. */
#define EARLY_MS      30000
#define SHORT_LIFE_MS 60000

/* A token op: one who waits. */
struct asker {
    struct weir_op op;
    struct weir_auth *auth; /* referenced */
    char *token;            /* the result */
    struct asker *prev, *next;
};

struct weir_auth {
    unsigned refs;
    struct weir_loop *loop;
    enum weir_auth_kind kind;
    struct weir_grant grant;
    bool allow_plain_http;
    struct weir_retry_policy retry;
    struct weir_http_limits limits;
    struct weir_transport transport;
    struct weir_changes *changes;
    struct weir_log *log;

    char *token;    /* NULL: none yet, or forgotten */
    char *scope;    /* that came with it; NULL: the answer named none */
    int64_t end_ms; /* of its life, by the loop's clock */
    /* Not to be used from here on, by either clock: the monotonic one stands
     * still while the machine sleeps, the wall clock may be set back. */
    int64_t stale_ms, stale_wall_ms;

    /* The one fetch that all askers share: a request or a backoff. */
    struct asker *first, *last;
    struct weir_op *request;
    struct weir_timer backoff;
    int64_t held_ms; /* no repeat before this time */
    unsigned attempt;
    int64_t sent_ms, sent_wall_ms;
    unsigned fetches;
    struct weir_budget budget;
    unsigned spent; /* by the last retry of this fetch */
};

/* ---- making and ending ---- */

static enum weir_code init_bearer(struct weir_auth *auth,
                                  const struct weir_auth_config *config,
                                  struct weir_err *err)
{
    const char *token = config->token;
    enum weir_code code;

    if (!token || !weir_auth_token_is_sane(token, strlen(token)))
        return weir_err_set(err, WEIR_INVALID,
                            "token: expected 4 to %zu visible ASCII characters",
                            WEIR_AUTH_MAX_TOKEN);
    code = weir_auth_tell(config->log, "token", token, err);
    if (code)
        return code;
    auth->token = strdup(token);
    return auth->token ? WEIR_OK : weir_err_nomem(err);
}

enum weir_code weir_auth_new(struct weir_loop *loop,
                             const struct weir_auth_config *config,
                             struct weir_auth **out, struct weir_err *err)
{
    struct weir_auth *auth = calloc(1, sizeof(*auth));
    enum weir_code code;

    if (!auth)
        return weir_err_nomem(err);
    auth->refs = 1;
    auth->loop = loop;
    auth->kind = config->kind;
    auth->allow_plain_http = config->allow_plain_http;
    auth->retry = config->retry;
    auth->limits = config->limits;
    if (auth->limits.max_bytes == 0)
        auth->limits.max_bytes = (size_t)64 * 1024;
    auth->limits.timeout_name = "attempt_timeout";
    auth->changes = config->changes;
    auth->transport =
        config->transport ? *config->transport : weir_http_transport;
    auth->log = config->log;
    weir_budget_init(&auth->budget);
    code = config->kind == WEIR_AUTH_BEARER
               ? init_bearer(auth, config, err)
               : weir_grant_init(&auth->grant, config, err);
    if (code) {
        weir_auth_unref(auth);
        return code;
    }
    *out = auth;
    return WEIR_OK;
}

struct weir_auth *weir_auth_ref(struct weir_auth *auth)
{
    auth->refs++;
    return auth;
}

static void forget(struct weir_auth *auth)
{
    if (auth->token)
        weir_auth_wipe(auth->token, strlen(auth->token));
    free(auth->scope);
    auth->token = auth->scope = NULL;
}

void weir_auth_unref(struct weir_auth *auth)
{
    if (!auth || --auth->refs > 0)
        return;
    /* Askers hold references, so no fetch is under way. */
    forget(auth);
    weir_grant_fini(&auth->grant);
    free(auth);
}

/* ---- the cache ---- */

const char *weir_auth_cached(struct weir_auth *auth)
{
    if (auth->kind == WEIR_AUTH_BEARER || !auth->token)
        return auth->token;
    if (weir_loop_now(auth->loop) >= auth->stale_ms ||
        weir_loop_wall(auth->loop) >= auth->stale_wall_ms)
        return NULL;
    return auth->token;
}

void weir_auth_invalidate(struct weir_auth *auth, const char *token)
{
    if (!weir_auth_renewable(auth) || !auth->token)
        return;
    if (!token || strcmp(auth->token, token) == 0)
        forget(auth);
}

bool weir_auth_renewable(const struct weir_auth *auth)
{
    return auth->kind != WEIR_AUTH_BEARER;
}

unsigned weir_auth_fetches(const struct weir_auth *auth)
{
    return auth->fetches;
}

int64_t weir_auth_left_ms(const struct weir_auth *auth)
{
    int64_t left;

    if (!weir_auth_renewable(auth) || !auth->token)
        return -1;
    left = auth->end_ms - weir_loop_now(auth->loop);
    return left > 0 ? left : 0;
}

const char *weir_auth_scope(const struct weir_auth *auth)
{
    return auth->scope;
}

/* Takes the texts over.  The token's life is counted from when it was asked
 * for. */
static void keep(struct weir_auth *auth, const struct weir_granted *granted)
{
    int64_t life_ms = granted->life_ms;
    int64_t use_ms = life_ms < SHORT_LIFE_MS ? life_ms / 2 : life_ms - EARLY_MS;

    forget(auth);
    auth->token = granted->token;
    auth->scope = granted->scope;
    auth->end_ms = auth->sent_ms + life_ms;
    auth->stale_ms = auth->sent_ms + use_ms;
    auth->stale_wall_ms = auth->sent_wall_ms + use_ms;
}

/* ---- the askers ---- */

static void join(struct weir_auth *auth, struct asker *asker)
{
    asker->prev = auth->last;
    asker->next = NULL;
    if (auth->last)
        auth->last->next = asker;
    else
        auth->first = asker;
    auth->last = asker;
}

static void leave(struct weir_auth *auth, struct asker *asker)
{
    if (asker->prev)
        asker->prev->next = asker->next;
    else
        auth->first = asker->next;
    if (asker->next)
        asker->next->prev = asker->prev;
    else
        auth->last = asker->prev;
    asker->prev = asker->next = NULL;
}

static void hand_over(struct asker *asker, const char *token)
{
    asker->token = strdup(token);
    if (!asker->token)
        weir_err_nomem(weir_op_error(&asker->op));
    weir_op_finish(&asker->op);
}

static void all_succeed(struct weir_auth *auth)
{
    while (auth->first) {
        struct asker *asker = auth->first;

        leave(auth, asker);
        hand_over(asker, auth->token);
    }
}

/* Clears `err`. */
static void all_fail(struct weir_auth *auth, struct weir_err *err)
{
    if (auth->log)
        weir_log_redact_err(auth->log, err);
    while (auth->first) {
        struct asker *asker = auth->first;

        leave(auth, asker);
        weir_err_copy(weir_op_error(&asker->op), err);
        weir_op_finish(&asker->op);
    }
    weir_err_clear(err);
}

/* ---- the fetch ---- */

static void send_request(void *ud);

void weir_auth_hold(struct weir_auth *auth, int64_t until_ms)
{
    if (until_ms > auth->held_ms)
        auth->held_ms = until_ms;
}

static void send_again(void *ud)
{
    struct weir_auth *auth = ud;
    int64_t held = auth->held_ms - weir_loop_now(auth->loop);

    if (held > 0)
        weir_timer_start(auth->loop, &auth->backoff, held, send_again, auth);
    else
        send_request(auth);
}

/* Drops the request; the response that `err` was made from goes with it. */
static void end_request(struct weir_auth *auth)
{
    weir_op_free(auth->request);
    auth->request = NULL;
}

static void wait_and_send_again(struct weir_auth *auth,
                                const struct weir_http_response *response,
                                const struct weir_err *err, int64_t wait_ms)
{
    unsigned attempts = auth->retry.attempts ? auth->retry.attempts
                                             : WEIR_RETRY_ATTEMPTS_DEFAULT;

    for (struct asker *asker = auth->first; asker; asker = asker->next) {
        weir_reply_note(&asker->op, "no token yet: ", response, err, wait_ms,
                        auth->attempt + 1, attempts);
    }
    weir_timer_start(auth->loop, &auth->backoff, wait_ms, send_again, auth);
}

/* Refused or failed: again, or the end for all askers.  Clears `err`. */
static void not_yet(struct weir_auth *auth,
                    const struct weir_http_response *response,
                    const struct weir_err *failure, struct weir_err *err)
{
    const struct weir_clock *clock = weir_loop_clock(auth->loop);
    const char *values[WEIR_REPLY_RETRY_AFTER];
    struct weir_retry_input input = {
        .attempt = auth->attempt,
        .kind = WEIR_RETRY_READ, /* a second token does no harm */
        .wall_ms = weir_loop_wall(auth->loop),
        .left_ms = -1, /* askers keep their own deadlines */
        .random = clock->random(clock->ud),
    };
    struct weir_retry_decision decision;
    bool again;

    weir_reply_retry_input(&input, response, failure, values);
    decision = weir_retry_decide(&auth->retry, &input);
    again = decision.reason == WEIR_RETRY_AGAIN;
    if (again &&
        weir_budget_spend(&auth->budget, weir_budget_cost(response, failure))) {
        auth->spent = weir_budget_cost(response, failure);
        wait_and_send_again(auth, response, failure, decision.wait_ms);
        weir_err_clear(err);
    } else {
        if (again)
            weir_err_append(err, WEIR_BUDGET_EMPTY);
        else
            weir_reply_gave_up(err, &auth->retry, &decision, auth->attempt);
        weir_reply_identify(err, "POST", auth->grant.url, auth->attempt,
                            response);
        all_fail(auth, err);
    }
    end_request(auth);
}

static void failed(struct weir_auth *auth, struct weir_op *request)
{
    struct weir_err err = WEIR_ERR_INIT;

    weir_err_copy(&err, weir_op_err(request));
    weir_err_prefix(&err, "no token: ");
    not_yet(auth, NULL, weir_op_err(request), &err);
}

static void answered(void *ud, struct weir_op *request)
{
    struct weir_auth *auth = ud;
    const struct weir_http_response *response = weir_http_response(request);
    struct weir_err err = WEIR_ERR_INIT, none = WEIR_ERR_INIT;
    struct weir_granted granted = {.token = NULL};

    if (!response) {
        failed(auth, request);
        return;
    }
    if (weir_grant_answer(response, &granted, &err)) {
        not_yet(auth, response, &none, &err);
        return;
    }
    if (auth->log && weir_log_secret(auth->log, granted.token,
                                     strlen(granted.token), &err)) {
        weir_auth_wipe(granted.token, strlen(granted.token));
        free(granted.scope);
        all_fail(auth, &err);
    } else {
        weir_budget_give_back(&auth->budget, auth->spent);
        keep(auth, &granted);
        all_succeed(auth);
    }
    end_request(auth);
}

static void send_request(void *ud)
{
    struct weir_auth *auth = ud;
    const struct weir_grant *grant = &auth->grant;
    const struct weir_header headers[] = {
        {"Content-Type", "application/x-www-form-urlencoded"},
        {"Accept", "application/json"},
        {"Authorization", grant->basic}, /* the last, since not always there */
    };
    struct weir_http_request request = {
        .method = "POST",
        .url = grant->url,
        .headers = headers,
        .n_headers = grant->basic ? 3 : 2,
        .body = grant->body,
        .body_len = grant->body_len,
        .allow_plain_http = auth->allow_plain_http,
        .secret = true,
        .limits = auth->limits,
    };
    struct weir_err err = WEIR_ERR_INIT;

    auth->attempt++;
    auth->sent_ms = weir_loop_now(auth->loop);
    auth->sent_wall_ms = weir_loop_wall(auth->loop);
    if (weir_changes_ask(
            auth->changes,
            &(struct weir_changes_call){.method = request.method,
                                        .url = request.url,
                                        .body_len = request.body_len},
            &err) ||
        auth->transport.request(auth->transport.ud, auth->loop, &request,
                                &auth->request, &err)) {
        auth->request = NULL;
        all_fail(auth, &err);
        return;
    }
    auth->fetches++;
    weir_op_start(auth->request, answered, auth);
}

/* ---- the token op ---- */

static bool is_fetching(const struct weir_auth *auth)
{
    return auth->request || weir_timer_running(&auth->backoff);
}

static void wipe_result(struct asker *asker)
{
    if (asker->token)
        weir_auth_wipe(asker->token, strlen(asker->token));
    asker->token = NULL;
}

static void asker_start(struct weir_op *op)
{
    struct asker *asker = (struct asker *)op;
    struct weir_auth *auth = asker->auth;
    const char *token = weir_auth_cached(auth);

    wipe_result(asker);
    if (token) {
        hand_over(asker, token);
        return;
    }
    weir_op_note(op, WEIR_AUTH_NOTE);
    join(auth, asker);
    if (!is_fetching(auth)) {
        auth->attempt = auth->spent = 0;
        send_request(auth);
    }
}

static void asker_cancel(struct weir_op *op)
{
    struct asker *asker = (struct asker *)op;
    struct weir_auth *auth = asker->auth;

    leave(auth, asker);
    if (!auth->first) {
        /* Nobody waits any more. */
        weir_timer_stop(&auth->backoff);
        end_request(auth);
    }
}

static void asker_free(struct weir_op *op)
{
    struct asker *asker = (struct asker *)op;

    wipe_result(asker);
    weir_auth_unref(asker->auth);
    free(asker);
}

static const struct weir_op_class asker_class = {
    "token", asker_start, asker_cancel, asker_free, NULL};

enum weir_code weir_auth_token_new(struct weir_auth *auth, struct weir_op **out,
                                   struct weir_err *err)
{
    struct asker *asker = calloc(1, sizeof(*asker));

    if (!asker)
        return weir_err_nomem(err);
    weir_op_init(&asker->op, auth->loop, &asker_class);
    asker->auth = weir_auth_ref(auth);
    *out = &asker->op;
    return WEIR_OK;
}

const char *weir_auth_token(const struct weir_op *op)
{
    return ((const struct asker *)op)->token;
}
