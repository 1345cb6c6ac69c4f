/* The base functions of confined scripts, and the small libraries. */
#include "sandbox.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <lualib.h>

#include "budgets.h"
#include "scheduler.h"
#include "written.h"

/* Longer formats of os.date keep strftime(3) busy. */
#define MAX_FORMAT 4096
/* What the parser is given at a time, so that it can be stopped. */
#define PIECE ((size_t)32 * 1024)

/* Metatables that the script has set itself, weak: it sees and replaces no
 * others, since they are ours. */
static const char own_key;

/* ---- metatables ---- */

static bool is_own(lua_State *L, int index)
{
    bool own;

    index = lua_absindex(L, index);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &own_key);
    lua_pushvalue(L, index);
    own = lua_rawget(L, -2) != LUA_TNIL;
    lua_pop(L, 2);
    return own;
}

static void make_own(lua_State *L, int index)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &own_key);
    lua_pushvalue(L, index);
    lua_pushboolean(L, 1);
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

static int base_getmetatable(lua_State *L)
{
    luaL_checkany(L, 1);
    if (!lua_getmetatable(L, 1)) {
        lua_pushnil(L);
        return 1;
    }
    if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
        return 1;
    if (!is_own(L, -1))
        lua_pushboolean(L, 0);
    return 1;
}

static bool is_locked(lua_State *L, int index)
{
    bool locked;

    if (!lua_getmetatable(L, index))
        return false;
    locked = !is_own(L, -1) ||
             luaL_getmetafield(L, index, "__metatable") != LUA_TNIL;
    lua_settop(L, 2);
    return locked;
}

static int base_setmetatable(lua_State *L)
{
    int type = lua_type(L, 2);

    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_argexpected(L, type == LUA_TNIL || type == LUA_TTABLE, 2,
                     "nil or table");
    lua_settop(L, 2);
    if (is_locked(L, 1))
        return luaL_error(L, "cannot change a protected metatable");
    if (type == LUA_TTABLE) {
        lua_pushliteral(L, "__gc");
        if (lua_rawget(L, 2) != LUA_TNIL)
            return luaL_error(L, "a confined script has no __gc metamethods, "
                                 "since nothing could end one; close what is "
                                 "open with 'local x <close>'");
        lua_pop(L, 1);
        make_own(L, 2);
    }
    lua_setmetatable(L, 1);
    return 1;
}

/* ---- next and pairs: through a table that was emptied, each step is long ----
 */

static int base_next(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    bind_budgets_check(L);
    if (lua_next(L, 1))
        return 2;
    lua_pushnil(L);
    return 1;
}

static int paired(lua_State *L, int status, lua_KContext ctx)
{
    (void)L;
    (void)status;
    (void)ctx;
    return 3;
}

static int base_pairs(lua_State *L)
{
    luaL_checkany(L, 1);
    if (luaL_getmetafield(L, 1, "__pairs") == LUA_TNIL) {
        lua_pushcfunction(L, base_next);
        lua_pushvalue(L, 1);
        lua_pushnil(L);
        return 3;
    }
    lua_pushvalue(L, 1);
    lua_callk(L, 1, 3, 0, paired);
    return 3;
}

/* ---- load ---- */

struct reader {
    const char *text; /* or NULL: a function at index 1 */
    size_t len;
};

static const char *read_text(lua_State *L, void *ud, size_t *len)
{
    struct reader *reader = ud;
    const char *piece = reader->text;

    bind_budgets_check(L);
    *len = reader->len < PIECE ? reader->len : PIECE;
    reader->text += *len;
    reader->len -= *len;
    return piece;
}

/* The piece stands at index 5 while the parser reads it. */
static const char *read_function(lua_State *L, void *ud, size_t *len)
{
    (void)ud;
    luaL_checkstack(L, 2, "too many nested functions");
    lua_pushvalue(L, 1);
    lua_call(L, 0, 1);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        *len = 0;
        return NULL;
    }
    if (!lua_isstring(L, -1))
        luaL_error(L, "reader function must return a string");
    lua_replace(L, 5);
    return lua_tolstring(L, 5, len);
}

/* The report shows lines of the file that "@…" names, and which files are
 * read is not for a script to say. */
static const char *chunk_name(lua_State *L, const char *name)
{
    return *name == '@' ? lua_pushfstring(L, "=%s", name + 1) : name;
}

/* The function or the message is on top; with an environment at 4, given. */
static int loaded(lua_State *L, int status, bool has_env)
{
    if (status != LUA_OK) {
        bind_budgets_check(L);
        lua_pushnil(L);
        lua_insert(L, -2);
        return 2;
    }
    if (has_env) {
        lua_pushvalue(L, 4);
        if (!lua_setupvalue(L, -2, 1))
            lua_pop(L, 1);
    }
    return 1;
}

static void check_mode(lua_State *L, int index)
{
    if (!strchr(luaL_optstring(L, index, "t"), 't'))
        luaL_error(L, "only text chunks can be loaded here");
}

static int base_load(lua_State *L)
{
    struct reader reader = {.text = NULL};
    bool has_env = !lua_isnone(L, 4);
    const char *name;
    int status;

    check_mode(L, 3);
    if (lua_isstring(L, 1)) {
        reader.text = lua_tolstring(L, 1, &reader.len);
        name = luaL_optstring(L, 2, reader.text);
    } else {
        luaL_checktype(L, 1, LUA_TFUNCTION);
        name = luaL_optstring(L, 2, "=(load)");
    }
    lua_settop(L, 5);
    name = chunk_name(L, name);
    status = lua_load(L, reader.text ? read_text : read_function, &reader, name,
                      "t");
    return loaded(L, status, has_env);
}

/* ---- collectgarbage, debug.traceback, os.date ---- */

