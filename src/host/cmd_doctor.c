/* weir doctor: whether a run would find all that it needs. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <lua.h>

#include "commands.h"
#include "environment.h"
#include "exit.h"
#include "lua_state.h"
#include "mhd_late.h"
#include "probe.h"
#include "session.h"
#include "settings.h"
#include "weir/version.h"

struct doctor_command {
    struct host_session_options session; /* first: the shared options */
    bool json;
    double timeout;
};

#define FIELD(name) offsetof(struct doctor_command, name)
static const struct host_option options[] = {
    HOST_SESSION_OPTIONS,
    {"json", NULL, "print the findings as one JSON object", HOST_FLAG,
     FIELD(json), NULL},
    {"timeout", "SECONDS", "of each step; default 10", HOST_REAL,
     FIELD(timeout), NULL},
    {NULL, NULL, NULL, HOST_FLAG, 0, NULL},
};

static int run(int argc, char **argv);

const struct host_command host_command_doctor = {
    .name = "doctor",
    .usage = "weir doctor [--sim] [--json] [options]",
    .summary = "look at all that a run stands on, and say what to do",
    .about =
        "Looks at the libraries, the settings and where each came from, proxy\n"
        "and certificates, the connection to both addresses, the clock, the\n"
        "token, its scopes, and one call that reads. Nothing is changed, and "
        "no\n"
        "secret is shown. Each line is ok, or says what to do.\n",
    .options = options,
    .after =
        "Exit codes: 0 nothing failed, 5 configuration, authentication or "
        "permission,\n6 timeout or rate limit, 1 other failures, 64 usage. "
        "The first failure decides.\n"
        "\n"
        "examples:\n"
        "  weir doctor --sim\n"
        "  weir doctor --json --timeout 3\n",
    .run = run,
};

struct examination {
    struct host_session *session;
    const struct doctor_command *given;
    const char *close, *constants; /* of host_probe */
    int code;
    bool written;
};

/* ---- what the room is given ---- */

/* write(text): to stdout, redacted */
static int write_text(lua_State *L)
{
    struct examination *it = lua_touserdata(L, lua_upvalueindex(1));
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    struct weir_buf *line = bind_buf(L, HOST_MAX_REPORT);

    if (weir_log_redact(it->session->log, text, len, line))
        return luaL_error(L, "out of memory");
    host_terminal_progress(&it->session->terminal, NULL);
    fwrite(line->data, 1, line->len, stdout);
    if (fflush(stdout) != 0)
        it->written = false;
    return 0;
}

/* finish(code) */
static int finish(lua_State *L)
{
    struct examination *it = lua_touserdata(L, lua_upvalueindex(1));

    it->code = (int)luaL_checkinteger(L, 1);
    return 0;
}

static void set_text(lua_State *L, const char *key, const char *text)
{
    lua_pushstring(L, text);
    lua_setfield(L, -2, key);
}

/* Pushes what the program knows of itself. */
static void push_facts(lua_State *L, const struct examination *it)
{
    struct weir_buf *proxy = bind_buf(L, HOST_MAX_PROXY);
    struct host_environment words = host_environment_words(proxy);

    lua_newtable(L);
    set_text(L, "version", weir_version());
    set_text(L, "lua", LUA_RELEASE);
    lua_pushfstring(L, "%s %s libmicrohttpd/%s", LUA_RELEASE,
                    weir_version_libraries(),
                    (sim_mhd_load(NULL) ? "none" : sim_mhd.get_version()));
    lua_setfield(L, -2, "libraries");
    set_text(L, "context", host_settings_context());
    set_text(L, "chosen_by", host_settings_chosen_by());
    set_text(L, "proxy", words.proxy);
    set_text(L, "no_proxy", words.no_proxy);
    set_text(L, "trust", words.trust);
    set_text(L, "ca_file", host_environment_http().ca_file);
    set_text(L, "close", it->close);
    set_text(L, "constants", it->constants);
    lua_pushboolean(L, it->given->json);
    lua_setfield(L, -2, "json");
    lua_pushboolean(
        L, host_terminal_colors(STDOUT_FILENO,
                                (enum host_color)it->given->session.color));
    lua_setfield(L, -2, "colour");
    lua_pushnumber(L, it->given->timeout);
    lua_setfield(L, -2, "timeout");
    lua_remove(L, -2);
}

/* prepare(it) → the room's function, facts, write, finish */
static int prepare(lua_State *L)
{
    struct examination *it = lua_touserdata(L, 1);

    host_state_show_room(L, "doctor");
    lua_getglobal(L, "require");
    lua_pushliteral(L, "doctor");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "run");
    push_facts(L, it);
    lua_pushlightuserdata(L, it);
    lua_pushcclosure(L, write_text, 1);
    lua_pushlightuserdata(L, it);
    lua_pushcclosure(L, finish, 1);
    return 4;
}

static int examine(struct examination *it)
{
    int code;

    if (!host_session_protect(it->session, prepare, it, 0, 4))
        return HOST_EXIT_FAILED;
    code = host_session_run(it->session, 3);
    if (code == 0)
        code = it->code;
    return code == 0 && !it->written ? HOST_EXIT_FAILED : code;
}

static int run(int argc, char **argv)
{
    struct doctor_command given = {.session = {.log_level = WEIR_LOG_WARN},
                                   .timeout = 10};
    struct host_session session;
    struct examination it = {&session, &given,           NULL,
                             NULL,     HOST_EXIT_FAILED, true};
    int code = 0;
    int first =
        host_options_parse(&host_command_doctor, argc, argv, &given, &code);

    if (first < 0)
        return code;
    if (first < argc)
        return host_usage_error("doctor", "unexpected argument '%s'",
                                argv[first]);
    if (given.timeout <= 0)
        return host_usage_error("doctor", "--timeout takes seconds above 0");
    it.close = host_probe(host_probe_close);
    it.constants = host_probe(host_probe_constants);
    code = host_session_open(&session, &given.session);
    if (code == 0)
        code = host_session_begin(&session, &given.session);
    if (code == 0)
        code = examine(&it);
    return host_session_end(&session, code);
}
