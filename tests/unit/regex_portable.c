/* regex_portable: each construct that Python's re reads differently, and the
 * ones that look like it and are the same.  That the list is right is shown
 * against Python itself in tests/e2e/test_regex_portable.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "weir/regex.h"

#define MOST 16

/* Reports of that kind; the first one's offset and message in `*first`. */
static size_t count(const char *pattern, bool warning,
                    struct weir_regex_difference *first)
{
    struct weir_regex_difference d[MOST];
    size_t n = weir_regex_portable(pattern, strlen(pattern), d, MOST);
    size_t counted = 0;

    assert_true(n <= MOST);
    for (size_t i = 0; i < n; i++) {
        if (d[i].warning != warning)
            continue;
        if (counted++ == 0)
            *first = d[i];
    }
    return counted;
}

struct expected {
    const char *pattern;
    size_t offset;
    const char *says; /* a part of the message */
};

static void check(const struct expected *e, bool warning)
{
    struct weir_regex_difference d;

    if (count(e->pattern, warning, &d) != 1)
        fail_msg("%s: %zu reports", e->pattern, count(e->pattern, warning, &d));
    if (d.offset != e->offset || !strstr(d.message, e->says))
        fail_msg("%s: at %zu: %s", e->pattern, d.offset, d.message);
}

