/* weir.log: levels, fields, secrets. */
#include <string.h>

#include "bind.h"

/* debug(message [, fields]) and its brothers; the level is an upvalue. */
static int log_write(lua_State *L)
{
    enum weir_log_level level =
        (enum weir_log_level)lua_tointeger(L, lua_upvalueindex(1));
    struct weir_log *log = bind_context(L)->log;
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_json **fields = NULL;
    const char *word = weir_log_level_word(level), *text;
    size_t len;

    lua_settop(L, 2);
    if (lua_type(L, 1) != LUA_TSTRING && lua_type(L, 1) != LUA_TNUMBER)
        return bind_misuse(L, "log.%s: the message must be a string, not %s",
                           word, luaL_typename(L, 1));
    text = lua_tolstring(L, 1, &len);
    if (!lua_isnil(L, 2) && !lua_istable(L, 2))
        return bind_misuse(L, "log.%s: the fields must be a table, not %s",
                           word, luaL_typename(L, 2));
    if (!weir_log_enabled(log, level))
        return 0;
    if (lua_istable(L, 2) && bind_value_json(L, 2, &fields, &err)) {
        lua_pushstring(L, err.message);
        weir_err_clear(&err);
        return bind_misuse(L, "log.%s: the fields: %s", word,
                           lua_tostring(L, -1));
    }
    if (fields && weir_json_size(*fields) == 0)
        fields = NULL; /* {} may be read as an array */
    if (fields && !weir_json_is(*fields, WEIR_JSON_OBJECT))
        return bind_misuse(L, "log.%s: the fields need names", word);
    weir_log_write_text(log, level, fields ? *fields : NULL, text, len);
    return 0;
}

/* secret(text): from now on it appears in no output. */
static int log_secret(lua_State *L)
{
    struct weir_err err = WEIR_ERR_INIT;
    enum weir_code code;
    size_t len;
    const char *text;

    if (lua_type(L, 1) != LUA_TSTRING)
        return bind_misuse(L, "log.secret: the secret must be a string, not %s",
                           luaL_typename(L, 1));
    text = lua_tolstring(L, 1, &len);
    code = weir_log_secret(bind_context(L)->log, text, len, &err);
    if (code == WEIR_INVALID)
        return bind_misuse_err(L, "log.secret", &err);
    return code ? bind_raise(L, &err) : 0;
}

/* level([word]) → the word that held before. */
static int log_level(lua_State *L)
{
    struct weir_log *log = bind_context(L)->log;
    const char *before = weir_log_level_word(weir_log_level(log));

    lua_settop(L, 1);
    if (!lua_isnil(L, 1)) {
        const char *word =
            lua_type(L, 1) == LUA_TSTRING ? lua_tostring(L, 1) : "";
        int level = weir_log_level_from_word(word);

        if (level < 0)
            return bind_misuse(L, "log.level: the level must be 'debug', "
                                  "'info', 'warn', 'error' or 'off'");
        weir_log_set_level(log, (enum weir_log_level)level);
    }
    lua_pushstring(L, before);
    return 1;
}

static const luaL_Reg functions[] = {
    {"secret", log_secret},
    {"level", log_level},
    {NULL, NULL},
};

int luaopen_weir_log(lua_State *L)
{
    luaL_newlib(L, functions);
    for (int level = WEIR_LOG_DEBUG; level < WEIR_LOG_OFF; level++) {
        lua_pushinteger(L, level);
        lua_pushcclosure(L, log_write, 1);
        lua_setfield(L, -2, weir_log_level_word((enum weir_log_level)level));
    }
    return 1;
}
