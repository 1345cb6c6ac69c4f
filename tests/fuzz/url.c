/*
 * url: encoding undone gives what was encoded; what passes the check leads
 * where it says; an origin is an equivalence; what is shown of a URL has no
 * secret part; and no path makes a client leave its base URL.
 *
 * Parts: a URL, a second URL, a path, a query.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "rig.h"
#include "url_internal.h"
#include "weir/url.h"

static bool same_origin(const char *a, const char *b)
{
    bool same = false;

    FUZZ_CHECK(weir_url_same_origin(a, b, &same) == WEIR_OK);
    return same;
}

/* ---- encoding ---- */

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

/* Undoes percent-encoding; what is no triple stays. */
static void decode(const char *text, size_t len, struct weir_buf *out)
{
    for (size_t i = 0; i < len; i++) {
        bool triple = text[i] == '%' && len - i > 2 && hex(text[i + 1]) >= 0 &&
                      hex(text[i + 2]) >= 0;

        weir_buf_addc(out,
                      triple ? (char)(hex(text[i + 1]) * 16 + hex(text[i + 2]))
                             : text[i]);
        i += triple ? 2 : 0;
    }
}

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || (c && strchr("-._~", c));
}

static void check_encoding(struct fuzz_text text)
{
    struct weir_buf encoded, decoded;

    weir_buf_init(&encoded, SIZE_MAX);
    weir_buf_init(&decoded, SIZE_MAX);
    FUZZ_CHECK(weir_url_encode(&encoded, text.data, text.len) == WEIR_OK);
    for (size_t i = 0; i < encoded.len; i++)
        FUZZ_CHECK(is_plain(encoded.data[i]) || encoded.data[i] == '%');
    decode(encoded.data, encoded.len, &decoded);
    FUZZ_CHECK(decoded.len == text.len);
    FUZZ_CHECK(!text.len || memcmp(decoded.data, text.data, text.len) == 0);
    /* A pair more is a '&' more, and nothing else that parts. */
    weir_buf_reset(&encoded);
    weir_url_add_pair(&encoded, "a", text.data, text.len);
    FUZZ_CHECK(weir_url_add_pair(&encoded, "b=", text.data, text.len) ==
               WEIR_OK);
    FUZZ_CHECK(strspn(encoded.data, "&=?#") == 0);
    FUZZ_CHECK(strstr(encoded.data, "&b%3D="));
    FUZZ_CHECK(strchr(encoded.data, '&') == strrchr(encoded.data, '&'));
    weir_buf_fini(&encoded);
    weir_buf_fini(&decoded);
}

/* ---- one URL ---- */

static void check_redacted(const char *url)
{
    struct weir_buf shown;
    const char *host, *end;

    weir_buf_init(&shown, SIZE_MAX);
    FUZZ_CHECK(weir_url_redacted(&shown, url) == WEIR_OK);
    FUZZ_CHECK(!strpbrk(weir_buf_str(&shown), "?#\r\n"));
    host = strstr(shown.data, "://");
    if (host) {
        host += 3;
        end = host + strcspn(host, "/");
        FUZZ_CHECK(!memchr(host, '@', (size_t)(end - host)));
    }
    weir_buf_fini(&shown);
}

/* Whether the URL passes the check; then its parts are as they should be. */
static bool check_url(const char *url)
{
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_url_origin origin;
    enum weir_code code = weir_url_check(url, &err);
    size_t len = 0;
    bool safe;

    check_redacted(url);
    if (code) {
        FUZZ_CHECK(code == WEIR_INVALID);
        fuzz_check_err(&err, code);
        FUZZ_CHECK(weir_http_url_safe(url, NULL) == WEIR_INVALID);
        return false;
    }
    FUZZ_CHECK(!strpbrk(url, " \t\r\n\\") && !weir_url_scan(url, &len, NULL));
    FUZZ_CHECK(len > 7 && len <= strlen(url));
    FUZZ_CHECK(!url[len] || strchr("/?#", url[len]));
    FUZZ_CHECK(!memchr(url, '@', len));
    FUZZ_CHECK(same_origin(url, url));
    FUZZ_CHECK(weir_url_origin(url, len, &origin, NULL) == WEIR_OK);
    FUZZ_CHECK(origin.https == (strncasecmp(url, "https:", 6) == 0));
    FUZZ_CHECK(origin.loopback == weir_url_is_loopback(url));
    safe = weir_http_url_safe(url, &err) == WEIR_OK;
    FUZZ_CHECK(safe == (origin.https || origin.loopback));
    if (!safe)
        fuzz_check_err(&err, WEIR_INVALID);
    return true;
}

/* ---- a client's calls ---- */

/* No segment of a path climbs, however it is written. */
static void check_segments(const char *path)
{
    struct weir_buf segment;

    weir_buf_init(&segment, SIZE_MAX);
    for (const char *p = path; *p;) {
        size_t len = strcspn(p, "/");

        weir_buf_reset(&segment);
        decode(p, len, &segment);
        FUZZ_CHECK(strcmp(weir_buf_str(&segment), ".") != 0);
        FUZZ_CHECK(strcmp(weir_buf_str(&segment), "..") != 0);
        p += len;
        p += *p == '/';
    }
    weir_buf_fini(&segment);
}

static void check_call(const char *base, const char *path, const char *query)
{
    struct weir_client_config config = {.base_url = base, .rate = -1};
    struct weir_call call = {.method = "GET", .path = path, .query = query};
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_client *client = NULL;
    struct weir_op *op = NULL;
    struct rig rig;
    enum weir_code code;

    rig_init(&rig);
    config.transport = &rig.fake.transport;
    code = weir_client_new(rig.loop, &config, &client, &err);
    if (!code) {
        FUZZ_CHECK(weir_url_check(base, NULL) == WEIR_OK);
        code = weir_client_call(client, &call, &op, &err);
    }
    if (code) {
        fuzz_check_err(&err, code);
    } else {
        const struct fake_request *sent;

        fake_transport_answer(&rig.fake, 204, NULL, "");
        FUZZ_CHECK(weir_op_run(op, -1) == WEIR_OK);
        FUZZ_CHECK(rig.fake.n_requests == 1);
        sent = &rig.fake.requests[0];
        FUZZ_CHECK(same_origin(sent->url, base));
        FUZZ_CHECK(weir_url_check(sent->url, NULL) == WEIR_OK);
        FUZZ_CHECK(!strchr(path, '?') && !strchr(path, '#'));
        FUZZ_CHECK(strstr(sent->url, path));
        check_segments(path);
        if (query && *query)
            FUZZ_CHECK(strcmp(strchr(sent->url, '?') + 1, query) == 0);
        weir_op_free(op);
    }
    weir_client_unref(client);
    rig_fini(&rig);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_text rest = {(const char *)data, size};
    struct fuzz_text part[4] = {{"", 0}, {"", 0}, {"", 0}, {"", 0}};
    char *text[4];
    bool same;

    for (size_t i = 0; i < 4 && fuzz_part(&rest, &part[i]); i++)
        ;
    for (size_t i = 0; i < 4; i++) {
        check_encoding(part[i]);
        text[i] = fuzz_string(part[i]);
    }
    check_url(text[0]);
    check_url(text[1]);
    same = same_origin(text[0], text[1]);
    FUZZ_CHECK(same == same_origin(text[1], text[0]));
    if (same)
        FUZZ_CHECK(weir_url_is_loopback(text[0]) ==
                   weir_url_is_loopback(text[1]));
    check_call(text[0], text[2], part[3].len ? text[3] : NULL);
    for (size_t i = 0; i < 4; i++)
        free(text[i]);
    return 0;
}
