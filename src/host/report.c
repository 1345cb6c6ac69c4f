#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bind.h"
#include "err_internal.h"
#include "weir/cut.h"

enum { MAX_LISTED = 20, MAX_CAUSES = 8, MAX_LINE = 160, MAX_SHOWN = 4000 };

struct place {
    char source[512]; /* as in a message: the script's path */
    int line;
};

/* The string field `name` of the table at `index`, left on the stack (nil
 * where it is none). */
static const char *push_field(lua_State *L, int index, const char *name)
{
    index = lua_absindex(L, index);
    lua_pushstring(L, name);
    lua_rawget(L, index);
    return lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
}

/* ---- where in the script ---- */

/* The script's own frame that the trace found, if there was one. */
static bool traced_place(lua_State *L, int trace, struct place *place)
{
    const char *source;

    if (!lua_istable(L, trace))
        return false;
    source = push_field(L, trace, "source");
    lua_pushliteral(L, "line");
    lua_rawget(L, trace);
    if (source && lua_isinteger(L, -1) && lua_tointeger(L, -1) > 0) {
        if (*source == '@' || *source == '=')
            source++;
        weir_cut_printf(place->source, sizeof(place->source), "%s", source);
        place->line = (int)lua_tointeger(L, -1);
    }
    lua_pop(L, 2);
    return place->line > 0;
}

/* The length of the "deploy.lua:12:" at the start of `message` if it names a
 * chunk of the trace, and the place; 0 if it does not: "host:443:" is no
 * place. */
static size_t split_place(lua_State *L, int trace, const char *message,
                          struct place *place)
{
    int top = lua_gettop(L);
    size_t len = 0;

    lua_pushliteral(L, "sources");
    if (!lua_istable(L, trace) || lua_rawget(L, trace) != LUA_TTABLE) {
        lua_settop(L, top);
        return 0;
    }
    for (const char *colon = message;
         len == 0 && (colon = strchr(colon, ':')) != NULL; colon++) {
        char *end;
        long line = strtol(colon + 1, &end, 10);

        if (end == colon + 1 || *end != ':' || line <= 0)
            continue;
        lua_pushlstring(L, message, (size_t)(colon - message));
        if (lua_rawget(L, top + 1) == LUA_TSTRING) {
            len = (size_t)(end + 1 - message);
            weir_cut_printf(place->source, sizeof(place->source), "%s",
                            lua_tostring(L, -1) + 1);
            place->line = (int)line;
        }
        lua_pop(L, 1);
    }
    lua_settop(L, top);
    return len;
}

/* What follows the places that Lua, and every coroutine.wrap on the way, put
 * before the message; the last one is where it happened. */
static const char *split_message(lua_State *L, int trace, const char *message,
                                 struct place *place)
{
    struct place found;
    size_t len;

    while ((len = split_place(L, trace, message, &found)) > 0) {
        if (found.source[0] != '[')
            *place = found;
        message += len;
        if (*message == ' ')
            message++;
    }
    return message;
}

/* ---- pieces of the text ---- */

/* One line of what may come from outside: without control characters, and
 * cut on a character's border before it pushes the rest out of the report. */
static void add_plain(struct weir_buf *out, const char *text)
{
    size_t len = strlen(text), shown = len;

    if (len > MAX_SHOWN) {
        shown = MAX_SHOWN;
        while (shown > 0 && ((unsigned char)text[shown] & 0xC0) == 0x80)
            shown--;
    }
    for (size_t i = 0; i < shown; i++) {
        unsigned char c = (unsigned char)text[i];

        /* U+0080 to U+009F: terminals obey them, too. */
        if (c == 0xC2 && ((unsigned char)text[i + 1] & 0xE0) == 0x80) {
            c = ' ';
            i++;
        }
        weir_buf_addc(out, (char)(c < 0x20 || c == 0x7F ? ' ' : c));
    }
    if (shown < len)
        weir_buf_addf(out, "… (%zu bytes)", len);
}

void host_report_keep(lua_State *L, const char *source, const char *text,
                      size_t len)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, BIND_CHUNKS);
    lua_pushlstring(L, text, len);
    lua_setfield(L, -2, source);
    lua_pop(L, 1);
}

