/* trust: what is refused, by which rule of which file; then what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weir/manifest.h"
#include "weir/trust.h"

#define STORE    "/home/u/.config/weir/trust.json"
#define MACHINE  "/etc/weir/policy.json"
#define MINE     "/home/u/.config/weir/policy.json"
#define VERSIONS "/home/u/.local/state/weir/versions.json"

#define TEXT "the bundle's bytes"
enum { NOW = 1795716000 }; /* 2026-11-26T18:00:00Z */
static const char NOW_TEXT[] = "2026-11-26T18:00:00Z";

/* ---- a world of keys and files ---- */

struct signer {
    struct weir_minisign_secret *secret;
    struct weir_minisign_public key;
    char id[WEIR_MINISIGN_ID_TEXT], word[WEIR_MINISIGN_KEY_TEXT];
    struct weir_buf signature; /* of TEXT */
};

struct world {
    struct signer alice, bob;
    struct weir_trust trust;
    struct weir_trust_signer signer;
    struct weir_err err;
};

static void make_signer(struct signer *signer)
{
    assert_int_equal(weir_minisign_secret_new(&signer->secret, NULL), WEIR_OK);
    weir_minisign_secret_public(signer->secret, &signer->key);
    weir_minisign_id_text(signer->key.id, signer->id);
    weir_minisign_public_text(&signer->key, signer->word);
    weir_buf_init(&signer->signature, WEIR_MINISIGN_FILE_MAX);
    assert_int_equal(weir_minisign_sign(signer->secret, TEXT, strlen(TEXT),
                                        NULL, "rotate 1.4.0",
                                        &signer->signature, NULL),
                     WEIR_OK);
}

static int setup(void **state)
{
    static struct world w;

    memset(&w, 0, sizeof(w));
    make_signer(&w.alice);
    make_signer(&w.bob);
    assert_int_equal(weir_trust_store_init(&w.trust.store, STORE, NULL),
                     WEIR_OK);
    assert_int_equal(
        weir_trust_versions_init(&w.trust.versions, VERSIONS, NULL), WEIR_OK);
    *state = &w;
    return 0;
}

static void forget_signer(struct signer *signer)
{
    weir_minisign_secret_free(signer->secret);
    weir_buf_fini(&signer->signature);
}

static int teardown(void **state)
{
    struct world *w = *state;

    weir_trust_fini(&w->trust);
    forget_signer(&w->alice);
    forget_signer(&w->bob);
    weir_err_clear(&w->err);
    return 0;
}

/* printf with $A, $B for the words of the keys and $a, $b for their ids. */
static char *filled(const struct world *w, const char *text)
{
    struct weir_buf out;

    weir_buf_init(&out, WEIR_TRUST_FILE_MAX);
    for (; *text; text++) {
        if (*text != '$') {
            weir_buf_addc(&out, *text == '\'' ? '"' : *text);
            continue;
        }
        text++;
        weir_buf_adds(&out, *text == 'A'   ? w->alice.word
                            : *text == 'B' ? w->bob.word
                            : *text == 'a' ? w->alice.id
                                           : w->bob.id);
    }
    return weir_buf_take(&out, NULL);
}

static void policy(struct world *w, const char *file, const char *text)
{
    char *json = filled(w, text);

    if (weir_trust_policy_read(file, json, strlen(json),
                               &w->trust.policies[w->trust.n_policies],
                               &w->err))
        fail_msg("%s", w->err.message);
    w->trust.n_policies++;
    free(json);
}

static void store(struct world *w, const char *text)
{
    char *json = filled(w, text);

    if (weir_trust_store_read(&w->trust.store, json, strlen(json), &w->err))
        fail_msg("%s", w->err.message);
    free(json);
}
#define KNOWS_ALICE                                                            \
    "{'keys':[{'name':'alice','id':'$a','key':'$A','added':'2026-01-01'}]}"

static enum weir_code verify(struct world *w, const struct signer *by)
{
    weir_err_clear(&w->err);
    return weir_trust_verify(
        &w->trust, TEXT, strlen(TEXT), by ? by->signature.data : NULL,
        by ? by->signature.len : 0, NOW, &w->signer, &w->err);
}

