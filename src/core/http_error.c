/* Failures in plain words: what was tried, with whom, which limit. */
#include <stdio.h>
#include <string.h>

#include "http_internal.h"
#include "weir/cut.h"

#define SERVER_MAX 300

static double seconds(int64_t ms)
{
    return (double)ms / 1000;
}

/* What is known without asking what went wrong. */
static void add_facts(struct weir_http_exchange *x)
{
    struct weir_err *err = weir_op_error(&x->http.op);

    if (err->code == WEIR_LIMIT ||
        (err->code == WEIR_PROTOCOL && x->head_done && x->status >= 200)) {
        err->reach = WEIR_REACH_ANSWER;
        err->status = x->status;
    } else {
        err->reach = x->sent ? WEIR_REACH_MAYBE : WEIR_REACH_NONE;
        /* The head came whole and the body did not: then this much is known
         * of what became of the call. */
        if (x->head_done && x->status >= 200)
            err->status = x->status;
    }
    snprintf(err->method, sizeof(err->method), "%s", x->method);
    /* A URL that was checked holds no credentials. */
    weir_cut_copy(err->url, sizeof(err->url), x->url, strcspn(x->url, "?#"));
}

/* ---- deadlines ---- */

static void say_late(struct weir_http_exchange *x, const char *what,
                     int64_t limit, const char *option)
{
    char server[SERVER_MAX];

    weir_url_host_port(x->url, server, sizeof(server));
    weir_err_set(weir_op_error(&x->http.op), WEIR_TIMEOUT,
                 "%s %s within %g s (%s)", what, server, seconds(limit),
                 option);
    weir_err_hint(weir_op_error(&x->http.op),
                  "raise %s if the server needs longer", option);
    add_facts(x);
}

static void say_too_late(struct weir_http_exchange *x)
{
    const struct weir_http_limits *limits = &x->limits;

    say_late(x, x->sent ? "no whole answer from" : "no connection to",
             limits->timeout_ms, limits->timeout_name);
    if (limits->timeout_of_ms > limits->timeout_ms)
        weir_err_append(weir_op_error(&x->http.op), ", which were left of %g s",
                        seconds(limits->timeout_of_ms));
}

static void say_slow(struct weir_http_exchange *x, int64_t window)
{
    char server[SERVER_MAX];

    weir_url_host_port(x->url, server, sizeof(server));
    weir_err_set(weir_op_error(&x->http.op), WEIR_TIMEOUT,
                 "the answer from %s came with less than %u bytes a second "
                 "(min_speed): %zu bytes in %g s",
                 server, x->limits.min_speed, x->window_bytes, seconds(window));
    weir_err_hint(weir_op_error(&x->http.op),
                  "lower min_speed if the server is so slow, "
                  "or raise stall_timeout, over which it is "
                  "measured");
    add_facts(x);
}

/* While the answer comes in. */
static bool is_slow(struct weir_http_exchange *x, int64_t now, int64_t *next)
{
    int64_t window = now - x->window_started;

    if (now - x->moved >= x->limits.stall_timeout_ms) {
        say_late(x, "no further byte of the answer from",
                 x->limits.stall_timeout_ms, "stall_timeout");
        return true;
    }
    if (window >= x->limits.stall_timeout_ms) {
        if (x->limits.min_speed != WEIR_HTTP_NONE &&
            (double)x->window_bytes <
                (double)x->limits.min_speed * seconds(window)) {
            say_slow(x, window);
            return true;
        }
        x->window_started = now;
        x->window_bytes = 0;
    }
    if (x->moved + x->limits.stall_timeout_ms < *next)
        *next = x->moved + x->limits.stall_timeout_ms;
    if (x->window_started + x->limits.stall_timeout_ms < *next)
        *next = x->window_started + x->limits.stall_timeout_ms;
    return false;
}

bool weir_http_late(struct weir_http_exchange *x, int64_t now, int64_t *next)
{
    int64_t first_byte = x->limits.first_byte_timeout_ms;

    *next = x->deadline;
    if (now >= x->deadline) {
        say_too_late(x);
        return true;
    }
    if (x->receiving)
        return is_slow(x, now, next);
    /* Until the request goes out, libcurl's connect timeout holds. */
    if (x->sent) {
        if (now - x->moved >= first_byte) {
            say_late(x, "no answer from", first_byte, "first_byte_timeout");
            return true;
        }
        if (x->moved + first_byte < *next)
            *next = x->moved + first_byte;
    } else {
        /* The connection may come any time; the shorter of the two limits
         * is how soon one of them can be due after it. */
        int64_t limit = x->limits.stall_timeout_ms < first_byte
                            ? x->limits.stall_timeout_ms
                            : first_byte;

        if (now + limit < *next)
            *next = now + limit;
    }
    return false;
}

/* ---- what libcurl reports ---- */

/* The system's words for a broken connection, or libcurl's. */
static const char *reason(struct weir_http_exchange *x, CURLcode result)
{
    long number = 0;

    curl_easy_getinfo(x->handle->easy, CURLINFO_OS_ERRNO, &number);
    if (number)
        return strerror((int)number);
    return x->handle->error[0] ? x->handle->error : curl_easy_strerror(result);
}

static enum weir_code say_no_connection(struct weir_http_exchange *x,
                                        CURLcode result, const char *server)
{
    struct weir_err *err = weir_op_error(&x->http.op);

    if (x->denied[0]) {
        weir_http_denied(x, x->handle->state, err);
        return err->code;
    }
    if (x->left_loopback) {
        weir_err_set(err, WEIR_TRANSPORT,
                     "%s does not lead to this machine, so nothing was sent",
                     server);
        weir_err_hint(err, "look at the entry for localhost in /etc/hosts");
        err->final = true;
        return WEIR_TRANSPORT;
    }
    return weir_err_set(err, WEIR_TRANSPORT, "cannot connect to %s: %s", server,
                        reason(x, result));
}

