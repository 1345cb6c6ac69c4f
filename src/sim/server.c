#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "answer.h"
#include "weir/clock.h"
#include "wire.h"

#define MAX_CONNECTIONS   500u        /* well below 1,024 descriptors */
#define MAX_HEADER_MEMORY (64u << 10) /* bytes of a connection */
#define IDLE_SECONDS      60u         /* until an idle connection is closed */
/* Beyond this much a body is not even read to its end. */
#define MAX_SWALLOWED ((uint64_t)8 * SERVER_MAX_BODY)
/* A body over this size does not come along with its header fields: the
 * handler is asked before it is read. */
#define LARGE_BODY (16ul << 10)

enum exchange_state {
    EXCHANGE_NEW,     /* request line seen */
    EXCHANGE_ASKING,  /* suspended: shall the body be read? */
    EXCHANGE_ASKED,   /* resumed: yes */
    EXCHANGE_BODY,    /* reading the body */
    EXCHANGE_QUEUED,  /* suspended: the handler has not seen it */
    EXCHANGE_WAITING, /* suspended: answered, but not yet due */
    EXCHANGE_DUE      /* resumed: the answer may go out */
};

/* One request and its answer, from the request line to the last byte. */
struct exchange {
    struct exchange *prev, *next; /* in server->suspended */
    struct server *server;
    struct MHD_Connection *connection;
    enum exchange_state state;
    const char *method; /* the library's, as header names and values are */
    char *target;
    struct server_header *headers;
    size_t n_headers, cap_headers;
    struct weir_buf body;
    uint64_t body_seen; /* bytes, those swallowed as well */
    struct server_answer answer;
    struct wire wire;
    int fd;    /* while suspended */
    bool seen; /* the handler was asked */
    bool gone; /* nobody waits for the answer any more */
};

struct server {
    struct MHD_Daemon *daemon;
    server_handler_fn *handler;
    void *ud;
    const struct weir_clock *clock;
    struct exchange *suspended; /* oldest first */
    unsigned port;
    int fd;  /* listening; the library's once the daemon runs */
    int end; /* eventfd: readable when server_run shall return */
    struct pollfd fds[2 + MAX_CONNECTIONS];
};

/* ---- exchanges ---- */

static void exchange_link(struct exchange *e)
{
    struct exchange **at = &e->server->suspended;
    struct exchange *prev = NULL;

    while (*at) {
        prev = *at;
        at = &prev->next;
    }
    e->prev = prev;
    e->next = NULL;
    *at = e;
}

static void exchange_unlink(struct exchange *e)
{
    if (e->prev)
        e->prev->next = e->next;
    else if (e->server->suspended == e)
        e->server->suspended = e->next;
    if (e->next)
        e->next->prev = e->prev;
    e->prev = e->next = NULL;
}

static void exchange_free(struct exchange *e)
{
    exchange_unlink(e);
    server_answer_fini(&e->answer);
    weir_buf_fini(&e->body);
    free(e->headers);
    free(e->target);
    free(e);
}

/* Called with the request line, before anything is decoded: the only place
 * where the library shows the target as it was sent. */
static void *see_target(void *ud, const char *target,
                        struct MHD_Connection *connection)
{
    struct exchange *e = calloc(1, sizeof(*e));

    if (!e)
        return NULL;
    e->server = ud;
    e->connection = connection;
    weir_buf_init(&e->body, SERVER_MAX_BODY);
    server_answer_init(&e->answer);
    e->target = strdup(target);
    if (!e->target) {
        exchange_free(e);
        return NULL;
    }
    return e;
}

static void see_end(void *ud, struct MHD_Connection *connection, void **req_cls,
                    enum MHD_RequestTerminationCode how)
{
    (void)ud;
    (void)connection;
    (void)how;
    if (*req_cls)
        exchange_free(*req_cls);
    *req_cls = NULL;
}

static enum MHD_Result see_header(void *ud, enum MHD_ValueKind kind,
                                  const char *name, const char *value)
{
    struct exchange *e = ud;

    (void)kind;
    if (e->n_headers == e->cap_headers) {
        size_t cap = e->cap_headers ? e->cap_headers * 2 : 16;
        struct server_header *headers =
            realloc(e->headers, cap * sizeof(*headers));

        if (!headers)
            return MHD_NO;
        e->headers = headers;
        e->cap_headers = cap;
    }
    e->headers[e->n_headers++] =
        (struct server_header){name, value ? value : ""};
    return MHD_YES;
}

static enum MHD_Result take_body(struct exchange *e, const char *data,
                                 size_t len)
{
    e->body_seen += len;
    if (e->body_seen > MAX_SWALLOWED)
        return MHD_NO;
    /* A full buffer stays failed and the rest is only counted. */
    weir_buf_add(&e->body, data, len);
    return MHD_YES;
}

/* Suspends the request and lets the handler see it.  A client that closes its
 * sending side before it has the answer gets none. */