void host_report_show(lua_State *L, const char *source)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, BIND_CHUNKS);
    lua_pushboolean(L, 1);
    lua_setfield(L, -2, source);
    lua_pop(L, 1);
}

/* The text in which the line is to be found, or NULL.  A confined script can
 * name any file as the place of an error: shown is what Lua was loaded from. */
static FILE *open_source(lua_State *L, const char *source)
{
    const char *text = NULL;
    size_t len = 0;
    FILE *file = NULL;

    luaL_getsubtable(L, LUA_REGISTRYINDEX, BIND_CHUNKS);
    lua_pushstring(L, source);
    if (lua_rawget(L, -2) == LUA_TSTRING)
        text = lua_tolstring(L, -1, &len);
    if (text && len > 0)
        file = fmemopen((void *)(uintptr_t)text, len, "r");
    else if (!bind_context(L)->permissions || lua_toboolean(L, -1))
        file = fopen(source, "r");
    lua_pop(L, 2); /* the registry keeps the text */
    return file;
}

/* The line itself; with a terminal (for colours), a mark below its start. */
static void add_excerpt(lua_State *L, struct weir_buf *out,
                        const struct place *place,
                        const struct host_terminal *terminal)
{
    FILE *file = open_source(L, place->source);
    char *text = NULL;
    size_t cap = 0;
    ssize_t len = -1;

    for (int n = 0; file && n < place->line; n++) {
        len = getline(&text, &cap, file);
        if (len < 0)
            break;
    }
    if (len > 0) {
        size_t indent = strspn(text, " \t");

        text[strcspn(text, "\r\n")] = '\0';
        weir_buf_addf(out, "%6d | ", place->line);
        add_plain(out, WEIR_CUT(MAX_LINE, text));
        weir_buf_addc(out, '\n');
        if (terminal)
            weir_buf_addf(out, "       | %*s%s^%s\n", (int)indent, "",
                          host_terminal_sgr(terminal, "1;31"),
                          host_terminal_sgr(terminal, "0"));
    }
    free(text);
    if (file)
        fclose(file);
}

static void add_problem(lua_State *L, struct weir_buf *out)
{
    int top = lua_gettop(L);
    struct place place = {.line = 0};
    const char *path = push_field(L, top, "path");
    const char *message = push_field(L, top, "message");
    const char *hint = push_field(L, top, "hint");
    const char *source = push_field(L, top, "source");

    weir_buf_adds(out, "  ");
    lua_pushstring(L, "line");
    lua_rawget(L, top);
    if (source && lua_isinteger(L, -1)) {
        weir_cut_printf(place.source, sizeof(place.source), "%s", source);
        place.line = (int)lua_tointeger(L, -1);
        add_plain(out, source);
        weir_buf_addf(out, ":%d: ", place.line);
    }
    add_plain(out, path && *path ? path : "/");
    weir_buf_adds(out, ": ");
    add_plain(out, message ? message : "refused");
    if (hint) {
        weir_buf_adds(out, " (");
        add_plain(out, hint);
        weir_buf_adds(out, ")");
    }
    weir_buf_addc(out, '\n');
    if (place.line > 0)
        add_excerpt(L, out, &place, NULL);
    lua_settop(L, top);
}

static void add_side(lua_State *L, struct weir_buf *out, const char *name)
{
    int type;

    lua_pushstring(L, name);
    type = lua_rawget(L, -2);
    weir_buf_addf(out, "  %s: ", name);
    if (type == LUA_TSTRING) {
        weir_buf_adds(out, "\"");
        add_plain(out, lua_tostring(L, -1));
        weir_buf_adds(out, "\"");
    } else if (type == LUA_TNUMBER || type == LUA_TBOOLEAN) {
        weir_buf_adds(out, luaL_tolstring(L, -1, NULL));
        lua_pop(L, 1);
    } else if (type == LUA_TNIL) {
        weir_buf_adds(out, "absent");
    } else {
        weir_buf_adds(out, bind_is_null(L, -1) ? "null" : "a list or object");
    }
    lua_pop(L, 1);
}

