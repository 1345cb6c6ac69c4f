/* weir.auth: where a bearer token comes from. */
#include <string.h>

#include "client.h"
#include "request.h"
#include "secret.h"

static const char auth_type[] = "weir.auth";

struct auth_box {
    struct weir_auth *auth;
};

static void auth_fini(void *memory)
{
    struct auth_box *box = memory;

    weir_auth_unref(box->auth);
    box->auth = NULL;
}

struct weir_auth *bind_auth(lua_State *L, int index)
{
    struct auth_box *box;

    if (!luaL_testudata(L, index, auth_type))
        return NULL;
    box = bind_box_memory(L, index);
    return box ? box->auth : NULL;
}

static struct weir_auth *self(lua_State *L, const char *what)
{
    struct weir_auth *auth = bind_auth(L, 1);

    if (!auth)
        bind_misuse(L, "auth:%s: expected an auth before the ':', not %s", what,
                    luaL_typename(L, 1));
    return auth;
}

/* ---- making ---- */

struct options {
    const char *token_url;
    const char *client_id, *client_secret;
    const char *access_key_id, *access_key_secret;
    const char *scope;
    bool fields;
    bool allow_plain_http;
    struct weir_http_limits limits;
};

#define OPTION(name, type, required)                                           \
    {                                                                          \
#name, type, offsetof(struct options, name), required                  \
    }
#define COMMON_OPTIONS                                                         \
    OPTION(token_url, BIND_STRING, true),                                      \
        OPTION(client_id, BIND_STRING, true),                                  \
        OPTION(client_secret, BIND_SECRET, true),                              \
        OPTION(scope, BIND_STRING, false), OPTION(fields, BIND_TABLE, false),  \
        OPTION(allow_plain_http, BIND_BOOLEAN, false),                         \
        BIND_LIMIT_OPTIONS(struct options, limits),                            \
    {                                                                          \
        "attempt_timeout", BIND_SECONDS,                                       \
            offsetof(struct options, limits.timeout_ms), false                 \
    }

static const struct bind_opt credentials_options[] = {
    COMMON_OPTIONS,
    {NULL, BIND_ANY, 0, false},
};
static const struct bind_opt access_key_options[] = {
    COMMON_OPTIONS,
    OPTION(access_key_id, BIND_STRING, true),
    OPTION(access_key_secret, BIND_SECRET, true),
    {NULL, BIND_ANY, 0, false},
};

/* Pushes the userdata for what `config` describes. */
static int push_auth(lua_State *L, const char *what,
                     struct weir_auth_config *config)
{
    struct bind_context *context = bind_context(L);
    struct auth_box *box;
    struct weir_err err = WEIR_ERR_INIT;
    enum weir_code code;

    if (!context->loop)
        return bind_misuse(L, "%s: there are no calls to make in here", what);
    config->log = context->log;
    config->changes = context->changes;
    box = bind_box(L, sizeof(*box), auth_fini);
    luaL_setmetatable(L, auth_type);
    code = weir_auth_new(context->loop, config, &box->auth, &err);
    if (code == WEIR_INVALID)
        return bind_misuse_err(L, what, &err);
    return code ? bind_raise(L, &err) : 1;
}

static int granted(lua_State *L, enum weir_auth_kind kind, const char *what,
                   const struct bind_opt *opts)
{
    struct options options = {0};
    struct weir_auth_config config = {.kind = kind};

    lua_settop(L, 1);
    luaL_checktype(L, 1, LUA_TTABLE);
    bind_limits_before(&options.limits);
    bind_options(L, 1, what, opts, &options);
    bind_limits_after(&options.limits);
    lua_getfield(L, 1, "fields");
    config.fields = bind_pairs(L, -1, what, "fields", &config.n_fields);
    config.token_url = options.token_url;
    config.client_id = options.client_id;
    config.client_secret = options.client_secret;
    config.access_key_id = options.access_key_id;
    config.access_key_secret = options.access_key_secret;
    config.scope = options.scope;
    config.allow_plain_http = options.allow_plain_http;
    config.limits = options.limits;
    return push_auth(L, what, &config);
}

