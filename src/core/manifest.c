/* The manifest: reading, and what it is made of. */
#include "weir/manifest.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "excerpt.h"
#include "weir/archive.h"
#include "weir/filter.h"
#include "weir/semver.h"

/* ---- checking members ---- */

struct reader {
    char path[128]; /* JSON pointer of what is looked at */
    struct weir_err *err;
};

__attribute__((format(printf, 2, 3))) static enum weir_code
refuse(struct reader *r, const char *fmt, ...)
{
    char message[512];
    va_list args;

    va_start(args, fmt);
    vsnprintf(message, sizeof(message), fmt, args);
    va_end(args);
    return weir_err_set(r->err, WEIR_VALIDATION, "%s: %s: %s",
                        WEIR_MANIFEST_FILE, *r->path ? r->path : "/", message);
}

/* Puts what was found wrong by another noun behind the pointer. */
static enum weir_code refuse_as(struct reader *r, struct weir_err *fault)
{
    if (fault->code == WEIR_NOMEM)
        return weir_err_nomem(r->err);
    refuse(r, "%s", fault->message);
    weir_err_clear(fault);
    return WEIR_VALIDATION;
}

/* Goes down to a member or an element; leave() with what comes back. */
static size_t enter(struct reader *r, const char *key)
{
    size_t len = strlen(r->path);

    snprintf(r->path + len, sizeof(r->path) - len, "/%s", key);
    return len;
}

static size_t enter_index(struct reader *r, size_t index)
{
    char key[24];

    snprintf(key, sizeof(key), "%zu", index);
    return enter(r, key);
}

static void leave(struct reader *r, size_t len)
{
    r->path[len] = '\0';
}

/* What an object may have. */
struct member {
    const char *key;
    unsigned types; /* bits of enum weir_json_type */
    bool required;
};
#define TYPE(name) (1U << WEIR_JSON_##name)
#define ANY_PLAIN  (TYPE(STRING) | TYPE(NUMBER) | TYPE(BOOLEAN))
enum { MAX_MEMBERS = 16 };

static enum weir_code refuse_unknown(struct reader *r,
                                     const struct member *members,
                                     const char *key, size_t len)
{
    const char *names[MAX_MEMBERS + 1] = {NULL};
    char shown[WEIR_EXCERPT];
    const char *near;

    for (size_t i = 0; members[i].key; i++)
        names[i] = members[i].key;
    near = memchr(key, '\0', len) ? NULL : weir_nearest(key, names);
    weir_excerpt_quote(shown, key, len);
    if (near)
        return refuse(r, "unknown member %s (did you mean \"%s\"?)", shown,
                      near);
    return refuse(r, "unknown member %s; a newer weir may know it", shown);
}

static const struct member *find_member(const struct member *members,
                                        const char *key, size_t len)
{
    for (; members->key; members++) {
        if (strlen(members->key) == len && memcmp(members->key, key, len) == 0)
            return members;
    }
    return NULL;
}

static void type_words(unsigned types, char *out, size_t size)
{
    *out = '\0';
    for (int type = 0; type <= WEIR_JSON_OBJECT; type++) {
        size_t len = strlen(out);

        if (types & 1U << type)
            snprintf(out + len, size - len, "%s%s", len ? " or " : "",
                     weir_json_type_name((enum weir_json_type)type));
    }
}

/* That the value is an object of these members and no others. */
static enum weir_code check_object(struct reader *r,
                                   const struct weir_json *object,
                                   const struct member *members)
{
    char words[80];

    if (!weir_json_is(object, WEIR_JSON_OBJECT))
        return refuse(r, "must be an object, not %s",
                      weir_json_type_name(weir_json_type(object)));
    for (const struct weir_json *child = weir_json_first(object); child;
         child = weir_json_next(child)) {
        size_t len;
        const char *key = weir_json_key(child, &len);
        const struct member *member = find_member(members, key, len);

        if (!member)
            return refuse_unknown(r, members, key, len);
        if (!(member->types & 1U << weir_json_type(child))) {
            enter(r, member->key);
            type_words(member->types, words, sizeof(words));
            return refuse(r, "must be %s, not %s", words,
                          weir_json_type_name(weir_json_type(child)));
        }
    }
    for (; members->key; members++) {
        if (members->required && !weir_json_get(object, members->key)) {
            enter(r, members->key);
            return refuse(r, "is missing");
        }
    }
    return WEIR_OK;
}