static void assert_said(const struct world *w, const char *said)
{
    char *text = filled(w, said);

    if (!strstr(w->err.message, text) && !strstr(w->err.hint, text))
        fail_msg("said: %s; %s\nnot:  %s", w->err.message, w->err.hint, text);
    free(text);
}

static void assert_refused(struct world *w, const struct signer *by,
                           const char *rule, const char *file)
{
    assert_int_equal(verify(w, by), WEIR_AUTH);
    assert_said(w, rule);
    assert_said(w, file);
    if (!*w->err.hint)
        fail_msg("no word about what to do: %s", w->err.message);
}

static void assert_stands(struct world *w, const struct signer *by,
                          enum weir_trust_standing standing)
{
    if (verify(w, by))
        fail_msg("%s", w->err.message);
    assert_int_equal(w->signer.standing, standing);
}

/* ---- files ---- */

struct fault {
    const char *text, *said;
};

static void faults_of_a_policy_name_file_and_place(void **state)
{
    static const struct fault faults[] = {
        {"", MACHINE ": "},
        {"{", MACHINE ": "},
        {"[]", MACHINE ": must be an object, not array"},
        {"{'require_signatures': true}",
         MACHINE ": unknown member 'require_signatures' (did you mean "
                 "'require_signature'?)"},
        {"{'hush': true}", "unknown member 'hush'; a newer weir may know it"},
        {"{'require_signature': 'yes'}",
         MACHINE ": /require_signature: must be boolean, not string"},
        {"{'require_signature': true, 'require_signature': false}",
         "require_signature"},
        {"{'no_downgrade': true}", "'no_downgrade' needs 'require_signature'"},
        {"{'keys': [{'name': 'a', 'key': '$A'}]}",
         "'keys' needs 'require_signature': true"},
        {"{'require_signature': true, 'keys': []}",
         MACHINE ": /keys: must have a key, or be left out"},
        {"{'keys': [{'name': 'a'}]}", "/keys/0/key: is missing"},
        {"{'keys': [{'name': 'a', 'key': '$A'}, {'name': 'b', 'key': 'RW'}]}",
         "/keys/1/key: must be a public key in one word of 56 characters"},
        {"{'keys': [{'name': 'a', 'key': '$A', 'added': '2026-01-01'}]}",
         "/keys/0: unknown member 'added'"},
        {"{'keys': [{'name': '', 'key': '$A'}]}", "/keys/0/name: must have"},
        {"{'keys': [{'name': '../a', 'key': '$A'}]}", "/keys/0/name: a key"},
        {"{'keys': [{'name': 'a', 'key': '$A'}, {'name': 'a', 'key': '$B'}]}",
         "the name 'a' is there twice"},
        {"{'keys': [{'name': 'a', 'key': '$A'}, {'name': 'b', 'key': '$A'}]}",
         "'a' and 'b' have the same key id"},
        {"{'keys': [{'name': 'a', 'key': '$A', 'expires': 'soon'}]}",
         "/keys/0/expires: expected a day such as"},
        {"{'keys': [{'name': 'a', 'key': '$A', 'expires': '2027-02-30'}]}",
         "/keys/0/expires: expected a day such as"},
        {"{'revoked': [{'id': 'xyz'}]}", "/revoked/0/id: a key id has"},
        {"{'revoked': [{'id': '$a', 'reason': 'a\\nb'}]}",
         "/revoked/0/reason: has a control character"},
        {"{'revoked': ['$a']}", "/revoked/0: must be an object, not string"},
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
        char *json = filled(w, faults[i].text);
        struct weir_trust_policy out;

        if (weir_trust_policy_read(MACHINE, json, strlen(json), &out,
                                   &w->err) == WEIR_OK)
            fail_msg("taken: %s", json);
        assert_said(w, faults[i].said);
        assert_said(w, MACHINE);
        free(json);
    }
}

