/* ed25519: RFC 8032 section 5.1, over libcrypto. */
#ifndef WEIR_ED25519_H
#define WEIR_ED25519_H

#include <stdbool.h>
#include <stddef.h>

#include "weir/err.h"

#define WEIR_ED25519_SEED      ((size_t)32)
#define WEIR_ED25519_KEY       ((size_t)32)
#define WEIR_ED25519_SIGNATURE ((size_t)64)

/* The public key of a seed (the RFC's private key).  WEIR_OK; WEIR_NOMEM;
 * WEIR_CONFIG if the machine's libcrypto offers no Ed25519, and so for the
 * two below. */
enum weir_code weir_ed25519_public(const unsigned char *seed,
                                   unsigned char *key, struct weir_err *err);

enum weir_code weir_ed25519_sign(const unsigned char *seed, const void *bytes,
                                 size_t len, unsigned char *signature,
                                 struct weir_err *err);

/* WEIR_OK with the verdict in *good.  A key that is weak verifies nothing. */
enum weir_code weir_ed25519_verify(const unsigned char *key, const void *bytes,
                                   size_t len, const unsigned char *signature,
                                   bool *good, struct weir_err *err);

/* True for the keys of small order: a signature can be made for them that
 * fits many texts at once, by anybody. */
bool weir_ed25519_is_weak(const unsigned char *key);

#endif
