#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth_internal.h"
#include "client_internal.h"
#include "reply_internal.h"
#include "weir/cut.h"

/*
 * IDLE → TOKEN → TURN → REQUEST → ENDED
 *          ↑               ↓
 *          ├── 401 ────────┤
 *          └── BACKOFF ────┘
 *
 * The token comes before the turn: many calls may wait for one token, and
 * what they would have been allowed meanwhile must not leave in one burst.
 */
static void enter(struct call *call, enum call_state next);

/* ---- leaving things behind ---- */

static void drop_token(struct call *call)
{
    weir_op_free(call->token);
    call->token = NULL;
}

static void drop_request(struct call *call)
{
    call->http.response = NULL;
    weir_op_free(call->request);
    call->request = NULL;
}

static void drop_used_token(struct call *call)
{
    if (call->used_token)
        weir_auth_wipe(call->used_token, strlen(call->used_token));
    call->used_token = NULL;
}

/* Stops all that waits; the request stays, since it owns the answer. */
static void stop(struct call *call)
{
    weir_timer_stop(&call->deadline);
    weir_timer_stop(&call->backoff);
    weir_client_leave(call->client, &call->turn);
    drop_token(call);
    drop_used_token(call);
}

static void fail(struct call *call, struct weir_err *err)
{
    weir_call_change_ended(call, NULL, err);
    enter(call, CALL_ENDED);
    weir_op_fail(&call->http.op, err);
}

/* ---- token ---- */

static void token_came(void *ud, struct weir_op *op)
{
    struct call *call = ud;
    struct weir_err err = WEIR_ERR_INIT;

    if (weir_op_code(op)) {
        weir_err_copy(&err, weir_op_err(op));
        fail(call, &err);
        return;
    }
    /* A pause that began meanwhile takes the turn back. */
    if (weir_client_paused(call->client))
        call->has_turn = false;
    enter(call, call->has_turn ? CALL_REQUEST : CALL_TURN);
}

static void begin_token(struct call *call)
{
    struct weir_auth *auth = call->client->auth;
    struct weir_err err = WEIR_ERR_INIT;

    if (!auth || weir_auth_cached(auth)) {
        enter(call, call->has_turn ? CALL_REQUEST : CALL_TURN);
        return;
    }
    /* Nothing leaves during a pause, a request for a token neither. */
    if (weir_client_paused(call->client)) {
        call->has_turn = false;
        enter(call, CALL_TURN);
        return;
    }
    drop_token(call);
    if (weir_auth_token_new(auth, &call->token, &err)) {
        fail(call, &err);
        return;
    }
    /* The token's own note says what it waits for. */
    call->http.op.note[0] = '\0';
    weir_op_start(call->token, token_came, call);
}

/* ---- turn ---- */

static void turn_came(void *ud)
{
    struct call *call = ud;
    struct weir_auth *auth = call->client->auth;

    call->has_turn = true;
    if (auth && !weir_auth_cached(auth)) {
        /* It went stale in the queue. */
        enter(call, CALL_TOKEN);
        return;
    }
    enter(call, CALL_REQUEST);
}

static void begin_turn(struct call *call)
{
    struct weir_client *client = call->client;
    int64_t pause = weir_client_paused(client);

    call->turn.go = turn_came;
    call->turn.ud = call;
    if (weir_client_ask(client, &call->turn)) {
        call->has_turn = true;
        enter(call, CALL_REQUEST);
        return;
    }
    if (pause)
        weir_op_note(&call->http.op,
                     "paused after a 429 from the server: again in %.1f s",
                     (double)pause / 1000);
    else
        weir_op_note(&call->http.op, "waiting for the rate limit");
}

/* ---- request and judgement ---- */

static void count_request(struct call *call)
{
    if (call->sent == 0)
        weir_call_change_sent(call);
    call->attempt++;
    call->sent++;
    call->has_turn = false;
    call->client->stats.requests++;
    if (call->sent > 1)
        call->client->stats.retries++;
}

/* The token to send: the cached one, or the one that came for this call and
 * lives so short that it was stale at once.  Remembered for a 401. */
static bool choose_token(struct call *call)
{
    const char *token = weir_auth_cached(call->client->auth);

    if (!token && call->token)
        token = weir_auth_token(call->token);
    drop_used_token(call);
    call->used_token = token ? strdup(token) : NULL;
    drop_token(call);
    return call->used_token != NULL;
}

static int64_t left_ms(const struct call *call)
{
    int64_t left = call->deadline_ms - weir_loop_now(call->http.op.loop);

    return left > 0 ? left : 0;
}

static void judge(void *ud, struct weir_op *request);

