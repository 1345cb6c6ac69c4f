/* ending: how a command that has no session ends: what it says, its code. */
#ifndef HOST_ENDING_H
#define HOST_ENDING_H

#include "weir/err.h"

/* Says "weir key new: …" (`command` is "key new") and the hint on stderr,
 * clears `err`; returns the exit code. */
int host_ending_err(const char *command, struct weir_err *err);
/* That standard output could be written: `code`, or, said, HOST_EXIT_FAILED
 * where it is HOST_EXIT_DONE. */
int host_ending_flushed(const char *command, int code);

#endif
