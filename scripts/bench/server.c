/*
 * server: the other side of bench-http.  One thread, epoll, HTTP/1.1 with and
 * without TLS; answers what the event-processing API would, from memory, as
 * cheaply as it can, so that what is measured is the client.
 *
 * usage: server CERT KEY     prints "PORT PORT" (http, https), then serves
 *
 * A filter that was never created is a stock one; a PUT needs its ETag; the
 * audit log has as many entries as its page size says, on 2,000 pages.
 * GET /_bench/reset tells how many requests and connections there were and
 * how many of these resumed a TLS session, and forgets them and all filters;
 * it does not count itself.  With ?latency=20 each answer from now on comes
 * after 10 to 30 ms, chosen anew for each, as a server's does that is far away;
 * without, at once.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#define AUDIT_PAGES 2000
#define MAX_FILTERS 100000
#define MAX_EVENTS  256

struct text {
    char *data;
    size_t len, room;
};

struct connection {
    int fd;
    SSL *ssl; /* NULL: plain */
    struct text in, out;
    size_t sent;
    bool counted, wants_out, closing;
    bool held;               /* its answer is not due yet */
    struct connection *next; /* held until the same millisecond */
};

struct request {
    const char *method, *path, *query; /* query: "" if there is none */
    const char *head;
    const char *body;
    size_t body_len;
};

struct filter {
    char *definition; /* the members, without braces; NULL: stock */
    unsigned version;
};

static const char stock[] =
    "\"name\":\"bench_stock\",\"description\":\"premium customers in chat\","
    "\"channel\":\"chat\",\"matchers\":["
    "{\"attribute\":\"customer.tier\",\"operator\":\"equals\","
    "\"value\":\"gold\"},"
    "{\"attribute\":\"queue.wait_seconds\",\"operator\":\"greater_than\","
    "\"value\":45},"
    "{\"attribute\":\"customer.region\",\"operator\":\"in\","
    "\"value\":[\"emea\",\"apac\",\"latam\"]},"
    "{\"attribute\":\"contact.score\",\"operator\":\"less_than\","
    "\"value\":0.75}],"
    "\"pattern_rules\":[{\"type\":\"regex\",\"field\":\"agent.skill_id\","
    "\"pattern\":\"^skill_premium_.*$\"},"
    "{\"type\":\"prefix\",\"field\":\"contact.source\","
    "\"pattern\":\"web_\"}],"
    "\"target_group_id\":\"grp_bench\"";

static struct filter filters[MAX_FILTERS];
static unsigned n_created;
static struct {
    unsigned long requests, connections, resumed;
} stats;
static int poller;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* ---- texts ---- */

static void reserve(struct text *text, size_t more)
{
    if (text->len + more <= text->room)
        return;
    text->room = 2 * (text->len + more);
    text->data = realloc(text->data, text->room);
    if (!text->data)
        die("server");
}

static void add(struct text *text, const char *bytes, size_t len)
{
    reserve(text, len);
    memcpy(text->data + text->len, bytes, len);
    text->len += len;
}

__attribute__((format(printf, 2, 3))) static void addf(struct text *text,
                                                       const char *fmt, ...)
{
    va_list args;
    int len;

    reserve(text, 1024);
    va_start(args, fmt);
    len = vsnprintf(text->data + text->len, 1024, fmt, args);
    va_end(args);
    text->len += (size_t)len;
}

/* ---- answers ---- */

static struct text body; /* of the answer that is being made */

/* Connections by the millisecond in which their answer is due. */
#define WHEEL 1024
static struct connection *wheel[WHEEL];
static long turned; /* milliseconds; the next place to look at */
static unsigned n_held;
static unsigned latency; /* milliseconds on average */

static void answer(struct connection *c, const char *status, const char *etag)
{
    addf(&c->out,
         "HTTP/1.1 %s\r\n"
         "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
         "Content-Type: application/json\r\n"
         "X-Request-Id: req-%lu\r\n",
         status, stats.requests);
    if (etag)
        addf(&c->out, "ETag: %s\r\n", etag);
    addf(&c->out, "Content-Length: %zu\r\n\r\n", body.len);
    add(&c->out, body.data, body.len);
}

static void answer_error(struct connection *c, const char *status)
{
    addf(&body, "{\"message\":\"%s\"}", status);
    answer(c, status, NULL);
}

