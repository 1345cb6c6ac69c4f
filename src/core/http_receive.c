/* The answer as it comes in: libcurl's callbacks. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "http_internal.h"

/* Room for the headers of most answers, in one piece. */
#define USUAL_HEAD ((size_t)960)
/* As much as a Content-Length can make us reserve on its word alone. */
#define TRUSTED_LENGTH ((size_t)1 << 20)

static struct weir_http_exchange *exchange(void *ud)
{
    return ((struct weir_http_handle *)ud)->exchange;
}

static void note_moved(struct weir_http_exchange *x)
{
    x->moved = weir_loop_now(x->http.op.loop);
}

static void note_received(struct weir_http_exchange *x, size_t n)
{
    note_moved(x);
    if (!x->receiving) {
        x->window_started = x->moved;
        x->window_bytes = 0;
    }
    x->window_bytes += n;
}

/* ---- before the answer ---- */

curl_socket_t weir_http_on_socket(void *ud, curlsocktype purpose,
                                  struct curl_sockaddr *address)
{
    struct weir_http_exchange *x = exchange(ud);

    (void)purpose;
    /* "localhost" is allowed to carry secrets in clear because of where it
     * leads, so where it leads is what is looked at. */
    if (x->origin.loopback) {
        const struct sockaddr *to = &address->addr;
        bool here = false;

        if (to->sa_family == AF_INET) {
            const struct sockaddr_in *v4 = (const void *)to;

            here = (ntohl(v4->sin_addr.s_addr) >> 24) == 127;
        } else if (to->sa_family == AF_INET6) {
            const struct sockaddr_in6 *v6 = (const void *)to;

            here = IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
        }
        if (!here) {
            x->left_loopback = true;
            return CURL_SOCKET_BAD;
        }
    }
    if (((struct weir_http_handle *)ud)->state->permissions &&
        !weir_http_may_connect(x, ((struct weir_http_handle *)ud)->state,
                               &address->addr))
        return CURL_SOCKET_BAD;
    return socket(address->family, address->socktype | SOCK_CLOEXEC,
                  address->protocol);
}

static bool is_read(const struct weir_http_exchange *x)
{
    return strcmp(x->method, "GET") == 0 || strcmp(x->method, "HEAD") == 0;
}

int weir_http_on_connected(void *ud, char *remote, char *local, int remote_port,
                           int local_port)
{
    struct weir_http_exchange *x = exchange(ud);

    (void)remote, (void)local, (void)remote_port, (void)local_port;
    /* Without memory for a URL's query, libcurl 7.88 sends the request
     * without one.  What goes out must be what was asked for. */
    if (weir_curl_refusals() != x->refusals) {
        weir_err_nomem(weir_op_error(&x->http.op));
        return CURL_PREREQFUNC_ABORT;
    }
    /* Libcurl sends a request again by itself when a kept connection dies
     * before the first byte of the answer.  For reads that is welcome; a
     * change may have been done, and whoever retries it must know that. */
    if (x->sent && !is_read(x)) {
        char server[300];

        weir_url_host_port(x->url, server, sizeof(server));
        weir_err_set(weir_op_error(&x->http.op), WEIR_TRANSPORT,
                     "the connection to %s broke while waiting for the answer",
                     server);
        return CURL_PREREQFUNC_ABORT;
    }
    x->sent = true;
    note_moved(x);
    return CURL_PREREQFUNC_OK;
}

int weir_http_on_progress(void *ud, curl_off_t down_total, curl_off_t down,
                          curl_off_t up_total, curl_off_t up)
{
    struct weir_http_exchange *x = exchange(ud);

    (void)down_total, (void)down, (void)up_total;
    if (up > x->uploaded) {
        x->uploaded = up;
        note_moved(x);
    }
    return 0;
}

/* ---- headers ---- */

static bool bad_header(struct weir_http_exchange *x, const char *what)
{
    char server[300];

    weir_url_host_port(x->url, server, sizeof(server));
    weir_err_set(weir_op_error(&x->http.op), WEIR_PROTOCOL,
                 "the answer from %s has %s", server, what);
    return false;
}

