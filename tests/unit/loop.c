/* loop and op: turns, timers, ready ops, cancelling; fake clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <unistd.h>

#include "weir/http.h"
#include "weir/loop.h"

struct fixture {
    struct weir_clock_fake clock;
    struct weir_loop *loop;
};

static int setup(void **state)
{
    static struct fixture f;

    weir_clock_fake_init(&f.clock, 1700000000000);
    assert_int_equal(weir_loop_new(&f.clock.clock, &f.loop, NULL), WEIR_OK);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(weir_loop_ops(f->loop), 0);
    assert_int_equal(weir_loop_timers(f->loop), 0);
    weir_loop_free(f->loop);
    return 0;
}

struct order {
    int fired[1000];
    int n;
};
struct numbered {
    struct weir_timer timer;
    struct order *order;
    int number;
};

static void fire(void *ud)
{
    struct numbered *t = ud;

    t->order->fired[t->order->n++] = t->number;
}

static void timers_fire_in_order_of_due_then_start(void **state)
{
    struct fixture *f = *state;
    struct order order = {.n = 0};
    struct numbered t[1000];
    int64_t start = weir_loop_now(f->loop);

    for (int i = 0; i < 1000; i++) {
        t[i] = (struct numbered){.order = &order, .number = i};
        weir_timer_start(f->loop, &t[i].timer, (i * 7919) % 100, fire, &t[i]);
    }
    for (int i = 0; i < 1000; i += 3)
        weir_timer_stop(&t[i].timer);
    while (!weir_loop_idle(f->loop))
        assert_int_equal(weir_loop_turn(f->loop, -1, NULL), WEIR_OK);
    assert_int_equal(order.n, 1000 - 334);
    for (int i = 1; i < order.n; i++) {
        int a = order.fired[i - 1], b = order.fired[i];
        int due_a = (a * 7919) % 100, due_b = (b * 7919) % 100;

        assert_true(due_a < due_b || (due_a == due_b && a < b));
        assert_int_not_equal(b % 3, 0);
    }
    assert_true(weir_loop_now(f->loop) - start <= 100);
}

struct again {
    struct weir_timer timer;
    struct weir_loop *loop;
    int n;
};

static void start_again(void *ud)
{
    struct again *a = ud;

    a->n++;
    weir_timer_start(a->loop, &a->timer, 0, start_again, a);
}

static void a_timer_restarted_at_once_waits_for_the_next_turn(void **state)
{
    struct fixture *f = *state;
    struct again a = {.loop = f->loop};

    weir_timer_start(f->loop, &a.timer, 0, start_again, &a);
    weir_loop_turn(f->loop, 0, NULL);
    assert_int_equal(a.n, 1);
    weir_loop_turn(f->loop, 0, NULL);
    assert_int_equal(a.n, 2);
    weir_timer_stop(&a.timer);
}

/* An op that ends by itself after `delay`, or at once. */
struct sleeper {
    struct weir_op op;
    struct weir_timer timer;
    int64_t delay;
    bool *freed;
};

static void sleeper_fire(void *ud)
{
    struct sleeper *s = ud;

    weir_op_finish(&s->op);
}

static void sleeper_start(struct weir_op *op)
{
    struct sleeper *s = (struct sleeper *)op;

    if (s->delay < 0)
        weir_op_finish(op);
    else
        weir_timer_start(op->loop, &s->timer, s->delay, sleeper_fire, s);
}

static void sleeper_cancel(struct weir_op *op)
{
    weir_timer_stop(&((struct sleeper *)op)->timer);
}

static void sleeper_free(struct weir_op *op)
{
    struct sleeper *s = (struct sleeper *)op;

    if (s->freed)
        *s->freed = true;
    free(s);
}

static const struct weir_op_class sleeper_class = {
    "sleeper", sleeper_start, sleeper_cancel, sleeper_free, NULL};

static struct weir_op *sleeper(struct fixture *f, int64_t delay, bool *freed)
{
    struct sleeper *s = calloc(1, sizeof(*s));

    assert_non_null(s);
    weir_op_init(&s->op, f->loop, &sleeper_class);
    s->delay = delay;
    s->freed = freed;
    return &s->op;
}

static void count(void *ud, struct weir_op *op)
{
    (void)op;
    ++*(int *)ud;
}

static void done_never_comes_from_inside_start(void **state)
{
    struct fixture *f = *state;
    struct weir_op *op = sleeper(f, -1, NULL);
    int n = 0;

    weir_op_start(op, count, &n);
    assert_int_equal(n, 0);
    assert_int_equal(weir_loop_ops(f->loop), 1);
    weir_loop_turn(f->loop, -1, NULL);
    assert_int_equal(n, 1);
    weir_op_free(op);
}

static void done_never_comes_after_cancel(void **state)
{
    struct fixture *f = *state;
    struct weir_op *running = sleeper(f, 10, NULL);
    struct weir_op *finished = sleeper(f, -1, NULL);
    int n = 0;

    weir_op_start(running, count, &n);
    weir_op_start(finished, count, &n);
    weir_op_cancel(running);
    weir_op_cancel(finished);
    assert_true(weir_loop_idle(f->loop));
    assert_int_equal(weir_op_code(running), WEIR_CANCELLED);
    weir_loop_turn(f->loop, 0, NULL);
    assert_int_equal(n, 0);
    weir_op_free(running);
    weir_op_free(finished);
}

