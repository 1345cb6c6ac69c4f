/* poll: words, deadlines and who looks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "rig.h"
#include "weir/poll.h"

static const char *const done[] = {"ACTIVE"};
static const char *const failed[] = {"FAILED", "REJECTED"};

struct fixture {
    struct rig rig;
    struct weir_poll_options options;
    struct weir_op *op;
    int64_t began;
};

static int setup(void **state)
{
    static struct fixture f;

    memset(&f, 0, sizeof(f));
    rig_init(&f.rig);
    f.options = (struct weir_poll_options){.what = "filter x",
                                           .path = "/f/x/status",
                                           .done = done,
                                           .n_done = 1,
                                           .failed = failed,
                                           .n_failed = 2};
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    weir_op_free(f->op);
    rig_fini(&f->rig);
    return 0;
}

static void begin(struct fixture *f)
{
    struct weir_err err = WEIR_ERR_INIT;

    weir_op_free(f->op);
    if (weir_poll_new(f->rig.loop, f->options.path ? f->rig.client : NULL,
                      &f->options, &f->op, &err))
        fail_msg("%s", err.message);
    f->began = weir_loop_now(f->rig.loop);
}

static void word(struct fixture *f, const char *status)
{
    char body[100];

    snprintf(body, sizeof(body), "{'status':'%s'}", status);
    rig_answer(&f->rig, 200, NULL, body);
}

/* When the n-th look began, since the start. */
static int64_t look_at(const struct fixture *f, size_t n)
{
    assert_true(n < f->rig.fake.n_requests);
    return f->rig.fake.requests[n].time - f->began;
}

static void assert_message(const struct fixture *f, const char *message)
{
    assert_string_equal(weir_op_err(f->op)->message, message);
}

static void waits_until_the_word(void **state)
{
    struct fixture *f = *state;

    begin(f);
    word(f, "DRAFT");
    word(f, "SOMETHING_NEW");
    rig_answer(&f->rig, 200, NULL, "{'status':'ACTIVE','since':1}");
    assert_int_equal(rig_run(f->op), WEIR_OK);
    assert_int_equal(weir_poll_state(f->op), WEIR_POLL_DONE);
    assert_string_equal(weir_poll_word(f->op), "ACTIVE");
    rig_assert_json(weir_poll_document(f->op), "{'status':'ACTIVE','since':1}");
    assert_int_equal(weir_poll_looks(f->op), 3);
    assert_int_equal(weir_poll_waited(f->op), 6000);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(look_at(f, i), (int64_t)i * 3000);
    assert_string_equal(f->rig.fake.requests[0].url,
                        "https://x.test/f/x/status");
}

static void a_failure_ends_it_at_once_with_the_reason(void **state)
{
    struct fixture *f = *state;

    begin(f);
    word(f, "DRAFT");
    rig_answer(&f->rig, 200, NULL,
               "{'status':'REJECTED','reason':'no such group'}");
    assert_int_equal(rig_run(f->op), WEIR_FAILED);
    assert_message(f, "filter x: REJECTED: no such group");
    assert_int_equal(weir_loop_now(f->rig.loop) - f->began, 3000);

    begin(f);
    rig_answer(&f->rig, 200, NULL, "{'status':'FAILED','reason':{'a':1}}");
    assert_int_equal(rig_run(f->op), WEIR_FAILED);
    assert_message(f, "filter x: FAILED");
}

static void the_deadline_says_how_long_and_what_was_last(void **state)
{
    struct fixture *f = *state;

    f->options.timeout_ms = 10000;
    begin(f);
    for (int i = 0; i < 5; i++)
        word(f, "PENDING");
    assert_int_equal(rig_run(f->op), WEIR_TIMEOUT);
    assert_message(f, "filter x: still 'PENDING' after 10.0 s and 5 looks");
    assert_int_equal(look_at(f, 3), 9000);
    assert_int_equal(look_at(f, 4), 10000); /* the last one */
}

