#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct wire *current;
static uint16_t current_port;

/* ---- in front of libc ---- */

int socket(int domain, int type, int protocol);
int connect(int fd, const struct sockaddr *address, socklen_t len);

int socket(int domain, int type, int protocol)
{
    struct wire_end *end;
    int pair[2];

    (void)domain, (void)protocol;
    FUZZ_CHECK(current && current->n_ends < WIRE_CONNECTIONS);
    FUZZ_CHECK((type & 0xF) == SOCK_STREAM);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
                   pair))
        return -1;
    end = &current->ends[current->n_ends++];
    end->fd = pair[1];
    end->len = 0;
    end->hangs = false;
    return pair[0];
}

int connect(int fd, const struct sockaddr *address, socklen_t len)
{
    const struct sockaddr_in *to = (const void *)address;

    /* Nothing that a server says sends anything anywhere else. */
    FUZZ_CHECK(fd >= 0 && len >= sizeof(*to) && to->sin_family == AF_INET);
    FUZZ_CHECK(to->sin_addr.s_addr == htonl(INADDR_LOOPBACK));
    FUZZ_CHECK(ntohs(to->sin_port) == current_port);
    return 0;
}

/* ---- serving ---- */

void wire_open(struct wire *wire, uint16_t port)
{
    current = wire;
    current_port = port;
}

static void end_close(struct wire_end *end)
{
    close(end->fd);
    end->fd = -1;
}

/* Length of the whole request, 0 while there is more to come. */
static size_t request_size(const struct wire_end *end)
{
    const char *blank = memmem(end->request, end->len, "\r\n\r\n", 4);
    const char *length;
    size_t size;

    if (!blank)
        return 0;
    size = (size_t)(blank - end->request) + 4;
    length = memmem(end->request, size, "\r\nContent-Length: ", 18);
    if (length)
        size += strtoul(length + 18, NULL, 10);
    FUZZ_CHECK(size <= WIRE_REQUEST);
    return end->len >= size ? size : 0;
}

static void answer(struct wire *wire, struct wire_end *end, size_t size)
{
    struct fuzz_text part = {"", 0};
    char then;

    fuzz_part(&wire->script, &part);
    then = part.len ? *part.data : 'c';
    if (part.len) {
        part.data++;
        part.len--;
    }
    wire->requests++;
    wire->on_request(wire->ud, end->request, size, part);
    /* What is closed with something unread is reset. */
    recv(end->fd, end->request, then == 'r' ? size - 1 : size, 0);
    end->len = 0;
    /* The buffer of a fresh socket takes it in one piece, and who hung up
     * meanwhile does not want it. */
    send(end->fd, part.data, part.len, MSG_NOSIGNAL);
    end->hangs = then == 'h';
    if (then != 'h' && then != 'k')
        end_close(end);
}

static bool serve_end(struct wire *wire, struct wire_end *end)
{
    ssize_t got;
    size_t size;

    if (end->fd < 0 || end->hangs)
        return false;
    got = recv(end->fd, end->request, WIRE_REQUEST, MSG_PEEK);
    if (got == 0)
        end_close(end);
    if (got <= 0)
        return got == 0;
    if ((size_t)got == end->len)
        return false;
    end->len = (size_t)got;
    size = request_size(end);
    FUZZ_CHECK(size || end->len < WIRE_REQUEST);
    if (size)
        answer(wire, end, size);
    return true;
}

bool wire_serve(struct wire *wire)
{
    bool moved = false;

    for (size_t i = 0; i < wire->n_ends; i++)
        moved |= serve_end(wire, &wire->ends[i]);
    return moved;
}

void wire_close(struct wire *wire)
{
    for (size_t i = 0; i < wire->n_ends; i++) {
        struct pollfd fd = {.fd = wire->ends[i].fd, .events = POLLIN};

        if (fd.fd < 0)
            continue;
        FUZZ_CHECK(poll(&fd, 1, 0) == 1 && (fd.revents & POLLHUP));
        end_close(&wire->ends[i]);
    }
    current = NULL;
}
