/* minisign: every fault of its files by name, then its own files, and ours
 * byte by byte as it writes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/core/minisign_internal.h"
#include "weir/hash.h"

/* Made by minisign 0.11: a key pair without a password, and signatures of
 * "hello\n", prehashed and in the older way. */
#define COMMENT     "untrusted comment: "
#define PUBLIC_WORD "RWRWHHd59eh0yG0AIRWyAa/f1gcedhxR+IIbW9JYYc8pvxQnK59rZFHu"
#define PUBLIC      COMMENT "minisign public key C874E8F579771C56\n" PUBLIC_WORD "\n"
#define SECRET                                                                 \
    COMMENT "minisign encrypted secret key\n"                                  \
            "RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
            "AAAAAAAAVhx3efXodMjyJ9kpIFtuTvIHsNsiKtaMacSTdeM5r5+T9Y62u6mQCm0A" \
            "IRWyAa/f1gcedhxR+IIbW9JYYc8pvxQnK59rZFHuAAAAAAAAAAAAAAAAAAAAAAAA" \
            "AAAAAAAAAAAAAAAAAAA=\n"
#define TEXT    "hello\n"
#define TRUSTED "timestamp:1795713199\tfile:m\thashed"
#define SIGNED                                                                 \
    "RURWHHd59eh0yBqoATB3jSRSfQwtaoU4VWnTLUAmVGaF9sLQtzMyjRobkjz0Oy2qTZ8AoNw+" \
    "iwKth5/bkkdZimET/VbcBvseCQU=\n"
#define GLOBAL                                                                 \
    "ljKVRXUc6+hP9LmoJKb+g/Dvk4vLzGZEQDTJ6P8xS6+JI9wvse4vgWwcBJDEsi+uhPlfE9uo" \
    "KFqW0PutV8Q/BQ==\n"
#define FIRST     COMMENT "signature from minisign secret key\n"
#define SIGNATURE FIRST SIGNED "trusted comment: " TRUSTED "\n" GLOBAL
#define OLDER                                                                  \
    FIRST                                                                      \
    "RWRWHHd59eh0yFmJyHEp6A7UMHo8V0XKH1Jpeirn6xqFZ70EQZpb9lxMML1dTVOIz9sEAl77" \
    "KYrsPwbuvAnlRHRMsZ/D+CQ7sg8=\ntrusted comment: c\n"                       \
    "AvOd88RHcsao+a8xlBnpjMYEVhxKqyw+E0HO16Lt7Ey/x7FvF4wdSwBJgYLBHWyBOEG3FqMu" \
    "Y4pc4F/RSSGvAA==\n"

/* Cheap enough for a test, and no key is kept with it. */
static const struct weir_minisign_cost cheap = {32768, 1048576};

static struct weir_minisign_public the_key(void)
{
    struct weir_minisign_public key;

    assert_int_equal(
        weir_minisign_public_read(PUBLIC, strlen(PUBLIC), &key, NULL), WEIR_OK);
    return key;
}

static struct weir_minisign_secret *the_secret(void)
{
    struct weir_minisign_secret *secret;

    assert_int_equal(weir_minisign_secret_read(SECRET, strlen(SECRET), NULL, 0,
                                               &secret, NULL),
                     WEIR_OK);
    return secret;
}

static struct weir_minisign_signature the_signature(const char *text)
{
    struct weir_minisign_signature signature;
    struct weir_err err = WEIR_ERR_INIT;

    if (weir_minisign_signature_read(text, strlen(text), &signature, &err))
        fail_msg("%s", err.message);
    return signature;
}

/* ---- faults ---- */

struct fault {
    const char *text;
    const char *said; /* in the message or the hint */
};

typedef enum weir_code reader(const char *text, size_t len,
                              struct weir_err *err);

static void refuse_len(reader *read, const char *text, size_t len,
                       const char *said)
{
    struct weir_err err = WEIR_ERR_INIT;

    if (read(text, len, &err) != WEIR_SYNTAX)
        fail_msg("taken: %s", text);
    if (!strstr(err.message, said) && !strstr(err.hint, said))
        fail_msg("%s\nsaid: %s; %s\nnot:  %s", text, err.message, err.hint,
                 said);
    weir_err_clear(&err);
}

static void refuse(reader *read, const struct fault *faults, size_t n)
{
    for (size_t i = 0; i < n; i++)
        refuse_len(read, faults[i].text, strlen(faults[i].text),
                   faults[i].said);
}
#define REFUSE(read, faults)                                                   \
    refuse(read, faults, sizeof(faults) / sizeof(*(faults)))

