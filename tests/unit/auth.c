/* auth: token requests byte by byte, cache, renewal, single flight, refusals;
 * fake clock, fake transport. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rig.h"
#include "weir/auth.h"
#include "weir/log.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define TOKEN_OK(life)                                                         \
    "{\"access_token\":\"tok-1234\",\"token_type\":\"Bearer\","                \
    "\"expires_in\":" life "}"

struct fixture {
    struct weir_clock_fake clock;
    struct weir_loop *loop;
    struct weir_log *log;
    struct fake_transport fake;
    struct weir_auth_config config;
    struct weir_auth *auth;
    struct weir_err err;
};

static int setup(void **state)
{
    static struct fixture f;

    memset(&f, 0, sizeof(f));
    rig_begin(&f.clock, &f.loop, &f.log);
    fake_transport_init(&f.fake);
    f.config = (struct weir_auth_config){
        .kind = WEIR_AUTH_CLIENT_CREDENTIALS,
        .token_url = "https://login.test/as/token",
        .client_id = "the-id",
        .client_secret = "the-secret",
        .transport = &f.fake.transport,
        .log = f.log,
    };
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    weir_auth_unref(f->auth);
    rig_end_transport(&f->fake);
    rig_end(f->loop, f->log);
    weir_err_clear(&f->err);
    return 0;
}

static void make(struct fixture *f)
{
    assert_int_equal(weir_auth_new(f->loop, &f->config, &f->auth, &f->err),
                     WEIR_OK);
}

static struct weir_op *ask(struct fixture *f)
{
    struct weir_op *op = NULL;

    assert_int_equal(weir_auth_token_new(f->auth, &op, NULL), WEIR_OK);
    return op;
}

/* Asks and waits; the error is left in f->err. */
static enum weir_code get(struct fixture *f, const char *want)
{
    struct weir_op *op = ask(f);
    enum weir_code code = weir_op_run(op, -1);

    if (want) {
        assert_string_equal(weir_op_err(op)->message, "");
        assert_string_equal(weir_auth_token(op), want);
    }
    weir_err_copy(&f->err, weir_op_err(op));
    weir_op_free(op);
    return code;
}

static void done(void *ud, struct weir_op *op)
{
    (void)op;
    ++*(int *)ud;
}

/* ---- what is sent ---- */

static void client_credentials_go_in_the_form(void **state)
{
    struct fixture *f = *state;
    const struct weir_header fields[] = {{"tenant", "a b&c=\xC3\xA9"}};
    const struct fake_request *r;

    f->config.client_secret = "s/e+c r:et%";
    f->config.scope = "event-processing:read analytics:read";
    f->config.fields = fields;
    f->config.n_fields = 1;
    make(f);
    fake_transport_answer(&f->fake, 200, NULL, TOKEN_OK("3600"));
    assert_int_equal(get(f, "tok-1234"), WEIR_OK);
    r = &f->fake.requests[0];
    assert_string_equal(r->method, "POST");
    assert_string_equal(r->url, "https://login.test/as/token");
    assert_string_equal(fake_request_header(r, "Content-Type"),
                        "application/x-www-form-urlencoded");
    assert_null(fake_request_header(r, "Authorization"));
    assert_string_equal(r->body,
                        "grant_type=client_credentials&client_id=the-id"
                        "&client_secret=s%2Fe%2Bc%20r%3Aet%25"
                        "&scope=event-processing%3Aread%20analytics%3Aread"
                        "&tenant=a%20b%26c%3D%C3%A9");
    assert_int_equal(r->body_len, strlen(r->body));
    assert_false(r->once);
    assert_false(r->allow_plain_http);
}

static void an_access_key_goes_with_basic_credentials(void **state)
{
    struct fixture *f = *state;
    const struct fake_request *r;

    f->config.kind = WEIR_AUTH_ACCESS_KEY;
    f->config.client_id = "i:d";
    f->config.client_secret = "s e\xC3\xA9?";
    f->config.access_key_id = "KEY";
    f->config.access_key_secret = "key-secret=";
    make(f);
    fake_transport_answer(&f->fake, 200, NULL, TOKEN_OK("3600"));
    assert_int_equal(get(f, "tok-1234"), WEIR_OK);
    r = &f->fake.requests[0];
    /* base64("i%3Ad:s%20e%C3%A9%3F") */
    assert_string_equal(fake_request_header(r, "Authorization"),
                        "Basic aSUzQWQ6cyUyMGUlQzMlQTklM0Y=");
    assert_string_equal(r->body, "grant_type=password&username=KEY"
                                 "&password=key-secret%3D");
}

