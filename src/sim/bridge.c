#include "bridge.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lualib.h>

#include "bind.h"
#include "bridge_state.h"
#include "state.h"
#include "weir/clock.h"

#define MAX_DELAY 3600.0 /* seconds an answer may be held back */

struct bridge {
    lua_State *L;
    struct weir_log *log;
    struct bind_context context;
    const struct sim_options *options; /* during bridge_new only */
    int handler, ender;                /* in the registry */
    char *token_path;
    struct state *state; /* NULL without a file */
};

/* ---- what lua/sim may ask of us ---- */

/* host.now(): seconds since 1970. */
static int host_now(lua_State *L)
{
    const struct weir_clock *clock = weir_clock_system();

    lua_pushnumber(L, (lua_Number)clock->wall(clock->ud) / 1000.0);
    return 1;
}

/* host.log(level, text) */
static int host_log(lua_State *L)
{
    int level = weir_log_level_from_word(luaL_checkstring(L, 1));

    luaL_argcheck(L, level >= 0, 1, "not a level");
    weir_log_write(bind_context(L)->log, (enum weir_log_level)level, NULL, "%s",
                   luaL_checkstring(L, 2));
    return 0;
}

static const luaL_Reg host_functions[] = {
    {"now", host_now}, {"log", host_log}, {NULL, NULL}};

/* ---- making the state ---- */

static void set_string(lua_State *L, const char *key, const char *value)
{
    if (value)
        lua_pushstring(L, value);
    else
        lua_pushnil(L);
    lua_setfield(L, -2, key);
}

static void push_options(lua_State *L, const struct bridge *bridge)
{
    const struct sim_options *options = bridge->options;

    lua_newtable(L);
    lua_pushinteger(L, (lua_Integer)options->seed);
    lua_setfield(L, -2, "seed");
    set_string(L, "scenario", options->scenario);
    set_string(L, "activation", options->activation);
    set_string(L, "clock", options->clock);
    if (options->token_life > 0) {
        lua_pushnumber(L, options->token_life);
        lua_setfield(L, -2, "token_life");
    }
    lua_newtable(L);
    for (int i = 0; options->faults && options->faults[i]; i++) {
        lua_pushstring(L, options->faults[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "faults");
    luaL_newlib(L, host_functions);
    if (bridge->state) {
        bridge_state_push(L, bridge->state);
        lua_setfield(L, -2, "state");
    }
    lua_setfield(L, -2, "host");
}

/* Keeps what lua/sim returns, {handle=, finish=, token_path=}, and returns the
 * token path; or nil, what is wrong with the options, and perhaps the word for
 * it. */
static int open_state(lua_State *L)
{
    struct bridge *bridge = lua_touserdata(L, 1);

    luaL_openlibs(L);
    bind_context_set(L, &bridge->context);
    bind_open(L);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "sim");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "new");
    push_options(L, bridge);
    lua_call(L, 1, 3);
    if (lua_isnil(L, -3)) {
        luaL_tolstring(L, -2, NULL);
        lua_replace(L, -3);
        return 3;
    }
    lua_pop(L, 2);
    lua_getfield(L, -1, "finish");
    bridge->ender = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_getfield(L, -1, "handle");
    bridge->handler = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_getfield(L, -1, "token_path");
    lua_pushnil(L);
    lua_pushnil(L);
    return 3;
}

/* An error may be a table with a __tostring of its own, which only may run
 * inside a protected call. */
static int to_text(lua_State *L)
{
    luaL_tolstring(L, 1, NULL);
    return 1;
}

/* The error's word is on top, its text below. */
static enum weir_code fail_load(lua_State *L, struct weir_err *err)
{
    const char *word = lua_tostring(L, -1);
    enum weir_code code = word ? weir_code_from_word(word) : WEIR_INVALID;

    return weir_err_set(err, code, "%s", lua_tostring(L, -2));
}

static enum weir_code load(struct bridge *bridge, struct weir_err *err)
{
    lua_State *L = bridge->L;
    int status;

    lua_pushcfunction(L, to_text);
    lua_pushcfunction(L, open_state);
    lua_pushlightuserdata(L, bridge);
    status = lua_pcall(L, 1, 3, 1);
    if (status == LUA_ERRMEM)
        return weir_err_nomem(err);
    if (status != LUA_OK)
        return weir_err_set(err, WEIR_INVALID, "the simulator did not load: %s",
                            lua_tostring(L, -1));
    if (lua_isnil(L, -3))
        return fail_load(L, err);
    bridge->token_path = strdup(lua_tostring(L, -3));
    lua_pop(L, 3);
    return bridge->token_path ? WEIR_OK : weir_err_nomem(err);
}

static void write_stderr(void *ud, const char *line, size_t len)
{
    (void)ud;
    fwrite(line, 1, len, stderr);
}

