/*
 * blake2b: RFC 7693, without a key, for digests shorter than 64 bytes.
 *
 * libcrypto 3.0 knows BLAKE2b-512 only, and a shorter digest is not the
 * beginning of it; a minisign key file has a BLAKE2b-256 as its checksum.
 */
#ifndef WEIR_BLAKE2B_H
#define WEIR_BLAKE2B_H

#include <stddef.h>

/* The digest of `len` bytes into `out` of `size` bytes, 1 to 64.  Nothing of
 * the input stays behind on the stack. */
void weir_blake2b(const void *bytes, size_t len, unsigned char *out,
                  size_t size);

#endif
