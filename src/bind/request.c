/* Query, headers and body of a call, out of Lua tables. */
#include "request.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "weir/url.h"

/* Ceilings of what a script can make us hold beside its own values. */
#define MAX_QUERY   ((size_t)1 << 20)
#define MAX_HEADERS ((size_t)1 << 20)
#define MAX_BODY    ((size_t)256 << 20)
/* Room for most bodies, in one piece. */
#define USUAL_BODY 960

/* ---- tables of name = value(s), in the byte order of the names ---- */

struct pair_key {
    const char *text; /* anchored by the table */
    size_t len;
};

static int compare_keys(const void *a, const void *b)
{
    const struct pair_key *ka = a, *kb = b;
    size_t shorter = ka->len < kb->len ? ka->len : kb->len;
    int order = memcmp(ka->text, kb->text, shorter);

    return order ? order : (ka->len > kb->len) - (ka->len < kb->len);
}

/* Pushes an array of the table's keys, sorted. */
static const struct pair_key *sorted_keys(lua_State *L, int table,
                                          const char *what, const char *name,
                                          size_t *n)
{
    struct pair_key *keys;
    size_t count = 0, i = 0;

    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            bind_misuse(L, "%s: the names in '%s' must be strings, not %s",
                        what, name, luaL_typename(L, -2));
        count++;
    }
    keys = lua_newuserdatauv(L, (count + 1) * sizeof(*keys), 0);
    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
        keys[i].text = lua_tolstring(L, -2, &keys[i].len);
        i++;
    }
    qsort(keys, count, sizeof(*keys), compare_keys);
    *n = count;
    return keys;
}

/* Takes one pair; what it cannot take it raises. */
typedef void take_fn(lua_State *L, const char *what, const struct pair_key *key,
                     const char *value, size_t len, void *ud);

/* Pops the value on top and hands it over as text. */
static void take_value(lua_State *L, const char *what, const char *name,
                       const struct pair_key *key, take_fn *take, void *ud)
{
    const char *text;
    size_t len;

    switch (lua_type(L, -1)) {
    case LUA_TSTRING: break;
    case LUA_TNUMBER:
        if (!lua_isinteger(L, -1) && !isfinite(lua_tonumber(L, -1)))
            bind_misuse(L, "%s: %s.%s must be a finite number", what, name,
                        key->text);
        break;
    case LUA_TBOOLEAN:
        lua_pushstring(L, lua_toboolean(L, -1) ? "true" : "false");
        lua_replace(L, -2);
        break;
    default:
        bind_misuse(L,
                    "%s: %s.%s must be a string, number, boolean or an array "
                    "of these, not %s",
                    what, name, key->text, luaL_typename(L, -1));
    }
    text = lua_tolstring(L, -1, &len);
    take(L, what, key, text, len, ud);
    lua_pop(L, 1);
}

/* Hands every pair of the table at `table` to `take`. */
static void each_pair(lua_State *L, int table, const char *what,
                      const char *name, take_fn *take, void *ud)
{
    const struct pair_key *keys;
    size_t n;

    luaL_checkstack(L, 8, what);
    keys = sorted_keys(L, table, what, name, &n);
    for (size_t i = 0; i < n; i++) {
        lua_pushlstring(L, keys[i].text, keys[i].len);
        if (lua_rawget(L, table) == LUA_TTABLE) {
            lua_Integer count = (lua_Integer)lua_rawlen(L, -1);

            for (lua_Integer item = 1; item <= count; item++) {
                lua_rawgeti(L, -1, item);
                take_value(L, what, name, &keys[i], take, ud);
            }
            lua_pop(L, 1);
        } else {
            take_value(L, what, name, &keys[i], take, ud);
        }
    }
    lua_pop(L, 1); /* the keys */
}

/* ---- query and form ---- */

struct query_text {
    const char *name; /* the option's: a form is written as a query is */
    struct weir_buf *buf;
};

