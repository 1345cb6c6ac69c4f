#include "weir/op.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "excerpt.h"
#include "loop_internal.h"
#include "weir/cut.h"

static const struct weir_err none;
/* Shared by all that fail for want of memory for their error.  How far a
 * request got is lost with it, and what is not known may have been done. */
static const struct weir_err no_memory = {
    .code = WEIR_NOMEM, .reach = WEIR_REACH_MAYBE, .message = "out of memory"};

struct weir_err *weir_op_error(struct weir_op *op)
{
    if (!op->err) {
        op->err = calloc(1, sizeof(*op->err));
        if (!op->err)
            op->err = &no_memory;
    }
    return op->err == &no_memory ? &op->loop->lost_err
                                 : (struct weir_err *)op->err;
}

static void drop_error(struct weir_op *op)
{
    if (op->err && op->err != &no_memory) {
        weir_err_clear((struct weir_err *)op->err);
        free((struct weir_err *)op->err);
    }
    op->err = NULL;
}

void weir_op_init(struct weir_op *op, struct weir_loop *loop,
                  const struct weir_op_class *class)
{
    *op = (struct weir_op){.class = class, .loop = loop};
}

void weir_op_finish(struct weir_op *op)
{
    assert(op->state == WEIR_OP_RUNNING);
    op->state = WEIR_OP_FINISHED;
    op->note[0] = '\0';
    weir_loop_op_stopped(op->loop, op);
    weir_loop_op_ready(op->loop, op);
}

void weir_op_fail(struct weir_op *op, struct weir_err *err)
{
    weir_err_move(weir_op_error(op), err);
    weir_op_finish(op);
}

void weir_op_note(struct weir_op *op, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    weir_cut_vprintf(op->note, sizeof(op->note), fmt, args);
    va_end(args);
    weir_excerpt_line(op->note);
}

void weir_op_note_text(const struct weir_op *op, char out[WEIR_OP_NOTE])
{
    out[0] = '\0';
    if (op->note[0]) {
        memcpy(out, op->note, WEIR_OP_NOTE);
    } else if (op->state == WEIR_OP_RUNNING && op->class->note) {
        op->class->note(op, out);
        weir_excerpt_line(out);
    }
}

void weir_op_start(struct weir_op *op, weir_done_fn *done, void *ud)
{
    assert(op->state != WEIR_OP_RUNNING && !op->queued);
    op->done = done;
    op->ud = ud;
    drop_error(op);
    op->state = WEIR_OP_RUNNING;
    weir_loop_op_running(op->loop, op);
    op->class->start(op);
}

/* Takes the op off the loop, whatever its state. */
static void detach(struct weir_op *op)
{
    if (op->state == WEIR_OP_RUNNING) {
        op->class->cancel(op);
        op->state = WEIR_OP_FINISHED;
        op->note[0] = '\0';
        weir_loop_op_stopped(op->loop, op);
        weir_err_set(weir_op_error(op), WEIR_CANCELLED, "cancelled");
    } else if (op->queued) {
        weir_loop_op_unready(op->loop, op);
    }
}

void weir_op_cancel(struct weir_op *op)
{
    detach(op);
}

void weir_op_free(struct weir_op *op)
{
    if (!op)
        return;
    detach(op);
    drop_error(op);
    op->class->free(op);
}

enum weir_code weir_op_code(const struct weir_op *op)
{
    return weir_op_err(op)->code;
}

const struct weir_err *weir_op_err(const struct weir_op *op)
{
    return op->err ? op->err : &none;
}

static void note_done(void *ud, struct weir_op *op)
{
    (void)op;
    *(bool *)ud = true;
}

static void note_late(void *ud)
{
    *(bool *)ud = true;
}

enum weir_code weir_op_run(struct weir_op *op, long timeout_ms)
{
    struct weir_loop *loop = op->loop;
    struct weir_timer deadline = {0};
    bool done = false, late = false;

    if (timeout_ms >= 0)
        weir_timer_start(loop, &deadline, timeout_ms, note_late, &late);
    weir_op_start(op, note_done, &done);
    while (!done && !late) {
        struct weir_err err = WEIR_ERR_INIT;

        if (weir_loop_turn(loop, -1, &err)) {
            weir_op_cancel(op);
            weir_err_move(weir_op_error(op), &err);
            break;
        }
    }
    weir_timer_stop(&deadline);
    if (late && !done) {
        weir_op_cancel(op);
        weir_err_set(weir_op_error(op), WEIR_TIMEOUT, "not done within %.1f s",
                     (double)timeout_ms / 1000);
    }
    return weir_op_code(op);
}