static void basic_credentials_of_every_length_are_base64(void **state)
{
    static const struct {
        const char *secret, *want;
    } rows[] = {
        {"abcd", "Basic aWQ6YWJjZA=="},
        {"abcde", "Basic aWQ6YWJjZGU="},
        {"abcdef", "Basic aWQ6YWJjZGVm"},
    };
    struct fixture *f = *state;

    f->config.kind = WEIR_AUTH_ACCESS_KEY;
    f->config.client_id = "id";
    f->config.access_key_id = "KEY";
    f->config.access_key_secret = "key-secret";
    for (size_t i = 0; i < COUNT(rows); i++) {
        f->config.client_secret = rows[i].secret;
        make(f);
        fake_transport_answer(&f->fake, 200, NULL, TOKEN_OK("3600"));
        assert_int_equal(get(f, NULL), WEIR_OK);
        assert_string_equal(
            fake_request_header(&f->fake.requests[i], "Authorization"),
            rows[i].want);
        weir_auth_unref(f->auth);
    }
    f->auth = NULL;
}

static void a_bearer_token_is_given_as_it_is(void **state)
{
    struct fixture *f = *state;

    f->config = (struct weir_auth_config){.kind = WEIR_AUTH_BEARER,
                                          .token = "static-token"};
    make(f);
    assert_int_equal(get(f, "static-token"), WEIR_OK);
    assert_false(weir_auth_renewable(f->auth));
    weir_auth_invalidate(f->auth, NULL);
    assert_string_equal(weir_auth_cached(f->auth), "static-token");
    assert_int_equal(weir_auth_fetches(f->auth), 0);
}

static void unusable_settings_are_named(void **state)
{
    struct fixture *f = *state;
    const struct weir_header twice = {"client_id", "x"};
    struct weir_auth_config good = f->config, configs[8];
    static const char *const says[] = {
        "token_url is missing", "token_url: ",     "token_url: ",
        "client_id is missing", "client_secret: ", "access_key_id is missing",
        "fields: 'client_id'",  "token: ",
    };

    for (size_t i = 0; i < COUNT(configs); i++)
        configs[i] = good;
    configs[0].token_url = NULL;
    configs[1].token_url = "not a url";
    configs[2].token_url = "http://login.test/token"; /* in clear */
    configs[3].client_id = "";
    configs[4].client_secret = "abc";
    configs[5].kind = WEIR_AUTH_ACCESS_KEY;
    configs[6].fields = &twice;
    configs[6].n_fields = 1;
    configs[7].kind = WEIR_AUTH_BEARER;
    configs[7].token = "a\r\nX-Evil: 1";
    for (size_t i = 0; i < COUNT(configs); i++) {
        assert_int_equal(weir_auth_new(f->loop, &configs[i], &f->auth, &f->err),
                         WEIR_INVALID);
        assert_null(f->auth);
        if (strncmp(f->err.message, says[i], strlen(says[i])) != 0)
            fail_msg("\"%s\" does not begin with \"%s\"", f->err.message,
                     says[i]);
    }
    good.token_url = "http://login.test/token";
    good.allow_plain_http = true;
    assert_int_equal(weir_auth_new(f->loop, &good, &f->auth, &f->err), WEIR_OK);
}

/* ---- the cache ---- */

struct life {
    const char *expires_in;
    int64_t fresh_ms; /* valid for so long after it was asked for */
};

static void a_token_is_renewed_before_its_end(void **state)
{
    static const struct life lives[] = {
        {"\"expires_in\":3600", 3570000},       {"\"expires_in\":60", 30000},
        {"\"expires_in\":59", 29500},           {"\"expires_in\":2", 1000},
        {"\"expires_in\":\"90\"", 60000},       {"\"expires_in\":90.5", 60500},
        {"\"expires_in\":null", 270000},        {"\"other\":1", 270000},
        {"\"expires_in\":1e300", 999999970000},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(lives); i++) {
        char body[128];

        snprintf(body, sizeof(body), "{\"access_token\":\"tok-%zu\",%s}", i,
                 lives[i].expires_in);
        make(f);
        fake_transport_answer(&f->fake, 200, NULL, body);
        assert_int_equal(get(f, NULL), WEIR_OK);
        weir_clock_fake_advance(&f->clock, lives[i].fresh_ms - 1);
        if (!weir_auth_cached(f->auth))
            fail_msg("%s: too early", lives[i].expires_in);
        weir_clock_fake_advance(&f->clock, 1);
        if (weir_auth_cached(f->auth))
            fail_msg("%s: too late", lives[i].expires_in);
        weir_auth_unref(f->auth);
    }
    f->auth = NULL;
}

