#include "sandbox.h"

#include <lualib.h>

#include "scheduler.h"

void host_sandbox_original(lua_State *L, const char *library)
{
    bind_push_libraries(L, true);
    if (*library) {
        lua_pushstring(L, library);
        lua_rawget(L, -2);
        lua_remove(L, -2);
    }
}

void host_sandbox_copy(lua_State *L, const char *library,
                       const char *const *names)
{
    int into = lua_gettop(L);

    host_sandbox_original(L, library);
    for (const char *const *name = names; *name; name++) {
        lua_pushstring(L, *name);
        lua_pushvalue(L, -1);
        lua_rawget(L, into + 1);
        lua_rawset(L, into);
    }
    lua_settop(L, into);
}

/* Copies the fields of the table at `from` into the one on top. */
static void copy_fields(lua_State *L, int from)
{
    int into = lua_gettop(L);

    for (lua_pushnil(L); lua_next(L, from);) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, into);
    }
}

void host_sandbox_share(lua_State *L, const char *library)
{
    int from = lua_gettop(L);

    bind_push_libraries(L, false);
    lua_newtable(L);
    copy_fields(L, from);
    lua_setfield(L, -2, library);
    lua_settop(L, from - 1);
}

/* Methods of strings, in a table that no script can reach: they are the
 * script's, and ours make no use of them (bind/libraries.c). */
static void lock_strings(lua_State *L, int globals)
{
    lua_pushliteral(L, "");
    lua_getmetatable(L, -1);
    lua_getfield(L, globals, LUA_STRLIBNAME);
    lua_newtable(L);
    copy_fields(L, lua_gettop(L) - 1);
    lua_setfield(L, -3, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -3, "__metatable");
    lua_pop(L, 3);
}

/* Where loading names its globals, and where package.loaded begins. */
static void put_globals(lua_State *L, int globals)
{
    lua_pushvalue(L, globals);
    lua_setfield(L, globals, LUA_GNAME);
    lua_pushvalue(L, globals);
    lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    /* What our own modules take for the globals: only the session asks. */
    bind_push_libraries(L, true);
    lua_pushvalue(L, globals);
    lua_setfield(L, -2, LUA_GNAME);
    lua_pop(L, 1);
}

void host_sandbox_open(lua_State *L, const char *folder,
                       void (*strict)(lua_State *L))
{
    int globals;

    bind_divide_libraries(L);
    bind_confined_xpcall_open(L);
    lua_newtable(L);
    globals = lua_gettop(L);
    host_sandbox_base(L, globals);
    host_sandbox_string(L, globals);
    host_sandbox_table(L, globals);
    host_sandbox_files(L, globals);
    host_sandbox_modules(L, globals, folder, strict);
    lock_strings(L, globals);
    put_globals(L, globals);
    lua_settop(L, globals - 1);
}
