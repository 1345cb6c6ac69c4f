#include "weir/http_trace.h"

#include <string.h>

#include "http_internal.h"

/* More headers than a request has. */
#define MAX_SHOWN 64

enum weir_code weir_http_observe(struct weir_loop *loop,
                                 const struct weir_http_observer *observer,
                                 struct weir_err *err)
{
    struct weir_http_state *state = weir_http_state(loop);

    if (!state)
        return weir_err_nomem(err);
    state->observer = observer;
    return WEIR_OK;
}

/* The caller's lines that go out: ours are the same for every request, and
 * those that end with the colon tell libcurl to leave one away. */
static size_t sent_headers(const struct weir_http_exchange *x,
                           const char *lines[MAX_SHOWN])
{
    size_t n = 0;

    for (const struct curl_slist *h = x->given; h && n < MAX_SHOWN;
         h = h->next) {
        size_t len = strlen(h->data);

        if (len > 0 && h->data[len - 1] != ':')
            lines[n++] = h->data;
    }
    return n;
}

static double seconds(CURL *easy, CURLINFO what)
{
    curl_off_t microseconds = 0;

    if (curl_easy_getinfo(easy, what, &microseconds) || microseconds <= 0)
        return -1;
    return (double)microseconds / 1e6;
}

static void add_times(const struct weir_http_exchange *x,
                      struct weir_http_trace *trace)
{
    int64_t now = weir_loop_now(x->http.op.loop);
    long fresh = 0;

    trace->total = (double)(now - x->started) / 1000;
    trace->connected = trace->secured = trace->first_byte = -1;
    if (!x->handle)
        return;
    curl_easy_getinfo(x->handle->easy, CURLINFO_NUM_CONNECTS, &fresh);
    trace->fresh = fresh > 0;
    trace->connected =
        fresh > 0 ? seconds(x->handle->easy, CURLINFO_CONNECT_TIME_T) : 0;
    trace->secured = seconds(x->handle->easy, CURLINFO_APPCONNECT_TIME_T);
    trace->first_byte = seconds(x->handle->easy, CURLINFO_STARTTRANSFER_TIME_T);
    if (x->http.response)
        trace->total = x->elapsed;
}

static struct weir_http_trace trace_of(const struct weir_http_exchange *x,
                                       const char *lines[MAX_SHOWN])
{
    return (struct weir_http_trace){
        .method = x->method,
        .url = x->url,
        .headers = lines,
        .n_headers = sent_headers(x, lines),
        .body = x->body,
        .body_len = x->body_len,
        .secret = x->secret,
        .attempt = x->attempt,
    };
}

void weir_http_tell_sent(const struct weir_http_exchange *x)
{
    const struct weir_http_observer *observer = x->http.op.loop->http->observer;
    const char *lines[MAX_SHOWN];
    struct weir_http_trace trace;

    if (!observer)
        return;
    trace = trace_of(x, lines);
    observer->sent(observer->ud, &trace);
}

void weir_http_tell_ended(const struct weir_http_exchange *x)
{
    const struct weir_http_observer *observer = x->http.op.loop->http->observer;
    const char *lines[MAX_SHOWN];
    struct weir_http_trace trace;

    if (!observer)
        return;
    trace = trace_of(x, lines);
    trace.response = x->http.response;
    if (!trace.response && weir_op_code(&x->http.op))
        trace.err = weir_op_err(&x->http.op);
    add_times(x, &trace);
    observer->ended(observer->ud, &trace);
}
