/* weir.json: text to values and back. */
#include "value.h"

#define MAX_INDENT 16

struct bind_builder *bind_json_options(lua_State *L, int index,
                                       const char *what,
                                       struct weir_json_options *out)
{
    struct options {
        struct weir_json_options json;
        const char *big_numbers;
    } o = {0};
    static const struct bind_opt opts[] = {
        {"max_depth", BIND_UNSIGNED, offsetof(struct options, json.max_depth),
         false},
        {"max_nodes", BIND_COUNT, offsetof(struct options, json.max_nodes),
         false},
        {"max_bytes", BIND_COUNT, offsetof(struct options, json.max_bytes),
         false},
        {"duplicate_keys", BIND_BOOLEAN,
         offsetof(struct options, json.duplicate_keys), false},
        {"big_numbers", BIND_STRING, offsetof(struct options, big_numbers),
         false},
        {NULL, BIND_ANY, 0, false},
    };

    bind_options(L, index, what, opts, &o);
    *out = o.json;
    return bind_builder_big(L, bind_big_check(L, what, o.big_numbers));
}

/* decode(text [, options]) → value, or nil and an err object. */
static int json_decode(lua_State *L)
{
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_json_options options;
    struct bind_builder *builder;
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);

    builder = bind_json_options(L, 2, "json.decode", &options);
    if (weir_json_scan(text, len, &options, bind_builder_sink(builder), &err))
        return bind_fail(L, &err);
    bind_box_close(L, -2); /* the builder, now and not when collected */
    return 1;
}

/* encode(value [, options]) → text, or nil and an err object. */
static int json_encode(lua_State *L)
{
    struct options {
        unsigned indent;
    } o = {0};
    static const struct bind_opt opts[] = {
        {"indent", BIND_UNSIGNED, offsetof(struct options, indent), false},
        {NULL, BIND_ANY, 0, false},
    };
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_json_writer writer;
    struct weir_sink sink;
    struct weir_buf *buf;

    luaL_checkany(L, 1);
    bind_options(L, 2, "json.encode", opts, &o);
    if (o.indent > MAX_INDENT)
        return bind_misuse(L, "json.encode: indent is at most %d, not %u",
                           MAX_INDENT, o.indent);
    buf = bind_buf(L, BIND_VALUE_MAX_TEXT);
    weir_json_writer_init(&writer, buf, o.indent, &sink);
    if (bind_value_emit(L, 1, &sink, &err))
        return bind_fail(L, &err);
    lua_pushlstring(L, weir_buf_str(buf), buf->len);
    bind_box_close(L, -2);
    return 1;
}

/* array([t]) → t, marked to be written as an array also when empty. */
static int json_array(lua_State *L)
{
    if (lua_isnoneornil(L, 1)) {
        lua_settop(L, 0);
        lua_newtable(L);
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    if (bind_is_array(L, 1))
        return 1;
    if (lua_getmetatable(L, 1))
        return bind_misuse(L, "json.array: the table has a metatable already");
    bind_array_mark(L, 1);
    return 1;
}

static const luaL_Reg functions[] = {
    {"decode", json_decode},
    {"encode", json_encode},
    {"array", json_array},
    {NULL, NULL},
};

int luaopen_weir_json(lua_State *L)
{
    luaL_newlib(L, functions);
    bind_null_push(L);
    lua_setfield(L, -2, "null");
    return 1;
}
