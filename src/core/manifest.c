/* The manifest: reading, and what it is made of. */
#include "weir/manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "excerpt.h"
#include "shape.h"
#include "weir/archive.h"
#include "weir/semver.h"

#define ANY_PLAIN                                                              \
    (WEIR_SHAPE(STRING) | WEIR_SHAPE(NUMBER) | WEIR_SHAPE(BOOLEAN))

/* ---- the parts ---- */

static enum weir_code copy_text(struct weir_shape *shape,
                                const struct weir_json *object, const char *key,
                                char **out)
{
    size_t len;
    const char *text = weir_json_string(weir_json_get(object, key), &len);

    if (memchr(text, '\0', len))
        return weir_shape_refuse(shape, "has a NUL");
    *out = strdup(text);
    if (*out)
        return WEIR_OK;
    weir_err_nomem(shape->err);
    return WEIR_NOMEM;
}

static enum weir_code check_name(struct weir_shape *shape, const char *name)
{
    size_t len = strlen(name);

    if (len == 0 || len > WEIR_MANIFEST_MAX_NAME)
        return weir_shape_refuse(shape, "must have 1 to %zu bytes",
                                 WEIR_MANIFEST_MAX_NAME);
    if (strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                     "0123456789._-") != len ||
        strchr("._-", name[0]))
        return weir_shape_refuse(
            shape, "must be letters, digits, '.', '_' and '-', and begin "
                   "with a letter or digit");
    return WEIR_OK;
}

static enum weir_code check_version(struct weir_shape *shape,
                                    const char *version)
{
    struct weir_err fault = WEIR_ERR_INIT;

    return weir_semver_check(version, strlen(version), &fault)
               ? weir_shape_refuse_as(shape, &fault)
               : WEIR_OK;
}

static enum weir_code check_path(struct weir_shape *shape, const char *path)
{
    struct weir_err fault = WEIR_ERR_INIT;

    return weir_archive_check_name(path, strlen(path), &fault)
               ? weir_shape_refuse_as(shape, &fault)
               : WEIR_OK;
}

/* Reads a required string of the manifest and has it checked. */
static enum weir_code
read_text(struct weir_shape *shape, const struct weir_json *object,
          const char *key,
          enum weir_code (*check)(struct weir_shape *shape, const char *text),
          char **out)
{
    size_t at = weir_shape_enter(shape, key);
    enum weir_code code = copy_text(shape, object, key, out);

    if (code == WEIR_OK)
        code = check(shape, *out);
    weir_shape_leave(shape, at);
    return code;
}

static enum weir_code check_digest(struct weir_shape *shape, const char *digest)
{
    if (strlen(digest) != 64 || strspn(digest, "0123456789abcdef") != 64)
        return weir_shape_refuse(shape,
                                 "must be 64 hexadecimal digits in lower case");
    return WEIR_OK;
}

static enum weir_code read_size(struct weir_shape *shape,
                                const struct weir_json *file, size_t *out)
{
    size_t at = weir_shape_enter(shape, "size");
    int64_t size = -1;
    enum weir_code code = WEIR_OK;

    if (!weir_json_integer(weir_json_get(file, "size"), &size) || size < 0 ||
        (uint64_t)size > WEIR_ARCHIVE_MAX_BYTES)
        code = weir_shape_refuse(shape, "must be a whole number, 0 to %zu",
                                 WEIR_ARCHIVE_MAX_BYTES);
    *out = (size_t)size;
    weir_shape_leave(shape, at);
    return code;
}

static enum weir_code read_file(struct weir_shape *shape,
                                const struct weir_json *json,
                                struct weir_manifest_file *out)
{
    static const struct weir_shape_member members[] = {
        {"path", WEIR_SHAPE(STRING), true},
        {"size", WEIR_SHAPE(NUMBER), true},
        {"sha256", WEIR_SHAPE(STRING), true},
        {NULL, 0, false}};
    enum weir_code code = weir_shape_object(shape, json, members);
    char *digest = NULL;

    if (code == WEIR_OK)
        code = read_text(shape, json, "path", check_path, &out->path);
    if (code == WEIR_OK && strcmp(out->path, WEIR_MANIFEST_FILE) == 0)
        code = weir_shape_refuse(shape, "the manifest cannot list itself");
    if (code == WEIR_OK)
        code = read_size(shape, json, &out->size);
    if (code == WEIR_OK)
        code = read_text(shape, json, "sha256", check_digest, &digest);
    if (code == WEIR_OK && digest)
        snprintf(out->sha256, sizeof(out->sha256), "%s", digest);
    free(digest);
    return code;
}