static void life_counts_from_the_asking(void **state)
{
    struct fixture *f = *state;

    make(f);
    fake_transport_answer(&f->fake, 200, NULL, TOKEN_OK("100"));
    fake_transport_delay(&f->fake, 15000);
    assert_int_equal(get(f, "tok-1234"), WEIR_OK);
    weir_clock_fake_advance(&f->clock, 70000 - 15000 - 1);
    assert_non_null(weir_auth_cached(f->auth));
    weir_clock_fake_advance(&f->clock, 1);
    assert_null(weir_auth_cached(f->auth));
    f->clock.wall_ms -= 3600000; /* set back: the other clock knows */
    assert_null(weir_auth_cached(f->auth));
}

static void a_machine_that_slept_does_not_send_a_stale_token(void **state)
{
    struct fixture *f = *state;

    make(f);
    fake_transport_answer(&f->fake, 200, NULL, TOKEN_OK("3600"));
    assert_int_equal(get(f, "tok-1234"), WEIR_OK);
    f->clock.wall_ms += 3600000; /* the monotonic clock stood still */
    assert_null(weir_auth_cached(f->auth));
}

static void a_fresh_token_costs_nothing(void **state)
{
    struct fixture *f = *state;

    make(f);
    fake_transport_answer(&f->fake, 200, NULL, TOKEN_OK("3600"));
    for (int i = 0; i < 10; i++)
        assert_int_equal(get(f, "tok-1234"), WEIR_OK);
    assert_int_equal(weir_auth_fetches(f->auth), 1);
    assert_int_equal(f->fake.n_requests, 1);
}

static void a_token_without_life_serves_those_who_asked(void **state)
{
    struct fixture *f = *state;

    make(f);
    fake_transport_answer(&f->fake, 200, NULL, TOKEN_OK("0"));
    fake_transport_answer(&f->fake, 200, NULL, TOKEN_OK("0"));
    assert_int_equal(get(f, "tok-1234"), WEIR_OK);
    assert_null(weir_auth_cached(f->auth));
    assert_int_equal(get(f, "tok-1234"), WEIR_OK);
}

static void only_the_token_that_was_refused_is_dropped(void **state)
{
    struct fixture *f = *state;

    make(f);
    fake_transport_answer(&f->fake, 200, NULL, TOKEN_OK("3600"));
    assert_int_equal(get(f, "tok-1234"), WEIR_OK);
    weir_auth_invalidate(f->auth, "tok-0000"); /* a late 401 */
    assert_non_null(weir_auth_cached(f->auth));
    weir_auth_invalidate(f->auth, "tok-1234");
    assert_null(weir_auth_cached(f->auth));
    weir_auth_invalidate(f->auth, NULL); /* nothing there: no harm */
    fake_transport_answer(&f->fake, 200, NULL, TOKEN_OK("3600"));
    assert_int_equal(get(f, "tok-1234"), WEIR_OK);
    weir_auth_invalidate(f->auth, NULL);
    assert_null(weir_auth_cached(f->auth));
}

/* RFC 6749 section 5.1: an answer may say what it grants. */
static void life_and_scope_are_those_of_the_answer(void **state)
{
    struct fixture *f = *state;

    make(f);
    assert_true(weir_auth_left_ms(f->auth) < 0);
    assert_null(weir_auth_scope(f->auth));
    fake_transport_answer(&f->fake, 200, NULL,
                          "{\"access_token\":\"tok-1234\",\"scope\":"
                          "\"read\",\"expires_in\":3600}");
    assert_int_equal(get(f, "tok-1234"), WEIR_OK);
    assert_string_equal(weir_auth_scope(f->auth), "read");
    assert_in_range(weir_auth_left_ms(f->auth), 3590000, 3600000);
    weir_auth_invalidate(f->auth, NULL);
    assert_true(weir_auth_left_ms(f->auth) < 0);
    assert_null(weir_auth_scope(f->auth));
    /* What is no text decides nothing. */
    fake_transport_answer(&f->fake, 200, NULL,
                          "{\"access_token\":\"tok-1234\",\"scope\":[1],"
                          "\"expires_in\":0}");
    assert_int_equal(get(f, "tok-1234"), WEIR_OK);
    assert_null(weir_auth_scope(f->auth));
    assert_int_equal(weir_auth_left_ms(f->auth), 0);
    /* A scope beside a token that cannot be used goes with it. */
    weir_auth_invalidate(f->auth, NULL);
    fake_transport_answer(&f->fake, 200, NULL,
                          "{\"access_token\":\"\",\"scope\":\"read\"}");
    assert_int_equal(get(f, NULL), WEIR_PROTOCOL);
    assert_null(weir_auth_scope(f->auth));
}

