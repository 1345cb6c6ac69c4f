/* yaml: where each value of a text stands. */
#include <string.h>

#include "yaml_internal.h"

struct places {
    const struct weir_yaml_tree *tree;
    struct weir_buf pointer;
    void (*tell)(void *ud, const struct weir_yaml_place *at);
    void *ud;
};

static const char *text_of(const struct places *p,
                           const struct weir_yaml_item *item)
{
    return weir_buf_str(&p->tree->arena) + item->text;
}

static void tell(struct places *p, const struct weir_yaml_item *item, bool key)
{
    struct weir_yaml_place place = {
        .pointer = weir_buf_str(&p->pointer),
        .key = key,
        .line = item->line,
        .column = item->column,
    };

    if (item->kind == WEIR_YAML_SCALAR) {
        place.text = text_of(p, item);
        place.len = item->len;
        place.plain = item->plain;
        if (item->plain && !item->tagged)
            place.yaml11 = weir_yaml_in_11(place.text, place.len);
    }
    p->tell(p->ud, &place);
}

/* '~' and '/' of a name are escaped (RFC 6901 section 3). */
static void push_name(struct places *p, const struct weir_yaml_item *key)
{
    const char *text = "";
    size_t len = 0;

    if (key->kind == WEIR_YAML_ALIAS)
        key = &p->tree->items[key->target];
    if (key->kind == WEIR_YAML_SCALAR) {
        text = text_of(p, key);
        len = key->len;
    }
    weir_buf_addc(&p->pointer, '/');
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '~')
            weir_buf_adds(&p->pointer, "~0");
        else if (text[i] == '/')
            weir_buf_adds(&p->pointer, "~1");
        else
            weir_buf_addc(&p->pointer, text[i]);
    }
}

static void pop(struct places *p, size_t len)
{
    p->pointer.len = len;
    if (p->pointer.data)
        p->pointer.data[len] = '\0';
}

/* Where the item after this one begins; a container's end is its last. */
static size_t skip(const struct places *p, size_t at)
{
    size_t depth = 0;

    do {
        enum weir_yaml_kind kind = p->tree->items[at++].kind;

        if (kind == WEIR_YAML_ARRAY || kind == WEIR_YAML_OBJECT)
            depth++;
        else if (kind == WEIR_YAML_END)
            depth--;
    } while (depth > 0);
    return at;
}

/* The value at `at`; returns where the next begins.  As deep as the loader let
 * the text be. */
static size_t walk(struct places *p, size_t at)
{
    const struct weir_yaml_item *items = p->tree->items;
    enum weir_yaml_kind kind = items[at].kind;
    size_t len = p->pointer.len;

    tell(p, &items[at++], false);
    if (kind != WEIR_YAML_ARRAY && kind != WEIR_YAML_OBJECT)
        return at;
    for (size_t n = 0; items[at].kind != WEIR_YAML_END; n++) {
        if (kind == WEIR_YAML_ARRAY) {
            weir_buf_addf(&p->pointer, "/%zu", n);
        } else {
            push_name(p, &items[at]);
            tell(p, &items[at], true);
            at = skip(p, at);
        }
        at = walk(p, at);
        pop(p, len);
    }
    return at + 1;
}

enum weir_code weir_yaml_places(const char *text, size_t len,
                                const struct weir_yaml_options *options,
                                void (*tell_of)(void *ud,
                                                const struct weir_yaml_place *),
                                void *ud, struct weir_err *err)
{
    struct weir_err spare = WEIR_ERR_INIT;
    struct weir_yaml_options o = weir_yaml_defaults(options);
    struct weir_yaml_tree tree;
    struct places places = {.tree = &tree, .tell = tell_of, .ud = ud};
    enum weir_code code;

    code = weir_yaml_load(text, len, &o, &tree, err ? err : &spare);
    if (code == WEIR_OK) {
        /* A pointer names no more than the text holds, '~' twice. */
        weir_buf_init(&places.pointer, 2 * len + 64 * (size_t)o.max_depth);
        walk(&places, 0);
        if (places.pointer.failed)
            code = weir_err_nomem(err);
        weir_buf_fini(&places.pointer);
        weir_yaml_tree_fini(&tree);
    }
    weir_err_clear(&spare);
    return code;
}
