/*
 * json: the scanner.  One pass, no recursion: what is open is a bit per
 * level.  Text is handed on in place unless a string has escapes.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "excerpt.h"
#include "json_internal.h"
#include "keyset.h"

struct scanner {
    const char *text, *p, *end;
    const struct weir_sink *sink;
    struct weir_err *err;
    struct weir_err spare;   /* for a caller that passed none */
    struct weir_buf scratch; /* a string whose escapes are undone */
    struct weir_keyset keys;
    bool duplicate_keys;
    bool is_object[WEIR_VALUE_MAX_DEPTH];
    unsigned depth, max_depth;
    size_t nodes, max_nodes;
};

/* ---- errors ---- */

static enum weir_code fail_at(struct scanner *s, const char *at,
                              const char *message)
{
    struct weir_place place =
        weir_excerpt_place(s->text, (size_t)(at - s->text));

    return weir_err_set(s->err, WEIR_SYNTAX, "line %zu, column %zu: %s",
                        place.line, place.column, message);
}

/* "expected ',' or ']', found …" */
static enum weir_code expected(struct scanner *s, const char *what)
{
    char message[160], found[WEIR_EXCERPT];
    size_t left = (size_t)(s->end - s->p), size = 1;

    if (left == 0) {
        snprintf(message, sizeof(message), "expected %s, found the end of text",
                 what);
        return fail_at(s, s->p, message);
    }
    /* One whole character of what is there, or one byte of it. */
    while (size < left && size < 4 && weir_utf8_valid(s->p, size) == 0)
        size++;
    if (weir_utf8_valid(s->p, size) == 0)
        size = 1;
    snprintf(message, sizeof(message), "expected %s, found %s", what,
             weir_excerpt_quote(found, s->p, size));
    return fail_at(s, s->p, message);
}

static enum weir_code repeated_key(struct scanner *s, size_t at,
                                   const char *key, size_t len)
{
    char message[160], shown[WEIR_EXCERPT];

    snprintf(message, sizeof(message), "the key %s came before in this object",
             weir_excerpt_quote(shown, key, len));
    return fail_at(s, s->text + at, message);
}

/* ---- strings ---- */

/* Four hex digits at `p`, or -1. */
static int hex4(const char *p, const char *end)
{
    int value = 0;

    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;

        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static size_t to_utf8(unsigned long c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3F));
        out[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3F));
    out[2] = (char)(0x80 | (c >> 6 & 0x3F));
    out[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

/* s->p is on the 'u' of \uXXXX; a high surrogate needs its low one behind. */
static enum weir_code unicode_escape(struct scanner *s)
{
    const char *start = s->p - 1;
    long c = hex4(s->p + 1, s->end), low;
    char utf8[4];

    if (c < 0)
        return fail_at(s, start, "expected four hex digits after \\u");
    s->p += 5;
    if (c >= 0xDC00 && c <= 0xDFFF)
        return fail_at(s, start, "a low surrogate without a high one before");
    if (c >= 0xD800 && c <= 0xDBFF) {
        low = s->end - s->p >= 6 && s->p[0] == '\\' && s->p[1] == 'u'
                  ? hex4(s->p + 2, s->end)
                  : -1;
        if (low < 0xDC00 || low > 0xDFFF)
            return fail_at(s, start, "a high surrogate without its low one");
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
        s->p += 6;
    }
    weir_buf_add(&s->scratch, utf8, to_utf8((unsigned long)c, utf8));
    return WEIR_OK;
}

/* s->p is on the backslash. */
static enum weir_code escape(struct scanner *s)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *known;

    s->p++;
    if (s->p == s->end)
        return expected(s, "an escape character");
    if (*s->p == 'u')
        return unicode_escape(s);
    known = *s->p ? strchr(from, *s->p) : NULL;
    if (!known)
        return expected(s, "one of \" \\ / b f n r t u after a backslash");
    weir_buf_addc(&s->scratch, to[known - from]);
    s->p++;
    return WEIR_OK;
}

/* Behind characters beyond ASCII: where the run of what is no quote, no
 * backslash and no control character ends. */
static const char *wide_run(const char *p, const char *end)
{
    while (p < end && (unsigned char)*p >= 0x80)
        p = weir_json_plain_run(p + 1, end);
    return p;
}

/* Goes on to the next quote, backslash or fault. */
static enum weir_code plain_run(struct scanner *s)
{
    const char *start = s->p;

