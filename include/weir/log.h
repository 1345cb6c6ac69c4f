/*
 * log: one sink; it redacts every secret it was told of.
 *
 * Whatever the program writes for people or machines (log lines, errors,
 * traces, progress) goes through weir_log_redact() or weir_log_write().
 */
#ifndef WEIR_LOG_H
#define WEIR_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "weir/buf.h"
#include "weir/clock.h"
#include "weir/err.h"

struct weir_log;

enum weir_log_level {
    WEIR_LOG_DEBUG,
    WEIR_LOG_INFO,
    WEIR_LOG_WARN,
    WEIR_LOG_ERROR,
    WEIR_LOG_OFF
};

enum weir_log_format {
    WEIR_LOG_TEXT, /* "12:30:01 warn  message key=value", UTC */
    WEIR_LOG_JSON  /* one object a line: time, level, message, fields */
};

/* Takes one whole redacted line with its newline. */
typedef void weir_log_sink_fn(void *ud, const char *line, size_t len);

/* A log that writes through `sink` (NULL: swallows).  WEIR_OK, WEIR_NOMEM. */
enum weir_code weir_log_new(const struct weir_clock *clock,
                            weir_log_sink_fn *sink, void *ud,
                            struct weir_log **out, struct weir_err *err);
void weir_log_free(struct weir_log *log);
void weir_log_set_level(struct weir_log *log, enum weir_log_level level);
void weir_log_set_format(struct weir_log *log, enum weir_log_format format);
enum weir_log_level weir_log_level(const struct weir_log *log);
bool weir_log_enabled(const struct weir_log *log, enum weir_log_level level);

/* From now on `secret` (4 bytes or more; shorter ones would hide ordinary
 * text and are refused with WEIR_INVALID) appears in no output: neither as
 * it is, nor percent-encoded, JSON-escaped, or in base64 (also inside a
 * Basic credential), nor encoded so again, nor its beginning where a text was
 * cut (weir/cut.h).  Telling the same secret again costs nothing.  At most
 * 4,096 secrets are kept, the oldest token forgotten first. */
enum weir_code weir_log_secret(struct weir_log *log, const char *secret,
                               size_t len, struct weir_err *err);
/* `known` is called after the log was told of a secret that it did not know;
 * NULL: nothing is.  It may not tell it of more. */
void weir_log_on_secret(struct weir_log *log, void (*known)(void *ud),
                        void *ud);
/* As weir_log_secret for the pair "user:password" of HTTP Basic. */
enum weir_code weir_log_basic(struct weir_log *log, const char *user,
                              const char *password, struct weir_err *err);

/* Appends `text` to `out` with every known secret replaced by "[redacted]".
 * NULL log: appends it unchanged. */
enum weir_code weir_log_redact(const struct weir_log *log, const char *text,
                               size_t len, struct weir_buf *out);
/* The same for the texts of an error, in place. */
void weir_log_redact_err(const struct weir_log *log, struct weir_err *err);

struct weir_json;
/* Writes a line if `level` is enabled.  `fields` is an object or NULL. */
void weir_log_write(struct weir_log *log, enum weir_log_level level,
                    const struct weir_json *fields, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* The same for a message that may hold NUL. */
void weir_log_write_text(struct weir_log *log, enum weir_log_level level,
                         const struct weir_json *fields, const char *text,
                         size_t len);

/* "debug" … "off". */
const char *weir_log_level_word(enum weir_log_level level);
/* "debug" … "off", or -1. */
int weir_log_level_from_word(const char *word);

#endif