static enum weir_code read_public(const char *text, size_t len,
                                  struct weir_err *err)
{
    struct weir_minisign_public key = {.id = "before"}, before = key;
    enum weir_code code = weir_minisign_public_read(text, len, &key, err);

    if (code)
        assert_memory_equal(&key, &before, sizeof(key));
    return code;
}

static enum weir_code read_signature(const char *text, size_t len,
                                     struct weir_err *err)
{
    struct weir_minisign_signature signature = {.prehashed = true};
    enum weir_code code =
        weir_minisign_signature_read(text, len, &signature, err);

    if (code)
        assert_string_equal(signature.trusted, "");
    return code;
}

static enum weir_code read_secret(const char *text, size_t len,
                                  struct weir_err *err)
{
    struct weir_minisign_secret *secret = NULL;
    enum weir_code code =
        weir_minisign_secret_read(text, len, "pw", 2, &secret, err);

    weir_minisign_secret_free(secret);
    return code;
}

static void every_fault_of_a_public_key_has_a_name(void **state)
{
    static const struct fault faults[] = {
        {"", "line 1 is missing: \"untrusted comment: …\""},
        {"\n", "line 1 does not begin with \"untrusted comment: \""},
        {"Untrusted comment: x\n" PUBLIC_WORD "\n", "line 1 does not begin"},
        {COMMENT "x", "line 2 is missing: the public key"},
        {COMMENT "x\n", "line 2 is missing: the public key"},
        {COMMENT "\x1b[2J\n" PUBLIC_WORD "\n", "has a control character"},
        {COMMENT "\xff\n" PUBLIC_WORD "\n", "is not UTF-8"},
        {COMMENT "x\r\n" PUBLIC_WORD "\r\n", "Windows line ends"},
        {COMMENT "x\n" PUBLIC_WORD "\n\n", "1 byte after line 2"},
        {PUBLIC_WORD "\nmore", "4 bytes after line 1"},
        {PUBLIC_WORD " ", "line 1, the public key, is 57 characters, not 56"},
        {"RW", "line 1, the public key, is 2 characters, not 56"},
        {"RWRWHHd59eh0yG0AIRWyAa/f1gcedhxR-IIbW9JYYc8pvxQnK59rZFHu",
         "is not base64 at character 33"},
        {COMMENT "x\nRURWHHd59eh0yG0AIRWyAa/f1gcedhxR+IIbW9JYYc8pvxQnK59rZFHu",
         "its algorithm is not \"Ed\""},
        {COMMENT "x\n" SIGNED, "this is a signature's file"},
        {SECRET, "this is a secret key's file"},
        {"RWQAAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
         "weak key (of small order)"},
    };

    (void)state;
    REFUSE(read_public, faults);
    refuse_len(read_public, PUBLIC, strlen(PUBLIC) + 1, "1 byte after line 2");
    refuse_len(read_public, COMMENT "a\0b\n" PUBLIC_WORD, 78,
               "has a control character");
}

static void every_fault_of_a_signature_has_a_name(void **state)
{
    static const struct fault faults[] = {
        {"", "line 1 is missing: \"untrusted comment: …\""},
        {SIGNED, "line 1 does not begin with \"untrusted comment: \""},
        {FIRST, "line 2 is missing: the signature"},
        {FIRST SIGNED, "line 3 is missing: \"trusted comment: …\""},
        {FIRST SIGNED GLOBAL, "line 3 does not begin with \"trusted comment"},
        {FIRST SIGNED "trusted comment: x\n",
         "line 4 is missing: the trusted comment's signature"},
        {FIRST SIGNED "trusted comment: x\nAAAA\n",
         "line 4, the trusted comment's signature, is 4 characters, not 88"},
        {SIGNATURE "\n", "1 byte after line 4"},
        {SIGNATURE SIGNATURE, "after line 4, where it must end"},
        {FIRST SIGNED "trusted comment: a\x1b]0;b\n" GLOBAL,
         "line 3: the comment has a control character"},
        {FIRST SIGNED "trusted comment: a\xc2\x9b\n" GLOBAL,
         "line 3: the comment has a control character"},
        {FIRST SIGNED "trusted comment: a\xc3\n" GLOBAL,
         "line 3: the comment is not UTF-8"},
        {FIRST "RXhWHHd59eh0yBqoATB3jSRSfQwtaoU4VWnTLUAmVGaF9sLQtzMyjRobkjz0Oy2"
               "qTZ8AoNw+iwKth5/bkkdZimET/VbcBvseCQU=\n",
         "neither \"ED\" nor \"Ed\""},
        {PUBLIC, "this is a public key's file"},
    };
    char *text;
    size_t len;

    (void)state;
    REFUSE(read_signature, faults);
    /* One more byte of comment than minisign reads back. */
    for (size_t more = 0; more < 2; more++) {
        len = (size_t)asprintf(&text,
                               FIRST SIGNED "trusted comment: %0*d\n" GLOBAL,
                               (int)(WEIR_MINISIGN_TRUSTED_MAX + more), 0);
        if (more)
            refuse_len(read_signature, text, len, "the comment is too long");
        else
            assert_int_equal(read_signature(text, len, NULL), WEIR_OK);
        free(text);
    }
}

