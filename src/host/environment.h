/* environment: the variables of the machine that a run obeys. */
#ifndef HOST_ENVIRONMENT_H
#define HOST_ENVIRONMENT_H

#include "weir/buf.h"
#include "weir/http.h"

/* Proxy and trust.  libcurl is told to read no environment, so that what
 * counts stands in one place.  The texts belong to the environment. */
struct weir_http_settings host_environment_http(void);

/* The same as words to show; a proxy's URL may hold a password, which is
 * not.  `proxy` keeps the text of one of them. */
#define HOST_MAX_PROXY ((size_t)4096)
struct host_environment {
    const char *proxy, *no_proxy, *trust;
};
struct host_environment host_environment_words(struct weir_buf *proxy);

#endif
