/*
 * hash: SHA-256 (FIPS 180-4) and BLAKE2b-512 (RFC 7693), at once or in parts.
 */
#ifndef WEIR_HASH_H
#define WEIR_HASH_H

#include <stddef.h>

#include "weir/err.h"

enum weir_hash_kind {
    WEIR_HASH_SHA256,    /* 32 bytes */
    WEIR_HASH_BLAKE2B512 /* 64 bytes, without a key */
};

#define WEIR_HASH_SHA256_SIZE ((size_t)32)
#define WEIR_HASH_MAX_SIZE    ((size_t)64) /* of any kind's digest */
/* Room for any kind's digest in hexadecimal, with its NUL. */
#define WEIR_HASH_HEX_SIZE (2 * WEIR_HASH_MAX_SIZE + 1)

/* Bytes of a digest of that kind. */
size_t weir_hash_size(enum weir_hash_kind kind);

/* The digest of `len` bytes (NULL if `len` is 0) into `out`, which has
 * weir_hash_size(kind) bytes.  WEIR_OK; WEIR_NOMEM; WEIR_CONFIG if the
 * machine's libcrypto does not offer the kind. */
enum weir_code weir_hash_of(enum weir_hash_kind kind, const void *bytes,
                            size_t len, unsigned char *out,
                            struct weir_err *err);
/* The same in lowercase hexadecimal, NUL-terminated: `out` has
 * WEIR_HASH_HEX_SIZE bytes, or 2 * weir_hash_size(kind) + 1. */
enum weir_code weir_hash_hex_of(enum weir_hash_kind kind, const void *bytes,
                                size_t len, char *out, struct weir_err *err);

/* In parts: new, any number of adds, one end, free. */
struct weir_hash;
/* WEIR_OK, WEIR_NOMEM or WEIR_CONFIG, as weir_hash_of. */
enum weir_code weir_hash_new(enum weir_hash_kind kind, struct weir_hash **out,
                             struct weir_err *err);
/* WEIR_OK; WEIR_INVALID after the end; WEIR_NOMEM. */
enum weir_code weir_hash_add(struct weir_hash *hash, const void *bytes,
                             size_t len, struct weir_err *err);
/* The digest of all that was added, into `out` of weir_hash_size(kind) bytes.
 * WEIR_OK; WEIR_INVALID the second time; WEIR_NOMEM. */
enum weir_code weir_hash_end(struct weir_hash *hash, unsigned char *out,
                             struct weir_err *err);
/* NULL is allowed. */
void weir_hash_free(struct weir_hash *hash);

/* Writes `len` bytes as 2 * len lowercase hexadecimal digits and a NUL. */
void weir_hash_hex(const unsigned char *bytes, size_t len, char *out);

#endif
