/*
 * history: the inputs of all sessions, in $XDG_STATE_HOME/weir/history.
 *
 * One input a line, oldest first; newlines and backslashes in it are escaped.
 * Sessions that run at once append under one lock, so none loses another's.
 */
#ifndef HOST_HISTORY_H
#define HOST_HISTORY_H

#include "weir/buf.h"
#include "weir/log.h"

struct host_history;

/* Finds the file; nothing is made before something is added.  `log` says what
 * is secret.  NULL without memory. */
struct host_history *host_history_new(const struct weir_log *log);
/* Takes out again what has turned out to be secret since it was added. */
void host_history_free(struct host_history *history);
/* Calls `each` with every input that is kept, oldest first; false with the
 * reason in errno if there is a file that cannot be read. */
bool host_history_load(struct host_history *history,
                       void (*each)(void *ud, const char *text), void *ud);
/* Adds an input, unless it holds a secret, begins with a space, or is the
 * same as the one before.  False with the reason in errno. */
bool host_history_add(struct host_history *history, const char *text);
/* Its path, or NULL where there is no home for it. */
const char *host_history_path(const struct host_history *history);

#endif
