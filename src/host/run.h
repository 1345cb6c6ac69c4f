/* run: one script or bundle from the command line to its exit code, for every
 * way to say so: weir run, weir bundle run, weir FILE, and a program that has
 * a bundle behind it. */
#ifndef HOST_RUN_H
#define HOST_RUN_H

#include <stdbool.h>

#include "options.h"

extern const struct host_option host_run_options[];

/* Reads the options of `command` (host_run_options) and runs what comes after
 * them; with `must_be_bundle`, nothing else. */
int host_run(const struct host_command *command, int argc, char **argv,
             bool must_be_bundle);

/* Whether a bundle stands behind this program's own bytes. */
bool host_run_has_own(void);
/* Runs it; all of argv but its name are arguments. */
int host_run_own(int argc, char **argv);

#endif
