/* http against a server that fails in every way it can. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http_ask.h"
#include "server.h"

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

/* ---- failures ---- */

/* Runs a GET against `script` and checks how it fails. */
static void assert_fails(struct weir_loop *loop, struct server *server,
                         const struct weir_http_limits *limits,
                         enum weir_code code, enum weir_reach reach,
                         const char *says)
{
    struct weir_http_request request = {.method = "GET",
                                        .url = server_url(server, "/p?q=1")};
    struct weir_op *op;

    if (limits)
        request.limits = *limits;
    op = ran(loop, &request);
    if (weir_op_code(op) != code || !strstr(weir_op_err(op)->message, says))
        fail_msg("%s: %s", weir_code_word(weir_op_code(op)),
                 weir_op_err(op)->message);
    assert_int_equal(weir_op_err(op)->reach, reach);
    assert_null(weir_http_response(op));
    assert_null(strstr(weir_op_err(op)->url, "q=1"));
    weir_op_free(op);
}

#define FAILS(script, limits, code, reach, says)                               \
    do {                                                                       \
        struct server *server_ = SERVER(script);                               \
        assert_fails(*state, server_, limits, code, reach, says);              \
        server_stop(server_);                                                  \
    } while (0)

static void a_connection_closed_without_an_answer(void **state)
{
    static const struct server_step script[] = {READ, CLOSE};

    FAILS(script, NULL, WEIR_TRANSPORT, WEIR_REACH_MAYBE,
          "closed the connection without an answer");
}

static void a_connection_reset(void **state)
{
    static const struct server_step script[] = {READ, RESET};

    FAILS(script, NULL, WEIR_TRANSPORT, WEIR_REACH_MAYBE,
          "broke while waiting for the answer");
}

static void a_reset_while_the_request_is_sent(void **state)
{
    static const struct server_step script[] = {SLEEP(50), RESET};
    struct server *server = SERVER(script);
    size_t len = 32 << 20; /* more than fits between the two */
    char *body = calloc(1, len);
    struct weir_op *op =
        ran(*state, &(struct weir_http_request){.method = "POST",
                                                .url = server_url(server, "/"),
                                                .body = body,
                                                .body_len = len});

    assert_int_equal(weir_op_code(op), WEIR_TRANSPORT);
    assert_int_equal(weir_op_err(op)->reach, WEIR_REACH_MAYBE);
    assert_non_null(strstr(weir_op_err(op)->message, "broke while "));
    assert_int_equal(server_connections(server), 1);
    weir_op_free(op);
    free(body);
    server_stop(server);
}

static void a_truncated_body(void **state)
{
    static const struct server_step length[] = {
        READ, SEND("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi"), CLOSE};
    static const struct server_step chunked[] = {
        READ,
        SEND("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi"),
        CLOSE};

    FAILS(length, NULL, WEIR_TRANSPORT, WEIR_REACH_MAYBE,
          "ended before its 9 bytes");
    FAILS(chunked, NULL, WEIR_TRANSPORT, WEIR_REACH_MAYBE,
          "ended before its end");
}

