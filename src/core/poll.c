#include "weir/poll.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call_object.h"
#include "weir/cut.h"

#define INTERVAL_MS 3000
#define TIMEOUT_MS  60000
/* The last look begins when the time is up, and has this long at most. */
#define GRACE_MS   5000
#define WORD_MAX   ((size_t)256)
#define REASON_MAX ((size_t)512)

/* From one look to the next: */
enum stage {
    TO_LOOK,   /* nothing is known, or a further look is due */
    TO_ANSWER, /* the caller is looking */
    TO_JUDGE,  /* a word is there */
    DECIDED    /* the wait is over */
};

struct poll {
    struct weir_op op;
    struct weir_client *client;
    char *what, *path, *field, *reason_field;
    char **done, **failed;
    size_t n_done, n_failed;
    int64_t interval, timeout;
    bool pause_on_look;
    enum stage stage;
    enum weir_poll_state state;
    bool started;
    int64_t first; /* when the first look began */
    int64_t due;   /* when the next one begins, or this one began */
    unsigned looks;
    bool cut; /* the caller's look took longer than there was time */
    struct weir_buf word, reason;
    struct weir_json *document;
    struct weir_op *call;
    struct weir_timer timer;
};

static void go_on(struct poll *p);

/* ---- time ---- */

static int64_t now(const struct poll *p)
{
    return weir_loop_now(p->op.loop);
}

static int64_t deadline(const struct poll *p)
{
    return p->first + p->timeout;
}

static void note(const struct weir_op *op, char out[WEIR_OP_NOTE])
{
    const struct poll *p = (const struct poll *)op;

    weir_cut_printf(out, WEIR_OP_NOTE, "%s: %s, %" PRId64 " s of %" PRId64 " s",
                    WEIR_CUT(80, p->what),
                    p->word.len ? WEIR_CUT(40, weir_buf_str(&p->word))
                                : "looking",
                    (now(p) - p->first) / 1000, p->timeout / 1000);
}

/* ---- the end ---- */

/* `why` is what the last look met, or NULL. */
static void fail_late(struct poll *p, const struct weir_err *why)
{
    struct weir_err err = WEIR_ERR_INIT;

    weir_err_set(
        &err, WEIR_TIMEOUT, "%s: still %s%s%s after %.1f s and %u looks",
        WEIR_CUT(200, p->what), p->word.len ? "'" : "",
        p->word.len ? WEIR_CUT(100, weir_buf_str(&p->word))
                    : "without an answer",
        p->word.len ? "'" : "", (double)(now(p) - p->first) / 1000, p->looks);
    if (why) {
        weir_err_append(&err, "; the last look failed: %s",
                        WEIR_CUT(300, why->message));
        err.status = why->status;
        memcpy(err.method, why->method, sizeof(err.method));
        memcpy(err.url, why->url, sizeof(err.url));
        memcpy(err.request_id, why->request_id, sizeof(err.request_id));
    }
    p->stage = DECIDED;
    weir_op_fail(&p->op, &err);
}

static bool is_one_of(const struct weir_buf *word, char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strlen(words[i]) == word->len &&
            memcmp(words[i], weir_buf_str(word), word->len) == 0)
            return true;
    }
    return false;
}

static void fail_for_good(struct poll *p)
{
    struct weir_err err = WEIR_ERR_INIT;

    weir_err_set(&err, WEIR_FAILED, "%s: %s%s%s", WEIR_CUT(200, p->what),
                 WEIR_CUT(100, weir_buf_str(&p->word)),
                 p->reason.len ? ": " : "",
                 WEIR_CUT(400, weir_buf_str(&p->reason)));
    p->stage = DECIDED;
    weir_op_fail(&p->op, &err);
}

/* ---- looking ---- */

static void set_text(struct weir_buf *buf, const char *text, size_t len)
{
    weir_buf_reset(buf);
    weir_buf_add(buf, text, len < buf->max ? len : buf->max);
}

/* What was looked at has arrived: a pause, or the judgement. */
static void looked(struct poll *p)
{
    p->stage = TO_JUDGE;
    if (p->pause_on_look && p->path) {
        p->state = WEIR_POLL_LOOKED;
        weir_op_finish(&p->op);
    } else {
        go_on(p);
    }
}

static enum weir_code read_answer(struct poll *p, struct weir_err *err)
{
    struct weir_json *document;
    const struct weir_json *word, *reason;
    const char *text;
    size_t len;
    enum weir_code code = weir_call_object(p->call, "GET", &document, err);

