/*
 * A number that Lua cannot hold as it is written: an integer beyond 64 bits,
 * a number beyond the range of a float.  It keeps its text, so that what came
 * in goes out again digit by digit; who wants to count with it says so.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "value.h"

static const char number_key;

const char *bind_number(lua_State *L, int index, size_t *len)
{
    const char *text = lua_touserdata(L, index);
    bool is;

    if (lua_type(L, index) != LUA_TUSERDATA)
        return NULL;
    luaL_checkstack(L, 4, NULL);
    if (!lua_getmetatable(L, index))
        return NULL;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &number_key);
    is = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    if (is)
        *len = strlen(text);
    return is ? text : NULL;
}

static const char *check(lua_State *L, int index, size_t *len)
{
    const char *text = bind_number(L, index, len);

    if (!text)
        bind_misuse(L, "expected a number beyond Lua's, got %s",
                    luaL_typename(L, index));
    return text;
}

/* The greatest float has 309 digits before its point. */
#define ROOM 320

/* The text of whatever is compared, in `room` if it is Lua's; NULL for NaN
 * and infinities. */
static const char *text_of(lua_State *L, int index, char room[ROOM],
                           size_t *len)
{
    const char *text = bind_number(L, index, len);
    double real;

    if (text)
        return text;
    if (lua_isinteger(L, index)) {
        *len = (size_t)snprintf(room, ROOM, "%" PRId64,
                                (int64_t)lua_tointeger(L, index));
        return room;
    }
    real = lua_tonumber(L, index);
    if (isfinite(real) && fabs(real) >= 0x1p53) {
        /* The shortest text would be another number than the float. */
        *len = (size_t)snprintf(room, ROOM, "%.0f", real);
        return room;
    }
    return weir_number_format(real, room, len, NULL) ? NULL : room;
}

/* How the two compare; false where they do not (NaN). */
static bool compare(lua_State *L, int *order)
{
    char room_a[ROOM], room_b[ROOM];
    size_t a_len = 0, b_len = 0;
    const char *a, *b;

    for (int i = 1; i <= 2; i++) {
        if (lua_type(L, i) != LUA_TNUMBER && !bind_number(L, i, &a_len))
            bind_misuse(L, "attempt to compare a number with a %s",
                        luaL_typename(L, i));
    }
    a = text_of(L, 1, room_a, &a_len);
    b = text_of(L, 2, room_b, &b_len);
    if (a && b) {
        *order = weir_number_compare(a, a_len, b, b_len);
        return true;
    }
    /* One is ours and finite, so the other alone decides. */
    if (isnan(lua_tonumber(L, a ? 2 : 1)))
        return false;
    *order = (lua_tonumber(L, a ? 2 : 1) > 0) == (a == NULL) ? 1 : -1;
    return true;
}

static int number_eq(lua_State *L)
{
    size_t a, b;
    int order;

    lua_pushboolean(L, bind_number(L, 1, &a) && bind_number(L, 2, &b) &&
                           compare(L, &order) && order == 0);
    return 1;
}

static int number_lt(lua_State *L)
{
    int order;

    lua_pushboolean(L, compare(L, &order) && order < 0);
    return 1;
}

static int number_le(lua_State *L)
{
    int order;

    lua_pushboolean(L, compare(L, &order) && order <= 0);
    return 1;
}

static int number_tostring(lua_State *L)
{
    size_t len = 0;
    const char *text = check(L, 1, &len);

    lua_pushlstring(L, text, len);
    return 1;
}

/* As with Lua's own numbers: "id " .. n */
static int number_concat(lua_State *L)
{
    for (int i = 1; i <= 2; i++) {
        size_t len;

        if (!lua_isstring(L, i) && !bind_number(L, i, &len))
            return bind_misuse(L, "attempt to concatenate a number with a %s",
                               luaL_typename(L, i));
        luaL_tolstring(L, i, NULL);
    }
    lua_concat(L, 2);
    return 1;
}

/* n:float() → the nearest float: infinite or zero where there is none */
static int number_float(lua_State *L)
{
    size_t len = 0;
    const char *text = check(L, 1, &len);
    struct weir_number number;

    if (weir_number_parse(text, len, &number, NULL)) {
        bool small = weir_number_compare(text, len, "-1", 2) > 0 &&
                     weir_number_compare(text, len, "1", 1) < 0;

        number.real = copysign(small ? 0.0 : INFINITY, *text == '-' ? -1 : 1);
    }
    lua_pushnumber(L, number.real);
    return 1;
}

static const luaL_Reg metamethods[] = {
    {"__eq", number_eq},         {"__lt", number_lt},
    {"__le", number_le},         {"__tostring", number_tostring},
    {"__concat", number_concat}, {NULL, NULL},
};

static const luaL_Reg methods[] = {
    {"float", number_float},
    {NULL, NULL},
};

/* Registered when it is whole: memory may run out in the middle. */
static void push_metatable(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &number_key) == LUA_TTABLE)
        return;
    lua_pop(L, 1);
    luaL_newlib(L, metamethods);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, "number beyond 64 bits");
    lua_setfield(L, -2, "__name");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &number_key);
}

void bind_number_push(lua_State *L, const char *text, size_t len)
{
    char *copy;

    luaL_checkstack(L, 6, NULL);
    copy = lua_newuserdatauv(L, len + 1, 0);
    memcpy(copy, text, len);
    copy[len] = '\0';
    push_metatable(L);
    lua_setmetatable(L, -2);
}
