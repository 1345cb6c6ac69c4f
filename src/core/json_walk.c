/* json: walks over documents: emitting, comparing. */
#include <stdlib.h>
#include <string.h>

#include "json_internal.h"

/* Members that are sorted without asking for memory. */
#define FEW 32

static enum weir_code emit(const struct weir_json *json, unsigned depth,
                           const struct weir_sink *sink, struct weir_err *err);

static enum weir_code emit_array(const struct weir_json *json, unsigned depth,
                                 const struct weir_sink *sink,
                                 struct weir_err *err)
{
    const struct weir_json *child = weir_json_first(json);
    enum weir_code code = sink->begin_array(sink->ud, err);

    for (; child && !code; child = weir_json_next(child))
        code = emit(child, depth, sink, err);
    return code ? code : sink->end_array(sink->ud, err);
}

static enum weir_code emit_object(const struct weir_json *json, unsigned depth,
                                  const struct weir_sink *sink,
                                  struct weir_err *err)
{
    const struct weir_json *few[FEW];
    const struct weir_json **members = weir_json_sorted(json, few, FEW);
    size_t n = weir_json_size(json);
    enum weir_code code;

    if (!members)
        return weir_err_nomem(err);
    code = sink->begin_object(sink->ud, err);
    for (size_t i = 0; i < n && !code; i++) {
        size_t len;
        const char *key = weir_json_key(members[i], &len);

        code = sink->key(sink->ud, key, len, err);
        if (!code)
            code = emit(members[i], depth, sink, err);
    }
    if (members != few)
        free(members);
    return code ? code : sink->end_object(sink->ud, err);
}

static enum weir_code emit(const struct weir_json *json, unsigned depth,
                           const struct weir_sink *sink, struct weir_err *err)
{
    enum weir_json_type type = weir_json_type(json);
    const char *text;
    size_t len;

    if (type >= WEIR_JSON_ARRAY && depth == WEIR_VALUE_MAX_DEPTH)
        return weir_err_set(err, WEIR_LIMIT, "nested deeper than %d levels",
                            WEIR_VALUE_MAX_DEPTH);
    switch (type) {
    case WEIR_JSON_BOOLEAN:
        return sink->boolean(sink->ud, weir_json_true(json), err);
    case WEIR_JSON_NUMBER:
        text = weir_json_number(json, &len);
        return sink->number(sink->ud, text, len, err);
    case WEIR_JSON_STRING:
        text = weir_json_string(json, &len);
        return sink->string(sink->ud, text, len, err);
    case WEIR_JSON_ARRAY: return emit_array(json, depth + 1, sink, err);
    case WEIR_JSON_OBJECT: return emit_object(json, depth + 1, sink, err);
    case WEIR_JSON_NULL: break;
    }
    return sink->null(sink->ud, err);
}

enum weir_code weir_json_emit(const struct weir_json *json,
                              const struct weir_sink *sink,
                              struct weir_err *err)
{
    struct weir_err spare = WEIR_ERR_INIT;
    enum weir_code code = emit(json, 0, sink, err ? err : &spare);

    weir_err_clear(&spare);
    return code;
}

/* ---- comparing ---- */

static bool equal_arrays(const struct weir_json *a, const struct weir_json *b)
{
    const struct weir_json *x = weir_json_first(a), *y = weir_json_first(b);

    while (x && y && weir_json_equal(x, y)) {
        x = weir_json_next(x);
        y = weir_json_next(y);
    }
    return !x && !y;
}

static bool same_key(const struct weir_json *a, const struct weir_json *b)
{
    size_t x_len, y_len;
    const char *x = weir_json_key(a, &x_len), *y = weir_json_key(b, &y_len);

    return x_len == y_len && memcmp(x, y, x_len) == 0;
}

/* Without memory for sorting: a search per member. */
static bool equal_by_search(const struct weir_json *a,
                            const struct weir_json *b)
{
    const struct weir_json *x = weir_json_first(a);

    for (; x; x = weir_json_next(x)) {
        size_t len;
        const char *key = weir_json_key(x, &len);
        const struct weir_json *y = weir_json_get_len(b, key, len);

        if (!y || !weir_json_equal(x, y))
            return false;
    }
    return true;
}

static bool equal_objects(const struct weir_json *a, const struct weir_json *b)
{
    const struct weir_json *few_a[FEW], *few_b[FEW];
    const struct weir_json **x = weir_json_sorted(a, few_a, FEW);
    const struct weir_json **y = weir_json_sorted(b, few_b, FEW);
    size_t n = weir_json_size(a);
    bool equal = true;

    if (!x || !y) {
        equal = equal_by_search(a, b);
    } else {
        for (size_t i = 0; i < n && equal; i++)
            equal = same_key(x[i], y[i]) && weir_json_equal(x[i], y[i]);
    }
    if (x != few_a)
        free(x);
    if (y != few_b)
        free(y);
    return equal;
}

bool weir_json_equal(const struct weir_json *a, const struct weir_json *b)
{
    enum weir_json_type type = weir_json_type(a);
    const char *x, *y;
    size_t x_len, y_len;

    if (a == b)
        return true;
    if (!a || !b || type != weir_json_type(b) ||
        weir_json_size(a) != weir_json_size(b))
        return false;
    switch (type) {
    case WEIR_JSON_BOOLEAN: return weir_json_true(a) == weir_json_true(b);
    case WEIR_JSON_NUMBER:
        x = weir_json_number(a, &x_len);
        y = weir_json_number(b, &y_len);
        return weir_number_compare(x, x_len, y, y_len) == 0;
    case WEIR_JSON_STRING:
        x = weir_json_string(a, &x_len);
        y = weir_json_string(b, &y_len);
        return x_len == y_len && memcmp(x, y, x_len) == 0;
    case WEIR_JSON_ARRAY: return equal_arrays(a, b);
    case WEIR_JSON_OBJECT: return equal_objects(a, b);
    case WEIR_JSON_NULL: break;
    }
    return true;
}