    if (code)
        return code;
    weir_json_free(p->document);
    p->document = document;
    word = weir_json_get(document, p->field);
    text = weir_json_string(word, &len);
    if (!text) {
        weir_err_set(err, WEIR_PROTOCOL, "'%s' should be a string and is %s",
                     WEIR_CUT(60, p->field),
                     word ? weir_json_type_name(weir_json_type(word))
                          : "absent");
        weir_call_blame(p->call, "GET", err);
        return WEIR_PROTOCOL;
    }
    set_text(&p->word, text, len);
    reason = weir_json_get(document, p->reason_field);
    text = weir_json_string(reason, &len);
    set_text(&p->reason, text ? text : "", text ? len : 0);
    return p->word.failed || p->reason.failed ? weir_err_nomem(err) : WEIR_OK;
}

/* True for what might be better at another look, had we the time. */
static bool may_pass(enum weir_code code)
{
    return code == WEIR_TIMEOUT || code == WEIR_RATE || code == WEIR_SERVER ||
           code == WEIR_TRANSPORT;
}

static void answered(void *ud, struct weir_op *call)
{
    struct poll *p = ud;
    struct weir_err err = WEIR_ERR_INIT;

    weir_err_copy(&err, weir_op_err(call));
    if (!err.code)
        read_answer(p, &err);
    weir_op_free(p->call);
    p->call = NULL;
    if (!err.code) {
        looked(p);
    } else if (may_pass(err.code) && now(p) >= deadline(p)) {
        fail_late(p, &err);
        weir_err_clear(&err);
    } else {
        p->stage = TO_LOOK;
        p->due = now(p);
        weir_err_prefix(&err, "%s: ", WEIR_CUT(200, p->what));
        weir_op_fail(&p->op, &err);
    }
}

static int64_t look_time(const struct poll *p)
{
    int64_t left = deadline(p) - now(p);
    int64_t grace = p->interval < GRACE_MS ? p->interval : GRACE_MS;

    return left > grace ? left : grace;
}

static void call(struct poll *p)
{
    struct weir_err err = WEIR_ERR_INIT;
    const struct weir_call what = {
        .method = "GET",
        .path = p->path,
        .timeout_ms = look_time(p),
    };

    if (weir_client_call(p->client, &what, &p->call, &err))
        weir_op_fail(&p->op, &err);
    else
        weir_op_start(p->call, answered, p);
}

static void look(struct poll *p)
{
    p->looks++;
    if (p->path) {
        call(p);
        return;
    }
    p->stage = TO_ANSWER;
    p->state = WEIR_POLL_LOOK;
    weir_op_finish(&p->op);
}

/* ---- waiting ---- */

static void due(void *ud)
{
    go_on(ud);
}

/* The next look comes when a multiple of the interval has passed since the
 * first, so that slow looks do not add up; those that a slow look covered
 * are left out.  The last one comes when the time is up. */
static void set_due(struct poll *p)
{
    int64_t past = now(p) - p->first;

    p->due = p->first + (past / p->interval + 1) * p->interval;
    if (p->due > deadline(p))
        p->due = deadline(p);
    p->stage = TO_LOOK;
}

static void fail_cut(struct poll *p)
{
    const struct weir_err why = {.message = "it was not done in time"};

    fail_late(p, &why);
}

static void judge(struct poll *p)
{
    if (p->cut) {
        fail_cut(p);
    } else if (is_one_of(&p->word, p->done, p->n_done)) {
        p->stage = DECIDED;
        p->state = WEIR_POLL_DONE;
        weir_op_finish(&p->op);
    } else if (is_one_of(&p->word, p->failed, p->n_failed)) {
        fail_for_good(p);
    } else if (now(p) >= deadline(p)) {
        fail_late(p, NULL);
    } else {
        set_due(p);
        go_on(p);
    }
}

static void go_on(struct poll *p)
{
    int64_t left;

    if (p->stage == TO_JUDGE) {
        judge(p);
        return;
    }
    left = p->due - now(p);
    if (left <= 0) {
        look(p);
        return;
    }
    weir_timer_start(p->op.loop, &p->timer, left, due, p);
}

/* ---- the op ---- */

static void start(struct weir_op *op)
{
    struct poll *p = (struct poll *)op;

    if (!p->started) {
        p->started = true;
        p->first = p->due = now(p);
    }
    if (p->stage == TO_ANSWER || p->stage == DECIDED) {
        weir_err_set(
            weir_op_error(op), WEIR_INVALID, "%s: %s", WEIR_CUT(200, p->what),
            p->stage == DECIDED ? "the wait is over"
                                : "a look was asked for and not answered");
        weir_op_finish(op);
        return;
    }
    go_on(p);
}

