/* The response of an op, and the fake transport that other tests stand on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_transport.h"

struct fixture {
    struct weir_clock_fake clock;
    struct weir_loop *loop;
    struct fake_transport fake;
};

static int setup(void **state)
{
    static struct fixture f;

    weir_clock_fake_init(&f.clock, 1700000000000);
    fake_transport_init(&f.fake);
    *state = &f;
    return weir_loop_new(&f.clock.clock, &f.loop, NULL);
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    fake_transport_fini(&f->fake);
    weir_loop_free(f->loop);
    return 0;
}

static struct weir_op *ask(struct fixture *f,
                           const struct weir_http_request *request)
{
    const struct weir_transport *transport = &f->fake.transport;
    struct weir_op *op = NULL;

    assert_int_equal(
        transport->request(transport->ud, f->loop, request, &op, NULL),
        WEIR_OK);
    return op;
}

static void a_failed_op_has_no_response(void **state)
{
    struct fixture *f = *state;
    struct weir_op *op;

    fake_transport_fail(&f->fake, WEIR_TRANSPORT, WEIR_REACH_MAYBE, "reset");
    op = ask(f, &(struct weir_http_request){.method = "GET", .url = "x"});
    assert_null(weir_http_response(op));
    assert_int_equal(weir_op_run(op, -1), WEIR_TRANSPORT);
    assert_null(weir_http_response(op));
    assert_int_equal(weir_op_err(op)->reach, WEIR_REACH_MAYBE);
    assert_string_equal(weir_op_err(op)->message, "reset");
    weir_op_free(op);
}

static void headers_are_found_in_any_case_and_in_order(void **state)
{
    struct fixture *f = *state;
    struct weir_op *op;
    const struct weir_http_response *response;

    fake_transport_answer(&f->fake, 201, "ETag: \"1\"\nX-A: b\nx-a: c", "{}");
    op = ask(f, &(struct weir_http_request){.method = "GET", .url = "u"});
    assert_int_equal(weir_op_run(op, -1), WEIR_OK);
    response = weir_http_response(op);
    assert_int_equal(response->status, 201);
    assert_string_equal(weir_http_header(response, "etag", 0), "\"1\"");
    assert_string_equal(weir_http_header(response, "X-A", 0), "b");
    assert_string_equal(weir_http_header(response, "X-A", 1), "c");
    assert_null(weir_http_header(response, "X-A", 2));
    assert_null(weir_http_header(response, "X", 0));
    assert_string_equal(response->body, "{}");
    weir_op_free(op);
}

static void a_request_is_kept_and_its_answer_takes_its_time(void **state)
{
    struct fixture *f = *state;
    struct weir_header headers[] = {{"If-Match", "\"7\""}};
    struct weir_http_request request = {
        .method = "PUT",
        .url = "https://x.test/a",
        .headers = headers,
        .n_headers = 1,
        .body = "a\0b",
        .body_len = 3,
        .once = true,
    };
    int64_t begin = weir_loop_now(f->loop);
    struct weir_op *op;

    fake_transport_answer(&f->fake, 204, NULL, NULL);
    fake_transport_delay(&f->fake, 250);
    op = ask(f, &request);
    assert_int_equal(weir_op_run(op, -1), WEIR_OK);
    assert_int_equal(weir_loop_now(f->loop) - begin, 250);
    assert_int_equal(f->fake.n_requests, 1);
    assert_string_equal(f->fake.requests[0].method, "PUT");
    assert_string_equal(fake_request_header(&f->fake.requests[0], "if-match"),
                        "\"7\"");
    assert_int_equal(f->fake.requests[0].body_len, 3);
    assert_memory_equal(f->fake.requests[0].body, "a\0b", 4);
    assert_true(f->fake.requests[0].once);
    assert_int_equal(fake_transport_left(&f->fake), 0);
    weir_op_free(op);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_failed_op_has_no_response, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            headers_are_found_in_any_case_and_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_request_is_kept_and_its_answer_takes_its_time, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
