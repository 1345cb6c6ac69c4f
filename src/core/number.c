/*
 * number: JSON number text, read, compared and written without ever asking
 * the locale (os.setlocale in a script may turn the decimal point into a
 * comma for strtod and printf) and without memory of its own.
 */
#include "weir/value.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "excerpt.h"

/* No double, and no midpoint between two, has more significant digits than
 * 768; what comes after them matters only as "and something more". */
#define DIGITS_THAT_MATTER 800

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t digits(const char *text, size_t at, size_t len)
{
    while (at < len && is_digit(text[at]))
        at++;
    return at;
}

size_t weir_number_span(const char *text, size_t len)
{
    size_t at = 0, mark;

    if (at < len && text[at] == '-')
        at++;
    if (at < len && text[at] == '0')
        at++;
    else {
        mark = at;
        at = digits(text, at, len);
        if (at == mark)
            return 0;
    }
    if (at + 1 < len && text[at] == '.' && is_digit(text[at + 1]))
        at = digits(text, at + 1, len);
    if (at < len && (text[at] == 'e' || text[at] == 'E')) {
        mark = at + 1;
        if (mark < len && (text[mark] == '+' || text[mark] == '-'))
            mark++;
        if (mark < len && is_digit(text[mark]))
            at = digits(text, mark, len);
    }
    return at;
}

/* ---- a number text, taken apart ---- */

/* The value is 0.d1d2d3… × 10^(exponent text + shift), where d1 is the first
 * digit that is not zero: comparing begins with the powers of ten. */
struct parts {
    bool negative;
    bool zero;
    const char *first; /* d1; more digits follow, a point may be among them */
    const char *end;   /* after the last digit of the fraction */
    long long shift;
    bool exp_negative;
    const char *exp; /* digits of the exponent, without leading zeros */
    size_t exp_len;
};

static void take_apart(const char *text, size_t len, struct parts *out)
{
    const char *p = text, *end = text + len, *point = NULL;

    *out = (struct parts){.zero = true};
    if (p < end && *p == '-') {
        out->negative = true;
        p++;
    }
    for (; p < end && *p != 'e' && *p != 'E'; p++) {
        if (*p == '.') {
            point = p;
        } else if (*p != '0' && out->zero) {
            out->zero = false;
            out->first = p;
        }
    }
    out->end = p;
    if (!out->zero) {
        const char *ones = point ? point : out->end;

        /* The point itself is one byte too many when d1 is behind it. */
        out->shift = ones - out->first;
        if (out->first > ones)
            out->shift++;
    }
    if (p < end)
        p++;
    if (p < end && (*p == '+' || *p == '-'))
        out->exp_negative = *p++ == '-';
    while (p < end && *p == '0')
        p++;
    out->exp = p;
    out->exp_len = (size_t)(end - p);
}

/* ---- comparing ---- */

static int exponent_digit(const struct parts *n, size_t place)
{
    int digit;

    if (place >= n->exp_len)
        return 0;
    digit = n->exp[n->exp_len - 1 - place] - '0';
    return n->exp_negative ? -digit : digit;
}

/* Exponents may be longer than any integer.  Their difference is built from
 * the highest place down; once it is far beyond what the shifts (lengths of
 * texts in memory) can make up for, no later digit can bring it back. */
static int compare_magnitude(const struct parts *a, const struct parts *b)
{
    const long long beyond = 1LL << 58;
    size_t place = a->exp_len > b->exp_len ? a->exp_len : b->exp_len;
    long long difference = 0;

    while (place-- > 0 && difference < beyond && difference > -beyond)
        difference = difference * 10 + exponent_digit(a, place) -
                     exponent_digit(b, place);
    difference += a->shift - b->shift;
    return (difference > 0) - (difference < 0);
}

static int next_digit(const char **p, const char *end)
{
    if (*p < end && **p == '.')
        (*p)++;
    return *p < end ? *(*p)++ - '0' : 0;
}

