/* changes: what the sink is told of each end of a call, and what it keeps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "rig.h"
#include "weir/buf.h"
#include "weir/changes.h"
#include "weir/client.h"
#include "weir/json.h"

struct fixture {
    struct weir_clock_fake clock;
    struct weir_loop *loop;
    struct weir_log *log;
    struct weir_changes *changes;
    struct fake_transport fake;
    struct weir_client *client;
};

static int setup(void **state)
{
    static struct fixture f;
    struct weir_client_config config = {.base_url = "https://api.test/base"};

    memset(&f, 0, sizeof(f));
    rig_begin(&f.clock, &f.loop, &f.log);
    fake_transport_init(&f.fake);
    assert_int_equal(weir_changes_new(&f.clock.clock, f.log, &f.changes, NULL),
                     WEIR_OK);
    config.transport = &f.fake.transport;
    config.log = f.log;
    config.changes = f.changes;
    assert_int_equal(weir_client_new(f.loop, &config, &f.client, NULL),
                     WEIR_OK);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    weir_client_unref(f->client);
    rig_end_transport(&f->fake);
    weir_changes_free(f->changes);
    rig_end(f->loop, f->log);
    return 0;
}

static void keep_text(void *ud, const char *text, size_t len)
{
    weir_buf_add(ud, text, len);
}

/* What is kept, as an array. */
static struct weir_json *kept(const struct weir_changes *changes)
{
    struct weir_json *json = NULL;
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_buf text;

    weir_buf_init(&text, 2 * WEIR_CHANGES_MAX);
    weir_buf_addc(&text, '[');
    weir_changes_text(changes, keep_text, &text);
    weir_buf_addc(&text, ']');
    weir_json_parse(weir_buf_str(&text), text.len, NULL, &json, &err);
    assert_string_equal(err.message, "");
    weir_buf_fini(&text);
    return json;
}

static void assert_kept(const struct fixture *f, const char *expected)
{
    struct weir_json *json = kept(f->changes);

    rig_assert_json(json, expected);
    weir_json_free(json);
}

static struct weir_op *call_op(struct fixture *f, const char *method,
                               const char *if_match)
{
    struct weir_call call = {.method = method,
                             .path = "/filters/a",
                             .query = "secret=1",
                             .body = "{}",
                             .body_len = 2,
                             .if_match = if_match};
    struct weir_op *op = NULL;

    assert_int_equal(weir_client_call(f->client, &call, &op, NULL), WEIR_OK);
    return op;
}

static enum weir_code run(struct fixture *f, const char *method,
                          const char *if_match)
{
    struct weir_op *op = call_op(f, method, if_match);
    enum weir_code code = rig_run(op);

    weir_op_free(op);
    return code;
}

#define AT    "'time':'2023-11-14T22:13:20Z',"
#define WHERE "'url':'https://api.test/base/filters/a'"

static void what_was_done_is_told_with_its_request(void **state)
{
    struct fixture *f = *state;

    fake_transport_answer(&f->fake, 201, "X-Request-Id: r-1", "{}");
    assert_int_equal(run(f, "POST", NULL), WEIR_OK);
    assert_int_equal(weir_changes_counts(f->changes).under_way, 0);
    assert_int_equal(weir_changes_counts(f->changes).of[WEIR_CHANGE_DONE], 1);
    assert_kept(f, "[{" AT "'method':'POST'," WHERE ",'outcome':'done',"
                   "'status':201,'request_id':'r-1','tries':1}]");
}

static void what_only_reads_is_not_told(void **state)
{
    struct fixture *f = *state;
    struct weir_call validate = {.method = "POST",
                                 .path = "/validate",
                                 .body = "{}",
                                 .body_len = 2,
                                 .safe = true};
    struct weir_op *op;

    fake_transport_answer(&f->fake, 200, NULL, "{}");
    assert_int_equal(run(f, "GET", NULL), WEIR_OK);
    fake_transport_answer(&f->fake, 200, NULL, "{}");
    assert_int_equal(weir_client_call(f->client, &validate, &op, NULL),
                     WEIR_OK);
    assert_int_equal(rig_run(op), WEIR_OK);
    weir_op_free(op);
    assert_kept(f, "[]");
}

static void what_was_refused_is_told_with_its_code(void **state)
{
    struct fixture *f = *state;

    fake_transport_answer(&f->fake, 412, "Request-Id: r-2", "{}");
    assert_int_equal(run(f, "PUT", "\"1\""), WEIR_CONFLICT);
    assert_kept(f, "[{" AT "'method':'PUT'," WHERE ",'outcome':'refused',"
                   "'code':'conflict','status':412,'request_id':'r-2',"
                   "'tries':1}]");
}

static void a_lost_answer_to_a_create_is_ambiguous(void **state)
{
    struct fixture *f = *state;

    fake_transport_fail(&f->fake, WEIR_TRANSPORT, WEIR_REACH_MAYBE, "reset");
    assert_int_equal(run(f, "POST", NULL), WEIR_AMBIGUOUS);
    assert_kept(f, "[{" AT "'method':'POST'," WHERE ",'outcome':'ambiguous',"
                   "'code':'transport','tries':1}]");
}

/* The first attempt may have been done, and made the ETag stale itself. */
static void a_refusal_after_a_lost_answer_is_ambiguous(void **state)
{
    struct fixture *f = *state;
    struct weir_json *json;
    const struct weir_json *first;

    fake_transport_fail(&f->fake, WEIR_TRANSPORT, WEIR_REACH_MAYBE, "reset");
    fake_transport_answer(&f->fake, 412, NULL, "{}");
    assert_int_equal(run(f, "PUT", "\"1\""), WEIR_CONFLICT);
    json = kept(f->changes);
    first = weir_json_first(json);
    assert_string_equal(weir_json_get_string(first, "outcome"), "ambiguous");
    assert_string_equal(weir_json_get_string(first, "code"), "conflict");
    weir_json_free(json);
}

