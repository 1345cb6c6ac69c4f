/*
 * yaml: from libyaml's events to a list of items.
 *
 * libyaml sets no limits: nesting makes it quadratic, so depth and nodes are
 * counted here, event by event, and the parser is left as soon as there is
 * too much of either.  Aliases become the index of their target.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "excerpt.h"
#include "yaml_internal.h"

/* Names are looked up one by one; no text made by people has more. */
#define MAX_ANCHORS 1000

struct anchor {
    char *name;
    size_t item;
    bool open; /* its node has not ended yet */
};

struct loader {
    yaml_parser_t parser;
    const char *text;
    const struct weir_yaml_options *options;
    struct weir_yaml_tree *tree;
    struct weir_err *err;
    struct anchor *anchors;
    size_t anchor_count, anchor_cap;
    /* Of each level that has not ended: its anchor, from 1, or 0. */
    size_t open[WEIR_VALUE_MAX_DEPTH];
    unsigned depth;
    size_t nodes, aliases;
};

enum weir_code weir_yaml_fail(struct weir_err *err, enum weir_code code,
                              size_t line, size_t column, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    weir_err_vset(err, code, fmt, args);
    va_end(args);
    weir_err_prefix(err, "line %zu, column %zu: ", line, column);
    return code;
}

void weir_yaml_tree_fini(struct weir_yaml_tree *tree)
{
    free(tree->items);
    weir_buf_fini(&tree->arena);
    *tree = (struct weir_yaml_tree){0};
}

static enum weir_code fail(struct loader *l, const yaml_event_t *event,
                           enum weir_code code, const char *message)
{
    return weir_yaml_fail(l->err, code, event->start_mark.line + 1,
                          event->start_mark.column + 1, "%s", message);
}

/* What libyaml itself refused. */
static enum weir_code parser_error(struct loader *l)
{
    const yaml_parser_t *p = &l->parser;
    struct weir_place place = {p->problem_mark.line + 1,
                               p->problem_mark.column + 1};
    const char *problem = p->problem ? p->problem : "unreadable";

    if (p->error == YAML_MEMORY_ERROR)
        return weir_err_nomem(l->err);
    if (p->error == YAML_READER_ERROR)
        place = weir_excerpt_place(l->text, p->problem_offset);
    if (!p->context)
        return weir_yaml_fail(l->err, WEIR_SYNTAX, place.line, place.column,
                              "%s", problem);
    return weir_yaml_fail(l->err, WEIR_SYNTAX, place.line, place.column,
                          "%s %s (begun in line %zu)", problem, p->context,
                          p->context_mark.line + 1);
}

/* ---- items ---- */

static enum weir_code add_item(struct loader *l, const yaml_event_t *event,
                               const struct weir_yaml_item *item)
{
    struct weir_yaml_tree *tree = l->tree;

    if (tree->count == tree->cap) {
        size_t cap = tree->cap ? tree->cap * 2 : 64;
        struct weir_yaml_item *items =
            reallocarray(tree->items, cap, sizeof(*items));

        if (!items)
            return weir_err_nomem(l->err);
        tree->items = items;
        tree->cap = cap;
    }
    tree->items[tree->count] = *item;
    tree->items[tree->count].line = event->start_mark.line + 1;
    tree->items[tree->count].column = event->start_mark.column + 1;
    tree->count++;
    return WEIR_OK;
}

static enum weir_code count_node(struct loader *l, const yaml_event_t *event)
{
    if (++l->nodes > l->options->max_nodes)
        return weir_yaml_fail(l->err, WEIR_LIMIT, event->start_mark.line + 1,
                              event->start_mark.column + 1,
                              "more than %zu values in one text (max_nodes)",
                              l->options->max_nodes);
    return WEIR_OK;
}

/* Remembers that the next item bears the name. */
static enum weir_code add_anchor(struct loader *l, const yaml_event_t *event,
                                 const yaml_char_t *name, bool open)
{
    struct anchor *anchor;

    if (!name)
        return WEIR_OK;
    if (l->anchor_count == MAX_ANCHORS)
        return fail(l, event, WEIR_LIMIT, "more than 1000 anchors");
    if (l->anchor_count == l->anchor_cap) {
        size_t cap = l->anchor_cap ? l->anchor_cap * 2 : 16;

        anchor = reallocarray(l->anchors, cap, sizeof(*anchor));
        if (!anchor)
            return weir_err_nomem(l->err);
        l->anchors = anchor;
        l->anchor_cap = cap;
    }
    anchor = &l->anchors[l->anchor_count];
    anchor->name = strdup((const char *)name);
    if (!anchor->name)
        return weir_err_nomem(l->err);
    anchor->item = l->tree->count;
    anchor->open = open;
    l->anchor_count++;
    return WEIR_OK;
}

