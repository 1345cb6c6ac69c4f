/*
 * loop: what a turn waits for.
 *
 * Libcurl tells which sockets it wants watched, and is told which are ready
 * (its multi_socket interface, libcurl-multi(3)), so that a turn costs what
 * has happened in it: curl_multi_perform() would ask the system about each
 * socket under way, every turn.  One poll() waits for these, for the extra
 * descriptors and for a wake.
 */
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "loop_internal.h"

/* As many sockets as libcurl wants watched for one transfer
 * (MAX_SOCKSPEREASYHANDLE of its source).  Room is made before one begins, so
 * that a lack of memory for it is that request's error; where libcurl itself
 * has none for a socket, it is the loop's. */
#define SOCKETS_EACH ((size_t)5)

/* The place of the wake, and the first one of a socket. */
#define WAKE    ((size_t)0)
#define SOCKETS ((size_t)1)

/* ---- what libcurl wants watched ---- */

/* A socket's place is told to libcurl as a pointer that is none. */
static void tell_place(struct weir_loop *loop, size_t place)
{
    curl_multi_assign(loop->multi, loop->sockets.fds[place].fd,
                      (void *)(uintptr_t)place);
}

/* The last one takes the place of one that goes. */
static void forget(struct weir_loop *loop, size_t place)
{
    struct weir_sockets *sockets = &loop->sockets;

    sockets->fds[place] = sockets->fds[--sockets->n];
    if (place < sockets->n)
        tell_place(loop, place);
}

/* Makes room for so many sockets, and for all watches. */
static bool grow(struct weir_sockets *sockets, size_t cap)
{
    struct pollfd *fds = reallocarray(
        sockets->fds, SOCKETS + cap + WEIR_LOOP_MAX_WATCHES, sizeof(*fds));

    if (!fds)
        return false;
    sockets->fds = fds;
    sockets->cap = SOCKETS + cap;
    return true;
}

/* CURLMOPT_SOCKETFUNCTION.  More than there is room for may be wanted where no
 * transfer is under way: for connections that are being closed. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ud,
                     void *told)
{
    struct weir_loop *loop = ud;
    struct weir_sockets *sockets = &loop->sockets;
    size_t place = (uintptr_t)told;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (place)
            forget(loop, place);
        return 0;
    }
    if (!place) {
        if (sockets->n == sockets->cap && !grow(sockets, 2 * sockets->n))
            return -1;
        place = sockets->n++;
        sockets->fds[place] = (struct pollfd){.fd = fd};
        tell_place(loop, place);
    }
    sockets->fds[place].events = (short)((what & CURL_POLL_IN ? POLLIN : 0) |
                                         (what & CURL_POLL_OUT ? POLLOUT : 0));
    return 0;
}

enum weir_code weir_loop_sockets_reserve(struct weir_loop *loop,
                                         struct weir_err *err)
{
    struct weir_sockets *sockets = &loop->sockets;
    size_t need = (loop->n_transfers + 1) * SOCKETS_EACH;

    if (SOCKETS + need <= sockets->cap || grow(sockets, 2 * need))
        return WEIR_OK;
    return weir_err_nomem(err);
}

/* ---- making and ending ---- */

enum weir_code weir_loop_sockets_init(struct weir_loop *loop,
                                      struct weir_err *err)
{
    struct weir_sockets *sockets = &loop->sockets;

