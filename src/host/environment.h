/* environment: the variables of the machine that a run obeys. */
#ifndef HOST_ENVIRONMENT_H
#define HOST_ENVIRONMENT_H

#include "weir/http.h"

/* Proxy and trust.  libcurl is told to read no environment, so that what
 * counts stands in one place.  The texts belong to the environment. */
struct weir_http_settings host_environment_http(void);

#endif
