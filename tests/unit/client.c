/* client: what a call sends, when it sends it again, how it ends; fake
 * clock, fake transport. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rig.h"
#include "weir/client.h"
#include "weir/log.h"
#include "weir/value.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct fixture {
    struct weir_clock_fake clock;
    struct weir_loop *loop;
    struct weir_log *log;
    struct fake_transport fake;  /* of the API */
    struct fake_transport login; /* of the token endpoint */
    struct weir_client_config config;
    struct weir_client *client;
    struct weir_err err;
};

static int setup(void **state)
{
    static struct fixture f;

    memset(&f, 0, sizeof(f));
    rig_begin(&f.clock, &f.loop, &f.log);
    fake_transport_init(&f.fake);
    fake_transport_init(&f.login);
    f.config = (struct weir_client_config){
        .base_url = "https://api.test/base/",
        .transport = &f.fake.transport,
        .log = f.log,
    };
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    weir_client_unref(f->client);
    rig_end_transport(&f->fake);
    rig_end_transport(&f->login);
    rig_end(f->loop, f->log);
    weir_err_clear(&f->err);
    return 0;
}

static void make(struct fixture *f)
{
    assert_int_equal(weir_client_new(f->loop, &f->config, &f->client, &f->err),
                     WEIR_OK);
}

/* A client whose tokens come from f->login. */
static void make_with_auth(struct fixture *f)
{
    struct weir_auth_config config = {
        .kind = WEIR_AUTH_CLIENT_CREDENTIALS,
        .token_url = "https://login.test/token",
        .client_id = "the-id",
        .client_secret = "the-secret",
        .transport = &f->login.transport,
        .log = f->log,
    };

    assert_int_equal(weir_auth_new(f->loop, &config, &f->config.auth, NULL),
                     WEIR_OK);
    make(f);
    weir_auth_unref(f->config.auth); /* the client has its own */
}

static void token(struct fixture *f, const char *text, int life)
{
    char body[128];

    snprintf(body, sizeof(body), "{\"access_token\":\"%s\",\"expires_in\":%d}",
             text, life);
    fake_transport_answer(&f->login, 200, NULL, body);
}

static struct weir_op *call_op(struct fixture *f, const struct weir_call *call)
{
    struct weir_op *op = NULL;
    enum weir_code code = weir_client_call(f->client, call, &op, &f->err);

    assert_string_equal(f->err.message, "");
    assert_int_equal(code, WEIR_OK);
    return op;
}

/* Does the call; its error is left in f->err. */
static enum weir_code run(struct fixture *f, const struct weir_call *call)
{
    struct weir_op *op = call_op(f, call);
    enum weir_code code = weir_op_run(op, -1);

    weir_err_copy(&f->err, weir_op_err(op));
    weir_op_free(op);
    return code;
}

static enum weir_code again(struct fixture *f, const struct weir_call *call)
{
    weir_err_clear(&f->err);
    return run(f, call);
}

static const struct weir_call get = {.method = "GET", .path = "/x"};
static const struct weir_call post = {
    .method = "POST", .path = "/x", .body = "{}", .body_len = 2};

static void done(void *ud, struct weir_op *op)
{
    (void)op;
    ++*(int *)ud;
}

static int64_t sent(const struct fixture *f, size_t n)
{
    return f->fake.requests[n].time;
}

static void assert_says(const struct fixture *f, const char *part)
{
    if (!strstr(f->err.message, part))
        fail_msg("\"%s\" does not say \"%s\"", f->err.message, part);
}

/* ---- what is sent ---- */

static void a_call_is_sent_as_it_was_asked_for(void **state)
{
    struct fixture *f = *state;
    const struct weir_header headers[] = {{"X-Trace", "7"}};
    const struct weir_call put = {
        .method = "PUT",
        .path = "/filters/flt%201%2F%C3%A9%3F%23%25",
        .query = "a=1&b=%20",
        .headers = headers,
        .n_headers = 1,
        .body = "{\"a\":\"\0\"}",
        .body_len = 9,
        .if_match = "\"v1\"",
        .max_bytes = 1000,
    };
    const struct fake_request *r;
    struct weir_op *op;

    make(f);
    fake_transport_answer(&f->fake, 200, "ETag: \"v2\"", "{\"b\":2}");
    op = call_op(f, &put);
    assert_int_equal(weir_op_run(op, -1), WEIR_OK);
    assert_int_equal(weir_http_response(op)->status, 200);
    assert_string_equal(weir_http_response(op)->body, "{\"b\":2}");
    assert_string_equal(weir_http_header(weir_http_response(op), "etag", 0),
                        "\"v2\"");
    assert_null(weir_client_error_response(op));
    weir_op_free(op);
    r = &f->fake.requests[0];
    assert_string_equal(r->method, "PUT");
    assert_string_equal(r->url, "https://api.test/base/filters/"
                                "flt%201%2F%C3%A9%3F%23%25?a=1&b=%20");
    assert_string_equal(fake_request_header(r, "X-Trace"), "7");
    assert_string_equal(fake_request_header(r, "If-Match"), "\"v1\"");
    assert_string_equal(fake_request_header(r, "Content-Type"),
                        "application/json");
    assert_string_equal(fake_request_header(r, "Accept"), "application/json");
    assert_null(fake_request_header(r, "Authorization"));
    assert_int_equal(r->body_len, 9);
    assert_memory_equal(r->body, put.body, 9);
    assert_false(r->once);
    assert_int_equal(r->limits.max_bytes, 1000);
    assert_int_equal(r->limits.timeout_ms, 30000);
}

