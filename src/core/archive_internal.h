/*
 * archive_internal: what the reader of archives knows before libarchive is
 * asked, shared by the files of the noun.
 */
#ifndef WEIR_ARCHIVE_INTERNAL_H
#define WEIR_ARCHIVE_INTERNAL_H

#include <locale.h>

#include "weir/archive.h"

/* One file as the archive's own directory has it. */
struct archive_entry_outline {
    const char *name; /* into the archive, not NUL-terminated */
    size_t name_len;
    size_t size;
    unsigned mode; /* of Unix, as st_mode; 0 if it has none */
};

struct archive_outline {
    struct archive_entry_outline *entries; /* in the order of their bytes */
    size_t n;
};

/* Reads the structure of a whole archive: every byte accounted for, every
 * name possible, sizes within the ceilings.  archive_outline_free() what
 * comes; WEIR_VALIDATION, WEIR_LIMIT, WEIR_NOMEM. */
enum weir_code archive_outline_read(const unsigned char *bytes, size_t len,
                                    struct archive_outline *out,
                                    struct weir_err *err);
void archive_outline_free(struct archive_outline *outline);

/* That no two of the names mean the same file to any file system: equal, equal
 * but for case, or one a folder of the other.  Under archive_locale_begin. */
enum weir_code archive_names_check(const struct archive_outline *outline,
                                   struct weir_err *err);

/* libarchive and case folding ask the locale for the meaning of bytes, which
 * must not depend on where a bundle is made: C.UTF-8 for this thread, until
 * archive_locale_end, if any of the names is more than ASCII. */
struct archive_locale {
    locale_t made, before;
};
enum weir_code archive_locale_begin(struct archive_locale *locale,
                                    const struct archive_outline *outline,
                                    struct weir_err *err);
void archive_locale_end(struct archive_locale *locale);

#endif