    s->p = weir_json_plain_run(start, s->end);
    if (s->p < s->end && (unsigned char)*s->p >= 0x80) {
        const char *wide = s->p;
        size_t len, valid;

        s->p = wide_run(wide, s->end);
        len = (size_t)(s->p - wide);
        valid = weir_utf8_valid(wide, len);
        if (valid < len)
            return fail_at(s, wide + valid, "invalid UTF-8 in a string");
    }
    if (s->p == s->end)
        return fail_at(s, s->p,
                       "expected '\"' to end the string, found the "
                       "end of text");
    if ((unsigned char)*s->p < 0x20)
        return fail_at(s, s->p,
                       "a control character in a string must be "
                       "written as an escape");
    return WEIR_OK;
}

/* s->p is on the opening quote; the text lives until the next string. */
static enum weir_code string(struct scanner *s, const char **text, size_t *len)
{
    const char *start = ++s->p;
    enum weir_code code = plain_run(s);

    if (code)
        return code;
    if (*s->p == '"') {
        *text = start;
        *len = (size_t)(s->p++ - start);
        return WEIR_OK;
    }
    weir_buf_reset(&s->scratch);
    while (*s->p != '"') {
        weir_buf_add(&s->scratch, start, (size_t)(s->p - start));
        code = escape(s);
        start = s->p;
        if (!code)
            code = plain_run(s);
        if (code)
            return code;
    }
    if (weir_buf_add(&s->scratch, start, (size_t)(s->p - start)))
        return weir_err_nomem(s->err);
    s->p++;
    *text = weir_buf_str(&s->scratch);
    *len = s->scratch.len;
    return WEIR_OK;
}

/* ---- the other tokens ---- */

