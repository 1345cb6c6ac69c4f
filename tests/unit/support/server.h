/*
 * server: a TCP server that does exactly what a script says, in a thread.
 *
 *     static const struct server_step script[] = {
 *         READ, SEND("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"), CLOSE,
 *     };
 *     struct server *server = SERVER(script);
 *     ... server_url(server, "/x") ...
 *     server_request(server, 0)   // the bytes that were received
 *     server_stop(server);
 *
 * A step that needs a connection and has none waits for one.  A script of
 * server_each() is run from its beginning on every connection, with all of
 * them at once.
 */
#ifndef SERVER_H
#define SERVER_H

#include <stdbool.h>
#include <stddef.h>

enum server_what {
    SERVER_READ,  /* one request: head, and a body of its Content-Length */
    SERVER_SEND,  /* bytes, `times` times (0: once) */
    SERVER_CLOSE, /* an orderly end */
    SERVER_RESET, /* a TCP reset */
    SERVER_SLEEP, /* `times` milliseconds */
    SERVER_AWAIT, /* until server_go_on(), on every connection */
    SERVER_HANG,  /* until the client closes */
    SERVER_AGAIN  /* from the first step */
};
struct server_step {
    enum server_what what;
    const char *bytes;
    size_t len;
    size_t times;
};

/* clang-format off */
#define READ        {.what = SERVER_READ}
#define SEND(text)  {.what = SERVER_SEND, .bytes = (text), \
                     .len = sizeof(text) - 1}
#define SEND_TIMES(text, n) {.what = SERVER_SEND, .bytes = (text), \
                             .len = sizeof(text) - 1, .times = (n)}
#define CLOSE       {.what = SERVER_CLOSE}
#define RESET       {.what = SERVER_RESET}
#define SLEEP(ms)   {.what = SERVER_SLEEP, .times = (ms)}
#define AWAIT       {.what = SERVER_AWAIT}
#define HANG        {.what = SERVER_HANG}
#define AGAIN       {.what = SERVER_AGAIN}
/* clang-format on */
#define SERVER(script)                                                         \
    server_start((script), sizeof(script) / sizeof((script)[0]))
#define SERVER_EACH(script)                                                    \
    server_each((script), sizeof(script) / sizeof((script)[0]))

struct server;

struct server *server_start(const struct server_step *steps, size_t n);
struct server *server_each(const struct server_step *steps, size_t n);
/* Ends it, whatever it is doing. */
void server_stop(struct server *server);

/* Ends every SERVER_AWAIT, also those to come. */
void server_go_on(struct server *server);

int server_port(const struct server *server);
/* "http://127.0.0.1:<port><path>"; valid until the eighth call after it. */
const char *server_url(struct server *server, const char *path);
/* The n-th request as it came over the wire, or NULL; NUL-terminated. */
const char *server_request(struct server *server, size_t n, size_t *len);
size_t server_requests(struct server *server);
size_t server_connections(struct server *server);

#endif
