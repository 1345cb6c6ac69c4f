/* weir context: the tenants that somebody works with, each under a name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "contexts.h"
#include "ending.h"
#include "exit.h"
#include "terminal.h"

/* ---- what all of them do ---- */

/* The one operand of a command; or NULL, said, with *code set. */
static const char *one_name(const struct host_command *command, int argc,
                            char **argv, int first, int *code)
{
    if (first < 0)
        return NULL;
    if (first + 1 == argc)
        return argv[first];
    if (first >= argc)
        *code = host_usage_error(command->name, "which context?");
    else
        *code = host_usage_error(
            command->name, "one name at a time, not '%s' too", argv[first + 1]);
    return NULL;
}

/* ---- add ---- */

struct add_command {
    const char *tenant, *client_id, *secret, *base_url, *token_url;
    const char *access_key_id, *access_key_secret;
    bool replace;
};

#define ADD(name) offsetof(struct add_command, name)
static const struct host_option add_options[] = {
    {"tenant", "NAME", "the tenant (required)", HOST_TEXT, ADD(tenant), NULL},
    {"client-id", "ID", "of its OAuth client (required)", HOST_TEXT,
     ADD(client_id), NULL},
    {"secret", "SOURCE", "where the client's secret comes from (required)",
     HOST_TEXT, ADD(secret), NULL},
    {"base-url", "URL", "of the API, if it is elsewhere", HOST_TEXT,
     ADD(base_url), NULL},
    {"token-url", "URL", "of the token endpoint, if it is elsewhere", HOST_TEXT,
     ADD(token_url), NULL},
    {"access-key-id", "ID", "for the access-key grant", HOST_TEXT,
     ADD(access_key_id), NULL},
    {"access-key-secret", "SOURCE", "where its secret comes from", HOST_TEXT,
     ADD(access_key_secret), NULL},
    {"replace", NULL, "put it in the place of one that is there", HOST_FLAG,
     ADD(replace), NULL},
    {NULL, NULL, NULL, HOST_FLAG, 0, NULL},
};

static int add(int argc, char **argv);

static const struct host_command command_add = {
    .name = "context add",
    .usage = "weir context add NAME --tenant NAME --client-id ID --secret "
             "SOURCE",
    .summary = "keep a tenant under a name",
    .about =
        "Keeps where a tenant is and where its secret comes from, never the\n"
        "secret itself. SOURCE is one of\n"
        "  env:NAME                the variable NAME\n"
        "  file:PATH               a file that only its owner may read\n"
        "  command:WORD WORD ...   what a program prints; words are parted at\n"
        "                          spaces and no shell reads them (a JSON\n"
        "                          list of words, if one holds a space)\n"
        "The program is run when the secret is needed, for a minute at most,\n"
        "with nothing on its standard input; if it asks at the terminal, it "
        "has\n"
        "that meanwhile.\n",
    .options = add_options,
    .after = "examples:\n"
             "  weir context add prod --tenant acme --client-id weir \\\n"
             "      --secret 'command:pass show acme/weir'\n"
             "  weir context add test --tenant acme-test --client-id weir \\\n"
             "      --secret env:ACME_TEST_SECRET\n",
    .run = add,
};

static enum weir_code set_text(struct weir_json *context, const char *name,
                               const char *text)
{
    if (!text)
        return WEIR_OK;
    return weir_json_set(context, name,
                         weir_json_new_string(text, strlen(text)));
}

static enum weir_code set_source(struct weir_json *context, const char *name,
                                 const char *text, struct weir_err *err)
{
    struct weir_json *source = NULL;
    enum weir_code code;

    if (!text)
        return WEIR_OK;
    code = host_contexts_source(text, &source, err);
    if (code) {
        weir_err_prefix(err, "%s: ", name);
        return code;
    }
    return weir_json_set(context, name, source) ? weir_err_nomem(err) : WEIR_OK;
}

static enum weir_code make(const char *name, const struct add_command *given,
                           struct weir_json **out, struct weir_err *err)
{
    struct weir_json *context = weir_json_new_object();
    enum weir_code code = WEIR_OK;

    if (!context || set_text(context, "tenant", given->tenant) ||
        set_text(context, "client_id", given->client_id) ||
        set_text(context, "base_url", given->base_url) ||
        set_text(context, "token_url", given->token_url) ||
        set_text(context, "access_key_id", given->access_key_id))
        code = weir_err_nomem(err);
    if (!code)
        code = set_source(context, "client_secret", given->secret, err);
    if (!code)
        code = set_source(context, "access_key_secret",
                          given->access_key_secret, err);
    if (!code)
        code = host_contexts_check(name, context, err);
    if (code)
        weir_json_free(context);
    else
        *out = context;
    return code;
}

static enum weir_code keep(const char *name, const struct add_command *given,
                           struct weir_err *err)
{
    struct host_contexts contexts;
    struct weir_json *context = NULL;
    enum weir_code code = make(name, given, &context, err);

