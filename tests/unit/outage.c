/* client in an outage: how many requests leave, what is paused, and what is
 * said when time runs out; fake clock, fake transports. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "rig.h"
#include "weir/client.h"

#define CALLS rig_rounds(10000)

/* How a server fails, always in the same way. */
struct trouble {
    const char *name;
    enum weir_code code; /* WEIR_OK: an answer with `status` */
    enum weir_reach reach;
    int status;
};

struct fixture {
    struct weir_clock_fake clock;
    struct weir_loop *loop;
    struct fake_transport api, login;
    const struct trouble *at_api, *at_login; /* NULL: all is well */
    struct weir_client *client;
};

static void fail_as(struct fake_transport *fake, const struct trouble *trouble)
{
    if (trouble->code)
        fake_transport_fail(fake, trouble->code, trouble->reach, "outage");
    else
        fake_transport_answer(fake, trouble->status, NULL, "");
}

static void answer_api(void *ud, struct fake_transport *fake,
                       const struct fake_request *request)
{
    const struct fixture *f = ud;

    (void)request;
    if (f->at_api)
        fail_as(fake, f->at_api);
    else
        fake_transport_answer(fake, 200, NULL, "{}");
}

static void answer_login(void *ud, struct fake_transport *fake,
                         const struct fake_request *request)
{
    const struct fixture *f = ud;

    (void)request;
    if (f->at_login)
        fail_as(fake, f->at_login);
    else
        fake_transport_answer(
            fake, 200, NULL,
            "{\"access_token\":\"the-token\",\"expires_in\":999999}");
}

static void make(struct fixture *f)
{
    struct weir_auth_config login = {
        .kind = WEIR_AUTH_CLIENT_CREDENTIALS,
        .token_url = "https://login.test/token",
        .client_id = "the-id",
        .client_secret = "the-secret",
        .transport = &f->login.transport,
    };
    struct weir_client_config config = {.base_url = "https://api.test",
                                        .transport = &f->api.transport,
                                        .rate = -1};

    memset(f, 0, sizeof(*f));
    rig_begin(&f->clock, &f->loop, NULL);
    fake_transport_init(&f->api);
    fake_transport_init(&f->login);
    login.transport = &f->login.transport;
    config.transport = &f->api.transport;
    assert_int_equal(weir_auth_new(f->loop, &login, &config.auth, NULL),
                     WEIR_OK);
    assert_int_equal(weir_client_new(f->loop, &config, &f->client, NULL),
                     WEIR_OK);
    weir_auth_unref(config.auth);
}

static void end(struct fixture *f)
{
    weir_client_unref(f->client);
    fake_transport_fini(&f->api);
    fake_transport_fini(&f->login);
    rig_end(f->loop, NULL);
}

static int setup(void **state)
{
    static struct fixture f;

    make(&f);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    end(*state);
    return 0;
}

static const struct weir_call get = {.method = "GET", .path = "/x"};
static const struct weir_call post = {.method = "POST", .path = "/x"};
static const struct weir_call put = {
    .method = "PUT", .path = "/x", .if_match = "\"1\""};

static struct weir_op *made(struct fixture *f, const struct weir_call *call)
{
    struct weir_op *op = NULL;

    assert_int_equal(weir_client_call(f->client, call, &op, NULL), WEIR_OK);
    return op;
}

static enum weir_code run(struct fixture *f, const struct weir_call *call,
                          struct weir_err *err)
{
    struct weir_op *op = made(f, call);
    enum weir_code code = weir_op_run(op, -1);

    if (err)
        weir_err_copy(err, weir_op_err(op));
    weir_op_free(op);
    return code;
}

/* ---- the retry budget ---- */

static const struct trouble troubles[] = {
    {"refused", WEIR_TRANSPORT, WEIR_REACH_NONE, 0},
    {"broken", WEIR_TRANSPORT, WEIR_REACH_MAYBE, 0},
    {"silent", WEIR_TIMEOUT, WEIR_REACH_MAYBE, 0},
    {"500", WEIR_OK, WEIR_REACH_ANSWER, 500},
    {"502", WEIR_OK, WEIR_REACH_ANSWER, 502},
    {"503", WEIR_OK, WEIR_REACH_ANSWER, 503},
    {"401", WEIR_OK, WEIR_REACH_ANSWER, 401},
};

