#include "repl.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exit.h"
#include "lua_state.h"
#include "output.h"
#include "repl_internal.h"
#include "report.h"
#include "scheduler.h"
#include "signals.h"

/* Registry key: the table that lua/repl's start returned. */
static const char repl_key;

static void leave(struct host_repl *repl, int code)
{
    repl->over = true;
    repl->code = code;
}

/* ---- calls that do not wait ---- */

/* start(repl) */
static int start(lua_State *L)
{
    struct host_repl *repl = lua_touserdata(L, 1);

    bind_require(L, "weir.repl");
    lua_getfield(L, -1, "start");
    host_repl_push_host(L, repl);
    lua_call(L, 1, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &repl_key);
    return 0;
}

static void push_function(lua_State *L, const char *name)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &repl_key);
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
}

/* prompt(text) */
static int get_prompt(lua_State *L)
{
    struct weir_buf *prompt = lua_touserdata(L, 1);
    size_t len;
    const char *text;

    push_function(L, "prompt");
    lua_call(L, 0, 1);
    text = luaL_checklstring(L, -1, &len);
    weir_buf_add(prompt, text, len);
    return 0;
}

/* suggest(hint, task): what may have been meant by an input that failed */
static int suggest(lua_State *L)
{
    struct weir_buf *hint = lua_touserdata(L, 1);

    push_function(L, "suggest");
    lua_getiuservalue(L, 2, 1);
    lua_call(L, 1, 1);
    if (lua_type(L, -1) == LUA_TSTRING)
        weir_buf_adds(hint, lua_tostring(L, -1));
    return 0;
}

struct question {
    const char *text;
    size_t len;
    int columns;
    bool more;
    int indent, outdent;
    bool offered;
    struct host_completion *out;
};

static int ask_more(lua_State *L)
{
    struct question *question = lua_touserdata(L, 1);

    push_function(L, "wants_more");
    lua_pushlstring(L, question->text, question->len);
    lua_call(L, 1, 3);
    question->more = lua_toboolean(L, -3);
    question->indent = (int)lua_tointeger(L, -2);
    question->outdent = (int)lua_tointeger(L, -1);
    return 0;
}

static bool wants_more(void *ud, const char *text, size_t len, int *indent,
                       int *outdent)
{
    struct host_repl *repl = ud;
    struct question question = {.text = text, .len = len};

    host_session_protect(repl->session, ask_more, &question, 0, 0);
    *indent = question.indent;
    *outdent = question.outdent;
    return question.more;
}

static int ask_completion(lua_State *L)
{
    struct question *question = lua_touserdata(L, 1);
    const char *text;
    size_t len;

    push_function(L, "complete");
    lua_pushlstring(L, question->text, question->len);
    lua_pushinteger(L, question->columns);
    lua_call(L, 2, 3);
    if (!lua_isinteger(L, -3) || lua_tointeger(L, -3) < 0)
        return 0;
    question->out->start = (size_t)lua_tointeger(L, -3);
    text = luaL_checklstring(L, -2, &len);
    weir_buf_add(&question->out->text, text, len);
    text = luaL_optlstring(L, -1, "", &len);
    weir_buf_add(&question->out->list, text, len);
    question->offered = true;
    return 0;
}

static bool complete(void *ud, const char *text, size_t len, int columns,
                     struct host_completion *out)
{
    struct host_repl *repl = ud;
    struct question question = {
        .text = text, .len = len, .columns = columns, .out = out};

    host_session_protect(repl->session, ask_completion, &question, 0, 0);
    if (question.offered) {
        struct weir_buf shown;

        weir_buf_init(&shown, HOST_MAX_INPUT);
        weir_log_redact(repl->session->log, weir_buf_str(&out->list),
                        out->list.len, &shown);
        weir_buf_fini(&out->list);
        out->list = shown;
    }
    return question.offered;
}

/* ---- while somebody types ---- */

/* True if the task that has stopped went on: it was cancelled. */
static bool stop_is_over(const struct host_repl *repl)
{
    return repl->stop && repl->session->breaks != repl->stop;
}

/* Tasks of earlier inputs have a budget for each of their steps: one that
 * computes for ever must not take the session with it. */
static bool run_background(struct host_session *s)
{
    bool ran;

    if (!bind_scheduler_ready(s->context.scheduler))
        return true;
    host_watchdog_arm(&s->watchdog);
    ran = host_session_run_ready(s);
    host_watchdog_disarm(&s->watchdog);
    if (bind_budgets_spent(s->context.budgets))
        bind_budgets_renew(s->context.budgets);
    return ran;
}

