#include "trace.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "session.h"
#include "weir/cut.h"

enum { MAX_BODY = 4000, MAX_VALUE = 1000 };
#define MAX_TRACE ((size_t)256 * 1024)

/* ---- names that say what they hold ---- */

static const char *const secret_words[] = {"secret", "password",  "passwd",
                                           "token",  "assertion", "api_key",
                                           "apikey", "credential"};
enum { N_WORDS = sizeof(secret_words) / sizeof(secret_words[0]) };

static bool is_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-';
}

/* The length of the word at `text`, if it is one of those. */
static size_t secret_word(const char *text, size_t len)
{
    for (int i = 0; i < N_WORDS; i++) {
        size_t n = strlen(secret_words[i]);

        if (n <= len && strncasecmp(text, secret_words[i], n) == 0)
            return n;
    }
    return 0;
}

/* After the name at `at`: where its value begins, or 0 if none follows.  Not
 * every name with such a word is followed by a string: "expires" is a number,
 * "token_type" is no secret. */
static size_t value_start(const char *text, size_t at, size_t len)
{
    while (at < len && is_name_char(text[at]))
        at++;
    if (at < len && text[at] == '\\')
        at++;
    if (at < len && (text[at] == '"' || text[at] == '\''))
        at++;
    while (at < len && text[at] == ' ')
        at++;
    if (at >= len || (text[at] != ':' && text[at] != '='))
        return 0;
    at++;
    while (at < len && text[at] == ' ')
        at++;
    return at;
}

/* Where the value that begins at `at` ends; *from: after its quote. */
static size_t value_end(const char *text, size_t at, size_t len, size_t *from)
{
    char quote = text[at];

    *from = at;
    if (quote == '"' || quote == '\'') {
        *from = ++at;
        while (at < len && text[at] != quote)
            at += text[at] == '\\' ? 2 : 1;
        return at < len ? at : len;
    }
    while (at < len && !strchr("&,;}] \r\n\t\"", text[at]))
        at++;
    return at;
}

static bool is_type(const char *text, size_t at, size_t len)
{
    static const char type[] = "_type";

    return len - at >= sizeof(type) - 1 &&
           strncasecmp(text + at, type, sizeof(type) - 1) == 0;
}

void host_trace_mask(struct weir_buf *out, const char *text, size_t len)
{
    size_t done = 0;

    for (size_t at = 0; at < len;) {
        size_t word = secret_word(text + at, len - at), start, from, end;

        start = word && !is_type(text, at + word, len)
                    ? value_start(text, at + word, len)
                    : 0;
        if (start == 0 || start >= len) {
            at += word ? word : 1;
            continue;
        }
        end = value_end(text, start, len, &from);
        if (end > from) {
            weir_buf_add(out, text + done, from - done);
            weir_buf_adds(out, "[redacted]");
            done = end;
        }
        at = end > at ? end : at + 1;
    }
    weir_buf_add(out, text + done, len - done);
}

/* ---- text ---- */

static void add_sgr(struct weir_buf *out, const struct host_trace *trace,
                    const char *code)
{
    weir_buf_adds(out, host_terminal_sgr(&trace->session->terminal, code));
}

/* What came from outside must not move the cursor. */
static void add_printable(struct weir_buf *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        weir_buf_addc(out, (char)(c < 0x20 || c == 0x7F ? ' ' : c));
    }
}

static bool is_text(const char *body, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)body[i];

        if (c < 0x09 || (c > 0x0D && c < 0x20) || c == 0x7F)
            return false;
    }
    return true;
}

/* On a character's border, and never in the middle of a secret: what is
 * masked and redacted comes first. */
static void add_body(struct host_trace *trace, struct weir_buf *out,
                     const char *body, size_t len)
{
    struct weir_buf masked, shown;
    size_t n;

    if (len == 0)
        return;
    if (!is_text(body, len < MAX_BODY ? len : MAX_BODY)) {
        weir_buf_addf(out, "    (%zu bytes that are no text)\n", len);
        return;
    }
    weir_buf_init(&masked, MAX_TRACE);
    weir_buf_init(&shown, MAX_TRACE);
    n = len < MAX_TRACE / 8 ? len : MAX_TRACE / 8;
    host_trace_mask(&masked, body, n);
    weir_log_redact(trace->session->log, weir_buf_str(&masked), masked.len,
                    &shown);
    n = shown.len < MAX_BODY ? shown.len : MAX_BODY;
    while (n > 0 && n < shown.len &&
           ((unsigned char)shown.data[n] & 0xC0) == 0x80)
        n--;
    weir_buf_adds(out, "    ");
    add_printable(out, weir_buf_str(&shown), n);
    if (n < shown.len || len > MAX_TRACE / 8)
        weir_buf_addf(out, " … (%zu bytes)", len);
    weir_buf_addc(out, '\n');
    weir_buf_fini(&masked);
    weir_buf_fini(&shown);
}

static bool is_secret_header(const char *name, size_t len)
{
    static const char *const names[] = {"authorization", "proxy-authorization",
                                        "cookie", "set-cookie"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strlen(names[i]) == len && strncasecmp(name, names[i], len) == 0)
            return true;
    }
    for (size_t i = 0; i < len; i++) {
        if (secret_word(name + i, len - i) ||
            (len - i >= 3 && strncasecmp(name + i, "key", 3) == 0))
            return true;
    }
    return false;
}

