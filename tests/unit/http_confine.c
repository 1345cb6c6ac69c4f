/* http of a confined run: asked by name, and by where the name leads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The list of options is no business of the library's users. */
#include "../../src/core/http_internal.h"
#include "grants.h"
#include "http_ask.h"
#include "server.h"
#include "weir/client.h"

static const struct server_step greet[] = {READ, SEND(OK_HI), AGAIN};

/* Confines the loop to a table, or to the port of 127.0.0.1 if it is NULL. */
static struct weir_permissions *confine(struct weir_loop *loop,
                                        const char *table, int port)
{
    struct weir_permissions *p;
    char text[80];

    snprintf(text, sizeof(text), "{\"net\":[\"127.0.0.1:%d\"]}", port);
    p = grants_parse(table ? table : text);
    assert_int_equal(weir_http_confine(loop, p, NULL), WEIR_OK);
    return p;
}

static void release(struct weir_loop *loop, struct weir_permissions *p)
{
    assert_int_equal(weir_http_confine(loop, NULL, NULL), WEIR_OK);
    weir_permissions_free(p);
}

/* A GET that may be http:// to any name. */
static struct weir_op *plain(struct weir_loop *loop, const char *url)
{
    struct weir_http_request request = {
        .method = "GET", .url = url, .allow_plain_http = true};

    return ran(loop, &request);
}

static void assert_denied(struct weir_op *op, const char *says)
{
    const struct weir_err *err = weir_op_err(op);

    assert_int_equal(weir_op_code(op), WEIR_DENIED);
    if (!strstr(err->message, says))
        fail_msg("%s", err->message);
    assert_int_equal(err->reach, WEIR_REACH_NONE);
    assert_true(err->final);
    assert_string_equal(err->method, "GET");
    assert_non_null(strstr(err->hint, "weir.needs { net = {"));
    weir_op_free(op);
}

static void a_name_is_asked_for_before_anything_is_sent(void **state)
{
    struct server *server = server_each(greet, 3);
    struct weir_permissions *p = confine(*state, NULL, server_port(server));
    struct weir_op *op = got(*state, server_url(server, "/yes"));
    char url[80];

    assert_body(op, 200, "hi");
    weir_op_free(op);
    snprintf(url, sizeof(url), "http://localhost:%d/no?token=x",
             server_port(server));
    op = got(*state, url);
    assert_null(strstr(weir_op_err(op)->url, "token"));
    assert_denied(op, "net: connecting to localhost:");
    assert_denied(got(*state, "https://a.test/"), "a.test:443 is not granted");
    assert_int_equal(server_connections(server), 1);
    release(*state, p);
    snprintf(url, sizeof(url), "http://localhost:%d/", server_port(server));
    op = got(*state, url);
    assert_body(op, 200, "hi");
    weir_op_free(op);
    server_stop(server);
}

/* libcurl itself takes what is below .localhost to this machine, as a name
 * server that one does not trust would. */
static void where_a_name_leads_is_asked_for(void **state)
{
    struct server *server = server_each(greet, 3);
    struct weir_permissions *p =
        confine(*state, "{\"net\":[\"*.localhost\"]}", 0);
    struct weir_op *op;
    char url[80], says[120];

    snprintf(url, sizeof(url), "http://evil.localhost:%d/",
             server_port(server));
    op = plain(*state, url);
    snprintf(says, sizeof(says), "net: connecting to evil.localhost:%d at ",
             server_port(server));
    if (!strstr(weir_op_err(op)->message, "(loopback) is not granted by the "
                                          "host's name alone"))
        fail_msg("%s", weir_op_err(op)->message);
    assert_denied(op, says);
    assert_int_equal(server_connections(server), 0);
    release(*state, p);
    p = confine(*state, "{\"net\":[\"*.localhost\",\"127.0.0.0/8\",\"::1\"]}",
                0);
    op = plain(*state, url);
    assert_body(op, 200, "hi");
    weir_op_free(op);
    release(*state, p);
    server_stop(server);
}

static void the_tenants_own_address_is_granted(void **state)
{
    struct server *server = server_each(greet, 3);
    struct weir_permissions *p = confine(*state, "{\"net\":[\"tenant\"]}", 0);
    struct weir_op *op;

    assert_denied(got(*state, server_url(server, "/")), "127.0.0.1:");
    assert_int_equal(
        weir_permissions_tenant(p, server_url(server, "/api"), NULL), WEIR_OK);
    op = got(*state, server_url(server, "/"));
    assert_body(op, 200, "hi");
    weir_op_free(op);
    release(*state, p);
    server_stop(server);
}

static void a_redirect_asks_again(void **state)
{
    static const struct server_step script[] = {
        READ,
        SEND("HTTP/1.1 302 Found\r\nLocation: /there\r\n"
             "Content-Length: 0\r\n\r\n"),
        READ, SEND(OK_HI)};
    struct server *server = SERVER(script);
    struct weir_permissions *p =
        confine(*state, "{\"net\":[\"127.0.0.1\"]}", 0);
    struct weir_op *op = got(*state, server_url(server, "/here"));

    assert_body(op, 200, "hi");
    assert_int_equal(server_requests(server), 2);
    weir_op_free(op);
    release(*state, p);
    server_stop(server);
}

/* ---- with a proxy ---- */