static void faults_of_a_store_name_file_and_place(void **state)
{
    static const struct fault faults[] = {
        {"{'keys': [{'name': 'a', 'key': '$A', 'added': '2026-01-01'}]}",
         STORE ": /keys/0/id: is missing"},
        {"{'keys': [{'name': 'a', 'id': '$b', 'key': '$A',"
         " 'added': '2026-01-01'}]}",
         STORE ": /keys/0/id: is not the id of this key, which is $a"},
        {"{'revoked': [{'id': '$a'}]}", "/revoked/0/since: is missing"},
        {"{'key': []}", "unknown member 'key' (did you mean 'keys'?)"},
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
        char *json = filled(w, faults[i].text);

        if (weir_trust_store_read(&w->trust.store, json, strlen(json),
                                  &w->err) == WEIR_OK)
            fail_msg("taken: %s", json);
        assert_said(w, faults[i].said);
        assert_int_equal(w->trust.store.n_keys, 0);
        assert_null(w->trust.store.keys);
        free(json);
    }
}

static void faults_of_the_versions_name_file_and_place(void **state)
{
    static const struct fault faults[] = {
        {"{}", VERSIONS ": /versions: is missing"},
        {"{'versions': [{'bundle': 'r', 'key': '$a', 'version': '1.4',"
         " 'since': '2026-01-01'}]}",
         VERSIONS ": /versions/0/version: "},
        {"{'versions': [{'bundle': 'r', 'key': 'k', 'version': '1.4.0',"
         " 'since': '2026-01-01'}]}",
         VERSIONS ": /versions/0/key: "},
        {"{'versions': [{'bundle': 'r', 'key': '$a', 'version': '1.4.0',"
         " 'since': '2026-01-01'}, {'bundle': 'r', 'key': '$b',"
         " 'version': '1.0.0', 'since': '2026-01-01'}, {'bundle': 'r',"
         " 'key': '$a', 'version': '1.0.0', 'since': '2026-01-01'}]}",
         VERSIONS ": /versions/2: 'r' of that key is there twice"},
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
        char *json = filled(w, faults[i].text);

        if (weir_trust_versions_read(&w->trust.versions, json, strlen(json),
                                     &w->err) == WEIR_OK)
            fail_msg("taken: %s", json);
        assert_said(w, faults[i].said);
        assert_int_equal(w->trust.versions.n, 0);
        free(json);
    }
}

/* ---- who signed it ---- */

static void what_is_not_signed_is_refused_where_it_must_be(void **state)
{
    struct world *w = *state;

    store(w, KNOWS_ALICE);
    assert_stands(w, NULL, WEIR_TRUST_UNSIGNED);
    policy(w, MINE, "{'require_signature': true}");
    assert_refused(w, NULL, "not signed, and a signature is required", MINE);
}

/* The user's "false" does not take back the machine's "true". */
static void a_users_policy_weakens_nothing(void **state)
{
    struct world *w = *state;

    store(w, KNOWS_ALICE);
    policy(w, MACHINE,
           "{'require_signature': true, 'no_downgrade': true,"
           " 'keys': [{'name': 'ops', 'key': '$B'}]}");
    policy(w, MINE, "{'require_signature': false}");
    assert_refused(w, NULL, "'require_signature'", MACHINE);
    assert_refused(w, &w->alice,
                   "signed with key $a, which is none of those that this "
                   "machine takes ('keys'",
                   MACHINE);
    assert_stands(w, &w->bob, WEIR_TRUST_TRUSTED);
    assert_string_equal(w->signer.name, "ops");
}

static void a_users_policy_can_ask_for_more(void **state)
{
    struct world *w = *state;

    policy(w, MACHINE,
           "{'require_signature': true, 'keys': ["
           "{'name': 'a', 'key': '$A'}, {'name': 'b', 'key': '$B'}]}");
    policy(w, MINE,
           "{'require_signature': true,"
           " 'keys': [{'name': 'bob', 'key': '$B'}]}");
    assert_refused(w, &w->alice, "none of those", MINE);
    assert_stands(w, &w->bob, WEIR_TRUST_TRUSTED);
}

/* Anybody can make a key with another's id. */
static void an_id_is_no_key(void **state)
{
    struct world *w = *state;
    struct weir_trust_key *key;

    store(w, KNOWS_ALICE);
    key = &w->trust.store.keys[0];
    memcpy(key->key.id, w->bob.key.id, sizeof(key->key.id));
    assert_int_equal(verify(w, &w->bob), WEIR_AUTH);
    assert_said(w, "the signature does not fit");
}

