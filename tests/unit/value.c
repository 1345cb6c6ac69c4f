/* value: number texts (read, compared exactly, written shortest) and UTF-8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rig.h"
#include "weir/json.h"
#include "weir/value.h"

static enum weir_code parse(const char *text, struct weir_number *out)
{
    return weir_number_parse(text, strlen(text), out, NULL);
}

static int compare(const char *a, const char *b)
{
    return weir_number_compare(a, strlen(a), b, strlen(b));
}

static void text_that_is_no_json_number_is_refused(void **state)
{
    static const char *const wrong[] = {
        "",    "-",    "+1",  "01",    "-01",  ".5",  "5.",  "1e",
        "1e+", "1.e5", "0x1", " 1",    "1 ",   "1,5", "NaN", "inf",
        "--1", "1e5.", "1_0", "1e1e1", "1.5.", "0 0",
    };
    struct weir_err err = WEIR_ERR_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        struct weir_number n = {.integer = 42};
        enum weir_code code =
            weir_number_parse(wrong[i], strlen(wrong[i]), &n, &err);

        if (code != WEIR_SYNTAX)
            fail_msg("\"%s\" gave %s", wrong[i], weir_code_word(code));
        assert_int_equal(n.integer, 42);
        assert_non_null(strstr(err.message, "is not a JSON number"));
    }
    weir_err_clear(&err);
}

static void integers_are_exact_up_to_their_limits(void **state)
{
    static const struct {
        const char *text;
        bool is_integer;
        int64_t value;
    } rows[] = {
        {"0", true, 0},
        {"9007199254740993", true, 9007199254740993},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"18446744073709551617", false, 0},
        {"99999999999999999999", false, 0},
        {"1.0", false, 0},
        {"1e0", false, 0},
        {"-0", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct weir_number n;

        assert_int_equal(parse(rows[i].text, &n), WEIR_OK);
        if (n.is_integer != rows[i].is_integer)
            fail_msg("%s", rows[i].text);
        if (n.is_integer)
            assert_true(n.integer == rows[i].value);
    }
}

static void minus_zero_keeps_its_sign(void **state)
{
    struct weir_number n;

    (void)state;
    assert_int_equal(parse("-0", &n), WEIR_OK);
    assert_true(n.real == 0 && signbit(n.real));
    assert_int_equal(parse("-0.0e5", &n), WEIR_OK);
    assert_true(n.real == 0 && signbit(n.real));
}

static void what_no_double_can_hold_is_a_limit(void **state)
{
    struct weir_number n = {.real = 7};

    (void)state;
    assert_int_equal(parse("1e400", &n), WEIR_LIMIT);
    assert_int_equal(parse("-1e999999999999999999999999", &n), WEIR_LIMIT);
    assert_int_equal(parse("1e-400", &n), WEIR_LIMIT);
    assert_int_equal(parse("1.7976931348623159e308", &n), WEIR_LIMIT);
    assert_true(n.real == 7);
    assert_int_equal(parse("0e999999999999999999999999", &n), WEIR_OK);
    assert_true(n.real == 0);
    assert_int_equal(parse("1.7976931348623157e308", &n), WEIR_OK);
    assert_true(n.real == DBL_MAX);
    assert_int_equal(parse("5e-324", &n), WEIR_OK);
    assert_true(n.real == DBL_TRUE_MIN);
}

/* 1 + 2^-53 lies midway between two doubles and rounds to even; a single digit
 * far behind it decides otherwise. */
static void long_texts_round_correctly(void **state)
{
    static const char midway[] =
        "1.00000000000000011102230246251565404236316680908203125";
    char text[5000];
    struct weir_number n;

    (void)state;
    assert_int_equal(parse(midway, &n), WEIR_OK);
    assert_true(n.real == 1.0);
    memset(text, '0', sizeof(text));
    memcpy(text, midway, sizeof(midway) - 1);
    text[4999] = '1';
    assert_int_equal(weir_number_parse(text, sizeof(text), &n, NULL), WEIR_OK);
    assert_true(n.real == nextafter(1.0, 2.0));

    /* 399 zeros behind the point, made up for by the exponent. */
    memset(text, '0', sizeof(text));
    text[1] = '.';
    text[400] = '1';
    memcpy(text + 401, "e399", 4);
    assert_int_equal(weir_number_parse(text, 405, &n, NULL), WEIR_OK);
    assert_true(n.real == 1.0);
}

