/* weir run: a script, from its file to its exit code. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "exit.h"
#include "lua_state.h"
#include "report.h"
#include "run_report.h"
#include "scheduler.h"
#include "session.h"
#include "weir/hash.h"

static const struct host_option options[] = {
    HOST_SESSION_OPTIONS,
    HOST_REPORT_OPTION,
    HOST_PERMISSION_OPTIONS,
    {NULL, NULL, NULL, HOST_FLAG, 0, NULL},
};

static int run(int argc, char **argv);

const struct host_command host_command_run = {
    .name = "run",
    .usage = "weir run [options] SCRIPT [arguments]",
    .summary = "run a Lua script (also: weir SCRIPT.lua)",
    .about =
        "Runs SCRIPT, or standard input for \"-\". The arguments reach it as\n"
        "... and in the table arg. Standard output carries only what the\n"
        "script prints; everything else goes to standard error.\n",
    .options = options,
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
        "simulator does meanwhile: faults, activation, seed.\n"
        "\n"
        "With --report, FILE says what ran, where, when, and how every call\n"
        "that changes something ended, also when the run fails or is\n"
        "interrupted. While it runs, and after kill -9, it says \"running\".\n"
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
    .run = run,
};

/* What a script wrote must have arrived before the run counts as done. */
static int flush_output(struct host_session *session, int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    /* A reader that went away (head, a closed pager) needs no message. */
    if (errno != EPIPE)
        host_complain(session, "weir: standard output: %s", strerror(errno));
    return code ? code : HOST_EXIT_FAILED;
}

struct script {
    int argc;
    char **argv;
    int index; /* of the script in argv */
    struct weir_buf text;
    int number; /* why it could not be read; 0 */
    bool loaded;
};

/* The error of loading is on top; leaves it and a trace. */
static void trace_load(lua_State *L, const char *path)
{
    if (strcmp(path, "-") == 0)
        lua_pushliteral(L, "=stdin");
    else
        lua_pushfstring(L, "@%s", path);
    bind_trace_push_chunk(L, lua_tostring(L, -1));
    lua_remove(L, -2);
}

/* load(ud) → the script's main function; or an error and its trace */
static int load(lua_State *L)
{
    struct script *script = lua_touserdata(L, 1);
    const char *path = script->argv[script->index];
    char sha256[WEIR_HASH_HEX_SIZE] = "";

    host_state_set_arg(L, script->argc, script->argv, script->index);
    if (script->number)
        lua_pushfstring(L, "cannot open %s: %s",
                        strcmp(path, "-") == 0 ? "stdin" : path,
                        strerror(script->number));
    else
        script->loaded = host_state_load(L, path, &script->text) == LUA_OK;
    if (script->number || !host_run_report_asked() ||
        weir_hash_hex_of(WEIR_HASH_SHA256, script->text.data, script->text.len,
                         sha256, NULL))
        sha256[0] = '\0';
    host_run_report_program(&(struct host_run_program){
        .kind = strcmp(path, "-") == 0 ? "input" : "script",
        .path = path,
        .sha256 = sha256[0] ? sha256 : NULL,
        .arguments = script->argv + script->index + 1,
        .n_arguments = (size_t)(script->argc - script->index - 1)});
    host_report_show(L, path);
    if (script->loaded)
        lua_pushnil(L);
    else
        trace_load(L, path);
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
    return flush_output(session, host_session_run(session, nargs));
}

static int run(int argc, char **argv)
{
    struct host_session_options given = {.log_level = WEIR_LOG_INFO,
                                         .announce = true};
    struct script script = {.argc = argc, .argv = argv};
    struct host_session session;
    int code = 0;

    script.index =
        host_options_parse(&host_command_run, argc, argv, &given, &code);
    if (script.index < 0)
        return code;
    if (script.index >= argc)
        return host_usage_error("run", "no script given");
    if (given.sim_state && !given.sim)
        return host_usage_error("run", "--sim-state needs --sim");
    given.script = argv[script.index];
    script.number = host_state_read(given.script, &script.text);
    given.text = weir_buf_str(&script.text);
    given.text_len = script.text.len;
    code = host_session_begin(&session, &given);
    if (code == 0)
        code = run_script(&session, &script);
    weir_buf_fini(&script.text);
    return host_session_end(&session, code);
}