static void cancel(struct weir_op *op)
{
    struct poll *p = (struct poll *)op;

    weir_timer_stop(&p->timer);
    weir_op_free(p->call);
    p->call = NULL;
}

static void free_words(char **words, size_t n)
{
    for (size_t i = 0; words && i < n; i++)
        free(words[i]);
    free(words);
}

static void free_poll(struct weir_op *op)
{
    struct poll *p = (struct poll *)op;

    if (p->client)
        weir_client_unref(p->client);
    weir_json_free(p->document);
    weir_buf_fini(&p->word);
    weir_buf_fini(&p->reason);
    free_words(p->done, p->n_done);
    free_words(p->failed, p->n_failed);
    free(p->what);
    free(p->path);
    free(p->field);
    free(p->reason_field);
    free(p);
}

static const struct weir_op_class poll_class = {"poll", start, cancel,
                                                free_poll, note};

static char **copy_words(const char *const *words, size_t n)
{
    char **out = calloc(n + 1, sizeof(*out));

    for (size_t i = 0; out && i < n; i++) {
        out[i] = strdup(words[i]);
        if (!out[i]) {
            free_words(out, i);
            return NULL;
        }
    }
    return out;
}

static bool copy_options(struct poll *p,
                         const struct weir_poll_options *options)
{
    const char *what = options->what   ? options->what
                       : options->path ? options->path
                                       : "the state waited for";

    p->interval = options->interval_ms > 0 ? options->interval_ms : INTERVAL_MS;
    p->timeout = options->timeout_ms > 0 ? options->timeout_ms : TIMEOUT_MS;
    p->pause_on_look = options->pause_on_look;
    p->what = strdup(what);
    p->path = options->path ? strdup(options->path) : NULL;
    p->field = strdup(options->field ? options->field : "status");
    p->reason_field =
        strdup(options->reason_field ? options->reason_field : "reason");
    p->done = copy_words(options->done, options->n_done);
    p->n_done = p->done ? options->n_done : 0;
    p->failed = copy_words(options->failed, options->n_failed);
    p->n_failed = p->failed ? options->n_failed : 0;
    return p->what && (p->path || !options->path) && p->field &&
           p->reason_field && p->done && p->failed;
}

enum weir_code weir_poll_new(struct weir_loop *loop, struct weir_client *client,
                             const struct weir_poll_options *options,
                             struct weir_op **out, struct weir_err *err)
{
    struct poll *p;

    if (options->path && !client)
        return weir_err_set(err, WEIR_INVALID,
                            "looking at a path needs a client");
    if (options->n_done == 0)
        return weir_err_set(err, WEIR_INVALID,
                            "a wait needs a word that ends it well");
    p = calloc(1, sizeof(*p));
    if (!p)
        return weir_err_nomem(err);
    weir_op_init(&p->op, loop, &poll_class);
    p->client = client ? weir_client_ref(client) : NULL;
    weir_buf_init(&p->word, WORD_MAX);
    weir_buf_init(&p->reason, REASON_MAX);
    if (!copy_options(p, options)) {
        weir_op_free(&p->op);
        return weir_err_nomem(err);
    }
    *out = &p->op;
    return WEIR_OK;
}

enum weir_poll_state weir_poll_state(const struct weir_op *op)
{
    return ((const struct poll *)op)->state;
}

const char *weir_poll_word(const struct weir_op *op)
{
    return weir_buf_str(&((const struct poll *)op)->word);
}

const struct weir_json *weir_poll_document(const struct weir_op *op)
{
    return ((const struct poll *)op)->document;
}

unsigned weir_poll_looks(const struct weir_op *op)
{
    return ((const struct poll *)op)->looks;
}

int64_t weir_poll_waited(const struct weir_op *op)
{
    const struct poll *p = (const struct poll *)op;

    return p->started ? now(p) - p->first : 0;
}

int64_t weir_poll_left(const struct weir_op *op)
{
    return look_time((const struct poll *)op);
}

void weir_poll_cut(struct weir_op *op)
{
    struct poll *p = (struct poll *)op;

    p->cut = true;
    p->stage = TO_JUDGE;
}

enum weir_code weir_poll_answer(struct weir_op *op, const char *word,
                                const char *reason, struct weir_err *err)
{
    struct poll *p = (struct poll *)op;

    set_text(&p->word, word, strlen(word));
    set_text(&p->reason, reason ? reason : "", reason ? strlen(reason) : 0);
    if (p->word.failed || p->reason.failed)
        return weir_err_nomem(err);
    p->stage = TO_JUDGE;
    return WEIR_OK;
}
