/*
 * redact_read: a text as what it stands for.
 *
 * A byte of a secret can stand in a text as it is, or percent-encoded, or as
 * an escape of JSON, and that encoded again: %2541, \\u0041, %5C%22.  A unit
 * is the piece of text that stands for one byte (or one character) when it is
 * decoded `level` times; at level 0 it is the byte itself.
 */
#ifndef WEIR_REDACT_READ_H
#define WEIR_REDACT_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "weir/cut.h"

/* A detail inside a log line inside a URL: no more than this is met. */
#define WEIR_UNIT_LEVELS 3

struct weir_reading {
    const char *bytes;
    size_t len;
    bool cut; /* the end of the text may be in the middle of a secret */
};

struct weir_unit {
    unsigned char bytes[4];
    size_t n;    /* bytes it stands for; 0: the text ends here */
    size_t size; /* bytes it takes in the text */
};

/* The unit at `at` when the text is decoded `level` times. */
struct weir_unit weir_unit_read(const struct weir_reading *r, size_t at,
                                int level);
/* Everything that the text at `at` may stand for: the byte itself first, then
 * each further reading that differs.  Returns how many, 0 at the end. */
size_t weir_unit_readings(const struct weir_reading *r, size_t at,
                          struct weir_unit out[WEIR_UNIT_LEVELS + 1]);

/* True if the text was cut at `at`: it ends there and is said to be cut, or
 * an ellipsis stands there.  `*end` is behind what is left of an escape that
 * the cut went through. */
bool weir_reading_is_cut(const struct weir_reading *r, size_t at, size_t *end);

#endif
