#include "ed25519.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "libcrypto.h"

static bool offered(void)
{
    EVP_SIGNATURE *found = EVP_SIGNATURE_fetch(NULL, "ED25519", NULL);

    EVP_SIGNATURE_free(found);
    return found != NULL;
}

static enum weir_code refused(struct weir_err *err)
{
    return weir_libcrypto_refused("Ed25519", offered, err);
}

enum weir_code weir_ed25519_public(const unsigned char *seed,
                                   unsigned char *key, struct weir_err *err)
{
    EVP_PKEY *pair = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed,
                                                  WEIR_ED25519_SEED);
    unsigned char made[WEIR_ED25519_KEY];
    size_t len = sizeof(made);
    bool done = pair && EVP_PKEY_get_raw_public_key(pair, made, &len) == 1;

    EVP_PKEY_free(pair);
    if (!done)
        return refused(err);
    memcpy(key, made, sizeof(made));
    return WEIR_OK;
}

enum weir_code weir_ed25519_sign(const unsigned char *seed, const void *bytes,
                                 size_t len, unsigned char *signature,
                                 struct weir_err *err)
{
    EVP_PKEY *pair = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed,
                                                  WEIR_ED25519_SEED);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char made[WEIR_ED25519_SIGNATURE];
    size_t made_len = sizeof(made);
    bool done =
        pair && context &&
        EVP_DigestSignInit(context, NULL, NULL, NULL, pair) == 1 &&
        EVP_DigestSign(context, made, &made_len, len ? bytes : made, len) == 1;

    EVP_MD_CTX_free(context);
    EVP_PKEY_free(pair);
    if (!done)
        return refused(err);
    memcpy(signature, made, sizeof(made));
    return WEIR_OK;
}

/* 1: it fits; 0: it does not, or memory was out; negative: it could not be
 * tried. */
static int verify_once(const unsigned char *key, const void *bytes, size_t len,
                       const unsigned char *signature)
{
    EVP_PKEY *pair = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key,
                                                 WEIR_ED25519_KEY);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int verdict = -1;

    if (pair && context &&
        EVP_DigestVerifyInit(context, NULL, NULL, NULL, pair) == 1) {
        ERR_clear_error();
        verdict = EVP_DigestVerify(context, signature, WEIR_ED25519_SIGNATURE,
                                   len ? bytes : key, len) == 1;
        ERR_clear_error();
    }
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(pair);
    return verdict;
}

enum weir_code weir_ed25519_verify(const unsigned char *key, const void *bytes,
                                   size_t len, const unsigned char *signature,
                                   bool *good, struct weir_err *err)
{
    int verdict = 0;

    if (!weir_ed25519_is_weak(key))
        verdict = verify_once(key, bytes, len, signature);
    /* A want of memory in the midst of it looks like "does not fit"; the
     * second time tells them apart. */
    if (verdict == 0 && !weir_ed25519_is_weak(key))
        verdict = verify_once(key, bytes, len, signature);
    if (verdict < 0)
        return refused(err);
    *good = verdict == 1;
    return WEIR_OK;
}

bool weir_ed25519_is_weak(const unsigned char *key)
{
    /* The eight points of small order, sign bit aside, and their spellings
     * that are not reduced; computed from RFC 8032's parameters. */
    static const unsigned char weak[][WEIR_ED25519_KEY] = {
        {0x00},
        {0x01},
        {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
        {0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
        {0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
        {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
         0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
         0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
        {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
         0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
         0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
    };
    unsigned char bare[WEIR_ED25519_KEY];

    memcpy(bare, key, sizeof(bare));
    bare[WEIR_ED25519_KEY - 1] &= 0x7f;
    for (size_t i = 0; i < sizeof(weak) / sizeof(*weak); i++) {
        if (memcmp(bare, weak[i], sizeof(bare)) == 0)
            return true;
    }
    return false;
}
