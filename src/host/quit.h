/*
 * quit: os.exit, which ends the run in good order.
 *
 * The task that calls it stops where it stands and never goes on; the others
 * are cancelled, and when they have ended, its __close handlers run.
 */
#ifndef HOST_QUIT_H
#define HOST_QUIT_H

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

struct host_quit {
    bool asked;
    int code;
    size_t n_parked; /* tasks that called it */
    /* Ends the session, for a call where Lua cannot yield. */
    int (*now)(void *ud, int code); /* returns the run's code */
    void *ud;
};

/* Replaces os.exit; `quit` must outlive the state.  False without memory. */
bool host_quit_open(lua_State *L, struct host_quit *quit);

#endif