enum weir_code bridge_new(const struct sim_options *options,
                          struct bridge **out, struct weir_err *err)
{
    struct bridge *bridge = calloc(1, sizeof(*bridge));
    enum weir_code code;

    if (!bridge)
        return weir_err_nomem(err);
    bridge->options = options;
    bridge->handler = bridge->ender = LUA_NOREF;
    code = weir_log_new(weir_clock_system(), write_stderr, NULL, &bridge->log,
                        err);
    if (code == WEIR_OK) {
        weir_log_set_level(bridge->log, options->log_requests ? WEIR_LOG_INFO
                                                              : WEIR_LOG_WARN);
        bridge->context.log = bridge->log;
        if (options->state)
            code = state_open(options->state, &bridge->state, err);
    }
    if (code == WEIR_OK) {
        bridge->L = luaL_newstate();
        code = bridge->L ? load(bridge, err) : weir_err_nomem(err);
    }
    bridge->options = NULL;
    if (code != WEIR_OK) {
        bridge_free(bridge);
        return code;
    }
    *out = bridge;
    return WEIR_OK;
}

/* describe(): the text of lua/sim/kinds.lua */
static int describe_kinds(lua_State *L)
{
    struct bridge *bridge = lua_touserdata(L, 1);

    luaL_openlibs(L);
    bind_context_set(L, &bridge->context);
    bind_open(L);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "sim.kinds");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "describe");
    lua_call(L, 0, 1);
    luaL_checkstring(L, -1);
    return 1;
}

char *bridge_fault_kinds(void)
{
    struct bridge bridge = {.handler = LUA_NOREF, .ender = LUA_NOREF};
    lua_State *L = luaL_newstate();
    char *text = NULL;

    if (!L)
        return NULL;
    lua_pushcfunction(L, describe_kinds);
    lua_pushlightuserdata(L, &bridge);
    if (lua_pcall(L, 1, 1, 0) == LUA_OK)
        text = strdup(lua_tostring(L, -1));
    lua_close(L);
    return text;
}

const char *bridge_token_path(const struct bridge *bridge)
{
    return bridge->token_path;
}

/* What was not worth a transaction of its own is written now. */
static void finish(struct bridge *bridge)
{
    lua_State *L = bridge->L;

    lua_settop(L, 0);
    lua_pushcfunction(L, to_text);
    lua_rawgeti(L, LUA_REGISTRYINDEX, bridge->ender);
    if (lua_pcall(L, 0, 0, 1) != LUA_OK)
        weir_log_write(bridge->log, WEIR_LOG_ERROR, NULL, "simulator: %s",
                       lua_tostring(L, -1));
}

void bridge_free(struct bridge *bridge)
{
    if (!bridge)
        return;
    if (bridge->ender != LUA_NOREF)
        finish(bridge);
    if (bridge->L)
        lua_close(bridge->L);
    state_close(bridge->state);
    weir_log_free(bridge->log);
    free(bridge->token_path);
    free(bridge);
}

/* ---- one request ---- */

struct call {
    const struct bridge *bridge;
    const struct server_request *request;
    struct server_answer *answer;
};

static void push_lower(lua_State *L, const char *name)
{
    luaL_Buffer b;

    luaL_buffinit(L, &b);
    for (; *name; name++)
        luaL_addchar(&b, (char)tolower((unsigned char)*name));
    luaL_pushresult(&b);
}

/* Fields of one name are joined with ", " (RFC 9110 section 5.3). */
static void push_headers(lua_State *L, const struct server_request *request)
{
    lua_createtable(L, 0, (int)request->n_headers);
    for (size_t i = 0; i < request->n_headers; i++) {
        push_lower(L, request->headers[i].name);
        lua_pushvalue(L, -1);
        if (lua_rawget(L, -3) == LUA_TSTRING) {
            lua_pushfstring(L, "%s, %s", lua_tostring(L, -1),
                            request->headers[i].value);
            lua_remove(L, -2);
        } else {
            lua_pop(L, 1);
            lua_pushstring(L, request->headers[i].value);
        }
        lua_rawset(L, -3);
    }
}

static void push_request(lua_State *L, const struct server_request *request)
{
    lua_createtable(L, 0, 7);
    set_string(L, "method", request->method);
    set_string(L, "target", request->target);
    push_headers(L, request);
    lua_setfield(L, -2, "headers");
    lua_pushlstring(L, request->body, request->body_len);
    lua_setfield(L, -2, "body");
    lua_pushboolean(L, request->too_large);
    lua_setfield(L, -2, "too_large");
    lua_pushboolean(L, request->head_only);
    lua_setfield(L, -2, "head_only");
    lua_pushboolean(L, request->seen);
    lua_setfield(L, -2, "seen");
}

