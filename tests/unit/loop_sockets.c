/* loop: what a turn waits for, over real sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <curl/curl.h>
#include <dlfcn.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "support/http_ask.h"
#include "support/server.h"
#include "weir/http.h"
#include "weir/loop.h"

#define MANY 60

/* ---- counting what is asked of the system ---- */

static unsigned long polls, in_vain;

/* So long nothing is ready only where nobody looks at what is. */
#define LONG_MS 5000

/* Stands in for the C library's, for libcurl's calls too.  The server's thread
 * has waits of its own. */
static _Thread_local bool counted;

int poll(struct pollfd *fds, nfds_t n, int timeout)
{
    static int (*real)(struct pollfd *, nfds_t, int);
    int ready;

    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "poll");
    ready = real(fds, n, timeout);
    polls += counted;
    in_vain += counted && timeout == LONG_MS && ready == 0;
    return ready;
}

/* ---- libcurl without memory ---- */

static bool starved;
static unsigned long actions;

/* Stands in for libcurl's. */
CURLMcode curl_multi_socket_action(CURLM *multi, curl_socket_t fd, int events,
                                   int *running)
{
    static CURLMcode (*real)(CURLM *, curl_socket_t, int, int *);

    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "curl_multi_socket_action");
    actions++;
    return starved ? CURLM_OUT_OF_MEMORY : real(multi, fd, events, running);
}

/* ---- many requests ---- */

static void ignore(void *ud, struct weir_op *op)
{
    (void)ud;
    (void)op;
}

/* Turns until the server has got that many. */
static void until_asked(struct weir_loop *loop, struct server *server, size_t n)
{
    for (int turns = 0; turns < 2000 && server_requests(server) < n; turns++)
        assert_int_equal(weir_loop_turn(loop, 5, NULL), WEIR_OK);
    assert_int_equal(server_requests(server), n);
}

/* Each answer is looked at as it comes; libcurl's own deadlines would find it,
 * too, after ten seconds. */
static void until_done(struct weir_loop *loop)
{
    in_vain = 0;
    counted = true;
    while (!weir_loop_idle(loop))
        assert_int_equal(weir_loop_turn(loop, LONG_MS, NULL), WEIR_OK);
    counted = false;
    assert_int_equal(in_vain, 0);
}

static void a_turn_asks_about_what_is_ready(void **state)
{
    static const struct server_step silent[] = {READ, HANG};
    static const struct server_step quick[] = {READ, SEND(OK_HI), AGAIN};
    struct weir_loop *loop = *state;
    struct server *waiting = SERVER_EACH(silent), *server = SERVER(quick);
    struct weir_op *ops[MANY], *op;
    int done = 0;

    begin_many(loop, server_url(waiting, "/"), ops, MANY, &done);
    until_asked(loop, waiting, MANY);
    polls = 0;
    counted = true;
    for (int i = 0; i < 20; i++) {
        op = got(loop, server_url(server, "/"));
        assert_body(op, 200, "hi");
        weir_op_free(op);
    }
    counted = false;
    /* Not about the sixty, each time: a request has a few of its own. */
    assert_in_range(polls, 20, 20 * 10);
    assert_int_equal(done, 0);
    for (int i = 0; i < MANY; i++)
        weir_op_free(ops[i]);
    server_stop(server);
    server_stop(waiting);
}

static void what_is_given_up_leaves_the_others_alone(void **state)
{
    static const struct server_step script[] = {READ, AWAIT, SEND(OK_HI),
                                                AGAIN};
    struct weir_loop *loop = *state;
    struct server *server = SERVER_EACH(script);
    struct weir_op *ops[MANY];
    int done = 0;

    begin_many(loop, server_url(server, "/"), ops, MANY, &done);
    until_asked(loop, server, MANY);
    for (int i = 0; i < MANY; i += 2)
        weir_op_free(ops[i]);
    server_go_on(server);
    until_done(loop);
    assert_int_equal(done, MANY / 2);
    for (int i = 1; i < MANY; i += 2) {
        assert_body(ops[i], 200, "hi");
        weir_op_free(ops[i]);
    }
    server_stop(server);
}

/* Its own deadlines are libcurl's to watch: a turn waits no longer. */
static void libcurl_is_asked_when_its_time_is_up(void **state)
{
    static const struct server_step script[] = {HANG};
    struct weir_loop *loop = *state;
    struct server *server = SERVER(script);
    struct weir_http_request request = {.method = "GET",
                                        .limits = {.connect_timeout_ms = 50}};
    struct weir_op *op = NULL;
    char url[64];

    snprintf(url, sizeof(url), "https://127.0.0.1:%d/", server_port(server));
    request.url = url;
    assert_int_equal(weir_http_new(loop, &request, &op, NULL), WEIR_OK);
    weir_op_start(op, ignore, NULL);
    until_done(loop);
    assert_int_equal(weir_op_code(op), WEIR_TIMEOUT);
    weir_op_free(op);
    server_stop(server);
}

/* A task that computes in slices has no time to wait either. */
static void what_is_ready_is_seen_by_turns_that_cannot_wait(void **state)
{
    static const struct server_step script[] = {READ, SEND(OK_HI), AGAIN};
    struct weir_loop *loop = *state;
    struct server *server = SERVER(script);
    struct weir_op *op;
    int done = 0, turns = 0;

    begin_many(loop, server_url(server, "/"), &op, 1, &done);
    for (; turns < 100 && !done; turns++) {
        assert_int_equal(weir_loop_turn(loop, 0, NULL), WEIR_OK);
        usleep(50 * 1000); /* for the server, also on a busy machine */
    }
    /* To connect, to read, and to tell. */
    assert_in_range(turns, 1, 6);
    assert_body(op, 200, "hi");
    weir_op_free(op);
    server_stop(server);
}

