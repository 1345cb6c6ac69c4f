/* http_ask: one request on a real loop, in one line of a test. */
#ifndef HTTP_ASK_H
#define HTTP_ASK_H

#include "weir/http.h"

#define OK_HI "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"

/* A loop on the system's clock; the teardown fails on what was left on it. */
int http_setup(void **state);
int http_teardown(void **state);

/* The op, not started. */
struct weir_op *made(struct weir_loop *loop,
                     const struct weir_http_request *request);
/* The op, finished. */
struct weir_op *ran(struct weir_loop *loop,
                    const struct weir_http_request *request);
struct weir_op *got(struct weir_loop *loop, const char *url);
/* Starts `n` GETs of `url` at once; each that is done counts up `*done`. */
void begin_many(struct weir_loop *loop, const char *url, struct weir_op **ops,
                int n, int *done);
void count_done(void *done, struct weir_op *op);
void assert_body(struct weir_op *op, int status, const char *body);

#endif
