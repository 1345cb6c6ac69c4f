/* weir.core: what the root module and the Lua faces need of the program. */
#include <stdlib.h>

#include "bind.h"
#include "secret.h"
#include "weir/version.h"

/* misuse(message): raises a caller's mistake at the script's own line,
 * however many of our Lua faces stand between. */
static int core_misuse(lua_State *L)
{
    return bind_misuse(L, "%s", luaL_checkstring(L, 1));
}

/* libraries() → "libcurl/7.88.1 OpenSSL/3.0.19 …".  Asked for, not a field:
 * libcurl asks all of its libraries, and OpenLDAP loads plugins to answer. */
static int core_libraries(lua_State *L)
{
    lua_pushstring(L, weir_version_libraries());
    return 1;
}

/* setting(name) → value, origin: what the host knows as the variable `name`;
 * nil and the origin for a secret, nothing for what it does not know */
static int core_setting(lua_State *L)
{
    const struct bind_context *context = bind_context(L);
    const char *name = luaL_checkstring(L, 1);
    const char *value = NULL, *origin = NULL;
    struct weir_err err = WEIR_ERR_INIT;

    if (!context->setting) {
        value = getenv(name);
        origin = value && *value ? name : NULL;
    } else if (context->setting(name, &value, &origin, &err)) {
        return bind_raise(L, &err);
    }
    if (!origin)
        return 0;
    lua_pushstring(L, value);
    lua_pushstring(L, origin);
    return 2;
}

/* tenant(name, base_url, origin): tells the host where the run connects to */
static int core_tenant(lua_State *L)
{
    const struct bind_context *context = bind_context(L);

    if (context->tenant)
        context->tenant(context->tenant_ud, luaL_checkstring(L, 1),
                        luaL_checkstring(L, 2), luaL_checkstring(L, 3));
    return 0;
}

/* stubs() → the texts of the type stubs by module: {["weir.page"] = "…"} */
static int core_stubs(lua_State *L)
{
    lua_newtable(L);
    for (const struct bind_source *s = bind_sources; s->module; s++) {
        if (!bind_source_is_stub(s))
            continue;
        lua_pushlstring(L, s->text, s->len);
        lua_setfield(L, -2, s->module + sizeof("meta.") - 1);
    }
    return 1;
}

/* chunk(name) → the text of a chunk that is no file of the machine; nil if
 * there is none of that name */
static int core_chunk(lua_State *L)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, BIND_CHUNKS);
    lua_pushstring(L, luaL_checkstring(L, 1));
    if (lua_rawget(L, -2) != LUA_TSTRING)
        lua_pushnil(L);
    return 1;
}

/* modules() → the names, in no order, that `require` finds in the program. */
static int core_modules(lua_State *L)
{
    lua_newtable(L);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        lua_pushvalue(L, -2);
        lua_rawseti(L, 1, (lua_Integer)lua_rawlen(L, 1) + 1);
    }
    lua_settop(L, 1);
    return 1;
}

int luaopen_weir_core(lua_State *L)
{
    const char *sim_url = bind_context(L)->sim_url;

    lua_createtable(L, 0, 12);
    lua_pushcfunction(L, core_misuse);
    lua_setfield(L, -2, "misuse");
    lua_pushcfunction(L, core_setting);
    lua_setfield(L, -2, "setting");
    lua_pushstring(L, bind_context(L)->context);
    lua_setfield(L, -2, "context");
    lua_pushcfunction(L, core_tenant);
    lua_setfield(L, -2, "tenant");
    lua_pushcfunction(L, bind_secret_host);
    lua_setfield(L, -2, "secret");
    lua_pushcfunction(L, core_stubs);
    lua_setfield(L, -2, "stubs");
    lua_pushcfunction(L, core_modules);
    lua_setfield(L, -2, "modules");
    lua_pushcfunction(L, core_chunk);
    lua_setfield(L, -2, "chunk");
    bind_null_push(L);
    lua_setfield(L, -2, "null");
    lua_pushstring(L, weir_version());
    lua_setfield(L, -2, "version");
    lua_pushcfunction(L, core_libraries);
    lua_setfield(L, -2, "libraries");
    if (sim_url) {
        lua_pushstring(L, sim_url);
        lua_setfield(L, -2, "sim_url");
    }
    /* The program's, where there is one that somebody can type at. */
    lua_getfield(L, LUA_REGISTRYINDEX, "weir.breakpoint");
    lua_setfield(L, -2, "breakpoint");
    return 1;
}
