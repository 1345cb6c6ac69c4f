/*
 * signals: Ctrl-C and SIGTERM.
 *
 * The first ends the run in good order: a flag is set and the loop woken, so
 * that waits end and __close handlers run; a Lua loop that never waits is
 * reached by a hook that the handler sets.  The second ends the process at
 * once.
 */
#ifndef HOST_SIGNALS_H
#define HOST_SIGNALS_H

#include <stdbool.h>

#include <lua.h>

#include "running.h"
#include "weir/loop.h"

struct bind_task;

/* Installs the handlers (SIGPIPE is ignored; beyond ulimit -f a write fails),
 * in the thread that runs scripts; `loop` is woken by the first signal, what is
 * `running` is reached by each, and both must outlive host_signals_stop.  NULL
 * for both before there are any; it may be called again when there are. */
void host_signals_start(struct weir_loop *loop, struct bind_running *running);
void host_signals_stop(void);
/* From any thread: the hook runs at the script's next instruction. */
void host_signals_nudge(void);
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
/* Says what hook it is that reaches the coroutines of `L`. */
void host_signals_hook(lua_State *L);

#endif