/* client_credentials{token_url=, client_id=, client_secret=, …} → auth */
static int auth_client_credentials(lua_State *L)
{
    return granted(L, WEIR_AUTH_CLIENT_CREDENTIALS, "auth.client_credentials",
                   credentials_options);
}

/* access_key{…, access_key_id=, access_key_secret=} → auth */
static int auth_access_key(lua_State *L)
{
    return granted(L, WEIR_AUTH_ACCESS_KEY, "auth.access_key",
                   access_key_options);
}

/* bearer(token or secret) → auth */
static int auth_bearer(lua_State *L)
{
    struct weir_auth_config config = {.kind = WEIR_AUTH_BEARER};
    size_t len = 0;

    config.token = bind_secret_text(L, 1, &len);
    if (!config.token)
        return bind_misuse(L,
                           "auth.bearer: the token must be a string or a "
                           "weir.secret, not %s",
                           luaL_typename(L, 1));
    if (strlen(config.token) != len)
        return bind_misuse(L, "auth.bearer: the token holds a NUL");
    return push_auth(L, "auth.bearer", &config);
}

/* ---- methods ---- */

static int token_results(lua_State *L, struct weir_op *op)
{
    lua_pushstring(L, weir_auth_token(op));
    return 1;
}

/* auth:token() → a token that is valid now, or nil and the err */
static int auth_token(lua_State *L)
{
    struct weir_auth *auth = self(L, "token");
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_op **op = bind_op(L);

    if (weir_auth_token_new(auth, op, &err))
        return bind_fail(L, &err);
    return bind_await(L, lua_gettop(L), token_results);
}

/* auth:invalidate(): the next call takes a new token */
static int auth_invalidate(lua_State *L)
{
    weir_auth_invalidate(self(L, "invalidate"), NULL);
    return 0;
}

/* auth:fetches() → token requests sent so far */
static int auth_fetches(lua_State *L)
{
    lua_pushinteger(L, weir_auth_fetches(self(L, "fetches")));
    return 1;
}

/* auth:life() → seconds that the token is good for; nil: nobody knows */
static int auth_life(lua_State *L)
{
    int64_t left = weir_auth_left_ms(self(L, "life"));

    if (left < 0)
        lua_pushnil(L);
    else
        lua_pushnumber(L, (lua_Number)left / 1000);
    return 1;
}

/* auth:scope() → what was granted; nil: the answer named none */
static int auth_scope(lua_State *L)
{
    lua_pushstring(L, weir_auth_scope(self(L, "scope")));
    return 1;
}

/* Never the credentials. */
static int auth_tostring(lua_State *L)
{
    struct weir_auth *auth = bind_auth(L, 1);

    if (!auth)
        lua_pushliteral(L, "auth (closed)");
    else if (!weir_auth_renewable(auth))
        lua_pushliteral(L, "auth (a bearer token)");
    else
        lua_pushfstring(L, "auth (tokens by request, %s)",
                        weir_auth_cached(auth) ? "one is valid now"
                                               : "none is valid now");
    return 1;
}

static const luaL_Reg functions[] = {
    {"client_credentials", auth_client_credentials},
    {"access_key", auth_access_key},
    {"bearer", auth_bearer},
    {NULL, NULL},
};

static const luaL_Reg methods[] = {
    {"token", auth_token},     {"invalidate", auth_invalidate},
    {"fetches", auth_fetches}, {"life", auth_life},
    {"scope", auth_scope},     {NULL, NULL},
};

static const luaL_Reg metamethods[] = {
    {"__tostring", auth_tostring},
    {"__gc", bind_box_gc},
    {"__close", bind_box_gc},
    {NULL, NULL},
};

int luaopen_weir_auth(lua_State *L)
{
    bind_class(L, auth_type, methods, metamethods);
    luaL_newlib(L, functions);
    return 1;
}
