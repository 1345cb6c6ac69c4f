/* weir run: a script, from its file to its exit code. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bundle_file.h"
#include "bundle_state.h"
#include "commands.h"
#include "consent.h"
#include "exit.h"
#include "lua_state.h"
#include "near_file.h"
#include "report.h"
#include "run.h"
#include "run_report.h"
#include "scheduler.h"
#include "session.h"
#include "trust_files.h"
#include "weir/hash.h"

struct run_command {
    struct host_session_options session; /* first: the shared options */
    bool accept, require_signature;
};

#define FIELD(name) offsetof(struct run_command, name)
const struct host_option host_run_options[] = {
    HOST_SESSION_OPTIONS,
    HOST_REPORT_OPTION,
    HOST_PERMISSION_OPTIONS,
    {"accept", NULL, "run a bundle without asking", HOST_FLAG, FIELD(accept),
     NULL},
    {"require-signature", NULL, "run nothing but a bundle of a trusted key",
     HOST_FLAG, FIELD(require_signature), NULL},
    {NULL, NULL, NULL, HOST_FLAG, 0, NULL},
};

static int run(int argc, char **argv);

const struct host_command host_command_run = {
    .name = "run",
    .usage = "weir run [options] SCRIPT [arguments]",
    .summary = "run a Lua script or a bundle (also: weir SCRIPT.lua)",
    .about =
        "Runs SCRIPT, or standard input for \"-\". The arguments reach it as\n"
        "... and in the table arg. Standard output carries only what the\n"
        "script prints; everything else goes to standard error.\n",
    .options = host_run_options,
    .after =
        "A tenant comes from the context that --context names, else from\n"
        "the one that WEIR_CONTEXT names, else from the environment if any of\n"
        "these is set, else from the context in use (weir context):\n"
        "  CXONE_TENANT, CXONE_CLIENT_ID, CXONE_CLIENT_SECRET   required\n"
        "  CXONE_BASE_URL, CXONE_TOKEN_URL                      other places\n"
        "  CXONE_ACCESS_KEY_ID, CXONE_ACCESS_KEY_SECRET         access keys\n"
        "  HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE                 as everywhere\n"
        "The secrets are read once and taken out of the environment: programs\n"
        "that a script starts do not see them, nor does os.getenv.\n"
        "\n"
        "With --sim, a file SCRIPT.sim.lua beside SCRIPT.lua says what the\n"
        "simulator does meanwhile: faults, activation, seed. It can work out\n"
        "data, and reaches no file, module or program.\n"
        "\n"
        "With --report, FILE says what ran, where, when, and how every call\n"
        "that changes something ended, also when the run fails, is refused or\n"
        "is interrupted. While it runs, and after kill -9, it says "
        "\"running\".\n"
        "An earlier report is replaced; a file with something else in it is\n"
        "left as it is, and nothing runs. Of two runs with one FILE the last\n"
        "to end has it.\n"
        "\n"
        "A script that begins with weir.needs { ... } may do what it declares\n"
        "there and no more; --net, --deny-net and the like leave less of it,\n"
        "never more. With --sandbox a script that declares nothing may do "
        "what\n"
        "these flags name. --dry-run keeps back every call that would change\n"
        "something, says what it would send, and goes on as if it were done\n"
        "where that can be told; what a script that is not confined does\n"
        "without weir (os.execute) is beyond it.\n"
        "\n"
        "Exit codes: 0 done, 1 failed, 3 conflict, 4 validation failed,\n"
        "5 authentication, permission or configuration, 6 timeout or rate\n"
        "budget spent, 7 lock held, 64 usage, 130 or 143 ended by a signal.\n"
        "\n"
        "examples:\n"
        "  weir run --sim examples/deploy_filter.lua\n"
        "  weir run bulk.lua emea apac\n"
        "  weir run --dry-run deploy.lua\n"
        "  weir run --report run.json deploy.lua\n"
        "  echo 'print(weir.json.encode {1, 2})' | weir run -\n",
    .files = true,
    .runs = true,
    .run = run,
};

struct script {
    int argc;
    char **argv;
    int index;                  /* of the script in argv */
    struct host_bundle *bundle; /* NULL: a script, and its text */
    struct weir_buf text;
    int number; /* why it could not be read; 0 */
    bool loaded;
};

/* Pushes the name of the main chunk. */
static void push_chunk(lua_State *L, const struct script *script)
{
    const char *path = script->argv[script->index];

    if (script->bundle)
        host_bundle_state_push_chunk(
            L, script->bundle->bundle,
            weir_bundle_manifest(script->bundle->bundle)->main);
    else if (strcmp(path, "-") == 0)
        lua_pushliteral(L, "=stdin");
    else
        lua_pushfstring(L, "@%s", path);
}

