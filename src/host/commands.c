#include "commands.h"

#include <stdio.h>
#include <string.h>

#include "exit.h"
#include "weir/filter.h"

const struct host_command *const host_commands[] = {
    &host_command_run,        &host_command_repl,
    &host_command_check,      &host_command_bundle,
    &host_command_key,        &host_command_types,
    &host_command_doctor,     &host_command_context,
    &host_command_config,     &host_command_sim,
    &host_command_completion, &host_command_help,
    &host_command_version,    NULL,
};
enum { N_COMMANDS = sizeof(host_commands) / sizeof(host_commands[0]) - 1 };

const struct host_command *host_command_find(const char *name)
{
    for (int i = 0; i < N_COMMANDS; i++) {
        if (strcmp(host_commands[i]->name, name) == 0)
            return host_commands[i];
    }
    return NULL;
}

const char *host_command_nearest(const char *word)
{
    const char *names[N_COMMANDS + 1] = {NULL};

    for (int i = 0; i < N_COMMANDS; i++)
        names[i] = host_commands[i]->name;
    return weir_nearest(word, names);
}

/* ---- commands of commands ---- */

enum { MAX_PARTS = 16 };

static const char *last_word(const char *name)
{
    const char *space = strrchr(name, ' ');

    return space ? space + 1 : name;
}

const struct host_command *host_command_part(const struct host_command *command,
                                             const char *word)
{
    for (int i = 0; command->parts[i]; i++) {
        if (strcmp(last_word(command->parts[i]->name), word) == 0)
            return command->parts[i];
    }
    return NULL;
}

/* "create, inspect, verify or run" */
static int no_part(const struct host_command *command, const char *word)
{
    const char *names[MAX_PARTS + 1] = {NULL};
    char list[160] = "";
    const char *near;

    for (int i = 0; command->parts[i] && i < MAX_PARTS; i++) {
        size_t len = strlen(list);

        names[i] = last_word(command->parts[i]->name);
        snprintf(list + len, sizeof(list) - len, "%s%s",
                 i == 0                  ? ""
                 : command->parts[i + 1] ? ", "
                                         : " or ",
                 names[i]);
    }
    near = word ? weir_nearest(word, names) : NULL;
    if (near)
        return host_usage_error(
            command->name, "no command '%s' (did you mean '%s'?)", word, near);
    if (word)
        return host_usage_error(command->name, "no command '%s'; there are: %s",
                                word, list);
    return host_usage_error(command->name, "what to do? Expected %s", list);
}

int host_command_run_part(const struct host_command *command, int argc,
                          char **argv)
{
    const char *word = argc > 1 ? argv[1] : NULL;
    const struct host_command *part =
        word ? host_command_part(command, word) : NULL;

    if (part)
        return part->run(argc - 1, argv + 1);
    if (word && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)) {
        host_options_help(command);
        return HOST_EXIT_DONE;
    }
    return no_part(command, word);
}