static void the_callers_own_headers_count(void **state)
{
    struct fixture *f = *state;
    const struct weir_header headers[] = {{"accept", "text/plain"},
                                          {"content-type", "text/csv"}};
    struct weir_call call = post;

    call.headers = headers;
    call.n_headers = 2;
    call.content_type = "application/json";
    make(f);
    fake_transport_answer(&f->fake, 200, NULL, "");
    assert_int_equal(run(f, &call), WEIR_OK);
    assert_int_equal(f->fake.requests[0].n_headers, 2);
    assert_string_equal(fake_request_header(&f->fake.requests[0], "Accept"),
                        "text/plain");
}

static void only_what_may_be_repeated_is_not_sent_once(void **state)
{
    static const struct {
        const char *method, *if_match;
        bool safe, once;
    } rows[] = {
        {"GET", NULL, false, false},       {"HEAD", NULL, false, false},
        {"POST", NULL, false, true},       {"POST", NULL, true, false},
        {"POST", "\"v\"", false, true},    {"PUT", NULL, false, true},
        {"PUT", "\"v\"", false, false},    {"DELETE", NULL, false, true},
        {"DELETE", "\"v\"", false, false}, {"PATCH", "\"v\"", false, true},
    };
    struct fixture *f = *state;

    make(f);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct weir_call call = {.method = rows[i].method,
                                 .path = "/x",
                                 .if_match = rows[i].if_match,
                                 .safe = rows[i].safe};

        fake_transport_answer(&f->fake, 204, NULL, "");
        assert_int_equal(run(f, &call), WEIR_OK);
        if (f->fake.requests[i].once != rows[i].once)
            fail_msg("row %zu (%s)", i, rows[i].method);
    }
}

static void what_cannot_be_sent_is_refused_at_once(void **state)
{
    static const struct weir_header bad_name = {"a b", "c"};
    static const struct weir_header bad_value = {"X-A", "b\r\nX-Evil: 1"};
    static const struct weir_header own_match = {"if-match", "\"1\""};
    static const struct weir_header own_auth = {"authorization", "Basic x"};
    static const struct {
        struct weir_call call;
        const char *says;
    } rows[] = {
        {{.method = NULL, .path = "/x"}, "method: "},
        {{.method = "get", .path = "/x"}, "method: "},
        {{.method = "GET\r\nX: 1", .path = "/x"}, "method: "},
        {{.method = "ABCDEFGHIJKLMNOP", .path = "/x"}, "method: "},
        {{.method = "GET", .path = NULL}, "path: "},
        {{.method = "GET", .path = ""}, "path: "},
        {{.method = "GET", .path = "x"}, "path: expected it to begin"},
        {{.method = "GET", .path = "https://evil.test/"}, "path: "},
        {{.method = "GET", .path = "@evil.test/"}, "path: "},
        {{.method = "GET", .path = "//evil.test/x"}, "path: expected a single"},
        {{.method = "GET", .path = "/\\evil.test/x"}, "path: byte 0x5C"},
        {{.method = "GET", .path = "/a b"}, "path: byte 0x20"},
        {{.method = "GET", .path = "/a\r\nHost: b"}, "path: byte 0x0D"},
        {{.method = "GET", .path = "/\xC3\xA9"}, "path: byte 0xC3"},
        {{.method = "GET", .path = "/a?b=c"}, "path: '?'"},
        {{.method = "GET", .path = "/a#b"}, "path: '#'"},
        {{.method = "GET", .path = "/a/../b"}, "path: '..'"},
        {{.method = "GET", .path = "/a/.."}, "path: '..'"},
        {{.method = "GET", .path = "/./a"}, "path: '.'"},
        {{.method = "GET", .path = "/a/%2e%2E/b"}, "path: '%2e%2E'"},
        {{.method = "GET", .path = "/a/.%2e"}, "path: '.%2e'"},
        {{.method = "GET", .path = "/a/..%00h"}, "path: '..%00h'"},
        {{.method = "GET", .path = "/a/%2e%00"}, "path: '%2e%00'"},
        {{.method = "GET", .path = "/x", .query = "a=b c"}, "query: byte 0x20"},
        {{.method = "GET", .path = "/x", .query = "a#b"}, "query: "},
        {{.method = "GET", .path = "/x", .query = "a=\\"}, "query: byte 0x5C"},
        {{.method = "PUT", .path = "/x", .if_match = "W/\"1\""},
         "if_match: a weak ETag"},
        {{.method = "PUT", .path = "/x", .if_match = ""}, "if_match: "},
        {{.method = "PUT", .path = "/x", .if_match = "\"1\"\r\nX: 1"},
         "if_match: "},
        {{.method = "PUT", .path = "/x", .content_type = "a\nb"},
         "content_type"},
        {{.method = "GET", .path = "/x", .headers = &bad_name, .n_headers = 1},
         "headers: "},
        {{.method = "GET", .path = "/x", .headers = &bad_value, .n_headers = 1},
         "headers: the value of 'X-A'"},
        {{.method = "GET", .path = "/x", .headers = &own_match, .n_headers = 1},
         "headers: 'If-Match'"},
        {{.method = "GET", .path = "/x", .headers = &own_auth, .n_headers = 1},
         "headers: 'Authorization'"},
    };
    struct fixture *f = *state;

    make_with_auth(f);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct weir_op *op = NULL;

        assert_int_equal(
            weir_client_call(f->client, &rows[i].call, &op, &f->err),
            WEIR_INVALID);
        assert_null(op);
        if (strncmp(f->err.message, rows[i].says, strlen(rows[i].says)) != 0)
            fail_msg("row %zu: \"%s\"", i, f->err.message);
    }
}

