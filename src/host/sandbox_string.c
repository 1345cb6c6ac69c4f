/* The string library of confined scripts: what takes long can be stopped. */
#include "sandbox.h"

#include <string.h>

#include <lualib.h>

#include "budgets.h"
#include "sandbox_pattern.h"

/* string.pack fills a field "c123" byte by byte. */
#define MAX_FIELD ((size_t)16 << 20)

/* ---- arguments ---- */

/* As Lua reads a start: negative counts from the end; in 0 … len. */
static size_t start_of(lua_Integer init, size_t len)
{
    if (init > 0)
        return (size_t)init - 1 > len ? len + 1 : (size_t)init - 1;
    if (init == 0 || init < -(lua_Integer)len)
        return 0;
    return len - (size_t)-init;
}

/* The subject and the pattern at indices 1 and 2. */
static void begin(lua_State *L, struct sandbox_match *m, const char **pattern)
{
    size_t len, pattern_len;

    bind_budgets_check(L);
    m->L = L;
    m->text = luaL_checklstring(L, 1, &len);
    m->text_end = m->text + len;
    *pattern = luaL_checklstring(L, 2, &pattern_len);
    m->pattern_end = *pattern + pattern_len;
    m->steps = 0;
}

static const char *match_from(struct sandbox_match *m, const char *at,
                              const char *pattern)
{
    m->depth = m->n = 0;
    return sandbox_match_at(m, at, pattern);
}

/* ---- find and match ---- */

static bool is_plain(const char *pattern, const char *end)
{
    for (; pattern < end; pattern++) {
        if (*pattern && strchr("^$*+?.([%-", *pattern))
            return false;
    }
    return true;
}

static int find_plain(lua_State *L, const struct sandbox_match *m,
                      const char *from, const char *pattern)
{
    size_t len = (size_t)(m->pattern_end - pattern);
    const char *found =
        memmem(from, (size_t)(m->text_end - from), pattern, len);

    if (!found) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushinteger(L, found - m->text + 1);
    lua_pushinteger(L, found - m->text + (lua_Integer)len);
    return 2;
}

static int search(lua_State *L, bool find)
{
    struct sandbox_match m;
    const char *pattern, *at, *end;
    bool anchored;
    size_t start;

    begin(L, &m, &pattern);
    start = start_of(luaL_optinteger(L, 3, 1), (size_t)(m.text_end - m.text));
    if (start > (size_t)(m.text_end - m.text)) {
        lua_pushnil(L);
        return 1;
    }
    at = m.text + start;
    if (find && (lua_toboolean(L, 4) || is_plain(pattern, m.pattern_end)))
        return find_plain(L, &m, at, pattern);
    anchored = pattern < m.pattern_end && *pattern == '^';
    do {
        end = match_from(&m, at, pattern + anchored);
        if (end && find) {
            lua_pushinteger(L, at - m.text + 1);
            lua_pushinteger(L, end - m.text);
            return 2 + sandbox_push_captures(&m, false, at, end);
        }
        if (end)
            return sandbox_push_captures(&m, true, at, end);
    } while (!anchored && at++ < m.text_end);
    lua_pushnil(L);
    return 1;
}

static int string_find(lua_State *L)
{
    return search(L, true);
}

static int string_match(lua_State *L)
{
    return search(L, false);
}

/* ---- gmatch ---- */

/* Upvalues: subject, pattern, where to go on, the end of the last match (an
 * empty one there would be found again and again). */
static int gmatch_next(lua_State *L)
{
    struct sandbox_match m;
    const char *pattern, *last = NULL;
    size_t at;

    lua_settop(L, 0);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushvalue(L, lua_upvalueindex(2));
    begin(L, &m, &pattern);
    at = (size_t)lua_tointeger(L, lua_upvalueindex(3));
    if (!lua_isnil(L, lua_upvalueindex(4)))
        last = m.text + lua_tointeger(L, lua_upvalueindex(4));
    for (; at <= (size_t)(m.text_end - m.text); at++) {
        const char *end = match_from(&m, m.text + at, pattern);

        if (!end || end == last)
            continue;
        lua_pushinteger(L, end - m.text);
        lua_copy(L, -1, lua_upvalueindex(3));
        lua_replace(L, lua_upvalueindex(4));
        return sandbox_push_captures(&m, true, m.text + at, end);
    }
    lua_pushinteger(L, (lua_Integer)at);
    lua_replace(L, lua_upvalueindex(3));
    return 0;
}

static int string_gmatch(lua_State *L)
{
    size_t len;
    lua_Integer init = luaL_optinteger(L, 3, 1);

    luaL_checklstring(L, 1, &len);
    luaL_checkstring(L, 2);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_pushinteger(L, (lua_Integer)start_of(init, len));
    lua_pushnil(L);
    lua_pushcclosure(L, gmatch_next, 4);
    return 1;
}

/* ---- gsub ---- */

