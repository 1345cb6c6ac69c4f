#include "key_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folders.h"
#include "guarded.h"
#include "near_file.h"
#include "weir/trust.h"

/* ---- names ---- */

static bool ends_in(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);

    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

bool host_key_is_path(const char *which)
{
    return strchr(which, '/') || ends_in(which, ".key") ||
           ends_in(which, ".pub");
}

enum weir_code host_key_path(const char *which, enum host_key_half half,
                             char **out, struct weir_err *err)
{
    char name[WEIR_TRUST_NAME_MAX + 16];
    enum weir_code code;

    if (host_key_is_path(which)) {
        *out = strdup(which);
        return *out ? WEIR_OK : weir_err_nomem(err);
    }
    code = weir_trust_check_name(which, err);
    if (code)
        return code;
    snprintf(name, sizeof(name), "keys/%s.%s", which,
             half == HOST_KEY_SECRET ? "key" : "pub");
    *out = host_folders_config(name);
    if (*out)
        return WEIR_OK;
    return weir_err_set(err, WEIR_CONFIG,
                        "no folder for keys: neither XDG_CONFIG_HOME nor HOME "
                        "is an absolute path");
}

/* ---- files ---- */

static enum weir_code failed(const char *path, struct weir_err *err)
{
    weir_err_set(err, WEIR_IO, "%s: %s", path, strerror(errno));
    return WEIR_IO;
}

static enum weir_code read_all(int fd, const char *path, struct weir_buf *out,
                               struct weir_err *err)
{
    char part[16384];
    ssize_t n;

    while ((n = read(fd, part, sizeof(part))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return failed(path, err);
        if (weir_buf_add(out, part, (size_t)n))
            return weir_buf_err(out, path, err);
    }
    return WEIR_OK;
}

enum weir_code host_key_read_file(const char *path, size_t max,
                                  struct weir_buf *out, struct weir_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct stat file;
    enum weir_code code;

    if (fd < 0)
        return failed(path, err);
    weir_buf_fini(out);
    weir_buf_init(out, max);
    if (fstat(fd, &file) != 0)
        code = failed(path, err);
    else if (S_ISDIR(file.st_mode))
        code = weir_err_set(err, WEIR_IO, "%s: is a folder", path);
    else
        code = read_all(fd, path, out, err);
    close(fd);
    return code;
}

static enum weir_code no_key(const char *which, const char *path,
                             enum host_key_half half, struct weir_err *err)
{
    char near[HOST_NEAR_FILE_SIZE];

    if (host_key_is_path(which)) {
        weir_err_set(err, WEIR_NOT_FOUND, "%s is not there%s", path,
                     host_near_file(path, near));
        return WEIR_NOT_FOUND;
    }
    weir_err_set(err, WEIR_NOT_FOUND, "no key \"%s\": %s is not there", which,
                 path);
    weir_err_hint(err,
                  "%s'weir key list' shows those that are there; a file is "
                  "named with its path",
                  half == HOST_KEY_SECRET ? "'weir key new' makes one, " : "");
    return WEIR_NOT_FOUND;
}

/* ---- secret keys ---- */

static enum weir_code open_text(const struct weir_buf *text, const char *path,
                                const struct host_password_source *source,
                                struct weir_minisign_secret **out,
                                struct weir_err *err)
{
    struct weir_buf password, prompt;
    bool encrypted = false;
    enum weir_code code = weir_minisign_secret_is_encrypted(
        weir_buf_str(text), text->len, &encrypted, err);

    weir_buf_init_secret(&password, HOST_PASSWORD_MAX);
    weir_buf_init(&prompt, 8192);
    if (!code && encrypted) {
        weir_buf_addf(&prompt, "password of %s: ", path);
        code = host_password_get(source, weir_buf_str(&prompt), false,
                                 &password, err);
        weir_buf_fini(&prompt);
        if (code) { /* about the password, not the file */
            weir_buf_fini(&password);
            return code;
        }
    }
    if (!code)
        code = weir_minisign_secret_read(
            weir_buf_str(text), text->len,
            encrypted ? weir_buf_str(&password) : NULL, password.len, out, err);
    weir_buf_fini(&password);
    if (code && code != WEIR_NOMEM)
        weir_err_prefix(err, "%s: ", path);
    return code;
}

enum weir_code host_key_open(const char *which,
                             const struct host_password_source *password,
                             struct weir_minisign_secret **out,
                             struct weir_err *err)
{
    struct weir_buf text;
    char *path = NULL;
    bool there = true;
    enum weir_code code = host_key_path(which, HOST_KEY_SECRET, &path, err);

    if (code)
        return code;
    weir_buf_init_secret(&text, WEIR_MINISIGN_FILE_MAX);
    code = host_guarded_read(path, HOST_GUARD_SECRET, &text, &there, err);
    if (!code && !there)
        code = no_key(which, path, HOST_KEY_SECRET, err);
    if (!code)
        code = open_text(&text, path, password, out, err);
    weir_buf_fini(&text);
    free(path);
    return code;
}

/* ---- public keys ---- */

static bool is_word(const char *which)
{
    return strlen(which) == WEIR_MINISIGN_KEY_TEXT - 1 &&
           strncmp(which, "RW", 2) == 0 && !ends_in(which, ".pub");
}

enum weir_code host_key_read_public(const char *which,
                                    struct weir_minisign_public *out,
                                    struct weir_err *err)
{
    struct weir_buf text;
    char *path = NULL;
    enum weir_code code;

    if (is_word(which)) {
        code = weir_minisign_public_read(which, strlen(which), out, err);
        if (code)
            weir_err_prefix(err, "the key: ");
        return code;
    }
    code = host_key_path(which, HOST_KEY_PUBLIC, &path, err);
    if (code)
        return code;
    weir_buf_init(&text, WEIR_MINISIGN_FILE_MAX);
    if (access(path, F_OK) != 0)
        code = no_key(which, path, HOST_KEY_PUBLIC, err);
    else
        code = host_key_read_file(path, WEIR_MINISIGN_FILE_MAX, &text, err);
    if (!code) {
        code =
            weir_minisign_public_read(weir_buf_str(&text), text.len, out, err);
        if (code)
            weir_err_prefix(err, "%s: ", path);
    }
    weir_buf_fini(&text);
    free(path);
    return code;
}
