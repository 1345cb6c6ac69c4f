#include "weir/trust.h"

#include <string.h>

#include "trust_internal.h"
#include "weir/manifest.h"

void weir_trust_fini(struct weir_trust *trust)
{
    weir_trust_store_fini(&trust->store);
    for (size_t i = 0; i < trust->n_policies; i++)
        weir_trust_policy_fini(&trust->policies[i]);
    weir_trust_versions_fini(&trust->versions);
    memset(trust, 0, sizeof(*trust));
}

const char *weir_trust_standing_word(enum weir_trust_standing standing)
{
    switch (standing) {
    case WEIR_TRUST_UNSIGNED: return "unsigned";
    case WEIR_TRUST_UNKNOWN: return "unknown";
    case WEIR_TRUST_TRUSTED: return "trusted";
    }
    return "";
}

/* The first policy that asks for a signature, or NULL. */
static const struct weir_trust_policy *
requires_signature(const struct weir_trust *trust)
{
    for (size_t i = 0; i < trust->n_policies; i++) {
        if (trust->policies[i].require_signature)
            return &trust->policies[i];
    }
    return NULL;
}

/* ---- which key ---- */

static const struct weir_trust_key *find_key(const struct weir_trust_store *in,
                                             const unsigned char *id)
{
    for (size_t i = 0; i < in->n_keys; i++) {
        if (memcmp(in->keys[i].key.id, id, WEIR_MINISIGN_ID) == 0)
            return &in->keys[i];
    }
    return NULL;
}

static enum weir_code check_revoked(const struct weir_trust_store *store,
                                    const unsigned char *id, const char *text,
                                    struct weir_err *err)
{
    const struct weir_trust_revoked *found = weir_trust_find_revoked(store, id);
    char since[WEIR_MANIFEST_TIME];

    if (!found)
        return WEIR_OK;
    weir_err_set(err, WEIR_AUTH, "it is signed with key %s, which is revoked",
                 text);
    if (found->since)
        weir_err_append(err, " since %s",
                        weir_manifest_time_text(found->since, since));
    weir_err_append(err, " (\"revoked\" in %s)%s%s", store->file,
                    *found->reason ? ": " : "", found->reason);
    weir_err_hint(err, "ask its publisher for a bundle that is signed with a "
                       "key in use");
    return WEIR_AUTH;
}

/* An expiry that the clock cannot judge. */
static enum weir_code refuse_clock(const char *what, int64_t expires,
                                   int64_t now, struct weir_err *err)
{
    char until[WEIR_MANIFEST_TIME], is[WEIR_MANIFEST_TIME];

    weir_err_set(err, WEIR_AUTH,
                 "%s expires on %s, and the clock here, which says %s, cannot "
                 "tell whether that is past",
                 what, weir_manifest_time_text(expires, until),
                 weir_manifest_time_text(now, is));
    weir_err_hint(err, "set the clock");
    return WEIR_AUTH;
}

static enum weir_code check_expired(const struct weir_trust_store *store,
                                    const struct weir_trust_key *key,
                                    int64_t now, struct weir_err *err)
{
    char id[WEIR_MINISIGN_ID_TEXT], expires[WEIR_MANIFEST_TIME];

    if (!weir_manifest_expired(key->expires, now))
        return WEIR_OK;
    if (now <= key->expires)
        return refuse_clock("its key", key->expires, now, err);
    weir_minisign_id_text(key->key.id, id);
    weir_err_set(err, WEIR_AUTH,
                 "it is signed with key \"%s\" (%s), which expired on %s "
                 "(\"keys\" in %s)",
                 key->name, id, weir_manifest_time_text(key->expires, expires),
                 store->file);
    weir_err_hint(err, "ask its publisher for a bundle that is signed with a "
                       "key in use");
    return WEIR_AUTH;
}

static enum weir_code refuse_key(const struct weir_trust_policy *policy,
                                 const char *id, struct weir_err *err)
{
    weir_err_set(err, WEIR_AUTH,
                 "it is signed with key %s, which is none of those that this "
                 "machine takes (\"keys\" in %s)",
                 id, policy->store.file);
    weir_err_hint(err, "whoever owns that file decides; 'weir key list' shows "
                       "its keys");
    return WEIR_AUTH;
}

