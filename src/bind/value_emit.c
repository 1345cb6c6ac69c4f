/*
 * value: a Lua value as a source.
 *
 * Tables are read raw, so no code of a script runs while a sink is open.  Lua
 * may still run out of memory in here and longjmp: whoever calls this keeps
 * the sink's state in a box.
 */
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "value.h"

struct step {
    const void *table; /* its address tells a cycle */
    bool named;
    const char *key;
    size_t len;
    size_t index;
};

/* As many values as the JSON scanner reads: a table that is shared at every
 * level of nesting doubles what is written each time. */
#define MAX_VALUES 10000000

struct walk {
    lua_State *L;
    size_t values;
    const struct weir_sink *sink;
    struct weir_err *err;
    unsigned depth;
    struct step steps[WEIR_VALUE_MAX_DEPTH];
};

/* Places on the stack that one value takes, beside those of its members. */
#define SOME 8

static enum weir_code emit(struct walk *w);

/* The path so far, before a message of printf form. */
__attribute__((format(printf, 2, 3))) static enum weir_code
refuse(struct walk *w, const char *fmt, ...)
{
    struct bind_path path;
    va_list args;

    bind_path_init(&path);
    for (unsigned i = 0; i < w->depth; i++) {
        const struct step *step = &w->steps[i];

        if (step->named)
            bind_path_key(&path, step->key, step->len);
        else
            bind_path_index(&path, step->index);
    }
    va_start(args, fmt);
    weir_err_vset(w->err, WEIR_INVALID, fmt, args);
    va_end(args);
    weir_err_prefix(w->err, "%s: ", bind_path_text(&path));
    return WEIR_INVALID;
}

/* ---- scalars ---- */

static enum weir_code emit_number(struct walk *w)
{
    char text[WEIR_NUMBER_TEXT];
    size_t len;

    if (lua_isinteger(w->L, -1)) {
        len = weir_number_format_integer(lua_tointeger(w->L, -1), text);
    } else {
        double real = lua_tonumber(w->L, -1);

        if (!isfinite(real))
            return refuse(w, "%s has no JSON form",
                          isnan(real) ? "NaN" : "infinity");
        weir_number_format(real, text, &len, w->err);
    }
    return w->sink->number(w->sink->ud, text, len, w->err);
}

static enum weir_code emit_string(struct walk *w)
{
    size_t len, valid;
    const char *text = lua_tolstring(w->L, -1, &len);

    valid = weir_utf8_valid(text, len);
    if (valid < len)
        return refuse(w, "a string that is not UTF-8 (its byte %zu is 0x%02X)",
                      valid + 1, (unsigned char)text[valid]);
    return w->sink->string(w->sink->ud, text, len, w->err);
}

/* ---- tables ---- */

struct name {
    const char *text; /* the table's own: it is not changed meanwhile */
    size_t len;
    uint64_t first; /* its first bytes as a number that sorts as they do */
    int value;      /* where on the stack it is, or 0 */
};

/* Names that need no memory of their own, and whose values wait on the stack:
 * looking each up again would cost more. */
#define FEW 32

/* What a table's keys say. */
struct census {
    size_t names;
    size_t indexes;
    lua_Integer least, greatest;
    struct name few[FEW]; /* the first of them */
};

static void note_name(lua_State *L, int index, struct name *name)
{
    size_t len;

    name->text = lua_tolstring(L, index, &name->len);
    name->first = 0;
    len = name->len < 8 ? name->len : 8;
    for (size_t i = 0; i < len; i++)
        name->first |= (uint64_t)(unsigned char)name->text[i] << (56 - 8 * i);
    name->value = 0;
}

/* A key and its value are on top.  Leaves the key there, and below it the
 * value if it can wait. */
static void count_name(lua_State *L, struct census *c)
{
    if (c->names < FEW) {
        struct name *name = &c->few[c->names];

        /* As names come, since most tables have few: for the values that
         * wait, and for what is done with each. */
        if (c->names % SOME == 0)
            luaL_checkstack(L, 2 * SOME, "value");
        note_name(L, -2, name);
        lua_insert(L, -2);
        name->value = lua_gettop(L) - 1;
    } else {
        lua_pop(L, 1);
    }
    c->names++;
}

