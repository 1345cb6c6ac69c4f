/*
 * buf: a growing byte string with a ceiling from birth.
 *
 * A buffer that fails (no memory, ceiling) stays failed and keeps what it
 * had, so a writer may append many times and look at the code once.  The
 * bytes are always followed by a NUL that does not count in `len`.
 */
#ifndef WEIR_BUF_H
#define WEIR_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "weir/err.h"

struct weir_buf {
    char *data; /* NULL until the first byte */
    size_t len;
    size_t cap;
    size_t max;            /* bytes, the closing NUL not counted */
    bool secret;           /* no copy stays in memory that is given back */
    enum weir_code failed; /* WEIR_OK, WEIR_NOMEM or WEIR_LIMIT */
};

/* An empty buffer that will never hold more than `max` bytes. */
void weir_buf_init(struct weir_buf *buf, size_t max);
/* The same for what must leave no trace: bytes are wiped before their memory
 * is freed, also when the buffer grows. */
void weir_buf_init_secret(struct weir_buf *buf, size_t max);
/* Frees the bytes; the buffer is empty, not failed, and usable again. */
void weir_buf_fini(struct weir_buf *buf);
/* Empties the buffer and forgets a failure, keeping the memory. */
void weir_buf_reset(struct weir_buf *buf);

/* Each returns WEIR_OK, WEIR_NOMEM or WEIR_LIMIT, and so does every later
 * call after a failure. */
static inline enum weir_code weir_buf_add(struct weir_buf *buf,
                                          const void *bytes, size_t len);
static inline enum weir_code weir_buf_addc(struct weir_buf *buf, char byte);
enum weir_code weir_buf_adds(struct weir_buf *buf, const char *text);
/* Makes room for `extra` more bytes at once, where a size is known ahead. */
enum weir_code weir_buf_reserve(struct weir_buf *buf, size_t extra);
enum weir_code weir_buf_addf(struct weir_buf *buf, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The text, never NULL ("" when empty). */
const char *weir_buf_str(const struct weir_buf *buf);
/* Hands the bytes over (free() them) and empties the buffer; NULL if the
 * buffer is empty and no memory is left for an empty string. */
char *weir_buf_take(struct weir_buf *buf, size_t *len);
/* Fills `err` from a failed buffer; `what` names it in the message. */
enum weir_code weir_buf_err(const struct weir_buf *buf, const char *what,
                            struct weir_err *err);

/* ---- the writers of single bytes and short texts pay for no call ---- */

static inline enum weir_code weir_buf_add(struct weir_buf *buf,
                                          const void *bytes, size_t len)
{
    if ((!buf->data || buf->cap - buf->len <= len || buf->failed) &&
        weir_buf_reserve(buf, len))
        return buf->failed;
    if (len)
        memcpy(buf->data + buf->len, bytes, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
    return WEIR_OK;
}

static inline enum weir_code weir_buf_addc(struct weir_buf *buf, char byte)
{
    return weir_buf_add(buf, &byte, 1);
}

#endif