static void begin_request(struct call *call)
{
    struct weir_err err = WEIR_ERR_INIT;
    int64_t left = left_ms(call);

    if (call->client->auth && !choose_token(call)) {
        weir_err_nomem(&err);
        fail(call, &err);
        return;
    }
    if (left > 2 * WEIR_CALL_TRANSPORT_FIRST_MS)
        left -= WEIR_CALL_TRANSPORT_FIRST_MS;
    if (weir_call_request(call, call->used_token, left > 0 ? left : 1, &err)) {
        fail(call, &err);
        return;
    }
    count_request(call);
    call->http.op.note[0] = '\0';
    weir_op_start(call->request, judge, call);
}

static void succeed(struct call *call,
                    const struct weir_http_response *response)
{
    weir_budget_give_back(&call->client->budget, call->spent);
    weir_call_change_ended(call, response, NULL);
    call->http.response = response;
    enter(call, CALL_ENDED);
    weir_op_finish(&call->http.op);
}

/* Of many calls whose token was refused, the first to hear of it pays from
 * the budget: where no token is any good, not every call asks for one. */
static bool pay_for_renewal(struct call *call)
{
    struct weir_auth *auth = call->client->auth;
    const char *token = weir_auth_cached(auth);

    if (!token || strcmp(token, call->used_token) != 0)
        return true;
    if (!weir_budget_spend(&call->client->budget, WEIR_BUDGET_RETRY))
        return false;
    call->spent = WEIR_BUDGET_RETRY;
    return true;
}

/* A refused token is worth one new one.  It does not count as an attempt:
 * a client that may not retry still renews. */
static bool renew(struct call *call, const struct weir_http_response *response)
{
    struct weir_auth *auth = call->client->auth;

    /* An answer may come with the deadline, and nothing would end the wait
     * for a token after it. */
    if (response->status != 401 || !auth || call->renewed ||
        !weir_auth_renewable(auth) || left_ms(call) == 0 ||
        !pay_for_renewal(call))
        return false;
    call->renewed = true;
    call->attempt--;
    weir_auth_invalidate(auth, call->used_token);
    drop_request(call);
    enter(call, CALL_TOKEN);
    return true;
}

static void back_off(struct call *call,
                     const struct weir_http_response *response,
                     const struct weir_err *failure,
                     const struct weir_retry_decision *decision)
{
    const struct weir_retry_policy *retry = &call->client->retry;

    weir_reply_note(&call->http.op, "", response, failure, decision->wait_ms,
                    call->attempt + 1,
                    retry->attempts ? retry->attempts
                                    : WEIR_RETRY_ATTEMPTS_DEFAULT);
    if (response)
        weir_reply_status(call->last_problem, response->status);
    else
        weir_reply_line(call->last_problem, sizeof(call->last_problem),
                        failure->message, strlen(failure->message));
    if (decision->done > call->done)
        call->done = decision->done;
    call->wait_ms = decision->wait_ms;
    drop_request(call);
    enter(call, CALL_BACKOFF);
}

static struct weir_retry_decision
decide(struct call *call, const struct weir_http_response *response,
       const struct weir_err *failure)
{
    const struct weir_clock *clock = weir_loop_clock(call->http.op.loop);
    const char *values[WEIR_REPLY_RETRY_AFTER];
    /* What an attempt left over for its own deadline is no time for another
     * attempt. */
    int64_t left = left_ms(call) - WEIR_CALL_TRANSPORT_FIRST_MS;
    struct weir_retry_input input = {
        .attempt = call->attempt,
        .kind = call->kind,
        .wall_ms = weir_loop_wall(call->http.op.loop),
        .left_ms = left > 0 ? left : 0,
        .random = clock->random(clock->ud),
    };

    weir_reply_retry_input(&input, response, failure, values);
    return weir_retry_decide(&call->client->retry, &input);
}

/* No success, and no new token: again, or the end. */
static void again_or_fail(struct call *call,
                          const struct weir_http_response *response,
                          const struct weir_err *failure)
{
    struct weir_client *client = call->client;
    struct weir_retry_decision decision = decide(call, response, failure);
    struct weir_err err = WEIR_ERR_INIT;
    bool budget_empty = false;

    if (decision.pause_all) {
        client->stats.rate_limited++;
        weir_client_pause(client, decision.pause_ms);
    }
    if (decision.reason == WEIR_RETRY_AGAIN) {
        unsigned price = weir_budget_cost(response, failure);

        if (weir_budget_spend(&client->budget, price)) {
            call->spent = price;
            back_off(call, response, failure, &decision);
            return;
        }
        budget_empty = true;
    }
    call->http.response = response;
    weir_call_error(call, response, failure, &decision, budget_empty, &err);
    fail(call, &err);
}