static bool wait_for_keys(void *ud)
{
    struct host_repl *repl = ud;
    struct host_session *s = repl->session;

    if (!run_background(s))
        return false;
    if (s->context.scheduler->n_kept > 0 && repl->interactive)
        host_session_report_unseen(s);
    if (s->quit.asked || stop_is_over(repl) ||
        (host_signal() && host_signal() != SIGINT))
        return false;
    /* A signal may have come since; it wakes the loop. */
    return host_session_turn(s, -1);
}

static bool interrupted(void *ud)
{
    (void)ud;
    return host_signals_take() > 0;
}

/* ---- running one input ---- */

static bool has_ended(const struct bind_task *task)
{
    return task->state >= BIND_TASK_DONE;
}

static int kill_task(lua_State *L)
{
    struct bind_task *task = lua_touserdata(L, 1);

    if (!has_ended(task))
        bind_task_kill(L, task);
    return 0;
}

/* Stops the input's task: at first as any cancellation, then for good. */
static bool stop(struct host_session *s, struct bind_task *task, bool for_good)
{
    if (!for_good) {
        bind_task_cancel(task, "interrupted");
        return true;
    }
    return host_session_protect(s, kill_task, task, 0, 0);
}

/* Until the task has ended; others may go on after it. */
static bool pump(struct host_session *s, struct bind_task *task)
{
    unsigned seen = 0;

    while (!has_ended(task) && !s->quit.asked) {
        bool stuck;

        if (host_signals_interrupts() > seen) {
            seen = host_signals_interrupts();
            if (!stop(s, task, seen > 1))
                return false;
        }
        if (host_signal() && host_signal() != SIGINT)
            return false;
        if (bind_budgets_spent(s->context.budgets) &&
            !stop(s, task, host_session_is_over(s)))
            return false;
        if (!host_session_run_ready(s))
            return false;
        if (has_ended(task) || s->quit.asked)
            break;
        stuck = host_session_is_stuck(s);
        if (stuck && !task->cancelled)
            host_complain(s, "weir: this waits for something that will not "
                             "come; stopped");
        if (stuck && !stop(s, task, task->cancelled != NULL))
            return false;
        if (!host_session_turn(s, stuck ? 0 : -1))
            return false;
    }
    return true;
}

/* Takes the action that an input asked for: the first two results. */
static void act(struct host_repl *repl, lua_State *L)
{
    const char *word, *text;

    if (lua_getiuservalue(L, -1, 1) != LUA_TTABLE) {
        lua_pop(L, 1);
        return;
    }
    lua_rawgeti(L, -1, 1);
    lua_rawgeti(L, -2, 2);
    word = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
    text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
    if (strcmp(word, "quit") == 0)
        leave(repl, (int)lua_tointeger(L, -1));
    if (strcmp(word, "edit") == 0) {
        struct weir_buf edited;

        weir_buf_init(&edited, HOST_MAX_INPUT);
        if (host_repl_edit(repl, text, &edited)) {
            free(repl->draft);
            repl->draft = strdup(weir_buf_str(&edited));
        }
        weir_buf_fini(&edited);
    }
    lua_pop(L, 3);
}

/* Runs function `name` of lua/repl with the text, as a task of its own.
 * 0, or the exit code for its failure, which has been reported. */
struct input {
    const char *name, *text;
    size_t len;
};

static int push_input(lua_State *L)
{
    const struct input *input = lua_touserdata(L, 1);

    push_function(L, input->name);
    lua_pushlstring(L, input->text, input->len);
    return 2;
}

