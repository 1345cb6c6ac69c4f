/* trust: the store, and what a policy shares with it. */
#include <stdlib.h>
#include <string.h>

#include "excerpt.h"
#include "trust_internal.h"
#include "weir/cut.h"
#include "weir/filter.h"
#include "weir/manifest.h"

/* ---- life ---- */

enum weir_code weir_trust_store_init(struct weir_trust_store *store,
                                     const char *file, struct weir_err *err)
{
    memset(store, 0, sizeof(*store));
    store->file = strdup(file);
    return store->file ? WEIR_OK : weir_err_nomem(err);
}

static void forget_lists(struct weir_trust_store *store)
{
    free(store->keys);
    free(store->revoked);
    store->keys = NULL;
    store->revoked = NULL;
    store->n_keys = store->n_revoked = 0;
}

void weir_trust_store_fini(struct weir_trust_store *store)
{
    forget_lists(store);
    free(store->file);
    store->file = NULL;
}

/* ---- files ---- */

enum weir_code weir_trust_store_read(struct weir_trust_store *store,
                                     const char *text, size_t len,
                                     struct weir_err *err)
{
    static const struct weir_shape_member members[] = {
        {"keys", WEIR_SHAPE(ARRAY), false},
        {"revoked", WEIR_SHAPE(ARRAY), false},
        {NULL, 0, false}};
    struct weir_shape shape = {.file = store->file, .err = err};
    struct weir_json *json = NULL;
    enum weir_code code = weir_shape_parse(&shape, text, len,
                                           WEIR_TRUST_FILE_MAX, members, &json);

    if (code)
        return code;
    code = weir_trust_read_keys(&shape, json, true, store);
    weir_json_free(json);
    if (code)
        forget_lists(store);
    return code;
}

enum weir_code weir_trust_set_text(struct weir_json *object, const char *key,
                                   const char *text)
{
    return weir_json_set(object, key, weir_json_new_string(text, strlen(text)));
}

enum weir_code weir_trust_set_time(struct weir_json *object, const char *key,
                                   int64_t time)
{
    char text[WEIR_MANIFEST_TIME];

    return weir_trust_set_text(object, key,
                               weir_manifest_time_text(time, text));
}

static enum weir_code add_key(struct weir_json *list,
                              const struct weir_trust_key *key)
{
    struct weir_json *object = weir_json_new_object();
    char id[WEIR_MINISIGN_ID_TEXT], word[WEIR_MINISIGN_KEY_TEXT];

    if (!object)
        return WEIR_NOMEM;
    weir_minisign_id_text(key->key.id, id);
    weir_minisign_public_text(&key->key, word);
    if (weir_trust_set_text(object, "name", key->name) ||
        weir_trust_set_text(object, "id", id) ||
        weir_trust_set_text(object, "key", word) ||
        (key->added && weir_trust_set_time(object, "added", key->added)) ||
        (key->expires &&
         weir_trust_set_time(object, "expires", key->expires))) {
        weir_json_free(object);
        return WEIR_NOMEM;
    }
    return weir_json_append(list, object);
}

static enum weir_code add_revoked(struct weir_json *list,
                                  const struct weir_trust_revoked *revoked)
{
    struct weir_json *object = weir_json_new_object();
    char id[WEIR_MINISIGN_ID_TEXT];

    if (!object)
        return WEIR_NOMEM;
    weir_minisign_id_text(revoked->id, id);
    if (weir_trust_set_text(object, "id", id) ||
        (revoked->since &&
         weir_trust_set_time(object, "since", revoked->since)) ||
        (*revoked->name &&
         weir_trust_set_text(object, "name", revoked->name)) ||
        (*revoked->reason &&
         weir_trust_set_text(object, "reason", revoked->reason))) {
        weir_json_free(object);
        return WEIR_NOMEM;
    }
    return weir_json_append(list, object);
}

static enum weir_code add_lists(struct weir_json *keys,
                                struct weir_json *revoked,
                                const struct weir_trust_store *store)
{
    if (!keys || !revoked)
        return WEIR_NOMEM;
    for (size_t i = 0; i < store->n_keys; i++) {
        if (add_key(keys, &store->keys[i]))
            return WEIR_NOMEM;
    }
    for (size_t i = 0; i < store->n_revoked; i++) {
        if (add_revoked(revoked, &store->revoked[i]))
            return WEIR_NOMEM;
    }
    return WEIR_OK;
}

