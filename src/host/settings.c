#include "settings.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contexts.h"
#include "secrecy.h"

#define MAX_ORIGIN 1024

/* In the order in which a reader looks for them. */
static const struct setting {
    const char *variable;
    const char *member; /* of a context */
    bool secret;
} known[] = {
    {"CXONE_TENANT", "tenant", false},
    {"CXONE_CLIENT_ID", "client_id", false},
    {"CXONE_CLIENT_SECRET", "client_secret", true},
    {"CXONE_ACCESS_KEY_ID", "access_key_id", false},
    {"CXONE_ACCESS_KEY_SECRET", "access_key_secret", true},
    {"CXONE_BASE_URL", "base_url", false},
    {"CXONE_TOKEN_URL", "token_url", false},
};
#define N_KNOWN (sizeof(known) / sizeof(known[0]))

static struct {
    struct host_contexts contexts;
    const struct weir_json *context; /* the one that counts, or NULL */
    const char *name;
    const char *chosen_by;
    const char *passed_over;
    bool named, sim;
    struct weir_err fault; /* of the context that is in use */
    char origin[MAX_ORIGIN];
} settings = {.contexts.lock = -1};

static const struct setting *find_known(const char *variable)
{
    for (size_t i = 0; i < N_KNOWN; i++) {
        if (strcmp(known[i].variable, variable) == 0)
            return &known[i];
    }
    return NULL;
}

/* An empty variable counts as one that is not set, as in curl and git. */
static const char *from_environment(const char *variable)
{
    const char *value = getenv(variable);

    if (value && *value)
        return value;
    return host_secrecy_find(variable);
}

static bool environment_has_any(void)
{
    for (size_t i = 0; i < N_KNOWN; i++) {
        if (from_environment(known[i].variable))
            return true;
    }
    return false;
}

/* ---- which source ---- */

/* Scripts shall not find them in the environment before they are used. */
static void take_variables(void)
{
    for (size_t i = 0; i < N_KNOWN; i++) {
        const char *name = weir_json_get_string(
            weir_json_get(settings.context, known[i].member), "env");

        if (known[i].secret && name)
            host_secrecy_take(name);
    }
}

/* Takes the context of that name. */
static enum weir_code choose(const char *name, const char *chosen_by,
                             struct weir_err *err)
{
    settings.context = host_contexts_find(&settings.contexts, name, err);
    if (!settings.context) {
        weir_err_prefix(err, "%s: ", chosen_by);
        return err->code;
    }
    settings.name = weir_json_key(settings.context, NULL);
    settings.chosen_by = chosen_by;
    if (!settings.sim)
        take_variables();
    return WEIR_OK;
}

static enum weir_code choose_named(const char *name, const char *chosen_by,
                                   struct weir_err *err)
{
    enum weir_code code = host_contexts_load(&settings.contexts, err);

    settings.named = true;
    return code ? code : choose(name, chosen_by, err);
}

/* The one in use; what is wrong with the file is told by whoever needs it. */
static void choose_used(bool environment)
{
    const char *used;

    if (host_contexts_load(&settings.contexts, &settings.fault)) {
        if (environment)
            weir_err_clear(&settings.fault);
        return;
    }
    used = host_contexts_used(&settings.contexts);
    if (used && environment)
        settings.passed_over = used;
    else if (used)
        choose(used, "weir context use", &settings.fault);
}

enum weir_code host_settings_begin(const char *flag, bool sim,
                                   struct weir_err *err)
{
    const char *variable = getenv("WEIR_CONTEXT");
    bool environment = environment_has_any();

    host_settings_end();
    settings.sim = sim;
    settings.chosen_by = "the environment";
    if (flag)
        return choose_named(flag, "--context", err);
    if (variable && *variable)
        return choose_named(variable, "WEIR_CONTEXT", err);
    if (!sim)
        choose_used(environment);
    return WEIR_OK;
}

