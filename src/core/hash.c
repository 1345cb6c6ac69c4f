#include "weir/hash.h"

#include <stdbool.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "libcrypto.h"

struct weir_hash {
    EVP_MD_CTX *context;
    enum weir_hash_kind kind;
    bool ended;
};

static bool offers(const char *name)
{
    EVP_MD *found = EVP_MD_fetch(NULL, name, NULL);

    EVP_MD_free(found);
    return found != NULL;
}

static bool offers_sha256(void)
{
    return offers("SHA2-256");
}

static bool offers_blake2b512(void)
{
    return offers("BLAKE2B-512");
}

static const struct {
    const char *name;
    const EVP_MD *(*of)(void);
    size_t size;
    bool (*offered)(void);
} kinds[] = {
    [WEIR_HASH_SHA256] = {"SHA-256", EVP_sha256, WEIR_HASH_SHA256_SIZE,
                          offers_sha256},
    [WEIR_HASH_BLAKE2B512] = {"BLAKE2b-512", EVP_blake2b512, WEIR_HASH_MAX_SIZE,
                              offers_blake2b512},
};

static enum weir_code refused(enum weir_hash_kind kind, struct weir_err *err)
{
    return weir_libcrypto_refused(kinds[kind].name, kinds[kind].offered, err);
}

size_t weir_hash_size(enum weir_hash_kind kind)
{
    return kinds[kind].size;
}

enum weir_code weir_hash_of(enum weir_hash_kind kind, const void *bytes,
                            size_t len, unsigned char *out,
                            struct weir_err *err)
{
    /* Into memory of its own, since results are untouched on failure. */
    unsigned char digest[WEIR_HASH_MAX_SIZE];

    if (EVP_Digest(bytes, len, digest, NULL, kinds[kind].of(), NULL) != 1)
        return refused(kind, err);
    for (size_t i = 0; i < kinds[kind].size; i++)
        out[i] = digest[i];
    return WEIR_OK;
}

enum weir_code weir_hash_hex_of(enum weir_hash_kind kind, const void *bytes,
                                size_t len, char *out, struct weir_err *err)
{
    unsigned char digest[WEIR_HASH_MAX_SIZE] = {0};
    enum weir_code code = weir_hash_of(kind, bytes, len, digest, err);

    if (code == WEIR_OK)
        weir_hash_hex(digest, kinds[kind].size, out);
    return code;
}

enum weir_code weir_hash_new(enum weir_hash_kind kind, struct weir_hash **out,
                             struct weir_err *err)
{
    struct weir_hash *hash = calloc(1, sizeof(*hash));

    if (!hash)
        return weir_err_nomem(err);
    hash->kind = kind;
    hash->context = EVP_MD_CTX_new();
    if (!hash->context ||
        EVP_DigestInit_ex(hash->context, kinds[kind].of(), NULL) != 1) {
        weir_hash_free(hash);
        return refused(kind, err);
    }
    *out = hash;
    return WEIR_OK;
}

enum weir_code weir_hash_add(struct weir_hash *hash, const void *bytes,
                             size_t len, struct weir_err *err)
{
    if (hash->ended)
        return weir_err_set(err, WEIR_INVALID,
                            "nothing can be added to a hash that has ended");
    if (len > 0 && EVP_DigestUpdate(hash->context, bytes, len) != 1)
        return refused(hash->kind, err);
    return WEIR_OK;
}

enum weir_code weir_hash_end(struct weir_hash *hash, unsigned char *out,
                             struct weir_err *err)
{
    if (hash->ended)
        return weir_err_set(err, WEIR_INVALID, "this hash has ended before");
    if (EVP_DigestFinal_ex(hash->context, out, NULL) != 1)
        return refused(hash->kind, err);
    hash->ended = true;
    return WEIR_OK;
}

void weir_hash_free(struct weir_hash *hash)
{
    if (!hash)
        return;
    EVP_MD_CTX_free(hash->context);
    free(hash);
}

void weir_hash_hex(const unsigned char *bytes, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * len] = '\0';
}
