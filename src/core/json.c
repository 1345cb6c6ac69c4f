/*
 * json: documents, on cJSON.
 *
 * cJSON gives the nodes, their links and their end.  It would read numbers as
 * doubles and texts up to their first NUL, so neither is left to it: a number
 * is a raw node that keeps its text, and lengths stand in the two fields of a
 * node that serve numbers only.
 */
#include "weir/json.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "json_internal.h"

/* A document's value is its cJSON node. */
static cJSON *node_of(const struct weir_json *json)
{
    return (cJSON *)json;
}

static struct weir_json *json_of(const cJSON *node)
{
    return (struct weir_json *)node;
}

/* valuedouble: bytes of the text, or number of children.  A double holds any
 * count that fits in memory exactly. */
static size_t count_of(const cJSON *node)
{
    return (size_t)node->valuedouble;
}

static void set_count(cJSON *node, size_t count)
{
    node->valuedouble = (double)count;
}

/* valueint: bytes of the key. */
static size_t key_len(const cJSON *node)
{
    return (size_t)node->valueint;
}

const char *weir_json_library_version(void)
{
    return cJSON_Version();
}

/* Beside cJSON's own bits in a node's type: the node is part of an arena, and
 * it is the one that was taken first, with which the arena goes. */
#define IN_ARENA (1 << 16)
#define IS_ROOT  (1 << 17)

/* As cJSON_Delete() for one node, which knows no arenas. */
static void delete_tree(cJSON *node)
{
    for (cJSON *child = node->child, *next; child; child = next) {
        next = child->next;
        delete_tree(child);
    }
    if (!(node->type & cJSON_StringIsConst))
        cJSON_free(node->string);
    if (node->type & IS_ROOT)
        weir_json_arena_free(node);
    else if (!(node->type & IN_ARENA))
        cJSON_free(node);
}

void weir_json_free(struct weir_json *json)
{
    if (json)
        delete_tree(node_of(json));
}

static void wipe_texts(cJSON *node)
{
    for (; node; node = node->next) {
        if (node->valuestring)
            explicit_bzero(node->valuestring, count_of(node));
        wipe_texts(node->child);
    }
}

void weir_json_wipe(struct weir_json *json)
{
    if (json)
        wipe_texts(node_of(json));
    weir_json_free(json);
}

/* ---- reading ---- */

enum weir_json_type weir_json_type(const struct weir_json *json)
{
    switch (json ? node_of(json)->type & 0xFF : cJSON_NULL) {
    case cJSON_False:
    case cJSON_True: return WEIR_JSON_BOOLEAN;
    case cJSON_Raw: return WEIR_JSON_NUMBER;
    case cJSON_String: return WEIR_JSON_STRING;
    case cJSON_Array: return WEIR_JSON_ARRAY;
    case cJSON_Object: return WEIR_JSON_OBJECT;
    default: return WEIR_JSON_NULL;
    }
}

const char *weir_json_type_name(enum weir_json_type type)
{
    static const char *const names[] = {"null",   "boolean", "number",
                                        "string", "array",   "object"};

    return names[type];
}

bool weir_json_is(const struct weir_json *json, enum weir_json_type type)
{
    return json && weir_json_type(json) == type;
}

bool weir_json_true(const struct weir_json *json)
{
    return json && cJSON_IsTrue(node_of(json));
}

static const char *text_of(const struct weir_json *json,
                           enum weir_json_type type, size_t *len)
{
    if (!weir_json_is(json, type)) {
        if (len)
            *len = 0;
        return NULL;
    }
    if (len)
        *len = count_of(node_of(json));
    return node_of(json)->valuestring;
}

const char *weir_json_string(const struct weir_json *json, size_t *len)
{
    return text_of(json, WEIR_JSON_STRING, len);
}

const char *weir_json_number(const struct weir_json *json, size_t *len)
{
    return text_of(json, WEIR_JSON_NUMBER, len);
}

static bool number_of(const struct weir_json *json, struct weir_number *out)
{
    size_t len;
    const char *text = weir_json_number(json, &len);

    return text && weir_number_parse(text, len, out, NULL) == WEIR_OK;
}