/* The replacement string at 3, with its "%1". */
static void add_template(struct sandbox_match *m, luaL_Buffer *out,
                         const char *at, const char *end)
{
    lua_State *L = m->L;
    size_t len;
    const char *text = lua_tolstring(L, 3, &len);

    for (size_t i = 0; i < len; i++) {
        if (text[i] != '%') {
            luaL_addchar(out, text[i]);
            continue;
        }
        i++;
        if (i < len && text[i] == '%') {
            luaL_addchar(out, '%');
        } else if (i < len && text[i] == '0') {
            luaL_addlstring(out, at, (size_t)(end - at));
        } else if (i < len && text[i] >= '1' && text[i] <= '9') {
            sandbox_push_capture(m, text[i] - '1', at, end);
            luaL_tolstring(L, -1, NULL); /* a position is a number */
            lua_remove(L, -2);
            luaL_addvalue(out);
        } else {
            luaL_error(L, "invalid use of '%%' in replacement string");
        }
    }
}

/* Adds what replaces the match; false if that is the match itself. */
static bool add_replacement(struct sandbox_match *m, luaL_Buffer *out,
                            const char *at, const char *end)
{
    lua_State *L = m->L;

    switch (lua_type(L, 3)) {
    case LUA_TFUNCTION:
        lua_pushvalue(L, 3);
        lua_call(L, sandbox_push_captures(m, true, at, end), 1);
        break;
    case LUA_TTABLE:
        sandbox_push_capture(m, 0, at, end);
        lua_gettable(L, 3);
        break;
    default: add_template(m, out, at, end); return true;
    }
    if (!lua_toboolean(L, -1)) {
        lua_pop(L, 1);
        luaL_addlstring(out, at, (size_t)(end - at));
        return false;
    }
    if (!lua_isstring(L, -1))
        luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
    luaL_addvalue(out);
    return true;
}

static int string_gsub(lua_State *L)
{
    struct sandbox_match m;
    const char *pattern, *at, *last = NULL;
    int type = lua_type(L, 3);
    lua_Integer most, n = 0;
    bool anchored, changed = false;
    luaL_Buffer out;

    begin(L, &m, &pattern);
    luaL_argexpected(L,
                     type == LUA_TNUMBER || type == LUA_TSTRING ||
                         type == LUA_TFUNCTION || type == LUA_TTABLE,
                     3, "string/function/table");
    most = luaL_optinteger(L, 4, m.text_end - m.text + 1);
    anchored = pattern < m.pattern_end && *pattern == '^';
    luaL_buffinit(L, &out);
    at = m.text;
    while (n < most) {
        const char *end = match_from(&m, at, pattern + anchored);

        if (end && end != last) {
            n++;
            changed = add_replacement(&m, &out, at, end) || changed;
            at = last = end;
        } else if (at < m.text_end) {
            luaL_addchar(&out, *at++);
        } else {
            break;
        }
        if (anchored)
            break;
    }
    if (changed) {
        luaL_addlstring(&out, at, (size_t)(m.text_end - at));
        luaL_pushresult(&out);
    } else {
        lua_pushvalue(L, 1);
    }
    lua_pushinteger(L, n);
    return 2;
}

/* ---- Lua's own, within bounds; upvalue 1 is the original ---- */

static int call_original(lua_State *L)
{
    bind_budgets_check(L);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

/* Lua's counts to n even where nothing comes of it. */
static int string_rep(lua_State *L)
{
    size_t len, separator = 0;

    luaL_checklstring(L, 1, &len);
    luaL_checkinteger(L, 2);
    luaL_optlstring(L, 3, "", &separator);
    if (len + separator == 0) {
        lua_pushliteral(L, "");
        return 1;
    }
    return call_original(L);
}

static int string_pack(lua_State *L)
{
    for (const char *f = luaL_checkstring(L, 1); *f; f++) {
        size_t len = 0;

        if (*f != 'c')
            continue;
        while (f[1] >= '0' && f[1] <= '9' && len <= MAX_FIELD)
            len = len * 10 + (size_t)(*++f - '0');
        if (len > MAX_FIELD)
            return luaL_error(L, "string.pack: a field of more than %d MiB",
                              (int)(MAX_FIELD >> 20));
    }
    return call_original(L);
}

static void wrap(lua_State *L, const char *name, lua_CFunction fn)
{
    host_sandbox_original(L, LUA_STRLIBNAME);
    lua_getfield(L, -1, name);
    lua_pushcclosure(L, fn, 1);
    lua_setfield(L, -3, name);
    lua_pop(L, 1);
}

void host_sandbox_string(lua_State *L, int globals)
{
    /* No dump: nobody here takes bytecode. */
    static const char *const names[] = {"char", "len", NULL};
    static const char *const linear[] = {"byte",     "format",  "lower",
                                         "packsize", "reverse", "sub",
                                         "unpack",   "upper",   NULL};
    static const luaL_Reg own[] = {
        {"find", string_find}, {"gmatch", string_gmatch},
        {"gsub", string_gsub}, {"match", string_match},
        {NULL, NULL},
    };

    lua_newtable(L);
    host_sandbox_copy(L, LUA_STRLIBNAME, names);
    luaL_setfuncs(L, own, 0);
    for (const char *const *name = linear; *name; name++)
        wrap(L, *name, call_original);
    wrap(L, "rep", string_rep);
    wrap(L, "pack", string_pack);
    lua_pushvalue(L, -1);
    lua_setfield(L, globals, LUA_STRLIBNAME);
    host_sandbox_share(L, LUA_STRLIBNAME);
}
