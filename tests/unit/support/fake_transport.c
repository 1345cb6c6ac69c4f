#include "fake_transport.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct fake_answer {
    enum weir_code code; /* WEIR_OK: an answer, else a failure */
    enum weir_reach reach;
    int status;
    char *text; /* header lines, or the failure's message */
    char *body;
    int64_t delay;
};

/* An op that is going to be answered. */
struct fake_op {
    struct weir_http_op http;
    struct weir_http_response response;
    struct fake_transport *fake;
    size_t index; /* of its request */
    struct fake_answer answer;
    struct weir_timer timer;
};

static void *must(void *memory)
{
    assert_non_null(memory);
    return memory;
}

static char *copy(const char *text)
{
    return must(strdup(text ? text : ""));
}

/* ---- the list of answers ---- */

static struct fake_answer *add_answer(struct fake_transport *fake)
{
    size_t size = (fake->n_answers + 1) * sizeof(*fake->answers);

    fake->answers = must(realloc(fake->answers, size));
    fake->answers[fake->n_answers] = (struct fake_answer){0};
    return &fake->answers[fake->n_answers++];
}

void fake_transport_answer(struct fake_transport *fake, int status,
                           const char *headers, const char *body)
{
    struct fake_answer *answer = add_answer(fake);

    answer->status = status;
    answer->text = copy(headers);
    answer->body = copy(body);
}

void fake_transport_fail(struct fake_transport *fake, enum weir_code code,
                         enum weir_reach reach, const char *message)
{
    struct fake_answer *answer = add_answer(fake);

    answer->code = code;
    answer->reach = reach;
    answer->text = copy(message);
    answer->body = copy("");
}

void fake_transport_delay(struct fake_transport *fake, int64_t ms)
{
    assert_true(fake->n_answers > 0);
    fake->answers[fake->n_answers - 1].delay = ms;
}

size_t fake_transport_left(const struct fake_transport *fake)
{
    return fake->n_answers - fake->next;
}

/* ---- requests ---- */

static void keep_request(struct fake_transport *fake,
                         const struct weir_http_request *from)
{
    size_t size = (fake->n_requests + 1) * sizeof(*fake->requests);
    struct fake_request *to;

    fake->requests = must(realloc(fake->requests, size));
    to = &fake->requests[fake->n_requests++];
    *to = (struct fake_request){
        .method = copy(from->method),
        .url = copy(from->url),
        .headers = must(calloc(from->n_headers + 1, sizeof(*to->headers))),
        .n_headers = from->n_headers,
        .body_len = from->body ? from->body_len : 0,
        .once = from->once,
        .allow_plain_http = from->allow_plain_http,
        .limits = from->limits,
    };
    for (size_t i = 0; i < from->n_headers; i++) {
        to->headers[i].name = copy(from->headers[i].name);
        to->headers[i].value = copy(from->headers[i].value);
    }
    if (from->body) {
        to->body = must(calloc(1, from->body_len + 1));
        memcpy(to->body, from->body, from->body_len);
    }
}

const char *fake_request_header(const struct fake_request *request,
                                const char *name)
{
    for (size_t i = 0; i < request->n_headers; i++) {
        if (strcasecmp(request->headers[i].name, name) == 0)
            return request->headers[i].value;
    }
    return NULL;
}

static void print_request(const struct fake_request *request)
{
    print_error("no answer is left for: %s %s\n", request->method,
                request->url);
    for (size_t i = 0; i < request->n_headers; i++)
        print_error("  %s: %s\n", request->headers[i].name,
                    request->headers[i].value);
    if (request->body)
        print_error("  %s\n", request->body);
}

/* ---- the op ---- */

