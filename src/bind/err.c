/* Errors as scripts see them: a table with the metatable "weir.err". */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bind.h"
#include "err_internal.h"
#include "weir/cut.h"
#include "weir/filter.h"

static const char err_type[] = "weir.err";

/* Longest text of an err object made by a script. */
#define MAX_TEXT ((size_t)1 << 20)
/* What a shell means by 126 and more is not a script's to say. */
#define MAX_EXIT_CODE 125

bool bind_is_err(lua_State *L, int index)
{
    bool is;

    if (!lua_istable(L, index) || !lua_getmetatable(L, index))
        return false;
    luaL_getmetatable(L, err_type);
    is = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return is;
}

/* ---- one readable line ---- */

/* The field's text if it is a string or a number that says something. */
static const char *text_field(lua_State *L, int index, const char *name)
{
    lua_pushstring(L, name);
    lua_rawget(L, index);
    if (lua_type(L, -1) == LUA_TNUMBER || lua_type(L, -1) == LUA_TSTRING) {
        const char *text = lua_tostring(L, -1);

        if (*text)
            return text; /* stays on the stack, as what owns the text */
    }
    lua_pop(L, 1);
    lua_pushnil(L);
    return NULL;
}

/* Adds text that must stay on one line and must not drive a terminal. */
static void add_line(luaL_Buffer *line, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        luaL_addchar(line, (char)(c < ' ' || c == 127 ? ' ' : c));
    }
}

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* "conflict: PUT https://…/flt_1: 412 …; hint".  What the message says
 * itself (a method, the status) is not said twice. */
void bind_err_line(lua_State *L, int index, bool with_hint)
{
    const char *code, *message, *hint, *method, *url, *status;
    luaL_Buffer line;

    index = lua_absindex(L, index);
    luaL_checkstack(L, 12, NULL);
    code = text_field(L, index, "code");
    message = text_field(L, index, "message");
    hint = text_field(L, index, "hint");
    method = text_field(L, index, "method");
    url = text_field(L, index, "url");
    status = text_field(L, index, "status");
    if (!message)
        message = "";
    luaL_buffinit(L, &line);
    add_line(&line, code ? code : "error");
    luaL_addstring(&line, ": ");
    if (url && !strstr(message, url)) {
        if (method && !starts_with(message, method)) {
            add_line(&line, method);
            luaL_addchar(&line, ' ');
        }
        add_line(&line, url);
        luaL_addstring(&line, ": ");
    }
    if (status && !strstr(message, status)) {
        add_line(&line, status);
        luaL_addchar(&line, ' ');
    }
    add_line(&line, message);
    if (hint && with_hint) {
        luaL_addstring(&line, "; ");
        add_line(&line, hint);
    }
    luaL_pushresult(&line);
    lua_insert(L, index + 1);
    lua_settop(L, index + 1);
}

static int err_tostring(lua_State *L)
{
    lua_settop(L, 1);
    if (!bind_is_err(L, 1))
        return luaL_error(L, "not an err object");
    bind_err_line(L, 1, true);
    return 1;
}

static void set_metatable(lua_State *L)
{
    if (luaL_newmetatable(L, err_type)) {
        lua_pushcfunction(L, err_tostring);
        lua_setfield(L, -2, "__tostring");
        lua_pushstring(L, err_type);
        lua_setfield(L, -2, "__metatable");
    }
    lua_setmetatable(L, -2);
}

/* ---- from the core ---- */

static void set_text(lua_State *L, const char *name, const char *text)
{
    if (!text[0])
        return;
    lua_pushstring(L, text);
    lua_setfield(L, -2, name);
}

static void set_boolean(lua_State *L, const char *name, bool value)
{
    lua_pushboolean(L, value);
    lua_setfield(L, -2, name);
}

static void set_number(lua_State *L, const char *name, lua_Integer number)
{
    if (!number)
        return;
    lua_pushinteger(L, number);
    lua_setfield(L, -2, name);
}

/* The detail is JSON of our own making or a server's; where it does not
 * parse it stays text.  The err table is on top. */
static void set_detail(lua_State *L, const char *detail)
{
    struct weir_err ignored = WEIR_ERR_INIT;
    struct bind_builder *builder;
    int top = lua_gettop(L);

    if (!detail)
        return;
    luaL_checkstack(L, 8, NULL);
    builder = bind_builder(L);
    if (weir_json_scan(detail, strlen(detail), NULL, bind_builder_sink(builder),
                       &ignored)) {
        weir_err_clear(&ignored);
        lua_pushstring(L, detail);
    }
    lua_setfield(L, top, "detail");
    lua_settop(L, top);
}