static int compare_digits(const struct parts *a, const struct parts *b)
{
    const char *p = a->first, *q = b->first;

    while (p < a->end || q < b->end) {
        int x = next_digit(&p, a->end), y = next_digit(&q, b->end);

        if (x != y)
            return x < y ? -1 : 1;
    }
    return 0;
}

int weir_number_compare(const char *a, size_t a_len, const char *b,
                        size_t b_len)
{
    struct parts x, y;
    int order;

    take_apart(a, a_len, &x);
    take_apart(b, b_len, &y);
    if (x.zero || y.zero) {
        if (x.zero && y.zero)
            return 0;
        return (x.zero ? !y.negative : x.negative) ? -1 : 1;
    }
    if (x.negative != y.negative)
        return x.negative ? -1 : 1;
    order = compare_magnitude(&x, &y);
    if (order == 0)
        order = compare_digits(&x, &y);
    return x.negative ? -order : order;
}

/* ---- reading ---- */

/* strtod in the C locale.  glibc hands out a static object for "C", so there
 * is nothing to allocate and nothing that could fail. */
static double to_double(const char *text)
{
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    double value = strtod_l(text, NULL, c);

    freelocale(c);
    return value;
}

/* The exponent as an integer, cut off where every double has long become
 * infinity or zero, whatever the digits before it. */
static long long exponent_value(const struct parts *n)
{
    const long long far = 1LL << 56;
    long long value = 0;

    for (size_t i = 0; i < n->exp_len && value < far; i++)
        value = value * 10 + (n->exp[i] - '0');
    return n->exp_negative ? -value : value;
}

/* Long text is written anew with the digits that matter, so that a stack
 * buffer holds it: 0.DIGITS[1]e±N. */
static double long_to_double(const char *text, size_t len)
{
    char room[DIGITS_THAT_MATTER + 64];
    struct parts n;
    size_t at = 0;
    int kept = 0;
    bool more = false;

    take_apart(text, len, &n);
    if (n.zero)
        return n.negative ? -0.0 : 0.0;
    if (n.negative)
        room[at++] = '-';
    room[at++] = '0';
    room[at++] = '.';
    for (const char *p = n.first; p < n.end; p++) {
        if (*p == '.')
            continue;
        if (kept < DIGITS_THAT_MATTER) {
            room[at++] = *p;
            kept++;
        } else if (*p != '0') {
            more = true;
            break;
        }
    }
    if (more)
        room[at++] = '1';
    snprintf(room + at, sizeof(room) - at, "e%lld",
             exponent_value(&n) + n.shift);
    return to_double(room);
}

static double nearest(const char *text, size_t len)
{
    char room[64];

    if (len >= sizeof(room))
        return long_to_double(text, len);
    memcpy(room, text, len);
    room[len] = '\0';
    return to_double(room);
}

/* True if the text is an integer that fits. */
static bool read_integer(const char *text, size_t len, int64_t *out)
{
    bool negative = text[0] == '-';
    uint64_t value = 0, limit = negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX;

    if (len > 20 || (negative && text[1] == '0'))
        return false;
    for (size_t i = negative; i < len; i++) {
        unsigned digit = (unsigned char)text[i] - '0';

        if (digit > 9 || value > (limit - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

static bool is_zero(const char *text, size_t len)
{
    struct parts n;

    take_apart(text, len, &n);
    return n.zero;
}

enum weir_code weir_number_parse(const char *text, size_t len,
                                 struct weir_number *out, struct weir_err *err)
{
    struct weir_number number = {0};
    char shown[WEIR_EXCERPT];

    if (len == 0 || weir_number_span(text, len) != len)
        return weir_err_set(err, WEIR_SYNTAX, "%s is not a JSON number",
                            weir_excerpt_quote(shown, text, len));
    number.is_integer = read_integer(text, len, &number.integer);
    if (number.is_integer) {
        number.real = (double)number.integer;
    } else {
        number.real = nearest(text, len);
        if (isinf(number.real) || (number.real == 0 && !is_zero(text, len)))
            return weir_err_set(err, WEIR_LIMIT,
                                "the number %s is beyond the range of a double",
                                weir_excerpt_quote(shown, text, len));
    }
    *out = number;
    return WEIR_OK;
}
