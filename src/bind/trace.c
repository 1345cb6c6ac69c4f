/*
 * Traces: where an error came from, noted while its stack still stands.
 *
 * An err object keeps its first trace however often it is raised again (a
 * join raises it in another task).  Strings have no identity; of them only
 * the last is known, and their text begins with the position anyway.
 */
#include <string.h>

#include "err_internal.h"
#include "scheduler.h"

/* Frames looked at: a stack overflow has very many, mostly of one file. */
#define MAX_FRAMES 100

static const char traces_key; /* err object → trace, weak */
static const char last_key;   /* the last error that is no table */
static const char last_trace_key;

void bind_trace_open(lua_State *L)
{
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushstring(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &traces_key);
}

/* Messages name a chunk by its short name, which may be cut; `sources` finds
 * the file again.  The trace is on top. */
static void add_source(lua_State *L, const lua_Debug *ar)
{
    lua_getfield(L, -1, "sources");
    lua_pushstring(L, ar->source);
    lua_setfield(L, -2, ar->short_src);
    lua_pop(L, 1);
}

static void push_empty(lua_State *L)
{
    lua_createtable(L, 0, 5);
    lua_createtable(L, 0, 2);
    lua_setfield(L, -2, "sources");
}

static void push_trace(lua_State *L, lua_State *co, int level)
{
    lua_Debug ar;

    push_empty(L);
    luaL_traceback(L, co, NULL, level);
    lua_setfield(L, -2, "text");
    for (int i = level; i < MAX_FRAMES && lua_getstack(co, i, &ar); i++) {
        lua_getinfo(co, "Sl", &ar);
        if (ar.currentline > 0)
            add_source(L, &ar);
    }
    if (bind_script_frame(co, level, &ar)) {
        lua_pushstring(L, ar.source);
        lua_setfield(L, -2, "source");
        lua_pushinteger(L, ar.currentline);
        lua_setfield(L, -2, "line");
    }
}

void bind_trace_push_chunk(lua_State *L, const char *name)
{
    lua_Debug ar;

    luaL_checkstack(L, 5, NULL);
    push_empty(L);
    /* Only Lua itself knows how it shortens a name. */
    if (luaL_loadbufferx(L, "", 0, name, "t") == LUA_OK) {
        lua_getinfo(L, ">S", &ar);
        add_source(L, &ar);
    } else {
        lua_pop(L, 1);
    }
}

static void note(lua_State *L, lua_State *co, int level)
{
    int error = lua_gettop(L);

    if (!lua_checkstack(L, 10))
        return; /* a stack overflow: the error itself matters more */
    if (!lua_istable(L, error)) {
        push_trace(L, co, level);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &last_trace_key);
        lua_pushvalue(L, error);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &last_key);
        return;
    }
    lua_rawgetp(L, LUA_REGISTRYINDEX, &traces_key);
    lua_pushvalue(L, error);
    if (lua_rawget(L, -2) == LUA_TNIL) {
        lua_pushvalue(L, error);
        push_trace(L, co, level);
        lua_rawset(L, -4);
    }
    lua_settop(L, error);
}

int bind_trace_note(lua_State *L)
{
    lua_settop(L, 1);
    note(L, L, 1);
    return 1;
}

void bind_trace_note_of(lua_State *L, lua_State *co)
{
    note(L, co, 0);
}

void bind_trace_push(lua_State *L, int index)
{
    index = lua_absindex(L, index);
    luaL_checkstack(L, 3, NULL);
    if (lua_istable(L, index)) {
        lua_rawgetp(L, LUA_REGISTRYINDEX, &traces_key);
        lua_pushvalue(L, index);
        lua_rawget(L, -2);
        lua_remove(L, -2);
        return;
    }
    lua_rawgetp(L, LUA_REGISTRYINDEX, &last_key);
    if (lua_rawequal(L, -1, index)) {
        lua_pop(L, 1);
        lua_rawgetp(L, LUA_REGISTRYINDEX, &last_trace_key);
    } else {
        lua_pop(L, 1);
        lua_pushnil(L);
    }
}
