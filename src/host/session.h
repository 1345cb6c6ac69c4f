/*
 * session: what every command that runs scripts stands on: loop, log,
 * terminal, simulator, Lua state, scheduler; made and ended in one place.
 */
#ifndef HOST_SESSION_H
#define HOST_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "bind.h"
#include "breakpoint.h"
#include "budget_options.h"
#include "budgets.h"
#include "confine.h"
#include "options.h"
#include "progress.h"
#include "quit.h"
#include "terminal.h"
#include "trace.h"
#include "watchdog.h"

struct sim;

/* Bytes of a report. */
#define HOST_MAX_REPORT ((size_t)256 * 1024)

struct host_session_options {
    const char *script;  /* path, "-" or NULL */
    const char *context; /* name or NULL: see settings.h */
    bool sim;
    uint64_t sim_seed;
    const char *sim_state; /* path or NULL; only with sim */
    const char *report;    /* path or NULL: see run_report.h */
    char **arguments;      /* of the script: what the report says of them */
    size_t n_arguments;
    int log_level;  /* enum weir_log_level */
    int log_format; /* enum weir_log_format */
    int color;      /* enum host_color */
    bool traceback;
    bool trace;
    bool announce; /* say which tenant is in use, once each */
    bool sandbox;  /* confined, to nothing but what flags name */
    struct host_budget_options budgets;
    struct host_confine_flags confine;
    /* What confines the run: the declaration in this text of the script, or
     * `declared` (of a manifest; taken over) with paths seen from `base`.
     * NULL: nothing is declared. */
    const char *text;
    size_t text_len;
    struct weir_permissions *declared;
    const char *base; /* NULL: the script's folder */
};

extern const char *const host_session_levels[];
extern const char *const host_session_formats[];
extern const char *const host_session_colors[];

/* The options of every command that runs scripts, for its table; its struct
 * begins with a struct host_session_options. */
#define HOST_SESSION_FIELD(name) offsetof(struct host_session_options, name)
#define HOST_SESSION_OPTIONS                                                   \
    {"sim",                                                                    \
     NULL,                                                                     \
     "run against the built-in simulator, not a tenant",                       \
     HOST_FLAG,                                                                \
     HOST_SESSION_FIELD(sim),                                                  \
     NULL},                                                                    \
        {"context",                                                            \
         "NAME",                                                               \
         "the tenant kept under this name (weir context)",                     \
         HOST_TEXT,                                                            \
         HOST_SESSION_FIELD(context),                                          \
         NULL},                                                                \
        {"sim-seed",                                                           \
         "N",                                                                  \
         "seed of the simulator's ids and chances (default 1)",                \
         HOST_NUMBER,                                                          \
         HOST_SESSION_FIELD(sim_seed),                                         \
         NULL},                                                                \
        {"sim-state",                                                          \
         "FILE",                                                               \
         "keep the simulator's data in FILE between runs",                     \
         HOST_TEXT,                                                            \
         HOST_SESSION_FIELD(sim_state),                                        \
         NULL},                                                                \
        {"log-level",                                                          \
         "LEVEL",                                                              \
         "debug, info (default), warn, error or off",                          \
         HOST_CHOICE,                                                          \
         HOST_SESSION_FIELD(log_level),                                        \
         host_session_levels},                                                 \
        {"log-format",                                                         \
         "FORMAT",                                                             \
         "text (default) or json, one object a line",                          \
         HOST_CHOICE,                                                          \
         HOST_SESSION_FIELD(log_format),                                       \
         host_session_formats},                                                \
        {"color",                                                              \
         "WHEN",                                                               \
         "auto (default), always or never",                                    \
         HOST_CHOICE,                                                          \
         HOST_SESSION_FIELD(color),                                            \
         host_session_colors},                                                 \
        {"traceback",                                                          \
         NULL,                                                                 \
         "after an error, show every frame, ours too",                         \
         HOST_FLAG,                                                            \
         HOST_SESSION_FIELD(traceback),                                        \
         NULL},                                                                \
        {"trace",                                                              \
         NULL,                                                                 \
         "show every request and its answer, redacted",                        \
         HOST_FLAG,                                                            \
         HOST_SESSION_FIELD(trace),                                            \
         NULL},                                                                \
        {"sandbox",                                                            \
         NULL,                                                                 \
         "confine the script to what flags and weir.needs grant",              \
         HOST_FLAG,                                                            \
         HOST_SESSION_FIELD(sandbox),                                          \
         NULL},                                                                \
        HOST_BUDGET_OPTIONS(HOST_SESSION_FIELD(budgets))

