/* permissions: being asked, and how a denial reads. */
#include <stdlib.h>
#include <string.h>

#include "excerpt.h"
#include "permissions_internal.h"
#include "url_internal.h"
#include "weir/cut.h"

/* What is asked for. */
struct question {
    enum weir_permission kind;
    struct weir_host_question host; /* NET */
    const char *address;            /* NET, or NULL */
    const char *text;               /* path, name, or "PUT /path" */
};

/* ---- answering ---- */

static bool grants_net(const struct weir_permissions *p,
                       const struct question *question)
{
    const struct weir_permission_list *list = &p->lists[WEIR_PERMISSION_NET];
    bool name = false, address = question->address == NULL;

    if (!address)
        address = weir_address_class(question->address) == NULL;
    for (size_t i = 0; i < list->n && !(name && address); i++) {
        const char *item = list->items[i];
        struct weir_host_rule rule;

        if (weir_host_rule_parse(item, strlen(item), &rule, NULL))
            continue;
        name = name || weir_host_rule_covers(&rule, &question->host);
        address = address || weir_host_rule_covers_address(
                                 &rule, &question->host, question->address);
    }
    return name && address;
}

/* The longest item that covers the path, or NULL. */
static const char *root_of(const struct weir_permission_list *list,
                           const char *path)
{
    const char *root = NULL;

    for (size_t i = 0; i < list->n; i++) {
        const char *item = list->items[i];

        if (weir_path_beneath(path, item) &&
            (!root || strlen(item) > strlen(root)))
            root = item;
    }
    return root;
}

static bool grants_name(const struct weir_permission_list *list,
                        const char *name)
{
    for (size_t i = 0; i < list->n; i++) {
        if (strcmp(list->items[i], name) == 0)
            return true;
    }
    return false;
}

static bool grants(const struct weir_permissions *p,
                   const struct question *question)
{
    switch (question->kind) {
    case WEIR_PERMISSION_NET: return grants_net(p, question);
    case WEIR_PERMISSION_READ:
    case WEIR_PERMISSION_WRITE:
        return root_of(&p->lists[question->kind], question->text) != NULL;
    case WEIR_PERMISSION_ENV:
        return grants_name(&p->lists[WEIR_PERMISSION_ENV], question->text);
    case WEIR_PERMISSION_MUTATE: return p->mutate;
    case WEIR_PERMISSIONS: break;
    }
    return false;
}

/* ---- denying ---- */

/* "connecting to evil.example:443", "PUT /path": what is asked for. */
static void asked_text(const struct question *question, char *out, size_t size)
{
    const char *text = question->text;

    switch (question->kind) {
    case WEIR_PERMISSION_NET:
        weir_host_question_text(&question->host, out);
        if (question->address)
            weir_cut_printf(out + strlen(out), size - strlen(out),
                            " at %s (%s)", WEIR_CUT(60, question->address),
                            weir_address_class(question->address));
        break;
    default: weir_cut_copy(out, size, text, strlen(text));
    }
}

/* The beginning of the sentence, and what a program reads. */
static void say_what(const struct question *question, struct weir_err *err)
{
    static const char *const verbs[WEIR_PERMISSIONS] = {
        [WEIR_PERMISSION_NET] = "connecting to ",
        [WEIR_PERMISSION_READ] = "reading ",
        [WEIR_PERMISSION_WRITE] = "writing ",
        [WEIR_PERMISSION_ENV] = "the variable ",
        [WEIR_PERMISSION_MUTATE] = "",
    };
    const char *word = weir_permission_word(question->kind);
    char asked[WEIR_HOST_TEXT + 100];
    struct weir_buf detail;

    asked_text(question, asked, sizeof(asked));
    weir_excerpt_line(asked); /* a path may be no UTF-8 */
    weir_err_set(
        err, WEIR_DENIED, "%s: %s%s%s", word, verbs[question->kind], asked,
        question->kind == WEIR_PERMISSION_MUTATE ? " may change something, and"
                                                 : "");
    weir_buf_init(&detail, 4096);
    weir_buf_addf(&detail, "{\"permission\":\"%s\",\"asked\":", word);
    weir_json_quote(&detail, asked, strlen(asked));
    if (weir_buf_addc(&detail, '}') == WEIR_OK)
        weir_err_detail(err, weir_buf_str(&detail), detail.len);
    weir_buf_fini(&detail);
}

