/* number: the shortest text of a double; the text of an integer. */
#include "weir/value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The significant digits of a positive double, and where the point stands:
 * 0.DIGITS × 10^point. */
struct decimal {
    char digits[20];
    int count;
    int point;
};

/* `count` digits, correctly rounded by printf; the point character that the
 * locale puts between them is stepped over. */
static void round_to(double value, int count, struct decimal *out)
{
    char text[64];
    const char *p = text;

    snprintf(text, sizeof(text), "%.*e", count - 1, value);
    out->count = 0;
    for (; *p != 'e'; p++) {
        if (*p >= '0' && *p <= '9')
            out->digits[out->count++] = *p;
    }
    out->point = (int)strtol(p + 1, NULL, 10) + 1;
}

/* One unit in the last place up. */
static void step_up(struct decimal *d)
{
    int i = d->count - 1;

    while (i >= 0 && d->digits[i] == '9')
        d->digits[i--] = '0';
    if (i >= 0) {
        d->digits[i]++;
    } else {
        d->digits[0] = '1';
        d->point++;
    }
}

static bool reads_back(const struct decimal *d, double value)
{
    char text[48];
    struct weir_number number;
    int len = snprintf(text, sizeof(text), "0.%.*se%d", d->count, d->digits,
                       d->point);

    return weir_number_parse(text, (size_t)len, &number, NULL) == WEIR_OK &&
           number.real == value;
}

/* Below a power of two doubles lie closer together than above it; there the
 * nearest decimal of this length may miss and the next one up still hit. */
static bool try_count(double value, int count, struct decimal *out)
{
    round_to(value, count, out);
    if (reads_back(out, value))
        return true;
    step_up(out);
    return reads_back(out, value);
}

/* Most numbers have a few digits behind the point: times a power of ten they
 * are an integer.  Both being exact, the quotient is the double nearest to
 * that decimal (IEEE 754), so where it is `value`, the decimal reads back; and
 * no shorter one did.  False for others. */
static bool try_plain(double value, struct decimal *out)
{
    static const double powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000};
    char text[32];

    for (int k = 0; k < (int)(sizeof(powers) / sizeof(*powers)); k++) {
        double scaled = value * powers[k];
        int64_t whole;

        if (!(scaled < 1e15))
            return false;
        whole = llround(scaled);
        if (whole == 0 || (double)whole / powers[k] != value)
            continue;
        out->count = (int)weir_number_format_integer(whole, text);
        memcpy(out->digits, text, (size_t)out->count);
        out->point = out->count - k;
        return true;
    }
    return false;
}

static void search(double value, struct decimal *out)
{
    /* A normal double that has a text of 15 digits or fewer shows it, padded
     * with zeros, when printed with 15; the sparse doubles below the normal
     * range need the search from one digit up. */
    int count = fpclassify(value) == FP_SUBNORMAL ? 1 : 15;

    while (count < 17 && !try_count(value, count, out))
        count++;
    if (count == 17)
        round_to(value, 17, out);
}

static void shortest(double value, struct decimal *out)
{
    if (!try_plain(value, out))
        search(value, out);
    while (out->count > 1 && out->digits[out->count - 1] == '0')
        out->count--;
}

/* As people write it: 0.0001, 1234.5, 1e+16; the limits are those of
 * JavaScript and Python's repr, more or less. */
static int lay_out(const struct decimal *d, const char *sign, char *out,
                   size_t room)
{
    int count = d->count, point = d->point;

    if (point > 16 || point < -3) {
        if (count == 1)
            return snprintf(out, room, "%s%ce%+03d", sign, d->digits[0],
                            point - 1);
        return snprintf(out, room, "%s%c.%.*se%+03d", sign, d->digits[0],
                        count - 1, d->digits + 1, point - 1);
    }
    if (point <= 0)
        return snprintf(out, room, "%s0.%.*s%.*s", sign, -point, "000", count,
                        d->digits);
    if (point >= count)
        return snprintf(out, room, "%s%.*s%.*s.0", sign, count, d->digits,
                        point - count, "0000000000000000");
    return snprintf(out, room, "%s%.*s.%.*s", sign, point, d->digits,
                    count - point, d->digits + point);
}

enum weir_code weir_number_format(double value, char out[WEIR_NUMBER_TEXT],
                                  size_t *len, struct weir_err *err)
{
    struct decimal decimal = {.digits = "0", .count = 1, .point = 1};
    char text[WEIR_NUMBER_TEXT];
    int written;

    if (isnan(value))
        return weir_err_set(err, WEIR_INVALID, "NaN is not a JSON number");
    if (isinf(value))
        return weir_err_set(err, WEIR_INVALID, "infinity is not a JSON number");
    if (value != 0)
        shortest(fabs(value), &decimal);
    written = lay_out(&decimal, signbit(value) ? "-" : "", text, sizeof(text));
    memcpy(out, text, (size_t)written + 1);
    *len = (size_t)written;
    return WEIR_OK;
}

size_t weir_number_format_integer(int64_t value, char out[WEIR_NUMBER_TEXT])
{
    uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;
    char digits[WEIR_NUMBER_TEXT];
    size_t n = 0, len = 0;

    do {
        digits[n++] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (value < 0)
        out[len++] = '-';
    while (n > 0)
        out[len++] = digits[--n];
    out[len] = '\0';
    return len;
}