/* Frees what was kept of requests now and then: they are only counted. */
static size_t count_and_forget(struct fake_transport *fake)
{
    void (*on_request)(void *, struct fake_transport *,
                       const struct fake_request *) = fake->on_request;
    void *ud = fake->ud;
    size_t n = fake->n_requests;

    fake_transport_fini(fake);
    fake->on_request = on_request;
    fake->ud = ud;
    return n;
}

static void answer_all(struct fixture *f)
{
    f->api.on_request = answer_api;
    f->login.on_request = answer_login;
    f->api.ud = f->login.ud = f;
}

static void assert_modest(const char *what, const char *trouble, size_t n)
{
    if (n > (size_t)CALLS + 100)
        fail_msg("%s, %s: %zu requests for %d calls", what, trouble, n, CALLS);
}

static void one_after_the_other(const struct trouble *api,
                                const struct trouble *login)
{
    struct fixture f;
    size_t sent = 0, tokens = 0;

    make(&f);
    answer_all(&f);
    f.at_api = api;
    f.at_login = login;
    for (int i = 0; i < CALLS; i++) {
        assert_int_not_equal(run(&f, &get, NULL), WEIR_OK);
        if (i % 100 == 99) {
            sent += count_and_forget(&f.api);
            tokens += count_and_forget(&f.login);
        }
    }
    assert_modest("api", api ? api->name : "", sent);
    assert_modest("login", login ? login->name : "", tokens);
    assert_true(sent + tokens >= (size_t)CALLS);
    end(&f);
}

static void ten_thousand_calls_send_a_hundred_retries(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(troubles) / sizeof(troubles[0]); i++)
        one_after_the_other(&troubles[i], NULL);
}

static void a_login_in_an_outage_is_not_stormed(void **state)
{
    (void)state;
    for (size_t i = 0; i + 1 < sizeof(troubles) / sizeof(troubles[0]); i++)
        one_after_the_other(NULL, &troubles[i]);
}

static void count_done(void *ud, struct weir_op *op)
{
    (void)op;
    --*(size_t *)ud;
}

/* The same with a hundred of them under way at any time. */
static void side_by_side(const struct trouble *api)
{
    struct weir_op *ops[100];
    struct fixture f;
    size_t sent = 0;

    make(&f);
    answer_all(&f);
    f.at_api = api;
    for (int round = 0; round < CALLS / 100; round++) {
        size_t running = 100;

        for (size_t i = 0; i < 100; i++) {
            ops[i] = made(&f, &get);
            weir_op_start(ops[i], count_done, &running);
        }
        while (running)
            assert_int_equal(weir_loop_turn(f.loop, -1, NULL), WEIR_OK);
        for (size_t i = 0; i < 100; i++)
            weir_op_free(ops[i]);
        sent += count_and_forget(&f.api);
    }
    assert_modest("side by side", api->name, sent);
    end(&f);
}

static void many_at_once_share_one_budget(void **state)
{
    (void)state;
    for (size_t i = 0; i + 1 < sizeof(troubles) / sizeof(troubles[0]); i++)
        side_by_side(&troubles[i]);
}

static void after_the_outage_retries_come_back(void **state)
{
    struct fixture *f = *state;
    struct weir_err err = WEIR_ERR_INIT;
    size_t before;

    answer_all(f);
    f->at_api = &troubles[5];
    for (int i = 0; i < 200; i++)
        run(f, &get, &err);
    assert_non_null(strstr(err.message, "retry budget is empty"));
    before = f->api.n_requests;
    run(f, &get, NULL);
    assert_int_equal(f->api.n_requests, before + 1);
    f->at_api = NULL;
    for (int i = 0; i < 20; i++)
        assert_int_equal(run(f, &get, NULL), WEIR_OK);
    f->at_api = &troubles[5];
    before = f->api.n_requests;
    run(f, &get, NULL);
    assert_int_equal(f->api.n_requests, before + 4);
    weir_err_clear(&err);
}

static void a_login_says_that_its_budget_is_empty(void **state)
{
    struct fixture *f = *state;
    struct weir_err err = WEIR_ERR_INIT;

    answer_all(f);
    f->at_login = &troubles[5];
    for (int i = 0; i < 200; i++)
        run(f, &get, &err);
    assert_non_null(strstr(err.message, "retry budget is empty"));
    f->at_login = NULL;
    assert_int_equal(run(f, &get, NULL), WEIR_OK);
    weir_err_clear(&err);
}

/* ---- a pause holds everything ---- */

