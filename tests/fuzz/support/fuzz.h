/*
 * fuzz: what the targets share.
 *
 * A target is one file of tests/fuzz with an LLVMFuzzerTestOneInput that
 * takes any bytes, drives one noun of the core with them and checks what must
 * hold for all of them.  Inputs of several parts are parted by byte 0x1E (the
 * record separator of RFC 7464), which a mutation keeps or moves easily.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir/err.h"
#include "weir/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the process as a finding unless the condition holds. */
#define FUZZ_CHECK(condition)                                                  \
    ((condition) ? (void)0 : fuzz_failed(#condition, __FILE__, __LINE__))
_Noreturn void fuzz_failed(const char *condition, const char *file, int line);

/* ---- parts of an input ---- */

struct fuzz_text {
    const char *data;
    size_t len;
};
/* Takes what stands before the next 0x1E, or all that is left; false when
 * nothing is left.  An input that ends in 0x1E has no empty part after it. */
bool fuzz_part(struct fuzz_text *rest, struct fuzz_text *out);
/* Takes one byte; 0 when nothing is left. */
unsigned fuzz_byte(struct fuzz_text *rest);
/* A copy as a C string: up to the first NUL.  free() it. */
char *fuzz_string(struct fuzz_text text);

/* ---- what holds for everything ---- */

/* An error can be shown: it has a code and a message of one line, valid UTF-8
 * without control characters.  Clears it. */
void fuzz_check_err(struct weir_err *err, enum weir_code code);
void fuzz_check_line(const char *text);
/* A document, or NULL if the text is none. */
struct weir_json *fuzz_json(struct fuzz_text text);
/* The document as text on one line; free() it. */
char *fuzz_write(const struct weir_json *json, size_t *len);
/* A JSON pointer (RFC 6901): "" or parts that begin with '/', each '~'
 * followed by 0 or 1. */
bool fuzz_is_pointer(const char *text, size_t len);

#endif
