#include "confine.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lualib.h>

#include "bind.h"
#include "lua_state.h"
#include "weir/cut.h"

void host_confined_fini(struct host_confined *confined)
{
    if (confined->changes != confined->granted)
        weir_permissions_free(confined->changes);
    weir_permissions_free(confined->granted);
    weir_permissions_free(confined->declared);
    *confined = (struct host_confined){NULL};
}

/* ---- what the script declares ---- */

struct reading {
    const char *name;
    const char *text;
    size_t len;
    struct weir_permissions *declared;
    struct weir_err *err;
};

/* The fault {line, message, hint} is on top. */
static void take_fault(lua_State *L, struct reading *reading)
{
    lua_getfield(L, -1, "line");
    lua_getfield(L, -2, "message");
    weir_err_set(reading->err, WEIR_INVALID, "%s:%d: %s",
                 WEIR_CUT(200, reading->name), (int)lua_tointeger(L, -2),
                 lua_tostring(L, -1));
    lua_getfield(L, -3, "hint");
    if (lua_isstring(L, -1))
        weir_err_hint(reading->err, "%s", lua_tostring(L, -1));
}

/* Whether the fault on top is that words of a text that is no Lua do not stand
 * where a declaration would: what is wrong with it is said when it is loaded,
 * and nothing of it runs. */
static bool is_about_no_lua(lua_State *L, const struct reading *reading)
{
    bool misplaced = lua_getfield(L, -1, "misplaced") != LUA_TNIL;

    lua_pop(L, 1);
    return misplaced && !host_state_is_lua(L, reading->text, reading->len);
}

/* read(ud): fills in what is declared, or the error */
static int read_text(lua_State *L)
{
    struct reading *reading = lua_touserdata(L, 1);
    struct weir_json **json;

    luaL_openlibs(L);
    bind_open(L);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "weir.needs_read");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "read");
    lua_pushlstring(L, reading->text, reading->len);
    lua_call(L, 1, 2);
    if (lua_istable(L, -2)) {
        lua_pop(L, 1);
        if (bind_value_json(L, -1, &json, reading->err) == WEIR_OK)
            weir_permissions_parse(*json, &reading->declared, reading->err);
    } else if (lua_istable(L, -1) && !is_about_no_lua(L, reading)) {
        take_fault(L, reading);
    }
    return 0;
}

enum weir_code host_confine_read(const char *name, const char *text, size_t len,
                                 struct weir_permissions **declared,
                                 struct weir_err *err)
{
    struct weir_err own = WEIR_ERR_INIT;
    struct reading reading = {.name = strcmp(name, "-") == 0 ? "stdin" : name,
                              .text = text,
                              .len = len,
                              .err = &own};
    struct bind_context context = {.loop = NULL};
    enum weir_code code;
    lua_State *L;

    *declared = NULL;
    /* Most scripts are not looked at twice. */
    if (!memmem(text, len, "needs", 5))
        return WEIR_OK;
    L = luaL_newstate();
    code = L ? weir_log_new(NULL, NULL, NULL, &context.log, err)
             : weir_err_nomem(err);
    if (!code) {
        bind_context_set(L, &context);
        lua_pushcfunction(L, read_text);
        lua_pushlightuserdata(L, &reading);
        /* It raises for want of memory only. */
        if (lua_pcall(L, 1, 0, 0))
            weir_err_nomem(&own);
        code = own.code;
    }
    if (L)
        lua_close(L);
    weir_log_free(context.log);
    if (own.code) {
        weir_permissions_free(reading.declared);
        weir_err_move(err, &own);
        return code;
    }
    *declared = reading.declared;
    return code;
}

/* ---- what the flags leave ---- */

/* One permission's flags. */
struct flag {
    enum weir_permission kind;
    const struct host_texts *given;
    bool denied;
};

#define LISTS 4

