/* regex: ceilings first, then what it finds.
 *
 * Where a test is about another ceiling than that on time, the clock stands
 * still: on a slow machine, or under memcheck, time would run out first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "weir/regex.h"

static struct weir_regex *compiled(const char *pattern, unsigned flags)
{
    struct weir_regex *regex = NULL;
    struct weir_err err = WEIR_ERR_INIT;

    if (weir_regex_new(pattern, strlen(pattern), flags, &regex, &err))
        fail_msg("%s: %s", pattern, err.message);
    return regex;
}

/* 1, 0, or minus the code. */
static int found(const char *pattern, unsigned flags, const char *subject)
{
    struct weir_regex *regex = compiled(pattern, flags);
    bool matched = false;
    enum weir_code code = weir_regex_search(regex, subject, strlen(subject), 0,
                                            &matched, NULL, NULL);

    weir_regex_free(regex);
    return code == WEIR_OK ? matched : -(int)code;
}

static enum weir_code refused(const char *pattern, size_t len,
                              struct weir_err *err)
{
    struct weir_regex *regex = NULL;
    enum weir_code code = weir_regex_new(pattern, len, 0, &regex, err);

    assert_null(regex);
    return code;
}

static void a_faulty_pattern_is_named_with_its_place(void **state)
{
    struct weir_err err = WEIR_ERR_INIT;

    (void)state;
    assert_int_equal(refused("ab(c", 4, &err), WEIR_SYNTAX);
    assert_string_equal(err.message,
                        "missing closing parenthesis, at byte 4 of the regex");
    assert_int_equal(refused("a\xff", 2, &err), WEIR_SYNTAX);
    assert_non_null(strstr(err.message, "UTF-8"));
    /* \C would cut a character in two. */
    assert_int_equal(refused("\\C", 2, &err), WEIR_SYNTAX);
}

static void a_pattern_too_large_is_refused(void **state)
{
    char *long_one = malloc(WEIR_REGEX_MAX_PATTERN + 1);
    struct weir_err err = WEIR_ERR_INIT;

    (void)state;
    memset(long_one, 'a', WEIR_REGEX_MAX_PATTERN + 1);
    assert_int_equal(refused(long_one, WEIR_REGEX_MAX_PATTERN + 1, &err),
                     WEIR_LIMIT);
    free(long_one);
    /* Small as text, large once its repeats are written out. */
    assert_int_equal(refused("(?:[a-y]x){9000}", 16, &err), WEIR_LIMIT);
}

static void time_is_bounded_whatever_the_pattern(void **state)
{
    static const char *const slow[] = {
        "\\w+\\s*[yz]",        "(\\w+)+[!?]",      "\\w*\\w*\\w*[!?]",
        "(?:\\w|\\w\\w)+[!?]", "(\\w+)\\1+[!?]",   "(?=(\\w+))\\1[!?]",
        "(?:\\w{9})*[!?]",     "(?<=\\w{9})[!?-]", "(.*)(.*)(.*)(.*)[!?]",
    };
    char *subject = malloc(WEIR_REGEX_MAX_SUBJECT + 1);

    (void)state;
    memset(subject, 'a', WEIR_REGEX_MAX_SUBJECT);
    subject[WEIR_REGEX_MAX_SUBJECT] = '\0';
    for (size_t i = 0; i < sizeof(slow) / sizeof(*slow); i++) {
        clock_t before = clock();
        int result = found(slow[i], 0, subject);

        assert_true(result == 0 || result == -(int)WEIR_LIMIT);
        /* Left to PCRE2, the first alone takes 39 s of CPU here. */
        if ((clock() - before) / CLOCKS_PER_SEC > 5)
            fail_msg("%s was not ended", slow[i]);
    }
    free(subject);
}

static void the_steps_spent_are_the_same_every_time(void **state)
{
    struct weir_regex *regex = compiled("\\w+\\s*[yz]", 0);
    struct weir_clock_fake clock;
    struct weir_err err = WEIR_ERR_INIT;
    char subject[6000];
    bool matched = true;

    (void)state;
    weir_clock_fake_init(&clock, 0);
    weir_regex_set_clock(regex, &clock.clock);
    memset(subject, 'a', sizeof(subject));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(weir_regex_search(regex, subject, sizeof(subject), 0,
                                           &matched, NULL, &err),
                         WEIR_LIMIT);
        assert_string_equal(err.message,
                            "the search took too long and was ended (4000000 "
                            "steps; at most 4000000, and 250 ms)");
    }
    /* One that ran out does not spoil the next. */
    assert_int_equal(
        weir_regex_search(regex, "a y", 3, 0, &matched, NULL, &err), WEIR_OK);
    assert_true(matched);
    weir_regex_free(regex);
}

