#include "base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                             "abcdefghijklmnopqrstuvwxyz0123456789+/";

size_t weir_base64_encode(const unsigned char *bytes, size_t len, char *out)
{
    char *start = out;

    for (size_t i = 0; i < len; i += 3) {
        unsigned group = (unsigned)bytes[i] << 16;

        if (i + 1 < len)
            group |= (unsigned)bytes[i + 1] << 8;
        if (i + 2 < len)
            group |= bytes[i + 2];
        *out++ = digits[group >> 18];
        *out++ = digits[group >> 12 & 63];
        *out++ = digits[group >> 6 & 63];
        *out++ = digits[group & 63];
    }
    if (len % 3)
        out[-1] = '=';
    if (len % 3 == 1)
        out[-2] = '=';
    return (size_t)(out - start);
}

/* 0 to 63, or 64 for what is no digit.  Compares instead of looking up: the
 * text may be a secret key's, and a table's cache lines can be watched. */
static unsigned value_of(char c)
{
    unsigned upper = (unsigned)(c >= 'A' && c <= 'Z'),
             lower = (unsigned)(c >= 'a' && c <= 'z'),
             digit = (unsigned)(c >= '0' && c <= '9'),
             plus = (unsigned)(c == '+'), slash = (unsigned)(c == '/');

    return upper * (unsigned)(c - 'A') + lower * (unsigned)(c - 'a' + 26) +
           digit * (unsigned)(c - '0' + 52) + plus * 62 + slash * 63 +
           (1 - (upper | lower | digit | plus | slash)) * 64;
}

enum weir_code weir_base64_decode(const char *text, size_t len,
                                  unsigned char *out, size_t want,
                                  struct weir_err *err)
{
    size_t padding = (3 - want % 3) % 3, full = WEIR_BASE64_SIZE(want), n = 0;
    unsigned bits = 0, held = 0;

    if (len != full)
        return weir_err_set(err, WEIR_SYNTAX, "is %zu characters, not %zu", len,
                            full);
    for (size_t i = 0; i < len - padding; i++) {
        unsigned value = value_of(text[i]);

        if (value > 63)
            return weir_err_set(err, WEIR_SYNTAX,
                                "is not base64 at character %zu", i + 1);
        bits = bits << 6 | value;
        held += 6;
        if (held >= 8) {
            held -= 8;
            out[n++] = (unsigned char)(bits >> held);
            bits &= (1U << held) - 1;
        }
    }
    for (size_t i = len - padding; i < len; i++) {
        if (text[i] != '=')
            return weir_err_set(
                err, WEIR_SYNTAX,
                "is not base64 at character %zu, where the padding '=' stands",
                i + 1);
    }
    if (bits != 0)
        return weir_err_set(err, WEIR_SYNTAX,
                            "is not base64 as it is written: bits after the "
                            "last byte are set");
    return WEIR_OK;
}
