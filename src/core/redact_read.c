/* Reading a text as what it stands for, up to three encodings deep. */
#include <string.h>

#include "redact_read.h"

static int hex(struct weir_unit unit)
{
    unsigned char c = unit.bytes[0];

    if (unit.n != 1)
        return -1;
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* `n` hexadecimal digits at `at`, read at `level`; -1 if they are none.
 * Adds what they take in the text to `*size`. */
static long digits(const struct weir_reading *r, size_t at, int n, int level,
                   size_t *size)
{
    long value = 0;

    for (int i = 0; i < n; i++) {
        struct weir_unit unit = weir_unit_read(r, at + *size, level);
        int digit = hex(unit);

        if (digit < 0)
            return -1;
        value = value * 16 + digit;
        *size += unit.size;
    }
    return value;
}

static struct weir_unit one_byte(unsigned char byte, size_t size)
{
    return (struct weir_unit){{byte}, 1, size};
}

static struct weir_unit percent(const struct weir_reading *r, size_t at,
                                struct weir_unit sign, int level)
{
    size_t size = sign.size;
    long byte = digits(r, at, 2, level, &size);

    return byte < 0 ? sign : one_byte((unsigned char)byte, size);
}

static void put_utf8(struct weir_unit *unit, long code)
{
    if (code < 0x80) {
        unit->bytes[unit->n++] = (unsigned char)code;
        return;
    }
    if (code < 0x800) {
        unit->bytes[unit->n++] = (unsigned char)(0xC0 | (code >> 6));
    } else if (code < 0x10000) {
        unit->bytes[unit->n++] = (unsigned char)(0xE0 | (code >> 12));
        unit->bytes[unit->n++] = (unsigned char)(0x80 | ((code >> 6) & 63));
    } else {
        unit->bytes[unit->n++] = (unsigned char)(0xF0 | (code >> 18));
        unit->bytes[unit->n++] = (unsigned char)(0x80 | ((code >> 12) & 63));
        unit->bytes[unit->n++] = (unsigned char)(0x80 | ((code >> 6) & 63));
    }
    unit->bytes[unit->n++] = (unsigned char)(0x80 | (code & 63));
}

/* The second half of a surrogate pair at `at`, or -1. */
static long low_surrogate(const struct weir_reading *r, size_t at, int level,
                          size_t *size)
{
    struct weir_unit slash = weir_unit_read(r, at, level), u;
    long code;

    if (slash.n != 1 || slash.bytes[0] != '\\')
        return -1;
    u = weir_unit_read(r, at + slash.size, level);
    if (u.n != 1 || u.bytes[0] != 'u')
        return -1;
    *size = slash.size + u.size;
    code = digits(r, at, 4, level, size);
    return code >= 0xDC00 && code <= 0xDFFF ? code : -1;
}

/* \uXXXX (RFC 8259 section 7); `size` is what \u takes. */
static struct weir_unit unicode(const struct weir_reading *r, size_t at,
                                struct weir_unit slash, size_t size, int level)
{
    struct weir_unit unit = {.n = 0};
    long code = digits(r, at, 4, level, &size);

    if (code < 0)
        return slash;
    if (code >= 0xD800 && code < 0xDC00) {
        size_t more = 0;
        long second = low_surrogate(r, at + size, level, &more);

        if (second < 0)
            return slash;
        code = 0x10000 + ((code - 0xD800) << 10) + (second - 0xDC00);
        size += more;
    }
    put_utf8(&unit, code);
    unit.size = size;
    return unit;
}

/* JSON's escapes, and the \xNN of our own excerpts. */
static struct weir_unit escape(const struct weir_reading *r, size_t at,
                               struct weir_unit slash, int level)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    struct weir_unit next = weir_unit_read(r, at + slash.size, level);
    size_t size = slash.size + next.size;
    const char *letter;
    long byte;

    if (next.n != 1 || next.bytes[0] == '\0')
        return slash;
    if (next.bytes[0] == 'u')
        return unicode(r, at, slash, size, level);
    if (next.bytes[0] == 'x') {
        byte = digits(r, at, 2, level, &size);
        return byte < 0 ? slash : one_byte((unsigned char)byte, size);
    }
    letter = strchr(letters, next.bytes[0]);
    return letter ? one_byte((unsigned char)meanings[letter - letters], size)
                  : slash;
}

