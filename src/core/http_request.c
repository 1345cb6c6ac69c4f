/* The request: checked, and copied into one block of memory. */
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http_internal.h"
#include "weir/cut.h"
#include "weir/retry.h"
#include "weir/url.h"

#define KIB ((size_t)1024)

/* ---- checking ---- */

/* RFC 9110 section 5.6.2. */
static bool is_token_byte(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(const char *text)
{
    const char *p = text;

    while (is_token_byte((unsigned char)*p))
        p++;
    return p > text && *p == '\0';
}

static enum weir_code check_method(const struct weir_http_request *request,
                                   struct weir_err *err)
{
    const char *method = request->method;
    size_t len = 0;

    if (!method)
        return weir_err_set(err, WEIR_INVALID, "the request has no method");
    while ((method[len] >= 'A' && method[len] <= 'Z') || method[len] == '-')
        len++;
    if (len == 0 || len > 20 || method[len] != '\0') {
        weir_err_set(err, WEIR_INVALID, "'%s' is not an HTTP method",
                     is_token(method) ? WEIR_CUT(40, method) : "(unprintable)");
        weir_err_hint(err, "methods are upper-case words such as GET, POST");
        return WEIR_INVALID;
    }
    if (strcmp(method, "CONNECT") == 0 || strcmp(method, "TRACE") == 0)
        return weir_err_set(err, WEIR_INVALID, "%s requests are not supported",
                            method);
    if (strcmp(method, "HEAD") == 0 && request->body)
        return weir_err_set(err, WEIR_INVALID,
                            "a HEAD request cannot have a body");
    return WEIR_OK;
}

/* Most names differ in their first letter already. */
static bool is_named(const char *header, const char *name)
{
    return (*header | 0x20) == (*name | 0x20) && strcasecmp(header, name) == 0;
}

/* Headers that say where a message ends or how the connection is used: a
 * second opinion on that is how requests get smuggled. */
static bool is_framing(const char *name)
{
    static const char *const names[] = {"Content-Length", "Transfer-Encoding",
                                        "Connection",     "Keep-Alive",
                                        "Upgrade",        "TE",
                                        "Trailer",        "Expect",
                                        "Host",           "Proxy-Connection"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (is_named(name, names[i]))
            return true;
    }
    return false;
}

enum weir_code weir_http_check_header(const struct weir_header *header,
                                      struct weir_err *err)
{
    if (!header->name || !header->value || !is_token(header->name))
        return weir_err_set(
            err, WEIR_INVALID, "'%s' is not a name for a header",
            header->name && is_token(header->name) ? WEIR_CUT(60, header->name)
                                                   : "(unprintable)");
    if (is_framing(header->name))
        return weir_err_set(err, WEIR_INVALID,
                            "the header %s is set by weir itself",
                            header->name);
    for (const char *p = header->value; *p; p++) {
        unsigned char c = (unsigned char)*p;

        /* The value is not shown: it may be the secret itself. */
        if ((c < ' ' && c != '\t') || c == 0x7f)
            return weir_err_set(err, WEIR_INVALID,
                                "the value of the header %s holds %s at "
                                "byte %zu",
                                WEIR_CUT(60, header->name),
                                c == '\r' || c == '\n' ? "a line break"
                                                       : "a control character",
                                (size_t)(p - header->value) + 1);
    }
    return WEIR_OK;
}

static enum weir_code check(struct weir_http_state *state,
                            const struct weir_http_request *request,
                            struct weir_url_origin *origin,
                            struct weir_err *err)
{
    enum weir_code code = check_method(request, err);

    if (code)
        return code;
    if (!request->url)
        return weir_err_set(err, WEIR_INVALID, "the request has no URL");
    code = weir_http_origin(state, request->url, origin, err);
    if (!code && !request->allow_plain_http)
        code = weir_http_require_safe(request->url, origin, err);
    for (size_t i = 0; !code && i < request->n_headers; i++)
        code = weir_http_check_header(&request->headers[i], err);
    return code;
}

static struct weir_http_limits
limits_with_defaults(const struct weir_http_limits *given)
{
    struct weir_http_limits limits = *given;

    if (limits.timeout_ms <= 0)
        limits.timeout_ms = 30000;
    if (limits.connect_timeout_ms <= 0)
        limits.connect_timeout_ms = 10000;
    if (limits.first_byte_timeout_ms <= 0)
        limits.first_byte_timeout_ms = 30000;
    if (limits.stall_timeout_ms <= 0)
        limits.stall_timeout_ms = 20000;
    if (limits.min_speed == 0)
        limits.min_speed = 1;
    if (limits.max_bytes == 0)
        limits.max_bytes = 16 * KIB * KIB;
    if (limits.max_header_bytes == 0)
        limits.max_header_bytes = 64 * KIB;
    if (limits.max_headers == 0)
        limits.max_headers = 200;
    if (limits.max_redirects == 0)
        limits.max_redirects = 3;
    if (!limits.timeout_name)
        limits.timeout_name = "timeout";
    return limits;
}

/* ---- copying ---- */

/* Libcurl would send these by itself: the first waits a second before a
 * large body, the second calls every body a form. */
static const char no_expect[] = "Expect:";
static const char no_content_type[] = "Content-Type:";

/* That first one is for what is over 1 MiB, in old releases over 1 KiB. */
#define EXPECT_ABOVE ((size_t)1024)

/* These it would send by itself, too, but writes what comes from an option
 * twice, byte by byte, and a line of the list once. */
#define USER_AGENT "User-Agent: "
static const char accept_encoding[] = "Accept-Encoding: " WEIR_HTTP_ENCODINGS;

/* Header lines that are ours, at most. */
#define OURS 4

static bool has_header(const struct weir_http_request *request,
                       const char *name)
{
    for (size_t i = 0; i < request->n_headers; i++) {
        if (is_named(request->headers[i].name, name))
            return true;
    }
    return false;
}

/* Memory being filled from the front. */
struct arena {
    char *next;
};

static char *put(struct arena *arena, const void *bytes, size_t len)
{
    char *at = arena->next;

    if (len)
        memcpy(at, bytes, len);
    arena->next += len;
    return at;
}

static char *put_text(struct arena *arena, const char *text)
{
    return put(arena, text, strlen(text) + 1);
}

/* A header line as libcurl wants it: "Name;" is how it is told to send an
 * empty value. */
static char *put_header(struct arena *arena, const struct weir_header *header)
{
    char *line = put(arena, header->name, strlen(header->name));

    if (header->value[strspn(header->value, " \t")] == '\0') {
        put(arena, ";", 2);
    } else {
        put(arena, ": ", 2);
        put_text(arena, header->value);
    }
    return line;
}

static size_t block_size(const struct weir_http_request *request,
                         const struct weir_http_state *state)
{
    size_t size = strlen(request->method) + strlen(request->url) + 2;

    size += (request->n_headers + OURS) * sizeof(struct curl_slist);
    size += sizeof(USER_AGENT) + strlen(weir_http_user_agent(state));
    size += sizeof(accept_encoding);
    for (size_t i = 0; i < request->n_headers; i++)
        size += strlen(request->headers[i].name) +
                strlen(request->headers[i].value) + 3;
    size += sizeof(no_expect) + sizeof(no_content_type);
    return size + (request->body ? request->body_len : 0) + 1;
}

/* The list is laid out in the block: libcurl only reads it, and one block is
 * cheaper than two allocations a header. */
static void link_headers(struct weir_http_exchange *x, struct arena *text,
                         struct curl_slist *nodes,
                         const struct weir_http_request *request,
                         const struct weir_http_state *state)
{
    size_t n = 0;

    x->headers = nodes;
    if (!has_header(request, "User-Agent")) {
        nodes[n++].data = put(text, USER_AGENT, strlen(USER_AGENT));
        put_text(text, weir_http_user_agent(state));
    }
    if (!has_header(request, "Accept-Encoding"))
        nodes[n++].data = put_text(text, accept_encoding);
    x->given = request->n_headers > 0 ? &nodes[n] : NULL;
    for (size_t i = 0; i < request->n_headers; i++)
        nodes[n++].data = put_header(text, &request->headers[i]);
    if (request->body_len > EXPECT_ABOVE)
        nodes[n++].data = put_text(text, no_expect);
    if (x->has_body && !has_header(request, "Content-Type"))
        nodes[n++].data = put_text(text, no_content_type);
    for (size_t i = 0; i < n; i++)
        nodes[i].next = i + 1 < n ? &nodes[i + 1] : NULL;
}

static bool wants_body(const char *method)
{
    return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
           strcmp(method, "PATCH") == 0;
}

enum weir_code weir_http_request_copy(struct weir_http_exchange *x,
                                      struct weir_http_state *state,
                                      const struct weir_http_request *request,
                                      struct weir_err *err)
{
    enum weir_code code = check(state, request, &x->origin, err);
    struct curl_slist *nodes;
    struct arena text;

    if (code)
        return code;
    x->block_size = block_size(request, state);
    x->block = malloc(x->block_size);
    if (!x->block)
        return weir_err_nomem(err);
    /* The nodes come first, where malloc's alignment serves them. */
    nodes = (struct curl_slist *)(void *)x->block;
    text.next = (char *)(nodes + request->n_headers + OURS);
    x->method = put_text(&text, request->method);
    if (weir_retry_kind(x->method, false, false, false) != WEIR_RETRY_READ)
        x->changes = request->changes;
    x->url = put_text(&text, request->url);
    x->has_body = request->body || wants_body(request->method);
    link_headers(x, &text, nodes, request, state);
    x->body_len = request->body ? request->body_len : 0;
    x->body = put(&text, request->body, x->body_len);
    x->once = request->once;
    x->secret = request->secret;
    x->attempt = request->attempt;
    x->limits = limits_with_defaults(&request->limits);
    return WEIR_OK;
}

void weir_http_request_free(struct weir_http_exchange *x)
{
    if (x->block)
        explicit_bzero(x->block, x->block_size);
    free(x->block);
}