static void count_index(struct census *c, lua_Integer i)
{
    c->indexes++;
    c->least = i < c->least ? i : c->least;
    c->greatest = i > c->greatest ? i : c->greatest;
}

/* Counts the keys of `table`, refusing what is neither a string nor an
 * integer.  Values stay on the stack. */
static enum weir_code count_keys(struct walk *w, int table, struct census *c)
{
    lua_State *L = w->L;

    c->names = c->indexes = 0;
    c->least = LUA_MAXINTEGER;
    c->greatest = LUA_MININTEGER;
    lua_pushnil(L);
    while (lua_next(L, table)) {
        if (lua_type(L, -2) == LUA_TSTRING) {
            count_name(L, c);
            continue;
        }
        lua_pop(L, 1);
        if (!lua_isinteger(L, -1))
            return refuse(w, "a table key that is a %s, not a string",
                          luaL_typename(L, -1));
        count_index(c, lua_tointeger(L, -1));
    }
    return WEIR_OK;
}

/* The table is on top and has some integer keys: are they 1 to n? */
static enum weir_code check_array(struct walk *w, const struct census *c)
{
    lua_Integer hole = 1;

    if (c->names)
        return refuse(w, c->indexes
                             ? "a table with both names and numbers as keys"
                             : "an array with a name as key");
    if (c->least < 1)
        return refuse(w, "a table key %lld: an array begins at 1",
                      (long long)c->least);
    if ((size_t)c->greatest == c->indexes)
        return WEIR_OK;
    while (lua_rawgeti(w->L, -1, hole) != LUA_TNIL) {
        lua_pop(w->L, 1);
        hole++;
    }
    lua_pop(w->L, 1);
    refuse(w, "an array with a hole: [%lld] is nil, [%lld] is there",
           (long long)hole, (long long)c->greatest);
    weir_err_hint(w->err, "weir.null holds a place");
    return WEIR_INVALID;
}

static enum weir_code emit_array(struct walk *w, struct step *step, size_t n)
{
    enum weir_code code = w->sink->begin_array(w->sink->ud, w->err);

    step->named = false;
    for (size_t i = 0; i < n && !code; i++) {
        step->index = i;
        lua_rawgeti(w->L, -1, (lua_Integer)i + 1);
        code = emit(w);
        lua_pop(w->L, 1);
    }
    return code ? code : w->sink->end_array(w->sink->ud, w->err);
}

static int by_bytes(const void *a, const void *b)
{
    const struct name *x = a, *y = b;
    int order;

    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    order = memcmp(x->text, y->text, x->len < y->len ? x->len : y->len);
    return order ? order : (x->len > y->len) - (x->len < y->len);
}

static inline bool is_before(const struct name *a, const struct name *b)
{
    return a->first != b->first ? a->first < b->first : by_bytes(a, b) < 0;
}

/* In the byte order of their texts.  Few are sorted by insertion: qsort()
 * would call a function for each comparison. */
static void sort_names(struct name *names, size_t n)
{
    if (n > FEW) {
        qsort(names, n, sizeof(*names), by_bytes);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        struct name name = names[i];
        size_t at = i;

        for (; at > 0 && is_before(&name, &names[at - 1]); at--)
            names[at] = names[at - 1];
        names[at] = name;
    }
}

/* Pushes a userdata with the names of `table`. */
static struct name *push_names(lua_State *L, int table, size_t n)
{
    struct name *names = lua_newuserdatauv(L, n * sizeof(*names), 0);
    size_t i = 0;

    lua_pushnil(L);
    while (lua_next(L, table)) {
        lua_pop(L, 1);
        note_name(L, -1, &names[i++]);
    }
    return names;
}

static enum weir_code emit_member(struct walk *w, struct step *step, int table,
                                  const struct name *name)
{
    size_t valid = weir_utf8_valid(name->text, name->len);
    enum weir_code code;

    step->key = name->text;
    step->len = name->len;
    if (valid < name->len)
        return refuse(w,
                      "a table key that is not UTF-8 (its byte %zu is "
                      "0x%02X)",
                      valid + 1, (unsigned char)name->text[valid]);
    code = w->sink->key(w->sink->ud, name->text, name->len, w->err);
    if (code)
        return code;
    if (name->value) {
        lua_pushvalue(w->L, name->value);
    } else {
        lua_pushlstring(w->L, name->text, name->len);
        lua_rawget(w->L, table);
    }
    code = emit(w);
    lua_pop(w->L, 1);
    return code;
}