/* ---- the parts ---- */

static enum weir_code copy_text(struct reader *r,
                                const struct weir_json *object, const char *key,
                                char **out)
{
    size_t len;
    const char *text = weir_json_string(weir_json_get(object, key), &len);

    if (memchr(text, '\0', len))
        return refuse(r, "has a NUL");
    *out = strdup(text);
    if (*out)
        return WEIR_OK;
    weir_err_nomem(r->err);
    return WEIR_NOMEM;
}

static enum weir_code check_name(struct reader *r, const char *name)
{
    size_t len = strlen(name);

    if (len == 0 || len > WEIR_MANIFEST_MAX_NAME)
        return refuse(r, "must have 1 to %zu bytes", WEIR_MANIFEST_MAX_NAME);
    if (strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                     "0123456789._-") != len ||
        strchr("._-", name[0]))
        return refuse(r, "must be letters, digits, '.', '_' and '-', and begin "
                         "with a letter or digit");
    return WEIR_OK;
}

static enum weir_code check_version(struct reader *r, const char *version)
{
    struct weir_err fault = WEIR_ERR_INIT;

    return weir_semver_check(version, strlen(version), &fault)
               ? refuse_as(r, &fault)
               : WEIR_OK;
}

static enum weir_code check_path(struct reader *r, const char *path)
{
    struct weir_err fault = WEIR_ERR_INIT;

    return weir_archive_check_name(path, strlen(path), &fault)
               ? refuse_as(r, &fault)
               : WEIR_OK;
}

/* Reads a required string of the manifest and has it checked. */
static enum weir_code
read_text(struct reader *r, const struct weir_json *object, const char *key,
          enum weir_code (*check)(struct reader *r, const char *text),
          char **out)
{
    size_t at = enter(r, key);
    enum weir_code code = copy_text(r, object, key, out);

    if (code == WEIR_OK)
        code = check(r, *out);
    leave(r, at);
    return code;
}

static enum weir_code check_digest(struct reader *r, const char *digest)
{
    if (strlen(digest) != 64 || strspn(digest, "0123456789abcdef") != 64)
        return refuse(r, "must be 64 hexadecimal digits in lower case");
    return WEIR_OK;
}

static enum weir_code read_size(struct reader *r, const struct weir_json *file,
                                size_t *out)
{
    size_t at = enter(r, "size");
    int64_t size = -1;
    enum weir_code code = WEIR_OK;

    if (!weir_json_integer(weir_json_get(file, "size"), &size) || size < 0 ||
        (uint64_t)size > WEIR_ARCHIVE_MAX_BYTES)
        code = refuse(r, "must be a whole number, 0 to %zu",
                      WEIR_ARCHIVE_MAX_BYTES);
    *out = (size_t)size;
    leave(r, at);
    return code;
}

static enum weir_code read_file(struct reader *r, const struct weir_json *json,
                                struct weir_manifest_file *out)
{
    static const struct member members[] = {{"path", TYPE(STRING), true},
                                            {"size", TYPE(NUMBER), true},
                                            {"sha256", TYPE(STRING), true},
                                            {NULL, 0, false}};
    enum weir_code code = check_object(r, json, members);
    char *digest = NULL;

    if (code == WEIR_OK)
        code = read_text(r, json, "path", check_path, &out->path);
    if (code == WEIR_OK && strcmp(out->path, WEIR_MANIFEST_FILE) == 0)
        code = refuse(r, "the manifest cannot list itself");
    if (code == WEIR_OK)
        code = read_size(r, json, &out->size);
    if (code == WEIR_OK)
        code = read_text(r, json, "sha256", check_digest, &digest);
    if (code == WEIR_OK && digest)
        snprintf(out->sha256, sizeof(out->sha256), "%s", digest);
    free(digest);
    return code;
}

static enum weir_code read_files(struct reader *r, const struct weir_json *list,
                                 struct weir_manifest *m)
{
    size_t at = enter(r, "files"), n = weir_json_size(list);
    enum weir_code code = WEIR_OK;

