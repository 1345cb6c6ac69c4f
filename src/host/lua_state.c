#include "lua_state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <lualib.h>

#include "budgets.h"
#include "sandbox.h"
#include "scheduler.h"
#include "signals.h"
#include "warnings.h"
#include "weir/filter.h"
#include "weir/hash.h"
#include "written.h"

/* Bytes of a script. */
#define MAX_SCRIPT ((size_t)64 << 20)

/* Registry keys. */
static const char strict_key[] = "weir.strict";
static const char folder_key[] = "weir.folder";

/* ---- strict globals ----
 *
 * A script's chunks get an environment of their own in front of the globals:
 * reading a name that nobody defined, or assigning to one that was not
 * declared local, is an error.  Modules from outside keep plain globals,
 * since many ask for names that only other Lua versions have. */

/* Of equally near ones the first by bytes, whatever the order of lua_next. */
static const char *nearest_global(lua_State *L, const char *name)
{
    const char *best = NULL;

    lua_pushglobaltable(L);
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        const char *global = lua_type(L, -2) == LUA_TSTRING
                                 ? lua_tostring(L, -2) /* the table keeps it */
                                 : "";
        bool first = best && strcmp(best, global) < 0;
        const char *names[] = {first ? best : global, first ? global : best,
                               NULL};

        best = weir_nearest(name, names);
    }
    return best;
}

static int strict_index(lua_State *L)
{
    const char *name, *near;

    lua_pushglobaltable(L);
    lua_pushvalue(L, 2);
    if (lua_gettable(L, -2) != LUA_TNIL)
        return 1;
    if (lua_type(L, 2) != LUA_TSTRING)
        return 0; /* _ENV[x], which no slip of the pen is */
    name = lua_tostring(L, 2);
    near = nearest_global(L, name);
    if (near)
        return bind_misuse(L, "undeclared global '%s' (did you mean '%s'?)",
                           name, near);
    return bind_misuse(L, "undeclared global '%s'", name);
}

static int strict_newindex(lua_State *L)
{
    lua_pushglobaltable(L);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, -2) == LUA_TNIL && lua_type(L, 2) == LUA_TSTRING) {
        const char *name = lua_tostring(L, 2);

        return bind_misuse(L,
                           "assignment to undeclared global '%s'; write "
                           "'local %s', or '_G.%s' if it must be global",
                           name, name, name);
    }
    lua_pushvalue(L, 2);
    lua_pushvalue(L, 3);
    lua_rawset(L, 4);
    return 0;
}

static void make_strict(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"__index", strict_index},
        {"__newindex", strict_newindex},
        {NULL, NULL},
    };

    lua_newtable(L);
    luaL_newlib(L, methods);
    lua_setmetatable(L, -2);
    lua_setfield(L, LUA_REGISTRYINDEX, strict_key);
}

/* Gives the function on top the strict environment. */
static void use_strict(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, strict_key);
    if (!lua_setupvalue(L, -2, 1))
        lua_pop(L, 1);
}

/* ---- text chunks only ----
 *
 * Lua does not verify bytecode; a mangled one crashes the process. */

/* load and loadfile with the mode argument at `mode` fixed to "t"; upvalue 1
 * is Lua's own function. */
