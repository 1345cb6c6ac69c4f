#include "session.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "environment.h"
#include "exit.h"
#include "lua_state.h"
#include "report.h"
#include "scheduler.h"
#include "signals.h"
#include "sim.h"

#define MAX_REPORT ((size_t)256 * 1024)

/* ---- what is said on stderr ---- */

/* Where people read: the text as it is.  Where a program reads, every line
 * of stderr is an object, so what is said becomes the message of one. */
static void write_redacted(struct host_session *s, enum weir_log_level level,
                           const char *text, size_t len)
{
    static const char prefix[] = "weir: ";
    struct weir_buf line;

    /* With the log off, an error still has to be seen. */
    if (s->json &&
        (level < WEIR_LOG_ERROR || weir_log_enabled(s->log, WEIR_LOG_ERROR))) {
        if (len >= sizeof(prefix) - 1 &&
            memcmp(text, prefix, sizeof(prefix) - 1) == 0) {
            text += sizeof(prefix) - 1;
            len -= sizeof(prefix) - 1;
        }
        while (len > 0 && text[len - 1] == '\n')
            len--;
        weir_log_write_text(s->log, level, NULL, text, len);
        return;
    }
    weir_buf_init(&line, MAX_REPORT);
    if (weir_log_redact(s->log, text, len, &line) == WEIR_OK)
        host_terminal_write(&s->terminal, weir_buf_str(&line), line.len);
    weir_buf_fini(&line);
}

static void say(struct host_session *s, enum weir_log_level level,
                const char *fmt, va_list args)
{
    char text[1024];
    int len = vsnprintf(text, sizeof(text) - 1, fmt, args);

    if (len < 0)
        return;
    if ((size_t)len > sizeof(text) - 2)
        len = sizeof(text) - 2;
    text[len++] = '\n';
    write_redacted(s, level, text, (size_t)len);
}

void host_say(struct host_session *session, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    say(session, WEIR_LOG_INFO, fmt, args);
    va_end(args);
}

void host_complain(struct host_session *session, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    say(session, WEIR_LOG_ERROR, fmt, args);
    va_end(args);
}

static int say_err(struct host_session *s, struct weir_err *err)
{
    int code = host_exit_code(err->code);

    host_complain(s, "weir: %s%s%s", err->message, err->hint[0] ? "; " : "",
                  err->hint);
    weir_err_clear(err);
    return code;
}

static void log_line(void *ud, const char *line, size_t len)
{
    host_terminal_write(ud, line, len);
}

/* ---- beginning ---- */

static enum weir_code configure_http(struct host_session *s,
                                     struct weir_err *err)
{
    struct weir_http_settings settings = host_environment_http();

    return weir_http_configure(s->loop, &settings, err);
}

/* "deploy.lua" → "deploy.sim.lua", if that file is there. */
static char *find_scenario(const char *script)
{
    size_t len = script ? strlen(script) : 0;
    char *path = NULL;

    if (len < 5 || strcmp(script + len - 4, ".lua") != 0)
        return NULL;
    if (asprintf(&path, "%.*s.sim.lua", (int)(len - 4), script) < 0)
        return NULL;
    if (access(path, R_OK) == 0)
        return path;
    free(path);
    return NULL;
}

static enum weir_code start_sim(struct host_session *s,
                                const struct host_session_options *options,
                                struct weir_err *err)
{
    char *scenario = find_scenario(options->script);
    struct sim_options sim = {.seed = options->sim_seed, .scenario = scenario};
    enum weir_code code = sim_start(&sim, &s->sim, err);

    if (code == WEIR_OK) {
        s->context.sim_url = sim_url(s->sim);
        host_say(s, "weir: simulator at %s; nothing is sent to a tenant",
                 s->context.sim_url);
        if (scenario)
            host_say(s, "weir: the simulator plays %s", scenario);
    }
    free(scenario);
    return code;
}

static void end_now(void *ud)
{
    host_session_end(ud);
}

static enum weir_code begin(struct host_session *s,
                            const struct host_session_options *options,
                            struct weir_err *err)
{
    enum weir_code code =
        weir_log_new(NULL, log_line, &s->terminal, &s->log, err);

