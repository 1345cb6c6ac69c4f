/*
 * dir: opening files beneath folders that were granted, and nowhere else.
 *
 * The kernel walks the path (openat2(2), RESOLVE_BENEATH and
 * RESOLVE_NO_MAGICLINKS), so that a link or a ".." that leaves the folder is
 * refused however fast somebody exchanges it meanwhile.  Which folders those
 * are, and for what, is decided elsewhere (weir/permissions.h).
 *
 * Only regular files are opened: a pipe would hang, a device may act when it
 * is opened.  Nor are files of procfs, among which is the memory of this very
 * process: with "/" granted, all that it keeps secret.
 */
#ifndef WEIR_DIR_H
#define WEIR_DIR_H

#include "weir/err.h"

/* The folders of a run, each held open from the moment it was named. */
struct weir_dir;

enum weir_dir_flag {
    WEIR_DIR_READ = 1 << 0,
    WEIR_DIR_WRITE = 1 << 1,
    WEIR_DIR_CREATE = 1 << 2, /* if it is not there; mode 0666 less umask */
    WEIR_DIR_EMPTY = 1 << 3,  /* what was in it goes */
    WEIR_DIR_APPEND = 1 << 4, /* every write goes to the end */
    WEIR_DIR_NEW = 1 << 5     /* with CREATE: it must not be there; 0600 */
};

/* WEIR_OK, WEIR_NOMEM. */
enum weir_code weir_dir_new(struct weir_dir **out, struct weir_err *err);
/* NULL is allowed. */
void weir_dir_free(struct weir_dir *dir);

/* Opens `root`, an absolute path to a folder or a file, as it is now: links
 * in this path are followed, since whoever granted it named it so.  What is
 * not there yet is looked for again when something beneath it is opened, from
 * the nearest folder that was there, and then no link is followed.  So every
 * root is to be named before anything can be renamed.  A second time it does
 * nothing.  WEIR_OK; WEIR_IO with errno; WEIR_NOMEM. */
enum weir_code weir_dir_root(struct weir_dir *dir, const char *root,
                             struct weir_err *err);

/* Opens `path` (absolute, beneath `root` by its text, or `root` itself) with
 * a union of enum weir_dir_flag; *fd is the caller's, close-on-exec.  `root`
 * need not have been opened before.
 * WEIR_OK; WEIR_DENIED if it leads out of `root`; WEIR_IO, with errno set,
 * for what the system says, for what is no regular file (EINVAL), for what is
 * in procfs (ENOTSUP), and where there is no openat2 (ENOSYS); WEIR_NOMEM.
 * Messages begin with the path. */
enum weir_code weir_dir_open(struct weir_dir *dir, const char *root,
                             const char *path, unsigned flags, int *fd,
                             struct weir_err *err);

/* Removes the file, the link (not what it leads to) or the empty folder
 * beneath `root`; never `root` itself if that is a folder.  Errors as
 * weir_dir_open. */
enum weir_code weir_dir_remove(struct weir_dir *dir, const char *root,
                               const char *path, struct weir_err *err);
/* Renames, from beneath one root to beneath another (or the same one), as
 * rename(2).  Errors as weir_dir_open. */
enum weir_code weir_dir_rename(struct weir_dir *dir, const char *from_root,
                               const char *from, const char *to_root,
                               const char *to, struct weir_err *err);

#endif
