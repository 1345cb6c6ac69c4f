#include "weir/semver.h"

#include <stdbool.h>
#include <string.h>

#include "excerpt.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word_char(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           c == '-';
}

static bool all_digits(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!is_digit(text[i]))
            return false;
    }
    return len > 0;
}

/* ---- check ---- */

static const char *number_fault(const char *text, size_t len)
{
    if (!all_digits(text, len))
        return "must be three numbers, such as 1.4.0";
    return len > 1 && text[0] == '0' ? "has a number that begins with 0" : NULL;
}

static const char *word_fault(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!is_word_char(text[i]))
            return "has a character that no version can have; there are "
                   "letters, digits, '.' and '-'";
    }
    if (len == 0)
        return "has an empty word behind the '-'";
    return all_digits(text, len) ? number_fault(text, len) : NULL;
}

static const char *fault_of(const char *text, size_t len)
{
    const char *dash = memchr(text, '-', len), *fault = NULL;
    size_t core = dash ? (size_t)(dash - text) : len, at = 0;

    if (memchr(text, '+', len))
        return "has build metadata ('+'), which versions of bundles go without";
    for (int part = 0; part < 3 && !fault; part++) {
        const char *dot = memchr(text + at, '.', core - at);
        size_t end = dot && part < 2 ? (size_t)(dot - text) : core;

        fault = number_fault(text + at, end - at);
        if (!fault && part < 2 && !dot)
            fault = "must be three numbers, such as 1.4.0";
        at = end < core ? end + 1 : core;
    }
    for (at = core + 1; dash && at <= len && !fault;) {
        const char *dot = memchr(text + at, '.', len - at);
        size_t end = dot ? (size_t)(dot - text) : len;

        fault = word_fault(text + at, end - at);
        at = end + 1;
    }
    return fault;
}

enum weir_code weir_semver_check(const char *text, size_t len,
                                 struct weir_err *err)
{
    const char *fault =
        len > WEIR_SEMVER_MAX ? "is longer than 64 bytes" : fault_of(text, len);
    char shown[WEIR_EXCERPT];

    if (!fault)
        return WEIR_OK;
    return weir_err_set(err, WEIR_VALIDATION, "version %s %s",
                        weir_excerpt_quote(shown, text, len), fault);
}

/* ---- compare ---- */

/* Of numbers without leading zeros the longer one is the larger. */
static int compare_numbers(const char *a, size_t a_len, const char *b,
                           size_t b_len)
{
    if (a_len != b_len)
        return a_len < b_len ? -1 : 1;
    return memcmp(a, b, a_len);
}

static int compare_words(const char *a, size_t a_len, const char *b,
                         size_t b_len)
{
    bool a_number = all_digits(a, a_len), b_number = all_digits(b, b_len);
    int order;

    if (a_number && b_number)
        return compare_numbers(a, a_len, b, b_len);
    if (a_number != b_number)
        return a_number ? -1 : 1; /* numbers come before words */
    order = memcmp(a, b, a_len < b_len ? a_len : b_len);
    if (order != 0 || a_len == b_len)
        return order;
    return a_len < b_len ? -1 : 1;
}

/* Compares the words between dots, up to a byte of `stop`; who has fewer, and
 * is equal so far, is the older one. */
static int compare_parts(const char **a, const char **b, const char *stop)
{
    for (;;) {
        size_t a_len = strcspn(*a, stop), b_len = strcspn(*b, stop);
        int order = compare_words(*a, a_len, *b, b_len);

        *a += a_len;
        *b += b_len;
        if (order != 0)
            return order;
        if (**a != '.' || **b != '.')
            return (**a == '.') - (**b == '.');
        ++*a;
        ++*b;
    }
}

int weir_semver_compare(const char *a, const char *b)
{
    int order = compare_parts(&a, &b, ".-");

    if (order != 0)
        return order;
    if (*a == '\0' || *b == '\0') /* a pre-release comes before its release */
        return (*a == '\0') - (*b == '\0');
    ++a;
    ++b;
    return compare_parts(&a, &b, ".");
}