static enum weir_code read_files(struct weir_shape *shape,
                                 const struct weir_json *list,
                                 struct weir_manifest *m)
{
    size_t at = weir_shape_enter(shape, "files"), n = weir_json_size(list);
    enum weir_code code = WEIR_OK;

    if (n == 0 || n >= WEIR_ARCHIVE_MAX_FILES)
        return weir_shape_refuse(shape, "must have 1 to %zu files",
                                 WEIR_ARCHIVE_MAX_FILES - 1);
    m->n_files = 0;
    m->files = calloc(n, sizeof(*m->files));
    if (!m->files)
        return weir_err_nomem(shape->err);
    for (const struct weir_json *file = weir_json_first(list);
         file && code == WEIR_OK; file = weir_json_next(file)) {
        struct weir_manifest_file *it = &m->files[m->n_files];
        size_t inner = weir_shape_enter_index(shape, m->n_files++);

        code = read_file(shape, file, it);
        if (code == WEIR_OK && m->n_files > 1 &&
            strcmp(it[-1].path, it->path) >= 0)
            code = weir_shape_refuse(
                shape,
                "\"%s\" is not in the order of the paths' bytes, "
                "or stands twice",
                it->path);
        if (code == WEIR_OK)
            weir_shape_leave(shape, inner);
    }
    if (code == WEIR_OK)
        weir_shape_leave(shape, at);
    return code;
}

/* ---- what is shown to people ---- */

/* A terminal obeys some characters: none of them may come from whoever wrote
 * the bundle. */
static bool has_control(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] != '\n' && text[i] != '\t' &&
            weir_excerpt_obeyed(text + i, len - i))
            return true;
    }
    return false;
}

/* Every text of the value; its depth is bounded by that of the document. */
static enum weir_code check_shown(struct weir_shape *shape,
                                  const struct weir_json *json)
{
    enum weir_code code = WEIR_OK;
    size_t len;
    const char *text = weir_json_string(json, &len);

    if (text && has_control(text, len))
        return weir_shape_refuse(shape,
                                 "has a control character in one of its texts");
    for (const struct weir_json *child = weir_json_first(json);
         child && code == WEIR_OK; child = weir_json_next(child)) {
        text = weir_json_key(child, &len);
        if (text && has_control(text, len))
            return weir_shape_refuse(
                shape, "has a control character in one of its names");
        code = check_shown(shape, child);
    }
    return code;
}

/* ---- arguments ---- */

static enum weir_code check_params(struct weir_shape *shape,
                                   const struct weir_json *list)
{
    static const struct weir_shape_member members[] = {
        {"name", WEIR_SHAPE(STRING), true},
        {"short", WEIR_SHAPE(STRING), false},
        {"type", WEIR_SHAPE(STRING), false},
        {"help", WEIR_SHAPE(STRING), false},
        {"value", WEIR_SHAPE(STRING), false},
        {"default", ANY_PLAIN | WEIR_SHAPE(ARRAY), false},
        {"choices", WEIR_SHAPE(ARRAY), false},
        {"required", WEIR_SHAPE(BOOLEAN), false},
        {"env", WEIR_SHAPE(STRING), false},
        {"many", WEIR_SHAPE(BOOLEAN), false},
        {"min", WEIR_SHAPE(NUMBER), false},
        {"max", WEIR_SHAPE(NUMBER), false},
        {NULL, 0, false}};
    size_t at = weir_shape_enter(shape, "params"), i = 0;
    enum weir_code code = WEIR_OK;

    for (const struct weir_json *param = weir_json_first(list);
         param && code == WEIR_OK; param = weir_json_next(param)) {
        size_t inner = weir_shape_enter_index(shape, i++);

        code = weir_shape_object(shape, param, members);
        if (code == WEIR_OK)
            weir_shape_leave(shape, inner);
    }
    if (code == WEIR_OK)
        weir_shape_leave(shape, at);
    return code;
}

static enum weir_code read_args(struct weir_shape *shape,
                                const struct weir_json *args,
                                struct weir_manifest *m)
{
    static const struct weir_shape_member members[] = {
        {"about", WEIR_SHAPE(STRING), false},
        {"name", WEIR_SHAPE(STRING), false},
        {"examples", WEIR_SHAPE(STRING), false},
        {"params", WEIR_SHAPE(ARRAY), true},
        {NULL, 0, false}};
    size_t at = weir_shape_enter(shape, "args");
    enum weir_code code = weir_shape_object(shape, args, members);

