/*
 * libraries: what our own Lua modules stand on.
 *
 * A script shares its state with them, and may do with string.format, pcall
 * or the metatable of strings what it likes: they have copies, taken before
 * it runs.  Method calls on strings go through that metatable, which cannot
 * be copied, so our modules make none.
 */
#include <string.h>

#include "bind.h"

static const char libraries_key; /* the globals of our own modules */
static const char whole_key;     /* those of the modules that are the host's */

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

void bind_divide_libraries(lua_State *L)
{
    int whole;

    lua_rawgetp(L, LUA_REGISTRYINDEX, &libraries_key);
    whole = lua_gettop(L);
    /* The script's globals are to be nobody else's. */
    lua_pushnil(L);
    lua_setmetatable(L, whole);
    push_copy(L);
    lua_pushnil(L);
    lua_setfield(L, -2, LUA_GNAME);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &libraries_key);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &whole_key);
}

void bind_push_libraries(lua_State *L, bool whole)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, whole ? &whole_key : &libraries_key);
}

/* The session reads and writes files that somebody at the keyboard names; no
 * script can require it. */
static bool is_host(const char *module)
{
    return strncmp(module, "weir.repl", sizeof("weir.repl") - 1) == 0 ||
           strcmp(module, "weir.source") == 0;
}

void bind_use_libraries(lua_State *L, const char *module)
{
    bind_push_libraries(L, is_host(module));
    if (lua_isnil(L, -1)) { /* not divided */
        lua_pop(L, 1);
        bind_push_libraries(L, false);
    }
    if (lua_isnil(L, -1))
        lua_pop(L, 1);
    else
        lua_setupvalue(L, -2, 1); /* its _ENV */
}

void bind_require(lua_State *L, const char *module)
{
    bind_push_libraries(L, true);
    if (lua_isnil(L, -1)) { /* not divided */
        lua_pop(L, 1);
        lua_pushglobaltable(L);
    }
    lua_getfield(L, -1, "require");
    lua_remove(L, -2);
    lua_pushstring(L, module);
    lua_call(L, 1, 1);
}
