/*
 * json: what the scanner takes is RFC 8259 (a second, naive reader says so),
 * comes back the same through writer and document, and keeps its ceilings.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

/* ---- the grammar once more, as the RFC states it ---- */

struct naive {
    const char *p, *end;
    unsigned depth;
};

static bool naive_value(struct naive *n);

static void naive_space(struct naive *n)
{
    while (n->p < n->end && strchr(" \t\n\r", *n->p) && *n->p)
        n->p++;
}

static bool naive_char(struct naive *n, char c)
{
    if (n->p == n->end || *n->p != c)
        return false;
    n->p++;
    return true;
}

static bool naive_word(struct naive *n, const char *word)
{
    while (*word) {
        if (!naive_char(n, *word++))
            return false;
    }
    return true;
}

static bool naive_digits(struct naive *n)
{
    const char *start = n->p;

    while (n->p < n->end && *n->p >= '0' && *n->p <= '9')
        n->p++;
    return n->p > start;
}

static bool naive_number(struct naive *n)
{
    naive_char(n, '-');
    if (!naive_char(n, '0') && !naive_digits(n))
        return false;
    if (naive_char(n, '.') && !naive_digits(n))
        return false;
    if (!naive_char(n, 'e') && !naive_char(n, 'E'))
        return true;
    if (!naive_char(n, '-'))
        naive_char(n, '+');
    return naive_digits(n);
}

static int naive_hex(struct naive *n)
{
    int value = 0;

    for (int i = 0; i < 4; i++) {
        const char *digits = "0123456789abcdef0123456789ABCDEF";
        const char *at = n->p < n->end && *n->p ? strchr(digits, *n->p) : NULL;

        if (!at)
            return -1;
        /* A capital is found in the second half only; digits in the first. */
        value = value * 16 + (int)((at - digits) % 16);
        n->p++;
    }
    return value;
}

static bool naive_escape(struct naive *n)
{
    int c;

    if (n->p == n->end)
        return false;
    if (*n->p != 'u')
        return *n->p && strchr("\"\\/bfnrt", *n->p++);
    n->p++;
    c = naive_hex(n);
    if (c >= 0xD800 && c < 0xDC00) {
        if (!naive_word(n, "\\u"))
            return false;
        c = naive_hex(n);
        return c >= 0xDC00 && c < 0xE000;
    }
    return c >= 0 && !(c >= 0xDC00 && c < 0xE000);
}

static bool naive_string(struct naive *n)
{
    if (!naive_char(n, '"'))
        return false;
    while (n->p < n->end) {
        unsigned char c = (unsigned char)*n->p++;

        if (c == '"')
            return true;
        if (c < 0x20 || (c == '\\' && !naive_escape(n)))
            return false;
    }
    return false;
}

static bool naive_items(struct naive *n, char close, bool object)
{
    naive_space(n);
    if (naive_char(n, close))
        return true;
    do {
        naive_space(n);
        if (object) {
            if (!naive_string(n))
                return false;
            naive_space(n);
            if (!naive_char(n, ':'))
                return false;
        }
        if (!naive_value(n))
            return false;
    } while (naive_char(n, ','));
    return naive_char(n, close);
}

static bool naive_value(struct naive *n)
{
    bool ok;

    naive_space(n);
    if (n->p == n->end)
        return false;
    if (*n->p == '{' || *n->p == '[') {
        bool object = *n->p++ == '{';

        if (++n->depth > WEIR_VALUE_MAX_DEPTH)
            return false;
        ok = naive_items(n, object ? '}' : ']', object);
        n->depth--;
    } else if (*n->p == '"') {
        ok = naive_string(n);
    } else if (*n->p == 't' || *n->p == 'f' || *n->p == 'n') {
        ok = naive_word(n, *n->p == 't'   ? "true"
                           : *n->p == 'f' ? "false"
                                          : "null");
    } else {
        ok = naive_number(n);
    }
    naive_space(n);
    return ok;
}

/* All but repeated keys, and UTF-8, which is looked at for the whole: bytes
 * over 0x7F are allowed in strings only. */
static bool is_json(const char *text, size_t len)
{
    struct naive n = {text, text + len, 0};

    return weir_utf8_valid(text, len) == len && naive_value(&n) && n.p == n.end;
}

