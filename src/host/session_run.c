/* A session's run: tasks until none is left, and what is said of it. */
#include "err_internal.h"
#include "exit.h"
#include "output.h"
#include "report.h"
#include "run_report.h"
#include "scheduler.h"
#include "session.h"
#include "signals.h"

#include <string.h>

bool host_session_protect(struct host_session *session, lua_CFunction fn,
                          void *ud, int nargs, int nresults)
{
    lua_State *L = session->L;
    const char *why;

    lua_pushcfunction(L, fn);
    lua_insert(L, -(nargs + 1));
    lua_pushlightuserdata(L, ud);
    lua_insert(L, -(nargs + 1));
    if (lua_pcall(L, nargs + 1, nresults, 0) == LUA_OK)
        return true;
    why =
        lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "out of memory";
    host_run_report_failure(weir_code_word(WEIR_NOMEM), why);
    if (!session->complained)
        host_complain(session, "weir: %s", why);
    session->complained = true;
    lua_pop(L, 1);
    return false;
}

/* ---- turning the loop ---- */

/* spawn_main(ud, function, …) → the task's userdata */
static int spawn_main(lua_State *L)
{
    struct bind_task **task = lua_touserdata(L, 1);

    *task = bind_task_spawn(L, lua_gettop(L) - 2);
    return 1;
}

static int drain(lua_State *L)
{
    bind_scheduler_drain(L);
    return 0;
}

static int kill_alive(lua_State *L)
{
    struct bind_scheduler *scheduler = bind_context(L)->scheduler;

    while (scheduler->alive)
        bind_task_kill(L, scheduler->alive);
    return 0;
}

/* True when tasks wait and nothing is left that could wake one: only the
 * progress line's own timer runs. */
bool host_session_is_stuck(const struct host_session *s)
{
    return !bind_scheduler_ready(s->context.scheduler) &&
           weir_loop_ops(s->loop) == 0 && weir_loop_timers(s->loop) <= 1;
}

static bool has_ended(const struct bind_task *task)
{
    return task->state >= BIND_TASK_DONE;
}

/* Why all tasks must end now, or NULL. */
static const char *reason_to_stop(const struct host_session *s,
                                  const struct bind_task *main_task)
{
    if (bind_budgets_spent(s->context.budgets))
        return "the time of the run is over";
    if (s->quit.asked)
        return "the script called os.exit";
    if (host_signal())
        return "interrupted";
    if (has_ended(main_task) && main_task->state != BIND_TASK_DONE)
        return "the script has failed";
    return NULL;
}

bool host_session_is_over(const struct host_session *s)
{
    enum bind_budget which = bind_budgets_spent(s->context.budgets);

    return which != BIND_BUDGET_NONE && which != BIND_BUDGET_TIME;
}

/* Runs what is ready.  What tasks print must not land in the progress
 * line. */
bool host_session_run_ready(struct host_session *s)
{
    if (!bind_scheduler_ready(s->context.scheduler))
        return true;
    host_terminal_progress(&s->terminal, NULL);
    if (!host_session_protect(s, drain, NULL, 0, 0))
        return false;
    if (s->typed)
        host_output_flush(&s->terminal);
    return true;
}

bool host_session_turn(struct host_session *s, int64_t wait_ms)
{
    struct weir_err err = WEIR_ERR_INIT;

    if (bind_scheduler_ready(s->context.scheduler))
        wait_ms = 0;
    if (weir_loop_turn(s->loop, wait_ms, &err)) {
        host_complain_err(s, &err);
        return false;
    }
    return true;
}

bool host_session_settle(struct host_session *s, const char *why)
{
    struct bind_scheduler *scheduler = s->context.scheduler;

    bind_scheduler_cancel_all(scheduler, why);
    while (scheduler->n_alive > s->quit.n_parked) {
        if (!host_session_run_ready(s))
            return false;
        if (scheduler->n_alive == s->quit.n_parked || host_session_is_stuck(s))
            break;
        if (!host_session_turn(s, -1))
            return false;
    }
    return host_session_protect(s, kill_alive, NULL, 0, 0);
}

