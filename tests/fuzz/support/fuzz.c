#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEPARATOR 0x1E

void fuzz_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    abort();
}

bool fuzz_part(struct fuzz_text *rest, struct fuzz_text *out)
{
    const char *end;

    if (rest->len == 0)
        return false;
    *out = *rest;
    end = memchr(rest->data, SEPARATOR, rest->len);
    if (!end) {
        *rest = (struct fuzz_text){rest->data + rest->len, 0};
        return true;
    }
    out->len = (size_t)(end - rest->data);
    rest->data += out->len + 1;
    rest->len -= out->len + 1;
    return true;
}

unsigned fuzz_byte(struct fuzz_text *rest)
{
    if (rest->len == 0)
        return 0;
    rest->len--;
    return (unsigned char)*rest->data++;
}

char *fuzz_string(struct fuzz_text text)
{
    char *copy = text.len ? strndup(text.data, text.len) : strdup("");

    FUZZ_CHECK(copy);
    return copy;
}

void fuzz_check_line(const char *text)
{
    size_t len = strlen(text);

    FUZZ_CHECK(weir_utf8_valid(text, len) == len);
    for (size_t i = 0; i < len; i++)
        FUZZ_CHECK((unsigned char)text[i] >= 0x20 && text[i] != 0x7F);
    /* C1 control characters are obeyed by terminals, too. */
    for (const char *p = text; (p = strchr(p, 0xC2)); p++)
        FUZZ_CHECK((unsigned char)p[1] >= 0xA0);
}

void fuzz_check_err(struct weir_err *err, enum weir_code code)
{
    FUZZ_CHECK(code != WEIR_OK && err->code == code);
    FUZZ_CHECK(err->message[0]);
    fuzz_check_line(err->message);
    fuzz_check_line(err->hint);
    weir_err_clear(err);
}

struct weir_json *fuzz_json(struct fuzz_text text)
{
    struct weir_json *json = NULL;

    weir_json_parse(text.data, text.len, NULL, &json, NULL);
    return json;
}

char *fuzz_write(const struct weir_json *json, size_t *len)
{
    struct weir_buf buf;
    char *text;

    weir_buf_init(&buf, SIZE_MAX);
    FUZZ_CHECK(weir_json_write(json, 0, &buf, NULL) == WEIR_OK);
    text = weir_buf_take(&buf, len);
    FUZZ_CHECK(text);
    return text;
}

bool fuzz_is_pointer(const char *text, size_t len)
{
    if (len > 0 && text[0] != '/')
        return false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '~' &&
            (i + 1 == len || (text[i + 1] != '0' && text[i + 1] != '1')))
            return false;
    }
    return true;
}
