/*
 * require, with one addition: the file it loads may wait (connect to a
 * tenant at its top, for one), because its loader is called so that it can
 * yield.  What is searched, and where, stays with package.searchers.
 */
#include "err_internal.h"
#include "scheduler.h"

/* Stack: 1 name, 2 package.loaded, 3 what the searcher said of the loader,
 * 4 the loader's result. */
static int loaded(lua_State *L, int status, lua_KContext ctx)
{
    const char *name = lua_tostring(L, 1);

    (void)status;
    (void)ctx;
    if (lua_isnil(L, 4))
        lua_pop(L, 1);
    else
        lua_setfield(L, 2, name);
    if (lua_getfield(L, 2, name) == LUA_TNIL) {
        lua_pushboolean(L, 1);
        lua_copy(L, -1, -2);
        lua_setfield(L, 2, name);
    }
    lua_pushvalue(L, 3);
    return 2;
}

/* Leaves the loader and its data on top, or raises with every place where
 * the searchers looked. */
static void find_loader(lua_State *L, const char *name)
{
    luaL_Buffer tried;

    if (lua_getfield(L, lua_upvalueindex(1), "searchers") != LUA_TTABLE)
        luaL_error(L, "'package.searchers' must be a table");
    luaL_buffinit(L, &tried);
    for (lua_Integer i = 1;; i++) {
        luaL_addstring(&tried, "\n\t");
        if (lua_rawgeti(L, 3, i) == LUA_TNIL) {
            lua_pop(L, 1);
            luaL_buffsub(&tried, 2);
            luaL_pushresult(&tried);
            bind_where(L);
            lua_pushfstring(L, "%smodule '%s' not found:%s",
                            lua_tostring(L, -1), name, lua_tostring(L, -2));
            lua_error(L);
        }
        lua_pushstring(L, name);
        lua_call(L, 1, 2);
        if (lua_isfunction(L, -2))
            return;
        if (lua_isstring(L, -2)) {
            lua_pop(L, 1);
            luaL_addvalue(&tried);
        } else {
            lua_pop(L, 2);
            luaL_buffsub(&tried, 2);
        }
    }
}

static int require(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);

    lua_settop(L, 1);
    lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_getfield(L, 2, name);
    if (lua_toboolean(L, -1))
        return 1;
    lua_pop(L, 1);
    find_loader(L, name);
    lua_insert(L, 3);
    lua_insert(L, 4);
    lua_settop(L, 4);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 3);
    lua_callk(L, 2, 1, 0, loaded);
    return loaded(L, LUA_OK, 0);
}

void bind_require_open(lua_State *L)
{
    lua_getglobal(L, "package");
    lua_pushcclosure(L, require, 1);
    lua_setglobal(L, "require");
}
