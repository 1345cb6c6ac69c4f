/* cidr: blocks of IPv4 and IPv6 addresses (RFC 4632, RFC 4291). */
#ifndef WEIR_CIDR_H
#define WEIR_CIDR_H

#include <stdbool.h>
#include <stddef.h>

#include "weir/err.h"

struct weir_cidr {
    size_t size;             /* bytes of the address: 4 or 16 */
    unsigned bits;           /* of the prefix */
    unsigned char bytes[16]; /* the address, host bits 0 */
};

/* Room for any block as text. */
#define WEIR_CIDR_TEXT 64

/* Reads "10.0.0.0/8" or "2001:db8::/32".  A block of IPv4-mapped addresses
 * (::ffff:10.0.0.0/104) becomes the IPv4 block that it means.  WEIR_OK;
 * WEIR_SYNTAX if it is none; WEIR_INVALID if bits of the host are set.  `err`
 * then says why, and its hint has the block that is right, where there is
 * one. */
enum weir_code weir_cidr_parse(const char *text, size_t len,
                               struct weir_cidr *out, struct weir_err *err);

/* Whether `text` is an address inside the block; IPv4-mapped IPv6 counts as
 * IPv4. */
bool weir_cidr_contains(const struct weir_cidr *block, const char *text,
                        size_t len);

#endif
