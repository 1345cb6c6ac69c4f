/* The loop's inside, for loop*.c, op.c and http.c only. */
#ifndef WEIR_LOOP_INTERNAL_H
#define WEIR_LOOP_INTERNAL_H

#include <curl/curl.h>
#include <poll.h>

#include "weir/http.h"
#include "weir/loop.h"

#define WEIR_LOOP_MAX_WATCHES 16

/* Linked through the ops' own prev and next: an op is in one list. */
struct weir_op_list {
    struct weir_op *head, *tail;
    size_t n;
};

/* What poll() is asked: the wake, libcurl's sockets, and behind these, in a
 * turn that waits, the extra descriptors. */
struct weir_sockets {
    int wake; /* an eventfd(2) */
    struct pollfd *fds;
    size_t n, cap; /* without the extra descriptors, for which there is room */
};

struct weir_loop {
    const struct weir_clock *clock;
    CURLM *multi;
    struct weir_sockets sockets;
    size_t n_transfers;
    bool has_new;        /* one was added that libcurl has not begun with */
    bool turning;        /* inside a turn, where it is `now` */
    int64_t now;         /* of the turn */
    unsigned busy_turns; /* in a row, that had no time to wait */
    int64_t looked;      /* when the sockets were last looked at */
    /* What libcurl's multi interface failed with.  It is not asked again: 7.88
     * leaves a hash without slots where it had no memory for a socket, and
     * divides by their number the next time. */
    CURLMcode broken;
    struct weir_timer *timers; /* pairing heap, the next due on top */
    size_t n_timers;
    uint64_t timer_order;
    struct weir_watch *watches;
    struct weir_op_list running; /* oldest first */
    struct weir_op_list ready;   /* finished, `done` still to come */
    struct weir_err lost_err;    /* see weir_op_error() */
    /* http's own share of the loop; http.c makes it, the loop frees it. */
    struct weir_http_state *http;
    void (*http_free)(struct weir_http_state *http);
};

/* One easy handle on the loop.  `done` is called from weir_loop_turn, never
 * from a callback of libcurl, with the handle already removed; `starved`:
 * libcurl was refused memory in the turn that ended the transfer. */
struct weir_transfer {
    CURL *easy;
    void (*done)(struct weir_transfer *transfer, CURLcode result, bool starved);
    bool added;
};
/* Uses the handle's CURLOPT_PRIVATE.  WEIR_OK, WEIR_NOMEM, WEIR_TRANSPORT. */
enum weir_code weir_loop_add(struct weir_loop *loop,
                             struct weir_transfer *transfer,
                             struct weir_err *err);
void weir_loop_remove(struct weir_loop *loop, struct weir_transfer *transfer);

/* For loop.c.  Begins to watch for `loop->multi`: WEIR_OK, WEIR_NOMEM,
 * WEIR_TRANSPORT without a descriptor. */
enum weir_code weir_loop_sockets_init(struct weir_loop *loop,
                                      struct weir_err *err);
/* When libcurl wants nothing watched any more. */
void weir_loop_sockets_fini(struct weir_loop *loop);
/* Room for one transfer more: WEIR_OK, WEIR_NOMEM. */
enum weir_code weir_loop_sockets_reserve(struct weir_loop *loop,
                                         struct weir_err *err);
/* In how many milliseconds libcurl has something to do by itself; INT_MAX for
 * never. */
int weir_loop_sockets_due(const struct weir_loop *loop);
/* Waits for a socket, a descriptor, a wake or `wait_ms`; calls the handlers of
 * the extra descriptors that are readable.  WEIR_OK, WEIR_TRANSPORT. */
enum weir_code weir_loop_sockets_wait(struct weir_loop *loop, int wait_ms,
                                      struct weir_err *err);
/* Tells libcurl what was ready, and that time has passed. */
CURLMcode weir_loop_sockets_act(struct weir_loop *loop);

/* As curl_global_init(), with memory that is wiped before it is given back,
 * and then kept for the next request of this thread.  In a process that has
 * started libcurl before, its memory stays as it was. */
CURLcode weir_curl_init(void);
/* As curl_global_cleanup(), in the thread that called weir_curl_init. */
void weir_curl_end(void);
/* Keeps at most so many bytes in this thread; for whoever counts what is asked
 * of malloc. */
void weir_curl_keep(size_t bytes);
/* How often libcurl was refused memory in this thread. */
unsigned long weir_curl_refusals(void);

/* For op.c: the list of running ops and the queue of finished ones. */
void weir_loop_op_running(struct weir_loop *loop, struct weir_op *op);
void weir_loop_op_stopped(struct weir_loop *loop, struct weir_op *op);
void weir_loop_op_ready(struct weir_loop *loop, struct weir_op *op);
void weir_loop_op_unready(struct weir_loop *loop, struct weir_op *op);

#endif
