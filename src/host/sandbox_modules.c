/*
 * Modules of confined scripts: package and require.
 *
 * What has been loaded for a script is not what has been loaded for us: of
 * our modules it gets views, tables of its own with the same functions.  A
 * script that puts something else into one changes what it sees itself.
 */
#include "sandbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <lualib.h>

#include "report.h"
#include "scheduler.h"
#include "weir/dir.h"

/* Registry keys: our tables and their views, both weak. */
static const char views_key;
/* The `package` that require uses; the script's own has no searchers. */
static const char package_key;

enum { PRELOADED = 1, OURS, BESIDE };

/* ---- views ---- */

static void push_view(lua_State *L);

/* view_index(view, key): what our table finds by its own metamethod. */
static int view_index(lua_State *L)
{
    lua_settop(L, 2);
    lua_pushvalue(L, 2);
    lua_gettable(L, lua_upvalueindex(1));
    if (lua_istable(L, -1))
        push_view(L);
    if (!lua_isnil(L, -1)) {
        lua_pushvalue(L, 2);
        lua_pushvalue(L, -2);
        lua_rawset(L, 1);
    }
    return 1;
}

static int called(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    (void)ctx;
    return lua_gettop(L);
}

static int view_call(lua_State *L)
{
    /* Its own __call is given it once more. */
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_replace(L, 1);
    lua_callk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, called);
    return called(L, LUA_OK, 0);
}

static void put_metamethod(lua_State *L, int source, const char *name,
                           lua_CFunction fn)
{
    if (luaL_getmetafield(L, source, name) == LUA_TNIL)
        return;
    lua_pop(L, 1);
    lua_pushvalue(L, source);
    lua_pushcclosure(L, fn, 1);
    lua_setfield(L, -2, name);
}

/* The view is on top. */
static void put_metatable(lua_State *L, int source)
{
    if (!lua_getmetatable(L, source))
        return;
    lua_pop(L, 1);
    lua_newtable(L);
    put_metamethod(L, source, "__index", view_index);
    put_metamethod(L, source, "__call", view_call);
    if (luaL_getmetafield(L, source, "__name") != LUA_TNIL)
        lua_setfield(L, -2, "__name");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
}

static void fill_view(lua_State *L, int source, int view)
{
    for (lua_pushnil(L); lua_next(L, source);) {
        luaL_checkstack(L, 8, "a module of too many levels");
        if (lua_istable(L, -1))
            push_view(L);
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, view);
    }
}

/* Replaces the table on top by its view: the same one each time. */
static void push_view(lua_State *L)
{
    int source = lua_gettop(L), views = source + 1, view = source + 2;

    luaL_checkstack(L, 10, NULL);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &views_key);
    lua_pushvalue(L, source);
    if (lua_rawget(L, views) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, source);
        lua_pushvalue(L, view);
        lua_rawset(L, views);
        fill_view(L, source, view);
        put_metatable(L, source);
    }
    lua_replace(L, source);
    lua_settop(L, source);
}

/* ---- searchers ---- */

static int search_preloaded(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);

    lua_pushvalue(L, lua_upvalueindex(1)); /* package.preload */
    if (lua_getfield(L, -1, name) == LUA_TNIL) {
        lua_pushfstring(L, "no field package.preload['%s']", name);
        return 1;
    }
    lua_pushliteral(L, ":preload:");
    return 2;
}

/* Calls the host's own require with the name on top, which it takes. */
static void call_require(lua_State *L)
{
    host_sandbox_original(L, "require");
    lua_insert(L, -2);
    lua_call(L, 1, 1);
}

/* Modules of ours are for scripts if weir.modules says so. */
static bool is_public(lua_State *L, const char *name)
{
    static const char prefix[] = "weir.";
    int top = lua_gettop(L);
    bool public = strcmp(name, "weir") == 0 || strcmp(name, "cxone") == 0;

    if (public || strncmp(name, prefix, sizeof(prefix) - 1) != 0)
        return public;
    name += sizeof(prefix) - 1;
    lua_pushliteral(L, "weir.modules");
    call_require(L);
    for (lua_Integer i = 1;
         !public && lua_rawgeti(L, top + 1, i) == LUA_TSTRING; i++) {
        public = strcmp(lua_tostring(L, -1), name) == 0;
        lua_pop(L, 1);
    }
    lua_settop(L, top);
    return public;
}

static int load_ours(lua_State *L)
{
    lua_settop(L, 1);
    call_require(L);
    if (lua_istable(L, -1))
        push_view(L);
    return 1;
}

static int search_ours(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);

    if (!is_public(L, name)) {
        lua_pushfstring(L, "no module of weir '%s'", name);
        return 1;
    }
    lua_pushcfunction(L, load_ours);
    lua_pushliteral(L, ":weir:");
    return 2;
}

struct beside {
    void (*strict)(lua_State *L);
    char *folder; /* absolute; NULL where there is none */
};

static void beside_fini(void *memory)
{
    free(((struct beside *)memory)->folder);
}

static void close_file(void *memory)
{
    FILE **file = memory;

    if (*file)
        fclose(*file);
}