/* ---- a sink that looks at each event ---- */

struct watch {
    size_t nodes;
    unsigned depth, deepest;
    bool key; /* the latest event was one */
    bool objects[WEIR_VALUE_MAX_DEPTH];
};

static enum weir_code on_value(struct watch *w)
{
    FUZZ_CHECK(w->depth == 0 || w->objects[w->depth - 1] == w->key);
    w->key = false;
    w->nodes++;
    return WEIR_OK;
}

static enum weir_code on_null(void *ud, struct weir_err *err)
{
    FUZZ_CHECK(err);
    return on_value(ud);
}

static enum weir_code on_boolean(void *ud, bool value, struct weir_err *err)
{
    (void)value, (void)err;
    return on_value(ud);
}

/* What is read is written so that it reads back the same, bit by bit. */
static void check_number(const char *text, size_t len)
{
    struct weir_number number, again;
    struct weir_err err = WEIR_ERR_INIT;
    char out[WEIR_NUMBER_TEXT];
    enum weir_code code = weir_number_parse(text, len, &number, &err);

    FUZZ_CHECK(weir_number_span(text, len) == len);
    FUZZ_CHECK(weir_number_compare(text, len, text, len) == 0);
    if (code) {
        FUZZ_CHECK(code == WEIR_LIMIT);
        fuzz_check_err(&err, code);
        return;
    }
    FUZZ_CHECK(weir_number_format(number.real, out, &len, NULL) == WEIR_OK);
    FUZZ_CHECK(len == strlen(out) && len < WEIR_NUMBER_TEXT);
    FUZZ_CHECK(weir_number_parse(out, len, &again, NULL) == WEIR_OK);
    FUZZ_CHECK(!again.is_integer);
    FUZZ_CHECK(memcmp(&again.real, &number.real, sizeof(double)) == 0);
}

static enum weir_code on_number(void *ud, const char *text, size_t len,
                                struct weir_err *err)
{
    (void)err;
    check_number(text, len);
    return on_value(ud);
}

static enum weir_code on_string(void *ud, const char *text, size_t len,
                                struct weir_err *err)
{
    (void)err;
    FUZZ_CHECK(weir_utf8_valid(text, len) == len);
    return on_value(ud);
}

static enum weir_code begin(struct watch *w, bool object)
{
    on_value(w);
    FUZZ_CHECK(w->depth < WEIR_VALUE_MAX_DEPTH);
    w->objects[w->depth++] = object;
    if (w->depth > w->deepest)
        w->deepest = w->depth;
    return WEIR_OK;
}

static enum weir_code on_begin_array(void *ud, struct weir_err *err)
{
    (void)err;
    return begin(ud, false);
}

static enum weir_code on_begin_object(void *ud, struct weir_err *err)
{
    (void)err;
    return begin(ud, true);
}

static enum weir_code on_key(void *ud, const char *text, size_t len,
                             struct weir_err *err)
{
    struct watch *w = ud;

    (void)err;
    FUZZ_CHECK(weir_utf8_valid(text, len) == len);
    FUZZ_CHECK(w->depth > 0 && w->objects[w->depth - 1] && !w->key);
    w->key = true;
    return WEIR_OK;
}

static enum weir_code end(struct watch *w, bool object)
{
    FUZZ_CHECK(w->depth > 0 && !w->key);
    FUZZ_CHECK(w->objects[--w->depth] == object);
    return WEIR_OK;
}

static enum weir_code on_end_array(void *ud, struct weir_err *err)
{
    (void)err;
    return end(ud, false);
}

static enum weir_code on_end_object(void *ud, struct weir_err *err)
{
    (void)err;
    return end(ud, true);
}

static enum weir_code watched(const char *text, size_t len,
                              const struct weir_json_options *options,
                              struct watch *w)
{
    struct weir_sink sink = {
        on_null,      on_boolean,      on_number, on_string,     on_begin_array,
        on_end_array, on_begin_object, on_key,    on_end_object, w};
    struct weir_err err = WEIR_ERR_INIT;
    enum weir_code code;

    *w = (struct watch){0};
    code = weir_json_scan(text, len, options, &sink, &err);
    if (code) {
        FUZZ_CHECK(strncmp(err.message, "line ", 5) == 0 ||
                   strncmp(err.message, "more than", 9) == 0);
        fuzz_check_err(&err, code);
    } else {
        FUZZ_CHECK(w->depth == 0 && !w->key && w->nodes > 0);
    }
    return code;
}