/* The list on top of the stack: name, value, name, value … */
static void read_headers(lua_State *L, struct weir_buf *out)
{
    lua_Integer n = luaL_len(L, -1);

    for (lua_Integer i = 1; i <= n; i++) {
        const char *text;

        lua_rawgeti(L, -1, i);
        text = luaL_checkstring(L, -1);
        weir_buf_add(out, text, strlen(text) + 1);
        lua_pop(L, 1);
    }
    if (n % 2 != 0)
        luaL_error(L, "a header without a value");
}

static enum server_then read_then(lua_State *L)
{
    static const char *const words[] = {"close", "reset"};
    const char *word = lua_tostring(L, -1);

    if (!word)
        return SERVER_ANSWER;
    for (int i = 0; i < 2; i++) {
        if (strcmp(word, words[i]) == 0)
            return (enum server_then)(SERVER_CLOSE + i);
    }
    return (enum server_then)luaL_error(L, "next=\"%s\"", word);
}

static void read_text(lua_State *L, const char *name, struct weir_buf *out)
{
    const char *text;
    size_t len;

    lua_getfield(L, -1, name);
    text = luaL_optlstring(L, -1, "", &len);
    weir_buf_add(out, text, len);
    lua_pop(L, 1);
}

/* Seconds there, milliseconds here. */
static int64_t read_time(lua_State *L, const char *name)
{
    lua_Number seconds;

    lua_getfield(L, -1, name);
    seconds = luaL_optnumber(L, -1, 0);
    lua_pop(L, 1);
    if (seconds > MAX_DELAY)
        seconds = MAX_DELAY;
    return seconds > 0 ? (int64_t)(seconds * 1000) : 0;
}

static bool read_flag(lua_State *L, const char *name)
{
    bool flag;

    lua_getfield(L, -1, name);
    flag = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return flag;
}

/* Reads the answer on top of the stack. */
static void read_answer(lua_State *L, struct server_answer *answer)
{
    lua_Integer piece;

    luaL_checktype(L, -1, LUA_TTABLE);
    lua_getfield(L, -1, "status");
    answer->status = (unsigned)luaL_checkinteger(L, -1);
    if (answer->status < 200 || answer->status > 599)
        luaL_error(L, "status %d", (int)answer->status);
    lua_pop(L, 1);
    lua_getfield(L, -1, "headers");
    read_headers(L, &answer->headers);
    lua_pop(L, 1);
    read_text(L, "body", &answer->body);
    read_text(L, "wire", &answer->wire);
    answer->delay = read_time(L, "delay");
    answer->interval = read_time(L, "interval");
    answer->hold = read_time(L, "hold");
    lua_getfield(L, -1, "piece");
    piece = luaL_optinteger(L, -1, 0);
    answer->piece = piece > 0 ? (size_t)piece : 0;
    lua_pop(L, 1);
    lua_getfield(L, -1, "next");
    answer->then = read_then(L);
    lua_pop(L, 1);
    answer->close = read_flag(L, "close");
    answer->chunked = read_flag(L, "chunked");
    if (answer->headers.failed || answer->body.failed || answer->wire.failed)
        luaL_error(L, "the answer is too large");
}

static int run_handler(lua_State *L)
{
    const struct call *call = lua_touserdata(L, 1);

    lua_rawgeti(L, LUA_REGISTRYINDEX, call->bridge->handler);
    push_request(L, call->request);
    lua_call(L, 1, 1);
    read_answer(L, call->answer);
    return 0;
}

static int add_traceback(lua_State *L)
{
    luaL_traceback(L, L, luaL_tolstring(L, 1, NULL), 1);
    return 1;
}

/* lua/sim catches its own errors; what comes here is an answer that cannot be
 * read, or no memory.  The client learns nothing of it. */
static void answer_failure(struct server_answer *answer)
{
    static const char type[] = "Content-Type\0application/json";

    server_answer_fini(answer);
    server_answer_init(answer);
    weir_buf_add(&answer->headers, type, sizeof(type));
    weir_buf_adds(&answer->body, "{\"message\":\"internal error\"}");
}

void bridge_handle(void *ud, const struct server_request *request,
                   struct server_answer *answer)
{
    struct bridge *bridge = ud;
    struct call call = {bridge, request, answer};
    lua_State *L = bridge->L;

    lua_settop(L, 0);
    lua_pushcfunction(L, add_traceback);
    lua_pushcfunction(L, run_handler);
    lua_pushlightuserdata(L, &call);
    if (lua_pcall(L, 1, 0, 1) == LUA_OK)
        return;
    weir_log_write(bridge->log, WEIR_LOG_ERROR, NULL, "simulator: %s",
                   lua_isstring(L, -1) ? lua_tostring(L, -1) : "an error");
    answer_failure(answer);
}
