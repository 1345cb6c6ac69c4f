#include "session.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doors.h"
#include "environment.h"
#include "exit.h"
#include "lua_state.h"
#include "run_report.h"
#include "scheduler.h"
#include "secrecy.h"
#include "settings.h"
#include "signals.h"
#include "sim.h"
#include "weir/cut.h"
#include "weir/dir.h"
#include "weir/url.h"

const char *const host_session_levels[] = {"debug", "info", "warn",
                                           "error", "off",  NULL};
const char *const host_session_formats[] = {"text", "json", NULL};
const char *const host_session_colors[] = {"auto", "always", "never", NULL};

/* What replaces a secret can be longer than the secret. */
#define MAX_LINE (2 * HOST_MAX_REPORT)

/* ---- what is said on stderr ---- */

/* Where people read: the text as it is.  Where a program reads, every line
 * of stderr is an object, so what is said becomes the message of one. */
void host_session_write(struct host_session *session, enum weir_log_level level,
                        const char *text, size_t len)
{
    static const char prefix[] = "weir: ", failed[] = "weir: out of memory\n";
    struct weir_buf line;

    /* With the log off, an error still has to be seen. */
    if (session->json && (level < WEIR_LOG_ERROR ||
                          weir_log_enabled(session->log, WEIR_LOG_ERROR))) {
        if (len >= sizeof(prefix) - 1 &&
            memcmp(text, prefix, sizeof(prefix) - 1) == 0) {
            text += sizeof(prefix) - 1;
            len -= sizeof(prefix) - 1;
        }
        while (len > 0 && text[len - 1] == '\n')
            len--;
        weir_log_write_text(session->log, level, NULL, text, len);
        return;
    }
    weir_buf_init(&line, MAX_LINE);
    if (weir_log_redact(session->log, text, len, &line) == WEIR_OK) {
        host_terminal_write(&session->terminal, weir_buf_str(&line), line.len);
    } else if (!session->complained) {
        host_terminal_write(&session->terminal, failed, sizeof(failed) - 1);
        session->complained = true;
    }
    weir_buf_fini(&line);
}

