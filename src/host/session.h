/*
 * session: what every command that runs scripts stands on: loop, log,
 * terminal, simulator, Lua state, scheduler; made and ended in one place.
 */
#ifndef HOST_SESSION_H
#define HOST_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "bind.h"
#include "progress.h"
#include "quit.h"
#include "terminal.h"

struct sim;

/* Bytes of a report. */
#define HOST_MAX_REPORT ((size_t)256 * 1024)

struct host_session_options {
    const char *script; /* path, "-" or NULL */
    bool sim;
    uint64_t sim_seed;
    const char *sim_state; /* path or NULL; only with sim */
    int log_level;         /* enum weir_log_level */
    int log_format;        /* enum weir_log_format */
    int color;             /* enum host_color */
    bool traceback;
};

struct host_session {
    struct host_terminal terminal;
    struct weir_loop *loop;
    struct weir_log *log;
    struct bind_context context;
    struct host_progress progress;
    struct sim *sim;
    lua_State *L;
    struct host_quit quit;
    bool traceback;
    bool complained; /* of a want of memory */
    bool json;       /* stderr is read by a program: one object a line */
};

/* Makes all of it.  0, or an exit code after saying why on stderr; call
 * host_session_end in either case. */
int host_session_begin(struct host_session *session,
                       const struct host_session_options *options);
void host_session_end(struct host_session *session);

/* Says a line (printf) on stderr, redacted: "weir: …". */
void host_say(struct host_session *session, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The same for what went wrong. */
void host_complain(struct host_session *session, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Says the error, clears it, returns the exit code for it. */
int host_complain_err(struct host_session *session, struct weir_err *err);
/* Writes text to stderr, redacted, in the form that was asked for. */
void host_session_write(struct host_session *session, enum weir_log_level level,
                        const char *text, size_t len);
/* Calls fn(ud, values…) with the `nargs` values on top, which it takes, and
 * leaves its results; false, said (once a session) and nothing left, if it
 * raised: such functions of ours fail for want of memory only. */
bool host_session_protect(struct host_session *session, lua_CFunction fn,
                          void *ud, int nargs, int nresults);
/* Reports the error and the trace (see report.h) on top, and takes them;
 * returns the exit code for it. */
int host_session_report(struct host_session *session);

/* Runs the function and its `nargs` arguments on top of the state as the
 * main task, and all tasks that it spawns, until none is left.  Failures are
 * reported.  Returns the exit code. */
int host_session_run(struct host_session *session, int nargs);

#endif
