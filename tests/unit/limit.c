/* limit: the bucket never gives more than rate and burst; pauses hold all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "weir/limit.h"

/* Takes as a caller does that waits as told, until `until_ms`. */
static int take_until(struct weir_limit *limit, int64_t now, int64_t until_ms)
{
    int taken = 0;

    while (now < until_ms) {
        int64_t wait = weir_limit_take(limit, now);

        assert_true(wait >= 0);
        if (wait == 0)
            taken++;
        now += wait;
    }
    return taken;
}

static void the_burst_goes_at_once_and_then_the_rate(void **state)
{
    struct weir_limit limit;

    (void)state;
    weir_limit_init(&limit, 100, 10, 5000);
    for (int i = 0; i < 10; i++)
        assert_int_equal(weir_limit_take(&limit, 5000), 0);
    assert_int_equal(weir_limit_take(&limit, 5000), 10);
    assert_int_equal(weir_limit_take(&limit, 5009), 1);
    assert_int_equal(weir_limit_take(&limit, 5010), 0);
    assert_int_equal(weir_limit_take(&limit, 5010), 10);
}

static void a_rest_fills_the_bucket_but_not_over_the_burst(void **state)
{
    struct weir_limit limit;

    (void)state;
    weir_limit_init(&limit, 100, 3, 0);
    for (int64_t now = 0; now <= 3600000; now += 3600000) {
        for (int i = 0; i < 3; i++)
            assert_int_equal(weir_limit_take(&limit, now), 0);
        assert_int_equal(weir_limit_take(&limit, now), 10);
    }
}

static void the_rate_holds_over_any_stretch(void **state)
{
    static const double rates[] = {0.5, 1, 3, 7, 99, 100, 333, 999, 1000, 4000};

    (void)state;
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        struct weir_limit limit;
        int taken;

        weir_limit_init(&limit, rates[i], 5, 0);
        taken = take_until(&limit, 0, 20000);
        assert_true(taken <= 5 + rates[i] * 20);
        /* A wait is rounded up to a millisecond, but what was saved by it
         * stays in the bucket: nothing is lost over time. */
        assert_true(taken >= rates[i] * 20);
    }
}

static void no_rate_means_no_limit_but_pauses_hold(void **state)
{
    struct weir_limit limit;

    (void)state;
    weir_limit_init(&limit, 0, 0, 0);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(weir_limit_take(&limit, 0), 0);
    weir_limit_pause(&limit, 250);
    assert_int_equal(weir_limit_take(&limit, 100), 150);
    assert_int_equal(weir_limit_take(&limit, 250), 0);
    weir_limit_init(&limit, -1, 10, 0);
    assert_int_equal(weir_limit_take(&limit, 0), 0);
}

static void a_small_burst_counts_as_one(void **state)
{
    struct weir_limit limit;

    (void)state;
    weir_limit_init(&limit, 10, 0, 0);
    assert_int_equal(weir_limit_take(&limit, 0), 0);
    assert_int_equal(weir_limit_take(&limit, 0), 100);
    weir_limit_init(&limit, 10, 0.0 / 0.0, 0); /* not a number */
    assert_int_equal(weir_limit_take(&limit, 0), 0);
    assert_int_equal(weir_limit_take(&limit, 0), 100);
}

static void a_pause_holds_everyone_to_its_end(void **state)
{
    struct weir_limit limit;

    (void)state;
    weir_limit_init(&limit, 100, 50, 0);
    weir_limit_pause(&limit, 5000);
    weir_limit_pause(&limit, 3000); /* the longer one stays */
    assert_int_equal(weir_limit_take(&limit, 0), 5000);
    assert_int_equal(weir_limit_take(&limit, 4999), 1);
    /* And then not all 50 at once. */
    assert_int_equal(weir_limit_take(&limit, 5000), 0);
    assert_int_equal(weir_limit_take(&limit, 5000), 10);
    weir_limit_pause(&limit, 4000); /* long past */
    assert_int_equal(weir_limit_take(&limit, 5010), 0);
}

static void the_slowest_rate_gives_a_wait_that_can_be_added(void **state)
{
    struct weir_limit limit;

    (void)state;
    weir_limit_init(&limit, 1e-300, 1, 0);
    assert_int_equal(weir_limit_take(&limit, 0), 0);
    assert_int_equal(weir_limit_take(&limit, 0), 24 * 3600 * 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_burst_goes_at_once_and_then_the_rate),
        cmocka_unit_test(a_rest_fills_the_bucket_but_not_over_the_burst),
        cmocka_unit_test(the_rate_holds_over_any_stretch),
        cmocka_unit_test(no_rate_means_no_limit_but_pauses_hold),
        cmocka_unit_test(a_small_burst_counts_as_one),
        cmocka_unit_test(a_pause_holds_everyone_to_its_end),
        cmocka_unit_test(the_slowest_rate_gives_a_wait_that_can_be_added),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
