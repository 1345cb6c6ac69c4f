#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "auth_internal.h"
#include "client_internal.h"
#include "url_internal.h"

/* One attempt, where the client's limits say nothing: as http's default. */
#define ATTEMPT_TIMEOUT_MS 30000

/* ---- what is refused before anything is sent ---- */

static enum weir_code check_method(const char *method, struct weir_err *err)
{
    size_t len = method ? strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") : 0;

    if (len == 0 || method[len] || len >= sizeof(err->method))
        return weir_err_set(err, WEIR_INVALID,
                            "method: expected an upper-case word as GET");
    return WEIR_OK;
}

static bool starts_with_triple(const char *text, size_t len, const char *triple)
{
    return len >= 3 && strncasecmp(text, triple, 3) == 0;
}

/* True if a path segment means "here" or "up", also with its dots encoded.
 * An encoded NUL ends it: so does it for a server that keeps it in a C string.
 */
static bool is_dots(const char *segment, size_t len)
{
    size_t dots = 0;

    if (*segment != '.' && *segment != '%')
        return false;
    for (size_t i = 0; i < len; dots++) {
        if (segment[i] == '.')
            i += 1;
        else if (starts_with_triple(segment + i, len - i, "%2e"))
            i += 3;
        else if (starts_with_triple(segment + i, len - i, "%00"))
            break;
        else
            return false;
    }
    return dots == 1 || dots == 2;
}

/* '.' and '..' are refused, not resolved: an id that was not encoded must
 * not choose another resource. */
static enum weir_code check_segments(const char *path, struct weir_err *err)
{
    while (*path == '/') {
        const char *segment = path + 1;

        path = strchrnul(segment, '/');
        if (is_dots(segment, (size_t)(path - segment)))
            return weir_err_set(err, WEIR_INVALID,
                                "path: '%.*s' is no name; expected every id "
                                "to be percent-encoded",
                                (int)(path - segment), segment);
    }
    return WEIR_OK;
}

/* What every part of a URL may hold, and what most of one is. */
static bool is_common(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '-' && c <= '9') || c == '_';
}

/* The first byte that a URL cannot hold, or -1 if there is none. */
static int bad_byte(const char *text, const char *refused)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (!is_common(c) && (c <= 0x20 || c >= 0x7F || strchr(refused, c)))
            return c;
    }
    return -1;
}

static enum weir_code check_path(const char *path, struct weir_err *err)
{
    int bad;

    if (!path || path[0] != '/')
        return weir_err_set(err, WEIR_INVALID,
                            "path: expected it to begin with '/'");
    /* "//other.host/x" would be another server to whoever resolves it. */
    if (path[1] == '/')
        return weir_err_set(err, WEIR_INVALID,
                            "path: expected a single '/' at its beginning");
    bad = bad_byte(path, "?#\\\"<>^`{|}");
    if (bad == '?' || bad == '#')
        return weir_err_set(err, WEIR_INVALID,
                            "path: '%c' must be percent-encoded; a query has "
                            "a setting of its own",
                            bad);
    if (bad >= 0)
        return weir_err_set(err, WEIR_INVALID,
                            "path: byte 0x%02X must be percent-encoded",
                            (unsigned)bad);
    return check_segments(path, err);
}

static enum weir_code check_query(const char *query, struct weir_err *err)
{
    int bad = query ? bad_byte(query, "#\\") : -1;

    if (bad >= 0)
        return weir_err_set(err, WEIR_INVALID,
                            "query: byte 0x%02X must be percent-encoded",
                            (unsigned)bad);
    return WEIR_OK;
}

/* CR and LF in a value would be further headers. */
static bool is_header_value(const char *value)
{
    for (; value && *value; value++) {
        unsigned char c = (unsigned char)*value;

        if ((c < 0x20 && c != '\t') || c == 0x7F)
            return false;
    }
    return value != NULL;
}

static bool is_header_name(const char *name)
{
    static const char token[] = "!#$%&'*+-.^_`|~0123456789"
                                "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t len = name ? strspn(name, token) : 0;

    return len > 0 && name[len] == '\0';
}