static void a_pause_holds_the_request_for_a_token_too(void **state)
{
    struct fixture *f = *state;
    int64_t start = weir_loop_now(f->loop);

    fake_transport_answer(
        &f->login, 200, NULL,
        "{\"access_token\":\"short-lived\",\"expires_in\":1}");
    fake_transport_answer(&f->api, 429, "Retry-After: 5", "");
    fake_transport_answer(
        &f->login, 200, NULL,
        "{\"access_token\":\"the-next-one\",\"expires_in\":3600}");
    fake_transport_answer(&f->api, 200, NULL, "");
    assert_int_equal(run(f, &get, NULL), WEIR_OK);
    assert_int_equal(f->login.n_requests, 2);
    assert_true(f->login.requests[1].time - start >= 5000);
    assert_true(f->api.requests[1].time - start >= 5000);
    /* one that comes during the pause of another */
    fake_transport_answer(&f->api, 429, "Retry-After: 5", "");
    fake_transport_answer(&f->api, 200, NULL, "");
    fake_transport_answer(&f->api, 200, NULL, "");
    start = weir_loop_now(f->loop);
    {
        struct weir_op *op = made(f, &get), *late = made(f, &get);
        size_t running = 2;

        weir_op_start(op, count_done, &running);
        while (f->api.n_requests < 3)
            weir_loop_turn(f->loop, -1, NULL);
        weir_loop_turn(f->loop, 0, NULL);
        weir_loop_turn(f->loop, 0, NULL);
        weir_op_start(late, count_done, &running);
        assert_non_null(strstr(late->note, "paused after a 429"));
        while (running)
            weir_loop_turn(f->loop, -1, NULL);
        weir_op_free(op);
        weir_op_free(late);
    }
    assert_true(f->api.requests[3].time - start >= 5000);
    assert_true(f->api.requests[4].time - start >= 5000);
}

static void a_pause_holds_the_repeat_of_a_request_for_a_token(void **state)
{
    struct fixture *f = *state;
    int64_t start = weir_loop_now(f->loop);
    struct weir_op *op = made(f, &get), *late = made(f, &get);
    size_t running = 2;

    fake_transport_answer(
        &f->login, 200, NULL,
        "{\"access_token\":\"short-lived\",\"expires_in\":1}");
    fake_transport_answer(&f->login, 503, "Retry-After: 1", "");
    fake_transport_answer(
        &f->login, 200, NULL,
        "{\"access_token\":\"the-next-one\",\"expires_in\":3600}");
    fake_transport_answer(&f->api, 429, "Retry-After: 5", "");
    fake_transport_delay(&f->api, 700);
    fake_transport_answer(&f->api, 200, NULL, "");
    fake_transport_answer(&f->api, 200, NULL, "");
    weir_op_start(op, count_done, &running);
    while (f->api.n_requests < 1)
        weir_loop_turn(f->loop, 0, NULL);
    /* The token is stale now, and the answer is still to come. */
    weir_clock_fake_advance(&f->clock, 600);
    weir_op_start(late, count_done, &running);
    while (running)
        weir_loop_turn(f->loop, -1, NULL);
    assert_int_equal(f->login.n_requests, 3);
    assert_int_equal(f->login.requests[1].time - start, 600);
    assert_true(f->login.requests[2].time - start >= 5700);
    assert_true(f->api.requests[1].time - start >= 5700);
    weir_op_free(op);
    weir_op_free(late);
}

/* ---- deadlines ---- */

static void a_401_at_the_deadline_asks_for_no_token(void **state)
{
    struct fixture *f = *state;
    struct weir_call call = get;
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_op *op;
    size_t running = 1;

    call.timeout_ms = 1000;
    fake_transport_answer(
        &f->login, 200, NULL,
        "{\"access_token\":\"the-token\",\"expires_in\":3600}");
    fake_transport_answer(&f->api, 401, NULL, "");
    fake_transport_delay(&f->api, 999);
    op = made(f, &call);
    weir_op_start(op, count_done, &running);
    weir_loop_turn(f->loop, 0, NULL);
    weir_loop_turn(f->loop, 0, NULL);
    /* The answer and the deadline come in one turn. */
    weir_clock_fake_advance(&f->clock, 2000);
    while (running)
        weir_loop_turn(f->loop, 0, NULL);
    weir_err_copy(&err, weir_op_err(op));
    weir_op_free(op);
    assert_int_equal(f->login.n_requests, 1);
    assert_true(err.code == WEIR_AUTH || err.code == WEIR_TIMEOUT);
    weir_err_clear(&err);
}