/* Splits "A: b\nC: d" in place; the op owns the text. */
static void split_headers(struct fake_op *op)
{
    struct weir_header *headers;
    char *line = op->answer.text;
    size_t n = 0, lines = 1;

    for (const char *p = line; *p; p++)
        lines += *p == '\n';
    headers = must(calloc(lines, sizeof(*headers)));
    while (line && *line) {
        char *next = strchr(line, '\n'), *colon;

        if (next)
            *next++ = '\0';
        colon = must(strchr(line, ':'));
        *colon++ = '\0';
        headers[n++] = (struct weir_header){
            .name = line, .value = colon + strspn(colon, " ")};
        line = next;
    }
    op->response.headers = headers;
    op->response.n_headers = n;
}

static void answer_now(void *ud)
{
    struct fake_op *op = ud;

    if (op->answer.code) {
        weir_err_set(weir_op_error(&op->http.op), op->answer.code, "%s",
                     op->answer.text);
        weir_op_error(&op->http.op)->reach = op->answer.reach;
    } else {
        op->response.elapsed = (double)op->answer.delay / 1000;
        op->http.response = &op->response;
    }
    weir_op_finish(&op->http.op);
}

static void start(struct weir_op *base)
{
    struct fake_op *op = (struct fake_op *)base;
    struct fake_request *request = &op->fake->requests[op->index];

    request->time = weir_loop_now(base->loop);
    request->started = true;
    weir_timer_start(base->loop, &op->timer, op->answer.delay, answer_now, op);
}

static void cancel(struct weir_op *base)
{
    struct fake_op *op = (struct fake_op *)base;

    weir_timer_stop(&op->timer);
    op->fake->requests[op->index].cancelled = true;
}

static void free_op(struct weir_op *base)
{
    struct fake_op *op = (struct fake_op *)base;

    op->fake->live--;
    free((void *)op->response.headers);
    free((char *)op->response.url);
    free(op->answer.text);
    free(op->answer.body);
    free(op);
}

static const struct weir_op_class fake_class = {"fake request", start, cancel,
                                                free_op, NULL};

static enum weir_code request(void *ud, struct weir_loop *loop,
                              const struct weir_http_request *from,
                              struct weir_op **out, struct weir_err *err)
{
    struct fake_transport *fake = ud;
    const struct fake_request *kept;
    struct fake_op *op;

    (void)err;
    keep_request(fake, from);
    kept = &fake->requests[fake->n_requests - 1];
    if (fake->on_request)
        fake->on_request(fake->ud, fake, kept);
    if (fake->next >= fake->n_answers) {
        print_request(kept);
        fail();
    }
    op = must(calloc(1, sizeof(*op)));
    weir_op_init(&op->http.op, loop, &fake_class);
    op->fake = fake;
    op->index = fake->n_requests - 1;
    op->answer = fake->answers[fake->next];
    fake->answers[fake->next++] = (struct fake_answer){0};
    op->response.status = op->answer.status;
    op->response.url = copy(from->url);
    op->response.body = op->answer.body;
    op->response.body_len = strlen(op->answer.body);
    if (!op->answer.code)
        split_headers(op);
    fake->live++;
    *out = &op->http.op;
    return WEIR_OK;
}

/* ---- making and ending ---- */

void fake_transport_init(struct fake_transport *fake)
{
    *fake = (struct fake_transport){
        .transport = {.request = request, .ud = fake},
    };
}

void fake_transport_fini(struct fake_transport *fake)
{
    assert_int_equal(fake->live, 0);
    for (size_t i = 0; i < fake->n_requests; i++) {
        struct fake_request *r = &fake->requests[i];

        for (size_t h = 0; h < r->n_headers; h++) {
            free((char *)r->headers[h].name);
            free((char *)r->headers[h].value);
        }
        free(r->headers);
        free(r->method);
        free(r->url);
        free(r->body);
    }
    for (size_t i = 0; i < fake->n_answers; i++) {
        free(fake->answers[i].text);
        free(fake->answers[i].body);
    }
    free(fake->requests);
    free(fake->answers);
    fake_transport_init(fake);
}