/* ---- single flight ---- */

static void fifty_askers_share_one_request(void **state)
{
    struct fixture *f = *state;
    struct weir_op *ops[50];
    int n = 0;

    make(f);
    fake_transport_answer(&f->fake, 200, NULL, TOKEN_OK("3600"));
    fake_transport_delay(&f->fake, 100);
    for (size_t i = 0; i < 50; i++) {
        ops[i] = ask(f);
        weir_op_start(ops[i], done, &n);
        if (i == 25)
            weir_loop_turn(f->loop, 0, NULL);
    }
    weir_auth_unref(f->auth); /* the ops keep it alive */
    f->auth = NULL;
    rig_turn_until_idle(f->loop);
    assert_int_equal(n, 50);
    assert_int_equal(f->fake.n_requests, 1);
    for (size_t i = 0; i < 50; i++) {
        assert_string_equal(weir_auth_token(ops[i]), "tok-1234");
        weir_op_free(ops[i]);
    }
}

static void cancelling_one_leaves_the_fetch_to_the_others(void **state)
{
    struct fixture *f = *state;
    struct weir_op *ops[3];
    int n = 0;

    make(f);
    fake_transport_answer(&f->fake, 200, NULL, TOKEN_OK("3600"));
    fake_transport_delay(&f->fake, 100);
    for (size_t i = 0; i < 3; i++) {
        ops[i] = ask(f);
        weir_op_start(ops[i], done, &n);
    }
    weir_op_cancel(ops[0]); /* who began it */
    weir_op_free(ops[2]);
    rig_turn_until_idle(f->loop);
    assert_int_equal(n, 1);
    assert_string_equal(weir_auth_token(ops[1]), "tok-1234");
    weir_op_free(ops[0]);
    weir_op_free(ops[1]);
}

static void cancelling_the_last_ends_the_fetch(void **state)
{
    struct fixture *f = *state;
    struct weir_op *op;
    int n = 0;

    make(f);
    /* While the request is out … */
    fake_transport_answer(&f->fake, 200, NULL, TOKEN_OK("3600"));
    fake_transport_delay(&f->fake, 100);
    op = ask(f);
    weir_op_start(op, done, &n);
    weir_op_cancel(op);
    assert_true(weir_loop_idle(f->loop));
    assert_true(f->fake.requests[0].cancelled);
    weir_op_free(op);
    /* … and during a backoff. */
    fake_transport_answer(&f->fake, 503, NULL, "");
    op = ask(f);
    weir_op_start(op, done, &n);
    weir_loop_turn(f->loop, 0, NULL);
    assert_int_equal(weir_loop_timers(f->loop), 1);
    assert_non_null(strstr(op->note, "503 from the server: again in "));
    assert_non_null(strstr(op->note, "(attempt 2 of 4)"));
    weir_op_free(op);
    assert_true(weir_loop_idle(f->loop));
    assert_int_equal(n, 0);
    /* The next one starts afresh. */
    fake_transport_answer(&f->fake, 200, NULL, TOKEN_OK("3600"));
    assert_int_equal(get(f, "tok-1234"), WEIR_OK);
}

static void a_failure_reaches_all_and_the_next_starts_afresh(void **state)
{
    struct fixture *f = *state;
    struct weir_op *ops[5];
    int n = 0;

    make(f);
    fake_transport_answer(&f->fake, 401, NULL,
                          "{\"error\":\"invalid_client\"}");
    for (size_t i = 0; i < 5; i++) {
        ops[i] = ask(f);
        weir_op_start(ops[i], done, &n);
    }
    rig_turn_until_idle(f->loop);
    assert_int_equal(n, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(weir_op_code(ops[i]), WEIR_AUTH);
        assert_null(weir_auth_token(ops[i]));
        weir_op_free(ops[i]);
    }
    fake_transport_answer(&f->fake, 200, NULL, TOKEN_OK("3600"));
    assert_int_equal(get(f, "tok-1234"), WEIR_OK);
}