/* `err` belongs to a box, since pushing may run out of memory. */
static void push_boxed(lua_State *L, struct weir_err *err)
{
    weir_log_redact_err(bind_context(L)->log, err);
    luaL_checkstack(L, 4, NULL);
    lua_createtable(L, 0, 8);
    set_metatable(L);
    set_text(L, "code", weir_code_word(err->code));
    set_text(L, "message", err->message);
    set_text(L, "hint", err->hint);
    set_text(L, "method", err->method);
    set_text(L, "url", err->url);
    set_text(L, "request_id", err->request_id);
    set_number(L, "status", err->status);
    set_number(L, "attempts", err->attempts);
    if (err->because)
        set_text(L, "because", weir_code_word(err->because));
    if (err->maybe_done)
        set_boolean(L, "maybe_done", true);
    if (err->reach != WEIR_REACH_NONE)
        set_boolean(L, "sent", true);
    set_detail(L, err->detail);
    weir_err_clear(err);
    lua_remove(L, -2); /* the box */
}

static void err_fini(void *memory)
{
    weir_err_clear(memory);
}

void bind_err_push(lua_State *L, const struct weir_err *err)
{
    struct weir_err *copy;

    luaL_checkstack(L, 4, NULL);
    copy = bind_box(L, sizeof(*copy), err_fini);
    weir_err_copy(copy, err);
    push_boxed(L, copy);
}

static void push_and_clear(lua_State *L, struct weir_err *err)
{
    struct weir_err *boxed = bind_box(L, sizeof(*boxed), err_fini);

    weir_err_move(boxed, err);
    push_boxed(L, boxed);
}

int bind_fail(lua_State *L, struct weir_err *err)
{
    luaL_checkstack(L, 6, NULL);
    lua_pushnil(L);
    push_and_clear(L, err);
    return 2;
}

int bind_raise(lua_State *L, struct weir_err *err)
{
    luaL_checkstack(L, 6, NULL);
    push_and_clear(L, err);
    return lua_error(L);
}

int bind_raise_nomem(lua_State *L)
{
    struct weir_err err = WEIR_ERR_INIT;

    weir_err_nomem(&err);
    return bind_raise(L, &err);
}

void bind_redacted_push(lua_State *L, const char *text, size_t len)
{
    struct weir_buf *buf;
    enum weir_code code;

    luaL_checkstack(L, 4, NULL);
    buf = bind_buf(L, MAX_TEXT);
    code = weir_log_redact(bind_context(L)->log, text, len, buf);
    if (code == WEIR_NOMEM)
        bind_raise_nomem(L);
    if (code)
        luaL_error(L, "a message of %d bytes is too long", (int)len);
    lua_pushlstring(L, weir_buf_str(buf), buf->len);
    bind_box_close(L, -2);
    lua_remove(L, -2);
}

/* ---- a caller's mistake ---- */

bool bind_script_frame(lua_State *L, int level, lua_Debug *ar)
{
    for (; lua_getstack(L, level, ar); level++) {
        lua_getinfo(L, "Sl", ar);
        if (ar->currentline > 0 && !starts_with(ar->source, "=["))
            return true;
    }
    return false;
}

void bind_where(lua_State *L)
{
    lua_Debug ar;

    luaL_checkstack(L, 4, NULL);
    if (bind_script_frame(L, 0, &ar))
        lua_pushfstring(L, "%s:%d: ", ar.short_src, ar.currentline);
    else
        lua_pushliteral(L, "");
}

int bind_misuse(lua_State *L, const char *fmt, ...)
{
    char message[1024];
    va_list args;

    va_start(args, fmt);
    weir_cut_vprintf(message, sizeof(message), fmt, args);
    va_end(args);
    bind_where(L);
    bind_redacted_push(L, message, strlen(message));
    lua_concat(L, 2);
    return lua_error(L);
}

int bind_misuse_err(lua_State *L, const char *what, struct weir_err *err)
{
    char message[sizeof(err->message)], hint[sizeof(err->hint)];

    memcpy(message, err->message, sizeof(message));
    memcpy(hint, err->hint, sizeof(hint));
    weir_err_clear(err);
    if (hint[0])
        return bind_misuse(L, "%s: %s (%s)", what, message, hint);
    return bind_misuse(L, "%s: %s", what, message);
}

