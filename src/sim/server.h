/*
 * server: HTTP/1.1 on 127.0.0.1, over libmicrohttpd, in one thread.
 *
 * The handler is never called from inside the library: a request that is
 * complete waits in a queue until the library's turn is over.  So the handler
 * may do what it likes (run Lua, take a while), and an answer that shall come
 * later is the same thing as one that comes at once.
 *
 * What the library would not send (lengths that lie, half an answer, a byte a
 * second) goes to the socket while the library has the connection suspended
 * and does not look at it; see wire.h.
 */
#ifndef WEIR_SIM_SERVER_H
#define WEIR_SIM_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir/buf.h"
#include "weir/err.h"

#define SERVER_MAX_BODY ((size_t)8 << 20) /* bytes kept of a request's body */

struct server_header {
    const char *name;
    const char *value;
};

struct server_request {
    const char *method;
    const char *target; /* as it was sent, still percent-encoded */
    const struct server_header *headers;
    size_t n_headers;
    const char *body;
    size_t body_len;
    bool too_large; /* the body had more than SERVER_MAX_BODY bytes */
    /* The body is large and has not been read: this call only asks whether it
     * shall be.  Any `then` but SERVER_ANSWER ends the connection; otherwise
     * the request comes again, whole, with `seen` set. */
    bool head_only;
    bool seen; /* it was shown before, with head_only */
};

/* What comes after the wire bytes. */
enum server_then {
    SERVER_ANSWER, /* the answer, on a connection that stays in order */
    SERVER_CLOSE,  /* the end of the connection */
    SERVER_RESET   /* the same, by RST */
};

struct server_answer {
    unsigned status;
    struct weir_buf headers; /* "name\0value\0", any number of times */
    struct weir_buf body;
    int64_t delay; /* milliseconds from now to the first byte */
    bool close;    /* this is the connection's last answer */
    bool chunked;  /* without Content-Length */
    /* Bytes for the socket as they are, good HTTP or not: all that is sent,
     * or (SERVER_ANSWER) what comes before the answer. */
    struct weir_buf wire;
    enum server_then then;
    size_t piece;     /* bytes at a time; 0: all that the socket takes */
    int64_t interval; /* milliseconds between two pieces */
    int64_t hold;     /* milliseconds between the last byte and the rest */
};

/* Empty, with ceilings; status 500. */
void server_answer_init(struct server_answer *answer);
void server_answer_fini(struct server_answer *answer);

/* Fills `answer`, which has been initialised; `request` is valid during the
 * call only. */
typedef void server_handler_fn(void *ud, const struct server_request *request,
                               struct server_answer *answer);

struct server;

/* Listens on 127.0.0.1:`port` (0: any).  WEIR_IO, WEIR_NOMEM. */
enum weir_code server_new(unsigned port, server_handler_fn *handler, void *ud,
                          struct server **out, struct weir_err *err);
unsigned server_port(const struct server *server);
/* Serves until server_end() was called, by any thread, before or after. */
void server_run(struct server *server);
void server_end(struct server *server);
/* Drops what is open.  No thread may be inside server_run(). */
void server_free(struct server *server);

#endif
