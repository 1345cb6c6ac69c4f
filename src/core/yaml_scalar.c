/* yaml: what a plain scalar means, and which string may be one. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "yaml_internal.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_one_of(const char *text, size_t len, const char *const *words)
{
    for (; *words; words++) {
        if (strlen(*words) == len && memcmp(*words, text, len) == 0)
            return true;
    }
    return false;
}

/* A decimal number, taken apart:
 * [-+]? ( \. digits | digits ( \. digits? )? ) ( [eE] [-+]? digits )? */
struct decimal {
    bool negative;
    const char *whole;
    size_t whole_len;
    bool point;
    const char *fraction;
    size_t fraction_len;
    const char *exponent; /* from the 'e' on */
    size_t exponent_len;
};

static const char *skip_digits(const char *p, const char *end)
{
    while (p < end && is_digit(*p))
        p++;
    return p;
}

static bool take_apart(const char *text, size_t len, struct decimal *d)
{
    const char *p = text, *end = text + len, *digits;

    *d = (struct decimal){.negative = false};
    if (p < end && (*p == '-' || *p == '+'))
        d->negative = *p++ == '-';
    d->whole = p;
    p = skip_digits(p, end);
    d->whole_len = (size_t)(p - d->whole);
    d->fraction = p;
    if (p < end && *p == '.') {
        d->point = true;
        d->fraction = ++p;
        p = skip_digits(p, end);
        d->fraction_len = (size_t)(p - d->fraction);
    }
    if (d->whole_len + d->fraction_len == 0)
        return false;
    if (p < end && (*p == 'e' || *p == 'E')) {
        d->exponent = p++;
        if (p < end && (*p == '-' || *p == '+'))
            p++;
        digits = p;
        p = skip_digits(p, end);
        if (p == digits)
            return false;
        d->exponent_len = (size_t)(p - d->exponent);
    }
    return p == end;
}

/* Digits of 0x… and 0o…; 0 if it is neither. */
static unsigned based(const char *text, size_t len)
{
    unsigned base;

    if (len < 3 || text[0] != '0' || (text[1] != 'x' && text[1] != 'o'))
        return 0;
    base = text[1] == 'x' ? 16 : 8;
    for (size_t i = 2; i < len; i++) {
        const char *all = "0123456789abcdef";
        char lower = text[i] >= 'A' && text[i] <= 'F'
                         ? (char)(text[i] - 'A' + 'a')
                         : text[i];

        if (!lower || !memchr(all, lower, base))
            return 0;
    }
    return base;
}

static bool based_value(const char *text, size_t len, unsigned base,
                        unsigned long long *out)
{
    unsigned long long value = 0;

    for (size_t i = 2; i < len; i++) {
        unsigned digit = is_digit(text[i])
                             ? (unsigned)(text[i] - '0')
                             : ((unsigned)text[i] | 0x20) - 'a' + 10;

        if (value > (~0ULL - digit) / base)
            return false;
        value = value * base + digit;
    }
    *out = value;
    return true;
}

enum weir_yaml_scalar weir_yaml_resolve(const char *text, size_t len)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const trues[] = {"true", "True", "TRUE", NULL};
    static const char *const falses[] = {"false", "False", "FALSE", NULL};
    static const char *const unusable[] = {
        ".inf",  ".Inf",  ".INF", "+.inf", "+.Inf", "+.INF", "-.inf",
        "-.Inf", "-.INF", ".nan", ".NaN",  ".NAN",  NULL};
    struct decimal d;
    unsigned base = based(text, len);
    unsigned long long value;

    if (is_one_of(text, len, nulls))
        return WEIR_YAML_NULL;
    if (is_one_of(text, len, trues))
        return WEIR_YAML_TRUE;
    if (is_one_of(text, len, falses))
        return WEIR_YAML_FALSE;
    if (is_one_of(text, len, unusable))
        return WEIR_YAML_UNUSABLE;
    if (base)
        return based_value(text, len, base, &value) ? WEIR_YAML_NUMBER
                                                    : WEIR_YAML_UNUSABLE;
    if (!take_apart(text, len, &d))
        return WEIR_YAML_STRING;
    if (!d.point && !d.exponent && d.whole_len > 1 && d.whole[0] == '0')
        return WEIR_YAML_STRING;
    return WEIR_YAML_NUMBER;
}

enum weir_code weir_yaml_to_json_number(const char *text, size_t len,
                                        struct weir_buf *out)
{
    struct decimal d;
    unsigned base = based(text, len);
    unsigned long long value;

    if (base) {
        if (!based_value(text, len, base, &value))
            return WEIR_LIMIT;
        return weir_buf_addf(out, "%llu", value);
    }
    take_apart(text, len, &d);
    while (d.whole_len > 1 && d.whole[0] == '0') {
        d.whole++;
        d.whole_len--;
    }
    if (d.negative)
        weir_buf_addc(out, '-');
    if (d.whole_len)
        weir_buf_add(out, d.whole, d.whole_len);
    else
        weir_buf_addc(out, '0');
    if (d.point) {
        weir_buf_addc(out, '.');
        if (d.fraction_len)
            weir_buf_add(out, d.fraction, d.fraction_len);
        else
            weir_buf_addc(out, '0');
    }
    return weir_buf_add(out, d.exponent, d.exponent_len);
}

enum weir_code weir_yaml_from_json_number(const char *text, size_t len,
                                          struct weir_buf *out)
{
    struct decimal d;

    if (!take_apart(text, len, &d) || !d.exponent)
        return weir_buf_add(out, text, len);
    weir_buf_add(out, text, (size_t)(d.exponent - text));
    if (!d.point)
        weir_buf_adds(out, ".0");
    weir_buf_addc(out, d.exponent[0]);
    if (is_digit(d.exponent[1]))
        weir_buf_addc(out, '+');
    return weir_buf_add(out, d.exponent + 1, d.exponent_len - 1);
}

/* Words that some reader takes for something else, in any case. */
static bool is_reserved(const char *text, size_t len)
{
    static const char *const words[] = {"y",    "n",    "yes",  "no",
                                        "on",   "off",  "true", "false",
                                        "null", "none", NULL};

    for (const char *const *word = words; *word; word++) {
        if (strlen(*word) == len && strncasecmp(*word, text, len) == 0)
            return true;
    }
    return false;
}

bool weir_yaml_is_word(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

        if (!letter && c != '_' &&
            (i == 0 || (!is_digit(c) && c != '.' && c != '-')))
            return false;
    }
    return len > 0 && !is_reserved(text, len);
}
