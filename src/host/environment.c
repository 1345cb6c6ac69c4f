#include "environment.h"

#include <stdlib.h>

/* A variable that is set and not empty, under its lower- or upper-case name
 * (curl reads both; lower case counts first). */
static const char *env(const char *lower, const char *upper)
{
    const char *value = getenv(lower);

    if (!value || !*value)
        value = getenv(upper);
    return value && *value ? value : NULL;
}

struct weir_http_settings host_environment_http(void)
{
    return (struct weir_http_settings){
        .proxy = env("https_proxy", "HTTPS_PROXY"),
        .no_proxy = env("no_proxy", "NO_PROXY"),
        .ca_file = env("SSL_CERT_FILE", "SSL_CERT_FILE"),
    };
}
