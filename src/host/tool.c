#include "tool.h"

#include <string.h>

#include <lualib.h>

#include "exit.h"
#include "secrecy.h"
#include "settings.h"

/* Of a report, after what replaces secrets has made it longer. */
#define MAX_TEXT ((size_t)256 << 20)

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
    struct bind_context context = {.setting = host_settings_find,
                                   .secret = host_settings_secret,
                                   .context = host_settings_context()};
    lua_State *L = luaL_newstate();
    int code = HOST_EXIT_FAILED;

    if (L && weir_log_new(NULL, NULL, NULL, &context.log, NULL) == WEIR_OK &&
        host_secrecy_tell(context.log, NULL) == WEIR_OK) {
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

bool host_tool_write(lua_State *L, FILE *out, const char *text)
{
    struct weir_buf *line = bind_buf(L, MAX_TEXT);
    bool written;

    if (weir_log_redact(bind_context(L)->log, text, strlen(text), line))
        weir_buf_adds(line, "[redacted]\n");
    written = fwrite(weir_buf_str(line), 1, line->len, out) == line->len &&
              fflush(out) == 0;
    lua_pop(L, 1);
    return written;
}

void host_tool_push(lua_State *L, const char *module, const char *function)
{
    lua_getglobal(L, "require");
    lua_pushstring(L, module);
    lua_call(L, 1, 1);
    lua_getfield(L, -1, function);
    lua_remove(L, -2);
}
