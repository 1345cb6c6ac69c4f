/*
 * value: a Lua value as a source.
 *
 * Tables are read raw, so no code of a script runs while a sink is open.  Lua
 * may still run out of memory in here and longjmp: whoever calls this keeps
 * the sink's state in a box.
 */
#include <math.h>
#include <stdarg.h>
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
};

/* Names that need no memory of their own. */
#define FEW 32

/* What a table's keys say. */
struct census {
    size_t names;
    size_t indexes;
    lua_Integer least, greatest;
    struct name few[FEW]; /* the first of them */
};

/* The table is on top.  Counts its keys, refusing what is neither a string
 * nor an integer. */
static enum weir_code count_keys(struct walk *w, struct census *c)
{
    lua_State *L = w->L;

    c->names = c->indexes = 0;
    c->least = LUA_MAXINTEGER;
    c->greatest = LUA_MININTEGER;
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        lua_pop(L, 1);
        if (lua_type(L, -1) == LUA_TSTRING) {
            if (c->names < FEW)
                c->few[c->names].text =
                    lua_tolstring(L, -1, &c->few[c->names].len);
            c->names++;
        } else if (lua_isinteger(L, -1)) {
            lua_Integer i = lua_tointeger(L, -1);

            c->indexes++;
            c->least = i < c->least ? i : c->least;
            c->greatest = i > c->greatest ? i : c->greatest;
        } else {
            enum weir_code code =
                refuse(w, "a table key that is a %s, not a string",
                       luaL_typename(L, -1));

            lua_pop(L, 1);
            return code;
        }
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
    int order = memcmp(x->text, y->text, x->len < y->len ? x->len : y->len);

    return order ? order : (x->len > y->len) - (x->len < y->len);
}

/* Pushes a userdata with the names of the table on top. */
static struct name *push_names(lua_State *L, size_t n)
{
    struct name *names = lua_newuserdatauv(L, n * sizeof(*names), 0);
    size_t i = 0;

    lua_pushnil(L);
    while (lua_next(L, -3)) {
        lua_pop(L, 1);
        names[i].text = lua_tolstring(L, -1, &names[i].len);
        i++;
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
    lua_pushlstring(w->L, name->text, name->len);
    lua_rawget(w->L, table);
    code = emit(w);
    lua_pop(w->L, 1);
    return code;
}

static enum weir_code emit_object(struct walk *w, struct step *step,
                                  struct census *c)
{
    int table = lua_gettop(w->L);
    struct name *names = c->names > FEW ? push_names(w->L, c->names) : c->few;
    enum weir_code code = w->sink->begin_object(w->sink->ud, w->err);

    qsort(names, c->names, sizeof(*names), by_bytes);
    step->named = true;
    for (size_t i = 0; i < c->names && !code; i++)
        code = emit_member(w, step, table, &names[i]);
    lua_settop(w->L, table);
    return code ? code : w->sink->end_object(w->sink->ud, w->err);
}

static enum weir_code emit_table(struct walk *w)
{
    const void *table = lua_topointer(w->L, -1);
    bool array = bind_is_array(w->L, -1);
    struct census census;
    struct step *step;
    enum weir_code code;

    for (unsigned i = 0; i < w->depth; i++) {
        if (w->steps[i].table == table)
            return refuse(w, "a table that contains itself");
    }
    if (w->depth == WEIR_VALUE_MAX_DEPTH)
        return refuse(w, "nested deeper than %d levels", WEIR_VALUE_MAX_DEPTH);
    code = count_keys(w, &census);
    if (!code && (census.indexes || (array && census.names)))
        code = check_array(w, &census);
    if (code)
        return code;
    step = &w->steps[w->depth++];
    step->table = table;
    if (array || census.indexes)
        code = emit_array(w, step, census.indexes);
    else
        code = emit_object(w, step, &census);
    w->depth--;
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

    luaL_checkstack(L, 8, "value");
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
    luaL_checkstack(L, 4, "value");
    lua_pushvalue(L, index);
    code = emit(&w);
    lua_pop(L, 1);
    weir_err_clear(&spare);
    return code;
}
