/* weir help: what there is, one command's help, and the manual page. */
#include <stdbool.h>
#include <stdio.h>

#include "commands.h"
#include "exit.h"

struct help_command {
    bool man;
};

static const struct host_option options[] = {
    {"man", NULL, "print the manual page weir(1) in roff", HOST_FLAG,
     offsetof(struct help_command, man), NULL},
    {NULL, NULL, NULL, HOST_FLAG, 0, NULL},
};

static int run(int argc, char **argv);

const struct host_command host_command_help = {
    .name = "help",
    .usage = "weir help [--man | COMMAND [COMMAND]]",
    .summary = "the list of commands, or the help of one: weir help run",
    .options = options,
    .run = run,
};

void host_help_print(FILE *out)
{
    fprintf(out, "usage: weir COMMAND [options]\n"
                 "       weir SCRIPT.lua [arguments]\n"
                 "       weir                  an interactive session\n"
                 "\n"
                 "Scripts for NICE CXone event filters: define them, check "
                 "them, deploy them,\n"
                 "watch them. Everything runs without an account with "
                 "--sim.\n"
                 "\n"
                 "commands:\n");
    for (int i = 0; host_commands[i]; i++)
        fprintf(out, "  %-10s %s\n", host_commands[i]->name,
                host_commands[i]->summary);
    fprintf(
        out,
        "\n"
        "start here:\n"
        "  weir --sim            type Lua against the simulator; :help\n"
        "  weir run --sim examples/deploy_filter.lua\n"
        "  weir run --help\n"
        "  weir --version -v     versions, proxy and certificates in use\n");
}

/* `words` are a command and, if it has parts, perhaps one of them. */
static int help_of(int n, char **words)
{
    const struct host_command *command = host_command_find(words[0]);
    const char *name = words[0], *near;

    if (command && n > 1) {
        char help[] = "--help";
        char *argv[] = {words[0], words[1], help, NULL};

        return host_command_run_part(command, 3, argv);
    }
    if (command) {
        host_options_help(command);
        return HOST_EXIT_DONE;
    }
    near = host_command_nearest(name);
    if (near)
        return host_usage_error("", "no command '%s' (did you mean '%s'?)",
                                name, near);
    return host_usage_error("", "no command '%s'", name);
}

static bool has_parts(int argc, char **argv, int operand)
{
    const struct host_command *command =
        operand < argc ? host_command_find(argv[operand]) : NULL;

    return command && command->parts;
}

static int run(int argc, char **argv)
{
    struct help_command given = {.man = false};
    int code = 0;
    int operand =
        host_options_parse(&host_command_help, argc, argv, &given, &code);

    if (operand < 0)
        return code;
    if (argc - operand > (has_parts(argc, argv, operand) ? 2 : 1))
        return host_usage_error("help", "one command at a time, not '%s' too",
                                argv[argc - 1]);
    if (given.man)
        host_man_print(stdout);
    else if (operand < argc)
        return help_of(argc - operand, argv + operand);
    else
        host_help_print(stdout);
    return HOST_EXIT_DONE;
}
