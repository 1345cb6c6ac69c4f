#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base64.h"
#include "blake2b.h"
#include "minisign_internal.h"
#include "scrypt.h"

enum { SALT = 32, CHECKSUM = 32, ALGORITHM = 2 };

/* A secret key's file after base64; bytes only, so that it has no gaps. */
struct contents {
    unsigned char algorithm[ALGORITHM];  /* "Ed" */
    unsigned char derivation[ALGORITHM]; /* "Sc", or two NULs: not encrypted */
    unsigned char check[ALGORITHM];      /* "B2" */
    unsigned char salt[SALT];
    unsigned char operations[8], memory[8]; /* little-endian */
    /* From here on encrypted: XORed with what scrypt derives. */
    unsigned char id[WEIR_MINISIGN_ID];
    unsigned char seed[WEIR_ED25519_SEED];
    unsigned char key[WEIR_ED25519_KEY];
    unsigned char checksum[CHECKSUM];
};
enum { SEALED = 8 + 32 + 32 + CHECKSUM };
_Static_assert(sizeof(struct contents) == 158, "as minisign writes it");
_Static_assert(offsetof(struct contents, id) + SEALED ==
                   sizeof(struct contents),
               "what is encrypted goes to the end");

static const unsigned char no_derivation[ALGORITHM];

static uint64_t read_le64(const unsigned char *bytes)
{
    uint64_t number = 0;

    for (int i = 7; i >= 0; i--)
        number = number << 8 | bytes[i];
    return number;
}

static void write_le64(uint64_t number, unsigned char *bytes)
{
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(number >> 8 * i);
}

static enum weir_code random_bytes(unsigned char *out, size_t size,
                                   struct weir_err *err)
{
    ssize_t got;

    /* Up to 256 bytes come whole (getrandom(2)). */
    do
        got = getrandom(out, size, 0);
    while (got < 0 && errno == EINTR);
    if (got == (ssize_t)size)
        return WEIR_OK;
    return weir_err_set(err, WEIR_IO, "no random bytes from the system: %s",
                        got < 0 ? strerror(errno) : "too few");
}

/* ---- the life of a key ---- */

enum weir_code weir_minisign_secret_new(struct weir_minisign_secret **out,
                                        struct weir_err *err)
{
    struct weir_minisign_secret *secret = calloc(1, sizeof(*secret));
    enum weir_code code;

    if (!secret)
        return weir_err_nomem(err);
    code = random_bytes(secret->seed, sizeof(secret->seed), err);
    if (!code)
        code = random_bytes(secret->id, sizeof(secret->id), err);
    if (!code)
        code = weir_ed25519_public(secret->seed, secret->key, err);
    if (code) {
        weir_minisign_secret_free(secret);
        return code;
    }
    *out = secret;
    return WEIR_OK;
}

void weir_minisign_secret_free(struct weir_minisign_secret *secret)
{
    if (!secret)
        return;
    explicit_bzero(secret, sizeof(*secret));
    free(secret);
}

void weir_minisign_secret_public(const struct weir_minisign_secret *secret,
                                 struct weir_minisign_public *out)
{
    memcpy(out->id, secret->id, sizeof(out->id));
    memcpy(out->key, secret->key, sizeof(out->key));
}

/* ---- reading ---- */

static enum weir_code contents_fault(const struct contents *contents,
                                     struct weir_err *err)
{
    if (memcmp(contents->algorithm, "Ed", ALGORITHM) != 0)
        return weir_err_set(err, WEIR_SYNTAX,
                            "line 2 is no Ed25519 secret key: its algorithm is "
                            "not \"Ed\"");
    if (memcmp(contents->derivation, "Sc", ALGORITHM) != 0 &&
        memcmp(contents->derivation, no_derivation, ALGORITHM) != 0)
        return weir_err_set(err, WEIR_SYNTAX,
                            "line 2: the way from password to key is neither "
                            "scrypt (\"Sc\") nor none");
    if (memcmp(contents->check, "B2", ALGORITHM) != 0)
        return weir_err_set(err, WEIR_SYNTAX,
                            "line 2: its checksum is not BLAKE2b (\"B2\")");
    return WEIR_OK;
}

static enum weir_code read_contents(const char *text, size_t len,
                                    struct contents *out, struct weir_err *err)
{
    struct weir_minisign_lines lines = {.text = text, .len = len};
    struct weir_minisign_line comment;
    enum weir_code code =
        weir_minisign_comment(&lines, WEIR_MINISIGN_UNTRUSTED,
                              WEIR_MINISIGN_UNTRUSTED_MAX, &comment, err);

    if (!code)
        code = weir_minisign_bytes(&lines, "the secret key",
                                   (unsigned char *)out, sizeof(*out), err);
    if (!code)
        code = contents_fault(out, err);
    if (!code)
        code = weir_minisign_end(&lines, err);
    return code;
}

static bool is_encrypted(const struct contents *contents)
{
    return memcmp(contents->derivation, no_derivation, ALGORITHM) != 0;
}

enum weir_code weir_minisign_secret_is_encrypted(const char *text, size_t len,
                                                 bool *out,
                                                 struct weir_err *err)
{
    struct contents contents;
    enum weir_code code = read_contents(text, len, &contents, err);

    if (!code)
        *out = is_encrypted(&contents);
    explicit_bzero(&contents, sizeof(contents));
    return code;
}

