/* value: null, arrays, paths, and documents as Lua values and back. */
#include "value.h"

#include <stdio.h>
#include <string.h>

/* ---- null and arrays ---- */

static const char null_key;
static const char array_type[] = "weir.array";

static int null_tostring(lua_State *L)
{
    lua_pushliteral(L, "null");
    return 1;
}

/* One userdata a state, so that `==` works; it lives in the registry. */
void bind_null_push(lua_State *L)
{
    luaL_checkstack(L, 4, NULL);
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &null_key) != LUA_TNIL)
        return;
    lua_pop(L, 1);
    lua_newuserdatauv(L, 0, 0);
    lua_createtable(L, 0, 2);
    lua_pushcfunction(L, null_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pushliteral(L, "null");
    lua_setfield(L, -2, "__name");
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &null_key);
}

bool bind_is_null(lua_State *L, int index)
{
    bool is;

    if (lua_type(L, index) != LUA_TUSERDATA)
        return false;
    index = lua_absindex(L, index);
    luaL_checkstack(L, 2, NULL);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &null_key);
    is = lua_rawequal(L, index, -1);
    lua_pop(L, 1);
    return is;
}

void bind_array_mark(lua_State *L, int index)
{
    index = lua_absindex(L, index);
    luaL_checkstack(L, 3, NULL);
    luaL_newmetatable(L, array_type);
    lua_setmetatable(L, index);
}

bool bind_is_array(lua_State *L, int index)
{
    bool is;

    if (lua_type(L, index) != LUA_TTABLE)
        return false;
    luaL_checkstack(L, 3, NULL);
    if (!lua_getmetatable(L, index))
        return false;
    luaL_getmetatable(L, array_type);
    is = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return is;
}

/* ---- paths ---- */

void bind_path_init(struct bind_path *path)
{
    path->text[0] = '\0';
    path->len = 0;
    path->cut = false;
}

static void add(struct bind_path *path, const char *text, size_t len)
{
    static const char dots[] = "…";

    if (path->cut)
        return;
    if (path->len + len + sizeof(dots) > sizeof(path->text)) {
        path->cut = true;
        len = sizeof(dots) - 1;
        text = dots;
    }
    memcpy(path->text + path->len, text, len);
    path->len += len;
    path->text[path->len] = '\0';
}

void bind_path_key(struct bind_path *path, const char *key, size_t len)
{
    add(path, "/", 1);
    while (len > 0 && !path->cut) {
        unsigned char c = (unsigned char)*key;
        /* A character goes in whole or not at all. */
        size_t size = c < 0xC0 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;

        if (size > len || weir_utf8_valid(key, size) != size)
            size = 1;
        if (c == '~' || c == '/')
            add(path, c == '~' ? "~0" : "~1", 2);
        else if (c < 0x20 || c == 0x7F || (size == 1 && c >= 0x80))
            add(path, "?", 1); /* a message stays on one line */
        else
            add(path, key, size);
        key += size;
        len -= size;
    }
}

void bind_path_index(struct bind_path *path, size_t index)
{
    char text[32];
    int len = snprintf(text, sizeof(text), "/%zu", index);

    add(path, text, (size_t)len);
}

const char *bind_path_text(const struct bind_path *path)
{
    return path->len ? path->text : "value";
}

/* ---- documents ---- */

void bind_value_push(lua_State *L, const struct weir_json *json)
{
    struct weir_err err = WEIR_ERR_INIT;
    struct bind_builder *builder;
    int top = lua_gettop(L);

    luaL_checkstack(L, 4, NULL);
    if (!json) {
        lua_pushnil(L);
        return;
    }
    builder = bind_builder(L);
    if (weir_json_emit(json, bind_builder_sink(builder), &err))
        bind_raise(L, &err);
    lua_replace(L, top + 1);
}

static void builder_fini(void *memory)
{
    weir_json_builder_free(*(struct weir_json_builder **)memory);
}

enum weir_code bind_value_json(lua_State *L, int index, struct weir_json ***box,
                               struct weir_err *err)
{
    struct weir_json_builder **builder;
    struct weir_json **json;
    int top = lua_gettop(L);
    enum weir_code code;

    index = lua_absindex(L, index);
    luaL_checkstack(L, 4, NULL);
    json = bind_json_box(L);
    builder = bind_box(L, sizeof(struct weir_json_builder *), builder_fini);
    code = weir_json_builder_new(builder, err);
    if (!code)
        code = bind_value_emit(L, index, weir_json_builder_sink(*builder), err);
    if (!code)
        *json = weir_json_builder_take(*builder);
    bind_box_close(L, -1);
    lua_settop(L, code ? top : top + 1);
    if (!code)
        *box = json;
    return code;
}
