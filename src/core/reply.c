#include "reply_internal.h"

#include <stdio.h>
#include <string.h>

#include "excerpt.h"
#include "weir/cut.h"
#include "weir/url.h"
#include "weir/value.h"

/* ---- text of others ---- */

/* Length of the UTF-8 character that starts here, 0 if none does. */
static size_t character(const char *text, size_t left)
{
    unsigned char lead = (unsigned char)text[0];
    size_t len = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;

    if (len > left || weir_utf8_valid(text, len) != len)
        return 0;
    return len;
}

/* What would move a terminal's cursor, break the line or turn the reading
 * direction: C0, DEL, C1, U+200B..200F, U+2028..202E, U+2066..2069, BOM. */
static bool is_unsafe(const char *text, size_t len)
{
    const unsigned char *c = (const unsigned char *)text;

    if (len == 1)
        return c[0] < 0x20 || c[0] == 0x7F;
    if (len == 2)
        return c[0] == 0xC2 && c[1] < 0xA0;
    if (len == 3 && c[0] == 0xE2 && c[1] == 0x80)
        return (c[2] >= 0x8B && c[2] <= 0x8F) || (c[2] >= 0xA8 && c[2] <= 0xAE);
    if (len == 3 && c[0] == 0xE2 && c[1] == 0x81)
        return c[2] >= 0xA6 && c[2] <= 0xA9;
    return len == 3 && memcmp(c, "\xEF\xBB\xBF", 3) == 0;
}

void weir_reply_line(char *out, size_t size, const char *text, size_t len)
{
    static const char ellipsis[] = WEIR_CUT_MARK;
    const size_t room = size - sizeof(ellipsis); /* before the ellipsis */
    size_t used = 0, i = 0;
    bool gap = false;

    while (i < len) {
        size_t n = character(text + i, len - i);
        const char *bytes = n ? text + i : "?";
        size_t bytes_len = n ? n : 1;

        i += bytes_len;
        if (bytes[0] == ' ' || is_unsafe(bytes, bytes_len)) {
            gap = used > 0;
            continue;
        }
        if (used + gap + bytes_len > room) {
            memcpy(out + used, ellipsis, sizeof(ellipsis));
            return;
        }
        if (gap)
            out[used++] = ' ';
        gap = false;
        memcpy(out + used, bytes, bytes_len);
        used += bytes_len;
    }
    out[used] = '\0';
}

/* ---- statuses ---- */

static const char *phrase(int status)
{
    switch (status) {
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 422: return "Unprocessable Content";
    case 428: return "Precondition Required";
    case 429: return "Too Many Requests";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    default: return NULL;
    }
}

void weir_reply_status(char out[WEIR_REPLY_STATUS], int status)
{
    const char *words = phrase(status);

    if (words)
        snprintf(out, WEIR_REPLY_STATUS, "%d %s", status, words);
    else
        snprintf(out, WEIR_REPLY_STATUS, "status %d", status);
}

/* ---- who was asked ---- */

/* Services name a request in different headers; the first one found counts. */
const char *weir_reply_request_id(const struct weir_http_response *response)
{
    static const char *const names[] = {"X-Request-Id", "Request-Id",
                                        "X-Correlation-Id", "X-Trace-Id"};
    const char *id = NULL;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !id; i++)
        id = weir_http_header(response, names[i], 0);
    return id;
}

void weir_reply_identify(struct weir_err *err, const char *method,
                         const char *url, unsigned attempts,
                         const struct weir_http_response *response)
{
    struct weir_buf redacted;

    snprintf(err->method, sizeof(err->method), "%s", method);
    weir_buf_init(&redacted, 8192);
    if (weir_url_redacted(&redacted, url) == WEIR_OK)
        weir_reply_line(err->url, sizeof(err->url), weir_buf_str(&redacted),
                        redacted.len);
    weir_buf_fini(&redacted);
    err->attempts = attempts;
    if (response) {
        const char *id = weir_reply_request_id(response);

        err->status = response->status;
        err->reach = WEIR_REACH_ANSWER;
        if (id)
            weir_reply_line(err->request_id, sizeof(err->request_id), id,
                            strlen(id));
    }
}

static enum weir_code read_modestly(const struct weir_http_response *r,
                                    bool secret, struct weir_json **out)
{
    const struct weir_json_options modest = {.max_depth = 32,
                                             .max_nodes = 10000,
                                             .duplicate_keys = true,
                                             .secret = secret};
    enum weir_code code = WEIR_SYNTAX;

    *out = NULL;
    if (r->body_len > 0 && r->body_len <= (size_t)256 * 1024)
        code = weir_json_parse(r->body, r->body_len, &modest, out, NULL);
    return code == WEIR_NOMEM ? code : WEIR_OK;
}

struct weir_json *weir_reply_document(const struct weir_http_response *r)
{
    struct weir_json *json;

    /* Without memory the message says less, and that is all. */
    read_modestly(r, false, &json);
    return json;
}

enum weir_code weir_reply_secret(const struct weir_http_response *r,
                                 struct weir_json **out)
{
    return read_modestly(r, true, out);
}

/* ---- again, or not ---- */

void weir_reply_retry_input(struct weir_retry_input *input,
                            const struct weir_http_response *response,
                            const struct weir_err *err,
                            const char *values[WEIR_REPLY_RETRY_AFTER])
{
    input->code = err->code;
    input->reach = err->reach;
    input->final = err->final;
    if (!response)
        return;
    input->status = response->status;
    input->date = weir_http_header(response, "Date", 0);
    input->retry_after = values;
    for (size_t n = 0; n < WEIR_REPLY_RETRY_AFTER; n++) {
        values[n] = weir_http_header(response, "Retry-After", n);
        if (!values[n])
            break;
        input->n_retry_after = n + 1;
    }
}

void weir_reply_note(struct weir_op *op, const char *about,
                     const struct weir_http_response *response,
                     const struct weir_err *err, int64_t wait_ms,
                     unsigned attempt, unsigned attempts)
{
    double seconds = (double)wait_ms / 1000;
    const char *what = "the connection failed";

    if (response) {
        weir_op_note(op,
                     "%s%d from the server: again in %.1f s (attempt %u of %u)",
                     about, response->status, seconds, attempt, attempts);
        return;
    }
    if (err->code == WEIR_TIMEOUT)
        what = "no answer in time";
    weir_op_note(op, "%s%s: again in %.1f s (attempt %u of %u)", about, what,
                 seconds, attempt, attempts);
}

void weir_reply_gave_up(struct weir_err *err,
                        const struct weir_retry_policy *policy,
                        const struct weir_retry_decision *decision,
                        unsigned attempts)
{
    double wait = (double)decision->wait_ms / 1000;
    double cap = (double)(policy->cap_ms > 0 ? policy->cap_ms
                                             : WEIR_RETRY_CAP_MS_DEFAULT) /
                 1000;

    switch (decision->reason) {
    case WEIR_RETRY_ATTEMPTS:
        weir_err_append(err, "; gave up after %u attempt%s", attempts,
                        attempts == 1 ? "" : "s");
        break;
    case WEIR_RETRY_CAP:
        weir_err_append(err,
                        "; the server asks to wait %.1f s, more than the "
                        "%.1f s that a retry may wait",
                        wait, cap);
        break;
    case WEIR_RETRY_DEADLINE: /* whose it is, says the caller */
    case WEIR_RETRY_AGAIN:
    case WEIR_RETRY_DONE:
    case WEIR_RETRY_UNSAFE: break;
    }
}
