/*
 * signals: Ctrl-C and SIGTERM.
 *
 * The first ends the run in good order: a flag is set and the loop woken, so
 * that waits end and __close handlers run; a Lua loop that never waits is
 * reached by a count hook.  The second ends the process at once.
 */
#ifndef HOST_SIGNALS_H
#define HOST_SIGNALS_H

#include <lua.h>

#include "weir/loop.h"

/* Installs the handlers (SIGPIPE is ignored); `loop` is woken by the first
 * signal and must outlive host_signals_stop. */
void host_signals_start(struct weir_loop *loop);
void host_signals_stop(void);
/* The signal that came, or 0. */
int host_signal(void);
/* Sets the hook on `L`; to be called before any coroutine is made, since
 * each inherits it from the one that makes it. */
void host_signals_hook(lua_State *L);

#endif