static enum weir_code emit_object(struct walk *w, struct step *step, int table,
                                  struct census *c)
{
    struct name *names =
        c->names > FEW ? push_names(w->L, table, c->names) : c->few;
    enum weir_code code = w->sink->begin_object(w->sink->ud, w->err);

    sort_names(names, c->names);
    step->named = true;
    for (size_t i = 0; i < c->names && !code; i++)
        code = emit_member(w, step, table, &names[i]);
    return code ? code : w->sink->end_object(w->sink->ud, w->err);
}

/* The table at the index `table` is on top; what is put above it stays. */
static enum weir_code emit_counted(struct walk *w, int table)
{
    bool array = bind_is_array(w->L, -1);
    struct census census;
    struct step *step;
    enum weir_code code = count_keys(w, table, &census);

    if (code)
        return code;
    if (census.indexes || (array && census.names)) {
        lua_settop(w->L, table);
        code = check_array(w, &census);
    }
    if (code)
        return code;
    step = &w->steps[w->depth++];
    step->table = lua_topointer(w->L, table);
    if (array || census.indexes)
        code = emit_array(w, step, census.indexes);
    else
        code = emit_object(w, step, table, &census);
    w->depth--;
    return code;
}

static enum weir_code emit_table(struct walk *w)
{
    const void *self = lua_topointer(w->L, -1);
    int table = lua_gettop(w->L);
    enum weir_code code;

    for (unsigned i = 0; i < w->depth; i++) {
        if (w->steps[i].table == self)
            return refuse(w, "a table that contains itself");
    }
    if (w->depth == WEIR_VALUE_MAX_DEPTH)
        return refuse(w, "nested deeper than %d levels", WEIR_VALUE_MAX_DEPTH);
    luaL_checkstack(w->L, SOME, "value");
    code = emit_counted(w, table);
    lua_settop(w->L, table);
    return code;
}

static enum weir_code emit_other(struct walk *w)
{
    size_t len;
    const char *number;

    if (bind_is_null(w->L, -1))
        return w->sink->null(w->sink->ud, w->err);
    number = bind_number(w->L, -1, &len);
    if (number)
        return w->sink->number(w->sink->ud, number, len, w->err);
    return refuse(w, "a %s has no JSON form", luaL_typename(w->L, -1));
}

/* The value is on top, and stays. */
static enum weir_code emit(struct walk *w)
{
    lua_State *L = w->L;

    if (++w->values > MAX_VALUES)
        return weir_err_set(w->err, WEIR_LIMIT, "more than %d values in one",
                            MAX_VALUES);
    switch (lua_type(L, -1)) {
    case LUA_TBOOLEAN:
        return w->sink->boolean(w->sink->ud, lua_toboolean(L, -1), w->err);
    case LUA_TNUMBER: return emit_number(w);
    case LUA_TSTRING: return emit_string(w);
    case LUA_TTABLE: return emit_table(w);
    case LUA_TNIL:
    case LUA_TNONE:
        refuse(w, "nil has no JSON form");
        weir_err_hint(w->err, "weir.null stands for null");
        return WEIR_INVALID;
    default: return emit_other(w);
    }
}

enum weir_code bind_value_emit(lua_State *L, int index,
                               const struct weir_sink *sink,
                               struct weir_err *err)
{
    struct weir_err spare = WEIR_ERR_INIT;
    struct walk w; /* the steps are set on the way down */
    enum weir_code code;

    w.L = L;
    w.values = 0;
    w.sink = sink;
    w.err = err ? err : &spare;
    w.depth = 0;
    luaL_checkstack(L, SOME, "value");
    lua_pushvalue(L, index);
    code = emit(&w);
    lua_pop(L, 1);
    weir_err_clear(&spare);
    return code;
}
