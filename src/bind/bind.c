#include "bind.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

/* ---- the Lua state's surroundings ---- */

/* Lua copies the main thread's extra space into every new coroutine, so one
 * assignment before the first of them reaches all. */
void bind_context_set(lua_State *L, struct bind_context *context)
{
    *(struct bind_context **)lua_getextraspace(L) = context;
}

struct bind_context *bind_context(lua_State *L)
{
    return *(struct bind_context **)lua_getextraspace(L);
}

/* ---- modules ---- */

static const struct {
    const char *noun;
    lua_CFunction open;
} nouns[] = {
    {"json", luaopen_weir_json},     {"yaml", luaopen_weir_yaml},
    {"regex", luaopen_weir_regex},   {"filter", luaopen_weir_filter},
    {"http", luaopen_weir_http},     {"auth", luaopen_weir_auth},
    {"client", luaopen_weir_client}, {"page", luaopen_weir_page},
    {"etag", luaopen_weir_etag},     {"poll", luaopen_weir_poll},
    {"task", luaopen_weir_task},     {"log", luaopen_weir_log},
    {"err", luaopen_weir_err},       {"text", luaopen_weir_text},
    {"secret", luaopen_weir_secret}, {"needs", luaopen_weir_needs},
};

const struct bind_source *bind_source_find(const char *module)
{
    for (const struct bind_source *s = bind_sources; s->module; s++) {
        if (strcmp(s->module, module) == 0)
            return s;
    }
    return NULL;
}

bool bind_source_is_stub(const struct bind_source *source)
{
    return strncmp(source->module, "meta.", 5) == 0;
}

static int source_ran(lua_State *L, int status, lua_KContext base)
{
    (void)status;
    return lua_gettop(L) - (int)base;
}

/* Compiled code runs on the very release it was compiled by: a chunk's header
 * tells 5.4 from 5.3, no more.  The shared library's own word is asked for by
 * name, as an array that the linker copied would be cut where it grew. */
static bool is_built_with(void)
{
    const char *ident = dlsym(RTLD_DEFAULT, "lua_ident");

    return ident && strstr(ident, LUA_RELEASE " ");
}

static int load_chunk(lua_State *L, const struct bind_source *source,
                      const char *name)
{
    if (source->code && is_built_with())
        return luaL_loadbufferx(L, source->code, source->code_len, name, "b");
    return luaL_loadbufferx(L, source->text, source->len, name, "t");
}

/* The loader of an embedded module; the source is its upvalue.  A chunk name
 * in brackets is how the error report knows frames that are ours. */
static int load_source(lua_State *L)
{
    const struct bind_source *source =
        lua_touserdata(L, lua_upvalueindex(1)); /* light: static memory */
    int base = lua_gettop(L);
    const char *name = lua_pushfstring(L, "=[%s]", source->module);

    if (load_chunk(L, source, name))
        return lua_error(L);
    bind_use_libraries(L, source->module);
    lua_replace(L, base + 1);
    lua_pushstring(L, source->module);
    lua_callk(L, 1, LUA_MULTRET, base, source_ran);
    return source_ran(L, LUA_OK, base);
}

void bind_source_preload(lua_State *L, const struct bind_source *source)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    lua_pushlightuserdata(L, (void *)(uintptr_t)source);
    lua_pushcclosure(L, load_source, 1);
    lua_setfield(L, -2, source->module);
    lua_pop(L, 1);
}

void bind_open(lua_State *L)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    for (size_t i = 0; i < sizeof(nouns) / sizeof(nouns[0]); i++) {
        const char *name = lua_pushfstring(L, "weir.%s", nouns[i].noun);

        if (bind_source_find(name))
            lua_pushfstring(L, "weir.core.%s", nouns[i].noun);
        else
            lua_pushvalue(L, -1);
        lua_pushcfunction(L, nouns[i].open);
        lua_settable(L, -4);
        lua_pop(L, 1);
    }
    lua_pushcfunction(L, luaopen_weir_core);
    lua_setfield(L, -2, "weir.core");
    for (const struct bind_source *s = bind_sources; s->module; s++) {
        if (!bind_source_is_stub(s)) /* read, never run */
            bind_source_preload(L, s);
    }
    lua_pop(L, 1);
}
