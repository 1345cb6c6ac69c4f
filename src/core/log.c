#include "weir/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "redact.h"
#include "redact_sink.h"
#include "weir/cut.h"
#include "weir/json.h"

/* A message may hold a server's text; a line stays a line to be read. */
#define MESSAGE_MAX  ((size_t)64 * 1024)
#define LOG_LINE_MAX ((size_t)1024 * 1024)

struct weir_log {
    const struct weir_clock *clock;
    weir_log_sink_fn *sink;
    void *ud;
    enum weir_log_level level;
    enum weir_log_format format;
    struct weir_secrets secrets;
    void (*known)(void *ud); /* of one more */
    void *known_ud;
};

static const char *const words[] = {"debug", "info", "warn", "error", "off"};

const char *weir_log_level_word(enum weir_log_level level)
{
    return words[level];
}

int weir_log_level_from_word(const char *word)
{
    for (int level = WEIR_LOG_DEBUG; level <= WEIR_LOG_OFF; level++) {
        if (strcmp(words[level], word) == 0)
            return level;
    }
    return -1;
}

enum weir_code weir_log_new(const struct weir_clock *clock,
                            weir_log_sink_fn *sink, void *ud,
                            struct weir_log **out, struct weir_err *err)
{
    struct weir_log *log = calloc(1, sizeof(*log));

    if (!log)
        return weir_err_nomem(err);
    log->clock = clock ? clock : weir_clock_system();
    log->sink = sink;
    log->ud = ud;
    log->level = WEIR_LOG_INFO;
    *out = log;
    return WEIR_OK;
}

void weir_log_free(struct weir_log *log)
{
    if (!log)
        return;
    weir_secrets_fini(&log->secrets);
    free(log);
}

void weir_log_set_level(struct weir_log *log, enum weir_log_level level)
{
    log->level = level;
}

void weir_log_set_format(struct weir_log *log, enum weir_log_format format)
{
    log->format = format;
}

enum weir_log_level weir_log_level(const struct weir_log *log)
{
    return log->level;
}

bool weir_log_enabled(const struct weir_log *log, enum weir_log_level level)
{
    return log && log->sink && level >= log->level && level < WEIR_LOG_OFF;
}

/* ---- secrets ---- */

enum weir_code weir_log_secret(struct weir_log *log, const char *secret,
                               size_t len, struct weir_err *err)
{
    uint64_t added = log->secrets.added;
    enum weir_code code = weir_secrets_add(&log->secrets, secret, len, err);

    if (log->known && log->secrets.added != added)
        log->known(log->known_ud);
    return code;
}

void weir_log_on_secret(struct weir_log *log, void (*known)(void *ud), void *ud)
{
    log->known = known;
    log->known_ud = ud;
}

enum weir_code weir_log_basic(struct weir_log *log, const char *user,
                              const char *password, struct weir_err *err)
{
    struct weir_buf pair;
    enum weir_code code;

    weir_buf_init_secret(&pair, LOG_LINE_MAX);
    code = weir_buf_addf(&pair, "%s:%s", user, password);
    if (code)
        weir_buf_err(&pair, "a credential", err);
    else
        code = weir_log_secret(log, pair.data, pair.len, err);
    weir_buf_fini(&pair);
    return code;
}

enum weir_code weir_log_redact(const struct weir_log *log, const char *text,
                               size_t len, struct weir_buf *out)
{
    if (!log)
        return weir_buf_add(out, text, len);
    return weir_redact(&log->secrets, text, len, false, out);
}

/* In place; false for what could not be looked at, and is not shown. */
static bool redact_field(const struct weir_log *log, char *field, size_t size)
{
    size_t len = strlen(field);
    struct weir_buf out;
    bool seen = true;

    if (len == 0)
        return true;
    weir_buf_init(&out, LOG_LINE_MAX);
    /* A full field may have been cut in the middle of a secret. */
    if (weir_redact(&log->secrets, field, len, len + 1 == size, &out)) {
        weir_cut_printf(field, size, "%s", WEIR_REDACTED);
        seen = false;
    } else {
        weir_cut_copy(field, size, weir_buf_str(&out), out.len);
    }
    weir_buf_fini(&out);
    return seen;
}