static void two_policies_must_mean_the_same_key(void **state)
{
    struct world *w = *state;

    policy(w, MACHINE,
           "{'require_signature': true,"
           " 'keys': [{'name': 'a', 'key': '$A'}]}");
    policy(w, MINE,
           "{'require_signature': true,"
           " 'keys': [{'name': 'b', 'key': '$B'}]}");
    memcpy(w->trust.policies[1].store.keys[0].key.id, w->alice.key.id,
           WEIR_MINISIGN_ID);
    assert_refused(w, &w->alice, "none of those", MINE);
}

static void an_unknown_key_is_told_and_refused_where_it_must_be(void **state)
{
    struct world *w = *state;

    store(w, KNOWS_ALICE);
    assert_stands(w, &w->bob, WEIR_TRUST_UNKNOWN);
    assert_string_equal(w->signer.id, w->bob.id);
    assert_string_equal(w->signer.name, "");
    assert_string_equal(w->signer.trusted, ""); /* nobody vouches for it */
    policy(w, MACHINE, "{'require_signature': true}");
    assert_refused(w, &w->bob, "key $b, which is not trusted here", MACHINE);
    assert_said(w, STORE);
    assert_said(w, "weir key trust NAME FILE.pub");
    assert_stands(w, &w->alice, WEIR_TRUST_TRUSTED);
}

static void a_revoked_key_is_refused_whoever_revoked_it(void **state)
{
    struct world *w = *state;

    store(w, "{'keys':[{'name':'alice','id':'$a','key':'$A',"
             "'added':'2026-01-01'}],"
             "'revoked':[{'id':'$b','since':'2026-11-01','reason':'lost'}]}");
    assert_refused(w, &w->bob,
                   "signed with key $b, which is revoked since "
                   "2026-11-01T23:59:59Z ('revoked' in " STORE "): lost",
                   STORE);
    policy(w, MACHINE, "{}");
    policy(w, MINE, "{'revoked': [{'id': '$a'}]}");
    assert_refused(w, &w->alice, "which is revoked ('revoked' in", MINE);
}

/* A policy's key may be revoked by the user: that only narrows. */
static void a_user_can_revoke_a_key_of_the_machine(void **state)
{
    struct world *w = *state;

    store(w, "{'revoked':[{'id':'$a','since':'2026-11-01'}]}");
    policy(w, MACHINE,
           "{'require_signature': true,"
           " 'keys': [{'name': 'a', 'key': '$A'}]}");
    assert_refused(w, &w->alice, "which is revoked", STORE);
}

static void a_key_is_good_to_its_last_second(void **state)
{
    struct world *w = *state;
    struct weir_trust_key *key;

    store(w, "{'keys':[{'name':'alice','id':'$a','key':'$A',"
             "'added':'2026-01-01','expires':'2026-11-26T18:00:00Z'}]}");
    key = &w->trust.store.keys[0];
    assert_int_equal(key->expires, NOW);
    assert_stands(w, &w->alice, WEIR_TRUST_TRUSTED);
    key->expires = NOW - 1;
    assert_refused(w, &w->alice,
                   "key 'alice' ($a), which expired on 2026-11-26T17:59:59Z",
                   STORE);
    /* Also where the machine has set no end. */
    policy(w, MACHINE,
           "{'require_signature': true,"
           " 'keys': [{'name': 'a', 'key': '$A'}]}");
    assert_refused(w, &w->alice, "expired on", STORE);
    /* Nor does a clock that was never set make it last. */
    key->expires = NOW;
    assert_int_equal(weir_trust_verify(
                         &w->trust, TEXT, strlen(TEXT), w->alice.signature.data,
                         w->alice.signature.len, 1000, &w->signer, &w->err),
                     WEIR_AUTH);
    assert_said(w, "its key expires on 2026-11-26T18:00:00Z, and the clock "
                   "here, which says 1970-01-01T00:16:40Z, cannot tell");
    key->expires = 0;
    assert_stands(w, &w->alice, WEIR_TRUST_TRUSTED);
    w->trust.policies[0].store.keys[0].expires = NOW - 1;
    assert_refused(w, &w->alice, "expired on", MACHINE);
}

