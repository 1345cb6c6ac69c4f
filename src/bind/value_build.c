/*
 * value: the sink that builds a Lua value.
 *
 * A source holds memory while it runs, and nearly everything that builds a
 * Lua value may longjmp out for want of memory.  So the callbacks do not touch
 * Lua: they write the events to a tape, which a box owns, and when the value
 * is whole the tape is played once, under lua_pcall, by a callback that then
 * returns to the source in peace.  The tape also knows how large each table
 * will be before it is made.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "value.h"

/* A tape up to here is used again, a longer one given back. */
#define TAPE_KEPT ((size_t)64 << 10)

/* What a mark on the tape is followed by. */
enum mark {
    MARK_NULL,
    MARK_FALSE,
    MARK_TRUE,
    MARK_INTEGER, /* int64_t */
    MARK_REAL,    /* double */
    MARK_STRING,  /* size_t length, bytes */
    MARK_NUMBER,  /* the same: a number beyond Lua's */
    MARK_KEY,     /* the same */
    MARK_ARRAY,   /* size_t number of elements */
    MARK_OBJECT,  /* size_t number of members */
    MARK_END
};

struct level {
    size_t count_at; /* where on the tape the count goes */
    size_t count;
    size_t key_at; /* the mark of the latest key */
    bool array;
};

struct bind_builder {
    lua_State *L;
    struct weir_sink sink;
    enum bind_big big;
    struct weir_buf tape;
    bool playing;
    unsigned depth, deepest;
    struct level levels[WEIR_VALUE_MAX_DEPTH];
};

/* ---- playing ---- */

struct reel {
    const char *p, *end;
};

static void take(struct reel *reel, void *out, size_t len)
{
    memcpy(out, reel->p, len);
    reel->p += len;
}

static void play_string(lua_State *L, struct reel *reel)
{
    size_t len;

    take(reel, &len, sizeof(len));
    lua_pushlstring(L, reel->p, len);
    reel->p += len;
}

static void play_number(lua_State *L, struct reel *reel)
{
    size_t len;

    take(reel, &len, sizeof(len));
    bind_number_push(L, reel->p, len);
    reel->p += len;
}

static void play_table(lua_State *L, struct reel *reel, bool array)
{
    size_t count;
    int size;

    take(reel, &count, sizeof(count));
    size = count < INT_MAX ? (int)count : INT_MAX;
    lua_createtable(L, array ? size : 0, array ? 0 : size);
    if (array)
        bind_array_mark(L, -1);
}

static void play_scalar(lua_State *L, struct reel *reel, enum mark mark)
{
    int64_t integer;
    double real;

    switch (mark) {
    case MARK_INTEGER:
        take(reel, &integer, sizeof(integer));
        lua_pushinteger(L, integer);
        break;
    case MARK_REAL:
        take(reel, &real, sizeof(real));
        lua_pushnumber(L, real);
        break;
    case MARK_STRING: play_string(L, reel); break;
    case MARK_NUMBER: play_number(L, reel); break;
    case MARK_NULL: bind_null_push(L); break;
    default: lua_pushboolean(L, mark == MARK_TRUE);
    }
}

/* Puts the value on top into the table below it, where there is one. */
static void store(lua_State *L, unsigned depth, lua_Integer *next)
{
    if (depth == 0)
        return;
    if (next[depth - 1])
        lua_rawseti(L, -2, next[depth - 1]++);
    else
        lua_rawset(L, -3);
}

/* Runs under lua_pcall with the builder as its argument; leaves the value. */
static int play(lua_State *L)
{
    struct bind_builder *b = lua_touserdata(L, 1);
    struct reel reel = {b->tape.data, b->tape.data + b->tape.len};
    /* The next index in an array, 0 in an object. */
    lua_Integer next[WEIR_VALUE_MAX_DEPTH] = {0};
    unsigned depth = 0;

    luaL_checkstack(L, 2 * (int)b->deepest + 8, "value");
    while (reel.p < reel.end) {
        enum mark mark = (enum mark) * reel.p++;

        switch (mark) {
        case MARK_ARRAY:
        case MARK_OBJECT:
            play_table(L, &reel, mark == MARK_ARRAY);
            next[depth++] = mark == MARK_ARRAY;
            break;
        case MARK_KEY: play_string(L, &reel); break;
        case MARK_END: store(L, --depth, next); break;
        default: play_scalar(L, &reel, mark); store(L, depth, next);
        }
    }
    return 1;
}