static void a_body_over_its_ceiling(void **state)
{
    static const struct server_step length[] = {
        READ, SEND("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n"),
        SEND("0123456789a"), HANG};
    static const struct server_step endless[] = {
        READ, SEND("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        SEND_TIMES("8\r\n01234567\r\n", 1000000), HANG};
    static const struct server_step exact[] = {
        READ, SEND("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"),
        SEND("0123456789")};
    struct weir_http_limits limits = {.max_bytes = 10};
    struct server *server;
    struct weir_op *op;

    FAILS(length, &limits, WEIR_LIMIT, WEIR_REACH_ANSWER,
          "larger than 10 bytes (max_bytes)");
    FAILS(endless, &limits, WEIR_LIMIT, WEIR_REACH_ANSWER,
          "larger than 10 bytes (max_bytes)");
    server = SERVER(exact);
    op = ran(*state, &(struct weir_http_request){.method = "GET",
                                                 .url = server_url(server, "/"),
                                                 .limits = limits});
    assert_body(op, 200, "0123456789");
    weir_op_free(op);
    server_stop(server);
}

/* 1051 bytes that inflate to a megabyte of zeros (`head -c 1M /dev/zero |
 * gzip -9n`). */
static void a_gzip_bomb(void **state)
{
    static const struct server_step script[] = {
        READ,
        SEND("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
             "Connection: close\r\n\r\n"),
        SEND("\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xed\xc1\x31\x01\x00\x00"
             "\x00\xc2\xa0\xf5\x4f\x6d\x08\x5f\xa0"),
        SEND_TIMES("\0", 1016),
        SEND("\x3e\x03\x1c\xea\x38\xa7\x00\x00\x10\x00"),
        CLOSE};
    struct weir_http_limits limits = {.max_bytes = 65536};
    struct weir_http_limits enough = {.max_bytes = 1 << 20};
    struct server *server;
    struct weir_op *op;

    FAILS(script, &limits, WEIR_LIMIT, WEIR_REACH_ANSWER,
          "larger than 65536 bytes (max_bytes)");
    server = SERVER(script);
    op = ran(*state, &(struct weir_http_request){.method = "GET",
                                                 .url = server_url(server, "/"),
                                                 .limits = enough});
    assert_int_equal(weir_op_code(op), WEIR_OK);
    assert_int_equal(weir_http_response(op)->body_len, 1 << 20);
    weir_op_free(op);
    server_stop(server);
}

static void garbage_said_to_be_gzip(void **state)
{
    static const struct server_step script[] = {
        READ, SEND("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
                   "Content-Length: 12\r\n\r\nnot gzip at!")};

    FAILS(script, NULL, WEIR_PROTOCOL, WEIR_REACH_ANSWER,
          "cannot be decompressed");
}

static void endless_headers(void **state)
{
    static const struct server_step lines[] = {
        READ, SEND("HTTP/1.1 200 OK\r\n"), SEND_TIMES("a: b\r\n", 1000000),
        HANG};
    static const struct server_step bytes[] = {
        READ, SEND("HTTP/1.1 200 OK\r\n"),
        SEND_TIMES("a: 0123456789012345678901234567890123456789\r\n", 100000),
        HANG};
    static const struct server_step one[] = {
        READ, SEND("HTTP/1.1 200 OK\r\na: "), SEND_TIMES("0123456789", 1000000),
        HANG};
    static const struct server_step early[] = {
        READ, SEND_TIMES("HTTP/1.1 103 Early Hints\r\na: b\r\n\r\n", 1000000),
        HANG};
    struct weir_http_limits small = {.max_header_bytes = 1000};

    FAILS(lines, NULL, WEIR_LIMIT, WEIR_REACH_ANSWER,
          "more than 200 lines of headers (max_headers)");
    FAILS(bytes, &small, WEIR_LIMIT, WEIR_REACH_ANSWER,
          "more than 1000 bytes of headers (max_header_bytes)");
    FAILS(one, NULL, WEIR_LIMIT, WEIR_REACH_ANSWER, "header line");
    FAILS(early, NULL, WEIR_LIMIT, WEIR_REACH_ANSWER, "max_headers");
}

static void a_slow_first_byte(void **state)
{
    static const struct server_step script[] = {READ, HANG};
    struct weir_http_limits first = {.first_byte_timeout_ms = 60};
    struct weir_http_limits all = {.timeout_ms = 60};

    FAILS(script, &first, WEIR_TIMEOUT, WEIR_REACH_MAYBE,
          "within 0.06 s (first_byte_timeout)");
    FAILS(script, &all, WEIR_TIMEOUT, WEIR_REACH_MAYBE,
          "no whole answer from 127.0.0.1");
}

static void a_stall_and_a_slow_drip(void **state)
{
    static const struct server_step stall[] = {
        READ, SEND("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi"), HANG};
    static const struct server_step drip[] = {
        READ,      SEND("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"),
        SEND("."), SLEEP(40),
        SEND("."), SLEEP(40),
        SEND("."), SLEEP(40),
        SEND("."), SLEEP(40),
        SEND("."), SLEEP(40),
        SEND("."), SLEEP(40),
        CLOSE};
    struct weir_http_limits stalls = {.stall_timeout_ms = 60};
    struct weir_http_limits all = {.stall_timeout_ms = 200, .timeout_ms = 100};
    struct weir_http_limits slow = {.stall_timeout_ms = 100, .min_speed = 1000};
    struct weir_http_limits never = {.stall_timeout_ms = 100,
                                     .min_speed = WEIR_HTTP_NONE,
                                     .timeout_ms = 150};

    FAILS(drip, &slow, WEIR_TIMEOUT, WEIR_REACH_MAYBE,
          "less than 1000 bytes a second (min_speed)");
    FAILS(drip, &never, WEIR_TIMEOUT, WEIR_REACH_MAYBE,
          "within 0.15 s (timeout)");
    FAILS(stall, &stalls, WEIR_TIMEOUT, WEIR_REACH_MAYBE,
          "within 0.06 s (stall_timeout)");
    FAILS(drip, &all, WEIR_TIMEOUT, WEIR_REACH_MAYBE, "within 0.1 s (timeout)");
}

/* The option that a caller knows the timeout by, and what was left of it. */
static void a_timeout_goes_by_its_callers_name(void **state)
{
    static const struct server_step script[] = {READ, HANG};
    struct weir_http_limits left = {.timeout_ms = 60,
                                    .timeout_name = "attempt_timeout",
                                    .timeout_of_ms = 2000};

    FAILS(script, &left, WEIR_TIMEOUT, WEIR_REACH_MAYBE,
          "within 0.06 s (attempt_timeout), which were left of 2 s");
}

static void no_redirect_is_followed_where_none_may_be(void **state)
{
    static const struct server_step script[] = {
        READ,
        SEND("HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: "
             "0\r\n\r\n"),
        HANG};
    struct server *server = SERVER(script);
    struct weir_op *op =
        ran(*state, &(struct weir_http_request){.method = "GET",
                                                .url = server_url(server, "/a"),
                                                .limits.max_redirects =
                                                    WEIR_HTTP_NONE});

    assert_body(op, 302, "");
    weir_op_free(op);
    server_stop(server);
}

static void a_connection_that_never_comes(void **state)
{
    /* A full backlog: the kernel answers no further SYN. */
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM, 0), filler[8];
    char url[64];
    struct weir_op *op;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(listener, 0), 0);
    getsockname(listener, (struct sockaddr *)&address, &size);
    for (int i = 0; i < 8; i++) {
        filler[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect(filler[i], (struct sockaddr *)&address, size);
    }
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/", ntohs(address.sin_port));
    op =
        ran(*state,
            &(struct weir_http_request){.method = "POST",
                                        .url = url,
                                        .limits = {.connect_timeout_ms = 100}});
    assert_int_equal(weir_op_code(op), WEIR_TIMEOUT);
    assert_int_equal(weir_op_err(op)->reach, WEIR_REACH_NONE);
    assert_non_null(
        strstr(weir_op_err(op)->message, "within 0.1 s (connect_timeout)"));
    weir_op_free(op);
    for (int i = 0; i < 8; i++)
        close(filler[i]);
    close(listener);
}

static void answers_that_are_no_http(void **state)
{
    static const struct {
        const char *answer, *says;
    } cases[] = {
        {"SSH-2.0-x\r\n", "does not answer in HTTP/1.1"},
        {"HTTP/1.1 2000 OK\r\n\r\n", ""},
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\ncontent-length: 3\r\n\r\nhi!",
         "two Content-Length headers that differ"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 2x\r\n\r\nhi", "Content-Length"},
        {"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nhi", "Content-Length"},
        {"HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nhi",
         "a space in the name of a header"},
        {"HTTP/1.1 200 OK\r\n: x\r\n\r\nhi", "without a name"},
        {"HTTP/1.1 200 OK\r\nnonsense\r\n\r\nhi", ""},
        {"HTTP/1.1 200 OK\r\n folded\r\n\r\nhi", ""},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhi\r\n",
         "not well chunked"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct server_step script[] = {READ,
                                       {.what = SERVER_SEND,
                                        .bytes = cases[i].answer,
                                        .len = strlen(cases[i].answer)},
                                       CLOSE};
        struct server *server = SERVER(script);
        struct weir_op *op = got(*state, server_url(server, "/"));

        if (weir_op_code(op) != WEIR_PROTOCOL ||
            !strstr(weir_op_err(op)->message, cases[i].says))
            fail_msg("case %zu: %s: %s", i, weir_code_word(weir_op_code(op)),
                     weir_op_err(op)->message);
        weir_op_free(op);
        server_stop(server);
    }
}

static void a_nul_in_a_header(void **state)
{
    static const struct server_step script[] = {
        READ, SEND("HTTP/1.1 200 OK\r\na: b\0c\r\nContent-Length: 0\r\n\r\n")};

    FAILS(script, NULL, WEIR_PROTOCOL, WEIR_REACH_MAYBE, "");
}

static void endless_redirects(void **state)
{
    static const struct server_step script[] = {
        READ,
        SEND("HTTP/1.1 302 F\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"),
        AGAIN};

    FAILS(script, NULL, WEIR_LIMIT, WEIR_REACH_ANSWER,
          "more than 3 times (max_redirects)");
}

static void tls_with_a_server_that_has_none(void **state)
{
    static const struct server_step script[] = {
        SEND("HTTP/1.1 400 Bad Request\r\n\r\n"), CLOSE};
    struct server *server = SERVER(script);
    char url[64];
    struct weir_op *op;

    snprintf(url, sizeof(url), "https://127.0.0.1:%d/", server_port(server));
    op = got(*state, url);
    assert_int_equal(weir_op_code(op), WEIR_TRANSPORT);
    assert_int_equal(weir_op_err(op)->reach, WEIR_REACH_NONE);
    assert_non_null(strstr(weir_op_err(op)->message, "no TLS connection to"));
    assert_false(weir_op_err(op)->final);
    weir_op_free(op);
    server_stop(server);
}

/* What is known of a call whose answer was cut off. */
static void the_status_of_a_truncated_answer(void **state)
{
    static const struct server_step script[] = {
        READ, SEND("HTTP/1.1 201 Created\r\nContent-Length: 9\r\n\r\n{"),
        CLOSE};
    struct server *server = SERVER(script);
    struct weir_op *op =
        ran(*state, &(struct weir_http_request){
                        .method = "POST", .url = server_url(server, "/")});

    assert_int_equal(weir_op_code(op), WEIR_TRANSPORT);
    assert_int_equal(weir_op_err(op)->reach, WEIR_REACH_MAYBE);
    assert_int_equal(weir_op_err(op)->status, 201);
    weir_op_free(op);
    server_stop(server);
}

static void trust_that_cannot_be_read(void **state)
{
    static const struct weir_http_settings settings = {.ca_file =
                                                           "/dev/null/x"};
    static const struct server_step script[] = {HANG};
    struct server *server = SERVER(script);
    char url[64];
    struct weir_op *op;

    assert_int_equal(weir_http_configure(*state, &settings, NULL), WEIR_OK);
    snprintf(url, sizeof(url), "https://127.0.0.1:%d/", server_port(server));
    op = got(*state, url);
    assert_int_equal(weir_op_code(op), WEIR_TRANSPORT);
    assert_true(weir_op_err(op)->final);
    assert_non_null(strstr(weir_op_err(op)->hint, "SSL_CERT_FILE"));
    weir_op_free(op);
    server_stop(server);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, http_setup, http_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(refused),
        TEST(a_connection_closed_without_an_answer),
        TEST(a_connection_reset),
        TEST(a_reset_while_the_request_is_sent),
        TEST(a_truncated_body),
        TEST(a_body_over_its_ceiling),
        TEST(a_gzip_bomb),
        TEST(garbage_said_to_be_gzip),
        TEST(endless_headers),
        TEST(a_slow_first_byte),
        TEST(a_stall_and_a_slow_drip),
        TEST(a_timeout_goes_by_its_callers_name),
        TEST(no_redirect_is_followed_where_none_may_be),
        TEST(a_connection_that_never_comes),
        TEST(answers_that_are_no_http),
        TEST(a_nul_in_a_header),
        TEST(endless_redirects),
        TEST(tls_with_a_server_that_has_none),
        TEST(the_status_of_a_truncated_answer),
        TEST(trust_that_cannot_be_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
