/* http against a scripted server: what goes over the wire, byte for byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http_ask.h"
#include "server.h"

/* What goes out for a GET of `path` with these headers: the request line, Host,
 * `lines` and nothing else. */
static void assert_sent(struct weir_loop *loop, const char *path,
                        const struct weir_header *headers, size_t n,
                        const char *request_line, const char *lines)
{
    static const struct server_step script[] = {READ, SEND(OK_HI)};
    struct server *server = SERVER(script);
    struct weir_op *op =
        ran(loop, &(struct weir_http_request){.method = "GET",
                                              .url = server_url(server, path),
                                              .headers = headers,
                                              .n_headers = n});
    char expected[400];

    assert_body(op, 200, "hi");
    snprintf(expected, sizeof(expected),
             "%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s\r\n", request_line,
             server_port(server), lines);
    assert_string_equal(server_request(server, 0, NULL), expected);
    weir_op_free(op);
    server_stop(server);
}

static void a_get_sends_what_it_should_and_nothing_else(void **state)
{
    const struct weir_header headers[] = {{"X-Empty", ""}, {"Accept", "a/b"}};

    assert_sent(*state, "/a/../b//c?x=%20#fragment", headers, 2,
                "GET /a/../b//c?x=%20",
                "User-Agent: weir/0.1.0\r\n"
                "Accept-Encoding: gzip, deflate\r\n"
                "X-Empty:\r\n"
                "Accept: a/b\r\n");
}

