#include "weir/cut.h"

#include <stdio.h>
#include <string.h>

/* Puts the mark at the end of a full `out`. */
static size_t mark(char *out, size_t size)
{
    size_t end = size - sizeof(WEIR_CUT_MARK);

    while (end > 0 && ((unsigned char)out[end] & 0xC0) == 0x80)
        end--;
    memcpy(out + end, WEIR_CUT_MARK, sizeof(WEIR_CUT_MARK));
    return end + sizeof(WEIR_CUT_MARK) - 1;
}

size_t weir_cut_vprintf(char *out, size_t size, const char *fmt, va_list args)
{
    int len = vsnprintf(out, size, fmt, args);

    if (len < 0) {
        out[0] = '\0';
        return 0;
    }
    return (size_t)len < size ? (size_t)len : mark(out, size);
}

size_t weir_cut_printf(char *out, size_t size, const char *fmt, ...)
{
    va_list args;
    size_t len;

    va_start(args, fmt);
    len = weir_cut_vprintf(out, size, fmt, args);
    va_end(args);
    return len;
}

char *weir_cut_copy(char *out, size_t size, const char *text, size_t len)
{
    bool fits = len < size;

    if (!fits)
        len = size - 1;
    memcpy(out, text, len);
    out[len] = '\0';
    if (!fits)
        mark(out, size);
    return out;
}
