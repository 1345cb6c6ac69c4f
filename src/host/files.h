/* files: folders that are made, and files that are replaced as a whole. */
#ifndef HOST_FILES_H
#define HOST_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "weir/err.h"

/* Makes a folder and those above it; WEIR_IO names what could not be made. */
enum weir_code host_files_make_folder(const char *path, struct weir_err *err);

/* Puts `len` bytes in the place of the file: after a crash it has the old
 * bytes or the new ones.  A file that is there keeps its mode, a symbolic
 * link stays one.  WEIR_IO or WEIR_NOMEM on failure; the file is as it was. */
enum weir_code host_files_replace(const char *path, const void *data,
                                  size_t len, struct weir_err *err);
/* The same, and a new file gets `mode` less the umask (0666 above); one that
 * is there keeps its mode, but gets permission to run if `mode` has any. */
enum weir_code host_files_replace_as(const char *path, const void *data,
                                     size_t len, mode_t mode,
                                     struct weir_err *err);

/* A file that will be put in its place later, perhaps when nothing can be
 * waited for: its folder is held open. */
struct host_files_place {
    int folder;
    char *name;      /* in the folder; owned */
    mode_t mode;     /* of a new file, less the umask: 0600 unless changed */
    bool keeps_mode; /* of a file that is there; false unless changed */
};

/* A symbolic link at `path` stays one.  WEIR_CONFIG if there is no such
 * folder, or something in the place that is no file; WEIR_NOMEM.  Whether it
 * can be written a first host_files_place_put tells. */
enum weir_code host_files_place_open(const char *path,
                                     struct host_files_place *out,
                                     struct weir_err *err);
void host_files_place_close(struct host_files_place *place);
/* Replaces the file with what `write` writes to the descriptor (0, or an
 * errno): after a crash it has the old bytes or the new ones.  Of several at
 * once, in one process or in many, each writes a temporary file of its own,
 * "NAME.PID.TIME.tmp" beside it, and the last one's bytes stay.  0 or an
 * errno: the file is as it was.  Async-signal-safe, if `write` is. */
int host_files_place_put(const struct host_files_place *place,
                         int (*write)(void *ud, int fd), void *ud);
/* Links that are followed one after the other, as many as the kernel does. */
#define HOST_FILES_MAX_LINKS 40
/* Where the symbolic link `path` leads, in one step and as seen from here;
 * free() it.  NULL if it is none, or without memory: *is_link, unless NULL,
 * tells which. */
char *host_files_link(const char *path, bool *is_link);

/* All of it; 0 or an errno.  Async-signal-safe. */
int host_files_write(int fd, const char *data, size_t len);

#endif