/* The value is whole. */
static enum weir_code finish(struct bind_builder *b, struct weir_err *err)
{
    lua_State *L = b->L;
    int status;

    if (!lua_checkstack(L, 4))
        return weir_err_nomem(err);
    lua_pushcfunction(L, play);
    lua_pushlightuserdata(L, b);
    b->playing = true;
    status = lua_pcall(L, 1, 1, 0);
    b->playing = false;
    if (b->tape.cap > TAPE_KEPT)
        weir_buf_fini(&b->tape);
    if (status == LUA_OK)
        return WEIR_OK;
    lua_pop(L, 1);
    /* Nothing in there fails but for memory and stack. */
    return weir_err_nomem(err);
}

/* ---- recording ---- */

static enum weir_code recorded(struct bind_builder *b, struct weir_err *err)
{
    if (b->tape.failed)
        return weir_buf_err(&b->tape, "value", err);
    if (b->depth > 0)
        b->levels[b->depth - 1].count++;
    return b->depth > 0 ? WEIR_OK : finish(b, err);
}

static enum weir_code record(struct bind_builder *b, enum mark mark,
                             const void *bytes, size_t len,
                             struct weir_err *err)
{
    weir_buf_addc(&b->tape, (char)mark);
    weir_buf_add(&b->tape, bytes, len);
    return recorded(b, err);
}

/* In one piece: most of a tape is texts. */
static void record_text(struct bind_builder *b, enum mark mark,
                        const char *text, size_t len)
{
    struct weir_buf *tape = &b->tape;
    const size_t before = 1 + sizeof(len);
    char *at;

    if ((tape->cap - tape->len <= before + len || tape->failed) &&
        weir_buf_reserve(tape, before + len))
        return;
    at = tape->data + tape->len;
    at[0] = (char)mark;
    memcpy(at + 1, &len, sizeof(len));
    if (len)
        memcpy(at + before, text, len);
    at[before + len] = '\0';
    tape->len += before + len;
}

static enum weir_code on_null(void *ud, struct weir_err *err)
{
    return record(ud, MARK_NULL, NULL, 0, err);
}

static enum weir_code on_boolean(void *ud, bool value, struct weir_err *err)
{
    return record(ud, value ? MARK_TRUE : MARK_FALSE, NULL, 0, err);
}

static enum weir_code on_string(void *ud, const char *text, size_t len,
                                struct weir_err *err)
{
    record_text(ud, MARK_STRING, text, len);
    return recorded(ud, err);
}

static enum weir_code too_big(struct bind_builder *b, bool integer,
                              struct weir_err *err)
{
    struct bind_path path;

    bind_path_init(&path);
    for (unsigned i = 0; i < b->depth; i++) {
        const struct level *level = &b->levels[i];
        const char *key = b->tape.data + level->key_at + 1;
        size_t len;

        if (level->array) {
            /* What is not finished is not counted: an index from 0. */
            bind_path_index(&path, level->count);
            continue;
        }
        memcpy(&len, key, sizeof(len));
        bind_path_key(&path, key + sizeof(len), len);
    }
    weir_err_set(err, WEIR_LIMIT, "%s: %s", bind_path_text(&path),
                 integer ? "an integer beyond 64 bits"
                         : "a number beyond the range of a float");
    weir_err_hint(err, "big_numbers = \"exact\" or \"string\" keeps its text");
    return WEIR_LIMIT;
}

static bool looks_integer(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '.' || text[i] == 'e' || text[i] == 'E')
            return false;
    }
    return true;
}

static enum weir_code on_number(void *ud, const char *text, size_t len,
                                struct weir_err *err)
{
    struct bind_builder *b = ud;
    struct weir_number number;
    enum weir_code code = weir_number_parse(text, len, &number, err);
    bool integer;

    if (code && code != WEIR_LIMIT)
        return code;
    if (!code && number.is_integer)
        return record(b, MARK_INTEGER, &number.integer, sizeof(int64_t), err);
    /* "-0" alone has the looks of an integer and a float that holds it. */
    integer = looks_integer(text, len) && (code || number.real != 0);
    if (code || (integer && b->big != BIND_BIG_FLOAT)) {
        if (b->big == BIND_BIG_ERROR || b->big == BIND_BIG_FLOAT)
            return too_big(b, integer, err);
        weir_err_clear(err);
        record_text(b, b->big == BIND_BIG_EXACT ? MARK_NUMBER : MARK_STRING,
                    text, len);
        return recorded(b, err);
    }
    return record(b, MARK_REAL, &number.real, sizeof(double), err);
}

