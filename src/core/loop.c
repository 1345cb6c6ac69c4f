#include "weir/loop.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>

#include "loop_internal.h"

/* ---- making and ending ---- */

enum weir_code weir_loop_new(const struct weir_clock *clock,
                             struct weir_loop **out, struct weir_err *err)
{
    struct weir_loop *loop;
    enum weir_code code;

    if (weir_curl_init())
        return weir_err_set(err, WEIR_TRANSPORT, "libcurl cannot start");
    loop = calloc(1, sizeof(*loop));
    if (!loop) {
        weir_curl_end();
        return weir_err_nomem(err);
    }
    loop->clock = clock ? clock : weir_clock_system();
    loop->multi = curl_multi_init();
    code =
        loop->multi ? weir_loop_sockets_init(loop, err) : weir_err_nomem(err);
    if (code) {
        curl_multi_cleanup(loop->multi);
        free(loop);
        weir_curl_end();
        return code;
    }
    *out = loop;
    return WEIR_OK;
}

void weir_loop_free(struct weir_loop *loop)
{
    if (!loop)
        return;
    assert(weir_loop_ops(loop) == 0);
    while (loop->timers)
        weir_timer_stop(loop->timers);
    while (loop->watches)
        weir_watch_stop(loop->watches);
    if (loop->http)
        loop->http_free(loop->http);
    curl_multi_cleanup(loop->multi);
    weir_loop_sockets_fini(loop);
    weir_err_clear(&loop->lost_err);
    free(loop);
    weir_curl_end();
}

const struct weir_clock *weir_loop_clock(const struct weir_loop *loop)
{
    return loop->clock;
}

static int64_t read_clock(const struct weir_loop *loop)
{
    return loop->clock->now(loop->clock->ud);
}

int64_t weir_loop_now(const struct weir_loop *loop)
{
    return loop->turning ? loop->now : read_clock(loop);
}

int64_t weir_loop_wall(const struct weir_loop *loop)
{
    return loop->clock->wall(loop->clock->ud);
}

/* ---- ops ---- */

static void list_add(struct weir_op_list *list, struct weir_op *op)
{
    op->next = NULL;
    op->prev = list->tail;
    if (list->tail)
        list->tail->next = op;
    else
        list->head = op;
    list->tail = op;
    list->n++;
}

static void list_remove(struct weir_op_list *list, struct weir_op *op)
{
    if (op->prev)
        op->prev->next = op->next;
    else
        list->head = op->next;
    if (op->next)
        op->next->prev = op->prev;
    else
        list->tail = op->prev;
    op->prev = op->next = NULL;
    list->n--;
}

void weir_loop_op_running(struct weir_loop *loop, struct weir_op *op)
{
    list_add(&loop->running, op);
}

void weir_loop_op_stopped(struct weir_loop *loop, struct weir_op *op)
{
    list_remove(&loop->running, op);
}

void weir_loop_op_ready(struct weir_loop *loop, struct weir_op *op)
{
    op->queued = true;
    list_add(&loop->ready, op);
}

void weir_loop_op_unready(struct weir_loop *loop, struct weir_op *op)
{
    op->queued = false;
    list_remove(&loop->ready, op);
}

/* An op is often part of another (request, call, update), and their ends
 * follow each other: as many generations are delivered in one turn. */
#define GENERATIONS 4

/* Calls `done` of the ops that are ready, and of those that these make ready;
 * what is ready then waits for the next turn, so that no chain of ops starves
 * timers and transfers. */
static void deliver(struct weir_loop *loop)
{
    for (int i = 0; i < GENERATIONS; i++) {
        for (size_t n = loop->ready.n; n > 0 && loop->ready.head; n--) {
            struct weir_op *op = loop->ready.head;

            weir_loop_op_unready(loop, op);
            op->done(op->ud, op); /* may free op */
        }
    }
}

size_t weir_loop_ops(const struct weir_loop *loop)
{
    return loop->running.n + loop->ready.n;
}

size_t weir_loop_timers(const struct weir_loop *loop)
{
    return loop->n_timers;
}

bool weir_loop_idle(const struct weir_loop *loop)
{
    return weir_loop_ops(loop) == 0 && loop->n_timers == 0;
}

void weir_loop_each_op(const struct weir_loop *loop,
                       bool (*fn)(void *ud, const struct weir_op *op), void *ud)
{
    for (const struct weir_op *op = loop->running.tail; op; op = op->prev) {
        if (!fn(ud, op))
            return;
    }
}

