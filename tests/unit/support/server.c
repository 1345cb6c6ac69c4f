#include "server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 256
#define REQUESTS_MAX    4096

struct connection {
    struct server *server;
    pthread_t thread;
    int fd; /* -1 when closed */
};

struct server {
    const struct server_step *steps;
    size_t n_steps;
    bool each;
    int listener;
    int port;
    pthread_t thread;
    pthread_mutex_t lock; /* everything below */
    bool stopping, going_on;
    pthread_cond_t changed; /* one of these two */
    struct connection connections[CONNECTIONS_MAX];
    size_t n_connections;
    char *requests[REQUESTS_MAX];
    size_t lengths[REQUESTS_MAX];
    size_t n_requests;
    char urls[8][512];
    unsigned next_url;
};

/* ---- connections ---- */

/* The next connection, or NULL when the server is to stop. */
static struct connection *accept_one(struct server *server)
{
    int fd = accept(server->listener, NULL, NULL);
    struct connection *connection = NULL;

    if (fd < 0)
        return NULL;
    pthread_mutex_lock(&server->lock);
    if (!server->stopping && server->n_connections < CONNECTIONS_MAX) {
        connection = &server->connections[server->n_connections++];
        *connection = (struct connection){.server = server, .fd = fd};
    }
    pthread_mutex_unlock(&server->lock);
    if (!connection)
        close(fd);
    return connection;
}

static void close_one(struct connection *connection, bool reset)
{
    struct linger linger = {.l_onoff = 1};

    pthread_mutex_lock(&connection->server->lock);
    if (connection->fd >= 0) {
        if (reset)
            setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &linger,
                       sizeof(linger));
        close(connection->fd);
    }
    connection->fd = -1;
    pthread_mutex_unlock(&connection->server->lock);
}

/* ---- steps ---- */

static void keep_request(struct server *server, char *text, size_t len)
{
    pthread_mutex_lock(&server->lock);
    if (server->n_requests < REQUESTS_MAX) {
        server->lengths[server->n_requests] = len;
        server->requests[server->n_requests++] = text;
        text = NULL;
    }
    pthread_mutex_unlock(&server->lock);
    free(text);
}

/* Bytes of the whole request whose beginning is `text`, 0 if its head is not
 * complete yet. */
static size_t request_size(const char *text)
{
    const char *end = strstr(text, "\r\n\r\n");
    const char *length = strcasestr(text, "\r\nContent-Length:");

    if (!end)
        return 0;
    return (size_t)(end - text) + 4 +
           (length && length < end ? strtoul(length + 17, NULL, 10) : 0);
}

/* Reads one request; false when the client has closed.  Byte by byte for
 * the head, so that nothing of the next request is taken. */
static bool read_request(struct connection *connection)
{
    size_t cap = 1024, len = 0, size = 0;
    char *text = calloc(1, cap);

    while (text && (size == 0 || len < size)) {
        ssize_t got =
            recv(connection->fd, text + len, size == 0 ? 1 : size - len, 0);

        if (got <= 0)
            break;
        len += (size_t)got;
        text[len] = '\0';
        if (size == 0)
            size = request_size(text);
        if (len + 1 >= cap || size + 1 >= cap) {
            cap = 2 * (size > len ? size : len) + 2;
            text = realloc(text, cap);
        }
    }
    if (size > 0 && len == size) {
        keep_request(connection->server, text, len);
        return true;
    }
    free(text);
    return false;
}

static bool send_bytes(struct connection *connection,
                       const struct server_step *step)
{
    size_t times = step->times ? step->times : 1;

    for (size_t i = 0; i < times; i++) {
        for (size_t done = 0; done < step->len;) {
            ssize_t sent = send(connection->fd, step->bytes + done,
                                step->len - done, MSG_NOSIGNAL);

            if (sent <= 0)
                return false;
            done += (size_t)sent;
        }
    }
    return true;
}

static void hang(struct connection *connection)
{
    char bytes[4096];

    while (recv(connection->fd, bytes, sizeof(bytes), 0) > 0)
        ;
}

static void sleep_ms(size_t ms)
{
    struct timespec time = {.tv_sec = (time_t)(ms / 1000),
                            .tv_nsec = (long)(ms % 1000) * 1000000};

    nanosleep(&time, NULL);
}

/* False when the server is to stop. */
static bool await(struct server *server)
{
    bool stopping;

    pthread_mutex_lock(&server->lock);
    while (!server->going_on && !server->stopping)
        pthread_cond_wait(&server->changed, &server->lock);
    stopping = server->stopping;
    pthread_mutex_unlock(&server->lock);
    return !stopping;
}

