/*
 * signals: Ctrl-C and SIGTERM.
 *
 * The first ends the run in good order: a flag is set and the loop woken, so
 * that waits end and __close handlers run; a Lua loop that never waits is
 * reached by a count hook.  The second ends the process at once.
 */
#ifndef HOST_SIGNALS_H
#define HOST_SIGNALS_H

#include <stdbool.h>

#include <lua.h>

#include "weir/loop.h"

struct bind_task;

/* Installs the handlers (SIGPIPE is ignored); `loop` is woken by the first
 * signal and must outlive host_signals_stop. */
void host_signals_start(struct weir_loop *loop);
void host_signals_stop(void);
/* The signal that came, or 0. */
int host_signal(void);

/* While this is on, Ctrl-C stops a line that somebody typed, not the run: see
 * host_signals_guard. */
void host_signals_interactive(bool on);
/* The task that Ctrl-C reaches while it computes, or NULL: any that does.
 * The second Ctrl-C raises in it until it has ended, whatever it swallows;
 * the third ends the process. */
void host_signals_guard(struct bind_task *task);
/* How often Ctrl-C came since they were last forgotten. */
unsigned host_signals_interrupts(void);
/* The same, and forgets them. */
unsigned host_signals_take(void);
/* Sets the hook on `L`; to be called before any coroutine is made, since
 * each inherits it from the one that makes it. */
void host_signals_hook(lua_State *L);

#endif
