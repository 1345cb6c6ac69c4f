/* weir bundle: a script with all it needs, for somebody else to run. */
#include <stdio.h>
#include <string.h>

#include "bundle_commands.h"
#include "bundle_file.h"
#include "commands.h"
#include "ending.h"
#include "exit.h"
#include "run.h"
#include "tool.h"

static const struct host_option no_options[] = {
    {NULL, NULL, NULL, HOST_FLAG, 0, NULL},
};

/* ---- inspect ---- */

struct inspect_command {
    bool json;
};

static const struct host_option inspect_options[] = {
    {"json", NULL, "print it as one JSON object", HOST_FLAG,
     offsetof(struct inspect_command, json), NULL},
    {NULL, NULL, NULL, HOST_FLAG, 0, NULL},
};

static int inspect(int argc, char **argv);

static const struct host_command command_inspect = {
    .name = "bundle inspect",
    .usage = "weir bundle inspect [--json] FILE",
    .summary = "show what a bundle is and what it will be able to do",
    .about = "Shows name and version, whose signature it has, what it may do, "
             "its\narguments and its files. Nothing of it runs.\n",
    .options = inspect_options,
    .after = "Exit codes: 0 it is a bundle, 1 it cannot be read, 4 it is "
             "refused, 5 its\nsignature does not fit, 64 usage.\n",
    .files = true,
    .run = inspect,
};

struct showing {
    const char *text; /* JSON */
    size_t len;
};

/* show(showing) → exit code */
static int show(lua_State *L)
{
    const struct showing *showing = lua_touserdata(L, 1);

    host_tool_push(L, "bundle", "show");
    lua_pushlstring(L, showing->text, showing->len);
    lua_call(L, 1, 1);
    lua_pushinteger(L, host_tool_write(L, stdout, lua_tostring(L, -1))
                           ? HOST_EXIT_DONE
                           : HOST_EXIT_FAILED);
    return 1;
}

static int print_bundle(const struct host_bundle *bundle, bool as_json)
{
    struct weir_json *json = host_bundle_json(bundle);
    struct weir_buf text;
    int code = HOST_EXIT_FAILED;

    weir_buf_init(&text, (size_t)16 << 20);
    if (!json || weir_json_write(json, as_json ? 2 : 0, &text, NULL))
        fprintf(stderr, "weir bundle inspect: out of memory\n");
    else if (as_json)
        code = printf("%s\n", weir_buf_str(&text)) > 0 ? HOST_EXIT_DONE
                                                       : HOST_EXIT_FAILED;
    else
        code = host_tool_run("bundle inspect", show,
                             &(struct showing){text.data, text.len});
    weir_json_free(json);
    weir_buf_fini(&text);
    return host_ending_flushed("bundle inspect", code);
}

/* The one file of the command line, or -1. */
static int one_file(const struct host_command *command, int argc, char **argv,
                    void *given, int *code)
{
    int file = host_options_parse(command, argc, argv, given, code);

    if (file < 0)
        return -1;
    if (argc - file == 1)
        return file;
    *code = file == argc ? host_usage_error(command->name, "no file given")
                         : host_usage_error(command->name,
                                            "one file at a time, not '%s' too",
                                            argv[file + 1]);
    return -1;
}

static int inspect(int argc, char **argv)
{
    const struct host_bundle_asked asked = {.must = true, .look_only = true};
    struct inspect_command given = {.json = false};
    struct host_bundle *bundle = NULL;
    struct weir_err err = WEIR_ERR_INIT;
    int code = 0, file = one_file(&command_inspect, argc, argv, &given, &code);

    if (file < 0)
        return code;
    if (host_bundle_open(argv[file], &asked, &bundle, &err))
        return host_ending_err("bundle inspect", &err);
    code = print_bundle(bundle, given.json);
    host_bundle_free(bundle);
    return code;
}

/* ---- verify ---- */

static int verify(int argc, char **argv);

static const struct host_command command_verify = {
    .name = "bundle verify",
    .usage = "weir bundle verify FILE",
    .summary = "check that a bundle is whole and signed by a trusted key",
    .about = "Checks the signature against the keys that this machine trusts, "
             "the archive\nand the hash of every file, the expiry and the host "
             "version.\n",
    .options = no_options,
    .after = "Exit codes: 0 it may run here, 1 it cannot be read, 4 it is "
             "refused, 5 no\nsignature of a trusted key, or it has expired, 64 "
             "usage.\n",
    .files = true,
    .run = verify,
};

static int verify(int argc, char **argv)
{
    const struct host_bundle_asked asked = {.must = true,
                                            .require_signature = true};
    struct host_bundle *bundle = NULL;
    struct weir_err err = WEIR_ERR_INIT;
    char words[256];
    int code = 0, file = one_file(&command_verify, argc, argv, NULL, &code);

    if (file < 0)
        return code;
    if (host_bundle_open(argv[file], &asked, &bundle, &err))
        return host_ending_err("bundle verify", &err);
    printf("%s: %s %s, %s\n", argv[file],
           weir_bundle_manifest(bundle->bundle)->name,
           weir_bundle_manifest(bundle->bundle)->version,
           host_bundle_signed_words(bundle, words, sizeof(words)));
    host_bundle_free(bundle);
    return host_ending_flushed("bundle verify", HOST_EXIT_DONE);
}

/* ---- run ---- */

static int run_bundle(int argc, char **argv);

static const struct host_command command_run = {
    .name = "bundle run",
    .usage = "weir bundle run [options] FILE [arguments]",
    .summary = "run a bundle, after showing what it will be able to do",
    .about =
        "Verifies the bundle and runs what was verified: the file is read "
        "once.\n"
        "On a terminal it first shows what the bundle will be able to do and\n"
        "asks; the answer is remembered for its key and version. Without a\n"
        "terminal it needs a trusted signature or --accept. \"weir run FILE\"\n"
        "and \"./FILE\" do the same. Flags take away from what it may do, and\n"
        "add nothing; relative paths that it needs are seen from its folder.\n",
    .options = host_run_options,
    .after = "examples:\n"
             "  weir bundle run --sim deploy.weir emea\n"
             "  weir bundle run --require-signature deploy.weir\n",
    .files = true,
    .runs = true,
    .run = run_bundle,
};

static int run_bundle(int argc, char **argv)
{
    return host_run(&command_run, argc, argv, true);
}

/* ---- the command ---- */

static int run(int argc, char **argv);

static const struct host_command *const parts[] = {
    &host_bundle_create, &command_inspect, &command_verify, &command_run, NULL};

const struct host_command host_command_bundle = {
    .name = "bundle",
    .usage = "weir bundle create|inspect|verify|run ...",
    .summary = "make, look at, check and run bundles: a script in one file",
    .about = "A bundle has a script, its modules and data, its arguments and "
             "what it may do,\nin one file that others can check and run.\n",
    .options = no_options,
    .parts = parts,
    .run = run,
};

static int run(int argc, char **argv)
{
    return host_command_run_part(&host_command_bundle, argc, argv);
}
