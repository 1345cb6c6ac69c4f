/*
 * weir.secret: a secret as something that can be handed on, not read.
 *
 * Lua's strings cannot be wiped, and a script prints them by mistake.  So the
 * secrets that the host was given, and those a script puts in here, stay on
 * this side: what Lua sees is a userdata that says only its name.
 */
#include "secret.h"

#include <stdlib.h>
#include <string.h>

#include "bind.h"

static const char secret_type[] = "weir.secret";

#define MAX_NAME 64

struct secret_box {
    char *text;
    size_t len;
    char name[MAX_NAME];
};

static void secret_fini(void *memory)
{
    struct secret_box *box = memory;

    if (box->text)
        explicit_bzero(box->text, box->len);
    free(box->text);
    box->text = NULL;
}

static struct secret_box *to_box(lua_State *L, int index)
{
    if (!luaL_testudata(L, index, secret_type))
        return NULL;
    return bind_box_memory(L, index);
}

const char *bind_secret_text(lua_State *L, int index, size_t *len)
{
    struct secret_box *box;

    if (lua_type(L, index) == LUA_TSTRING)
        return lua_tolstring(L, index, len);
    box = to_box(L, index);
    if (box)
        *len = box->len;
    return box ? box->text : NULL;
}

/* Pushes the userdata; the log is told before anyone can use it. */
static void push_secret(lua_State *L, const char *name, const char *text,
                        size_t len)
{
    struct weir_err err = WEIR_ERR_INIT;
    struct secret_box *box = bind_box(L, sizeof(*box), secret_fini);

    luaL_setmetatable(L, secret_type);
    strncat(box->name, name, sizeof(box->name) - 1);
    box->text = malloc(len + 1);
    if (!box->text) {
        weir_err_nomem(&err);
        bind_raise(L, &err);
        return;
    }
    memcpy(box->text, text, len);
    box->text[len] = '\0';
    box->len = len;
    if (weir_log_secret(bind_context(L)->log, text, len, &err) == WEIR_NOMEM)
        bind_raise(L, &err);
    weir_err_clear(&err);
}

/* The secret; nil if there is none; nil and why it cannot be had. */
static int push_found(lua_State *L, const char *name)
{
    const struct bind_context *context = bind_context(L);
    struct weir_err err = WEIR_ERR_INIT;
    const char *text = NULL;

    if (context->secret && context->secret(name, &text, &err))
        return bind_fail(L, &err);
    if (text)
        push_secret(L, name, text, strlen(text));
    else
        lua_pushnil(L);
    return 1;
}

int bind_secret_host(lua_State *L)
{
    return push_found(L, luaL_checkstring(L, 1));
}

/* find(name) → the secret that the host has under that name, nil if there is
 * none; or nil and why it cannot be had */
static int secret_find(lua_State *L)
{
    if (lua_type(L, 1) != LUA_TSTRING)
        return bind_misuse(L, "secret.find: the name must be a string, not %s",
                           luaL_typename(L, 1));
    bind_require_env(L, lua_tostring(L, 1));
    return push_found(L, lua_tostring(L, 1));
}

/* new(text [, name]) → a secret */
static int secret_new(lua_State *L)
{
    size_t len;
    const char *text;

    lua_settop(L, 2);
    if (lua_type(L, 1) != LUA_TSTRING)
        return bind_misuse(L, "secret.new: the secret must be a string, not %s",
                           luaL_typename(L, 1));
    if (!lua_isnil(L, 2) && lua_type(L, 2) != LUA_TSTRING)
        return bind_misuse(L, "secret.new: the name must be a string, not %s",
                           luaL_typename(L, 2));
    text = lua_tolstring(L, 1, &len);
    if (strlen(text) != len)
        return bind_misuse(L, "secret.new: the secret holds a NUL");
    if (len < 4)
        return bind_misuse(L,
                           "secret.new: a secret of %zu bytes is too short "
                           "to be hidden; expected at least 4",
                           len);
    push_secret(L, lua_isnil(L, 2) ? "" : lua_tostring(L, 2), text, len);
    return 1;
}

/* is(value) → true for a secret */
static int secret_is(lua_State *L)
{
    lua_pushboolean(L, luaL_testudata(L, 1, secret_type) != NULL);
    return 1;
}

static int secret_tostring(lua_State *L)
{
    const struct secret_box *box = to_box(L, 1);

    if (!box)
        lua_pushliteral(L, "secret (closed)");
    else if (box->name[0])
        lua_pushfstring(L, "secret %s", box->name);
    else
        lua_pushliteral(L, "secret");
    return 1;
}

static const luaL_Reg functions[] = {
    {"find", secret_find},
    {"new", secret_new},
    {"is", secret_is},
    {NULL, NULL},
};

static const luaL_Reg metamethods[] = {
    {"__tostring", secret_tostring},
    {"__gc", bind_box_gc},
    {"__close", bind_box_gc},
    {NULL, NULL},
};

int luaopen_weir_secret(lua_State *L)
{
    luaL_newmetatable(L, secret_type);
    luaL_setfuncs(L, metamethods, 0);
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    return 1;
}
