/* http: the life of one exchange. */
#include "weir/http.h"

#include <stdlib.h>
#include <string.h>

#include "http_internal.h"
#include "weir/cut.h"

static void transfer_done(struct weir_transfer *transfer, CURLcode result,
                          bool starved);

/* ---- going ---- */

static void release_handle(struct weir_http_exchange *x)
{
    /* Also where a redirect found no memory for its next handle. */
    weir_timer_stop(&x->timer);
    if (!x->handle)
        return;
    weir_loop_remove(x->http.op.loop, &x->transfer);
    weir_http_handle_free(x->handle);
    x->handle = NULL;
}

static void end(struct weir_http_exchange *x)
{
    weir_http_tell_ended(x);
    weir_http_change_ended(x);
    release_handle(x);
    weir_op_finish(&x->http.op);
}

/* Sends the request, for the first time or to where a redirect points. */
static enum weir_code send_request(struct weir_http_exchange *x,
                                   struct weir_err *err)
{
    struct weir_loop *loop = x->http.op.loop;
    enum weir_code code;

    weir_http_handle_free(x->handle);
    x->handle = NULL;
    if (loop->http->permissions) {
        code = weir_http_may_ask(x, loop->http, err);
        if (code)
            return code;
    }
    code = weir_http_handle_new(loop->http, x, &x->handle, err);
    if (code)
        return code;
    x->transfer =
        (struct weir_transfer){.easy = x->handle->easy, .done = transfer_done};
    x->refusals = weir_curl_refusals();
    code = weir_loop_add(loop, &x->transfer, err);
    if (code == WEIR_OK)
        weir_http_tell_sent(x);
    return code;
}

static void look_at_clock(void *ud)
{
    struct weir_http_exchange *x = ud;
    struct weir_loop *loop = x->http.op.loop;
    int64_t now = weir_loop_now(loop), next;

    if (weir_http_late(x, now, &next))
        end(x);
    else
        weir_timer_start(loop, &x->timer, next - now, look_at_clock, x);
}

static void transfer_done(struct weir_transfer *transfer, CURLcode result,
                          bool starved)
{
    struct weir_http_exchange *x =
        (struct weir_http_exchange *)(void *)((char *)transfer -
                                              offsetof(
                                                  struct weir_http_exchange,
                                                  transfer));
    struct weir_op *op = &x->http.op;
    struct weir_err err;
    curl_off_t microseconds = 0;
    bool follow = false;
    long bytes = 0;

    weir_err_init(&err);
    curl_easy_getinfo(x->handle->easy, CURLINFO_TOTAL_TIME_T, &microseconds);
    x->elapsed += (double)microseconds / 1e6;
    /* Memory may have run out between the connection and the first byte. */
    if (result == CURLE_OUT_OF_MEMORY && starved &&
        curl_easy_getinfo(x->handle->easy, CURLINFO_REQUEST_SIZE, &bytes) ==
            CURLE_OK &&
        bytes == 0)
        x->sent = false;
    if (!result && (weir_http_answer_finish(x, &err) ||
                    weir_http_redirect(x, &follow, &err) ||
                    (follow && send_request(x, &err))))
        weir_err_move(weir_op_error(op), &err);
    if (result || weir_op_code(op))
        weir_http_fail(x, result, starved);
    else if (follow)
        return;
    else
        x->http.response = &x->response;
    end(x);
}

/* ---- the op ---- */

static void start(struct weir_op *op)
{
    struct weir_http_exchange *x = (struct weir_http_exchange *)op;
    struct weir_err err;
    int64_t next;

    weir_err_init(&err);
    weir_http_change_sent(x);
    x->started = weir_loop_now(op->loop);
    x->deadline = x->started + x->limits.timeout_ms;
    if (send_request(x, &err)) {
        weir_err_move(weir_op_error(op), &err);
        weir_http_fail(x, CURLE_OK, false);
        end(x);
        return;
    }
    weir_http_late(x, x->started, &next);
    weir_timer_start(op->loop, &x->timer, next - x->started, look_at_clock, x);
}

static void cancel(struct weir_op *op)
{
    struct weir_http_exchange *x = (struct weir_http_exchange *)op;

    if (x->handle)
        weir_http_tell_ended(x);
    weir_http_change_ended(x);
    release_handle(x);
}

static void exchange_free(struct weir_op *op)
{
    struct weir_http_exchange *x = (struct weir_http_exchange *)op;

    weir_http_request_free(x);
    free(x->redirect_url);
    free(x->answer_headers);
    weir_buf_fini(&x->head);
    weir_buf_fini(&x->answer);
    free(x);
}

static void note(const struct weir_op *op, char out[WEIR_OP_NOTE])
{
    const struct weir_http_exchange *x = (const struct weir_http_exchange *)op;

    weir_cut_printf(out, WEIR_OP_NOTE, "%s %.*s", x->method,
                    (int)strcspn(x->url, "?#"), x->url);
}

static const struct weir_op_class http_class = {"http request", start, cancel,
                                                exchange_free, note};

enum weir_code weir_http_new(struct weir_loop *loop,
                             const struct weir_http_request *request,
                             struct weir_op **out, struct weir_err *err)
{
    struct weir_http_state *state = weir_http_state(loop);
    struct weir_http_exchange *x = malloc(sizeof(*x));
    enum weir_code code;

    if (!state || !x) {
        free(x);
        return weir_err_nomem(err);
    }
    *x = (struct weir_http_exchange){.method = NULL};
    weir_op_init(&x->http.op, loop, &http_class);
    code = weir_http_request_copy(x, state, request, err);
    if (!code)
        code = weir_changes_ask(
            request->changes,
            &(struct weir_changes_call){.method = x->method,
                                        .url = x->url,
                                        .headers = request->headers,
                                        .n_headers = request->n_headers,
                                        .body_len = x->body_len},
            err);
    if (code) {
        weir_http_request_free(x);
        free(x);
        return code;
    }
    weir_buf_init(&x->head, x->limits.max_header_bytes);
    if (request->secret)
        weir_buf_init_secret(&x->answer, x->limits.max_bytes);
    else
        weir_buf_init(&x->answer, x->limits.max_bytes);
    *out = &x->http.op;
    return WEIR_OK;
}

/* ---- the transport ---- */

static enum weir_code transport_request(void *ud, struct weir_loop *loop,
                                        const struct weir_http_request *request,
                                        struct weir_op **out,
                                        struct weir_err *err)
{
    (void)ud;
    return weir_http_new(loop, request, out, err);
}

const struct weir_transport weir_http_transport = {.request =
                                                       transport_request};