static void what_differs_is_named_with_its_place(void **state)
{
    static const struct expected all[] = {
        {"a(?<n>b)", 1, "(?P<n>...)"},
        {"(?'n'b)", 0, "(?P<n>...)"},
        {"(?P<n>b)\\k<n>", 8, "(?P=name)"},
        {"(b)\\g{1}", 3, "\\1"},
        {"a(?R)?", 1, "recursion"},
        {"(a)(?1)", 3, "recursion"},
        {"(a)(?-1)", 3, "recursion"},
        {"(?P<n>a)(?&n)", 8, "recursion"},
        {"(?P<n>a)(?P>n)", 8, "recursion"},
        {"(?(DEFINE)a)", 0, "DEFINE"},
        {"(?|a|b)", 0, "(?|"},
        {"a\\Kb", 1, "\\K"},
        {"\\R", 0, "\\R"},
        {"\\h", 0, "[ \\t]"},
        {"[\\H]", 1, "[^ \\t]"},
        {"\\N", 0, "[^\\n]"},
        {"\\N{DASH}", 0, "Python's alone"},
        {"\\X", 0, "\\X"},
        {"\\p{L}\\d", 0, "[^\\W\\d_]"},
        {"\\PL", 0, "\\P"},
        {"\\Qa.b\\E", 0, "\\Q"},
        {"\\e", 0, "\\x1b"},
        {"\\cA", 0, "\\c"},
        {"\\o{101}", 0, "\\o"},
        {"\\x{e9}", 0, "\\xhh"},
        {"\\x4", 0, "two digits"},
        {"\\G", 0, "\\G"},
        {"(*ANYCRLF)a", 0, "(*"},
        {"a(?C1)b", 1, "callouts"},
        {"[[:alpha:]]", 1, "POSIX"},
        {"[a[b]", 2, "\\["},
        {"[a&&b]", 2, "&&"},
        {"[a--b]", 2, "--"},
        {"[a~~b]", 2, "~~"},
        {"[a||b]", 2, "||"},
        {"a(?i)b", 1, "at the start only"},
        {"(?J)a", 0, "flags"},
        {"(?n)a", 0, "flags"},
        {"(?^)a", 0, "flags"},
        {"(?xx)a", 0, "flags"},
        {"(?U)a", 0, "flags"},
        {"(?-i)a", 0, "(?-i:...)"},
        {"(?a)a", 0, "Python's alone"},
        {"a\\Z", 1, "very end"},
        {"a\\z", 1, "3.14"},
        {"\\v", 0, "\\x0b"},
        {"\\u0041", 0, "character itself"},
        {"\\U00000041", 0, "character itself"},
        {"(?P<a23456789b123456789c123456789d123456>a)", 4, "32"},
        {"(?P<\xc3\xa9>a)", 4, "ASCII"},
        {"a{65536}", 1, "65535"},
        {"a\\18", 1, "octal"},
        {"a\\41", 1, "octal"},
        {"a\\101", 1, "octal"},
        {"[\\101]", 1, "octal"},
        {"a\\8", 1, "later"},
        {"a{,3}", 1, "{0,n}"},
        {"a{,}", 1, "{0,n}"},
        {"(?<=a|bc)d", 0, "one fixed width"},
        {"(?<!a+)d", 0, "one fixed width"},
        {"(?(?=a)a|b)", 0, "lookaround"},
        {"(?m)^a", 4, "(?<=\\n)"},
        {"(?m:a|^b)", 6, "(?<=\\n)"},
        {"a\\B", 1, "(?!\\b)"},
        {"(?i)\xc4\xb0", 4, "dotless"},
        {"(a|b?)*", 6, "captures"},
        {"(?:(a)|b?)+", 10, "captures"},
        {"\\1(a)", 0, "later"},
        {"(a\\1)", 2, "inside"},
        {"(?<=(a)\\1)b", 7, "same lookbehind"},
        {"(?x)a+ +", 6, "space"},
        {"(?x)a\xe2\x80\xa8", 5, "beyond ASCII"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        check(&all[i], false);
}

static void what_is_slow_or_new_is_a_warning(void **state)
{
    static const struct expected all[] = {
        {"(a+)+", 0, "repeat of a repeat"},
        {"x(?:\\w+\\s*)*y", 1, "repeat of a repeat"},
        {"^\\w+\\d+$", 4, "in a row"},
        {"^(?:.*)(.*)x", 7, "in a row"},
        {".*a", 0, ".*"},
        {"(.+)a", 1, ".*"},
        {"(?>a)", 0, "3.11"},
        {"a++", 1, "3.11"},
        {"(?i)ping", 5, "caseless i"},
        {"(?i)[a-z]", 5, "caseless i"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        check(&all[i], true);
}

static void what_is_the_same_is_not_reported(void **state)
{
    static const char *const same[] = {
        "",
        "^skill_premium_.*$",
        "(?P<year>\\d{4})-(?P=year)",
        "(?i)abc",
        "(?#c)(?s)(?m)a",
        "(?i:abc)(?s-m:.)",
        "a{2,}b{3}c{1,2}?",
        "a{b}{}",
        "[]a][^]a][a-][\\]\\[]",
        "\\x41\\0\\012\\t\\.\\/",
        "(?<=ab|cd)e(?<!a{2})",
        "(?<=(?:a|b)c)d",
        "(?:a?)*",
        "(a)(?(1)b|c)",
        "(?x) a b # (?<n> \\K\n [ ]",
        "^(?:\\w+\\.)+\\w+$",
        "^(?:,\\w+)*$",
        "(?:\\A|(?<=\\n))a",
        "^.*a",
        "\xc3\xa9+\\\xc3\xa9",
        "(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)\\10",
    };
    struct weir_regex_difference d;

    (void)state;
    for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++) {
        if (count(same[i], false, &d) + count(same[i], true, &d))
            fail_msg("%s: at %zu: %s", same[i], d.offset, d.message);
    }
}

static void more_than_there_is_room_for_are_counted(void **state)
{
    struct weir_regex_difference d[2] = {{0}};

    (void)state;
    assert_int_equal(weir_regex_portable("\\h\\h\\h\\h", 8, d, 2), 4);
    assert_int_equal(d[1].offset, 2);
    assert_int_equal(weir_regex_portable("\\h\\h", 4, NULL, 0), 2);
}

static void too_many_nested_groups_end_the_scan(void **state)
{
    char pattern[600];
    struct weir_regex_difference d;

    (void)state;
    memset(pattern, '(', 300);
    memset(pattern + 300, ')', 300);
    assert_int_equal(weir_regex_portable(pattern, 600, &d, 1), 1);
    assert_int_equal(d.offset, 250);
}

/* Text cut anywhere, and bytes of every kind, are read to the end. */
static void any_text_is_read(void **state)
{
    static const char whole[] =
        "(?P<n>a)(?(n)b)[^\\x41-\\]&&[:alpha:]]{2,3}+\\Qx\\E\\p{L}(?i-m:(?#";
    struct weir_regex_difference d[4];
    uint32_t seed = 1;

    (void)state;
    for (size_t n = 0; n < sizeof(whole); n++) {
        char *cut = malloc(n + 1); /* so that ASan sees a read past it */

        memcpy(cut, whole, n);
        char *exact = realloc(cut, n ? n : 1);
        weir_regex_portable(exact, n, d, 4);
        free(exact);
    }
    for (int round = 0; round < 20000; round++) {
        char text[24];

        for (size_t i = 0; i < sizeof(text); i++) {
            seed = seed * 1664525u + 1013904223u;
            text[i] = (seed >> 28) < 10 ? "()[]\\?*{<P"[seed >> 28]
                                        : (char)(seed >> 16);
        }
        weir_regex_portable(text, sizeof(text), d, 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_differs_is_named_with_its_place),
        cmocka_unit_test(what_is_slow_or_new_is_a_warning),
        cmocka_unit_test(what_is_the_same_is_not_reported),
        cmocka_unit_test(more_than_there_is_room_for_are_counted),
        cmocka_unit_test(too_many_nested_groups_end_the_scan),
        cmocka_unit_test(any_text_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
