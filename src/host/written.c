#include "written.h"

#include <stdio.h>

#include <lauxlib.h>
#include <lualib.h>

#include "budgets.h"

int host_written_print(lua_State *L)
{
    int n = lua_gettop(L);
    size_t whole = (size_t)n;

    for (int i = 1; i <= n; i++) {
        size_t len;

        luaL_tolstring(L, i, &len);
        lua_replace(L, i);
        whole += len;
    }
    bind_budgets_write(L, whole);
    for (int i = 1; i <= n; i++) {
        size_t len;
        const char *text = lua_tolstring(L, i, &len);

        if (i > 1)
            putc('\t', stdout);
        fwrite(text, 1, len, stdout);
    }
    putc('\n', stdout);
    return 0;
}

/* Counts the arguments from `first` on, then calls Lua's own with all. */
static int count(lua_State *L, int first)
{
    size_t whole = 0;

    for (int i = first; i <= lua_gettop(L); i++) {
        size_t len = 32; /* a number's text is no longer */

        if (lua_type(L, i) == LUA_TSTRING)
            lua_tolstring(L, i, &len);
        else if (lua_type(L, i) != LUA_TNUMBER)
            return luaL_typeerror(L, i, "string"); /* of who was called */
        whole += len;
    }
    bind_budgets_write(L, whole);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

int host_written_io(lua_State *L)
{
    return count(L, 1);
}

int host_written_file(lua_State *L)
{
    luaL_checkudata(L, 1, LUA_FILEHANDLE);
    return count(L, 2);
}

/* Puts `fn`, with the member that it replaces as its upvalue, into the table
 * on top. */
static void put_over(lua_State *L, const char *name, lua_CFunction fn)
{
    lua_getfield(L, -1, name);
    lua_pushcclosure(L, fn, 1);
    lua_setfield(L, -2, name);
}

void host_written_files(lua_State *L)
{
    luaL_getmetatable(L, LUA_FILEHANDLE);
    lua_getfield(L, -1, "__index");
    put_over(L, "write", host_written_file);
    lua_pop(L, 2);
}

void host_written_open(lua_State *L)
{
    const struct bind_budgets *budgets = bind_budgets(L);

    if (!budgets || budgets->max_output == 0)
        return;
    lua_register(L, "print", host_written_print);
    lua_getglobal(L, LUA_IOLIBNAME);
    put_over(L, "write", host_written_io);
    lua_pop(L, 1);
    host_written_files(L);
}