/* Does one step; false when the connection is gone. */
static bool run_step(struct connection *connection,
                     const struct server_step *step)
{
    switch (step->what) {
    case SERVER_READ: return read_request(connection);
    case SERVER_SEND: return send_bytes(connection, step);
    case SERVER_SLEEP: sleep_ms(step->times); return true;
    case SERVER_AWAIT: return await(connection->server);
    case SERVER_HANG: hang(connection); return false;
    case SERVER_RESET: close_one(connection, true); return false;
    case SERVER_CLOSE: return false;
    case SERVER_AGAIN: return true;
    }
    return false;
}

/* Runs from step `i` on; returns the step to go on with on another
 * connection. */
static size_t run_steps(struct connection *connection, size_t i)
{
    const struct server *server = connection->server;
    bool alive = true;

    while (alive && i < server->n_steps) {
        const struct server_step *step = &server->steps[i];

        alive = run_step(connection, step);
        /* A client that closes between requests has read nothing of this
         * step: it is done again on its next connection. */
        if (!alive && step->what == SERVER_READ)
            break;
        i = step->what == SERVER_AGAIN ? 0 : i + 1;
    }
    if (alive)
        hang(connection);
    close_one(connection, false);
    return i;
}

/* ---- threads ---- */

static void *connection_thread(void *ud)
{
    run_steps(ud, 0);
    return NULL;
}

static void *server_thread(void *ud)
{
    struct server *server = ud;
    struct connection *connection;
    size_t i = 0;

    while ((connection = accept_one(server)) != NULL) {
        if (!server->each)
            i = run_steps(connection, i);
        else if (pthread_create(&connection->thread, NULL, connection_thread,
                                connection))
            abort();
    }
    return NULL;
}

static struct server *begin(const struct server_step *steps, size_t n,
                            bool each)
{
    struct server *server = calloc(1, sizeof(*server));
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof(address);

    assert_non_null(server);
    *server = (struct server){.steps = steps, .n_steps = n, .each = each};
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->changed, NULL);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(server->listener >= 0);
    assert_int_equal(bind(server->listener, (struct sockaddr *)&address, size),
                     0);
    assert_int_equal(listen(server->listener, 128), 0);
    assert_int_equal(
        getsockname(server->listener, (struct sockaddr *)&address, &size), 0);
    server->port = ntohs(address.sin_port);
    assert_int_equal(
        pthread_create(&server->thread, NULL, server_thread, server), 0);
    return server;
}

struct server *server_start(const struct server_step *steps, size_t n)
{
    return begin(steps, n, false);
}

struct server *server_each(const struct server_step *steps, size_t n)
{
    return begin(steps, n, true);
}

void server_stop(struct server *server)
{
    pthread_mutex_lock(&server->lock);
    server->stopping = true;
    pthread_cond_broadcast(&server->changed);
    shutdown(server->listener, SHUT_RDWR);
    for (size_t i = 0; i < server->n_connections; i++) {
        if (server->connections[i].fd >= 0)
            shutdown(server->connections[i].fd, SHUT_RDWR);
    }
    pthread_mutex_unlock(&server->lock);
    pthread_join(server->thread, NULL);
    for (size_t i = 0; server->each && i < server->n_connections; i++)
        pthread_join(server->connections[i].thread, NULL);
    close(server->listener);
    for (size_t i = 0; i < server->n_requests; i++)
        free(server->requests[i]);
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

void server_go_on(struct server *server)
{
    pthread_mutex_lock(&server->lock);
    server->going_on = true;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
}

/* ---- looking ---- */

int server_port(const struct server *server)
{
    return server->port;
}

const char *server_url(struct server *server, const char *path)
{
    char *url = server->urls[server->next_url++ % 8];

    snprintf(url, sizeof(server->urls[0]), "http://127.0.0.1:%d%s",
             server->port, path);
    return url;
}

const char *server_request(struct server *server, size_t n, size_t *len)
{
    const char *text = NULL;

    pthread_mutex_lock(&server->lock);
    if (n < server->n_requests) {
        text = server->requests[n];
        if (len)
            *len = server->lengths[n];
    }
    pthread_mutex_unlock(&server->lock);
    return text;
}

size_t server_requests(struct server *server)
{
    size_t n;

    pthread_mutex_lock(&server->lock);
    n = server->n_requests;
    pthread_mutex_unlock(&server->lock);
    return n;
}

size_t server_connections(struct server *server)
{
    size_t n;

    pthread_mutex_lock(&server->lock);
    n = server->n_connections;
    pthread_mutex_unlock(&server->lock);
    return n;
}
