/* cut: what does not fit ends with an ellipsis, on a character's border. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "weir/cut.h"

static void what_fits_is_left_alone(void **state)
{
    char out[8];

    (void)state;
    assert_int_equal(weir_cut_printf(out, sizeof(out), "%s", "1234567"), 7);
    assert_string_equal(out, "1234567");
    assert_string_equal(weir_cut_copy(out, sizeof(out), "", 0), "");
    assert_string_equal(WEIR_CUT(7, "1234567"), "1234567");
}

static void what_does_not_fit_ends_with_the_mark(void **state)
{
    char out[8];

    (void)state;
    assert_int_equal(weir_cut_printf(out, sizeof(out), "%s", "12345678"), 7);
    assert_string_equal(out, "1234\xE2\x80\xA6");
    assert_string_equal(weir_cut_copy(out, sizeof(out), "123456789", 9),
                        "1234\xE2\x80\xA6");
    assert_string_equal(WEIR_CUT(9, "1234567890"), "123456\xE2\x80\xA6");
}

static void characters_stay_whole(void **state)
{
    char out[8];

    (void)state;
    assert_int_equal(
        weir_cut_printf(out, sizeof(out), "%s", "abc\xC3\xA9\xC3\xA9z"), 6);
    assert_string_equal(out, "abc\xE2\x80\xA6");
    assert_string_equal(
        weir_cut_copy(out, sizeof(out), "\xF0\x9F\x98\x80\xF0\x9F\x98\x80", 8),
        "\xF0\x9F\x98\x80\xE2\x80\xA6");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fits_is_left_alone),
        cmocka_unit_test(what_does_not_fit_ends_with_the_mark),
        cmocka_unit_test(characters_stay_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