static void what_was_changed_is_refused(void **state)
{
    struct world *w = *state;
    char *end;

    store(w, KNOWS_ALICE);
    assert_int_equal(weir_trust_verify(&w->trust, TEXT, strlen(TEXT) - 1,
                                       w->alice.signature.data,
                                       w->alice.signature.len, NOW, &w->signer,
                                       &w->err),
                     WEIR_AUTH);
    assert_said(w, "the signature does not fit");
    end = strstr(w->alice.signature.data, "1.4.0");
    end[0] = '2';
    assert_int_equal(verify(w, &w->alice), WEIR_AUTH);
    assert_said(w, "the trusted comment is not what key $a signed");
    w->alice.signature.len /= 2;
    assert_int_equal(verify(w, &w->alice), WEIR_SYNTAX);
    assert_said(w, "its signature: line ");
}

static void what_fits_is_told_with_its_signer(void **state)
{
    struct world *w = *state;

    store(w, KNOWS_ALICE);
    assert_stands(w, &w->alice, WEIR_TRUST_TRUSTED);
    assert_string_equal(w->signer.name, "alice");
    assert_string_equal(w->signer.id, w->alice.id);
    assert_string_equal(w->signer.trusted, "rotate 1.4.0");
    assert_true(weir_minisign_public_equal(&w->signer.key, &w->alice.key));
    assert_string_equal(weir_trust_standing_word(w->signer.standing),
                        "trusted");
}

/* ---- what it says of itself ---- */

/* Of a signer that stood so before. */
static enum weir_code still(struct world *w, enum weir_trust_standing standing)
{
    w->signer.standing = standing;
    weir_err_clear(&w->err);
    return weir_trust_still(&w->trust, &w->signer, NOW, &w->err);
}

static void what_was_verified_is_judged_once_more(void **state)
{
    struct world *w = *state;

    store(w, KNOWS_ALICE);
    assert_stands(w, &w->alice, WEIR_TRUST_TRUSTED);
    assert_int_equal(still(w, WEIR_TRUST_TRUSTED), WEIR_OK);
    /* It was not compared with the key that is known now. */
    assert_int_equal(still(w, WEIR_TRUST_UNKNOWN), WEIR_AUTH);
    assert_said(w, "has changed meanwhile");
    w->signer.key.key[0] ^= 1;
    assert_int_equal(still(w, WEIR_TRUST_TRUSTED), WEIR_AUTH);
    w->signer.key.key[0] ^= 1;
    assert_int_equal(still(w, WEIR_TRUST_UNSIGNED), WEIR_OK);
    policy(w, MACHINE, "{'require_signature': true}");
    assert_int_equal(still(w, WEIR_TRUST_TRUSTED), WEIR_OK);
    assert_int_equal(still(w, WEIR_TRUST_UNSIGNED), WEIR_AUTH);
    assert_said(w, "'require_signature' in " MACHINE);
    policy(w, MINE, "{'revoked': [{'id': '$a'}]}");
    assert_int_equal(still(w, WEIR_TRUST_TRUSTED), WEIR_AUTH);
    assert_said(w, "which is revoked");
}

static enum weir_code decide(struct world *w, const char *version,
                             int64_t expires)
{
    const struct weir_trust_facts facts = {
        .bundle = "rotate", .version = version, .expires = expires};

    weir_err_clear(&w->err);
    return weir_trust_decide(&w->trust, &w->signer, &facts, NOW, &w->err);
}

static bool runs(struct world *w, const char *version)
{
    const struct weir_trust_facts facts = {.bundle = "rotate",
                                           .version = version};
    bool changed = false;

    assert_int_equal(weir_trust_remember(&w->trust.versions, &w->signer, &facts,
                                         NOW, &changed, NULL),
                     WEIR_OK);
    return changed;
}

