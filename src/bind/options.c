/* Option tables of calls: `http.request{method = …}`. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bind.h"
#include "secret.h"
#include "weir/filter.h"

#define MAX_OPTIONS 64

static const char *const type_words[] = {
    [BIND_STRING] = "a string",
    [BIND_TEXT] = "a string",
    [BIND_SECRET] = "a string or a weir.secret",
    [BIND_SECONDS] = "a number of seconds, 0 or more",
    [BIND_COUNT] = "a whole number, 1 or more",
    [BIND_UNSIGNED] = "a whole number, 0 or more",
    [BIND_NUMBER] = "a finite number",
    [BIND_BOOLEAN] = "true or false",
    [BIND_TABLE] = "a table",
    [BIND_FUNCTION] = "a function",
    [BIND_ANY] = "a value",
};

/* Longer waits are a mistake in units; it also keeps milliseconds exact. */
#define MAX_SECONDS 1e10

static bool read_seconds(lua_State *L, void *out)
{
    double seconds = lua_tonumber(L, -1);

    if (lua_type(L, -1) != LUA_TNUMBER || !(seconds >= 0) ||
        seconds > MAX_SECONDS)
        return false;
    *(int64_t *)out = (int64_t)ceil(seconds * 1000);
    return true;
}

static bool read_integer(lua_State *L, lua_Integer min, lua_Integer max,
                         lua_Integer *value)
{
    int exact;

    if (lua_type(L, -1) != LUA_TNUMBER)
        return false;
    *value = lua_tointegerx(L, -1, &exact);
    return exact && *value >= min && *value <= max;
}

static bool read_text(lua_State *L, void *out)
{
    struct bind_text *text = out;

    if (lua_type(L, -1) != LUA_TSTRING)
        return false;
    text->data = lua_tolstring(L, -1, &text->len);
    return true;
}

static bool read_string(lua_State *L, void *out)
{
    struct bind_text text;

    if (!read_text(L, &text) || strlen(text.data) != text.len)
        return false;
    *(const char **)out = text.data;
    return true;
}

static bool read_secret(lua_State *L, void *out)
{
    size_t len;
    const char *text = bind_secret_text(L, -1, &len);

    if (!text || strlen(text) != len)
        return false;
    *(const char **)out = text;
    return true;
}

/* A false here is a wrong type; the value is on top of the stack. */
static bool read_value(lua_State *L, enum bind_opt_type type, void *out)
{
    lua_Integer integer;

    switch (type) {
    case BIND_STRING: return read_string(L, out);
    case BIND_TEXT: return read_text(L, out);
    case BIND_SECRET: return read_secret(L, out);
    case BIND_SECONDS: return read_seconds(L, out);
    case BIND_COUNT:
        if (!read_integer(L, 1, LUA_MAXINTEGER, &integer))
            return false;
        *(size_t *)out = (size_t)integer;
        return true;
    case BIND_UNSIGNED:
        if (!read_integer(L, 0, UINT_MAX, &integer))
            return false;
        *(unsigned *)out = (unsigned)integer;
        return true;
    case BIND_NUMBER:
        if (lua_type(L, -1) != LUA_TNUMBER || !isfinite(lua_tonumber(L, -1)))
            return false;
        *(double *)out = lua_tonumber(L, -1);
        return true;
    case BIND_BOOLEAN:
        *(bool *)out = lua_toboolean(L, -1);
        return lua_isboolean(L, -1);
    case BIND_TABLE:
        *(bool *)out = lua_istable(L, -1);
        return lua_istable(L, -1);
    case BIND_FUNCTION:
        *(bool *)out = lua_isfunction(L, -1);
        return lua_isfunction(L, -1);
    case BIND_ANY: *(bool *)out = true; return true;
    }
    return false;
}

static const struct bind_opt *find_option(const struct bind_opt *opts,
                                          const char *name)
{
    for (; opts->name; opts++) {
        if (*opts->name == *name && strcmp(opts->name, name) == 0)
            return opts;
    }
    return NULL;
}

static void refuse_key(lua_State *L, const char *key, const char *what,
                       const struct bind_opt *opts)
{
    const char *names[MAX_OPTIONS + 1], *near;
    size_t n = 0;

    for (const struct bind_opt *opt = opts; opt->name && n < MAX_OPTIONS; opt++)
        names[n++] = opt->name;
    names[n] = NULL;
    near = weir_nearest(key, names);
    if (near)
        bind_misuse(L, "%s: there is no option '%s'; did you mean '%s'?", what,
                    key, near);
    bind_misuse(L, "%s: there is no option '%s'", what, key);
}

