/* weir types: what editors need to complete scripts and to check them. */
#include <stdio.h>

#include "commands.h"
#include "exit.h"
#include "files.h"
#include "tool.h"

struct types_command {
    const char *dir;
};

static const struct host_option options[] = {
    {"dir", "DIR", "folder of the stubs; default .weir/types", HOST_TEXT,
     offsetof(struct types_command, dir), NULL},
    {NULL, NULL, NULL, HOST_FLAG, 0, NULL},
};

static int run(int argc, char **argv);

const struct host_command host_command_types = {
    .name = "types",
    .usage = "weir types [--dir DIR]",
    .summary = "write type stubs, so that editors complete and check scripts",
    .about =
        "Writes the types and the documentation of all that a script can call\n"
        "(LuaLS stubs) to DIR, and .luarc.json in the current folder, which\n"
        "points the Lua language server to them. Of a .luarc.json that is "
        "there\n"
        "nothing is changed but what is missing. Run it again after an "
        "upgrade:\n"
        "stubs that went are removed. A file that is not a stub is never\n"
        "touched.\n",
    .options = options,
    .after = "examples:\n"
             "  weir types\n"
             "  weir types --dir types/weir\n",
    .run = run,
};

/* Pushes true, or nil and the message. */
static int push_outcome(lua_State *L, enum weir_code code, struct weir_err *err)
{
    if (code == WEIR_OK) {
        lua_pushboolean(L, true);
        return 1;
    }
    lua_pushnil(L);
    lua_pushstring(L, err->message);
    weir_err_clear(err);
    return 2;
}

/* folder(path) → true; nil, message */
static int make_folder(lua_State *L)
{
    struct weir_err err = WEIR_ERR_INIT;

    return push_outcome(L, host_files_make_folder(luaL_checkstring(L, 1), &err),
                        &err);
}

/* replace(path, text) → true; nil, message */
static int replace(lua_State *L)
{
    struct weir_err err = WEIR_ERR_INIT;
    const char *path = luaL_checkstring(L, 1);
    size_t len;
    const char *text = luaL_checklstring(L, 2, &len);

    return push_outcome(L, host_files_replace(path, text, len, &err), &err);
}

/* say(done, lines): to stdout what was done, to stderr what is left to do */
static void say(lua_State *L, int done, int left)
{
    for (lua_Integer i = 1; lua_rawgeti(L, done, i) == LUA_TSTRING; i++) {
        printf("%s\n", lua_tostring(L, -1));
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    fflush(stdout);
    for (lua_Integer i = 1; lua_rawgeti(L, left, i) == LUA_TSTRING; i++) {
        fprintf(stderr, "weir types: %s\n", lua_tostring(L, -1));
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

/* types(given) → exit code */
static int types(lua_State *L)
{
    static const luaL_Reg files[] = {
        {"folder", make_folder},
        {"replace", replace},
        {NULL, NULL},
    };
    const struct types_command *given = lua_touserdata(L, 1);

    host_tool_push(L, "types", "write");
    lua_pushstring(L, given->dir);
    luaL_newlib(L, files);
    lua_call(L, 2, 3);
    say(L, lua_absindex(L, -3), lua_absindex(L, -2));
    lua_pushinteger(L,
                    lua_toboolean(L, -1) ? HOST_EXIT_DONE : HOST_EXIT_FAILED);
    return 1;
}

static int run(int argc, char **argv)
{
    struct types_command given = {.dir = ".weir/types"};
    int code = 0;
    int first =
        host_options_parse(&host_command_types, argc, argv, &given, &code);

    if (first < 0)
        return code;
    if (first < argc)
        return host_usage_error("types", "unexpected argument '%s'",
                                argv[first]);
    if (!*given.dir)
        return host_usage_error("types", "--dir takes a folder");
    return host_tool_run("types", types, &given);
}