/* Of a credential only its scheme is shown. */
static void add_header(struct weir_buf *out, const char *name, size_t name_len,
                       const char *value)
{
    size_t len = strlen(value);

    weir_buf_adds(out, "    ");
    add_printable(out, name, name_len);
    weir_buf_adds(out, ": ");
    if (is_secret_header(name, name_len)) {
        size_t scheme = strcspn(value, " ");

        if (value[scheme] == ' ' && scheme < 10)
            add_printable(out, value, scheme + 1);
        weir_buf_adds(out, "[redacted]");
    } else {
        struct weir_buf masked;

        weir_buf_init(&masked, MAX_TRACE);
        host_trace_mask(&masked, value, len < MAX_VALUE ? len : MAX_VALUE);
        add_printable(out, weir_buf_str(&masked), masked.len);
        /* The mark tells the log that half a secret may stand before it. */
        if (len > MAX_VALUE)
            weir_buf_adds(out, WEIR_CUT_MARK);
        weir_buf_fini(&masked);
    }
    weir_buf_addc(out, '\n');
}

static void add_url(struct weir_buf *out, const char *url)
{
    struct weir_buf masked;

    weir_buf_init(&masked, MAX_TRACE);
    host_trace_mask(&masked, url, strlen(url));
    add_printable(out, weir_buf_str(&masked), masked.len);
    weir_buf_fini(&masked);
}

static void write_out(struct host_trace *trace, struct weir_buf *text)
{
    host_session_write(trace->session, WEIR_LOG_INFO, weir_buf_str(text),
                       text->len);
    weir_buf_fini(text);
}

/* ---- what is told ---- */

static void sent(void *ud, const struct weir_http_trace *t)
{
    struct host_trace *trace = ud;
    struct weir_buf out;

    weir_buf_init(&out, MAX_TRACE);
    add_sgr(&out, trace, "1;34");
    weir_buf_addf(&out, "→ %s ", t->method);
    add_url(&out, t->url);
    if (t->attempt > 1)
        weir_buf_addf(&out, " (attempt %u)", t->attempt);
    add_sgr(&out, trace, "0");
    weir_buf_addc(&out, '\n');
    for (size_t i = 0; i < t->n_headers; i++) {
        const char *line = t->headers[i], *colon = strchr(line, ':');

        if (colon)
            add_header(&out, line, (size_t)(colon - line),
                       colon[1] == ' ' ? colon + 2 : colon + 1);
    }
    add_body(trace, &out, t->body, t->body_len);
    write_out(trace, &out);
}

static void add_time(struct weir_buf *out, const char *name, double seconds)
{
    if (seconds > 0)
        weir_buf_addf(out, ", %s %.1f", name, seconds * 1000);
}

static void add_answer(struct host_trace *trace, struct weir_buf *out,
                       const struct weir_http_trace *t)
{
    const struct weir_http_response *r = t->response;

    add_sgr(out, trace, r->status < 400 ? "1;32" : "1;31");
    weir_buf_addf(out, "← %d", r->status);
    add_sgr(out, trace, "0");
    weir_buf_addf(out, "  %.1f ms", t->total * 1000);
    if (t->fresh)
        add_time(out, "connected", t->connected);
    if (t->fresh)
        add_time(out, "TLS", t->secured);
    add_time(out, "first byte", t->first_byte);
    weir_buf_addf(out, "%s, %zu bytes\n", t->fresh ? "" : ", kept connection",
                  r->body_len);
    for (size_t i = 0; i < r->n_headers; i++)
        add_header(out, r->headers[i].name, strlen(r->headers[i].name),
                   r->headers[i].value);
    if (t->secret)
        weir_buf_adds(out, "    (an answer that is a secret: not shown)\n");
    else
        add_body(trace, out, r->body, r->body_len);
}

static void ended(void *ud, const struct weir_http_trace *t)
{
    struct host_trace *trace = ud;
    struct weir_buf out;

    weir_buf_init(&out, MAX_TRACE);
    if (t->response) {
        add_answer(trace, &out, t);
    } else {
        add_sgr(&out, trace, "1;31");
        weir_buf_addf(&out, "✗ %s ", t->method);
        add_url(&out, t->url);
        add_sgr(&out, trace, "0");
        weir_buf_addf(&out, "  %.1f ms: ", t->total * 1000);
        if (t->err)
            add_printable(&out, t->err->message, strlen(t->err->message));
        else
            weir_buf_adds(&out, "given up");
        weir_buf_addc(&out, '\n');
    }
    write_out(trace, &out);
}

void host_trace_switch(struct host_trace *trace, struct host_session *session,
                       bool on)
{
    struct weir_err err = WEIR_ERR_INIT;

    trace->session = session;
    trace->observer = (struct weir_http_observer){sent, ended, trace};
    if (weir_http_observe(session->loop, on ? &trace->observer : NULL, &err))
        host_complain_err(session, &err);
    else
        trace->on = on;
}