/* ---- refusals and failures ---- */

static void refused_credentials_are_told_and_not_repeated(void **state)
{
    struct fixture *f = *state;

    make(f);
    fake_transport_answer(&f->fake, 401, "X-Request-Id: r-7",
                          "{\"error\":\"invalid_client\","
                          "\"error_description\":\"no \\u001b[31mclient\\n"
                          "with the-secret \\u202ehere\"}");
    assert_int_equal(get(f, NULL), WEIR_AUTH);
    assert_string_equal(f->err.message,
                        "no token: the token endpoint answered 401 "
                        "Unauthorized: invalid_client: no [31mclient with "
                        "[redacted] here");
    assert_int_equal(f->err.status, 401);
    assert_int_equal(f->err.attempts, 1);
    assert_string_equal(f->err.method, "POST");
    assert_string_equal(f->err.url, "https://login.test/as/token");
    assert_string_equal(f->err.request_id, "r-7");
    assert_non_null(strstr(f->err.hint, "client id"));
}

static void a_long_refusal_is_cut(void **state)
{
    struct fixture *f = *state;
    char body[6000] = "{\"error\":\"invalid_scope\",\"error_description\":\"";

    for (int i = 0; i < 1000; i++)
        strcat(body, "\xE2\x82\xAC ");
    strcat(body, "\"}");
    make(f);
    fake_transport_answer(&f->fake, 400, NULL, body);
    assert_int_equal(get(f, NULL), WEIR_AUTH);
    assert_true(strlen(f->err.message) < 500);
    assert_string_equal(f->err.message + strlen(f->err.message) - 3,
                        "\xE2\x80\xA6");
}

static void each_status_has_its_code(void **state)
{
    static const struct {
        int status;
        enum weir_code code;
        unsigned requests;
    } rows[] = {
        {400, WEIR_AUTH, 1},     {401, WEIR_AUTH, 1},     {403, WEIR_AUTH, 1},
        {404, WEIR_PROTOCOL, 1}, {302, WEIR_PROTOCOL, 1}, {429, WEIR_RATE, 4},
        {500, WEIR_SERVER, 4},   {503, WEIR_SERVER, 4},
    };
    struct fixture *f = *state;

    make(f);
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t before = f->fake.n_requests;

        for (unsigned n = 0; n < rows[i].requests; n++)
            fake_transport_answer(&f->fake, rows[i].status, NULL, "<html>");
        assert_int_equal(get(f, NULL), rows[i].code);
        assert_int_equal(f->fake.n_requests - before, rows[i].requests);
        assert_int_equal(f->err.attempts, rows[i].requests);
        assert_int_equal(f->err.status, rows[i].status);
        if (rows[i].requests == 4)
            assert_non_null(strstr(f->err.message, "gave up after 4 attempts"));
    }
}

static void passing_trouble_is_waited_out(void **state)
{
    struct fixture *f = *state;

    make(f);
    fake_transport_fail(&f->fake, WEIR_TRANSPORT, WEIR_REACH_MAYBE, "reset");
    fake_transport_answer(&f->fake, 429, "Retry-After: 7", "");
    fake_transport_answer(&f->fake, 502, NULL, "");
    fake_transport_answer(&f->fake, 200, NULL, TOKEN_OK("3600"));
    assert_int_equal(get(f, "tok-1234"), WEIR_OK);
    assert_int_equal(f->fake.requests[2].time - f->fake.requests[1].time, 7000);
    assert_in_range(f->fake.requests[1].time - f->fake.requests[0].time, 1,
                    500);
}

static void a_transport_that_fails_for_good_says_how(void **state)
{
    struct fixture *f = *state;

    f->config.retry.attempts = 2;
    make(f);
    for (int i = 0; i < 2; i++)
        fake_transport_fail(&f->fake, WEIR_TRANSPORT, WEIR_REACH_NONE,
                            "connection refused");
    assert_int_equal(get(f, NULL), WEIR_TRANSPORT);
    assert_string_equal(f->err.message, "no token: connection refused; gave "
                                        "up after 2 attempts");
    assert_string_equal(f->err.url, "https://login.test/as/token");
}