static void a_signature_is_whole_or_none(void **state)
{
    size_t whole = strlen(SIGNATURE);

    (void)state;
    /* The last line end may be missing, as in minisign; nothing else. */
    for (size_t len = 0; len < whole - 1; len++)
        assert_int_equal(read_signature(SIGNATURE, len, NULL), WEIR_SYNTAX);
    assert_int_equal(read_signature(SIGNATURE, whole - 1, NULL), WEIR_OK);
    assert_int_equal(read_signature(SIGNATURE, whole, NULL), WEIR_OK);
}

/* The secret key's file with one byte of its contents set. */
static char *secret_with(size_t at, unsigned char byte)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";
    char *text = strdup(SECRET), *base = strchr(text, '\n') + 1;

    for (unsigned bit = 0; bit < 8; bit++) {
        size_t digit = (at * 8 + bit) / 6, shift = 5 - (at * 8 + bit) % 6;
        unsigned value = (unsigned)(strchr(digits, base[digit]) - digits);

        value &= ~(1U << shift);
        value |= (unsigned)(byte >> (7 - bit) & 1) << shift;
        base[digit] = digits[value];
    }
    return text;
}

static void every_fault_of_a_secret_key_has_a_name(void **state)
{
    static const struct fault faults[] = {
        {"", "line 1 is missing: \"untrusted comment: …\""},
        {PUBLIC_WORD, "line 1 does not begin with \"untrusted comment: \""},
        {COMMENT "x\n", "line 2 is missing: the secret key"},
        {PUBLIC, "this is a public key's file"},
        {COMMENT "x\n" SIGNED, "this is a signature's file"},
        {SECRET "\n", "1 byte after line 2"},
    };
    static const struct {
        size_t at;
        unsigned char byte;
        const char *said;
    } bytes[] = {
        {0, 'X', "its algorithm is not \"Ed\""},
        {2, 'S', "neither scrypt (\"Sc\") nor none"},
        {4, 'X', "its checksum is not BLAKE2b"},
        {62, 1, "the secret and the public half do not belong together"},
        {125, 1, "the secret and the public half do not belong together"},
        {157, 1, "the checksum does not fit: the secret key is damaged"},
    };

    (void)state;
    REFUSE(read_secret, faults);
    for (size_t i = 0; i < sizeof(bytes) / sizeof(*bytes); i++) {
        char *text = secret_with(bytes[i].at, bytes[i].byte);

        refuse_len(read_secret, text, strlen(text), bytes[i].said);
        free(text);
    }
}

/* ---- what does not verify ---- */

static void refuse_verify(const struct weir_minisign_signature *signature,
                          const char *text, const char *said)
{
    const struct weir_minisign_public key = the_key();
    struct weir_err err = WEIR_ERR_INIT;

    assert_int_equal(
        weir_minisign_verify(&key, signature, text, strlen(text), &err),
        WEIR_AUTH);
    if (!strstr(err.message, said))
        fail_msg("%s", err.message);
}

static void what_was_changed_does_not_verify(void **state)
{
    static const char *const files[] = {SIGNATURE, OLDER};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct weir_minisign_signature signature = the_signature(files[i]);

        refuse_verify(&signature, "hello", "not, byte by byte, what key");
        refuse_verify(&signature, "Hello\n", "C874E8F579771C56 signed");
        signature.prehashed = !signature.prehashed;
        refuse_verify(&signature, TEXT, "not, byte by byte");
        signature.prehashed = !signature.prehashed;
        signature.trusted[0] ^= 1;
        refuse_verify(&signature, TEXT, "the trusted comment is not what key");
        signature.trusted[0] = '\0';
        refuse_verify(&signature, TEXT, "the trusted comment is not what key");
        signature.id[0] ^= 1;
        refuse_verify(&signature, TEXT,
                      "made with key C874E8F579771C57, not with "
                      "C874E8F579771C56");
    }
}

