/* What lua/repl needs of the program. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "budgets.h"
#include "repl_internal.h"
#include "report.h"

#define MAX_TEXT  ((size_t)64 << 20)
#define MAX_FILES 5000 /* of a folder, to complete names from */

static struct host_repl *repl_of(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

/* Pushes the text at `index` without secrets. */
static void push_redacted(lua_State *L, int index)
{
    struct weir_buf *out;
    size_t len;
    const char *text = luaL_checklstring(L, index, &len);

    out = bind_buf(L, MAX_TEXT);
    if (weir_log_redact(bind_context(L)->log, text, len, out))
        luaL_error(L, "a text of %d MiB is too long to be shown",
                   (int)(len >> 20));
    lua_pushlstring(L, weir_buf_str(out), out->len);
    bind_box_close(L, -2);
    lua_remove(L, -2);
}

/* redact(text) → text */
static int host_redact(lua_State *L)
{
    push_redacted(L, 1);
    return 1;
}

static void write_top(lua_State *L)
{
    size_t len;
    const char *text = lua_tolstring(L, -1, &len);

    bind_budgets_write(L, len);
    fwrite(text, 1, len, stdout);
}

/* write(text): to standard output, redacted */
static int host_write(lua_State *L)
{
    push_redacted(L, 1);
    write_top(L);
    return 0;
}

/* print, as Lua's, redacted */
static int host_print(lua_State *L)
{
    int n = lua_gettop(L);
    luaL_Buffer line;

    luaL_buffinit(L, &line);
    for (int i = 1; i <= n; i++) {
        if (i > 1)
            luaL_addchar(&line, '\t');
        luaL_tolstring(L, i, NULL);
        luaL_addvalue(&line);
    }
    luaL_addchar(&line, '\n');
    luaL_pushresult(&line);
    push_redacted(L, -1);
    write_top(L);
    return 0;
}

/* report(error) → the text that a script's end would show for it */
static int host_report_text(lua_State *L)
{
    struct host_repl *repl = repl_of(L);
    struct host_terminal terminal = {.color = repl->color};
    struct weir_buf *text;

    lua_settop(L, 1);
    bind_trace_push(L, 1);
    text = bind_buf(L, HOST_MAX_REPORT);
    host_report(L, 1, 2, false, &terminal, text);
    lua_pushlstring(L, weir_buf_str(text), text->len);
    return 1;
}

static void close_folder(void *memory)
{
    DIR **folder = memory;

    if (*folder)
        closedir(*folder);
    *folder = NULL;
}

static bool is_folder(DIR *folder, const char *name)
{
    struct stat file;

    return fstatat(dirfd(folder), name, &file, 0) == 0 && S_ISDIR(file.st_mode);
}

/* size() → columns, rows */
static int host_size(lua_State *L)
{
    int columns, rows;

    host_terminal_size(STDOUT_FILENO, &columns, &rows);
    lua_pushinteger(L, columns);
    lua_pushinteger(L, rows);
    return 2;
}

/* raw(text): control sequences of our own, for the terminal */
static int host_raw(lua_State *L)
{
    luaL_checkstring(L, 1);
    lua_settop(L, 1);
    write_top(L);
    return 0;
}

/* files(folder) → list of {name =, folder =}, or nil where it cannot be read */
static int host_files(lua_State *L)
{
    DIR **box = bind_box(L, sizeof(DIR *), close_folder);
    const char *folder = luaL_checkstring(L, 1);
    struct dirent *entry;
    lua_Integer n = 0;

    *box = opendir(folder);
    if (!*box)
        return 0;
    lua_newtable(L);
    while (n < MAX_FILES && (entry = readdir(*box)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        lua_createtable(L, 0, 2);
        lua_pushstring(L, entry->d_name);
        lua_setfield(L, -2, "name");
        lua_pushboolean(L, is_folder(*box, entry->d_name));
        lua_setfield(L, -2, "folder");
        lua_rawseti(L, -2, ++n);
    }
    bind_box_close(L, -2);
    return 1;
}

/* trace([on]) → whether requests were shown */
static int host_trace(lua_State *L)
{
    struct host_session *session = repl_of(L)->session;

    lua_pushboolean(L, session->trace.on);
    if (!lua_isnoneornil(L, 1))
        host_trace_switch(&session->trace, session, lua_toboolean(L, 1));
    return 1;
}

/* now() → seconds of the loop's clock */
static int host_now(lua_State *L)
{
    lua_pushnumber(L, (double)weir_loop_now(bind_context(L)->loop) / 1000);
    return 1;
}

/* keep(name, text): for reports of errors in a typed chunk */
static int host_keep(lua_State *L)
{
    size_t len;
    const char *text = luaL_checklstring(L, 2, &len);

    host_report_keep(L, luaL_checkstring(L, 1), text, len);
    return 0;
}

static const luaL_Reg functions[] = {
    {"redact", host_redact},
    {"write", host_write},
    {"print", host_print},
    {"report", host_report_text},
    {"size", host_size},
    {"keep", host_keep},
    {"now", host_now},
    {"trace", host_trace},
    {"raw", host_raw},
    {"files", host_files},
    {NULL, NULL},
};

void host_repl_push_host(lua_State *L, struct host_repl *repl)
{
    luaL_newlibtable(L, functions);
    lua_pushlightuserdata(L, repl);
    luaL_setfuncs(L, functions, 1);
    lua_pushboolean(L, repl->interactive);
    lua_setfield(L, -2, "interactive");
    lua_pushboolean(L, repl->color);
    lua_setfield(L, -2, "color");
    lua_pushboolean(L, isatty(STDOUT_FILENO));
    lua_setfield(L, -2, "fits"); /* output has a width to fit into */
    if (repl->stop) {
        lua_pushthread(repl->stop->L);
        lua_xmove(repl->stop->L, L, 1);
        lua_setfield(L, -2, "thread");
    }
}