    if (code == WEIR_OK)
        code = weir_loop_new(NULL, &s->loop, err);
    if (code == WEIR_OK)
        code = configure_http(s, err);
    if (code)
        return code;
    weir_log_set_level(s->log, (enum weir_log_level)options->log_level);
    weir_log_set_format(s->log, (enum weir_log_format)options->log_format);
    s->json = options->log_format == WEIR_LOG_JSON;
    s->context.loop = s->loop;
    s->context.log = s->log;
    s->context.scheduler = bind_scheduler_new(s->loop);
    if (!s->context.scheduler)
        return weir_err_nomem(err);
    host_signals_start(s->loop);
    if (options->sim)
        code = start_sim(s, options, err);
    if (code)
        return code;
    s->L = host_state_new(&s->context, options->script);
    if (!s->L)
        return weir_err_nomem(err);
    s->quit.now = end_now;
    s->quit.ud = s;
    host_quit_open(s->L, &s->quit);
    return WEIR_OK;
}

int host_session_begin(struct host_session *session,
                       const struct host_session_options *options)
{
    struct weir_err err = WEIR_ERR_INIT;

    *session = (struct host_session){.traceback = options->traceback};
    host_terminal_init(&session->terminal, (enum host_color)options->color);
    if (options->log_format == WEIR_LOG_JSON)
        session->terminal.is_tty = session->terminal.color = false;
    if (begin(session, options, &err))
        return say_err(session, &err);
    host_progress_start(&session->progress, session->context.scheduler,
                        session->log, &session->terminal, session->json);
    return 0;
}

void host_session_end(struct host_session *session)
{
    if (session->progress.loop)
        host_progress_stop(&session->progress);
    /* Finalizers of userdata may still cancel ops: the state goes first. */
    if (session->L)
        lua_close(session->L);
    bind_scheduler_free(session->context.scheduler);
    sim_stop(session->sim);
    host_signals_stop();
    weir_loop_free(session->loop);
    weir_log_free(session->log);
}

/* ---- running ---- */

int host_session_report(struct host_session *session, int index, int trace)
{
    struct weir_buf text;
    int code = host_exit_code(host_report_code(session->L, index));

    weir_buf_init(&text, MAX_REPORT);
    host_report(session->L, index, trace, session->traceback,
                &session->terminal, &text);
    write_redacted(session, WEIR_LOG_ERROR, weir_buf_str(&text), text.len);
    weir_buf_fini(&text);
    return code;
}

static int spawn_main(lua_State *L)
{
    struct bind_task *task = bind_task_spawn(L, lua_gettop(L) - 1);

    lua_pushlightuserdata(L, task);
    return 2;
}

static int drain(lua_State *L)
{
    bind_scheduler_drain(L);
    return 0;
}

/* Calls a function of ours that may raise for want of memory. */
static bool protected_call(struct host_session *s, lua_CFunction fn)
{
    lua_pushcfunction(s->L, fn);
    if (lua_pcall(s->L, 0, 0, 0) == LUA_OK)
        return true;
    host_complain(s, "weir: out of memory");
    lua_pop(s->L, 1);
    return false;
}

/* True when tasks wait and nothing is left that could wake one: only the
 * progress line's own timer runs. */
static bool is_stuck(const struct host_session *s)
{
    return !bind_scheduler_ready(s->context.scheduler) &&
           weir_loop_ops(s->loop) == 0 && weir_loop_timers(s->loop) <= 1;
}

static bool has_ended(const struct bind_task *task)
{
    return task->state >= BIND_TASK_DONE;
}

static int kill_alive(lua_State *L)
{
    struct bind_scheduler *scheduler = bind_context(L)->scheduler;

    while (scheduler->alive)
        bind_task_kill(L, scheduler->alive);
    return 0;
}

/* Why all tasks must end now, or NULL. */
static const char *reason_to_stop(const struct host_session *s,
                                  const struct bind_task *main_task)
{
    if (s->quit.asked)
        return "the script called os.exit";
    if (host_signal())
        return "interrupted";
    if (has_ended(main_task) && main_task->state != BIND_TASK_DONE)
        return "the script has failed";
    return NULL;
}

