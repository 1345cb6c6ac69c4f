/* trust: a policy's file. */
#include "trust_internal.h"

static enum weir_code check_policy(struct weir_shape *shape,
                                   const struct weir_trust_policy *policy)
{
    if (policy->has_keys && policy->store.n_keys == 0) {
        weir_shape_enter(shape, "keys");
        return weir_shape_refuse(shape, "must have a key, or be left out");
    }
    if (policy->require_signature)
        return WEIR_OK;
    if (policy->has_keys || policy->no_downgrade)
        return weir_shape_refuse(
            shape,
            "\"%s\" needs \"require_signature\": true, since leaving "
            "the signature off would get round it",
            policy->has_keys ? "keys" : "no_downgrade");
    return WEIR_OK;
}

enum weir_code weir_trust_policy_read(const char *file, const char *text,
                                      size_t len, struct weir_trust_policy *out,
                                      struct weir_err *err)
{
    static const struct weir_shape_member members[] = {
        {"require_signature", WEIR_SHAPE(BOOLEAN), false},
        {"no_downgrade", WEIR_SHAPE(BOOLEAN), false},
        {"keys", WEIR_SHAPE(ARRAY), false},
        {"revoked", WEIR_SHAPE(ARRAY), false},
        {NULL, 0, false}};
    struct weir_trust_policy policy = {.require_signature = false};
    struct weir_shape shape = {.file = file, .err = err};
    struct weir_json *json = NULL;
    enum weir_code code = weir_trust_store_init(&policy.store, file, err);

    if (!code)
        code = weir_shape_parse(&shape, text, len, WEIR_TRUST_FILE_MAX, members,
                                &json);
    if (!code)
        code = weir_trust_read_keys(&shape, json, false, &policy.store);
    if (!code) {
        policy.require_signature =
            weir_json_true(weir_json_get(json, "require_signature"));
        policy.no_downgrade =
            weir_json_true(weir_json_get(json, "no_downgrade"));
        policy.has_keys = weir_json_get(json, "keys") != NULL;
        code = check_policy(&shape, &policy);
    }
    weir_json_free(json);
    if (code)
        weir_trust_policy_fini(&policy);
    else
        *out = policy;
    return code;
}

void weir_trust_policy_fini(struct weir_trust_policy *policy)
{
    weir_trust_store_fini(&policy->store);
}