/* A key in a JSON pointer (RFC 6901 section 3). */
static struct weir_unit pointer_escape(const struct weir_reading *r, size_t at,
                                       struct weir_unit tilde, int level)
{
    struct weir_unit next = weir_unit_read(r, at + tilde.size, level);

    if (next.n != 1 || (next.bytes[0] != '0' && next.bytes[0] != '1'))
        return tilde;
    return one_byte(next.bytes[0] == '0' ? '~' : '/', tilde.size + next.size);
}

/* What the unit means is what it means one level below, decoded. */
struct weir_unit weir_unit_read(const struct weir_reading *r, size_t at,
                                int level)
{
    struct weir_unit unit;

    if (at >= r->len)
        return (struct weir_unit){.n = 0};
    if (level == 0)
        return one_byte((unsigned char)r->bytes[at], 1);
    unit = weir_unit_read(r, at, level - 1);
    if (unit.n != 1)
        return unit;
    switch (unit.bytes[0]) {
    case '%': return percent(r, at, unit, level - 1);
    case '\\': return escape(r, at, unit, level - 1);
    case '+': return one_byte(' ', unit.size); /* a form's space */
    case '~': return pointer_escape(r, at, unit, level - 1);
    default: return unit;
    }
}

size_t weir_unit_readings(const struct weir_reading *r, size_t at,
                          struct weir_unit out[WEIR_UNIT_LEVELS + 1])
{
    size_t n = 0;

    if (at >= r->len)
        return 0;
    out[n++] = one_byte((unsigned char)r->bytes[at], 1);
    if (!strchr("%\\+~", r->bytes[at]) || !r->bytes[at])
        return n;
    for (int level = 1; level <= WEIR_UNIT_LEVELS; level++) {
        struct weir_unit unit = weir_unit_read(r, at, level);

        if (unit.size == out[n - 1].size && unit.n == out[n - 1].n &&
            memcmp(unit.bytes, out[n - 1].bytes, unit.n) == 0)
            break; /* nothing is encoded at this level, nor above */
        out[n++] = unit;
    }
    return n;
}

/* What a cut may have left of an escape: "%2", "\u00". */
static size_t after_stump(const struct weir_reading *r, size_t at)
{
    size_t end = at;

    if (end == r->len || (r->bytes[end] != '%' && r->bytes[end] != '\\'))
        return at;
    while (end < r->len && end - at < 24 && r->bytes[end] &&
           strchr("%\\ux0123456789abcdefABCDEF", r->bytes[end]))
        end++;
    return end;
}

static bool is_mark(const struct weir_reading *r, size_t at)
{
    static const char ellipsis[] = WEIR_CUT_MARK;
    struct weir_unit units[WEIR_UNIT_LEVELS + 1];
    size_t n;

    if (at == r->len)
        return r->cut;
    if (r->len - at >= 3 && (memcmp(r->bytes + at, ellipsis, 3) == 0 ||
                             memcmp(r->bytes + at, "...", 3) == 0))
        return true;
    if (r->bytes[at] != '%' && r->bytes[at] != '\\')
        return false;
    n = weir_unit_readings(r, at, units);
    return n > 0 && units[n - 1].n == 3 &&
           memcmp(units[n - 1].bytes, ellipsis, 3) == 0;
}

bool weir_reading_is_cut(const struct weir_reading *r, size_t at, size_t *end)
{
    size_t stump;

    *end = at;
    if (is_mark(r, at))
        return true;
    stump = after_stump(r, at);
    *end = stump;
    return stump > at && is_mark(r, stump);
}