    sockets->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (sockets->wake < 0)
        return weir_err_set(err, WEIR_TRANSPORT, "eventfd: %s",
                            strerror(errno));
    if (!grow(sockets, SOCKETS_EACH)) {
        close(sockets->wake);
        return weir_err_nomem(err);
    }
    sockets->n = SOCKETS;
    sockets->fds[WAKE] = (struct pollfd){.fd = sockets->wake, .events = POLLIN};
    curl_multi_setopt(loop->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(loop->multi, CURLMOPT_SOCKETDATA, loop);
    return WEIR_OK;
}

void weir_loop_sockets_fini(struct weir_loop *loop)
{
    close(loop->sockets.wake);
    free(loop->sockets.fds);
}

/* ---- waiting ---- */

void weir_loop_wake(struct weir_loop *loop)
{
    const eventfd_t one = 1;
    int saved = errno;

    /* It fails where the count is at its end: the loop is awake anyway.  Of
     * eventfd_write() nobody says that a signal handler may call it. */
    if (write(loop->sockets.wake, &one, sizeof(one)) < 0)
        errno = saved;
}

/* True if `watch` is still being watched: one handler may stop another. */
static bool is_watched(const struct weir_loop *loop,
                       const struct weir_watch *watch)
{
    for (const struct weir_watch *w = loop->watches; w; w = w->next) {
        if (w == watch)
            return true;
    }
    return false;
}

/* poll(2), where a signal is a wake and nothing is ready then. */
static enum weir_code poll_all(struct weir_sockets *sockets, size_t n,
                               int wait_ms, struct weir_err *err)
{
    if (poll(sockets->fds, n, wait_ms) >= 0)
        return WEIR_OK;
    for (size_t i = 0; i < n; i++)
        sockets->fds[i].revents = 0;
    if (errno == EINTR)
        return WEIR_OK;
    return weir_err_set(err, WEIR_TRANSPORT, "poll: %s", strerror(errno));
}

enum weir_code weir_loop_sockets_wait(struct weir_loop *loop, int wait_ms,
                                      struct weir_err *err)
{
    struct weir_sockets *sockets = &loop->sockets;
    struct weir_watch *ready[WEIR_LOOP_MAX_WATCHES];
    size_t end = sockets->n, n = 0;
    eventfd_t wakes;
    enum weir_code code;

    /* Behind the sockets there is room for the watches. */
    for (struct weir_watch *w = loop->watches; w; w = w->next)
        sockets->fds[end++] = (struct pollfd){.fd = w->fd, .events = POLLIN};
    code = poll_all(sockets, end, wait_ms, err);
    if (code)
        return code;
    /* However often it was woken, that is over now. */
    if (sockets->fds[WAKE].revents && eventfd_read(sockets->wake, &wakes))
        sockets->fds[WAKE].revents = 0;
    end = sockets->n;
    for (struct weir_watch *w = loop->watches; w; w = w->next) {
        if (sockets->fds[end++].revents)
            ready[n++] = w;
    }
    for (size_t i = 0; i < n; i++) {
        if (is_watched(loop, ready[i]))
            ready[i]->fn(ready[i]->ud);
    }
    return WEIR_OK;
}

/* ---- moving on ---- */

/* What an error or an end means depends on what libcurl is about; asked with 0
 * it looks itself, and names it as it always does. */
static int bits_of(short revents)
{
    if (revents & ~(POLLIN | POLLOUT))
        return 0;
    return (revents & POLLIN ? CURL_CSELECT_IN : 0) |
           (revents & POLLOUT ? CURL_CSELECT_OUT : 0);
}

CURLMcode weir_loop_sockets_act(struct weir_loop *loop)
{
    struct weir_sockets *sockets = &loop->sockets;
    CURLMcode code = CURLM_OK;
    long left_ms = -1;
    int running;

    /* From the end: what libcurl puts in the place of one that goes was looked
     * at before. */
    for (size_t i = sockets->n; i-- > SOCKETS && !code;) {
        struct pollfd *at = i < sockets->n ? &sockets->fds[i] : NULL;
        short revents = at ? at->revents : 0;

        if (!revents)
            continue;
        at->revents = 0;
        code = curl_multi_socket_action(loop->multi, at->fd, bits_of(revents),
                                        &running);
    }
    if (!code)
        code = curl_multi_timeout(loop->multi, &left_ms);
    if (!code && left_ms == 0)
        code = curl_multi_socket_action(loop->multi, CURL_SOCKET_TIMEOUT, 0,
                                        &running);
    return code;
}

int weir_loop_sockets_due(const struct weir_loop *loop)
{
    long left_ms = -1;

    if (loop->n_transfers == 0 || curl_multi_timeout(loop->multi, &left_ms) ||
        left_ms < 0)
        return INT_MAX;
    return left_ms < INT_MAX ? (int)left_ms : INT_MAX;
}
