/* yaml: a loaded document as a source. */
#include "weir/yaml.h"

#include <string.h>

#include "excerpt.h"
#include "keyset.h"
#include "yaml_internal.h"

struct walk {
    const struct weir_yaml_tree *tree;
    const struct weir_yaml_options *options;
    const struct weir_sink *sink;
    struct weir_err *err;
    struct weir_keyset keys;
    struct weir_buf number;
    unsigned depth;
    unsigned aliased; /* how many aliases we are inside of */
    size_t nodes, expanded;
};

static enum weir_code walk(struct walk *w, size_t *at);

static const char *text_of(const struct walk *w,
                           const struct weir_yaml_item *item)
{
    return weir_buf_str(&w->tree->arena) + item->text;
}

/* Counts a value, also one that comes through an alias. */
static enum weir_code count(struct walk *w, const struct weir_yaml_item *item)
{
    if (++w->nodes > w->options->max_nodes)
        return weir_yaml_fail(w->err, WEIR_LIMIT, item->line, item->column,
                              "more than %zu values in one text (max_nodes)",
                              w->options->max_nodes);
    if (w->aliased && ++w->expanded > w->options->max_expansions)
        return weir_yaml_fail(w->err, WEIR_LIMIT, item->line, item->column,
                              "aliases expand to more than %zu values "
                              "(max_expansions)",
                              w->options->max_expansions);
    return WEIR_OK;
}

static enum weir_code unusable(struct walk *w,
                               const struct weir_yaml_item *item)
{
    char shown[WEIR_EXCERPT];

    weir_excerpt_quote(shown, text_of(w, item), item->len);
    weir_yaml_fail(w->err, WEIR_SYNTAX, item->line, item->column,
                   "%.*s is a number that JSON cannot hold",
                   (int)strlen(shown) - 2, shown + 1);
    weir_err_hint(w->err, "as text, put it in quotes");
    return WEIR_SYNTAX;
}

static enum weir_code walk_scalar(struct walk *w,
                                  const struct weir_yaml_item *item)
{
    const struct weir_sink *sink = w->sink;

    switch (item->type) {
    case WEIR_YAML_NULL: return sink->null(sink->ud, w->err);
    case WEIR_YAML_FALSE:
    case WEIR_YAML_TRUE:
        return sink->boolean(sink->ud, item->type == WEIR_YAML_TRUE, w->err);
    case WEIR_YAML_NUMBER:
        weir_buf_reset(&w->number);
        if (weir_yaml_to_json_number(text_of(w, item), item->len, &w->number))
            return weir_err_nomem(w->err);
        return sink->number(sink->ud, weir_buf_str(&w->number), w->number.len,
                            w->err);
    case WEIR_YAML_UNUSABLE: return unusable(w, item);
    case WEIR_YAML_STRING: break;
    }
    return sink->string(sink->ud, text_of(w, item), item->len, w->err);
}

/* ---- keys ---- */

static enum weir_code not_a_string(struct walk *w,
                                   const struct weir_yaml_item *item)
{
    static const char *const kinds[] = {
        [WEIR_YAML_NULL] = "null",         [WEIR_YAML_FALSE] = "a boolean",
        [WEIR_YAML_TRUE] = "a boolean",    [WEIR_YAML_NUMBER] = "a number",
        [WEIR_YAML_UNUSABLE] = "a number",
    };
    const char *kind = item->kind == WEIR_YAML_ARRAY    ? "an array"
                       : item->kind == WEIR_YAML_OBJECT ? "an object"
                                                        : kinds[item->type];

    weir_yaml_fail(w->err, WEIR_SYNTAX, item->line, item->column,
                   "a key must be a string; this is %s", kind);
    if (item->kind == WEIR_YAML_SCALAR)
        weir_err_hint(w->err, "put the key in quotes");
    return WEIR_SYNTAX;
}

static enum weir_code repeated(struct walk *w, const char *key, size_t len,
                               const struct weir_yaml_item *item)
{
    char shown[WEIR_EXCERPT];

    return weir_yaml_fail(w->err, WEIR_SYNTAX, item->line, item->column,
                          "the key %s came before in this object",
                          weir_excerpt_quote(shown, key, len));
}

static enum weir_code walk_key(struct walk *w, size_t *at)
{
    const struct weir_yaml_item *place = &w->tree->items[*at], *item = place;
    const char *key;
    enum weir_code code;

