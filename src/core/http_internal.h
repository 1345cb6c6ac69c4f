/* The parts of http: what its files share. */
#ifndef WEIR_HTTP_INTERNAL_H
#define WEIR_HTTP_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <curl/curl.h>
#include <netinet/in.h>

#include "loop_internal.h"
#include "url_internal.h"
#include "weir/buf.h"
#include "weir/http.h"
#include "weir/http_trace.h"

/* ---- http_pool.c: what the requests of one loop share ---- */

struct weir_http_exchange;

/* An easy handle and what must live as long as it.  It serves one request and
 * no second one, not even after a redirect: before libcurl 8.1.1 a handle
 * kept a pointer into the freed headers of its last answer, and wrote through
 * it when the next answer began with a continuation line
 * (https://github.com/curl/curl/pull/11103). */
struct weir_http_handle {
    CURL *easy;
    CURLU *url; /* the exchange's, as libcurl reads it; NULL: it does itself */
    struct weir_http_exchange *exchange; /* whom the callbacks serve */
    struct weir_http_state *state;
    char error[CURL_ERROR_SIZE];
};

struct weir_http_state {
    struct weir_http_settings settings; /* owned texts */
    bool has_ca_file; /* libcurl was built with a file of authorities */
    CURLSH *share;    /* TLS sessions */
    size_t n_handles; /* of requests under way */
    const struct weir_http_observer *observer;
    const struct weir_permissions *permissions; /* NULL: not confined */
    /* The origin that was read last, so that a client which stays with one
     * server has it parsed once. */
    char *origin_text;
    struct weir_url_origin origin;
};

/* The loop's state, made when first asked for; NULL without memory. */
struct weir_http_state *weir_http_state(struct weir_loop *loop);
/* A handle for the exchange's request, with every option set.  WEIR_OK,
 * WEIR_NOMEM, or as weir_http_options_set. */
enum weir_code weir_http_handle_new(struct weir_http_state *state,
                                    struct weir_http_exchange *x,
                                    struct weir_http_handle **out,
                                    struct weir_err *err);
/* In whose name the requests are. */
const char *weir_http_user_agent(const struct weir_http_state *state);
/* NULL is allowed. */
void weir_http_handle_free(struct weir_http_handle *handle);
/* Checks `url` and says what its origin means. */
enum weir_code weir_http_origin(struct weir_http_state *state, const char *url,
                                struct weir_url_origin *out,
                                struct weir_err *err);
/* WEIR_INVALID unless a secret may travel to `origin`. */
enum weir_code weir_http_require_safe(const char *url,
                                      const struct weir_url_origin *origin,
                                      struct weir_err *err);

/* ---- http_request.c: the request, checked and copied ---- */

/* Content codings that are asked for and decoded. */
#define WEIR_HTTP_ENCODINGS "gzip, deflate"

/* WEIR_INVALID for what would not be one header line, or says where a message
 * ends. */
enum weir_code weir_http_check_header(const struct weir_header *header,
                                      struct weir_err *err);

struct weir_http_exchange {
    struct weir_http_op http; /* first */
    struct weir_transfer transfer;
    struct weir_http_handle *handle; /* while running */

    /* The request: one block of memory, `block`. */
    char *block; /* wiped when freed: Authorization is in it */
    size_t block_size;
    const char *method;
    const char *url;
    char *redirect_url;         /* owned; where `url` points after a redirect */
    struct curl_slist *headers; /* as they go out, ours first */
    struct curl_slist *given;   /* where the caller's begin; NULL: none */
    const char *body;
    size_t body_len;
    bool has_body; /* also when it is empty: Content-Length: 0 */
    bool once;
    bool secret;                  /* so is the answer */
    unsigned attempt;             /* for traces */
    struct weir_changes *changes; /* NULL: nobody asks, or it only reads */
    struct weir_url_origin origin;
    struct weir_http_limits limits; /* no zeros in it */

    /* Deadlines, on the loop's clock. */
    struct weir_timer timer;
    int64_t started;
    int64_t deadline;
    int64_t moved;          /* when a byte last went either way */
    int64_t window_started; /* the stretch that min_speed is measured over */
    size_t window_bytes;
    bool sent; /* connected: the request is going out */
    /* weir_curl_refusals() when libcurl was given the request. */
    unsigned long refusals;
    bool receiving;
    bool left_loopback; /* a connection elsewhere was refused */
    bool direct;        /* confined, and the proxy is not for this host */
    char denied[INET6_ADDRSTRLEN]; /* confined: the address denied last */
    curl_off_t uploaded;

    /* The answer. */
    int status; /* of the header block that is being read */
    bool head_done;
    bool has_length;
    uint64_t length; /* Content-Length */
    size_t header_bytes, header_lines;
    struct weir_buf head; /* name NUL value NUL … */
    size_t n_headers;
    struct weir_buf answer;
    struct weir_header *answer_headers;
    unsigned redirects;
    double elapsed;
    struct weir_http_response response;
};