static int run_input(struct host_repl *repl, const char *name, const char *text,
                     size_t len)
{
    struct host_session *s = repl->session;
    struct input input = {name, text, len};
    struct bind_task *task;
    bool spent;
    int code = HOST_EXIT_DONE;

    if (!host_session_protect(s, push_input, &input, 0, 2))
        return HOST_EXIT_FAILED;
    task = host_session_spawn(s, 1);
    if (!task)
        return HOST_EXIT_FAILED;
    host_signals_take();
    host_signals_guard(task);
    if (s->context.budgets)
        bind_budgets_renew(s->context.budgets);
    host_watchdog_arm(&s->watchdog);
    if (!pump(s, task))
        leave(repl, host_signal() ? HOST_EXIT_SIGNAL + host_signal()
                                  : HOST_EXIT_FAILED);
    host_watchdog_disarm(&s->watchdog);
    spent = bind_budgets_spent(s->context.budgets) != BIND_BUDGET_NONE;
    host_signals_guard(NULL);
    host_output_flush(&s->terminal);
    host_terminal_progress(&s->terminal, NULL);
    if (s->quit.asked)
        leave(repl, s->quit.code);
    if (spent && !repl->over) {
        code = host_session_report_spent(s);
        bind_budgets_renew(s->context.budgets);
        return code;
    }
    if (task->state == BIND_TASK_DONE && !repl->over)
        act(repl, s->L);
    if (task->state == BIND_TASK_FAILED) {
        struct weir_buf hint;

        weir_buf_init(&hint, 1024);
        lua_pushvalue(s->L, -1);
        host_session_protect(s, suggest, &hint, 1, 0);
        code = host_session_report_task(s);
        if (hint.len > 0)
            host_say(s, "  %s", weir_buf_str(&hint));
        weir_buf_fini(&hint);
        return code;
    }
    if (task->state == BIND_TASK_CANCELLED || host_signals_interrupts() > 0) {
        code = HOST_EXIT_SIGNAL + SIGINT;
        if (repl->interactive && !repl->over)
            host_terminal_write(&s->terminal, "\n", 1); /* after the "^C" */
        if (!repl->over)
            host_say(s, "weir: interrupted");
    }
    host_signals_take();
    lua_pop(s->L, 1);
    return code;
}

/* ---- from the first input to the last ---- */

static void remember(struct host_repl *repl, const struct weir_buf *text)
{
    const char *input = weir_buf_str(text);

    if (!repl->interactive || strspn(input, " \t\r\n") == text->len)
        return;
    host_line_editor_remember(repl->editor, input);
    if (!host_history_add(repl->history, input) && !repl->said_history) {
        repl->said_history = true;
        host_complain(repl->session, "weir: cannot keep the history in %s: %s",
                      host_history_path(repl->history), strerror(errno));
    }
}

/* Ctrl-D.  Tasks that still run are not ended by a slip of the hand. */
static void end_of_input(struct host_repl *repl)
{
    struct host_session *s = repl->session;
    size_t n = s->context.scheduler->n_alive;

    if (repl->interactive && n > 0 && !repl->warned_tasks && !repl->stop) {
        host_say(s, "weir: %zu task%s still run%s; once more ends %s", n,
                 n == 1 ? "" : "s", n == 1 ? "s" : "", n == 1 ? "it" : "them");
        repl->warned_tasks = true;
        return;
    }
    leave(repl, HOST_EXIT_DONE);
}

static void run_typed(struct host_repl *repl, const struct weir_buf *text)
{
    int code = run_input(repl, "eval", weir_buf_str(text), text->len);

    remember(repl, text);
    if (!repl->over && code != HOST_EXIT_DONE && !repl->interactive)
        leave(repl, code);
}

static void one_input(struct host_repl *repl)
{
    struct host_session *s = repl->session;
    struct weir_buf prompt, text;
    char *draft = repl->draft;
    enum host_line end;

    repl->draft = NULL;
    weir_buf_init(&prompt, 4096);
    weir_buf_init(&text, HOST_MAX_INPUT);
    if (repl->interactive)
        host_output_end_line();
    host_session_protect(s, get_prompt, &prompt, 0, 0);
    end = host_line_editor_read(repl->editor, weir_buf_str(&prompt), draft,
                                &text);
    free(draft);
    if (end != HOST_LINE_EOF)
        repl->warned_tasks = false;
    switch (end) {
    case HOST_LINE_INPUT: run_typed(repl, &text); break;
    case HOST_LINE_EDIT: {
        struct weir_buf edited;

        weir_buf_init(&edited, HOST_MAX_INPUT);
        if (host_repl_edit(repl, weir_buf_str(&text), &edited))
            repl->draft = strdup(weir_buf_str(&edited));
        else
            repl->draft = strdup(weir_buf_str(&text));
        weir_buf_fini(&edited);
        break;
    }
    case HOST_LINE_INTERRUPTED:
        if (!repl->interactive)
            leave(repl, HOST_EXIT_SIGNAL + SIGINT);
        break;
    case HOST_LINE_EOF: end_of_input(repl); break;
    case HOST_LINE_ENDED:
        if (stop_is_over(repl) && !s->quit.asked && !host_signal()) {
            host_say(s, "weir: the task that had stopped here was cancelled");
            leave(repl, HOST_EXIT_DONE);
            break;
        }
        leave(repl, s->quit.asked   ? s->quit.code
                    : host_signal() ? HOST_EXIT_SIGNAL + host_signal()
                                    : HOST_EXIT_FAILED);
        break;
    }
    weir_buf_fini(&prompt);
    weir_buf_fini(&text);
}

