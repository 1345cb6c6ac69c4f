/*
 * trust: which keys are trusted and which revoked, what the machine demands,
 * and whether a bundle may run.
 *
 * Three kinds of files say it, all JSON, each read strictly: whatever is not
 * understood is an error that names the file and the place, never passed over.
 *
 * The trust store (the user's):
 *   { "keys": [{"name": "release", "id": "C874E8F579771C56", "key": "RW…",
 *               "added": "2026-11-26T18:00:00Z", "expires": "2027-12-31"}],
 *     "revoked": [{"id": "296C0ADDB0C32927", "since": "2026-11-26T18:00:00Z",
 *                  "name": "old", "reason": "laptop lost"}] }
 * "expires", "name" and "reason" may be absent.
 *
 * A policy (the machine's, the user's; each only adds to what is demanded):
 *   { "require_signature": true, "no_downgrade": true,
 *     "keys": [{"name": "release", "key": "RW…", "expires": "2027-12-31"}],
 *     "revoked": [{"id": "296C0ADDB0C32927", "reason": "laptop lost"}] }
 * All may be absent.  With "keys" no other key will do, and whoever they are
 * is trusted without the store; "keys" and "no_downgrade" are refused without
 * "require_signature", since leaving the signature off would get round them.
 *
 * The versions that have run (state):
 *   { "versions": [{"bundle": "rotate", "key": "C874E8F579771C56",
 *                   "version": "1.4.0", "since": "2026-11-26T18:00:00Z"}] }
 *
 * Nothing here reads a file or a clock: texts, names of files for messages
 * and times come in.  Times are seconds since 1970 UTC; 0 is none.
 *
 * Codes of reading: WEIR_SYNTAX, WEIR_VALIDATION, WEIR_LIMIT, WEIR_NOMEM.
 */
#ifndef WEIR_TRUST_H
#define WEIR_TRUST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir/buf.h"
#include "weir/err.h"
#include "weir/json.h"
#include "weir/minisign.h"
#include "weir/semver.h"

/* Bytes of a key's name, which is letters, digits and ". _ @ -", and begins
 * with a letter or a digit. */
#define WEIR_TRUST_NAME_MAX ((size_t)64)
/* Bytes of a reason, which is one line. */
#define WEIR_TRUST_REASON_MAX ((size_t)200)
/* Bytes of any of the files. */
#define WEIR_TRUST_FILE_MAX ((size_t)1 << 20)
/* Keys, and revoked ones, of a file. */
#define WEIR_TRUST_KEYS_MAX ((size_t)1024)
/* Bundles, by their keys, whose versions are remembered. */
#define WEIR_TRUST_VERSIONS_MAX ((size_t)4096)
/* Bytes of a bundle's name. */
#define WEIR_TRUST_BUNDLE_MAX ((size_t)64)

/* ---- keys ---- */

struct weir_trust_key {
    char name[WEIR_TRUST_NAME_MAX + 1];
    struct weir_minisign_public key;
    int64_t added;   /* 0 in a policy */
    int64_t expires; /* the last second in which it is good; 0: never */
};

struct weir_trust_revoked {
    unsigned char id[WEIR_MINISIGN_ID];
    int64_t since;                          /* 0 in a policy */
    char name[WEIR_TRUST_NAME_MAX + 1];     /* as it was known, or "" */
    char reason[WEIR_TRUST_REASON_MAX + 1]; /* or "" */
};

/* Keys and revoked keys of one file. */
struct weir_trust_store {
    char *file; /* its name in messages */
    struct weir_trust_key *keys;
    size_t n_keys;
    struct weir_trust_revoked *revoked;
    size_t n_revoked;
};

/* An empty store.  WEIR_OK, WEIR_NOMEM. */
enum weir_code weir_trust_store_init(struct weir_trust_store *store,
                                     const char *file, struct weir_err *err);
void weir_trust_store_fini(struct weir_trust_store *store);

/* Reads a file into an empty store, which stays empty on failure. */
enum weir_code weir_trust_store_read(struct weir_trust_store *store,
                                     const char *text, size_t len,
                                     struct weir_err *err);
/* The file as a document, and the keys of a policy in the same form; free it
 * with weir_json_free().  NULL without memory. */
struct weir_json *weir_trust_store_json(const struct weir_trust_store *store);
/* Appends the file's text. */
enum weir_code weir_trust_store_write(const struct weir_trust_store *store,
                                      struct weir_buf *out,
                                      struct weir_err *err);

/* Trusts one more key.  WEIR_OK; WEIR_VALIDATION for a bad name, or one
 * that looks like an id; WEIR_CONFLICT if the name or the key is there, or the
 * key is revoked; WEIR_LIMIT. */
enum weir_code weir_trust_store_add(struct weir_trust_store *store,
                                    const struct weir_trust_key *key,
                                    struct weir_err *err);
/* Revokes a key by its name or id, for good: it goes from the trusted ones.
 * An id need not be known.  WEIR_OK; WEIR_NOT_FOUND for a name that is not
 * there, with the nearest; WEIR_CONFLICT if it is revoked already;
 * WEIR_VALIDATION for a bad reason; WEIR_LIMIT. */
enum weir_code weir_trust_store_revoke(struct weir_trust_store *store,
                                       const char *which, const char *reason,
                                       int64_t now,
                                       struct weir_trust_revoked *out,
                                       struct weir_err *err);
