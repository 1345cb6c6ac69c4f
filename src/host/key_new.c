/* weir key new: a key pair in two files. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ending.h"
#include "exit.h"
#include "files.h"
#include "guarded.h"
#include "key_commands.h"
#include "key_files.h"
#include "weir/trust.h"

struct new_command {
    struct host_password_source password;
    bool no_password, replace;
    const char *dir;
};

static const struct host_option options[] = {
    HOST_PASSWORD_OPTIONS(offsetof(struct new_command, password)),
    {"no-password", NULL, "do not encrypt it, for a machine that signs alone",
     HOST_FLAG, offsetof(struct new_command, no_password), NULL},
    {"dir", "DIR", "folder of the two files, instead of weir's own", HOST_TEXT,
     offsetof(struct new_command, dir), NULL},
    {"replace", NULL,
     "put it in the place of a key of that name, which is lost", HOST_FLAG,
     offsetof(struct new_command, replace), NULL},
    {NULL, NULL, NULL, HOST_FLAG, 0, NULL},
};

static int run(int argc, char **argv);

const struct host_command host_command_key_new = {
    .name = "key new",
    .usage = "weir key new [options] NAME",
    .summary = "make a key pair",
    .about =
        "Writes NAME.key, the secret key, which nobody else may read, and\n"
        "NAME.pub, the public key, for everybody. The secret key is encrypted\n"
        "with a password that is asked for on the terminal; deriving a key of\n"
        "it takes some seconds and a GiB of memory, then and at each use.\n",
    .options = options,
    .after = "examples:\n"
             "  weir key new release\n"
             "  weir key new --password-file /run/secrets/sign --dir keys ci\n",
    .run = run,
};

/* ---- the files ---- */

struct pair {
    char *secret, *public;
    bool was_there;
};

static void forget(struct pair *pair)
{
    free(pair->secret);
    free(pair->public);
}

static enum weir_code in_dir(const char *dir, const char *name,
                             struct pair *out, struct weir_err *err)
{
    enum weir_code code = weir_trust_check_name(name, err);

    if (code)
        return code;
    if (asprintf(&out->secret, "%s/%s.key", dir, name) < 0)
        out->secret = NULL;
    if (asprintf(&out->public, "%s/%s.pub", dir, name) < 0)
        out->public = NULL;
    return out->secret && out->public ? WEIR_OK : weir_err_nomem(err);
}

static enum weir_code name_files(const struct new_command *given,
                                 const char *name, struct pair *out,
                                 struct weir_err *err)
{
    enum weir_code code;

    if (given->dir)
        return in_dir(given->dir, name, out, err);
    code = weir_trust_check_name(name, err);
    if (!code)
        code = host_key_path(name, HOST_KEY_SECRET, &out->secret, err);
    if (!code)
        code = host_key_path(name, HOST_KEY_PUBLIC, &out->public, err);
    return code;
}

static enum weir_code check_place(const struct new_command *given,
                                  struct pair *pair, struct weir_err *err)
{
    const char *there;

    assert(pair->secret && pair->public);
    there = access(pair->secret, F_OK) == 0   ? pair->secret
            : access(pair->public, F_OK) == 0 ? pair->public
                                              : NULL;

    pair->was_there = there != NULL;
    if (!there || given->replace)
        return WEIR_OK;
    weir_err_set(err, WEIR_CONFLICT, "%s is there already", there);
    weir_err_hint(err, "take another name; or --replace, and what only that "
                       "key could sign, nobody can sign any more");
    return WEIR_CONFLICT;
}

static enum weir_code write_pair(const struct pair *pair,
                                 const struct weir_buf *secret,
                                 const struct weir_buf *public,
                                 struct weir_err *err)
{
    enum weir_code code;

    /* A file that is there keeps its mode. */
    if (chmod(pair->secret, 0600) != 0 && errno != ENOENT)
        return weir_err_set(err, WEIR_IO, "%s: %s", pair->secret,
                            strerror(errno));
    code = host_files_replace_as(pair->secret, secret->data, secret->len, 0600,
                                 err);
    return code ? code
                : host_files_replace_as(pair->public, public->data, public->len,
                                        0644, err);
}

