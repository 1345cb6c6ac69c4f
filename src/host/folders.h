/* folders: where the program keeps what is its user's (XDG base directory
 * specification 0.8). */
#ifndef HOST_FOLDERS_H
#define HOST_FOLDERS_H

#include "weir/err.h"

/* The path of a file of the program's state, "$XDG_STATE_HOME/weir/NAME" or
 * "~/.local/state/weir/NAME"; free() it.  NULL if there is no such folder, or
 * no memory. */
char *host_folders_state(const char *name);

/* The same of its configuration, "$XDG_CONFIG_HOME/weir/NAME" or
 * "~/.config/weir/NAME". */
char *host_folders_config(const char *name);

/* Makes the folder that `path` is in, and those above it, for nobody else
 * (0700).  WEIR_OK, WEIR_IO, WEIR_NOMEM. */
enum weir_code host_folders_make_private(const char *path,
                                         struct weir_err *err);

#endif
