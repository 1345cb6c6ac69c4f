/* weir.core.needs: what a run may do, for those that ask in Lua. */
#include "weir/permissions.h"

#include <stdlib.h>

#include "bind.h"

/* The value at `index` as permissions, in the box that this pushes. */
struct holder {
    struct weir_permissions *permissions;
};

static void holder_fini(void *memory)
{
    struct holder *holder = memory;

    weir_permissions_free(holder->permissions);
    holder->permissions = NULL;
}

static enum weir_code read(lua_State *L, int index, struct holder **out,
                           struct weir_err *err)
{
    struct holder *holder = bind_box(L, sizeof(*holder), holder_fini);
    struct weir_json **json;
    enum weir_code code = bind_value_json(L, index, &json, err);

    if (!code)
        code = weir_permissions_parse(*json, &holder->permissions, err);
    *out = holder;
    return code;
}

/* check(table) → true; nil, err */
static int needs_check(lua_State *L)
{
    struct weir_err err = WEIR_ERR_INIT;
    struct holder *holder;

    lua_settop(L, 1);
    if (read(L, 1, &holder, &err))
        return bind_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

/* is_declared(table) → true or false; nil if nothing was declared */
static int needs_is_declared(lua_State *L)
{
    const struct weir_permissions *declared = bind_context(L)->declared;
    struct weir_err err = WEIR_ERR_INIT;
    struct holder *holder;

    lua_settop(L, 1);
    if (!declared)
        return 0;
    if (read(L, 1, &holder, &err))
        return bind_misuse_err(L, "weir.needs", &err);
    lua_pushboolean(L, weir_permissions_equal(declared, holder->permissions));
    return 1;
}

/* granted() → the table of what is granted; nil: everything */
static int needs_granted(lua_State *L)
{
    const struct weir_permissions *permissions = bind_context(L)->permissions;
    struct weir_json **json;

    if (!permissions)
        return 0;
    json = bind_json_box(L);
    *json = weir_permissions_json(permissions);
    if (!*json)
        return bind_raise_nomem(L);
    bind_value_push(L, *json);
    return 1;
}

/* env(name) → true, or raises the denial */
static int needs_env(lua_State *L)
{
    bind_require_env(L, luaL_checkstring(L, 1));
    lua_pushboolean(L, 1);
    return 1;
}

void bind_require_env(lua_State *L, const char *name)
{
    const struct weir_permissions *permissions = bind_context(L)->permissions;
    struct weir_err err = WEIR_ERR_INIT;

    if (permissions && weir_permissions_env(permissions, name, &err))
        bind_raise(L, &err);
}

int bind_getenv(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);

    bind_require_env(L, name);
    lua_pushstring(L, getenv(name)); /* NULL: nil */
    return 1;
}

static const luaL_Reg functions[] = {
    {"check", needs_check},
    {"is_declared", needs_is_declared},
    {"granted", needs_granted},
    {"env", needs_env},
    {NULL, NULL},
};

int luaopen_weir_needs(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