static void names_that_only_look_like_dots_are_sent(void **state)
{
    static const char *const paths[] = {"/...",       "/.a",   "/a..b",
                                        "/%2e%2e%2e", "/a/",   "/a//b",
                                        "/",          "/a%00", "/...%00"};
    struct fixture *f = *state;

    make(f);
    for (size_t i = 0; i < COUNT(paths); i++) {
        struct weir_call call = {.method = "GET", .path = paths[i]};

        fake_transport_answer(&f->fake, 200, NULL, "");
        assert_int_equal(run(f, &call), WEIR_OK);
        assert_string_equal(f->fake.requests[i].url +
                                strlen("https://api.test/base"),
                            paths[i]);
    }
}

static void an_unusable_base_url_is_refused(void **state)
{
    static const char *const urls[] = {
        NULL,
        "",
        "api.test",
        "ftp://api.test",
        "https://user:pw@api.test",
        "https://api.test/?a=1",
        "https://api.test/#x",
        "http://api.test",
        "https://api.test/a b",
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(urls); i++) {
        f->config.base_url = urls[i];
        assert_int_equal(
            weir_client_new(f->loop, &f->config, &f->client, &f->err),
            WEIR_INVALID);
        assert_memory_equal(f->err.message, "base_url", 8);
    }
}

/* ---- how a call ends ---- */

static void each_status_has_its_code(void **state)
{
    static const struct {
        int status;
        enum weir_code code;
    } rows[] = {
        {200, WEIR_OK},         {201, WEIR_OK},         {204, WEIR_OK},
        {302, WEIR_STATUS},     {304, WEIR_STATUS},     {400, WEIR_VALIDATION},
        {403, WEIR_PERMISSION}, {404, WEIR_NOT_FOUND},  {405, WEIR_STATUS},
        {409, WEIR_CONFLICT},   {410, WEIR_NOT_FOUND},  {412, WEIR_CONFLICT},
        {418, WEIR_STATUS},     {422, WEIR_VALIDATION}, {428, WEIR_CONFLICT},
        {401, WEIR_AUTH},       {500, WEIR_SERVER},     {501, WEIR_SERVER},
        {502, WEIR_AMBIGUOUS},  {504, WEIR_AMBIGUOUS},
    };
    struct fixture *f = *state;

    make(f);
    for (size_t i = 0; i < COUNT(rows); i++) {
        fake_transport_answer(&f->fake, rows[i].status, NULL, "");
        if (again(f, &post) != rows[i].code)
            fail_msg("%d: %s", rows[i].status, weir_code_word(f->err.code));
        if (rows[i].code) {
            assert_int_equal(f->err.status, rows[i].status);
            assert_int_equal(f->err.attempts, 1);
        }
    }
}

static void an_error_says_what_the_server_said(void **state)
{
    struct fixture *f = *state;
    struct weir_call call = get;
    struct weir_op *op;

    call.query = "token=abc";
    make(f);
    weir_log_secret(f->log, "s3cret", 6, NULL);
    fake_transport_answer(
        &f->fake, 422, "x-request-id: req-1\x1b[2J",
        "{\"message\":\"bad \\u001b[31mfilter\\r\\n for s3cret \",\"errors\":"
        "[{\"path\":\"/matchers/0\",\"message\":\"s3cret\",\"n\":1.50}]}");
    op = call_op(f, &call);
    assert_int_equal(weir_op_run(op, -1), WEIR_VALIDATION);
    weir_err_copy(&f->err, weir_op_err(op));
    assert_string_equal(f->err.message, "422 Unprocessable Content: bad "
                                        "[31mfilter for [redacted]");
    assert_string_equal(f->err.method, "GET");
    assert_string_equal(f->err.url, "https://api.test/base/x");
    assert_string_equal(f->err.request_id, "req-1 [2J");
    assert_int_equal(f->err.reach, WEIR_REACH_ANSWER);
    assert_string_equal(f->err.detail, "[{\"message\":\"[redacted]\",\"n\":1.50"
                                       ",\"path\":\"/matchers/0\"}]");
    assert_int_equal(weir_client_error_response(op)->status, 422);
    assert_null(weir_http_response(op));
    weir_op_free(op);
}

static void an_answer_that_is_no_json_says_its_status(void **state)
{
    static const char *const bodies[] = {
        "",   "<html>",          "[1]",     "{\"message\":7}",
        "{}", "{\"errors\":{}}", "\xFF\xFE"};
    struct fixture *f = *state;

    make(f);
    for (size_t i = 0; i < COUNT(bodies); i++) {
        fake_transport_answer(&f->fake, 404, NULL, bodies[i]);
        assert_int_equal(again(f, &get), WEIR_NOT_FOUND);
        assert_string_equal(f->err.message, "404 Not Found");
        assert_null(f->err.detail);
    }
}

static void a_long_message_is_cut_between_characters(void **state)
{
    struct fixture *f = *state;
    char *body = calloc(1, 40000);

    assert_non_null(body);
    strcpy(body, "{\"message\":\"");
    for (int i = 0; i < 10000; i++)
        strcpy(body + strlen("{\"message\":\"") + (size_t)i * 3,
               "\xE2\x82\xAC");
    strcat(body, "\"}");
    make(f);
    fake_transport_answer(&f->fake, 404, NULL, body);
    assert_int_equal(run(f, &get), WEIR_NOT_FOUND);
    assert_true(strlen(f->err.message) < 450);
    assert_int_equal(weir_utf8_valid(f->err.message, strlen(f->err.message)),
                     strlen(f->err.message));
    free(body);
}

/* ---- again ---- */

