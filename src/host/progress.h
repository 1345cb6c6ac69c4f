/*
 * progress: what is being waited for, shown while it lasts.
 *
 * On a terminal one line, rewritten, once a wait has lasted a second;
 * elsewhere at most one plain line every five seconds.  The words are the
 * notes of the ops that tasks wait for.
 */
#ifndef HOST_PROGRESS_H
#define HOST_PROGRESS_H

#include "scheduler.h"
#include "terminal.h"
#include "weir/log.h"
#include "weir/loop.h"

struct host_progress {
    struct weir_loop *loop;
    const struct bind_scheduler *scheduler;
    struct weir_log *log; /* redacts */
    struct host_terminal *terminal;
    bool json; /* plain lines go through the log */
    struct weir_timer timer;
    int64_t waiting_since; /* -1: nothing is waited for */
    int64_t said_at;       /* last plain line */
};

void host_progress_start(struct host_progress *progress,
                         const struct bind_scheduler *scheduler,
                         struct weir_log *log, struct host_terminal *terminal,
                         bool json);
void host_progress_stop(struct host_progress *progress);

#endif