static enum weir_code begin(struct bind_builder *b, enum mark mark,
                            struct weir_err *err)
{
    struct level *level = &b->levels[b->depth];
    size_t count = 0;

    if (b->depth == WEIR_VALUE_MAX_DEPTH)
        return weir_err_set(err, WEIR_LIMIT, "nested deeper than %d levels",
                            WEIR_VALUE_MAX_DEPTH);
    weir_buf_addc(&b->tape, (char)mark);
    *level =
        (struct level){.count_at = b->tape.len, .array = mark == MARK_ARRAY};
    if (++b->depth > b->deepest)
        b->deepest = b->depth;
    weir_buf_add(&b->tape, &count, sizeof(count));
    return weir_buf_err(&b->tape, "value", err);
}

static enum weir_code on_begin_array(void *ud, struct weir_err *err)
{
    return begin(ud, MARK_ARRAY, err);
}

static enum weir_code on_begin_object(void *ud, struct weir_err *err)
{
    return begin(ud, MARK_OBJECT, err);
}

static enum weir_code on_key(void *ud, const char *text, size_t len,
                             struct weir_err *err)
{
    struct bind_builder *b = ud;

    b->levels[b->depth - 1].key_at = b->tape.len;
    record_text(b, MARK_KEY, text, len);
    return b->tape.failed ? weir_buf_err(&b->tape, "value", err) : WEIR_OK;
}

static enum weir_code on_end(void *ud, struct weir_err *err)
{
    struct bind_builder *b = ud;
    const struct level *level = &b->levels[--b->depth];

    memcpy(b->tape.data + level->count_at, &level->count, sizeof(size_t));
    return record(b, MARK_END, NULL, 0, err);
}

/* ---- making ---- */

static void builder_fini(void *memory)
{
    struct bind_builder *b = memory;

    weir_buf_fini(&b->tape);
}

static struct bind_builder *new_builder(lua_State *L)
{
    struct bind_builder *b = bind_box(L, sizeof(*b), builder_fini);

    weir_buf_init(&b->tape, SIZE_MAX);
    b->sink = (struct weir_sink){
        .null = on_null,
        .boolean = on_boolean,
        .number = on_number,
        .string = on_string,
        .begin_array = on_begin_array,
        .end_array = on_end,
        .begin_object = on_begin_object,
        .key = on_key,
        .end_object = on_end,
        .ud = b,
    };
    return b;
}

/* One builder serves the whole state, since no Lua runs while a source does;
 * only a finalizer that builds a value, called while another one is played,
 * finds it taken and gets one of its own. */
struct bind_builder *bind_builder_big(lua_State *L, enum bind_big big)
{
    static const char kept_key;
    struct bind_builder *b = NULL;

    luaL_checkstack(L, 8, NULL);
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &kept_key) != LUA_TNIL)
        b = bind_box_memory(L, -1);
    if (!b || b->playing) {
        bool keep = !b;

        lua_pop(L, 1);
        b = new_builder(L);
        if (keep) {
            lua_pushvalue(L, -1);
            lua_rawsetp(L, LUA_REGISTRYINDEX, &kept_key);
        }
    }
    b->L = L;
    b->big = big;
    b->depth = b->deepest = 0;
    weir_buf_reset(&b->tape);
    return b;
}

struct bind_builder *bind_builder(lua_State *L)
{
    return bind_builder_big(L, BIND_BIG_EXACT);
}

const struct weir_sink *bind_builder_sink(struct bind_builder *builder)
{
    return &builder->sink;
}

enum bind_big bind_big_check(lua_State *L, const char *what, const char *word)
{
    static const char *const words[] = {"exact", "error", "float", "string"};

    for (int i = 0; word && i < BIND_BIG_WORDS; i++) {
        if (strcmp(word, words[i]) == 0)
            return (enum bind_big)i;
    }
    if (word)
        bind_misuse(L,
                    "%s: big_numbers must be \"exact\", \"error\", "
                    "\"float\" or \"string\", not \"%s\"",
                    what, word);
    return BIND_BIG_EXACT;
}
