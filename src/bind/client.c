/* weir.client: base URL, auth, retries and rate limit: "do this call". */
#include "client.h"

#include <string.h>

#include "request.h"
#include "weir/cut.h"

static const char client_type[] = "weir.client";

struct client_box {
    struct weir_client *client;
    char base_url[128]; /* for tostring, cut */
};

static void client_fini(void *memory)
{
    struct client_box *box = memory;

    weir_client_unref(box->client);
    box->client = NULL;
}

static struct client_box *to_box(lua_State *L, int index)
{
    if (!luaL_testudata(L, index, client_type))
        return NULL;
    return bind_box_memory(L, index);
}

struct weir_client *bind_client(lua_State *L, int index)
{
    struct client_box *box = to_box(L, index);

    return box ? box->client : NULL;
}

struct weir_client *bind_client_check(lua_State *L, int index, const char *what)
{
    struct weir_client *client = bind_client(L, index);

    if (!client)
        bind_misuse(L, "%s: expected a client (weir.client.new), not %s", what,
                    luaL_typename(L, index));
    return client;
}

/* ---- making ---- */

struct options {
    const char *base_url;
    bool auth, retry, limit;
    int64_t timeout;
    struct weir_http_limits limits; /* of each attempt */
    unsigned max_depth;
    size_t max_nodes;
    bool allow_plain_http;
};

#define OPTION(type, name, kind, required)                                     \
    {                                                                          \
#name, kind, offsetof(type, name), required                            \
    }

static const struct bind_opt new_options[] = {
    OPTION(struct options, base_url, BIND_STRING, true),
    OPTION(struct options, auth, BIND_ANY, false),
    OPTION(struct options, retry, BIND_TABLE, false),
    OPTION(struct options, limit, BIND_ANY, false),
    OPTION(struct options, timeout, BIND_SECONDS, false),
    {"attempt_timeout", BIND_SECONDS,
     offsetof(struct options, limits.timeout_ms), false},
    BIND_LIMIT_OPTIONS(struct options, limits),
    OPTION(struct options, max_depth, BIND_UNSIGNED, false),
    OPTION(struct options, max_nodes, BIND_COUNT, false),
    OPTION(struct options, allow_plain_http, BIND_BOOLEAN, false),
    {NULL, BIND_ANY, 0, false},
};

struct retry_options {
    unsigned attempts;
    int64_t base, cap;
};

static const struct bind_opt retry_options[] = {
    OPTION(struct retry_options, attempts, BIND_UNSIGNED, false),
    OPTION(struct retry_options, base, BIND_SECONDS, false),
    OPTION(struct retry_options, cap, BIND_SECONDS, false),
    {NULL, BIND_ANY, 0, false},
};

struct limit_options {
    double rate, burst;
};

static const struct bind_opt limit_options[] = {
    OPTION(struct limit_options, rate, BIND_NUMBER, false),
    OPTION(struct limit_options, burst, BIND_NUMBER, false),
    {NULL, BIND_ANY, 0, false},
};

/* The sub-table or value of that name in the table at 1, left on the stack. */
static int member(lua_State *L, const char *name)
{
    lua_getfield(L, 1, name);
    return lua_gettop(L);
}

static void read_retry(lua_State *L, struct weir_client_config *config)
{
    struct retry_options retry = {0};

    bind_options(L, member(L, "retry"), "client.new: retry", retry_options,
                 &retry);
    config->retry = (struct weir_retry_policy){
        .attempts = retry.attempts, .base_ms = retry.base, .cap_ms = retry.cap};
}

/* limit = false: none. */
static void read_limit(lua_State *L, struct weir_client_config *config)
{
    struct limit_options limit = {0};
    int index = member(L, "limit");

    if (lua_isboolean(L, index) && !lua_toboolean(L, index)) {
        config->rate = -1;
        return;
    }
    bind_options(L, index, "client.new: limit", limit_options, &limit);
    if (limit.rate < 0 || limit.burst < 0)
        bind_misuse(L, "client.new: limit: rate and burst must be above 0; "
                       "limit = false is no limit");
    config->rate = limit.rate;
    config->burst = limit.burst;
}