/* The item that would grant it, as it is declared. */
static void missing_item(const struct question *question, char *out,
                         size_t size)
{
    const char *host = question->host.host;
    unsigned port = question->host.port;

    if (question->kind != WEIR_PERMISSION_NET)
        weir_cut_copy(out, size, question->text, strlen(question->text));
    else if (question->host.tenant && !question->address)
        weir_cut_printf(out, size, "tenant");
    else if (question->address)
        weir_cut_copy(out, size, question->address, strlen(question->address));
    else if (port == 443 || port == 80)
        weir_cut_copy(out, size, host, strlen(host));
    else
        weir_cut_printf(out, size, strchr(host, ':') ? "[%s]:%u" : "%s:%u",
                        host, port);
}

/* A Lua string may hold these as they are, but for two. */
static void escape(const char *text, char *out, size_t size)
{
    size_t len = 0;

    for (; *text && len + 2 < size; text++) {
        if (*text == '"' || *text == '\\')
            out[len++] = '\\';
        out[len++] = *text;
    }
    out[len] = '\0';
}

static void advise(const struct weir_permissions *p,
                   const struct question *question, struct weir_err *err)
{
    const char *word = weir_permission_word(question->kind);
    char item[120], escaped[240];

    missing_item(question, item, sizeof(item));
    escape(item, escaped, sizeof(escaped));
    if (p->source == WEIR_PERMISSIONS_FLAGS) {
        if (question->kind == WEIR_PERMISSION_MUTATE)
            weir_err_hint(err, "a script is granted changes only by what it "
                               "declares: weir.needs { mutate = true }");
        else
            weir_err_hint(err, "grant it with --%s=%s", word, item);
    } else if (question->kind == WEIR_PERMISSION_MUTATE) {
        weir_err_hint(err, "the script declares it in its first statement: "
                           "weir.needs { mutate = true }");
    } else {
        weir_err_hint(err,
                      "the script declares it in its first statement: "
                      "weir.needs { %s = {\"%s\"} }",
                      word, escaped);
    }
}

/* What is granted instead, in a few words. */
static void say_granted(const struct weir_permissions *p,
                        enum weir_permission kind, struct weir_err *err)
{
    size_t n = weir_permissions_size(p, kind);

    if (kind == WEIR_PERMISSION_MUTATE)
        return;
    if (n == 0) {
        weir_err_append(err, "; no %s is",
                        kind == WEIR_PERMISSION_NET   ? "host"
                        : kind == WEIR_PERMISSION_ENV ? "variable"
                                                      : "path");
        return;
    }
    weir_err_append(err, "; granted: ");
    for (size_t i = 0; i < n; i++) {
        if (i == 5) {
            weir_err_append(err, " and %zu more", n - i);
            break;
        }
        weir_err_append(err, "%s%s", i ? ", " : "",
                        WEIR_CUT(80, weir_permissions_item(p, kind, i)));
    }
}

static enum weir_code deny(const struct weir_permissions *p,
                           const struct question *question,
                           struct weir_err *err)
{
    const struct weir_permissions *layer = p;