static void answer_filter(struct connection *c, const char *status, unsigned id)
{
    const struct filter *f = &filters[id];
    const char *definition = f->definition ? f->definition : stock;
    char etag[32];

    snprintf(etag, sizeof(etag), "\"v%u-%u\"", id, f->version);
    addf(&body,
         "{\"id\":\"flt_%u\",\"etag\":\"\\\"v%u-%u\\\"\",\"version\":%u,"
         "\"status\":\"ACTIVE\",\"created_at\":\"2026-01-01T00:00:00Z\","
         "\"updated_at\":\"2026-01-02T00:00:00Z\",",
         id, id, f->version, f->version + 1);
    add(&body, definition, strlen(definition));
    add(&body, "}", 1);
    answer(c, status, etag);
}

static bool keep(unsigned id, const struct request *r)
{
    struct filter *f = &filters[id];

    if (r->body_len < 2 || r->body[0] != '{' || r->body[r->body_len - 1] != '}')
        return false;
    free(f->definition);
    f->definition = strndup(r->body + 1, r->body_len - 2);
    return true;
}

static void create(struct connection *c, const struct request *r)
{
    /* Stock filters have the lower half of the ids. */
    unsigned id = MAX_FILTERS / 2 + n_created++ % (MAX_FILTERS / 2);

    filters[id].version = 0;
    if (keep(id, r))
        answer_filter(c, "201 Created", id);
    else
        answer_error(c, "400 Bad Request");
}

static const char *header(const struct request *r, const char *name)
{
    size_t len = strlen(name);

    for (const char *line = strchr(r->head, '\n'); line;
         line = strchr(line, '\n')) {
        line++;
        if (strncasecmp(line, name, len) == 0 && line[len] == ':')
            return line + len + 1 + strspn(line + len + 1, " ");
    }
    return NULL;
}

static void update(struct connection *c, const struct request *r, unsigned id)
{
    const char *given = header(r, "If-Match");
    char etag[32];
    int len =
        snprintf(etag, sizeof(etag), "\"v%u-%u\"", id, filters[id].version);

    if (!given) {
        answer_error(c, "428 Precondition Required");
    } else if (strncmp(given, etag, (size_t)len) != 0) {
        answer_error(c, "412 Precondition Failed");
    } else if (!keep(id, r)) {
        answer_error(c, "400 Bad Request");
    } else {
        filters[id].version++;
        answer_filter(c, "200 OK", id);
    }
}

static unsigned parameter(const struct request *r, const char *name,
                          unsigned otherwise)
{
    const char *at = strstr(r->query, name);

    return at ? (unsigned)strtoul(at + strlen(name), NULL, 10) : otherwise;
}

static void audit(struct connection *c, const struct request *r)
{
    unsigned size = parameter(r, "page_size=", 50);
    unsigned page = parameter(r, "cursor=", 0);

    addf(&body, "{\"entries\":[");
    for (unsigned i = 0; i < size; i++) {
        unsigned n = page * size + i;

        addf(&body,
             "%s{\"id\":\"aud_%08u\",\"time\":\"2026-01-%02uT%02u:%02u:00Z\","
             "\"actor\":\"user_%u@example.com\",\"action\":\"filter.update\","
             "\"filter_id\":\"flt_%u\",\"version\":%u,\"ok\":true,"
             "\"changes\":[{\"path\":\"/description\",\"from\":\"before\","
             "\"to\":\"after\"}],\"duration\":%u.5}",
             i ? "," : "", n, n % 28 + 1, n % 24, n % 60, n % 97, n % 5000, n,
             n % 300);
    }
    if (page + 1 < AUDIT_PAGES)
        addf(&body, "],\"next_cursor\":\"%u\"}", page + 1);
    else
        addf(&body, "],\"next_cursor\":null}");
    answer(c, "200 OK", NULL);
}

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static void one_filter(struct connection *c, const struct request *r,
                       const char *rest)
{
    char *end;
    unsigned long id = strncmp(rest, "flt_", 4) == 0
                           ? strtoul(rest + 4, &end, 10)
                           : MAX_FILTERS;

    if (id >= MAX_FILTERS) {
        answer_error(c, "404 Not Found");
    } else if (is(end, "/status")) {
        addf(&body, "{\"status\":\"ACTIVE\"}");
        answer(c, "200 OK", NULL);
    } else if (is(r->method, "GET")) {
        answer_filter(c, "200 OK", (unsigned)id);
    } else if (is(r->method, "PUT")) {
        update(c, r, (unsigned)id);
    } else {
        answer_error(c, "405 Method Not Allowed");
    }
}

