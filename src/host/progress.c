#include "progress.h"

#include <stdio.h>
#include <string.h>

enum { LOOK_EVERY_MS = 250, FIRST_AFTER_MS = 1000, PLAIN_EVERY_MS = 5000 };

/* The oldest note is the one to show: what a script has waited for longest. */
struct notes {
    char text[200];
    unsigned n;
};

/* Of an op and the ops that it runs itself, only the one that a task waits
 * for counts; where that has nothing to say, the newest that has does. */
static bool take_note(void *ud, const struct weir_op *op)
{
    struct notes *notes = ud;

    char note[WEIR_OP_NOTE];

    weir_op_note_text(op, note);
    if (!note[0])
        return true;
    snprintf(notes->text, sizeof(notes->text), "%s", note);
    return false;
}

static void gather(const struct host_progress *p, struct notes *notes)
{
    unsigned silent = 0;

    for (const struct bind_task *t = p->scheduler->alive; t; t = t->next) {
        if (t->awaited && take_note(notes, t->awaited->op))
            silent++;
        else if (t->awaited)
            notes->n++;
    }
    if (notes->n == 0)
        weir_loop_each_op(p->loop, take_note, notes);
    if (notes->text[0])
        notes->n += silent;
}

static void say(struct host_progress *p, struct weir_buf *line)
{
    if (p->json) {
        weir_log_write_text(p->log, WEIR_LOG_INFO, NULL, weir_buf_str(line),
                            line->len);
        return;
    }
    weir_buf_addc(line, '\n');
    host_terminal_write(p->terminal, weir_buf_str(line), line->len);
}

static void show(struct host_progress *p, struct notes *notes)
{
    struct weir_buf line;
    int64_t now = weir_loop_now(p->loop);

    weir_buf_init(&line, 1024);
    if (!p->json)
        weir_buf_adds(&line, "weir: ");
    weir_log_redact(p->log, notes->text, strlen(notes->text), &line);
    if (notes->n > 1)
        weir_buf_addf(&line, " (and %u more)", notes->n - 1);
    if (p->terminal->is_tty) {
        host_terminal_progress(p->terminal, weir_buf_str(&line));
    } else if (p->said_at < 0 || now - p->said_at >= PLAIN_EVERY_MS) {
        say(p, &line);
        p->said_at = now;
    }
    weir_buf_fini(&line);
}

static void look(void *ud)
{
    struct host_progress *p = ud;
    struct notes notes = {.text = ""};
    int64_t now = weir_loop_now(p->loop);

    gather(p, &notes);
    if (!notes.text[0]) {
        p->waiting_since = -1;
        host_terminal_progress(p->terminal, NULL);
    } else if (p->waiting_since < 0) {
        p->waiting_since = now;
    } else if (now - p->waiting_since >= FIRST_AFTER_MS) {
        show(p, &notes);
    }
    weir_timer_start(p->loop, &p->timer, LOOK_EVERY_MS, look, p);
}

void host_progress_start(struct host_progress *progress,
                         const struct bind_scheduler *scheduler,
                         struct weir_log *log, struct host_terminal *terminal,
                         bool json)
{
    *progress = (struct host_progress){
        .loop = scheduler->loop,
        .scheduler = scheduler,
        .log = log,
        .terminal = terminal,
        .json = json,
        .waiting_since = -1,
        .said_at = -1,
    };
    weir_timer_start(scheduler->loop, &progress->timer, LOOK_EVERY_MS, look,
                     progress);
}

void host_progress_stop(struct host_progress *progress)
{
    weir_timer_stop(&progress->timer);
    host_terminal_progress(progress->terminal, NULL);
}