static void say(struct host_session *s, enum weir_log_level level,
                const char *fmt, va_list args)
{
    char text[4096];
    size_t len = weir_cut_vprintf(text, sizeof(text) - 1, fmt, args);

    text[len++] = '\n';
    host_session_write(s, level, text, len);
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

int host_complain_err(struct host_session *s, struct weir_err *err)
{
    int code = host_exit_code(err->code);

    host_run_report_failure(weir_code_word(err->code), err->message);
    host_complain(s, "weir: %s%s%s", err->message, err->hint[0] ? "; " : "",
                  err->hint);
    weir_err_clear(err);
    return code;
}

static void log_line(void *ud, const char *line, size_t len)
{
    struct host_session *s = ud;

    /* What a script logs counts as what it prints. */
    if (s->context.budgets && s->context.scheduler->current)
        bind_budgets_note(s->context.budgets, len);
    host_terminal_write(&s->terminal, line, len);
}

/* ---- beginning ---- */

/* Libcurl may quote the URL of a proxy that it cannot use. */
static enum weir_code hide_password(struct host_session *s, const char *url,
                                    struct weir_err *err)
{
    struct weir_buf password;
    enum weir_code code = WEIR_OK;

    weir_buf_init_secret(&password, MAX_LINE);
    if (weir_url_password(&password, url) == WEIR_OK && password.len > 0)
        code = weir_log_secret(s->log, password.data, password.len, err);
    weir_buf_fini(&password);
    if (code != WEIR_INVALID)
        return code;
    weir_err_clear(err); /* too short to be hidden */
    return WEIR_OK;
}

static enum weir_code configure_http(struct host_session *s,
                                     struct weir_err *err)
{
    struct weir_http_settings settings = host_environment_http();
    enum weir_code code =
        settings.proxy ? hide_password(s, settings.proxy, err) : WEIR_OK;

    return code ? code : weir_http_configure(s->loop, &settings, err);
}

/* What counts besides the options, for whoever wonders where requests go. */
static void log_environment(const struct host_session *s)
{
    struct weir_buf proxy;
    struct host_environment words;

    if (!weir_log_enabled(s->log, WEIR_LOG_DEBUG))
        return;
    weir_buf_init(&proxy, HOST_MAX_PROXY);
    words = host_environment_words(&proxy);
    weir_log_write(s->log, WEIR_LOG_DEBUG, NULL,
                   "proxy: %s; no proxy for: %s; trust: %s", words.proxy,
                   words.no_proxy, words.trust);
    weir_buf_fini(&proxy);
}

/* "deploy.lua" → "deploy.sim.lua", if that name is there, also when it cannot
 * be read: a run without its scenario would show something else.  Else NULL. */
static enum weir_code find_scenario(const char *script, char **out,
                                    struct weir_err *err)
{
    size_t len = script ? strlen(script) : 0;
    struct stat there;
    char *path = NULL;

    *out = NULL;
    if (len < 5 || strcmp(script + len - 4, ".lua") != 0)
        return WEIR_OK;
    if (asprintf(&path, "%.*s.sim.lua", (int)(len - 4), script) < 0)
        return weir_err_nomem(err);
    if (lstat(path, &there) == 0 || (errno != ENOENT && errno != ENOTDIR))
        *out = path;
    else
        free(path);
    return WEIR_OK;
}

static enum weir_code start_sim(struct host_session *s,
                                const struct host_session_options *options,
                                struct weir_err *err)
{
    struct sim_options sim = {.seed = options->sim_seed,
                              .state = options->sim_state};
    char *scenario;
    enum weir_code code = find_scenario(options->script, &scenario, err);

    sim.scenario = scenario;
    if (code == WEIR_OK)
        code = sim_start(&sim, &s->sim, err);
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

/* An origin alone is shown as it is written, without a slash at its end. */
static enum weir_code shown_url(struct weir_buf *out, const char *url)
{
    size_t len = strlen(url);
    enum weir_code code = weir_url_redacted(out, url);

    if (code == WEIR_OK && out->len == len + 1 && url[len - 1] != '/')
        out->data[--out->len] = '\0';
    return code;
}

static void tenant_in_use(void *ud, const char *name, const char *base_url,
                          const char *origin)
{
    struct host_session *s = ud;
    struct weir_buf url;

    weir_buf_init(&url, 8192);
    if (shown_url(&url, base_url) == WEIR_OK &&
        host_run_report_tenant(name, weir_buf_str(&url)) && s->announce)
        host_say(s, "weir: tenant %s at %s, from %s", name, weir_buf_str(&url),
                 origin);
    if (s->announce && host_settings_passed_over() && !s->told_passed_over) {
        s->told_passed_over = true;
        host_say(s,
                 "weir: context %s is in use and does not count: the "
                 "environment has settings",
                 host_settings_passed_over());
    }
    weir_buf_fini(&url);
}

/* Somebody may believe that they count. */
static void tell_ignored(struct host_session *s)
{
    struct weir_buf names;

    weir_buf_init(&names, 1024);
    if (host_settings_ignored(&names) > 0)
        host_say(s, "weir: not used: %s; context %s counts, named by %s",
                 weir_buf_str(&names), host_settings_context(),
                 host_settings_chosen_by());
    weir_buf_fini(&names);
}

/* What the run may do, and what it may use up. */
static enum weir_code confine(struct host_session *s,
                              const struct host_session_options *options,
                              struct weir_err *err)
{
    enum weir_code code = host_doors_shut(s, options, err);
    bool confined = s->context.permissions != NULL;

    if (host_budgets_set(&options->budgets, confined, &s->budgets))
        s->context.budgets = &s->budgets;
    return code;
}

static enum weir_code start_watchdog(struct host_session *s,
                                     struct weir_err *err)
{
    s->watchdog = (struct host_watchdog){
        .budgets = &s->budgets, .loop = s->loop, .json = s->json};
    if (host_watchdog_start(&s->watchdog))
        return WEIR_OK;
    weir_err_set(err, WEIR_CONFIG,
                 "there can be no thread that measures the run's time");
    return WEIR_CONFIG;
}

/* A handler that calls os.exit says nothing of a budget that is spent. */
static int end_now(void *ud, int code)
{
    struct host_session *s = ud;
    enum bind_budget which = bind_budgets_spent(s->context.budgets);
    struct weir_err err = WEIR_ERR_INIT;

    if (which != BIND_BUDGET_NONE) {
        bind_budgets_err(s->context.budgets, which, &err);
        host_run_report_failure(weir_code_word(err.code), err.message);
        code = host_complain_err(s, &err);
    }
    return host_session_end(s, code);
}

/* What the log hides from now on, the report must not show either. */
static void secret_known(void *ud)
{
    (void)ud;
    host_run_report_secret();
}

static enum weir_code start_report(struct host_session *s,
                                   const struct host_session_options *options,
                                   struct weir_err *err)
{
    const struct host_run_start start = {options->script, options->arguments,
                                         options->n_arguments,
                                         options->confine.dry_run};
    enum weir_code code = weir_changes_new(NULL, s->log, &s->changes, err);

    if (code == WEIR_OK)
        code = host_run_report_begin(options->report, &start, s->log,
                                     s->changes, err);
    if (code == WEIR_OK)
        weir_log_on_secret(s->log, secret_known, s);
    return code;
}

/* A context may have taken further variables out of the environment. */
static enum weir_code choose_tenant(struct host_session *s,
                                    const struct host_session_options *options,
                                    struct weir_err *err)
{
    enum weir_code code =
        host_settings_begin(options->context, options->sim, err);

    if (code == WEIR_OK)
        code = host_secrecy_tell(s->log, err);
    if (code == WEIR_OK)
        host_run_report_where(host_settings_context(), options->sim);
    return code;
}

/* From the report on a signal is waited for, so that it says how the run
 * ended. */
static enum weir_code open_session(struct host_session *s,
                                   const struct host_session_options *options,
                                   struct weir_err *err)
{
    enum weir_code code = weir_log_new(NULL, log_line, s, &s->log, err);

    if (code)
        return code;
    weir_log_set_level(s->log, (enum weir_log_level)options->log_level);
    weir_log_set_format(s->log, (enum weir_log_format)options->log_format);
    s->json = options->log_format == WEIR_LOG_JSON;
    code = host_secrecy_tell(s->log, err);
    if (code || !options->report)
        return code;
    host_signals_start(NULL, NULL);
    return start_report(s, options, err);
}

static enum weir_code begin(struct host_session *s,
                            const struct host_session_options *options,
                            struct weir_err *err)
{
    enum weir_code code = choose_tenant(s, options, err);

    if (code == WEIR_OK)
        code = weir_loop_new(NULL, &s->loop, err);
    if (code == WEIR_OK)
        code = configure_http(s, err);
    if (code)
        return code;
    log_environment(s);
    s->context.loop = s->loop;
    s->context.log = s->log;
    s->context.changes = s->changes;
    s->context.setting = host_settings_find;
    s->context.secret = host_settings_secret;
    s->context.context = host_settings_context();
    s->context.tenant = tenant_in_use;
    s->context.tenant_ud = s;
    s->announce = options->announce && !options->sim;
    if (s->announce)
        tell_ignored(s);
    s->context.scheduler = bind_scheduler_new(s->loop);
    if (!s->context.scheduler)
        return weir_err_nomem(err);
    host_signals_start(s->loop, &s->context.running);
    if (options->sim)
        code = start_sim(s, options, err);
    if (code == WEIR_OK)
        code = confine(s, options, err);
    if (code == WEIR_OK)
        code = start_watchdog(s, err);
    if (code)
        return code;
    s->L = host_state_new(&s->context, options->script);
    if (!s->L)
        return weir_err_nomem(err);
    if (options->trace)
        host_trace_switch(&s->trace, s, true);
    s->quit.now = end_now;
    s->quit.ud = s;
    if (!host_quit_open(s->L, &s->quit) || !host_breakpoint_open(s->L, s))
        return weir_err_nomem(err);
    return host_doors_know(s, err);
}

const char *host_session_lacks_sim(const struct host_session_options *options)
{
    if (options->sim)
        return NULL;
    if (options->sim_state)
        return "--sim-state";
    return options->sim_seed ? "--sim-seed" : NULL;
}

int host_session_open(struct host_session *session,
                      const struct host_session_options *options)
{
    struct weir_err err = WEIR_ERR_INIT;

    *session = (struct host_session){.traceback = options->traceback};
    host_terminal_init(&session->terminal, (enum host_color)options->color);
    if (options->log_format == WEIR_LOG_JSON)
        session->terminal.is_tty = session->terminal.color = false;
    if (open_session(session, options, &err))
        return host_complain_err(session, &err);
    return HOST_EXIT_DONE;
}

int host_session_begin(struct host_session *session,
                       const struct host_session_options *options)
{
    struct weir_err err = WEIR_ERR_INIT;

    if (begin(session, options, &err))
        return host_complain_err(session, &err);
    host_progress_start(&session->progress, session->context.scheduler,
                        session->log, &session->terminal, session->json);
    return 0;
}

int host_session_interrupted(struct host_session *s)
{
    if (!host_signal())
        return HOST_EXIT_DONE;
    host_say(s, "weir: interrupted");
    s->interrupted = HOST_EXIT_SIGNAL + host_signal();
    return s->interrupted;
}

/* How the run has ended, for its report: in the word for what the code is
 * from.  A signal that came too late to change it counts for nothing. */
static const char *outcome(const struct host_session *s, int code)
{
    bool spent = bind_budgets_spent(s->context.budgets) != BIND_BUDGET_NONE;

    if (s->quit.asked && code == s->quit.code && !spent)
        return "exit";
    if (s->interrupted && code == s->interrupted)
        return "interrupted";
    return host_run_report_word(code);
}

/* What a script wrote must have arrived before the run counts as done. */
static int flush_output(struct host_session *s, int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    /* A reader that went away (head, a closed pager) needs no message. */
    if (errno != EPIPE)
        host_complain(s, "weir: standard output: %s", strerror(errno));
    host_run_report_failure(weir_code_word(WEIR_IO),
                            "standard output could not be written");
    return code ? code : HOST_EXIT_FAILED;
}

/* Finalizers may still do things and print: what is said of the run comes
 * after them, while what it is made of is there. */
int host_session_end(struct host_session *session, int code)
{
    host_watchdog_stop(&session->watchdog);
    if (session->progress.loop)
        host_progress_stop(&session->progress);
    /* Finalizers of userdata may still cancel ops: the state goes first. */
    if (session->L)
        lua_close(session->L);
    bind_scheduler_free(session->context.scheduler);
    weir_dir_free(session->context.dir);
    sim_stop(session->sim);
    host_signals_stop();
    weir_loop_free(session->loop);
    code = flush_output(session, code);
    code = host_run_report_end(code, outcome(session, code), session->json);
    weir_changes_free(session->changes);
    host_doors_fini(session);
    weir_log_free(session->log);
    host_settings_end();
    return code;
}