/* The trusted key of that name or id.  WEIR_OK; WEIR_NOT_FOUND with the
 * nearest name. */
enum weir_code weir_trust_store_find(const struct weir_trust_store *store,
                                     const char *which,
                                     const struct weir_trust_key **out,
                                     struct weir_err *err);
/* WEIR_OK or WEIR_VALIDATION. */
enum weir_code weir_trust_check_name(const char *name, struct weir_err *err);

/* ---- policies ---- */

struct weir_trust_policy {
    bool require_signature;
    bool no_downgrade;
    bool has_keys;                 /* only these keys will do */
    struct weir_trust_store store; /* its keys, its revoked ones, its file */
};

/* Reads a policy's file.  On success weir_trust_policy_fini() it. */
enum weir_code weir_trust_policy_read(const char *file, const char *text,
                                      size_t len, struct weir_trust_policy *out,
                                      struct weir_err *err);
void weir_trust_policy_fini(struct weir_trust_policy *policy);

/* ---- versions that have run ---- */

struct weir_trust_version {
    char bundle[WEIR_TRUST_BUNDLE_MAX + 1];
    char key[WEIR_MINISIGN_ID_TEXT]; /* the id of who signed it */
    char version[WEIR_SEMVER_MAX + 1];
    int64_t since; /* when it first ran */
};

struct weir_trust_versions {
    char *file;
    struct weir_trust_version *list;
    size_t n;
};

enum weir_code weir_trust_versions_init(struct weir_trust_versions *versions,
                                        const char *file, struct weir_err *err);
void weir_trust_versions_fini(struct weir_trust_versions *versions);
/* Reads a file into an empty list, which stays empty on failure. */
enum weir_code weir_trust_versions_read(struct weir_trust_versions *versions,
                                        const char *text, size_t len,
                                        struct weir_err *err);
enum weir_code
weir_trust_versions_write(const struct weir_trust_versions *versions,
                          struct weir_buf *out, struct weir_err *err);

/* ---- the decision ---- */

#define WEIR_TRUST_POLICIES ((size_t)2)

/* All that is known; made by whoever reads the files. */
struct weir_trust {
    struct weir_trust_store store;
    struct weir_trust_policy policies[WEIR_TRUST_POLICIES]; /* machine first */
    size_t n_policies;
    struct weir_trust_versions versions;
};
void weir_trust_fini(struct weir_trust *trust);

enum weir_trust_standing {
    WEIR_TRUST_UNSIGNED, /* there is no signature */
    WEIR_TRUST_UNKNOWN,  /* signed, by a key that nobody here trusts */
    WEIR_TRUST_TRUSTED   /* signed by a trusted key, and it fits */
};
/* "unsigned", "unknown", "trusted". */
const char *weir_trust_standing_word(enum weir_trust_standing standing);

struct weir_trust_signer {
    enum weir_trust_standing standing;
    char id[WEIR_MINISIGN_ID_TEXT];              /* "" if unsigned */
    char name[WEIR_TRUST_NAME_MAX + 1];          /* of a trusted key, or "" */
    struct weir_minisign_public key;             /* of a trusted key */
    char trusted[WEIR_MINISIGN_TRUSTED_MAX + 1]; /* comment; trusted keys' */
};

/* The first half, before anything of the bytes is understood: may they be
 * looked into at all?  `signature` NULL: there is none.  WEIR_OK with the
 * signer, whose standing may be any that the policies allow; WEIR_AUTH for a
 * signature that does not fit, a key that is revoked or has expired, and what
 * a policy forbids: the message names the rule and its file, the hint says
 * what to do; WEIR_SYNTAX for what is no signature. */
enum weir_code weir_trust_verify(const struct weir_trust *trust,
                                 const void *bytes, size_t len,
                                 const char *signature, size_t signature_len,
                                 int64_t now, struct weir_trust_signer *out,
                                 struct weir_err *err);

/* The same once more of what was verified before, where time has passed since
 * and `trust` was read anew.  WEIR_OK if nothing has changed; else WEIR_AUTH,
 * as above. */
enum weir_code weir_trust_still(const struct weir_trust *trust,
                                const struct weir_trust_signer *signer,
                                int64_t now, struct weir_err *err);

/* What the bundle says of itself. */
struct weir_trust_facts {
    const char *bundle;  /* its name */
    const char *version; /* weir/semver.h */
    int64_t expires;     /* the last second in which it may run; 0: never */
};

/* The second half: the bundle's own expiry, and no version below one that has
 * run, where a policy says so.  WEIR_OK or WEIR_AUTH, as above. */
enum weir_code weir_trust_decide(const struct weir_trust *trust,
                                 const struct weir_trust_signer *signer,
                                 const struct weir_trust_facts *facts,
                                 int64_t now, struct weir_err *err);

/* Remembers that it runs, to be done before it does; the caller writes the
 * versions' file if *changed.  Nothing is changed by a version that is not the
 * highest, nor by a bundle that no trusted key has signed: whoever can give it
 * any name would raise the floor of another's.  WEIR_OK, WEIR_NOMEM,
 * WEIR_LIMIT. */
enum weir_code weir_trust_remember(struct weir_trust_versions *versions,
                                   const struct weir_trust_signer *signer,
                                   const struct weir_trust_facts *facts,
                                   int64_t now, bool *changed,
                                   struct weir_err *err);

#endif
