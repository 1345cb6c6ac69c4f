/* json: the sink that writes text. */
#include <string.h>

#include "json_internal.h"

/* What a byte becomes inside quotes: 0 itself, 'u' \u00XX, else \ and this. */
static const char escape_of[256] = {
    [0 ... 7] = 'u', ['\b'] = 'b',  ['\t'] = 't', ['\n'] = 'n',
    [0x0B] = 'u',    ['\f'] = 'f',  ['\r'] = 'r', [0x0E ... 0x1F] = 'u',
    ['"'] = '"',     ['\\'] = '\\',
};

/* Most strings go in as they are, in one piece. */
static enum weir_code quote_plain(struct weir_buf *buf, const char *text,
                                  size_t len)
{
    char *at;

    if ((buf->cap - buf->len <= len + 2 || buf->failed) &&
        weir_buf_reserve(buf, len + 2))
        return buf->failed;
    at = buf->data + buf->len;
    at[0] = '"';
    if (len)
        memcpy(at + 1, text, len);
    memcpy(at + 1 + len, "\"", 2);
    buf->len += len + 2;
    return WEIR_OK;
}

enum weir_code weir_json_quote(struct weir_buf *buf, const char *text,
                               size_t len)
{
    const char *end = text + len, *p = weir_json_plain_run(text, end);

    if (p == end)
        return quote_plain(buf, text, len);
    if (weir_utf8_valid(p, (size_t)(end - p)) != (size_t)(end - p))
        return WEIR_INVALID;
    weir_buf_addc(buf, '"');
    for (; p < end; p = weir_json_plain_run(p + 1, end)) {
        char escape = escape_of[(unsigned char)*p];

        if (!escape)
            continue;
        weir_buf_add(buf, text, (size_t)(p - text));
        if (escape == 'u')
            weir_buf_addf(buf, "\\u%04x", (unsigned char)*p);
        else
            weir_buf_add(buf, (char[]){'\\', escape}, 2);
        text = p + 1;
    }
    weir_buf_add(buf, text, (size_t)(end - text));
    return weir_buf_addc(buf, '"');
}

static void new_line(struct weir_json_writer *w)
{
    static const char spaces[] = "                                ";
    size_t left = (size_t)w->indent * w->depth;

    weir_buf_addc(w->buf, '\n');
    while (left > 0) {
        size_t n = left < sizeof(spaces) - 1 ? left : sizeof(spaces) - 1;

        weir_buf_add(w->buf, spaces, n);
        left -= n;
    }
}

/* What stands before an item: a comma, a new line. */
static void separate(struct weir_json_writer *w)
{
    if (w->has_items[w->depth])
        weir_buf_addc(w->buf, ',');
    w->has_items[w->depth] = true;
    if (w->indent && w->depth)
        new_line(w);
}

static void before_value(struct weir_json_writer *w)
{
    if (!w->after_key)
        separate(w);
    w->after_key = false;
}

static enum weir_code done(struct weir_json_writer *w, struct weir_err *err)
{
    if (!w->buf->failed)
        return WEIR_OK;
    return weir_buf_err(w->buf, "JSON text", err);
}

static enum weir_code add(struct weir_json_writer *w, const char *text,
                          size_t len, struct weir_err *err)
{
    before_value(w);
    weir_buf_add(w->buf, text, len);
    return done(w, err);
}

static enum weir_code on_null(void *ud, struct weir_err *err)
{
    return add(ud, "null", 4, err);
}

static enum weir_code on_boolean(void *ud, bool value, struct weir_err *err)
{
    return value ? add(ud, "true", 4, err) : add(ud, "false", 5, err);
}

static enum weir_code on_number(void *ud, const char *text, size_t len,
                                struct weir_err *err)
{
    return add(ud, text, len, err);
}

static enum weir_code quote(struct weir_json_writer *w, const char *text,
                            size_t len, struct weir_err *err)
{
    if (weir_json_quote(w->buf, text, len) == WEIR_INVALID)
        return weir_err_set(err, WEIR_INVALID,
                            "a string is not UTF-8 (byte %zu of it)",
                            weir_utf8_valid(text, len) + 1);
    return done(w, err);
}

static enum weir_code on_string(void *ud, const char *text, size_t len,
                                struct weir_err *err)
{
    before_value(ud);
    return quote(ud, text, len, err);
}

static enum weir_code on_key(void *ud, const char *text, size_t len,
                             struct weir_err *err)
{
    struct weir_json_writer *w = ud;
    enum weir_code code;

    separate(w);
    code = quote(w, text, len, err);
    if (code)
        return code;
    weir_buf_add(w->buf, ": ", w->indent ? 2 : 1);
    w->after_key = true;
    return done(w, err);
}

static enum weir_code begin(struct weir_json_writer *w, char bracket,
                            struct weir_err *err)
{
    if (w->depth == WEIR_VALUE_MAX_DEPTH)
        return weir_err_set(err, WEIR_LIMIT, "nested deeper than %d levels",
                            WEIR_VALUE_MAX_DEPTH);
    before_value(w);
    weir_buf_addc(w->buf, bracket);
    w->has_items[++w->depth] = false;
    return done(w, err);
}

static enum weir_code end(struct weir_json_writer *w, char bracket,
                          struct weir_err *err)
{
    bool has_items = w->has_items[w->depth--];

    if (w->indent && has_items)
        new_line(w);
    weir_buf_addc(w->buf, bracket);
    return done(w, err);
}

static enum weir_code on_begin_array(void *ud, struct weir_err *err)
{
    return begin(ud, '[', err);
}

static enum weir_code on_end_array(void *ud, struct weir_err *err)
{
    return end(ud, ']', err);
}

static enum weir_code on_begin_object(void *ud, struct weir_err *err)
{
    return begin(ud, '{', err);
}

static enum weir_code on_end_object(void *ud, struct weir_err *err)
{
    return end(ud, '}', err);
}

void weir_json_writer_init(struct weir_json_writer *writer,
                           struct weir_buf *buf, unsigned indent,
                           struct weir_sink *sink)
{
    *writer = (struct weir_json_writer){.buf = buf, .indent = indent};
    *sink = (struct weir_sink){
        .null = on_null,
        .boolean = on_boolean,
        .number = on_number,
        .string = on_string,
        .begin_array = on_begin_array,
        .end_array = on_end_array,
        .begin_object = on_begin_object,
        .key = on_key,
        .end_object = on_end_object,
        .ud = writer,
    };
}

enum weir_code weir_json_write(const struct weir_json *json, unsigned indent,
                               struct weir_buf *buf, struct weir_err *err)
{
    struct weir_json_writer writer;
    struct weir_sink sink;

    weir_json_writer_init(&writer, buf, indent, &sink);
    return weir_json_emit(json, &sink, err);
}
