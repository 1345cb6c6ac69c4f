/* json: numbers through the scanner, the documents and the writer: every
 * boundary of 64-bit integers, and doubles of every kind, bit by bit. */
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
#include "weir/clock.h"
#include "weir/json.h"

static struct weir_json *parse(const char *text)
{
    struct weir_json *json = NULL;
    struct weir_err err = WEIR_ERR_INIT;

    if (weir_json_parse(text, strlen(text), NULL, &json, &err))
        fail_msg("%s: %s", text, err.message);
    return json;
}

static void assert_writes(const struct weir_json *json, const char *expected)
{
    struct weir_buf buf;

    weir_buf_init(&buf, 10000);
    assert_int_equal(weir_json_write(json, 0, &buf, NULL), WEIR_OK);
    assert_string_equal(weir_buf_str(&buf), expected);
    weir_buf_fini(&buf);
}

/* ---- integers ---- */

static void check_integer(int64_t value)
{
    char text[64];
    struct weir_json *json, *made = weir_json_new_integer(value);
    int64_t back = ~value;

    snprintf(text, sizeof(text), "%" PRId64, value);
    assert_writes(made, text);
    json = parse(text);
    assert_true(weir_json_integer(json, &back));
    assert_true(back == value);
    assert_true(weir_json_equal(json, made));
    assert_writes(json, text);
    weir_json_free(json);
    weir_json_free(made);
}

static void integers_around_every_power_of_two(void **state)
{
    (void)state;
    for (int bit = 0; bit < 64; bit++) {
        for (int64_t near = -3; near <= 3; near++) {
            uint64_t value = ((uint64_t)1 << bit) + (uint64_t)near;

            check_integer((int64_t)value);
            check_integer((int64_t)-value);
        }
    }
}

static void integers_around_every_power_of_ten(void **state)
{
    uint64_t ten = 1;

    (void)state;
    for (int digits = 0; digits < 19; digits++, ten *= 10) {
        check_integer((int64_t)(ten - 1));
        check_integer((int64_t)ten);
        check_integer(-(int64_t)ten);
        check_integer(1 - (int64_t)ten);
    }
}

static void random_integers(void **state)
{
    struct weir_clock_fake fake;

    (void)state;
    weir_clock_fake_init(&fake, 0);
    for (int i = 0; i < rig_rounds(20000); i++) {
        uint64_t bits = fake.clock.random(fake.clock.ud);

        check_integer((int64_t)bits);
        check_integer((int64_t)(bits >> (bits & 63)));
    }
}

/* They are no int64_t, and keep every digit all the same. */
static void integers_beyond_64_bits_keep_their_digits(void **state)
{
    static const char *const texts[] = {
        "9223372036854775808",
        "-9223372036854775809",
        "18446744073709551615",
        "18446744073709551616",
        "-18446744073709551616",
        "9223372036854775807000",
        "123456789012345678901234567890123456789012345678901234567890",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        struct weir_json *json = parse(texts[i]), *copy = weir_json_copy(json);
        int64_t integer = 7;
        double real;

        assert_false(weir_json_integer(json, &integer));
        assert_int_equal(integer, 7);
        assert_true(weir_json_real(json, &real));
        assert_true(real == strtod(texts[i], NULL));
        assert_writes(copy, texts[i]);
        weir_json_free(json);
        weir_json_free(copy);
    }
}

/* ---- doubles ---- */

static bool same_bits(double a, double b)
{
    return memcmp(&a, &b, sizeof(a)) == 0;
}

/* As written by us, and as others may write it. */
static void check_double(double value)
{
    char text[WEIR_NUMBER_TEXT], long_text[1200];
    const char *texts[2] = {text, long_text};
    size_t len;

    assert_int_equal(weir_number_format(value, text, &len, NULL), WEIR_OK);
    snprintf(long_text, sizeof(long_text), "%.20e", value);
    for (size_t i = 0; i < 2; i++) {
        struct weir_json *json = parse(texts[i]);
        double back = -value;

        assert_true(weir_json_real(json, &back));
        if (!same_bits(back, value))
            fail_msg("%s came back as %.17g", texts[i], back);
        assert_writes(json, texts[i]);
        weir_json_free(json);
    }
}

static double from_bits(uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof(value));
    return value;
}

static void doubles_at_every_boundary(void **state)
{
    static const double special[] = {
        0.0,      -0.0,        DBL_MIN, -DBL_MIN, DBL_MAX,
        -DBL_MAX, DBL_EPSILON, 5e-324,  -5e-324,  0.1,
        0.3,      1e23,        9e22,    1e22,     2.5e-8,
        123456.7, 1e15,        1e16,    1e17,     4.35,
        M_PI,     1.0 / 3,     1e-5,    1e-4,     9007199254740993.0};

    (void)state;
    for (size_t i = 0; i < sizeof(special) / sizeof(*special); i++)
        check_double(special[i]);
    /* Around every power of two, where the gap to the next one changes. */
    for (int e = -1074; e <= 1023; e++) {
        double power = ldexp(1, e);

        check_double(power);
        check_double(-nextafter(power, 0));
        check_double(nextafter(power, DBL_MAX));
    }
    for (int e = -323; e <= 308; e++) {
        char text[32];

        snprintf(text, sizeof(text), "1e%d", e);
        check_double(strtod(text, NULL));
    }
    /* The ends of what is subnormal. */
    for (uint64_t i = 0; i < 200; i++) {
        check_double(from_bits(i));
        check_double(from_bits(0x000FFFFFFFFFFFFF - i));
        check_double(from_bits(0x0010000000000000 + i));
        check_double(from_bits(0x7FEFFFFFFFFFFFFF - i));
    }
}

static void random_doubles(void **state)
{
    struct weir_clock_fake fake;
    size_t checked = 0;

    (void)state;
    weir_clock_fake_init(&fake, 0);
    for (int i = 0; i < rig_rounds(100000); i++) {
        uint64_t bits = fake.clock.random(fake.clock.ud);

        if (i % 4 == 0)
            bits &= 0x800FFFFFFFFFFFFF; /* subnormal */
        if (!isfinite(from_bits(bits)))
            continue;
        check_double(from_bits(bits));
        checked++;
    }
    assert_true(checked > (size_t)rig_rounds(95000));
}

/* Half way between two doubles, a digit far behind decides. */
static void texts_between_two_doubles_round_as_they_should(void **state)
{
    struct weir_clock_fake fake;

    (void)state;
    weir_clock_fake_init(&fake, 0);
    for (int i = 0; i < rig_rounds(2000); i++) {
        uint64_t bits = fake.clock.random(fake.clock.ud) % 0x7FEFFFFFFFFFFFFF;
        long double middle =
            ((long double)from_bits(bits) + (long double)from_bits(bits + 1)) /
            2;
        char text[2400];
        struct weir_number number;
        size_t len;

        /* The exact decimal of the middle: x87 has the bits for it. */
        len = (size_t)snprintf(text, sizeof(text), "%.1100Le", middle);
        if (weir_number_parse(text, len, &number, NULL))
            continue;
        assert_true(same_bits(number.real, strtod(text, NULL)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_around_every_power_of_two),
        cmocka_unit_test(integers_around_every_power_of_ten),
        cmocka_unit_test(random_integers),
        cmocka_unit_test(integers_beyond_64_bits_keep_their_digits),
        cmocka_unit_test(doubles_at_every_boundary),
        cmocka_unit_test(random_doubles),
        cmocka_unit_test(texts_between_two_doubles_round_as_they_should),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
