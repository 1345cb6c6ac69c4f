/*
 * minisign: Ed25519 keys and signatures in minisign's files.
 *
 * The format is that of minisign 0.11 (https://jedisct1.github.io/minisign/):
 * what is written here minisign reads, and the other way round.  Everything
 * that is read is hostile until it is checked: each fault has its own message,
 * nothing is skipped, and nothing may follow.  Messages begin with the line
 * ("line 2 …"), for the caller to put the file's name before
 * (weir_err_prefix).
 *
 * Codes: WEIR_SYNTAX for what is no such file, WEIR_AUTH for a signature or a
 * password that does not fit, WEIR_LIMIT for a file that asks for too much;
 * and everywhere WEIR_NOMEM, and WEIR_CONFIG if the machine's libcrypto lacks
 * what is needed.
 */
#ifndef WEIR_MINISIGN_H
#define WEIR_MINISIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir/buf.h"
#include "weir/err.h"

/* ---- public keys ---- */

#define WEIR_MINISIGN_ID  ((size_t)8)
#define WEIR_MINISIGN_KEY ((size_t)32)
/* A key id as people see it: 16 hexadecimal digits, and a NUL. */
#define WEIR_MINISIGN_ID_TEXT ((size_t)17)
/* A public key as one word: 56 characters of base64, and a NUL. */
#define WEIR_MINISIGN_KEY_TEXT ((size_t)57)
/* No file of a key or a signature is longer. */
#define WEIR_MINISIGN_FILE_MAX ((size_t)16384)

struct weir_minisign_public {
    unsigned char id[WEIR_MINISIGN_ID]; /* names it, and proves nothing */
    unsigned char key[WEIR_MINISIGN_KEY];
};

/* Reads a public key: minisign's file of two lines, or the second line alone.
 * WEIR_OK, WEIR_SYNTAX.  A key of small order, for which anybody can sign, is
 * WEIR_SYNTAX too. */
enum weir_code weir_minisign_public_read(const char *text, size_t len,
                                         struct weir_minisign_public *out,
                                         struct weir_err *err);
/* Appends the file. */
enum weir_code
weir_minisign_public_write(const struct weir_minisign_public *key,
                           struct weir_buf *out, struct weir_err *err);
/* The key as one word, as `minisign -P` takes it; `out` has
 * WEIR_MINISIGN_KEY_TEXT bytes. */
void weir_minisign_public_text(const struct weir_minisign_public *key,
                               char *out);
bool weir_minisign_public_equal(const struct weir_minisign_public *a,
                                const struct weir_minisign_public *b);

/* The id in capital hexadecimal, as minisign shows it, always all 16 digits;
 * `out` has WEIR_MINISIGN_ID_TEXT bytes. */
void weir_minisign_id_text(const unsigned char *id, char *out);
/* Reads an id of up to 16 digits, of either case.  WEIR_OK, WEIR_SYNTAX. */
enum weir_code weir_minisign_id_read(const char *text, size_t len,
                                     unsigned char *out, struct weir_err *err);

/* ---- signatures ---- */

/* Longest comments that minisign reads back, in bytes. */
#define WEIR_MINISIGN_UNTRUSTED_MAX ((size_t)1003)
#define WEIR_MINISIGN_TRUSTED_MAX   ((size_t)8173)

struct weir_minisign_signature {
    bool prehashed; /* "ED": over the BLAKE2b-512 of the bytes; else "Ed" */
    unsigned char id[WEIR_MINISIGN_ID];
    unsigned char signature[64];
    unsigned char global[64]; /* over the signature and the trusted comment */
    /* To be shown only after weir_minisign_verify() has said yes. */
    char trusted[WEIR_MINISIGN_TRUSTED_MAX + 1];
};

/* Reads a signature's file of four lines.  Comments are UTF-8 without control
 * characters but tab.  WEIR_OK, WEIR_SYNTAX. */
enum weir_code weir_minisign_signature_read(const char *text, size_t len,
                                            struct weir_minisign_signature *out,
                                            struct weir_err *err);

/* WEIR_OK if the key's owner signed exactly these bytes and this trusted
 * comment.  WEIR_AUTH: another key's signature (the message names both ids);
 * the bytes were changed; the trusted comment was. */
enum weir_code
weir_minisign_verify(const struct weir_minisign_public *key,
                     const struct weir_minisign_signature *signature,
                     const void *bytes, size_t len, struct weir_err *err);

/* ---- secret keys ---- */

/* Wiped when it is freed. */
struct weir_minisign_secret;

/* A new key of the system's randomness (getrandom(2)). */
enum weir_code weir_minisign_secret_new(struct weir_minisign_secret **out,
                                        struct weir_err *err);
void weir_minisign_secret_free(struct weir_minisign_secret *secret);
void weir_minisign_secret_public(const struct weir_minisign_secret *secret,
                                 struct weir_minisign_public *out);

/* Whether a secret key's file asks for a password.  WEIR_OK, WEIR_SYNTAX. */
enum weir_code weir_minisign_secret_is_encrypted(const char *text, size_t len,
                                                 bool *out,
                                                 struct weir_err *err);
/* Reads a secret key's file; the password (NULL: none) is not kept.  WEIR_OK;
 * WEIR_SYNTAX; WEIR_AUTH (it needs a password, or another one); WEIR_LIMIT
 * (deriving its key would take over 1 GiB, or twice minisign's time).  An
 * encrypted file takes seconds and up to 1 GiB of memory. */
enum weir_code weir_minisign_secret_read(const char *text, size_t len,
                                         const char *password,
                                         size_t password_len,
                                         struct weir_minisign_secret **out,
                                         struct weir_err *err);

/* What one guess at a file's password costs, in libsodium's terms. */
struct weir_minisign_cost {
    uint64_t operations, memory; /* opslimit, memlimit in bytes */
};
/* minisign's own: some seconds and 1 GiB. */
#define WEIR_MINISIGN_COST                                                     \
    ((struct weir_minisign_cost){.operations = 33554432,                       \
                                 .memory = (uint64_t)1 << 30})

/* Appends the file to `out`, which is a secret buffer; `password` NULL: not
 * encrypted, as `minisign -W`.  WEIR_OK; WEIR_INVALID for an empty password;
 * WEIR_LIMIT for a cost that no read would take. */
enum weir_code
weir_minisign_secret_write(const struct weir_minisign_secret *secret,
                           const char *password, size_t password_len,
                           struct weir_minisign_cost cost, struct weir_buf *out,
                           struct weir_err *err);

/* Appends the file of a prehashed signature of the bytes.  A NULL untrusted
 * comment is minisign's own.  WEIR_OK; WEIR_INVALID for a comment that no
 * read would take. */
enum weir_code weir_minisign_sign(const struct weir_minisign_secret *secret,
                                  const void *bytes, size_t len,
                                  const char *untrusted, const char *trusted,
                                  struct weir_buf *out, struct weir_err *err);

#endif