/* How the collector works is not for a script to say: what it stops, runs out
 * of memory sooner, and the generational one of Lua 5.4.4 has faults. */
static int base_collectgarbage(lua_State *L)
{
    static const char *const options[] = {"collect", "count", "step", NULL};
    const char *option = luaL_optstring(L, 1, "collect");
    int i = 0;

    while (options[i] && strcmp(options[i], option) != 0)
        i++;
    bind_budgets_check(L);
    switch (i) {
    case 0: lua_pushinteger(L, lua_gc(L, LUA_GCCOLLECT)); return 1;
    case 1:
        lua_pushnumber(L, (lua_Number)lua_gc(L, LUA_GCCOUNT) +
                              (lua_Number)lua_gc(L, LUA_GCCOUNTB) / 1024);
        return 1;
    case 2: lua_pushboolean(L, lua_gc(L, LUA_GCSTEP, 0)); return 1;
    default:
        return luaL_error(L,
                          "collectgarbage: a confined script has \"collect\", "
                          "\"count\" and \"step\", not \"%s\"",
                          option);
    }
}

/* In a handler of xpcall the stack has been unwound, and was noted. */
static int debug_traceback(lua_State *L)
{
    bool other = lua_isthread(L, 1);
    lua_State *co = other ? lua_tothread(L, 1) : L;
    int message = other ? 2 : 1;

    if (!lua_isnoneornil(L, message) && !lua_isstring(L, message)) {
        lua_pushvalue(L, message);
        return 1;
    }
    if (!other && bind_handled_trace_push(L)) {
        if (lua_isstring(L, message)) {
            lua_pushvalue(L, message);
            lua_pushliteral(L, "\n");
            lua_rotate(L, -3, 2);
            lua_concat(L, 3);
        }
        return 1;
    }
    luaL_traceback(L, co, lua_tostring(L, message),
                   (int)luaL_optinteger(L, message + 1, other ? 0 : 1));
    return 1;
}

/* Upvalue 1 is Lua's own. */
static int os_date(lua_State *L)
{
    size_t len;

    luaL_optlstring(L, 1, "", &len);
    luaL_argcheck(L, len <= MAX_FORMAT, 1, "the format is too long");
    lua_settop(L, 2);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, 2, 1);
    return 1;
}

/* ---- what there is ---- */

static void add_base(lua_State *L, int globals)
{
    static const char *const names[] = {
        "assert", "error",  "ipairs",   "pcall",    "rawequal", "rawget",
        "rawlen", "rawset", "select",   "tonumber", "tostring", "type",
        "warn",   "xpcall", "_VERSION", NULL};
    static const luaL_Reg own[] = {
        {"collectgarbage", base_collectgarbage},
        {"getmetatable", base_getmetatable},
        {"load", base_load},
        {"next", base_next},
        {"pairs", base_pairs},
        {"print", host_written_print},
        {"setmetatable", base_setmetatable},
        {NULL, NULL},
    };

    lua_pushvalue(L, globals);
    host_sandbox_copy(L, "", names);
    /* Ours, whose handler runs after the unwinding (bind/xpcall.c). */
    lua_getglobal(L, "xpcall");
    lua_setfield(L, -2, "xpcall");
    luaL_setfuncs(L, own, 0);
    lua_pop(L, 1);
}

static void add_library(lua_State *L, int globals, const char *name,
                        const char *const *names)
{
    lua_newtable(L);
    host_sandbox_copy(L, name, names);
    lua_setfield(L, globals, name);
}

static void add_os(lua_State *L, int globals)
{
    static const char *const names[] = {"clock", "difftime", "time", NULL};

    lua_newtable(L);
    host_sandbox_copy(L, LUA_OSLIBNAME, names);
    host_sandbox_original(L, LUA_OSLIBNAME);
    lua_getfield(L, -1, "date");
    lua_pushcclosure(L, os_date, 1);
    lua_setfield(L, -3, "date");
    lua_pop(L, 1);
    lua_pushcfunction(L, bind_getenv);
    lua_setfield(L, -2, "getenv");
    lua_setfield(L, globals, LUA_OSLIBNAME);
}

/* From a library of its own: its random numbers are not anybody else's. */
static void add_math(lua_State *L, int globals)
{
    static const char *const names[] = {
        "abs",  "acos",       "asin",       "atan",       "ceil", "cos",
        "deg",  "exp",        "floor",      "fmod",       "huge", "log",
        "max",  "maxinteger", "min",        "mininteger", "modf", "pi",
        "rad",  "random",     "randomseed", "sin",        "sqrt", "tan",
        "type", "tointeger",  "ult",        NULL};

    lua_newtable(L);
    lua_pushcfunction(L, luaopen_math);
    lua_call(L, 0, 1);
    for (const char *const *name = names; *name; name++) {
        lua_getfield(L, -1, *name);
        lua_setfield(L, -3, *name);
    }
    lua_pop(L, 1);
    lua_setfield(L, globals, LUA_MATHLIBNAME);
}

void host_sandbox_base(lua_State *L, int globals)
{
    static const char *const coroutine[] = {"close",  "create",  "isyieldable",
                                            "resume", "running", "status",
                                            "wrap",   "yield",   NULL};
    static const char *const utf8[] = {
        "char", "charpattern", "codepoint", "codes", "len", "offset", NULL};
    static const luaL_Reg debug[] = {{"traceback", debug_traceback},
                                     {NULL, NULL}};

    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &own_key);

    add_base(L, globals);
    add_library(L, globals, LUA_COLIBNAME, coroutine);
    add_library(L, globals, LUA_UTF8LIBNAME, utf8);
    add_os(L, globals);
    luaL_newlib(L, debug);
    lua_setfield(L, globals, LUA_DBLIBNAME);
    add_math(L, globals);
}
