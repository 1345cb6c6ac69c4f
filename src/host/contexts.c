#include "contexts.h"

#include <stdlib.h>
#include <string.h>

#include "context_internal.h"
#include "files.h"
#include "folders.h"
#include "guarded.h"
#include "weir/filter.h"
#include "weir/http.h"
#include "weir/url.h"

#define FORMAT   1
#define MAX_FILE ((size_t)1 << 20)
#define MAX_TEXT 512

/* ---- one context ---- */

enum kind { NAME, TEXT, ADDRESS, SECRET };

static const struct member {
    const char *name;
    enum kind kind;
    bool required;
} members[] = {
    {"tenant", NAME, true},
    {"client_id", TEXT, true},
    {"client_secret", SECRET, true},
    {"base_url", ADDRESS, false},
    {"token_url", ADDRESS, false},
    {"access_key_id", TEXT, false},
    {"access_key_secret", SECRET, false},
};
#define N_MEMBERS (sizeof(members) / sizeof(members[0]))

static const struct member *find_member(const char *name)
{
    for (size_t i = 0; i < N_MEMBERS; i++) {
        if (strcmp(members[i].name, name) == 0)
            return &members[i];
    }
    return NULL;
}

/* It becomes part of a host name, and a word on command lines. */
static bool is_name(const char *text, size_t len)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "abcdefghijklmnopqrstuvwxyz0123456789._-";

    return len > 0 && strspn(text, letters) == len && text[0] != '-' &&
           text[0] != '.';
}

static bool is_plain(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7F)
            return false;
    }
    return len > 0 && len <= MAX_TEXT;
}

static enum weir_code check_text(const struct member *member,
                                 const struct weir_json *value,
                                 struct weir_err *err)
{
    size_t len = 0;
    const char *text = weir_json_string(value, &len);
    enum weir_code code;

    if (!text || !is_plain(text, len))
        return weir_err_set(err, WEIR_CONFIG,
                            "expected a text of 1 to %d bytes on one line",
                            MAX_TEXT);
    if (member->kind == NAME && !is_name(text, len))
        return weir_err_set(err, WEIR_CONFIG,
                            "a tenant's name is made of letters, digits, '.', "
                            "'_' and '-'");
    if (member->kind != ADDRESS)
        return WEIR_OK;
    code = weir_url_check(text, err);
    if (!code && strpbrk(text, "?#"))
        code = weir_err_set(err, WEIR_CONFIG, "expected a URL without ? and #");
    if (!code)
        code = weir_http_url_safe(text, err);
    if (code == WEIR_INVALID) {
        err->code = code = WEIR_CONFIG;
        err->hint[0] = '\0'; /* scripts have a switch; a context has none */
    }
    return code;
}

static enum weir_code check_member(const struct weir_json *value,
                                   struct weir_err *err)
{
    const char *key = weir_json_key(value, NULL), *near;
    const char *names[N_MEMBERS + 1] = {NULL};
    const struct member *member = find_member(key);

    if (member && member->kind == SECRET)
        return host_context_check_source(value, err);
    if (member)
        return check_text(member, value, err);
    for (size_t i = 0; i < N_MEMBERS; i++)
        names[i] = members[i].name;
    near = weir_nearest(key, names);
    return weir_err_set(err, WEIR_CONFIG, "a context has no such member%s%s%s",
                        near ? " (did you mean '" : "", near ? near : "",
                        near ? "'?)" : "");
}

static enum weir_code check_complete(const struct weir_json *context,
                                     struct weir_err *err)
{
    bool id = weir_json_get(context, "access_key_id") != NULL;
    bool secret = weir_json_get(context, "access_key_secret") != NULL;

    for (size_t i = 0; i < N_MEMBERS; i++) {
        if (members[i].required && !weir_json_get(context, members[i].name))
            return weir_err_set(err, WEIR_CONFIG, "%s is missing",
                                members[i].name);
    }
    if (id != secret)
        return weir_err_set(err, WEIR_CONFIG,
                            "an access key is access_key_id and "
                            "access_key_secret; %s is missing",
                            id ? "access_key_secret" : "access_key_id");
    return WEIR_OK;
}