static void add_conflict(lua_State *L, struct weir_buf *out)
{
    const char *path = push_field(L, -1, "path");

    weir_buf_adds(out, "  ");
    add_plain(out, path ? path : "/");
    lua_pop(L, 1);
    add_side(L, out, "base");
    add_side(L, out, "mine");
    add_side(L, out, "theirs");
    weir_buf_addc(out, '\n');
}

/* Each table of the list in field `name` of the err on top. */
static void add_list(lua_State *L, struct weir_buf *out, const char *name,
                     void (*add)(lua_State *L, struct weir_buf *out))
{
    lua_Integer n;

    lua_pushstring(L, name);
    if (lua_rawget(L, -2) != LUA_TTABLE) {
        lua_pop(L, 1);
        return;
    }
    n = (lua_Integer)lua_rawlen(L, -1);
    for (lua_Integer i = 1; i <= n && i <= MAX_LISTED; i++) {
        if (lua_rawgeti(L, -1, i) == LUA_TTABLE)
            add(L, out);
        lua_pop(L, 1);
    }
    if (n > MAX_LISTED)
        weir_buf_addf(out, "  … and %d more\n", (int)(n - MAX_LISTED));
    lua_pop(L, 1);
}

static void add_causes(lua_State *L, struct weir_buf *out)
{
    int top = lua_gettop(L);

    for (int i = 0; i < MAX_CAUSES && bind_is_err(L, -1); i++) {
        const char *message;

        lua_pushstring(L, "cause");
        lua_rawget(L, -2);
        if (!bind_is_err(L, -1))
            break;
        message = push_field(L, -1, "message");
        weir_buf_adds(out, "  because: ");
        add_plain(out, message ? message : "unknown");
        weir_buf_addc(out, '\n');
        lua_pop(L, 1);
    }
    lua_settop(L, top);
}

/* ---- the whole ---- */

static int to_string(lua_State *L)
{
    luaL_tolstring(L, 1, NULL);
    return 1;
}

/* A __tostring that never ends must not keep the program from ending. */
enum { TICK = 10000, MAX_TICKS = 1000 };
static int ticks;

static void tick(lua_State *L, lua_Debug *frame)
{
    (void)frame;
    if (++ticks < MAX_TICKS)
        return;
    /* From now on at every instruction: a pcall inside must not go on. */
    lua_sethook(L, tick, LUA_MASKCOUNT, 1);
    luaL_error(L, "too long");
}

/* Replaces the value on top by its text, or leaves the error; false then. */
static bool to_string_within_bounds(lua_State *L)
{
    lua_Hook hook = lua_gethook(L);
    int mask = lua_gethookmask(L), count = lua_gethookcount(L), status;

    lua_pushcfunction(L, to_string);
    lua_insert(L, -2);
    ticks = 0;
    lua_sethook(L, tick, LUA_MASKCOUNT, TICK);
    status = lua_pcall(L, 1, 1, 0);
    lua_sethook(L, hook, mask, count);
    return status == LUA_OK && lua_type(L, -1) == LUA_TSTRING;
}

/* Other values would show as an address, which tells nobody anything. */
static bool has_tostring(lua_State *L, int index)
{
    if (luaL_getmetafield(L, index, "__tostring") == LUA_TNIL)
        return lua_type(L, index) <= LUA_TBOOLEAN ||
               lua_type(L, index) == LUA_TNUMBER;
    lua_pop(L, 1);
    return true;
}

/* How many problems a check of our own found; 0 for any other error.  They
 * are listed one by one, so the headline need not repeat the first. */
static int local_problems(lua_State *L, int index)
{
    int n = 0;

    if (push_field(L, index, "message") == NULL) {
        lua_pop(L, 1);
        return 0;
    }
    lua_pushliteral(L, "status");
    lua_rawget(L, index);
    lua_pushliteral(L, "errors");
    if (lua_rawget(L, index) == LUA_TTABLE && lua_isnil(L, -2))
        n = (int)lua_rawlen(L, -1);
    lua_pop(L, 3);
    return n;
}

