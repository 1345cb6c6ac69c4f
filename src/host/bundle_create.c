/* weir bundle create: a script, and all that it needs, into one file. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bundle_commands.h"
#include "exit.h"
#include "files.h"
#include "key_files.h"
#include "tool.h"
#include "weir/bundle.h"
#include "weir/cut.h"
#include "weir/permissions.h"

struct create_command {
    const char *output, *name, *version, *expires, *sign;
    struct host_texts include;
    struct host_password_source password;
    bool exe;
};

#define FIELD(member) offsetof(struct create_command, member)
static const struct host_option options[] = {
    {"output", "FILE", "the bundle's file (also -o); default NAME.weir",
     HOST_TEXT, FIELD(output), NULL},
    {"name", "NAME", "its name; default the script's, without .lua", HOST_TEXT,
     FIELD(name), NULL},
    {"version", "VERSION", "its version, such as 1.4.0; default 0.0.0",
     HOST_TEXT, FIELD(version), NULL},
    {"include", "FILE", "take in a file or folder; may be given many times",
     HOST_TEXTS, FIELD(include), NULL},
    {"expires", "DAY", "the last day it may run (2027-01-31), UTC", HOST_TEXT,
     FIELD(expires), NULL},
    {"sign", "KEY", "sign it, with the secret key of this name or file",
     HOST_TEXT, FIELD(sign), NULL},
    HOST_PASSWORD_OPTIONS(FIELD(password)),
    {"exe", NULL, "make a program: this weir with the bundle behind it",
     HOST_FLAG, FIELD(exe), NULL},
    {NULL, NULL, NULL, HOST_FLAG, 0, NULL},
};

static int run(int argc, char **argv);

const struct host_command host_bundle_create = {
    .name = "bundle create",
    .usage = "weir bundle create SCRIPT [-o FILE] [options]",
    .summary = "make a bundle of a script",
    .about =
        "Takes in the script, every module that it requires (found without\n"
        "running it), and the data files that it names; all of them are below\n"
        "the script's folder, or modules of LUA_PATH. What cannot be followed\n"
        "is a warning that names the line, and --include takes it in. The\n"
        "script's weir.needs becomes what the bundle may do, its weir.args\n"
        "what weir bundle inspect shows. The same files give the same bytes,\n"
        "on every machine.\n"
        "\n"
        "FILE can be run (./deploy.weir) where weir is installed; with --exe\n"
        "also where it is not: then \"./deploy --weir COMMAND\" is weir "
        "itself.\n"
        "A signature covers the whole of FILE, as minisign -V expects it.\n",
    .options = options,
    .after = "Versions are compared as Semantic Versioning 2.0.0 has it, "
             "without build\nmetadata.\n"
             "\n"
             "examples:\n"
             "  weir bundle create deploy.lua -o deploy.weir\n"
             "  weir bundle create deploy.lua --version 1.4.0 --include data\n"
             "  weir bundle create deploy.lua -o deploy.weir --sign release\n",
    .files = true,
    .run = run,
};

/* ---- what the Lua room asks of the machine ---- */

/* Of one file that goes into a bundle. */
#define MAX_TEXT WEIR_ARCHIVE_MAX_BYTES

static int fail(lua_State *L, const char *path, int number)
{
    lua_pushnil(L);
    lua_pushfstring(L, "%s: %s", path, strerror(number));
    return 2;
}

/* is_file(path) → boolean */
static int is_file(lua_State *L)
{
    struct stat file;

    lua_pushboolean(L, stat(luaL_checkstring(L, 1), &file) == 0 &&
                           S_ISREG(file.st_mode));
    return 1;
}

/* Fills the box; 0 or an errno. */
static int read_fd(int fd, struct weir_buf *out)
{
    struct stat file;
    char part[16384];
    ssize_t n;

    if (fstat(fd, &file) != 0)
        return errno;
    if (!S_ISREG(file.st_mode))
        return S_ISDIR(file.st_mode) ? EISDIR : EINVAL;
    while ((n = read(fd, part, sizeof(part))) != 0) {
        if (n < 0 && errno != EINTR)
            return errno;
        if (n > 0 && weir_buf_add(out, part, (size_t)n))
            return out->failed == WEIR_LIMIT ? EFBIG : ENOMEM;
    }
    return 0;
}

/* read(path) → text; nil, message */
static int read_file(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    struct weir_buf *text = bind_buf(L, MAX_TEXT);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), number;

    if (fd < 0)
        return fail(L, path, errno);
    number = read_fd(fd, text);
    close(fd);
    if (number != 0)
        return fail(L, path, number);
    lua_pushlstring(L, weir_buf_str(text), text->len);
    return 1;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

