/*
 * redact_sink: a sink that takes the secrets out of strings, keys and numbers
 * before it passes them on.  Redacting JSON text instead could hit a number
 * and leave something that is no JSON.
 */
#ifndef WEIR_REDACT_SINK_H
#define WEIR_REDACT_SINK_H

#include "redact.h"
#include "weir/value.h"

struct weir_redact_sink {
    const struct weir_secrets *secrets;
    const struct weir_sink *inner;
    struct weir_buf text; /* what is being passed on */
};
/* Fills `sink`; weir_redact_sink_fini() when done. */
void weir_redact_sink_init(struct weir_redact_sink *redact,
                           const struct weir_secrets *secrets,
                           const struct weir_sink *inner,
                           struct weir_sink *sink);
void weir_redact_sink_fini(struct weir_redact_sink *redact);

/* Appends `text` redacted and as valid UTF-8 (U+FFFD for what is none). */
enum weir_code weir_redact_clean(const struct weir_secrets *secrets,
                                 const char *text, size_t len, bool cut,
                                 struct weir_buf *out);

#endif