static void what_has_expired_is_refused(void **state)
{
    static const struct weir_trust_facts dated = {"rotate", "1.0.0", NOW};
    struct world *w = *state;

    assert_stands(w, NULL, WEIR_TRUST_UNSIGNED);
    assert_int_equal(decide(w, "1.0.0", NOW), WEIR_OK);
    assert_int_equal(decide(w, "1.0.0", 0), WEIR_OK);
    assert_int_equal(decide(w, "1.0.0", NOW - 1), WEIR_AUTH);
    assert_said(w, "'rotate' 1.0.0 expired on 2026-11-26T17:59:59Z ('expires' "
                   "in its manifest)");
    weir_err_clear(&w->err);
    assert_int_equal(weir_trust_decide(&w->trust, &w->signer, &dated,
                                       WEIR_MANIFEST_TIME_FIRST, &w->err),
                     WEIR_OK);
    assert_int_equal(weir_trust_decide(&w->trust, &w->signer, &dated,
                                       WEIR_MANIFEST_TIME_FIRST - 1, &w->err),
                     WEIR_AUTH);
    assert_said(w, "it expires on 2026-11-26T18:00:00Z, and the clock here, "
                   "which says 1999-12-31T23:59:59Z, cannot tell");
    assert_said(w, "set the clock");
}

static void a_version_does_not_go_back_where_a_policy_says_so(void **state)
{
    struct world *w = *state;

    store(w, KNOWS_ALICE);
    assert_stands(w, &w->alice, WEIR_TRUST_TRUSTED);
    assert_true(runs(w, "1.10.0"));
    assert_false(runs(w, "1.10.0"));
    assert_false(runs(w, "1.9.0"));
    assert_int_equal(decide(w, "1.9.0", 0), WEIR_OK);
    policy(w, MACHINE, "{'require_signature': true, 'no_downgrade': true}");
    assert_int_equal(decide(w, "1.9.0", 0), WEIR_AUTH);
    assert_said(w,
                "'rotate' 1.9.0 is older than 1.10.0, which has run here "
                "since 2026-11-26T18:00:00Z ('no_downgrade' in " MACHINE ")");
    assert_said(w, VERSIONS);
    assert_int_equal(decide(w, "1.10.0-rc.1", 0), WEIR_AUTH);
    assert_int_equal(decide(w, "1.10.0", 0), WEIR_OK);
    assert_true(runs(w, "2.0.0"));
    assert_int_equal(decide(w, "1.10.0", 0), WEIR_AUTH);
}

/* Whoever can give a bundle a name could raise the floor of another's. */
static void only_a_trusted_key_raises_its_own_floor(void **state)
{
    struct world *w = *state;

    store(w, "{'keys':[{'name':'alice','id':'$a','key':'$A',"
             "'added':'2026-01-01'},{'name':'bob','id':'$b','key':'$B',"
             "'added':'2026-01-01'}]}");
    assert_stands(w, &w->bob, WEIR_TRUST_TRUSTED);
    assert_true(runs(w, "99.0.0"));
    assert_stands(w, NULL, WEIR_TRUST_UNSIGNED);
    assert_false(runs(w, "99.0.0"));
    assert_stands(w, &w->alice, WEIR_TRUST_TRUSTED);
    policy(w, MACHINE, "{'require_signature': true, 'no_downgrade': true}");
    assert_int_equal(decide(w, "1.0.0", 0), WEIR_OK);
}

/* ---- keeping ---- */