/* Every run begins with the same filters. */
static void reset(struct connection *c, const struct request *r)
{
    latency = parameter(r, "latency=", 0);
    if (latency > WHEEL / 2)
        latency = WHEEL / 2;
    addf(&body, "{\"requests\":%lu,\"connections\":%lu,\"resumed\":%lu}",
         stats.requests, stats.connections, stats.resumed);
    answer(c, "200 OK", NULL);
    stats.requests = stats.connections = stats.resumed = 0;
    for (size_t i = 0; i < MAX_FILTERS; i++)
        free(filters[i].definition);
    memset(filters, 0, sizeof(filters));
    n_created = 0;
}

static void serve(struct connection *c, const struct request *r)
{
    static const char api[] = "/api/v2/event-processing/filters";
    const size_t api_len = sizeof(api) - 1;

    body.len = 0;
    if (is(r->path, "/_bench/reset")) {
        reset(c, r);
        return;
    }
    stats.requests++;
    if (!c->counted) {
        c->counted = true;
        stats.connections++;
        stats.resumed += c->ssl && SSL_session_reused(c->ssl);
    }
    if (strstr(r->path, "/token")) {
        addf(&body, "{\"access_token\":\"bench-token-0123456789abcdef\","
                    "\"token_type\":\"Bearer\",\"expires_in\":3600}");
        answer(c, "200 OK", NULL);
    } else if (is(r->path, "/api/v2/event-processing/audit-logs")) {
        audit(c, r);
    } else if (strstr(r->path, "/filter-groups/")) {
        addf(&body, "{\"added\":1}");
        answer(c, "200 OK", NULL);
    } else if (strncmp(r->path, api, api_len) != 0) {
        answer_error(c, "404 Not Found");
    } else if (is(r->path + api_len, "/validate")) {
        addf(&body, "{\"valid\":true}");
        answer(c, "200 OK", NULL);
    } else if (r->path[api_len] == '/') {
        one_filter(c, r, r->path + api_len + 1);
    } else {
        create(c, r);
    }
}

/* ---- requests ---- */

/* Serves the first request of `in` if it is whole; returns its length. */
static size_t take_request(struct connection *c)
{
    char *end, *space, *version, *query;
    const char *length;
    struct request r = {.query = ""};
    size_t head;

    reserve(&c->in, 1);
    c->in.data[c->in.len] = '\0';
    end = strstr(c->in.data, "\r\n\r\n");
    if (!end)
        return 0;
    head = (size_t)(end - c->in.data) + 4;
    r.head = c->in.data;
    length = header(&r, "Content-Length");
    r.body_len = length ? strtoul(length, NULL, 10) : 0;
    if (c->in.len < head + r.body_len)
        return 0;
    r.body = c->in.data + head;
    r.method = c->in.data;
    space = strchr(c->in.data, ' ');
    version = space ? strchr(space + 1, ' ') : NULL;
    if (!version || version > end) {
        c->closing = true;
        return 0;
    }
    r.path = space + 1;
    *space = *version = '\0';
    r.head = version + 1;
    query = strchr(r.path, '?');
    if (query) {
        *query = '\0';
        r.query = query + 1;
    }
    serve(c, &r);
    return head + r.body_len;
}

static void take_requests(struct connection *c)
{
    size_t used;

    while (!c->closing && (used = take_request(c)) > 0) {
        c->in.len -= used;
        memmove(c->in.data, c->in.data + used, c->in.len);
    }
}

/* ---- connections ---- */

/* More bytes, 0 for "not now"; an end sets `closing`. */
static size_t receive(struct connection *c)
{
    ssize_t n;

    reserve(&c->in, 16384);
    if (c->ssl) {
        ERR_clear_error();
        n = SSL_read(c->ssl, c->in.data + c->in.len, 16383);
        if (n <= 0) {
            int why = SSL_get_error(c->ssl, (int)n);

            c->closing |=
                why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE;
            return 0;
        }
    } else {
        n = recv(c->fd, c->in.data + c->in.len, 16383, 0);
        if (n <= 0) {
            c->closing |= n == 0 || errno != EAGAIN;
            return 0;
        }
    }
    c->in.len += (size_t)n;
    return (size_t)n;
}

