/* weir.yaml: text to values and back. */
#include "weir/yaml.h"

#include <stdlib.h>
#include <string.h>

#include "value.h"

/* decode(text [, options]) → value, or nil and an err object. */
static int yaml_decode(lua_State *L)
{
    struct options {
        unsigned max_depth;
        size_t max_nodes;
        size_t max_expansions;
        size_t max_bytes;
        const char *big_numbers;
    } o = {0};
    static const struct bind_opt opts[] = {
        {"max_depth", BIND_UNSIGNED, offsetof(struct options, max_depth),
         false},
        {"max_nodes", BIND_COUNT, offsetof(struct options, max_nodes), false},
        {"max_expansions", BIND_COUNT, offsetof(struct options, max_expansions),
         false},
        {"max_bytes", BIND_COUNT, offsetof(struct options, max_bytes), false},
        {"big_numbers", BIND_STRING, offsetof(struct options, big_numbers),
         false},
        {NULL, BIND_ANY, 0, false},
    };
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_yaml_options options;
    struct bind_builder *builder;
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);

    bind_options(L, 2, "yaml.decode", opts, &o);
    options = (struct weir_yaml_options){o.max_depth, o.max_nodes,
                                         o.max_expansions, o.max_bytes};
    builder =
        bind_builder_big(L, bind_big_check(L, "yaml.decode", o.big_numbers));
    if (weir_yaml_scan(text, len, &options, bind_builder_sink(builder), &err))
        return bind_fail(L, &err);
    bind_box_close(L, -2); /* the builder, now and not when collected */
    return 1;
}

static void writer_fini(void *memory)
{
    weir_yaml_writer_free(*(struct weir_yaml_writer **)memory);
}

/* encode(value) → text, or nil and an err object. */
static int yaml_encode(lua_State *L)
{
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_yaml_writer **writer;
    struct weir_buf *buf;
    enum weir_code code;

    luaL_checkany(L, 1);
    lua_settop(L, 1);
    buf = bind_buf(L, BIND_VALUE_MAX_TEXT);
    writer = bind_box(L, sizeof(struct weir_yaml_writer *), writer_fini);
    code = weir_yaml_writer_new(buf, writer, &err);
    if (!code)
        code = bind_value_emit(L, 1, weir_yaml_writer_sink(*writer), &err);
    if (!code)
        code = weir_yaml_writer_finish(*writer, &err);
    bind_box_close(L, -1);
    if (code)
        return bind_fail(L, &err);
    lua_pushlstring(L, weir_buf_str(buf), buf->len);
    bind_box_close(L, 2);
    return 1;
}

/* Removes the members that the list at `index` names. */
static void remove_members(lua_State *L, int index, struct weir_json *json)
{
    for (lua_Integer i = 1; lua_rawgeti(L, index, i) != LUA_TNIL; i++) {
        if (lua_type(L, -1) != LUA_TSTRING)
            bind_misuse(L, "yaml.from_json: without[%d] is no string", (int)i);
        weir_json_remove(json, lua_tostring(L, -1));
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

/* from_json(text [, {without = names}]) → the document as YAML, or nil and an
 * err object.  It never becomes Lua values, so every number keeps the text
 * that it had. */
static int yaml_from_json(lua_State *L)
{
    struct options {
        bool without;
    } o = {0};
    static const struct bind_opt opts[] = {
        {"without", BIND_TABLE, offsetof(struct options, without), false},
        {NULL, BIND_ANY, 0, false},
    };
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_json **json;
    struct weir_buf *buf;
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);

    bind_options(L, 2, "yaml.from_json", opts, &o);
    lua_settop(L, 2);
    buf = bind_buf(L, BIND_VALUE_MAX_TEXT);
    json = bind_json_box(L);
    if (weir_json_parse(text, len, NULL, json, &err))
        return bind_fail(L, &err);
    if (o.without) {
        lua_getfield(L, 2, "without");
        remove_members(L, lua_gettop(L), *json);
    }
    if (weir_yaml_write(*json, buf, &err))
        return bind_fail(L, &err);
    lua_pushlstring(L, weir_buf_str(buf), buf->len);
    return 1;
}

/* What places() collects: Lua must not be called from inside the core, so each
 * place is written as text first. */
static void keep_place(void *ud, const struct weir_yaml_place *at)
{
    struct weir_buf *out = ud;

    weir_buf_addf(out, "%c%zu %zu %zu ", at->key ? 'k' : 'v', at->line,
                  at->column, at->plain ? at->len : 0);
    weir_buf_addf(out, "%s", at->pointer);
    weir_buf_addc(out, '\0');
    weir_buf_adds(out, at->yaml11 ? at->yaml11 : "");
    weir_buf_addc(out, '\0');
}

static void set_integer(lua_State *L, const char *name, size_t value)
{
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, name);
}

/* Pushes the place whose text begins at `at`; returns where the next does. */
static const char *push_place(lua_State *L, const char *at)
{
    size_t numbers[3];
    char *end = (char *)(uintptr_t)(at + 1);

    for (int i = 0; i < 3; i++)
        numbers[i] = strtoul(end, &end, 10);
    lua_createtable(L, 0, 6);
    lua_pushboolean(L, *at == 'k');
    lua_setfield(L, -2, "key");
    set_integer(L, "line", numbers[0]);
    set_integer(L, "column", numbers[1]);
    set_integer(L, "length", numbers[2]);
    at = end + 1;
    lua_pushstring(L, at);
    lua_setfield(L, -2, "path");
    at += strlen(at) + 1;
    if (*at) {
        lua_pushstring(L, at);
        lua_setfield(L, -2, "yaml11");
    }
    return at + strlen(at) + 1;
}

/* places(text) → {{path=, key=, line=, column=, length=, yaml11=}, …}, or nil
 * and an err object. */
static int yaml_places(lua_State *L)
{
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_buf *buf;
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len), *at;
    enum weir_code code;

    buf = bind_buf(L, BIND_VALUE_MAX_TEXT);
    code = weir_yaml_places(text, len, NULL, keep_place, buf, &err);
    if (!code && buf->failed)
        code = weir_buf_err(buf, "the places", &err);
    if (code)
        return bind_fail(L, &err);
    lua_newtable(L);
    at = weir_buf_str(buf);
    for (lua_Integer n = 1; at < weir_buf_str(buf) + buf->len; n++) {
        at = push_place(L, at);
        lua_rawseti(L, -2, n);
    }
    bind_box_close(L, -2);
    return 1;
}

static const luaL_Reg functions[] = {
    {"decode", yaml_decode},
    {"places", yaml_places},
    {"encode", yaml_encode},
    {"from_json", yaml_from_json},
    {NULL, NULL},
};

int luaopen_weir_yaml(lua_State *L)
{
    luaL_newlib(L, functions);
    bind_null_push(L);
    lua_setfield(L, -2, "null");
    return 1;
}
