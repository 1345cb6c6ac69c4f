/* weir check: what is wrong with scripts, found without running them. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "exit.h"
#include "near_file.h"
#include "terminal.h"
#include "tool.h"

struct check_command {
    bool json;
    int color; /* enum host_color */
};

static const char *const colors[] = {"auto", "always", "never", NULL};

static const struct host_option options[] = {
    {"json", NULL, "print the findings as one JSON object", HOST_FLAG,
     offsetof(struct check_command, json), NULL},
    {"color", "WHEN", "auto (default), always or never", HOST_CHOICE,
     offsetof(struct check_command, color), colors},
    {NULL, NULL, NULL, HOST_FLAG, 0, NULL},
};

static int run(int argc, char **argv);

const struct host_command host_command_check = {
    .name = "check",
    .usage = "weir check [options] FILE...",
    .summary =
        "find what is wrong with scripts and definitions, running nothing",
    .about =
        "Looks for syntax errors, undeclared globals, misspelt members of "
        "modules\nand option keys, and faults of weir.needs and of every "
        "filter that a script\nwrites down as a table. Nothing of a script "
        "runs, and nothing is sent. All\nfaults of all files are shown in one "
        "run; notes tell of what works but may\nbe slow.\n"
        "\n"
        "A FILE that ends in .yaml, .yml or .json holds a definition, or a "
        "list "
        "of\nthem: every fault is shown, and in YAML what readers of YAML 1.1 "
        "take for\nsomething else (yes, on, 0777, 1:30, dates).\n",
    .options = options,
    .after = "Exit codes: 0 no error, 1 a file cannot be read, 4 errors found, "
             "64 usage.\n"
             "\n"
             "examples:\n"
             "  weir check deploy.lua\n"
             "  weir check filters/*.yaml\n"
             "  weir check --json examples/*.lua\n",
    .files = true,
    .run = run,
};

struct job {
    char **paths;
    int n;
    const char *form; /* "text", "colour" or "json" */
};

/* What is on top, as a line of stderr; it is popped. */
static void tell(lua_State *L, const char *more)
{
    lua_pushfstring(L, "weir check: %s%s\n", lua_tostring(L, -1), more);
    host_tool_write(L, stderr, lua_tostring(L, -1));
    lua_pop(L, 2);
}

/* { path, message } of a file that cannot be read is on top, and is popped. */
static void tell_unread(lua_State *L)
{
    char near[HOST_NEAR_FILE_SIZE] = "";
    const char *path;

    lua_getfield(L, -1, "path");
    path = lua_tostring(L, -1);
    if (access(path, F_OK) != 0)
        host_near_file(path, near);
    lua_getfield(L, -2, "message");
    tell(L, near);
    lua_pop(L, 2);
}

/* The results of the check are on top: text, summary, errors, unread. */
static int say(lua_State *L)
{
    int code = lua_tointeger(L, -2) > 0 ? HOST_EXIT_VALIDATION : HOST_EXIT_DONE;

    if (!host_tool_write(L, stdout, lua_tostring(L, -4))) {
        perror("weir check: standard output");
        code = HOST_EXIT_FAILED;
    }
    if (lua_toboolean(L, -3)) {
        lua_pushvalue(L, -3);
        tell(L, "");
    }
    for (lua_Integer i = 1; lua_rawgeti(L, -1, i) == LUA_TTABLE; i++) {
        tell_unread(L);
        code = HOST_EXIT_FAILED;
    }
    return code;
}

/* check(job) → exit code */
static int check(lua_State *L)
{
    const struct job *job = lua_touserdata(L, 1);

    host_tool_push(L, "check", "run");
    lua_createtable(L, job->n, 0);
    for (int i = 0; i < job->n; i++) {
        lua_pushstring(L, job->paths[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_pushstring(L, job->form);
    lua_call(L, 2, 4);
    lua_pushinteger(L, say(L));
    return 1;
}

static int run(int argc, char **argv)
{
    struct check_command given = {.json = false};
    struct job job;
    int code = 0;
    int first =
        host_options_parse(&host_command_check, argc, argv, &given, &code);

    if (first < 0)
        return code;
    if (first >= argc)
        return host_usage_error("check", "no file given");
    job = (struct job){argv + first, argc - first, "text"};
    if (given.json)
        job.form = "json";
    else if (host_terminal_colors(STDOUT_FILENO, (enum host_color)given.color))
        job.form = "colour";
    return host_tool_run("check", check, &job);
}
