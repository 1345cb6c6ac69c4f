/* err: whatever text of others goes into a message, it is one line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "weir/err.h"
#include "weir/regex.h"
#include "weir/value.h"

static const struct {
    const char *text, *shown;
} rows[] = {
    {"plain", "plain"},
    {"é € 😀", "é € 😀"},
    {"a\nb\r\tc", "a?b??c"},
    {"\x1b[2Jcleared", "?[2Jcleared"},
    {"\x7f", "?"},
    /* U+009B is what ESC [ is in one character. */
    {"\xC2\x9B"
     "2J",
     "??2J"},
    {"\xC2\xA0", "\xC2\xA0"},
    {"\xFF\xFE", "??"},
    {"a\xE2\x82", "a"},
    {"a\xE2\x82z", "a??z"},
    {"\xED\xA0\x80", "???"},
    {"\xC0\x80", "??"},
    {"\xF4\x90\x80\x80", "????"},
    {"a\xF0\x9F\x98", "a"},
    {"", ""},
};

static void text_of_others_is_made_one_line(void **state)
{
    struct weir_err err = WEIR_ERR_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        weir_err_set(&err, WEIR_PROTOCOL, "%s", rows[i].text);
        assert_string_equal(err.message, rows[i].shown);
        weir_err_hint(&err, "%s", rows[i].text);
        assert_string_equal(err.hint, rows[i].shown);
        weir_err_set(&err, WEIR_PROTOCOL, "z");
        weir_err_prefix(&err, "%s|", rows[i].text);
        assert_int_equal(err.message[strlen(err.message) - 1], 'z');
        assert_null(strpbrk(err.message, "\n\r\t\x1b\x7f"));
    }
    weir_err_clear(&err);
}

/* A message that is cut short is not cut inside a character. */
static void what_is_cut_short_stays_utf8(void **state)
{
    struct weir_err err = WEIR_ERR_INIT;
    char text[1024];

    (void)state;
    for (size_t shift = 0; shift < 4; shift++) {
        size_t len;

        memset(text, 'a', shift);
        for (size_t i = shift; i + 4 < sizeof(text); i += 4)
            memcpy(text + i, "😀", 5);
        weir_err_set(&err, WEIR_PROTOCOL, "%s", text);
        len = strlen(err.message);
        assert_in_range(len, sizeof(err.message) - 4, sizeof(err.message) - 1);
        assert_int_equal(weir_utf8_valid(err.message, len), len);
        weir_err_prefix(&err, "é%s", text);
        len = strlen(err.message);
        assert_int_equal(weir_utf8_valid(err.message, len), len);
    }
    weir_err_clear(&err);
}

static void a_regex_does_not_reach_the_terminal(void **state)
{
    static const char pattern[] = "(?<\x01\xFE\x1b>a)";
    struct weir_regex_difference d[4];
    size_t n = weir_regex_portable(pattern, sizeof(pattern) - 1, d, 4);

    (void)state;
    assert_in_range(n, 1, 4);
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(d[i].message);

        assert_null(strpbrk(d[i].message, "\x01\x1b"));
        assert_int_equal(weir_utf8_valid(d[i].message, len), len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_of_others_is_made_one_line),
        cmocka_unit_test(what_is_cut_short_stays_utf8),
        cmocka_unit_test(a_regex_does_not_reach_the_terminal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
