/* weir config: what a run would be made of, and where each of it is from. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "commands.h"
#include "contexts.h"
#include "environment.h"
#include "exit.h"
#include "settings.h"
#include "tool.h"

struct show_command {
    const char *context;
    bool origin, json;
};

#define FIELD(name) offsetof(struct show_command, name)
static const struct host_option show_options[] = {
    {"context", "NAME", "of this context, not the one in use", HOST_TEXT,
     FIELD(context), NULL},
    {"origin", NULL, "say for each value where it comes from", HOST_FLAG,
     FIELD(origin), NULL},
    {"json", NULL, "print it as one JSON object, with origins", HOST_FLAG,
     FIELD(json), NULL},
    {NULL, NULL, NULL, HOST_FLAG, 0, NULL},
};

static int show(int argc, char **argv);

static const struct host_command command_show = {
    .name = "config show",
    .usage = "weir config show [--origin] [--json] [--context NAME]",
    .summary = "tenant, addresses, proxy and trust of a run that begins now",
    .about = "Nothing is sent, no secret is shown, and none is fetched: the "
             "program\nof a context is not run. weir doctor tries all of it.\n",
    .options = show_options,
    .after = "examples:\n"
             "  weir config show --origin\n"
             "  weir config show --json --context prod\n",
    .run = show,
};

/* show(write, facts) is in lua/config.  `facts` is on top. */
static void set(lua_State *L, const char *key, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, key);
}

/* The name of the variable that counts, or NULL. */
static const char *variable_of(const char *lower, const char *upper)
{
    const char *value = getenv(lower);

    if (value && *value)
        return lower;
    value = getenv(upper);
    return value && *value ? upper : NULL;
}

static void push_facts(lua_State *L, const struct show_command *given)
{
    struct weir_buf *proxy = bind_buf(L, HOST_MAX_PROXY);
    struct weir_buf *ignored = bind_buf(L, HOST_MAX_PROXY);
    struct host_environment words = host_environment_words(proxy);
    char *path = NULL;

    lua_newtable(L);
    set(L, "chosen_by", host_settings_chosen_by());
    set(L, "context", host_settings_context());
    set(L, "passed_over", host_settings_passed_over());
    if (host_settings_ignored(ignored) > 0)
        set(L, "ignored", weir_buf_str(ignored));
    set(L, "proxy", words.proxy);
    set(L, "proxy_from", variable_of("https_proxy", "HTTPS_PROXY"));
    set(L, "no_proxy", words.no_proxy);
    set(L, "no_proxy_from", variable_of("no_proxy", "NO_PROXY"));
    set(L, "trust", words.trust);
    set(L, "trust_from", variable_of("SSL_CERT_FILE", "SSL_CERT_FILE"));
    if (host_contexts_path(&path, NULL) == WEIR_OK)
        set(L, "contexts", path);
    free(path);
    lua_pushboolean(L, given->origin);
    lua_setfield(L, -2, "origin");
    lua_pushboolean(L, given->json);
    lua_setfield(L, -2, "json");
}

/* work(given) → exit code */
static int work(lua_State *L)
{
    const struct show_command *given = lua_touserdata(L, 1);
    bool written;

    host_tool_push(L, "config", "show");
    push_facts(L, given);
    lua_replace(L, -3); /* the boxes below have served */
    lua_settop(L, -2);
    lua_call(L, 1, 1);
    written = host_tool_write(L, stdout, lua_tostring(L, -1));
    lua_pushinteger(L, written ? HOST_EXIT_DONE : HOST_EXIT_FAILED);
    return 1;
}

static int show(int argc, char **argv)
{
    struct show_command given = {.context = NULL};
    struct weir_err err = WEIR_ERR_INIT;
    int code = 0;
    int first = host_options_parse(&command_show, argc, argv, &given, &code);

    if (first < 0)
        return code;
    if (first < argc)
        return host_usage_error(command_show.name, "unexpected word '%s'",
                                argv[first]);
    if (host_settings_begin(given.context, false, &err)) {
        code = host_exit_code(err.code);
        fprintf(stderr, "weir config show: %s\n", err.message);
        weir_err_clear(&err);
    } else {
        code = host_tool_run(command_show.name, work, &given);
    }
    host_settings_end();
    return code;
}

static const struct host_command *const commands[] = {&command_show, NULL};

static int run(int argc, char **argv)
{
    return host_command_run_part(&host_command_config, argc, argv);
}

const struct host_command host_command_config = {
    .name = "config",
    .usage = "weir config COMMAND",
    .summary = "what a run would be made of: config show --origin",
    .parts = commands,
    .run = run,
};
