#include "wire.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

/* Bytes sent, 0 if the socket is full, -1 if the client is gone. */
static ssize_t send_some(int fd, const char *data, size_t len)
{
    ssize_t n;

    do
        n = send(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? 0 : n;
}

/* A byte that is sent shall arrive by itself, and not with the next one. */
static void send_at_once(int fd)
{
    int one = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

bool wire_advance(struct wire *wire, const struct server_answer *answer, int fd,
                  int64_t now)
{
    while (wire->next <= now) {
        size_t len = answer->wire.len - wire->sent;
        ssize_t n;

        if (len == 0) {
            if (wire->held || answer->hold == 0)
                return true;
            wire->held = true;
            wire->next = now + answer->hold;
            continue;
        }
        if (wire->sent == 0)
            send_at_once(fd);
        if (answer->piece > 0 && len > answer->piece)
            len = answer->piece;
        n = send_some(fd, answer->wire.data + wire->sent, len);
        if (n < 0)
            return true;
        wire->full = n == 0;
        if (n == 0)
            return false;
        wire->sent += (size_t)n;
        if (answer->piece > 0 && wire->sent < answer->wire.len)
            wire->next = now + answer->interval;
    }
    return false;
}

void wire_end(const struct server_answer *answer, int fd)
{
    /* A TCP socket that is connected to nothing sends an RST (connect(2)). */
    struct sockaddr nobody = {.sa_family = AF_UNSPEC};

    if (answer->then == SERVER_RESET)
        (void)!connect(fd, &nobody, sizeof(nobody));
    else if (answer->then == SERVER_CLOSE)
        shutdown(fd, SHUT_RDWR);
}
