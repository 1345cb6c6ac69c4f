/* etag: ETags as servers write them, and an update against other writers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "rig.h"
#include "weir/etag.h"

static const char *const server_fields[] = {"id", "etag", "version"};
static const struct weir_etag_rules rules = {.server_fields = server_fields,
                                             .n_server_fields = 3};

struct fixture {
    struct rig rig;
    struct weir_json *base, *fields;
    struct weir_op *op;
    struct weir_etag_options options;
    struct weir_etag_result result;
};

static int setup(void **state)
{
    static struct fixture f;

    memset(&f, 0, sizeof(f));
    rig_init(&f.rig);
    f.base = rig_json("{'id':'x','etag':'1','a':1,'b':1,'unknown':[1.50]}");
    f.fields = rig_json("{'a':2}");
    f.options = (struct weir_etag_options){
        .path = "/f/x", .base = f.base, .fields = f.fields, .rules = &rules};
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    weir_op_free(f->op);
    weir_json_free(f->base);
    weir_json_free(f->fields);
    rig_fini(&f->rig);
    return 0;
}

static enum weir_code update(struct fixture *f)
{
    struct weir_err err = WEIR_ERR_INIT;
    enum weir_code code;

    if (weir_etag_update(f->rig.client, &f->options, &f->op, &err))
        fail_msg("%s", err.message);
    code = rig_run(f->op);
    f->result = weir_etag_result(f->op);
    return code;
}

static const struct fake_request *request(const struct fixture *f, size_t n)
{
    assert_true(n < f->rig.fake.n_requests);
    return &f->rig.fake.requests[n];
}

static void assert_request(const struct fixture *f, size_t n,
                           const char *method, const char *if_match)
{
    const char *sent = fake_request_header(request(f, n), "If-Match");

    assert_string_equal(request(f, n)->method, method);
    assert_string_equal(request(f, n)->url, "https://x.test/f/x");
    if (if_match)
        assert_string_equal(sent, if_match);
    else
        assert_null(sent);
}

/* ---- the way without disturbance ---- */

static void sends_the_whole_without_the_servers_fields(void **state)
{
    struct fixture *f = *state;

    rig_answer(&f->rig, 200, "ETag: \"2\"", "{'id':'x','etag':'2','a':2}");
    assert_int_equal(update(f), WEIR_OK);
    assert_int_equal(f->rig.fake.n_requests, 1);
    assert_request(f, 0, "PUT", "\"1\"");
    rig_assert_body(&f->rig, 0, "{'a':2,'b':1,'unknown':[1.5]}");
    /* Numbers go back as they came. */
    assert_non_null(strstr(request(f, 0)->body, "1.50"));
    rig_assert_json(f->result.state, "{'id':'x','etag':'2','a':2}");
    assert_string_equal(f->result.etag, "\"2\"");
    assert_int_equal(f->result.attempts, 1);
    assert_int_equal(weir_json_size(f->result.theirs), 0);
}

static void reads_first_where_nothing_is_known(void **state)
{
    struct fixture *f = *state;

    f->options.base = NULL;
    rig_answer(&f->rig, 200, "ETag: \"7\"", "{'id':'x','a':1,'n':null}");
    rig_answer(&f->rig, 200, "ETag: \"8\"", "{'id':'x','a':2,'n':null}");
    assert_int_equal(update(f), WEIR_OK);
    assert_request(f, 0, "GET", NULL);
    assert_request(f, 1, "PUT", "\"7\"");
    rig_assert_body(&f->rig, 1, "{'a':2,'n':null}");
}

static void the_callers_etag_goes_before_the_bodys(void **state)
{
    struct fixture *f = *state;

    f->options.etag = "bare";
    rig_answer(&f->rig, 200, "ETag: \"2\"", "{}");
    assert_int_equal(update(f), WEIR_OK);
    assert_request(f, 0, "PUT", "\"bare\"");
}

