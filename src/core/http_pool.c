/* What the requests of one loop share: settings, TLS sessions; and the handle
 * that each has for itself. */
#include <stdlib.h>
#include <string.h>

#include "http_internal.h"
#include "weir/cut.h"
#include "weir/url.h"
#include "weir/version.h"

#define CONNECTIONS_MAX 64L

static void settings_fini(struct weir_http_settings *settings)
{
    free((char *)settings->proxy);
    free((char *)settings->no_proxy);
    free((char *)settings->ca_file);
    free((char *)settings->user_agent);
    *settings = (struct weir_http_settings){0};
}

static void state_free(struct weir_http_state *state)
{
    curl_share_cleanup(state->share);
    settings_fini(&state->settings);
    free(state->origin_text);
    free(state);
}

struct weir_http_state *weir_http_state(struct weir_loop *loop)
{
    struct weir_http_state *state = loop->http;

    if (state)
        return state;
    state = calloc(1, sizeof(*state));
    if (!state)
        return NULL;
    state->share = curl_share_init();
    if (!state->share) {
        free(state);
        return NULL;
    }
    state->has_ca_file = curl_version_info(CURLVERSION_NOW)->cainfo != NULL;
    /* The multi handle shares names and connections, but not TLS sessions. */
    curl_share_setopt(state->share, CURLSHOPT_SHARE,
                      CURL_LOCK_DATA_SSL_SESSION);
    /* By default the cache of connections shrinks with the number of running
     * transfers, and a burst would connect anew each time. */
    curl_multi_setopt(loop->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_MAX);
    loop->http = state;
    loop->http_free = state_free;
    return state;
}

/* ---- settings ---- */

/* Copies `from` (NULL stays NULL); false without memory. */
static bool copy_text(const char **to, const char *from)
{
    *to = from ? strdup(from) : NULL;
    return *to || !from;
}

enum weir_code weir_http_configure(struct weir_loop *loop,
                                   const struct weir_http_settings *settings,
                                   struct weir_err *err)
{
    struct weir_http_state *state = weir_http_state(loop);
    struct weir_http_settings copy = {0};
    enum weir_code code = WEIR_OK;

    if (settings->user_agent)
        code = weir_http_check_header(
            &(struct weir_header){"User-Agent", settings->user_agent}, err);
    if (code)
        return code;
    if (!state || !copy_text(&copy.proxy, settings->proxy) ||
        !copy_text(&copy.no_proxy, settings->no_proxy) ||
        !copy_text(&copy.ca_file, settings->ca_file) ||
        !copy_text(&copy.user_agent, settings->user_agent)) {
        settings_fini(&copy);
        return weir_err_nomem(err);
    }
    settings_fini(&state->settings);
    state->settings = copy;
    return WEIR_OK;
}

const char *weir_http_user_agent(const struct weir_http_state *state)
{
    return state->settings.user_agent ? state->settings.user_agent
                                      : "weir/" WEIR_VERSION;
}

/* ---- handles ---- */

/* From a text libcurl reads a URL and then writes it anew, byte by byte, which
 * is a tenth of all it does for a short request; from a CURLU it does neither.
 * But the copy it makes of one has no zone (7.88), so what may have one
 * is left to it, and so is what cannot be read, for its own word on that. */
static enum weir_code read_url(const char *text, CURLU **out,
                               struct weir_err *err)
{
    CURLUcode code;

    *out = NULL;
    if (strchr(text, '['))
        return WEIR_OK;
    *out = curl_url();
    if (!*out)
        return weir_err_nomem(err);
    code = curl_url_set(*out, CURLUPART_URL, text,
                        CURLU_NON_SUPPORT_SCHEME | CURLU_PATH_AS_IS);
    if (!code)
        return WEIR_OK;
    curl_url_cleanup(*out);
    *out = NULL;
    return code == CURLUE_OUT_OF_MEMORY ? weir_err_nomem(err) : WEIR_OK;
}

enum weir_code weir_http_handle_new(struct weir_http_state *state,
                                    struct weir_http_exchange *x,
                                    struct weir_http_handle **out,
                                    struct weir_err *err)
{
    struct weir_http_handle *handle = malloc(sizeof(*handle));
    struct weir_http_option options[WEIR_HTTP_OPTIONS_MAX];
    enum weir_code code;
    size_t n;

    if (!handle)
        return weir_err_nomem(err);
    handle->exchange = x;
    handle->state = state;
    handle->error[0] = '\0';
    code = read_url(x->url, &handle->url, err);
    if (code) {
        free(handle);
        return code;
    }
    handle->easy = curl_easy_init();
    if (!handle->easy) {
        curl_url_cleanup(handle->url);
        free(handle);
        return weir_err_nomem(err);
    }
    state->n_handles++;
    n = weir_http_options(state, handle, x, options);
    code = weir_http_options_set(handle->easy, options, n, err);
    if (code)
        weir_http_handle_free(handle);
    else
        *out = handle;
    return code;
}

void weir_http_handle_free(struct weir_http_handle *handle)
{
    if (!handle)
        return;
    handle->state->n_handles--;
    curl_easy_cleanup(handle->easy);
    curl_url_cleanup(handle->url);
    free(handle);
}

size_t weir_http_in_flight(const struct weir_loop *loop)
{
    return loop->http ? loop->http->n_handles : 0;
}

/* ---- origins ---- */

enum weir_code weir_http_origin(struct weir_http_state *state, const char *url,
                                struct weir_url_origin *out,
                                struct weir_err *err)
{
    struct weir_url_origin origin;
    size_t len;
    char *text;
    enum weir_code code = weir_url_scan(url, &len, err);

    if (code)
        return code;
    if (state->origin_text && state->origin.len == len &&
        memcmp(state->origin_text, url, len) == 0) {
        *out = state->origin;
        return WEIR_OK;
    }
    code = weir_url_origin(url, len, &origin, err);
    if (code)
        return code;
    text = strndup(url, len);
    if (!text)
        return weir_err_nomem(err);
    free(state->origin_text);
    state->origin_text = text;
    state->origin = *out = origin;
    return WEIR_OK;
}

enum weir_code weir_http_require_safe(const char *url,
                                      const struct weir_url_origin *origin,
                                      struct weir_err *err)
{
    if (origin->https || origin->loopback)
        return WEIR_OK;
    weir_err_set(err, WEIR_INVALID,
                 "plain http to %s would send everything in clear; only "
                 "https goes beyond this machine",
                 weir_cut_copy((char[201]){0}, 201, url, origin->len));
    weir_err_hint(err, "use https://, or say allow_plain_http = true");
    return WEIR_INVALID;
}

enum weir_code weir_http_url_safe(const char *url, struct weir_err *err)
{
    struct weir_url_origin origin;
    size_t len;
    enum weir_code code = weir_url_scan(url, &len, err);

    if (!code)
        code = weir_url_origin(url, len, &origin, err);
    return code ? code : weir_http_require_safe(url, &origin, err);
}