/* The error of loading is on top; leaves it and a trace. */
static void trace_load(lua_State *L, const struct script *script)
{
    push_chunk(L, script);
    bind_trace_push_chunk(L, lua_tostring(L, -1));
    lua_remove(L, -2);
}

static int load_script(lua_State *L, const struct script *script,
                       struct host_run_program *program, char *sha256)
{
    const char *path = program->path;

    program->kind = strcmp(path, "-") == 0 ? "input" : "script";
    if (script->number) {
        char near[HOST_NEAR_FILE_SIZE] = "";

        if (script->number == ENOENT)
            host_near_file(path, near);
        lua_pushfstring(L, "cannot open %s: %s%s",
                        strcmp(path, "-") == 0 ? "stdin" : path,
                        strerror(script->number), near);
        return LUA_ERRFILE;
    }
    if (host_run_report_asked() &&
        weir_hash_hex_of(WEIR_HASH_SHA256, script->text.data, script->text.len,
                         sha256, NULL) == WEIR_OK)
        program->sha256 = sha256;
    host_report_show(L, path);
    return host_state_load(L, path, &script->text);
}

static int load_bundle(lua_State *L, const struct host_bundle *bundle,
                       struct host_run_program *program)
{
    const struct weir_manifest *manifest = weir_bundle_manifest(bundle->bundle);

    /* There is no other way to run a bundle than this one. */
    if (!bind_context(L)->permissions)
        return luaL_error(L, "a bundle runs confined, or not at all");
    host_bundle_state_open(L, bundle->bundle);
    program->kind = "bundle";
    program->name = manifest->name;
    program->version = manifest->version;
    program->sha256 = weir_bundle_sha256(bundle->bundle);
    if (bundle->signer.standing == WEIR_TRUST_TRUSTED) {
        program->signer = bundle->signer.id;
        program->signer_name = bundle->signer.name;
    }
    return host_bundle_state_load_main(L, bundle->bundle);
}

/* load(ud) → the script's main function; or an error and its trace */
static int load(lua_State *L)
{
    struct script *script = lua_touserdata(L, 1);
    struct host_run_program program = {.path = script->argv[script->index]};
    char sha256[WEIR_HASH_HEX_SIZE];
    int status;

    host_state_set_arg(L, script->argc, script->argv, script->index);
    status = script->bundle ? load_bundle(L, script->bundle, &program)
                            : load_script(L, script, &program, sha256);
    script->loaded = status == LUA_OK;
    host_run_report_program(&program);
    if (script->loaded)
        lua_pushnil(L);
    else
        trace_load(L, script);
    return 2;
}

/* spread(ud, function) → function and the script's arguments */
static int spread(lua_State *L)
{
    const struct script *script = lua_touserdata(L, 1);

    luaL_checkstack(L, script->argc, "too many arguments");
    for (int i = script->index + 1; i < script->argc; i++)
        lua_pushstring(L, script->argv[i]);
    return lua_gettop(L) - 1;
}

static int run_script(struct host_session *session, struct script *script)
{
    int nargs = script->argc - script->index - 1;

    if (!host_session_protect(session, load, script, 0, 2))
        return HOST_EXIT_FAILED;
    if (!script->loaded) {
        host_session_report(session);
        return HOST_EXIT_FAILED;
    }
    lua_pop(session->L, 1);
    weir_buf_fini(&script->text);
    if (!host_session_protect(session, spread, script, 1, LUA_MULTRET))
        return HOST_EXIT_FAILED;
    return host_session_run(session, nargs);
}

/* What is asked of a bundle before anything is made for it to run. */
static enum weir_code permit(const struct host_bundle *bundle,
                             struct run_command *given, struct weir_err *err)
{
    enum weir_code code = host_consent(bundle, given->accept, err);

    if (code == WEIR_OK)
        code = host_bundle_admit(bundle, err);
    if (code == WEIR_OK)
        code =
            weir_permissions_copy(bundle->needs, &given->session.declared, err);
    return code;
}

/* Whoever runs "deploy.weir" counts on what is asked of bundles: a script of
 * that name would run unsigned, unasked and not confined. */
static bool is_named_as_one(const char *path)
{
    static const char end[] = ".weir";
    size_t len = strlen(path), end_len = sizeof(end) - 1;

    return len > end_len && strcmp(path + len - end_len, end) == 0;
}

