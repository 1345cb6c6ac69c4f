#include <stdio.h>
#include <string.h>

#include "auth_internal.h"
#include "client_internal.h"
#include "reply_internal.h"
#include "weir/json.h"
#include "weir/log.h"

/* Less than this is no figure to show. */
#define SHOWN_MS 50

static enum weir_code code_of_status(int status)
{
    switch (status) {
    case 400:
    case 422: return WEIR_VALIDATION;
    case 401: return WEIR_AUTH;
    case 403: return WEIR_PERMISSION;
    case 404:
    case 410: return WEIR_NOT_FOUND;
    case 409:
    case 412:
    case 428: return WEIR_CONFLICT;
    case 429: return WEIR_RATE;
    default: return status >= 500 ? WEIR_SERVER : WEIR_STATUS;
    }
}

/* What the server says in its own words, "" if nothing that can be told. */
static void server_words(char *out, size_t size, const struct weir_json *json)
{
    static const char *const names[] = {"message", "error_description",
                                        "detail", "title"};
    const char *text = NULL;
    size_t len = 0;

    out[0] = '\0';
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !text; i++)
        text = weir_json_string(weir_json_get(json, names[i]), &len);
    if (text)
        weir_reply_line(out, size, text, len);
}

/* The server's "errors" array becomes the error's detail. */
static void keep_detail(const struct weir_json *json, struct weir_err *err)
{
    const struct weir_json *errors = weir_json_get(json, "errors");
    struct weir_buf text;

    if (!weir_json_is(errors, WEIR_JSON_ARRAY))
        return;
    weir_buf_init(&text, (size_t)64 * 1024);
    if (!weir_json_write(errors, 0, &text, NULL))
        weir_err_detail(err, weir_buf_str(&text), text.len);
    weir_buf_fini(&text);
}

static void hint_for(enum weir_code code, struct weir_err *err)
{
    switch (code) {
    case WEIR_AUTH:
        weir_err_hint(err, "the token was refused: check that these "
                           "credentials are meant for this tenant");
        break;
    case WEIR_PERMISSION:
        weir_err_hint(err, "the credentials are valid, but their scopes or "
                           "roles do not allow this call");
        break;
    case WEIR_AMBIGUOUS:
        weir_err_hint(err, "look whether it was done before sending it "
                           "again; it was not repeated");
        break;
    default: break;
    }
}

/* A call that has been sent before may have met its own work: the earlier
 * attempt was done, and only its answer was lost.  And one that was repeated
 * in vain may have been done each time.  `last` is of the last attempt. */
static void tell_own_work(const struct call *call, enum weir_retry_done last,
                          struct weir_err *err)
{
    /* A 503 before counts unless that is also how the call ended. */
    bool earlier = call->done == WEIR_DONE_PERHAPS ||
                   (call->done == WEIR_DONE_HARDLY && err->code != WEIR_SERVER);

    err->maybe_done = earlier || last == WEIR_DONE_PERHAPS;
    if (!err->maybe_done || err->code == WEIR_AMBIGUOUS)
        return;
    if (earlier)
        weir_err_hint(err, "an earlier attempt of this call may have been "
                           "done: look at the present state first");
    else
        weir_err_hint(err, "it may have been done all the same: look at the "
                           "present state first");
}

static void from_answer(const struct weir_http_response *response, bool unsafe,
                        struct weir_err *err)
{
    struct weir_json *json = weir_reply_document(response);
    char status[WEIR_REPLY_STATUS], words[WEIR_REPLY_TEXT];
    enum weir_code code = code_of_status(response->status);
    /* A gateway that got no answer does not know; a 500 is an answer, though
     * it does not say how much was done before. */
    bool ambiguous = unsafe && response->status != 500;

    weir_reply_status(status, response->status);
    server_words(words, sizeof(words), json);
    weir_err_set(err, ambiguous ? WEIR_AMBIGUOUS : code, "%s%s%s%s",
                 ambiguous ? "the call may have been done: " : "", status,
                 words[0] ? ": " : "", words);
    keep_detail(json, err);
    if (ambiguous)
        err->because = code;
    weir_json_free(json);
}