static void what_minisign_signed_verifies(void **state)
{
    const struct weir_minisign_public key = the_key();
    struct weir_minisign_signature signature = the_signature(SIGNATURE);

    (void)state;
    assert_true(signature.prehashed);
    assert_string_equal(signature.trusted, TRUSTED);
    assert_int_equal(
        weir_minisign_verify(&key, &signature, TEXT, strlen(TEXT), NULL),
        WEIR_OK);
    signature = the_signature(OLDER);
    assert_false(signature.prehashed);
    assert_string_equal(signature.trusted, "c");
    assert_int_equal(
        weir_minisign_verify(&key, &signature, TEXT, strlen(TEXT), NULL),
        WEIR_OK);
}

/* ---- writing ---- */

static void files_are_written_as_minisign_writes_them(void **state)
{
    struct weir_minisign_secret *secret = the_secret();
    struct weir_minisign_public key;
    struct weir_buf text;
    char word[WEIR_MINISIGN_KEY_TEXT];

    (void)state;
    weir_buf_init_secret(&text, WEIR_MINISIGN_FILE_MAX);
    weir_minisign_secret_public(secret, &key);
    assert_int_equal(weir_minisign_public_write(&key, &text, NULL), WEIR_OK);
    assert_string_equal(weir_buf_str(&text), PUBLIC);
    weir_minisign_public_text(&key, word);
    assert_string_equal(word, PUBLIC_WORD);
    weir_buf_reset(&text);
    assert_int_equal(weir_minisign_secret_write(
                         secret, NULL, 0, WEIR_MINISIGN_COST, &text, NULL),
                     WEIR_OK);
    assert_string_equal(weir_buf_str(&text), SECRET);
    weir_buf_reset(&text);
    assert_int_equal(weir_minisign_sign(secret, TEXT, strlen(TEXT), NULL,
                                        TRUSTED, &text, NULL),
                     WEIR_OK);
    assert_string_equal(weir_buf_str(&text), SIGNATURE);
    weir_buf_fini(&text);
    weir_minisign_secret_free(secret);
}

static void a_comment_that_cannot_be_read_is_not_written(void **state)
{
    static const char *const bad[] = {"a\nb", "\x7f", "\xc0\x80", "a\r"};
    struct weir_minisign_secret *secret = the_secret();
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_buf text;
    char longer[WEIR_MINISIGN_TRUSTED_MAX + 2];

    (void)state;
    weir_buf_init(&text, WEIR_MINISIGN_FILE_MAX);
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_int_equal(
            weir_minisign_sign(secret, "", 0, bad[i], "t", &text, &err),
            WEIR_INVALID);
        assert_non_null(strstr(err.message, "the untrusted comment"));
        assert_int_equal(
            weir_minisign_sign(secret, "", 0, "u", bad[i], &text, &err),
            WEIR_INVALID);
        assert_non_null(strstr(err.message, "the trusted comment"));
    }
    assert_int_equal(
        weir_minisign_sign(secret, "", 0, NULL, longer, &text, &err),
        WEIR_INVALID);
    assert_non_null(strstr(err.message, "is too long"));
    assert_int_equal(text.len, 0);
    weir_buf_fini(&text);
    weir_minisign_secret_free(secret);
}

