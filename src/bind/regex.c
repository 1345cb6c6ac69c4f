/* weir.regex: patterns, and whether they mean the same to Python. */
#include <string.h>

#include "bind.h"
#include "weir/regex.h"

static const char regex_type[] = "weir.regex";

/* More would not be read. */
#define MAX_DIFFERENCES 64

struct re {
    struct weir_regex *regex;
    size_t len;
    char pattern[]; /* for tostring */
};

static void re_fini(void *memory)
{
    struct re *re = memory;

    weir_regex_free(re->regex);
    re->regex = NULL;
}

static struct re *to_re(lua_State *L)
{
    struct re *re;

    luaL_checkudata(L, 1, regex_type);
    re = bind_box_memory(L, 1);
    if (!re)
        luaL_argerror(L, 1, "the regex is closed");
    return re;
}

static unsigned check_flags(lua_State *L, int index)
{
    static const char letters[] = "imsx";
    static const unsigned flags[] = {WEIR_REGEX_CASELESS, WEIR_REGEX_MULTILINE,
                                     WEIR_REGEX_DOTALL, WEIR_REGEX_EXTENDED};
    const char *text = luaL_optstring(L, index, "");
    unsigned all = 0;

    for (; *text; text++) {
        const char *at = strchr(letters, *text);

        if (!at)
            bind_misuse(L,
                        "regex.compile: unknown flag '%c'; there are i "
                        "(caseless), m (^ and $ at lines), s (dot matches a "
                        "newline) and x (spaces and comments)",
                        *text);
        all |= flags[at - letters];
    }
    return all;
}

/* compile(pattern [, flags]) → re, or nil and an err object. */
static int regex_compile(lua_State *L)
{
    size_t len;
    const char *pattern = luaL_checklstring(L, 1, &len);
    unsigned flags = check_flags(L, 2);
    struct weir_err err = WEIR_ERR_INIT;
    struct re *re = bind_box(L, sizeof(*re) + len, re_fini);

    re->len = len;
    memcpy(re->pattern, pattern, len);
    luaL_setmetatable(L, regex_type);
    if (weir_regex_new(pattern, len, flags, &re->regex, &err))
        return bind_fail(L, &err);
    return 1;
}

/* Searches the string at 2 from byte `start`; the captures come back in
 * memory that the stack holds.  0: pushed nil and the err object. */
static struct weir_regex_capture *search(lua_State *L, struct re *re,
                                         size_t start, bool *matched)
{
    size_t len, n = weir_regex_groups(re->regex) + 1;
    const char *subject = luaL_checklstring(L, 2, &len);
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_regex_capture *captures =
        lua_newuserdatauv(L, n * sizeof(*captures), 0);

    if (weir_regex_search(re->regex, subject, len, start, matched, captures,
                          &err)) {
        bind_fail(L, &err);
        return NULL;
    }
    return captures;
}

/* re:test(s) → boolean, or nil and an err object. */
static int re_test(lua_State *L)
{
    bool matched;

    if (!search(L, to_re(L), 0, &matched))
        return 2;
    lua_pushboolean(L, matched);
    return 1;
}

/* re:match(s) → {[0] = whole, captures…, name = capture…}, or nil when it
 * does not match, or nil and an err object. */
static int re_match(lua_State *L)
{
    struct re *re = to_re(L);
    size_t groups = weir_regex_groups(re->regex);
    struct weir_regex_capture *c;
    const char *subject;
    bool matched;

    c = search(L, re, 0, &matched);
    if (!c)
        return 2;
    if (!matched)
        return 0;
    subject = lua_tostring(L, 2);
    lua_createtable(L, (int)groups, 1);
    for (size_t i = 0; i <= groups; i++) {
        const char *name = weir_regex_group_name(re->regex, i);

        /* false, not nil: the list of captures must have no holes. */
        if (c[i].start == SIZE_MAX)
            lua_pushboolean(L, 0);
        else
            lua_pushlstring(L, subject + c[i].start, c[i].end - c[i].start);
        if (name) {
            lua_pushvalue(L, -1);
            lua_setfield(L, -3, name);
        }
        lua_rawseti(L, -2, (lua_Integer)i);
    }
    return 1;
}

/* Where string.find would begin for this `init`, or SIZE_MAX past the end. */
static size_t start_of(lua_Integer init, size_t len)
{
    if (init > 0)
        return (lua_Unsigned)init - 1 > len ? SIZE_MAX : (size_t)init - 1;
    if (init == 0 || init < -(lua_Integer)len)
        return 0;
    return len - (size_t)-init;
}

/* re:find(s [, init]) → first and last byte, as string.find; or nil; or nil
 * and an err object. */
static int re_find(lua_State *L)
{
    struct re *re = to_re(L);
    size_t len, start;
    struct weir_regex_capture *c;
    bool matched;

    luaL_checklstring(L, 2, &len);
    start = start_of(luaL_optinteger(L, 3, 1), len);
    if (start == SIZE_MAX)
        return 0;
    c = search(L, re, start, &matched);
    if (!c)
        return 2;
    if (!matched)
        return 0;
    lua_pushinteger(L, (lua_Integer)c[0].start + 1);
    lua_pushinteger(L, (lua_Integer)c[0].end);
    return 2;
}

static int re_tostring(lua_State *L)
{
    const struct re *re = to_re(L);

    lua_pushliteral(L, "regex ");
    lua_pushlstring(L, re->pattern, re->len);
    lua_concat(L, 2);
    return 1;
}

/* portable(pattern) → whether it means the same to Python's re, and the list
 * of what does not, with the warnings. */
static int regex_portable(lua_State *L)
{
    struct weir_regex_difference d[MAX_DIFFERENCES];
    size_t len;
    const char *pattern = luaL_checklstring(L, 1, &len);
    size_t n = weir_regex_portable(pattern, len, d, MAX_DIFFERENCES);
    bool portable = n <= MAX_DIFFERENCES;

    for (size_t i = 0; i < n && i < MAX_DIFFERENCES; i++)
        portable &= d[i].warning;
    lua_pushboolean(L, portable);
    if (n == 0)
        return 1;
    lua_createtable(L, MAX_DIFFERENCES, 0);
    for (size_t i = 0; i < n && i < MAX_DIFFERENCES; i++) {
        lua_createtable(L, 0, 3);
        lua_pushinteger(L, (lua_Integer)d[i].offset);
        lua_setfield(L, -2, "offset");
        lua_pushstring(L, d[i].message);
        lua_setfield(L, -2, "message");
        lua_pushboolean(L, d[i].warning);
        lua_setfield(L, -2, "warning");
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 2;
}

static const luaL_Reg functions[] = {
    {"compile", regex_compile}, {"portable", regex_portable}, {NULL, NULL}};

static const luaL_Reg methods[] = {
    {"test", re_test}, {"match", re_match}, {"find", re_find}, {NULL, NULL}};

static const luaL_Reg metamethods[] = {{"__tostring", re_tostring},
                                       {"__gc", bind_box_gc},
                                       {"__close", bind_box_gc},
                                       {NULL, NULL}};

int luaopen_weir_regex(lua_State *L)
{
    bind_class(L, regex_type, methods, metamethods);
    luaL_newlib(L, functions);
    return 1;
}