static void a_weak_etag_is_not_sent_but_read_again(void **state)
{
    struct fixture *f = *state;

    f->options.etag = "W/\"1\"";
    /* What has changed since base was seen is merged at once. */
    rig_answer(&f->rig, 200, "ETag: \"9\"", "{'id':'x','a':1,'b':5}");
    rig_answer(&f->rig, 200, "ETag: \"10\"", "{'a':2,'b':5}");
    assert_int_equal(update(f), WEIR_OK);
    assert_request(f, 0, "GET", NULL);
    assert_request(f, 1, "PUT", "\"9\"");
    /* Theirs removed "unknown" and changed b. */
    rig_assert_body(&f->rig, 1, "{'a':2,'b':5}");
    rig_assert_json(f->result.theirs, "['/b','/unknown']");
}

static void without_any_strong_etag_nothing_is_sent(void **state)
{
    struct fixture *f = *state;

    f->options.base = NULL;
    rig_answer(&f->rig, 200, "ETag: W/\"1\"", "{'a':1}");
    assert_int_equal(update(f), WEIR_PROTOCOL);
    assert_non_null(strstr(weir_op_err(f->op)->message, "weak"));
    assert_int_equal(f->rig.fake.n_requests, 1);
}

static void nothing_to_change_sends_nothing(void **state)
{
    struct fixture *f = *state;

    weir_json_free(f->fields);
    /* Only the server's own, and the same number written otherwise. */
    f->options.fields = f->fields =
        rig_json("{'a':1.0,'etag':'zzz','version':77}");
    assert_int_equal(update(f), WEIR_OK);
    assert_int_equal(f->rig.fake.n_requests, 0);
    assert_int_equal(f->result.attempts, 0);
    rig_assert_json(weir_json_get(f->result.state, "a"), "1");
    assert_string_equal(f->result.etag, "\"1\"");
}

static void null_is_set_and_not_left_out(void **state)
{
    struct fixture *f = *state;

    weir_json_free(f->fields);
    f->options.fields = f->fields = rig_json("{'a':null}");
    rig_answer(&f->rig, 200, "ETag: \"2\"", "{}");
    assert_int_equal(update(f), WEIR_OK);
    rig_assert_body(&f->rig, 0, "{'a':null,'b':1,'unknown':[1.5]}");
}

static void an_answer_without_state_is_read_back(void **state)
{
    struct fixture *f = *state;
    static const struct {
        int status;
        const char *headers, *body;
    } answers[] = {{204, "ETag: \"2\"", ""},
                   {200, NULL, "{'a':2}"},
                   {200, "ETag: W/\"2\"", "{'a':2}"},
                   {200, "ETag: \"2\"", "OK"}};

    for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
        rig_answer(&f->rig, answers[i].status, answers[i].headers,
                   answers[i].body);
        rig_answer(&f->rig, 200, "ETag: \"3\"", "{'a':2,'version':3}");
        assert_int_equal(update(f), WEIR_OK);
        assert_request(f, 2 * i + 1, "GET", NULL);
        rig_assert_json(f->result.state, "{'a':2,'version':3}");
        assert_string_equal(f->result.etag, "\"3\"");
        weir_op_free(f->op);
        f->op = NULL;
    }
}

static void a_done_update_without_etag_is_no_failure(void **state)
{
    struct fixture *f = *state;

    rig_answer(&f->rig, 204, NULL, "");
    rig_answer(&f->rig, 200, NULL, "{'a':2}");
    assert_int_equal(update(f), WEIR_OK);
    rig_assert_json(f->result.state, "{'a':2}");
    assert_null(f->result.etag);
}

static void a_failed_reading_back_says_that_the_update_is_done(void **state)
{
    struct fixture *f = *state;

    rig_answer(&f->rig, 204, NULL, "");
    rig_answer(&f->rig, 403, NULL, "{}");
    assert_int_equal(update(f), WEIR_PERMISSION);
    assert_ptr_equal(strstr(weir_op_err(f->op)->message, "the update is done"),
                     weir_op_err(f->op)->message);
}

