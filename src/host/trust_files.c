#include "trust_files.h"

#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "folders.h"
#include "guarded.h"

/* What stands for a file where there is no folder for it. */
static const char nowhere[] = "(no home folder)";

/* ---- policies ---- */

static enum weir_code add_policy(struct weir_trust *trust, const char *path,
                                 enum host_guard guard, struct weir_err *err)
{
    struct weir_buf text;
    bool there;
    enum weir_code code;

    weir_buf_init(&text, WEIR_TRUST_FILE_MAX);
    code = host_guarded_read(path, guard, &text, &there, err);
    if (code == WEIR_OK && there)
        code = weir_trust_policy_read(path, weir_buf_str(&text), text.len,
                                      &trust->policies[trust->n_policies], err);
    if (code == WEIR_OK && there)
        trust->n_policies++;
    weir_buf_fini(&text);
    if (code && code != WEIR_NOMEM && err && !*err->hint)
        weir_err_hint(err,
                      "nothing is run while a policy cannot be understood");
    return code;
}

static enum weir_code add_policies(struct weir_trust *trust,
                                   struct weir_err *err)
{
    char *own = host_folders_config("policy.json");
    enum weir_code code =
        add_policy(trust, HOST_MACHINE_POLICY, HOST_GUARD_MACHINE, err);

    if (code == WEIR_OK && own)
        code = add_policy(trust, own, HOST_GUARD_OWN, err);
    free(own);
    return code;
}

enum weir_code host_trust_check_unsigned(const char *what, struct weir_err *err)
{
    struct weir_trust trust = {.n_policies = 0};
    struct weir_trust_signer signer;
    enum weir_code code = add_policies(&trust, err);

    if (code == WEIR_OK) {
        code = weir_trust_verify(&trust, "", 0, NULL, 0, 0, &signer, err);
        if (code == WEIR_AUTH) {
            weir_err_prefix(err, "%s: ", what);
            weir_err_hint(err, "what runs here is a bundle that is signed: "
                               "weir bundle create --sign KEY makes one");
        }
    }
    weir_trust_fini(&trust);
    return code;
}

/* ---- files of the user's own ---- */

/* Has `read` read the file into `into`; one that is not there says nothing. */
static enum weir_code
load_own(const char *path,
         enum weir_code (*read)(void *into, const char *text, size_t len,
                                struct weir_err *err),
         void *into, struct weir_err *err)
{
    struct weir_buf text;
    bool there = false;
    enum weir_code code = WEIR_OK;

    weir_buf_init(&text, WEIR_TRUST_FILE_MAX);
    if (path)
        code = host_guarded_read(path, HOST_GUARD_OWN, &text, &there, err);
    if (code == WEIR_OK && there)
        code = read(into, weir_buf_str(&text), text.len, err);
    weir_buf_fini(&text);
    return code;
}

/* Replaces the file by the text, if writing that has gone well. */
static enum weir_code save_own(const char *path, struct weir_buf *text,
                               enum weir_code code, struct weir_err *err)
{
    if (code == WEIR_OK)
        code = host_files_replace_as(path, text->data, text->len, 0600, err);
    weir_buf_fini(text);
    return code;
}

/* ---- the store ---- */

static enum weir_code read_store(void *store, const char *text, size_t len,
                                 struct weir_err *err)
{
    return weir_trust_store_read(store, text, len, err);
}

static enum weir_code load_store(const char *path, struct weir_trust_store *out,
                                 struct weir_err *err)
{
    enum weir_code code =
        weir_trust_store_init(out, path ? path : nowhere, err);

    if (code == WEIR_OK) {
        code = load_own(path, read_store, out, err);
        if (code)
            weir_trust_store_fini(out);
    }
    return code;
}

enum weir_code host_trust_load_store(struct weir_trust_store *out,
                                     struct weir_err *err)
{
    char *path = host_folders_config("trust.json");
    enum weir_code code = load_store(path, out, err);

    free(path);
    return code;
}

static enum weir_code no_folder(const char *what, struct weir_err *err)
{
    return weir_err_set(err, WEIR_CONFIG,
                        "no folder for %s: neither the XDG variable nor HOME "
                        "is an absolute path",
                        what);
}

