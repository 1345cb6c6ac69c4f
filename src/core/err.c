#include "weir/err.h"

#include <stdlib.h>
#include <string.h>

#include "excerpt.h"
#include "weir/cut.h"

static const char *const words[WEIR_CODES] = {
    [WEIR_OK] = "ok",
    [WEIR_INVALID] = "invalid",
    [WEIR_NOMEM] = "memory",
    [WEIR_LIMIT] = "limit",
    [WEIR_SYNTAX] = "syntax",
    [WEIR_CONFIG] = "config",
    [WEIR_AUTH] = "auth",
    [WEIR_PERMISSION] = "permission",
    [WEIR_NOT_FOUND] = "not_found",
    [WEIR_CONFLICT] = "conflict",
    [WEIR_VALIDATION] = "validation",
    [WEIR_RATE] = "rate",
    [WEIR_SERVER] = "server",
    [WEIR_STATUS] = "status",
    [WEIR_TIMEOUT] = "timeout",
    [WEIR_TRANSPORT] = "transport",
    [WEIR_PROTOCOL] = "protocol",
    [WEIR_AMBIGUOUS] = "ambiguous",
    [WEIR_CANCELLED] = "cancelled",
    [WEIR_FAILED] = "failed",
    [WEIR_IO] = "io",
    [WEIR_USAGE] = "usage",
    [WEIR_LOCKED] = "locked",
    [WEIR_DENIED] = "denied",
};

const char *weir_code_word(enum weir_code code)
{
    if ((unsigned)code >= WEIR_CODES)
        return "unknown";
    return words[code];
}

enum weir_code weir_code_from_word(const char *word)
{
    for (int code = 0; code < WEIR_CODES; code++) {
        if (strcmp(words[code], word) == 0)
            return (enum weir_code)code;
    }
    return WEIR_CODES;
}

void weir_err_init(struct weir_err *err)
{
    /* The first byte of each text is enough, and this happens on every
     * successful call: 1.5 KB of zeros a time would show. */
    err->code = WEIR_OK;
    err->reach = WEIR_REACH_NONE;
    err->final = false;
    err->maybe_done = false;
    err->because = WEIR_OK;
    err->status = 0;
    err->attempts = 0;
    err->method[0] = '\0';
    err->url[0] = '\0';
    err->request_id[0] = '\0';
    err->message[0] = '\0';
    err->hint[0] = '\0';
    err->detail = NULL;
}

void weir_err_clear(struct weir_err *err)
{
    if (!err)
        return;
    free(err->detail);
    weir_err_init(err);
}

enum weir_code weir_err_vset(struct weir_err *err, enum weir_code code,
                             const char *fmt, va_list args)
{
    if (!err)
        return code;
    weir_err_clear(err);
    err->code = code;
    weir_cut_vprintf(err->message, sizeof(err->message), fmt, args);
    weir_excerpt_line(err->message);
    return code;
}

enum weir_code weir_err_set(struct weir_err *err, enum weir_code code,
                            const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    weir_err_vset(err, code, fmt, args);
    va_end(args);
    return code;
}

void weir_err_hint(struct weir_err *err, const char *fmt, ...)
{
    va_list args;

    if (!err)
        return;
    va_start(args, fmt);
    weir_cut_vprintf(err->hint, sizeof(err->hint), fmt, args);
    weir_excerpt_line(err->hint);
    va_end(args);
}

enum weir_code weir_err_nomem(struct weir_err *err)
{
    return weir_err_set(err, WEIR_NOMEM, "out of memory");
}

void weir_err_prefix(struct weir_err *err, const char *fmt, ...)
{
    char message[sizeof(err->message)];
    va_list args;
    char before[sizeof(err->message)];

    if (!err)
        return;
    memcpy(message, err->message, sizeof(message));
    va_start(args, fmt);
    weir_cut_vprintf(before, sizeof(before), fmt, args);
    va_end(args);
    weir_cut_printf(err->message, sizeof(err->message), "%s%s", before,
                    message);
    weir_excerpt_line(err->message);
}

void weir_err_append(struct weir_err *err, const char *fmt, ...)
{
    char more[sizeof(err->message)], before[sizeof(err->message)];
    va_list args;

    if (!err)
        return;
    va_start(args, fmt);
    weir_cut_vprintf(more, sizeof(more), fmt, args);
    va_end(args);
    memcpy(before, err->message, sizeof(before));
    weir_cut_printf(err->message, sizeof(err->message), "%s%s", before, more);
    weir_excerpt_line(err->message);
}

void weir_err_detail(struct weir_err *err, const char *json, size_t len)
{
    char *copy = NULL;

    if (!err)
        return;
    if (json) {
        copy = malloc(len + 1);
        if (copy) {
            memcpy(copy, json, len);
            copy[len] = '\0';
        }
    }
    free(err->detail);
    err->detail = copy;
}

void weir_err_move(struct weir_err *to, struct weir_err *from)
{
    if (!to) {
        weir_err_clear(from);
        return;
    }
    if (to == from)
        return;
    free(to->detail);
    *to = *from;
    from->detail = NULL;
    weir_err_clear(from);
}

void weir_err_copy(struct weir_err *to, const struct weir_err *from)
{
    if (!to || to == from)
        return;
    free(to->detail);
    *to = *from;
    to->detail = NULL;
    if (from->detail)
        weir_err_detail(to, from->detail, strlen(from->detail));
}
