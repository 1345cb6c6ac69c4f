/* The table library of confined scripts.  What Lua's own does in one loop, as
 * long as a __len says, these do in one that can be stopped. */
#include "sandbox.h"

#include <limits.h>

#include <lualib.h>

#include "budgets.h"

static void step(lua_State *L, lua_Integer i)
{
    if ((i & 0x3FF) == 0)
        bind_budgets_check(L);
}

/* A table, or what a metatable makes one: that is for lua_geti to find out. */
static lua_Integer check_list(lua_State *L)
{
    if (lua_type(L, 1) != LUA_TTABLE) {
        if (luaL_getmetafield(L, 1, "__index") == LUA_TNIL)
            luaL_checktype(L, 1, LUA_TTABLE);
        lua_pop(L, 1);
    }
    bind_budgets_check(L);
    return luaL_len(L, 1);
}

static int table_insert(lua_State *L)
{
    lua_Integer end, at;
    int n = lua_gettop(L);

    if (n != 2 && n != 3)
        return luaL_error(L, "wrong number of arguments to 'insert'");
    end = (lua_Integer)((lua_Unsigned)check_list(L) + 1);
    lua_settop(L, n);
    at = n == 2 ? end : luaL_checkinteger(L, 2);
    luaL_argcheck(L, (lua_Unsigned)at - 1u < (lua_Unsigned)end, 2,
                  "position out of bounds");
    for (lua_Integer i = end; i > at; i--) {
        step(L, i);
        lua_geti(L, 1, i - 1);
        lua_seti(L, 1, i);
    }
    lua_seti(L, 1, at);
    return 0;
}

static int table_remove(lua_State *L)
{
    lua_Integer len = check_list(L), at = luaL_optinteger(L, 2, len);

    lua_settop(L, 2);
    if (at != len)
        luaL_argcheck(L, (lua_Unsigned)at - 1u <= (lua_Unsigned)len, 1,
                      "position out of bounds");
    lua_geti(L, 1, at);
    for (; at < len; at++) {
        step(L, at);
        lua_geti(L, 1, at + 1);
        lua_seti(L, 1, at);
    }
    lua_pushnil(L);
    lua_seti(L, 1, at);
    return 1;
}

static int table_move(lua_State *L)
{
    lua_Integer from = luaL_checkinteger(L, 2), end = luaL_checkinteger(L, 3),
                to = luaL_checkinteger(L, 4), n;
    int into = lua_isnoneornil(L, 5) ? 1 : 5;

    luaL_checkany(L, 1);
    lua_settop(L, 5);
    if (end >= from) {
        luaL_argcheck(L, from > 0 || end < LUA_MAXINTEGER + from, 3,
                      "too many elements to move");
        n = end - from + 1;
        luaL_argcheck(L, to <= LUA_MAXINTEGER - n + 1, 4,
                      "destination wrap around");
        if (to > end || to <= from ||
            (into != 1 && !lua_compare(L, 1, into, LUA_OPEQ))) {
            for (lua_Integer i = 0; i < n; i++) {
                step(L, i);
                lua_geti(L, 1, from + i);
                lua_seti(L, into, to + i);
            }
        } else {
            for (lua_Integer i = n - 1; i >= 0; i--) {
                step(L, i);
                lua_geti(L, 1, from + i);
                lua_seti(L, into, to + i);
            }
        }
    }
    lua_pushvalue(L, into);
    return 1;
}

static void add_element(lua_State *L, luaL_Buffer *out, lua_Integer i)
{
    step(L, i);
    lua_geti(L, 1, i);
    if (!lua_isstring(L, -1))
        luaL_error(L, "invalid value (%s) at index %I in table for 'concat'",
                   luaL_typename(L, -1), (LUAI_UACINT)i);
    luaL_addvalue(out);
}

static int table_concat(lua_State *L)
{
    lua_Integer end = check_list(L), i;
    size_t len;
    const char *separator = luaL_optlstring(L, 2, "", &len);
    luaL_Buffer out;

    i = luaL_optinteger(L, 3, 1);
    end = luaL_optinteger(L, 4, end);
    lua_settop(L, 4);
    luaL_buffinit(L, &out);
    for (; i < end; i++) {
        add_element(L, &out, i);
        luaL_addlstring(&out, separator, len);
    }
    if (i == end)
        add_element(L, &out, i);
    luaL_pushresult(&out);
    return 1;
}

static int table_unpack(lua_State *L)
{
    lua_Integer from = luaL_optinteger(L, 2, 1);
    lua_Integer end =
        lua_isnoneornil(L, 3) ? luaL_len(L, 1) : luaL_checkinteger(L, 3);
    lua_Unsigned n;

    bind_budgets_check(L);
    if (from > end)
        return 0;
    n = (lua_Unsigned)end - (lua_Unsigned)from;
    if (n >= INT_MAX || !lua_checkstack(L, (int)++n))
        return luaL_error(L, "too many results to unpack");
    for (; from < end; from++)
        lua_geti(L, 1, from);
    lua_geti(L, 1, end);
    return (int)n;
}

/* ---- sort: a heap, whose loops no order function can lead astray ---- */

static bool is_less(lua_State *L, int a, int b)
{
    bool less;

    a = lua_absindex(L, a);
    b = lua_absindex(L, b);
    if (lua_isnil(L, 2))
        return lua_compare(L, a, b, LUA_OPLT);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, a);
    lua_pushvalue(L, b);
    lua_call(L, 2, 1);
    less = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return less;
}

/* The value on top, which it takes, goes to place `i` of a heap of `n` or
 * further down. */
static void sift(lua_State *L, lua_Integer i, lua_Integer n)
{
    lua_Integer child;

    for (; (child = 2 * i) <= n; i = child) {
        step(L, child);
        lua_geti(L, 1, child);
        if (child < n) {
            lua_geti(L, 1, child + 1);
            if (is_less(L, -2, -1)) {
                lua_remove(L, -2);
                child++;
            } else {
                lua_pop(L, 1);
            }
        }
        if (!is_less(L, -2, -1)) {
            lua_pop(L, 1);
            break;
        }
        lua_seti(L, 1, i);
    }
    lua_seti(L, 1, i);
}

static int table_sort(lua_State *L)
{
    lua_Integer n = check_list(L);

    if (n < 2)
        return 0;
    luaL_argcheck(L, n < INT_MAX, 1, "array too big");
    if (!lua_isnoneornil(L, 2))
        luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 2);
    for (lua_Integer i = n / 2; i >= 1; i--) {
        step(L, i);
        lua_geti(L, 1, i);
        sift(L, i, n);
    }
    for (; n > 1; n--) {
        step(L, n);
        lua_geti(L, 1, n);
        lua_geti(L, 1, 1);
        lua_seti(L, 1, n);
        sift(L, 1, n - 1);
    }
    return 0;
}

void host_sandbox_table(lua_State *L, int globals)
{
    static const char *const names[] = {"pack", NULL};
    static const luaL_Reg own[] = {
        {"concat", table_concat},
        {"insert", table_insert},
        {"move", table_move},
        {"remove", table_remove},
        {"sort", table_sort},
        {"unpack", table_unpack},
        {NULL, NULL},
    };

    lua_newtable(L);
    host_sandbox_copy(L, LUA_TABLIBNAME, names);
    luaL_setfuncs(L, own, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, globals, LUA_TABLIBNAME);
    host_sandbox_share(L, LUA_TABLIBNAME);
}
