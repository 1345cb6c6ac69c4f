#include "weir/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "excerpt.h"
#include "weir/hash.h"
#include "weir/semver.h"
#include "weir/version.h"

/* No signature's file is longer; minisign's own limit is near. */
#define SIGNATURE_MAX ((size_t)16384)

struct weir_bundle {
    char *path;
    char *bytes; /* NULL once unpacked */
    size_t size;
    char *signature;
    size_t signature_len;
    char sha256[2 * WEIR_HASH_SHA256_SIZE + 1];
    enum weir_bundle_form form;
    struct weir_archive *archive;
    struct weir_manifest *manifest;
};

const char *weir_bundle_form_word(enum weir_bundle_form form)
{
    static const char *const words[] = {"archive", "script", "program"};

    return words[form];
}

/* ---- what means to be one ---- */

static const char archive_start[] = "PK\3\4";
static const char archive_end[] = "PK\5\6";
static const char program_start[] = "\177ELF";

static bool begins(const void *bytes, size_t len, const char *with)
{
    size_t n = strlen(with);

    return len >= n && memcmp(bytes, with, n) == 0;
}

bool weir_bundle_is(const void *head, size_t head_len, const void *tail,
                    size_t tail_len)
{
    const char *line;

    if (begins(head, head_len, program_start))
        return begins(tail, tail_len, archive_end);
    if (begins(head, head_len, archive_start))
        return true;
    if (!begins(head, head_len, "#!"))
        return false;
    line = memchr(head, '\n', head_len);
    return line &&
           begins(line + 1, head_len - (size_t)(line + 1 - (const char *)head),
                  archive_start);
}

/* ---- reading the files, once ---- */

static enum weir_code read_all(int fd, const char *path, size_t max,
                               struct weir_buf *out, struct weir_err *err)
{
    char part[65536];
    ssize_t n;

    while ((n = read(fd, part, sizeof(part))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return weir_err_set(err, WEIR_IO, "%s: %s", path, strerror(errno));
        if (weir_buf_add(out, part, (size_t)n) == WEIR_LIMIT)
            return weir_err_set(err, WEIR_LIMIT,
                                "%s: has more than %zu bytes, and so is "
                                "nothing that weir reads",
                                path, max);
        if (out->failed)
            return weir_err_nomem(err);
    }
    return WEIR_OK;
}

/* The bytes of the signature's file, if there is one. */
static enum weir_code read_signature(const char *path, struct weir_buf *out,
                                     bool *there, struct weir_err *err)
{
    char *name = NULL;
    enum weir_code code;
    int fd;

    if (asprintf(&name, "%s" WEIR_BUNDLE_SIGNATURE, path) < 0)
        return weir_err_nomem(err);
    /* Not to wait for a writer, should it be a pipe. */
    fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    *there = fd >= 0;
    if (fd >= 0) {
        code = read_all(fd, name, SIGNATURE_MAX, out, err);
        close(fd);
    } else if (errno == ENOENT) {
        code = WEIR_OK;
    } else {
        code = weir_err_set(err, WEIR_IO, "%s: %s", name, strerror(errno));
    }
    free(name);
    return code;
}

/* Takes over `bytes` and `signature`, which have a NUL behind them; NULL is a
 * lack of memory, but for the signature if there is none. */
static enum weir_code make(char *bytes, size_t len, char *signature,
                           size_t signature_len, const char *path,
                           struct weir_bundle **out, struct weir_err *err)
{
    struct weir_bundle *bundle = calloc(1, sizeof(*bundle));
    enum weir_code code;

    if (!bundle) {
        free(bytes);
        free(signature);
        return weir_err_nomem(err);
    }
    bundle->path = strdup(path);
    bundle->bytes = bytes;
    bundle->size = len;
    bundle->signature = signature;
    bundle->signature_len = signature_len;
    if (!bundle->path || !bundle->bytes)
        code = weir_err_nomem(err);
    else
        code = weir_hash_hex_of(WEIR_HASH_SHA256, bundle->bytes, len,
                                bundle->sha256, err);
    if (code)
        weir_bundle_free(bundle);
    else
        *out = bundle;
    return code;
}

enum weir_code weir_bundle_load(int fd, const char *path,
                                struct weir_bundle **out, struct weir_err *err)
{
    struct weir_buf bytes, signature;
    bool is_signed = false;
    enum weir_code code;

