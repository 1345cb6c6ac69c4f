/* Every option of an easy handle, in one list. */
#include "http_internal.h"

/* A list being filled. */
struct list {
    struct weir_http_option *out;
    size_t n;
};

static void add(struct list *list, struct weir_http_option option)
{
    list->out[list->n++] = option;
}

#define NUMBER(opt, value)                                                     \
    add(list, (struct weir_http_option){.id = (opt),                           \
                                        .name = #opt,                          \
                                        .kind = WEIR_HTTP_LONG,                \
                                        .number = (value)})
#define OFFSET(opt, value)                                                     \
    add(list, (struct weir_http_option){.id = (opt),                           \
                                        .name = #opt,                          \
                                        .kind = WEIR_HTTP_OFFSET,              \
                                        .number = (long)(value)})
#define TEXT(opt, value)                                                       \
    add(list, (struct weir_http_option){.id = (opt),                           \
                                        .name = #opt,                          \
                                        .kind = WEIR_HTTP_TEXT,                \
                                        .pointer = (value)})
#define POINTER(opt, value)                                                    \
    add(list, (struct weir_http_option){.id = (opt),                           \
                                        .name = #opt,                          \
                                        .kind = WEIR_HTTP_POINTER,             \
                                        .pointer = (value)})
#define FUNCTION(opt, value)                                                   \
    add(list, (struct weir_http_option){.id = (opt),                           \
                                        .name = #opt,                          \
                                        .kind = WEIR_HTTP_FUNCTION,            \
                                        .function = (void (*)(void))(value)})