/* ---- others ---- */

static void merges_what_others_changed(void **state)
{
    struct fixture *f = *state;

    for (int status = 409; status <= 412; status += 3) {
        size_t n = f->rig.fake.n_requests;

        rig_answer(&f->rig, status, NULL, "{'message':'stale'}");
        rig_answer(&f->rig, 200, "ETag: \"5\"",
                   "{'id':'x','a':1,'b':9,'unknown':[1.50],'new':true}");
        rig_answer(&f->rig, 200, "ETag: \"6\"", "{'a':2,'b':9,'new':true}");
        assert_int_equal(update(f), WEIR_OK);
        assert_request(f, n + 1, "GET", NULL);
        assert_request(f, n + 2, "PUT", "\"5\"");
        rig_assert_body(&f->rig, n + 2,
                        "{'a':2,'b':9,'new':true,'unknown':[1.5]}");
        assert_int_equal(f->result.attempts, 2);
        rig_assert_json(f->result.theirs, "['/b','/new']");
        assert_string_equal(f->result.etag, "\"6\"");
        weir_op_free(f->op);
        f->op = NULL;
    }
}

static void a_conflict_tells_all_three(void **state)
{
    struct fixture *f = *state;

    rig_answer(&f->rig, 412, "X-Request-Id: r1", "{}");
    rig_answer(&f->rig, 200, "ETag: \"5\"", "{'id':'x','a':7,'b':9}");
    assert_int_equal(update(f), WEIR_CONFLICT);
    assert_string_equal(weir_op_err(f->op)->message, "both sides changed /a");
    assert_int_equal(weir_op_err(f->op)->status, 412);
    assert_string_equal(weir_op_err(f->op)->method, "PUT");
    assert_non_null(strstr(weir_op_err(f->op)->detail, "\"theirs\":7"));
    rig_assert_json(f->result.conflicting, "{'id':'x','a':7,'b':9}");
    rig_assert_json(weir_json_get(f->result.mine, "a"), "2");
    rig_assert_json(weir_json_get(f->result.base, "a"), "1");
    assert_string_equal(f->result.etag, "\"5\"");
    assert_null(f->result.state);
    assert_int_equal(f->rig.fake.n_requests, 2);
}

static void a_policy_decides_conflicts(void **state)
{
    struct fixture *f = *state;

    f->options.policy = WEIR_ETAG_MINE;
    rig_answer(&f->rig, 412, NULL, "{}");
    rig_answer(&f->rig, 200, "ETag: \"5\"", "{'a':7,'b':9,'unknown':[1.5]}");
    rig_answer(&f->rig, 200, "ETag: \"6\"", "{'a':2,'b':9}");
    assert_int_equal(update(f), WEIR_OK);
    rig_assert_body(&f->rig, 2, "{'a':2,'b':9,'unknown':[1.5]}");
    rig_assert_json(f->result.decided,
                    "[{'path':'/a','base':1,'mine':2,'theirs':7}]");
    weir_op_free(f->op);

    /* Theirs wins: then nothing of ours is left to send. */
    f->options.policy = WEIR_ETAG_THEIRS;
    rig_answer(&f->rig, 412, NULL, "{}");
    rig_answer(&f->rig, 200, "ETag: \"5\"", "{'a':7,'b':9,'unknown':[1.5]}");
    assert_int_equal(update(f), WEIR_OK);
    assert_int_equal(f->rig.fake.n_requests, 5);
    rig_assert_json(f->result.state, "{'a':7,'b':9,'unknown':[1.5]}");
    assert_int_equal(f->result.attempts, 1);
}

