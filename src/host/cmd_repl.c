/* weir repl: an interactive session. */
#include <stddef.h>
#include <stdio.h>

#include "commands.h"
#include "exit.h"
#include "repl.h"
#include "session.h"
#include "trust_files.h"

struct repl_command {
    struct host_session_options session; /* first: the shared options */
    bool no_rc;
};

#define FIELD(name) offsetof(struct repl_command, name)
static const struct host_option options[] = {
    HOST_SESSION_OPTIONS,
    HOST_PERMISSION_OPTIONS,
    {"no-rc", NULL, "leave ~/.config/weir/repl.lua alone", HOST_FLAG,
     FIELD(no_rc), NULL},
    {NULL, NULL, NULL, HOST_FLAG, 0, NULL},
};

static int run(int argc, char **argv);

const struct host_command host_command_repl = {
    .name = "repl",
    .usage = "weir repl [options] [FILE...]",
    .summary = "type Lua and see what it does (also: weir alone)",
    .about =
        "Runs the files, then what is typed. Expressions are shown without\n"
        "return, `tenant` is connected when it is first used, Tab completes,\n"
        "Ctrl-C stops what runs, Ctrl-D leaves. :help lists the commands.\n"
        "From a pipe it reads Lua, prints what the Lua prints and nothing\n"
        "else, and stops at the first failure.\n",
    .options = options,
    .after =
        "files:\n"
        "  $XDG_CONFIG_HOME/weir/repl.lua   runs at the start of each session\n"
        "  $XDG_STATE_HOME/weir/history     what was typed, but for secrets\n"
        "\n"
        "Exit codes from a pipe are those of weir run. A terminal's session\n"
        "ends with 0, or with the code of os.exit.\n"
        "\n"
        "examples:\n"
        "  weir --sim\n"
        "  weir repl --sim lib.lua\n"
        "  echo 'tenant.filters:list()' | weir repl\n",
    .run = run,
};

static int run(int argc, char **argv)
{
    struct repl_command given = {.session = {.log_level = WEIR_LOG_INFO}};
    struct weir_err err = WEIR_ERR_INIT;
    struct host_session session;
    const char *lacks_sim;
    int code = 0;
    int file =
        host_options_parse(&host_command_repl, argc, argv, &given, &code);

    if (file < 0)
        return code;
    lacks_sim = host_session_lacks_sim(&given.session);
    if (lacks_sim)
        return host_usage_error("repl", "%s needs --sim", lacks_sim);
    code = host_session_open(&session, &given.session);
    if (code == 0 && host_trust_check_unsigned("what is typed", &err))
        code = host_complain_err(&session, &err);
    if (code == 0)
        code = host_session_begin(&session, &given.session);
    if (code == 0)
        code = host_repl_run(&session, &(struct host_repl_options){
                                           .files = argv + file,
                                           .no_rc = given.no_rc,
                                           .color = given.session.color});
    return host_session_end(&session, code);
}