/* Encrypts or decrypts, which is the same. */
static enum weir_code seal(struct contents *contents, const char *password,
                           size_t password_len, struct weir_err *err)
{
    struct weir_scrypt_cost cost = {read_le64(contents->operations),
                                    read_le64(contents->memory)};
    unsigned char stream[SEALED], *sealed = contents->id;
    enum weir_code code =
        weir_scrypt(password, password_len, contents->salt,
                    sizeof(contents->salt), cost, stream, sizeof(stream), err);

    for (size_t i = 0; !code && i < sizeof(stream); i++)
        sealed[i] ^= stream[i];
    explicit_bzero(stream, sizeof(stream));
    return code;
}

static void checksum_of(const struct contents *contents, unsigned char *out)
{
    unsigned char text[ALGORITHM + SEALED - CHECKSUM];

    memcpy(text, contents->algorithm, ALGORITHM);
    memcpy(text + ALGORITHM, contents->id, sizeof(text) - ALGORITHM);
    weir_blake2b(text, sizeof(text), out, CHECKSUM);
    explicit_bzero(text, sizeof(text));
}

static bool checksum_fits(const struct contents *contents)
{
    static const unsigned char none[CHECKSUM];
    unsigned char expected[CHECKSUM];
    bool fits;

    checksum_of(contents, expected);
    fits = memcmp(expected, contents->checksum, CHECKSUM) == 0;
    explicit_bzero(expected, sizeof(expected));
    /* minisign 0.11 leaves it out where nothing is encrypted. */
    return fits || (!is_encrypted(contents) &&
                    memcmp(contents->checksum, none, CHECKSUM) == 0);
}

static enum weir_code open_contents(struct contents *contents,
                                    const char *password, size_t password_len,
                                    struct weir_err *err)
{
    unsigned char key[WEIR_ED25519_KEY];
    enum weir_code code;

    if (is_encrypted(contents)) {
        if (!password)
            return weir_err_set(err, WEIR_AUTH,
                                "the secret key is encrypted: its password is "
                                "needed");
        code = seal(contents, password, password_len, err);
        if (code)
            return code;
        if (!checksum_fits(contents))
            return weir_err_set(err, WEIR_AUTH,
                                "wrong password for this secret key");
    } else if (!checksum_fits(contents)) {
        return weir_err_set(err, WEIR_SYNTAX,
                            "line 2: the checksum does not fit: the secret key "
                            "is damaged");
    }
    /* A seed with another's public half would sign what nobody can verify,
     * and two such signatures tell the seed. */
    code = weir_ed25519_public(contents->seed, key, err);
    if (!code && memcmp(key, contents->key, sizeof(key)) != 0)
        return weir_err_set(err, WEIR_SYNTAX,
                            "line 2: the secret and the public half do not "
                            "belong together");
    return code;
}

enum weir_code weir_minisign_secret_read(const char *text, size_t len,
                                         const char *password,
                                         size_t password_len,
                                         struct weir_minisign_secret **out,
                                         struct weir_err *err)
{
    struct contents contents;
    struct weir_minisign_secret *secret;
    enum weir_code code = read_contents(text, len, &contents, err);

    if (!code)
        code = open_contents(&contents, password, password_len, err);
    if (!code) {
        secret = calloc(1, sizeof(*secret));
        if (secret) {
            memcpy(secret->id, contents.id, sizeof(secret->id));
            memcpy(secret->seed, contents.seed, sizeof(secret->seed));
            memcpy(secret->key, contents.key, sizeof(secret->key));
            *out = secret;
        } else {
            code = weir_err_nomem(err);
        }
    }
    explicit_bzero(&contents, sizeof(contents));
    return code;
}

/* ---- writing ---- */

static enum weir_code fill(const struct weir_minisign_secret *secret,
                           const char *password, size_t password_len,
                           struct weir_minisign_cost cost,
                           struct contents *contents, struct weir_err *err)
{
    enum weir_code code;

    memcpy(contents->algorithm, "Ed", ALGORITHM);
    memcpy(contents->check, "B2", ALGORITHM);
    memcpy(contents->id, secret->id, sizeof(contents->id));
    memcpy(contents->seed, secret->seed, sizeof(contents->seed));
    memcpy(contents->key, secret->key, sizeof(contents->key));
    if (!password)
        return WEIR_OK;
    memcpy(contents->derivation, "Sc", ALGORITHM);
    write_le64(cost.operations, contents->operations);
    write_le64(cost.memory, contents->memory);
    code = random_bytes(contents->salt, sizeof(contents->salt), err);
    if (code)
        return code;
    checksum_of(contents, contents->checksum);
    return seal(contents, password, password_len, err);
}

enum weir_code
weir_minisign_secret_write(const struct weir_minisign_secret *secret,
                           const char *password, size_t password_len,
                           struct weir_minisign_cost cost, struct weir_buf *out,
                           struct weir_err *err)
{
    struct contents contents = {.algorithm = {0}};
    char text[WEIR_BASE64_SIZE(sizeof(contents))];
    enum weir_code code;

    if (password && password_len == 0)
        return weir_err_set(err, WEIR_INVALID, "the password is empty");
    code = fill(secret, password, password_len, cost, &contents, err);
    if (!code) {
        weir_buf_adds(out, WEIR_MINISIGN_UNTRUSTED
                      "minisign encrypted secret key\n");
        weir_buf_add(out, text,
                     weir_base64_encode((const unsigned char *)&contents,
                                        sizeof(contents), text));
        weir_buf_addc(out, '\n');
        code = weir_buf_err(out, "the secret key", err);
    }
    explicit_bzero(&contents, sizeof(contents));
    explicit_bzero(text, sizeof(text));
    return code;
}
