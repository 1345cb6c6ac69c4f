#include "bridge_state.h"

#include <stdbool.h>

#include <lauxlib.h>

static struct state *state_of(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

static int fail(lua_State *L, struct weir_err *err)
{
    lua_pushnil(L);
    lua_pushstring(L, err->message);
    weir_err_clear(err);
    return 2;
}

/* ---- items ---- */

struct reading {
    lua_State *L;
    lua_Integer n;
};

/* Pushes one item onto the list at index 2: a protected call of its own,
 * since Lua must not leave SQLite's rows by a longjmp. */
static int push_item(lua_State *L)
{
    const char *kind = lua_touserdata(L, 1);
    const struct state_key *key = lua_touserdata(L, 2);
    const char *value = lua_touserdata(L, 3);
    size_t len = (size_t)lua_tointeger(L, 4);
    lua_Integer n = lua_tointeger(L, 5);

    lua_pushstring(L, kind);
    lua_rawseti(L, 6, n + 1);
    if (key->text)
        lua_pushlstring(L, key->text, key->len);
    else
        lua_pushinteger(L, (lua_Integer)key->number);
    lua_rawseti(L, 6, n + 2);
    lua_pushlstring(L, value, len);
    lua_rawseti(L, 6, n + 3);
    return 0;
}

static bool take_item(void *ud, const char *kind, const struct state_key *key,
                      const char *value, size_t len)
{
    struct reading *reading = ud;
    lua_State *L = reading->L;

    lua_pushcfunction(L, push_item);
    lua_pushlightuserdata(L, (void *)kind);
    lua_pushlightuserdata(L, (void *)key);
    lua_pushlightuserdata(L, (void *)value);
    lua_pushinteger(L, (lua_Integer)len);
    lua_pushinteger(L, reading->n);
    lua_pushvalue(L, 1);
    reading->n += 3;
    return lua_pcall(L, 6, 0, 0) == LUA_OK;
}

static int items(lua_State *L)
{
    struct weir_err err = WEIR_ERR_INIT;
    struct reading reading = {L, 0};

    lua_settop(L, 0);
    luaL_checkstack(L, 16, NULL);
    lua_newtable(L);
    if (state_each(state_of(L), take_item, &reading, &err))
        return fail(L, &err);
    if (lua_gettop(L) > 1) /* the error of a protected call */
        return lua_error(L);
    return 1;
}

/* ---- commit ---- */

/* The change that starts at the list's i-th element.  Nothing here raises:
 * all three are on the stack, and what they are was checked. */
static enum weir_code change(lua_State *L, lua_Integer i, struct weir_err *err)
{
    struct state *state = state_of(L);
    struct state_key key = {.text = NULL};
    enum weir_code code;
    const char *kind, *value;
    size_t len;

    lua_rawgeti(L, 2, i);
    lua_rawgeti(L, 2, i + 1);
    lua_rawgeti(L, 2, i + 2);
    kind = lua_tostring(L, -3);
    if (lua_isinteger(L, -2))
        key.number = (int64_t)lua_tointeger(L, -2);
    else
        key.text = lua_tolstring(L, -2, &key.len);
    value = lua_isstring(L, -1) ? lua_tolstring(L, -1, &len) : NULL;
    code = value ? state_put(state, kind, &key, value, len, err)
                 : state_drop(state, kind, &key, err);
    lua_pop(L, 3);
    return code;
}

static void check_changes(lua_State *L, lua_Integer n)
{
    luaL_argcheck(L, n % 3 == 0, 2, "not in threes");
    for (lua_Integer i = 1; i <= n; i += 3) {
        lua_rawgeti(L, 2, i);
        lua_rawgeti(L, 2, i + 1);
        lua_rawgeti(L, 2, i + 2);
        luaL_argcheck(
            L,
            lua_type(L, -3) == LUA_TSTRING &&
                (lua_isinteger(L, -2) || lua_type(L, -2) == LUA_TSTRING) &&
                (lua_type(L, -1) == LUA_TSTRING || lua_isboolean(L, -1)),
            2, "not an item");
        lua_pop(L, 3);
    }
}

static int commit(lua_State *L)
{
    struct weir_err err = WEIR_ERR_INIT;
    struct state *state = state_of(L);
    lua_Integer n = luaL_len(L, 2);
    enum weir_code code;

    check_changes(L, n);
    code = state_begin(state, &err);
    if (code == WEIR_OK && lua_toboolean(L, 1))
        code = state_clear(state, &err);
    for (lua_Integer i = 1; i <= n && code == WEIR_OK; i += 3)
        code = change(L, i, &err);
    if (code == WEIR_OK)
        code = state_commit(state, &err);
    if (code)
        return fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

void bridge_state_push(lua_State *L, struct state *state)
{
    static const luaL_Reg functions[] = {
        {"items", items}, {"commit", commit}, {NULL, NULL}};

    luaL_newlibtable(L, functions);
    lua_pushlightuserdata(L, state);
    luaL_setfuncs(L, functions, 1);
}