/* Turns the loop and runs tasks until none is left; false if that cannot go
 * on. */
static bool pump(struct host_session *s, const struct bind_task *main_task)
{
    struct bind_scheduler *scheduler = s->context.scheduler;
    bool stopping = false;

    while (scheduler->n_alive > s->quit.n_parked) {
        const char *why = reason_to_stop(s, main_task);

        if (why && !stopping) {
            bind_scheduler_cancel_all(scheduler, why);
            stopping = true;
        }
        /* Where no line of Lua runs any more, none has to be waited for. */
        if (host_session_is_over(s))
            break;
        if (!host_session_run_ready(s))
            return false;
        if (scheduler->n_alive == s->quit.n_parked)
            break;
        if (s->breaks) {
            host_breakpoint_run(s);
            continue;
        }
        if (host_session_is_stuck(s)) {
            if (stopping)
                break; /* shielded waits that nothing will end */
            host_complain(s,
                          "weir: every task waits for another; none can go on");
            bind_scheduler_cancel_all(scheduler, "every task was waiting");
            stopping = true;
        }
        if (!host_session_turn(s, -1))
            return false;
    }
    return host_session_protect(s, kill_alive, NULL, 0, 0);
}

/* ---- what is said of it ---- */

struct report {
    struct host_session *session;
    int code;
    bool own; /* the script's error says itself what the code is */
};

/* Lua's own words for it name neither the ceiling nor a way out. */
static void name_memory(lua_State *L, int index)
{
    const struct bind_budgets *budgets = bind_budgets(L);
    struct weir_err err = WEIR_ERR_INIT;

    if (!budgets || !budgets->refused ||
        (host_report_code(L, index) != WEIR_NOMEM &&
         (lua_type(L, index) != LUA_TSTRING ||
          strcmp(lua_tostring(L, index), "not enough memory") != 0)))
        return;
    bind_budgets_err(budgets, BIND_BUDGET_MEMORY, &err);
    bind_err_push(L, &err);
    weir_err_clear(&err);
    lua_replace(L, index);
}

/* report(ud, error, trace) */
static int write_report(lua_State *L)
{
    struct report *report = lua_touserdata(L, 1);
    struct host_session *s = report->session;
    struct weir_buf *text = bind_buf(L, HOST_MAX_REPORT);

    name_memory(L, 2);
    report->code = bind_err_exit_code(L, 2);
    report->own = report->code != 0;
    if (!report->own)
        report->code = host_exit_code(host_report_code(L, 2));
    if (host_run_report_asked()) { /* a __tostring is the script's */
        host_run_report_failure(weir_code_word(host_report_code(L, 2)),
                                host_report_line(L, 2, 3));
        lua_pop(L, 1);
    }
    host_report(L, 2, 3, s->traceback, &s->terminal, text);
    host_session_write(s, WEIR_LOG_ERROR, weir_buf_str(text), text->len);
    return 0;
}

int host_session_report(struct host_session *session)
{
    struct report report = {.session = session, .code = HOST_EXIT_FAILED};

    host_session_protect(session, write_report, &report, 2, 0);
    return report.code;
}

/* report_task(ud, task) */
static int report_task(lua_State *L)
{
    lua_settop(L, 2);
    bind_task_error(L, 2);
    lua_remove(L, 2);
    return write_report(L);
}

