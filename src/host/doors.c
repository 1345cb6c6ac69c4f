#include "doors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "weir/cut.h"
#include "weir/dir.h"
#include "weir/json.h"

/* ---- what would have been sent ---- */

static void log_kept(struct host_session *s,
                     const struct weir_changes_call *call, const char *path,
                     const char *by, const char *line)
{
    struct weir_json *fields = weir_json_new_object();

    if (fields) {
        weir_json_set(fields, "would_send", weir_json_new_boolean(true));
        weir_json_set(fields, "method",
                      weir_json_new_string(call->method, strlen(call->method)));
        weir_json_set(fields, "path", weir_json_new_string(path, strlen(path)));
        weir_json_set(fields, "bytes",
                      weir_json_new_integer((int64_t)call->body_len));
        if (by)
            weir_json_set(fields, "by", weir_json_new_string(by, strlen(by)));
    }
    weir_log_write(s->log, WEIR_LOG_WARN, fields, "%s", line);
    weir_json_free(fields);
}

static void tell_kept(void *ud, const struct weir_changes_call *call,
                      const char *path, const char *by)
{
    struct host_session *s = ud;
    char bytes[40] = "no body", why[200], line[1000];

    if (call->body_len > 0)
        weir_cut_printf(bytes, sizeof(bytes), "%zu bytes", call->body_len);
    weir_cut_printf(why, sizeof(why),
                    by ? "kept back by %s" : "the run may not change anything",
                    by);
    weir_cut_printf(line, sizeof(line), "would send %s %s (%s; %s)",
                    call->method, path, bytes, why);
    bind_budgets_note(&s->budgets, strlen(line));
    if (s->json && weir_log_enabled(s->log, WEIR_LOG_WARN))
        log_kept(s, call, path, by, line);
    else
        host_say(s, "weir: %s", line);
}

/* ---- shutting ---- */

/* The folder from which declared paths are seen. */
static char *folder_of(const struct host_session_options *options)
{
    const char *script = options->script ? options->script : "";
    const char *slash = strrchr(script, '/');

    if (options->base)
        return strdup(options->base);
    if (!slash)
        return strdup(".");
    return strndup(script, slash == script ? 1 : (size_t)(slash - script));
}

static enum weir_code confine(struct host_session *s,
                              const struct host_session_options *options,
                              struct weir_err *err)
{
    struct weir_permissions *declared = options->declared;
    enum weir_code code = WEIR_OK;
    char *base;

    if (!declared && options->text)
        code = host_confine_read(options->script, options->text,
                                 options->text_len, &declared, err);
    if (code)
        return code;
    base = folder_of(options);
    if (!base) {
        weir_permissions_free(declared);
        return weir_err_nomem(err);
    }
    code = host_confine_make(&options->confine, options->sandbox, declared,
                             base, &s->confined, err);
    free(base);
    return code;
}

/* All folders are held before anything runs: a script that may rename could
 * put a link in the place of one that is looked for later.  What cannot be
 * opened is said by whoever uses it. */
static enum weir_code hold_folders(struct host_session *s, struct weir_err *err)
{
    static const enum weir_permission kinds[] = {WEIR_PERMISSION_READ,
                                                 WEIR_PERMISSION_WRITE};
    const struct weir_permissions *granted = s->confined.granted;
    enum weir_code code = weir_dir_new(&s->context.dir, err);
    const char *path;

    for (int k = 0; k < 2; k++) {
        for (size_t i = 0;
             !code &&
             (path = weir_permissions_item(granted, kinds[k], i)) != NULL;
             i++) {
            code = weir_dir_root(s->context.dir, path, err);
            if (code == WEIR_IO && errno != EMFILE && errno != ENFILE) {
                weir_err_clear(err);
                code = WEIR_OK;
            }
        }
    }
    return code;
}

enum weir_code host_doors_shut(struct host_session *s,
                               const struct host_session_options *options,
                               struct weir_err *err)
{
    enum weir_code code = confine(s, options, err);

    if (code)
        return code;
    s->context.declared = s->confined.declared;
    s->context.permissions = s->confined.granted;
    if (s->confined.granted)
        code = weir_http_confine(s->loop, s->confined.granted, err);
    if (!code && s->confined.granted)
        code = hold_folders(s, err);
    if (!code && s->confined.changes && !s->changes)
        code = weir_changes_new(NULL, s->log, &s->changes, err);
    s->context.changes = s->changes;
    return code;
}

/* ---- what the dialect knows ---- */

struct knowing {
    struct host_session *session;
    struct weir_err *err;
};

/* The address on top is the tenant's; takes it. */
static void add_address(lua_State *L, struct knowing *knowing)
{
    struct weir_permissions *granted = knowing->session->confined.granted;

    /* What is no URL is said, with its name, by whoever connects to it. */
    if (lua_isstring(L, -1) && granted && !knowing->err->code &&
        weir_permissions_tenant(granted, lua_tostring(L, -1), knowing->err) ==
            WEIR_INVALID)
        weir_err_clear(knowing->err);
    lua_pop(L, 1);
}

/* Copies the list of calls on top; the session owns it. */
static void take_safe(lua_State *L, struct knowing *knowing)
{
    size_t n = (size_t)lua_rawlen(L, -1);
    char **safe = calloc(n + 1, sizeof(*safe));

    knowing->session->safe = safe;
    for (size_t i = 0; safe && i < n; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        safe[i] = strdup(lua_tostring(L, -1));
        lua_pop(L, 1);
        if (!safe[i])
            break;
    }
    if (!safe || (n > 0 && !safe[n - 1]))
        weir_err_nomem(knowing->err);
}

/* know(ud) */
static int know(lua_State *L)
{
    struct knowing *knowing = lua_touserdata(L, 1);

    bind_require(L, "cxone.host");
    lua_call(L, 0, 1);
    lua_getfield(L, -1, "base_url");
    add_address(L, knowing);
    lua_getfield(L, -1, "token_url");
    add_address(L, knowing);
    lua_getfield(L, -1, "safe");
    take_safe(L, knowing);
    return 0;
}

enum weir_code host_doors_know(struct host_session *s, struct weir_err *err)
{
    struct weir_changes_door door = {
        .permissions = s->confined.changes, .kept = tell_kept, .ud = s};
    struct knowing knowing = {s, err};

    if (!s->confined.changes)
        return WEIR_OK;
    if (!host_session_protect(s, know, &knowing, 0, 0))
        return weir_err_nomem(err);
    door.safe = (const char *const *)s->safe;
    weir_changes_guard(s->changes, &door);
    return err->code;
}

void host_doors_fini(struct host_session *s)
{
    for (char **safe = s->safe; safe && *safe; safe++)
        free(*safe);
    free((void *)s->safe);
    s->safe = NULL;
    host_confined_fini(&s->confined);
}
