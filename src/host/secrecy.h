/* secrecy: what the process keeps to itself. */
#ifndef HOST_SECRECY_H
#define HOST_SECRECY_H

#include "weir/err.h"
#include "weir/log.h"

/* To be called first thing in main, before any thread.
 *
 * The secret variables (CXONE_…_SECRET) are read once and taken out of the
 * environment, their bytes there wiped: children that a script starts,
 * os.getenv and /proc/PID/environ do not see them.  They are wiped from our
 * own memory when the process exits.
 *
 * No core is dumped.  PR_SET_DUMPABLE is left alone: it would also take
 * debuggers, profilers and /proc/PID from the operators whose process this
 * is, and those who could attach read the secrets' source anyway. */
void host_secrecy_start(void);

/* The value of a secret variable, or NULL if it was not set or empty.  Owned
 * by this noun until the process exits. */
const char *host_secrecy_find(const char *name);

/* The same for any variable: it is taken out of the environment as they are. */
const char *host_secrecy_take(const char *name);
/* Keeps a copy of a secret under a name; returns it, or NULL without
 * memory. */
const char *host_secrecy_keep(const char *name, const char *value);

/* Tells the log every one of them; WEIR_OK, WEIR_NOMEM.  One that is too
 * short for the log to hide is left to whoever uses it to refuse. */
enum weir_code host_secrecy_tell(struct weir_log *log, struct weir_err *err);

#endif
