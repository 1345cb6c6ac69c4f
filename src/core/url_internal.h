/* What url.c tells http.c beyond its public face. */
#ifndef WEIR_URL_INTERNAL_H
#define WEIR_URL_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "weir/err.h"

/* Everything of a URL that decides where it leads and who may see it. */
struct weir_url_origin {
    bool https;
    bool loopback;
    size_t len; /* bytes of the text up to the path: "https://a.test:8443" */
};

/* weir_url_check in two halves, so that the dear one (libcurl's parser) can
 * be left out for an origin that has been read before: the bytes and the
 * outer shape of the whole URL, which give `*len` of the origin … */
enum weir_code weir_url_scan(const char *url, size_t *len,
                             struct weir_err *err);
/* … and the meaning of its origin. */
enum weir_code weir_url_origin(const char *url, size_t len,
                               struct weir_url_origin *out,
                               struct weir_err *err);

/* "host:port" for messages ("[::1]:443"), cut to `size`. */
void weir_url_host_port(const char *url, char *out, size_t size);

/* The host as libcurl reads it, with the brackets of an IPv6 address and
 * without its zone, and the port, the scheme's where none is written.
 * WEIR_OK; WEIR_INVALID if it is no URL or the host does not fit; WEIR_NOMEM.
 */
enum weir_code weir_url_host(const char *url, char *host, size_t size,
                             unsigned *port, struct weir_err *err);

#endif
