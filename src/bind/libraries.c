/*
 * libraries: what our own Lua modules stand on.
 *
 * A script shares its state with them, and may do with string.format, pcall
 * or the metatable of strings what it likes: they have copies, taken before
 * it runs.  Method calls on strings go through that metatable, which cannot
 * be copied, so our modules make none.
 */
#include "bind.h"

static const char libraries_key; /* the globals of our own modules */

/* Pushes a copy of the table at the top. */
static void push_copy(lua_State *L)
{
    int from = lua_gettop(L);

    lua_newtable(L);
    for (lua_pushnil(L); lua_next(L, from);) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, from + 1);
    }
}

void bind_keep_libraries(lua_State *L)
{
    int top = lua_gettop(L);

    lua_pushglobaltable(L);
    push_copy(L);
    for (lua_pushnil(L); lua_next(L, top + 1); lua_settop(L, top + 3)) {
        if (lua_type(L, -1) != LUA_TTABLE || lua_rawequal(L, -1, top + 1))
            continue;
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        push_copy(L);
        lua_remove(L, -2);
        lua_rawset(L, top + 2);
    }
    /* What is defined later (arg, for one) is found where it is. */
    lua_createtable(L, 0, 1);
    lua_pushvalue(L, top + 1);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, top + 2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &libraries_key);
    lua_settop(L, top);
}

void bind_use_libraries(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &libraries_key) == LUA_TTABLE)
        lua_setupvalue(L, -2, 1); /* its _ENV */
    else
        lua_pop(L, 1);
}
