/* ed25519, and what else minisign's files stand on: scrypt, BLAKE2b, base64. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "../../src/core/base64.h"
#include "../../src/core/blake2b.h"
#include "../../src/core/ed25519.h"
#include "../../src/core/scrypt.h"
#include "weir/hash.h"

/* RFC 8032 section 7.1, all of it. */
static const struct {
    const char *name, *seed, *key, *text, *signature;
} vectors[] = {
    {"TEST 1",
     "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
     "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
    {"TEST 2",
     "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
     "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"TEST 3",
     "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
     "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
    {"TEST 1024",
     "f5e5767cf153319517630f226876b86c8160cc583bc013744c6bf255f5cc0ee5",
     "278117fc144c72340f67d0f2316e8386ceffbf2b2428c9c51fef7c597f1d426e",
     "08b8b2b733424243760fe426a4b54908632110a66c2f6591eabd3345e3e4eb98"
     "fa6e264bf09efe12ee50f8f54e9f77b1e355f6c50544e23fb1433ddf73be84d8"
     "79de7c0046dc4996d9e773f4bc9efe5738829adb26c81b37c93a1b270b20329d"
     "658675fc6ea534e0810a4432826bf58c941efb65d57a338bbd2e26640f89ffbc"
     "1a858efcb8550ee3a5e1998bd177e93a7363c344fe6b199ee5d02e82d522c4fe"
     "ba15452f80288a821a579116ec6dad2b3b310da903401aa62100ab5d1a36553e"
     "06203b33890cc9b832f79ef80560ccb9a39ce767967ed628c6ad573cb116dbef"
     "efd75499da96bd68a8a97b928a8bbc103b6621fcde2beca1231d206be6cd9ec7"
     "aff6f6c94fcd7204ed3455c68c83f4a41da4af2b74ef5c53f1d8ac70bdcb7ed1"
     "85ce81bd84359d44254d95629e9855a94a7c1958d1f8ada5d0532ed8a5aa3fb2"
     "d17ba70eb6248e594e1a2297acbbb39d502f1a8c6eb6f1ce22b3de1a1f40cc24"
     "554119a831a9aad6079cad88425de6bde1a9187ebb6092cf67bf2b13fd65f270"
     "88d78b7e883c8759d2c4f5c65adb7553878ad575f9fad878e80a0c9ba63bcbcc"
     "2732e69485bbc9c90bfbd62481d9089beccf80cfe2df16a2cf65bd92dd597b07"
     "07e0917af48bbb75fed413d238f5555a7a569d80c3414a8d0859dc65a46128ba"
     "b27af87a71314f318c782b23ebfe808b82b0ce26401d2e22f04d83d1255dc51a"
     "ddd3b75a2b1ae0784504df543af8969be3ea7082ff7fc9888c144da2af58429e"
     "c96031dbcad3dad9af0dcbaaaf268cb8fcffead94f3c7ca495e056a9b47acdb7"
     "51fb73e666c6c655ade8297297d07ad1ba5e43f1bca32301651339e22904cc8c"
     "42f58c30c04aafdb038dda0847dd988dcda6f3bfd15c4b4c4525004aa06eeff8"
     "ca61783aacec57fb3d1f92b0fe2fd1a85f6724517b65e614ad6808d6f6ee34df"
     "f7310fdc82aebfd904b01e1dc54b2927094b2db68d6f903b68401adebf5a7e08"
     "d78ff4ef5d63653a65040cf9bfd4aca7984a74d37145986780fc0b16ac451649"
     "de6188a7dbdf191f64b5fc5e2ab47b57f7f7276cd419c17a3ca8e1b939ae49e4"
     "88acba6b965610b5480109c8b17b80e1b7b750dfc7598d5d5011fd2dcc5600a3"
     "2ef5b52a1ecc820e308aa342721aac0943bf6686b64b2579376504ccc493d97e"
     "6aed3fb0f9cd71a43dd497f01f17c0e2cb3797aa2a2f256656168e6c496afc5f"
     "b93246f6b1116398a346f1a641f3b041e989f7914f90cc2c7fff357876e506b5"
     "0d334ba77c225bc307ba537152f3f1610e4eafe595f6d9d90d11faa933a15ef1"
     "369546868a7f3a45a96768d40fd9d03412c091c6315cf4fde7cb68606937380d"
     "b2eaaa707b4c4185c32eddcdd306705e4dc1ffc872eeee475a64dfac86aba41c"
     "0618983f8741c5ef68d3a101e8a3b8cac60c905c15fc910840b94c00a0b9d0",
     "0aab4c900501b3e24d7cdf4663326a3a87df5e4843b2cbdb67cbf6e460fec350"
     "aa5371b1508f9f4528ecea23c436d94b5e8fcd4f681e30a6ac00a9704a188a03"},
    {"TEST SHA(abc)",
     "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
     "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
     "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
     "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
     "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704"},
};
enum { VECTORS = sizeof(vectors) / sizeof(*vectors) };

/* Returns how many bytes. */
static size_t unhex(const char *hex, unsigned char *out)
{
    size_t n = strlen(hex) / 2;

    for (size_t i = 0; i < n; i++) {
        static const char digits[] = "0123456789abcdef";

        out[i] = (unsigned char)((strchr(digits, hex[2 * i]) - digits) * 16 +
                                 (strchr(digits, hex[2 * i + 1]) - digits));
    }
    return n;
}

static bool verifies(const unsigned char *key, const void *bytes, size_t len,
                     const unsigned char *signature)
{
    bool good = true;

    assert_int_equal(
        weir_ed25519_verify(key, bytes, len, signature, &good, NULL), WEIR_OK);
    return good;
}

/* ---- Ed25519 ---- */

static void any_changed_bit_is_found(void **state)
{
    unsigned char key[32], text[1024], signature[64];

    (void)state;
    for (int v = 0; v < VECTORS; v++) {
        size_t len = unhex(vectors[v].text, text);

        unhex(vectors[v].key, key);
        unhex(vectors[v].signature, signature);
        /* Each bit once; which of them with which text is no matter. */
        for (size_t bit = (size_t)v; bit < 8 * sizeof(signature);
             bit += VECTORS) {
            signature[bit / 8] ^= (unsigned char)(1U << bit % 8);
            assert_false(verifies(key, text, len, signature));
            signature[bit / 8] ^= (unsigned char)(1U << bit % 8);
        }
        for (size_t bit = 0; bit < 8 * len; bit += 53) {
            text[bit / 8] ^= (unsigned char)(1U << bit % 8);
            assert_false(verifies(key, text, len, signature));
            text[bit / 8] ^= (unsigned char)(1U << bit % 8);
        }
        if (len > 0)
            assert_false(verifies(key, text, len - 1, signature));
        assert_true(verifies(key, text, len, signature));
    }
}

/* RFC 8032 section 5.1.7: S + L would be a second signature of the same. */
static void a_second_spelling_is_refused(void **state)
{
    static const char order[] =
        "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
    unsigned char key[32], signature[64], l[32];
    unsigned carry = 0;

    (void)state;
    unhex(vectors[0].key, key);
    unhex(vectors[0].signature, signature);
    unhex(order, l);
    for (int i = 0; i < 32; i++) {
        carry += (unsigned)signature[32 + i] + l[i];
        signature[32 + i] = (unsigned char)carry;
        carry >>= 8;
    }
    assert_int_equal(carry, 0);
    assert_false(verifies(key, "", 0, signature));
}

/* For the neutral element, R neutral and S 0 "sign" everything. */
static void a_weak_key_signs_nothing(void **state)
{
    unsigned char key[32] = {1}, signature[64] = {1};

    (void)state;
    assert_true(weir_ed25519_is_weak(key));
    assert_false(verifies(key, "anything", 8, signature));
    key[31] = 0x80;
    assert_true(weir_ed25519_is_weak(key));
    assert_false(verifies(key, "anything", 8, signature));
    for (int v = 0; v < VECTORS; v++) {
        unhex(vectors[v].key, key);
        assert_false(weir_ed25519_is_weak(key));
    }
    /* No point at all (RFC 8032 section 5.1.3 has no square root for it). */
    memset(key, 0, sizeof(key));
    key[0] = 2;
    assert_false(weir_ed25519_is_weak(key));
    assert_false(verifies(key, "anything", 8, signature));
}

static void the_vectors_of_the_rfc(void **state)
{
    (void)state;
    for (int v = 0; v < VECTORS; v++) {
        unsigned char seed[32], key[32], text[1024], signature[64];
        unsigned char made_key[32], made[64];
        size_t len = unhex(vectors[v].text, text);

        assert_int_equal(unhex(vectors[v].seed, seed), 32);
        assert_int_equal(unhex(vectors[v].key, key), 32);
        assert_int_equal(unhex(vectors[v].signature, signature), 64);
        assert_int_equal(weir_ed25519_public(seed, made_key, NULL), WEIR_OK);
        assert_memory_equal(made_key, key, 32);
        assert_int_equal(weir_ed25519_sign(seed, text, len, made, NULL),
                         WEIR_OK);
        assert_memory_equal(made, signature, 64);
        assert_true(verifies(key, text, len, signature));
    }
    assert_int_equal(strlen(vectors[3].text), 2 * 1023);
}

/* ---- scrypt ---- */

static struct weir_scrypt_cost cost(uint64_t operations, uint64_t memory)
{
    return (struct weir_scrypt_cost){operations, memory};
}

static void what_costs_too_much_is_refused(void **state)
{
    const uint64_t gib = (uint64_t)1 << 30;
    struct weir_err err = WEIR_ERR_INIT;
    unsigned char out[16] = {0};

    (void)state;
    assert_int_equal(weir_scrypt_check(cost(UINT64_MAX, UINT64_MAX), &err),
                     WEIR_LIMIT);
    assert_non_null(strstr(err.message, "MiB of memory; the ceiling is 1024"));
    assert_int_equal(weir_scrypt_check(cost(UINT64_MAX, 0), &err), WEIR_LIMIT);
    assert_non_null(strstr(err.message, "more than twice the work"));
    assert_int_equal(weir_scrypt_check(cost(33554432, 2 * gib), NULL), WEIR_OK);
    assert_int_equal(weir_scrypt_check(cost(67108864, 2 * gib), NULL),
                     WEIR_LIMIT);
    assert_int_equal(weir_scrypt_check(cost(67108864, gib), NULL), WEIR_OK);
    assert_int_equal(weir_scrypt_check(cost(100663296, gib), NULL), WEIR_LIMIT);
    assert_int_equal(weir_scrypt_check(cost(33554432, gib), NULL), WEIR_OK);
    assert_int_equal(
        weir_scrypt("", 0, out, 16, cost(1, UINT64_MAX), out, 16, NULL),
        WEIR_OK); /* few operations bound the memory too */
    assert_int_equal(
        weir_scrypt("", 0, out, 16, cost(UINT64_MAX, gib), out, 16, NULL),
        WEIR_LIMIT);
    weir_err_clear(&err);
}

/* RFC 7914 section 12: those with r = 8, N and p spelled as libsodium does. */
static void the_vectors_of_scrypt(void **state)
{
    static const struct {
        const char *password, *salt, *key;
        struct weir_scrypt_cost cost;
    } known[] = {
        {"password",
         "NaCl",
         "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
         "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640",
         {524288, 1048576}},
        {"pleaseletmein",
         "SodiumChloride",
         "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
         "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887",
         {524288, 16777216}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        unsigned char key[64], expected[64];

        unhex(known[i].key, expected);
        assert_int_equal(weir_scrypt(known[i].password,
                                     strlen(known[i].password),
                                     (const unsigned char *)known[i].salt,
                                     strlen(known[i].salt), known[i].cost, key,
                                     sizeof(key), NULL),
                         WEIR_OK);
        assert_memory_equal(key, expected, sizeof(key));
    }
}

/* ---- BLAKE2b ---- */

static void blake2b_agrees_with_libcrypto(void **state)
{
    unsigned char text[1025], ours[64], theirs[64];

    (void)state;
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (unsigned char)(i * 131);
    for (size_t len = 0; len <= sizeof(text); len++) {
        weir_blake2b(text, len, ours, sizeof(ours));
        assert_int_equal(
            weir_hash_of(WEIR_HASH_BLAKE2B512, text, len, theirs, NULL),
            WEIR_OK);
        assert_memory_equal(ours, theirs, sizeof(ours));
    }
    weir_blake2b("abc", 3, ours, 32);
    unhex("bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319",
          theirs);
    assert_memory_equal(ours, theirs, 32);
}

/* ---- base64 ---- */

static void base64_has_one_spelling(void **state)
{
    static const struct {
        const char *text, *said;
        size_t want;
    } bad[] = {
        {"", "is 0 characters, not 4", 1},
        {"QQ=", "is 3 characters, not 4", 1},
        {"QQ==\n", "is 5 characters, not 4", 1},
        {"QR==", "bits after the last byte", 1},
        {"QUJ=", "bits after the last byte", 2},
        {"Q===", "is not base64 at character 2", 1},
        {"QQ=Q", "where the padding '=' stands", 1},
        {"QUJDRA", "is 6 characters, not 8", 4},
        {"Q-JD", "is not base64 at character 2", 3},
        {"QU D", "is not base64 at character 3", 3},
        {"\xC3\xA4JD", "is not base64 at character 1", 3},
    };
    unsigned char out[64];
    struct weir_err err = WEIR_ERR_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_int_equal(weir_base64_decode(bad[i].text, strlen(bad[i].text),
                                            out, bad[i].want, &err),
                         WEIR_SYNTAX);
        if (!strstr(err.message, bad[i].said))
            fail_msg("'%s': %s", bad[i].text, err.message);
    }
    /* RFC 4648 section 10. */
    for (size_t len = 0; len <= 6; len++) {
        static const char *const texts[] = {
            "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
        char text[8];

        assert_int_equal(
            weir_base64_encode((const unsigned char *)"foobar", len, text),
            strlen(texts[len]));
        assert_memory_equal(text, texts[len], strlen(texts[len]));
        assert_int_equal(
            weir_base64_decode(text, strlen(texts[len]), out, len, NULL),
            WEIR_OK);
        assert_memory_equal(out, "foobar", len);
    }
    for (unsigned c = 0; c < 256; c++) {
        char text[4] = {(char)c, 'A', 'A', 'A'};
        bool digit = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                     (c >= '0' && c <= '9') || c == '+' || c == '/';

        assert_int_equal(weir_base64_decode(text, 4, out, 3, NULL),
                         digit ? WEIR_OK : WEIR_SYNTAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_changed_bit_is_found),
        cmocka_unit_test(a_second_spelling_is_refused),
        cmocka_unit_test(a_weak_key_signs_nothing),
        cmocka_unit_test(the_vectors_of_the_rfc),
        cmocka_unit_test(what_costs_too_much_is_refused),
        cmocka_unit_test(the_vectors_of_scrypt),
        cmocka_unit_test(blake2b_agrees_with_libcrypto),
        cmocka_unit_test(base64_has_one_spelling),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
