/*
 * repl: lines that are typed, run one after the other.
 *
 * Here is what the terminal and the session need; what an input means, how
 * values are shown and what Tab offers is Lua (lua/repl).
 */
#ifndef HOST_REPL_H
#define HOST_REPL_H

#include "session.h"

struct host_repl_options {
    char **files; /* Lua files to run first; NULL-terminated, or NULL */
    bool no_rc;   /* leave the user's repl.lua alone */
    int color;    /* enum host_color, for standard output */
};

/* Reads and runs inputs until the end.  Returns the exit code: that of
 * os.exit; where nobody sits at a terminal, that of the first failure, which
 * ends it. */
int host_repl_run(struct host_session *session,
                  const struct host_repl_options *options);

/* The same in a task that has stopped: its locals can be read, and the
 * inputs' end sets it going again. */
void host_repl_break(struct host_session *session,
                     const struct host_break *stop);

#endif
