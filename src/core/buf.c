#include "weir/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void weir_buf_init(struct weir_buf *buf, size_t max)
{
    *buf = (struct weir_buf){.max = max < SIZE_MAX ? max : SIZE_MAX - 1};
}

void weir_buf_init_secret(struct weir_buf *buf, size_t max)
{
    weir_buf_init(buf, max);
    buf->secret = true;
}

/* Frees the memory; what `data` and `cap` say is stale then. */
static void release(struct weir_buf *buf)
{
    if (buf->secret && buf->data)
        explicit_bzero(buf->data, buf->cap);
    free(buf->data);
}

static void make_empty(struct weir_buf *buf)
{
    bool secret = buf->secret;

    weir_buf_init(buf, buf->max);
    buf->secret = secret;
}

void weir_buf_fini(struct weir_buf *buf)
{
    release(buf);
    make_empty(buf);
}

void weir_buf_reset(struct weir_buf *buf)
{
    buf->len = 0;
    buf->failed = WEIR_OK;
    if (buf->data)
        buf->data[0] = '\0';
}

/* realloc() would leave a copy of a secret where it was. */
static char *resize(struct weir_buf *buf, size_t cap)
{
    char *data;

    if (!buf->secret)
        return realloc(buf->data, cap);
    data = malloc(cap);
    if (!data)
        return NULL;
    if (buf->data)
        memcpy(data, buf->data, buf->len);
    release(buf);
    return data;
}

/* Bytes that the first piece has at least. */
#define LEAST ((size_t)64)

/* Makes room for `extra` bytes and the NUL. */
enum weir_code weir_buf_reserve(struct weir_buf *buf, size_t extra)
{
    size_t need, cap;
    char *data;

    if (buf->failed)
        return buf->failed;
    if (extra > buf->max - buf->len)
        return buf->failed = WEIR_LIMIT;
    need = buf->len + extra + 1;
    if (need <= buf->cap)
        return WEIR_OK;
    cap = LEAST;
    /* What is asked for first is mostly the whole.  What grows beyond goes from
     * one power of two to the next, so that its last copy is half as large. */
    if (!buf->cap && need > LEAST)
        cap = need;
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    if (cap > buf->max + 1)
        cap = buf->max + 1;
    data = resize(buf, cap);
    if (!data)
        return buf->failed = WEIR_NOMEM;
    buf->data = data;
    buf->cap = cap;
    return WEIR_OK;
}

enum weir_code weir_buf_adds(struct weir_buf *buf, const char *text)
{
    return weir_buf_add(buf, text, strlen(text));
}

enum weir_code weir_buf_addf(struct weir_buf *buf, const char *fmt, ...)
{
    va_list args, again;
    enum weir_code code;
    int len;

    va_start(args, fmt);
    va_copy(again, args);
    len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (len < 0)
        code = buf->failed = WEIR_NOMEM;
    else
        code = weir_buf_reserve(buf, (size_t)len);
    if (!code) {
        vsnprintf(buf->data + buf->len, (size_t)len + 1, fmt, again);
        buf->len += (size_t)len;
    }
    va_end(again);
    return code;
}

const char *weir_buf_str(const struct weir_buf *buf)
{
    return buf->data ? buf->data : "";
}

char *weir_buf_take(struct weir_buf *buf, size_t *len)
{
    char *data = buf->data ? buf->data : calloc(1, 1);

    if (len)
        *len = buf->len;
    make_empty(buf);
    return data;
}

enum weir_code weir_buf_err(const struct weir_buf *buf, const char *what,
                            struct weir_err *err)
{
    if (buf->failed == WEIR_LIMIT)
        return weir_err_set(err, WEIR_LIMIT,
                            "%s is over its ceiling of %zu bytes", what,
                            buf->max);
    if (buf->failed)
        return weir_err_nomem(err);
    return WEIR_OK;
}
