/* What the files of run_report share. */
#ifndef HOST_RUN_REPORT_INTERNAL_H
#define HOST_RUN_REPORT_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "files.h"
#include "weir/buf.h"
#include "weir/err.h"
#include "weir/log.h"

/* Tenants that are shown. */
#define HOST_RUN_REPORT_TENANTS 16
/* Bytes of one text, longer ones are cut (weir/cut.h): what a script's error
 * says has no end of its own. */
#define HOST_RUN_REPORT_TEXT ((size_t)32 * 1024)
/* Bytes of all arguments that are shown, quoted.  A head is made for every
 * tenant, and none is freed before the end. */
#define HOST_RUN_REPORT_ARGUMENTS ((size_t)64 * 1024)
/* Of a head; what is above and its like fits. */
#define HOST_RUN_REPORT_HEAD ((size_t)8 << 20)

/* ---- the beginning of the text: run_report_head.c ---- */

struct host_run_facts {
    char *kind, *path, *name, *version, *sha256, *signer, *signer_name;
    char **arguments; /* somebody else's */
    size_t n_arguments;
    char machine[256];
    char *context;
    bool simulated, dry_run;
    char *error_code, *error_message;
    char start[32];
    struct {
        char *name, *base_url;
    } tenants[HOST_RUN_REPORT_TENANTS];
    size_t n_tenants;
};

/* Appends the report up to its tenants, redacted: "{ … ]". */
void host_run_report_head(const struct host_run_facts *facts,
                          const struct weir_log *log, struct weir_buf *out);
/* Frees all of them. */
void host_run_facts_fini(struct host_run_facts *facts);

/* ---- where it goes: run_report_place.c ---- */

/* The beginning of every report of every format, which the next run knows one
 * by.  What follows is a number. */
#define HOST_RUN_REPORT_OPENING "{\n  \"format\": "

/* Opens the place for a report, if there is none yet, or an earlier report, or
 * nothing in the file.  WEIR_CONFIG: it is `program`, which is to be run, or a
 * file that something else is in, or where this process's own output goes;
 * and what host_files_place_open gives. */
enum weir_code host_run_report_place(const char *path, const char *program,
                                     struct host_files_place *out,
                                     struct weir_err *err);

#endif