static bool too_much_header(struct weir_http_exchange *x, size_t max,
                            const char *unit, const char *option)
{
    char server[300];

    weir_url_host_port(x->url, server, sizeof(server));
    weir_err_set(weir_op_error(&x->http.op), WEIR_LIMIT,
                 "the answer from %s has more than %zu %s of headers (%s)",
                 server, max, unit, option);
    weir_err_hint(weir_op_error(&x->http.op),
                  "raise %s if such answers are expected", option);
    return false;
}

/* The head's own ceiling lies above what take_line lets in, so that nothing
 * but memory can be short. */
static bool is_kept(struct weir_http_exchange *x)
{
    if (x->head.failed)
        weir_err_nomem(weir_op_error(&x->http.op));
    return !x->head.failed;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "HTTP/1.1 200 OK" begins a block; what an earlier block (1xx) said is
 * forgotten. */
static bool take_status(struct weir_http_exchange *x, const char *line,
                        size_t len)
{
    const char *space = memchr(line, ' ', len);
    const char *end = line + len;

    if (len < 5 || memcmp(line, "HTTP/", 5) != 0 || !space || end - space < 4 ||
        !is_digit(space[1]) || !is_digit(space[2]) || !is_digit(space[3]) ||
        (end - space > 4 && is_digit(space[4])))
        return bad_header(x, "a status line that is none");
    x->status = (space[1] - '0') * 100 + (space[2] - '0') * 10 + space[3] - '0';
    if (x->status < 100 || x->status > 599)
        return bad_header(x, "a status that is none");
    x->head_done = false;
    x->has_length = false;
    x->n_headers = 0;
    weir_buf_reset(&x->head);
    /* A 1xx says that the server is still at work. */
    x->receiving = x->status >= 200;
    return true;
}

static bool take_length(struct weir_http_exchange *x, const char *value,
                        size_t len)
{
    uint64_t length = 0;

    if (len == 0 || len > 18)
        return bad_header(x, "a Content-Length that is not a number");
    for (size_t i = 0; i < len; i++) {
        if (!is_digit(value[i]))
            return bad_header(x, "a Content-Length that is not a number");
        length = length * 10 + (uint64_t)(value[i] - '0');
    }
    /* Libcurl would take the last; a proxy on the way may take the first. */
    if (x->has_length && x->length != length)
        return bad_header(x, "two Content-Length headers that differ");
    x->has_length = true;
    x->length = length;
    return true;
}

static void trim(const char **text, size_t *len)
{
    while (*len > 0 && (**text == ' ' || **text == '\t')) {
        ++*text;
        --*len;
    }
    while (*len > 0 && ((*text)[*len - 1] == ' ' || (*text)[*len - 1] == '\t'))
        --*len;
}

/* A line that begins with a space goes on with the value before it
 * (RFC 9112 section 5.2). */
static bool take_folded(struct weir_http_exchange *x, const char *line,
                        size_t len)
{
    if (x->n_headers == 0)
        return bad_header(x, "a header line without a name");
    trim(&line, &len);
    x->head.len--; /* the NUL after the value */
    weir_buf_addc(&x->head, ' ');
    weir_buf_add(&x->head, line, len);
    weir_buf_addc(&x->head, '\0');
    return is_kept(x);
}

static bool take_field(struct weir_http_exchange *x, const char *line,
                       size_t len)
{
    const char *colon = memchr(line, ':', len);
    const char *value;
    size_t name_len, value_len;

    if (!colon || colon == line)
        return bad_header(x, "a header line without a name");
    name_len = (size_t)(colon - line);
    for (size_t i = 0; i < name_len; i++) {
        if ((unsigned char)line[i] <= ' ')
            return bad_header(x, "a space in the name of a header");
    }
    value = colon + 1;
    value_len = len - name_len - 1;
    trim(&value, &value_len);
    if (name_len == 14 && strncasecmp(line, "Content-Length", 14) == 0 &&
        !take_length(x, value, value_len))
        return false;
    if (!x->head.data)
        weir_buf_reserve(&x->head,
                         USUAL_HEAD < x->head.max ? USUAL_HEAD : x->head.max);
    weir_buf_add(&x->head, line, name_len);
    weir_buf_addc(&x->head, '\0');
    weir_buf_add(&x->head, value, value_len);
    weir_buf_addc(&x->head, '\0');
    x->n_headers++;
    return is_kept(x);
}

static bool take_line(struct weir_http_exchange *x, const char *line,
                      size_t len)
{
    bool wants_status = x->status == 0 || (x->head_done && x->status < 200);

    x->header_bytes += len;
    if (x->header_bytes > x->limits.max_header_bytes)
        return too_much_header(x, x->limits.max_header_bytes, "bytes",
                               "max_header_bytes");
    if (memchr(line, '\0', len))
        return bad_header(x, "a NUL in its headers");
    if (len > 0 && line[len - 1] == '\n')
        len--;
    if (len > 0 && line[len - 1] == '\r')
        len--;
    if (wants_status)
        return take_status(x, line, len);
    if (len > 0 && ++x->header_lines > x->limits.max_headers)
        return too_much_header(x, x->limits.max_headers, "lines",
                               "max_headers");
    if (x->head_done)
        return true; /* a trailer: nothing of ours depends on one */
    if (len == 0) {
        x->head_done = true;
        return true;
    }
    if (memchr(line, '\r', len))
        return bad_header(x, "a carriage return inside a header");
    if (*line == ' ' || *line == '\t')
        return take_folded(x, line, len);
    return take_field(x, line, len);
}

size_t weir_http_on_header(char *line, size_t size, size_t n, void *ud)
{
    struct weir_http_exchange *x = exchange(ud);

    note_received(x, size * n);
    return take_line(x, line, size * n) ? size * n : 0;
}

/* ---- body ---- */

static void reserve_body(struct weir_http_exchange *x)
{
    uint64_t want = x->length;

    if (want > TRUSTED_LENGTH)
        want = TRUSTED_LENGTH;
    if (want > x->answer.max)
        want = x->answer.max;
    weir_buf_reserve(&x->answer, (size_t)want);
}

size_t weir_http_on_body(char *bytes, size_t size, size_t n, void *ud)
{
    struct weir_http_exchange *x = exchange(ud);
    size_t len = size * n;
    char server[300];

    note_received(x, len);
    if (!x->answer.data && x->has_length)
        reserve_body(x);
    switch (weir_buf_add(&x->answer, bytes, len)) {
    case WEIR_OK: return len;
    case WEIR_LIMIT:
        weir_url_host_port(x->url, server, sizeof(server));
        weir_err_set(weir_op_error(&x->http.op), WEIR_LIMIT,
                     "the answer from %s is larger than %zu bytes (max_bytes)",
                     server, x->limits.max_bytes);
        weir_err_hint(weir_op_error(&x->http.op),
                      "raise max_bytes if such answers are expected");
        break;
    default: weir_err_nomem(weir_op_error(&x->http.op));
    }
    return 0;
}

/* ---- the whole ---- */

void weir_http_answer_reset(struct weir_http_exchange *x)
{
    free(x->answer_headers);
    x->answer_headers = NULL;
    x->response = (struct weir_http_response){0};
    weir_buf_reset(&x->head);
    weir_buf_reset(&x->answer);
    x->n_headers = x->header_bytes = x->header_lines = 0;
    x->status = 0;
    x->head_done = x->has_length = false;
    x->sent = x->receiving = false;
    x->uploaded = 0;
}

enum weir_code weir_http_answer_finish(struct weir_http_exchange *x,
                                       struct weir_err *err)
{
    const char *text = weir_buf_str(&x->head);

    if (x->n_headers > 0) {
        x->answer_headers =
            reallocarray(NULL, x->n_headers, sizeof(*x->answer_headers));
        if (!x->answer_headers)
            return weir_err_nomem(err);
    }
    for (size_t i = 0; i < x->n_headers; i++) {
        x->answer_headers[i].name = text;
        text += strlen(text) + 1;
        x->answer_headers[i].value = text;
        text += strlen(text) + 1;
    }
    x->response = (struct weir_http_response){
        .status = x->status,
        .url = x->url,
        .headers = x->answer_headers,
        .n_headers = x->n_headers,
        .body = weir_buf_str(&x->answer),
        .body_len = x->answer.len,
        .elapsed = x->elapsed,
    };
    return WEIR_OK;
}
