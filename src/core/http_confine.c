/* The doors of a confined run: which server, by its name, and which address
 * that has led to. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include "cidr.h"
#include "http_internal.h"
#include "weir/permissions.h"

/* A name that fits no permission is longer than any. */
#define HOST_MAX 320

enum weir_code weir_http_confine(struct weir_loop *loop,
                                 const struct weir_permissions *permissions,
                                 struct weir_err *err)
{
    struct weir_http_state *state = weir_http_state(loop);

    if (!state)
        return weir_err_nomem(err);
    state->permissions = permissions;
    return WEIR_OK;
}

/* ---- is the proxy for it? ---- */

static bool is_in_block(const char *item, size_t len, const char *host)
{
    struct weir_cidr block;

    return !weir_cidr_parse(item, len, &block, NULL) &&
           weir_cidr_contains(&block, host, strlen(host));
}

/* ".example.com" and "example.com" mean the host and all below it. */
static bool is_under(const char *item, size_t len, const char *host)
{
    size_t host_len = strlen(host);

    while (len > 0 && *item == '.') {
        item++;
        len--;
    }
    while (len > 0 && item[len - 1] == '.')
        len--;
    if (len == 0 || len > host_len ||
        strncasecmp(host + host_len - len, item, len) != 0)
        return false;
    return len == host_len || host[host_len - len - 1] == '.';
}

/* As libcurl reads NO_PROXY: names parted by commas or blanks, addresses,
 * blocks, or "*".  Done here, because who connects decides what is asked. */
static bool is_direct(const char *no_proxy, const char *url_host)
{
    char host[HOST_MAX];
    size_t len = strlen(url_host);
    bool v6 = url_host[0] == '[';

    if (!no_proxy || len >= sizeof(host))
        return false;
    memcpy(host, url_host + v6, len + 1 - v6);
    len -= v6;
    if (len > 0 && (host[len - 1] == ']' || host[len - 1] == '.'))
        host[len - 1] = '\0';
    if (strcmp(no_proxy, "*") == 0)
        return true;
    for (const char *p = no_proxy; *p;) {
        size_t item = strcspn(p, ", \t");

        if (item > 0 && (is_under(p, item, host) || is_in_block(p, item, host)))
            return true;
        p += item;
        p += strspn(p, ", \t");
    }
    return false;
}

/* ---- the doors ---- */

enum weir_code weir_http_may_ask(struct weir_http_exchange *x,
                                 const struct weir_http_state *state,
                                 struct weir_err *err)
{
    char host[HOST_MAX];
    unsigned port;
    enum weir_code code = weir_permissions_url(state->permissions, x->url, err);

    if (code == WEIR_DENIED && err)
        err->final = true;
    if (code || !state->settings.proxy)
        return code;
    code = weir_url_host(x->url, host, sizeof(host), &port, err);
    x->direct = !code && (x->origin.loopback ||
                          is_direct(state->settings.no_proxy, host));
    return code;
}

static bool address_text(const struct sockaddr *address, char *out, size_t size)
{
    if (address->sa_family == AF_INET)
        return inet_ntop(AF_INET,
                         &((const struct sockaddr_in *)(const void *)address)
                              ->sin_addr,
                         out, (socklen_t)size) != NULL;
    if (address->sa_family == AF_INET6)
        return inet_ntop(AF_INET6,
                         &((const struct sockaddr_in6 *)(const void *)address)
                              ->sin6_addr,
                         out, (socklen_t)size) != NULL;
    return false;
}

static enum weir_code ask(const struct weir_http_exchange *x,
                          const struct weir_http_state *state,
                          const char *address, struct weir_err *err)
{
    char host[HOST_MAX];
    unsigned port;
    enum weir_code code = weir_url_host(x->url, host, sizeof(host), &port, err);

    return code ? code
                : weir_permissions_address(state->permissions, host, port,
                                           address, err);
}

bool weir_http_may_connect(struct weir_http_exchange *x,
                           const struct weir_http_state *state,
                           const struct sockaddr *address)
{
    char text[INET6_ADDRSTRLEN];

    /* The proxy is the host's, not the script's. */
    if (state->settings.proxy && !x->direct)
        return true;
    if (!address_text(address, text, sizeof(text)))
        return false;
    if (ask(x, state, text, NULL) == WEIR_OK)
        return true;
    memcpy(x->denied, text, sizeof(text));
    return false;
}

void weir_http_denied(const struct weir_http_exchange *x,
                      const struct weir_http_state *state, struct weir_err *err)
{
    /* Also where memory was short for a moment and is there again. */
    if (ask(x, state, x->denied, err) == WEIR_OK)
        weir_err_nomem(err);
    err->final = err->code == WEIR_DENIED;
}
