/* buf: how it grows, and where that ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "weir/buf.h"

static void fill(struct weir_buf *buf, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_int_equal(weir_buf_addc(buf, 'x'), WEIR_OK);
}

static void what_is_reserved_first_is_taken_as_it_is(void **state)
{
    struct weir_buf buf;

    (void)state;
    weir_buf_init(&buf, 1 << 20);
    assert_int_equal(weir_buf_reserve(&buf, 1000), WEIR_OK);
    assert_int_equal(buf.cap, 1001);
    fill(&buf, 1000);
    assert_int_equal(buf.cap, 1001);
    weir_buf_fini(&buf);
    fill(&buf, 1);
    assert_int_equal(buf.cap, 64);
    weir_buf_fini(&buf);
}

/* Whatever it began with: the last copy of a large one is half of it. */
static void it_grows_from_one_power_of_two_to_the_next(void **state)
{
    struct weir_buf buf;

    (void)state;
    weir_buf_init(&buf, 1 << 20);
    assert_int_equal(weir_buf_reserve(&buf, 70000), WEIR_OK);
    assert_int_equal(buf.cap, 70001);
    fill(&buf, 70001);
    assert_int_equal(buf.cap, 1 << 17);
    fill(&buf, (1 << 17) - 70001);
    assert_int_equal(buf.cap, 1 << 18);
    weir_buf_fini(&buf);
}

static void at_its_ceiling_it_fails_and_stays_failed(void **state)
{
    struct weir_buf buf;

    (void)state;
    weir_buf_init(&buf, 100);
    fill(&buf, 100);
    assert_int_equal(buf.cap, 101);
    assert_int_equal(weir_buf_addc(&buf, 'y'), WEIR_LIMIT);
    assert_int_equal(weir_buf_adds(&buf, ""), WEIR_LIMIT);
    assert_int_equal(buf.len, 100);
    assert_int_equal(strlen(weir_buf_str(&buf)), 100);
    weir_buf_reset(&buf);
    assert_int_equal(weir_buf_reserve(&buf, 101), WEIR_LIMIT);
    weir_buf_fini(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_reserved_first_is_taken_as_it_is),
        cmocka_unit_test(it_grows_from_one_power_of_two_to_the_next),
        cmocka_unit_test(at_its_ceiling_it_fails_and_stays_failed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
