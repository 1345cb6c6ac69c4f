#include "weir/url.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "loop_internal.h"
#include "url_internal.h"
#include "weir/cut.h"

/* A server may hand us a cursor or a Location of any length. */
#define URL_MAX ((size_t)65536)

/* ---- encoding ---- */

static bool is_unreserved(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
           c == '~';
}

size_t weir_url_unreserved(const char *text, size_t len)
{
    size_t n = 0;

    while (n < len && is_unreserved((unsigned char)text[n]))
        n++;
    return n;
}

enum weir_code weir_url_encode(struct weir_buf *buf, const char *text,
                               size_t len)
{
    static const char hex[] = "0123456789ABCDEF";
    const char *end = text + len;

    for (;;) {
        size_t plain = weir_url_unreserved(text, (size_t)(end - text));
        enum weir_code code = weir_buf_add(buf, text, plain);
        unsigned char c;

        text += plain;
        if (text == end)
            return code;
        c = (unsigned char)*text++;
        weir_buf_add(buf, (char[]){'%', hex[c >> 4], hex[c & 15]}, 3);
    }
}

enum weir_code weir_url_add_pair(struct weir_buf *buf, const char *name,
                                 const char *value, size_t value_len)
{
    if (buf->len > 0 && buf->data[buf->len - 1] != '?')
        weir_buf_addc(buf, '&');
    weir_url_encode(buf, name, strlen(name));
    weir_buf_addc(buf, '=');
    return weir_url_encode(buf, value, value_len);
}

/* ---- reading ---- */

/* The parts that tell one server from another; owned. */
struct parts {
    CURLU *handle;
    char *scheme, *host, *port;
    char *zone; /* of a link-local address (RFC 6874); NULL: none */
};

static void parts_fini(struct parts *parts)
{
    curl_free(parts->scheme);
    curl_free(parts->host);
    curl_free(parts->port);
    curl_free(parts->zone);
    curl_url_cleanup(parts->handle);
}

/* Reads `url` as libcurl will when it connects: the same parser decides, so
 * 127.1, 2130706433 and %31%32%37.0.0.1 come out as what they lead to. */
static CURLUcode parts_init(struct parts *parts, const char *url)
{
    CURLUcode code;

    *parts = (struct parts){.handle = curl_url()};
    if (!parts->handle)
        return CURLUE_OUT_OF_MEMORY;
    code = curl_url_set(parts->handle, CURLUPART_URL, url,
                        CURLU_NON_SUPPORT_SCHEME | CURLU_PATH_AS_IS);
    if (!code)
        code = curl_url_get(parts->handle, CURLUPART_SCHEME, &parts->scheme, 0);
    if (!code)
        code = curl_url_get(parts->handle, CURLUPART_HOST, &parts->host, 0);
    if (!code)
        code = curl_url_get(parts->handle, CURLUPART_PORT, &parts->port,
                            CURLU_DEFAULT_PORT);
    if (code)
        return code;
    code = curl_url_get(parts->handle, CURLUPART_ZONEID, &parts->zone, 0);
    return code == CURLUE_NO_ZONEID ? CURLUE_OK : code;
}

static bool same_zone(const struct parts *a, const struct parts *b)
{
    if (!a->zone || !b->zone)
        return a->zone == b->zone;
    return strcmp(a->zone, b->zone) == 0;
}

static bool is_loopback_host(const struct parts *parts)
{
    const char *host = parts->host;
    struct in_addr v4;

    if (strcasecmp(host, "localhost") == 0)
        return true;
    if (host[0] == '[')
        return strcmp(host, "[::1]") == 0 && !parts->zone;
    /* libcurl has brought every numeric form to four decimal parts; a name
     * such as 127.0.0.1.example is none. */
    return inet_pton(AF_INET, host, &v4) == 1 &&
           (ntohl(v4.s_addr) >> 24) == 127;
}

enum weir_code weir_url_same_origin(const char *a, const char *b, bool *same)
{
    unsigned long refusals = weir_curl_refusals();
    struct parts pa = {0}, pb = {0};
    bool is_same = parts_init(&pa, a) == CURLUE_OK &&
                   parts_init(&pb, b) == CURLUE_OK &&
                   strcasecmp(pa.scheme, pb.scheme) == 0 &&
                   strcasecmp(pa.host, pb.host) == 0 &&
                   strcmp(pa.port, pb.port) == 0 && same_zone(&pa, &pb);

    parts_fini(&pa);
    parts_fini(&pb);
    if (weir_curl_refusals() != refusals)
        return WEIR_NOMEM;
    *same = is_same;
    return WEIR_OK;
}

bool weir_url_is_loopback(const char *url)
{
    struct parts parts;
    bool loopback =
        parts_init(&parts, url) == CURLUE_OK && is_loopback_host(&parts);

    parts_fini(&parts);
    return loopback;
}

enum weir_code weir_url_redacted(struct weir_buf *buf, const char *url)
{
    CURLU *handle = curl_url();
    char *host = NULL, *text = NULL;
    enum weir_code code;

    /* Without a host (file:user:secret@host/x) what looks like credentials is
     * a path. */
    if (handle &&
        curl_url_set(handle, CURLUPART_URL, url,
                     CURLU_NON_SUPPORT_SCHEME | CURLU_PATH_AS_IS) == 0 &&
        curl_url_get(handle, CURLUPART_HOST, &host, 0) == 0) {
        curl_url_set(handle, CURLUPART_USER, NULL, 0);
        curl_url_set(handle, CURLUPART_PASSWORD, NULL, 0);
        curl_url_set(handle, CURLUPART_OPTIONS, NULL, 0);
        curl_url_set(handle, CURLUPART_QUERY, NULL, 0);
        curl_url_set(handle, CURLUPART_FRAGMENT, NULL, 0);
        curl_url_get(handle, CURLUPART_URL, &text, 0);
    }
    /* What cannot be read cannot be redacted either. */
    code = weir_buf_adds(buf, text ? text : "(not a URL)");
    curl_free(host);
    curl_free(text);
    curl_url_cleanup(handle);
    return code;
}

