/* hash: against the standards' own figures, at once and in every cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "weir/hash.h"

static const struct {
    enum weir_hash_kind kind;
    const char *text, *digest;
} known[] = {
    {WEIR_HASH_SHA256, "",
     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    /* FIPS 180-4's examples. */
    {WEIR_HASH_SHA256, "abc",
     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {WEIR_HASH_SHA256,
     "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {WEIR_HASH_BLAKE2B512, "",
     "786a02f742015903c6c6fd852552d272912f4740e15847618a86e217f71f5419"
     "d25e1031afee585313896444934eb04b903a685b1448b755d56f701afe9be2ce"},
    /* RFC 7693 appendix A. */
    {WEIR_HASH_BLAKE2B512, "abc",
     "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
     "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923"},
};

static void what_has_ended_takes_no_more(void **state)
{
    unsigned char digest[WEIR_HASH_MAX_SIZE];
    struct weir_hash *hash;
    struct weir_err err = WEIR_ERR_INIT;

    (void)state;
    assert_int_equal(weir_hash_new(WEIR_HASH_SHA256, &hash, &err), WEIR_OK);
    assert_int_equal(weir_hash_end(hash, digest, &err), WEIR_OK);
    assert_int_equal(weir_hash_add(hash, "x", 1, &err), WEIR_INVALID);
    assert_int_equal(weir_hash_end(hash, digest, &err), WEIR_INVALID);
    weir_hash_free(hash);
    weir_hash_free(NULL);
}

static void known_texts_have_known_digests(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        char hex[WEIR_HASH_HEX_SIZE];

        assert_int_equal(weir_hash_hex_of(known[i].kind, known[i].text,
                                          strlen(known[i].text), hex, NULL),
                         WEIR_OK);
        assert_string_equal(hex, known[i].digest);
        assert_int_equal(strlen(hex), 2 * weir_hash_size(known[i].kind));
    }
    assert_int_equal(weir_hash_size(WEIR_HASH_SHA256), WEIR_HASH_SHA256_SIZE);
}

static void parts_are_the_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        size_t len = strlen(known[i].text);

        for (size_t cut = 0; cut <= len; cut++) {
            unsigned char digest[WEIR_HASH_MAX_SIZE];
            char hex[WEIR_HASH_HEX_SIZE];
            struct weir_hash *hash;

            assert_int_equal(weir_hash_new(known[i].kind, &hash, NULL),
                             WEIR_OK);
            weir_hash_add(hash, known[i].text, cut, NULL);
            weir_hash_add(hash, NULL, 0, NULL);
            weir_hash_add(hash, known[i].text + cut, len - cut, NULL);
            assert_int_equal(weir_hash_end(hash, digest, NULL), WEIR_OK);
            weir_hash_free(hash);
            weir_hash_hex(digest, weir_hash_size(known[i].kind), hex);
            assert_string_equal(hex, known[i].digest);
        }
    }
}

/* FIPS 180-4: a million times "a". */
static void a_long_text_in_uneven_parts(void **state)
{
    unsigned char digest[WEIR_HASH_MAX_SIZE];
    char part[997], hex[WEIR_HASH_HEX_SIZE];
    struct weir_hash *hash;
    size_t left = 1000000;

    (void)state;
    memset(part, 'a', sizeof(part));
    assert_int_equal(weir_hash_new(WEIR_HASH_SHA256, &hash, NULL), WEIR_OK);
    while (left > 0) {
        size_t n = left < sizeof(part) ? left : sizeof(part);

        assert_int_equal(weir_hash_add(hash, part, n, NULL), WEIR_OK);
        left -= n;
    }
    assert_int_equal(weir_hash_end(hash, digest, NULL), WEIR_OK);
    weir_hash_free(hash);
    weir_hash_hex(digest, WEIR_HASH_SHA256_SIZE, hex);
    assert_string_equal(
        hex,
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_has_ended_takes_no_more),
        cmocka_unit_test(known_texts_have_known_digests),
        cmocka_unit_test(parts_are_the_whole),
        cmocka_unit_test(a_long_text_in_uneven_parts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
