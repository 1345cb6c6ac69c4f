#include "running.h"

#include "bind.h"

/* lua_sethook may be called from a signal handler (its comment in ldebug.c). */
static void reach(const struct bind_running *running, lua_State *L)
{
    lua_sethook(L, running->hook, LUA_MASKCOUNT, 1);
}

/* The coroutine is noted first: a handler in between finds one of them. */
lua_State *bind_running_set(lua_State *L, lua_State *co)
{
    struct bind_running *running = &bind_context(L)->running;
    lua_State *before =
        atomic_load_explicit(&running->state, memory_order_relaxed);

    atomic_store_explicit(&running->state, co, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    if (co && atomic_load_explicit(&running->nudged, memory_order_relaxed) &&
        lua_gethook(co) != running->hook)
        reach(running, co);
    return before;
}

void bind_running_nudge(struct bind_running *running)
{
    lua_State *L = atomic_load_explicit(&running->state, memory_order_relaxed);

    if (!running->hook)
        return;
    atomic_store_explicit(&running->nudged, true, memory_order_relaxed);
    if (L)
        reach(running, L);
}

void bind_running_calm(struct bind_running *running)
{
    atomic_store_explicit(&running->nudged, false, memory_order_relaxed);
}