static void through_a_proxy_the_name_is_asked_for(void **state)
{
    struct server *proxy = server_each(greet, 3);
    struct weir_http_settings settings = {0};
    struct weir_permissions *p =
        confine(*state, "{\"net\":[\"a.test\",\"b.localhost\"]}", 0);
    struct weir_op *op;
    char url[80];

    snprintf(url, sizeof(url), "%s", server_url(proxy, ""));
    settings.proxy = url;
    settings.no_proxy = "x.test, .localhost";
    assert_int_equal(weir_http_configure(*state, &settings, NULL), WEIR_OK);
    op = plain(*state, "http://a.test/");
    assert_body(op, 200, "hi");
    weir_op_free(op);
    assert_memory_equal(server_request(proxy, 0, NULL), "GET http://a.test/",
                        18);
    assert_denied(plain(*state, "http://c.test/"), "c.test:80 is not granted");
    /* For this one it is no proxy, so the address is ours to look at. */
    assert_denied(plain(*state, "http://b.localhost:9/"), "(loopback)");
    assert_int_equal(server_requests(proxy), 1);
    release(*state, p);
    server_stop(proxy);
}

static bool uses_proxy(struct weir_loop *loop, const char *url)
{
    struct weir_http_state *state = weir_http_state(loop);
    struct weir_http_exchange x = {.method = "GET", .url = url};
    struct weir_http_handle handle = {.exchange = &x, .state = state};
    struct weir_http_option options[WEIR_HTTP_OPTIONS_MAX];
    const char *proxy = NULL, *no_proxy = NULL;
    size_t n;

    assert_int_equal(weir_http_origin(state, url, &x.origin, NULL), WEIR_OK);
    assert_int_equal(weir_http_may_ask(&x, state, NULL), WEIR_OK);
    n = weir_http_options(state, &handle, &x, options);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(options[i].name, "CURLOPT_PROXY") == 0)
            proxy = options[i].pointer;
        if (strcmp(options[i].name, "CURLOPT_NOPROXY") == 0)
            no_proxy = options[i].pointer;
    }
    /* libcurl is left no opinion of its own. */
    assert_string_equal(no_proxy, "");
    return proxy[0] != '\0';
}

static void no_proxy_is_read_as_libcurl_reads_it(void **state)
{
    static const struct {
        const char *no_proxy, *url;
        bool proxied;
    } cases[] = {
        {NULL, "https://a.test/", true},
        {"", "https://a.test/", true},
        {"*", "https://a.test/", false},
        {"a.test", "https://a.test/", false},
        {"A.TEST", "https://a.test./", false},
        {"a.test", "https://x.a.test/", false},
        {".a.test", "https://a.test/", false},
        {".a.test", "https://x.a.test/", false},
        {"a.test", "https://xa.test/", true},
        {"a.test", "https://a.test.b.test/", true},
        {"x.test,a.test", "https://a.test/", false},
        {"x.test a.test", "https://a.test/", false},
        {" , a.test ,", "https://a.test/", false},
        {"10.0.0.0/8", "https://10.1.1.1/", false},
        {"10.0.0.0/8", "https://11.1.1.1/", true},
        {"10.1.1.1", "https://10.1.1.1/", false},
        {"2001:db8::/32", "https://[2001:db8::1]/", false},
        {"2001:db8::1", "https://[2001:db8::1]/", false},
        {"", "https://127.0.0.1/", false},
    };
    struct weir_permissions *p =
        confine(*state, "{\"net\":[\"*.test\",\"0.0.0.0/0\",\"::/0\"]}", 0);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct weir_http_settings settings = {.proxy = "http://p.test:1",
                                              .no_proxy = cases[i].no_proxy};

        assert_int_equal(weir_http_configure(*state, &settings, NULL), WEIR_OK);
        if (uses_proxy(*state, cases[i].url) != cases[i].proxied)
            fail_msg("'%s': %s", cases[i].no_proxy, cases[i].url);
    }
    release(*state, p);
}

/* ---- a client's calls ---- */

static void a_denied_call_is_not_tried_again(void **state)
{
    static const struct weir_call create = {
        .method = "POST", .path = "/x", .body = "{}", .body_len = 2};
    struct weir_client_config config = {.base_url = "http://127.0.0.1:9"};
    struct weir_permissions *p = confine(*state, "{}", 0);
    struct weir_client *client = NULL;
    struct weir_op *op = NULL;

    assert_int_equal(weir_client_new(*state, &config, &client, NULL), WEIR_OK);
    assert_int_equal(weir_client_call(client, &create, &op, NULL), WEIR_OK);
    assert_int_equal(weir_op_run(op, 10000), WEIR_DENIED);
    assert_false(weir_op_err(op)->maybe_done);
    assert_int_equal(weir_op_err(op)->attempts, 1);
    assert_non_null(strstr(weir_op_err(op)->hint, "127.0.0.1:9"));
    weir_op_free(op);
    weir_client_unref(client);
    release(*state, p);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, http_setup, http_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_name_is_asked_for_before_anything_is_sent),
        TEST(where_a_name_leads_is_asked_for),
        TEST(the_tenants_own_address_is_granted),
        TEST(a_redirect_asks_again),
        TEST(through_a_proxy_the_name_is_asked_for),
        TEST(no_proxy_is_read_as_libcurl_reads_it),
        TEST(a_denied_call_is_not_tried_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
