/* weir key sign, weir key verify: any file, as minisign does. */
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ending.h"
#include "exit.h"
#include "files.h"
#include "key_commands.h"
#include "key_files.h"
#include "trust_files.h"

/* Of a file that is signed: all of it is held in memory. */
#define FILE_MAX ((size_t)1 << 30)

static char *signature_path(const char *file)
{
    char *path;

    return asprintf(&path, "%s.minisig", file) < 0 ? NULL : path;
}

/* ---- sign ---- */

struct sign_command {
    struct host_password_source password;
    const char *key, *comment;
};

static const struct host_option sign_options[] = {
    {"key", "KEY", "name or file of the secret key (required)", HOST_TEXT,
     offsetof(struct sign_command, key), NULL},
    {"comment", "TEXT", "what is signed along with it; default time and name",
     HOST_TEXT, offsetof(struct sign_command, comment), NULL},
    HOST_PASSWORD_OPTIONS(offsetof(struct sign_command, password)),
    {NULL, NULL, NULL, HOST_FLAG, 0, NULL},
};

static int run_sign(int argc, char **argv);

const struct host_command host_command_key_sign = {
    .name = "key sign",
    .usage = "weir key sign --key KEY [options] FILE",
    .summary = "sign a file, into FILE.minisig",
    .options = sign_options,
    .after = "examples:\n"
             "  weir key sign --key release deploy.weir\n",
    .files = true,
    .run = run_sign,
};

/* As minisign's own; free() it. */
static char *default_comment(const char *file)
{
    char *copy = strdup(file), *comment = NULL;

    if (copy && asprintf(&comment, "timestamp:%lld\tfile:%s\thashed",
                         (long long)time(NULL), basename(copy)) < 0)
        comment = NULL;
    free(copy);
    return comment;
}

static enum weir_code sign(const struct sign_command *given, const char *file,
                           const char *out, const char *comment,
                           struct weir_err *err)
{
    struct weir_minisign_secret *secret = NULL;
    struct weir_buf bytes, text;
    enum weir_code code;

    weir_buf_init(&bytes, FILE_MAX);
    weir_buf_init(&text, WEIR_MINISIGN_FILE_MAX);
    code = host_key_read_file(file, FILE_MAX, &bytes, err);
    if (!code)
        code = host_key_open(given->key, &given->password, &secret, err);
    if (!code)
        code = weir_minisign_sign(secret, bytes.data, bytes.len, NULL, comment,
                                  &text, err);
    if (!code)
        code = host_files_replace(out, text.data, text.len, err);
    weir_minisign_secret_free(secret);
    weir_buf_fini(&bytes);
    weir_buf_fini(&text);
    return code;
}

static int run_sign(int argc, char **argv)
{
    struct sign_command given = {.key = NULL};
    struct weir_err err = WEIR_ERR_INIT;
    char *out, *comment = NULL;
    int code = 0;
    int first =
        host_options_parse(&host_command_key_sign, argc, argv, &given, &code);

    if (first < 0)
        return code;
    if (first + 1 != argc)
        return host_usage_error("key sign", "expected one FILE");
    if (!given.key)
        return host_usage_error("key sign",
                                "--key is missing: with which key?");
    out = signature_path(argv[first]);
    if (!given.comment)
        comment = default_comment(argv[first]);
    if (!out || (!given.comment && !comment))
        weir_err_nomem(&err);
    else if (sign(&given, argv[first], out,
                  given.comment ? given.comment : comment, &err) == WEIR_OK)
        printf("signed: %s\n", out);
    free(out);
    free(comment);
    if (err.code)
        return host_ending_err(host_command_key_sign.name, &err);
    return host_ending_flushed(host_command_key_sign.name, HOST_EXIT_DONE);
}

/* ---- verify ---- */

struct verify_command {
    const char *key, *signature;
};

static const struct host_option verify_options[] = {
    {"key", "KEY", "the public key it must be signed with; default: a trusted",
     HOST_TEXT, offsetof(struct verify_command, key), NULL},
    {"signature", "FILE", "where the signature is; default FILE.minisig",
     HOST_TEXT, offsetof(struct verify_command, signature), NULL},
    {NULL, NULL, NULL, HOST_FLAG, 0, NULL},
};