enum weir_code host_contexts_check(const char *name,
                                   const struct weir_json *context,
                                   struct weir_err *err)
{
    if (!is_name(name, strlen(name)) || strlen(name) >= HOST_CONTEXT_MAX_NAME)
        return weir_err_set(err, WEIR_CONFIG,
                            "a context's name is made of letters, digits, "
                            "'.', '_' and '-', %d at the most",
                            HOST_CONTEXT_MAX_NAME - 1);
    if (!weir_json_is(context, WEIR_JSON_OBJECT))
        return weir_err_set(err, WEIR_CONFIG, "%s: expected an object", name);
    for (const struct weir_json *at = weir_json_first(context); at;
         at = weir_json_next(at)) {
        if (check_member(at, err)) {
            weir_err_prefix(err, "%s: %s: ", name, weir_json_key(at, NULL));
            return err->code;
        }
    }
    if (check_complete(context, err)) {
        weir_err_prefix(err, "%s: ", name);
        return err->code;
    }
    return WEIR_OK;
}

/* ---- the document ---- */

static enum weir_code check_contexts(const struct weir_json *json,
                                     struct weir_err *err)
{
    const struct weir_json *all = weir_json_get(json, "contexts");

    if (!weir_json_is(all, WEIR_JSON_OBJECT))
        return weir_err_set(err, WEIR_CONFIG, "contexts: expected an object");
    for (const struct weir_json *at = weir_json_first(all); at;
         at = weir_json_next(at)) {
        if (host_contexts_check(weir_json_key(at, NULL), at, err))
            return err->code;
    }
    return WEIR_OK;
}

static enum weir_code check_document(const struct weir_json *json,
                                     struct weir_err *err)
{
    static const char *const known[] = {"format", "use", "contexts", NULL};
    const struct weir_json *use = weir_json_get(json, "use");
    int64_t format = 0;

    if (!weir_json_is(json, WEIR_JSON_OBJECT))
        return weir_err_set(err, WEIR_CONFIG, "expected an object");
    if (!weir_json_integer(weir_json_get(json, "format"), &format) ||
        format != FORMAT)
        return weir_err_set(err, WEIR_CONFIG,
                            "format: this weir reads format %d", FORMAT);
    for (const struct weir_json *at = weir_json_first(json); at;
         at = weir_json_next(at)) {
        const char *key = weir_json_key(at, NULL);

        if (strcmp(key, known[0]) != 0 && strcmp(key, known[1]) != 0 &&
            strcmp(key, known[2]) != 0)
            return weir_err_set(err, WEIR_CONFIG,
                                "%s: unknown; there are format, use and "
                                "contexts",
                                key);
    }
    if (check_contexts(json, err))
        return err->code;
    if (use && (!weir_json_string(use, NULL) ||
                !weir_json_get(weir_json_get(json, "contexts"),
                               weir_json_string(use, NULL))))
        return weir_err_set(err, WEIR_CONFIG,
                            "use: there is no context of that name");
    return WEIR_OK;
}

/* ---- the file ---- */

enum weir_code host_contexts_path(char **out, struct weir_err *err)
{
    *out = host_folders_config("contexts.json");
    if (*out)
        return WEIR_OK;
    return weir_err_set(err, WEIR_CONFIG,
                        "no folder for contexts: neither XDG_CONFIG_HOME nor "
                        "HOME is an absolute path");
}

static enum weir_code parse(const struct weir_buf *text, struct weir_json **out,
                            struct weir_err *err)
{
    enum weir_code code =
        weir_json_parse(weir_buf_str(text), text->len, NULL, out, err);

    if (code == WEIR_OK) {
        code = check_document(*out, err);
        if (code) {
            weir_json_free(*out);
            *out = NULL;
        }
    }
    if (code && code != WEIR_NOMEM)
        err->code = code = WEIR_CONFIG;
    return code;
}

static enum weir_code make_empty(struct host_contexts *out,
                                 struct weir_err *err)
{
    out->json = weir_json_new_object();
    if (!out->json ||
        weir_json_set(out->json, "format", weir_json_new_integer(FORMAT)) ||
        weir_json_set(out->json, "contexts", weir_json_new_object()))
        return weir_err_nomem(err);
    return WEIR_OK;
}

static enum weir_code load(struct host_contexts *out, struct weir_err *err)
{
    enum weir_code code = host_contexts_path(&out->path, err);
    struct weir_buf text;

    if (code)
        return code;
    weir_buf_init(&text, MAX_FILE);
    code =
        host_guarded_read(out->path, HOST_GUARD_OWN, &text, &out->there, err);
    if (code == WEIR_OK && !out->there) {
        code = make_empty(out, err);
    } else if (code == WEIR_OK) {
        code = parse(&text, &out->json, err);
        if (code)
            weir_err_prefix(err, "%s: ", out->path);
    }
    weir_buf_fini(&text);
    return code;
}