/* Checks `request` and fills the exchange's copy of it. */
enum weir_code weir_http_request_copy(struct weir_http_exchange *x,
                                      struct weir_http_state *state,
                                      const struct weir_http_request *request,
                                      struct weir_err *err);

void weir_http_request_free(struct weir_http_exchange *x);

/* ---- http_confine.c: what a confined run may ask ---- */

/* The door of every request, first or after a redirect: WEIR_OK, WEIR_DENIED,
 * WEIR_NOMEM.  Says also whether the proxy is for it (x->direct). */
enum weir_code weir_http_may_ask(struct weir_http_exchange *x,
                                 const struct weir_http_state *state,
                                 struct weir_err *err);
/* The door of every connection; notes in x->denied what it refuses. */
bool weir_http_may_connect(struct weir_http_exchange *x,
                           const struct weir_http_state *state,
                           const struct sockaddr *address);
/* Fills `err` for the address in x->denied. */
void weir_http_denied(const struct weir_http_exchange *x,
                      const struct weir_http_state *state,
                      struct weir_err *err);

/* ---- http_trace.c: whoever is told of requests ---- */

void weir_http_tell_sent(const struct weir_http_exchange *x);
/* Before the handle is let go of. */
void weir_http_tell_ended(const struct weir_http_exchange *x);

/* ---- http_change.c: the sink of what changes something ---- */

void weir_http_change_sent(struct weir_http_exchange *x);
/* After the op has its answer or its error; or neither, if it was cancelled. */
void weir_http_change_ended(const struct weir_http_exchange *x);

/* ---- http_options.c: every option of an easy handle ---- */

enum weir_http_option_kind {
    WEIR_HTTP_LONG,
    WEIR_HTTP_OFFSET, /* curl_off_t */
    WEIR_HTTP_TEXT,
    WEIR_HTTP_POINTER,
    WEIR_HTTP_FUNCTION
};
struct weir_http_option {
    CURLoption id;
    const char *name; /* "CURLOPT_URL" */
    enum weir_http_option_kind kind;
    long number; /* LONG and OFFSET */
    const void *pointer;
    void (*function)(void);
};
#define WEIR_HTTP_OPTIONS_MAX 64
/* Lists every option that is set on `handle`, in the order of setting.
 * Returns how many. */
size_t weir_http_options(const struct weir_http_state *state,
                         struct weir_http_handle *handle,
                         const struct weir_http_exchange *x,
                         struct weir_http_option out[WEIR_HTTP_OPTIONS_MAX]);
/* Sets them.  WEIR_OK, WEIR_NOMEM, WEIR_TRANSPORT naming the option that
 * libcurl does not know. */
enum weir_code weir_http_options_set(CURL *easy,
                                     const struct weir_http_option *options,
                                     size_t n, struct weir_err *err);

/* ---- http_receive.c: libcurl's callbacks; `ud` is the handle ---- */

size_t weir_http_on_header(char *line, size_t size, size_t n, void *ud);
size_t weir_http_on_body(char *bytes, size_t size, size_t n, void *ud);
int weir_http_on_connected(void *ud, char *remote, char *local, int remote_port,
                           int local_port);
int weir_http_on_progress(void *ud, curl_off_t down_total, curl_off_t down,
                          curl_off_t up_total, curl_off_t up);
curl_socket_t weir_http_on_socket(void *ud, curlsocktype purpose,
                                  struct curl_sockaddr *address);
/* Forgets the answer so far, before a redirect is followed. */
void weir_http_answer_reset(struct weir_http_exchange *x);
/* Fills x->response from what was received.  WEIR_OK, WEIR_NOMEM. */
enum weir_code weir_http_answer_finish(struct weir_http_exchange *x,
                                       struct weir_err *err);

/* ---- http_redirect.c ---- */

/* If the answer is a redirect that may be followed, prepares the exchange
 * for its next request and sets `*follow`.  WEIR_LIMIT after too many. */
enum weir_code weir_http_redirect(struct weir_http_exchange *x, bool *follow,
                                  struct weir_err *err);

/* ---- http_error.c: failures in plain words ---- */

/* Fills the op's error from libcurl's result (`starved`: it was refused
 * memory), unless a callback has already said what is wrong; sets reach,
 * method and URL in any case. */
void weir_http_fail(struct weir_http_exchange *x, CURLcode result,
                    bool starved);
/* Which deadline has passed at `now`: fills the op's error and returns true;
 * otherwise sets `*next` to when to look again. */
bool weir_http_late(struct weir_http_exchange *x, int64_t now, int64_t *next);

#endif
