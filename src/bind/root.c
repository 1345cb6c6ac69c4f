/* weir.core: what the root module says of the program. */
#include "bind.h"
#include "weir/version.h"

int luaopen_weir_core(lua_State *L)
{
    const char *sim_url = bind_context(L)->sim_url;

    lua_createtable(L, 0, 4);
    bind_null_push(L);
    lua_setfield(L, -2, "null");
    lua_pushstring(L, weir_version());
    lua_setfield(L, -2, "version");
    lua_pushstring(L, weir_version_libraries());
    lua_setfield(L, -2, "libraries");
    if (sim_url) {
        lua_pushstring(L, sim_url);
        lua_setfield(L, -2, "sim_url");
    }
    return 1;
}