    if (item->kind == WEIR_YAML_ALIAS)
        item = &w->tree->items[item->target];
    if (item->kind != WEIR_YAML_SCALAR || item->type != WEIR_YAML_STRING)
        return not_a_string(w, item);
    key = text_of(w, item);
    if (item->plain && item->len == 2 && memcmp(key, "<<", 2) == 0) {
        weir_yaml_fail(w->err, WEIR_SYNTAX, place->line, place->column,
                       "merge keys (<<) are no part of YAML 1.2");
        weir_err_hint(w->err, "as a key of that name, put it in quotes");
        return WEIR_SYNTAX;
    }
    code = weir_keyset_add(&w->keys, key, item->len, *at);
    if (code == WEIR_CONFLICT)
        return repeated(w, key, item->len, place);
    if (code)
        return weir_err_nomem(w->err);
    (*at)++;
    return w->sink->key(w->sink->ud, key, item->len, w->err);
}

/* ---- arrays and objects ---- */

static enum weir_code walk_array(struct walk *w, size_t *at)
{
    enum weir_code code = w->sink->begin_array(w->sink->ud, w->err);

    while (!code && w->tree->items[*at].kind != WEIR_YAML_END)
        code = walk(w, at);
    if (code)
        return code;
    (*at)++;
    return w->sink->end_array(w->sink->ud, w->err);
}

static enum weir_code walk_object(struct walk *w, size_t *at)
{
    enum weir_code code = w->sink->begin_object(w->sink->ud, w->err);
    const char *key;
    size_t second, len;

    weir_keyset_open(&w->keys);
    while (!code && w->tree->items[*at].kind != WEIR_YAML_END) {
        code = walk_key(w, at);
        if (!code)
            code = walk(w, at);
    }
    if (code)
        return code;
    if (weir_keyset_close(&w->keys, &second, &key, &len))
        return repeated(w, key, len, &w->tree->items[second]);
    (*at)++;
    return w->sink->end_object(w->sink->ud, w->err);
}

/* The value at `*at`; moves `*at` behind it.  An alias never stands inside
 * its own target, so this ends; how deep it gets is counted. */
static enum weir_code walk(struct walk *w, size_t *at)
{
    const struct weir_yaml_item *item = &w->tree->items[*at];
    enum weir_code code;
    size_t inner;

    (*at)++;
    if (item->kind == WEIR_YAML_ALIAS) {
        inner = item->target;
        w->aliased++;
        code = walk(w, &inner);
        w->aliased--;
        return code;
    }
    code = count(w, item);
    if (code)
        return code;
    if (item->kind == WEIR_YAML_SCALAR)
        return walk_scalar(w, item);
    if (w->depth == w->options->max_depth)
        return weir_yaml_fail(w->err, WEIR_LIMIT, item->line, item->column,
                              "nested deeper than %u levels (max_depth)",
                              w->options->max_depth);
    w->depth++;
    code =
        item->kind == WEIR_YAML_ARRAY ? walk_array(w, at) : walk_object(w, at);
    w->depth--;
    return code;
}

struct weir_yaml_options
weir_yaml_defaults(const struct weir_yaml_options *options)
{
    struct weir_yaml_options o = {0};

    if (options)
        o = *options;
    if (!o.max_depth)
        o.max_depth = 64;
    if (o.max_depth > WEIR_VALUE_MAX_DEPTH)
        o.max_depth = WEIR_VALUE_MAX_DEPTH;
    if (!o.max_nodes)
        o.max_nodes = 1000000;
    if (!o.max_expansions)
        o.max_expansions = 10000;
    return o;
}

/* The message ends with the option's name. */
static void hint_limit(struct weir_err *err, const struct weir_yaml_options *o)
{
    if (strstr(err->message, "(max_depth)"))
        weir_value_hint_depth(err, o->max_depth);
    else if (strstr(err->message, "(max_nodes)"))
        weir_err_hint(err, "raise max_nodes if such texts are expected");
    else if (strstr(err->message, "(max_expansions)"))
        weir_err_hint(err, "raise max_expansions if such texts are expected");
}

enum weir_code weir_yaml_scan(const char *text, size_t len,
                              const struct weir_yaml_options *options,
                              const struct weir_sink *sink,
                              struct weir_err *err)
{
    struct weir_err spare = WEIR_ERR_INIT;
    struct weir_yaml_options o = weir_yaml_defaults(options);
    struct weir_yaml_tree tree;
    struct walk w = {
        .tree = &tree, .options = &o, .sink = sink, .err = err ? err : &spare};
    size_t at = 0;
    enum weir_code code;

    if (o.max_bytes && len > o.max_bytes)
        return weir_value_over(err, "bytes in one text", o.max_bytes,
                               "max_bytes");
    code = weir_yaml_load(text, len, &o, &tree, w.err);

    if (!code) {
        weir_keyset_init(&w.keys);
        weir_buf_init(&w.number, SIZE_MAX);
        code = walk(&w, &at);
        weir_buf_fini(&w.number);
        weir_keyset_fini(&w.keys);
        weir_yaml_tree_fini(&tree);
    }
    if (code == WEIR_LIMIT)
        hint_limit(w.err, &o);
    weir_err_clear(&spare);
    return code;
}