/* ---- transfers ---- */

enum weir_code weir_loop_add(struct weir_loop *loop,
                             struct weir_transfer *transfer,
                             struct weir_err *err)
{
    CURLMcode code;

    if (weir_loop_sockets_reserve(loop, err))
        return WEIR_NOMEM;
    curl_easy_setopt(transfer->easy, CURLOPT_PRIVATE, (void *)transfer);
    code = curl_multi_add_handle(loop->multi, transfer->easy);
    if (code == CURLM_OUT_OF_MEMORY)
        return weir_err_nomem(err);
    if (code)
        return weir_err_set(err, WEIR_TRANSPORT, "libcurl: %s",
                            curl_multi_strerror(code));
    transfer->added = true;
    loop->n_transfers++;
    loop->has_new = true;
    return WEIR_OK;
}

void weir_loop_remove(struct weir_loop *loop, struct weir_transfer *transfer)
{
    if (!transfer->added)
        return;
    curl_multi_remove_handle(loop->multi, transfer->easy);
    transfer->added = false;
    loop->n_transfers--;
}

static void collect_transfers(struct weir_loop *loop, bool starved)
{
    CURLMsg *msg;
    int left;

    while ((msg = curl_multi_info_read(loop->multi, &left)) != NULL) {
        CURLcode result = msg->data.result;
        char *private = NULL;
        struct weir_transfer *transfer;

        if (msg->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &private);
        transfer = (struct weir_transfer *)(void *)private;
        weir_loop_remove(loop, transfer);
        transfer->done(transfer, result, starved);
    }
}

/* ---- timers: a pairing heap, so that starting one needs no memory ---- */