    weir_buf_init(&bytes, WEIR_BUNDLE_MAX);
    weir_buf_init(&signature, SIGNATURE_MAX);
    code = read_all(fd, path, WEIR_BUNDLE_MAX, &bytes, err);
    if (code == WEIR_OK)
        code = read_signature(path, &signature, &is_signed, err);
    if (code == WEIR_OK) {
        size_t len, signature_len = 0;
        char *text = weir_buf_take(&bytes, &len);
        char *beside =
            is_signed ? weir_buf_take(&signature, &signature_len) : NULL;

        if (is_signed && !beside) {
            free(text);
            text = NULL; /* no memory for either, then */
        }
        code = make(text, len, beside, signature_len, path, out, err);
    }
    weir_buf_fini(&bytes);
    weir_buf_fini(&signature);
    return code;
}

static char *copy(const void *bytes, size_t len)
{
    char *out = malloc(len + 1);

    if (out) {
        memcpy(out, bytes, len);
        out[len] = '\0';
    }
    return out;
}

enum weir_code weir_bundle_from_bytes(const void *bytes, size_t len,
                                      const void *signature,
                                      size_t signature_len, const char *path,
                                      struct weir_bundle **out,
                                      struct weir_err *err)
{
    char *text = copy(bytes, len);
    char *beside = signature ? copy(signature, signature_len) : NULL;

    if (signature && !beside) {
        free(text);
        return weir_err_nomem(err);
    }
    return make(text, len, beside, signature_len, path, out, err);
}

void weir_bundle_free(struct weir_bundle *bundle)
{
    if (!bundle)
        return;
    weir_archive_free(bundle->archive);
    weir_manifest_free(bundle->manifest);
    free(bundle->signature);
    free(bundle->bytes);
    free(bundle->path);
    free(bundle);
}

/* ---- unpacking ---- */

/* What stands before the archive. */
static enum weir_code read_form(struct weir_bundle *bundle, size_t start,
                                struct weir_err *err)
{
    size_t line = sizeof(WEIR_BUNDLE_LINE) - 1;

    if (start == 0) {
        bundle->form = WEIR_BUNDLE_ARCHIVE;
    } else if (start == line &&
               begins(bundle->bytes, start, WEIR_BUNDLE_LINE)) {
        bundle->form = WEIR_BUNDLE_SCRIPT;
    } else if (begins(bundle->bytes, start, program_start)) {
        bundle->form = WEIR_BUNDLE_PROGRAM;
    } else {
        char shown[WEIR_EXCERPT];

        return weir_err_set(err, WEIR_VALIDATION,
                            "%zu bytes stand before the archive, and they are "
                            "not \"#!/usr/bin/env weir\" and no program: %s",
                            start,
                            weir_excerpt_quote(shown, bundle->bytes, start));
    }
    return WEIR_OK;
}

static enum weir_code read_manifest(struct weir_bundle *bundle,
                                    struct weir_err *err)
{
    const struct weir_archive_file *first = weir_archive_at(bundle->archive, 0);

    if (!first || strcmp(first->name, WEIR_MANIFEST_FILE) != 0)
        return weir_err_set(err, WEIR_VALIDATION,
                            "is an archive, but no bundle: its first file is "
                            "not " WEIR_MANIFEST_FILE);
    return weir_manifest_read(first->data, first->size, &bundle->manifest, err);
}

static enum weir_code check_file(const struct weir_archive_file *file,
                                 const struct weir_manifest_file *said,
                                 struct weir_err *err)
{
    char sha256[2 * WEIR_HASH_SHA256_SIZE + 1];
    enum weir_code code;