static void the_store_refuses_what_would_be_two(void **state)
{
    struct world *w = *state;
    struct weir_trust_key key = {
        .name = "alice", .key = w->alice.key, .added = NOW};
    struct weir_trust_revoked revoked;
    const struct weir_trust_key *found;

    assert_int_equal(weir_trust_store_add(&w->trust.store, &key, NULL),
                     WEIR_OK);
    snprintf(key.name, sizeof(key.name), "%s", "other");
    assert_int_equal(weir_trust_store_add(&w->trust.store, &key, &w->err),
                     WEIR_CONFLICT);
    assert_said(w, "there is a key 'alice' with the id $a already");
    snprintf(key.name, sizeof(key.name), "%s", "alice");
    key.key = w->bob.key;
    assert_int_equal(weir_trust_store_add(&w->trust.store, &key, &w->err),
                     WEIR_CONFLICT);
    snprintf(key.name, sizeof(key.name), "%s", "-bob");
    assert_int_equal(weir_trust_store_add(&w->trust.store, &key, &w->err),
                     WEIR_VALIDATION);
    snprintf(key.name, sizeof(key.name), "%s", w->alice.id);
    assert_int_equal(weir_trust_store_add(&w->trust.store, &key, &w->err),
                     WEIR_VALIDATION);
    assert_said(w, "could be taken for another key");
    assert_int_equal(
        weir_trust_store_find(&w->trust.store, "alcie", &found, &w->err),
        WEIR_NOT_FOUND);
    assert_said(w, "did you mean 'alice'?");
    assert_int_equal(
        weir_trust_store_find(&w->trust.store, w->alice.id, &found, NULL),
        WEIR_OK);
    assert_string_equal(found->name, "alice");
    assert_int_equal(weir_trust_store_revoke(&w->trust.store, "bob", NULL, NOW,
                                             &revoked, &w->err),
                     WEIR_NOT_FOUND);
    assert_int_equal(weir_trust_store_revoke(&w->trust.store, "alice", "a\nb",
                                             NOW, &revoked, &w->err),
                     WEIR_VALIDATION);
    assert_int_equal(weir_trust_store_revoke(&w->trust.store, "alice", "lost",
                                             NOW, &revoked, &w->err),
                     WEIR_OK);
    assert_int_equal(w->trust.store.n_keys, 0);
    assert_int_equal(weir_trust_store_revoke(&w->trust.store, w->alice.id, NULL,
                                             NOW, &revoked, &w->err),
                     WEIR_CONFLICT);
    assert_said(w, "has been revoked since 2026-11-26T18:00:00Z: lost");
    key.key = w->alice.key;
    snprintf(key.name, sizeof(key.name), "%s", "alice");
    assert_int_equal(weir_trust_store_add(&w->trust.store, &key, &w->err),
                     WEIR_CONFLICT);
    assert_said(w, "a key is revoked for good");
    /* One that was never here can be revoked by its id. */
    assert_int_equal(weir_trust_store_revoke(&w->trust.store, w->bob.id, NULL,
                                             NOW, &revoked, NULL),
                     WEIR_OK);
    assert_string_equal(revoked.name, "");
}

/* A machine whose clock was never set, or is set far ahead. */
/* A file by hand may have such names; an id means the key that has it. */
static void an_id_comes_before_a_name(void **state)
{
    struct world *w = *state;
    struct weir_trust_revoked revoked;

    store(w, "{'keys':[{'name':'$a','id':'$b','key':'$B','added':'2026-01-01'},"
             "{'name':'alice','id':'$a','key':'$A','added':'2026-01-01'}]}");
    assert_int_equal(weir_trust_store_revoke(&w->trust.store, w->alice.id, NULL,
                                             NOW, &revoked, NULL),
                     WEIR_OK);
    assert_string_equal(revoked.name, "alice");
    assert_int_equal(w->trust.store.n_keys, 1);
    assert_memory_equal(w->trust.store.keys[0].key.id, w->bob.key.id,
                        WEIR_MINISIGN_ID);
}

static void an_odd_clock_spoils_no_file(void **state)
{
    static const int64_t clocks[] = {INT64_MIN, -5,           0,
                                     1000,      253402300800, INT64_MAX};
    static const struct weir_trust_facts facts = {"rotate", "1.4.0", 0};
    struct world *w = *state;

    store(w, KNOWS_ALICE);
    assert_stands(w, &w->alice, WEIR_TRUST_TRUSTED);
    for (size_t i = 0; i < sizeof(clocks) / sizeof(*clocks); i++) {
        struct weir_trust_revoked revoked;
        struct weir_trust_store again;
        struct weir_trust_versions ran, read;
        struct weir_buf text;
        bool changed = false;

        weir_buf_init(&text, WEIR_TRUST_FILE_MAX);
        weir_trust_versions_init(&ran, VERSIONS, NULL);
        weir_trust_versions_init(&read, VERSIONS, NULL);
        assert_int_equal(weir_trust_remember(&ran, &w->signer, &facts,
                                             clocks[i], &changed, NULL),
                         WEIR_OK);
        assert_true(changed);
        assert_int_equal(weir_trust_versions_write(&ran, &text, NULL), WEIR_OK);
        if (weir_trust_versions_read(&read, text.data, text.len, &w->err))
            fail_msg("%s", w->err.message);
        weir_buf_fini(&text);
        weir_trust_store_init(&again, STORE, NULL);
        weir_trust_store_revoke(&again, w->bob.id, NULL, clocks[i], &revoked,
                                NULL);
        assert_int_equal(weir_trust_store_write(&again, &text, NULL), WEIR_OK);
        weir_trust_store_fini(&again);
        weir_trust_store_init(&again, STORE, NULL);
        if (weir_trust_store_read(&again, text.data, text.len, &w->err))
            fail_msg("%s", w->err.message);
        weir_trust_store_fini(&again);
        weir_trust_versions_fini(&ran);
        weir_trust_versions_fini(&read);
        weir_buf_fini(&text);
    }
}