static int64_t a_fifth_of_a_second_later(void *ud)
{
    int64_t *now = ud;

    return *now += 200;
}

/* The clock is looked at every 64 steps, and twice the first time. */
static void a_search_that_is_out_of_time_ends_before_its_steps_do(void **state)
{
    struct weir_regex *regex = compiled("\\w+\\s*[yz]", 0);
    int64_t now = 0;
    struct weir_clock clock = {.now = a_fifth_of_a_second_later, .ud = &now};
    struct weir_err err = WEIR_ERR_INIT;
    char subject[6000];
    bool matched = true;

    (void)state;
    weir_regex_set_clock(regex, &clock);
    memset(subject, 'a', sizeof(subject));
    assert_int_equal(weir_regex_search(regex, subject, sizeof(subject), 0,
                                       &matched, NULL, &err),
                     WEIR_LIMIT);
    assert_string_equal(err.message,
                        "the search took too long and was ended (128 steps; "
                        "at most 4000000, and 250 ms)");
    /* Each search has a deadline of its own. */
    assert_int_equal(
        weir_regex_search(regex, "a y", 3, 0, &matched, NULL, &err), WEIR_OK);
    assert_true(matched);
    weir_regex_free(regex);
}

static void backtracking_beyond_the_match_limit_is_a_limit(void **state)
{
    (void)state;
    assert_int_equal(found("^(a+)+[!?]", 0, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
                     -(int)WEIR_LIMIT);
}

/* What PCRE2 itself says of ^((a)(?1)|)$ on so many times "a", under JIT with
 * a stack of at most `stack` bytes (0: its own). */
static int pcre2_alone(size_t n, size_t stack)
{
    int error, result;
    PCRE2_SIZE offset;
    char *subject = malloc(n);
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR) "^((a)(?1)|)$", PCRE2_ZERO_TERMINATED,
                      PCRE2_UTF | PCRE2_UCP, &error, &offset, NULL);
    pcre2_match_data *data = pcre2_match_data_create(4, NULL);
    pcre2_match_context *context = pcre2_match_context_create(NULL);
    pcre2_jit_stack *jit_stack =
        stack ? pcre2_jit_stack_create(stack, stack, NULL) : NULL;

    memset(subject, 'a', n);
    if (pcre2_jit_compile(code, PCRE2_JIT_COMPLETE))
        skip(); /* no JIT on this machine: no trap either */
    pcre2_jit_stack_assign(context, NULL, jit_stack);
    result = pcre2_match(code, (PCRE2_SPTR)subject, n, 0, 0, data, context);
    pcre2_jit_stack_free(jit_stack);
    pcre2_match_context_free(context);
    pcre2_match_data_free(data);
    pcre2_code_free(code);
    free(subject);
    return result;
}

static void assert_matches_a(size_t n)
{
    struct weir_regex *regex = compiled("^((a)(?1)|)$", 0);
    struct weir_clock_fake clock;
    char *subject = malloc(n);
    bool matched = false;

    weir_clock_fake_init(&clock, 0);
    weir_regex_set_clock(regex, &clock.clock);
    memset(subject, 'a', n);
    assert_int_equal(
        weir_regex_search(regex, subject, n, 0, &matched, NULL, NULL), WEIR_OK);
    assert_true(matched);
    free(subject);
    weir_regex_free(regex);
}

static void a_deep_match_outgrows_the_small_stack(void **state)
{
    (void)state;
    assert_int_equal(pcre2_alone(4000, 0), PCRE2_ERROR_JIT_STACKLIMIT);
    assert_matches_a(4000);
}

static void a_deeper_one_is_done_without_jit(void **state)
{
    (void)state;
    assert_int_equal(pcre2_alone(8000, (size_t)512 * 1024),
                     PCRE2_ERROR_JIT_STACKLIMIT);
    assert_matches_a(8000);
}

/* Left to itself PCRE2 takes up to 20 GB. */
static void memory_is_bounded(void **state)
{
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_regex *regex;
    struct weir_clock_fake clock;
    char pattern[1000], *p = pattern, subject[20000];
    bool matched = false;

    (void)state;
    p = stpcpy(p, "^(?:");
    for (int i = 0; i < 300; i++)
        p = stpcpy(p, "()");
    stpcpy(p, "a)*$");
    regex = compiled(pattern, 0);
    weir_clock_fake_init(&clock, 0);
    weir_regex_set_clock(regex, &clock.clock);
    memset(subject, 'a', sizeof(subject));
    assert_int_equal(weir_regex_search(regex, subject, sizeof(subject), 0,
                                       &matched, NULL, &err),
                     WEIR_LIMIT);
    assert_string_equal(err.message,
                        "the search needs more than 4096 KiB of memory");
    weir_regex_free(regex);
}

