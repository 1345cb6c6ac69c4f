/* base64: RFC 4648 section 4, with padding. */
#ifndef WEIR_BASE64_H
#define WEIR_BASE64_H

#include <stddef.h>

#include "weir/err.h"

/* Characters for so many bytes. */
#define WEIR_BASE64_SIZE(bytes) (((size_t)(bytes) + 2) / 3 * 4)

/* Writes WEIR_BASE64_SIZE(len) characters, and no NUL; returns how many. */
size_t weir_base64_encode(const unsigned char *bytes, size_t len, char *out);

/* Reads exactly `want` bytes, in the one way in which they are written: no
 * white space, padding as it must be, no bits set that belong to no byte.
 * WEIR_OK or WEIR_SYNTAX; the message ("is 99 characters, not 100") goes on
 * from the caller's, and shows nothing of the text.  `out` may be written to
 * on failure. */
enum weir_code weir_base64_decode(const char *text, size_t len,
                                  unsigned char *out, size_t want,
                                  struct weir_err *err);

#endif