static void slow_looks_do_not_add_up(void **state)
{
    struct fixture *f = *state;

    f->options.timeout_ms = 12000;
    begin(f);
    for (int i = 0; i < 4; i++) {
        word(f, "PENDING");
        fake_transport_delay(&f->rig.fake, i == 1 ? 4000 : 500);
    }
    assert_int_equal(rig_run(f->op), WEIR_TIMEOUT);
    assert_int_equal(look_at(f, 1), 3000);
    /* 6,000 was passed by the slow one; the grid stays. */
    assert_int_equal(look_at(f, 2), 9000);
    assert_int_equal(look_at(f, 3), 12000);
}

static void a_look_is_bounded_by_the_time_left(void **state)
{
    struct fixture *f = *state;

    f->options.timeout_ms = 10000;
    begin(f);
    word(f, "PENDING");
    word(f, "ACTIVE"); /* far too late */
    fake_transport_delay(&f->rig.fake, 600000);
    assert_int_equal(rig_run(f->op), WEIR_TIMEOUT);
    assert_in_range(weir_loop_now(f->rig.loop) - f->began, 10000, 10100);
    assert_ptr_equal(strstr(weir_op_err(f->op)->message,
                            "filter x: still 'PENDING' after 10.0 s and 2 "
                            "looks; the last look failed: "),
                     weir_op_err(f->op)->message);
}

static void a_server_in_trouble_at_the_end_is_a_timeout(void **state)
{
    struct fixture *f = *state;

    f->options.timeout_ms = 2000;
    begin(f);
    word(f, "PENDING");
    rig_answer(&f->rig, 503, "Retry-After: 30", "{}");
    assert_int_equal(rig_run(f->op), WEIR_TIMEOUT);
    assert_non_null(strstr(weir_op_err(f->op)->message, "still 'PENDING'"));
    assert_int_equal(weir_op_err(f->op)->status, 503);
}

static void a_look_that_fails_ends_it(void **state)
{
    struct fixture *f = *state;

    begin(f);
    rig_answer(&f->rig, 404, NULL, "{}");
    assert_int_equal(rig_run(f->op), WEIR_NOT_FOUND);
    assert_ptr_equal(strstr(weir_op_err(f->op)->message, "filter x: "),
                     weir_op_err(f->op)->message);
}

static void a_document_without_the_word_is_an_error(void **state)
{
    struct fixture *f = *state;

    f->options.field = "state";
    begin(f);
    rig_answer(&f->rig, 200, NULL, "{'status':'ACTIVE'}");
    assert_int_equal(rig_run(f->op), WEIR_PROTOCOL);
    assert_message(f, "filter x: 'state' should be a string and is absent");
    begin(f);
    rig_answer(&f->rig, 200, NULL, "{'state':7}");
    assert_int_equal(rig_run(f->op), WEIR_PROTOCOL);
    assert_message(f, "filter x: 'state' should be a string and is number");
    assert_int_equal(weir_op_err(f->op)->status, 200);
}

static void pauses_after_every_look_when_asked(void **state)
{
    struct fixture *f = *state;

    f->options.pause_on_look = true;
    begin(f);
    word(f, "DRAFT");
    word(f, "ACTIVE");
    assert_int_equal(rig_run(f->op), WEIR_OK);
    assert_int_equal(weir_poll_state(f->op), WEIR_POLL_LOOKED);
    assert_string_equal(weir_poll_word(f->op), "DRAFT");
    assert_int_equal(rig_run(f->op), WEIR_OK);
    assert_int_equal(weir_poll_state(f->op), WEIR_POLL_LOOKED);
    assert_string_equal(weir_poll_word(f->op), "ACTIVE");
    assert_int_equal(rig_run(f->op), WEIR_OK);
    assert_int_equal(weir_poll_state(f->op), WEIR_POLL_DONE);
    assert_int_equal(weir_poll_looks(f->op), 2);
    /* It is over: a further start says so. */
    assert_int_equal(rig_run(f->op), WEIR_INVALID);
}

