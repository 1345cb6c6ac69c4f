/* Boxes: userdata that own C resources. */
#include "box.h"

#include <string.h>

static const char box_type[] = "weir.box";

/* What precedes a box's memory. */
struct header {
    const char *mark;           /* box_type: scripts can reach a __gc */
    void (*fini)(void *memory); /* NULL once it has run */
    union {
        void *pointer;
        int64_t integer;
        double real;
    } memory[];
};

static struct header *to_header(lua_State *L, int index)
{
    struct header *box;

    if (lua_type(L, index) != LUA_TUSERDATA ||
        lua_rawlen(L, index) < sizeof(struct header))
        return NULL;
    box = lua_touserdata(L, index);
    return box->mark == box_type ? box : NULL;
}

void bind_box_close(lua_State *L, int index)
{
    struct header *box = to_header(L, index);
    void (*fini)(void *memory);

    if (!box || !box->fini)
        return;
    fini = box->fini;
    box->fini = NULL;
    fini(box->memory);
}

int bind_box_gc(lua_State *L)
{
    bind_box_close(L, 1);
    return 0;
}

void *bind_box_memory_of(lua_State *L, int index, void (*fini)(void *memory))
{
    struct header *box = to_header(L, index);

    return box && box->fini == fini ? box->memory : NULL;
}

void *bind_box_memory(lua_State *L, int index)
{
    struct header *box = to_header(L, index);

    return box && box->fini ? box->memory : NULL;
}

void *bind_box(lua_State *L, size_t size, void (*fini)(void *memory))
{
    size_t whole = sizeof(struct header) + size;
    struct header *box = lua_newuserdatauv(L, whole, 0);

    memset(box, 0, whole);
    box->mark = box_type;
    if (luaL_newmetatable(L, box_type)) {
        lua_pushcfunction(L, bind_box_gc);
        lua_setfield(L, -2, "__gc");
        lua_pushcfunction(L, bind_box_gc);
        lua_setfield(L, -2, "__close");
        lua_pushboolean(L, 0);
        lua_setfield(L, -2, "__metatable");
    }
    lua_setmetatable(L, -2);
    box->fini = fini;
    return box->memory;
}

void bind_class(lua_State *L, const char *type, const luaL_Reg *methods,
                const luaL_Reg *metamethods)
{
    luaL_newmetatable(L, type);
    luaL_setfuncs(L, metamethods, 0);
    lua_newtable(L);
    luaL_setfuncs(L, methods, 0);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}

/* ---- the kinds that many bindings need ---- */

static void buf_fini(void *memory)
{
    weir_buf_fini(memory);
}

struct weir_buf *bind_buf(lua_State *L, size_t max)
{
    struct weir_buf *buf = bind_box(L, sizeof(*buf), buf_fini);

    weir_buf_init(buf, max);
    return buf;
}

static void json_fini(void *memory)
{
    struct weir_json **json = memory;

    weir_json_free(*json);
    *json = NULL;
}

struct weir_json **bind_json_box(lua_State *L)
{
    return bind_box(L, sizeof(struct weir_json *), json_fini);
}