/* The detail is JSON and stays JSON; other text is redacted as text. */
static void redact_detail(const struct weir_log *log, struct weir_err *err)
{
    struct weir_redact_sink redact;
    struct weir_json_writer writer;
    struct weir_sink inner, sink;
    struct weir_buf out;
    struct weir_err ignored = WEIR_ERR_INIT;
    size_t len = strlen(err->detail);

    weir_buf_init(&out, len * 4 + LOG_LINE_MAX);
    weir_json_writer_init(&writer, &out, 0, &inner);
    weir_redact_sink_init(&redact, &log->secrets, &inner, &sink);
    if (weir_json_scan(err->detail, len, NULL, &sink, &ignored)) {
        weir_err_clear(&ignored);
        weir_buf_reset(&out);
        weir_redact(&log->secrets, err->detail, len, false, &out);
    }
    weir_redact_sink_fini(&redact);
    weir_err_detail(err, out.failed ? NULL : weir_buf_str(&out), out.len);
    weir_buf_fini(&out);
}

void weir_log_redact_err(const struct weir_log *log, struct weir_err *err)
{
    if (!log || !err || log->secrets.n == 0)
        return;
    redact_field(log, err->url, sizeof(err->url));
    redact_field(log, err->request_id, sizeof(err->request_id));
    /* Want of memory still has a name when there is none to look with. */
    if (!redact_field(log, err->message, sizeof(err->message)) &&
        err->code == WEIR_NOMEM)
        weir_cut_printf(err->message, sizeof(err->message), "out of memory");
    redact_field(log, err->hint, sizeof(err->hint));
    if (err->detail)
        redact_detail(log, err);
}

/* ---- lines ---- */

/* Text that a terminal shows and does not obey.  U+0080 to U+009F are control
 * characters as well: U+009B begins what ESC [ begins. */
static void add_visible(struct weir_buf *line, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        unsigned char next = i + 1 < len ? (unsigned char)text[i + 1] : 0;

        if (c == '\n')
            weir_buf_adds(line, "\\n");
        else if (c == '\t')
            weir_buf_addc(line, ' ');
        else if (c < ' ' || c == 0x7f)
            weir_buf_addf(line, "\\x%02x", c);
        else if (c == 0xC2 && (next & 0xE0) == 0x80)
            weir_buf_addf(line, "\\u%04x", text[++i] & 0xFF);
        else
            weir_buf_addc(line, (char)c);
    }
}

static bool is_plain_word(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c <= ' ' || c == 0x7f || c == '"' || c == '=' || c == '\\')
            return false;
    }
    return len > 0;
}

/* Writes a value as JSON, redacted. */
static enum weir_code add_json(const struct weir_log *log,
                               const struct weir_json *value,
                               struct weir_buf *line)
{
    struct weir_redact_sink redact;
    struct weir_json_writer writer;
    struct weir_sink inner, sink;
    struct weir_err ignored = WEIR_ERR_INIT;
    enum weir_code code;

    weir_json_writer_init(&writer, line, 0, &inner);
    weir_redact_sink_init(&redact, &log->secrets, &inner, &sink);
    code = weir_json_emit(value, &sink, &ignored);
    weir_err_clear(&ignored);
    weir_redact_sink_fini(&redact);
    return code;
}

/* " key=value"; a string that is a plain word goes without quotes. */
static void add_text_field(const struct weir_log *log,
                           const struct weir_json *member,
                           struct weir_buf *line)
{
    struct weir_buf clean;
    const char *text;
    size_t len;

