/*
 * Waiting: the one door out of a task, and the one door in.
 */
#include "scheduler.h"

#include <stdio.h>
#include <string.h>

/* What a task yields to say "I wait".  Its address is the message; nothing
 * that a script can make is equal to it. */
static const char wait_mark;

static const char probe_key; /* what bind_wait_probe was given */

bool bind_is_wait(lua_State *co, int n)
{
    return n == 1 && lua_touserdata(co, -1) == (const void *)&wait_mark &&
           lua_islightuserdata(co, -1);
}

bool bind_task_must_stop(const struct bind_task *task)
{
    return task->cancelled && !task->shield;
}

/* ---- where nothing can wait ---- */

/* Of Lua's own functions that call a script's, all hinder but these. */
static bool can_pause(const char *name)
{
    static const char *const names[] = {"pcall", "xpcall", "pairs", "require",
                                        "dofile"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

/* Pushes the name under which the table on top holds `function`, or nil. */
static const char *push_key(lua_State *L, int function)
{
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        if (lua_rawequal(L, -1, function) && lua_type(L, -2) == LUA_TSTRING) {
            lua_pop(L, 1);
            return lua_tostring(L, -1);
        }
    }
    lua_pushnil(L);
    return NULL;
}

/* If the function on top is one of Lua's own that hinder, its name. */
static bool name_hindrance(lua_State *L, char *out, size_t size)
{
    static const char *const libraries[] = {"_G",   "table", "string", "math",
                                            "utf8", "io",    "debug"};
    int function = lua_gettop(L);
    bool hinders = false;

    lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]) && !hinders;
         i++) {
        const char *name = NULL;

        if (lua_getfield(L, function + 1, libraries[i]) == LUA_TTABLE)
            name = push_key(L, function);
        hinders = name && !can_pause(name);
        if (hinders && strcmp(name, "error") == 0)
            snprintf(out, size, "a message handler");
        else if (hinders)
            snprintf(out, size, "%s%s%s", i > 0 ? libraries[i] : "",
                     i > 0 ? "." : "", name);
        lua_settop(L, function + 1);
    }
    lua_settop(L, function);
    return hinders;
}

/* What Lua calls by itself, and cannot pause. */
static const char *name_caller(const lua_Debug *ar)
{
    if (ar->name && strcmp(ar->name, "__gc") == 0)
        return "a __gc metamethod";
    if (strcmp(ar->namewhat, "hook") == 0)
        return "a debug hook";
    if (*ar->what == 'C' && strcmp(ar->namewhat, "for iterator") == 0)
        return "an iterator written in C, such as that of ipairs";
    return NULL;
}

/* Writes down what stands between the function that wants to wait and its
 * task: "table.sort". */
static void find_hindrance(lua_State *L)
{
    struct bind_scheduler *scheduler = bind_context(L)->scheduler;
    char *out = scheduler->hindrance;
    size_t size = sizeof(scheduler->hindrance);
    bool found = false;
    lua_Debug ar;

    /* A message handler after an error of Lua's own leaves no mark. */
    snprintf(out, size, "a message handler, or a C function's callback");
    luaL_checkstack(L, 8, NULL);
    for (int level = 1; !found && lua_getstack(L, level, &ar); level++) {
        const char *caller;

        lua_getinfo(L, "Snf", &ar);
        caller = name_caller(&ar);
        if (caller)
            snprintf(out, size, "%s", caller);
        found = caller || (*ar.what == 'C' && name_hindrance(L, out, size));
        lua_pop(L, 1);
    }
}

static int cannot_wait(lua_State *L, const char *what)
{
    struct bind_scheduler *scheduler = bind_context(L)->scheduler;

    scheduler->hindered = true;
    return bind_misuse(L,
                       "%s cannot wait here: it was called from inside %s, "
                       "which cannot pause; move the call out of it",
                       what, scheduler->hindrance);
}

/* ---- for tests ---- */

void bind_wait_probe(lua_State *L, lua_Integer n)
{
    struct bind_scheduler *scheduler = bind_context(L)->scheduler;

    lua_rawsetp(L, LUA_REGISTRYINDEX, &probe_key);
    scheduler->probed = scheduler->n_waits + (uint64_t)n;
}

