/*
 * run_report: what a run did, for whoever was not there: one JSON file.
 *
 * The file is there from before the first line of a script, and before a bundle
 * is opened, until after the last, replaced as a whole: it says "running"
 * first, and how it ended at last.  A run that is killed (SIGKILL, a signal
 * that signals.h does not know, a power cut) leaves "running" behind; every
 * other end is told, also one that cannot wait for Lua or memory.
 * examples/ops/README.md describes the members; `format` is raised when one
 * changes its meaning or goes.
 *
 * One a process.  Without host_run_report_begin all that follows does nothing.
 */
#ifndef HOST_RUN_REPORT_H
#define HOST_RUN_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "weir/changes.h"
#include "weir/err.h"
#include "weir/log.h"

#define HOST_RUN_REPORT_FORMAT 1

/* What is known when a run begins. */
struct host_run_start {
    const char *program; /* path of what is to be run, or NULL */
    char **arguments;    /* of main, which outlive the run */
    size_t n_arguments;
    bool dry_run;
};
/* Writes the first report to `path`, so that what is in the way of the last
 * one is found before anything has been changed.  An earlier report there is
 * replaced, and nothing else is.  `log` redacts, `changes` has the calls; both
 * must live until host_run_report_end.  WEIR_CONFIG if there can be no such
 * file, or something else is in it; WEIR_NOMEM. */
enum weir_code host_run_report_begin(const char *path,
                                     const struct host_run_start *start,
                                     const struct weir_log *log,
                                     const struct weir_changes *changes,
                                     struct weir_err *err);

/* What runs.  Texts are copied; NULL where there is none. */
struct host_run_program {
    const char *kind; /* "script", "bundle", "input" */
    const char *path;
    const char *name, *version; /* of a bundle */
    const char *sha256;         /* of the bytes that run, in hexadecimal */
    const char *signer;         /* the key's id */
    const char *signer_name;    /* what it is called on this machine */
};
/* From now on the file says so, too. */
void host_run_report_program(const struct host_run_program *program);
/* Where: the context's name or NULL. */
void host_run_report_where(const char *context, bool simulated);
/* A tenant that the run has connected to; where there is no room for more it
 * is counted.  False if it was known; works without a report. */
bool host_run_report_tenant(const char *name, const char *base_url);
/* Whether there is one. */
bool host_run_report_asked(void);
/* Why the run fails; the first one counts. */
void host_run_report_failure(const char *code, const char *message);
/* The log knows one more secret: where the file shows it, it is taken out. */
void host_run_report_secret(void);

/* Writes the last report: `how` is "done", "failed", "exit" (os.exit) or
 * "interrupted".  If it cannot be written, it is on stderr, after the reason;
 * with `json` both are one line, an object as the log writes them.  Returns
 * `code`, or 1 instead of 0 without the file. */
int host_run_report_end(int code, const char *how, bool json);

/* The outcome of a run that ends with this code: "done" or "failed". */
const char *host_run_report_word(int code);

#endif
