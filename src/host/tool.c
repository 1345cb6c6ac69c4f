#include "tool.h"

#include <stdio.h>

#include <lualib.h>

#include "exit.h"

/* start(work, ud) → exit code */
static int start(lua_State *L)
{
    luaL_openlibs(L);
    bind_open(L);
    lua_call(L, 1, 1);
    return 1;
}

int host_tool_run(const char *command, lua_CFunction work, void *ud)
{
    struct bind_context context = {.loop = NULL};
    lua_State *L = luaL_newstate();
    int code = HOST_EXIT_FAILED;

    if (L && weir_log_new(NULL, NULL, NULL, &context.log, NULL) == WEIR_OK) {
        bind_context_set(L, &context);
        lua_pushcfunction(L, start);
        lua_pushcfunction(L, work);
        lua_pushlightuserdata(L, ud);
        if (lua_pcall(L, 2, 1, 0) == LUA_OK)
            code = (int)lua_tointeger(L, -1);
        else
            fprintf(stderr, "weir %s: %s\n", command,
                    lua_isstring(L, -1) ? lua_tostring(L, -1)
                                        : "an error that is no message");
    } else {
        fprintf(stderr, "weir %s: out of memory\n", command);
    }
    if (L)
        lua_close(L);
    weir_log_free(context.log);
    return code;
}

void host_tool_push(lua_State *L, const char *module, const char *function)
{
    lua_getglobal(L, "require");
    lua_pushstring(L, module);
    lua_call(L, 1, 1);
    lua_getfield(L, -1, function);
    lua_remove(L, -2);
}
