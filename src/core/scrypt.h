/*
 * scrypt: RFC 7914 over libcrypto, with the cost given as libsodium gives it
 * (crypto_pwhash_scryptsalsa208sha256: operations and bytes).
 */
#ifndef WEIR_SCRYPT_H
#define WEIR_SCRYPT_H

#include <stddef.h>
#include <stdint.h>

#include "weir/err.h"

struct weir_scrypt_cost {
    uint64_t operations, memory; /* libsodium's opslimit and memlimit */
};

/* What a file may ask of this machine: 1 GiB, and twice the time that
 * libsodium's "sensitive" (minisign's own choice) takes. */
#define WEIR_SCRYPT_MEMORY_MAX ((uint64_t)1 << 30)

/* WEIR_OK, or WEIR_LIMIT over the ceilings. */
enum weir_code weir_scrypt_check(struct weir_scrypt_cost cost,
                                 struct weir_err *err);

/* Derives `size` bytes.  WEIR_OK; weir_scrypt_check's; WEIR_NOMEM, whose
 * message says how much was asked for; WEIR_CONFIG if the machine's libcrypto
 * offers no scrypt. */
enum weir_code weir_scrypt(const char *password, size_t password_len,
                           const unsigned char *salt, size_t salt_len,
                           struct weir_scrypt_cost cost, unsigned char *out,
                           size_t size, struct weir_err *err);

#endif