/* Of commands that run what somebody else may have written. */
#define HOST_PERMISSION_OPTIONS                                                \
    HOST_CONFINE_OPTIONS(HOST_SESSION_FIELD(confine))

/* Of commands that run a script to its end. */
#define HOST_REPORT_OPTION                                                     \
    {                                                                          \
        "report", "FILE", "write what the run did to FILE, as JSON",           \
            HOST_TEXT, HOST_SESSION_FIELD(report), NULL                        \
    }

struct host_session {
    struct host_terminal terminal;
    struct weir_loop *loop;
    struct weir_log *log;
    struct weir_changes *changes; /* NULL: nobody wants to know */
    struct bind_context context;
    struct bind_budgets budgets;
    struct host_watchdog watchdog;
    struct host_confined confined; /* what the run may do: doors.h */
    char **safe; /* of those, calls that change nothing: "POST /path" */
    struct host_progress progress;
    struct host_trace trace;
    struct host_break *breaks; /* tasks that have stopped, first first */
    struct sim *sim;
    lua_State *L;
    struct host_quit quit;
    int interrupted; /* the exit code that a signal has led to; 0: none has */
    bool traceback;
    bool complained; /* of a want of memory */
    bool typed;      /* somebody types: prints go out by and by */
    bool announce;   /* tenants */
    bool told_passed_over;
    bool json; /* stderr is read by a program: one object a line */
};

/* The option that was given and means nothing without --sim, or NULL: whoever
 * gives it counts on a simulator. */
const char *host_session_lacks_sim(const struct host_session_options *options);

/* Makes what says things: terminal, log and, if one was asked for, the run's
 * report, which from here on is told of whatever ends the run.  0, or an exit
 * code after saying why on stderr; call host_session_end in either case. */
int host_session_open(struct host_session *session,
                      const struct host_session_options *options);
/* Makes the rest of it, with the same options or more of them; as above. */
int host_session_begin(struct host_session *session,
                       const struct host_session_options *options);
/* Ends all of it, writes what was printed and the run's report.  Returns
 * `code`, or another where the run cannot count as done. */
int host_session_end(struct host_session *session, int code);
/* If a signal has come, says so; the exit code for it, or 0. */
int host_session_interrupted(struct host_session *session);

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

/* ---- the parts of a run, for whoever runs one line after another ---- */

/* Makes a task of the function and its `nargs` arguments on top; its userdata
 * takes their place, or NULL comes back and nothing. */
struct bind_task *host_session_spawn(struct host_session *session, int nargs);
/* Resumes the tasks that are ready; false, and said, if the session cannot
 * go on. */
bool host_session_run_ready(struct host_session *session);
/* True when a budget is spent, so that no script can go on. */
bool host_session_is_over(const struct host_session *session);
/* Turns the loop once, waiting at most `wait_ms` (< 0: as long as it takes)
 * and not at all while tasks are ready; false as above. */
bool host_session_turn(struct host_session *session, int64_t wait_ms);
/* True when tasks wait and nothing is left that could wake one. */
bool host_session_is_stuck(const struct host_session *session);
/* Reports the failure of the task whose userdata is on top, and takes it;
 * returns the exit code for it. */
int host_session_report_task(struct host_session *session);
/* The same where a budget is spent: says so, whatever the task died of. */
int host_session_report_spent(struct host_session *session);
/* Reports the tasks that have failed and that nobody joined; 0, or the exit
 * code for them. */
int host_session_report_unseen(struct host_session *session);
/* Cancels all tasks (`why`: static text) and runs until none is left. */
bool host_session_settle(struct host_session *session, const char *why);

#endif
