/*
 * child: a program that says one thing: run without a shell, with a deadline,
 * its output within bounds.
 */
#ifndef HOST_CHILD_H
#define HOST_CHILD_H

#include <stddef.h>
#include <stdint.h>

#include "weir/buf.h"
#include "weir/err.h"

/* Runs the program argv[0], looked for in PATH, with these words, an empty
 * standard input and what this process has of an environment, and waits for
 * its end; the loop stands still meanwhile.  If it asks at the terminal it gets
 * that, if this process has it.  `out` takes its output, up to the buffer's
 * ceiling, and keeps it only if all is well.  The program and those it started
 * are ended at the deadline, when the time of the run is over, by the first
 * signal that ends a run, and by host_exit_now; if this process is killed, the
 * program alone.
 * WEIR_OK; WEIR_CONFIG: it cannot be started, failed (with the last of what
 * it said on stderr), said too much, or asks at a terminal that is not there;
 * WEIR_TIMEOUT; WEIR_CANCELLED; all but the last name the program, and none
 * what it said on its output. */
enum weir_code host_child_read(char *const *argv, int64_t timeout_ms,
                               struct weir_buf *out, struct weir_err *err);

#endif
