/* weir.core.poll: the steps of a wait; the face in Lua takes them. */
#include <string.h>

#include "box.h"
#include "client.h"
#include "weir/poll.h"

#define MOST_WORDS 64

struct options {
    const char *path, *what, *field, *reason;
    int64_t interval, timeout;
    bool client, done, failed, pause;
};

#define OPTION(name, type)                                                     \
    {                                                                          \
#name, type, offsetof(struct options, name), false                     \
    }
static const struct bind_opt poll_options[] = {
    OPTION(client, BIND_ANY),
    OPTION(path, BIND_STRING),
    OPTION(what, BIND_STRING),
    OPTION(field, BIND_STRING),
    OPTION(reason, BIND_STRING),
    {"done", BIND_TABLE, offsetof(struct options, done), true},
    OPTION(failed, BIND_TABLE),
    OPTION(interval, BIND_SECONDS),
    OPTION(timeout, BIND_SECONDS),
    OPTION(pause, BIND_BOOLEAN),
    {NULL, BIND_ANY, 0, false},
};

/* The words in the field of the table at `index`; pushes what owns them. */
static size_t read_words(lua_State *L, int index, const char *name,
                         const char *words[MOST_WORDS])
{
    size_t n;

    if (lua_getfield(L, index, name) == LUA_TNIL)
        return 0;
    n = lua_rawlen(L, -1);
    if (n > MOST_WORDS)
        bind_misuse(L, "poll.wait: '%s' has over %d words", name, MOST_WORDS);
    for (size_t i = 0; i < n; i++) {
        /* The table, which stays on the stack, anchors them. */
        if (lua_rawgeti(L, -1, (lua_Integer)i + 1) != LUA_TSTRING)
            bind_misuse(L,
                        "poll.wait: '%s' must be a list of words; element "
                        "%d is a %s",
                        name, (int)i + 1, luaL_typename(L, -1));
        words[i] = lua_tostring(L, -1);
        lua_pop(L, 1);
    }
    return n;
}

static bool is_given(lua_State *L, int index, const char *name)
{
    bool given = lua_getfield(L, index, name) != LUA_TNIL;

    lua_pop(L, 1);
    return given;
}

/* The core takes 0 for its own default; a script's 0 means "no time". */
static int64_t at_least_one(int64_t ms)
{
    return ms > 0 ? ms : 1;
}

/* open(options) → wait */
static int poll_open(lua_State *L)
{
    const char *done[MOST_WORDS], *failed[MOST_WORDS];
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_poll_options poll = {.done = done, .failed = failed};
    struct options options = {0};
    struct weir_client *client = NULL;
    struct weir_op **op;

    lua_settop(L, 1);
    bind_options(L, 1, "poll.wait", poll_options, &options);
    poll.n_done = read_words(L, 1, "done", done);
    poll.n_failed = read_words(L, 1, "failed", failed);
    poll.path = options.path;
    poll.what = options.what;
    poll.field = options.field;
    poll.reason_field = options.reason;
    poll.pause_on_look = options.pause;
    if (is_given(L, 1, "interval"))
        poll.interval_ms = at_least_one(options.interval);
    if (is_given(L, 1, "timeout"))
        poll.timeout_ms = at_least_one(options.timeout);
    if (options.client) {
        lua_getfield(L, 1, "client");
        client = bind_client_check(L, -1, "poll.wait");
    }
    op = bind_op(L);
    if (weir_poll_new(bind_context(L)->loop, client, &poll, op, &err))
        return bind_misuse_err(L, "poll.wait", &err);
    return 1;
}

static const char *const state_words[] = {
    [WEIR_POLL_LOOK] = "look",
    [WEIR_POLL_LOOKED] = "looked",
    [WEIR_POLL_DONE] = "done",
};

static int push_state(lua_State *L, struct weir_op *op)
{
    lua_pushstring(L, state_words[weir_poll_state(op)]);
    lua_pushstring(L, weir_poll_word(op));
    lua_createtable(L, 0, 3);
    lua_pushinteger(L, weir_poll_looks(op));
    lua_setfield(L, -2, "looks");
    if (weir_poll_state(op) == WEIR_POLL_LOOK) {
        lua_pushnumber(L, (lua_Number)weir_poll_left(op) / 1000);
        lua_setfield(L, -2, "left");
    }
    lua_pushnumber(L, (lua_Number)weir_poll_waited(op) / 1000);
    lua_setfield(L, -2, "waited");
    bind_value_push(L, weir_poll_document(op));
    return 4;
}

static struct op_box *check(lua_State *L)
{
    struct op_box *box = bind_op_box(L, 1);

    if (!box || !box->op || strcmp(box->op->class->name, "poll") != 0)
        luaL_argerror(L, 1, "not a wait that is open");
    return box;
}

/* next(wait) → state, word, {looks, waited}, document; nil, err */
static int poll_next(lua_State *L)
{
    check(L);
    return bind_await_step(L, 1, push_state);
}

/* answer(wait, word, reason) */
static int poll_answer(lua_State *L)
{
    struct op_box *box = check(L);
    const char *word = luaL_checkstring(L, 2);
    struct weir_err err = WEIR_ERR_INIT;

    if (weir_poll_answer(box->op, word, luaL_optstring(L, 3, NULL), &err))
        return bind_raise(L, &err);
    return 0;
}

/* cut(wait): the look took longer than it had */
static int poll_cut(lua_State *L)
{
    weir_poll_cut(check(L)->op);
    return 0;
}

static const luaL_Reg functions[] = {
    {"cut", poll_cut},       {"open", poll_open}, {"next", poll_next},
    {"answer", poll_answer}, {NULL, NULL},
};

int luaopen_weir_poll(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
