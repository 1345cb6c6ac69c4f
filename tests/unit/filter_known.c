/* filter: which texts were found faultless lately. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weir/filter.h"

static void add(struct weir_filter_known *known, const char *text)
{
    weir_filter_known_add(known, text, strlen(text));
}

static bool has(const struct weir_filter_known *known, const char *text)
{
    return weir_filter_known_has(known, text, strlen(text));
}

static void only_the_same_text_is_known(void **state)
{
    static const char text[] = "{\"name\":\"0123456789\"}";
    struct weir_filter_known *known = weir_filter_known_new();

    (void)state;
    assert_non_null(known);
    assert_false(has(known, ""));
    assert_false(has(known, text));
    add(known, text);
    assert_true(has(known, text));
    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        char other[sizeof(text)];

        memcpy(other, text, sizeof(text));
        other[i] ^= 1;
        assert_false(has(known, other));
        assert_false(weir_filter_known_has(known, text, i));
    }
    weir_filter_known_free(known);
}

static void the_oldest_is_forgotten(void **state)
{
    struct weir_filter_known *known = weir_filter_known_new();
    char text[32];

    (void)state;
    assert_non_null(known);
    for (int i = 0; i < 3 * WEIR_FILTER_KNOWN; i++) {
        snprintf(text, sizeof(text), "definition %d", i);
        add(known, text);
    }
    for (int i = 0; i < 3 * WEIR_FILTER_KNOWN; i++) {
        snprintf(text, sizeof(text), "definition %d", i);
        assert_int_equal(has(known, text), i >= 2 * WEIR_FILTER_KNOWN);
    }
    weir_filter_known_free(known);
}

static void what_is_long_is_not_kept(void **state)
{
    struct weir_filter_known *known = weir_filter_known_new();
    char *text = malloc(WEIR_FILTER_KNOWN_SIZE + 1);

    (void)state;
    assert_non_null(known);
    assert_non_null(text);
    memset(text, 'x', WEIR_FILTER_KNOWN_SIZE + 1);
    weir_filter_known_add(known, text, WEIR_FILTER_KNOWN_SIZE + 1);
    assert_false(
        weir_filter_known_has(known, text, WEIR_FILTER_KNOWN_SIZE + 1));
    weir_filter_known_add(known, text, WEIR_FILTER_KNOWN_SIZE);
    assert_true(weir_filter_known_has(known, text, WEIR_FILTER_KNOWN_SIZE));
    free(text);
    weir_filter_known_free(known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_same_text_is_known),
        cmocka_unit_test(the_oldest_is_forgotten),
        cmocka_unit_test(what_is_long_is_not_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