bool weir_json_integer(const struct weir_json *json, int64_t *out)
{
    struct weir_number number;

    if (!number_of(json, &number) || !number.is_integer)
        return false;
    *out = number.integer;
    return true;
}

bool weir_json_real(const struct weir_json *json, double *out)
{
    struct weir_number number;

    if (!number_of(json, &number))
        return false;
    *out = number.real;
    return true;
}

static bool holds(const struct weir_json *json)
{
    return weir_json_is(json, WEIR_JSON_ARRAY) ||
           weir_json_is(json, WEIR_JSON_OBJECT);
}

size_t weir_json_size(const struct weir_json *json)
{
    return holds(json) ? count_of(node_of(json)) : 0;
}

const struct weir_json *weir_json_first(const struct weir_json *json)
{
    return holds(json) ? json_of(node_of(json)->child) : NULL;
}

const struct weir_json *weir_json_next(const struct weir_json *child)
{
    return child ? json_of(node_of(child)->next) : NULL;
}

const char *weir_json_key(const struct weir_json *member, size_t *len)
{
    const char *key = member ? node_of(member)->string : NULL;

    if (len)
        *len = key ? key_len(node_of(member)) : 0;
    return key;
}

const struct weir_json *weir_json_at(const struct weir_json *array,
                                     size_t index)
{
    const struct weir_json *child = NULL;

    if (weir_json_is(array, WEIR_JSON_ARRAY))
        child = weir_json_first(array);
    while (child && index-- > 0)
        child = weir_json_next(child);
    return child;
}

const struct weir_json *weir_json_get_len(const struct weir_json *object,
                                          const char *key, size_t len)
{
    const cJSON *member = NULL;

    if (weir_json_is(object, WEIR_JSON_OBJECT))
        member = node_of(object)->child;
    for (; member; member = member->next) {
        if (key_len(member) == len && memcmp(member->string, key, len) == 0)
            return json_of(member);
    }
    return NULL;
}

const struct weir_json *weir_json_get(const struct weir_json *object,
                                      const char *key)
{
    return weir_json_get_len(object, key, strlen(key));
}

const char *weir_json_get_string(const struct weir_json *object,
                                 const char *key)
{
    return weir_json_string(weir_json_get(object, key), NULL);
}

/* ---- making ---- */

/* What a node is to hold: its text, and the name it has as a member. */
struct part {
    const char *text; /* NULL: none */
    size_t len;
};

static char *put(char *at, const struct part *part)
{
    if (part->len)
        memcpy(at, part->text, part->len);
    at[part->len] = '\0';
    return at;
}

/* A node with its text and its name behind it, in one block, or in the arena
 * of its document: documents are made and freed with every call.  cJSON is
 * told with its own flags that it does not own the two. */
static cJSON *new_node(struct weir_json_arena **arena, int type,
                       const struct part *text, const struct part *name)
{
    int from = !arena ? 0 : *arena ? IN_ARENA : IN_ARENA | IS_ROOT;
    size_t text_size = text->text ? text->len + 1 : 0;
    size_t name_size = name->text ? name->len + 1 : 0;
    size_t size = sizeof(cJSON) + text_size + name_size;
    cJSON *node;

    if (text->len > SIZE_MAX / 4 || name->len > SIZE_MAX / 4)
        return NULL;
    node = arena ? weir_json_arena_take(arena, size) : cJSON_malloc(size);
    if (!node)
        return NULL;
    *node = (cJSON){.type = type | from};
    if (text_size) {
        node->type |= cJSON_IsReference;
        node->valuestring = put((char *)(node + 1), text);
        set_count(node, text->len);
    }
    if (name_size) {
        node->type |= cJSON_StringIsConst;
        node->string = put((char *)(node + 1) + text_size, name);
        node->valueint = (int)name->len;
    }
    return node;
}

static const struct part nothing;

static struct weir_json *new_plain(int type)
{
    return json_of(new_node(NULL, type, &nothing, &nothing));
}

static struct weir_json *new_text(int type, const char *text, size_t len)
{
    return json_of(
        new_node(NULL, type, &(struct part){text ? text : "", len}, &nothing));
}

