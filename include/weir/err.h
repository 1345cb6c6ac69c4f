/*
 * err: what went wrong, in one value.
 *
 * Every libweir function that can fail returns an enum weir_code and fills a
 * struct weir_err that the caller owns (pass NULL where only the code
 * matters).  Results travel through pointers and are untouched on failure.
 * A text that does not fit is cut and ends with an ellipsis (weir/cut.h).
 */
#ifndef WEIR_ERR_H
#define WEIR_ERR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

enum weir_code {
    WEIR_OK = 0,
    WEIR_INVALID,    /* "invalid": an argument the caller must correct */
    WEIR_NOMEM,      /* "memory": an allocation failed */
    WEIR_LIMIT,      /* "limit": a ceiling was reached; the message names it */
    WEIR_SYNTAX,     /* "syntax": text is not valid JSON, YAML or regex */
    WEIR_CONFIG,     /* "config": a setting is missing or unusable */
    WEIR_AUTH,       /* "auth": credentials, token (401) or signature refused */
    WEIR_PERMISSION, /* "permission": not allowed (403) */
    WEIR_NOT_FOUND,  /* "not_found": 404 or 410 */
    WEIR_CONFLICT,   /* "conflict": 409, 412, 428, or a merge conflict */
    WEIR_VALIDATION, /* "validation": 400 or 422, or a failed check */
    WEIR_RATE,       /* "rate": still 429 after every attempt allowed */
    WEIR_SERVER,     /* "server": 5xx */
    WEIR_STATUS,     /* "status": any other status that is not a success */
    WEIR_TIMEOUT,    /* "timeout": a deadline passed */
    WEIR_TRANSPORT,  /* "transport": name, connection or TLS failed */
    WEIR_PROTOCOL,   /* "protocol": an answer the contract does not allow */
    WEIR_AMBIGUOUS,  /* "ambiguous": the call may or may not have been done */
    WEIR_CANCELLED,  /* "cancelled": the caller asked for the end */
    WEIR_FAILED,     /* "failed": what was waited for has failed for good */
    WEIR_IO,         /* "io": a file could not be read or written */
    WEIR_USAGE,      /* "usage": the words of a command line are wrong */
    WEIR_LOCKED, /* "locked": another process has it; the message says who */
    WEIR_DENIED, /* "denied": a permission that the run does not have */
    WEIR_CODES
};

/* How far a request got before it failed; decides whether it may be sent
 * again (RFC 9110 section 9.2.2). */
enum weir_reach {
    WEIR_REACH_NONE,  /* nothing was sent */
    WEIR_REACH_MAYBE, /* sent at least in part; no whole answer arrived */
    WEIR_REACH_ANSWER /* the server answered */
};

struct weir_err {
    enum weir_code code;
    enum weir_reach reach;
    /* It would fail in the same way again (a certificate that is not
     * trusted): never worth a retry. */
    bool final;
    /* Of a call that changes something: it may have been done, by this attempt
     * or an earlier one. */
    bool maybe_done;
    enum weir_code because; /* WEIR_AMBIGUOUS: what was met; else WEIR_OK */
    int status;             /* HTTP status, 0 where there was none */
    unsigned attempts;      /* requests sent for this call, 0 if none */
    char method[12];        /* "" where no request was involved */
    char url[512];       /* without query and credentials; may be cut short */
    char request_id[96]; /* the server's own name for the request, or "" */
    char message[768];   /* one sentence, no full stop, no secret */
    char hint[256];      /* what to do about it, or "" */
    char *detail;        /* JSON text with particulars, or NULL; owned */
};

#define WEIR_ERR_INIT                                                          \
    {                                                                          \
        .code = WEIR_OK                                                        \
    }

/* The word a script sees: "timeout" for WEIR_TIMEOUT. */
const char *weir_code_word(enum weir_code code);

/* The code for a word, or WEIR_CODES if there is none such. */
enum weir_code weir_code_from_word(const char *word);

/* As WEIR_ERR_INIT, without writing zeros over the whole of it: for what
 * runs with every call. */
void weir_err_init(struct weir_err *err);
/* Makes `err` empty, freeing its detail.  NULL is allowed. */
void weir_err_clear(struct weir_err *err);

/* Clears `err`, sets code and message (printf); returns `code`. */
enum weir_code weir_err_set(struct weir_err *err, enum weir_code code,
                            const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
enum weir_code weir_err_vset(struct weir_err *err, enum weir_code code,
                             const char *fmt, va_list args)
    __attribute__((format(printf, 3, 0)));

/* Sets the hint (printf) and nothing else. */
void weir_err_hint(struct weir_err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* "out of memory"; returns WEIR_NOMEM. */
enum weir_code weir_err_nomem(struct weir_err *err);

/* Puts a printf prefix before the message: "reading page 3: …". */
void weir_err_prefix(struct weir_err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Appends to the message (printf). */
void weir_err_append(struct weir_err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Replaces the detail with a copy of `json` (NULL: none).  Best effort:
 * without memory the detail is dropped, never the error. */
void weir_err_detail(struct weir_err *err, const char *json, size_t len);

/* Moves `from` into `to` (cleared first); `from` is empty afterwards. */
void weir_err_move(struct weir_err *to, struct weir_err *from);

/* Copies, the detail too. */
void weir_err_copy(struct weir_err *to, const struct weir_err *from);

#endif
