#include "http_ask.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

int http_setup(void **state)
{
    struct weir_loop *loop;

    assert_int_equal(weir_loop_new(NULL, &loop, NULL), WEIR_OK);
    *state = loop;
    return 0;
}

int http_teardown(void **state)
{
    struct weir_loop *loop = *state;

    assert_int_equal(weir_loop_ops(loop), 0);
    assert_int_equal(weir_loop_timers(loop), 0);
    assert_int_equal(weir_http_in_flight(loop), 0);
    weir_loop_free(loop);
    return 0;
}

struct weir_op *made(struct weir_loop *loop,
                     const struct weir_http_request *request)
{
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_op *op = NULL;

    if (weir_http_new(loop, request, &op, &err))
        fail_msg("%s", err.message);
    return op;
}

/* Runs the request; free the op. */
struct weir_op *ran(struct weir_loop *loop,
                    const struct weir_http_request *request)
{
    struct weir_op *op = made(loop, request);

    weir_op_run(op, 20000);
    return op;
}

struct weir_op *got(struct weir_loop *loop, const char *url)
{
    return ran(loop, &(struct weir_http_request){.method = "GET", .url = url});
}

void count_done(void *done, struct weir_op *op)
{
    (void)op;
    ++*(int *)done;
}

void begin_many(struct weir_loop *loop, const char *url, struct weir_op **ops,
                int n, int *done)
{
    for (int i = 0; i < n; i++) {
        ops[i] = made(loop,
                      &(struct weir_http_request){.method = "GET", .url = url});
        weir_op_start(ops[i], count_done, done);
    }
}

void assert_body(struct weir_op *op, int status, const char *body)
{
    const struct weir_http_response *response = weir_http_response(op);

    if (!response)
        fail_msg("%s", weir_op_err(op)->message);
    assert_int_equal(response->status, status);
    assert_string_equal(response->body, body);
    assert_int_equal(response->body_len, strlen(body));
}