static void a_deadline_says_what_the_token_waited_for(void **state)
{
    struct fixture *f = *state;
    struct weir_call call = get;
    struct weir_err err = WEIR_ERR_INIT;

    call.timeout_ms = 2000;
    fake_transport_answer(&f->login, 503, "Retry-After: 9", "");
    assert_int_equal(run(f, &call, &err), WEIR_TIMEOUT);
    assert_string_equal(
        err.message,
        "not done within 2.0 s (timeout), while waiting for a token "
        "(no token yet: 503 from the server: again in 9.0 s "
        "(attempt 2 of 4))");
    weir_err_clear(&err);
}

/* ---- what is not known ---- */

static void an_ambiguous_error_says_why(void **state)
{
    static const struct {
        struct trouble trouble;
        enum weir_code because;
    } cases[] = {
        {{"", WEIR_TRANSPORT, WEIR_REACH_MAYBE, 0}, WEIR_TRANSPORT},
        {{"", WEIR_TIMEOUT, WEIR_REACH_MAYBE, 0}, WEIR_TIMEOUT},
        {{"", WEIR_LIMIT, WEIR_REACH_ANSWER, 0}, WEIR_LIMIT},
        {{"", WEIR_OK, WEIR_REACH_ANSWER, 502}, WEIR_SERVER},
        {{"", WEIR_OK, WEIR_REACH_ANSWER, 504}, WEIR_SERVER},
    };
    struct fixture *f = *state;
    struct weir_err err = WEIR_ERR_INIT;

    answer_all(f);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        f->at_api = &cases[i].trouble;
        assert_int_equal(run(f, &post, &err), WEIR_AMBIGUOUS);
        assert_int_equal(err.because, cases[i].because);
        assert_true(err.maybe_done);
        assert_int_not_equal(err.reach, WEIR_REACH_NONE);
        assert_string_equal(err.method, "POST");
        assert_string_equal(err.url, "https://api.test/x");
        assert_int_equal(err.attempts, 1);
        assert_int_equal(f->api.n_requests, i + 1);
    }
    weir_err_clear(&err);
}

static void a_500_to_a_create_is_a_servers_word_and_no_proof(void **state)
{
    struct fixture *f = *state;
    struct weir_err err = WEIR_ERR_INIT;

    answer_all(f);
    f->at_api = &troubles[3];
    assert_int_equal(run(f, &post, &err), WEIR_SERVER);
    assert_true(err.maybe_done);
    assert_int_equal(f->api.n_requests, 1);
    weir_err_clear(&err);
}

static void another_failure_after_a_503_leaves_a_create_in_doubt(void **state)
{
    struct fixture *f = *state;
    struct weir_call call = post;
    struct weir_err err = WEIR_ERR_INIT;

    f->login.on_request = answer_login;
    f->login.ud = f;
    call.timeout_ms = 8000;
    fake_transport_answer(&f->api, 503, "Retry-After: 5", "");
    fake_transport_answer(&f->api, 429, "Retry-After: 5", "");
    assert_int_equal(run(f, &call, &err), WEIR_RATE);
    assert_true(err.maybe_done);
    fake_transport_answer(&f->api, 503, "Retry-After: 1", "");
    fake_transport_answer(&f->api, 503, "Retry-After: 9", "");
    assert_int_equal(run(f, &call, &err), WEIR_TIMEOUT);
    assert_true(err.maybe_done);
    weir_err_clear(&err);
    assert_false(err.maybe_done);
}