/* report_unseen(ud): the tasks that failed and that nobody joined. */
static int report_unseen(lua_State *L)
{
    struct report *report = lua_touserdata(L, 1);
    struct host_session *s = report->session;
    size_t n_lost = s->context.scheduler->n_lost;

    bind_scheduler_unseen(L);
    for (lua_Integer i = 1; lua_rawgeti(L, 2, i) == LUA_TUSERDATA; i++) {
        host_complain(s, "weir: a task that nobody joined has failed:");
        lua_pushcfunction(L, report_task);
        lua_insert(L, 3);
        lua_pushvalue(L, 1);
        lua_insert(L, 4);
        lua_call(L, 2, 0);
        report->code = HOST_EXIT_FAILED;
    }
    if (n_lost > 0)
        host_complain(s, "weir: and %zu more tasks failed that nobody joined",
                      n_lost);
    return 0;
}

static struct report tell_task(struct host_session *s)
{
    struct report report = {.session = s, .code = HOST_EXIT_FAILED};

    host_session_protect(s, report_task, &report, 1, 0);
    return report;
}

int host_session_report_task(struct host_session *s)
{
    return tell_task(s).code;
}

int host_session_report_unseen(struct host_session *s)
{
    struct report unseen = {.session = s, .code = HOST_EXIT_DONE};

    if (!host_session_protect(s, report_unseen, &unseen, 0, 0))
        unseen.code = HOST_EXIT_FAILED;
    return unseen.code;
}

/* report_spent(ud, task): a budget is spent, which is why whatever has failed
 * did.  The err object of the budget knows the line, if it got through. */
static int report_spent(lua_State *L)
{
    struct report *report = lua_touserdata(L, 1);
    const struct bind_task *task = lua_touserdata(L, 2);
    const struct bind_budgets *budgets = bind_budgets(L);
    struct weir_err err = WEIR_ERR_INIT;

    lua_settop(L, 2);
    if (task->state == BIND_TASK_FAILED) {
        bind_task_error(L, 2);
        lua_remove(L, 2);
        if (bind_budgets_raised(L, 2) || bind_err_exit_code(L, 2))
            return write_report(L);
    }
    bind_budgets_err(budgets, bind_budgets_spent(budgets), &err);
    report->code = host_complain_err(report->session, &err);
    return 0;
}

int host_session_report_spent(struct host_session *s)
{
    struct report report = {.session = s, .code = HOST_EXIT_FAILED};

    host_session_protect(s, report_spent, &report, 1, 0);
    return report.code;
}

/* The main task's userdata is on top. */
static int exit_code(struct host_session *s, const struct bind_task *task)
{
    struct report told = {.code = HOST_EXIT_DONE};
    int unseen_code;
    size_t n_killed = s->context.scheduler->n_killed;

    if (bind_budgets_spent(s->context.budgets))
        return host_session_report_spent(s);
    if (task->state == BIND_TASK_FAILED ||
        (task->state == BIND_TASK_CANCELLED && !host_signal())) {
        told = tell_task(s);
    } else {
        lua_pop(s->L, 1);
    }
    unseen_code = host_session_report_unseen(s);
    if (n_killed > 0)
        host_complain(s,
                      "weir: %zu task%s went on and on after being "
                      "cancelled, and had to be ended",
                      n_killed, n_killed == 1 ? "" : "s");
    if (s->quit.asked)
        return s->quit.code;
    if (host_signal()) {
        int code = host_session_interrupted(s);

        s->interrupted = told.own ? told.code : code;
        return s->interrupted;
    }
    return told.code ? told.code : unseen_code;
}

struct bind_task *host_session_spawn(struct host_session *session, int nargs)
{
    struct bind_task *task = NULL;

    if (!host_session_protect(session, spawn_main, &task, nargs + 1, 1))
        return NULL;
    return task;
}

int host_session_run(struct host_session *session, int nargs)
{
    struct bind_task *task = host_session_spawn(session, nargs);

    if (!task)
        return HOST_EXIT_FAILED;
    host_watchdog_arm(&session->watchdog);
    /* The task's userdata stays on the stack, which keeps it. */
    if (!pump(session, task))
        return HOST_EXIT_FAILED;
    host_watchdog_disarm(&session->watchdog);
    host_terminal_progress(&session->terminal, NULL);
    return exit_code(session, task);
}