enum weir_code host_contexts_load(struct host_contexts *out,
                                  struct weir_err *err)
{
    struct weir_err spare = WEIR_ERR_INIT;
    enum weir_code code;

    *out = (struct host_contexts){.lock = -1};
    code = load(out, err ? err : &spare);
    if (code)
        host_contexts_fini(out);
    weir_err_clear(&spare);
    return code;
}

enum weir_code host_contexts_edit(struct host_contexts *out,
                                  struct weir_err *err)
{
    enum weir_code code;

    *out = (struct host_contexts){.lock = -1};
    code = host_contexts_path(&out->path, err);
    if (!code)
        code = host_guarded_lock(out->path, &out->lock, err);
    free(out->path);
    out->path = NULL;
    if (!code)
        code = load(out, err);
    if (code)
        host_contexts_fini(out);
    return code;
}

void host_contexts_fini(struct host_contexts *contexts)
{
    free(contexts->path);
    weir_json_free(contexts->json);
    host_guarded_unlock(contexts->lock);
    *contexts = (struct host_contexts){.lock = -1};
}

static int write_text(void *ud, int fd)
{
    const struct weir_buf *text = ud;

    return host_files_write(fd, text->data, text->len);
}

enum weir_code host_contexts_store(const struct host_contexts *contexts,
                                   struct weir_err *err)
{
    struct host_files_place place;
    struct weir_buf text;
    enum weir_code code;
    int number;

    weir_buf_init(&text, MAX_FILE);
    code = weir_json_write(contexts->json, 2, &text, err);
    weir_buf_addc(&text, '\n');
    if (!code && text.failed)
        code = weir_buf_err(&text, "the contexts", err);
    if (!code)
        code = host_files_place_open(contexts->path, &place, err);
    if (!code) {
        number = host_files_place_put(&place, write_text, &text);
        host_files_place_close(&place);
        if (number != 0)
            code = weir_err_set(err, WEIR_IO, "%s: %s", contexts->path,
                                strerror(number));
    }
    weir_buf_fini(&text);
    return code;
}

/* ---- what is in it ---- */

static const struct weir_json *all_of(const struct host_contexts *contexts)
{
    return weir_json_get(contexts->json, "contexts");
}

const char *host_contexts_used(const struct host_contexts *contexts)
{
    return weir_json_get_string(contexts->json, "use");
}

/* "; there are dev, prod", cut where they are many. */
static void add_names(const struct weir_json *all, struct weir_err *err)
{
    const char *between = "; there are ";

    if (weir_json_size(all) == 0)
        weir_err_append(err, "; there are none yet: weir context add");
    for (const struct weir_json *at = weir_json_first(all); at;
         at = weir_json_next(at)) {
        weir_err_append(err, "%s%s", between, weir_json_key(at, NULL));
        between = ", ";
    }
}

const struct weir_json *host_contexts_find(const struct host_contexts *contexts,
                                           const char *name,
                                           struct weir_err *err)
{
    const struct weir_json *all = all_of(contexts);
    const struct weir_json *found = weir_json_get(all, name);
    size_t n = 0, size = weir_json_size(all);
    const char **names, *near;

    if (found)
        return found;
    names = calloc(size + 1, sizeof(*names));
    for (const struct weir_json *at = weir_json_first(all); at && names;
         at = weir_json_next(at))
        names[n++] = weir_json_key(at, NULL);
    near = names ? weir_nearest(name, names) : NULL;
    weir_err_set(err, WEIR_CONFIG, "there is no context '%.64s'", name);
    if (near)
        weir_err_append(err, " (did you mean '%s'?)", near);
    else
        add_names(all, err);
    free(names);
    return NULL;
}

enum weir_code host_contexts_set(struct host_contexts *contexts,
                                 const char *name, struct weir_json *context)
{
    return weir_json_set((struct weir_json *)all_of(contexts), name, context);
}

enum weir_code host_contexts_use(struct host_contexts *contexts,
                                 const char *name)
{
    return weir_json_set(contexts->json, "use",
                         weir_json_new_string(name, strlen(name)));
}

bool host_contexts_remove(struct host_contexts *contexts, const char *name)
{
    const char *used = host_contexts_used(contexts);

    if (used && strcmp(used, name) == 0)
        weir_json_remove(contexts->json, "use");
    return weir_json_remove((struct weir_json *)all_of(contexts), name);
}
