/* The program's commands, one file each. */
#ifndef HOST_COMMANDS_H
#define HOST_COMMANDS_H

#include "options.h"

extern const struct host_command host_command_run;

/* The simulator's command line is its own room's. */
int cmd_sim(int argc, char **argv);

#endif