    if (!code)
        code = host_contexts_edit(&contexts, err);
    if (code) {
        weir_json_free(context);
        return code;
    }
    if (!given->replace && host_contexts_find(&contexts, name, NULL)) {
        weir_json_free(context);
        code = weir_err_set(err, WEIR_CONFIG, "there is a context '%s' already",
                            name);
        weir_err_hint(err, "give it another name, or --replace");
    } else if (host_contexts_set(&contexts, name, context)) {
        code = weir_err_nomem(err);
    }
    if (!code)
        code = host_contexts_store(&contexts, err);
    if (!code)
        printf("%s: kept in %s; weir context use %s makes it the one in use\n",
               name, contexts.path, name);
    host_contexts_fini(&contexts);
    return code;
}

static int add(int argc, char **argv)
{
    struct add_command given = {.tenant = NULL};
    struct weir_err err = WEIR_ERR_INIT;
    const char *name;
    int code = 0, first;

    first = host_options_parse(&command_add, argc, argv, &given, &code);
    name = one_name(&command_add, argc, argv, first, &code);
    if (!name)
        return code;
    if (!given.tenant || !given.client_id || !given.secret)
        return host_usage_error(command_add.name, "--%s is required",
                                !given.tenant      ? "tenant"
                                : !given.client_id ? "client-id"
                                                   : "secret");
    if (keep(name, &given, &err))
        return host_ending_err(command_add.name, &err);
    return host_ending_flushed(command_add.name, HOST_EXIT_DONE);
}

/* ---- use, remove ---- */

static const struct host_option no_options[] = {
    {NULL, NULL, NULL, HOST_FLAG, 0, NULL},
};

static int use(int argc, char **argv);
static int remove_one(int argc, char **argv);

static const struct host_command command_use = {
    .name = "context use",
    .usage = "weir context use NAME",
    .summary = "the context of every run that names no other",
    .about = "From now on, in every shell of this user: runs that name no\n"
             "context and have no CXONE_... variable are for this tenant.\n",
    .options = no_options,
    .contexts = true,
    .run = use,
};

static const struct host_command command_remove = {
    .name = "context remove",
    .usage = "weir context remove NAME",
    .summary = "forget a context; the tenant is left alone",
    .options = no_options,
    .contexts = true,
    .run = remove_one,
};

static int use(int argc, char **argv)
{
    struct weir_err err = WEIR_ERR_INIT;
    struct host_contexts contexts;
    const struct weir_json *context;
    int code = 0, none, first;
    const char *name;

    first = host_options_parse(&command_use, argc, argv, &none, &code);
    name = one_name(&command_use, argc, argv, first, &code);
    if (!name)
        return code;
    if (host_contexts_edit(&contexts, &err))
        return host_ending_err(command_use.name, &err);
    context = host_contexts_find(&contexts, name, &err);
    if (context && host_contexts_use(&contexts, name))
        weir_err_nomem(&err);
    if (!err.code && host_contexts_store(&contexts, &err) == WEIR_OK)
        printf("in use: %s, tenant %s\n", name,
               weir_json_get_string(context, "tenant"));
    host_contexts_fini(&contexts);
    if (err.code)
        return host_ending_err(command_use.name, &err);
    return host_ending_flushed(command_use.name, HOST_EXIT_DONE);
}

static int remove_one(int argc, char **argv)
{
    struct weir_err err = WEIR_ERR_INIT;
    struct host_contexts contexts;
    int code = 0, none, first;
    const char *name;

    first = host_options_parse(&command_remove, argc, argv, &none, &code);
    name = one_name(&command_remove, argc, argv, first, &code);
    if (!name)
        return code;
    if (host_contexts_edit(&contexts, &err))
        return host_ending_err(command_remove.name, &err);
    if (host_contexts_find(&contexts, name, &err)) {
        host_contexts_remove(&contexts, name);
        if (host_contexts_store(&contexts, &err) == WEIR_OK)
            printf("removed: %s\n", name);
    }
    host_contexts_fini(&contexts);
    if (err.code)
        return host_ending_err(command_remove.name, &err);
    return host_ending_flushed(command_remove.name, HOST_EXIT_DONE);
}

/* ---- list, show ---- */

struct show_command {
    bool json;
};
static const struct host_option show_options[] = {
    {"json", NULL, "print it as JSON", HOST_FLAG,
     offsetof(struct show_command, json), NULL},
    {NULL, NULL, NULL, HOST_FLAG, 0, NULL},
};

static int list(int argc, char **argv);
static int show(int argc, char **argv);

static const struct host_command command_list = {
    .name = "context list",
    .usage = "weir context list [--json]",
    .summary = "all contexts; * is before the one in use",
    .options = show_options,
    .run = list,
};

static const struct host_command command_show = {
    .name = "context show",
    .usage = "weir context show [--json] [NAME]",
    .summary = "what a context says; without a name, the one in use",
    .options = show_options,
    .contexts = true,
    .run = show,
};

