/*
 * running: the coroutine that runs, and how a signal reaches it.
 *
 * A count hook that waited for signals would cost every instruction of every
 * script its look at the counter.  So there is none until a handler asks for
 * one: on the coroutine that runs, as lua(1) does it, and from then on, until
 * it is calmed, on each that is resumed.
 */
#ifndef WEIR_BIND_RUNNING_H
#define WEIR_BIND_RUNNING_H

#include <stdatomic.h>
#include <stdbool.h>

#include <lua.h>

struct bind_running {
    _Atomic(lua_State *) state; /* NULL: none, or none that may be reached */
    atomic_bool nudged;         /* and not calmed since */
    lua_Hook hook;              /* NULL: nothing is reached */
};

/* Notes in L's context that `co` runs from now on (NULL: none); returns what
 * ran before. */
lua_State *bind_running_set(lua_State *L, lua_State *co);

/* For a signal handler in the thread of the state: the hook runs at the next
 * instruction.  What the hook is to find must be there before. */
void bind_running_nudge(struct bind_running *running);

/* No hook is set from now on; those that were stay until they run. */
void bind_running_calm(struct bind_running *running);

#endif