struct weir_json *weir_json_new_null(void)
{
    return new_plain(cJSON_NULL);
}

struct weir_json *weir_json_new_boolean(bool value)
{
    return new_plain(value ? cJSON_True : cJSON_False);
}

struct weir_json *weir_json_new_integer(int64_t value)
{
    char text[WEIR_NUMBER_TEXT];

    return weir_json_new_number(text, weir_number_format_integer(value, text));
}

struct weir_json *weir_json_new_number(const char *text, size_t len)
{
    return new_text(cJSON_Raw, text, len);
}

struct weir_json *weir_json_new_string(const char *text, size_t len)
{
    return new_text(cJSON_String, text, len);
}

struct weir_json *weir_json_new_array(void)
{
    return new_plain(cJSON_Array);
}

struct weir_json *weir_json_new_object(void)
{
    return new_plain(cJSON_Object);
}

/* `named`: with its name as a member. */
static cJSON *copy_one(struct weir_json_arena **arena, const cJSON *from,
                       bool named)
{
    const struct part text = {from->valuestring,
                              from->valuestring ? count_of(from) : 0};
    const struct part name = {named ? from->string : NULL,
                              named ? key_len(from) : 0};
    cJSON *node = new_node(arena, from->type & 0xFF, &text, &name);

    if (node)
        node->valuedouble = from->valuedouble;
    return node;
}

/* Puts `child` at the end.  The first child's `prev` is the last one: cJSON's
 * own convention, which its functions keep as well. */
static void link_last(cJSON *parent, cJSON *child)
{
    cJSON *first = parent->child;

    child->next = NULL;
    if (first) {
        child->prev = first->prev;
        first->prev->next = child;
        first->prev = child;
    } else {
        child->prev = child;
        parent->child = child;
    }
}

static cJSON *copy_tree(struct weir_json_arena **arena, const cJSON *from,
                        bool named)
{
    cJSON *node = copy_one(arena, from, named);

    for (const cJSON *child = from->child; node && child; child = child->next) {
        cJSON *copy = copy_tree(arena, child, true);

        if (!copy) {
            delete_tree(node);
            return NULL;
        }
        link_last(node, copy);
    }
    return node;
}

struct weir_json *weir_json_copy(const struct weir_json *json)
{
    struct weir_json_arena *arena = NULL;

    /* The copy of a member is a value of its own, without the name. */
    if (!json)
        return NULL;
    return json_of(
        copy_tree(node_of(json)->child ? &arena : NULL, node_of(json), false));
}

/* ---- changing ---- */

static void add_child(cJSON *parent, cJSON *child)
{
    link_last(parent, child);
    set_count(parent, count_of(parent) + 1);
}

enum weir_code weir_json_append(struct weir_json *array,
                                struct weir_json *child)
{
    if (!child)
        return WEIR_NOMEM;
    if (!weir_json_is(array, WEIR_JSON_ARRAY)) {
        weir_json_free(child);
        return array ? WEIR_INVALID : WEIR_NOMEM;
    }
    add_child(node_of(array), node_of(child));
    return WEIR_OK;
}

/* Gives `child` its name; frees it and says why if that cannot be. */
static enum weir_code name_child(struct weir_json *object, const char *key,
                                 size_t len, struct weir_json *child)
{
    cJSON *node = node_of(child);
    char *copy;

    if (!child)
        return WEIR_NOMEM;
    if (!weir_json_is(object, WEIR_JSON_OBJECT) || len > INT_MAX) {
        weir_json_free(child);
        return !object ? WEIR_NOMEM : len > INT_MAX ? WEIR_LIMIT : WEIR_INVALID;
    }
    copy = cJSON_malloc(len + 1);
    if (!copy) {
        weir_json_free(child);
        return WEIR_NOMEM;
    }
    put(copy, &(struct part){key, len});
    if (!(node->type & cJSON_StringIsConst))
        cJSON_free(node->string);
    node->type &= ~cJSON_StringIsConst;
    node->string = copy;
    node->valueint = (int)len;
    return WEIR_OK;
}