static int load_text(lua_State *L, int mode)
{
    if (lua_type(L, mode) == LUA_TSTRING && !strchr(lua_tostring(L, mode), 't'))
        return luaL_error(L, "only text chunks can be loaded here");
    while (lua_gettop(L) < mode)
        lua_pushnil(L);
    lua_pushliteral(L, "t");
    lua_replace(L, mode);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

static int text_load(lua_State *L)
{
    return load_text(L, 3);
}

static int text_loadfile(lua_State *L)
{
    return load_text(L, 2);
}

static int dofile_done(lua_State *L, int status, lua_KContext base)
{
    (void)status;
    return lua_gettop(L) - (int)base;
}

/* As Lua's, and what the file runs may wait. */
static int text_dofile(lua_State *L)
{
    const char *path = luaL_optstring(L, 1, NULL);

    lua_settop(L, 1);
    if (luaL_loadfilex(L, path, "t"))
        return lua_error(L);
    lua_callk(L, 0, LUA_MULTRET, 1, dofile_done);
    return dofile_done(L, LUA_OK, 1);
}

static void use_text_only(lua_State *L)
{
    lua_getglobal(L, "load");
    lua_pushcclosure(L, text_load, 1);
    lua_setglobal(L, "load");
    lua_getglobal(L, "loadfile");
    lua_pushcclosure(L, text_loadfile, 1);
    lua_setglobal(L, "loadfile");
    lua_pushcfunction(L, text_dofile);
    lua_setglobal(L, "dofile");
}

/* ---- finding modules ---- */

/* True if `path` is below the script's folder. */
static bool is_own(lua_State *L, const char *path)
{
    bool own = false;

    if (lua_getfield(L, LUA_REGISTRYINDEX, folder_key) == LUA_TSTRING) {
        size_t len;
        const char *folder = lua_tolstring(L, -1, &len);

        own = strncmp(path, folder, len) == 0;
    }
    lua_pop(L, 1);
    return own;
}

/* In place of Lua's searcher for Lua files: text only, and strict globals in
 * what stands beside the script. */
static int search_lua(lua_State *L)
{
    const char *path;

    lua_getglobal(L, "package");
    lua_getfield(L, -1, "searchpath");
    lua_pushvalue(L, 1);
    lua_getfield(L, -3, "path");
    lua_call(L, 2, 2);
    if (lua_isnil(L, -2))
        return 1; /* the message of where it looked */
    path = lua_tostring(L, -2);
    if (luaL_loadfilex(L, path, "t"))
        return luaL_error(L, "cannot load module '%s':\n\t%s",
                          lua_tostring(L, 1), lua_tostring(L, -1));
    if (is_own(L, path))
        use_strict(L);
    lua_pushstring(L, path);
    return 2;
}

/* Pushes the script's folder, with a slash. */
static const char *push_folder(lua_State *L, const char *script)
{
    const char *slash = script ? strrchr(script, '/') : NULL;

    if (slash)
        return lua_pushlstring(L, script, (size_t)(slash + 1 - script));
    return lua_pushliteral(L, "./");
}

static void use_search(lua_State *L, const char *script)
{
    const char *folder = push_folder(L, script);

    lua_setfield(L, LUA_REGISTRYINDEX, folder_key);
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "path");
    lua_pushfstring(L, "%s?.lua;%s?/init.lua;%s", folder, folder,
                    lua_tostring(L, -1));
    lua_setfield(L, -3, "path");
    lua_pop(L, 1);
    lua_getfield(L, -1, "searchers");
    lua_pushcfunction(L, search_lua);
    lua_rawseti(L, -2, 2);
    lua_pop(L, 2);
}

/* ---- weir and cxone without require ---- */

static int global_index(lua_State *L)
{
    const char *name = lua_tostring(L, 2);

    if (lua_type(L, 2) != LUA_TSTRING ||
        (strcmp(name, "weir") != 0 && strcmp(name, "cxone") != 0))
        return 0;
    lua_getglobal(L, "require");
    lua_pushvalue(L, 2);
    lua_call(L, 1, 1);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, -2);
    lua_rawset(L, 1); /* from now on without this function */
    return 1;
}

static void add_globals(lua_State *L)
{
    lua_pushglobaltable(L);
    lua_newtable(L);
    lua_pushcfunction(L, global_index);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    lua_pop(L, 1);
}

/* ---- the state ---- */

/* The modules of the simulator and of commands have no business in a script,
 * and a script's own "sim.lua" or "check/x.lua" must be found. */
static bool is_in_room(const char *module, const char *room)
{
    size_t len = strcspn(module, ".");

    return strlen(room) == len && memcmp(module, room, len) == 0;
}

static bool is_hidden(const char *module)
{
    static const char *const rooms[] = {"sim",    "check",  "types",
                                        "doctor", "bundle", "config"};

    for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
        if (is_in_room(module, rooms[i]))
            return true;
    }
    return false;
}

static void hide_rooms(lua_State *L)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    for (const struct bind_source *s = bind_sources; s->module; s++) {
        if (is_hidden(s->module)) {
            lua_pushnil(L);
            lua_setfield(L, -2, s->module);
        }
    }
    lua_pop(L, 1);
}

void host_state_show_room(lua_State *L, const char *room)
{
    for (const struct bind_source *s = bind_sources; s->module; s++) {
        if (is_in_room(s->module, room))
            bind_source_preload(L, s);
    }
}