    if (n == 0 || n >= WEIR_ARCHIVE_MAX_FILES)
        return refuse(r, "must have 1 to %zu files",
                      WEIR_ARCHIVE_MAX_FILES - 1);
    m->n_files = 0;
    m->files = calloc(n, sizeof(*m->files));
    if (!m->files)
        return weir_err_nomem(r->err);
    for (const struct weir_json *file = weir_json_first(list);
         file && code == WEIR_OK; file = weir_json_next(file)) {
        struct weir_manifest_file *it = &m->files[m->n_files];
        size_t inner = enter_index(r, m->n_files++);

        code = read_file(r, file, it);
        if (code == WEIR_OK && m->n_files > 1 &&
            strcmp(it[-1].path, it->path) >= 0)
            code = refuse(r,
                          "\"%s\" is not in the order of the paths' bytes, "
                          "or stands twice",
                          it->path);
        if (code == WEIR_OK)
            leave(r, inner);
    }
    if (code == WEIR_OK)
        leave(r, at);
    return code;
}

/* ---- what is shown to people ---- */

/* A terminal obeys some characters: none of them may come from whoever wrote
 * the bundle. */
static bool has_control(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7F)
            return true;
        if (c == 0xC2 && i + 1 < len && (unsigned char)text[i + 1] < 0xA0)
            return true;
    }
    return false;
}

/* Every text of the value; its depth is bounded by that of the document. */
static enum weir_code check_shown(struct reader *r,
                                  const struct weir_json *json)
{
    enum weir_code code = WEIR_OK;
    size_t len;
    const char *text = weir_json_string(json, &len);

    if (text && has_control(text, len))
        return refuse(r, "has a control character in one of its texts");
    for (const struct weir_json *child = weir_json_first(json);
         child && code == WEIR_OK; child = weir_json_next(child)) {
        text = weir_json_key(child, &len);
        if (text && has_control(text, len))
            return refuse(r, "has a control character in one of its names");
        code = check_shown(r, child);
    }
    return code;
}

/* ---- arguments ---- */

static enum weir_code check_params(struct reader *r,
                                   const struct weir_json *list)
{
    static const struct member members[] = {
        {"name", TYPE(STRING), true},
        {"short", TYPE(STRING), false},
        {"type", TYPE(STRING), false},
        {"help", TYPE(STRING), false},
        {"value", TYPE(STRING), false},
        {"default", ANY_PLAIN | TYPE(ARRAY), false},
        {"choices", TYPE(ARRAY), false},
        {"required", TYPE(BOOLEAN), false},
        {"env", TYPE(STRING), false},
        {"many", TYPE(BOOLEAN), false},
        {"min", TYPE(NUMBER), false},
        {"max", TYPE(NUMBER), false},
        {NULL, 0, false}};
    size_t at = enter(r, "params"), i = 0;
    enum weir_code code = WEIR_OK;

    for (const struct weir_json *param = weir_json_first(list);
         param && code == WEIR_OK; param = weir_json_next(param)) {
        size_t inner = enter_index(r, i++);

        code = check_object(r, param, members);
        if (code == WEIR_OK)
            leave(r, inner);
    }
    if (code == WEIR_OK)
        leave(r, at);
    return code;
}

static enum weir_code read_args(struct reader *r, const struct weir_json *args,
                                struct weir_manifest *m)
{
    static const struct member members[] = {{"about", TYPE(STRING), false},
                                            {"name", TYPE(STRING), false},
                                            {"examples", TYPE(STRING), false},
                                            {"params", TYPE(ARRAY), true},
                                            {NULL, 0, false}};
    size_t at = enter(r, "args");
    enum weir_code code = check_object(r, args, members);

    if (code == WEIR_OK)
        code = check_params(r, weir_json_get(args, "params"));
    if (code == WEIR_OK)
        code = check_shown(r, args);
    if (code)
        return code;
    leave(r, at);
    m->args = weir_json_copy(args);
    return m->args ? WEIR_OK : weir_err_nomem(r->err);
}

static enum weir_code read_expiry(struct reader *r,
                                  const struct weir_json *json,
                                  struct weir_manifest *m)
{
    struct weir_err fault = WEIR_ERR_INIT;
    size_t at = enter(r, "expires"), len;
    const char *text = weir_json_string(json, &len);

    if (weir_manifest_read_time(text, len, &m->expires, &fault))
        return refuse_as(r, &fault);
    leave(r, at);
    return WEIR_OK;
}

/* ---- the whole ---- */