static void fixed_transport(struct list *list,
                            const struct weir_http_state *state)
{
    const struct weir_http_settings *settings = &state->settings;

    NUMBER(CURLOPT_NOSIGNAL, 1);
    /* A cancelled request does not wait for a name server. */
    NUMBER(CURLOPT_QUICK_EXIT, 1);
    TEXT(CURLOPT_PROTOCOLS_STR, "http,https");
    /* Everything measured about repeating and cutting short holds for 1.1. */
    NUMBER(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    NUMBER(CURLOPT_HTTP09_ALLOWED, 0);
    /* TLS: there is no switch to turn verification off. */
    NUMBER(CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
    NUMBER(CURLOPT_SSL_VERIFYPEER, 1);
    NUMBER(CURLOPT_SSL_VERIFYHOST, 2);
    /* One file says whom to trust, the system's or the one that was named.
     * Libcurl keeps what it read from a file for the next connection, but not
     * where a folder could add to it: then each connection, the fresh ones of
     * calls that create too, reads and parses all of the file again. */
    if (settings->ca_file)
        TEXT(CURLOPT_CAINFO, settings->ca_file);
    if (settings->ca_file || state->has_ca_file)
        TEXT(CURLOPT_CAPATH, NULL);
    /* Empty texts, since NULL would mean the environment's. */
    TEXT(CURLOPT_PROXY, settings->proxy ? settings->proxy : "");
    TEXT(CURLOPT_NOPROXY, settings->no_proxy ? settings->no_proxy : "");
    NUMBER(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1);
    NUMBER(CURLOPT_NETRC, CURL_NETRC_IGNORED);
    /* Deadlines but the one for connecting are ours (http_error.c). */
    NUMBER(CURLOPT_TIMEOUT_MS, 0);
}

static void fixed_exchange(struct list *list,
                           const struct weir_http_state *state,
                           struct weir_http_handle *handle)
{
    /* Redirects are ours: libcurl's take headers to other hosts. */
    NUMBER(CURLOPT_FOLLOWLOCATION, 0);
    NUMBER(CURLOPT_PATH_AS_IS, 1);
    /* The smallest that libcurl takes, and as much as a TLS record holds.  By
     * default each request over TLS takes 64 KiB, which are wiped after it. */
    NUMBER(CURLOPT_UPLOAD_BUFFERSIZE, 16384);
    /* What it may decode; who asks for it, and in whose name, is in the list of
     * headers (http_request.c). */
    TEXT(CURLOPT_ACCEPT_ENCODING, WEIR_HTTP_ENCODINGS);
    POINTER(CURLOPT_SHARE, state->share);
    POINTER(CURLOPT_ERRORBUFFER, handle->error);
    FUNCTION(CURLOPT_HEADERFUNCTION, weir_http_on_header);
    POINTER(CURLOPT_HEADERDATA, handle);
    FUNCTION(CURLOPT_WRITEFUNCTION, weir_http_on_body);
    POINTER(CURLOPT_WRITEDATA, handle);
    FUNCTION(CURLOPT_PREREQFUNCTION, weir_http_on_connected);
    POINTER(CURLOPT_PREREQDATA, handle);
    FUNCTION(CURLOPT_XFERINFOFUNCTION, weir_http_on_progress);
    POINTER(CURLOPT_XFERINFODATA, handle);
    FUNCTION(CURLOPT_OPENSOCKETFUNCTION, weir_http_on_socket);
    POINTER(CURLOPT_OPENSOCKETDATA, handle);
}

/* A body that leaves in one piece needs no watching on its way. */
#define WATCHED_BODY ((size_t)65536)

static void per_request(struct list *list, const struct weir_http_state *state,
                        const struct weir_http_handle *handle,
                        const struct weir_http_exchange *x)
{
    bool head = x->method[0] == 'H' && x->method[1] == 'E';

    /* Both: from a CURLU alone libcurl would write the text itself. */
    TEXT(CURLOPT_URL, x->url);
    POINTER(CURLOPT_CURLU, handle->url);
    POINTER(CURLOPT_HTTPHEADER, x->headers);
    OFFSET(CURLOPT_POSTFIELDSIZE_LARGE, x->body_len);
    /* Sets the method to POST, so the method comes after it. */
    POINTER(CURLOPT_POSTFIELDS, x->body);
    if (head)
        NUMBER(CURLOPT_NOBODY, 1);
    else if (x->has_body)
        NUMBER(CURLOPT_POST, 1);
    else
        NUMBER(CURLOPT_HTTPGET, 1);
    TEXT(CURLOPT_CUSTOMREQUEST, x->method);
    NUMBER(CURLOPT_FRESH_CONNECT, x->once);
    NUMBER(CURLOPT_CONNECTTIMEOUT_MS, (long)x->limits.connect_timeout_ms);
    NUMBER(CURLOPT_NOPROGRESS, x->body_len < WATCHED_BODY);
    if (state->settings.proxy) {
        TEXT(CURLOPT_PROXY,
             x->origin.loopback || x->direct ? "" : state->settings.proxy);
        /* For its CONNECT, which the list of headers is not for. */
        TEXT(CURLOPT_USERAGENT, weir_http_user_agent(state));
    }
    /* Who connects decides what is asked, so one opinion counts: x->direct. */
    if (state->settings.proxy && state->permissions)
        TEXT(CURLOPT_NOPROXY, "");
}

size_t weir_http_options(const struct weir_http_state *state,
                         struct weir_http_handle *handle,
                         const struct weir_http_exchange *x,
                         struct weir_http_option out[WEIR_HTTP_OPTIONS_MAX])
{
    struct list list = {.out = out};

    fixed_transport(&list, state);
    fixed_exchange(&list, state, handle);
    per_request(&list, state, handle, x);
    return list.n;
}

static CURLcode set_one(CURL *easy, const struct weir_http_option *option)
{
    /* In parentheses the function is meant, not the macro that wants to see
     * each option's type. */
    switch (option->kind) {
    case WEIR_HTTP_LONG:
        return (curl_easy_setopt)(easy, option->id, option->number);
    case WEIR_HTTP_OFFSET:
        return (curl_easy_setopt)(easy, option->id, (curl_off_t)option->number);
    case WEIR_HTTP_FUNCTION:
        return (curl_easy_setopt)(easy, option->id, option->function);
    case WEIR_HTTP_TEXT:
    case WEIR_HTTP_POINTER: break;
    }
    return (curl_easy_setopt)(easy, option->id, option->pointer);
}

enum weir_code weir_http_options_set(CURL *easy,
                                     const struct weir_http_option *options,
                                     size_t n, struct weir_err *err)
{
    for (size_t i = 0; i < n; i++) {
        CURLcode code = set_one(easy, &options[i]);

        if (code == CURLE_OUT_OF_MEMORY)
            return weir_err_nomem(err);
        if (code)
            return weir_err_set(err, WEIR_TRANSPORT,
                                "libcurl %s does not take %s: %s",
                                curl_version_info(CURLVERSION_NOW)->version,
                                options[i].name, curl_easy_strerror(code));
    }
    return WEIR_OK;
}
