/* http_trace: who is told of requests, and of what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "http_ask.h"
#include "server.h"
#include "weir/http_trace.h"

/* What was told, in words. */
struct told {
    char text[2000];
    bool fresh[8];
    unsigned n_ended;
};

static void add(struct told *told, const char *text)
{
    strncat(told->text, text, sizeof(told->text) - strlen(told->text) - 1);
}

static void sent(void *ud, const struct weir_http_trace *t)
{
    struct told *told = ud;
    char line[300];

    snprintf(line, sizeof(line), "sent %s %s attempt %u%s\n", t->method,
             strrchr(t->url, '/'), t->attempt, t->secret ? " secret" : "");
    add(told, line);
    for (size_t i = 0; i < t->n_headers; i++) {
        add(told, t->headers[i]);
        add(told, "\n");
    }
    if (t->body_len > 0) {
        snprintf(line, sizeof(line), "%.*s\n", (int)t->body_len, t->body);
        add(told, line);
    }
    assert_null(t->response);
    assert_null(t->err);
}

static void ended(void *ud, const struct weir_http_trace *t)
{
    struct told *told = ud;
    char line[300];

    if (t->response)
        snprintf(line, sizeof(line), "%d %s\n", t->response->status,
                 t->response->body);
    else
        snprintf(line, sizeof(line), "%s\n",
                 t->err ? weir_code_word(t->err->code) : "given up");
    add(told, line);
    told->fresh[told->n_ended++ % 8] = t->fresh;
    assert_true(t->total >= 0);
    if (t->response) {
        assert_true(t->first_byte >= 0);
        assert_true(t->connected >= 0);
    }
}

static const struct weir_http_observer *observer(struct told *told)
{
    static struct weir_http_observer observer;

    memset(told, 0, sizeof(*told));
    observer = (struct weir_http_observer){sent, ended, told};
    return &observer;
}

static void observe(struct weir_loop *loop, struct told *told)
{
    struct weir_err err = WEIR_ERR_INIT;

    assert_int_equal(
        weir_http_observe(loop, told ? observer(told) : NULL, &err), WEIR_OK);
}

static void a_request_and_its_answer(void **state)
{
    static const struct server_step script[] = {READ, SEND(OK_HI), AGAIN};
    struct server *server = SERVER(script);
    struct weir_header headers[] = {{"Accept", "a/b"}, {"X-Empty", ""}};
    struct told told;

    observe(*state, &told);
    for (int i = 0; i < 2; i++)
        weir_op_free(ran(*state, &(struct weir_http_request){
                                     .method = "POST",
                                     .url = server_url(server, "/x"),
                                     .headers = headers,
                                     .n_headers = 2,
                                     .body = "the body",
                                     .body_len = 8,
                                     .attempt = 3,
                                     .secret = true,
                                 }));
    assert_string_equal(told.text, "sent POST /x attempt 3 secret\n"
                                   "Accept: a/b\nX-Empty;\nthe body\n200 hi\n"
                                   "sent POST /x attempt 3 secret\n"
                                   "Accept: a/b\nX-Empty;\nthe body\n200 hi\n");
    assert_true(told.fresh[0]);
    assert_false(told.fresh[1]);
    observe(*state, NULL);
    weir_op_free(got(*state, server_url(server, "/unseen")));
    assert_null(strstr(told.text, "unseen"));
    server_stop(server);
}

static void a_failure(void **state)
{
    static const struct server_step script[] = {READ, SEND("no HTTP\r\n\r\n")};
    struct server *server = SERVER(script);
    struct told told;

    observe(*state, &told);
    weir_op_free(got(*state, server_url(server, "/cut")));
    assert_string_equal(told.text, "sent GET /cut attempt 0\nprotocol\n");
    observe(*state, NULL);
    server_stop(server);
}

static void a_redirect_is_a_request_of_its_own(void **state)
{
    static const struct server_step script[] = {
        READ,
        SEND("HTTP/1.1 302 Found\r\nLocation: /there\r\n"
             "Content-Length: 0\r\n\r\n"),
        READ, SEND(OK_HI)};
    struct server *server = SERVER(script);
    struct told told;

    observe(*state, &told);
    weir_op_free(got(*state, server_url(server, "/here")));
    assert_string_equal(told.text, "sent GET /here attempt 0\n"
                                   "sent GET /there attempt 0\n200 hi\n");
    observe(*state, NULL);
    server_stop(server);
}

static void one_that_is_given_up(void **state)
{
    static const struct server_step script[] = {READ, SEND(OK_HI)};
    struct server *server = SERVER(script);
    struct told told;
    struct weir_op *op;

    observe(*state, &told);
    op = made(*state, &(struct weir_http_request){
                          .method = "GET", .url = server_url(server, "/left")});
    assert_int_equal(weir_op_run(op, 0), WEIR_TIMEOUT);
    weir_op_free(op);
    assert_string_equal(told.text, "sent GET /left attempt 0\ngiven up\n");
    observe(*state, NULL);
    server_stop(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_request_and_its_answer, http_setup,
                                        http_teardown),
        cmocka_unit_test_setup_teardown(a_failure, http_setup, http_teardown),
        cmocka_unit_test_setup_teardown(a_redirect_is_a_request_of_its_own,
                                        http_setup, http_teardown),
        cmocka_unit_test_setup_teardown(one_that_is_given_up, http_setup,
                                        http_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