void host_settings_end(void)
{
    host_contexts_fini(&settings.contexts);
    weir_err_clear(&settings.fault);
    settings.context = NULL;
    settings.name = settings.passed_over = NULL;
    settings.named = false;
}

const char *host_settings_context(void)
{
    return settings.name;
}

const char *host_settings_chosen_by(void)
{
    return settings.chosen_by;
}

const char *host_settings_passed_over(void)
{
    return settings.passed_over;
}

size_t host_settings_ignored(struct weir_buf *out)
{
    size_t n = 0;

    for (size_t i = 0; i < N_KNOWN && settings.named; i++) {
        const char *own = weir_json_get_string(
            weir_json_get(settings.context, known[i].member), "env");

        /* A context may say that its secret is in just this variable. */
        if (!from_environment(known[i].variable) ||
            (own && strcmp(own, known[i].variable) == 0))
            continue;
        weir_buf_addf(out, "%s%s", n ? ", " : "", known[i].variable);
        n++;
    }
    return n;
}

/* ---- one setting ---- */

static void name_origin(const struct weir_json *value)
{
    struct weir_buf words;

    snprintf(settings.origin, sizeof(settings.origin), "context %s",
             settings.name);
    if (!weir_json_is(value, WEIR_JSON_OBJECT))
        return;
    weir_buf_init(&words, MAX_ORIGIN / 2);
    host_contexts_describe(value, &words);
    snprintf(settings.origin, sizeof(settings.origin), "context %s: %s",
             settings.name, weir_buf_str(&words));
    weir_buf_fini(&words);
}

enum weir_code host_settings_find(const char *variable, const char **value,
                                  const char **origin, struct weir_err *err)
{
    const struct setting *setting = find_known(variable);
    const struct weir_json *member;

    *value = *origin = NULL;
    if (setting && settings.fault.code) {
        weir_err_copy(err, &settings.fault);
        return err->code;
    }
    if (!setting)
        return WEIR_OK; /* not our business, and perhaps not the script's */
    if (!settings.context) {
        *value = from_environment(variable);
        *origin = *value ? variable : NULL;
        if (setting->secret)
            *value = NULL;
        return WEIR_OK;
    }
    member = weir_json_get(settings.context, setting->member);
    if (!member || (settings.sim && setting->secret))
        return WEIR_OK;
    name_origin(member);
    *origin = settings.origin;
    *value = weir_json_string(member, NULL);
    return WEIR_OK;
}

/* ---- secrets ---- */

static enum weir_code fetch(const struct setting *setting, const char *kept,
                            const char **value, struct weir_err *err)
{
    const struct weir_json *source =
        weir_json_get(settings.context, setting->member);
    struct weir_buf text;
    enum weir_code code;

    if (!source)
        return WEIR_OK;
    code = host_contexts_secret(source, &text, err);
    if (code == WEIR_CANCELLED)
        return code; /* nothing is wrong with the context */
    if (code) {
        weir_err_prefix(err, "context %s: %s: ", settings.name,
                        setting->member);
        if (!err->hint[0])
            weir_err_hint(err, "weir context show %s says where it comes from",
                          settings.name);
        return code;
    }
    *value = host_secrecy_keep(kept, weir_buf_str(&text));
    weir_buf_fini(&text);
    return *value ? WEIR_OK : weir_err_nomem(err);
}

enum weir_code host_settings_secret(const char *variable, const char **value,
                                    struct weir_err *err)
{
    const struct setting *setting = find_known(variable);
    char kept[128];

    *value = NULL;
    if (!settings.context || !setting) {
        *value = host_secrecy_find(variable);
        return WEIR_OK;
    }
    if (settings.sim || !setting->secret)
        return WEIR_OK;
    /* No variable has such a name. */
    snprintf(kept, sizeof(kept), "context %s", variable);
    *value = host_secrecy_find(kept);
    return *value ? WEIR_OK : fetch(setting, kept, value, err);
}
