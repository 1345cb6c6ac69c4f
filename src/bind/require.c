/*
 * require, with one addition: the file it loads may wait (connect to a
 * tenant at its top, for one), because its loader is called so that it can
 * yield.  Another task that requires the same module meanwhile waits until it
 * is there.  What is searched, and where, stays with package.searchers.
 */
#include <string.h>

#include "err_internal.h"
#include "scheduler.h"

/* A module that is being loaded: a box, to be closed however that ends. */
struct bind_loading {
    struct bind_scheduler *scheduler; /* NULL: not yet in its list */
    const char *name;                 /* anchored by the call of require */
    const void *loaded;               /* where it will be found */
    struct bind_task *task;           /* who loads */
    struct bind_task *waiters;
    struct bind_loading *outer;
};

enum { NAME = 1, LOADED, LOADING, DATA, RESULT };

static void loading_fini(void *memory)
{
    struct bind_loading *loading = memory;
    struct bind_loading **link;

    if (!loading->scheduler)
        return;
    link = &loading->scheduler->loading;
    while (*link != loading)
        link = &(*link)->outer;
    *link = loading->outer;
    bind_wake_all(&loading->waiters);
}

static struct bind_loading *find_loading(lua_State *L, const char *name)
{
    struct bind_loading *loading = bind_context(L)->scheduler->loading;
    const void *loaded = lua_topointer(L, LOADED);

    while (loading &&
           (loading->loaded != loaded || strcmp(loading->name, name) != 0))
        loading = loading->outer;
    return loading;
}

static void begin_loading(lua_State *L, const char *name)
{
    struct bind_scheduler *scheduler = bind_context(L)->scheduler;
    struct bind_loading *loading = bind_box(L, sizeof(*loading), loading_fini);

    lua_toclose(L, -1);
    loading->scheduler = scheduler;
    loading->name = name;
    loading->loaded = lua_topointer(L, LOADED);
    loading->task = scheduler->current;
    loading->outer = scheduler->loading;
    scheduler->loading = loading;
}

/* ---- modules that require each other ---- */

/* The module that the task waits for, if that is what it waits for. */
static const struct bind_loading *awaited(const struct bind_task *task)
{
    const struct bind_loading *loading = task->scheduler->loading;

    while (loading && task->entered != &loading->waiters)
        loading = loading->outer;
    return loading;
}

/* True if `loading` cannot end before `task` goes on. */
static bool is_loop(const struct bind_loading *loading,
                    const struct bind_task *task)
{
    while (loading && loading->task && loading->task != task)
        loading = awaited(loading->task);
    return loading && loading->task == task;
}

/* Raises with the way round: 'a' requires 'b' requires 'a'. */
static int raise_loop(lua_State *L, const struct bind_loading *loading)
{
    const struct bind_loading *last = bind_context(L)->scheduler->loading;

    lua_pushfstring(L, "'%s'", loading->name);
    for (; last && last != loading; last = last->outer) {
        if (last->task != loading->task)
            continue;
        lua_pushfstring(L, "'%s' requires %s", last->name, lua_tostring(L, -1));
        lua_remove(L, -2);
    }
    return bind_misuse(L,
                       "module '%s' is being loaded, and requires itself on "
                       "the way: '%s' requires %s",
                       loading->name, loading->name, lua_tostring(L, -1));
}

/* ---- loading ---- */

static int loaded(lua_State *L, int status, lua_KContext ctx)
{
    const char *name = lua_tostring(L, NAME);

    (void)status;
    (void)ctx;
    if (lua_isnil(L, RESULT))
        lua_pop(L, 1);
    else
        lua_setfield(L, LOADED, name);
    if (lua_getfield(L, LOADED, name) == LUA_TNIL) {
        lua_pushboolean(L, 1);
        lua_copy(L, -1, -2);
        lua_setfield(L, LOADED, name);
    }
    bind_box_close(L, LOADING);
    lua_pushvalue(L, DATA);
    return 2;
}

/* search(name) → loader, data; or raises with every place where the searchers
 * looked.  A call of its own, since a luaL_Buffer needs the stack as it left
 * it. */
static int search(lua_State *L)
{
    const char *name = lua_tostring(L, 1);
    luaL_Buffer tried;

    if (lua_getfield(L, lua_upvalueindex(1), "searchers") != LUA_TTABLE)
        luaL_error(L, "'package.searchers' must be a table");
    luaL_buffinit(L, &tried);
    for (lua_Integer i = 1;; i++) {
        luaL_addstring(&tried, "\n\t");
        if (lua_rawgeti(L, 2, i) == LUA_TNIL) {
            lua_pop(L, 1);
            luaL_buffsub(&tried, 2);
            luaL_pushresult(&tried);
            bind_where(L);
            lua_pushfstring(L, "%smodule '%s' not found:%s",
                            lua_tostring(L, -1), name, lua_tostring(L, -2));
            return lua_error(L);
        }
        lua_pushvalue(L, 1);
        lua_call(L, 1, 2);
        if (lua_isfunction(L, -2))
            return 2;
        if (lua_isstring(L, -2)) {
            lua_pop(L, 1);
            luaL_addvalue(&tried);
        } else {
            lua_pop(L, 2);
            luaL_buffsub(&tried, 2);
        }
    }
}

static int load(lua_State *L, const char *name)
{
    begin_loading(L, name);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushcclosure(L, search, 1);
    lua_pushvalue(L, NAME);
    lua_call(L, 1, 2);
    lua_insert(L, DATA); /* below the loader, whose place the result takes */
    lua_pushvalue(L, NAME);
    lua_pushvalue(L, DATA);
    lua_callk(L, 2, 1, 0, loaded);
    return loaded(L, LUA_OK, 0);
}

static int require_k(lua_State *L, int status, lua_KContext ctx);

/* Another task loads it; when that is over, however it ended, the whole
 * begins again. */
static int wait_for(lua_State *L, struct bind_loading *loading)
{
    struct bind_task *task = bind_context(L)->scheduler->current;

    if (is_loop(loading, task))
        return raise_loop(L, loading);
    task = bind_wait_begin(L, "require");
    if (!bind_task_must_stop(task))
        bind_wait_enter(task, &loading->waiters);
    return bind_wait_yield(L, 0, require_k);
}

static int require(lua_State *L)
{
    const char *name = luaL_checkstring(L, NAME);
    struct bind_loading *loading;

    lua_settop(L, NAME);
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_getfield(L, LOADED, name);
    if (lua_toboolean(L, -1))
        return 1;
    lua_pop(L, 1);
    loading = find_loading(L, name);
    return loading ? wait_for(L, loading) : load(L, name);
}

static int require_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    (void)ctx;
    return bind_wait_over(L) ? require(L) : bind_wait_raise(L);
}

void bind_require_push(lua_State *L)
{
    lua_pushcclosure(L, require, 2);
}

void bind_require_open(lua_State *L)
{
    lua_getglobal(L, "package");
    lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    bind_require_push(L);
    lua_setglobal(L, "require");
}