struct listing {
    struct dirent **entries;
    int n;
};

static void listing_fini(void *memory)
{
    struct listing *listing = memory;

    for (int i = 0; i < listing->n; i++)
        free(listing->entries[i]);
    free(listing->entries);
}

/* list(folder) → names in the order of their bytes; nil, message */
static int list(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    struct listing *listing = bind_box(L, sizeof(*listing), listing_fini);
    int n = scandir(path, &listing->entries, NULL, by_bytes);

    if (n < 0)
        return fail(L, path, errno);
    listing->n = n;
    lua_createtable(L, n, 0);
    for (int i = 0; i < n; i++) {
        lua_pushstring(L, listing->entries[i]->d_name);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* normal(path) → path without "//", "." and inner ".." */
static int normal(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    struct weir_buf *buf = bind_buf(L, 65536);

    if (weir_path_normal(buf, path))
        return luaL_error(L, "the path is too long");
    lua_pushlstring(L, weir_buf_str(buf), buf->len);
    return 1;
}

static void free_text(void *memory)
{
    free(*(char **)memory);
}

/* real(path) → where it leads, without links; nil if it leads nowhere */
static int real(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    char **text = bind_box(L, sizeof(*text), free_text);

    *text = realpath(path, NULL);
    lua_pushstring(L, *text); /* NULL: nil */
    return 1;
}

static const luaL_Reg machine[] = {
    {"is_file", is_file}, {"read", read_file}, {"list", list},
    {"normal", normal},   {"real", real},      {NULL, NULL},
};

/* ---- making it ---- */

struct job {
    const struct create_command *given;
    const char *script;
    char *output;                    /* owned */
    struct weir_archive_file *files; /* owned; texts belong to Lua */
    struct weir_json *args, *needs;  /* owned */
    struct weir_buf bytes, program;
    size_t n_files;
    char name[WEIR_MANIFEST_MAX_NAME + 2];
    struct weir_err err;
};

static void free_job(struct job *job)
{
    free(job->output);
    free(job->files);
    weir_json_free(job->args);
    weir_json_free(job->needs);
    weir_buf_fini(&job->bytes);
    weir_buf_fini(&job->program);
    weir_err_clear(&job->err);
}

/* "ops/deploy.lua" → "deploy" */
static void take_name(struct job *job)
{
    const char *slash = strrchr(job->script, '/');
    const char *name = slash ? slash + 1 : job->script;
    size_t len = strlen(name);

    if (len > 4 && strcmp(name + len - 4, ".lua") == 0)
        len -= 4;
    snprintf(job->name, sizeof(job->name), "%.*s", (int)len, name);
}

static enum weir_code take_output(struct job *job)
{
    if (asprintf(&job->output, "%s%s",
                 job->given->output ? job->given->output : job->name,
                 job->given->output ? ""
                 : job->given->exe  ? ""
                                    : ".weir") < 0) {
        job->output = NULL;
        return weir_err_nomem(&job->err);
    }
    return WEIR_OK;
}

/* The field `name` of the table at `index`, JSON text, as a document. */
static enum weir_code take_json(lua_State *L, int index, const char *name,
                                struct weir_json **out, struct weir_err *err)
{
    enum weir_code code = WEIR_OK;
    const char *text;
    size_t len;

    if (lua_getfield(L, index, name) == LUA_TSTRING) {
        text = lua_tolstring(L, -1, &len);
        code = weir_json_parse(text, len, NULL, out, err);
    }
    lua_pop(L, 1);
    return code;
}

/* The bundle must not take the place of what it was made of, which is how
 * --exe names it for a script without ".lua". */
static enum weir_code check_output(struct job *job, const char *input)
{
    struct stat output, source;

    if (stat(job->output, &output) != 0 || stat(input, &source) != 0 ||
        output.st_dev != source.st_dev || output.st_ino != source.st_ino)
        return WEIR_OK;
    return weir_err_set(&job->err, WEIR_USAGE,
                        "%s is a file that goes into the bundle; name another "
                        "with -o",
                        job->output);
}

/* The files of the list, whose texts Lua keeps. */
static enum weir_code take_files(lua_State *L, int index, struct job *job)
{
    enum weir_code code = WEIR_OK;

    lua_getfield(L, index, "list");
    job->n_files = lua_rawlen(L, -1);
    job->files = calloc(job->n_files + 1, sizeof(*job->files));
    if (!job->files)
        return weir_err_nomem(&job->err);
    for (size_t i = 0; i < job->n_files && code == WEIR_OK; i++) {
        struct weir_archive_file *file = &job->files[i];

        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        lua_getfield(L, -1, "path");
        file->name = lua_tostring(L, -1);
        lua_getfield(L, -2, "text");
        file->data = lua_tolstring(L, -1, &file->size);
        lua_getfield(L, -3, "disk");
        code = check_output(job, lua_tostring(L, -1));
        lua_pop(L, 4);
    }
    lua_pop(L, 1);
    return code;
}

/* This program, without the bundle that may be behind it. */
static enum weir_code take_program(struct job *job)
{
    const char *path = "/proc/self/exe";
    int fd = open(path, O_RDONLY | O_CLOEXEC), number;
    size_t start;

    if (fd < 0)
        return weir_err_set(&job->err, WEIR_IO, "%s: %s", path,
                            strerror(errno));
    number = read_fd(fd, &job->program);
    close(fd);
    if (number != 0)
        return weir_err_set(&job->err, WEIR_IO, "%s: %s", path,
                            strerror(number));
    if (weir_archive_find(job->program.data, job->program.len, &start, NULL) ==
        WEIR_OK)
        job->program.len = start;
    return WEIR_OK;
}

static enum weir_code take_expiry(const struct job *job, int64_t *out,
                                  struct weir_err *err)
{
    const char *text = job->given->expires;

    *out = 0;
    if (!text)
        return WEIR_OK;
    if (weir_manifest_read_time(text, strlen(text), out, err)) {
        weir_err_prefix(err, "--expires: ");
        return WEIR_USAGE;
    }
    return WEIR_OK;
}

/* The comment says no time: the same bundle has the same signature. */
static enum weir_code sign_bytes(const struct job *job,
                                 const struct weir_bundle_plan *plan,
                                 struct weir_buf *out, struct weir_err *err)
{
    const char *slash = strrchr(job->output, '/');
    struct weir_minisign_secret *secret = NULL;
    char comment[512];
    enum weir_code code =
        host_key_open(job->given->sign, &job->given->password, &secret, err);

    weir_cut_printf(comment, sizeof(comment), "%s %s\tfile:%s\thashed",
                    plan->name, plan->version, slash ? slash + 1 : job->output);
    if (code == WEIR_OK)
        code = weir_minisign_sign(secret, job->bytes.data, job->bytes.len, NULL,
                                  comment, out, err);
    weir_minisign_secret_free(secret);
    return code;
}

/* Before the bundle itself is there: a signature that does not fit yet keeps
 * it from running, none would not. */
static enum weir_code sign(struct job *job, const struct weir_bundle_plan *plan)
{
    struct weir_buf text;
    char *path = NULL;
    enum weir_code code;

    if (asprintf(&path, "%s" WEIR_BUNDLE_SIGNATURE, job->output) < 0)
        return weir_err_nomem(&job->err);
    weir_buf_init(&text, WEIR_MINISIGN_FILE_MAX);
    code = sign_bytes(job, plan, &text, &job->err);
    if (code == WEIR_OK)
        code = host_files_replace(path, text.data, text.len, &job->err);
    weir_buf_fini(&text);
    free(path);
    return code;
}

static enum weir_code write_bundle(struct job *job)
{
    const struct create_command *given = job->given;
    const char *slash = strrchr(job->script, '/');
    struct weir_bundle_plan plan = {
        .name = given->name ? given->name : job->name,
        .version = given->version ? given->version : "0.0.0",
        .main = slash ? slash + 1 : job->script,
        .files = job->files,
        .n_files = job->n_files,
        .args = job->args,
        .needs = job->needs};
    enum weir_code code = take_expiry(job, &plan.expires, &job->err);

    if (code == WEIR_OK && given->exe) {
        code = take_program(job);
        plan.program = job->program.data;
        plan.program_len = job->program.len;
    }
    if (code == WEIR_OK)
        code = weir_bundle_write(&plan, &job->bytes, &job->err);
    if (code == WEIR_OK && given->sign)
        code = sign(job, &plan);
    if (code == WEIR_OK)
        code = host_files_replace_as(job->output, job->bytes.data,
                                     job->bytes.len, 0777, &job->err);
    return code;
}

static void say_made(lua_State *L, int index, const struct job *job)
{
    const struct create_command *given = job->given;

    lua_pushfstring(L, "%s: %s %s, %d file%s, %d bytes\n", job->output,
                    given->name ? given->name : job->name,
                    given->version ? given->version : "0.0.0",
                    (int)job->n_files, job->n_files == 1 ? "" : "s",
                    (int)job->bytes.len);
    host_tool_write(L, stdout, lua_tostring(L, -1));
    lua_pop(L, 1);
    lua_getfield(L, index, "lines");
    for (lua_Integer i = 1; lua_rawgeti(L, -1, i) == LUA_TSTRING; i++) {
        lua_pushfstring(L, "  %s\n", lua_tostring(L, -1));
        host_tool_write(L, stdout, lua_tostring(L, -1));
        lua_pop(L, 2);
    }
    lua_pop(L, 2);
}

/* A signature of the bytes that were there before would only be in the way. */
static void warn_stale(const struct job *job)
{
    char *path = NULL;

    if (!job->given->sign &&
        asprintf(&path, "%s" WEIR_BUNDLE_SIGNATURE, job->output) >= 0) {
        if (access(path, F_OK) == 0)
            fprintf(stderr,
                    "weir bundle create: warning: %s is the signature of what "
                    "was there before; sign again, or remove it\n",
                    path);
        free(path);
    }
}

static void say_warnings(lua_State *L, int index)
{
    lua_getfield(L, index, "warnings");
    for (lua_Integer i = 1; lua_rawgeti(L, -1, i) == LUA_TSTRING; i++) {
        lua_pushfstring(L, "weir bundle create: warning: %s\n",
                        lua_tostring(L, -1));
        host_tool_write(L, stderr, lua_tostring(L, -1));
        lua_pop(L, 2);
    }
    lua_pop(L, 2);
}

/* The table that bundle.prepare made is at `index`. */
static enum weir_code make(lua_State *L, int index, struct job *job)
{
    enum weir_code code = take_json(L, index, "args", &job->args, &job->err);

    if (code == WEIR_OK)
        code = take_json(L, index, "needs", &job->needs, &job->err);
    if (code == WEIR_OK && !job->needs) {
        job->needs = weir_json_new_object();
        code = job->needs ? WEIR_OK : weir_err_nomem(&job->err);
    }
    if (code == WEIR_OK)
        code = take_output(job);
    if (code == WEIR_OK)
        code = take_files(L, index, job);
    return code ? code : write_bundle(job);
}

/* create(job) → exit code */
static int create(lua_State *L)
{
    struct job *job = lua_touserdata(L, 1);
    enum weir_code code;

    host_tool_push(L, "bundle", "prepare");
    lua_pushstring(L, job->script);
    lua_createtable(L, (int)job->given->include.n, 0);
    for (size_t i = 0; i < job->given->include.n; i++) {
        lua_pushstring(L, job->given->include.list[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    luaL_newlib(L, machine);
    lua_call(L, 3, 2);
    if (lua_isnil(L, -2)) {
        lua_pushfstring(L, "weir bundle create: %s\n", lua_tostring(L, -1));
        host_tool_write(L, stderr, lua_tostring(L, -1));
        lua_pushinteger(L, HOST_EXIT_FAILED);
        return 1;
    }
    lua_pop(L, 1);
    say_warnings(L, lua_gettop(L));
    code = make(L, lua_gettop(L), job);
    if (code == WEIR_OK) {
        say_made(L, lua_gettop(L), job);
        warn_stale(job);
    } else {
        lua_pushfstring(L, "weir bundle create: %s%s%s\n", job->err.message,
                        job->err.hint[0] ? "; " : "", job->err.hint);
        host_tool_write(L, stderr, lua_tostring(L, -1));
    }
    lua_pushinteger(L, host_exit_code(code));
    return 1;
}

/* ---- the command line ---- */

/* The index of the script, or -1. */
static int parse(int argc, char **argv, struct create_command *given, int *code)
{
    static char output[] = "--output";
    int script;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-o") == 0)
            argv[i] = output;
    }
    script = host_options_parse(&host_bundle_create, argc, argv, given, code);
    if (script < 0 || argc - script == 1)
        return script;
    *code = script == argc
                ? host_usage_error("bundle create", "no script given")
                : host_usage_error("bundle create",
                                   "one script at a time, not '%s' too",
                                   argv[script + 1]);
    return -1;
}

static int run(int argc, char **argv)
{
    struct create_command given = {.output = NULL};
    struct job job = {.given = &given, .err = WEIR_ERR_INIT};
    int code = 0, script = parse(argc, argv, &given, &code);

    if (script < 0)
        return code;
    job.script = argv[script];
    weir_buf_init(&job.bytes, WEIR_BUNDLE_MAX);
    weir_buf_init(&job.program, WEIR_BUNDLE_MAX);
    take_name(&job);
    code = host_tool_run("bundle create", create, &job);
    free_job(&job);
    return code;
}