static void an_update_whose_answer_was_lost_is_done(void **state)
{
    struct fixture *f = *state;

    /* The client sends it again, and meets its own change. */
    fake_transport_fail(&f->rig.fake, WEIR_TRANSPORT, WEIR_REACH_MAYBE,
                        "reset");
    rig_answer(&f->rig, 412, NULL, "{}");
    rig_answer(&f->rig, 200, "ETag: \"2\"",
               "{'id':'x','a':2,'b':1,'unknown':[1.50],'version':2}");
    assert_int_equal(update(f), WEIR_OK);
    assert_int_equal(f->rig.fake.n_requests, 3);
    assert_string_equal(f->result.etag, "\"2\"");
    rig_assert_json(weir_json_get(f->result.state, "version"), "2");
    assert_int_equal(weir_json_size(f->result.theirs), 0);
}

/* The call sends it twice; the refusal of the second may be our own work. */
static void the_last_attempt_is_read_back_if_it_was_repeated(void **state)
{
    struct fixture *f = *state;

    f->options.attempts = 1;
    fake_transport_fail(&f->rig.fake, WEIR_TRANSPORT, WEIR_REACH_MAYBE, "lost");
    rig_answer(&f->rig, 412, NULL, "{}");
    rig_answer(&f->rig, 200, "ETag: \"2\"",
               "{'id':'x','a':2,'b':1,'unknown':[1.50]}");
    assert_int_equal(update(f), WEIR_OK);
    assert_int_equal(f->result.attempts, 1);
    assert_string_equal(f->result.etag, "\"2\"");
    weir_op_free(f->op);
    /* it was somebody else's */
    fake_transport_fail(&f->rig.fake, WEIR_TRANSPORT, WEIR_REACH_MAYBE, "lost");
    rig_answer(&f->rig, 412, NULL, "{}");
    rig_answer(&f->rig, 200, "ETag: \"2\"",
               "{'id':'x','a':1,'b':7,'unknown':[1.50]}");
    assert_int_equal(update(f), WEIR_CONFLICT);
    assert_non_null(strstr(weir_op_err(f->op)->message,
                           "others were faster each time: 1 updates"));
}

static void gives_up_after_its_attempts(void **state)
{
    struct fixture *f = *state;
    int64_t start = weir_loop_now(f->rig.loop);

    f->options.attempts = 3;
    for (int i = 0; i < 3; i++) {
        char tag[40], body[80];

        rig_answer(&f->rig, 412, NULL, "{}");
        if (i == 2)
            break;
        snprintf(tag, sizeof(tag), "ETag: \"t%d\"", i);
        snprintf(body, sizeof(body), "{'a':1,'b':%d,'unknown':[1.5]}", i + 10);
        rig_answer(&f->rig, 200, tag, body);
    }
    assert_int_equal(update(f), WEIR_CONFLICT);
    assert_string_equal(weir_op_err(f->op)->message,
                        "others were faster each time: 3 updates were refused");
    assert_null(weir_op_err(f->op)->detail);
    assert_int_equal(f->result.attempts, 3);
    /* With pauses between, of at most 50 and 100 ms. */
    assert_in_range(weir_loop_now(f->rig.loop) - start, 1, 150);
}

static void a_refusal_that_is_not_about_the_etag_is_told(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 2; i++) {
        rig_answer(&f->rig, 409, NULL, "{'message':'the name is taken'}");
        rig_answer(&f->rig, 200, "ETag: 1",
                   "{'id':'x','a':1,'b':1,'unknown':[1.50]}");
    }
    assert_int_equal(update(f), WEIR_CONFLICT);
    assert_non_null(strstr(weir_op_err(f->op)->message, "current one"));
    assert_non_null(strstr(weir_op_err(f->op)->message, "the name is taken"));
    assert_int_equal(f->result.attempts, 2);
}

static void a_428_is_named(void **state)
{
    struct fixture *f = *state;

    rig_answer(&f->rig, 428, NULL, "{}");
    assert_int_equal(update(f), WEIR_PROTOCOL);
    assert_int_equal(weir_op_err(f->op)->status, 428);
    assert_non_null(strstr(weir_op_err(f->op)->message, "If-Match"));
}