static void passing_trouble_is_waited_out(void **state)
{
    struct fixture *f = *state;

    make(f);
    fake_transport_fail(&f->fake, WEIR_TRANSPORT, WEIR_REACH_MAYBE, "reset");
    fake_transport_answer(&f->fake, 502, NULL, "");
    fake_transport_answer(&f->fake, 503, "Retry-After: 7", "");
    fake_transport_answer(&f->fake, 200, NULL, "{}");
    assert_int_equal(run(f, &get), WEIR_OK);
    assert_in_range(sent(f, 1) - sent(f, 0), 1, 500);
    assert_in_range(sent(f, 2) - sent(f, 1), 1, 1000);
    assert_int_equal(sent(f, 3) - sent(f, 2), 7000);
    assert_int_equal(weir_client_stats(f->client).requests, 4);
    assert_int_equal(weir_client_stats(f->client).retries, 3);
    assert_int_equal(weir_client_stats(f->client).rate_limited, 0);
}

static void after_the_last_attempt_the_error_says_so(void **state)
{
    struct fixture *f = *state;

    make(f);
    for (int i = 0; i < 4; i++)
        fake_transport_answer(&f->fake, 503, NULL, "{\"message\":\"busy\"}");
    assert_int_equal(run(f, &get), WEIR_SERVER);
    assert_string_equal(f->err.message, "503 Service Unavailable: busy; gave "
                                        "up after 4 attempts");
    assert_int_equal(f->err.attempts, 4);
}

static void a_wait_over_the_cap_is_told(void **state)
{
    struct fixture *f = *state;

    make(f);
    fake_transport_answer(&f->fake, 503, "Retry-After: 3600", "");
    assert_int_equal(run(f, &get), WEIR_SERVER);
    assert_says(f, "asks to wait 3600.0 s, more than the 20.0 s");
}

static void what_may_have_been_done_is_not_repeated(void **state)
{
    static const struct {
        enum weir_code code;
        enum weir_reach reach;
        enum weir_code want;
    } rows[] = {
        {WEIR_TRANSPORT, WEIR_REACH_MAYBE, WEIR_AMBIGUOUS},
        {WEIR_TRANSPORT, WEIR_REACH_ANSWER, WEIR_AMBIGUOUS},
        {WEIR_TIMEOUT, WEIR_REACH_MAYBE, WEIR_AMBIGUOUS},
        {WEIR_LIMIT, WEIR_REACH_ANSWER, WEIR_AMBIGUOUS},
        {WEIR_PROTOCOL, WEIR_REACH_ANSWER, WEIR_AMBIGUOUS},
    };
    struct fixture *f = *state;

    make(f);
    for (size_t i = 0; i < COUNT(rows); i++) {
        fake_transport_fail(&f->fake, rows[i].code, rows[i].reach, "reset");
        assert_int_equal(again(f, &post), rows[i].want);
        assert_string_equal(f->err.message,
                            "the call may have been done: reset");
        assert_non_null(strstr(f->err.hint, "look whether it was done"));
        assert_string_equal(f->err.method, "POST");
    }
    /* Nothing was sent, so the call can be sent again. */
    fake_transport_fail(&f->fake, WEIR_TRANSPORT, WEIR_REACH_NONE, "refused");
    fake_transport_answer(&f->fake, 201, NULL, "{}");
    assert_int_equal(again(f, &post), WEIR_OK);
}

static void a_repeated_change_that_met_itself_says_so(void **state)
{
    struct fixture *f = *state;
    const struct weir_call delete = {
        .method = "DELETE", .path = "/x", .if_match = "\"v1\""};

    make(f);
    fake_transport_fail(&f->fake, WEIR_TRANSPORT, WEIR_REACH_MAYBE, "reset");
    fake_transport_answer(&f->fake, 404, NULL, "");
    assert_int_equal(run(f, &delete), WEIR_NOT_FOUND);
    assert_non_null(strstr(f->err.hint, "may have been done"));
    /* A 429 says that it was not. */
    fake_transport_answer(&f->fake, 429, NULL, "");
    fake_transport_answer(&f->fake, 404, NULL, "");
    assert_int_equal(again(f, &delete), WEIR_NOT_FOUND);
    assert_string_equal(f->err.hint, "");
}

static void the_budget_ends_retries_in_an_outage(void **state)
{
    struct fixture *f = *state;
    size_t requests;

    f->config.rate = -1;
    make(f);
    /* 3 retries a call at 5 each: 500 last for 33 calls and one retry. */
    for (int i = 0; i < 33 * 4 + 2; i++)
        fake_transport_answer(&f->fake, 500, NULL, "");
    for (int i = 0; i < 33; i++)
        assert_int_equal(again(f, &get), WEIR_SERVER);
    assert_says(f, "gave up after 4 attempts");
    assert_int_equal(again(f, &get), WEIR_SERVER);
    assert_says(f, "retry budget is empty");
    for (int i = 0; i < 100; i++)
        fake_transport_answer(&f->fake, 500, NULL, "");
    requests = f->fake.n_requests;
    for (int i = 0; i < 100; i++)
        assert_int_equal(again(f, &get), WEIR_SERVER);
    assert_int_equal(f->fake.n_requests - requests, 100);
    /* Five successes pay for one retry, whose success gives it back. */
    for (int i = 0; i < 5; i++) {
        fake_transport_answer(&f->fake, 200, NULL, "");
        assert_int_equal(again(f, &get), WEIR_OK);
    }
    for (int i = 0; i < 10; i++) {
        fake_transport_answer(&f->fake, 500, NULL, "");
        fake_transport_answer(&f->fake, 200, NULL, "");
        assert_int_equal(again(f, &get), WEIR_OK);
    }
    fake_transport_fail(&f->fake, WEIR_TIMEOUT, WEIR_REACH_MAYBE, "too slow");
    assert_int_equal(again(f, &get), WEIR_TIMEOUT); /* a timeout costs 10 */
    assert_says(f, "too slow; not repeated");
}