static void a_callers_own_header_takes_the_place_of_ours(void **state)
{
    const struct weir_header headers[] = {{"USER-agent", "mine"},
                                          {"accept-Encoding", "identity"},
                                          {"Accept", "a/b"}};

    assert_sent(*state, "/", headers, 3, "GET /",
                "USER-agent: mine\r\n"
                "accept-Encoding: identity\r\n"
                "Accept: a/b\r\n");
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

/* ---- what is refused before it is sent ---- */

static void assert_refused(struct weir_loop *loop,
                           const struct weir_http_request *request,
                           const char *says)
{
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_op *op = NULL;

    assert_int_equal(weir_http_new(loop, request, &op, &err), WEIR_INVALID);
    assert_null(op);
    if (!strstr(err.message, says))
        fail_msg("%s", err.message);
}

static void injected_headers(void **state)
{
    static const struct {
        struct weir_header header;
        const char *says;
    } cases[] = {
        {{"If-Match", "\"1\"\r\nX-Evil: 1"}, "If-Match holds a line break"},
        {{"If-Match", "\"1\"\n"}, "a line break at byte 4"},
        {{"If-Match", "a\x01"}, "a control character"},
        {{"X Y", "1"}, "not a name for a header"},
        {{"X:", "1"}, "not a name for a header"},
        {{"", "1"}, "not a name for a header"},
        {{"X\r\nY", "1"}, "not a name for a header"},
        {{"Content-Length", "1"}, "set by weir itself"},
        {{"transfer-encoding", "chunked"}, "set by weir itself"},
        {{"Host", "evil"}, "set by weir itself"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_refused(*state,
                       &(struct weir_http_request){.method = "GET",
                                                   .url = "https://x.test/",
                                                   .headers = &cases[i].header,
                                                   .n_headers = 1},
                       cases[i].says);
}

static void an_injected_user_agent(void **state)
{
    static const struct server_step script[] = {READ, SEND(OK_HI), AGAIN};
    struct server *server = SERVER(script);
    struct weir_http_settings settings = {.user_agent = "a\r\nX-Evil: 1"};
    struct weir_err err = WEIR_ERR_INIT;

    assert_int_equal(weir_http_configure(*state, &settings, &err),
                     WEIR_INVALID);
    assert_string_equal(err.message, "the value of the header User-Agent "
                                     "holds a line break at byte 2");
    weir_op_free(got(*state, server_url(server, "/")));
    assert_non_null(
        strstr(server_request(server, 0, NULL), "\r\nUser-Agent: weir/"));
    settings.user_agent = "";
    assert_int_equal(weir_http_configure(*state, &settings, NULL), WEIR_OK);
    weir_op_free(got(*state, server_url(server, "/")));
    assert_null(strstr(server_request(server, 1, NULL), "User-Agent"));
    server_stop(server);
}

static void urls_and_methods_that_are_refused(void **state)
{
    static const struct {
        const char *method, *url, *says;
    } cases[] = {
        {"GET", "https://x.test/a\r\nHost: evil", "a line break"},
        {"GET", "https://u:p@x.test/", "credentials"},
        {"GET", "http://x.test/", "plain http"},
        {"GET", "http://localhost.evil.com/", "plain http"},
        {"GET", "ftp://x.test/", "must begin with https://"},
        {"GET", NULL, "no URL"},
        {NULL, "https://x.test/", "no method"},
        {"get", "https://x.test/", "not an HTTP method"},
        {"GET /\r\nX", "https://x.test/", "not an HTTP method"},
        {"CONNECT", "https://x.test/", "not supported"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_refused(*state,
                       &(struct weir_http_request){.method = cases[i].method,
                                                   .url = cases[i].url},
                       cases[i].says);
    assert_int_equal(weir_http_url_safe("http://127.0.0.1:8/", NULL), WEIR_OK);
    assert_int_equal(weir_http_url_safe("https://x.test/", NULL), WEIR_OK);
    assert_int_equal(weir_http_url_safe("http://x.test/", NULL), WEIR_INVALID);
}

/* ---- redirects ---- */

static void a_redirect_within_the_origin_is_followed(void **state)
{
    static const struct server_step script[] = {
        READ,
        SEND("HTTP/1.1 302 Found\r\nLocation: /b/../c?x=1#f\r\n"
             "Content-Length: 4\r\n\r\nmove"),
        READ, SEND(OK_HI)};
    struct server *server = SERVER(script);
    struct weir_header header = {"Authorization", "Bearer t"};
    struct weir_op *op =
        ran(*state, &(struct weir_http_request){.method = "GET",
                                                .url = server_url(server, "/a"),
                                                .headers = &header,
                                                .n_headers = 1});

    assert_body(op, 200, "hi");
    assert_non_null(strstr(weir_http_response(op)->url, "/b/../c?x=1"));
    assert_memory_equal(server_request(server, 1, NULL),
                        "GET /b/../c?x=1 HTTP/1.1\r\n", 26);
    assert_non_null(strstr(server_request(server, 1, NULL), "Bearer t"));
    weir_op_free(op);
    server_stop(server);
}

static void a_redirect_elsewhere_is_handed_over(void **state)
{
    static const char *const places[] = {"http://127.0.0.2:1/", "//other.test/",
                                         "https://127.0.0.1/",
                                         "http://u:p@127.0.0.1/"};

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        char answer[200];
        struct server_step script[] = {
            READ, {.what = SERVER_SEND, .bytes = answer}, CLOSE};
        struct server *server;
        struct weir_op *op;

        script[1].len = (size_t)snprintf(answer, sizeof(answer),
                                         "HTTP/1.1 307 T\r\nLocation: %s\r\n"
                                         "Content-Length: 0\r\n\r\n",
                                         places[i]);
        server = SERVER(script);
        op = got(*state, server_url(server, "/"));
        assert_body(op, 307, "");
        assert_int_equal(server_requests(server), 1);
        weir_op_free(op);
        server_stop(server);
    }
}

static void a_post_is_not_redirected(void **state)
{
    static const struct server_step script[] = {
        READ,
        SEND("HTTP/1.1 302 F\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n")};
    struct server *server = SERVER(script);
    struct weir_op *op =
        ran(*state, &(struct weir_http_request){.method = "POST",
                                                .url = server_url(server, "/"),
                                                .body = "x",
                                                .body_len = 1});

    assert_body(op, 302, "");
    assert_int_equal(server_requests(server), 1);
    weir_op_free(op);
    server_stop(server);
}

/* ---- what works ---- */

static void early_answers_are_ignored(void **state)
{
    static const struct server_step script[] = {
        READ,
        SEND("HTTP/1.1 100 Continue\r\n\r\n"
             "HTTP/1.1 103 Early Hints\r\nETag: early\r\nContent-Length: 9\r\n"
             "\r\n"),
        SEND("HTTP/1.1 200 OK\r\neTaG: \t\"1\" \r\nX-Long: a\r\n\t b\r\n"
             "X-Empty:\r\ncontent-length: 2\r\n\r\nhi")};
    struct server *server = SERVER(script);
    struct weir_op *op = got(*state, server_url(server, "/"));
    const struct weir_http_response *response = weir_http_response(op);

    assert_body(op, 200, "hi");
    assert_int_equal(response->n_headers, 4);
    assert_string_equal(response->headers[0].name, "eTaG");
    assert_string_equal(weir_http_header(response, "ETag", 0), "\"1\"");
    assert_string_equal(weir_http_header(response, "x-long", 0), "a b");
    assert_string_equal(weir_http_header(response, "x-empty", 0), "");
    weir_op_free(op);
    server_stop(server);
}

static void chunks_and_trailers(void **state)
{
    static const struct server_step script[] = {
        READ,
        SEND("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
             "2\r\nhi\r\n0\r\nX-Trailer: t\r\n\r\n"),
        READ, SEND(OK_HI)};
    struct server *server = SERVER(script);

    for (int i = 0; i < 2; i++) {
        struct weir_op *op = got(*state, server_url(server, "/"));

        assert_body(op, 200, "hi");
        assert_null(weir_http_header(weir_http_response(op), "X-Trailer", 0));
        weir_op_free(op);
    }
    assert_int_equal(server_connections(server), 1);
    server_stop(server);
}

/* Libcurl before 8.1.1 takes such a line for the end of a header of the
 * handle's last answer, which was freed (seen by ASan and valgrind). */
static void an_answer_that_begins_in_the_middle_of_a_header(void **state)
{
    static const struct server_step script[] = {
        READ,
        SEND("HTTP/1.1 200 OK\r\nX-Long: a value that takes memory of its own"
             "\r\nContent-Length: 2\r\n\r\nhi"),
        READ,
        SEND("HTTP/1.1 200 OK\r\n and so on\r\nContent-Length: 2\r\n"
             "\r\nhi"),
        CLOSE};
    static const struct server_step redirect[] = {
        READ,
        SEND("HTTP/1.1 302 Found\r\nLocation: /there\r\n"
             "Content-Length: 0\r\n\r\n"),
        READ, SEND("HTTP/1.1 200 OK\r\n and so on\r\n\r\n"), CLOSE};
    struct server *server = SERVER(script);
    struct weir_op *op = got(*state, server_url(server, "/"));

    assert_body(op, 200, "hi");
    weir_op_free(op);
    op = got(*state, server_url(server, "/"));
    assert_int_equal(weir_op_code(op), WEIR_PROTOCOL);
    weir_op_free(op);
    server_stop(server);
    server = SERVER(redirect);
    op = got(*state, server_url(server, "/"));
    assert_int_equal(weir_op_code(op), WEIR_PROTOCOL);
    weir_op_free(op);
    server_stop(server);
}

static void methods_and_bodies_on_one_connection(void **state)
{
    static const struct server_step script[] = {READ, SEND(OK_HI), AGAIN};
    static const struct server_step head[] = {
        READ, SEND("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"), AGAIN};
    static const struct {
        const char *method, *body, *says;
    } cases[] = {
        {"POST", "a=b", "Content-Length: 3\r\n\r\na=b"},
        {"GET", NULL, "gzip, deflate\r\n\r\n"},
        {"PUT", "", "Content-Length: 0\r\n\r\n"},
        {"DELETE", NULL, "gzip, deflate\r\n\r\n"},
        {"POST", NULL, "Content-Length: 0\r\n\r\n"},
        {"PATCH", "{}", "Content-Length: 2\r\n\r\n{}"},
        {"GET", NULL, "gzip, deflate\r\n\r\n"},
    };
    struct server *server = SERVER(script);
    struct weir_op *op;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *request;

        op = ran(*state,
                 &(struct weir_http_request){
                     .method = cases[i].method,
                     .url = server_url(server, "/"),
                     .body = cases[i].body,
                     .body_len = cases[i].body ? strlen(cases[i].body) : 0});
        assert_body(op, 200, "hi");
        weir_op_free(op);
        request = server_request(server, i, NULL);
        assert_memory_equal(request, cases[i].method, strlen(cases[i].method));
        if (strlen(request) < strlen(cases[i].says) ||
            strcmp(request + strlen(request) - strlen(cases[i].says),
                   cases[i].says) != 0)
            fail_msg("case %zu: %s", i, request);
        assert_null(strstr(request, "Content-Type"));
        assert_null(strstr(request, "Expect"));
    }
    server_stop(server);
    server = SERVER(head);
    for (int i = 0; i < 2; i++) {
        op = ran(*state, &(struct weir_http_request){
                             .method = "HEAD", .url = server_url(server, "/")});
        assert_body(op, 200, "");
        weir_op_free(op);
    }
    server_stop(server);
}

static void a_large_body_leaves_at_once(void **state)
{
    static const struct server_step script[] = {READ, SEND(OK_HI)};
    struct server *server = SERVER(script);
    size_t len = 2 << 20, received = 0;
    char *body = malloc(len);
    struct weir_op *op;

    assert_non_null(body);
    memset(body, 'x', len);
    op =
        made(*state, &(struct weir_http_request){.method = "PUT",
                                                 .url = server_url(server, "/"),
                                                 .body = body,
                                                 .body_len = len});
    memset(body, 'y', len); /* the op has its own copy */
    assert_int_equal(weir_op_run(op, 10000), WEIR_OK);
    /* Libcurl alone would ask for 100-continue, and wait a second for it. */
    assert_null(strstr(server_request(server, 0, &received), "Expect"));
    assert_true(received > len);
    assert_int_equal(server_request(server, 0, NULL)[received - 1], 'x');
    weir_op_free(op);
    free(body);
    server_stop(server);
}

static struct weir_op *created(struct weir_loop *loop, struct server *server,
                               bool once)
{
    return ran(loop, &(struct weir_http_request){.method = "POST",
                                                 .url = server_url(server, "/"),
                                                 .body = "create",
                                                 .body_len = 6,
                                                 .once = once});
}

/* Every connection answers once and dies under the second request. */
static const struct server_step dying[] = {READ, SEND(OK_HI), READ, CLOSE};

/* Libcurl by itself sends a request again when a kept connection dies under
 * it.  A read may gain by that; here it shows that this is so. */
static void libcurl_repeats_a_read_on_a_dead_connection(void **state)
{
    struct server *server = SERVER_EACH(dying);

    for (int i = 0; i < 2; i++) {
        struct weir_op *op = got(*state, server_url(server, "/"));

        assert_body(op, 200, "hi");
        weir_op_free(op);
    }
    assert_int_equal(server_requests(server), 3);
    server_stop(server);
}

static void libcurl_repeats_no_change_on_a_dead_connection(void **state)
{
    static const char *const methods[] = {"PUT", "DELETE", "PATCH", "POST"};

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        struct server *server = SERVER_EACH(dying);
        struct weir_op *op = got(*state, server_url(server, "/"));

        assert_body(op, 200, "hi");
        weir_op_free(op);
        op = ran(*state,
                 &(struct weir_http_request){.method = methods[i],
                                             .url = server_url(server, "/")});
        assert_int_equal(weir_op_code(op), WEIR_TRANSPORT);
        assert_int_equal(weir_op_err(op)->reach, WEIR_REACH_MAYBE);
        assert_non_null(strstr(weir_op_err(op)->message,
                               "broke while waiting for the answer"));
        assert_int_equal(server_requests(server), 2);
        weir_op_free(op);
        server_stop(server);
    }
}

/* `once` does not meet the dead connection at all. */
static void a_call_that_must_not_be_repeated_is_not(void **state)
{
    static const struct server_step dead[] = {READ, CLOSE};
    struct server *server = SERVER_EACH(dying);
    struct weir_op *op = got(*state, server_url(server, "/"));

    assert_body(op, 200, "hi");
    weir_op_free(op);
    op = created(*state, server, true);
    assert_body(op, 200, "hi");
    assert_int_equal(server_connections(server), 2);
    assert_int_equal(server_requests(server), 2);
    weir_op_free(op);
    server_stop(server);
    server = SERVER_EACH(dead);
    op = created(*state, server, true);
    assert_int_equal(weir_op_code(op), WEIR_TRANSPORT);
    assert_int_equal(weir_op_err(op)->reach, WEIR_REACH_MAYBE);
    assert_int_equal(server_requests(server), 1);
    weir_op_free(op);
    server_stop(server);
}

static void a_cancelled_request_is_silent(void **state)
{
    static const struct server_step script[] = {
        READ, SEND("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi"), HANG};
    struct weir_loop *loop = *state;
    struct server *server = SERVER(script);
    struct weir_op *op =
        made(loop, &(struct weir_http_request){.method = "GET",
                                               .url = server_url(server, "/")});
    int done = 0;

    weir_op_start(op, count_done, &done);
    for (int i = 0; i < 50 && server_requests(server) == 0; i++)
        weir_loop_turn(loop, 20, NULL);
    weir_loop_turn(loop, 20, NULL);
    weir_op_cancel(op);
    assert_int_equal(weir_op_code(op), WEIR_CANCELLED);
    assert_null(weir_http_response(op));
    assert_true(weir_loop_idle(loop));
    weir_loop_turn(loop, 0, NULL);
    assert_int_equal(done, 0);
    weir_op_free(op);
    /* Freeing a running one is the same. */
    op = made(loop, &(struct weir_http_request){
                        .method = "GET", .url = server_url(server, "/")});
    weir_op_start(op, count_done, &done);
    weir_op_free(op);
    assert_int_equal(done, 0);
    server_stop(server);
}

static void fifty_at_once(void **state)
{
    static const struct server_step script[] = {READ, SLEEP(30), SEND(OK_HI),
                                                AGAIN};
    struct weir_loop *loop = *state;
    struct server *server = SERVER_EACH(script);
    struct weir_op *ops[50];
    size_t connections;

    for (int round = 0; round < 2; round++) {
        int done = 0;

        begin_many(loop, server_url(server, "/"), ops, 50, &done);
        while (!weir_loop_idle(loop))
            assert_int_equal(weir_loop_turn(loop, 1000, NULL), WEIR_OK);
        assert_int_equal(done, 50);
        for (int i = 0; i < 50; i++) {
            assert_body(ops[i], 200, "hi");
            weir_op_free(ops[i]);
        }
        /* The second round connects no more. */
        if (round == 0)
            connections = server_connections(server);
    }
    assert_int_equal(connections, 50);
    assert_int_equal(server_connections(server), 50);
    server_stop(server);
}

static void the_environment_plays_no_part(void **state)
{
    static const struct server_step script[] = {READ, SEND(OK_HI), AGAIN};
    struct server *server = SERVER(script), *proxy = SERVER(script);
    struct weir_http_settings settings = {.user_agent = "ua/1"};
    char proxy_url[64];
    struct weir_op *op;

    setenv("http_proxy", server_url(proxy, ""), 1);
    setenv("ALL_PROXY", server_url(proxy, ""), 1);
    op = got(*state, server_url(server, "/"));
    assert_body(op, 200, "hi");
    weir_op_free(op);
    /* Nor does a proxy that was configured, for loopback. */
    snprintf(proxy_url, sizeof(proxy_url), "%s", server_url(proxy, ""));
    settings.proxy = proxy_url;
    assert_int_equal(weir_http_configure(*state, &settings, NULL), WEIR_OK);
    op = got(*state, server_url(server, "/"));
    assert_body(op, 200, "hi");
    weir_op_free(op);
    assert_int_equal(server_requests(proxy), 0);
    assert_non_null(strstr(server_request(server, 1, NULL), "ua/1"));
    /* Elsewhere it does. */
    op = ran(*state, &(struct weir_http_request){.method = "GET",
                                                 .url = "http://x.test/a",
                                                 .allow_plain_http = true});
    assert_body(op, 200, "hi");
    assert_memory_equal(server_request(proxy, 0, NULL),
                        "GET http://x.test/a HTTP/1.1\r\nHost: x.test\r\n", 44);
    weir_op_free(op);
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
    server_stop(server);
    server_stop(proxy);
}

static void a_proxy_is_told_who_asks_and_no_secret(void **state)
{
    static const struct server_step script[] = {
        READ, SEND("HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n")};
    struct server *proxy = SERVER(script);
    struct weir_http_settings settings = {.user_agent = "ua/1"};
    struct weir_header headers[] = {{"Authorization", "Bearer t"}};
    const char *asked;
    struct weir_op *op;

    settings.proxy = server_url(proxy, "");
    assert_int_equal(weir_http_configure(*state, &settings, NULL), WEIR_OK);
    op = ran(*state, &(struct weir_http_request){.method = "GET",
                                                 .url = "https://x.test/a",
                                                 .headers = headers,
                                                 .n_headers = 1});
    assert_int_equal(weir_op_code(op), WEIR_TRANSPORT);
    asked = server_request(proxy, 0, NULL);
    assert_memory_equal(asked, "CONNECT x.test:443 HTTP/1.1\r\n", 29);
    assert_non_null(strstr(asked, "User-Agent: ua/1\r\n"));
    assert_null(strstr(asked, "Bearer"));
    weir_op_free(op);
    server_stop(proxy);
}

static void localhost_is_this_machine(void **state)
{
    static const struct server_step script[] = {READ, SEND(OK_HI)};
    struct server *server = SERVER(script);
    char url[64];
    struct weir_op *op;

    snprintf(url, sizeof(url), "http://localhost:%d/", server_port(server));
    op = got(*state, url);
    assert_body(op, 200, "hi");
    weir_op_free(op);
    server_stop(server);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, http_setup, http_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_get_sends_what_it_should_and_nothing_else),
        TEST(a_callers_own_header_takes_the_place_of_ours),
        TEST(a_connection_serves_the_next_request_too),
        TEST(injected_headers),
        TEST(an_injected_user_agent),
        TEST(urls_and_methods_that_are_refused),
        TEST(a_redirect_within_the_origin_is_followed),
        TEST(a_redirect_elsewhere_is_handed_over),
        TEST(a_post_is_not_redirected),
        TEST(early_answers_are_ignored),
        TEST(chunks_and_trailers),
        TEST(an_answer_that_begins_in_the_middle_of_a_header),
        TEST(methods_and_bodies_on_one_connection),
        TEST(a_large_body_leaves_at_once),
        TEST(libcurl_repeats_a_read_on_a_dead_connection),
        TEST(libcurl_repeats_no_change_on_a_dead_connection),
        TEST(a_call_that_must_not_be_repeated_is_not),
        TEST(a_cancelled_request_is_silent),
        TEST(fifty_at_once),
        TEST(the_environment_plays_no_part),
        TEST(a_proxy_is_told_who_asks_and_no_secret),
        TEST(localhost_is_this_machine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