static enum weir_code check_header(const struct call *call,
                                   const struct weir_header *header,
                                   struct weir_err *err)
{
    if (!is_header_name(header->name))
        return weir_err_set(err, WEIR_INVALID,
                            "headers: a name that is not a token");
    if (!is_header_value(header->value))
        return weir_err_set(err, WEIR_INVALID,
                            "headers: the value of '%s' has a control "
                            "character in it",
                            header->name);
    if (strcasecmp(header->name, "If-Match") == 0)
        return weir_err_set(err, WEIR_INVALID,
                            "headers: 'If-Match' has a setting of its own, "
                            "if_match, since it decides what may be repeated");
    if (call->client->auth && strcasecmp(header->name, "Authorization") == 0)
        return weir_err_set(err, WEIR_INVALID,
                            "headers: 'Authorization' comes from the "
                            "client's auth");
    return WEIR_OK;
}

static enum weir_code check_if_match(const char *etag, struct weir_err *err)
{
    if (!*etag || !is_header_value(etag))
        return weir_err_set(err, WEIR_INVALID,
                            "if_match: expected an ETag without control "
                            "characters");
    /* It never matches there (RFC 9110 section 13.1.1). */
    if (strncmp(etag, "W/", 2) == 0)
        return weir_err_set(err, WEIR_INVALID,
                            "if_match: a weak ETag cannot guard a change; "
                            "read the resource again for a strong one");
    return WEIR_OK;
}

static enum weir_code check(const struct call *call,
                            const struct weir_call *from, struct weir_err *err)
{
    enum weir_code code = check_method(from->method, err);

    if (!code)
        code = check_path(from->path, err);
    if (!code)
        code = check_query(from->query, err);
    for (size_t i = 0; i < from->n_headers && !code; i++)
        code = check_header(call, &from->headers[i], err);
    if (!code && from->if_match)
        code = check_if_match(from->if_match, err);
    if (!code && from->content_type && !is_header_value(from->content_type))
        code = weir_err_set(err, WEIR_INVALID,
                            "content_type has a control character in it");
    return code;
}

/* ---- copying ---- */

/* Whether the caller gave a header of that name. */
static bool has_header(const struct weir_call *from, const char *name)
{
    for (size_t i = 0; i < from->n_headers; i++) {
        if (strcasecmp(from->headers[i].name, name) == 0)
            return true;
    }
    return false;
}

/* Memory that is filled from the front; without any it only counts. */
struct arena {
    char *next;
    size_t size;
};

static char *put(struct arena *arena, const char *bytes, size_t len)
{
    char *at = arena->next;

    arena->size += len;
    if (at && len) {
        memcpy(at, bytes, len);
        arena->next += len;
    }
    return at;
}

static char *put_text(struct arena *arena, const char *text)
{
    return put(arena, text, strlen(text) + 1);
}

/* `headers` has room, or is NULL. */
static void put_header(struct arena *arena, struct weir_header *headers,
                       size_t *n, const char *name, const char *value)
{
    const char *copy = put_text(arena, name);

    value = put_text(arena, value);
    if (headers)
        headers[(*n)++] = (struct weir_header){copy, value};
}

static void put_headers(struct arena *arena, const struct weir_call *from,
                        struct weir_header *headers, size_t *n)
{
    const char *type = from->content_type;

    for (size_t i = 0; i < from->n_headers; i++)
        put_header(arena, headers, n, from->headers[i].name,
                   from->headers[i].value);
    if (!has_header(from, "Accept"))
        put_header(arena, headers, n, "Accept", "application/json");
    if (!type && from->body)
        type = "application/json";
    if (has_header(from, "Content-Type"))
        type = NULL; /* the caller's own word counts */
    if (type)
        put_header(arena, headers, n, "Content-Type", type);
    if (from->if_match)
        put_header(arena, headers, n, "If-Match", from->if_match);
}