/* ---- the key ---- */

static enum weir_code make(const struct new_command *given,
                           const struct pair *pair,
                           struct weir_minisign_public *key,
                           struct weir_err *err)
{
    struct weir_minisign_secret *made = NULL;
    struct weir_buf password, secret, public;
    enum weir_code code = WEIR_OK;

    weir_buf_init_secret(&password, HOST_PASSWORD_MAX);
    weir_buf_init_secret(&secret, WEIR_MINISIGN_FILE_MAX);
    weir_buf_init(&public, WEIR_MINISIGN_FILE_MAX);
    if (!given->no_password)
        code = host_password_get(&given->password,
                                 "password for the new key: ", true, &password,
                                 err);
    if (!code)
        code = weir_minisign_secret_new(&made, err);
    if (!code)
        code = weir_minisign_secret_write(
            made, given->no_password ? NULL : weir_buf_str(&password),
            password.len, WEIR_MINISIGN_COST, &secret, err);
    if (!code) {
        weir_minisign_secret_public(made, key);
        code = weir_minisign_public_write(key, &public, err);
    }
    if (!code)
        code = write_pair(pair, &secret, &public, err);
    weir_minisign_secret_free(made);
    weir_buf_fini(&password);
    weir_buf_fini(&secret);
    weir_buf_fini(&public);
    return code;
}

static void tell(const struct new_command *given, const char *name,
                 const struct pair *pair,
                 const struct weir_minisign_public *key)
{
    char id[WEIR_MINISIGN_ID_TEXT], word[WEIR_MINISIGN_KEY_TEXT];

    weir_minisign_id_text(key->id, id);
    weir_minisign_public_text(key, word);
    if (pair->was_there)
        fprintf(stderr, "weir key new: the key that was there is replaced\n");
    printf("key id      %s\n", id);
    printf("secret key  %s%s\n", pair->secret,
           given->no_password ? " (not encrypted)" : "");
    printf("public key  %s\n", pair->public);
    printf("\nWhoever is to trust it runs:\n  weir key trust %s %s\n", name,
           word);
}

static int make_pair(const struct new_command *given, const char *name)
{
    struct pair pair = {NULL, NULL, false};
    struct weir_minisign_public key;
    struct weir_err err = WEIR_ERR_INIT;
    int lock = -1, exit_code = HOST_EXIT_DONE;
    enum weir_code code = name_files(given, name, &pair, &err);

    if (!code && given->dir && access(given->dir, F_OK) != 0)
        code =
            weir_err_set(&err, WEIR_IO, "%s: %s", given->dir, strerror(errno));
    /* Two that make a key of one name must not both say that they did. */
    if (!code)
        code = host_guarded_lock(pair.secret, &lock, &err);
    if (!code)
        code = check_place(given, &pair, &err);
    if (!code)
        code = make(given, &pair, &key, &err);
    host_guarded_unlock_away(pair.secret, lock);
    if (code)
        exit_code = host_ending_err(host_command_key_new.name, &err);
    else
        tell(given, name, &pair, &key);
    forget(&pair);
    return host_ending_flushed(host_command_key_new.name, exit_code);
}

static int run(int argc, char **argv)
{
    struct new_command given = {.dir = NULL};
    int code = 0;
    int first =
        host_options_parse(&host_command_key_new, argc, argv, &given, &code);

    if (first < 0)
        return code;
    if (first >= argc)
        return host_usage_error("key new", "a NAME for the key is missing");
    if (first + 1 < argc)
        return host_usage_error("key new", "one name at a time, not '%s' too",
                                argv[first + 1]);
    if (host_key_is_path(argv[first]))
        return host_usage_error("key new",
                                "'%s' is a path: give a NAME, and its folder "
                                "with --dir",
                                argv[first]);
    if (given.no_password && (given.password.file || given.password.env))
        return host_usage_error("key new",
                                "--no-password, and a password: which?");
    return make_pair(&given, argv[first]);
}