/* The latest of that name counts. */
static const struct anchor *find_anchor(const struct loader *l,
                                        const char *name)
{
    for (size_t i = l->anchor_count; i-- > 0;) {
        if (strcmp(l->anchors[i].name, name) == 0)
            return &l->anchors[i];
    }
    return NULL;
}

/* ---- events ---- */

#define TAG "tag:yaml.org,2002:"

/* The last part of a tag of the YAML type repository, "" for none, NULL for
 * any other tag. */
static const char *tag_name(const yaml_char_t *tag)
{
    const char *text = (const char *)tag;

    if (!text || strcmp(text, "!") == 0)
        return "";
    return strncmp(text, TAG, sizeof(TAG) - 1) == 0 ? text + sizeof(TAG) - 1
                                                    : NULL;
}

static enum weir_code bad_tag(struct loader *l, const yaml_event_t *event,
                              const yaml_char_t *tag, const char *problem)
{
    char shown[WEIR_EXCERPT];
    const char *text = (const char *)tag;

    return weir_yaml_fail(l->err, WEIR_SYNTAX, event->start_mark.line + 1,
                          event->start_mark.column + 1, "%s: %s", problem,
                          weir_excerpt_quote(shown, text, strlen(text)));
}

/* An explicit tag says what the text must be. */
static bool tag_fits(const char *tag, const char *text, size_t len,
                     enum weir_yaml_scalar *type)
{
    *type = weir_yaml_resolve(text, len);
    if (strcmp(tag, "str") == 0) {
        *type = WEIR_YAML_STRING;
        return true;
    }
    if (strcmp(tag, "null") == 0)
        return *type == WEIR_YAML_NULL;
    if (strcmp(tag, "bool") == 0)
        return *type == WEIR_YAML_TRUE || *type == WEIR_YAML_FALSE;
    if (*type != WEIR_YAML_NUMBER)
        return false;
    if (strcmp(tag, "int") == 0 && !(len > 2 && text[1] == 'x'))
        return !memchr(text, '.', len) && !memchr(text, 'e', len) &&
               !memchr(text, 'E', len);
    return true;
}

static enum weir_code on_scalar(struct loader *l, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    size_t len = event->data.scalar.length;
    const yaml_char_t *tag = event->data.scalar.tag;
    const char *name = tag_name(tag);
    /* A lone "!" says that a plain text is a string after all
     * (https://yaml.org/spec/1.2.2/#691-node-tags). */
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
                 !(tag && strcmp((const char *)tag, "!") == 0);
    struct weir_yaml_item item = {.kind = WEIR_YAML_SCALAR,
                                  .type = WEIR_YAML_STRING,
                                  .plain = plain,
                                  .tagged = name && *name,
                                  .text = l->tree->arena.len,
                                  .len = len};
    static const char *const known[] = {"str",  "int",  "float",
                                        "bool", "null", NULL};
    const char *const *k = known;
    enum weir_code code;

    while (name && *name && *k && strcmp(*k, name) != 0)
        k++;
    if (!name || !*k)
        return bad_tag(l, event, tag, "unknown tag");
    if (*name && !tag_fits(name, text, len, &item.type))
        return bad_tag(l, event, tag, "a text that does not fit its tag");
    if (!*name && plain)
        item.type = weir_yaml_resolve(text, len);
    code = add_anchor(l, event, event->data.scalar.anchor, false);
    if (code)
        return code;
    if (weir_buf_add(&l->tree->arena, text, len))
        return weir_err_nomem(l->err);
    return add_item(l, event, &item);
}

static enum weir_code on_open(struct loader *l, const yaml_event_t *event,
                              const yaml_char_t *anchor, const yaml_char_t *tag,
                              bool array)
{
    struct weir_yaml_item item = {.kind = array ? WEIR_YAML_ARRAY
                                                : WEIR_YAML_OBJECT};
    const char *name = tag_name(tag);
    enum weir_code code;

    if (!name || (*name && strcmp(name, array ? "seq" : "map") != 0))
        return bad_tag(l, event, tag, "unknown tag");
    if (l->depth == l->options->max_depth)
        return weir_yaml_fail(l->err, WEIR_LIMIT, event->start_mark.line + 1,
                              event->start_mark.column + 1,
                              "nested deeper than %u levels (max_depth)",
                              l->options->max_depth);
    code = add_anchor(l, event, anchor, true);
    if (code)
        return code;
    l->open[l->depth++] = anchor ? l->anchor_count : 0;
    return add_item(l, event, &item);
}

