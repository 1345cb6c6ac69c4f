#include "consent.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "files.h"
#include "folders.h"
#include "signals.h"
#include "weir/cut.h"
#include "weir/hash.h"

enum { MAX_ANSWERS = 1000, MAX_ANSWER = 64 };
#define MAX_FILE ((size_t)1 << 20)

/* What an answer was given for. */
struct subject {
    char by[80]; /* "key 0123…", or "sha256 …" of a bundle without one */
    const char *name, *version;
    char needs[2 * WEIR_HASH_SHA256_SIZE + 1]; /* hash of its permissions */
};

static enum weir_code make_subject(const struct host_bundle *bundle,
                                   struct subject *out, struct weir_err *err)
{
    const struct weir_manifest *m = weir_bundle_manifest(bundle->bundle);
    struct weir_json *needs = weir_permissions_json(bundle->needs);
    struct weir_buf text;
    enum weir_code code;

    weir_buf_init(&text, MAX_FILE);
    code = needs ? weir_json_write(needs, 0, &text, err) : weir_err_nomem(err);
    if (code == WEIR_OK)
        code = weir_hash_hex_of(WEIR_HASH_SHA256, weir_buf_str(&text), text.len,
                                out->needs, err);
    weir_json_free(needs);
    weir_buf_fini(&text);
    /* Only a signature that was verified says whose a bundle is. */
    if (bundle->signer.standing == WEIR_TRUST_TRUSTED)
        snprintf(out->by, sizeof(out->by), "key %s", bundle->signer.id);
    else
        snprintf(out->by, sizeof(out->by), "sha256 %s",
                 weir_bundle_sha256(bundle->bundle));
    out->name = m->name;
    out->version = m->version;
    return code;
}

/* ---- the file ---- */