/* Runs what is ready.  What tasks print must not land in the progress
 * line. */
static bool run_ready(struct host_session *s)
{
    if (!bind_scheduler_ready(s->context.scheduler))
        return true;
    host_terminal_progress(&s->terminal, NULL);
    return protected_call(s, drain);
}

/* Turns the loop and runs tasks until none is left; false if that cannot go
 * on. */
static bool pump(struct host_session *s, const struct bind_task *main_task)
{
    struct bind_scheduler *scheduler = s->context.scheduler;
    bool stopping = false;

    while (scheduler->n_alive > s->quit.n_parked) {
        struct weir_err err = WEIR_ERR_INIT;
        const char *why = reason_to_stop(s, main_task);

        if (why && !stopping) {
            bind_scheduler_cancel_all(scheduler, why);
            stopping = true;
        }
        if (!run_ready(s))
            return false;
        if (scheduler->n_alive == s->quit.n_parked)
            break;
        if (is_stuck(s)) {
            if (stopping)
                break; /* shielded waits that nothing will end */
            host_complain(s,
                          "weir: every task waits for another; none can go on");
            bind_scheduler_cancel_all(scheduler, "every task was waiting");
            stopping = true;
        }
        if (weir_loop_turn(s->loop, bind_scheduler_ready(scheduler) ? 0 : -1,
                           &err)) {
            say_err(s, &err);
            return false;
        }
    }
    return protected_call(s, kill_alive);
}

static int unseen(lua_State *L)
{
    bind_scheduler_unseen(L);
    return 1;
}

/* Reports the tasks that failed and that nobody joined. */
static int report_unseen(struct host_session *s)
{
    lua_State *L = s->L;
    int code = 0;

    lua_pushcfunction(L, unseen);
    if (lua_pcall(L, 0, 1, 0)) {
        lua_pop(L, 1);
        return HOST_EXIT_FAILED;
    }
    for (lua_Integer i = 1; lua_rawgeti(L, -1, i) == LUA_TUSERDATA; i++) {
        bind_task_error(L, -1);
        host_complain(s, "weir: a task that nobody joined has failed:");
        host_session_report(s, -2, -1);
        lua_pop(L, 3);
        code = HOST_EXIT_FAILED;
    }
    lua_pop(L, 2);
    if (s->context.scheduler->n_lost > 0)
        host_say(s, "weir: and %zu more tasks failed that nobody joined",
                 s->context.scheduler->n_lost);
    return code;
}

static int report_main(struct host_session *s)
{
    int top = lua_gettop(s->L), code;

    bind_task_error(s->L, top);
    code = host_session_report(s, top + 1, top + 2);
    lua_settop(s->L, top);
    return code;
}

/* The task's userdata is on top. */
static int exit_code(struct host_session *s, const struct bind_task *task)
{
    int code = 0, unseen_code;

    if (task->state == BIND_TASK_FAILED ||
        (task->state == BIND_TASK_CANCELLED && !host_signal()))
        code = report_main(s);
    unseen_code = report_unseen(s);
    if (s->quit.asked)
        return s->quit.code;
    if (host_signal()) {
        host_say(s, "weir: interrupted");
        return HOST_EXIT_SIGNAL + host_signal();
    }
    return code ? code : unseen_code;
}

int host_session_run(struct host_session *session, int nargs)
{
    lua_State *L = session->L;
    struct bind_task *task;
    int code;

    lua_pushcfunction(L, spawn_main);
    lua_insert(L, -(nargs + 2));
    if (lua_pcall(L, nargs + 1, 2, 0)) {
        host_complain(session, "weir: out of memory");
        return HOST_EXIT_FAILED;
    }
    task = lua_touserdata(L, -1);
    lua_pop(L, 1); /* the task's userdata stays on the stack */
    if (!pump(session, task))
        return HOST_EXIT_FAILED;
    host_terminal_progress(&session->terminal, NULL);
    code = exit_code(session, task);
    lua_pop(L, 1);
    return code;
}
