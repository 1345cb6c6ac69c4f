/* A response as scripts see it. */
#include <string.h>

#include "request.h"
#include "value.h"

static const char response_type[] = "weir.http.response";
static const char headers_type[] = "weir.http.headers";

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

/* Pushes `text` in lower case. */
static void push_lower(lua_State *L, const char *text, size_t len)
{
    char few[64];
    luaL_Buffer buffer;
    bool is_short = len <= sizeof(few);
    char *out = is_short ? few : luaL_buffinitsize(L, &buffer, len);

    for (size_t i = 0; i < len; i++)
        out[i] = lower(text[i]);
    if (is_short)
        lua_pushlstring(L, few, len);
    else
        luaL_pushresultsize(&buffer, len);
}

/* headers.ETag, headers["Content-Type"]: the keys are in lower case. */
static int headers_index(lua_State *L)
{
    size_t len;
    const char *name;

    if (lua_type(L, 1) != LUA_TTABLE || lua_type(L, 2) != LUA_TSTRING)
        return 0;
    name = lua_tolstring(L, 2, &len);
    push_lower(L, name, len);
    lua_rawget(L, 1);
    return 1;
}

static void push_headers(lua_State *L,
                         const struct weir_http_response *response)
{
    lua_createtable(L, 0, (int)response->n_headers);
    for (size_t i = 0; i < response->n_headers; i++) {
        const struct weir_header *header = &response->headers[i];

        push_lower(L, header->name, strlen(header->name));
        lua_pushvalue(L, -1);
        /* Repeated headers are one list (RFC 9110 section 5.2). */
        if (lua_rawget(L, -3) == LUA_TSTRING) {
            lua_pushfstring(L, "%s, %s", lua_tostring(L, -1), header->value);
            lua_remove(L, -2);
        } else {
            lua_pop(L, 1);
            lua_pushstring(L, header->value);
        }
        lua_rawset(L, -3);
    }
    if (luaL_newmetatable(L, headers_type)) {
        lua_pushcfunction(L, headers_index);
        lua_setfield(L, -2, "__index");
    }
    lua_setmetatable(L, -2);
}

/* response:json([options]) → value, or nil and the err. */
static int response_json(lua_State *L)
{
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_json_options options;
    struct bind_builder *builder;
    const char *body, *url;
    size_t len;

    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    if (lua_getfield(L, 1, "body") != LUA_TSTRING)
        return bind_misuse(L, "response:json(): the response has no body");
    body = lua_tolstring(L, -1, &len);
    builder = bind_json_options(L, 2, "response:json", &options);
    if (weir_json_scan(body, len, &options, bind_builder_sink(builder), &err) ==
        WEIR_OK)
        return 1;
    lua_getfield(L, 1, "url");
    url = lua_tostring(L, -1);
    weir_err_prefix(
        &err, "the body from %.*s%s: ", url ? (int)strcspn(url, "?#") : 0,
        url ? url : "", err.code == WEIR_SYNTAX ? " is no JSON" : "");
    return bind_fail(L, &err);
}

/* "200 https://… (1234 bytes)" */
static int response_tostring(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_getfield(L, 1, "status");
    lua_getfield(L, 1, "url");
    lua_getfield(L, 1, "body");
    lua_pushfstring(L, "%I %s (%I bytes)", lua_tointeger(L, -3),
                    luaL_optstring(L, -2, ""), (lua_Integer)lua_rawlen(L, -1));
    return 1;
}

static void set_metatable(lua_State *L)
{
    if (luaL_newmetatable(L, response_type)) {
        lua_createtable(L, 0, 1);
        lua_pushcfunction(L, response_json);
        lua_setfield(L, -2, "json");
        lua_setfield(L, -2, "__index");
        lua_pushcfunction(L, response_tostring);
        lua_setfield(L, -2, "__tostring");
    }
    lua_setmetatable(L, -2);
}

void bind_response_push(lua_State *L, const struct weir_http_response *response)
{
    luaL_checkstack(L, 10, "response");
    lua_createtable(L, 0, 5);
    lua_pushinteger(L, response->status);
    lua_setfield(L, -2, "status");
    push_headers(L, response);
    lua_setfield(L, -2, "headers");
    lua_pushlstring(L, response->body, response->body_len);
    lua_setfield(L, -2, "body");
    lua_pushstring(L, response->url);
    lua_setfield(L, -2, "url");
    lua_pushnumber(L, response->elapsed);
    lua_setfield(L, -2, "elapsed");
    set_metatable(L);
}

int bind_response_results(lua_State *L, struct weir_op *op)
{
    bind_response_push(L, weir_http_response(op));
    return 1;
}
