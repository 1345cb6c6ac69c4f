#include "breakpoint.h"

#include <unistd.h>

#include "err_internal.h"
#include "repl.h"
#include "session.h"

static struct host_session *session_of(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

static void unlink_break(struct host_session *session, struct host_break *stop)
{
    struct host_break **link = &session->breaks;

    while (*link && *link != stop)
        link = &(*link)->next;
    if (*link)
        *link = stop->next;
}

static int goes_on(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    (void)ctx;
    unlink_break(session_of(L), lua_touserdata(L, 1));
    return bind_wait_over(L) ? 0 : bind_wait_raise(L);
}

static int warn(lua_State *L, const char *why)
{
    bind_where(L);
    weir_log_write(bind_context(L)->log, WEIR_LOG_WARN, NULL,
                   "%sweir.breakpoint() does nothing: %s", lua_tostring(L, -1),
                   why);
    return 0;
}

static int breakpoint(lua_State *L)
{
    struct host_session *session = session_of(L);
    struct host_break *stop, **last = &session->breaks;
    struct bind_task *task;

    lua_settop(L, 0);
    /* Whoever types there is confined by nothing. */
    if (bind_context(L)->permissions)
        return warn(L, "the script is confined");
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
        return warn(L, "there is no terminal");
    if (session->typed && !session->breaks)
        return warn(L, "this is a session already");
    task = bind_wait_begin(L, "weir.breakpoint");
    stop = lua_newuserdatauv(L, sizeof(*stop), 0);
    *stop = (struct host_break){.L = L, .waiter = bind_waiter(task)};
    if (!bind_task_must_stop(task)) {
        while (*last)
            last = &(*last)->next;
        *last = stop;
    }
    return bind_wait_yield(L, 0, goes_on);
}

/* open_breakpoint(session) */
static int open_breakpoint(lua_State *L)
{
    lua_pushcclosure(L, breakpoint, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, "weir.breakpoint");
    return 0;
}

bool host_breakpoint_open(lua_State *L, struct host_session *session)
{
    lua_pushcfunction(L, open_breakpoint);
    lua_pushlightuserdata(L, session);
    if (lua_pcall(L, 1, 0, 0) == LUA_OK)
        return true;
    lua_pop(L, 1);
    return false;
}

void host_breakpoint_run(struct host_session *session)
{
    struct host_break *stop = session->breaks;

    host_repl_break(session, stop);
    /* It may have been cancelled meanwhile, and be gone. */
    if (session->breaks == stop) {
        session->breaks = stop->next;
        bind_wake(&stop->waiter);
    }
}