static void judge(void *ud, struct weir_op *request)
{
    struct call *call = ud;
    const struct weir_http_response *response = weir_http_response(request);

    call->answered |= response != NULL;
    if (response && response->status >= 200 && response->status <= 299)
        succeed(call, response);
    else if (!response || !renew(call, response))
        again_or_fail(call, response, weir_op_err(request));
}

/* ---- backoff ---- */

static void backoff_over(void *ud)
{
    enter(ud, CALL_TOKEN);
}

static void begin_backoff(struct call *call)
{
    weir_timer_start(call->http.op.loop, &call->backoff, call->wait_ms,
                     backoff_over, call);
}

/* ---- from state to state ---- */

static void enter(struct call *call, enum call_state next)
{
    call->state = next;
    switch (next) {
    case CALL_TOKEN: begin_token(call); break;
    case CALL_TURN: begin_turn(call); break;
    case CALL_REQUEST: begin_request(call); break;
    case CALL_BACKOFF: begin_backoff(call); break;
    case CALL_IDLE:
    case CALL_ENDED: stop(call); break;
    }
}

static void deadline_passed(void *ud)
{
    struct call *call = ud;
    struct weir_err err = WEIR_ERR_INIT;

    /* The answer is here and about to be judged. */
    if (call->state == CALL_REQUEST && call->request->state == WEIR_OP_FINISHED)
        return;
    weir_call_error_deadline(call, &err);
    drop_request(call);
    fail(call, &err);
}

static void call_start(struct weir_op *op)
{
    struct call *call = (struct call *)op;

    drop_request(call);
    call->attempt = call->sent = call->spent = 0;
    call->renewed = call->has_turn = call->answered = false;
    call->done = WEIR_DONE_NOT;
    call->last_problem[0] = '\0';
    call->deadline_ms = weir_loop_now(op->loop) + call->timeout_ms;
    weir_timer_start(op->loop, &call->deadline, call->timeout_ms,
                     deadline_passed, call);
    enter(call, CALL_TOKEN);
}

static void call_cancel(struct weir_op *op)
{
    struct call *call = (struct call *)op;

    weir_call_change_cancelled(call);
    drop_request(call);
    enter(call, CALL_ENDED);
}

static void call_free(struct weir_op *op)
{
    struct call *call = (struct call *)op;

    drop_request(call);
    weir_call_fini(call);
    weir_client_unref(call->client);
    free(call);
}

/* The query may hold what a script asks for; progress shows only the path. */
static void call_note(const struct weir_op *op, char out[WEIR_OP_NOTE])
{
    const struct call *call = (const struct call *)op;
    int len = (int)strcspn(call->url, "?#");

    if (call->state != CALL_REQUEST)
        return;
    if (call->sent > 1)
        weir_cut_printf(out, WEIR_OP_NOTE, "%s %.*s, attempt %u", call->method,
                        len, call->url, call->sent);
    else
        weir_cut_printf(out, WEIR_OP_NOTE, "%s %.*s", call->method, len,
                        call->url);
}

static const struct weir_op_class call_class = {"call", call_start, call_cancel,
                                                call_free, call_note};

enum weir_code weir_client_call(struct weir_client *client,
                                const struct weir_call *from,
                                struct weir_op **out, struct weir_err *err)
{
    struct call *call = malloc(sizeof(*call));
    enum weir_code code;

    if (!call)
        return weir_err_nomem(err);
    *call = (struct call){.client = NULL};
    weir_op_init(&call->http.op, client->loop, &call_class);
    call->client = weir_client_ref(client);
    code = weir_call_copy(call, from, err);
    if (!code)
        code = weir_changes_ask(
            client->changes,
            &(struct weir_changes_call){.method = call->method,
                                        .url = call->url,
                                        .headers = call->headers,
                                        .n_headers = call->n_headers,
                                        .body_len = call->body_len},
            err);
    if (code) {
        weir_op_free(&call->http.op);
        return code;
    }
    *out = &call->http.op;
    return WEIR_OK;
}

bool weir_client_maybe_twice(const struct weir_op *op)
{
    const struct call *call = (const struct call *)op;

    return op->class == &call_class && weir_op_code(op) == WEIR_OK &&
           call->kind == WEIR_RETRY_ONCE && call->done > WEIR_DONE_NOT;
}

const struct weir_http_response *
weir_client_error_response(const struct weir_op *op)
{
    if (op->class != &call_class || weir_op_code(op) == WEIR_OK)
        return NULL;
    return ((const struct call *)op)->http.response;
}