/* Puts all texts of the call into the arena. */
static void put_call(struct arena *arena, struct call *call,
                     const struct weir_call *from)
{
    const char *base = call->client->base_url;

    call->method = put_text(arena, from->method);
    call->url = put(arena, base, strlen(base));
    put(arena, from->path, strlen(from->path));
    if (from->query && *from->query) {
        put(arena, "?", 1);
        put(arena, from->query, strlen(from->query));
    }
    put(arena, "", 1);
    put_headers(arena, from, call->headers, &call->n_headers);
    if (from->body) {
        call->body = put(arena, from->body, from->body_len);
        put(arena, "", 1);
        call->body_len = from->body_len;
    }
}

/* Room for the caller's headers, and Accept, Content-Type, If-Match and
 * Authorization. */
static enum weir_code copy(struct call *call, const struct weir_call *from,
                           struct weir_err *err)
{
    size_t headers = (from->n_headers + 4) * sizeof(*call->headers);
    struct arena arena = {.size = headers};

    put_call(&arena, call, from);
    call->block = malloc(arena.size);
    if (!call->block)
        return weir_err_nomem(err);
    call->headers = call->block;
    arena.next = (char *)call->block + headers;
    put_call(&arena, call, from);
    return WEIR_OK;
}

/* The token goes to the base URL's origin and nowhere else. */
static enum weir_code check_url(const struct call *call, struct weir_err *err)
{
    const struct weir_client *client = call->client;
    size_t len = 0;
    enum weir_code code = weir_url_scan(call->url, &len, err);

    if (!code && (len != client->origin_len ||
                  memcmp(call->url, client->base_url, len) != 0))
        code = weir_err_set(err, WEIR_INVALID,
                            "path: it leads away from the base URL");
    return code;
}

enum weir_code weir_call_copy(struct call *call, const struct weir_call *from,
                              struct weir_err *err)
{
    const struct weir_client *client = call->client;
    enum weir_code code = check(call, from, err);

    if (code)
        return code;
    call->kind = weir_retry_kind(from->method, from->if_match != NULL,
                                 from->safe, from->idempotent);
    call->timeout_ms =
        from->timeout_ms > 0 ? from->timeout_ms : client->timeout_ms;
    call->max_bytes =
        from->max_bytes ? from->max_bytes : client->limits.max_bytes;
    code = copy(call, from, err);
    return code ? code : check_url(call, err);
}

void weir_call_fini(struct call *call)
{
    free(call->block);
}

/* ---- sending ---- */

static char *bearer(const char *token)
{
    size_t len = strlen(token);
    char *value = malloc(sizeof("Bearer ") + len);

    if (value) {
        memcpy(value, "Bearer ", 7);
        memcpy(value + 7, token, len + 1);
    }
    return value;
}

enum weir_code weir_call_request(struct call *call, const char *token,
                                 int64_t timeout_ms, struct weir_err *err)
{
    struct weir_client *client = call->client;
    char *authorization = token ? bearer(token) : NULL;
    struct weir_http_request request = {
        .method = call->method,
        .url = call->url,
        .headers = call->headers,
        .n_headers = call->n_headers,
        .body = call->body,
        .body_len = call->body_len,
        .once = call->kind == WEIR_RETRY_ONCE,
        .attempt = call->sent + 1,
        .allow_plain_http = client->allow_plain_http,
        .limits = client->limits,
    };
    enum weir_code code;

    if (token && !authorization)
        return weir_err_nomem(err);
    if (token)
        call->headers[request.n_headers++] =
            (struct weir_header){"Authorization", authorization};
    if (request.limits.timeout_ms <= 0)
        request.limits.timeout_ms = ATTEMPT_TIMEOUT_MS;
    request.limits.timeout_name = "attempt_timeout";
    if (request.limits.timeout_ms > timeout_ms) {
        request.limits.timeout_ms = timeout_ms;
        request.limits.timeout_name = "timeout";
        request.limits.timeout_of_ms = call->timeout_ms;
    }
    request.limits.max_bytes = call->max_bytes;
    code = client->transport.request(client->transport.ud, client->loop,
                                     &request, &call->request, err);
    if (code)
        call->request = NULL;
    if (token)
        weir_auth_wipe(authorization, strlen(authorization));
    return code;
}
