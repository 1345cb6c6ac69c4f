/*
 * minisign: what is taken for a key or a signature is one in every byte, comes
 * back the same, and no signature fits two texts.
 *
 * Parts: a public key's file, a signature's, a secret key's, the text.  What
 * is encrypted is not opened: a guess costs seconds, as it should.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "weir/buf.h"
#include "weir/minisign.h"

static bool check_public(struct fuzz_text text,
                         struct weir_minisign_public *key)
{
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_minisign_public again;
    struct weir_buf file;
    char word[WEIR_MINISIGN_KEY_TEXT], id[WEIR_MINISIGN_ID_TEXT];
    unsigned char read_id[WEIR_MINISIGN_ID];
    enum weir_code code =
        weir_minisign_public_read(text.data, text.len, key, &err);

    if (code) {
        FUZZ_CHECK(code == WEIR_SYNTAX);
        fuzz_check_err(&err, code);
        return false;
    }
    /* The word is in the file, and both are the key. */
    weir_minisign_public_text(key, word);
    FUZZ_CHECK(memmem(text.data, text.len, word, strlen(word)));
    FUZZ_CHECK(weir_minisign_public_read(word, strlen(word), &again, NULL) ==
               WEIR_OK);
    FUZZ_CHECK(weir_minisign_public_equal(key, &again));
    weir_buf_init(&file, WEIR_MINISIGN_FILE_MAX);
    FUZZ_CHECK(weir_minisign_public_write(key, &file, NULL) == WEIR_OK);
    FUZZ_CHECK(weir_minisign_public_read(file.data, file.len, &again, NULL) ==
               WEIR_OK);
    FUZZ_CHECK(weir_minisign_public_equal(key, &again));
    weir_buf_fini(&file);
    weir_minisign_id_text(key->id, id);
    FUZZ_CHECK(weir_minisign_id_read(id, strlen(id), read_id, NULL) == WEIR_OK);
    FUZZ_CHECK(memcmp(read_id, key->id, sizeof(read_id)) == 0);
    return true;
}

static bool check_signature(struct fuzz_text text,
                            struct weir_minisign_signature *signature)
{
    struct weir_err err = WEIR_ERR_INIT;
    enum weir_code code =
        weir_minisign_signature_read(text.data, text.len, signature, &err);

    if (code) {
        FUZZ_CHECK(code == WEIR_SYNTAX);
        fuzz_check_err(&err, code);
        return false;
    }
    for (const char *c = signature->trusted; *c; c++)
        FUZZ_CHECK((unsigned char)*c >= 0x20 || *c == '\t');
    FUZZ_CHECK(memmem(text.data, text.len, signature->trusted,
                      strlen(signature->trusted)));
    return true;
}

static void check_secret(struct fuzz_text text)
{
    struct weir_minisign_secret *secret = NULL;
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_buf file;
    bool encrypted = true;
    enum weir_code code = weir_minisign_secret_is_encrypted(text.data, text.len,
                                                            &encrypted, &err);

    if (code) {
        fuzz_check_err(&err, code);
        return;
    }
    code =
        weir_minisign_secret_read(text.data, text.len, NULL, 0, &secret, &err);
    if (encrypted)
        FUZZ_CHECK(code == WEIR_AUTH);
    if (code) {
        fuzz_check_err(&err, code);
        return;
    }
    weir_buf_init_secret(&file, WEIR_MINISIGN_FILE_MAX);
    FUZZ_CHECK(weir_minisign_sign(secret, "text", 4, NULL, "trusted", &file,
                                  NULL) == WEIR_OK);
    weir_buf_fini(&file);
    weir_minisign_secret_free(secret);
}

static void check_verify(const struct weir_minisign_public *key,
                         const struct weir_minisign_signature *signature,
                         struct fuzz_text text)
{
    struct weir_err err = WEIR_ERR_INIT;
    enum weir_code code =
        weir_minisign_verify(key, signature, text.data, text.len, &err);
    char *longer;

    if (code) {
        FUZZ_CHECK(code == WEIR_AUTH);
        fuzz_check_err(&err, code);
        return;
    }
    FUZZ_CHECK(memcmp(key->id, signature->id, sizeof(key->id)) == 0);
    longer = malloc(text.len + 1);
    if (!longer)
        return;
    if (text.len)
        memcpy(longer, text.data, text.len);
    longer[text.len] = 'x';
    FUZZ_CHECK(weir_minisign_verify(key, signature, longer, text.len + 1,
                                    NULL) == WEIR_AUTH);
    free(longer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct weir_minisign_signature signature;
    struct fuzz_text rest = {(const char *)data, size}, text = {0};
    struct weir_minisign_public key;
    bool has_key = false, has_signature = false;

    if (fuzz_part(&rest, &text))
        has_key = check_public(text, &key);
    if (fuzz_part(&rest, &text))
        has_signature = check_signature(text, &signature);
    if (fuzz_part(&rest, &text))
        check_secret(text);
    text = (struct fuzz_text){0};
    fuzz_part(&rest, &text);
    if (has_key && has_signature)
        check_verify(&key, &signature, text);
    return 0;
}
