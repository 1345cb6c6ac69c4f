/*
 * bundle: a script with all it needs in one file, for somebody else to run.
 *
 * The file is an archive (weir/archive.h) whose first entry is a manifest
 * (weir/manifest.h) and whose others are the files that it lists.  Before the
 * archive stands one of
 *   nothing
 *   "#!/usr/bin/env weir\n"   the usual form: ./deploy.weir runs
 *   a program (ELF)           weir itself: runs where no weir is installed
 * A signature covers the whole file, whatever its form, and lives beside it:
 * "deploy.weir.minisig" (weir/minisign.h).
 *
 * Both files are opened once and never again: what was verified is what runs.
 */
#ifndef WEIR_BUNDLE_H
#define WEIR_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir/archive.h"
#include "weir/buf.h"
#include "weir/err.h"
#include "weir/manifest.h"

/* Bytes of a bundle's file: an archive at its ceiling and a program. */
#define WEIR_BUNDLE_MAX ((size_t)128 << 20)
/* What stands before the archive in the usual form. */
#define WEIR_BUNDLE_LINE "#!/usr/bin/env weir\n"
/* Of a signature's file: the bundle's with this. */
#define WEIR_BUNDLE_SIGNATURE ".minisig"

enum weir_bundle_form {
    WEIR_BUNDLE_ARCHIVE, /* "archive" */
    WEIR_BUNDLE_SCRIPT,  /* "script": after WEIR_BUNDLE_LINE */
    WEIR_BUNDLE_PROGRAM  /* "program" */
};
const char *weir_bundle_form_word(enum weir_bundle_form form);

/* ---- making ---- */

struct weir_bundle_plan {
    const char *name, *version, *main;
    const struct weir_archive_file *files; /* in any order */
    size_t n_files;
    const struct weir_json *args;  /* or NULL */
    const struct weir_json *needs; /* not NULL */
    int64_t expires;               /* as in the manifest */
    /* Bytes to stand before the archive in place of WEIR_BUNDLE_LINE: a
     * program's; NULL for the usual form. */
    const void *program;
    size_t program_len;
};

/* Appends a bundle: the same bytes for the same plan.  What is written has
 * been read back.  WEIR_OK; WEIR_VALIDATION or WEIR_LIMIT as the archive and
 * the manifest have it; WEIR_NOMEM; WEIR_IO or WEIR_CONFIG without libarchive
 * or libcrypto. */
enum weir_code weir_bundle_write(const struct weir_bundle_plan *plan,
                                 struct weir_buf *out, struct weir_err *err);

/* ---- reading ---- */

/* Whether a file whose first bytes are `head` (64 are enough) and whose last
 * ones are `tail` (22) means to be a bundle: a damaged one does, too. */
bool weir_bundle_is(const void *head, size_t head_len, const void *tail,
                    size_t tail_len);

struct weir_bundle;

/* Reads the file of `fd` to its end, once, and the signature at
 * `path`.minisig if there is one.  `path` is for that and for messages; `fd`
 * stays the caller's.  Nothing of it is looked at yet: see
 * weir_bundle_unpack.  WEIR_OK; WEIR_IO, WEIR_LIMIT, WEIR_NOMEM, WEIR_CONFIG
 * (no SHA-256). */
enum weir_code weir_bundle_load(int fd, const char *path,
                                struct weir_bundle **out, struct weir_err *err);
/* The same from memory, which is copied; `signature` may be NULL. */
enum weir_code weir_bundle_from_bytes(const void *bytes, size_t len,
                                      const void *signature,
                                      size_t signature_len, const char *path,
                                      struct weir_bundle **out,
                                      struct weir_err *err);
/* NULL is allowed. */
void weir_bundle_free(struct weir_bundle *bundle);

/* Of the whole file, before and after unpacking. */
const char *weir_bundle_path(const struct weir_bundle *bundle);
const char *weir_bundle_sha256(const struct weir_bundle *bundle); /* hex */
size_t weir_bundle_size(const struct weir_bundle *bundle);
/* The bytes, for whoever verifies them; NULL after unpacking. */
const void *weir_bundle_bytes(const struct weir_bundle *bundle, size_t *len);
/* The text of the signature's file; NULL if there is none. */
const char *weir_bundle_signature(const struct weir_bundle *bundle,
                                  size_t *len);

/* Archive, manifest and every file's hash; call it after the signature was
 * verified, so that nobody unknown is read further than needed.  The bytes
 * of the whole are given back.  WEIR_OK; WEIR_VALIDATION with the fault, the
 * file's path before it; WEIR_LIMIT, WEIR_NOMEM, WEIR_IO, WEIR_CONFIG. */
enum weir_code weir_bundle_unpack(struct weir_bundle *bundle,
                                  struct weir_err *err);

/* The rest is of an unpacked bundle, and lives as long as it. */
enum weir_bundle_form weir_bundle_form(const struct weir_bundle *bundle);
const struct weir_manifest *
weir_bundle_manifest(const struct weir_bundle *bundle);
/* The file of that path (one of the manifest's), or NULL. */
const struct weir_archive_file *
weir_bundle_file(const struct weir_bundle *bundle, const char *path);

/* Whether this host is new enough to run it.  WEIR_OK or WEIR_CONFIG.  (Expiry
 * is a matter of trust: weir_trust_decide.) */
enum weir_code weir_bundle_check_host(const struct weir_bundle *bundle,
                                      struct weir_err *err);

#endif
