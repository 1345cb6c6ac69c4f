#include "client_internal.h"
#include "reply_internal.h"

static bool is_told(const struct call *call)
{
    return call->client->changes && call->kind != WEIR_RETRY_READ;
}

static void tell(const struct call *call, struct weir_change *change)
{
    change->method = call->method;
    change->url = call->url;
    change->tries = call->sent;
    weir_changes_add(call->client->changes, change);
}

void weir_call_change_sent(const struct call *call)
{
    if (is_told(call))
        weir_changes_sent(call->client->changes);
}

static void tell_done(const struct call *call,
                      const struct weir_http_response *response)
{
    struct weir_change change = {
        .outcome = WEIR_CHANGE_DONE,
        .status = response->status,
        .request_id = weir_reply_request_id(response),
        .maybe_twice =
            call->kind == WEIR_RETRY_ONCE && call->done > WEIR_DONE_NOT,
    };

    tell(call, &change);
}

/* Not done, as far as anyone can say.  An attempt that met nobody is none. */
static enum weir_change_outcome undone(const struct call *call)
{
    return call->answered ? WEIR_CHANGE_REFUSED : WEIR_CHANGE_NOT_SENT;
}

static void tell_failed(const struct call *call, const struct weir_err *err)
{
    struct weir_change change = {.code = err->code, .status = err->status};
    bool perhaps = err->maybe_done || err->code == WEIR_AMBIGUOUS ||
                   call->done == WEIR_DONE_PERHAPS;

    if (err->code == WEIR_AMBIGUOUS && err->because)
        change.code = err->because;
    change.request_id = err->request_id;
    change.outcome = perhaps ? WEIR_CHANGE_AMBIGUOUS : undone(call);
    tell(call, &change);
}

void weir_call_change_ended(const struct call *call,
                            const struct weir_http_response *response,
                            const struct weir_err *err)
{
    if (!is_told(call))
        return;
    if (err)
        tell_failed(call, err);
    else
        tell_done(call, response);
}

/* The answer may be here and wait to be judged. */
void weir_call_change_cancelled(const struct call *call)
{
    struct weir_change change = {.code = WEIR_CANCELLED};
    const struct weir_http_response *response =
        call->request ? weir_http_response(call->request) : NULL;
    bool perhaps = call->done == WEIR_DONE_PERHAPS ||
                   (call->state == CALL_REQUEST && !response);

    if (!is_told(call))
        return;
    if (response && response->status >= 200 && response->status <= 299) {
        tell_done(call, response);
        return;
    }
    change.outcome = perhaps    ? WEIR_CHANGE_AMBIGUOUS
                     : response ? WEIR_CHANGE_REFUSED
                                : undone(call);
    tell(call, &change);
}