static void one_deleted_meanwhile_is_not_found(void **state)
{
    struct fixture *f = *state;

    rig_answer(&f->rig, 412, NULL, "{}");
    rig_answer(&f->rig, 404, NULL, "{}");
    assert_int_equal(update(f), WEIR_NOT_FOUND);
    assert_non_null(
        strstr(weir_op_err(f->op)->message, "reading what is there now"));
}

static void an_answer_that_is_no_object_is_an_error(void **state)
{
    struct fixture *f = *state;
    static const char *const bodies[] = {"[]", "", "{'a':", "null"};

    f->options.base = NULL;
    for (size_t i = 0; i < 4; i++) {
        rig_answer(&f->rig, 200, "ETag: \"1\"", bodies[i]);
        assert_int_equal(update(f), WEIR_PROTOCOL);
        assert_string_equal(weir_op_err(f->op)->url, "https://x.test/f/x");
        assert_int_equal(weir_op_err(f->op)->status, 200);
        weir_op_free(f->op);
        f->op = NULL;
    }
}

static void cancelling_leaves_nothing_behind(void **state)
{
    struct fixture *f = *state;

    /* At every stage: in the PUT, in the pause, in the reading. */
    for (int after = 0; after < 12; after++) {
        bool done = false;

        rig_answer(&f->rig, 412, NULL, "{}");
        fake_transport_delay(&f->rig.fake, 3);
        rig_answer(&f->rig, 200, "ETag: \"5\"", "{'a':1,'b':9}");
        fake_transport_delay(&f->rig.fake, 3);
        rig_answer(&f->rig, 200, "ETag: \"6\"", "{'a':2,'b':9}");
        assert_int_equal(
            weir_etag_update(f->rig.client, &f->options, &f->op, NULL),
            WEIR_OK);
        weir_op_start(f->op, NULL, &done);
        for (int i = 0; i < after && f->op->state == WEIR_OP_RUNNING; i++)
            weir_loop_turn(f->rig.loop, 1, NULL);
        weir_op_free(f->op);
        f->op = NULL;
        assert_int_equal(weir_loop_ops(f->rig.loop), 0);
        assert_int_equal(weir_loop_timers(f->rig.loop), 0);
        fake_transport_fini(&f->rig.fake);
    }
}

static void what_cannot_be_is_refused_at_once(void **state)
{
    struct fixture *f = *state;
    struct weir_err err = WEIR_ERR_INIT;

    f->options.mine = f->base;
    assert_int_equal(weir_etag_update(f->rig.client, &f->options, &f->op, &err),
                     WEIR_INVALID);
    f->options.mine = f->options.fields = NULL;
    assert_int_equal(weir_etag_update(f->rig.client, &f->options, &f->op, &err),
                     WEIR_INVALID);
    assert_string_equal(err.message,
                        "an update needs either fields to set or the whole "
                        "new state");
}

static void a_read_needs_no_etag(void **state)
{
    struct fixture *f = *state;

    rig_answer(&f->rig, 200, NULL, "{'a':1}");
    assert_int_equal(weir_etag_read(f->rig.client, "/f/x", &f->op, NULL),
                     WEIR_OK);
    assert_int_equal(rig_run(f->op), WEIR_OK);
    f->result = weir_etag_result(f->op);
    rig_assert_json(f->result.state, "{'a':1}");
    assert_null(f->result.etag);
}

/* ---- ETags ---- */