static void queue_for_handler(struct exchange *e, enum exchange_state state)
{
    const union MHD_ConnectionInfo *info = sim_mhd.get_connection_info(
        e->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

    e->fd = info->connect_fd;
    e->n_headers = 0;
    sim_mhd.get_connection_values(e->connection, MHD_HEADER_KIND, see_header,
                                  e);
    e->state = state;
    exchange_link(e);
    sim_mhd.suspend_connection(e->connection);
}

static bool has_large_body(struct MHD_Connection *connection)
{
    const char *length = sim_mhd.lookup_connection_value(
        connection, MHD_HEADER_KIND, "Content-Length");

    /* Of a chunked one nobody knows. */
    return sim_mhd.lookup_connection_value(connection, MHD_HEADER_KIND,
                                           "Transfer-Encoding") ||
           (length && strtoul(length, NULL, 10) > LARGE_BODY);
}

/* The library's access handler: called once with the header fields, then
 * with each piece of the body, then with none, and after each resume again. */
static enum MHD_Result see_request(void *ud, struct MHD_Connection *connection,
                                   const char *url, const char *method,
                                   const char *version, const char *data,
                                   size_t *len, void **req_cls)
{
    struct exchange *e = *req_cls;

    (void)ud;
    (void)url;
    (void)version;
    if (!e)
        return MHD_NO;
    switch (e->state) {
    case EXCHANGE_NEW:
        e->method = method;
        e->state = EXCHANGE_BODY;
        if (has_large_body(connection))
            queue_for_handler(e, EXCHANGE_ASKING);
        return MHD_YES;
    case EXCHANGE_ASKED:
        /* Resumed where it was suspended: the body is still to come. */
        e->state = EXCHANGE_BODY;
        return MHD_YES;
    case EXCHANGE_BODY:
        if (*len == 0) {
            queue_for_handler(e, EXCHANGE_QUEUED);
            return MHD_YES;
        }
        if (take_body(e, data, *len) != MHD_YES)
            return MHD_NO;
        *len = 0;
        return MHD_YES;
    case EXCHANGE_DUE:
        return e->gone ? MHD_NO : answer_queue(connection, &e->answer);
    case EXCHANGE_ASKING:
    case EXCHANGE_QUEUED:
    case EXCHANGE_WAITING: break;
    }
    return MHD_NO;
}

/* ---- listening ---- */

static enum weir_code listen_on(struct server *server, unsigned port,
                                struct weir_err *err)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int one = 1;

    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (server->fd < 0 ||
        setsockopt(server->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
        bind(server->fd, (struct sockaddr *)&address, len) ||
        listen(server->fd, SOMAXCONN) ||
        getsockname(server->fd, (struct sockaddr *)&address, &len)) {
        char text[128];

        weir_err_set(err, WEIR_IO, "cannot listen on 127.0.0.1:%u: %s", port,
                     strerror_r(errno, text, sizeof(text)));
        weir_err_hint(err, "port 0 takes any free port");
        return WEIR_IO;
    }
    server->port = ntohs(address.sin_port);
    return WEIR_OK;
}

static enum weir_code start_daemon(struct server *server, struct weir_err *err)
{
    errno = 0; /* the library has no other word for what went wrong */
    server->daemon = sim_mhd.start_daemon(
        /* The handler says what time it is: its clock may be another. */
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME |
            MHD_USE_SUPPRESS_DATE_NO_CLOCK,
        0, NULL, NULL, see_request, NULL, MHD_OPTION_LISTEN_SOCKET, server->fd,
        MHD_OPTION_CONNECTION_LIMIT, MAX_CONNECTIONS,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MAX_HEADER_MEMORY,
        MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
        MHD_OPTION_URI_LOG_CALLBACK, see_target, server,
        MHD_OPTION_NOTIFY_COMPLETED, see_end, NULL, MHD_OPTION_END);
    if (!server->daemon && errno == ENOMEM)
        return weir_err_nomem(err);
    if (!server->daemon)
        return weir_err_set(err, WEIR_IO, "cannot start the HTTP server");
    server->fd = -1;
    return WEIR_OK;
}

enum weir_code server_new(unsigned port, server_handler_fn *handler, void *ud,
                          struct server **out, struct weir_err *err)
{
    struct server *server;
    enum weir_code code = sim_mhd_load(err);

    if (code)
        return code;
    server = calloc(1, sizeof(*server));
    if (!server)
        return weir_err_nomem(err);
    server->handler = handler;
    server->ud = ud;
    server->clock = weir_clock_system();
    server->fd = -1;
    server->end = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    code = server->end < 0
               ? weir_err_set(err, WEIR_IO, "no descriptor left for a server")
               : listen_on(server, port, err);
    if (code == WEIR_OK)
        code = start_daemon(server, err);
    if (code != WEIR_OK) {
        server_free(server);
        return code;
    }
    *out = server;
    return WEIR_OK;
}

unsigned server_port(const struct server *server)
{
    return server->port;
}

/* ---- serving ---- */

static int64_t now(const struct server *server)
{
    return server->clock->now(server->clock->ud);
}

static void show_to_handler(struct server *server, struct exchange *e)
{
    struct server_request request = {
        .method = e->method,
        .target = e->target,
        .headers = e->headers,
        .n_headers = e->n_headers,
        .body = weir_buf_str(&e->body),
        .body_len = e->body.len,
        .too_large = e->body_seen > SERVER_MAX_BODY,
        .head_only = e->state == EXCHANGE_ASKING,
        .seen = e->seen,
    };

    server->handler(server->ud, &request, &e->answer);
    e->seen = true;
}

static void answer_queued(struct server *server)
{
    for (struct exchange *e = server->suspended; e; e = e->next) {
        if (e->state != EXCHANGE_QUEUED && e->state != EXCHANGE_ASKING)
            continue;
        show_to_handler(server, e);
        if (e->state == EXCHANGE_ASKING && e->answer.then == SERVER_ANSWER) {
            server_answer_fini(&e->answer);
            server_answer_init(&e->answer);
            e->state = EXCHANGE_ASKED;
            continue;
        }
        weir_buf_fini(&e->body);
        e->wire = (struct wire){.next = now(server) + e->answer.delay};
        e->state = EXCHANGE_WAITING;
    }
}

static void resume(struct exchange *e)
{
    exchange_unlink(e);
    if (e->state == EXCHANGE_WAITING) {
        wire_end(&e->answer, e->fd);
        e->state = EXCHANGE_DUE;
    }
    sim_mhd.resume_connection(e->connection);
}

/* Sends and resumes what is due by `time`.  Returns when to look again: at
 * once if anything was resumed, since the library notices that in its next
 * turn only and does not ask for one; when the next one is due; or -1 for
 * never. */
static int64_t resume_due(struct server *server, int64_t time)
{
    int64_t nearest = -1;
    bool resumed = false;
    struct exchange *next;

    for (struct exchange *e = server->suspended; e; e = next) {
        next = e->next;
        if (e->state == EXCHANGE_ASKED || e->gone ||
            wire_advance(&e->wire, &e->answer, e->fd, time)) {
            resume(e);
            resumed = true;
        } else if (!e->wire.full && (nearest < 0 || e->wire.next < nearest)) {
            nearest = e->wire.next;
        }
    }
    return resumed ? time : nearest;
}

static int wait_milliseconds(struct server *server, int64_t nearest)
{
    MHD_UNSIGNED_LONG_LONG library;
    int64_t ms = -1;

    if (nearest >= 0) {
        ms = nearest - now(server);
        ms = ms < 0 ? 0 : ms;
    }
    if (sim_mhd.get_timeout(server->daemon, &library) == MHD_YES &&
        (ms < 0 || library < (MHD_UNSIGNED_LONG_LONG)ms))
        ms = (int64_t)library;
    return ms > 60000 ? 60000 : (int)ms;
}

/* The library does not look at suspended connections: whether their clients
 * are still there, and ready for more, is seen here. */
static void wait_for_something(struct server *server, int milliseconds)
{
    nfds_t n = 2;

    for (const struct exchange *e = server->suspended; e; e = e->next)
        server->fds[n++] = (struct pollfd){
            .fd = e->fd,
            .events = (short)(POLLRDHUP | (e->wire.full ? POLLOUT : 0))};
    poll(server->fds, n, milliseconds);
    n = 2;
    for (struct exchange *e = server->suspended; e; e = e->next) {
        short seen = server->fds[n++].revents;

        e->gone = (seen & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
        if (seen & POLLOUT)
            e->wire.full = false;
    }
}

void server_run(struct server *server)
{
    const union MHD_DaemonInfo *info =
        sim_mhd.get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);

    server->fds[0] = (struct pollfd){.fd = info->epoll_fd, .events = POLLIN};
    server->fds[1] = (struct pollfd){.fd = server->end, .events = POLLIN};
    do {
        int64_t nearest;

        sim_mhd.run(server->daemon);
        answer_queued(server);
        nearest = resume_due(server, now(server));
        wait_for_something(server, wait_milliseconds(server, nearest));
    } while (!server->fds[1].revents);
}

void server_end(struct server *server)
{
    /* An eventfd takes a count of one at any time; nothing can fail here. */
    (void)!write(server->end, &(uint64_t){1}, sizeof(uint64_t));
}

void server_free(struct server *server)
{
    if (!server)
        return;
    if (server->daemon) {
        /* The library must not be stopped with suspended connections. */
        while (server->suspended)
            resume(server->suspended);
        sim_mhd.stop_daemon(server->daemon);
    }
    if (server->fd >= 0)
        close(server->fd);
    if (server->end >= 0)
        close(server->end);
    free(server);
}
