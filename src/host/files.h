/* files: folders that are made, and files that are replaced as a whole. */
#ifndef HOST_FILES_H
#define HOST_FILES_H

#include <stddef.h>

#include "weir/err.h"

/* Makes a folder and those above it; WEIR_IO names what could not be made. */
enum weir_code host_files_make_folder(const char *path, struct weir_err *err);

/* Puts `len` bytes in the place of the file: after a crash it has the old
 * bytes or the new ones.  A file that is there keeps its mode, a symbolic
 * link stays one.  WEIR_IO or WEIR_NOMEM on failure; the file is as it was. */
enum weir_code host_files_replace(const char *path, const void *data,
                                  size_t len, struct weir_err *err);

#endif