static enum weir_code save_store(const struct weir_trust_store *store,
                                 const char *path, struct weir_err *err)
{
    struct weir_buf text;

    weir_buf_init(&text, WEIR_TRUST_FILE_MAX);
    return save_own(path, &text, weir_trust_store_write(store, &text, err),
                    err);
}

enum weir_code
host_trust_change(enum weir_code (*change)(struct weir_trust_store *store,
                                           void *ud, struct weir_err *err),
                  void *ud, struct weir_err *err)
{
    char *path = host_folders_config("trust.json");
    struct weir_trust_store store;
    int lock = -1;
    enum weir_code code = path ? host_guarded_lock(path, &lock, err)
                               : no_folder("trusted keys", err);

    if (code == WEIR_OK) {
        code = load_store(path, &store, err);
        if (code == WEIR_OK) {
            code = change(&store, ud, err);
            if (code == WEIR_OK)
                code = save_store(&store, path, err);
            weir_trust_store_fini(&store);
        }
    }
    host_guarded_unlock(lock);
    free(path);
    return code;
}

/* ---- versions ---- */

static enum weir_code read_versions(void *versions, const char *text,
                                    size_t len, struct weir_err *err)
{
    return weir_trust_versions_read(versions, text, len, err);
}

static enum weir_code load_versions(const char *path,
                                    struct weir_trust_versions *out,
                                    struct weir_err *err)
{
    enum weir_code code =
        weir_trust_versions_init(out, path ? path : nowhere, err);

    if (code == WEIR_OK) {
        code = load_own(path, read_versions, out, err);
        if (code)
            weir_trust_versions_fini(out);
    }
    return code;
}

static enum weir_code save_versions(const struct weir_trust_versions *versions,
                                    const char *path, struct weir_err *err)
{
    struct weir_buf text;

    weir_buf_init(&text, WEIR_TRUST_FILE_MAX);
    return save_own(path, &text,
                    weir_trust_versions_write(versions, &text, err), err);
}

/* ---- all ---- */

enum weir_code host_trust_load(struct weir_trust *out, struct weir_err *err)
{
    struct weir_trust trust = {.n_policies = 0};
    char *path = host_folders_state("versions.json");
    enum weir_code code = add_policies(&trust, err);

    if (code == WEIR_OK)
        code = host_trust_load_store(&trust.store, err);
    if (code == WEIR_OK)
        code = load_versions(path, &trust.versions, err);
    free(path);
    if (code)
        weir_trust_fini(&trust);
    else
        *out = trust;
    return code;
}

/* ---- what is about to run ---- */

static enum weir_code judge_again(struct weir_trust *trust,
                                  const struct weir_trust_signer *signer,
                                  const struct weir_trust_facts *facts,
                                  int64_t now, struct weir_err *err)
{
    bool changed = false;
    enum weir_code code = weir_trust_still(trust, signer, now, err);

    if (code == WEIR_OK)
        code = weir_trust_decide(trust, signer, facts, now, err);
    if (code == WEIR_OK)
        code = weir_trust_remember(&trust->versions, signer, facts, now,
                                   &changed, err);
    if (code == WEIR_OK && changed)
        code = save_versions(&trust->versions, trust->versions.file, err);
    return code;
}

enum weir_code host_trust_admit(const struct weir_trust_signer *signer,
                                const struct weir_trust_facts *facts,
                                int64_t now, struct weir_err *err)
{
    char *path = host_folders_state("versions.json");
    struct weir_trust trust;
    int lock = -1;
    enum weir_code code = WEIR_OK;

    /* Of others no version is remembered. */
    if (signer->standing == WEIR_TRUST_TRUSTED)
        code = path ? host_guarded_lock(path, &lock, err)
                    : no_folder("the versions that have run", err);
    if (code == WEIR_OK)
        code = host_trust_load(&trust, err);
    if (code == WEIR_OK) {
        code = judge_again(&trust, signer, facts, now, err);
        weir_trust_fini(&trust);
    }
    host_guarded_unlock(lock);
    free(path);
    return code;
}
