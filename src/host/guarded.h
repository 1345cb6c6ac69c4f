/*
 * guarded: files that decide what runs, or that hold secrets.
 *
 * Whoever may write one could decide in our place, so it counts only if
 * nobody else can: that is looked at on the open file, before it is read.
 */
#ifndef HOST_GUARDED_H
#define HOST_GUARDED_H

#include <stdbool.h>

#include "weir/buf.h"
#include "weir/err.h"

enum host_guard {
    HOST_GUARD_MACHINE, /* root's; written by root alone */
    HOST_GUARD_OWN,     /* ours or root's; written by the owner alone */
    HOST_GUARD_SECRET   /* the same, and read by the owner alone */
};

/* Reads the file to the end of `out`, up to its ceiling.  WEIR_OK, and *there
 * is false if there is no such file (NULL: that is WEIR_IO); WEIR_CONFIG if
 * others may write (or read) it or its folder, also where it is not there, or
 * it is no regular file, or a link that leads nowhere; WEIR_IO, WEIR_LIMIT,
 * WEIR_NOMEM.  Messages begin with the path. */
enum weir_code host_guarded_read(const char *path, enum host_guard guard,
                                 struct weir_buf *out, bool *there,
                                 struct weir_err *err);

/* Makes the file's folder for nobody else and takes the lock that goes with
 * it ("PATH.lock"), waiting for up to ten seconds.  WEIR_OK; WEIR_LOCKED,
 * WEIR_IO, WEIR_NOMEM. */
enum weir_code host_guarded_lock(const char *path, int *lock,
                                 struct weir_err *err);
void host_guarded_unlock(int lock);
/* The same, and takes "PATH.lock" away: it is in a folder of somebody's own. */
void host_guarded_unlock_away(const char *path, int lock);

#endif
