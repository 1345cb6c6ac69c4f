/*
 * breakpoint: weir.breakpoint(), which stops a script's task and lets somebody
 * look around.
 *
 * It is a wait like any other: the task yields, the run's loop sees that and
 * reads inputs until they say to go on.  Other tasks go on meanwhile.
 */
#ifndef HOST_BREAKPOINT_H
#define HOST_BREAKPOINT_H

#include <stdbool.h>

#include <lua.h>

#include "scheduler.h"

struct host_session;

/* A task that has stopped; on the stack of its coroutine. */
struct host_break {
    lua_State *L;
    struct bind_waiter waiter;
    struct host_break *next;
};

/* Gives `weir` its function; the session must outlive the state.  False
 * without memory. */
bool host_breakpoint_open(lua_State *L, struct host_session *session);
/* Lets somebody look around in the task that has stopped first, and sets it
 * going again. */
void host_breakpoint_run(struct host_session *session);

#endif
