/* redact: finds secrets in a text, in whatever form they took on the way. */
#ifndef WEIR_REDACT_H
#define WEIR_REDACT_H

#include <stdbool.h>
#include <stddef.h>

#include "redact_read.h"
#include "secrets.h"
#include "weir/buf.h"

#define WEIR_REDACTED "[redacted]"

/* Appends `text` to `out` with every secret replaced.  A secret is hidden
 * also where a cut has left only its beginning (4 bytes or more): before an
 * ellipsis, and with `cut` at the end of the text; and 16 bytes of a longer
 * one are hidden wherever they stand.  The work is bounded by the length of
 * the text: where that does not do (a secret that repeats itself, in a text
 * that repeats it too), the whole text is hidden.
 * WEIR_OK, WEIR_NOMEM, WEIR_LIMIT; then nothing of `text` that was not looked
 * at has been appended. */
enum weir_code weir_redact(const struct weir_secrets *secrets, const char *text,
                           size_t len, bool cut, struct weir_buf *out);

/* ---- shared by the files of redact ---- */

struct weir_redaction {
    const struct weir_secrets *secrets;
    bool starts[256]; /* the bytes that a spelling of one can begin with */
    size_t budget;    /* steps left; at 0 all of the text is hidden */
};

/* Sets hide[i] for every byte that belongs to a secret; base64 is looked
 * into `nesting` times. */
enum weir_code weir_redact_mark(struct weir_redaction *work,
                                const struct weir_reading *text, int nesting,
                                bool *hide);
/* redact_base64.c: the same for what base64 (RFC 4648, both alphabets) runs
 * in the text hold. */
enum weir_code weir_redact_base64(struct weir_redaction *work,
                                  const struct weir_reading *text, int nesting,
                                  bool *hide);

#endif