/* ---- tokens ---- */

static void a_token_goes_with_every_request(void **state)
{
    struct fixture *f = *state;

    make_with_auth(f);
    token(f, "tok-1", 3600);
    for (int i = 0; i < 3; i++) {
        fake_transport_answer(&f->fake, 200, NULL, "");
        assert_int_equal(run(f, &get), WEIR_OK);
        assert_string_equal(
            fake_request_header(&f->fake.requests[i], "Authorization"),
            "Bearer tok-1");
    }
    assert_int_equal(f->login.n_requests, 1);
}

static void a_401_takes_a_new_token_once(void **state)
{
    struct fixture *f = *state;

    f->config.retry.attempts = 1; /* a new token is no retry */
    make_with_auth(f);
    token(f, "tok-1", 3600);
    token(f, "tok-2", 3600);
    fake_transport_answer(&f->fake, 401, NULL, "");
    fake_transport_answer(&f->fake, 201, NULL, "");
    assert_int_equal(run(f, &post), WEIR_OK);
    assert_string_equal(
        fake_request_header(&f->fake.requests[1], "Authorization"),
        "Bearer tok-2");
    assert_memory_equal(f->fake.requests[1].body, "{}", 3);
    /* The second 401 in one call is the end. */
    token(f, "tok-3", 3600);
    fake_transport_answer(&f->fake, 401, NULL, "");
    fake_transport_answer(&f->fake, 401, NULL, "{\"message\":\"no\"}");
    assert_int_equal(again(f, &get), WEIR_AUTH);
    assert_string_equal(f->err.message, "401 Unauthorized: no");
    assert_int_equal(f->err.attempts, 2);
    assert_int_equal(f->login.n_requests, 3);
}

static void a_401_to_many_takes_one_new_token(void **state)
{
    struct fixture *f = *state;
    struct weir_op *ops[50];
    int n = 0;

    make_with_auth(f);
    token(f, "tok-1", 3600);
    token(f, "tok-2", 3600);
    for (int i = 0; i < 50; i++) {
        fake_transport_answer(&f->fake, 401, NULL, "");
        fake_transport_delay(&f->fake, 10 + i); /* late ones, too */
    }
    for (int i = 0; i < 50; i++)
        fake_transport_answer(&f->fake, 200, NULL, "");
    for (int i = 0; i < 50; i++) {
        ops[i] = call_op(f, &get);
        weir_op_start(ops[i], done, &n);
    }
    rig_turn_until_idle(f->loop);
    assert_int_equal(n, 50);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(weir_op_code(ops[i]), WEIR_OK);
        weir_op_free(ops[i]);
    }
    assert_int_equal(f->login.n_requests, 2);
}

static void a_given_token_that_is_refused_is_not_tried_again(void **state)
{
    struct fixture *f = *state;
    struct weir_auth_config config = {.kind = WEIR_AUTH_BEARER,
                                      .token = "static"};

    assert_int_equal(weir_auth_new(f->loop, &config, &f->config.auth, NULL),
                     WEIR_OK);
    make(f);
    weir_auth_unref(f->config.auth);
    fake_transport_answer(&f->fake, 401, NULL, "");
    assert_int_equal(run(f, &get), WEIR_AUTH);
    assert_int_equal(f->err.attempts, 1);
}

static void without_a_token_nothing_is_sent(void **state)
{
    struct fixture *f = *state;

    make_with_auth(f);
    fake_transport_answer(&f->login, 401, NULL,
                          "{\"error\":\"invalid_client\"}");
    assert_int_equal(run(f, &get), WEIR_AUTH);
    assert_says(f, "invalid_client");
    assert_string_equal(f->err.url, "https://login.test/token");
    assert_int_equal(f->fake.n_requests, 0);
}

/* Calls over ten seconds with a token of two: none goes out stale. */
static void a_short_token_is_never_sent_stale(void **state)
{
    struct fixture *f = *state;
    int64_t start;

    make_with_auth(f);
    start = weir_loop_now(f->loop);
    for (int i = 0; i < 10; i++)
        token(f, "tok-1", 2);
    for (int i = 0; i < 100; i++) {
        fake_transport_answer(&f->fake, 200, NULL, "");
        assert_int_equal(run(f, &get), WEIR_OK);
        weir_clock_fake_advance(&f->clock, 100);
    }
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(f->login.requests[i].time - start, (int)i * 1000);
}

static void a_token_that_goes_stale_in_the_queue_is_renewed(void **state)
{
    struct fixture *f = *state;
    struct weir_op *ops[3];
    int n = 0;

    f->config.rate = 0.5; /* one call every two seconds */
    f->config.burst = 1;
    make_with_auth(f);
    for (int i = 0; i < 3; i++) {
        char name[24];

        snprintf(name, sizeof(name), "tok-%d", i);
        token(f, name, i == 2 ? 0 : 2); /* the last is stale at once */
        fake_transport_answer(&f->fake, 200, NULL, "");
    }
    for (int i = 0; i < 3; i++) {
        ops[i] = call_op(f, &get);
        weir_op_start(ops[i], done, &n);
    }
    rig_turn_until_idle(f->loop);
    for (int i = 0; i < 3; i++) {
        char value[32];

        snprintf(value, sizeof(value), "Bearer tok-%d", i);
        assert_string_equal(
            fake_request_header(&f->fake.requests[i], "Authorization"), value);
        assert_int_equal(sent(f, (size_t)i) - sent(f, 0), i * 2000);
        weir_op_free(ops[i]);
    }
}

/* ---- the rate limit and pauses ---- */

