/*
 * Files of confined scripts: io, the part of os that names files, loadfile and
 * dofile.  Every path goes through open_path, to be asked for and to be opened
 * beneath what was granted; reading and writing are Lua's own.
 */
#include "sandbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <lualib.h>

#include "budgets.h"
#include "report.h"
#include "weir/dir.h"
#include "weir/permissions.h"
#include "written.h"

/* Of a file of Lua. */
#define MAX_SOURCE ((size_t)16 << 20)

/* ---- the one door ---- */

/* The path at `index` as an absolute one, in a box that is pushed. */
static const char *push_absolute(lua_State *L, int index)
{
    struct weir_buf *path;
    size_t len;
    const char *given = luaL_checklstring(L, index, &len);

    luaL_argcheck(L, strlen(given) == len, index, "a path holds no NUL");
    path = bind_buf(L, 2 * WEIR_PERMISSIONS_MAX_PATH);
    if (*given != '/') {
        char *folder = getcwd(NULL, 0);

        if (folder && weir_buf_adds(path, folder) == WEIR_OK)
            weir_buf_addc(path, '/');
        free(folder);
    }
    if (weir_buf_adds(path, given))
        luaL_argerror(L, index, "the path is too long");
    return weir_buf_str(path);
}

static bool is_beneath(const char *root, const char *path)
{
    size_t len = strlen(root);

    while (len > 0 && root[len - 1] == '/')
        len--;
    return strncmp(root, path, len) == 0 && (!path[len] || path[len] == '/');
}

/* Asks for `kind` of access; pushes what must be kept for the results: the
 * root to open beneath, and the path.  Raises what is denied. */
static const char *ask(lua_State *L, enum weir_permission kind, int index,
                       const char **root)
{
    struct weir_err err = WEIR_ERR_INIT;
    const char *path = push_absolute(L, index);
    struct weir_buf *normal;

    if (weir_permissions_path(bind_context(L)->permissions, kind, path, root,
                              &err))
        bind_raise(L, &err);
    /* "..": as the kernel walks it, where it begins with what was granted. */
    if (is_beneath(*root, path))
        return path;
    normal = bind_buf(L, 2 * WEIR_PERMISSIONS_MAX_PATH);
    if (weir_path_normal(normal, path))
        luaL_argerror(L, index, "the path is too long");
    return weir_buf_str(normal);
}

/* What the world does is a value, as io has it; a denial is raised. */
static int failed(lua_State *L, struct weir_err *err)
{
    int number = errno;

    if (err->code != WEIR_IO)
        return bind_raise(L, err);
    lua_pushnil(L);
    bind_redacted_push(L, err->message, strlen(err->message));
    weir_err_clear(err);
    lua_pushinteger(L, number);
    return 3;
}

static int close_file(lua_State *L)
{
    luaL_Stream *stream = luaL_checkudata(L, 1, LUA_FILEHANDLE);

    return luaL_fileresult(L, fclose(stream->f) == 0, NULL);
}

static luaL_Stream *push_stream(lua_State *L)
{
    luaL_Stream *stream = lua_newuserdatauv(L, sizeof(*stream), 0);

    stream->closef = NULL; /* closed, so far */
    luaL_setmetatable(L, LUA_FILEHANDLE);
    return stream;
}

static unsigned flags_of(const char *mode)
{
    bool both = strchr(mode, '+') != NULL;

    switch (*mode) {
    case 'r': return WEIR_DIR_READ | (both ? WEIR_DIR_WRITE : 0);
    case 'w':
        return WEIR_DIR_WRITE | WEIR_DIR_CREATE | WEIR_DIR_EMPTY |
               (both ? WEIR_DIR_READ : 0);
    default:
        return WEIR_DIR_WRITE | WEIR_DIR_CREATE | WEIR_DIR_APPEND |
               (both ? WEIR_DIR_READ : 0);
    }
}

/* Opens the path at `index` and pushes the file; or pushes nil, a message and
 * a number, and returns 3. */
static int open_path(lua_State *L, int index, const char *mode, unsigned flags)
{
    struct weir_err err = WEIR_ERR_INIT;
    const char *root = NULL, *narrow = NULL, *path = NULL;
    luaL_Stream *stream;
    int fd;

    bind_budgets_check(L);
    luaL_checkstack(L, 12, NULL);
    if (flags & WEIR_DIR_WRITE)
        path = ask(L, WEIR_PERMISSION_WRITE, index, &root);
    narrow = root;
    if (flags & WEIR_DIR_READ)
        path = ask(L, WEIR_PERMISSION_READ, index, &narrow);
    /* For both, beneath the one that lies in the other: a link in the wider
     * one may lead to what is granted for one of them alone. */
    if (root && strlen(narrow) < strlen(root))
        path = ask(L, WEIR_PERMISSION_WRITE, index, &root);
    else
        root = narrow;
    stream = push_stream(L);
    if (weir_dir_open(bind_context(L)->dir, root, path, flags, &fd, &err))
        return failed(L, &err);
    stream->f = fdopen(fd, mode);
    if (!stream->f) {
        close(fd);
        return luaL_fileresult(L, 0, path);
    }
    stream->closef = close_file;
    return 1;
}