static void skip_space(struct scanner *s)
{
    while (s->p < s->end &&
           (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t'))
        s->p++;
}

static bool word(struct scanner *s, const char *name, size_t len)
{
    if ((size_t)(s->end - s->p) < len || memcmp(s->p, name, len) != 0)
        return false;
    s->p += len;
    return true;
}

static bool has_exponent(const char *text, size_t len)
{
    return memchr(text, 'e', len) || memchr(text, 'E', len);
}

static enum weir_code number(struct scanner *s)
{
    const char *start = s->p;
    size_t len = weir_number_span(start, (size_t)(s->end - start));

    /* The span ends before what only looks like more of the number: 01, 1.,
     * 1e, 0x1.  Said here, the message is about the number. */
    if (len == 0) {
        s->p++;
        return expected(s, "a digit after '-'");
    }
    s->p += len;
    if (s->p < s->end && *s->p == '.' && !memchr(start, '.', len) &&
        !has_exponent(start, len))
        return fail_at(s, s->p, "expected a digit after '.' in a number");
    if (s->p < s->end && (*s->p == 'e' || *s->p == 'E') &&
        !has_exponent(start, len))
        return fail_at(s, s->p, "expected digits in the exponent");
    if (s->p < s->end && *s->p >= '0' && *s->p <= '9')
        return fail_at(s, start, "a number must not begin with a zero");
    return s->sink->number(s->sink->ud, start, len, s->err);
}

static enum weir_code begin(struct scanner *s, bool object)
{
    if (s->depth == s->max_depth) {
        struct weir_place place =
            weir_excerpt_place(s->text, (size_t)(s->p - s->text));

        weir_err_set(s->err, WEIR_LIMIT,
                     "line %zu, column %zu: nested deeper than %u levels "
                     "(max_depth)",
                     place.line, place.column, s->max_depth);
        weir_value_hint_depth(s->err, s->max_depth);
        return WEIR_LIMIT;
    }
    s->p++;
    s->is_object[s->depth++] = object;
    if (!object)
        return s->sink->begin_array(s->sink->ud, s->err);
    if (!s->duplicate_keys)
        weir_keyset_open(&s->keys);
    return s->sink->begin_object(s->sink->ud, s->err);
}

static enum weir_code end(struct scanner *s)
{
    enum weir_code code;
    const char *key;
    size_t at, len;

    s->p++;
    if (!s->is_object[--s->depth])
        return s->sink->end_array(s->sink->ud, s->err);
    if (!s->duplicate_keys) {
        code = weir_keyset_close(&s->keys, &at, &key, &len);
        if (code)
            return repeated_key(s, at, key, len);
    }
    return s->sink->end_object(s->sink->ud, s->err);
}

/* A key and its colon. */
static enum weir_code member(struct scanner *s)
{
    size_t at = (size_t)(s->p - s->text), len = 0;
    enum weir_code code;
    const char *key = NULL;

    if (s->p == s->end || *s->p != '"')
        return expected(s, "'\"' to begin a key");
    code = string(s, &key, &len);
    if (code)
        return code;
    if (!s->duplicate_keys) {
        code = weir_keyset_add(&s->keys, key, len, at);
        if (code == WEIR_CONFLICT)
            return repeated_key(s, at, key, len);
        if (code)
            return weir_err_nomem(s->err);
    }
    code = s->sink->key(s->sink->ud, key, len, s->err);
    if (code)
        return code;
    skip_space(s);
    if (s->p == s->end || *s->p != ':')
        return expected(s, "':' after a key");
    s->p++;
    skip_space(s);
    return WEIR_OK;
}

/* One scalar, or the opening of an array or object. */
static enum weir_code value(struct scanner *s)
{
    const struct weir_sink *sink = s->sink;
    enum weir_code code;
    const char *text = NULL;
    size_t len = 0;

    if (s->p == s->end)
        return expected(s, "a value");
    if (++s->nodes > s->max_nodes)
        return weir_value_over(s->err, "values in one text", s->max_nodes,
                               "max_nodes");
    switch (*s->p) {
    case '{':
    case '[': return begin(s, *s->p == '{');
    case '"':
        code = string(s, &text, &len);
        return code ? code : sink->string(sink->ud, text, len, s->err);
    case 't':
        if (word(s, "true", 4))
            return sink->boolean(sink->ud, true, s->err);
        break;
    case 'f':
        if (word(s, "false", 5))
            return sink->boolean(sink->ud, false, s->err);
        break;
    case 'n':
        if (word(s, "null", 4))
            return sink->null(sink->ud, s->err);
        break;
    default:
        if (*s->p == '-' || (*s->p >= '0' && *s->p <= '9'))
            return number(s);
    }
    return expected(s, "a value");
}

/* Between values: commas, keys and closing brackets, up to where the next
 * value must begin.  `fresh`: the innermost bracket has just been opened. */
static enum weir_code between(struct scanner *s, bool fresh)
{
    enum weir_code code;

    while (s->depth > 0) {
        bool object = s->is_object[s->depth - 1];

        skip_space(s);
        if (s->p < s->end && *s->p == (object ? '}' : ']')) {
            code = end(s);
            if (code)
                return code;
            fresh = false;
            continue;
        }
        if (!fresh) {
            if (s->p == s->end || *s->p != ',')
                return expected(s, object ? "',' or '}'" : "',' or ']'");
            s->p++;
            skip_space(s);
        }
        return object ? member(s) : WEIR_OK;
    }
    return WEIR_OK;
}

static enum weir_code scan(struct scanner *s)
{
    enum weir_code code;

    if (s->end - s->p >= 3 && memcmp(s->p, "\xEF\xBB\xBF", 3) == 0)
        return fail_at(s, s->p, "a byte order mark is not allowed in JSON");
    skip_space(s);
    do {
        unsigned depth = s->depth;

        code = value(s);
        if (!code)
            code = between(s, s->depth > depth);
        if (code)
            return code;
    } while (s->depth > 0);
    skip_space(s);
    return s->p == s->end ? WEIR_OK : expected(s, "the end of text");
}

enum weir_code weir_json_scan(const char *text, size_t len,
                              const struct weir_json_options *options,
                              const struct weir_sink *sink,
                              struct weir_err *err)
{
    static const struct weir_json_options none;
    const struct weir_json_options *o = options ? options : &none;
    struct scanner s;
    enum weir_code code;

    if (o->max_bytes && len > o->max_bytes)
        return weir_value_over(err, "bytes in one text", o->max_bytes,
                               "max_bytes");

    s.text = s.p = text;
    s.end = text + len;
    s.sink = sink;
    s.spare = (struct weir_err)WEIR_ERR_INIT;
    s.err = err ? err : &s.spare;
    s.duplicate_keys = o->duplicate_keys;
    s.depth = 0;
    s.max_depth = o->max_depth && o->max_depth < WEIR_VALUE_MAX_DEPTH
                      ? o->max_depth
                      : WEIR_VALUE_MAX_DEPTH;
    s.nodes = 0;
    s.max_nodes = o->max_nodes ? o->max_nodes : 10000000;
    if (options && options->secret)
        weir_buf_init_secret(&s.scratch, SIZE_MAX);
    else
        weir_buf_init(&s.scratch, SIZE_MAX);
    weir_keyset_init(&s.keys);
    code = scan(&s);
    weir_keyset_fini(&s.keys);
    weir_buf_fini(&s.scratch);
    weir_err_clear(&s.spare);
    return code;
}