static enum weir_code open_bundle(const char *path, struct run_command *given,
                                  bool must, struct host_bundle **out,
                                  struct weir_err *err)
{
    const struct host_bundle_asked asked = {
        .must = must || given->require_signature || is_named_as_one(path),
        .require_signature = given->require_signature};
    enum weir_code code = host_bundle_open(path, &asked, out, err);

    if (code == WEIR_VALIDATION && given->require_signature && !must && !*out)
        weir_err_hint(err, "a script has no signature; weir bundle create "
                           "makes a bundle of it, which can have one");
    if (code == WEIR_OK && *out)
        code = permit(*out, given, err);
    else if (code == WEIR_OK)
        code = host_trust_check_unsigned(
            strcmp(path, "-") == 0 ? "standard input" : path, err);
    return code;
}

static int run_given(struct host_session *session,
                     const struct run_command *given, struct script *script)
{
    int code = host_session_begin(session, &given->session);

    return code ? code : run_script(session, script);
}

/* The bundle, or the text of the script, that was opened. */
static int run_opened(struct host_session *session, struct run_command *given,
                      struct script *script)
{
    int code;

    if (script->bundle)
        return run_given(session, given, script);
    script->number = host_state_read(given->session.script, &script->text);
    given->session.text = weir_buf_str(&script->text);
    given->session.text_len = script->text.len;
    code = host_session_interrupted(session); /* while stdin was read */
    if (code == HOST_EXIT_DONE)
        code = run_given(session, given, script);
    weir_buf_fini(&script->text);
    return code;
}

/* Why nothing is run: somebody who was asked has pressed Ctrl-C, or what is in
 * `err`.  The exit code, or 0. */
static int refuse(struct host_session *session, struct weir_err *err)
{
    int code = host_session_interrupted(session);

    if (code == HOST_EXIT_DONE && err->code)
        return host_complain_err(session, err);
    weir_err_clear(err);
    return code;
}

/* From here on the report says how it ends, also where nothing is run. */
static int run_asked(struct run_command *given, struct script *script,
                     bool must_be_bundle)
{
    const char *path = script->argv[script->index];
    struct weir_err err = WEIR_ERR_INIT;
    struct host_session session;
    int code;

    given->session.script = path;
    given->session.arguments = script->argv + script->index + 1;
    given->session.n_arguments = (size_t)(script->argc - script->index - 1);
    code = host_session_open(&session, &given->session);
    if (code == HOST_EXIT_DONE) {
        open_bundle(path, given, must_be_bundle, &script->bundle, &err);
        code = refuse(&session, &err);
    }
    if (code == HOST_EXIT_DONE)
        code = run_opened(&session, given, script);
    return host_session_end(&session, code);
}

int host_run(const struct host_command *command, int argc, char **argv,
             bool must_be_bundle)
{
    struct run_command given = {
        .session = {.log_level = WEIR_LOG_INFO, .announce = true}};
    struct script script = {.argc = argc, .argv = argv};
    const char *lacks_sim;
    int code = 0;

    script.index = host_options_parse(command, argc, argv, &given, &code);
    if (script.index < 0)
        return code;
    if (script.index >= argc)
        return host_usage_error(command->name, must_be_bundle
                                                   ? "no bundle given"
                                                   : "no script given");
    lacks_sim = host_session_lacks_sim(&given.session);
    if (lacks_sim)
        return host_usage_error(command->name, "%s needs --sim", lacks_sim);
    code = run_asked(&given, &script, must_be_bundle);
    host_bundle_free(script.bundle);
    return code;
}

static int run(int argc, char **argv)
{
    return host_run(&host_command_run, argc, argv, false);
}

/* ---- a program that has a bundle behind it ---- */

bool host_run_has_own(void)
{
    return host_bundle_is_own();
}

int host_run_own(int argc, char **argv)
{
    const struct host_bundle_asked asked = {.must = true, .own = true};
    struct run_command given = {
        .session = {.log_level = WEIR_LOG_INFO, .announce = true}};
    struct script script = {.argc = argc, .argv = argv};
    struct weir_err err = WEIR_ERR_INIT;
    struct host_session session;
    int code = host_session_open(&session, &given.session);

    if (code == HOST_EXIT_DONE) {
        if (host_bundle_open(NULL, &asked, &script.bundle, &err) == WEIR_OK)
            permit(script.bundle, &given, &err);
        code = refuse(&session, &err);
    }
    if (code == HOST_EXIT_DONE) {
        /* Not argv[0], which can be anything. */
        given.session.script = weir_bundle_path(script.bundle->bundle);
        code = run_given(&session, &given, &script);
    }
    code = host_session_end(&session, code);
    host_bundle_free(script.bundle);
    return code;
}