static enum weir_code read_format(struct reader *r,
                                  const struct weir_json *json)
{
    const struct weir_json *format = weir_json_get(json, "format");
    int64_t number = 0;

    /* First of all: another format may have other members. */
    if (format && weir_json_integer(format, &number) &&
        number != WEIR_MANIFEST_FORMAT)
        return refuse(r,
                      "the bundle has format %lld, and this weir reads format "
                      "%d; a newer weir may read it",
                      (long long)number, WEIR_MANIFEST_FORMAT);
    return WEIR_OK;
}

static enum weir_code read_texts(struct reader *r, const struct weir_json *json,
                                 struct weir_manifest *m)
{
    enum weir_code code = read_text(r, json, "name", check_name, &m->name);

    if (code == WEIR_OK)
        code = read_text(r, json, "version", check_version, &m->version);
    if (code == WEIR_OK)
        code = read_text(r, json, "weir", check_version, &m->weir);
    if (code == WEIR_OK)
        code = read_text(r, json, "main", check_path, &m->main);
    return code;
}

static enum weir_code read_members(struct reader *r,
                                   const struct weir_json *json,
                                   struct weir_manifest *m)
{
    const struct weir_json *args = weir_json_get(json, "args");
    const struct weir_json *expires = weir_json_get(json, "expires");
    enum weir_code code = read_texts(r, json, m);

    if (code == WEIR_OK)
        code = read_files(r, weir_json_get(json, "files"), m);
    if (code == WEIR_OK && !weir_manifest_find(m, m->main)) {
        enter(r, "main");
        code = refuse(r, "\"%s\" is none of the files", m->main);
    }
    if (code == WEIR_OK && args)
        code = read_args(r, args, m);
    if (code == WEIR_OK && expires)
        code = read_expiry(r, expires, m);
    if (code == WEIR_OK) {
        enter(r, "needs");
        code = check_shown(r, weir_json_get(json, "needs"));
    }
    if (code)
        return code;
    m->needs = weir_json_copy(weir_json_get(json, "needs"));
    return m->needs ? WEIR_OK : weir_err_nomem(r->err);
}

static enum weir_code read_document(const struct weir_json *json,
                                    struct weir_manifest *m,
                                    struct weir_err *err)
{
    static const struct member members[] = {
        {"format", TYPE(NUMBER), true},   {"name", TYPE(STRING), true},
        {"version", TYPE(STRING), true},  {"weir", TYPE(STRING), true},
        {"main", TYPE(STRING), true},     {"files", TYPE(ARRAY), true},
        {"args", TYPE(OBJECT), false},    {"needs", TYPE(OBJECT), true},
        {"expires", TYPE(STRING), false}, {NULL, 0, false}};
    struct reader r = {.err = err};
    enum weir_code code = read_format(&r, json);

    if (code == WEIR_OK)
        code = check_object(&r, json, members);
    return code ? code : read_members(&r, json, m);
}

enum weir_code weir_manifest_read(const char *text, size_t len,
                                  struct weir_manifest **out,
                                  struct weir_err *err)
{
    static const struct weir_json_options limits = {
        .max_depth = 16, .max_nodes = 100000, .max_bytes = WEIR_MANIFEST_MAX};
    struct weir_json *json = NULL;
    struct weir_manifest *manifest;
    enum weir_code code = weir_json_parse(text, len, &limits, &json, err);

    if (code) {
        weir_err_prefix(err, "%s: ", WEIR_MANIFEST_FILE);
        return code;
    }
    manifest = calloc(1, sizeof(*manifest));
    code = manifest ? read_document(json, manifest, err) : weir_err_nomem(err);
    weir_json_free(json);
    if (code)
        weir_manifest_free(manifest);
    else
        *out = manifest;
    return code;
}

const struct weir_manifest_file *
weir_manifest_find(const struct weir_manifest *manifest, const char *path)
{
    for (size_t i = 0; i < manifest->n_files; i++) {
        if (strcmp(manifest->files[i].path, path) == 0)
            return &manifest->files[i];
    }
    return NULL;
}

void weir_manifest_free(struct weir_manifest *manifest)
{
    if (!manifest)
        return;
    for (size_t i = 0; i < manifest->n_files; i++)
        free(manifest->files[i].path);
    free(manifest->files);
    free(manifest->name);
    free(manifest->version);
    free(manifest->weir);
    free(manifest->main);
    weir_json_free(manifest->args);
    weir_json_free(manifest->needs);
    free(manifest);
}
