/*
 * late: libraries that are loaded when they are first needed.
 *
 * What is linked is loaded and relocated by every run of the program: for a
 * short script that is most of its time, and most scripts need no simulator.
 * The headers are the library's own, so that the compiler checks every call.
 */
#ifndef WEIR_LATE_H
#define WEIR_LATE_H

#include <stddef.h>

#include "weir/err.h"

/* A function of the library, and the member that points to it. */
struct weir_late_function {
    const char *name;
    size_t offset;
};

struct weir_late_library {
    const char *file;    /* "libx.so.1": the name of its binary interface */
    const char *purpose; /* "keeps state files" */
    const char *package; /* that has it, for the hint */
    const struct weir_late_function *functions;
    size_t n_functions;
};

/* Loads the library, which stays loaded, and fills the struct of pointers at
 * `out`.  WEIR_OK; WEIR_NOMEM; WEIR_IO, and nothing is filled. */
enum weir_code weir_late_load(const struct weir_late_library *library,
                              void *out, struct weir_err *err);

#endif