static void take_query(lua_State *L, const char *what,
                       const struct pair_key *key, const char *value,
                       size_t len, void *ud)
{
    const struct query_text *query = ud;
    struct weir_buf *buf = query->buf;

    if (strlen(key->text) != key->len)
        bind_misuse(L, "%s: the name '%s' holds a NUL", what, key->text);
    weir_url_add_pair(buf, key->text, value, len);
    if (buf->failed == WEIR_NOMEM)
        bind_raise_nomem(L);
    if (buf->failed)
        bind_misuse(L, "%s: '%s' is over %zu bytes", what, query->name,
                    buf->max);
}

/* Pushes a buffer with the table's pairs encoded. */
static struct weir_buf *encode_pairs(lua_State *L, int index, const char *what,
                                     const char *name)
{
    struct query_text query = {name, bind_buf(L, MAX_QUERY)};

    each_pair(L, index, what, name, take_query, &query);
    return query.buf;
}

const char *bind_query(lua_State *L, int index, const char *what,
                       const char *name)
{
    const char *text;
    size_t len;

    index = lua_absindex(L, index);
    luaL_checkstack(L, 4, what);
    switch (lua_type(L, index)) {
    case LUA_TNONE:
    case LUA_TNIL: lua_pushnil(L); return NULL;
    case LUA_TSTRING:
        text = lua_tolstring(L, index, &len);
        if (strlen(text) != len)
            bind_misuse(L, "%s: '%s' holds a NUL", what, name);
        lua_pushvalue(L, index);
        return text;
    case LUA_TTABLE: return weir_buf_str(encode_pairs(L, index, what, name));
    default:
        bind_misuse(L, "%s: '%s' must be a table or a string, not %s", what,
                    name, luaL_typename(L, index));
    }
    return NULL;
}

/* ---- headers ---- */

struct header_texts {
    const char *name;     /* the option's */
    struct weir_buf *buf; /* name NUL value NUL … */
    size_t n;
};

static void take_header(lua_State *L, const char *what,
                        const struct pair_key *key, const char *value,
                        size_t len, void *ud)
{
    struct header_texts *texts = ud;

    if (strlen(key->text) != key->len || strlen(value) != len)
        bind_misuse(L, "%s: %s.%s holds a NUL", what, texts->name, key->text);
    weir_buf_add(texts->buf, key->text, key->len + 1);
    weir_buf_add(texts->buf, value, len + 1);
    if (texts->buf->failed == WEIR_NOMEM)
        bind_raise_nomem(L);
    if (texts->buf->failed)
        bind_misuse(L, "%s: '%s' is over %zu bytes", what, texts->name,
                    texts->buf->max);
    texts->n++;
}

const struct weir_header *bind_headers(lua_State *L, int index,
                                       const char *what, size_t *n)
{
    return bind_pairs(L, index, what, "headers", n);
}

const struct weir_header *bind_pairs(lua_State *L, int index, const char *what,
                                     const char *name, size_t *n)
{
    struct header_texts texts = {.name = name};
    struct weir_header *headers;
    const char *text;

    *n = 0;
    index = lua_absindex(L, index);
    luaL_checkstack(L, 4, what);
    if (lua_isnoneornil(L, index)) {
        lua_pushnil(L);
        return NULL;
    }
    if (!lua_istable(L, index))
        bind_misuse(L, "%s: '%s' must be a table, not %s", what, name,
                    luaL_typename(L, index));
    texts.buf = bind_buf(L, MAX_HEADERS);
    each_pair(L, index, what, name, take_header, &texts);
    headers = lua_newuserdatauv(L, (texts.n + 1) * sizeof(*headers), 1);
    /* The array keeps the texts alive. */
    lua_pushvalue(L, -2);
    lua_setiuservalue(L, -2, 1);
    lua_remove(L, -2);
    text = weir_buf_str(texts.buf);
    for (size_t i = 0; i < texts.n; i++) {
        headers[i].name = text;
        text += strlen(text) + 1;
        headers[i].value = text;
        text += strlen(text) + 1;
    }
    *n = texts.n;
    return headers;
}

/* ---- body ---- */