static enum weir_code add_member(struct weir_json *object, const char *key,
                                 size_t len, struct weir_json *child)
{
    enum weir_code code = name_child(object, key, len, child);

    if (!code)
        add_child(node_of(object), node_of(child));
    return code;
}

enum weir_code weir_json_grow(struct weir_json *parent,
                              const struct weir_json_seed *seed,
                              struct weir_json **out)
{
    static const int types[] = {
        [WEIR_JSON_NULL] = cJSON_NULL,   [WEIR_JSON_BOOLEAN] = cJSON_False,
        [WEIR_JSON_NUMBER] = cJSON_Raw,  [WEIR_JSON_STRING] = cJSON_String,
        [WEIR_JSON_ARRAY] = cJSON_Array, [WEIR_JSON_OBJECT] = cJSON_Object,
    };
    const struct part text = {seed->text, seed->len};
    struct part name = {0};
    cJSON *node;

    if (weir_json_is(parent, WEIR_JSON_OBJECT))
        name = (struct part){seed->key, seed->key_len};
    if (name.len > INT_MAX)
        return WEIR_LIMIT;
    node = new_node(seed->arena, seed->truth ? cJSON_True : types[seed->type],
                    &text, &name);
    if (!node)
        return WEIR_NOMEM;
    if (parent)
        add_child(node_of(parent), node);
    *out = json_of(node);
    return WEIR_OK;
}

/* Puts `child` where `old` was. */
static void take_place(cJSON *parent, cJSON *old, cJSON *child)
{
    bool only = old->prev == old;

    child->next = old->next;
    child->prev = only ? child : old->prev;
    if (old->next)
        old->next->prev = child;
    if (parent->child == old)
        parent->child = child;
    else
        old->prev->next = child;
    /* The first child's `prev` is the last. */
    if (!old->next && !only)
        parent->child->prev = child;
}

enum weir_code weir_json_set_len(struct weir_json *object, const char *key,
                                 size_t len, struct weir_json *child)
{
    const struct weir_json *old = weir_json_get_len(object, key, len);
    enum weir_code code;

    if (!old)
        return add_member(object, key, len, child);
    if (old == child)
        return WEIR_OK;
    code = name_child(object, key, len, child);
    if (code)
        return code;
    take_place(node_of(object), node_of(old), node_of(child));
    delete_tree(node_of(old));
    return WEIR_OK;
}

enum weir_code weir_json_set(struct weir_json *object, const char *key,
                             struct weir_json *child)
{
    return weir_json_set_len(object, key, strlen(key), child);
}

static void drop(cJSON *object, cJSON *member)
{
    delete_tree(cJSON_DetachItemViaPointer(object, member));
    set_count(object, count_of(object) - 1);
}

bool weir_json_remove(struct weir_json *object, const char *key)
{
    const struct weir_json *member = weir_json_get(object, key);

    if (!member)
        return false;
    drop(node_of(object), node_of(member));
    return true;
}

/* ---- repeated members ---- */

static int by_key(const cJSON *x, const cJSON *y)
{
    return weir_json_key_order(x->string, key_len(x), y->string, key_len(y));
}

/* A member and its place, for a sort that keeps equal keys in order. */
struct placed {
    cJSON *member;
    size_t place;
};

static int by_key_then_place(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    int order = by_key(x->member, y->member);

    return order ? order : (x->place > y->place) - (x->place < y->place);
}

enum weir_code weir_json_drop_repeated(struct weir_json *object)
{
    size_t n = weir_json_size(object), i = 0;
    struct placed *members;

    if (n < 2)
        return WEIR_OK;
    members = reallocarray(NULL, n, sizeof(*members));
    if (!members)
        return WEIR_NOMEM;
    for (cJSON *m = node_of(object)->child; m; m = m->next, i++)
        members[i] = (struct placed){m, i};
    qsort(members, n, sizeof(*members), by_key_then_place);
    for (i = 1; i < n; i++) {
        if (by_key(members[i - 1].member, members[i].member) == 0)
            drop(node_of(object), members[i - 1].member);
    }
    free(members);
    return WEIR_OK;
}