/* ---- weir.err: for Lua faces and scripts ---- */

static const char *const fields[] = {
    "code",    "message",    "hint",     "status",    "method",
    "url",     "request_id", "attempts", "cause",     "detail",
    "because", "maybe_done", "sent",     "exit_code", NULL};

static int exit_code_at(lua_State *L, int index)
{
    lua_Integer code = lua_isinteger(L, index) ? lua_tointeger(L, index) : 0;

    return code >= 1 && code <= MAX_EXIT_CODE ? (int)code : 0;
}

int bind_err_exit_code(lua_State *L, int index)
{
    int code;

    if (!bind_is_err(L, index))
        return 0;
    lua_pushvalue(L, index);
    lua_pushliteral(L, "exit_code");
    lua_rawget(L, -2);
    code = exit_code_at(L, -1);
    lua_pop(L, 2);
    return code;
}

static void check_field(lua_State *L, const char *name)
{
    int type = lua_type(L, -1);

    if (strcmp(name, "cause") == 0 || strcmp(name, "detail") == 0)
        return;
    if (strcmp(name, "status") == 0 || strcmp(name, "attempts") == 0) {
        if (!lua_isinteger(L, -1))
            bind_misuse(L, "err.new: '%s' must be a whole number", name);
        return;
    }
    if (strcmp(name, "exit_code") == 0) {
        if (exit_code_at(L, -1) == 0)
            bind_misuse(L,
                        "err.new: 'exit_code' must be a whole number from "
                        "1 to %d",
                        MAX_EXIT_CODE);
        return;
    }
    if (strcmp(name, "maybe_done") == 0 || strcmp(name, "sent") == 0) {
        if (type != LUA_TBOOLEAN)
            bind_misuse(L, "err.new: '%s' must be true or false", name);
        return;
    }
    if (type != LUA_TSTRING)
        bind_misuse(L, "err.new: '%s' must be a string, not a %s", name,
                    luaL_typename(L, -1));
}

static bool is_field(const char *name)
{
    for (const char *const *field = fields; *field; field++) {
        if (strcmp(name, *field) == 0)
            return true;
    }
    return false;
}

/* Of several wrong names the first by bytes is told, as in bind_options. */
static void check_field_names(lua_State *L, int index)
{
    const char *wrong = NULL, *near;

    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        const char *name;

        if (lua_type(L, -2) != LUA_TSTRING)
            bind_misuse(L, "err.new: fields have names");
        name = lua_tostring(L, -2);
        if (!is_field(name) && (!wrong || strcmp(name, wrong) < 0))
            wrong = name; /* anchored by the table */
    }
    if (!wrong)
        return;
    near = weir_nearest(wrong, fields);
    bind_misuse(L, "err.new: there is no field '%s'%s%s%s", wrong,
                near ? "; did you mean '" : "", near ? near : "",
                near ? "'?" : "");
}

static int err_new(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    check_field_names(L, 1);
    lua_createtable(L, 0, 8);
    set_metatable(L);
    for (const char *const *field = fields; *field; field++) {
        if (lua_getfield(L, 1, *field) == LUA_TNIL) {
            lua_pop(L, 1);
            continue;
        }
        check_field(L, *field);
        if (lua_type(L, -1) == LUA_TSTRING) {
            size_t len;
            const char *text = lua_tolstring(L, -1, &len);

            bind_redacted_push(L, text, len);
            lua_remove(L, -2);
        }
        lua_setfield(L, 2, *field);
    }
    if (lua_getfield(L, 2, "code") == LUA_TNIL ||
        lua_getfield(L, 2, "message") == LUA_TNIL)
        bind_misuse(L, "err.new: 'code' and 'message' are required");
    lua_settop(L, 2);
    return 1;
}

static int err_is(lua_State *L)
{
    bool is = bind_is_err(L, 1);

    if (is && !lua_isnoneornil(L, 2)) {
        const char *code = luaL_checkstring(L, 2), *own;

        lua_settop(L, 2);
        own = text_field(L, 1, "code");
        is = own && strcmp(own, code) == 0;
    }
    lua_pushboolean(L, is);
    return 1;
}

int luaopen_weir_err(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"new", err_new}, {"is", err_is}, {NULL, NULL}};

    luaL_newlib(L, functions);
    return 1;
}
