/* weir.http: one request, one response; any status is a response. */
#include <string.h>
#include <strings.h>

#include "request.h"

#define MAX_URL ((size_t)2 << 20)

/* The options of a call. */
struct options {
    const char *method;
    const char *url;
    struct weir_http_limits limits;
    bool once;
    bool allow_plain_http;
    bool request; /* query, headers, body: read by bind_request */
};

#define OPTION(name, type)                                                     \
    {                                                                          \
#name, type, offsetof(struct options, name), false                     \
    }
#define COMMON_OPTIONS                                                         \
    BIND_REQUEST_OPTIONS(struct options, request),                             \
        BIND_LIMIT_OPTIONS(struct options, limits),                            \
        {"timeout", BIND_SECONDS, offsetof(struct options, limits.timeout_ms), \
         false},                                                               \
        OPTION(once, BIND_BOOLEAN), OPTION(allow_plain_http, BIND_BOOLEAN)

static const struct bind_opt request_options[] = {
    {"method", BIND_STRING, offsetof(struct options, method), false},
    {"url", BIND_STRING, offsetof(struct options, url), true},
    COMMON_OPTIONS,
    {NULL, BIND_ANY, 0, false},
};
static const struct bind_opt short_options[] = {
    COMMON_OPTIONS,
    {NULL, BIND_ANY, 0, false},
};

/* Pushes what owns the URL with its query. */
static const char *full_url(lua_State *L, const char *url, const char *query)
{
    struct weir_buf *buf;

    if (!query || !query[0]) {
        lua_pushnil(L);
        return url;
    }
    buf = bind_buf(L, MAX_URL);
    weir_buf_add(buf, url, strcspn(url, "#"));
    weir_buf_addc(buf, strchr(weir_buf_str(buf), '?') ? '&' : '?');
    weir_buf_adds(buf, query);
    if (buf->failed == WEIR_NOMEM)
        bind_raise_nomem(L);
    if (buf->failed)
        bind_misuse(L, "http: the URL is over %zu bytes", MAX_URL);
    return weir_buf_str(buf);
}

/* The headers with the body's Content-Type, unless the caller gave one.
 * Pushes what owns the array. */
static const struct weir_header *with_type(lua_State *L,
                                           struct bind_request *request)
{
    struct weir_header *headers;
    size_t n = request->n_headers;

    lua_pushnil(L);
    if (!request->body.content_type)
        return request->headers;
    for (size_t i = 0; i < n; i++) {
        if (strcasecmp(request->headers[i].name, "Content-Type") == 0)
            return request->headers;
    }
    lua_pop(L, 1);
    headers = lua_newuserdatauv(L, (n + 1) * sizeof(*headers), 0);
    if (n > 0)
        memcpy(headers, request->headers, n * sizeof(*headers));
    headers[n] =
        (struct weir_header){"Content-Type", request->body.content_type};
    request->n_headers = n + 1;
    return headers;
}

/* The simulator's own handles are no part of what it simulates. */
static bool is_control(const struct bind_context *context, const char *url)
{
    static const char control[] = "/_sim/";
    size_t len = context->sim_url ? strlen(context->sim_url) : 0;

    return len > 0 && strncmp(url, context->sim_url, len) == 0 &&
           strncmp(url + len, control, sizeof(control) - 1) == 0;
}

/* Does the call that `options` describe, whose table is at `index`. */
static int call(lua_State *L, int index, const char *what,
                const struct options *options)
{
    const struct bind_context *context = bind_context(L);
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_http_request request = {
        .once = options->once,
        .allow_plain_http = options->allow_plain_http,
        .limits = options->limits,
    };
    struct bind_request parts;
    struct weir_op **op;
    enum weir_code code;
    int owners = lua_gettop(L) + 1;

    bind_request(L, index, what, &parts);
    request.url = full_url(L, options->url, parts.query);
    request.headers = with_type(L, &parts);
    request.n_headers = parts.n_headers;
    if (!is_control(context, request.url))
        request.changes = context->changes;
    request.body = parts.body.data;
    request.body_len = parts.body.len;
    request.method = options->method ? options->method
                     : request.body  ? "POST"
                                     : "GET";
    op = bind_op(L);
    code = weir_http_new(context->loop, &request, op, &err);
    bind_request_release(L, owners);
    if (code == WEIR_INVALID)
        return bind_misuse_err(L, what, &err);
    if (code)
        return bind_fail(L, &err);
    return bind_await(L, lua_gettop(L), bind_response_results);
}

/* request{url=, method=, …} → response, or nil and the err. */
static int http_request(lua_State *L)
{
    struct options options = {0};

    lua_settop(L, 1);
    luaL_checktype(L, 1, LUA_TTABLE);
    bind_limits_before(&options.limits);
    bind_options(L, 1, "http.request", request_options, &options);
    bind_limits_after(&options.limits);
    return call(L, 1, "http.request", &options);
}

/* get(url [, options]), post(url, options) …: the method is an upvalue. */
static int http_short(lua_State *L)
{
    struct options options = {0};
    const char *what = lua_tostring(L, lua_upvalueindex(2));
    size_t len;

    lua_settop(L, 2);
    if (lua_type(L, 1) != LUA_TSTRING)
        return bind_misuse(L, "%s: the URL must be a string, not %s", what,
                           luaL_typename(L, 1));
    options.url = lua_tolstring(L, 1, &len);
    if (strlen(options.url) != len)
        return bind_misuse(L, "%s: the URL holds a NUL", what);
    bind_limits_before(&options.limits);
    bind_options(L, 2, what, short_options, &options);
    bind_limits_after(&options.limits);
    options.method = lua_tostring(L, lua_upvalueindex(1));
    return call(L, 2, what, &options);
}

static void add_short(lua_State *L, const char *name, const char *method)
{
    lua_pushstring(L, method);
    lua_pushfstring(L, "http.%s", name);
    lua_pushcclosure(L, http_short, 2);
    lua_setfield(L, -2, name);
}

static const luaL_Reg functions[] = {
    {"request", http_request},
    {NULL, NULL},
};

int luaopen_weir_http(lua_State *L)
{
    luaL_newlib(L, functions);
    add_short(L, "get", "GET");
    add_short(L, "head", "HEAD");
    add_short(L, "post", "POST");
    add_short(L, "put", "PUT");
    add_short(L, "delete", "DELETE");
    return 1;
}
