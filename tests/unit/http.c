/* http against a scripted server: what goes over the wire, byte for byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server.h"
#include "weir/http.h"

#define OK_HI "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"

static int setup(void **state)
{
    struct weir_loop *loop;

    assert_int_equal(weir_loop_new(NULL, &loop, NULL), WEIR_OK);
    *state = loop;
    return 0;
}

static int teardown(void **state)
{
    struct weir_loop *loop = *state;

    assert_int_equal(weir_loop_ops(loop), 0);
    assert_int_equal(weir_loop_timers(loop), 0);
    weir_loop_free(loop);
    return 0;
}

static struct weir_op *made(struct weir_loop *loop,
                            const struct weir_http_request *request)
{
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_op *op = NULL;

    if (weir_http_new(loop, request, &op, &err))
        fail_msg("%s", err.message);
    return op;
}

/* Runs the request; free the op. */
static struct weir_op *ran(struct weir_loop *loop,
                           const struct weir_http_request *request)
{
    struct weir_op *op = made(loop, request);

    weir_op_run(op, 20000);
    return op;
}

static struct weir_op *got(struct weir_loop *loop, const char *url)
{
    return ran(loop, &(struct weir_http_request){.method = "GET", .url = url});
}

static void assert_body(struct weir_op *op, int status, const char *body)
{
    const struct weir_http_response *response = weir_http_response(op);

    if (!response)
        fail_msg("%s", weir_op_err(op)->message);
    assert_int_equal(response->status, status);
    assert_string_equal(response->body, body);
    assert_int_equal(response->body_len, strlen(body));
}

static void a_get_sends_what_it_should_and_nothing_else(void **state)
{
    static const struct server_step script[] = {READ, SEND(OK_HI)};
    struct server *server = SERVER(script);
    struct weir_header headers[] = {{"X-Empty", ""}, {"Accept", "a/b"}};
    struct weir_op *op =
        ran(*state, &(struct weir_http_request){
                        .method = "GET",
                        .url = server_url(server, "/a/../b//c?x=%20#fragment"),
                        .headers = headers,
                        .n_headers = 2,
                    });
    char expected[400];

    assert_body(op, 200, "hi");
    snprintf(expected, sizeof(expected),
             "GET /a/../b//c?x=%%20 HTTP/1.1\r\n"
             "Host: 127.0.0.1:%d\r\n"
             "User-Agent: weir/0.1.0\r\n"
             "Accept-Encoding: gzip, deflate\r\n"
             "X-Empty:\r\n"
             "Accept: a/b\r\n"
             "\r\n",
             server_port(server));
    assert_string_equal(server_request(server, 0, NULL), expected);
    weir_op_free(op);
    server_stop(server);
}

static void a_connection_serves_the_next_request_too(void **state)
{
    static const struct server_step script[] = {READ, SEND(OK_HI), AGAIN};
    struct server *server = SERVER(script);

    for (int i = 0; i < 20; i++) {
        struct weir_op *op = got(*state, server_url(server, "/"));

        assert_body(op, 200, "hi");
        weir_op_free(op);
    }
    assert_int_equal(server_connections(server), 1);
    server_stop(server);
}

static void refused(void **state)
{
    static const struct server_step script[] = {READ};
    struct server *server = SERVER(script);
    char url[100], message[200];
    struct weir_op *op;

    snprintf(url, sizeof(url), "http://127.0.0.1:%d/a?token=x",
             server_port(server));
    snprintf(message, sizeof(message),
             "cannot connect to 127.0.0.1:%d: Connection refused",
             server_port(server));
    server_stop(server);
    op = got(*state, url);
    assert_int_equal(weir_op_code(op), WEIR_TRANSPORT);
    assert_int_equal(weir_op_err(op)->reach, WEIR_REACH_NONE);
    assert_string_equal(weir_op_err(op)->message, message);
    assert_string_equal(weir_op_err(op)->method, "GET");
    assert_null(strstr(weir_op_err(op)->url, "token"));
    weir_op_free(op);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_get_sends_what_it_should_and_nothing_else, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_connection_serves_the_next_request_too, setup, teardown),
        cmocka_unit_test_setup_teardown(refused, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
