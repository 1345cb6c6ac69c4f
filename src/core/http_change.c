#include "http_internal.h"
#include "reply_internal.h"

void weir_http_change_sent(struct weir_http_exchange *x)
{
    weir_changes_sent(x->changes);
}

/* As the retries judge it: a gateway that got no answer does not know, and a
 * server that broke does not say how much was done before; 503 says no. */
static enum weir_change_outcome of_status(int status)
{
    if (status >= 200 && status <= 299)
        return WEIR_CHANGE_DONE;
    return status >= 500 && status != 503 ? WEIR_CHANGE_AMBIGUOUS
                                          : WEIR_CHANGE_REFUSED;
}

void weir_http_change_ended(const struct weir_http_exchange *x)
{
    const struct weir_http_response *response = x->http.response;
    struct weir_change change = {
        .outcome = x->sent ? WEIR_CHANGE_AMBIGUOUS : WEIR_CHANGE_NOT_SENT,
        .method = x->method,
        .url = x->url,
        .code = weir_op_code(&x->http.op),
        .tries = 1,
    };

    if (!x->changes)
        return;
    if (response) {
        change.outcome = of_status(response->status);
        change.status = response->status;
        change.request_id = weir_reply_request_id(response);
    } else if (!change.code) {
        change.code = WEIR_CANCELLED;
    }
    weir_changes_add(x->changes, &change);
}