static void note_order(void *ud, struct weir_op *op)
{
    struct weir_op ***next = ud;

    *(*next)++ = op;
}

static void calls_go_in_order_of_asking(void **state)
{
    struct fixture *f = *state;
    struct weir_op *ops[20], *ended[20], **next = ended;

    f->config.rate = 10;
    f->config.burst = 5;
    make(f);
    for (int i = 0; i < 20; i++) {
        fake_transport_answer(&f->fake, 200, NULL, "");
        ops[i] = call_op(f, &get);
        weir_op_start(ops[i], note_order, &next);
    }
    assert_int_equal(f->fake.n_requests, 5);
    assert_string_equal(ops[5]->note, "waiting for the rate limit");
    /* One timer for the queue, beside each call's deadline and answers. */
    assert_int_equal(weir_loop_timers(f->loop), 20 + 5 + 1);
    rig_turn_until_idle(f->loop);
    for (int i = 0; i < 20; i++) {
        assert_ptr_equal(ended[i], ops[i]);
        assert_int_equal(sent(f, (size_t)i) - sent(f, 0),
                         i < 5 ? 0 : (i - 4) * 100);
        weir_op_free(ops[i]);
    }
}

static void a_late_call_does_not_overtake_the_queue(void **state)
{
    struct fixture *f = *state;
    static const char *const paths[] = {"/0", "/1", "/2"};
    struct weir_op *ops[3];
    int n = 0;

    f->config.rate = 10;
    f->config.burst = 1;
    make(f);
    for (int i = 0; i < 3; i++) {
        struct weir_call call = {.method = "GET", .path = paths[i]};

        fake_transport_answer(&f->fake, 200, NULL, "");
        ops[i] = call_op(f, &call);
        if (i == 2) /* the turn of 1 is due, but its timer has not fired */
            weir_clock_fake_advance(&f->clock, 100);
        weir_op_start(ops[i], done, &n);
    }
    rig_turn_until_idle(f->loop);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(f->fake.requests[i].url +
                                strlen("https://api.test/base"),
                            paths[i]);
        weir_op_free(ops[i]);
    }
}

static void a_429_pauses_everyone(void **state)
{
    struct fixture *f = *state;
    struct weir_op *ops[10];
    int n = 0;
    int64_t start;

    make(f);
    start = weir_loop_now(f->loop);
    fake_transport_answer(&f->fake, 429, "Retry-After: 5", "");
    for (int i = 0; i < 10; i++)
        fake_transport_answer(&f->fake, 200, NULL, "");
    ops[0] = call_op(f, &get);
    weir_op_start(ops[0], done, &n);
    weir_loop_turn(f->loop, 0, NULL);
    weir_loop_turn(f->loop, 0, NULL);
    assert_string_equal(ops[0]->note,
                        "429 from the server: again in 5.0 s (attempt 2 of 4)");
    for (int i = 1; i < 10; i++) {
        ops[i] = call_op(f, &post);
        weir_op_start(ops[i], done, &n);
        assert_string_equal(ops[i]->note, "paused after a 429 from the server: "
                                          "again in 5.0 s");
    }
    rig_turn_until_idle(f->loop);
    assert_int_equal(n, 10);
    for (size_t i = 1; i < f->fake.n_requests; i++)
        assert_true(sent(f, i) >= start + 5000);
    /* And not all in the moment that the pause is over. */
    assert_true(sent(f, 10) - sent(f, 1) >= 80);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(weir_op_code(ops[i]), WEIR_OK);
        weir_op_free(ops[i]);
    }
    assert_int_equal(weir_client_stats(f->client).rate_limited, 1);
}

static void a_token_that_comes_during_a_pause_waits_it_out(void **state)
{
    struct fixture *f = *state;
    struct weir_op *first, *second;
    int n = 0;

    make_with_auth(f);
    token(f, "tok-1", 2);
    fake_transport_answer(&f->fake, 429, "Retry-After: 5", "");
    fake_transport_delay(&f->fake, 1500);
    fake_transport_answer(&f->fake, 200, NULL, "");
    fake_transport_answer(&f->fake, 200, NULL, "");
    token(f, "tok-2", 3600);
    fake_transport_delay(&f->login, 1000);
    first = call_op(f, &get);
    second = call_op(f, &get);
    weir_op_start(first, done, &n);
    while (f->fake.n_requests == 0)
        weir_loop_turn(f->loop, -1, NULL);
    weir_clock_fake_advance(&f->clock, 1000); /* tok-1 is stale */
    weir_op_start(second, done, &n);
    rig_turn_until_idle(f->loop);
    assert_int_equal(n, 2);
    assert_int_equal(f->fake.n_requests, 3);
    assert_true(sent(f, 1) - sent(f, 0) >= 6500);
    assert_true(sent(f, 2) - sent(f, 0) >= 6500);
    weir_op_free(first);
    weir_op_free(second);
}

/* A call that has its turn already and waits for a token goes back into the
 * queue when a pause has begun meanwhile. */
static void a_pause_takes_a_turn_back(void **state)
{
    struct fixture *f = *state;
    struct weir_op *ops[2];
    int n = 0;

    f->config.rate = 1;
    f->config.burst = 1;
    make_with_auth(f);
    token(f, "tok-1", 1); /* stale after 500 ms */
    token(f, "tok-2", 3600);
    fake_transport_delay(&f->login, 1000);
    fake_transport_answer(&f->fake, 429, "Retry-After: 5", "");
    fake_transport_delay(&f->fake, 1500);
    fake_transport_answer(&f->fake, 200, NULL, "");
    fake_transport_answer(&f->fake, 200, NULL, "");
    for (int i = 0; i < 2; i++) {
        ops[i] = call_op(f, &get);
        weir_op_start(ops[i], done, &n);
    }
    rig_turn_until_idle(f->loop);
    assert_int_equal(n, 2);
    /* The second had its turn at 1 s, its token at 2 s; the 429 came at
     * 1.5 s, and its pause ended at 6.5 s. */
    assert_int_equal(f->login.requests[1].time - sent(f, 0), 1000);
    assert_int_equal(sent(f, 1) - sent(f, 0), 6500);
    assert_int_equal(sent(f, 2) - sent(f, 0), 7500);
    weir_op_free(ops[0]);
    weir_op_free(ops[1]);
}

