/* trust: the members that its files are made of. */
#include <stdlib.h>
#include <string.h>

#include "minisign_internal.h"
#include "trust_internal.h"
#include "weir/manifest.h"

/* ---- members ---- */

bool weir_trust_is_line(const char *text, size_t len)
{
    return !memchr(text, '\t', len) &&
           !weir_minisign_comment_fault(text, len, len);
}

enum weir_code weir_trust_read_text(struct weir_shape *shape,
                                    const struct weir_json *object,
                                    const char *key, char *out, size_t size)
{
    size_t len = 0, at = weir_shape_enter(shape, key);
    const char *text = weir_json_string(weir_json_get(object, key), &len);
    enum weir_code code = WEIR_OK;

    if (!text || len >= size || len == 0)
        code = weir_shape_refuse(shape, "must have 1 to %zu bytes", size - 1);
    else if (!weir_trust_is_line(text, len))
        code = weir_shape_refuse(shape, "has a control character");
    else
        memcpy(out, text, len + 1);
    weir_shape_leave(shape, at);
    return code;
}

enum weir_code weir_trust_read_time(struct weir_shape *shape,
                                    const struct weir_json *object,
                                    const char *key, int64_t *out)
{
    const struct weir_json *member = weir_json_get(object, key);
    struct weir_err fault = WEIR_ERR_INIT;
    size_t len = 0, at = weir_shape_enter(shape, key);
    const char *text = weir_json_string(member, &len);
    enum weir_code code = WEIR_OK;

    *out = 0;
    if (member && weir_manifest_read_time(text, len, out, &fault))
        code = weir_shape_refuse_as(shape, &fault);
    weir_shape_leave(shape, at);
    return code;
}

enum weir_code weir_trust_read_id(struct weir_shape *shape,
                                  const struct weir_json *object,
                                  const char *key, unsigned char *out)
{
    struct weir_err fault = WEIR_ERR_INIT;
    size_t len = 0, at = weir_shape_enter(shape, key);
    const char *text = weir_json_string(weir_json_get(object, key), &len);
    enum weir_code code = WEIR_OK;

    if (weir_minisign_id_read(text, len, out, &fault))
        code = weir_shape_refuse_as(shape, &fault);
    weir_shape_leave(shape, at);
    return code;
}

enum weir_code weir_trust_check_name(const char *name, struct weir_err *err)
{
    size_t len = strlen(name);

    if (len == 0 || len > WEIR_TRUST_NAME_MAX)
        return weir_err_set(err, WEIR_VALIDATION,
                            "a key's name has 1 to %zu bytes, not %zu",
                            WEIR_TRUST_NAME_MAX, len);
    if (strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                     "0123456789._@-") != len ||
        strchr("._@-", name[0]))
        return weir_err_set(err, WEIR_VALIDATION,
                            "a key's name is letters, digits and \". _ @ -\", "
                            "and begins with a letter or a digit");
    return WEIR_OK;
}

static enum weir_code read_name(struct weir_shape *shape,
                                const struct weir_json *object, char *out)
{
    struct weir_err fault = WEIR_ERR_INIT;
    enum weir_code code = weir_trust_read_text(shape, object, "name", out,
                                               WEIR_TRUST_NAME_MAX + 1);
    size_t at;

    if (code)
        return code;
    at = weir_shape_enter(shape, "name");
    if (weir_trust_check_name(out, &fault))
        code = weir_shape_refuse_as(shape, &fault);
    weir_shape_leave(shape, at);
    return code;
}

static enum weir_code read_public(struct weir_shape *shape,
                                  const struct weir_json *object,
                                  struct weir_minisign_public *out)
{
    struct weir_err fault = WEIR_ERR_INIT;
    size_t len = 0, at = weir_shape_enter(shape, "key");
    const char *text = weir_json_string(weir_json_get(object, "key"), &len);
    enum weir_code code = WEIR_OK;

    /* One line: a comment in it would be a second place to say a name. */
    if (len != WEIR_MINISIGN_KEY_TEXT - 1)
        code = weir_shape_refuse(shape,
                                 "must be a public key in one word of %zu "
                                 "characters, as 'weir key show' prints it",
                                 WEIR_MINISIGN_KEY_TEXT - 1);
    else if (weir_minisign_public_read(text, len, out, &fault))
        code = weir_shape_refuse_as(shape, &fault);
    weir_shape_leave(shape, at);
    return code;
}

/* ---- a key, a revoked key ---- */

static enum weir_code check_id(struct weir_shape *shape,
                               const struct weir_json *object,
                               const struct weir_minisign_public *key)
{
    unsigned char id[WEIR_MINISIGN_ID] = {0};
    char text[WEIR_MINISIGN_ID_TEXT];
    enum weir_code code = weir_trust_read_id(shape, object, "id", id);

    if (code || memcmp(id, key->id, sizeof(id)) == 0)
        return code;
    weir_minisign_id_text(key->id, text);
    weir_shape_enter(shape, "id");
    return weir_shape_refuse(shape, "is not the id of this key, which is %s",
                             text);
}