static void from_failure(const struct weir_err *failure, bool unsafe,
                         struct weir_err *err)
{
    weir_err_copy(err, failure);
    if (unsafe) {
        err->code = WEIR_AMBIGUOUS;
        weir_err_prefix(err, "the call may have been done: ");
        err->because = failure->code;
    }
}

/* Why a call ends before its deadline: what is left of it is too short. */
static void say_deadline(const struct call *call,
                         const struct weir_retry_decision *decision,
                         struct weir_err *err)
{
    double whole = (double)call->timeout_ms / 1000;
    int64_t left = call->deadline_ms - weir_loop_now(call->http.op.loop);

    if (left >= SHOWN_MS)
        weir_err_append(err,
                        "; waiting %.1f s more%s would pass the deadline of "
                        "the call (%.1f of %.1f s left)",
                        (double)decision->wait_ms / 1000,
                        decision->from_server ? ", as the server asks," : "",
                        (double)left / 1000, whole);
    else
        weir_err_append(err, "; the call's %.1f s are over", whole);
    /* It is the deadline that ends this call, not the server; a 429 has a
     * word of its own. */
    if (err->code != WEIR_RATE)
        err->code = WEIR_TIMEOUT;
}

void weir_call_error(const struct call *call,
                     const struct weir_http_response *response,
                     const struct weir_err *failure,
                     const struct weir_retry_decision *decision,
                     bool budget_empty, struct weir_err *err)
{
    const struct weir_client *client = call->client;
    bool unsafe = decision->reason == WEIR_RETRY_UNSAFE;

    if (response)
        from_answer(response, unsafe, err);
    else
        from_failure(failure, unsafe, err);
    if (budget_empty)
        weir_err_append(err, WEIR_BUDGET_EMPTY);
    else
        weir_reply_gave_up(err, &client->retry, decision, call->attempt);
    if (decision->reason == WEIR_RETRY_DEADLINE)
        say_deadline(call, decision, err);
    weir_reply_identify(err, call->method, call->url, call->sent, response);
    hint_for(err->code, err);
    tell_own_work(call, decision->done, err);
    if (client->log)
        weir_log_redact_err(client->log, err);
}

void weir_call_error_deadline(const struct call *call, struct weir_err *err)
{
    double seconds = (double)call->timeout_ms / 1000;
    bool sent = call->state == CALL_REQUEST;
    bool unsafe = sent && call->kind == WEIR_RETRY_ONCE;
    int64_t pause = weir_client_paused(call->client);
    const char *doing = "", *token = call->token ? call->token->note : "";

    if (call->state == CALL_TOKEN)
        doing = ", while waiting for a token";
    else if (call->state == CALL_TURN && !pause)
        doing = ", while waiting for its turn under the rate limit";
    weir_err_set(err, unsafe ? WEIR_AMBIGUOUS : WEIR_TIMEOUT,
                 "%snot done within %.1f s (timeout)%s",
                 unsafe ? "the call may have been done: " : "", seconds, doing);
    if (unsafe)
        err->because = WEIR_TIMEOUT;
    if (call->state == CALL_TURN && pause)
        weir_err_append(err,
                        ", while the client was paused after a 429 (%.1f s "
                        "more)",
                        (double)pause / 1000);
    if (call->state == CALL_TOKEN && strcmp(token, WEIR_AUTH_NOTE) != 0)
        weir_err_append(err, " (%s)", token);
    if (call->last_problem[0])
        weir_err_append(err, "; the attempt before: %s", call->last_problem);
    weir_reply_identify(err, call->method, call->url, call->sent, NULL);
    err->reach = call->sent ? WEIR_REACH_MAYBE : WEIR_REACH_NONE;
    hint_for(err->code, err);
    tell_own_work(call,
                  sent && call->kind != WEIR_RETRY_READ ? WEIR_DONE_PERHAPS
                                                        : WEIR_DONE_NOT,
                  err);
    if (call->client->log)
        weir_log_redact_err(call->client->log, err);
}