static bool before(const struct weir_timer *a, const struct weir_timer *b)
{
    return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static struct weir_timer *meld(struct weir_timer *a, struct weir_timer *b)
{
    if (!a)
        return b;
    if (!b)
        return a;
    if (before(b, a)) {
        struct weir_timer *swap = a;

        a = b;
        b = swap;
    }
    b->prev = a;
    b->sibling = a->child;
    if (a->child)
        a->child->prev = b;
    a->child = b;
    return a;
}

static struct weir_timer *meld_siblings(struct weir_timer *first)
{
    struct weir_timer *pairs = NULL, *root = NULL;

    while (first) {
        struct weir_timer *a = first, *b = a->sibling;

        first = b ? b->sibling : NULL;
        a->sibling = a->prev = NULL;
        if (b)
            b->sibling = b->prev = NULL;
        a = meld(a, b);
        a->sibling = pairs;
        pairs = a;
    }
    while (pairs) {
        struct weir_timer *next = pairs->sibling;

        pairs->sibling = NULL;
        root = meld(root, pairs);
        pairs = next;
    }
    return root;
}

void weir_timer_start(struct weir_loop *loop, struct weir_timer *timer,
                      int64_t delay_ms, void (*fn)(void *ud), void *ud)
{
    int64_t now = weir_loop_now(loop);

    weir_timer_stop(timer);
    if (delay_ms < 0)
        delay_ms = 0;
    *timer = (struct weir_timer){
        .due = delay_ms > INT64_MAX - now ? INT64_MAX : now + delay_ms,
        .order = loop->timer_order++,
        .fn = fn,
        .ud = ud,
        .loop = loop,
    };
    loop->timers = meld(loop->timers, timer);
    loop->n_timers++;
}

void weir_timer_stop(struct weir_timer *timer)
{
    struct weir_loop *loop = timer->loop;
    struct weir_timer *below;

    if (!loop)
        return;
    below = meld_siblings(timer->child);
    if (loop->timers == timer) {
        loop->timers = below;
    } else {
        if (timer->prev->child == timer)
            timer->prev->child = timer->sibling;
        else
            timer->prev->sibling = timer->sibling;
        if (timer->sibling)
            timer->sibling->prev = timer->prev;
        loop->timers = meld(loop->timers, below);
    }
    timer->child = timer->sibling = timer->prev = NULL;
    timer->loop = NULL;
    loop->n_timers--;
}

bool weir_timer_running(const struct weir_timer *timer)
{
    return timer->loop != NULL;
}

/* Fires what is due; a timer started meanwhile, even with no delay, waits
 * for the next turn. */
static void fire_timers(struct weir_loop *loop)
{
    int64_t now = weir_loop_now(loop);
    uint64_t newer = loop->timer_order;

    while (loop->timers && loop->timers->due <= now &&
           loop->timers->order < newer) {
        struct weir_timer *timer = loop->timers;

        weir_timer_stop(timer);
        timer->fn(timer->ud);
    }
}

/* ---- extra descriptors ---- */

enum weir_code weir_watch_start(struct weir_loop *loop,
                                struct weir_watch *watch, int fd,
                                void (*fn)(void *ud), void *ud)
{
    size_t n = 0;

    for (struct weir_watch *w = loop->watches; w; w = w->next)
        n++;
    if (n >= WEIR_LOOP_MAX_WATCHES)
        return WEIR_LIMIT;
    *watch = (struct weir_watch){
        .fd = fd, .fn = fn, .ud = ud, .loop = loop, .next = loop->watches};
    loop->watches = watch;
    return WEIR_OK;
}

void weir_watch_stop(struct weir_watch *watch)
{
    struct weir_watch **link;

    if (!watch->loop)
        return;
    link = &watch->loop->watches;
    while (*link != watch)
        link = &(*link)->next;
    *link = watch->next;
    watch->loop = NULL;
}

/* ---- one turn ---- */

static int wait_time(const struct weir_loop *loop, int64_t max_wait_ms)
{
    int64_t wait = max_wait_ms < 0 ? INT_MAX : max_wait_ms;
    int libcurls;

    if (loop->ready.head || loop->has_new)
        return 0;
    libcurls = weir_loop_sockets_due(loop);
    if (libcurls < wait)
        wait = libcurls;
    if (loop->timers) {
        int64_t due = loop->timers->due - weir_loop_now(loop);

        if (due < wait)
            wait = due > 0 ? due : 0;
    }
    return wait < INT_MAX ? (int)wait : INT_MAX;
}

static enum weir_code curl_failed(CURLMcode code, struct weir_err *err)
{
    if (code == CURLM_OUT_OF_MEMORY)
        return weir_err_nomem(err);
    return weir_err_set(err, WEIR_TRANSPORT, "libcurl: %s",
                        curl_multi_strerror(code));
}

/* With something to do at once, what is ready can wait for so many turns, but
 * not beyond the millisecond: a turn may be followed by a long computation. */
#define BUSY_TURNS 8

static enum weir_code wait_or_skip(struct weir_loop *loop, int wait_ms,
                                   struct weir_err *err)
{
    enum weir_code code;

    loop->busy_turns = wait_ms == 0 ? loop->busy_turns + 1 : 0;
    if (loop->clock->skip && loop->n_transfers == 0 && !loop->watches) {
        /* With nothing but timers, a fake clock jumps to the next one. */
        if (wait_ms > 0 && wait_ms < INT_MAX)
            loop->clock->skip(loop->clock->ud, wait_ms);
        return WEIR_OK;
    }
    if (loop->busy_turns % BUSY_TURNS != 0 && read_clock(loop) == loop->looked)
        return WEIR_OK;
    code = weir_loop_sockets_wait(loop, wait_ms, err);
    loop->looked = read_clock(loop);
    return code;
}

static enum weir_code move_transfers(struct weir_loop *loop,
                                     struct weir_err *err)
{
    unsigned long refusals = weir_curl_refusals();
    CURLMcode code;

    /* Also if what was new is gone again. */
    loop->has_new = false;
    if (loop->n_transfers == 0)
        return WEIR_OK;
    code = weir_loop_sockets_act(loop);
    if (code) {
        loop->broken = code;
        return curl_failed(code, err);
    }
    /* A handshake may have taken its time. */
    loop->now = read_clock(loop);
    collect_transfers(loop, weir_curl_refusals() != refusals);
    return WEIR_OK;
}

enum weir_code weir_loop_turn(struct weir_loop *loop, int64_t max_wait_ms,
                              struct weir_err *err)
{
    enum weir_code code;

    if (loop->broken)
        return curl_failed(loop->broken, err);
    code = wait_or_skip(loop, wait_time(loop, max_wait_ms), err);
    if (code)
        return code;
    /* What happens in a turn happens now: the clock is not read for every
     * header that comes in. */
    loop->now = read_clock(loop);
    loop->turning = true;
    code = move_transfers(loop, err);
    if (!code) {
        fire_timers(loop);
        deliver(loop);
    }
    loop->turning = false;
    return code;
}