/* ---- io ---- */

static const char *check_mode(lua_State *L, int index)
{
    const char *mode = luaL_optstring(L, index, "r"), *rest = mode;
    bool valid = *rest && strchr("rwa", *rest);

    if (valid && *++rest == '+')
        rest++;
    luaL_argcheck(L, valid && strspn(rest, "b") == strlen(rest), index,
                  "invalid mode");
    return mode;
}

static int io_open(lua_State *L)
{
    const char *mode;

    luaL_checkstring(L, 1);
    mode = check_mode(L, 2);
    return open_path(L, 1, mode, flags_of(mode));
}

/* Opens, or raises as io.lines does. */
static void must_open(lua_State *L, int index, const char *mode)
{
    if (open_path(L, index, mode, flags_of(mode)) != 1)
        luaL_error(L, "%s", lua_tostring(L, -2));
}

static int call_original(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

/* io.lines([path, …]): the file is closed when the loop ends. */
static int io_lines(lua_State *L)
{
    int n = lua_gettop(L);

    if (lua_isnoneornil(L, 1))
        return call_original(L);
    luaL_checkstack(L, n + 8, "too many formats");
    must_open(L, 1, "r");
    lua_getfield(L, -1, "lines");
    lua_pushvalue(L, -2);
    for (int i = 2; i <= n; i++)
        lua_pushvalue(L, i);
    lua_call(L, n, 1); /* the file in the place of its path */
    lua_pushnil(L);
    lua_pushnil(L);
    lua_pushvalue(L, -4);
    return 4;
}

/* A number is the name of a file, too. */
static int change_default(lua_State *L, const char *mode)
{
    if (lua_isstring(L, 1)) {
        must_open(L, 1, mode);
        lua_replace(L, 1);
        lua_settop(L, 1);
    }
    return call_original(L);
}

static int io_input(lua_State *L)
{
    return change_default(L, "r");
}

static int io_output(lua_State *L)
{
    return change_default(L, "w");
}

/* ---- os ---- */

static int os_remove(lua_State *L)
{
    struct weir_err err = WEIR_ERR_INIT;
    const char *root, *path = ask(L, WEIR_PERMISSION_WRITE, 1, &root);

    if (weir_dir_remove(bind_context(L)->dir, root, path, &err))
        return failed(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

/* Whether something can be read at the absolute `path` or beneath it. */
static bool is_read_at(const struct weir_permissions *granted, const char *path)
{
    const char *root;

    for (size_t i = 0;
         (root = weir_permissions_item(granted, WEIR_PERMISSION_READ, i));
         i++) {
        if (is_beneath(path, root))
            return true;
    }
    return weir_permissions_path(granted, WEIR_PERMISSION_READ, path, NULL,
                                 NULL) == WEIR_OK;
}

/* What may be written only must not come to be read by being moved. */
static int os_rename(lua_State *L)
{
    struct weir_err err = WEIR_ERR_INIT;
    const char *from_root, *to_root, *from, *to;

    luaL_checkstring(L, 2);
    luaL_checkstack(L, 12, NULL);
    from = ask(L, WEIR_PERMISSION_WRITE, 1, &from_root);
    to = ask(L, WEIR_PERMISSION_WRITE, 2, &to_root);
    if (is_read_at(bind_context(L)->permissions, to)) {
        const char *root;

        ask(L, WEIR_PERMISSION_READ, 1, &root);
    }
    if (weir_dir_rename(bind_context(L)->dir, from_root, from, to_root, to,
                        &err))
        return failed(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

/* The name of a new, empty file in /tmp, where that may be written. */
static int os_tmpname(lua_State *L)
{
    unsigned long long number = 0;
    char name[64];

    if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
        return luaL_error(L, "unable to generate a unique filename");
    snprintf(name, sizeof(name), "/tmp/lua_%016llx", number);
    lua_settop(L, 0);
    lua_pushstring(L, name);
    if (open_path(L, 1, "w", WEIR_DIR_WRITE | WEIR_DIR_CREATE | WEIR_DIR_NEW) !=
        1)
        return luaL_error(L, "unable to generate a unique filename: %s",
                          lua_tostring(L, -2));
    fclose(((luaL_Stream *)lua_touserdata(L, -1))->f);
    ((luaL_Stream *)lua_touserdata(L, -1))->closef = NULL;
    lua_pushvalue(L, 1);
    return 1;
}

/* ---- loadfile, dofile ---- */

/* Without a byte order mark and a first line for the shell, of which the end
 * stays, so that lines are counted right. */
static void skip_head(const char **text, size_t *len)
{
    size_t skip = 0;

    if (*len >= 3 && memcmp(*text, "\xEF\xBB\xBF", 3) == 0)
        skip = 3;
    if (skip < *len && (*text)[skip] == '#') {
        while (skip < *len && (*text)[skip] != '\n')
            skip++;
    }
    *text += skip;
    *len -= skip;
}

int host_sandbox_load_text(lua_State *L, FILE *file, const char *name)
{
    struct weir_buf *source = bind_buf(L, MAX_SOURCE);
    const char *text;
    char piece[4096];
    size_t n;
    int status;

    while ((n = fread(piece, 1, sizeof(piece), file)) > 0) {
        if (weir_buf_add(source, piece, n)) {
            lua_pushfstring(L, "%s: more than %d MiB of Lua", name + 1,
                            (int)(MAX_SOURCE >> 20));
            return LUA_ERRERR;
        }
    }
    text = weir_buf_str(source);
    n = source->len;
    skip_head(&text, &n);
    status = luaL_loadbufferx(L, text, n, name, "t");
    bind_box_close(L, -2);
    lua_remove(L, -2);
    return status;
}

/* Pushes the function of the file at 1, or a message; false then. */
static bool load_path(lua_State *L)
{
    luaL_Stream *stream;
    int status;

    if (open_path(L, 1, "r", WEIR_DIR_READ) != 1) {
        lua_remove(L, -1);
        lua_pushfstring(L, "cannot open %s", lua_tostring(L, -1));
        return false;
    }
    stream = lua_touserdata(L, -1);
    host_report_show(L, lua_tostring(L, 1));
    status = host_sandbox_load_text(
        L, stream->f, lua_pushfstring(L, "@%s", lua_tostring(L, 1)));
    stream->closef = NULL;
    fclose(stream->f);
    return status == LUA_OK;
}

static int base_loadfile(lua_State *L)
{
    bool has_env = !lua_isnone(L, 3);

    luaL_checkstring(L, 1);
    if (!strchr(luaL_optstring(L, 2, "t"), 't'))
        return luaL_error(L, "only text chunks can be loaded here");
    lua_settop(L, 3);
    if (!load_path(L)) {
        lua_pushnil(L);
        lua_insert(L, -2);
        return 2;
    }
    if (has_env) {
        lua_pushvalue(L, 3);
        if (!lua_setupvalue(L, -2, 1))
            lua_pop(L, 1);
    }
    return 1;
}

static int dofile_done(lua_State *L, int status, lua_KContext base)
{
    (void)status;
    return lua_gettop(L) - (int)base;
}

/* What the file runs may wait. */
static int base_dofile(lua_State *L)
{
    int base;

    luaL_checkstring(L, 1);
    lua_settop(L, 1);
    if (!load_path(L))
        return lua_error(L);
    base = lua_gettop(L) - 1;
    lua_callk(L, 0, LUA_MULTRET, base, dofile_done);
    return dofile_done(L, LUA_OK, base);
}

/* ---- what there is ---- */

/* Puts `fn`, with Lua's function as its upvalue, into the table on top. */
static void put_over(lua_State *L, const char *name, lua_CFunction fn)
{
    host_sandbox_original(L, LUA_IOLIBNAME);
    lua_getfield(L, -1, name);
    lua_pushcclosure(L, fn, 1);
    lua_setfield(L, -3, name);
    lua_pop(L, 1);
}

static void push_io(lua_State *L)
{
    static const char *const names[] = {"close",  "read",   "type", "stdin",
                                        "stdout", "stderr", NULL};

    lua_newtable(L);
    host_sandbox_copy(L, LUA_IOLIBNAME, names);
    lua_pushcfunction(L, io_open);
    lua_setfield(L, -2, "open");
    put_over(L, "input", io_input);
    put_over(L, "lines", io_lines);
    put_over(L, "output", io_output);
    put_over(L, "write", host_written_io);
}

/* Methods of files are not the script's to change, and count. */
static void lock_files(lua_State *L)
{
    luaL_getmetatable(L, LUA_FILEHANDLE);
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
    host_written_files(L);
}

void host_sandbox_files(lua_State *L, int globals)
{
    static const luaL_Reg os[] = {{"remove", os_remove},
                                  {"rename", os_rename},
                                  {"tmpname", os_tmpname},
                                  {NULL, NULL}};
    /* getenv: the host reads what the tenant's configuration names. */
    static const char *const ours[] = {"clock",  "date", "difftime", "exit",
                                       "getenv", "time", NULL};
    static const luaL_Reg base[] = {
        {"dofile", base_dofile}, {"loadfile", base_loadfile}, {NULL, NULL}};

    lock_files(L);
    push_io(L);
    lua_setfield(L, globals, LUA_IOLIBNAME);
    lua_getfield(L, globals, LUA_OSLIBNAME);
    luaL_setfuncs(L, os, 0);
    lua_pop(L, 1);
    lua_pushvalue(L, globals);
    luaL_setfuncs(L, base, 0);
    lua_pop(L, 1);

    /* For our own modules, in tables of their own. */
    bind_push_libraries(L, false);
    luaL_setfuncs(L, base, 0);
    push_io(L);
    lua_setfield(L, -2, LUA_IOLIBNAME);
    lua_newtable(L);
    host_sandbox_copy(L, LUA_OSLIBNAME, ours);
    luaL_setfuncs(L, os, 0);
    lua_setfield(L, -2, LUA_OSLIBNAME);
    lua_pop(L, 1);
}