static void a_password_opens_its_file_and_no_other_does(void **state)
{
    struct weir_minisign_secret *secret = NULL, *again = NULL;
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_buf text, other;
    bool encrypted = false;

    (void)state;
    weir_buf_init_secret(&text, WEIR_MINISIGN_FILE_MAX);
    weir_buf_init_secret(&other, WEIR_MINISIGN_FILE_MAX);
    assert_int_equal(weir_minisign_secret_new(&secret, NULL), WEIR_OK);
    assert_int_equal(
        weir_minisign_secret_write(secret, "", 0, cheap, &text, &err),
        WEIR_INVALID);
    assert_int_equal(
        weir_minisign_secret_write(secret, "p\0w", 3, cheap, &text, NULL),
        WEIR_OK);
    assert_int_equal(weir_minisign_secret_is_encrypted(text.data, text.len,
                                                       &encrypted, NULL),
                     WEIR_OK);
    assert_true(encrypted);
    assert_null(strstr(text.data, PUBLIC_WORD));
    assert_int_equal(
        weir_minisign_secret_read(text.data, text.len, NULL, 0, &again, &err),
        WEIR_AUTH);
    assert_string_equal(err.message,
                        "the secret key is encrypted: its password is needed");
    assert_int_equal(
        weir_minisign_secret_read(text.data, text.len, "p", 1, &again, &err),
        WEIR_AUTH);
    assert_string_equal(err.message, "wrong password for this secret key");
    assert_null(again);
    assert_int_equal(
        weir_minisign_secret_read(text.data, text.len, "p\0w", 3, &again, NULL),
        WEIR_OK);
    assert_memory_equal(again, secret, sizeof(*secret));
    /* The same key and password never make the same file. */
    assert_int_equal(
        weir_minisign_secret_write(secret, "p\0w", 3, cheap, &other, NULL),
        WEIR_OK);
    assert_string_not_equal(text.data, other.data);
    weir_minisign_secret_free(again);
    weir_minisign_secret_free(secret);
    weir_minisign_secret_free(NULL);
    weir_buf_fini(&text);
    weir_buf_fini(&other);
}

/* A file may not ask for the whole machine before it is known to be good. */
static void a_file_that_costs_too_much_is_refused(void **state)
{
    struct weir_minisign_secret *secret = the_secret();
    struct weir_minisign_cost dear = {UINT64_MAX, UINT64_MAX};
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_buf text;
    char *file = secret_with(2, 'S'), *base = strchr(file, '\n') + 1;

    (void)state;
    weir_buf_init_secret(&text, WEIR_MINISIGN_FILE_MAX);
    assert_int_equal(
        weir_minisign_secret_write(secret, "pw", 2, dear, &text, &err),
        WEIR_LIMIT);
    /* Little work by its figures, and 2 GiB of lanes. */
    dear = (struct weir_minisign_cost){(uint64_t)1 << 26, 0};
    weir_err_clear(&err);
    assert_int_equal(
        weir_minisign_secret_write(secret, "pw", 2, dear, &text, &err),
        WEIR_LIMIT);
    assert_non_null(strstr(err.message, "1048576 lanes of scrypt"));
    assert_int_equal(text.len, 0);
    weir_err_clear(&err);
    /* "Sc" by hand, and the cost all ones. */
    memcpy(base, "RWRTY0Iy", 8);
    memset(base + 52, '/', 20);
    assert_int_equal(
        weir_minisign_secret_read(file, strlen(file), "pw", 2, &secret, &err),
        WEIR_LIMIT);
    if (!strstr(err.message, "MiB of memory; the ceiling is 1024 MiB"))
        fail_msg("%s", err.message);
    free(file);
    weir_minisign_secret_free(secret);
    weir_buf_fini(&text);
}

static void ids_read_as_they_are_shown(void **state)
{
    static const char *const bad[] = {"", "C874E8F579771C567", "C874E8F5 9771",
                                      "0xC874", "g"};
    const struct weir_minisign_public key = the_key();
    unsigned char id[WEIR_MINISIGN_ID];
    char text[WEIR_MINISIGN_ID_TEXT];

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_int_equal(
            weir_minisign_id_read(bad[i], strlen(bad[i]), id, NULL),
            WEIR_SYNTAX);
    weir_minisign_id_text(key.id, text);
    assert_string_equal(text, "C874E8F579771C56");
    assert_int_equal(weir_minisign_id_read("c874e8f579771c56", 16, id, NULL),
                     WEIR_OK);
    assert_memory_equal(id, key.id, sizeof(id));
    /* minisign leaves leading zeros out. */
    assert_int_equal(weir_minisign_id_read("AB", 2, id, NULL), WEIR_OK);
    weir_minisign_id_text(id, text);
    assert_string_equal(text, "00000000000000AB");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fault_of_a_public_key_has_a_name),
        cmocka_unit_test(every_fault_of_a_signature_has_a_name),
        cmocka_unit_test(a_signature_is_whole_or_none),
        cmocka_unit_test(every_fault_of_a_secret_key_has_a_name),
        cmocka_unit_test(what_was_changed_does_not_verify),
        cmocka_unit_test(what_minisign_signed_verifies),
        cmocka_unit_test(files_are_written_as_minisign_writes_them),
        cmocka_unit_test(a_comment_that_cannot_be_read_is_not_written),
        cmocka_unit_test(a_password_opens_its_file_and_no_other_does),
        cmocka_unit_test(a_file_that_costs_too_much_is_refused),
        cmocka_unit_test(ids_read_as_they_are_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