static void lists_of(const struct host_confine_flags *flags,
                     struct flag out[LISTS])
{
    const struct flag lists[LISTS] = {
        {WEIR_PERMISSION_NET, &flags->net, flags->deny_net},
        {WEIR_PERMISSION_READ, &flags->read, flags->deny_read},
        {WEIR_PERMISSION_WRITE, &flags->write, flags->deny_write},
        {WEIR_PERMISSION_ENV, &flags->env, flags->deny_env},
    };

    memcpy(out, lists, sizeof(lists));
}

/* What a flag lists: hosts and names parted by commas too, which no host and
 * no name has. */
static enum weir_code grant_given(struct weir_permissions *p,
                                  const struct flag *flag, struct weir_err *err)
{
    bool commas =
        flag->kind == WEIR_PERMISSION_NET || flag->kind == WEIR_PERMISSION_ENV;

    for (size_t i = 0; i < flag->given->n; i++) {
        const char *item = flag->given->list[i];

        for (;;) {
            size_t len = commas ? strcspn(item, ",") : strlen(item);
            enum weir_code code =
                weir_permissions_grant(p, flag->kind, item, len, err);

            if (code == WEIR_INVALID) {
                weir_err_prefix(err,
                                "--%s: ", weir_permission_word(flag->kind));
                err->code = code = WEIR_USAGE;
            }
            if (code)
                return code;
            if (item[len] == '\0')
                break;
            item += len + 1;
        }
    }
    return WEIR_OK;
}

/* Relative paths of flags are as a shell has them. */
static enum weir_code resolve_here(struct weir_permissions *p,
                                   struct weir_err *err)
{
    char here[PATH_MAX];

    if (!getcwd(here, sizeof(here)))
        return weir_err_set(err, WEIR_IO, "the current folder has no name");
    return weir_permissions_resolve(p, here, err);
}

/* Replaces *p by what `with` leaves of it. */
static enum weir_code narrow(struct weir_permissions **p,
                             enum weir_permission kind,
                             const struct weir_permissions *with,
                             const char *by, struct weir_err *err)
{
    struct weir_permissions *narrower;
    enum weir_code code = weir_permissions_narrow(*p, WEIR_PERMISSION_BIT(kind),
                                                  with, by, &narrower, err);

    if (code)
        return code;
    weir_permissions_free(*p);
    *p = narrower;
    return WEIR_OK;
}

/* "--net=a.test,b.test" */
static void name_flag(const struct flag *flag, char *out, size_t size)
{
    weir_cut_printf(out, size, "--%s", weir_permission_word(flag->kind));
    for (size_t i = 0; i < flag->given->n; i++) {
        char before[160];

        weir_cut_copy(before, sizeof(before), out, strlen(out));
        weir_cut_printf(out, size, "%s%c%s", before, i ? ',' : '=',
                        flag->given->list[i]);
    }
}

/* `nothing` grants nothing. */
static enum weir_code narrow_list(struct weir_permissions **p,
                                  const struct flag *flag,
                                  const struct weir_permissions *nothing,
                                  struct weir_err *err)
{
    struct weir_permissions *with = NULL;
    enum weir_code code = WEIR_OK;
    char by[160];

    if (flag->given->n > 0) {
        code = weir_permissions_new(WEIR_PERMISSIONS_FLAGS, &with, err);
        if (!code)
            code = grant_given(with, flag, err);
        if (!code)
            code = resolve_here(with, err);
        name_flag(flag, by, sizeof(by));
        if (!code)
            code = narrow(p, flag->kind, with, by, err);
        weir_permissions_free(with);
    }
    if (!code && flag->denied) {
        weir_cut_printf(by, sizeof(by), "--deny-%s",
                        weir_permission_word(flag->kind));
        code = narrow(p, flag->kind, nothing, by, err);
    }
    return code;
}

static enum weir_code narrow_mutate(struct weir_permissions **p,
                                    const struct host_confine_flags *flags,
                                    const struct weir_permissions *nothing,
                                    struct weir_err *err)
{
    enum weir_code code = WEIR_OK;