static enum weir_code say_broken(struct weir_http_exchange *x, CURLcode result,
                                 const char *server)
{
    struct weir_err *err = weir_op_error(&x->http.op);

    /* Libcurl has no code of its own for chunks it cannot read, only this
     * text. */
    if (strstr(x->handle->error, "chunk"))
        return weir_err_set(err, WEIR_PROTOCOL,
                            "the answer from %s is not well chunked", server);
    return weir_err_set(err, WEIR_TRANSPORT,
                        "the connection to %s broke while %s: %s", server,
                        result == CURLE_SEND_ERROR ? "sending the request"
                        : x->receiving             ? "reading the answer"
                                                   : "waiting for the answer",
                        reason(x, result));
}

static enum weir_code say_too_short(struct weir_http_exchange *x,
                                    const char *server)
{
    struct weir_err *err = weir_op_error(&x->http.op);

    if (!x->has_length)
        return weir_err_set(err, WEIR_TRANSPORT,
                            "the answer from %s ended before its end", server);
    return weir_err_set(err, WEIR_TRANSPORT,
                        "the answer from %s ended before its %llu bytes",
                        server, (unsigned long long)x->length);
}

static enum weir_code say_no_memory(struct weir_http_exchange *x,
                                    const char *server)
{
    /* It had all the memory it asked for: this is also how libcurl 7.88
     * reports a header line over 100 KB. */
    if (x->sent && !x->head_done)
        return weir_err_set(weir_op_error(&x->http.op), WEIR_LIMIT,
                            "the answer from %s has a header line over 100 "
                            "KB, which no option allows",
                            server);
    return weir_err_nomem(weir_op_error(&x->http.op));
}

static enum weir_code say_tls(struct weir_http_exchange *x, CURLcode result,
                              const char *server)
{
    struct weir_err *err = weir_op_error(&x->http.op);

    weir_err_set(err, WEIR_TRANSPORT, "no TLS connection to %s: %s", server,
                 x->handle->error[0] ? x->handle->error
                                     : curl_easy_strerror(result));
    if (result == CURLE_PEER_FAILED_VERIFICATION)
        weir_err_hint(err, "if the certificate comes from an authority of "
                           "your own, name its file in SSL_CERT_FILE");
    else if (result == CURLE_SSL_CACERT_BADFILE)
        weir_err_hint(err, "SSL_CERT_FILE must name a readable file of PEM "
                           "certificates");
    /* A handshake that broke off may succeed the next time; a certificate
     * that was looked at stays what it is. */
    err->final = result != CURLE_SSL_CONNECT_ERROR;
    return WEIR_TRANSPORT;
}

static enum weir_code say(struct weir_http_exchange *x, CURLcode result)
{
    struct weir_err *err = weir_op_error(&x->http.op);
    char server[SERVER_MAX];

    weir_url_host_port(x->url, server, sizeof(server));
    switch (result) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return weir_err_set(err, WEIR_TRANSPORT,
                            "cannot find the address of %s", server);
    case CURLE_COULDNT_RESOLVE_PROXY:
        return weir_err_set(err, WEIR_TRANSPORT,
                            "cannot find the address of the proxy for %s",
                            server);
    case CURLE_COULDNT_CONNECT: return say_no_connection(x, result, server);
    case CURLE_OPERATION_TIMEDOUT:
        say_late(x, "no connection to", x->limits.connect_timeout_ms,
                 "connect_timeout");
        return WEIR_TIMEOUT;
    case CURLE_GOT_NOTHING:
        return weir_err_set(err, WEIR_TRANSPORT,
                            "%s closed the connection without an answer",
                            server);
    case CURLE_PARTIAL_FILE: return say_too_short(x, server);
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR: return say_broken(x, result, server);
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
        return weir_err_set(err, WEIR_PROTOCOL,
                            "%s does not answer in HTTP/1.1: %s", server,
                            x->handle->error);
    case CURLE_BAD_CONTENT_ENCODING:
        return weir_err_set(err, WEIR_PROTOCOL,
                            "the answer from %s cannot be decompressed: %s",
                            server, x->handle->error);
    case CURLE_OUT_OF_MEMORY: return say_no_memory(x, server);
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS: return say_tls(x, result, server);
    default:
        /* The system's last word may be about an earlier transfer. */
        return weir_err_set(err, WEIR_TRANSPORT, "request to %s: %s", server,
                            x->handle->error[0] ? x->handle->error
                                                : curl_easy_strerror(result));
    }
}

/* Libcurl cuts what a server sent without saying so. */
static void mark_cut(char error[CURL_ERROR_SIZE])
{
    if (strlen(error) >= CURL_ERROR_SIZE - 3)
        memcpy(error + CURL_ERROR_SIZE - sizeof(WEIR_CUT_MARK), WEIR_CUT_MARK,
               sizeof(WEIR_CUT_MARK));
}

void weir_http_fail(struct weir_http_exchange *x, CURLcode result, bool starved)
{
    if (!weir_op_code(&x->http.op) && starved) {
        weir_err_nomem(weir_op_error(&x->http.op));
    } else if (!weir_op_code(&x->http.op)) {
        mark_cut(x->handle->error);
        say(x, result);
    }
    add_facts(x);
}