    weir_buf_init(&clean, line->max);
    text = weir_json_key(member, &len);
    weir_redact_clean(&log->secrets, text, len, false, &clean);
    weir_buf_addc(line, ' ');
    add_visible(line, weir_buf_str(&clean), clean.len);
    weir_buf_addc(line, '=');
    weir_buf_reset(&clean);
    text = weir_json_string(member, &len);
    if (text)
        weir_redact_clean(&log->secrets, text, len, false, &clean);
    if (text && is_plain_word(weir_buf_str(&clean), clean.len))
        weir_buf_add(line, clean.data, clean.len);
    else if (add_json(log, member, line))
        weir_buf_adds(line, "?");
    weir_buf_fini(&clean);
}

static void text_line(const struct weir_log *log, enum weir_log_level level,
                      const struct weir_json *fields, const char *message,
                      size_t len, struct weir_buf *line)
{
    time_t seconds = (time_t)(log->clock->wall(log->clock->ud) / 1000);
    struct tm tm;

    gmtime_r(&seconds, &tm);
    weir_buf_addf(line, "%02d:%02d:%02d %-5s ", tm.tm_hour, tm.tm_min,
                  tm.tm_sec, words[level]);
    add_visible(line, message, len);
    for (const struct weir_json *member = weir_json_first(fields); member;
         member = weir_json_next(member))
        add_text_field(log, member, line);
}

static void json_line(const struct weir_log *log, enum weir_log_level level,
                      const struct weir_json *fields, const char *message,
                      size_t len, struct weir_buf *line)
{
    int64_t wall = log->clock->wall(log->clock->ud);
    time_t seconds = (time_t)(wall / 1000);
    struct tm tm;
    char when[24];

    gmtime_r(&seconds, &tm);
    strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
    weir_buf_addf(line,
                  "{\"time\":\"%s.%03dZ\",\"level\":\"%s\",\"message\":", when,
                  (int)(wall % 1000), words[level]);
    weir_json_quote(line, message, len);
    if (fields) {
        weir_buf_adds(line, ",\"fields\":");
        add_json(log, fields, line);
    }
    weir_buf_addc(line, '}');
}

static void write_line(const struct weir_log *log, enum weir_log_level level,
                       const struct weir_json *fields, const char *message,
                       size_t len)
{
    struct weir_buf line;

    weir_buf_init(&line, LOG_LINE_MAX);
    if (log->format == WEIR_LOG_JSON)
        json_line(log, level, fields, message, len, &line);
    else
        text_line(log, level, fields, message, len, &line);
    weir_buf_addc(&line, '\n');
    if (line.failed && fields) {
        /* Better the message alone than half a line. */
        weir_buf_fini(&line);
        write_line(log, level, NULL, message, len);
        return;
    }
    if (!line.failed)
        log->sink(log->ud, line.data, line.len);
    weir_buf_fini(&line);
}

void weir_log_write_text(struct weir_log *log, enum weir_log_level level,
                         const struct weir_json *fields, const char *text,
                         size_t len)
{
    struct weir_buf message;
    bool cut = len > MESSAGE_MAX;

    if (!weir_log_enabled(log, level))
        return;
    weir_buf_init(&message, LOG_LINE_MAX / 2);
    if (weir_redact_clean(&log->secrets, text, cut ? MESSAGE_MAX : len, cut,
                          &message) == WEIR_OK)
        write_line(log, level, fields, weir_buf_str(&message), message.len);
    weir_buf_fini(&message);
}

void weir_log_write(struct weir_log *log, enum weir_log_level level,
                    const struct weir_json *fields, const char *fmt, ...)
{
    va_list args;
    char *text = NULL;
    int len;

    if (!weir_log_enabled(log, level))
        return;
    va_start(args, fmt);
    len = vasprintf(&text, fmt, args);
    va_end(args);
    if (len < 0)
        return;
    weir_log_write_text(log, level, fields, text, (size_t)len);
    free(text);
}
