/* redact: finds secrets in a text, in whatever form they took on the way. */
#ifndef WEIR_REDACT_H
#define WEIR_REDACT_H

#include <stdbool.h>
#include <stddef.h>

#include "secrets.h"
#include "weir/buf.h"

#define WEIR_REDACTED "[redacted]"

/* Appends `text` to `out` with every secret replaced.  `cut`: the text may
 * have been cut short, so what could be the beginning of a secret at its end
 * goes too.  WEIR_OK, WEIR_NOMEM, WEIR_LIMIT; then nothing of `text` that
 * was not looked at has been appended. */
enum weir_code weir_redact(const struct weir_secrets *secrets, const char *text,
                           size_t len, bool cut, struct weir_buf *out);

/* redact_base64.c: sets hide[i] for every byte of `text` that belongs to the
 * base64 form (RFC 4648, both alphabets) of a secret or of something that
 * has one in it.  WEIR_OK, WEIR_NOMEM. */
enum weir_code weir_redact_base64(const struct weir_secrets *secrets,
                                  const char *text, size_t len, bool *hide);

/* The value of a hexadecimal digit, or -1. */
int weir_redact_hex(char c);

#endif