/* True for a mistake of whoever typed the command line: the script's lines
 * have nothing to say about it. */
static bool is_usage(lua_State *L, int index)
{
    return bind_is_err(L, index) && host_report_code(L, index) == WEIR_USAGE;
}

static const char *push_err_line(lua_State *L, int index)
{
    int n = local_problems(L, index);

    if (is_usage(L, index))
        return push_field(L, index, "message");
    if (n > 0)
        return lua_pushfstring(L, "validation: %d problem%s in the definition",
                               n, n == 1 ? "" : "s");
    lua_pushvalue(L, index);
    bind_err_line(L, lua_gettop(L), false);
    return lua_tostring(L, -1);
}

/* Pushes the error's one line; its own place, if Lua put one before the
 * message, goes to `place`. */
static const char *push_message(lua_State *L, int index, int trace,
                                struct place *place)
{
    const char *message;

    if (bind_is_err(L, index))
        return push_err_line(L, index);
    if (lua_type(L, index) != LUA_TSTRING && !has_tostring(L, index))
        return lua_pushfstring(L, "an error that is a %s, not a message",
                               luaL_typename(L, index));
    lua_pushvalue(L, index);
    if (!to_string_within_bounds(L))
        return "an error whose __tostring failed";
    message = lua_tostring(L, -1);
    if (lua_type(L, index) != LUA_TSTRING)
        return message;
    return split_message(L, trace, message, place);
}

static void add_details(lua_State *L, int index, struct weir_buf *out)
{
    const char *hint;

    if (!bind_is_err(L, index))
        return;
    lua_pushvalue(L, index);
    add_list(L, out, "errors", add_problem);
    add_list(L, out, "conflicts", add_conflict);
    add_causes(L, out);
    hint = push_field(L, -1, "hint");
    if (hint && *hint) {
        weir_buf_adds(out, "  what to do: ");
        add_plain(out, hint);
        weir_buf_addc(out, '\n');
    }
    lua_pop(L, 2);
}

void host_report(lua_State *L, int index, int trace, bool traceback,
                 const struct host_terminal *terminal, struct weir_buf *out)
{
    int top = lua_gettop(L);
    struct place place = {.line = 0};

    index = lua_absindex(L, index);
    trace = lua_absindex(L, trace);
    luaL_checkstack(L, 20, NULL);
    weir_buf_addf(out, "%sweir: ", host_terminal_sgr(terminal, "1;31"));
    add_plain(out, push_message(L, index, trace, &place));
    weir_buf_addf(out, "%s\n", host_terminal_sgr(terminal, "0"));
    lua_settop(L, top);
    /* What Lua put before the message is the precise place, unless it is in
     * one of our own modules. */
    if (place.line == 0)
        traced_place(L, trace, &place);
    if (place.line > 0 && !is_usage(L, index)) {
        weir_buf_adds(out, "  at ");
        add_plain(out, place.source);
        weir_buf_addf(out, ":%d\n", place.line);
        add_excerpt(L, out, &place, terminal);
    }
    add_details(L, index, out);
    if (traceback && lua_istable(L, trace)) {
        const char *text = push_field(L, trace, "text");

        weir_buf_addf(out, "%s\n", text ? text : "no traceback");
    }
    lua_settop(L, top);
}

const char *host_report_line(lua_State *L, int index, int trace)
{
    struct place place = {.line = 0};
    int top = lua_gettop(L) + 1;
    const char *message;

    luaL_checkstack(L, 20, NULL);
    message =
        push_message(L, lua_absindex(L, index), lua_absindex(L, trace), &place);
    lua_pushstring(L, message);
    lua_replace(L, top);
    lua_settop(L, top);
    return lua_tostring(L, top);
}

enum weir_code host_report_code(lua_State *L, int index)
{
    enum weir_code code = WEIR_INVALID;

    if (bind_is_err(L, index)) {
        const char *word = push_field(L, index, "code");

        if (word && weir_code_from_word(word) < WEIR_CODES)
            code = weir_code_from_word(word);
        lua_pop(L, 1);
    }
    return code;
}
