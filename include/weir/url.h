/*
 * url: percent-encoding and the few URL questions that the core asks
 * (RFC 3986), on top of libcurl's URL parser.
 */
#ifndef WEIR_URL_H
#define WEIR_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "weir/buf.h"
#include "weir/err.h"

/* How many bytes at the beginning of `text` are unreserved characters. */
size_t weir_url_unreserved(const char *text, size_t len);
/* Appends `text` with everything but unreserved characters encoded
 * (RFC 3986 section 2.3): for a path segment, a query part or a form. */
enum weir_code weir_url_encode(struct weir_buf *buf, const char *text,
                               size_t len);
/* Appends "name=value", with '&' before it unless `buf` ends in '?' or is
 * empty. */
enum weir_code weir_url_add_pair(struct weir_buf *buf, const char *name,
                                 const char *value, size_t value_len);
/* Tells whether scheme, host and port are the same; nothing is the
 * same as what is no URL.  WEIR_OK, WEIR_NOMEM. */
enum weir_code weir_url_same_origin(const char *a, const char *b, bool *same);
/* True if the host is localhost, in 127.0.0.0/8, or ::1. */
bool weir_url_is_loopback(const char *url);
/* Appends scheme, host, port and path: no query, fragment or credentials;
 * "(not a URL)" for what cannot be read. */
enum weir_code weir_url_redacted(struct weir_buf *buf, const char *url);

/* Appends the decoded password that stands before the host (a proxy's URL, with
 * or without a scheme), if there is one.  WEIR_OK, or as the buffer fails. */
enum weir_code weir_url_password(struct weir_buf *buf, const char *url);
/* Checks an absolute http(s) URL without CR, LF, NUL, spaces or credentials.
 * WEIR_OK, WEIR_INVALID with the reason. */
enum weir_code weir_url_check(const char *url, struct weir_err *err);

#endif
