/* The program's commands, one file each. */
#ifndef HOST_COMMANDS_H
#define HOST_COMMANDS_H

#include <stdio.h>

#include "options.h"

extern const struct host_command host_command_run;
extern const struct host_command host_command_repl;
extern const struct host_command host_command_bundle;
extern const struct host_command host_command_check;
extern const struct host_command host_command_key;
extern const struct host_command host_command_types;
extern const struct host_command host_command_doctor;
extern const struct host_command host_command_context;
extern const struct host_command host_command_config;
extern const struct host_command host_command_sim;
extern const struct host_command host_command_completion;
extern const struct host_command host_command_help;
extern const struct host_command host_command_version;

/* All of them, in the order of help and manual; NULL-terminated. */
extern const struct host_command *const host_commands[];

/* The command of that name, or NULL. */
const struct host_command *host_command_find(const char *name);
/* The name nearest to `word`, or NULL if none is near. */
const char *host_command_nearest(const char *word);

/* The part of a command that has parts by its last word, or NULL. */
const struct host_command *host_command_part(const struct host_command *command,
                                             const char *word);
/* Runs the part that argv[1] names, with its word as argv[0]; says what parts
 * there are for any other word. */
int host_command_run_part(const struct host_command *command, int argc,
                          char **argv);

/* The text of `weir --help`. */
void host_help_print(FILE *out);

/* man.c: weir(1) in roff, made of the same tables as --help. */
void host_man_print(FILE *out);

#endif
