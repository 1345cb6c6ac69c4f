/* Redirects (RFC 9110 section 15.4), by our own rule: GET and HEAD, within
 * one origin, a few. */
#include <stdlib.h>
#include <string.h>

#include "http_internal.h"
#include "weir/url.h"

static bool is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 ||
           status == 308;
}

/* `location` seen from `base`, without a fragment; NULL if it is no URL. */
static enum weir_code resolve(const char *base, const char *location,
                              char **out)
{
    unsigned long refusals = weir_curl_refusals();
    CURLU *handle = curl_url();
    enum weir_code code = WEIR_OK;
    char *text = NULL;

    *out = NULL;
    if (handle &&
        curl_url_set(handle, CURLUPART_URL, base, CURLU_PATH_AS_IS) == 0 &&
        curl_url_set(handle, CURLUPART_URL, location, CURLU_PATH_AS_IS) == 0 &&
        curl_url_set(handle, CURLUPART_FRAGMENT, NULL, 0) == 0 &&
        curl_url_get(handle, CURLUPART_URL, &text, 0) == 0) {
        *out = strdup(text);
        code = *out ? WEIR_OK : WEIR_NOMEM;
    }
    curl_free(text);
    curl_url_cleanup(handle);
    return weir_curl_refusals() != refusals ? WEIR_NOMEM : code;
}

/* Where the redirect leads, owned; NULL if that is nowhere to go. */
static enum weir_code find_target(const struct weir_http_exchange *x,
                                  const char *location, char **out)
{
    enum weir_code code = resolve(x->url, location, out);
    bool inside = false;

    if (!code && *out) {
        code = weir_url_check(*out, NULL);
        if (!code)
            code = weir_url_same_origin(x->url, *out, &inside);
        if (code == WEIR_INVALID)
            code = WEIR_OK;
    }
    if (code || !inside) {
        free(*out);
        *out = NULL;
    }
    return code;
}

enum weir_code weir_http_redirect(struct weir_http_exchange *x, bool *follow,
                                  struct weir_err *err)
{
    const char *location = weir_http_header(&x->response, "Location", 0);
    char *target;

    *follow = false;
    if (!is_redirect(x->status) || !location ||
        x->limits.max_redirects == WEIR_HTTP_NONE ||
        (strcmp(x->method, "GET") != 0 && strcmp(x->method, "HEAD") != 0))
        return WEIR_OK;
    if (find_target(x, location, &target))
        return weir_err_nomem(err);
    /* The caller gets the 3xx itself and may decide. */
    if (!target)
        return WEIR_OK;
    if (x->redirects >= x->limits.max_redirects) {
        char server[300];

        free(target);
        weir_url_host_port(x->url, server, sizeof(server));
        weir_err_set(err, WEIR_LIMIT,
                     "%s redirects more than %u times (max_redirects)", server,
                     x->limits.max_redirects);
        weir_err_hint(err, "raise max_redirects if so many are expected; the "
                           "server may send them in a circle");
        return WEIR_LIMIT;
    }
    x->redirects++;
    free(x->redirect_url);
    x->redirect_url = target;
    x->url = target;
    weir_http_answer_reset(x);
    *follow = true;
    return WEIR_OK;
}