struct weir_json *weir_trust_store_json(const struct weir_trust_store *store)
{
    struct weir_json *json = weir_json_new_object();
    struct weir_json *keys = weir_json_new_array(),
                     *revoked = weir_json_new_array();

    if (!json || add_lists(keys, revoked, store)) {
        weir_json_free(json);
        weir_json_free(keys);
        weir_json_free(revoked);
        return NULL;
    }
    if (weir_json_set(json, "keys", keys)) {
        weir_json_free(revoked);
        revoked = NULL;
    }
    if (!revoked || weir_json_set(json, "revoked", revoked)) {
        weir_json_free(json);
        return NULL;
    }
    return json;
}

enum weir_code weir_trust_store_write(const struct weir_trust_store *store,
                                      struct weir_buf *out,
                                      struct weir_err *err)
{
    struct weir_json *json = weir_trust_store_json(store);
    enum weir_code code =
        json ? weir_json_write(json, 2, out, err) : weir_err_nomem(err);

    weir_json_free(json);
    if (!code) {
        weir_buf_addc(out, '\n');
        code = weir_buf_err(out, store->file, err);
    }
    return code;
}

/* ---- finding ---- */

const struct weir_trust_revoked *
weir_trust_find_revoked(const struct weir_trust_store *store,
                        const unsigned char *id)
{
    for (size_t i = 0; i < store->n_revoked; i++) {
        if (memcmp(store->revoked[i].id, id, WEIR_MINISIGN_ID) == 0)
            return &store->revoked[i];
    }
    return NULL;
}

static struct weir_trust_key *find_name(const struct weir_trust_store *store,
                                        const char *name)
{
    for (size_t i = 0; i < store->n_keys; i++) {
        if (strcmp(store->keys[i].name, name) == 0)
            return &store->keys[i];
    }
    return NULL;
}

static struct weir_trust_key *find_id(const struct weir_trust_store *store,
                                      const unsigned char *id)
{
    for (size_t i = 0; i < store->n_keys; i++) {
        if (memcmp(store->keys[i].key.id, id, WEIR_MINISIGN_ID) == 0)
            return &store->keys[i];
    }
    return NULL;
}

/* Only a whole id is one, so that "beef" can be a name. */
static bool read_whole_id(const char *which, unsigned char *id)
{
    size_t len = strlen(which);

    return len == WEIR_MINISIGN_ID_TEXT - 1 &&
           weir_minisign_id_read(which, len, id, NULL) == WEIR_OK;
}

static struct weir_trust_key *find_which(const struct weir_trust_store *store,
                                         const char *which)
{
    unsigned char id[WEIR_MINISIGN_ID];
    struct weir_trust_key *found =
        read_whole_id(which, id) ? find_id(store, id) : NULL;

    return found ? found : find_name(store, which);
}

static enum weir_code not_found(const struct weir_trust_store *store,
                                const char *which, struct weir_err *err)
{
    const char *names[WEIR_TRUST_KEYS_MAX + 1] = {NULL}, *near;
    char shown[WEIR_EXCERPT];

    for (size_t i = 0; i < store->n_keys && i < WEIR_TRUST_KEYS_MAX; i++)
        names[i] = store->keys[i].name;
    near = weir_nearest(which, names);
    weir_excerpt_quote(shown, which, strlen(which));
    weir_err_set(err, WEIR_NOT_FOUND, "%s: no key %s", store->file, shown);
    if (near)
        weir_err_hint(err, "did you mean \"%s\"?", near);
    else if (store->n_keys == 0)
        weir_err_hint(err, "no key is trusted there yet: weir key trust NAME "
                           "FILE.pub");
    else
        weir_err_hint(err, "'weir key list' shows those that are there");
    return WEIR_NOT_FOUND;
}

enum weir_code weir_trust_store_find(const struct weir_trust_store *store,
                                     const char *which,
                                     const struct weir_trust_key **out,
                                     struct weir_err *err)
{
    const struct weir_trust_key *found = find_which(store, which);

    if (!found)
        return not_found(store, which, err);
    *out = found;
    return WEIR_OK;
}

/* ---- changing ---- */