static void answers_that_cannot_be_used_are_refused(void **state)
{
    static const char *const bodies[] = {
        "",
        "not json",
        "[]",
        "{}",
        "{\"access_token\":null}",
        "{\"access_token\":17}",
        "{\"access_token\":\"\"}",
        "{\"access_token\":\"abc\"}",
        "{\"access_token\":\"tok\\r\\nX-Evil: 1\"}",
        "{\"access_token\":\"tok\\u0000en\"}",
        "{\"access_token\":\"two words\"}",
        "{\"access_token\":\"t\xC3\xB6ken\"}",
        "{\"access_token\":\"tok-1234\",\"token_type\":\"mac\"}",
        "{\"access_token\":\"tok-1234\",\"token_type\":7}",
        "{\"access_token\":\"tok-1234\",\"expires_in\":\"soon\"}",
        "{\"access_token\":\"tok-1234\",\"expires_in\":\"\"}",
        "{\"access_token\":\"tok-1234\",\"expires_in\":-1}",
        "{\"access_token\":\"tok-1234\",\"expires_in\":true}",
        "{\"access_token\":\"tok-1234\"",
    };
    struct fixture *f = *state;

    make(f);
    for (size_t i = 0; i < COUNT(bodies); i++) {
        fake_transport_answer(&f->fake, 200, NULL, bodies[i]);
        if (get(f, NULL) != WEIR_PROTOCOL)
            fail_msg("%s: code %s", bodies[i], weir_code_word(f->err.code));
        assert_null(strstr(f->err.message, "tok-1234"));
        assert_int_equal(f->err.status, 200);
    }
}

static void a_token_may_be_as_long_as_a_header(void **state)
{
    struct fixture *f = *state;
    char *body = calloc(1, 20000);

    assert_non_null(body);
    make(f);
    for (size_t len = 16384; len <= 16385; len++) {
        strcpy(body, "{\"access_token\":\"");
        memset(body + strlen(body), 'a', len);
        strcat(body, "\",\"token_type\":\"bEARER\"}");
        fake_transport_answer(&f->fake, 200, NULL, body);
        weir_auth_invalidate(f->auth, NULL);
        assert_int_equal(get(f, NULL), len == 16384 ? WEIR_OK : WEIR_PROTOCOL);
        memset(body, 0, 20000);
    }
    free(body);
}

static void no_secret_is_ever_written(void **state)
{
    static const char text[] = "the-secret key-secret tok-1234 "
                               "dGhlLWlkOnRoZS1zZWNyZXQ=";
    struct fixture *f = *state;
    struct weir_buf out;

    f->config.kind = WEIR_AUTH_ACCESS_KEY;
    f->config.access_key_id = "KEY";
    f->config.access_key_secret = "key-secret";
    make(f);
    fake_transport_answer(&f->fake, 200, NULL, TOKEN_OK("3600"));
    assert_int_equal(get(f, "tok-1234"), WEIR_OK);
    weir_buf_init(&out, 1000);
    assert_int_equal(weir_log_redact(f->log, text, strlen(text), &out),
                     WEIR_OK);
    assert_string_equal(weir_buf_str(&out),
                        "[redacted] [redacted] [redacted] [redacted]");
    weir_buf_fini(&out);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(client_credentials_go_in_the_form),
        TEST(an_access_key_goes_with_basic_credentials),
        TEST(basic_credentials_of_every_length_are_base64),
        TEST(a_bearer_token_is_given_as_it_is),
        TEST(unusable_settings_are_named),
        TEST(a_token_is_renewed_before_its_end),
        TEST(life_counts_from_the_asking),
        TEST(a_machine_that_slept_does_not_send_a_stale_token),
        TEST(a_fresh_token_costs_nothing),
        TEST(a_token_without_life_serves_those_who_asked),
        TEST(only_the_token_that_was_refused_is_dropped),
        TEST(life_and_scope_are_those_of_the_answer),
        TEST(fifty_askers_share_one_request),
        TEST(cancelling_one_leaves_the_fetch_to_the_others),
        TEST(cancelling_the_last_ends_the_fetch),
        TEST(a_failure_reaches_all_and_the_next_starts_afresh),
        TEST(refused_credentials_are_told_and_not_repeated),
        TEST(a_long_refusal_is_cut),
        TEST(each_status_has_its_code),
        TEST(passing_trouble_is_waited_out),
        TEST(a_transport_that_fails_for_good_says_how),
        TEST(answers_that_cannot_be_used_are_refused),
        TEST(a_token_may_be_as_long_as_a_header),
        TEST(no_secret_is_ever_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