static void free_op(void *ud, struct weir_op *op)
{
    weir_op_free(op);
    if (ud)
        weir_op_free(ud);
}

static void done_may_free_its_op_and_others(void **state)
{
    struct fixture *f = *state;
    bool freed[3] = {false, false, false};
    struct weir_op *a = sleeper(f, -1, &freed[0]);
    struct weir_op *b = sleeper(f, -1, &freed[1]);
    struct weir_op *c = sleeper(f, -1, &freed[2]);

    weir_op_start(a, free_op, c); /* frees the last of the queue */
    weir_op_start(b, free_op, NULL);
    weir_op_start(c, free_op, NULL);
    weir_loop_turn(f->loop, 0, NULL);
    assert_true(freed[0] && freed[1] && freed[2]);
}

static void run_stops_at_its_deadline(void **state)
{
    struct fixture *f = *state;
    struct weir_op *op = sleeper(f, 5000, NULL);
    int64_t start = weir_loop_now(f->loop);

    assert_int_equal(weir_op_run(op, 2000), WEIR_TIMEOUT);
    assert_int_equal(weir_loop_now(f->loop) - start, 2000);
    assert_string_equal(weir_op_err(op)->message, "not done within 2.0 s");
    /* It can be run again, and then has the time it needs. */
    assert_int_equal(weir_op_run(op, -1), WEIR_OK);
    weir_op_free(op);
}

static void read_byte(void *ud)
{
    char byte;

    assert_int_equal(read(*(int *)ud, &byte, 1), 1);
    *(int *)ud = -1;
}

static void a_readable_descriptor_is_noticed(void **state)
{
    struct fixture *f = *state;
    struct weir_watch watch[17];
    int fds[2];

    assert_int_equal(pipe(fds), 0);
    assert_int_equal(
        weir_watch_start(f->loop, &watch[0], fds[0], read_byte, &fds[0]),
        WEIR_OK);
    assert_int_equal(write(fds[1], "x", 1), 1);
    int fd = fds[0];
    weir_loop_turn(f->loop, 1000, NULL);
    assert_int_equal(fds[0], -1);
    for (int i = 1; i < 16; i++)
        assert_int_equal(
            weir_watch_start(f->loop, &watch[i], fd, read_byte, NULL), WEIR_OK);
    assert_int_equal(weir_watch_start(f->loop, &watch[16], fd, read_byte, NULL),
                     WEIR_LIMIT);
    for (int i = 0; i < 16; i++)
        weir_watch_stop(&watch[i]);
    close(fd);
    close(fds[1]);
}

struct rival {
    struct weir_watch watch, *other;
    int fired;
};

static void stop_the_other(void *ud)
{
    struct rival *rival = ud;

    rival->fired++;
    weir_watch_stop(rival->other);
}

static void a_handler_may_stop_one_that_is_ready(void **state)
{
    struct fixture *f = *state;
    struct rival a = {.fired = 0}, b = {.other = &a.watch};
    int fds[2];

    a.other = &b.watch;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    weir_watch_start(f->loop, &a.watch, fds[0], stop_the_other, &a);
    weir_watch_start(f->loop, &b.watch, fds[0], stop_the_other, &b);
    weir_loop_turn(f->loop, 1000, NULL);
    assert_int_equal(a.fired + b.fired, 1);
    weir_watch_stop(a.fired ? &a.watch : &b.watch);
    close(fds[0]);
    close(fds[1]);
}

static void never(void *ud, struct weir_op *op)
{
    (void)ud;
    (void)op;
    fail_msg("a cancelled op was done");
}

/* Else the turns after it would not wait, and the time not pass. */
static void a_transfer_cancelled_at_once_keeps_nobody_awake(void **state)
{
    struct fixture *f = *state;
    const struct weir_http_request request = {.method = "GET",
                                              .url = "http://127.0.0.1:9/"};
    struct weir_op *op = NULL;
    struct order order = {.n = 0};
    struct numbered t = {.order = &order};
    int64_t start = weir_loop_now(f->loop);

    assert_int_equal(weir_http_new(f->loop, &request, &op, NULL), WEIR_OK);
    weir_op_start(op, never, NULL);
    weir_op_free(op);
    weir_timer_start(f->loop, &t.timer, 1000, fire, &t);
    for (int turns = 0; turns < 3 && order.n == 0; turns++)
        assert_int_equal(weir_loop_turn(f->loop, -1, NULL), WEIR_OK);
    assert_int_equal(order.n, 1);
    assert_int_equal(weir_loop_now(f->loop) - start, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(timers_fire_in_order_of_due_then_start,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_timer_restarted_at_once_waits_for_the_next_turn, setup, teardown),
        cmocka_unit_test_setup_teardown(done_never_comes_from_inside_start,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(done_never_comes_after_cancel, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(done_may_free_its_op_and_others, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(run_stops_at_its_deadline, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            a_transfer_cancelled_at_once_keeps_nobody_awake, setup, teardown),
        cmocka_unit_test_setup_teardown(a_readable_descriptor_is_noticed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_handler_may_stop_one_that_is_ready,
                                        setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