static enum weir_code refuse_revoked(const struct weir_trust_store *store,
                                     const struct weir_trust_revoked *revoked,
                                     struct weir_err *err)
{
    char id[WEIR_MINISIGN_ID_TEXT], since[WEIR_MANIFEST_TIME];

    weir_minisign_id_text(revoked->id, id);
    weir_err_set(err, WEIR_CONFLICT, "%s: key %s has been revoked since %s%s%s",
                 store->file, id,
                 weir_manifest_time_text(revoked->since, since),
                 *revoked->reason ? ": " : "", revoked->reason);
    weir_err_hint(err, "a key is revoked for good: make a new one with 'weir "
                       "key new'");
    return WEIR_CONFLICT;
}

enum weir_code weir_trust_store_add(struct weir_trust_store *store,
                                    const struct weir_trust_key *key,
                                    struct weir_err *err)
{
    const struct weir_trust_revoked *revoked =
        weir_trust_find_revoked(store, key->key.id);
    const struct weir_trust_key *same = find_name(store, key->name);
    struct weir_trust_key *keys;
    unsigned char name_as_id[WEIR_MINISIGN_ID];
    char id[WEIR_MINISIGN_ID_TEXT];
    enum weir_code code = weir_trust_check_name(key->name, err);

    if (code)
        return code;
    /* Whoever revokes an id must not hit a key of that name. */
    if (read_whole_id(key->name, name_as_id))
        return weir_err_set(err, WEIR_VALIDATION,
                            "the name %s has the form of a key's id, and "
                            "could be taken for another key",
                            key->name);
    if (revoked)
        return refuse_revoked(store, revoked, err);
    if (!same)
        same = find_id(store, key->key.id);
    if (same) {
        weir_minisign_id_text(same->key.id, id);
        return weir_err_set(err, WEIR_CONFLICT,
                            "%s: there is a key \"%s\" with the id %s already",
                            store->file, same->name, id);
    }
    if (store->n_keys >= WEIR_TRUST_KEYS_MAX)
        return weir_err_set(err, WEIR_LIMIT, "%s: has %zu keys, the ceiling",
                            store->file, store->n_keys);
    keys = realloc(store->keys, (store->n_keys + 1) * sizeof(*keys));
    if (!keys)
        return weir_err_nomem(err);
    store->keys = keys;
    keys[store->n_keys++] = *key;
    return WEIR_OK;
}

static enum weir_code check_reason(const char *reason, struct weir_err *err)
{
    size_t len = strlen(reason);

    if (len > WEIR_TRUST_REASON_MAX || !weir_trust_is_line(reason, len))
        return weir_err_set(err, WEIR_VALIDATION,
                            "a reason is one line of UTF-8, at most %zu bytes",
                            WEIR_TRUST_REASON_MAX);
    return WEIR_OK;
}

enum weir_code weir_trust_store_revoke(struct weir_trust_store *store,
                                       const char *which, const char *reason,
                                       int64_t now,
                                       struct weir_trust_revoked *out,
                                       struct weir_err *err)
{
    struct weir_trust_key *key = find_which(store, which);
    struct weir_trust_revoked made = {.since =
                                          weir_manifest_time_of_clock(now)},
                              *list;
    enum weir_code code = check_reason(reason ? reason : "", err);

    if (code)
        return code;
    if (key) {
        memcpy(made.id, key->key.id, sizeof(made.id));
        memcpy(made.name, key->name, sizeof(made.name));
    } else if (!read_whole_id(which, made.id)) {
        return not_found(store, which, err);
    }
    if (weir_trust_find_revoked(store, made.id))
        return refuse_revoked(store, weir_trust_find_revoked(store, made.id),
                              err);
    weir_cut_printf(made.reason, sizeof(made.reason), "%s",
                    reason ? reason : "");
    if (store->n_revoked >= WEIR_TRUST_KEYS_MAX)
        return weir_err_set(err, WEIR_LIMIT,
                            "%s: has %zu revoked keys, the ceiling",
                            store->file, store->n_revoked);
    list = realloc(store->revoked, (store->n_revoked + 1) * sizeof(*list));
    if (!list)
        return weir_err_nomem(err);
    store->revoked = list;
    list[store->n_revoked++] = made;
    if (key) {
        size_t after = (size_t)(store->keys + store->n_keys - (key + 1));

        memmove(key, key + 1, after * sizeof(*key));
        store->n_keys--;
    }
    *out = made;
    return WEIR_OK;
}