    /* A denial at run time is no error to build when no one looks. */
    if (!err)
        return WEIR_DENIED;
    say_what(question, err);
    while (layer->wider && !grants(layer->wider, question))
        layer = layer->wider;
    if (layer->wider && question->kind == WEIR_PERMISSION_MUTATE) {
        weir_err_append(err, " is kept back by %s", layer->by);
        weir_err_hint(err, "leave %s out to send it", layer->by);
        return WEIR_DENIED;
    }
    if (layer->wider) {
        weir_err_append(err, " is taken away by %s", layer->by);
        weir_err_hint(err,
                      "the run would have it without: leave %s out, or "
                      "let it name this too, if it may",
                      layer->by);
        return WEIR_DENIED;
    }
    weir_err_append(err, question->address
                             ? " is not granted by the host's name alone"
                             : " is not granted");
    say_granted(layer, question->kind, err);
    advise(layer, question, err);
    return WEIR_DENIED;
}

static enum weir_code answer(const struct weir_permissions *p,
                             const struct question *question,
                             struct weir_err *err)
{
    return grants(p, question) ? WEIR_OK : deny(p, question, err);
}

/* ---- asking ---- */

static struct question ask_net(const struct weir_permissions *p,
                               const char *host, unsigned port,
                               const char *address)
{
    struct question question = {.kind = WEIR_PERMISSION_NET,
                                .address = address};
    char text[WEIR_HOST_TEXT];

    weir_host_question_init(&question.host, host, port);
    weir_host_question_text(&question.host, text);
    question.host.tenant = grants_name(&p->tenant, text);
    return question;
}

enum weir_code weir_permissions_connect(const struct weir_permissions *p,
                                        const char *host, unsigned port,
                                        struct weir_err *err)
{
    struct question question = ask_net(p, host, port, NULL);

    return answer(p, &question, err);
}

enum weir_code weir_permissions_url(const struct weir_permissions *p,
                                    const char *url, struct weir_err *err)
{
    char host[WEIR_HOST_MAX + 3];
    unsigned port;
    enum weir_code code = weir_url_host(url, host, sizeof(host), &port, err);

    return code ? code : weir_permissions_connect(p, host, port, err);
}

enum weir_code weir_permissions_address(const struct weir_permissions *p,
                                        const char *host, unsigned port,
                                        const char *address,
                                        struct weir_err *err)
{
    struct question question = ask_net(p, host, port, address);

    /* An address that is no name's is denied by its name. */
    if (!weir_address_class(address))
        question.address = NULL;
    return answer(p, &question, err);
}

enum weir_code weir_permissions_path(const struct weir_permissions *p,
                                     enum weir_permission kind,
                                     const char *path, const char **root,
                                     struct weir_err *err)
{
    struct question question = {.kind = kind};
    struct weir_buf normal;
    enum weir_code code;

    weir_buf_init(&normal, (size_t)2 * WEIR_PERMISSIONS_MAX_PATH);
    code = weir_path_normal(&normal, path);
    question.text = weir_buf_str(&normal);
    if (code == WEIR_LIMIT)
        code = weir_err_set(err, WEIR_DENIED,
                            "%s: the path is longer than %d "
                            "bytes",
                            weir_permission_word(kind),
                            2 * WEIR_PERMISSIONS_MAX_PATH);
    else if (code)
        code = weir_err_nomem(err);
    else
        code = answer(p, &question, err);
    if (!code && root)
        *root = root_of(&p->lists[kind], question.text);
    weir_buf_fini(&normal);
    return code;
}

enum weir_code weir_permissions_env(const struct weir_permissions *p,
                                    const char *name, struct weir_err *err)
{
    struct question question = {.kind = WEIR_PERMISSION_ENV, .text = name};

    return answer(p, &question, err);
}

const char *weir_permissions_mutate_by(const struct weir_permissions *p)
{
    const struct weir_permissions *layer = p;

    while (layer->wider && !layer->wider->mutate)
        layer = layer->wider;
    return layer->wider ? layer->by : NULL;
}

enum weir_code weir_permissions_mutate(const struct weir_permissions *p,
                                       const char *what, struct weir_err *err)
{
    struct question question = {.kind = WEIR_PERMISSION_MUTATE, .text = what};

    return answer(p, &question, err);
}
