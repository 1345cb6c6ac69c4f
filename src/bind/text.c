/* Text questions that Lua faces ask: the nearest word, whether a URL is fit,
 * how wide a text is. */
#include <locale.h>
#include <string.h>
#include <wchar.h>

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
    struct weir_buf *buf;
    enum weir_code code;

    lua_settop(L, 1);
    if (len < MAX_URL_BYTES && weir_url_unreserved(text, len) == len)
        return 1; /* it is itself, as most ids are */
    buf = bind_buf(L, MAX_URL_BYTES);
    code = weir_url_encode(buf, text, len);
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

/* ---- columns ---- */

/* Whose characters have a width; made once, kept to the end. */
static locale_t utf8_locale(void)
{
    static locale_t utf8;

    if (!utf8)
        utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    return utf8;
}

/* The columns of the character at `text` in the current locale, and its
 * bytes; what is no UTF-8 counts as one column a byte. */
static int measure(const char *text, size_t len, size_t *bytes)
{
    mbstate_t state;
    wchar_t c;
    int width;

    memset(&state, 0, sizeof(state));
    *bytes = mbrtowc(&c, text, len, &state);
    if (*bytes == 0 || *bytes > len) {
        *bytes = 1;
        return 1;
    }
    width = wcwidth(c);
    return width < 0 ? 1 : width;
}

/* The bytes of `text` that fit into `max` columns; *columns: those they
 * take. */
static size_t fit(const char *text, size_t len, lua_Integer max,
                  lua_Integer *columns)
{
    locale_t utf8 = utf8_locale(), before = (locale_t)0;
    size_t at = 0;

    if (utf8)
        before = uselocale(utf8);
    *columns = 0;
    while (at < len) {
        size_t bytes;
        int width = measure(text + at, len - at, &bytes);

        if (*columns + width > max)
            break;
        *columns += width;
        at += bytes;
    }
    if (utf8)
        uselocale(before);
    return at;
}

/* width(text) → the columns it takes on a terminal */
static int text_width(lua_State *L)
{
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    lua_Integer columns;

    fit(text, len, LUA_MAXINTEGER - 2, &columns);
    lua_pushinteger(L, columns);
    return 1;
}

/* cut(text, columns) → as much of it as fits, and the columns it takes */
static int text_cut(lua_State *L)
{
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    lua_Integer columns;

    lua_pushlstring(L, text, fit(text, len, luaL_checkinteger(L, 2), &columns));
    lua_pushinteger(L, columns);
    return 2;
}

static const luaL_Reg functions[] = {
    {"nearest", text_nearest},
    {"url_encode", text_url_encode},
    {"url_check", text_url_check},
    {"width", text_width},
    {"cut", text_cut},
    {NULL, NULL},
};

int luaopen_weir_text(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