static void keep_loaded(void *ud, const char *text)
{
    host_line_editor_remember(ud, text);
}

/* Where nobody types, tasks are waited for as a script's are. */
static int wait_for_tasks(struct host_repl *repl)
{
    struct host_session *s = repl->session;

    while (s->context.scheduler->n_alive > 0 && !s->quit.asked &&
           !host_signal()) {
        if (!host_session_run_ready(s))
            return HOST_EXIT_FAILED;
        if (s->context.scheduler->n_alive == 0 || host_session_is_stuck(s))
            break;
        if (!host_session_turn(s, -1))
            return HOST_EXIT_FAILED;
    }
    return host_session_report_unseen(s);
}

static int finish(struct host_repl *repl)
{
    struct host_session *s = repl->session;
    int unseen = HOST_EXIT_DONE;

    if (!repl->interactive && repl->code == HOST_EXIT_DONE)
        unseen = wait_for_tasks(repl);
    host_session_settle(s, "the session ends");
    host_output_flush(&s->terminal);
    return repl->code ? repl->code : unseen;
}

static bool open_repl(struct host_repl *repl, enum host_color color)
{
    struct host_session *s = repl->session;
    struct host_line_hooks hooks = {.wait = wait_for_keys,
                                    .interrupted = interrupted,
                                    .wants_more = wants_more,
                                    .complete = complete,
                                    .ud = repl};

    host_output_hold();
    s->typed = true;
    repl->editor = host_line_editor_new(s->loop, &s->terminal, &hooks);
    repl->history = host_history_new(s->log);
    if (!repl->editor || !repl->history) {
        host_complain(s, "weir: out of memory");
        return false;
    }
    repl->interactive = host_line_editor_is_interactive(repl->editor);
    repl->color = host_terminal_colors(STDOUT_FILENO, color);
    host_signals_interactive(true);
    repl->started = host_session_protect(s, start, repl, 0, 0);
    return repl->started;
}

static int finish_lua(lua_State *L)
{
    push_function(L, "finish");
    lua_call(L, 0, 0);
    return 0;
}

static void close_repl(struct host_repl *repl)
{
    if (repl->started)
        host_session_protect(repl->session, finish_lua, NULL, 0, 0);
    host_signals_interactive(false);
    host_output_release();
    repl->session->typed = false;
    host_line_editor_free(repl->editor);
    host_history_free(repl->history);
    free(repl->draft);
}

static void load_history(struct host_repl *repl)
{
    if (!host_history_load(repl->history, keep_loaded, repl->editor))
        host_complain(repl->session, "weir: cannot read the history %s: %s",
                      host_history_path(repl->history), strerror(errno));
}

int host_repl_run(struct host_session *session,
                  const struct host_repl_options *options)
{
    struct host_repl repl = {.session = session};
    int code = HOST_EXIT_FAILED;

    setvbuf(stdin, NULL, _IONBF, 0); /* io.read takes its lines and no more */
    if (open_repl(&repl, (enum host_color)options->color)) {
        if (repl.interactive) {
            load_history(&repl);
            run_input(&repl, "greet", "", 0);
        }
        if (repl.interactive && !options->no_rc)
            run_input(&repl, "run_rc", "", 0);
        for (char **file = options->files; file && *file && !repl.over;
             file++) {
            code = run_input(&repl, "load", *file, strlen(*file));
            if (code && !repl.interactive)
                leave(&repl, code);
        }
        while (!repl.over)
            one_input(&repl);
        code = finish(&repl);
    }
    close_repl(&repl);
    return code;
}

void host_repl_break(struct host_session *session,
                     const struct host_break *stop)
{
    struct host_repl repl = {.session = session, .stop = stop};

    if (open_repl(&repl, HOST_COLOR_AUTO)) {
        load_history(&repl);
        run_input(&repl, "greet", "", 0);
        while (!repl.over && !stop_is_over(&repl))
            one_input(&repl);
    }
    host_output_flush(&session->terminal);
    close_repl(&repl);
    if (repl.code)
        bind_scheduler_cancel_all(session->context.scheduler,
                                  "ended at a breakpoint");
}