static enum weir_code on_close(struct loader *l, const yaml_event_t *event)
{
    struct weir_yaml_item item = {.kind = WEIR_YAML_END};
    size_t anchor = l->open[--l->depth];

    if (anchor)
        l->anchors[anchor - 1].open = false;
    return add_item(l, event, &item);
}

static enum weir_code on_alias(struct loader *l, const yaml_event_t *event)
{
    const char *name = (const char *)event->data.alias.anchor;
    const struct anchor *anchor = find_anchor(l, name);
    struct weir_yaml_item item = {.kind = WEIR_YAML_ALIAS};
    char shown[WEIR_EXCERPT];

    weir_excerpt_quote(shown, name, strlen(name));
    if (!anchor || anchor->open)
        return weir_yaml_fail(l->err, WEIR_SYNTAX, event->start_mark.line + 1,
                              event->start_mark.column + 1,
                              anchor
                                  ? "the alias %s stands inside its own anchor"
                                  : "no anchor %s before this alias",
                              shown);
    /* Each brings one value at least; so many need not be looked up. */
    if (++l->aliases > l->options->max_expansions)
        return weir_yaml_fail(l->err, WEIR_LIMIT, event->start_mark.line + 1,
                              event->start_mark.column + 1,
                              "aliases expand to more than %zu values",
                              l->options->max_expansions);
    item.target = anchor->item;
    return add_item(l, event, &item);
}

/* One event of a document's inside. */
static enum weir_code on_event(struct loader *l, const yaml_event_t *event)
{
    enum weir_code code;

    if (event->type == YAML_SEQUENCE_END_EVENT ||
        event->type == YAML_MAPPING_END_EVENT)
        return on_close(l, event);
    code = count_node(l, event);
    if (code)
        return code;
    switch (event->type) {
    case YAML_SCALAR_EVENT: return on_scalar(l, event);
    case YAML_ALIAS_EVENT: return on_alias(l, event);
    case YAML_SEQUENCE_START_EVENT:
        return on_open(l, event, event->data.sequence_start.anchor,
                       event->data.sequence_start.tag, true);
    case YAML_MAPPING_START_EVENT:
        return on_open(l, event, event->data.mapping_start.anchor,
                       event->data.mapping_start.tag, false);
    default: return fail(l, event, WEIR_SYNTAX, "unexpected here");
    }
}

/* Events up to the end of the text, which must hold one document. */
static enum weir_code load(struct loader *l)
{
    enum weir_code code = WEIR_OK;
    bool in_document = false, done = false;
    yaml_event_t event;

    while (!code) {
        yaml_event_type_t type;

        if (!yaml_parser_parse(&l->parser, &event))
            return parser_error(l);
        type = event.type;
        if (type == YAML_DOCUMENT_START_EVENT && done)
            code = fail(l, &event, WEIR_SYNTAX,
                        "a second document; one was expected");
        else if (type == YAML_DOCUMENT_START_EVENT)
            in_document = true;
        else if (type == YAML_DOCUMENT_END_EVENT)
            in_document = !(done = true);
        else if (in_document)
            code = on_event(l, &event);
        yaml_event_delete(&event);
        if (type == YAML_STREAM_END_EVENT)
            break;
    }
    if (!code && !done)
        return weir_err_set(l->err, WEIR_SYNTAX,
                            "no YAML document: the text is empty or all "
                            "comments");
    return code;
}

enum weir_code weir_yaml_load(const char *text, size_t len,
                              const struct weir_yaml_options *options,
                              struct weir_yaml_tree *tree, struct weir_err *err)
{
    struct loader l = {
        .text = text, .options = options, .tree = tree, .err = err};
    enum weir_code code;

    *tree = (struct weir_yaml_tree){0};
    weir_buf_init(&tree->arena, SIZE_MAX);
    if (!yaml_parser_initialize(&l.parser))
        return weir_err_nomem(err);
    /* Said, so that no byte order mark can say UTF-16. */
    yaml_parser_set_encoding(&l.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&l.parser, (const unsigned char *)text, len);
    code = load(&l);
    yaml_parser_delete(&l.parser);
    for (size_t i = 0; i < l.anchor_count; i++)
        free(l.anchors[i].name);
    free(l.anchors);
    if (code)
        weir_yaml_tree_fini(tree);
    return code;
}