static void what_met_nobody_was_not_sent(void **state)
{
    struct fixture *f = *state;
    struct weir_json *json;

    for (int i = 0; i < 4; i++)
        fake_transport_fail(&f->fake, WEIR_TRANSPORT, WEIR_REACH_NONE,
                            "refused");
    assert_int_equal(run(f, "PUT", "\"1\""), WEIR_TRANSPORT);
    assert_int_equal(weir_changes_counts(f->changes).of[WEIR_CHANGE_NOT_SENT],
                     1);
    json = kept(f->changes);
    assert_string_equal(weir_json_get_string(weir_json_first(json), "outcome"),
                        "not_sent");
    weir_json_free(json);
}

static void a_create_after_a_503_may_be_done_twice(void **state)
{
    struct fixture *f = *state;
    struct weir_json *json;
    const struct weir_json *first;

    fake_transport_answer(&f->fake, 503, "Retry-After: 1", "");
    fake_transport_answer(&f->fake, 201, NULL, "{}");
    assert_int_equal(run(f, "POST", NULL), WEIR_OK);
    json = kept(f->changes);
    first = weir_json_first(json);
    assert_string_equal(weir_json_get_string(first, "outcome"), "done");
    assert_true(weir_json_true(weir_json_get(first, "maybe_twice")));
    weir_json_free(json);
}

static void nothing(void *ud, struct weir_op *op)
{
    (void)ud;
    (void)op;
}

/* Cancelled while its request is out, before it left, and after its answer
 * came. */
static void a_call_that_is_let_go_of_is_told(void **state)
{
    struct fixture *f = *state;
    struct weir_op *op = call_op(f, "PUT", "\"1\"");
    struct weir_changes_counts counts;

    fake_transport_answer(&f->fake, 200, NULL, "{}");
    fake_transport_delay(&f->fake, 1000);
    weir_op_start(op, nothing, NULL);
    assert_int_equal(weir_changes_counts(f->changes).under_way, 1);
    weir_op_free(op);
    counts = weir_changes_counts(f->changes);
    assert_int_equal(counts.under_way, 0);
    assert_int_equal(counts.of[WEIR_CHANGE_AMBIGUOUS], 1);
    assert_kept(f, "[{" AT "'method':'PUT'," WHERE ",'outcome':'ambiguous',"
                   "'code':'cancelled','tries':1}]");

    op = call_op(f, "PUT", "\"1\"");
    weir_op_free(op); /* was never started, and so is nobody's news */
    assert_int_equal(weir_changes_counts(f->changes).of[WEIR_CHANGE_NOT_SENT],
                     0);
}

static void secrets_do_not_stay(void **state)
{
    struct fixture *f = *state;
    struct weir_change change = {.outcome = WEIR_CHANGE_WOULD_SEND,
                                 .method = "PUT",
                                 .url = "https://x.test/hunter22/a?q#f",
                                 .request_id = "a\x1b[31mhunter22"};

    weir_log_secret(f->log, "hunter22", 8, NULL);
    weir_changes_add(f->changes, &change);
    assert_kept(f, "[{" AT "'method':'PUT','url':'https://x.test/[redacted]/a',"
                   "'outcome':'would_send','request_id':'a [31m[redacted]',"
                   "'tries':0}]");
}

/* However many there are: memory has an end, all are counted, and what went
 * wrong last is still there to be read. */
static void what_there_is_no_room_for_is_counted(void **state)
{
    struct fixture *f = *state;
    struct weir_change change = {.outcome = WEIR_CHANGE_DONE,
                                 .method = "POST",
                                 .url = "https://x.test/filters",
                                 .status = 201};
    struct weir_changes_counts counts;
    struct weir_json *json;
    const struct weir_json *last = NULL;
    size_t n;

    for (int i = 0; i < 60000; i++)
        weir_changes_add(f->changes, &change);
    change.outcome = WEIR_CHANGE_AMBIGUOUS;
    change.code = WEIR_TIMEOUT;
    weir_changes_add(f->changes, &change);
    counts = weir_changes_counts(f->changes);
    assert_int_equal(counts.of[WEIR_CHANGE_DONE], 60000);
    assert_true(counts.more > 0);
    json = kept(f->changes);
    n = weir_json_size(json);
    assert_int_equal(n + counts.more, 60001);
    for (const struct weir_json *at = weir_json_first(json); at;
         at = weir_json_next(at))
        last = at;
    assert_string_equal(weir_json_get_string(last, "outcome"), "ambiguous");
    weir_json_free(json);
}

static void without_a_sink_nothing_happens(void **state)
{
    struct weir_change change = {.outcome = WEIR_CHANGE_DONE};

    (void)state;
    weir_changes_sent(NULL);
    weir_changes_add(NULL, &change);
    weir_changes_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_done_is_told_with_its_request),
        TEST(what_only_reads_is_not_told),
        TEST(what_was_refused_is_told_with_its_code),
        TEST(a_lost_answer_to_a_create_is_ambiguous),
        TEST(a_refusal_after_a_lost_answer_is_ambiguous),
        TEST(what_met_nobody_was_not_sent),
        TEST(a_create_after_a_503_may_be_done_twice),
        TEST(a_call_that_is_let_go_of_is_told),
        TEST(secrets_do_not_stay),
        TEST(what_there_is_no_room_for_is_counted),
        TEST(without_a_sink_nothing_happens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
