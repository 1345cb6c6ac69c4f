#include "weir/hash.h"

#include <stdbool.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/evp.h>

struct weir_hash {
    EVP_MD_CTX *context;
    bool ended;
};

static const struct {
    const char *name;
    const EVP_MD *(*of)(void);
    size_t size;
} kinds[] = {
    [WEIR_HASH_SHA256] = {"SHA-256", EVP_sha256, WEIR_HASH_SHA256_SIZE},
    [WEIR_HASH_BLAKE2B512] = {"BLAKE2b-512", EVP_blake2b512,
                              WEIR_HASH_MAX_SIZE},
};

/* libcrypto tells a lack of memory only through its queue of errors, which is
 * emptied here so that libcurl does not find ours in it. */
static enum weir_code refused(enum weir_hash_kind kind, struct weir_err *err)
{
    bool memory = ERR_GET_REASON(ERR_peek_error()) == ERR_R_MALLOC_FAILURE;

    ERR_clear_error();
    if (memory)
        return weir_err_nomem(err);
    weir_err_set(err, WEIR_CONFIG, "this machine's libcrypto offers no %s",
                 kinds[kind].name);
    weir_err_hint(err, "its configuration (openssl.cnf, OPENSSL_CONF) may "
                       "have taken the default provider out");
    return WEIR_CONFIG;
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
    unsigned char digest[WEIR_HASH_MAX_SIZE];
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
    hash->context = EVP_MD_CTX_new();
    if (!hash->context) {
        free(hash);
        ERR_clear_error();
        return weir_err_nomem(err);
    }
    if (EVP_DigestInit_ex(hash->context, kinds[kind].of(), NULL) != 1) {
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
    if (len > 0 && EVP_DigestUpdate(hash->context, bytes, len) != 1) {
        ERR_clear_error();
        return weir_err_nomem(err);
    }
    return WEIR_OK;
}

enum weir_code weir_hash_end(struct weir_hash *hash, unsigned char *out,
                             struct weir_err *err)
{
    if (hash->ended)
        return weir_err_set(err, WEIR_INVALID, "this hash has ended before");
    if (EVP_DigestFinal_ex(hash->context, out, NULL) != 1) {
        ERR_clear_error();
        return weir_err_nomem(err);
    }
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