/* After it, libcurl 7.88 would divide by zero. */
static void libcurl_is_not_asked_again_when_it_had_no_memory(void **state)
{
    static const struct server_step script[] = {READ, SEND(OK_HI), AGAIN};
    struct weir_loop *loop = *state;
    struct server *server = SERVER(script);
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_op *op;
    unsigned long before;
    int done = 0;

    begin_many(loop, server_url(server, "/"), &op, 1, &done);
    starved = true;
    assert_int_equal(weir_loop_turn(loop, 0, &err), WEIR_NOMEM);
    assert_string_equal(err.message, "out of memory");
    starved = false;
    before = actions;
    for (int i = 0; i < 3; i++)
        assert_int_equal(weir_loop_turn(loop, 0, NULL), WEIR_NOMEM);
    assert_int_equal(actions, before);
    assert_int_equal(done, 0);
    weir_op_free(op);
    server_stop(server);
    weir_err_clear(&err);
}

/* ---- extra descriptors, beside sockets ---- */

struct meddler {
    struct weir_loop *loop;
    struct server *server;
    struct weir_watch watch;
    struct weir_op **ops;
    int fd, given_up, done;
    struct weir_op *new[MANY];
};

/* Gives some up and begins others, all in the middle of a wait. */
static void meddle(void *ud)
{
    struct meddler *m = ud;
    char byte;

    assert_int_equal(read(m->fd, &byte, 1), 1);
    for (int i = 0; i < m->given_up; i++)
        weir_op_free(m->ops[i]);
    begin_many(m->loop, server_url(m->server, "/"), m->new, MANY, &m->done);
    weir_watch_stop(&m->watch);
}

static void a_handler_may_begin_and_give_up_requests(void **state)
{
    static const struct server_step script[] = {READ, AWAIT, SEND(OK_HI),
                                                AGAIN};
    struct weir_loop *loop = *state;
    struct server *server = SERVER_EACH(script);
    struct weir_op *ops[MANY];
    struct meddler m = {
        .loop = loop, .server = server, .ops = ops, .given_up = 10};
    int done = 0, fds[2];

    assert_int_equal(pipe(fds), 0);
    m.fd = fds[0];
    begin_many(loop, server_url(server, "/"), ops, MANY, &done);
    until_asked(loop, server, MANY);
    /* All at once are ready: the answers and the pipe. */
    server_go_on(server);
    usleep(100 * 1000);
    assert_int_equal(weir_watch_start(loop, &m.watch, fds[0], meddle, &m),
                     WEIR_OK);
    assert_int_equal(write(fds[1], "x", 1), 1);
    until_done(loop);
    assert_int_equal(m.done, MANY);
    for (int i = 0; i < MANY; i++) {
        assert_body(m.new[i], 200, "hi");
        weir_op_free(m.new[i]);
    }
    for (int i = m.given_up; i < MANY; i++) {
        assert_body(ops[i], 200, "hi");
        weir_op_free(ops[i]);
    }
    close(fds[0]);
    close(fds[1]);
    server_stop(server);
}

/* ---- waking ---- */

static void *wake_later(void *ud)
{
    usleep(20 * 1000);
    for (int i = 0; i < 3; i++)
        weir_loop_wake(ud);
    return NULL;
}

static void a_wake_ends_one_wait(void **state)
{
    struct weir_loop *loop = *state;
    int64_t before = weir_loop_now(loop);
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, wake_later, loop), 0);
    assert_int_equal(weir_loop_turn(loop, 60000, NULL), WEIR_OK);
    assert_in_range(weir_loop_now(loop) - before, 15, 30000);
    assert_int_equal(pthread_join(thread, NULL), 0);
    /* What came while it was awake is known at the next look, which is not in
     * the same millisecond. */
    usleep(5 * 1000);
    assert_int_equal(weir_loop_turn(loop, 0, NULL), WEIR_OK);
    before = weir_loop_now(loop);
    assert_int_equal(weir_loop_turn(loop, 30, NULL), WEIR_OK);
    assert_in_range(weir_loop_now(loop) - before, 25, 30000);
}

static void without_a_descriptor_there_is_no_loop(void **state)
{
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_loop *loop = NULL;
    struct rlimit was, none;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
    none = (struct rlimit){0, was.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_int_equal(weir_loop_new(NULL, &loop, &err), WEIR_TRANSPORT);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
    assert_null(loop);
    assert_string_equal(err.message, "eventfd: Too many open files");
    weir_err_clear(&err);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, http_setup, http_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_turn_asks_about_what_is_ready),
        TEST(what_is_given_up_leaves_the_others_alone),
        TEST(libcurl_is_asked_when_its_time_is_up),
        TEST(what_is_ready_is_seen_by_turns_that_cannot_wait),
        TEST(libcurl_is_not_asked_again_when_it_had_no_memory),
        TEST(a_handler_may_begin_and_give_up_requests),
        TEST(a_wake_ends_one_wait),
        cmocka_unit_test(without_a_descriptor_there_is_no_loop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