    if (code == WEIR_OK)
        code = check_params(shape, weir_json_get(args, "params"));
    if (code == WEIR_OK)
        code = check_shown(shape, args);
    if (code)
        return code;
    weir_shape_leave(shape, at);
    m->args = weir_json_copy(args);
    return m->args ? WEIR_OK : weir_err_nomem(shape->err);
}

static enum weir_code read_expiry(struct weir_shape *shape,
                                  const struct weir_json *json,
                                  struct weir_manifest *m)
{
    struct weir_err fault = WEIR_ERR_INIT;
    size_t at = weir_shape_enter(shape, "expires"), len;
    const char *text = weir_json_string(json, &len);

    if (weir_manifest_read_time(text, len, &m->expires, &fault))
        return weir_shape_refuse_as(shape, &fault);
    weir_shape_leave(shape, at);
    return WEIR_OK;
}

/* ---- the whole ---- */

static enum weir_code read_format(struct weir_shape *shape,
                                  const struct weir_json *json)
{
    const struct weir_json *format = weir_json_get(json, "format");
    int64_t number = 0;

    /* First of all: another format may have other members. */
    if (!format || weir_json_type(format) != WEIR_JSON_NUMBER)
        return WEIR_OK; /* told with the other members */
    if (!weir_json_integer(format, &number)) {
        weir_shape_enter(shape, "format");
        return weir_shape_refuse(shape, "must be a whole number");
    }
    if (number != WEIR_MANIFEST_FORMAT)
        return weir_shape_refuse(
            shape,
            "the bundle has format %lld, and this weir reads format "
            "%d; a newer weir may read it",
            (long long)number, WEIR_MANIFEST_FORMAT);
    return WEIR_OK;
}

static enum weir_code read_texts(struct weir_shape *shape,
                                 const struct weir_json *json,
                                 struct weir_manifest *m)
{
    enum weir_code code = read_text(shape, json, "name", check_name, &m->name);

    if (code == WEIR_OK)
        code = read_text(shape, json, "version", check_version, &m->version);
    if (code == WEIR_OK)
        code = read_text(shape, json, "weir", check_version, &m->weir);
    if (code == WEIR_OK)
        code = read_text(shape, json, "main", check_path, &m->main);
    return code;
}

static enum weir_code read_members(struct weir_shape *shape,
                                   const struct weir_json *json,
                                   struct weir_manifest *m)
{
    const struct weir_json *args = weir_json_get(json, "args");
    const struct weir_json *expires = weir_json_get(json, "expires");
    enum weir_code code = read_texts(shape, json, m);

    if (code == WEIR_OK)
        code = read_files(shape, weir_json_get(json, "files"), m);
    if (code == WEIR_OK && !weir_manifest_find(m, m->main)) {
        weir_shape_enter(shape, "main");
        code = weir_shape_refuse(shape, "\"%s\" is none of the files", m->main);
    }
    if (code == WEIR_OK && args)
        code = read_args(shape, args, m);
    if (code == WEIR_OK && expires)
        code = read_expiry(shape, expires, m);
    if (code == WEIR_OK) {
        weir_shape_enter(shape, "needs");
        code = check_shown(shape, weir_json_get(json, "needs"));
    }
    if (code)
        return code;
    m->needs = weir_json_copy(weir_json_get(json, "needs"));
    return m->needs ? WEIR_OK : weir_err_nomem(shape->err);
}

static enum weir_code read_document(const struct weir_json *json,
                                    struct weir_manifest *m,
                                    struct weir_err *err)
{
    static const struct weir_shape_member members[] = {
        {"format", WEIR_SHAPE(NUMBER), true},
        {"name", WEIR_SHAPE(STRING), true},
        {"version", WEIR_SHAPE(STRING), true},
        {"weir", WEIR_SHAPE(STRING), true},
        {"main", WEIR_SHAPE(STRING), true},
        {"files", WEIR_SHAPE(ARRAY), true},
        {"args", WEIR_SHAPE(OBJECT), false},
        {"needs", WEIR_SHAPE(OBJECT), true},
        {"expires", WEIR_SHAPE(STRING), false},
        {NULL, 0, false}};
    struct weir_shape shape = {.file = WEIR_MANIFEST_FILE, .err = err};
    enum weir_code code = read_format(&shape, json);

    if (code == WEIR_OK)
        code = weir_shape_object(&shape, json, members);
    return code ? code : read_members(&shape, json, m);
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
