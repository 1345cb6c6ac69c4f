/*
 * Secrets in base64 (RFC 4648).  A credential such as Basic "id:secret", or
 * a document that holds the secret, is encoded as a whole, so the secret's
 * own base64 form need not appear.  Every run of base64 digits is therefore
 * decoded, from each of the four places at which it may begin.
 */
#include <stdlib.h>
#include <string.h>

#include "redact.h"

/* A digit of a run and where it stands in the text. */
struct digit {
    size_t at;
    unsigned char value; /* 6 bits */
    unsigned char size;  /* 1, or 3 for %2B and %2F */
};

/* The digits that the shortest secret takes at the least. */
#define RUN_MIN ((WEIR_SECRET_MIN * 8 + 5) / 6)

static int value_of(char c)
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

/* Reads the digit at `at`; false if there is none. */
static bool read_digit(const char *text, size_t len, size_t at,
                       struct digit *digit)
{
    int value = value_of(text[at]);

    *digit = (struct digit){.at = at, .size = 1};
    if (value < 0 && text[at] == '%' && len - at >= 3 && text[at + 1] == '2') {
        digit->size = 3;
        if (text[at + 2] == 'B' || text[at + 2] == 'b')
            value = 62;
        else if (text[at + 2] == 'F' || text[at + 2] == 'f')
            value = 63;
    } else if (value < 0 && text[at] == '\\' && len - at >= 2 &&
               text[at + 1] == '/') {
        digit->size = 2;
        value = 63;
    }
    digit->value = (unsigned char)value;
    return value >= 0;
}

/* Padding belongs to the digits before it. */
static size_t after_padding(const char *text, size_t len, size_t at)
{
    for (int i = 0; i < 2; i++) {
        if (at < len && text[at] == '=')
            at++;
        else if (len - at >= 3 && text[at] == '%' && text[at + 1] == '3' &&
                 (text[at + 2] == 'D' || text[at + 2] == 'd'))
            at += 3;
    }
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

/* Length of the longest secret that `bytes` begins with, or 0. */
static size_t secret_at(const struct weir_secrets *secrets,
                        const unsigned char *bytes, size_t len)
{
    struct weir_secrets_range range = weir_secrets_all(secrets);
    size_t found = 0;

    for (size_t i = 0; i < len; i++) {
        range = weir_secrets_narrow(secrets, range, bytes[i]);
        if (weir_secrets_none(range))
            break;
        if (weir_secrets_ends(secrets, range))
            found = i + 1;
    }
    return found;
}

/* Hides the digits that bytes [from, to) of the decoded run come from. */
static void hide_digits(const struct digit *digits, size_t n, size_t from,
                        size_t to, const char *text, size_t len, bool *hide)
{
    size_t first = from * 8 / 6, last = (to * 8 + 5) / 6 - 1;
    size_t start = digits[first].at;
    size_t end = digits[last].at + digits[last].size;

    if (last + 1 == n)
        end = after_padding(text, len, end);
    memset(hide + start, true, end - start);
}

static void search_run(const struct weir_secrets *secrets,
                       const struct digit *digits, size_t n,
                       unsigned char *bytes, const char *text, size_t len,
                       bool *hide)
{
    for (size_t phase = 0; phase < 4 && phase < n; phase++) {
        const struct digit *from = digits + phase;
        size_t n_bytes = decode(from, n - phase, bytes);

        for (size_t i = 0; i + WEIR_SECRET_MIN <= n_bytes; i++) {
            size_t found = secret_at(secrets, bytes + i, n_bytes - i);

            if (found)
                hide_digits(from, n - phase, i, i + found, text, len, hide);
        }
    }
}

/* Reads the run at `at` into `digits` (NULL: only counts); returns how many
 * digits it has and sets `*end` behind it. */
static size_t read_run(const char *text, size_t len, size_t at,
                       struct digit *digits, size_t *end)
{
    struct digit digit;
    size_t n = 0;

    while (at < len && read_digit(text, len, at, &digit)) {
        if (digits)
            digits[n] = digit;
        n++;
        at += digit.size;
    }
    *end = at;
    return n;
}

enum weir_code weir_redact_base64(const struct weir_secrets *secrets,
                                  const char *text, size_t len, bool *hide)
{
    struct digit *digits = NULL;
    unsigned char *bytes = NULL;
    size_t room = 0, end;

    for (size_t at = 0; at<len; at = end> at ? end : at + 1) {
        size_t n = read_run(text, len, at, NULL, &end);

        if (n < RUN_MIN)
            continue;
        if (n > room) {
            free(digits);
            free(bytes);
            room = n < 4096 ? 4096 : n;
            digits = malloc(room * sizeof(*digits));
            bytes = malloc(room);
            if (!digits || !bytes) {
                free(digits);
                free(bytes);
                return WEIR_NOMEM;
            }
        }
        read_run(text, len, at, digits, &end);
        search_run(secrets, digits, n, bytes, text, len, hide);
    }
    free(digits);
    free(bytes);
    return WEIR_OK;
}