static void etags_are_read_as_servers_write_them(void **state)
{
    static const struct {
        const char *header, *body, *expected, *complaint;
    } cases[] = {
        {"\"a\"", "{}", "\"a\"", NULL},
        {"a", "{}", "\"a\"", NULL},
        {"  \"a\" ", "{}", "\"a\"", NULL},
        {"\"\"", "{}", "\"\"", NULL},
        {"*", "{}", "\"*\"", NULL}, /* never a bare star: it means "any" */
        {NULL, "{'etag':'a'}", "\"a\"", NULL},
        {NULL, "{'etag':'\\'a\\''}", "\"a\"", NULL},
        {NULL, "{'etag':12}", "\"12\"", NULL},
        {"\"h\"", "{'etag':'b'}", "\"h\"", NULL},
        {"W/\"a\"", "{'etag':'b'}", "\"b\"", NULL},
        {"", "{'etag':'b'}", "\"b\"", NULL},
        {"W/\"a\"", "{}", NULL, "weak"},
        {"w/a", "{}", NULL, "weak"},
        {NULL, "{'etag':'W/\\'a\\''}", NULL, "weak"},
        {NULL, "{}", NULL, "no ETag"},
        {NULL, "{'etag':null}", NULL, "no ETag"},
        {NULL, "{'etag':''}", NULL, "no ETag"},
        {"a b", "{}", NULL, "characters"},
        {"\"a", "{}", NULL, "characters"},
        {"a\"b", "{}", NULL, "characters"},
        {NULL, "{'etag':'a\\r\\nX: y'}", NULL, "characters"},
        {NULL, "{'etag':'a\\u0000'}", NULL, "characters"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct weir_header header = {"eTag", cases[i].header};
        const struct weir_http_response response = {
            .headers = &header, .n_headers = cases[i].header != NULL};
        struct weir_json *body;
        struct weir_buf out;
        struct weir_err err = WEIR_ERR_INIT;
        char text[100];
        size_t n = 0;

        /* Here \' is a quote inside a JSON string. */
        for (const char *p = cases[i].body; *p; p++) {
            if (p[0] == '\\' && p[1] == '\'') {
                n += (size_t)snprintf(text + n, sizeof(text) - n, "\\\"");
                p++;
            } else {
                text[n++] = *p;
            }
        }
        text[n] = '\0';
        body = rig_json(text);
        weir_buf_init(&out, 100);
        if (cases[i].expected) {
            assert_int_equal(weir_etag_of(&response, body, &out, &err),
                             WEIR_OK);
            assert_string_equal(weir_buf_str(&out), cases[i].expected);
        } else {
            assert_int_equal(weir_etag_of(&response, body, &out, &err),
                             WEIR_PROTOCOL);
            assert_non_null(strstr(err.message, cases[i].complaint));
        }
        weir_buf_fini(&out);
        weir_json_free(body);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sends_the_whole_without_the_servers_fields),
        TEST(reads_first_where_nothing_is_known),
        TEST(the_callers_etag_goes_before_the_bodys),
        TEST(a_weak_etag_is_not_sent_but_read_again),
        TEST(without_any_strong_etag_nothing_is_sent),
        TEST(nothing_to_change_sends_nothing),
        TEST(null_is_set_and_not_left_out),
        TEST(an_answer_without_state_is_read_back),
        TEST(a_done_update_without_etag_is_no_failure),
        TEST(a_failed_reading_back_says_that_the_update_is_done),
        TEST(merges_what_others_changed),
        TEST(a_conflict_tells_all_three),
        TEST(a_policy_decides_conflicts),
        TEST(an_update_whose_answer_was_lost_is_done),
        TEST(the_last_attempt_is_read_back_if_it_was_repeated),
        TEST(gives_up_after_its_attempts),
        TEST(a_refusal_that_is_not_about_the_etag_is_told),
        TEST(a_428_is_named),
        TEST(one_deleted_meanwhile_is_not_found),
        TEST(an_answer_that_is_no_object_is_an_error),
        TEST(cancelling_leaves_nothing_behind),
        TEST(what_cannot_be_is_refused_at_once),
        TEST(a_read_needs_no_etag),
        cmocka_unit_test(etags_are_read_as_servers_write_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
