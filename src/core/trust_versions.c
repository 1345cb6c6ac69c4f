/* trust: the highest version that has run, of each bundle and key. */
#include <stdlib.h>
#include <string.h>

#include "trust_internal.h"
#include "weir/cut.h"
#include "weir/manifest.h"

enum weir_code weir_trust_versions_init(struct weir_trust_versions *versions,
                                        const char *file, struct weir_err *err)
{
    memset(versions, 0, sizeof(*versions));
    versions->file = strdup(file);
    return versions->file ? WEIR_OK : weir_err_nomem(err);
}

void weir_trust_versions_fini(struct weir_trust_versions *versions)
{
    free(versions->list);
    free(versions->file);
    memset(versions, 0, sizeof(*versions));
}

/* ---- reading ---- */

static enum weir_code read_version(struct weir_shape *shape,
                                   const struct weir_json *json,
                                   struct weir_trust_version *out)
{
    static const struct weir_shape_member members[] = {
        {"bundle", WEIR_SHAPE(STRING), true},
        {"key", WEIR_SHAPE(STRING), true},
        {"version", WEIR_SHAPE(STRING), true},
        {"since", WEIR_SHAPE(STRING), true},
        {NULL, 0, false}};
    unsigned char id[WEIR_MINISIGN_ID] = {0};
    struct weir_err fault = WEIR_ERR_INIT;
    enum weir_code code = weir_shape_object(shape, json, members);

    if (!code)
        code = weir_trust_read_text(shape, json, "bundle", out->bundle,
                                    sizeof(out->bundle));
    if (!code)
        code = weir_trust_read_id(shape, json, "key", id);
    if (!code)
        code = weir_trust_read_text(shape, json, "version", out->version,
                                    sizeof(out->version));
    if (!code)
        code = weir_trust_read_time(shape, json, "since", &out->since);
    if (code)
        return code;
    weir_minisign_id_text(id, out->key);
    if (weir_semver_check(out->version, strlen(out->version), &fault) ==
        WEIR_OK)
        return WEIR_OK;
    weir_shape_enter(shape, "version");
    return weir_shape_refuse_as(shape, &fault);
}

static enum weir_code read_all(struct weir_shape *shape,
                               const struct weir_json *array,
                               struct weir_trust_versions *out)
{
    size_t n = weir_json_size(array);

    weir_shape_enter(shape, "versions");
    if (n > WEIR_TRUST_VERSIONS_MAX)
        return weir_shape_refuse(shape, "has %zu elements; the ceiling is %zu",
                                 n, WEIR_TRUST_VERSIONS_MAX);
    out->list = calloc(n + 1, sizeof(*out->list));
    if (!out->list)
        return weir_err_nomem(shape->err);
    for (const struct weir_json *one = weir_json_first(array); one;
         one = weir_json_next(one)) {
        size_t at = weir_shape_enter_index(shape, out->n);
        enum weir_code code = read_version(shape, one, &out->list[out->n]);

        if (code)
            return code;
        if (weir_trust_find_version(out, out->list[out->n].bundle,
                                    out->list[out->n].key))
            return weir_shape_refuse(shape, "\"%s\" of that key is there twice",
                                     out->list[out->n].bundle);
        out->n++;
        weir_shape_leave(shape, at);
    }
    return WEIR_OK;
}

enum weir_code weir_trust_versions_read(struct weir_trust_versions *versions,
                                        const char *text, size_t len,
                                        struct weir_err *err)
{
    static const struct weir_shape_member members[] = {
        {"versions", WEIR_SHAPE(ARRAY), true}, {NULL, 0, false}};
    struct weir_shape shape = {.file = versions->file, .err = err};
    struct weir_json *json = NULL;
    enum weir_code code = weir_shape_parse(&shape, text, len,
                                           WEIR_TRUST_FILE_MAX, members, &json);

    if (code)
        return code;
    code = read_all(&shape, weir_json_get(json, "versions"), versions);
    weir_json_free(json);
    if (code) {
        free(versions->list);
        versions->list = NULL;
        versions->n = 0;
    }
    return code;
}

/* ---- writing ---- */

static enum weir_code add_version(struct weir_json *list,
                                  const struct weir_trust_version *version)
{
    struct weir_json *object = weir_json_new_object();

    if (!object)
        return WEIR_NOMEM;
    if (weir_trust_set_text(object, "bundle", version->bundle) ||
        weir_trust_set_text(object, "key", version->key) ||
        weir_trust_set_text(object, "version", version->version) ||
        weir_trust_set_time(object, "since", version->since)) {
        weir_json_free(object);
        return WEIR_NOMEM;
    }
    return weir_json_append(list, object);
}

enum weir_code
weir_trust_versions_write(const struct weir_trust_versions *versions,
                          struct weir_buf *out, struct weir_err *err)
{
    struct weir_json *json = weir_json_new_object();
    struct weir_json *list = weir_json_new_array();
    enum weir_code code = json && list ? WEIR_OK : WEIR_NOMEM;

    for (size_t i = 0; !code && i < versions->n; i++)
        code = add_version(list, &versions->list[i]);
    if (code)
        weir_json_free(list);
    else
        code = weir_json_set(json, "versions", list);
    code = code ? weir_err_nomem(err) : weir_json_write(json, 2, out, err);
    weir_json_free(json);
    if (!code) {
        weir_buf_addc(out, '\n');
        code = weir_buf_err(out, versions->file, err);
    }
    return code;
}

/* ---- remembering ---- */

const struct weir_trust_version *
weir_trust_find_version(const struct weir_trust_versions *versions,
                        const char *bundle, const char *key)
{
    for (size_t i = 0; i < versions->n; i++) {
        const struct weir_trust_version *version = &versions->list[i];

        if (strcmp(version->bundle, bundle) == 0 &&
            strcmp(version->key, key) == 0)
            return version;
    }
    return NULL;
}

/* The place of a new one at the end, or NULL. */
static struct weir_trust_version *grow(struct weir_trust_versions *versions)
{
    struct weir_trust_version *list =
        realloc(versions->list, (versions->n + 1) * sizeof(*list));

    if (!list)
        return NULL;
    versions->list = list;
    memset(&list[versions->n], 0, sizeof(*list));
    return &list[versions->n];
}

enum weir_code weir_trust_remember(struct weir_trust_versions *versions,
                                   const struct weir_trust_signer *signer,
                                   const struct weir_trust_facts *facts,
                                   int64_t now, bool *changed,
                                   struct weir_err *err)
{
    const struct weir_trust_version *found =
        weir_trust_find_version(versions, facts->bundle, signer->id);
    struct weir_trust_version *version;

    *changed = false;
    if (signer->standing != WEIR_TRUST_TRUSTED ||
        (found && weir_semver_compare(facts->version, found->version) <= 0))
        return WEIR_OK;
    if (found) {
        version = &versions->list[found - versions->list];
    } else {
        if (versions->n >= WEIR_TRUST_VERSIONS_MAX)
            return weir_err_set(err, WEIR_LIMIT,
                                "%s: remembers %zu bundles, the ceiling",
                                versions->file, versions->n);
        version = grow(versions);
        if (!version)
            return weir_err_nomem(err);
        versions->n++;
    }
    weir_cut_printf(version->bundle, sizeof(version->bundle), "%s",
                    facts->bundle);
    weir_cut_printf(version->key, sizeof(version->key), "%s", signer->id);
    weir_cut_printf(version->version, sizeof(version->version), "%s",
                    facts->version);
    version->since = weir_manifest_time_of_clock(now);
    *changed = true;
    return WEIR_OK;
}
