#include "weir/op.h"

#include <assert.h>
#include <stdarg.h>

#include "excerpt.h"
#include "loop_internal.h"
#include "weir/cut.h"

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
    weir_err_move(&op->err, err);
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

void weir_op_start(struct weir_op *op, weir_done_fn *done, void *ud)
{
    assert(op->state != WEIR_OP_RUNNING && !op->queued);
    op->done = done;
    op->ud = ud;
    weir_err_clear(&op->err);
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
        weir_err_set(&op->err, WEIR_CANCELLED, "cancelled");
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
    weir_err_clear(&op->err);
    op->class->free(op);
}

enum weir_code weir_op_code(const struct weir_op *op)
{
    return op->err.code;
}

const struct weir_err *weir_op_err(const struct weir_op *op)
{
    return &op->err;
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
            weir_err_move(&op->err, &err);
            break;
        }
    }
    weir_timer_stop(&deadline);
    if (late && !done) {
        weir_op_cancel(op);
        weir_err_set(&op->err, WEIR_TIMEOUT, "not done within %.1f s",
                     (double)timeout_ms / 1000);
    }
    return op->err.code;
}