static void a_subject_too_large_or_not_utf8_is_told_apart(void **state)
{
    struct weir_regex *regex = compiled("b", 0);
    char *subject = calloc(1, WEIR_REGEX_MAX_SUBJECT + 1);
    struct weir_err err = WEIR_ERR_INIT;
    bool matched = false;

    (void)state;
    assert_int_equal(weir_regex_search(regex, subject,
                                       WEIR_REGEX_MAX_SUBJECT + 1, 0, &matched,
                                       NULL, &err),
                     WEIR_LIMIT);
    assert_non_null(strstr(err.message, "65537 bytes"));
    assert_int_equal(
        weir_regex_search(regex, "aa\xff", 3, 0, &matched, NULL, &err),
        WEIR_INVALID);
    assert_string_equal(err.message, "the text is not UTF-8 at byte 2");
    assert_int_equal(
        weir_regex_search(regex, "\xc3\xa9", 2, 1, &matched, NULL, &err),
        WEIR_INVALID);
    assert_int_equal(weir_regex_search(regex, "b", 1, 2, &matched, NULL, &err),
                     WEIR_INVALID);
    assert_int_equal(weir_regex_search(regex, "b", 1, 1, &matched, NULL, &err),
                     WEIR_OK);
    assert_false(matched);
    free(subject);
    weir_regex_free(regex);
}

static void captures_have_numbers_and_names(void **state)
{
    struct weir_regex *regex = compiled("(?P<year>\\d+)-(x)?(\\d+)", 0);
    struct weir_regex_capture c[4];
    bool matched = false;

    (void)state;
    assert_int_equal(weir_regex_groups(regex), 3);
    assert_string_equal(weir_regex_group_name(regex, 1), "year");
    assert_null(weir_regex_group_name(regex, 2));
    assert_null(weir_regex_group_name(regex, 0));
    assert_null(weir_regex_group_name(regex, 4));
    assert_int_equal(
        weir_regex_search(regex, "in 2026-11", 10, 0, &matched, c, NULL),
        WEIR_OK);
    assert_true(matched);
    assert_int_equal(c[0].start, 3);
    assert_int_equal(c[0].end, 10);
    assert_int_equal(c[1].end, 7);
    assert_true(c[2].start == SIZE_MAX);
    assert_int_equal(c[3].start, 8);
    weir_regex_free(regex);
}

static void a_lookahead_does_not_hide_a_match(void **state)
{
    (void)state;
    assert_int_equal(found("(?=b)c?b", 0, "b"), 1);
}

static void text_is_unicode_and_lines_end_at_lf(void **state)
{
    (void)state;
    assert_int_equal(found("^\\w+$", 0, "\xc3\xa9t\xc3\xa9"), 1);
    assert_int_equal(found("^.$", 0, "\xc3\xa9"), 1);
    assert_int_equal(found("^a.b$", 0, "a\rb"), 1);
    assert_int_equal(found("^a.b$", 0, "a\nb"), 0);
}

static void flags_do_what_they_say(void **state)
{
    (void)state;
    assert_int_equal(found("ABC", 0, "abc"), 0);
    assert_int_equal(found("ABC", WEIR_REGEX_CASELESS, "abc"), 1);
    assert_int_equal(found("^b", 0, "a\nb"), 0);
    assert_int_equal(found("^b", WEIR_REGEX_MULTILINE, "a\nb"), 1);
    assert_int_equal(found("a.b", WEIR_REGEX_DOTALL, "a\nb"), 1);
    assert_int_equal(found("a b # c", WEIR_REGEX_EXTENDED, "ab"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_faulty_pattern_is_named_with_its_place),
        cmocka_unit_test(a_pattern_too_large_is_refused),
        cmocka_unit_test(time_is_bounded_whatever_the_pattern),
        cmocka_unit_test(the_steps_spent_are_the_same_every_time),
        cmocka_unit_test(a_search_that_is_out_of_time_ends_before_its_steps_do),
        cmocka_unit_test(backtracking_beyond_the_match_limit_is_a_limit),
        cmocka_unit_test(a_deep_match_outgrows_the_small_stack),
        cmocka_unit_test(a_deeper_one_is_done_without_jit),
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(a_subject_too_large_or_not_utf8_is_told_apart),
        cmocka_unit_test(captures_have_numbers_and_names),
        cmocka_unit_test(a_lookahead_does_not_hide_a_match),
        cmocka_unit_test(text_is_unicode_and_lines_end_at_lf),
        cmocka_unit_test(flags_do_what_they_say),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
