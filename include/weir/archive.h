/*
 * archive: files in one piece of memory, as a ZIP archive.
 *
 * The container of a bundle.  What is written is an ordinary archive of
 * stored (not compressed) files, the same bytes for the same files on every
 * machine.  What is read must be of that kind: every byte of it belongs to
 * one of its files or to its directory, and whatever else the format allows
 * is refused by the name of its fault.  libarchive, which does both, ends the
 * process where it gets no memory for a few bytes of its own.
 * (https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT)
 */
#ifndef WEIR_ARCHIVE_H
#define WEIR_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>

#include "weir/buf.h"
#include "weir/err.h"

/* Ceilings, for writing and for reading alike. */
#define WEIR_ARCHIVE_MAX_FILES ((size_t)4096)
#define WEIR_ARCHIVE_MAX_BYTES ((size_t)64 << 20) /* of all files together */
#define WEIR_ARCHIVE_MAX_NAME  ((size_t)255)

struct weir_archive_file {
    const char *name; /* NUL-terminated, UTF-8, '/' between folders */
    const char *data; /* not NULL, also when empty */
    size_t size;
};

/* Whether `name` can be the name of a file in an archive: relative, without
 * "." and ".." parts, backslashes, control characters, a drive or a NUL; valid
 * UTF-8 of at most WEIR_ARCHIVE_MAX_NAME bytes.  WEIR_OK, or WEIR_VALIDATION
 * with the fault. */
enum weir_code weir_archive_check_name(const char *name, size_t len,
                                       struct weir_err *err);

/* Appends an archive of the files, in the order given, to `out`.  Time, owner
 * and mode are always the same.  WEIR_OK; WEIR_VALIDATION for a name that
 * cannot be or that comes twice, also in another case; WEIR_LIMIT for too many
 * files or bytes; WEIR_NOMEM; WEIR_IO or WEIR_CONFIG if libarchive, or the
 * locale that it needs, cannot be had. */
enum weir_code weir_archive_write(const struct weir_archive_file *files,
                                  size_t n, struct weir_buf *out,
                                  struct weir_err *err);

/* Where in `bytes` the archive begins that ends with the last of them: other
 * things may stand before it.  WEIR_OK; WEIR_VALIDATION if no archive ends
 * there, and whether it is cut short or followed by something. */
enum weir_code weir_archive_find(const void *bytes, size_t len, size_t *start,
                                 struct weir_err *err);

struct weir_archive; /* the files of one archive */

/* Reads an archive that begins and ends with `bytes`, of which nothing is kept.
 * WEIR_OK; WEIR_VALIDATION with the fault; WEIR_LIMIT over a ceiling;
 * WEIR_NOMEM; WEIR_IO or WEIR_CONFIG as weir_archive_write.  No file is
 * unpacked before the whole outline was found sound. */
enum weir_code weir_archive_read(const void *bytes, size_t len,
                                 struct weir_archive **out,
                                 struct weir_err *err);

/* The files, in the archive's order; NULL from `n` files on.  They live as
 * long as the archive. */
size_t weir_archive_count(const struct weir_archive *archive);
const struct weir_archive_file *
weir_archive_at(const struct weir_archive *archive, size_t index);
/* The file of exactly that name, or NULL. */
const struct weir_archive_file *
weir_archive_get(const struct weir_archive *archive, const char *name);

/* NULL is allowed. */
void weir_archive_free(struct weir_archive *archive);

#endif