/* What others could have written is no answer of ours. */
static bool is_own(const struct stat *file)
{
    return S_ISREG(file->st_mode) && file->st_uid == geteuid() &&
           (file->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* The document; NULL, and whatever it was is gone with the next answer, if it
 * is not there or cannot be used. */
static struct weir_json *read_answers(const char *path)
{
    static const struct weir_json_options limits = {.max_depth = 4,
                                                    .max_nodes = 10000};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct weir_json *json = NULL;
    struct weir_buf text;
    struct stat file;
    char part[4096];
    ssize_t n = 0;

    if (fd < 0)
        return NULL;
    weir_buf_init(&text, MAX_FILE);
    if (fstat(fd, &file) == 0 && is_own(&file)) {
        while ((n = read(fd, part, sizeof(part))) > 0)
            weir_buf_add(&text, part, (size_t)n);
        if (n == 0 && !text.failed)
            weir_json_parse(weir_buf_str(&text), text.len, &limits, &json,
                            NULL);
    }
    close(fd);
    weir_buf_fini(&text);
    return json;
}

static bool has_text(const struct weir_json *answer, const char *key,
                     const char *text)
{
    const char *is = weir_json_get_string(answer, key);

    return is && strcmp(is, text) == 0;
}

static bool is_answered(const struct weir_json *answers,
                        const struct subject *subject)
{
    const struct weir_json *answer =
        weir_json_first(weir_json_get(answers, "accepted"));

    for (; answer; answer = weir_json_next(answer)) {
        if (has_text(answer, "by", subject->by) &&
            has_text(answer, "name", subject->name) &&
            has_text(answer, "version", subject->version) &&
            has_text(answer, "needs", subject->needs))
            return true;
    }
    return false;
}

static enum weir_code add_text(struct weir_json *object, const char *key,
                               const char *text)
{
    return weir_json_set(object, key, weir_json_new_string(text, strlen(text)));
}

static struct weir_json *new_answer(const struct subject *subject)
{
    struct weir_json *answer = weir_json_new_object();
    char now[WEIR_MANIFEST_TIME];

    weir_manifest_time_text((int64_t)time(NULL), now);
    if (answer && (add_text(answer, "by", subject->by) ||
                   add_text(answer, "name", subject->name) ||
                   add_text(answer, "version", subject->version) ||
                   add_text(answer, "needs", subject->needs) ||
                   add_text(answer, "at", now))) {
        weir_json_free(answer);
        return NULL;
    }
    return answer;
}

/* The answers so far, of which the oldest go, and the new one. */
static struct weir_json *with_answer(const struct weir_json *answers,
                                     const struct subject *subject)
{
    const struct weir_json *old = weir_json_get(answers, "accepted");
    size_t n = weir_json_size(old),
           skip = n >= MAX_ANSWERS ? n - MAX_ANSWERS + 1 : 0;
    struct weir_json *list = weir_json_new_array();
    struct weir_json *out = weir_json_new_object();
    bool ok = list && out;

    for (const struct weir_json *it = weir_json_first(old); ok && it;
         it = weir_json_next(it)) {
        if (skip > 0)
            skip--;
        else
            ok = weir_json_append(list, weir_json_copy(it)) == WEIR_OK;
    }
    ok = ok && weir_json_append(list, new_answer(subject)) == WEIR_OK;
    if (ok && weir_json_set(out, "accepted", list) == WEIR_OK)
        return out;
    if (!ok)
        weir_json_free(list);
    weir_json_free(out);
    return NULL;
}

static enum weir_code write_answers(const char *path,
                                    const struct weir_json *answers,
                                    struct weir_err *err)
{
    struct weir_buf text;
    enum weir_code code;

    weir_buf_init(&text, MAX_FILE);
    code = weir_json_write(answers, 2, &text, err);
    if (code == WEIR_OK)
        code = host_files_replace_as(path, text.data, text.len, 0600, err);
    weir_buf_fini(&text);
    return code;
}

/* An answer that cannot be kept is asked for again: no reason not to run. */
static void remember(const char *path, const struct weir_json *answers,
                     const struct subject *subject)
{
    struct weir_json *all = with_answer(answers, subject);
    struct weir_err err = WEIR_ERR_INIT;

    if (!all)
        weir_err_nomem(&err);
    else if (host_folders_make_private(path, &err) == WEIR_OK)
        write_answers(path, all, &err);
    if (err.code)
        fprintf(stderr, "weir: your answer cannot be remembered: %s\n",
                err.message);
    weir_err_clear(&err);
    weir_json_free(all);
}

/* ---- asking ---- */

/* Appends what the bundle is and what it will be able to do. */
static enum weir_code describe(const struct host_bundle *bundle,
                               struct weir_buf *out)
{
    const struct weir_manifest *m = weir_bundle_manifest(bundle->bundle);
    const char *about = weir_json_get_string(m->args, "about");
    char words[256];

    weir_buf_addf(out, "%s %s (%s), %s\n", m->name, m->version,
                  weir_bundle_path(bundle->bundle),
                  host_bundle_signed_words(bundle, words, sizeof(words)));
    if (about)
        weir_buf_addf(out, "  about: %.*s\n", (int)strcspn(about, "\n"), about);
    weir_buf_adds(out, "It will be able to do this, and no more:\n");
    return weir_permissions_describe(bundle->needs, 2, out);
}

/* One line of the terminal; false at its end. */
static bool read_line(char *out, size_t size)
{
    size_t len = 0;
    char c = '\0';

    while (c != '\n') {
        ssize_t n = read(STDIN_FILENO, &c, 1);

        if (n < 0 && errno == EINTR && !host_signal())
            continue;
        if (n <= 0)
            return false;
        if (c != '\n' && len + 1 < size)
            out[len++] = c;
    }
    out[len] = '\0';
    return true;
}

static bool says_yes(const char *answer)
{
    return strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0;
}

static enum weir_code ask(const struct host_bundle *bundle,
                          struct weir_err *err)
{
    char answer[MAX_ANSWER] = "";
    struct weir_buf text;

    weir_buf_init(&text, MAX_FILE);
    if (describe(bundle, &text) || weir_buf_adds(&text, "Run it? [y/N] ")) {
        weir_buf_fini(&text);
        return weir_err_nomem(err);
    }
    /* What was typed before the question is no answer to it. */
    tcflush(STDIN_FILENO, TCIFLUSH);
    fwrite(text.data, 1, text.len, stderr);
    fflush(stderr);
    weir_buf_fini(&text);
    if (read_line(answer, sizeof(answer)) && says_yes(answer))
        return WEIR_OK;
    return weir_err_set(err, WEIR_PERMISSION, "%s: not run, as you said",
                        weir_bundle_path(bundle->bundle));
}

static bool can_ask(void)
{
    return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

static enum weir_code ask_once(const struct host_bundle *bundle,
                               struct weir_err *err)
{
    char *path = host_folders_state("accepted.json");
    struct weir_json *answers = path ? read_answers(path) : NULL;
    struct subject subject;
    enum weir_code code = make_subject(bundle, &subject, err);

    if (code == WEIR_OK && !is_answered(answers, &subject)) {
        code = ask(bundle, err);
        if (code == WEIR_OK && path)
            remember(path, answers, &subject);
    }
    weir_json_free(answers);
    free(path);
    return code;
}

enum weir_code host_consent(const struct host_bundle *bundle, bool accept,
                            struct weir_err *err)
{
    if (accept)
        return WEIR_OK;
    if (can_ask())
        return ask_once(bundle, err);
    if (bundle->signer.standing == WEIR_TRUST_TRUSTED)
        return WEIR_OK;
    weir_err_set(err, WEIR_PERMISSION,
                 "%s: is %s, and without a terminal nobody can be asked "
                 "whether it may run",
                 weir_bundle_path(bundle->bundle),
                 bundle->signer.standing == WEIR_TRUST_UNSIGNED
                     ? "not signed"
                     : "signed by a key that is not trusted here");
    weir_err_hint(err, "look at it with weir bundle inspect; then run it with "
                       "--accept, or have it signed by a key that weir key "
                       "trust knows");
    return WEIR_PERMISSION;
}