/* What was done first and refused then is told from what never was. */
static void a_refusal_of_a_repeat_may_be_of_its_own_work(void **state)
{
    static const int refusals[] = {404, 409, 410, 412, 400, 422};
    static const struct {
        int status; /* 0: the connection breaks */
        bool own;
    } firsts[] = {{0, true}, {500, true}, {503, true}, {429, false}};
    struct fixture *f = *state;
    struct weir_err err = WEIR_ERR_INIT;

    f->login.on_request = answer_login;
    f->login.ud = f;
    for (size_t i = 0; i < sizeof(firsts) / sizeof(firsts[0]); i++) {
        for (size_t k = 0; k < sizeof(refusals) / sizeof(refusals[0]); k++) {
            if (firsts[i].status)
                fake_transport_answer(&f->api, firsts[i].status, NULL, "");
            else
                fake_transport_fail(&f->api, WEIR_TRANSPORT, WEIR_REACH_MAYBE,
                                    "broken");
            fake_transport_answer(&f->api, refusals[k], NULL,
                                  "{\"errors\":[]}");
            assert_int_not_equal(run(f, &put, &err), WEIR_OK);
            assert_int_equal(err.status, refusals[k]);
            assert_int_equal(err.attempts, 2);
            assert_int_equal(err.maybe_done, firsts[i].own);
            assert_string_equal(err.detail, "[]");
        }
    }
    fake_transport_answer(&f->api, 503, NULL, "");
    fake_transport_answer(&f->api, 409, NULL, "");
    assert_int_equal(run(f, &post, &err), WEIR_CONFLICT);
    assert_true(err.maybe_done);
    fake_transport_answer(&f->api, 409, NULL, "");
    assert_int_equal(run(f, &post, &err), WEIR_CONFLICT);
    assert_false(err.maybe_done);
    weir_err_clear(&err);
}

static void a_success_after_a_503_may_be_the_second(void **state)
{
    static const struct {
        const struct weir_call *call;
        int first;
        bool twice;
    } rows[] = {{&post, 503, true},
                {&post, 429, false},
                {&post, 200, false},
                {&put, 503, false},
                {&get, 503, false}};
    struct fixture *f = *state;

    f->login.on_request = answer_login;
    f->login.ud = f;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct weir_op *op = made(f, rows[i].call);

        fake_transport_answer(&f->api, rows[i].first, NULL, "{}");
        if (rows[i].first != 200)
            fake_transport_answer(&f->api, 200, NULL, "{}");
        assert_int_equal(weir_op_run(op, -1), WEIR_OK);
        assert_int_equal(weir_client_maybe_twice(op), rows[i].twice);
        weir_op_free(op);
    }
}

static void adding_members_is_repeated_like_a_guarded_change(void **state)
{
    static const struct weir_call add = {
        .method = "PUT", .path = "/members", .idempotent = true};
    struct fixture *f = *state;

    f->login.on_request = answer_login;
    f->login.ud = f;
    fake_transport_fail(&f->api, WEIR_TRANSPORT, WEIR_REACH_MAYBE, "broken");
    fake_transport_answer(&f->api, 502, NULL, "");
    fake_transport_answer(&f->api, 200, NULL, "{}");
    assert_int_equal(run(f, &add, NULL), WEIR_OK);
    assert_int_equal(f->api.n_requests, 3);
}

static void a_change_repeated_in_vain_may_have_been_done(void **state)
{
    struct fixture *f = *state;
    struct weir_err err = WEIR_ERR_INIT;

    answer_all(f);
    f->at_api = &troubles[1]; /* broken */
    assert_int_equal(run(f, &put, &err), WEIR_TRANSPORT);
    assert_int_equal(err.attempts, 4);
    assert_non_null(strstr(err.hint, "may have been done"));
    assert_true(err.maybe_done);
    f->at_api = &troubles[0]; /* refused */
    assert_int_equal(run(f, &put, &err), WEIR_TRANSPORT);
    assert_string_equal(err.hint, "");
    assert_false(err.maybe_done);
    f->at_api = &troubles[1];
    assert_int_equal(run(f, &get, &err), WEIR_TRANSPORT);
    assert_string_equal(err.hint, "");
    assert_false(err.maybe_done);
    weir_err_clear(&err);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_thousand_calls_send_a_hundred_retries),
        cmocka_unit_test(a_login_in_an_outage_is_not_stormed),
        cmocka_unit_test(many_at_once_share_one_budget),
        TEST(after_the_outage_retries_come_back),
        TEST(a_login_says_that_its_budget_is_empty),
        TEST(a_pause_holds_the_request_for_a_token_too),
        TEST(a_pause_holds_the_repeat_of_a_request_for_a_token),
        TEST(a_401_at_the_deadline_asks_for_no_token),
        TEST(a_deadline_says_what_the_token_waited_for),
        TEST(an_ambiguous_error_says_why),
        TEST(a_500_to_a_create_is_a_servers_word_and_no_proof),
        TEST(another_failure_after_a_503_leaves_a_create_in_doubt),
        TEST(a_refusal_of_a_repeat_may_be_of_its_own_work),
        TEST(a_success_after_a_503_may_be_the_second),
        TEST(adding_members_is_repeated_like_a_guarded_change),
        TEST(a_change_repeated_in_vain_may_have_been_done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