static void the_caller_may_look(void **state)
{
    struct fixture *f = *state;

    f->options.path = NULL;
    f->options.what = NULL;
    begin(f);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(rig_run(f->op), WEIR_OK);
        assert_int_equal(weir_poll_state(f->op), WEIR_POLL_LOOK);
        assert_int_equal(weir_loop_now(f->rig.loop) - f->began, i * 3000);
        assert_null(weir_poll_document(f->op));
        weir_poll_answer(f->op, i < 2 ? "PENDING" : "FAILED",
                         i < 2 ? NULL : "because", NULL);
    }
    assert_int_equal(rig_run(f->op), WEIR_FAILED);
    assert_message(f, "the state waited for: FAILED: because");

    begin(f);
    assert_int_equal(rig_run(f->op), WEIR_OK);
    assert_int_equal(rig_run(f->op), WEIR_INVALID); /* not answered */
}

static void a_look_of_the_callers_has_the_time_left(void **state)
{
    struct fixture *f = *state;

    f->options.path = NULL;
    f->options.timeout_ms = 10000;
    begin(f);
    assert_int_equal(rig_run(f->op), WEIR_OK);
    assert_int_equal(weir_poll_left(f->op), 10000);
    weir_poll_answer(f->op, "PENDING", NULL, NULL);
    weir_clock_fake_advance(&f->rig.clock, 9000);
    assert_int_equal(rig_run(f->op), WEIR_OK);
    /* The last look begins when the time is up. */
    assert_int_equal(weir_loop_now(f->rig.loop) - f->began, 10000);
    assert_int_equal(weir_poll_left(f->op), 3000);
    weir_clock_fake_advance(&f->rig.clock, 3000);
    weir_poll_cut(f->op);
    assert_int_equal(rig_run(f->op), WEIR_TIMEOUT);
    assert_message(f, "filter x: still 'PENDING' after 13.0 s and 2 looks; the "
                      "last look failed: it was not done in time");
}

static void the_note_tells_how_far_it_is(void **state)
{
    struct fixture *f = *state;
    char note[WEIR_OP_NOTE];

    begin(f);
    word(f, "PENDING_ACTIVATION");
    word(f, "PENDING_ACTIVATION");
    word(f, "PENDING_ACTIVATION");
    word(f, "ACTIVE");
    weir_op_start(f->op, NULL, NULL);
    while (weir_loop_now(f->rig.loop) - f->began < 7500)
        weir_loop_turn(f->rig.loop, 500, NULL);
    weir_op_note_text(f->op, note);
    assert_string_equal(note, "filter x: PENDING_ACTIVATION, 7 s of 60 s");
    weir_op_cancel(f->op);
    weir_op_note_text(f->op, note);
    assert_string_equal(note, "");
    assert_true(weir_loop_idle(f->rig.loop));
    /* Cancelled in a pause, it can be started again. */
    assert_int_equal(rig_run(f->op), WEIR_OK);
}

static void what_cannot_be_is_refused_at_once(void **state)
{
    struct fixture *f = *state;
    struct weir_err err = WEIR_ERR_INIT;

    assert_int_equal(
        weir_poll_new(f->rig.loop, NULL, &f->options, &f->op, &err),
        WEIR_INVALID);
    f->options.n_done = 0;
    assert_int_equal(
        weir_poll_new(f->rig.loop, f->rig.client, &f->options, &f->op, &err),
        WEIR_INVALID);
    assert_string_equal(err.message, "a wait needs a word that ends it well");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(waits_until_the_word),
        TEST(a_failure_ends_it_at_once_with_the_reason),
        TEST(the_deadline_says_how_long_and_what_was_last),
        TEST(slow_looks_do_not_add_up),
        TEST(a_look_is_bounded_by_the_time_left),
        TEST(a_server_in_trouble_at_the_end_is_a_timeout),
        TEST(a_look_that_fails_ends_it),
        TEST(a_document_without_the_word_is_an_error),
        TEST(pauses_after_every_look_when_asked),
        TEST(the_caller_may_look),
        TEST(a_look_of_the_callers_has_the_time_left),
        TEST(the_note_tells_how_far_it_is),
        TEST(what_cannot_be_is_refused_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
