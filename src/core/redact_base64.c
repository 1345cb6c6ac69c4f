/*
 * Secrets in base64 (RFC 4648).  A credential such as Basic "id:secret", or
 * a document that holds the secret, is encoded as a whole, so the secret's
 * own base64 form need not appear.  Every run of base64 digits is therefore
 * decoded, from each of the four places at which it may begin, and what comes
 * out is looked through like any text: RFC 6749 section 2.3.1 has id and
 * secret percent-encoded before they become a Basic credential.
 */
#include <stdlib.h>
#include <string.h>

#include "redact.h"

/* A digit of a run and where it stands in the text. */
struct digit {
    size_t at;
    unsigned char value; /* 6 bits */
    unsigned char size;  /* more than 1 where it is encoded: %2B, \/ */
};

/* The digits that the shortest secret takes at the least. */
#define RUN_MIN ((WEIR_SECRET_MIN * 8 + 5) / 6)
/* A run this long may go on in the next line (RFC 2045: 76 a line). */
#define FOLD_MIN ((size_t)16)

/* Memory for one run at a time. */
struct scratch {
    struct digit *digits;
    unsigned char *bytes;
    bool *hide;
    size_t room;
};

static int value_of(unsigned char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    if (c == '/' || c == '_')
        return 63;
    return -1;
}

/* Finds the reading at `at` that stands for one of `wanted`; true and its
 * size if there is one. */
static bool reads_as(const struct weir_reading *text, size_t at,
                     const char *wanted, size_t *size)
{
    struct weir_unit units[WEIR_UNIT_LEVELS + 1];
    size_t n = weir_unit_readings(text, at, units);

    for (size_t i = 0; i < n; i++) {
        if (units[i].n == 1 && units[i].bytes[0] &&
            strchr(wanted, units[i].bytes[0])) {
            *size = units[i].size;
            return true;
        }
    }
    return false;
}

/* Reads the digit at `at`; false if there is none. */
static bool read_digit(const struct weir_reading *text, size_t at,
                       struct digit *digit)
{
    struct weir_unit units[WEIR_UNIT_LEVELS + 1];
    int value;
    size_t n;

    if (at >= text->len)
        return false;
    value = value_of((unsigned char)text->bytes[at]);
    *digit = (struct digit){at, (unsigned char)value, 1};
    if (value >= 0)
        return true;
    if (text->bytes[at] != '%' && text->bytes[at] != '\\')
        return false;
    n = weir_unit_readings(text, at, units);
    for (size_t i = 1; i < n; i++) {
        value = units[i].n == 1 ? value_of(units[i].bytes[0]) : -1;
        if (value >= 0) {
            digit->value = (unsigned char)value;
            digit->size = (unsigned char)units[i].size;
            return true;
        }
    }
    return false;
}

/* Behind the line break at `at`, or `at` if there is none. */
static size_t after_break(const struct weir_reading *text, size_t at)
{
    size_t size;

    while (at < text->len && reads_as(text, at, "\r\n \t", &size))
        at += size;
    return at;
}

/* Reads the run at `at` into `digits` (NULL: only counts); returns how many
 * digits it has and sets `*end` behind it. */
static size_t read_run(const struct weir_reading *text, size_t at,
                       struct digit *digits, size_t *end)
{
    struct digit digit;
    size_t n = 0;

    for (*end = at;;) {
        if (!read_digit(text, at, &digit)) {
            at = n >= FOLD_MIN ? after_break(text, at) : at;
            if (at == *end || !read_digit(text, at, &digit))
                return n;
        }
        if (digits)
            digits[n] = digit;
        n++;
        at += digit.size;
        *end = at;
    }
}

/* Padding belongs to the digits before it. */
static size_t after_padding(const struct weir_reading *text, size_t at)
{
    size_t size;

    for (int i = 0; i < 2 && reads_as(text, at, "=", &size); i++)
        at += size;
    return at;
}

/* Four digits are three bytes; fewer at the end are fewer. */
static size_t decode(const struct digit *digits, size_t n, unsigned char *out)
{
    size_t len = 0;

    for (size_t i = 0; i + 1 < n; i++) {
        unsigned high = digits[i].value, low = digits[i + 1].value;

        switch (i % 4) {
        case 0: out[len++] = (unsigned char)(high << 2 | low >> 4); break;
        case 1: out[len++] = (unsigned char)(high << 4 | low >> 2); break;
        case 2: out[len++] = (unsigned char)(high << 6 | low); break;
        default: break;
        }
    }
    return len;
}

/* Hides the digits that bytes [from, to) of the decoded run come from. */
static void hide_digits(const struct weir_reading *text,
                        const struct digit *digits, size_t n, size_t from,
                        size_t to, bool *hide)
{
    size_t first = from * 8 / 6, last = (to * 8 + 5) / 6 - 1;
    size_t start = digits[first].at;
    size_t end = digits[last].at + digits[last].size;

    if (last + 2 >= n) /* with the bits that hang over at its end */
        end = after_padding(text, digits[n - 1].at + digits[n - 1].size);
    memset(hide + start, true, end - start);
}

static enum weir_code search_run(struct weir_redaction *work,
                                 const struct weir_reading *text, size_t n,
                                 bool cut, int nesting,
                                 const struct scratch *scratch, bool *hide)
{
    for (size_t phase = 0; phase < 4 && phase + RUN_MIN <= n; phase++) {
        const struct digit *from = scratch->digits + phase;
        size_t len = decode(from, n - phase, scratch->bytes);
        struct weir_reading decoded = {(const char *)scratch->bytes, len, cut};
        enum weir_code code;

        memset(scratch->hide, false, len);
        code = weir_redact_mark(work, &decoded, nesting, scratch->hide);
        if (code)
            return code;
        for (size_t at = 0, end; at < len; at = end) {
            for (end = at;
                 end < len && scratch->hide[end] == scratch->hide[at];)
                end++;
            if (scratch->hide[at])
                hide_digits(text, from, n - phase, at, end, hide);
        }
    }
    return WEIR_OK;
}

static void scratch_fini(struct scratch *scratch)
{
    if (scratch->bytes)
        explicit_bzero(scratch->bytes, scratch->room);
    free(scratch->digits);
    free(scratch->bytes);
    free(scratch->hide);
    *scratch = (struct scratch){0};
}

static bool make_room(struct scratch *scratch, size_t n)
{
    if (n <= scratch->room)
        return true;
    scratch_fini(scratch);
    scratch->room = n < 1024 ? 1024 : n;
    scratch->digits = malloc(scratch->room * sizeof(*scratch->digits));
    scratch->bytes = malloc(scratch->room);
    scratch->hide = malloc(scratch->room * sizeof(*scratch->hide));
    return scratch->digits && scratch->bytes && scratch->hide;
}

enum weir_code weir_redact_base64(struct weir_redaction *work,
                                  const struct weir_reading *text, int nesting,
                                  bool *hide)
{
    struct scratch scratch = {0};
    enum weir_code code = WEIR_OK;
    size_t end, ignored;

    for (size_t at = 0; !code && at < text->len && work->budget > 0;
         at = end > at ? end : at + 1) {
        size_t n = read_run(text, at, NULL, &end);

        if (n < RUN_MIN)
            continue;
        if (!make_room(&scratch, n)) {
            code = WEIR_NOMEM;
            break;
        }
        read_run(text, at, scratch.digits, &end);
        code =
            search_run(work, text, n, weir_reading_is_cut(text, end, &ignored),
                       nesting, &scratch, hide);
    }
    scratch_fini(&scratch);
    return code;
}