/* Pushes the module's function and its path and returns true; or pushes why
 * it is not there. */
static bool load_beside(lua_State *L, const struct beside *beside,
                        const char *path)
{
    FILE **file = bind_box(L, sizeof(FILE *), close_file);
    struct weir_err err = WEIR_ERR_INIT;
    int fd;

    if (weir_dir_open(bind_context(L)->dir, beside->folder, path, WEIR_DIR_READ,
                      &fd, &err)) {
        if (err.code == WEIR_IO && (errno == ENOENT || errno == ENOTDIR))
            lua_pushfstring(L, "no file '%s'", path);
        else
            lua_pushfstring(L, "cannot open %s", err.message);
        weir_err_clear(&err);
        return false;
    }
    *file = fdopen(fd, "r");
    host_report_show(L, path);
    if (host_sandbox_load_text(L, *file, lua_pushfstring(L, "@%s", path)))
        luaL_error(L, "cannot load module '%s':\n\t%s", lua_tostring(L, 1),
                   lua_tostring(L, -1));
    beside->strict(L);
    lua_pushstring(L, path);
    return true;
}

/* search(name): beneath the script's folder, and nowhere else. */
static int search_beside(lua_State *L)
{
    static const char *const forms[] = {"%s/%s.lua", "%s/%s/init.lua"};
    const struct beside *beside = bind_box_memory(L, lua_upvalueindex(1));
    const char *name = luaL_checkstring(L, 1), *tried = "";

    lua_settop(L, 1);
    if (!beside || !beside->folder)
        return 0;
    name = luaL_gsub(L, name, ".", "/");
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        const char *path = lua_pushfstring(L, forms[i], beside->folder, name);

        if (load_beside(L, beside, path))
            return 2;
        tried =
            i == 0 ? lua_tostring(L, -1)
                   : lua_pushfstring(L, "%s\n\t%s", tried, lua_tostring(L, -1));
    }
    return 1;
}

/* ---- package ---- */

static void push_beside(lua_State *L, const char *folder,
                        void (*strict)(lua_State *L))
{
    struct beside *beside = bind_box(L, sizeof(*beside), beside_fini);

    beside->strict = strict;
    beside->folder = realpath(folder, NULL);
    /* Held from now on, as what was granted is. */
    if (beside->folder)
        weir_dir_root(bind_context(L)->dir, beside->folder, NULL);
    lua_pushcclosure(L, search_beside, 1);
}

/* What require knows as loaded from the beginning: the libraries. */
static void push_loaded(lua_State *L, int globals)
{
    int loaded;

    lua_newtable(L);
    loaded = lua_gettop(L);
    for (lua_pushnil(L); lua_next(L, globals);) {
        if (!lua_istable(L, -1)) {
            lua_pop(L, 1);
            continue;
        }
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, loaded);
    }
    lua_pushvalue(L, globals);
    lua_setfield(L, loaded, LUA_GNAME);
}

/* Where Lua looks for the names of functions, for its messages.  Copies: it
 * goes through all of them, and a script's own globals may be very many. */
static void tell_names(lua_State *L, int loaded)
{
    int names;

    lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    names = lua_gettop(L);
    for (lua_pushnil(L); lua_next(L, loaded); lua_settop(L, names + 1)) {
        lua_newtable(L);
        for (lua_pushnil(L); lua_next(L, names + 2);) {
            lua_pushvalue(L, -2);
            lua_insert(L, -2);
            lua_rawset(L, names + 3);
        }
        lua_pushvalue(L, names + 1);
        lua_insert(L, -2);
        lua_rawset(L, names);
    }
    lua_settop(L, names - 1);
}

void host_sandbox_modules(lua_State *L, int globals, const char *folder,
                          void (*strict)(lua_State *L))
{
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "kv");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &views_key);

    lua_newtable(L); /* the script's */
    lua_newtable(L);
    lua_setfield(L, -2, "preload");
    lua_newtable(L); /* that of require */
    lua_createtable(L, 3, 0);
    lua_getfield(L, -3, "preload");
    lua_pushcclosure(L, search_preloaded, 1);
    lua_rawseti(L, -2, PRELOADED);
    lua_pushcfunction(L, search_ours);
    lua_rawseti(L, -2, OURS);
    push_beside(L, folder, strict);
    lua_rawseti(L, -2, BESIDE);
    lua_setfield(L, -2, "searchers");
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &package_key);

    lua_pushvalue(L, -2);
    lua_setfield(L, globals, LUA_LOADLIBNAME);
    push_loaded(L, globals);
    tell_names(L, lua_gettop(L));
    lua_pushvalue(L, -1);
    lua_setfield(L, -4, "loaded");
    bind_require_push(L);
    lua_setfield(L, globals, "require");
    lua_pop(L, 1);
}

void host_sandbox_set_searcher(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &package_key);
    lua_getfield(L, -1, "searchers");
    lua_pushvalue(L, -3);
    lua_rawseti(L, -2, BESIDE);
    lua_pop(L, 3);
}
