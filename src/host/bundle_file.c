#include "bundle_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "near_file.h"
#include "trust_files.h"
#include "weir/cut.h"

enum { HEAD = 64, TAIL = 22 };

void host_bundle_free(struct host_bundle *bundle)
{
    if (!bundle)
        return;
    weir_permissions_free(bundle->needs);
    weir_bundle_free(bundle->bundle);
    free(bundle);
}

/* ---- opening ---- */

/* Whether the file means to be a bundle; its offset stays where it is. */
static bool looks_like_one(int fd, off_t size)
{
    char head[HEAD], tail[TAIL];
    ssize_t head_len = pread(fd, head, sizeof(head), 0);
    ssize_t tail_len = 0;

    if (size >= TAIL)
        tail_len = pread(fd, tail, sizeof(tail), size - TAIL);
    return head_len > 0 && tail_len >= 0 &&
           weir_bundle_is(head, (size_t)head_len, tail, (size_t)tail_len);
}

#define OWN_FILE "/proc/self/exe"

bool host_bundle_is_own(void)
{
    int fd = open(OWN_FILE, O_RDONLY | O_CLOEXEC);
    struct stat file;
    bool is_one =
        fd >= 0 && fstat(fd, &file) == 0 && looks_like_one(fd, file.st_size);

    if (fd >= 0)
        close(fd);
    return is_one;
}

static enum weir_code no_bundle(const char *path, struct weir_err *err)
{
    weir_err_set(err, WEIR_VALIDATION, "%s: is no bundle", path);
    weir_err_hint(err, "weir bundle create makes one of a script");
    return WEIR_VALIDATION;
}

/* *fd < 0, and WEIR_OK: it is no bundle, and need not be one. */
static enum weir_code open_file(const char *path, bool must, int *fd,
                                struct weir_err *err)
{
    struct stat file;

    *fd = -1;
    /* Not opened at all: what is no file (a pipe, a terminal) is a script's,
     * and opening it would take what comes only once. */
    if (!must && (stat(path, &file) != 0 || !S_ISREG(file.st_mode)))
        return WEIR_OK;
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (*fd < 0 || fstat(*fd, &file) != 0) {
        if (!must)
            return WEIR_OK;
        int number = errno;
        char near[HOST_NEAR_FILE_SIZE] = "";

        if (number == ENOENT)
            host_near_file(path, near);
        weir_err_set(err, WEIR_IO, "%s: %s%s", path, strerror(number), near);
        return WEIR_IO;
    }
    if (S_ISREG(file.st_mode) && looks_like_one(*fd, file.st_size))
        return WEIR_OK;
    close(*fd);
    *fd = -1;
    return must ? no_bundle(path, err) : WEIR_OK;
}

/* ---- whose it is ---- */

static enum weir_code refuse_untrusted(const struct host_bundle *bundle,
                                       struct weir_err *err)
{
    if (bundle->signer.standing == WEIR_TRUST_UNSIGNED) {
        weir_err_set(err, WEIR_AUTH, "is not signed");
        weir_err_hint(err, "its signature belongs beside it, in a file of the "
                           "same name with " WEIR_BUNDLE_SIGNATURE " at the "
                           "end");
    } else {
        weir_err_set(err, WEIR_AUTH,
                     "is signed by key %s, which is not trusted here",
                     bundle->signer.id);
        weir_err_hint(err, "if you know whose key that is, and have it from "
                           "them: weir key trust");
    }
    return WEIR_AUTH;
}

/* Before anything of the bytes is understood. */
static enum weir_code judge(const struct weir_trust *trust,
                            struct host_bundle *bundle,
                            const struct host_bundle_asked *asked,
                            struct weir_err *err)
{
    size_t len, signature_len;
    const void *bytes = weir_bundle_bytes(bundle->bundle, &len);
    const char *signature =
        weir_bundle_signature(bundle->bundle, &signature_len);
    enum weir_code code =
        weir_trust_verify(trust, bytes, len, signature, signature_len,
                          (int64_t)time(NULL), &bundle->signer, err);

    if (code == WEIR_SYNTAX && err)
        code = err->code = WEIR_AUTH; /* it is no signature of anybody's */
    if (code == WEIR_AUTH && asked->look_only && !signature) {
        weir_cut_printf(bundle->problem, sizeof(bundle->problem), "%s",
                        err->message);
        weir_err_clear(err);
        return WEIR_OK;
    }
    if (code == WEIR_OK && asked->require_signature &&
        bundle->signer.standing != WEIR_TRUST_TRUSTED)
        code = refuse_untrusted(bundle, err);
    if (code == WEIR_AUTH)
        weir_err_prefix(err, "%s: ", weir_bundle_path(bundle->bundle));
    return code;
}