/* The order of `lua_next` differs between runs; of several unknown keys the
 * first by bytes is named, so that the message is the same every time. */
static void check_keys(lua_State *L, int index, const char *what,
                       const struct bind_opt *opts)
{
    const char *unknown = NULL;

    lua_pushnil(L);
    while (lua_next(L, index)) {
        lua_pop(L, 1);
        if (lua_type(L, -1) != LUA_TSTRING)
            bind_misuse(L, "%s: options have names; found a key of type %s",
                        what, luaL_typename(L, -1));
        else if (!find_option(opts, lua_tostring(L, -1)) &&
                 (!unknown || strcmp(lua_tostring(L, -1), unknown) < 0))
            unknown = lua_tostring(L, -1); /* anchored by the table */
    }
    if (unknown)
        refuse_key(L, unknown, what, opts);
}

/* Puts a plain table in the place of one with a metatable: what that hands out
 * belongs to nobody else, and is gone at the next collection, while we still
 * have its bytes. */
static void make_plain(lua_State *L, int index, const struct bind_opt *opts)
{
    lua_newtable(L);
    for (const struct bind_opt *opt = opts; opt->name; opt++) {
        if (lua_getfield(L, index, opt->name) == LUA_TNIL)
            lua_pop(L, 1);
        else
            lua_setfield(L, -2, opt->name);
    }
    lua_replace(L, index);
}

/* Reads what is there; false at the first thing that is wrong, and where an
 * option is missing. */
static bool read_given(lua_State *L, int index, const struct bind_opt *opts,
                       void *out)
{
    size_t required = 0, found = 0;
    bool good = true;

    for (const struct bind_opt *opt = opts; opt->name; opt++)
        required += opt->required;
    lua_pushnil(L);
    while (good && lua_next(L, index)) {
        const struct bind_opt *opt =
            lua_type(L, -2) == LUA_TSTRING
                ? find_option(opts, lua_tostring(L, -2))
                : NULL;

        good = opt && read_value(L, opt->type, (char *)out + opt->offset);
        found += good && opt->required;
        lua_pop(L, 1);
    }
    if (!good)
        lua_pop(L, 1);
    return good && found == required;
}

/* The same one by one.  It says what is wrong in the same words whatever the
 * order of `lua_next`: an option that does not exist first. */
static void read_in_order(lua_State *L, int index, const char *what,
                          const struct bind_opt *opts, void *out)
{
    check_keys(L, index, what, opts);
    for (const struct bind_opt *opt = opts; opt->name; opt++) {
        bool given = lua_getfield(L, index, opt->name) != LUA_TNIL;

        if (!given && opt->required)
            bind_misuse(L, "%s: '%s' is missing (%s)", what, opt->name,
                        type_words[opt->type]);
        if (given && !read_value(L, opt->type, (char *)out + opt->offset))
            bind_misuse(L, "%s: '%s' must be %s%s, not %s", what, opt->name,
                        type_words[opt->type],
                        opt->type == BIND_STRING || opt->type == BIND_SECRET
                            ? " without NUL"
                            : "",
                        lua_type(L, -1) == LUA_TNUMBER ? lua_tostring(L, -1)
                                                       : luaL_typename(L, -1));
        lua_pop(L, 1);
    }
}

void bind_options(lua_State *L, int index, const char *what,
                  const struct bind_opt *opts, void *out)
{
    if (lua_isnoneornil(L, index)) {
        for (const struct bind_opt *opt = opts; opt->name; opt++) {
            if (opt->required)
                bind_misuse(L, "%s: '%s' is missing (%s)", what, opt->name,
                            type_words[opt->type]);
        }
        return;
    }
    index = lua_absindex(L, index);
    if (!lua_istable(L, index))
        bind_misuse(L, "%s: options must be a table, not a %s", what,
                    luaL_typename(L, index));
    luaL_checkstack(L, 4, what);
    if (lua_getmetatable(L, index)) {
        lua_pop(L, 1);
        check_keys(L, index, what, opts);
        make_plain(L, index, opts);
    }
    if (!read_given(L, index, opts, out))
        read_in_order(L, index, what, opts, out);
}