/* Every policy with keys must have it, and the same under its id. */
static enum weir_code find_in_policies(const struct weir_trust *trust,
                                       const unsigned char *id,
                                       const char *text,
                                       const struct weir_trust_key **out,
                                       struct weir_err *err)
{
    *out = NULL;
    for (size_t i = 0; i < trust->n_policies; i++) {
        const struct weir_trust_policy *policy = &trust->policies[i];
        const struct weir_trust_key *found = find_key(&policy->store, id);

        if (!policy->has_keys)
            continue;
        if (!found ||
            (*out && !weir_minisign_public_equal(&found->key, &(*out)->key)))
            return refuse_key(policy, text, err);
        if (!*out)
            *out = found;
    }
    return WEIR_OK;
}

static enum weir_code refuse_unknown(const struct weir_trust_policy *policy,
                                     const struct weir_trust *trust,
                                     const char *id, struct weir_err *err)
{
    weir_err_set(
        err, WEIR_AUTH,
        "it is signed with key %s, which is not trusted here (\"keys\" "
        "in %s), and a trusted signature is required "
        "(\"require_signature\" in %s)",
        id, trust->store.file, policy->store.file);
    weir_err_hint(err, "if you know whose key that is, and have it from them: "
                       "weir key trust NAME FILE.pub");
    return WEIR_AUTH;
}

/* The key that the signature must fit; NULL if nobody here knows it, which
 * the policies allow. */
static enum weir_code choose_key(const struct weir_trust *trust,
                                 const unsigned char *id, const char *text,
                                 int64_t now, const struct weir_trust_key **out,
                                 struct weir_err *err)
{
    const struct weir_trust_policy *policy = requires_signature(trust);
    const struct weir_trust_key *known = find_key(&trust->store, id);
    enum weir_code code = check_revoked(&trust->store, id, text, err);

    for (size_t i = 0; !code && i < trust->n_policies; i++)
        code = check_revoked(&trust->policies[i].store, id, text, err);
    if (!code)
        code = find_in_policies(trust, id, text, out, err);
    if (code)
        return code;
    if (!*out)
        *out = known;
    if (!*out)
        return policy ? refuse_unknown(policy, trust, text, err) : WEIR_OK;
    /* Whoever knows the key may have said how long. */
    for (size_t i = 0; !code && i < trust->n_policies; i++) {
        const struct weir_trust_store *store = &trust->policies[i].store;
        const struct weir_trust_key *same = find_key(store, id);

        if (same && trust->policies[i].has_keys)
            code = check_expired(store, same, now, err);
    }
    if (!code && known)
        code = check_expired(&trust->store, known, now, err);
    return code;
}

/* ---- the first half ---- */

static enum weir_code refuse_unsigned(const struct weir_trust_policy *policy,
                                      struct weir_err *err)
{
    weir_err_set(err, WEIR_AUTH,
                 "it is not signed, and a signature is required "
                 "(\"require_signature\" in %s)",
                 policy->store.file);
    weir_err_hint(err, "ask its publisher for the signature, a file of the "
                       "same name with \".minisig\" at its end");
    return WEIR_AUTH;
}

enum weir_code weir_trust_verify(const struct weir_trust *trust,
                                 const void *bytes, size_t len,
                                 const char *signature, size_t signature_len,
                                 int64_t now, struct weir_trust_signer *out,
                                 struct weir_err *err)
{
    const struct weir_trust_policy *policy = requires_signature(trust);
    struct weir_trust_signer signer = {.standing = WEIR_TRUST_UNSIGNED};
    const struct weir_trust_key *key = NULL;
    struct weir_minisign_signature read;
    enum weir_code code;