static struct weir_trust_facts facts_of(const struct host_bundle *bundle)
{
    const struct weir_manifest *m = weir_bundle_manifest(bundle->bundle);

    return (struct weir_trust_facts){m->name, m->version, m->expires};
}

/* Whether it may run here and now. */
static enum weir_code decide(const struct weir_trust *trust,
                             const struct host_bundle *bundle,
                             struct weir_err *err)
{
    const struct weir_trust_facts facts = facts_of(bundle);
    enum weir_code code = weir_bundle_check_host(bundle->bundle, err);

    if (code)
        return code;
    code = weir_trust_decide(trust, &bundle->signer, &facts,
                             (int64_t)time(NULL), err);
    if (code)
        weir_err_prefix(err, "%s: ", weir_bundle_path(bundle->bundle));
    return code;
}

enum weir_code host_bundle_admit(const struct host_bundle *bundle,
                                 struct weir_err *err)
{
    const struct weir_trust_facts facts = facts_of(bundle);
    enum weir_code code =
        host_trust_admit(&bundle->signer, &facts, (int64_t)time(NULL), err);

    if (code == WEIR_AUTH)
        weir_err_prefix(err, "%s: ", weir_bundle_path(bundle->bundle));
    return code;
}

static enum weir_code read_needs(struct host_bundle *bundle,
                                 struct weir_err *err)
{
    enum weir_code code = weir_permissions_parse(
        weir_bundle_manifest(bundle->bundle)->needs, &bundle->needs, err);

    if (code == WEIR_OK || code == WEIR_NOMEM)
        return code;
    weir_err_prefix(err, "%s: " WEIR_MANIFEST_FILE ": /needs: ",
                    weir_bundle_path(bundle->bundle));
    err->code = WEIR_VALIDATION;
    return WEIR_VALIDATION;
}

static enum weir_code open_trusting(const struct weir_trust *trust, int fd,
                                    const char *path,
                                    const struct host_bundle_asked *asked,
                                    struct host_bundle *bundle,
                                    struct weir_err *err)
{
    enum weir_code code = weir_bundle_load(fd, path, &bundle->bundle, err);

    if (code == WEIR_OK)
        code = judge(trust, bundle, asked, err);
    if (code == WEIR_OK)
        code = weir_bundle_unpack(bundle->bundle, err);
    if (code == WEIR_OK)
        code = read_needs(bundle, err);
    if (code)
        return code;
    code = decide(trust, bundle, err);
    if (code == WEIR_OK || code == WEIR_NOMEM || !asked->look_only)
        return code;
    if (!*bundle->problem)
        weir_cut_printf(bundle->problem, sizeof(bundle->problem), "%s",
                        err->message);
    weir_err_clear(err);
    return WEIR_OK;
}

static enum weir_code open_bundle(int fd, const char *path,
                                  const struct host_bundle_asked *asked,
                                  struct host_bundle *bundle,
                                  struct weir_err *err)
{
    struct weir_trust trust;
    enum weir_code code = host_trust_load(&trust, err);

    if (code)
        return code;
    code = open_trusting(&trust, fd, path, asked, bundle, err);
    weir_trust_fini(&trust);
    return code;
}

static enum weir_code open_path(const char *path, const char *name,
                                const struct host_bundle_asked *asked,
                                struct host_bundle **out, struct weir_err *err)
{
    struct host_bundle *bundle;
    int fd;
    enum weir_code code = open_file(path, asked->must, &fd, err);

    if (fd < 0)
        return code;
    bundle = calloc(1, sizeof(*bundle));
    if (bundle)
        code = open_bundle(fd, name, asked, bundle, err);
    else
        code = weir_err_nomem(err);
    close(fd);
    if (code)
        host_bundle_free(bundle);
    else
        *out = bundle;
    return code;
}

enum weir_code host_bundle_open(const char *path,
                                const struct host_bundle_asked *asked,
                                struct host_bundle **out, struct weir_err *err)
{
    char own[PATH_MAX] = "";
    ssize_t len;

    *out = NULL;
    if (!asked->own)
        return open_path(path, path, asked, out, err);
    /* Its path is where the signature stands; the bytes are those that the
     * kernel has started, whatever is at that path by now. */
    len = readlink(OWN_FILE, own, sizeof(own) - 1);
    if (len < 0) {
        weir_err_set(err, WEIR_IO, OWN_FILE ": %s", strerror(errno));
        return WEIR_IO;
    }
    return open_path(OWN_FILE, own, asked, out, err);
}