    if (!file)
        return weir_err_set(err, WEIR_VALIDATION,
                            "%s is in the manifest, and not in the archive "
                            "(missing file)",
                            said->path);
    if (file->size != said->size)
        return weir_err_set(err, WEIR_VALIDATION,
                            "%s has %zu bytes, and the manifest says %zu",
                            said->path, file->size, said->size);
    code =
        weir_hash_hex_of(WEIR_HASH_SHA256, file->data, file->size, sha256, err);
    if (code == WEIR_OK && strcmp(sha256, said->sha256) != 0)
        code = weir_err_set(err, WEIR_VALIDATION,
                            "%s is not the file that the manifest tells of: "
                            "its SHA-256 is %s, expected %s",
                            said->path, sha256, said->sha256);
    return code;
}

static enum weir_code check_files(const struct weir_bundle *bundle,
                                  struct weir_err *err)
{
    const struct weir_manifest *m = bundle->manifest;
    enum weir_code code = WEIR_OK;

    for (size_t i = 0; i < m->n_files && code == WEIR_OK; i++)
        code = check_file(weir_archive_get(bundle->archive, m->files[i].path),
                          &m->files[i], err);
    for (size_t i = 1; i < weir_archive_count(bundle->archive) && !code; i++) {
        const char *name = weir_archive_at(bundle->archive, i)->name;

        if (!weir_manifest_find(m, name))
            code = weir_err_set(err, WEIR_VALIDATION,
                                "%s is in the archive, and not in the manifest",
                                name);
    }
    return code;
}

static enum weir_code unpack(struct weir_bundle *bundle, struct weir_err *err)
{
    size_t start = 0;
    enum weir_code code =
        weir_archive_find(bundle->bytes, bundle->size, &start, err);

    if (code == WEIR_OK)
        code = read_form(bundle, start, err);
    if (code == WEIR_OK)
        code = weir_archive_read(bundle->bytes + start, bundle->size - start,
                                 &bundle->archive, err);
    if (code == WEIR_OK)
        code = read_manifest(bundle, err);
    if (code == WEIR_OK)
        code = check_files(bundle, err);
    return code;
}

enum weir_code weir_bundle_unpack(struct weir_bundle *bundle,
                                  struct weir_err *err)
{
    enum weir_code code;

    if (bundle->manifest || !bundle->bytes)
        return weir_err_set(err, WEIR_INVALID,
                            "the bundle was unpacked before");
    code = unpack(bundle, err);
    if (code == WEIR_VALIDATION || code == WEIR_SYNTAX || code == WEIR_LIMIT) {
        /* All of them are faults of the file. */
        if (err)
            err->code = WEIR_VALIDATION;
        code = WEIR_VALIDATION;
    }
    if (code)
        weir_err_prefix(err, "%s: ", bundle->path);
    free(bundle->bytes);
    bundle->bytes = NULL;
    return code;
}

/* ---- looking ---- */

const char *weir_bundle_path(const struct weir_bundle *bundle)
{
    return bundle->path;
}

const char *weir_bundle_sha256(const struct weir_bundle *bundle)
{
    return bundle->sha256;
}

size_t weir_bundle_size(const struct weir_bundle *bundle)
{
    return bundle->size;
}

const void *weir_bundle_bytes(const struct weir_bundle *bundle, size_t *len)
{
    *len = bundle->bytes ? bundle->size : 0;
    return bundle->bytes;
}

const char *weir_bundle_signature(const struct weir_bundle *bundle, size_t *len)
{
    *len = bundle->signature_len;
    return bundle->signature;
}

enum weir_bundle_form weir_bundle_form(const struct weir_bundle *bundle)
{
    return bundle->form;
}

const struct weir_manifest *
weir_bundle_manifest(const struct weir_bundle *bundle)
{
    return bundle->manifest;
}

const struct weir_archive_file *
weir_bundle_file(const struct weir_bundle *bundle, const char *path)
{
    const struct weir_archive_file *file =
        weir_archive_get(bundle->archive, path);

    /* The manifest is the host's, not the script's. */
    return file && file != weir_archive_at(bundle->archive, 0) ? file : NULL;
}

enum weir_code weir_bundle_check_host(const struct weir_bundle *bundle,
                                      struct weir_err *err)
{
    const struct weir_manifest *m = bundle->manifest;

    if (weir_semver_compare(m->weir, weir_version()) <= 0)
        return WEIR_OK;
    weir_err_set(err, WEIR_CONFIG,
                 "%s: needs weir %s or newer, and this is weir %s",
                 bundle->path, m->weir, weir_version());
    weir_err_hint(err, "install a newer weir");
    return WEIR_CONFIG;
}