static void a_429_costs_no_budget(void **state)
{
    struct fixture *f = *state;

    f->config.retry.attempts = 300;
    f->config.timeout_ms = 100000000;
    make(f);
    for (int i = 0; i < 200; i++)
        fake_transport_answer(&f->fake, 429, "Retry-After: 1", "");
    fake_transport_answer(&f->fake, 200, NULL, "");
    assert_int_equal(run(f, &get), WEIR_OK);
    assert_int_equal(weir_client_stats(f->client).rate_limited, 200);
}

static void still_429_at_the_end_is_rate(void **state)
{
    struct fixture *f = *state;

    make(f);
    for (int i = 0; i < 4; i++)
        fake_transport_answer(&f->fake, 429, "Retry-After: 1", "");
    assert_int_equal(run(f, &get), WEIR_RATE);
    assert_int_equal(sent(f, 3) - sent(f, 0), 3000);
}

/* ---- deadlines ---- */

static void a_deadline_ends_a_call_wherever_it_is(void **state)
{
    struct fixture *f = *state;
    struct weir_call call = get;
    int64_t start;

    call.timeout_ms = 3000;
    make_with_auth(f);
    /* waiting for a token */
    token(f, "tok-1", 3600);
    fake_transport_delay(&f->login, 60000);
    start = weir_loop_now(f->loop);
    assert_int_equal(again(f, &call), WEIR_TIMEOUT);
    assert_string_equal(
        f->err.message,
        "not done within 3.0 s (timeout), while waiting for a token");
    assert_int_equal(weir_loop_now(f->loop) - start, 3000);
    assert_true(f->login.requests[0].cancelled);
    /* waiting for the answer */
    token(f, "tok-1", 3600);
    fake_transport_answer(&f->fake, 200, NULL, "");
    fake_transport_delay(&f->fake, 60000);
    assert_int_equal(again(f, &call), WEIR_TIMEOUT);
    assert_string_equal(f->err.message, "not done within 3.0 s (timeout)");
    assert_int_equal(f->fake.requests[0].limits.timeout_ms, 2980);
    assert_true(f->fake.requests[0].cancelled);
    assert_int_equal(f->err.reach, WEIR_REACH_MAYBE);
    /* waiting for an answer, when one attempt has failed before */
    fake_transport_answer(&f->fake, 503, NULL, "");
    fake_transport_answer(&f->fake, 200, NULL, "");
    fake_transport_delay(&f->fake, 60000);
    assert_int_equal(again(f, &call), WEIR_TIMEOUT);
    assert_string_equal(
        f->err.message,
        "not done within 3.0 s (timeout); the attempt before: 503 "
        "Service Unavailable");
    /* a wait that the deadline does not allow is not begun */
    fake_transport_answer(&f->fake, 503, "Retry-After: 5", "");
    start = weir_loop_now(f->loop);
    assert_int_equal(again(f, &call), WEIR_TIMEOUT);
    assert_int_equal(f->err.status, 503);
    assert_says(f, "; waiting 5.0 s more, as the server asks, would pass the "
                   "deadline of the call (3.0 of 3.0 s left)");
    assert_int_equal(weir_loop_now(f->loop) - start, 0);
    /* nor one that is as long as nothing: then it is the time that is over */
    fake_transport_fail(&f->fake, WEIR_TIMEOUT, WEIR_REACH_MAYBE, "no answer");
    fake_transport_delay(&f->fake, 2980);
    assert_int_equal(again(f, &call), WEIR_TIMEOUT);
    assert_string_equal(f->err.message, "no answer; the call's 3.0 s are over");
}

static void a_deadline_in_the_queue_says_so(void **state)
{
    struct fixture *f = *state;
    struct weir_call call = get;

    call.timeout_ms = 500;
    f->config.rate = 1;
    f->config.burst = 1;
    make(f);
    fake_transport_answer(&f->fake, 200, NULL, "");
    assert_int_equal(again(f, &call), WEIR_OK);
    assert_int_equal(again(f, &call), WEIR_TIMEOUT);
    assert_says(f, "while waiting for its turn under the rate limit");
    assert_int_equal(f->err.attempts, 0);
    assert_int_equal(f->err.reach, WEIR_REACH_NONE);
}

static void a_deadline_leaves_a_change_ambiguous(void **state)
{
    struct fixture *f = *state;
    struct weir_call call = post;

    call.timeout_ms = 1000;
    make(f);
    fake_transport_answer(&f->fake, 201, NULL, "");
    fake_transport_delay(&f->fake, 60000);
    assert_int_equal(run(f, &call), WEIR_AMBIGUOUS);
    assert_string_equal(
        f->err.message,
        "the call may have been done: not done within 1.0 s (timeout)");
}