static void json_body(lua_State *L, const char *what, struct bind_body *out)
{
    int value = lua_gettop(L);
    struct weir_buf *buf = bind_buf(L, MAX_BODY);
    struct weir_json_writer writer;
    struct weir_sink sink;
    struct weir_err err = WEIR_ERR_INIT;

    weir_buf_reserve(buf, USUAL_BODY);
    weir_json_writer_init(&writer, buf, 0, &sink);
    if (bind_value_emit(L, value, &sink, &err)) {
        lua_pushstring(L, err.message);
        weir_err_clear(&err);
        bind_misuse(L, "%s: 'json': %s", what, lua_tostring(L, -1));
    }
    lua_replace(L, value);
    *out = (struct bind_body){weir_buf_str(buf), buf->len, "application/json"};
}

static void form_body(lua_State *L, const char *what, struct bind_body *out)
{
    int value = lua_gettop(L);
    struct weir_buf *buf;

    if (!lua_istable(L, value))
        bind_misuse(L, "%s: 'form' must be a table, not %s", what,
                    luaL_typename(L, value));
    buf = encode_pairs(L, value, what, "form");
    lua_replace(L, value);
    *out = (struct bind_body){weir_buf_str(buf), buf->len,
                              "application/x-www-form-urlencoded"};
}

static void plain_body(lua_State *L, const char *what, struct bind_body *out)
{
    if (lua_type(L, -1) != LUA_TSTRING)
        bind_misuse(L,
                    "%s: 'body' must be a string, not %s (json = takes "
                    "any value)",
                    what, luaL_typename(L, -1));
    out->data = lua_tolstring(L, -1, &out->len);
}

void bind_body(lua_State *L, int index, const char *what, struct bind_body *out)
{
    static const struct {
        const char *name;
        void (*read)(lua_State *L, const char *what, struct bind_body *out);
    } kinds[] = {
        {"body", plain_body}, {"json", json_body}, {"form", form_body}};
    const char *found = NULL;

    *out = (struct bind_body){0};
    index = lua_absindex(L, index);
    luaL_checkstack(L, 6, what);
    lua_pushnil(L); /* the owner, when there is one */
    if (lua_isnoneornil(L, index))
        return;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (lua_getfield(L, index, kinds[i].name) == LUA_TNIL) {
            lua_pop(L, 1);
            continue;
        }
        if (found)
            bind_misuse(L, "%s: '%s' and '%s' are two bodies; give one", what,
                        found, kinds[i].name);
        found = kinds[i].name;
        kinds[i].read(L, what, out);
        lua_replace(L, -2);
    }
}

/* ---- all of it ---- */

void bind_request(lua_State *L, int index, const char *what,
                  struct bind_request *out)
{
    bool there = !lua_isnoneornil(L, index);

    index = lua_absindex(L, index);
    *out = (struct bind_request){0};
    luaL_checkstack(L, 8, what);
    if (!there) {
        lua_pushnil(L);
        lua_pushnil(L);
        lua_pushnil(L);
        return;
    }
    lua_getfield(L, index, "query");
    out->query = bind_query(L, -1, what, "query");
    lua_remove(L, -2);
    lua_getfield(L, index, "headers");
    out->headers = bind_headers(L, -1, what, &out->n_headers);
    lua_remove(L, -2);
    bind_body(L, index, what, &out->body);
}

void bind_request_release(lua_State *L, int index)
{
    for (int i = 0; i < 3; i++)
        bind_box_close(L, index + i); /* nothing for what is no box */
}

/* ---- ceilings ---- */

/* No script means so much. */
#define NOT_GIVEN (UINT_MAX - 1)

void bind_limits_before(struct weir_http_limits *limits)
{
    limits->min_speed = limits->max_redirects = NOT_GIVEN;
}

static void read_none(unsigned *value)
{
    if (*value == NOT_GIVEN)
        *value = 0;
    else if (*value == 0)
        *value = WEIR_HTTP_NONE;
}

void bind_limits_after(struct weir_http_limits *limits)
{
    read_none(&limits->min_speed);
    read_none(&limits->max_redirects);
}
