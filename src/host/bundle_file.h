/*
 * bundle_file: a bundle from its path to what can be run, and whose it is.
 *
 * The file is opened once.  Its signature is judged before anything of it is
 * parsed (weir/trust.h): what a signature that does not fit, a revoked key or
 * a policy forbids is not read further.
 */
#ifndef HOST_BUNDLE_FILE_H
#define HOST_BUNDLE_FILE_H

#include <stdbool.h>
#include <stdio.h>

#include "weir/bundle.h"
#include "weir/permissions.h"
#include "weir/trust.h"

struct host_bundle {
    struct weir_bundle *bundle; /* unpacked */
    struct weir_permissions *needs;
    struct weir_trust_signer signer;
    /* Why it would not run here, or ""; only where it was to be looked at. */
    char problem[768];
};

struct host_bundle_asked {
    bool must; /* be a bundle: else *out is NULL for another file */
    bool require_signature; /* of a trusted key */
    /* It will not be run: what is in the way is its `problem`, unless that is
     * the file itself or a signature that is not good. */
    bool look_only;
    bool own; /* this program's own file; `path` is not used */
};

/* Opens the file at `path`.  WEIR_OK, and *out is its bundle (free it with
 * host_bundle_free), or NULL if it is none and need not be one; else why
 * not. */
enum weir_code host_bundle_open(const char *path,
                                const struct host_bundle_asked *asked,
                                struct host_bundle **out, struct weir_err *err);
/* Whether a bundle stands behind this program's own bytes. */
bool host_bundle_is_own(void);
/* NULL is allowed. */
void host_bundle_free(struct host_bundle *bundle);

/* Whether it may still run, after somebody was asked (host_trust_admit); its
 * version then counts as one that has run. */
enum weir_code host_bundle_admit(const struct host_bundle *bundle,
                                 struct weir_err *err);

/* "signed by ops (key 0123456789ABCDEF), which is trusted here" */
const char *host_bundle_signed_words(const struct host_bundle *bundle,
                                     char *out, size_t size);

/* All that is known of it, as JSON; NULL without memory. */
struct weir_json *host_bundle_json(const struct host_bundle *bundle);

#endif