static void flush(struct connection *c)
{
    while (c->sent < c->out.len) {
        const char *from = c->out.data + c->sent;
        size_t left = c->out.len - c->sent;
        ssize_t n;

        ERR_clear_error();
        n = c->ssl ? SSL_write(c->ssl, from, (int)left)
                   : send(c->fd, from, left, MSG_NOSIGNAL);
        if (n <= 0) {
            c->closing |=
                c->ssl ? SSL_get_error(c->ssl, (int)n) != SSL_ERROR_WANT_WRITE
                       : errno != EAGAIN;
            break;
        }
        c->sent += (size_t)n;
    }
    if (c->sent == c->out.len)
        c->sent = c->out.len = 0;
}

static void watch(struct connection *c, int how)
{
    struct epoll_event event = {
        .events = EPOLLIN | (c->out.len ? EPOLLOUT : 0u), .data.ptr = c};

    c->wants_out = c->out.len > 0;
    if (epoll_ctl(poller, how, c->fd, &event))
        die("epoll_ctl");
}

static void end(struct connection *c)
{
    SSL_free(c->ssl);
    close(c->fd);
    free(c->in.data);
    free(c->out.data);
    free(c);
}

static void send_answer(struct connection *c)
{
    flush(c);
    if (c->closing)
        end(c);
    else if (c->wants_out != (c->out.len > 0))
        watch(c, EPOLL_CTL_MOD);
}

/* ---- latency ---- */

static long now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void hold(struct connection *c)
{
    /* At least one, since this millisecond has been looked at. */
    unsigned wait = latency / 2 + 1 + (unsigned)rand() % latency;
    long now = now_ms();
    struct connection **slot = &wheel[(now + wait) % WHEEL];

    if (n_held++ == 0)
        turned = now;
    c->held = true;
    c->next = *slot;
    *slot = c;
}

/* Sends what has become due. */
static void turn_wheel(void)
{
    for (long now = now_ms(); n_held > 0 && turned <= now; turned++) {
        struct connection *c = wheel[turned % WHEEL], *next;

        wheel[turned % WHEEL] = NULL;
        for (; c; c = next) {
            next = c->next;
            c->held = false;
            n_held--;
            send_answer(c);
        }
    }
}

static void turn(struct connection *c)
{
    /* It asks one thing after the other: now it could only go. */
    if (c->held)
        return;
    while (receive(c) > 0)
        ;
    take_requests(c);
    if (latency && c->out.len > 0 && !c->closing)
        hold(c);
    else
        send_answer(c);
}

static void accept_all(int listener, SSL_CTX *tls)
{
    int fd;

    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >=
           0) {
        struct connection *c = calloc(1, sizeof(*c));
        int one = 1;

        if (!c)
            die("server");
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        c->fd = fd;
        if (tls) {
            c->ssl = SSL_new(tls);
            SSL_set_fd(c->ssl, fd);
            SSL_set_accept_state(c->ssl);
        }
        watch(c, EPOLL_CTL_ADD);
    }
}

static int listen_on(unsigned short *port)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(to);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&to, sizeof(to)) ||
        listen(fd, 512) || getsockname(fd, (struct sockaddr *)&to, &len))
        die("listen");
    *port = ntohs(to.sin_port);
    return fd;
}

static SSL_CTX *make_tls(const char *cert, const char *key)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());

    if (!tls ||
        SSL_CTX_use_certificate_file(tls, cert, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1) {
        ERR_print_errors_fp(stderr);
        exit(1);
    }
    SSL_CTX_set_session_id_context(tls, (const unsigned char *)"bench", 5);
    SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return tls;
}

int main(int argc, char **argv)
{
    unsigned short port[2];
    int listener[2];
    SSL_CTX *tls;

    if (argc != 3) {
        fprintf(stderr, "usage: server CERT KEY\n");
        return 64;
    }
    tls = make_tls(argv[1], argv[2]);
    poller = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < 2; i++) {
        struct epoll_event event = {.events = EPOLLIN,
                                    .data.ptr = &listener[i]};

        listener[i] = listen_on(&port[i]);
        if (epoll_ctl(poller, EPOLL_CTL_ADD, listener[i], &event))
            die("epoll_ctl");
    }
    printf("%u %u\n", port[0], port[1]);
    fflush(stdout);
    for (;;) {
        struct epoll_event events[MAX_EVENTS];
        int n = epoll_wait(poller, events, MAX_EVENTS, n_held ? 1 : -1);

        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr == &listener[0])
                accept_all(listener[0], NULL);
            else if (events[i].data.ptr == &listener[1])
                accept_all(listener[1], tls);
            else
                turn(events[i].data.ptr);
        }
        turn_wheel();
    }
}
