#include "commands.h"

#include <string.h>

#include "weir/filter.h"

const struct host_command *const host_commands[] = {
    &host_command_run,        &host_command_repl,
    &host_command_check,      &host_command_types,
    &host_command_doctor,     &host_command_sim,
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
