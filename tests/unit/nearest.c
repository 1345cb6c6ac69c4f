/* nearest: near enough to suggest, or nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "weir/filter.h"

static const char *const words[] = {"equals", "not_equals", "greater_than",
                                    "in",     "id",         NULL};

static void nothing_is_suggested_for_what_is_far(void **state)
{
    char long_word[200];

    (void)state;
    memset(long_word, 'e', sizeof(long_word));
    long_word[199] = '\0';
    assert_null(weir_nearest("", words));
    assert_null(weir_nearest("xyz", words));
    assert_null(weir_nearest("i", words));
    assert_null(weir_nearest("ix", words));
    assert_null(weir_nearest("larger_than_this", words));
    assert_null(weir_nearest(long_word, words));
}

static void one_slip_is_forgiven(void **state)
{
    (void)state;
    assert_string_equal(weir_nearest("equal", words), "equals");
    assert_string_equal(weir_nearest("eqauls", words), "equals");
    assert_string_equal(weir_nearest("EQUALS", words), "equals");
    assert_string_equal(weir_nearest("notequals", words), "not_equals");
    assert_string_equal(weir_nearest("greaterthan", words), "greater_than");
    assert_string_equal(weir_nearest("ID", words), "id");
}

static void of_two_the_nearer_is_taken_then_the_first(void **state)
{
    static const char *const near[] = {"abcdeX", "abcdef", "abcdeY", NULL};

    (void)state;
    assert_string_equal(weir_nearest("abcdef", near), "abcdef");
    assert_string_equal(weir_nearest("abcdeg", near), "abcdeX");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_suggested_for_what_is_far),
        cmocka_unit_test(one_slip_is_forgiven),
        cmocka_unit_test(of_two_the_nearer_is_taken_then_the_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