static void an_answer_at_the_deadline_counts(void **state)
{
    struct fixture *f = *state;
    struct weir_call call = post;

    call.timeout_ms = 1000;
    make(f);
    /* Both timers fire in one turn; the answer's was started later. */
    fake_transport_answer(&f->fake, 201, NULL, "");
    fake_transport_delay(&f->fake, 999);
    fake_transport_fail(&f->fake, WEIR_TIMEOUT, WEIR_REACH_NONE, "no connect");
    fake_transport_delay(&f->fake, 999);
    for (int i = 0; i < 2; i++) {
        struct weir_op *op = call_op(f, &call);
        int n = 0;

        weir_op_start(op, done, &n);
        weir_loop_turn(f->loop, 0, NULL);
        weir_clock_fake_advance(&f->clock, 1000);
        weir_loop_turn(f->loop, 0, NULL);
        weir_loop_turn(f->loop, 0, NULL);
        assert_int_equal(n, 1);
        assert_int_equal(weir_op_code(op), i == 0 ? WEIR_OK : WEIR_TIMEOUT);
        weir_op_free(op);
    }
}

/* ---- cancelling ---- */

/* One turn at a time, cancelled after the n-th: nothing is left behind
 * wherever it happens. */
static void cancelling_at_any_moment_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    int n = 0, turns = 0;
    bool ended = false;

    f->config.rate = 1;
    f->config.burst = 1;
    make_with_auth(f);
    while (!ended) {
        struct weir_op *op = call_op(f, &get);

        turns++;
        for (int i = 0; i < 6; i++) /* stale after each wait */
            token(f, "tok-1", 2);
        fake_transport_answer(&f->fake, 401, NULL, "");
        fake_transport_answer(&f->fake, 503, "Retry-After: 3", "");
        fake_transport_answer(&f->fake, 200, NULL, "");
        weir_op_start(op, done, &n);
        for (int i = 1; i < turns && n == 0; i++)
            weir_loop_turn(f->loop, -1, NULL);
        ended = n > 0;
        if (turns % 2)
            weir_op_cancel(op);
        weir_op_free(op);
        assert_true(weir_loop_idle(f->loop));
        assert_int_equal(f->fake.live, 0);
        assert_int_equal(f->login.live, 0);
        weir_auth_invalidate(f->config.auth, NULL);
        fake_transport_fini(&f->fake); /* the answers that were not needed */
        fake_transport_fini(&f->login);
        weir_clock_fake_advance(&f->clock, 5000);
    }
    assert_in_range(turns, 8, 40);
}

static void one_that_leaves_the_queue_lets_the_others_go(void **state)
{
    struct fixture *f = *state;
    struct weir_op *ops[4];
    int n = 0;

    f->config.rate = 10;
    f->config.burst = 1;
    make(f);
    for (int i = 0; i < 4; i++) {
        ops[i] = call_op(f, &get);
        if (i == 0 || i == 2)
            fake_transport_answer(&f->fake, 200, NULL, "");
        weir_op_start(ops[i], done, &n);
    }
    weir_op_free(ops[1]);   /* the first who waits */
    weir_op_cancel(ops[3]); /* the last */
    rig_turn_until_idle(f->loop);
    assert_int_equal(n, 2);
    assert_int_equal(sent(f, 1) - sent(f, 0), 100);
    weir_op_free(ops[0]);
    weir_op_free(ops[2]);
    weir_op_free(ops[3]);
}

static void a_call_outlives_its_clients_owner(void **state)
{
    struct fixture *f = *state;
    struct weir_op *op;

    make_with_auth(f);
    token(f, "tok-1", 3600);
    fake_transport_answer(&f->fake, 200, NULL, "");
    op = call_op(f, &get);
    weir_client_unref(f->client);
    f->client = NULL;
    assert_int_equal(weir_op_run(op, -1), WEIR_OK);
    weir_op_free(op);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_call_is_sent_as_it_was_asked_for),
        TEST(the_callers_own_headers_count),
        TEST(only_what_may_be_repeated_is_not_sent_once),
        TEST(what_cannot_be_sent_is_refused_at_once),
        TEST(names_that_only_look_like_dots_are_sent),
        TEST(an_unusable_base_url_is_refused),
        TEST(each_status_has_its_code),
        TEST(an_error_says_what_the_server_said),
        TEST(an_answer_that_is_no_json_says_its_status),
        TEST(a_long_message_is_cut_between_characters),
        TEST(passing_trouble_is_waited_out),
        TEST(after_the_last_attempt_the_error_says_so),
        TEST(a_wait_over_the_cap_is_told),
        TEST(what_may_have_been_done_is_not_repeated),
        TEST(a_repeated_change_that_met_itself_says_so),
        TEST(the_budget_ends_retries_in_an_outage),
        TEST(a_token_goes_with_every_request),
        TEST(a_401_takes_a_new_token_once),
        TEST(a_401_to_many_takes_one_new_token),
        TEST(a_given_token_that_is_refused_is_not_tried_again),
        TEST(without_a_token_nothing_is_sent),
        TEST(a_short_token_is_never_sent_stale),
        TEST(a_token_that_goes_stale_in_the_queue_is_renewed),
        TEST(calls_go_in_order_of_asking),
        TEST(a_late_call_does_not_overtake_the_queue),
        TEST(a_429_pauses_everyone),
        TEST(a_token_that_comes_during_a_pause_waits_it_out),
        TEST(a_pause_takes_a_turn_back),
        TEST(a_429_costs_no_budget),
        TEST(still_429_at_the_end_is_rate),
        TEST(a_deadline_ends_a_call_wherever_it_is),
        TEST(a_deadline_in_the_queue_says_so),
        TEST(a_deadline_leaves_a_change_ambiguous),
        TEST(an_answer_at_the_deadline_counts),
        TEST(cancelling_at_any_moment_leaves_nothing),
        TEST(one_that_leaves_the_queue_lets_the_others_go),
        TEST(a_call_outlives_its_clients_owner),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