    if (flags->deny_mutate)
        code = narrow(p, WEIR_PERMISSION_MUTATE, nothing, "--deny-mutate", err);
    if (!code && flags->dry_run)
        code = narrow(p, WEIR_PERMISSION_MUTATE, nothing, "--dry-run", err);
    return code;
}

static enum weir_code narrow_all(struct weir_permissions **p,
                                 const struct host_confine_flags *flags,
                                 bool lists, struct weir_err *err)
{
    struct weir_permissions *nothing = NULL;
    struct flag all[LISTS];
    enum weir_code code =
        weir_permissions_new(WEIR_PERMISSIONS_FLAGS, &nothing, err);

    lists_of(flags, all);
    for (size_t i = 0; lists && !code && i < LISTS; i++)
        code = narrow_list(p, &all[i], nothing, err);
    if (!code)
        code = narrow_mutate(p, flags, nothing, err);
    weir_permissions_free(nothing);
    return code;
}

/* --sandbox and no declaration: what the flags name. */
static enum weir_code from_flags(const struct host_confine_flags *flags,
                                 struct weir_permissions **out,
                                 struct weir_err *err)
{
    struct flag lists[LISTS];
    enum weir_code code =
        weir_permissions_new(WEIR_PERMISSIONS_FLAGS, out, err);

    lists_of(flags, lists);
    for (size_t i = 0; !code && i < LISTS; i++)
        code = grant_given(*out, &lists[i], err);
    return code ? code : resolve_here(*out, err);
}

static enum weir_code from_declaration(struct weir_permissions *declared,
                                       const char *base,
                                       struct weir_permissions **out,
                                       struct weir_err *err)
{
    char *path = realpath(base, NULL);
    enum weir_code code;

    if (!path)
        return weir_err_set(err, WEIR_IO, "the folder %s cannot be read",
                            WEIR_CUT(200, base));
    code = weir_permissions_copy(declared, out, err);
    if (!code)
        code = weir_permissions_resolve(*out, path, err);
    free(path);
    return code;
}

/* Not confined: what can be kept back all the same is what goes through our
 * own client. */
static enum weir_code keep_back(const struct host_confine_flags *flags,
                                struct weir_permissions **out,
                                struct weir_err *err)
{
    struct flag lists[LISTS];
    enum weir_code code;

    lists_of(flags, lists);
    for (size_t i = 0; i < LISTS; i++) {
        if (lists[i].given->n == 0 && !lists[i].denied)
            continue;
        weir_err_set(err, WEIR_USAGE,
                     "--%s%s narrows what a script declares with weir.needs, "
                     "and this one declares nothing",
                     lists[i].denied ? "deny-" : "",
                     weir_permission_word(lists[i].kind));
        weir_err_hint(err, "add --sandbox to confine it to what flags name");
        return WEIR_USAGE;
    }
    if (!flags->deny_mutate && !flags->dry_run)
        return WEIR_OK;
    code = weir_permissions_new(WEIR_PERMISSIONS_DECLARED, out, err);
    if (!code)
        code = weir_permissions_grant(*out, WEIR_PERMISSION_MUTATE, "true", 4,
                                      err);
    return code ? code : narrow_all(out, flags, false, err);
}

enum weir_code host_confine_make(const struct host_confine_flags *flags,
                                 bool sandbox,
                                 struct weir_permissions *declared,
                                 const char *base, struct host_confined *out,
                                 struct weir_err *err)
{
    struct host_confined made = {.declared = declared};
    enum weir_code code;

    if (declared) {
        code = from_declaration(declared, base, &made.granted, err);
        if (!code)
            code = narrow_all(&made.granted, flags, true, err);
    } else if (sandbox) {
        code = from_flags(flags, &made.granted, err);
        if (!code)
            code = narrow_all(&made.granted, flags, true, err);
    } else {
        code = keep_back(flags, &made.changes, err);
    }
    if (made.granted)
        made.changes = made.granted;
    if (code)
        host_confined_fini(&made);
    else
        *out = made;
    return code;
}