static int print_json(const char *command, const struct weir_json *json)
{
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_buf text;

    weir_buf_init(&text, (size_t)4 << 20);
    if (weir_json_write(json, 2, &text, &err)) {
        weir_buf_fini(&text);
        return host_ending_err(command, &err);
    }
    printf("%s\n", weir_buf_str(&text));
    weir_buf_fini(&text);
    return host_ending_flushed(command, HOST_EXIT_DONE);
}

static void print_list(const struct host_contexts *contexts)
{
    const struct weir_json *all = weir_json_get(contexts->json, "contexts");
    const char *used = host_contexts_used(contexts);
    int width = 0;

    for (const struct weir_json *at = weir_json_first(all); at;
         at = weir_json_next(at)) {
        int len = (int)strlen(weir_json_key(at, NULL));

        width = len > width ? len : width;
    }
    for (const struct weir_json *at = weir_json_first(all); at;
         at = weir_json_next(at)) {
        const char *name = weir_json_key(at, NULL);

        printf("%c %-*s  tenant %s\n",
               used && strcmp(used, name) == 0 ? '*' : ' ', width, name,
               weir_json_get_string(at, "tenant"));
    }
    if (weir_json_size(all) == 0 && isatty(STDOUT_FILENO))
        printf("no context yet: weir context add --help\n");
}

static int list(int argc, char **argv)
{
    struct show_command given = {.json = false};
    struct weir_err err = WEIR_ERR_INIT;
    struct host_contexts contexts;
    int code = 0;
    int first = host_options_parse(&command_list, argc, argv, &given, &code);

    if (first < 0)
        return code;
    if (first < argc)
        return host_usage_error(command_list.name, "unexpected word '%s'",
                                argv[first]);
    if (host_contexts_load(&contexts, &err))
        return host_ending_err(command_list.name, &err);
    if (given.json) {
        code = print_json(command_list.name, contexts.json);
    } else {
        print_list(&contexts);
        code = host_ending_flushed(command_list.name, HOST_EXIT_DONE);
    }
    host_contexts_fini(&contexts);
    return code;
}

static void print_context(const char *name, const struct weir_json *context)
{
    printf("%-18s %s\n", "context", name);
    for (const struct weir_json *at = weir_json_first(context); at;
         at = weir_json_next(at)) {
        struct weir_buf words;

        weir_buf_init(&words, (size_t)1 << 20);
        if (weir_json_is(at, WEIR_JSON_OBJECT))
            host_contexts_describe(at, &words);
        else
            weir_buf_adds(&words, weir_json_string(at, NULL));
        printf("%-18s %s%s\n", weir_json_key(at, NULL),
               weir_json_is(at, WEIR_JSON_OBJECT) ? "from " : "",
               weir_buf_str(&words));
        weir_buf_fini(&words);
    }
}

static int show(int argc, char **argv)
{
    struct show_command given = {.json = false};
    struct weir_err err = WEIR_ERR_INIT;
    struct host_contexts contexts;
    const struct weir_json *context = NULL;
    const char *name = NULL;
    int code = 0;
    int first = host_options_parse(&command_show, argc, argv, &given, &code);

    if (first < argc)
        name = one_name(&command_show, argc, argv, first, &code);
    if (first < 0 || (first < argc && !name))
        return code;
    if (host_contexts_load(&contexts, &err))
        return host_ending_err(command_show.name, &err);
    if (!name)
        name = host_contexts_used(&contexts);
    if (name)
        context = host_contexts_find(&contexts, name, &err);
    else
        weir_err_set(&err, WEIR_CONFIG,
                     "no context is in use; weir context list shows all");
    if (context && given.json)
        code = print_json(command_show.name, context);
    else if (context)
        print_context(name, context);
    host_contexts_fini(&contexts);
    if (err.code)
        return host_ending_err(command_show.name, &err);
    return code ? code : host_ending_flushed(command_show.name, HOST_EXIT_DONE);
}

/* ---- all ---- */

static const struct host_command *const commands[] = {
    &command_add,  &command_use,    &command_list,
    &command_show, &command_remove, NULL,
};

static int run(int argc, char **argv)
{
    return host_command_run_part(&host_command_context, argc, argv);
}

const struct host_command host_command_context = {
    .name = "context",
    .usage = "weir context COMMAND",
    .summary = "tenants under names: add, use, list, show, remove",
    .about =
        "A context is a tenant under a name: its addresses, and where its\n"
        "secret comes from. They are in $XDG_CONFIG_HOME/weir/contexts.json\n"
        "(~/.config/weir). --context NAME names one to any command that\n"
        "connects.\n",
    .after =
        "Which tenant a run is for, the first that is there counts, as a "
        "whole:\n"
        "  1. --context NAME\n"
        "  2. the variable WEIR_CONTEXT\n"
        "  3. the environment, if any CXONE_... variable is set\n"
        "  4. the context that weir context use chose\n"
        "Nothing is sent anywhere without one of them. weir config show tells\n"
        "which it is.\n",
    .parts = commands,
    .run = run,
};