/* ---- the properties ---- */

static void check_ceilings(const char *text, size_t len, const struct watch *w)
{
    struct weir_json_options o = {.max_nodes = w->nodes,
                                  .max_depth = w->deepest};
    struct watch again;

    FUZZ_CHECK(watched(text, len, &o, &again) == WEIR_OK);
    FUZZ_CHECK(again.nodes == w->nodes && again.deepest == w->deepest);
    if (w->nodes > 1) {
        o.max_nodes = w->nodes - 1;
        FUZZ_CHECK(watched(text, len, &o, &again) == WEIR_LIMIT);
        o.max_nodes = 0;
    }
    if (w->deepest > 1) {
        o.max_depth = w->deepest - 1;
        FUZZ_CHECK(watched(text, len, &o, &again) == WEIR_LIMIT);
    }
}

/* Text → events → text, twice, in the order in which it was written. */
static void check_events(const char *text, size_t len, unsigned indent)
{
    struct weir_json_writer writer;
    struct weir_sink sink;
    struct weir_buf one, two;

    weir_buf_init(&one, SIZE_MAX);
    weir_buf_init(&two, SIZE_MAX);
    weir_json_writer_init(&writer, &one, indent, &sink);
    FUZZ_CHECK(weir_json_scan(text, len, NULL, &sink, NULL) == WEIR_OK);
    FUZZ_CHECK(is_json(one.data, one.len));
    weir_json_writer_init(&writer, &two, indent, &sink);
    FUZZ_CHECK(weir_json_scan(one.data, one.len, NULL, &sink, NULL) == WEIR_OK);
    FUZZ_CHECK(one.len == two.len && !memcmp(one.data, two.data, one.len));
    weir_buf_fini(&one);
    weir_buf_fini(&two);
}

static void check_document(const char *text, size_t len)
{
    static const struct weir_json_options wiped = {.secret = true};
    struct weir_json *json = fuzz_json((struct fuzz_text){text, len}), *again;
    struct weir_json *copy = weir_json_copy(json);
    size_t one_len, two_len;
    char *one, *two;

    FUZZ_CHECK(json && copy && weir_json_equal(json, copy));
    one = fuzz_write(json, &one_len);
    again = fuzz_json((struct fuzz_text){one, one_len});
    FUZZ_CHECK(again && weir_json_equal(json, again));
    two = fuzz_write(again, &two_len);
    FUZZ_CHECK(one_len == two_len && memcmp(one, two, one_len) == 0);
    free(one);
    free(two);
    weir_json_wipe(copy);
    FUZZ_CHECK(weir_json_parse(text, len, &wiped, &copy, NULL) == WEIR_OK);
    FUZZ_CHECK(weir_json_equal(json, copy));
    weir_json_wipe(copy);
    weir_json_free(json);
    weir_json_free(again);
}

/* Refusals agree too: with the document, and when keys may come twice. */
static void check_refusal(const char *text, size_t len, enum weir_code code)
{
    struct weir_json_options last = {.duplicate_keys = true};
    struct weir_json *json = NULL;
    struct watch w;

    FUZZ_CHECK(code == WEIR_SYNTAX || code == WEIR_LIMIT);
    FUZZ_CHECK(weir_json_parse(text, len, NULL, &json, NULL) == code);
    FUZZ_CHECK(!json);
    code = watched(text, len, &last, &w);
    FUZZ_CHECK((code == WEIR_OK) == is_json(text, len));
    if (weir_json_parse(text, len, &last, &json, NULL) == WEIR_OK) {
        char *written = fuzz_write(json, &len);

        FUZZ_CHECK(watched(written, len, NULL, &w) == WEIR_OK);
        free(written);
        weir_json_free(json);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct watch w;
    enum weir_code code = watched(text, size, NULL, &w);

    if (code) {
        check_refusal(text, size, code);
        return 0;
    }
    FUZZ_CHECK(is_json(text, size));
    check_ceilings(text, size, &w);
    check_events(text, size, 0);
    check_events(text, size, 2);
    check_document(text, size);
    return 0;
}
