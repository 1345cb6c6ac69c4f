#include "weir/value.h"

#include <stdint.h>
#include <string.h>

/* Length of the sequence that begins with `lead`, and the bounds of its second
 * byte: RFC 3629 section 4.  They are what keeps out overlong forms, surrogates
 * and everything above U+10FFFF; later bytes are always 80..BF. */
static size_t sequence(unsigned char lead, unsigned char *low,
                       unsigned char *high)
{
    *low = 0x80;
    *high = 0xBF;
    if (lead < 0xC2 || lead > 0xF4)
        return 0;
    if (lead < 0xE0)
        return 2;
    if (lead < 0xF0) {
        if (lead == 0xE0)
            *low = 0xA0;
        if (lead == 0xED)
            *high = 0x9F;
        return 3;
    }
    if (lead == 0xF0)
        *low = 0x90;
    if (lead == 0xF4)
        *high = 0x8F;
    return 4;
}

/* How many bytes from `at` on are ASCII for sure: eight at once, since most
 * texts are nothing else. */
static size_t skip_ascii(const unsigned char *bytes, size_t at, size_t len)
{
    uint64_t eight;

    while (len - at >= sizeof(eight)) {
        memcpy(&eight, bytes + at, sizeof(eight));
        if (eight & 0x8080808080808080u)
            break;
        at += sizeof(eight);
    }
    return at;
}

size_t weir_utf8_valid(const char *text, size_t len)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t at = skip_ascii(bytes, 0, len);

    while (at < len) {
        unsigned char low, high;
        size_t need;

        if (bytes[at] < 0x80) {
            at++;
            continue;
        }
        need = sequence(bytes[at], &low, &high);
        if (need == 0 || need > len - at)
            return at;
        if (bytes[at + 1] < low || bytes[at + 1] > high)
            return at;
        for (size_t i = 2; i < need; i++) {
            if ((bytes[at + i] & 0xC0) != 0x80)
                return at;
        }
        at += need;
    }
    return len;
}
