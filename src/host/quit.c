#include "quit.h"

#include <stdio.h>
#include <stdlib.h>

#include "scheduler.h"

static struct host_quit *quit_of(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

/* As Lua's own os.exit(code, true): closes the state from within. */
static int quit_now(struct host_quit *quit)
{
    exit(quit->now(quit->ud, quit->code));
}

static int refused(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    (void)ctx;
    return quit_now(quit_of(L));
}

/* Of a number the system hands on the last eight bits.  What is no success
 * must not become one by that, and a report says what the shell sees. */
static int exit_code(lua_Integer number)
{
    int code = (int)(number & 0xff);

    return number != 0 && code == 0 ? EXIT_FAILURE : code;
}

static int os_exit(lua_State *L)
{
    struct host_quit *quit = quit_of(L);
    struct bind_scheduler *scheduler = bind_context(L)->scheduler;
    int code = EXIT_SUCCESS;

    if (lua_isboolean(L, 1))
        code = lua_toboolean(L, 1) ? EXIT_SUCCESS : EXIT_FAILURE;
    else
        code = exit_code(luaL_optinteger(L, 1, EXIT_SUCCESS));
    if (!quit->asked)
        quit->code = code; /* the first one counts */
    quit->asked = true;
    if (!scheduler->current || scheduler->closing || !lua_isyieldable(L))
        return quit_now(quit);
    /* Shielded, so that the cancelling of all tasks does not wake it. */
    scheduler->current->shield = L;
    quit->n_parked++;
    bind_wait_begin(L, "os.exit");
    return bind_wait_yield(L, 0, refused);
}

/* Puts ours into the library that the table on top has under "os". */
static void replace_exit(lua_State *L)
{
    if (lua_istable(L, -1) && lua_getfield(L, -1, "os") == LUA_TTABLE) {
        lua_pushvalue(L, 1);
        lua_pushcclosure(L, os_exit, 1);
        lua_setfield(L, -2, "exit");
    }
    lua_settop(L, 1);
}

/* open_quit(quit): for scripts, and for our own modules. */
static int open_quit(lua_State *L)
{
    lua_pushglobaltable(L);
    replace_exit(L);
    bind_push_libraries(L, false);
    replace_exit(L);
    return 0;
}

bool host_quit_open(lua_State *L, struct host_quit *quit)
{
    lua_pushcfunction(L, open_quit);
    lua_pushlightuserdata(L, quit);
    if (lua_pcall(L, 1, 0, 0) == LUA_OK)
        return true;
    lua_pop(L, 1);
    return false;
}