static void call_probe(lua_State *L)
{
    luaL_checkstack(L, 2, NULL);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &probe_key);
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &probe_key);
    lua_call(L, 0, 0);
}

/* ---- out ---- */

struct bind_task *bind_wait_begin(lua_State *L, const char *what)
{
    struct bind_scheduler *scheduler = bind_context(L)->scheduler;
    struct bind_task *task = scheduler ? scheduler->current : NULL;

    if (!task) {
        bind_misuse(L, "%s can wait only inside a task", what);
    } else if (scheduler->closing) {
        bind_misuse(L,
                    "%s cannot wait here: it was called from a __close "
                    "handler that coroutine.close runs",
                    what);
    } else if (!lua_isyieldable(L)) {
        find_hindrance(L);
        cannot_wait(L, what);
    } else {
        if (++scheduler->n_waits == scheduler->probed)
            call_probe(L);
        task->generation++;
    }
    return task;
}

int bind_wait_pass(lua_State *L, lua_KFunction k)
{
    luaL_checkstack(L, 1, NULL);
    lua_pushlightuserdata(L, (void *)(uintptr_t)&wait_mark);
    return lua_yieldk(L, 1, 0, k);
}

int bind_wait_yield(lua_State *L, lua_KContext ctx, lua_KFunction k)
{
    struct bind_task *task = bind_context(L)->scheduler->current;

    task->state = BIND_TASK_WAITING;
    /* A task that was cancelled does not wait; but it lets others run, so
     * that one which swallows its cancellation does not stop the rest. */
    if (bind_task_must_stop(task))
        bind_task_ready(task);
    luaL_checkstack(L, 1, NULL);
    lua_pushlightuserdata(L, (void *)(uintptr_t)&wait_mark);
    return lua_yieldk(L, 1, ctx, k);
}

/* ---- in ---- */

struct bind_waiter bind_waiter(struct bind_task *task)
{
    return (struct bind_waiter){task, task->generation};
}

void bind_wake(struct bind_waiter *waiter)
{
    struct bind_task *task = waiter->task;

    if (!task || waiter->generation != task->generation ||
        task->state != BIND_TASK_WAITING)
        return;
    bind_wait_drop(task);
    bind_task_ready(task);
}

void bind_wait_drop(struct bind_task *task)
{
    bind_wait_drop_op(task);
    weir_timer_stop(&task->timer);
    bind_wait_leave(task);
}

bool bind_wait_over(lua_State *L)
{
    struct bind_task *task = bind_context(L)->scheduler->current;

    return !task->refused && !bind_task_must_stop(task);
}

int bind_wait_raise(lua_State *L)
{
    struct bind_task *task = bind_context(L)->scheduler->current;
    struct weir_err err = WEIR_ERR_INIT;

    if (task->refused) {
        task->refused = false;
        return cannot_wait(L, "this call");
    }
    task->interrupt = false;
    task->n_raised++;
    weir_err_set(&err, WEIR_CANCELLED, "%s", task->cancelled);
    return bind_raise(L, &err);
}

void bind_wait_refuse(lua_State *L)
{
    struct bind_task *task = bind_context(L)->scheduler->current;

    find_hindrance(L);
    bind_wait_drop(task);
    task->refused = true;
    task->state = BIND_TASK_RUNNING;
}

/* ---- lists of tasks that wait for the same thing ---- */

void bind_wait_enter(struct bind_task *task, struct bind_task **list)
{
    task->entered = list;
    task->list_waiter = bind_waiter(task);
    task->place = list;
    task->next_entered = *list;
    if (*list)
        (*list)->place = &task->next_entered;
    *list = task;
}

void bind_wait_leave(struct bind_task *task)
{
    if (!task->entered)
        return;
    *task->place = task->next_entered;
    if (task->next_entered)
        task->next_entered->place = task->place;
    task->entered = NULL;
    task->place = NULL;
    task->next_entered = NULL;
}

void bind_wake_all(struct bind_task **list)
{
    while (*list) {
        struct bind_task *task = *list;

        /* The wake takes the task off the list; one that finds its task
         * elsewhere must not leave it there. */
        bind_wake(&task->list_waiter);
        if (*list == task)
            bind_wait_leave(task);
    }
}
