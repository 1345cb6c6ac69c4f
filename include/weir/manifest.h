/*
 * manifest: what a bundle says of itself, as strict JSON.
 *
 * { "format": 1, "name": "rotate", "version": "1.4.0", "weir": "0.1.0",
 *   "main": "rotate.lua",
 *   "files": [{"path": "rotate.lua", "size": 812, "sha256": "…"}, …],
 *   "args": {"about": "…", "params": [{"name": "--tier", …}, …]},
 *   "needs": {"net": ["tenant"], …}, "expires": "2027-01-31T23:59:59Z" }
 *
 * "args" and "expires" may be absent.  A member that is not known is an
 * error: it would be something that the writer meant and this host ignores.
 */
#ifndef WEIR_MANIFEST_H
#define WEIR_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir/buf.h"
#include "weir/err.h"
#include "weir/json.h"

/* The name of the manifest's own file in the archive. */
#define WEIR_MANIFEST_FILE "weir-manifest.json"
/* The layout that is written, and the only one that is read. */
#define WEIR_MANIFEST_FORMAT 1
#define WEIR_MANIFEST_MAX    ((size_t)1 << 20) /* bytes of its text */
/* Bytes of the name, which is letters, digits, '.', '_' and '-'. */
#define WEIR_MANIFEST_MAX_NAME ((size_t)64)

struct weir_manifest_file {
    char *path; /* as weir_archive_check_name allows */
    size_t size;
    char sha256[65]; /* lowercase hexadecimal */
};

struct weir_manifest {
    char *name;
    char *version; /* of the bundle; weir/semver.h */
    char *weir;    /* the oldest host version that can run it */
    char *main;    /* one of the files */
    struct weir_manifest_file *files; /* by the bytes of their paths */
    size_t n_files;
    struct weir_json *args;  /* declaration of weir.args, or NULL */
    struct weir_json *needs; /* the table of weir.needs; never NULL */
    /* Seconds since 1970 UTC after which it must not run; 0: never. */
    int64_t expires;
};

/* Reads a manifest; weir_manifest_free() it.  WEIR_OK; WEIR_SYNTAX if it is
 * no JSON; WEIR_VALIDATION with the JSON pointer of the first fault, and the
 * nearest member for one that is not known; WEIR_LIMIT; WEIR_NOMEM. */
enum weir_code weir_manifest_read(const char *text, size_t len,
                                  struct weir_manifest **out,
                                  struct weir_err *err);

/* Appends the manifest's text: the same bytes for the same values.  The files
 * may be in any order.  WEIR_OK; WEIR_VALIDATION if weir_manifest_read would
 * refuse it; WEIR_NOMEM; WEIR_LIMIT. */
enum weir_code weir_manifest_write(const struct weir_manifest *manifest,
                                   struct weir_buf *out, struct weir_err *err);

/* The file of that path, or NULL. */
const struct weir_manifest_file *
weir_manifest_find(const struct weir_manifest *manifest, const char *path);

/* "2027-01-31T23:59:59Z", or "2027-01-31" for the end of that day, UTC.
 * WEIR_OK or WEIR_VALIDATION. */
enum weir_code weir_manifest_read_time(const char *text, size_t len,
                                       int64_t *out, struct weir_err *err);
/* The first and the last second that can be read, those of the years 2000 and
 * 9999. */
#define WEIR_MANIFEST_TIME_FIRST ((int64_t)946684800)
#define WEIR_MANIFEST_TIME_LAST  ((int64_t)253402300799)
/* The nearest of these to what a clock says, which may never have been set:
 * what is written has to be read again. */
int64_t weir_manifest_time_of_clock(int64_t now);
/* Whether something with an expiry must not be used at `now`: it is over, or
 * the clock was never set (before the year 2000) and cannot tell.  An expiry
 * of 0 is none. */
bool weir_manifest_expired(int64_t expires, int64_t now);
/* Room for a time as text, with its NUL. */
#define WEIR_MANIFEST_TIME ((size_t)32)
/* The first form above; returns `out`. */
const char *weir_manifest_time_text(int64_t seconds,
                                    char out[WEIR_MANIFEST_TIME]);

/* NULL is allowed. */
void weir_manifest_free(struct weir_manifest *manifest);

#endif
