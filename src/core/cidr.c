#include "cidr.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

static const unsigned char mapped[12] = {0, 0, 0, 0, 0,   0,
                                         0, 0, 0, 0, 255, 255};

/* inet_pton takes four decimal numbers without leading zeros, or RFC 4291
 * text without a zone: nothing of inet_aton's 0x0a.1. */
static size_t read_address(const char *text, size_t len, unsigned char out[16])
{
    char copy[INET6_ADDRSTRLEN];

    if (len >= sizeof(copy) || memchr(text, '\0', len))
        return 0;
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (inet_pton(AF_INET, copy, out) == 1)
        return 4;
    if (inet_pton(AF_INET6, copy, out) == 1)
        return 16;
    return 0;
}

/* One to three digits without a leading zero, or -1. */
static int read_bits(const char *text, size_t len)
{
    int bits = 0;

    if (len < 1 || len > 3 || (len > 1 && text[0] == '0'))
        return -1;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        bits = bits * 10 + (text[i] - '0');
    }
    return bits;
}

/* Clears the bits after the prefix; true if one of them was set. */
static bool clear_host_bits(struct weir_cidr *block)
{
    bool found = false;

    for (size_t i = 0; i < block->size; i++) {
        unsigned kept = block->bits > 8 * i ? block->bits - 8 * (unsigned)i : 0;
        unsigned char mask =
            kept >= 8 ? 0xff : (unsigned char)(0xff00u >> kept);

        found |= (block->bytes[i] & ~mask) != 0;
        block->bytes[i] &= mask;
    }
    return found;
}

static void unmap(struct weir_cidr *block)
{
    if (block->size != 16 || block->bits < 96 ||
        memcmp(block->bytes, mapped, sizeof(mapped)) != 0)
        return;
    memmove(block->bytes, block->bytes + 12, 4);
    memset(block->bytes + 4, 0, 12);
    block->size = 4;
    block->bits -= 96;
}

static void hint_block(const struct weir_cidr *block, struct weir_err *err)
{
    char address[INET6_ADDRSTRLEN];

    if (inet_ntop(block->size == 4 ? AF_INET : AF_INET6, block->bytes, address,
                  sizeof(address)))
        weir_err_hint(err, "did you mean '%s/%u'?", address, block->bits);
}

static enum weir_code no_block(struct weir_err *err)
{
    enum weir_code code =
        weir_err_set(err, WEIR_SYNTAX, "not a block of IPv4 or IPv6 addresses");

    weir_err_hint(err, "write it as 10.0.0.0/8 or 2001:db8::/32");
    return code;
}

enum weir_code weir_cidr_parse(const char *text, size_t len,
                               struct weir_cidr *out, struct weir_err *err)
{
    const char *slash = memchr(text, '/', len);
    size_t address_len = slash ? (size_t)(slash - text) : len;
    struct weir_cidr block = {0};
    int bits;

    block.size = read_address(text, address_len, block.bytes);
    if (block.size == 0)
        return no_block(err);
    block.bits = (unsigned)block.size * 8;
    if (!slash) {
        weir_err_set(err, WEIR_SYNTAX, "an address without the block's length");
        hint_block(&block, err);
        return WEIR_SYNTAX;
    }
    bits = read_bits(slash + 1, len - address_len - 1);
    if (bits < 0 || bits > (int)block.bits) {
        weir_err_set(err, WEIR_SYNTAX,
                     "the length after the slash must be 0 to %u", block.bits);
        return WEIR_SYNTAX;
    }
    block.bits = (unsigned)bits;
    if (clear_host_bits(&block)) {
        weir_err_set(err, WEIR_INVALID,
                     "the address has bits set beyond the first %u",
                     block.bits);
        hint_block(&block, err);
        return WEIR_INVALID;
    }
    unmap(&block);
    *out = block;
    return WEIR_OK;
}

bool weir_cidr_contains(const struct weir_cidr *block, const char *text,
                        size_t len)
{
    struct weir_cidr one = {0};

    one.size = read_address(text, len, one.bytes);
    if (one.size == 0)
        return false;
    one.bits = (unsigned)one.size * 8;
    unmap(&one);
    if (one.size != block->size)
        return false;
    one.bits = block->bits;
    clear_host_bits(&one);
    return memcmp(one.bytes, block->bytes, one.size) == 0;
}