static void what_is_written_reads_back_the_same(void **state)
{
    struct world *w = *state;
    struct weir_trust_key key = {
        .name = "bob", .key = w->bob.key, .added = NOW, .expires = NOW + 1};
    struct weir_trust_revoked revoked;
    struct weir_trust_store again;
    struct weir_trust_versions versions;
    struct weir_buf text, second;

    weir_buf_init(&text, WEIR_TRUST_FILE_MAX);
    weir_buf_init(&second, WEIR_TRUST_FILE_MAX);
    store(w, KNOWS_ALICE);
    weir_trust_store_add(&w->trust.store, &key, NULL);
    weir_trust_store_revoke(&w->trust.store, "alice", "it's \"old\"", NOW,
                            &revoked, NULL);
    assert_int_equal(weir_trust_store_write(&w->trust.store, &text, NULL),
                     WEIR_OK);
    assert_non_null(strstr(text.data, NOW_TEXT));
    assert_int_equal(weir_trust_store_init(&again, STORE, NULL), WEIR_OK);
    assert_int_equal(
        weir_trust_store_read(&again, text.data, text.len, &w->err), WEIR_OK);
    assert_int_equal(again.n_keys, 1);
    assert_int_equal(again.keys[0].expires, NOW + 1);
    assert_string_equal(again.revoked[0].reason, "it's \"old\"");
    weir_trust_store_write(&again, &second, NULL);
    assert_string_equal(text.data, second.data);
    weir_trust_store_fini(&again);

    weir_buf_reset(&text);
    w->signer.standing = WEIR_TRUST_TRUSTED;
    memcpy(w->signer.id, w->bob.id, sizeof(w->signer.id));
    assert_true(runs(w, "1.4.0-rc.1"));
    assert_int_equal(weir_trust_versions_write(&w->trust.versions, &text, NULL),
                     WEIR_OK);
    assert_int_equal(weir_trust_versions_init(&versions, VERSIONS, NULL),
                     WEIR_OK);
    assert_int_equal(
        weir_trust_versions_read(&versions, text.data, text.len, &w->err),
        WEIR_OK);
    assert_int_equal(versions.n, 1);
    assert_memory_equal(versions.list, w->trust.versions.list,
                        sizeof(*versions.list));
    weir_trust_versions_fini(&versions);
    weir_buf_fini(&text);
    weir_buf_fini(&second);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(faults_of_a_policy_name_file_and_place),
        TEST(faults_of_a_store_name_file_and_place),
        TEST(faults_of_the_versions_name_file_and_place),
        TEST(what_is_not_signed_is_refused_where_it_must_be),
        TEST(a_users_policy_weakens_nothing),
        TEST(a_users_policy_can_ask_for_more),
        TEST(an_id_is_no_key),
        TEST(two_policies_must_mean_the_same_key),
        TEST(an_unknown_key_is_told_and_refused_where_it_must_be),
        TEST(a_revoked_key_is_refused_whoever_revoked_it),
        TEST(a_user_can_revoke_a_key_of_the_machine),
        TEST(a_key_is_good_to_its_last_second),
        TEST(what_was_changed_is_refused),
        TEST(what_fits_is_told_with_its_signer),
        TEST(what_was_verified_is_judged_once_more),
        TEST(what_has_expired_is_refused),
        TEST(a_version_does_not_go_back_where_a_policy_says_so),
        TEST(only_a_trusted_key_raises_its_own_floor),
        TEST(the_store_refuses_what_would_be_two),
        TEST(an_id_comes_before_a_name),
        TEST(an_odd_clock_spoils_no_file),
        TEST(what_is_written_reads_back_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