static enum weir_code read_key(struct weir_shape *shape,
                               const struct weir_json *json, bool dated,
                               struct weir_trust_key *out)
{
    const struct weir_shape_member members[] = {
        {"name", WEIR_SHAPE(STRING), true},
        {"key", WEIR_SHAPE(STRING), true},
        {"expires", WEIR_SHAPE(STRING), false},
        {dated ? "id" : NULL, WEIR_SHAPE(STRING), true},
        {"added", WEIR_SHAPE(STRING), true},
        {NULL, 0, false}};
    enum weir_code code = weir_shape_object(shape, json, members);

    if (!code)
        code = read_name(shape, json, out->name);
    if (!code)
        code = read_public(shape, json, &out->key);
    if (!code)
        code = weir_trust_read_time(shape, json, "expires", &out->expires);
    if (!code && dated)
        code = check_id(shape, json, &out->key);
    if (!code && dated)
        code = weir_trust_read_time(shape, json, "added", &out->added);
    return code;
}

static enum weir_code read_revoked(struct weir_shape *shape,
                                   const struct weir_json *json, bool dated,
                                   struct weir_trust_revoked *out)
{
    const struct weir_shape_member members[] = {
        {"id", WEIR_SHAPE(STRING), true},
        {"name", WEIR_SHAPE(STRING), false},
        {"reason", WEIR_SHAPE(STRING), false},
        {dated ? "since" : NULL, WEIR_SHAPE(STRING), true},
        {NULL, 0, false}};
    enum weir_code code = weir_shape_object(shape, json, members);

    if (!code)
        code = weir_trust_read_id(shape, json, "id", out->id);
    if (!code && weir_json_get(json, "name"))
        code = read_name(shape, json, out->name);
    if (!code && weir_json_get(json, "reason"))
        code = weir_trust_read_text(shape, json, "reason", out->reason,
                                    sizeof(out->reason));
    if (!code && dated)
        code = weir_trust_read_time(shape, json, "since", &out->since);
    return code;
}

/* ---- the lists ---- */

/* Two keys of one name, or one key twice, would leave open which counts. */
static enum weir_code check_twice(struct weir_shape *shape,
                                  const struct weir_trust_store *store)
{
    const struct weir_trust_key *key = &store->keys[store->n_keys - 1];

    for (size_t i = 0; i + 1 < store->n_keys; i++) {
        if (strcmp(store->keys[i].name, key->name) == 0)
            return weir_shape_refuse(shape, "the name \"%s\" is there twice",
                                     key->name);
        if (memcmp(store->keys[i].key.id, key->key.id, WEIR_MINISIGN_ID) == 0)
            return weir_shape_refuse(shape,
                                     "\"%s\" and \"%s\" have the same key id",
                                     store->keys[i].name, key->name);
    }
    return WEIR_OK;
}

typedef enum weir_code read_one(struct weir_shape *shape,
                                const struct weir_json *json, bool dated,
                                struct weir_trust_store *store);

static enum weir_code add_key(struct weir_shape *shape,
                              const struct weir_json *json, bool dated,
                              struct weir_trust_store *store)
{
    enum weir_code code =
        read_key(shape, json, dated, &store->keys[store->n_keys]);

    if (code)
        return code;
    store->n_keys++;
    return check_twice(shape, store);
}

static enum weir_code add_revoked(struct weir_shape *shape,
                                  const struct weir_json *json, bool dated,
                                  struct weir_trust_store *store)
{
    enum weir_code code =
        read_revoked(shape, json, dated, &store->revoked[store->n_revoked]);

    if (!code)
        store->n_revoked++;
    return code;
}

static enum weir_code count(struct weir_shape *shape,
                            const struct weir_json *json, const char *key,
                            size_t *out)
{
    *out = weir_json_size(weir_json_get(json, key));
    if (*out <= WEIR_TRUST_KEYS_MAX)
        return WEIR_OK;
    weir_shape_enter(shape, key);
    return weir_shape_refuse(shape, "has %zu elements; the ceiling is %zu",
                             *out, WEIR_TRUST_KEYS_MAX);
}

static enum weir_code read_list(struct weir_shape *shape,
                                const struct weir_json *json, const char *key,
                                bool dated, read_one *add,
                                struct weir_trust_store *store)
{
    size_t at = weir_shape_enter(shape, key), index = 0;

    for (const struct weir_json *one =
             weir_json_first(weir_json_get(json, key));
         one; one = weir_json_next(one)) {
        size_t inner = weir_shape_enter_index(shape, index++);
        enum weir_code code = add(shape, one, dated, store);

        if (code)
            return code;
        weir_shape_leave(shape, inner);
    }
    weir_shape_leave(shape, at);
    return WEIR_OK;
}

enum weir_code weir_trust_read_keys(struct weir_shape *shape,
                                    const struct weir_json *json, bool dated,
                                    struct weir_trust_store *out)
{
    size_t keys = 0, revoked = 0;
    enum weir_code code = count(shape, json, "keys", &keys);

    if (!code)
        code = count(shape, json, "revoked", &revoked);
    if (code)
        return code;
    /* One more than needed, so that none is no special case. */
    out->keys = calloc(keys + 1, sizeof(*out->keys));
    out->revoked = calloc(revoked + 1, sizeof(*out->revoked));
    if (!out->keys || !out->revoked)
        return weir_err_nomem(shape->err);
    code = read_list(shape, json, "keys", dated, add_key, out);
    if (!code)
        code = read_list(shape, json, "revoked", dated, add_revoked, out);
    return code;
}