    if (!signature) {
        if (policy)
            return refuse_unsigned(policy, err);
        *out = signer;
        return WEIR_OK;
    }
    code = weir_minisign_signature_read(signature, signature_len, &read, err);
    if (code) {
        weir_err_prefix(err, "its signature: ");
        return code;
    }
    weir_minisign_id_text(read.id, signer.id);
    code = choose_key(trust, read.id, signer.id, now, &key, err);
    if (!code && key)
        code = weir_minisign_verify(&key->key, &read, bytes, len, err);
    if (code)
        return code;
    signer.standing = key ? WEIR_TRUST_TRUSTED : WEIR_TRUST_UNKNOWN;
    if (key) {
        memcpy(signer.name, key->name, sizeof(signer.name));
        signer.key = key->key;
        memcpy(signer.trusted, read.trusted, sizeof(signer.trusted));
    }
    *out = signer;
    return WEIR_OK;
}

enum weir_code weir_trust_still(const struct weir_trust *trust,
                                const struct weir_trust_signer *signer,
                                int64_t now, struct weir_err *err)
{
    const struct weir_trust_policy *policy = requires_signature(trust);
    const struct weir_trust_key *key = NULL;
    unsigned char id[WEIR_MINISIGN_ID];
    enum weir_code code;
    bool same;

    if (signer->standing == WEIR_TRUST_UNSIGNED)
        return policy ? refuse_unsigned(policy, err) : WEIR_OK;
    code = weir_minisign_id_read(signer->id, strlen(signer->id), id, err);
    if (!code)
        code = choose_key(trust, id, signer->id, now, &key, err);
    if (code)
        return code;
    /* With a key that is known by now the signature was not compared. */
    same = signer->standing == WEIR_TRUST_TRUSTED
               ? key && weir_minisign_public_equal(&key->key, &signer->key)
               : !key;
    if (same)
        return WEIR_OK;
    weir_err_set(err, WEIR_AUTH,
                 "what is known here of key %s has changed meanwhile",
                 signer->id);
    weir_err_hint(err, "run it again");
    return WEIR_AUTH;
}

/* ---- the second half ---- */

static enum weir_code refuse_expired(const struct weir_trust_facts *facts,
                                     struct weir_err *err)
{
    char expires[WEIR_MANIFEST_TIME];

    weir_err_set(err, WEIR_AUTH,
                 "\"%s\" %s expired on %s (\"expires\" in its manifest)",
                 facts->bundle, facts->version,
                 weir_manifest_time_text(facts->expires, expires));
    weir_err_hint(err, "ask its publisher for a newer one");
    return WEIR_AUTH;
}

static enum weir_code refuse_older(const struct weir_trust *trust,
                                   const struct weir_trust_policy *policy,
                                   const struct weir_trust_facts *facts,
                                   const struct weir_trust_version *ran,
                                   struct weir_err *err)
{
    char since[WEIR_MANIFEST_TIME];

    weir_err_set(err, WEIR_AUTH,
                 "\"%s\" %s is older than %s, which has run here since %s "
                 "(\"no_downgrade\" in %s)",
                 facts->bundle, facts->version, ran->version,
                 weir_manifest_time_text(ran->since, since),
                 policy->store.file);
    weir_err_hint(err,
                  "ask its publisher for one that is not older; what has "
                  "run is in %s",
                  trust->versions.file);
    return WEIR_AUTH;
}

enum weir_code weir_trust_decide(const struct weir_trust *trust,
                                 const struct weir_trust_signer *signer,
                                 const struct weir_trust_facts *facts,
                                 int64_t now, struct weir_err *err)
{
    const struct weir_trust_version *ran =
        weir_trust_find_version(&trust->versions, facts->bundle, signer->id);

    if (weir_manifest_expired(facts->expires, now))
        return now > facts->expires
                   ? refuse_expired(facts, err)
                   : refuse_clock("it", facts->expires, now, err);
    for (size_t i = 0; i < trust->n_policies; i++) {
        const struct weir_trust_policy *policy = &trust->policies[i];

        if (policy->no_downgrade && ran &&
            weir_semver_compare(facts->version, ran->version) < 0)
            return refuse_older(trust, policy, facts, ran, err);
    }
    return WEIR_OK;
}