/* ---- telling ---- */

const char *host_bundle_signed_words(const struct host_bundle *bundle,
                                     char *out, size_t size)
{
    const struct weir_trust_signer *signer = &bundle->signer;

    switch (signer->standing) {
    case WEIR_TRUST_TRUSTED:
        weir_cut_printf(out, size,
                        "signed by %s (key %s), which is trusted here",
                        signer->name, signer->id);
        break;
    case WEIR_TRUST_UNKNOWN:
        weir_cut_printf(out, size,
                        "said to be signed by key %s, which is not trusted "
                        "here, and so not checked",
                        signer->id);
        break;
    case WEIR_TRUST_UNSIGNED: weir_cut_printf(out, size, "not signed"); break;
    }
    return out;
}

static bool set_text(struct weir_json *object, const char *key,
                     const char *text)
{
    return weir_json_set(object, key,
                         weir_json_new_string(text, strlen(text))) == WEIR_OK;
}

static struct weir_json *signature_json(const struct host_bundle *bundle)
{
    const struct weir_trust_signer *signer = &bundle->signer;
    struct weir_json *json = weir_json_new_object();
    char words[256];

    if (json &&
        set_text(json, "status", weir_trust_standing_word(signer->standing)) &&
        (!*signer->id || set_text(json, "key", signer->id)) &&
        (!*signer->name || set_text(json, "by", signer->name)) &&
        (!*signer->trusted || set_text(json, "comment", signer->trusted)) &&
        set_text(json, "words",
                 host_bundle_signed_words(bundle, words, sizeof(words))))
        return json;
    weir_json_free(json);
    return NULL;
}

/* The lines that say what it may do. */
static struct weir_json *can_json(const struct host_bundle *bundle)
{
    struct weir_json *list = weir_json_new_array();
    struct weir_buf text;
    bool ok;

    weir_buf_init(&text, (size_t)1 << 20);
    ok = list && weir_permissions_describe(bundle->needs, 0, &text) == WEIR_OK;
    for (const char *at = weir_buf_str(&text); ok && *at;) {
        size_t len = strcspn(at, "\n");

        ok = weir_json_append(list, weir_json_new_string(at, len)) == WEIR_OK;
        at += len + (at[len] == '\n');
    }
    weir_buf_fini(&text);
    if (ok)
        return list;
    weir_json_free(list);
    return NULL;
}

static struct weir_json *files_json(const struct weir_manifest *m)
{
    struct weir_json *list = weir_json_new_array();
    bool ok = list != NULL;

    for (size_t i = 0; ok && i < m->n_files; i++) {
        struct weir_json *file = weir_json_new_object();

        ok = file && set_text(file, "path", m->files[i].path) &&
             set_text(file, "sha256", m->files[i].sha256) &&
             !weir_json_set(file, "size",
                            weir_json_new_integer((int64_t)m->files[i].size));
        if (ok)
            ok = weir_json_append(list, file) == WEIR_OK;
        else
            weir_json_free(file);
    }
    if (ok)
        return list;
    weir_json_free(list);
    return NULL;
}

static bool add_manifest(struct weir_json *json, const struct weir_manifest *m)
{
    char time[WEIR_MANIFEST_TIME];

    return set_text(json, "name", m->name) &&
           set_text(json, "version", m->version) &&
           set_text(json, "weir", m->weir) && set_text(json, "main", m->main) &&
           (!m->expires ||
            set_text(json, "expires",
                     weir_manifest_time_text(m->expires, time))) &&
           (!m->args ||
            !weir_json_set(json, "args", weir_json_copy(m->args))) &&
           !weir_json_set(json, "files", files_json(m));
}

struct weir_json *host_bundle_json(const struct host_bundle *bundle)
{
    const struct weir_bundle *b = bundle->bundle;
    struct weir_json *json = weir_json_new_object();

    if (json && set_text(json, "path", weir_bundle_path(b)) &&
        set_text(json, "form", weir_bundle_form_word(weir_bundle_form(b))) &&
        set_text(json, "sha256", weir_bundle_sha256(b)) &&
        !weir_json_set(json, "size",
                       weir_json_new_integer((int64_t)weir_bundle_size(b))) &&
        !weir_json_set(json, "signature", signature_json(bundle)) &&
        !weir_json_set(json, "needs", weir_permissions_json(bundle->needs)) &&
        !weir_json_set(json, "can", can_json(bundle)) &&
        (!*bundle->problem || set_text(json, "problem", bundle->problem)) &&
        add_manifest(json, weir_bundle_manifest(b)))
        return json;
    weir_json_free(json);
    return NULL;
}