static int open_all(lua_State *L)
{
    const char *script = lua_touserdata(L, 1);

    host_signals_hook(L);
    luaL_openlibs(L);
    host_warnings_open(L);
    bind_open(L);
    bind_scheduler_open(L);
    bind_coroutine_open(L);
    bind_require_open(L);
    bind_xpcall_open(L);
    hide_rooms(L);
    make_strict(L);
    use_text_only(L);
    if (!bind_context(L)->permissions)
        host_written_open(L);
    bind_keep_libraries(L);
    if (bind_context(L)->permissions)
        host_sandbox_open(L, push_folder(L, script), use_strict);
    else
        use_search(L, script);
    add_globals(L);
    return 0;
}

lua_State *host_state_new(struct bind_context *context, const char *script)
{
    lua_State *L = luaL_newstate();

    if (!L)
        return NULL;
    bind_context_set(L, context);
    if (context->budgets)
        bind_budgets_open(L, context->budgets);
    lua_pushcfunction(L, open_all);
    lua_pushlightuserdata(L, (void *)script);
    if (lua_pcall(L, 1, 0, 0)) {
        lua_close(L);
        return NULL;
    }
    return L;
}

/* Appends all of the file, or of standard input for NULL; 0 or an errno. */
static int read_all(const char *path, struct weir_buf *out)
{
    FILE *file = path ? fopen(path, "rb") : stdin;
    char block[16384];
    int number;
    size_t n;

    if (!file)
        return errno;
    while ((n = fread(block, 1, sizeof(block), file)) > 0) {
        if (weir_buf_add(out, block, n))
            break;
    }
    number = ferror(file) ? errno : 0;
    if (out->failed)
        number = out->failed == WEIR_NOMEM ? ENOMEM : EFBIG;
    if (path)
        fclose(file);
    return number;
}

/* Where Lua begins to read: after a byte order mark, and at the end of a first
 * line that is a shell's, so that the others keep their numbers. */
static const char *skip_shell_line(const char *text)
{
    if (strncmp(text, "\xEF\xBB\xBF", 3) == 0)
        text += 3;
    return *text == '#' ? text + strcspn(text, "\n") : text;
}

int host_state_read(const char *path, struct weir_buf *out)
{
    weir_buf_init(out, MAX_SCRIPT);
    return read_all(strcmp(path, "-") == 0 ? NULL : path, out);
}

static int compile(lua_State *L, const char *text, size_t len,
                   const char *chunk)
{
    const char *begin = skip_shell_line(text);

    return luaL_loadbufferx(L, begin, (size_t)(text + len - begin), chunk, "t");
}

int host_state_load_text(lua_State *L, const char *text, size_t len,
                         const char *chunk)
{
    int status = compile(L, text, len, chunk);

    if (status == LUA_OK)
        use_strict(L);
    return status;
}

bool host_state_is_lua(lua_State *L, const char *text, size_t len)
{
    int status = compile(L, text, len, "=text");

    lua_pop(L, 1);
    return status != LUA_ERRSYNTAX;
}

/* As luaL_loadfilex, from bytes that were read once: those whose hash is told
 * and whose declarations were read are those that run. */
int host_state_load(lua_State *L, const char *path, const struct weir_buf *text)
{
    int status;

    lua_pushfstring(L, strcmp(path, "-") == 0 ? "=stdin" : "@%s", path);
    status = host_state_load_text(L, weir_buf_str(text), text->len,
                                  lua_tostring(L, -1));
    lua_remove(L, -2);
    return status;
}

static void push_arg(lua_State *L, int argc, char **argv, int script)
{
    lua_createtable(L, argc - script, script);
    for (int i = 0; i < argc; i++) {
        lua_pushstring(L, argv[i]);
        lua_rawseti(L, -2, i - script);
    }
}

void host_state_set_arg(lua_State *L, int argc, char **argv, int script)
{
    push_arg(L, argc, argv, script);
    lua_setglobal(L, "arg");
    if (!bind_context(L)->permissions)
        return;
    bind_push_libraries(L, false); /* see nothing of the script's globals */
    push_arg(L, argc, argv, script);
    lua_setfield(L, -2, "arg");
    lua_pop(L, 1);
}

void host_state_set_searcher(lua_State *L)
{
    if (bind_context(L)->permissions) {
        host_sandbox_set_searcher(L);
        return;
    }
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "searchers");
    lua_pushvalue(L, -3);
    lua_rawseti(L, -2, 2);
    lua_pop(L, 3);
}
