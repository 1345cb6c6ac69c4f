#include "weir/minisign.h"

#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "minisign_internal.h"
#include "weir/hash.h"

#define TRUSTED "trusted comment: "

enum {
    ALGORITHM = 2,
    PUBLIC = ALGORITHM + 8 + 32,
    SIGNATURE = ALGORITHM + 8 + 64
};

/* ---- ids ---- */

void weir_minisign_id_text(const unsigned char *id, char *out)
{
    static const char digits[] = "0123456789ABCDEF";

    /* minisign shows it as a little-endian number. */
    for (size_t i = 0; i < WEIR_MINISIGN_ID; i++) {
        unsigned char byte = id[WEIR_MINISIGN_ID - 1 - i];

        out[2 * i] = digits[byte >> 4];
        out[2 * i + 1] = digits[byte & 15];
    }
    out[2 * WEIR_MINISIGN_ID] = '\0';
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum weir_code weir_minisign_id_read(const char *text, size_t len,
                                     unsigned char *out, struct weir_err *err)
{
    uint64_t number = 0;

    if (len == 0 || len > 2 * WEIR_MINISIGN_ID)
        return weir_err_set(err, WEIR_SYNTAX,
                            "a key id has 16 hexadecimal digits, not %zu", len);
    for (size_t i = 0; i < len; i++) {
        int value = hex_value(text[i]);

        if (value < 0)
            return weir_err_set(err, WEIR_SYNTAX,
                                "a key id has hexadecimal digits only");
        number = number << 4 | (unsigned)value;
    }
    for (size_t i = 0; i < WEIR_MINISIGN_ID; i++)
        out[i] = (unsigned char)(number >> 8 * i);
    return WEIR_OK;
}

/* ---- public keys ---- */

static enum weir_code public_fault(const struct weir_minisign_lines *lines,
                                   const unsigned char *bytes,
                                   struct weir_err *err)
{
    if (memcmp(bytes, "Ed", ALGORITHM) != 0)
        return weir_err_set(err, WEIR_SYNTAX,
                            "line %u is no Ed25519 public key: its algorithm "
                            "is not \"Ed\"",
                            lines->number);
    if (weir_ed25519_is_weak(bytes + ALGORITHM + WEIR_MINISIGN_ID))
        return weir_err_set(err, WEIR_SYNTAX,
                            "line %u is a weak key (of small order): anybody "
                            "can sign for it",
                            lines->number);
    return WEIR_OK;
}

enum weir_code weir_minisign_public_read(const char *text, size_t len,
                                         struct weir_minisign_public *out,
                                         struct weir_err *err)
{
    struct weir_minisign_lines lines = {.text = text, .len = len};
    struct weir_minisign_line comment;
    unsigned char bytes[PUBLIC];
    enum weir_code code = WEIR_OK;

    /* The word alone begins as every such key does. */
    if (len < 2 || memcmp(text, "RW", 2) != 0)
        code =
            weir_minisign_comment(&lines, WEIR_MINISIGN_UNTRUSTED,
                                  WEIR_MINISIGN_UNTRUSTED_MAX, &comment, err);
    if (!code)
        code = weir_minisign_bytes(&lines, "the public key", bytes,
                                   sizeof(bytes), err);
    if (!code)
        code = public_fault(&lines, bytes, err);
    if (!code)
        code = weir_minisign_end(&lines, err);
    if (code)
        return code;
    memcpy(out->id, bytes + ALGORITHM, sizeof(out->id));
    memcpy(out->key, bytes + ALGORITHM + sizeof(out->id), sizeof(out->key));
    return WEIR_OK;
}

void weir_minisign_public_text(const struct weir_minisign_public *key,
                               char *out)
{
    unsigned char bytes[PUBLIC] = "Ed";

    memcpy(bytes + ALGORITHM, key->id, sizeof(key->id));
    memcpy(bytes + ALGORITHM + sizeof(key->id), key->key, sizeof(key->key));
    out[weir_base64_encode(bytes, sizeof(bytes), out)] = '\0';
}

enum weir_code
weir_minisign_public_write(const struct weir_minisign_public *key,
                           struct weir_buf *out, struct weir_err *err)
{
    char id[WEIR_MINISIGN_ID_TEXT], text[WEIR_MINISIGN_KEY_TEXT];

    weir_minisign_id_text(key->id, id);
    weir_minisign_public_text(key, text);
    weir_buf_addf(out, WEIR_MINISIGN_UNTRUSTED "minisign public key %s\n%s\n",
                  id, text);
    return weir_buf_err(out, "the public key", err);
}

bool weir_minisign_public_equal(const struct weir_minisign_public *a,
                                const struct weir_minisign_public *b)
{
    return memcmp(a->id, b->id, sizeof(a->id)) == 0 &&
           memcmp(a->key, b->key, sizeof(a->key)) == 0;
}

/* ---- reading a signature ---- */

static enum weir_code take_signature(const unsigned char *bytes,
                                     struct weir_minisign_signature *signature,
                                     struct weir_err *err)
{
    signature->prehashed = memcmp(bytes, "ED", ALGORITHM) == 0;
    if (!signature->prehashed && memcmp(bytes, "Ed", ALGORITHM) != 0)
        return weir_err_set(err, WEIR_SYNTAX,
                            "line 2 is no Ed25519 signature: its algorithm is "
                            "neither \"ED\" nor \"Ed\"");
    memcpy(signature->id, bytes + ALGORITHM, WEIR_MINISIGN_ID);
    memcpy(signature->signature, bytes + ALGORITHM + WEIR_MINISIGN_ID,
           sizeof(signature->signature));
    return WEIR_OK;
}

static enum weir_code read_lines(struct weir_minisign_lines *lines,
                                 struct weir_minisign_signature *out,
                                 struct weir_err *err)
{
    unsigned char bytes[SIGNATURE];
    struct weir_minisign_line untrusted, trusted;
    enum weir_code code =
        weir_minisign_comment(lines, WEIR_MINISIGN_UNTRUSTED,
                              WEIR_MINISIGN_UNTRUSTED_MAX, &untrusted, err);

    if (!code)
        code = weir_minisign_bytes(lines, "the signature", bytes, sizeof(bytes),
                                   err);
    if (!code)
        code = take_signature(bytes, out, err);
    if (!code)
        code = weir_minisign_comment(lines, TRUSTED, WEIR_MINISIGN_TRUSTED_MAX,
                                     &trusted, err);
    if (code)
        return code;
    memcpy(out->trusted, trusted.text, trusted.len);
    out->trusted[trusted.len] = '\0';
    code = weir_minisign_bytes(lines, "the trusted comment's signature",
                               out->global, sizeof(out->global), err);
    return code ? code : weir_minisign_end(lines, err);
}

enum weir_code weir_minisign_signature_read(const char *text, size_t len,
                                            struct weir_minisign_signature *out,
                                            struct weir_err *err)
{
    struct weir_minisign_lines lines = {.text = text, .len = len};
    struct weir_minisign_signature read;
    enum weir_code code = read_lines(&lines, &read, err);

    if (!code)
        *out = read;
    return code;
}

/* ---- signing and verifying ---- */

/* What the global signature is over; free() it. */
static unsigned char *global_text(const unsigned char *signature,
                                  const char *trusted, size_t *len)
{
    size_t comment = strlen(trusted);
    unsigned char *text = malloc(WEIR_ED25519_SIGNATURE + comment);

    if (text) {
        memcpy(text, signature, WEIR_ED25519_SIGNATURE);
        memcpy(text + WEIR_ED25519_SIGNATURE, trusted, comment);
        *len = WEIR_ED25519_SIGNATURE + comment;
    }
    return text;
}

static enum weir_code
verify_bytes(const struct weir_minisign_public *key,
             const struct weir_minisign_signature *signature, const void *bytes,
             size_t len, bool *good, struct weir_err *err)
{
    unsigned char digest[WEIR_HASH_MAX_SIZE];
    enum weir_code code;

    if (!signature->prehashed)
        return weir_ed25519_verify(key->key, bytes, len, signature->signature,
                                   good, err);
    code = weir_hash_of(WEIR_HASH_BLAKE2B512, bytes, len, digest, err);
    return code ? code
                : weir_ed25519_verify(key->key, digest, sizeof(digest),
                                      signature->signature, good, err);
}

static enum weir_code
verify_comment(const struct weir_minisign_public *key,
               const struct weir_minisign_signature *signature, bool *good,
               struct weir_err *err)
{
    size_t len = 0;
    unsigned char *text =
        global_text(signature->signature, signature->trusted, &len);
    enum weir_code code;

    if (!text)
        return weir_err_nomem(err);
    code =
        weir_ed25519_verify(key->key, text, len, signature->global, good, err);
    free(text);
    return code;
}

static enum weir_code
ids_differ(const struct weir_minisign_public *key,
           const struct weir_minisign_signature *signature,
           struct weir_err *err)
{
    char expected[WEIR_MINISIGN_ID_TEXT], found[WEIR_MINISIGN_ID_TEXT];

    weir_minisign_id_text(key->id, expected);
    weir_minisign_id_text(signature->id, found);
    return weir_err_set(err, WEIR_AUTH,
                        "the signature was made with key %s, not with %s",
                        found, expected);
}

enum weir_code
weir_minisign_verify(const struct weir_minisign_public *key,
                     const struct weir_minisign_signature *signature,
                     const void *bytes, size_t len, struct weir_err *err)
{
    bool good = false;
    char id[WEIR_MINISIGN_ID_TEXT];
    enum weir_code code;

    if (memcmp(key->id, signature->id, sizeof(key->id)) != 0)
        return ids_differ(key, signature, err);
    weir_minisign_id_text(key->id, id);
    code = verify_bytes(key, signature, bytes, len, &good, err);
    if (code)
        return code;
    if (!good)
        return weir_err_set(err, WEIR_AUTH,
                            "the signature does not fit: this is not, byte by "
                            "byte, what key %s signed",
                            id);
    code = verify_comment(key, signature, &good, err);
    if (code)
        return code;
    if (!good)
        return weir_err_set(err, WEIR_AUTH,
                            "the trusted comment is not what key %s signed",
                            id);
    return WEIR_OK;
}

static void add_base64(struct weir_buf *out, const unsigned char *bytes,
                       size_t len)
{
    char text[WEIR_BASE64_SIZE(SIGNATURE)];

    weir_buf_add(out, text, weir_base64_encode(bytes, len, text));
    weir_buf_addc(out, '\n');
}

static enum weir_code check_comment(const char *name, const char *text,
                                    size_t max, struct weir_err *err)
{
    const char *fault = weir_minisign_comment_fault(text, strlen(text), max);

    if (!fault)
        return WEIR_OK;
    return weir_err_set(err, WEIR_INVALID,
                        "the %s comment %s (one line of UTF-8, at most %zu "
                        "bytes)",
                        name, fault, max);
}

enum weir_code weir_minisign_sign(const struct weir_minisign_secret *secret,
                                  const void *bytes, size_t len,
                                  const char *untrusted, const char *trusted,
                                  struct weir_buf *out, struct weir_err *err)
{
    unsigned char digest[WEIR_HASH_MAX_SIZE], made[SIGNATURE] = "ED";
    unsigned char *signature = made + ALGORITHM + WEIR_MINISIGN_ID, *text;
    unsigned char global[WEIR_ED25519_SIGNATURE];
    size_t text_len = 0;
    enum weir_code code;

    if (!untrusted)
        untrusted = "signature from minisign secret key";
    code =
        check_comment("untrusted", untrusted, WEIR_MINISIGN_UNTRUSTED_MAX, err);
    if (!code)
        code =
            check_comment("trusted", trusted, WEIR_MINISIGN_TRUSTED_MAX, err);
    if (!code)
        code = weir_hash_of(WEIR_HASH_BLAKE2B512, bytes, len, digest, err);
    if (!code)
        code = weir_ed25519_sign(secret->seed, digest, sizeof(digest),
                                 signature, err);
    if (code)
        return code;
    memcpy(made + ALGORITHM, secret->id, WEIR_MINISIGN_ID);
    text = global_text(signature, trusted, &text_len);
    if (!text)
        return weir_err_nomem(err);
    code = weir_ed25519_sign(secret->seed, text, text_len, global, err);
    free(text);
    if (code)
        return code;
    weir_buf_addf(out, WEIR_MINISIGN_UNTRUSTED "%s\n", untrusted);
    add_base64(out, made, sizeof(made));
    weir_buf_addf(out, TRUSTED "%s\n", trusted);
    add_base64(out, global, sizeof(global));
    return weir_buf_err(out, "the signature", err);
}
