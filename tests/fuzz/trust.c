/*
 * trust: what is taken for a policy, a store or a list of versions is written
 * again the same, and a policy more forbids more.
 *
 * Parts: the machine's policy, the user's policy, the store, the versions, a
 * signature's file, the text.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "weir/buf.h"
#include "weir/trust.h"

enum { NOW = 1795716000 };

static void check_code(enum weir_code code, struct weir_err *err)
{
    FUZZ_CHECK(code == WEIR_SYNTAX || code == WEIR_VALIDATION ||
               code == WEIR_LIMIT);
    FUZZ_CHECK(strncmp(err->message, "FILE: ", 6) == 0);
    fuzz_check_err(err, code);
}

static void take_policy(struct weir_trust *trust, struct fuzz_text text)
{
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_trust_policy *policy = &trust->policies[trust->n_policies];
    enum weir_code code =
        weir_trust_policy_read("FILE", text.data, text.len, policy, &err);

    if (code) {
        check_code(code, &err);
        return;
    }
    trust->n_policies++;
    FUZZ_CHECK(policy->require_signature ||
               (!policy->has_keys && !policy->no_downgrade));
    FUZZ_CHECK(policy->has_keys == (policy->store.n_keys > 0));
}

static void take_store(struct weir_trust_store *store, struct fuzz_text text)
{
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_trust_store again;
    struct weir_buf first, second;
    enum weir_code code =
        weir_trust_store_read(store, text.data, text.len, &err);

    if (code) {
        check_code(code, &err);
        return;
    }
    weir_buf_init(&first, WEIR_TRUST_FILE_MAX);
    weir_buf_init(&second, WEIR_TRUST_FILE_MAX);
    FUZZ_CHECK(weir_trust_store_init(&again, "FILE", NULL) == WEIR_OK);
    FUZZ_CHECK(weir_trust_store_write(store, &first, NULL) == WEIR_OK);
    FUZZ_CHECK(weir_trust_store_read(&again, first.data, first.len, NULL) ==
               WEIR_OK);
    FUZZ_CHECK(weir_trust_store_write(&again, &second, NULL) == WEIR_OK);
    FUZZ_CHECK(first.len == second.len &&
               memcmp(first.data, second.data, first.len) == 0);
    weir_trust_store_fini(&again);
    weir_buf_fini(&first);
    weir_buf_fini(&second);
}

static void take_versions(struct weir_trust_versions *versions,
                          struct fuzz_text text)
{
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_buf written;
    enum weir_code code =
        weir_trust_versions_read(versions, text.data, text.len, &err);

    if (code) {
        check_code(code, &err);
        return;
    }
    weir_buf_init(&written, WEIR_TRUST_FILE_MAX);
    FUZZ_CHECK(weir_trust_versions_write(versions, &written, NULL) == WEIR_OK);
    weir_buf_fini(&written);
}

static enum weir_code ask(const struct weir_trust *trust,
                          struct fuzz_text signature, struct fuzz_text text,
                          struct weir_trust_signer *signer)
{
    struct weir_err err = WEIR_ERR_INIT;
    enum weir_code code = weir_trust_verify(
        trust, text.data, text.len, signature.len ? signature.data : NULL,
        signature.len, NOW, signer, &err);

    if (code) {
        FUZZ_CHECK(code == WEIR_AUTH || code == WEIR_SYNTAX);
        fuzz_check_err(&err, code);
    }
    return code;
}

/* A policy less may allow more, never less; but the keys of one are trusted,
 * and without it they may not be. */
static void check_policies(const struct weir_trust *trust,
                           struct fuzz_text signature, struct fuzz_text text)
{
    static struct weir_trust_signer signer, other;
    enum weir_code code = ask(trust, signature, text, &signer);

    for (size_t left_out = 0; left_out < trust->n_policies; left_out++) {
        struct weir_trust fewer = *trust;

        fewer.policies[left_out] = fewer.policies[fewer.n_policies - 1];
        fewer.n_policies--;
        if (!code && !trust->policies[left_out].has_keys)
            FUZZ_CHECK(ask(&fewer, signature, text, &other) == WEIR_OK);
    }
    if (code)
        return;
    for (size_t i = 0; i < trust->n_policies; i++)
        FUZZ_CHECK(!trust->policies[i].require_signature ||
                   signer.standing == WEIR_TRUST_TRUSTED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_text rest = {(const char *)data, size}, text = {0};
    struct fuzz_text signature = {0};
    struct weir_trust trust = {.n_policies = 0};

    FUZZ_CHECK(weir_trust_store_init(&trust.store, "FILE", NULL) == WEIR_OK);
    FUZZ_CHECK(weir_trust_versions_init(&trust.versions, "FILE", NULL) ==
               WEIR_OK);
    for (int i = 0; i < 2 && fuzz_part(&rest, &text); i++)
        take_policy(&trust, text);
    if (fuzz_part(&rest, &text))
        take_store(&trust.store, text);
    if (fuzz_part(&rest, &text))
        take_versions(&trust.versions, text);
    fuzz_part(&rest, &signature);
    text = (struct fuzz_text){0};
    fuzz_part(&rest, &text);
    check_policies(&trust, signature, text);
    weir_trust_fini(&trust);
    return 0;
}