static void comparing_is_exact(void **state)
{
    static const struct {
        const char *a, *b;
        int order;
    } rows[] = {
        {"1", "1.0", 0},
        {"1", "10e-1", 0},
        {"100", "1e2", 0},
        {"0.001", "1e-3", 0},
        {"0.00100", "100E-5", 0},
        {"-0", "0", 0},
        {"-0.0e9", "0e-5", 0},
        {"0", "1e-999999999999999999999", -1},
        {"0", "-1e-999999999999999999999", 1},
        {"9007199254740993", "9007199254740992", 1},
        {"9007199254740993", "9007199254740992.999999999999", 1},
        {"0.1", "0.10000000000000000000000000000000000001", -1},
        {"-2", "1", -1},
        {"-2", "-1", -1},
        {"-1e5", "-1e4", -1},
        {"99", "100", -1},
        {"1e400", "1e401", -1},
        {"1e999999999", "1e999999998", 1},
        {"10e999999999", "1e1000000000", 0},
        {"1e99999999999999999999999999", "1e99999999999999999999999998", 1},
        {"10e99999999999999999999999999", "1e100000000000000000000000000", 0},
        {"1e-99999999999999999999999999", "1e-99999999999999999999999998", -1},
        {"0.01e-99999999999999999999", "1e-100000000000000000001", 0},
        {"1e000000000000000000000000005", "100000", 0},
        {"123.456", "123.4560001", -1},
        {"5", "5e0", 0},
        {"1e-1", "1e1", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        int there = compare(rows[i].a, rows[i].b);
        int back = compare(rows[i].b, rows[i].a);

        if ((there > 0) - (there < 0) != rows[i].order || back != -there)
            fail_msg("%s against %s: %d, back %d", rows[i].a, rows[i].b, there,
                     back);
    }
}

static void doubles_are_written_short_and_as_floats(void **state)
{
    static const struct {
        double value;
        const char *text;
    } rows[] = {
        {0.0, "0.0"},
        {-0.0, "-0.0"},
        {1.0, "1.0"},
        {-1.5, "-1.5"},
        {0.1, "0.1"},
        {0.1 + 0.2, "0.30000000000000004"},
        {100.0, "100.0"},
        {123456.789, "123456.789"},
        {0.0001, "0.0001"},
        {0.00001, "1e-05"},
        {1e15, "1000000000000000.0"},
        {9007199254740992.0, "9007199254740992.0"},
        {1e16, "1e+16"},
        {1e300, "1e+300"},
        {1.25e-7, "1.25e-07"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {DBL_MIN, "2.2250738585072014e-308"},
        {DBL_TRUE_MIN, "5e-324"},
        {-1.2345678901234567e-300, "-1.2345678901234568e-300"},
        {9.5367431640625e-07, "9.5367431640625e-07"},
    };
    char text[WEIR_NUMBER_TEXT];
    size_t len;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        assert_int_equal(weir_number_format(rows[i].value, text, &len, NULL),
                         WEIR_OK);
        assert_string_equal(text, rows[i].text);
        assert_int_equal(len, strlen(text));
    }
}

static void nan_and_infinity_are_no_numbers(void **state)
{
    char text[WEIR_NUMBER_TEXT] = "kept";
    size_t len = 4;

    (void)state;
    assert_int_equal(weir_number_format(NAN, text, &len, NULL), WEIR_INVALID);
    assert_int_equal(weir_number_format(INFINITY, text, &len, NULL),
                     WEIR_INVALID);
    assert_int_equal(weir_number_format(-INFINITY, text, &len, NULL),
                     WEIR_INVALID);
    assert_string_equal(text, "kept");
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void check_round_trip(double value)
{
    char text[WEIR_NUMBER_TEXT];
    struct weir_number n;
    size_t len;

    if (!isfinite(value))
        return;
    assert_int_equal(weir_number_format(value, text, &len, NULL), WEIR_OK);
    assert_true(len < sizeof(text));
    assert_non_null(strpbrk(text, ".e"));
    assert_int_equal(parse(text, &n), WEIR_OK);
    if (memcmp(&n.real, &value, sizeof(value)) != 0)
        fail_msg("%a came back as %a by %s", value, n.real, text);
}

static void decimals_come_back_as_they_were_written(void **state)
{
    uint64_t seed = 88172645463325252u;

    (void)state;
    for (int i = 0; i < rig_rounds(50000); i++) {
        char before[40], after[WEIR_NUMBER_TEXT];
        int places = 1 + (int)(next_random(&seed) % 8);
        uint64_t whole = next_random(&seed) % 1000000;
        uint64_t part = next_random(&seed) % 1000000;
        size_t len;

        for (int k = 6; k > places; k--)
            part /= 10;
        part += part % 10 == 0; /* no zero at its end */
        snprintf(before, sizeof(before), "%s%" PRIu64 ".%0*" PRIu64,
                 i % 2 ? "-" : "", whole, places, part);
        assert_int_equal(
            weir_number_format(strtod(before, NULL), after, &len, NULL),
            WEIR_OK);
        /* What is smaller is written with an exponent. */
        if (fabs(strtod(before, NULL)) >= 0.0001)
            assert_string_equal(after, before);
    }
}

static void every_double_comes_back_bit_by_bit(void **state)
{
    uint64_t seed = 88172645463325252u;

    (void)state;
    for (int i = 0; i < rig_rounds(50000); i++) {
        uint64_t bits = next_random(&seed);
        double value;

        memcpy(&value, &bits, sizeof(value));
        check_round_trip(value);
        /* Below the normal range, and near 2^53. */
        bits &= 0x800FFFFFFFFFFFFFu;
        memcpy(&value, &bits, sizeof(value));
        check_round_trip(value);
        check_round_trip((double)(bits & 0x3FFFFFFFFFFFFFu));
    }
    for (int exponent = -1074; exponent < 1024; exponent++)
        check_round_trip(ldexp(1, exponent));
}

static void utf8_ends_at_the_first_fault(void **state)
{
    static const struct {
        const char *text;
        size_t valid;
    } rows[] = {
        {"", 0},
        {"abc", 3},
        {"a\xC3\xA9", 3},
        {"\xE2\x82\xAC", 3},
        {"\xF0\x9F\x98\x80z", 5},
        {"\xF4\x8F\xBF\xBF", 4},
        {"ab\x80", 2},           /* a continuation alone */
        {"ab\xC3", 2},           /* cut short */
        {"a\xE2\x82", 1},        /* cut short */
        {"\xC0\x80", 0},         /* overlong */
        {"\xC1\xBF", 0},         /* overlong */
        {"\xE0\x9F\xBF", 0},     /* overlong */
        {"\xF0\x8F\xBF\xBF", 0}, /* overlong */
        {"a\xED\xA0\x80", 1},    /* a surrogate */
        {"a\xED\xBF\xBF", 1},    /* a surrogate */
        {"\xED\x9F\xBF", 3},     /* the last before them */
        {"\xEE\x80\x80", 3},     /* the first after them */
        {"\xF4\x90\x80\x80", 0}, /* above U+10FFFF */
        {"\xF5\x80\x80\x80", 0}, /* never a lead */
        {"\xFF", 0},             /* never a lead */
        {"\xC3(", 0},            /* no continuation */
        {"\xF0\x9F\x98z", 0},    /* no continuation */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        assert_int_equal(weir_utf8_valid(rows[i].text, strlen(rows[i].text)),
                         rows[i].valid);
    assert_int_equal(weir_utf8_valid("a\0b\xFF", 4), 3);
}

/* ---- two sinks as one ---- */

#define ONE_OF_EACH "{\"a\":[null,true,false,-1.5e3,\"s\",{}],\"b\":[]}"

/* A comma and a number. */
#define LONGEST_EVENT 7

/* Both get what is in ONE_OF_EACH, up to `max` bytes of text each. */
static enum weir_code write_twice(size_t max_first, size_t max_second,
                                  struct weir_buf *first,
                                  struct weir_buf *second)
{
    struct weir_json_writer writers[2];
    struct weir_sink sinks[2], both;
    struct weir_tee tee = {&sinks[0], &sinks[1]};

    weir_buf_init(first, max_first);
    weir_buf_init(second, max_second);
    weir_json_writer_init(&writers[0], first, 0, &sinks[0]);
    weir_json_writer_init(&writers[1], second, 0, &sinks[1]);
    both = weir_tee_sink(&tee);
    return weir_json_scan(ONE_OF_EACH, strlen(ONE_OF_EACH), NULL, &both, NULL);
}

static void a_tee_drives_both_sinks(void **state)
{
    struct weir_buf first, second;

    (void)state;
    assert_int_equal(write_twice(1000, 1000, &first, &second), WEIR_OK);
    assert_string_equal(weir_buf_str(&first), ONE_OF_EACH);
    assert_string_equal(weir_buf_str(&second), ONE_OF_EACH);
    weir_buf_fini(&first);
    weir_buf_fini(&second);
}

static void either_sink_of_a_tee_ends_the_source(void **state)
{
    struct weir_buf first, second;

    (void)state;
    for (size_t max = 0; max < strlen(ONE_OF_EACH); max++) {
        assert_int_equal(write_twice(max, 1000, &first, &second), WEIR_LIMIT);
        /* What the first refused, the second has not seen. */
        assert_true(second.len <= max);
        weir_buf_fini(&first);
        weir_buf_fini(&second);
        assert_int_equal(write_twice(1000, max, &first, &second), WEIR_LIMIT);
        /* The first has seen what the second refused, and nothing after it. */
        assert_in_range(first.len, second.len, max + LONGEST_EVENT);
        weir_buf_fini(&first);
        weir_buf_fini(&second);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_that_is_no_json_number_is_refused),
        cmocka_unit_test(integers_are_exact_up_to_their_limits),
        cmocka_unit_test(minus_zero_keeps_its_sign),
        cmocka_unit_test(what_no_double_can_hold_is_a_limit),
        cmocka_unit_test(long_texts_round_correctly),
        cmocka_unit_test(comparing_is_exact),
        cmocka_unit_test(doubles_are_written_short_and_as_floats),
        cmocka_unit_test(nan_and_infinity_are_no_numbers),
        cmocka_unit_test(decimals_come_back_as_they_were_written),
        cmocka_unit_test(every_double_comes_back_bit_by_bit),
        cmocka_unit_test(a_tee_drives_both_sinks),
        cmocka_unit_test(either_sink_of_a_tee_ends_the_source),
        cmocka_unit_test(utf8_ends_at_the_first_fault),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
