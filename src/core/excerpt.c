#include "excerpt.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "weir/value.h"

/* What fits: quotes, an ellipsis of three bytes, and the NUL. */
#define BODY (WEIR_EXCERPT - 6)

size_t weir_excerpt_obeyed(const char *text, size_t len)
{
    const unsigned char *c = (const unsigned char *)text;

    if (c[0] < 0x20 || c[0] == 0x7F)
        return 1;
    /* C1 control characters: C2 80 to C2 9F. */
    if (len >= 2 && c[0] == 0xC2 && c[1] < 0xA0)
        return 2;
    if (len >= 3 && c[0] == 0xE2 &&
        ((c[1] == 0x80 && c[2] >= 0xA8 && c[2] <= 0xAE) ||
         (c[1] == 0x81 && c[2] >= 0xA6 && c[2] <= 0xA9)))
        return 3;
    return 0;
}

/* Length of the one character at `text` if it can be shown as it stands. */
static size_t showable(const char *text, size_t len)
{
    unsigned char lead = (unsigned char)*text;
    size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;

    if (size > len || weir_excerpt_obeyed(text, len))
        return 0;
    return weir_utf8_valid(text, size) == size ? size : 0;
}

const char *weir_excerpt_quote(char out[WEIR_EXCERPT], const char *text,
                               size_t len)
{
    size_t used = 0;

    out[used++] = '"';
    while (len > 0) {
        size_t size = showable(text, len);
        size_t shown = size ? size : 4;

        if (used - 1 + shown > BODY - 8) {
            memcpy(out + used, "…", 3);
            used += 3;
            break;
        }
        if (size)
            memcpy(out + used, text, size);
        else
            snprintf(out + used, 5, "\\x%02X", (unsigned char)*text);
        used += shown;
        text += size ? size : 1;
        len -= size ? size : 1;
    }
    out[used++] = '"';
    out[used] = '\0';
    return out;
}

/* Whether `text` is the beginning of a character and nothing more. */
static bool is_cut_off(const char *text, size_t len)
{
    char whole[4];

    if (len == 0 || len > 3)
        return false;
    memcpy(whole, text, len);
    /* Some last byte must make it a character: the lead byte has said how
     * long it is, and not every second byte goes with every lead. */
    for (size_t size = len + 1; size <= 4; size++) {
        memset(whole + len, 0x80, sizeof(whole) - len);
        if (weir_utf8_valid(whole, size) == size)
            return true;
        memset(whole + len, 0xBF, sizeof(whole) - len);
        if (weir_utf8_valid(whole, size) == size)
            return true;
    }
    return false;
}

void weir_excerpt_line(char *text)
{
    size_t len = strlen(text);

    while (len > 0) {
        size_t size = showable(text, len);

        if (!size && is_cut_off(text, len)) {
            *text = '\0';
            return;
        }
        if (!size)
            *text = '?';
        text += size ? size : 1;
        len -= size ? size : 1;
    }
}

struct weir_place weir_excerpt_place(const char *text, size_t at)
{
    struct weir_place place = {.line = 1, .column = 1};

    for (size_t i = 0; i < at; i++) {
        if (text[i] == '\n') {
            place.line++;
            place.column = 1;
        } else if (((unsigned char)text[i] & 0xC0) != 0x80) {
            place.column++;
        }
    }
    return place;
}
