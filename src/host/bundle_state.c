#include "bundle_state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>
#include <lualib.h>

#include "bind.h"
#include "lua_state.h"
#include "report.h"
#include "weir/permissions.h"

/* Paths as scripts write them. */
#define MAX_PATH 4096

/* ---- names ---- */

/* "deploy.weir": what stands before a file's path in messages. */
static const char *base_name(const struct weir_bundle *bundle)
{
    const char *path = weir_bundle_path(bundle), *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

const char *host_bundle_state_push_chunk(lua_State *L,
                                         const struct weir_bundle *bundle,
                                         const char *path)
{
    return lua_pushfstring(L, "@%s/%s", base_name(bundle), path);
}

/* The file that the path means: as the script writes it, or below its own
 * chunk's name. */
static const struct weir_archive_file *find(const struct weir_bundle *bundle,
                                            const char *path)
{
    const char *base = base_name(bundle);
    size_t base_len = strlen(base);
    const struct weir_archive_file *file = NULL;
    struct weir_buf normal;

    weir_buf_init(&normal, MAX_PATH);
    if (weir_path_normal(&normal, path) == WEIR_OK) {
        const char *text = weir_buf_str(&normal);

        file = weir_bundle_file(bundle, text);
        if (!file && strncmp(text, base, base_len) == 0 &&
            text[base_len] == '/')
            file = weir_bundle_file(bundle, text + base_len + 1);
    }
    weir_buf_fini(&normal);
    return file;
}

static const struct weir_bundle *bundle_of(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

/* ---- Lua text ---- */

static int load_file(lua_State *L, const struct weir_bundle *bundle,
                     const struct weir_archive_file *file)
{
    int status;

    host_bundle_state_push_chunk(L, bundle, file->name);
    status =
        host_state_load_text(L, file->data, file->size, lua_tostring(L, -1));
    lua_remove(L, -2);
    return status;
}

int host_bundle_state_load_main(lua_State *L, const struct weir_bundle *bundle)
{
    const char *path = weir_bundle_manifest(bundle)->main;

    return load_file(L, bundle, weir_bundle_file(bundle, path));
}

/* The searcher of modules: search(name) → loader, its file; or a message. */
static int search(lua_State *L)
{
    static const char *const forms[] = {"%s.lua", "%s/init.lua"};
    const struct weir_bundle *bundle = bundle_of(L);
    const char *name = luaL_checkstring(L, 1);
    const char *slashed = luaL_gsub(L, name, ".", "/");

    for (int i = 0; i < 2; i++) {
        const char *path =
            lua_pushfstring(L, i == 0 ? forms[0] : forms[1], slashed);
        const struct weir_archive_file *file = weir_bundle_file(bundle, path);

        if (!file)
            continue;
        if (load_file(L, bundle, file))
            return luaL_error(L, "cannot load module '%s':\n\t%s", name,
                              lua_tostring(L, -1));
        host_bundle_state_push_chunk(L, bundle, path);
        lua_pushstring(L, lua_tostring(L, -1) + 1);
        lua_remove(L, -2);
        return 2;
    }
    lua_pushfstring(L,
                    "no file '%s.lua' and no file '%s/init.lua' in the bundle; "
                    "weir bundle create takes it in with --include",
                    slashed, slashed);
    return 1;
}

/* loadfile(path [, mode [, env]]) → function; or nil, message */
static int load_of_path(lua_State *L)
{
    const struct weir_bundle *bundle = bundle_of(L);
    const char *path = luaL_checkstring(L, 1);
    const struct weir_archive_file *file = find(bundle, path);
    bool has_env = !lua_isnone(L, 3);

    if (!file) {
        lua_pushnil(L);
        lua_pushfstring(
            L, "cannot open %s: there is no such file in the bundle", path);
        return 2;
    }
    if (load_file(L, bundle, file)) {
        lua_pushnil(L);
        lua_insert(L, -2);
        return 2;
    }
    if (has_env) {
        lua_pushvalue(L, 3);
        if (!lua_setupvalue(L, -2, 1))
            lua_pop(L, 1);
    }
    return 1;
}

static int do_done(lua_State *L, int status, lua_KContext base)
{
    (void)status;
    return lua_gettop(L) - (int)base;
}

static int do_of_path(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    const struct weir_archive_file *file = find(bundle_of(L), path);

    lua_settop(L, 1);
    if (!file)
        return luaL_error(L,
                          "cannot open %s: there is no such file in the "
                          "bundle",
                          path);
    if (load_file(L, bundle_of(L), file))
        return lua_error(L);
    lua_callk(L, 0, LUA_MULTRET, 1, do_done);
    return do_done(L, LUA_OK, 1);
}

/* ---- data ---- */

static int close_file(lua_State *L)
{
    luaL_Stream *stream = luaL_checkudata(L, 1, LUA_FILEHANDLE);

    return luaL_fileresult(L, fclose(stream->f) == 0, NULL);
}

/* Pushes a file of Lua's own kind that reads from memory. */
static int push_file(lua_State *L, const struct weir_archive_file *file)
{
    luaL_Stream *stream = lua_newuserdatauv(L, sizeof(*stream), 0);

    stream->closef = NULL;
    luaL_setmetatable(L, LUA_FILEHANDLE);
    /* Opened for reading, it is not written to.  An empty one needs a byte to
     * point at, and has none to read. */
    stream->f = file->size > 0
                    ? fmemopen((void *)(uintptr_t)file->data, file->size, "r")
                    : fopen("/dev/null", "r");
    if (!stream->f)
        return luaL_fileresult(L, 0, file->name);
    stream->closef = close_file;
    return 1;
}

/* Calls the function that stood there before, upvalue 2. */
static int call_before(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

static int open_of_path(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    const char *mode = luaL_optstring(L, 2, "r");
    const struct weir_archive_file *file = find(bundle_of(L), path);

    if (!file)
        return call_before(L);
    luaL_argcheck(L, *mode && strchr("rwa", *mode), 2, "invalid mode");
    if (*mode == 'r' && !strchr(mode, '+'))
        return push_file(L, file);
    lua_pushnil(L);
    lua_pushfstring(L, "%s: is a file of the bundle, which nothing changes",
                    path);
    lua_pushinteger(L, EROFS);
    return 3;
}

/* Puts the open file in the place of its path, argument 1, which may be a
 * number; false if that is none of the bundle's. */
static bool open_argument(lua_State *L)
{
    const struct weir_archive_file *file =
        lua_isstring(L, 1) ? find(bundle_of(L), lua_tostring(L, 1)) : NULL;

    if (!file)
        return false;
    if (push_file(L, file) != 1)
        luaL_error(L, "%s", lua_tostring(L, -2));
    lua_replace(L, 1);
    return true;
}

/* As io.lines: the file is closed when the loop ends. */
static int lines_of_path(lua_State *L)
{
    int n = lua_gettop(L);

    if (!open_argument(L))
        return call_before(L);
    luaL_checkstack(L, n + 4, "too many formats");
    lua_getfield(L, 1, "lines");
    for (int i = 1; i <= n; i++)
        lua_pushvalue(L, i);
    lua_call(L, n, 1);
    lua_pushnil(L);
    lua_pushnil(L);
    lua_pushvalue(L, 1);
    return 4;
}

static int input_of_path(lua_State *L)
{
    open_argument(L);
    return call_before(L);
}

/* ---- the state ---- */

/* Replaces library.name, the library being on top, by `function`, which has
 * the bundle and what it replaces as upvalues. */
static void replace(lua_State *L, const struct weir_bundle *bundle,
                    const char *name, lua_CFunction function)
{
    lua_pushlightuserdata(L, (void *)(uintptr_t)bundle);
    lua_getfield(L, -2, name);
    lua_pushcclosure(L, function, 2);
    lua_setfield(L, -2, name);
}

/* Of the table on top: the globals of scripts, or those of our own modules. */
static void replace_all(lua_State *L, const struct weir_bundle *bundle)
{
    replace(L, bundle, "loadfile", load_of_path);
    replace(L, bundle, "dofile", do_of_path);
    lua_getfield(L, -1, LUA_IOLIBNAME);
    replace(L, bundle, "open", open_of_path);
    replace(L, bundle, "lines", lines_of_path);
    replace(L, bundle, "input", input_of_path);
    lua_pop(L, 1);
}

/* The texts of the bundle's scripts, for reports to show lines of. */
static void keep_texts(lua_State *L, const struct weir_bundle *bundle)
{
    const struct weir_manifest *manifest = weir_bundle_manifest(bundle);

    for (size_t i = 0; i < manifest->n_files; i++) {
        const struct weir_archive_file *file =
            weir_bundle_file(bundle, manifest->files[i].path);
        size_t len = strlen(file->name);

        if (strcmp(file->name, manifest->main) != 0 &&
            (len < 4 || strcmp(file->name + len - 4, ".lua") != 0))
            continue;
        host_bundle_state_push_chunk(L, bundle, file->name);
        host_report_keep(L, lua_tostring(L, -1) + 1, file->data, file->size);
        lua_pop(L, 1);
    }
}

void host_bundle_state_open(lua_State *L, const struct weir_bundle *bundle)
{
    lua_pushlightuserdata(L, (void *)(uintptr_t)bundle);
    lua_pushcclosure(L, search, 1);
    host_state_set_searcher(L);
    lua_pushglobaltable(L);
    replace_all(L, bundle);
    bind_push_libraries(L, false);
    replace_all(L, bundle);
    lua_pop(L, 2);
    keep_texts(L, bundle);
}