static void read_auth(lua_State *L, struct weir_client_config *config)
{
    int index = member(L, "auth");

    config->auth = bind_auth(L, index);
    if (!config->auth && lua_toboolean(L, index))
        bind_misuse(L, "client.new: 'auth' must be an auth (weir.auth), not %s",
                    luaL_typename(L, index));
}

/* new{base_url=, auth=, retry=, limit=, timeout=, …} → client */
static int client_new(lua_State *L)
{
    struct bind_context *context = bind_context(L);
    struct options options = {0};
    struct weir_client_config config = {.log = context->log,
                                        .changes = context->changes};
    struct weir_err err = WEIR_ERR_INIT;
    struct client_box *box;
    enum weir_code code;

    if (!context->loop)
        return bind_misuse(L, "client.new: there are no calls to make in here");
    lua_settop(L, 1);
    luaL_checktype(L, 1, LUA_TTABLE);
    bind_limits_before(&options.limits);
    bind_options(L, 1, "client.new", new_options, &options);
    bind_limits_after(&options.limits);
    read_retry(L, &config);
    read_limit(L, &config);
    read_auth(L, &config);
    config.base_url = options.base_url;
    config.timeout_ms = options.timeout;
    config.limits = options.limits;
    config.max_depth = options.max_depth;
    config.max_nodes = options.max_nodes;
    config.allow_plain_http = options.allow_plain_http;
    box = bind_box(L, sizeof(*box), client_fini);
    luaL_setmetatable(L, client_type);
    code = weir_client_new(context->loop, &config, &box->client, &err);
    if (code == WEIR_INVALID)
        return bind_misuse_err(L, "client.new", &err);
    if (code)
        return bind_raise(L, &err);
    weir_cut_copy(box->base_url, sizeof(box->base_url), options.base_url,
                  strlen(options.base_url));
    return 1;
}

/* ---- calls ---- */

struct call_options {
    const char *if_match;
    bool safe, idempotent;
    bool discard;
    int64_t timeout;
    size_t max_bytes;
    bool request; /* query, headers, body: read by bind_request */
};

static const struct bind_opt call_options[] = {
    BIND_REQUEST_OPTIONS(struct call_options, request),
    OPTION(struct call_options, if_match, BIND_STRING, false),
    OPTION(struct call_options, safe, BIND_BOOLEAN, false),
    OPTION(struct call_options, idempotent, BIND_BOOLEAN, false),
    OPTION(struct call_options, discard, BIND_BOOLEAN, false),
    OPTION(struct call_options, timeout, BIND_SECONDS, false),
    OPTION(struct call_options, max_bytes, BIND_COUNT, false),
    {NULL, BIND_ANY, 0, false},
};

/* A NUL would end the text early, in the middle of an id. */
static const char *text_argument(lua_State *L, int index, const char *what,
                                 const char *name)
{
    size_t len;
    const char *text;

    if (lua_type(L, index) != LUA_TSTRING)
        bind_misuse(L, "%s: the %s must be a string, not %s", what, name,
                    luaL_typename(L, index));
    text = lua_tolstring(L, index, &len);
    if (strlen(text) != len)
        bind_misuse(L, "%s: the %s holds a NUL", what, name);
    return text;
}

static int call_results(lua_State *L, struct weir_op *op)
{
    bind_response_push(L, weir_http_response(op));
    if (weir_client_maybe_twice(op)) {
        lua_pushboolean(L, true);
        lua_setfield(L, -2, "maybe_twice");
    }
    return 1;
}

static int discarded_results(lua_State *L, struct weir_op *op)
{
    (void)op;
    lua_pushboolean(L, true);
    return 1;
}