enum weir_code weir_url_password(struct weir_buf *buf, const char *url)
{
    CURLU *handle = curl_url();
    char *text = NULL;

    if (handle &&
        curl_url_set(handle, CURLUPART_URL, url,
                     CURLU_NON_SUPPORT_SCHEME | CURLU_GUESS_SCHEME) == 0)
        curl_url_get(handle, CURLUPART_PASSWORD, &text, CURLU_URLDECODE);
    if (text)
        weir_buf_adds(buf, text);
    curl_free(text);
    curl_url_cleanup(handle);
    return buf->failed;
}

void weir_url_host_port(const char *url, char *out, size_t size)
{
    struct parts parts;

    if (parts_init(&parts, url) == CURLUE_OK)
        weir_cut_printf(out, size, "%s:%s", parts.host, parts.port);
    else
        snprintf(out, size, "the server");
    parts_fini(&parts);
}

enum weir_code weir_url_host(const char *url, char *host, size_t size,
                             unsigned *port, struct weir_err *err)
{
    unsigned long refusals = weir_curl_refusals();
    struct parts parts;
    CURLUcode code = parts_init(&parts, url);
    bool fits = !code && strlen(parts.host) < size;

    if (fits) {
        memcpy(host, parts.host, strlen(parts.host) + 1);
        *port = (unsigned)strtoul(parts.port, NULL, 10);
    }
    parts_fini(&parts);
    if (weir_curl_refusals() != refusals)
        return weir_err_nomem(err);
    if (fits)
        return WEIR_OK;
    return weir_err_set(err, WEIR_INVALID, "the URL is not valid: %s",
                        code ? curl_url_strerror(code)
                             : "the name of its host is too long");
}

/* ---- checking ---- */

/* Names the first byte that has no place in a URL. */
static enum weir_code refuse_byte(const char *url, size_t at,
                                  struct weir_err *err)
{
    unsigned char c = (unsigned char)url[at];

    if (c == '\r' || c == '\n')
        return weir_err_set(err, WEIR_INVALID,
                            "the URL holds a line break at byte %zu", at + 1);
    if (c == ' ')
        return weir_err_set(err, WEIR_INVALID,
                            "the URL holds a space at byte %zu; write %%20",
                            at + 1);
    if (c == '\\')
        return weir_err_set(err, WEIR_INVALID,
                            "the URL holds a backslash at byte %zu; write "
                            "%%5C",
                            at + 1);
    return weir_err_set(err, WEIR_INVALID,
                        "the URL holds byte 0x%02X at %zu; write %%%02X", c,
                        at + 1, c);
}

/* The bytes that may stand in a URL, up to the first that may not. */
static size_t good_bytes(const char *url)
{
    size_t i = 0;

    while ((unsigned char)(url[i] - '!') <= '~' - '!' && url[i] != '\\')
        i++;
    return i;
}

/* strcspn() would first make a table of what ends it. */
static size_t authority_len(const char *text)
{
    size_t i = 0;

    while (text[i] && text[i] != '/' && text[i] != '?' && text[i] != '#')
        i++;
    return i;
}

enum weir_code weir_url_scan(const char *url, size_t *len, struct weir_err *err)
{
    size_t good = good_bytes(url), scheme, authority;

    if (good > URL_MAX)
        return weir_err_set(err, WEIR_INVALID,
                            "the URL is longer than %zu bytes", URL_MAX);
    if (url[good])
        return refuse_byte(url, good, err);
    if (strncasecmp(url, "https://", 8) == 0)
        scheme = 8;
    else if (strncasecmp(url, "http://", 7) == 0)
        scheme = 7;
    else
        return weir_err_set(err, WEIR_INVALID,
                            "the URL must begin with https:// or http://");
    authority = authority_len(url + scheme);
    if (authority == 0)
        return weir_err_set(err, WEIR_INVALID, "the URL names no host");
    /* Not quoted: what stands there is a password. */
    if (memchr(url + scheme, '@', authority))
        return weir_err_set(err, WEIR_INVALID,
                            "the URL holds credentials before the host; send "
                            "them in a header");
    *len = scheme + authority;
    return WEIR_OK;
}

enum weir_code weir_url_origin(const char *url, size_t len,
                               struct weir_url_origin *out,
                               struct weir_err *err)
{
    unsigned long refusals = weir_curl_refusals();
    struct weir_url_origin origin = {.len = len};
    struct parts parts;
    CURLUcode code = parts_init(&parts, url);

    if (!code) {
        origin.https = strcasecmp(parts.scheme, "https") == 0;
        origin.loopback = is_loopback_host(&parts);
    }
    parts_fini(&parts);
    if (weir_curl_refusals() != refusals)
        return weir_err_nomem(err);
    if (code)
        return weir_err_set(err, WEIR_INVALID, "the URL '%s' is not valid: %s",
                            weir_cut_copy((char[201]){0}, 201, url, len),
                            curl_url_strerror(code));
    *out = origin;
    return WEIR_OK;
}

enum weir_code weir_url_check(const char *url, struct weir_err *err)
{
    struct weir_url_origin origin;
    size_t len = 0;
    enum weir_code code = weir_url_scan(url, &len, err);

    return code ? code : weir_url_origin(url, len, &origin, err);
}
