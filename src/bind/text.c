/* Text questions that Lua faces ask: the nearest word, whether a URL is fit. */
#include <string.h>

#include "bind.h"
#include "weir/filter.h"
#include "weir/http.h"
#include "weir/url.h"

#define MAX_WORDS     64
#define MAX_URL_BYTES ((size_t)64 * 1024)

/* nearest(word, list) → the list's word nearest to it, or nil. */
static int text_nearest(lua_State *L)
{
    const char *word = luaL_checkstring(L, 1), *near;
    const char *words[MAX_WORDS + 1];
    size_t n = 0;

    luaL_checktype(L, 2, LUA_TTABLE);
    luaL_checkstack(L, MAX_WORDS + 4, NULL);
    /* The words stay on the stack, which keeps their text alive. */
    while (n < MAX_WORDS &&
           lua_rawgeti(L, 2, (lua_Integer)n + 1) == LUA_TSTRING)
        words[n++] = lua_tostring(L, -1);
    words[n] = NULL;
    near = weir_nearest(word, words);
    if (!near)
        return 0;
    lua_pushstring(L, near);
    return 1;
}

/* url_encode(text) → percent-encoded for one path segment or query part
 * (RFC 3986 section 2.3: everything but unreserved characters). */
static int text_url_encode(lua_State *L)
{
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    struct weir_buf *buf = bind_buf(L, MAX_URL_BYTES);
    enum weir_code code = weir_url_encode(buf, text, len);

    if (code == WEIR_NOMEM)
        return bind_raise_nomem(L);
    if (code)
        return bind_misuse(L, "url_encode: the text is over %zu bytes",
                           MAX_URL_BYTES / 3);
    lua_pushlstring(L, weir_buf_str(buf), buf->len);
    return 1;
}

/* url_check(url) → true if it may carry a secret: absolute, and https or to
 * loopback; else nil and the err object. */
static int text_url_check(lua_State *L)
{
    struct weir_err err = WEIR_ERR_INIT;

    if (weir_http_url_safe(luaL_checkstring(L, 1), &err))
        return bind_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

static const luaL_Reg functions[] = {
    {"nearest", text_nearest},
    {"url_encode", text_url_encode},
    {"url_check", text_url_check},
    {NULL, NULL},
};

int luaopen_weir_text(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