/* Does the call; its options are at `index`. */
static int do_call(lua_State *L, int index, const char *what,
                   struct weir_client *client, const char *method,
                   const char *path)
{
    struct call_options options = {0};
    struct weir_err err = WEIR_ERR_INIT;
    struct bind_request parts;
    struct weir_call call;
    struct weir_op **op;
    enum weir_code code;
    int owners = lua_gettop(L) + 1;

    bind_options(L, index, what, call_options, &options);
    bind_request(L, index, what, &parts);
    call = (struct weir_call){
        .method = method,
        .path = path,
        .query = parts.query,
        .headers = parts.headers,
        .n_headers = parts.n_headers,
        .body = parts.body.data,
        .body_len = parts.body.len,
        .content_type = parts.body.content_type,
        .if_match = options.if_match,
        .safe = options.safe,
        .idempotent = options.idempotent,
        .timeout_ms = options.timeout,
        .max_bytes = options.max_bytes,
    };
    op = bind_op(L);
    code = weir_client_call(client, &call, op, &err);
    bind_request_release(L, owners);
    if (code == WEIR_INVALID)
        return bind_misuse_err(L, what, &err);
    if (code)
        return bind_fail(L, &err);
    return bind_await(L, lua_gettop(L),
                      options.discard ? discarded_results : call_results);
}

/* client:request(method, path [, options]) → response, or nil and the err */
static int client_request(lua_State *L)
{
    static const char what[] = "client:request";
    struct weir_client *client = bind_client_check(L, 1, what);

    lua_settop(L, 4);
    return do_call(L, 4, what, client, text_argument(L, 2, what, "method"),
                   text_argument(L, 3, what, "path"));
}

/* client:get(path [, options]) …: method and name are upvalues. */
static int client_short(lua_State *L)
{
    const char *method = lua_tostring(L, lua_upvalueindex(1));
    const char *what = lua_tostring(L, lua_upvalueindex(2));
    struct weir_client *client = bind_client_check(L, 1, what);

    lua_settop(L, 3);
    return do_call(L, 3, what, client, method,
                   text_argument(L, 2, what, "path"));
}

/* client:stats() → {requests=, retries=, rate_limited=} */
static int client_stats(lua_State *L)
{
    struct weir_client_stats stats =
        weir_client_stats(bind_client_check(L, 1, "client:stats"));

    lua_createtable(L, 0, 3);
    lua_pushinteger(L, (lua_Integer)stats.requests);
    lua_setfield(L, -2, "requests");
    lua_pushinteger(L, (lua_Integer)stats.retries);
    lua_setfield(L, -2, "retries");
    lua_pushinteger(L, (lua_Integer)stats.rate_limited);
    lua_setfield(L, -2, "rate_limited");
    return 1;
}

static int client_tostring(lua_State *L)
{
    struct client_box *box = to_box(L, 1);

    if (box)
        lua_pushfstring(L, "client of %s", box->base_url);
    else
        lua_pushliteral(L, "client (closed)");
    return 1;
}

static const luaL_Reg functions[] = {
    {"new", client_new},
    {NULL, NULL},
};

static const luaL_Reg methods[] = {
    {"request", client_request},
    {"stats", client_stats},
    {NULL, NULL},
};

static const luaL_Reg metamethods[] = {
    {"__tostring", client_tostring},
    {"__gc", bind_box_gc},
    {"__close", bind_box_gc},
    {NULL, NULL},
};

static void add_short(lua_State *L, const char *name, const char *method)
{
    lua_pushstring(L, method);
    lua_pushfstring(L, "client:%s", name);
    lua_pushcclosure(L, client_short, 2);
    lua_setfield(L, -2, name);
}

int luaopen_weir_client(lua_State *L)
{
    bind_class(L, client_type, methods, metamethods);
    luaL_getmetatable(L, client_type);
    lua_getfield(L, -1, "__index");
    add_short(L, "get", "GET");
    add_short(L, "head", "HEAD");
    add_short(L, "post", "POST");
    add_short(L, "put", "PUT");
    add_short(L, "delete", "DELETE");
    lua_pop(L, 2);
    luaL_newlib(L, functions);
    return 1;
}