static int run_verify(int argc, char **argv);

const struct host_command host_command_key_verify = {
    .name = "key verify",
    .usage = "weir key verify [options] FILE",
    .summary = "check the signature of a file",
    .about =
        "Without --key, the key must be a trusted one, neither revoked nor\n"
        "expired, and one that the policies of machine and user take. Exit\n"
        "code 5: it is not signed so.\n",
    .options = verify_options,
    .after = "examples:\n"
             "  weir key verify deploy.weir\n"
             "  weir key verify --key release.pub deploy.weir\n",
    .files = true,
    .run = run_verify,
};

static enum weir_code by_key(const char *which, const struct weir_buf *bytes,
                             const struct weir_buf *text,
                             struct weir_trust_signer *out,
                             struct weir_err *err)
{
    struct weir_minisign_signature signature;
    enum weir_code code = host_key_read_public(which, &out->key, err);

    if (code)
        return code;
    code = weir_minisign_signature_read(weir_buf_str(text), text->len,
                                        &signature, err);
    if (code) {
        weir_err_prefix(err, "its signature: ");
        return code;
    }
    code = weir_minisign_verify(&out->key, &signature, bytes->data, bytes->len,
                                err);
    if (!code) {
        weir_minisign_id_text(signature.id, out->id);
        memcpy(out->trusted, signature.trusted, sizeof(out->trusted));
    }
    return code;
}

static enum weir_code by_trust(const struct weir_buf *bytes,
                               const struct weir_buf *text,
                               struct weir_trust_signer *out,
                               struct weir_err *err)
{
    struct weir_trust trust;
    enum weir_code code = host_trust_load(&trust, err);

    if (code)
        return code;
    code =
        weir_trust_verify(&trust, bytes->data, bytes->len, weir_buf_str(text),
                          text->len, (int64_t)time(NULL), out, err);
    weir_trust_fini(&trust);
    if (code || out->standing == WEIR_TRUST_TRUSTED)
        return code;
    weir_err_set(err, WEIR_AUTH,
                 "it is signed with key %s, which is not trusted here",
                 out->id);
    weir_err_hint(err, "if you know whose key that is, and have it from them: "
                       "weir key trust NAME FILE.pub");
    return WEIR_AUTH;
}

static enum weir_code verify(const struct verify_command *given,
                             const char *file, const char *signature,
                             struct weir_trust_signer *out,
                             struct weir_err *err)
{
    struct weir_buf bytes, text;
    enum weir_code code;

    weir_buf_init(&bytes, FILE_MAX);
    weir_buf_init(&text, WEIR_MINISIGN_FILE_MAX);
    code = host_key_read_file(file, FILE_MAX, &bytes, err);
    if (!code)
        code =
            host_key_read_file(signature, WEIR_MINISIGN_FILE_MAX, &text, err);
    if (!code) {
        code = given->key ? by_key(given->key, &bytes, &text, out, err)
                          : by_trust(&bytes, &text, out, err);
        if (code && code != WEIR_NOMEM)
            weir_err_prefix(err, "%s: ", file);
    }
    weir_buf_fini(&bytes);
    weir_buf_fini(&text);
    return code;
}

static int run_verify(int argc, char **argv)
{
    static struct weir_trust_signer signer;
    struct verify_command given = {.key = NULL};
    struct weir_err err = WEIR_ERR_INIT;
    char *path;
    int code = 0;
    int first =
        host_options_parse(&host_command_key_verify, argc, argv, &given, &code);

    if (first < 0)
        return code;
    if (first + 1 != argc)
        return host_usage_error("key verify", "expected one FILE");
    path = signature_path(argv[first]);
    if (!path)
        weir_err_nomem(&err);
    else
        verify(&given, argv[first], given.signature ? given.signature : path,
               &signer, &err);
    free(path);
    if (err.code)
        return host_ending_err(host_command_key_verify.name, &err);
    printf("%s: signed by %s%skey %s\ntrusted comment: %s\n", argv[first],
           signer.name, *signer.name ? ", " : "", signer.id, signer.trusted);
    return host_ending_flushed(host_command_key_verify.name, HOST_EXIT_DONE);
}
