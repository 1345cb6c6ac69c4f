/*
 * A secret is looked for in all its spellings at once: at every place of the
 * text, each unit (a byte, %XX, a JSON escape) is read as the byte it stands
 * for, and the walk through the secrets goes on with that byte.  So it does
 * not matter which bytes an encoder chose to encode, nor in which case it
 * writes its digits.
 */
#include "redact.h"

#include <stdlib.h>
#include <string.h>

int weir_redact_hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

struct text {
    const struct weir_secrets *secrets;
    const char *bytes;
    size_t len;
    bool cut;
};

/* A unit of the text read as something else than its first byte. */
struct unit {
    unsigned char bytes[4];
    size_t n;    /* bytes it stands for; 0: no such reading */
    size_t size; /* bytes it takes in the text */
};

/* ---- units ---- */

static struct unit percent_unit(const struct text *t, size_t at)
{
    struct unit unit = {0};
    int high, low;

    if (t->len - at < 3)
        return unit;
    high = weir_redact_hex(t->bytes[at + 1]);
    low = weir_redact_hex(t->bytes[at + 2]);
    if (high < 0 || low < 0)
        return unit;
    return (struct unit){{(unsigned char)(high * 16 + low)}, 1, 3};
}

/* Four hexadecimal digits after \u, or -1. */
static long code_unit(const struct text *t, size_t at)
{
    long code = 0;

    if (t->len - at < 6 || t->bytes[at] != '\\' || t->bytes[at + 1] != 'u')
        return -1;
    for (size_t i = 2; i < 6; i++) {
        int digit = weir_redact_hex(t->bytes[at + i]);

        if (digit < 0)
            return -1;
        code = code * 16 + digit;
    }
    return code;
}

static struct unit unicode_unit(const struct text *t, size_t at)
{
    long code = code_unit(t, at), second;
    struct unit unit = {.size = 6};

    if (code < 0)
        return (struct unit){0};
    if (code >= 0xD800 && code < 0xDC00) {
        second = t->len - at >= 12 ? code_unit(t, at + 6) : -1;
        if (second < 0xDC00 || second > 0xDFFF)
            return (struct unit){0};
        code = 0x10000 + ((code - 0xD800) << 10) + (second - 0xDC00);
        unit.size = 12;
    }
    if (code < 0x80) {
        unit.bytes[unit.n++] = (unsigned char)code;
    } else if (code < 0x800) {
        unit.bytes[unit.n++] = (unsigned char)(0xC0 | (code >> 6));
    } else if (code < 0x10000) {
        unit.bytes[unit.n++] = (unsigned char)(0xE0 | (code >> 12));
        unit.bytes[unit.n++] = (unsigned char)(0x80 | ((code >> 6) & 63));
    } else {
        unit.bytes[unit.n++] = (unsigned char)(0xF0 | (code >> 18));
        unit.bytes[unit.n++] = (unsigned char)(0x80 | ((code >> 12) & 63));
        unit.bytes[unit.n++] = (unsigned char)(0x80 | ((code >> 6) & 63));
    }
    if (code >= 0x80)
        unit.bytes[unit.n++] = (unsigned char)(0x80 | (code & 63));
    return unit;
}

static struct unit escape_unit(const struct text *t, size_t at)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    const char *letter;

    if (t->len - at < 2)
        return (struct unit){0};
    if (t->bytes[at + 1] == 'u')
        return unicode_unit(t, at);
    letter = t->bytes[at + 1] ? strchr(letters, t->bytes[at + 1]) : NULL;
    if (!letter)
        return (struct unit){0};
    return (struct unit){{(unsigned char)meanings[letter - letters]}, 1, 2};
}

/* What the text at `at` may stand for beside the byte itself. */
static struct unit other_reading(const struct text *t, size_t at)
{
    switch (t->bytes[at]) {
    case '%': return percent_unit(t, at);
    case '\\': return escape_unit(t, at);
    case '+': return (struct unit){{' '}, 1, 1}; /* a form's space */
    default: return (struct unit){0};
    }
}

/* ---- the walk ---- */

/* Two readings can both go on only where one secret looks like another
 * encoded; more of them in a row than this are no accident of use. */
#define FORKS_MAX 16

/* End of the longest secret that goes on at `at` from `range`; 0: none. */
static size_t longest(const struct text *t, size_t at,
                      struct weir_secrets_range range, unsigned forks)
{
    size_t end = 0;

    for (;;) {
        struct weir_secrets_range literal, decoded = range;
        struct unit unit = {0};

        if (weir_secrets_ends(t->secrets, range))
            end = at;
        if (at == t->len) {
            if (t->cut && range.depth >= WEIR_SECRET_MIN)
                end = at;
            return end;
        }
        literal =
            weir_secrets_narrow(t->secrets, range, (unsigned char)t->bytes[at]);
        unit = other_reading(t, at);
        for (size_t i = 0; i < unit.n && !weir_secrets_none(decoded); i++)
            decoded = weir_secrets_narrow(t->secrets, decoded, unit.bytes[i]);
        if (unit.n == 0)
            decoded.low = decoded.high;
        if (weir_secrets_none(literal) && weir_secrets_none(decoded))
            return end;
        if (!weir_secrets_none(literal) && !weir_secrets_none(decoded) &&
            forks < FORKS_MAX) {
            size_t other = longest(t, at + unit.size, decoded, forks + 1);

            if (other > end)
                end = other;
            decoded.low = decoded.high;
        }
        if (weir_secrets_none(decoded)) {
            range = literal;
            at++;
        } else {
            range = decoded;
            at += unit.size;
        }
    }
}

/* A backslash that is left alone before "[redacted]" would spoil JSON. */
static size_t before_escape(const struct text *t, size_t start)
{
    size_t slashes = 0;

    while (slashes < start && t->bytes[start - slashes - 1] == '\\')
        slashes++;
    return slashes % 2 ? start - 1 : start;
}

static void mark(const struct text *t, bool *hide)
{
    struct weir_secrets_range all = weir_secrets_all(t->secrets);
    size_t hidden = 0; /* up to here */

    for (size_t at = 0; at < t->len; at++) {
        size_t end = longest(t, at, all, 0), start = at;

        if (end <= hidden)
            continue;
        if (start < hidden)
            start = hidden;
        else
            start = before_escape(t, start);
        memset(hide + start, true, end - start);
        hidden = end;
    }
}

static void write(const struct text *t, const bool *hide, struct weir_buf *out)
{
    for (size_t at = 0; at < t->len;) {
        size_t end = at;

        while (end < t->len && hide[end] == hide[at])
            end++;
        if (hide[at])
            weir_buf_adds(out, WEIR_REDACTED);
        else
            weir_buf_add(out, t->bytes + at, end - at);
        at = end;
    }
}

enum weir_code weir_redact(const struct weir_secrets *secrets, const char *text,
                           size_t len, bool cut, struct weir_buf *out)
{
    struct text t = {secrets, text, len, cut};
    enum weir_code code;
    bool *hide;

    if (secrets->n == 0 || len == 0)
        return weir_buf_add(out, text, len);
    hide = calloc(len, sizeof(*hide));
    if (!hide)
        return out->failed = WEIR_NOMEM;
    mark(&t, hide);
    code = weir_redact_base64(secrets, text, len, hide);
    if (code)
        out->failed = code;
    else
        write(&t, hide, out);
    free(hide);
    return out->failed;
}
