#include "environment.h"

#include <stdlib.h>

#include "weir/url.h"

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

struct host_environment host_environment_words(struct weir_buf *proxy)
{
    struct weir_http_settings settings = host_environment_http();

    if (!settings.proxy)
        weir_buf_adds(proxy, "none");
    else if (weir_url_redacted(proxy, settings.proxy))
        weir_buf_adds(proxy, "set, but no URL");
    return (struct host_environment){
        .proxy = weir_buf_str(proxy),
        .no_proxy = settings.no_proxy ? settings.no_proxy : "none",
        .trust =
            settings.ca_file ? settings.ca_file : "the system's certificates",
    };
}
