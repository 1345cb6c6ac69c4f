#include "guarded.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "files.h"
#include "folders.h"

static enum weir_code failed(const char *path, struct weir_err *err)
{
    weir_err_set(err, WEIR_IO, "%s: %s", path, strerror(errno));
    return WEIR_IO;
}

/* ---- who else ---- */

static bool owner_is_good(uid_t owner, enum host_guard guard)
{
    return owner == 0 || (guard != HOST_GUARD_MACHINE && owner == geteuid());
}

static enum weir_code refuse_owner(const char *path, const struct stat *file,
                                   enum host_guard guard, struct weir_err *err)
{
    weir_err_set(err, WEIR_CONFIG,
                 "%s: it belongs to somebody else (user %u), who could change "
                 "what it says",
                 path, (unsigned)file->st_uid);
    weir_err_hint(
        err, "chown %s %s",
        guard == HOST_GUARD_MACHINE ? "root" : "it to yourself:", path);
    return WEIR_CONFIG;
}

static enum weir_code check_file(const char *path, const struct stat *file,
                                 enum host_guard guard, struct weir_err *err)
{
    unsigned mode = (unsigned)file->st_mode & 07777;

    if (!S_ISREG(file->st_mode))
        return weir_err_set(err, WEIR_CONFIG, "%s: is no regular file", path);
    if (!owner_is_good(file->st_uid, guard))
        return refuse_owner(path, file, guard, err);
    if (mode & 022) {
        weir_err_set(err, WEIR_CONFIG,
                     "%s: others may write it (mode %04o), and so decide what "
                     "it says",
                     path, mode);
        weir_err_hint(err, "chmod go-w %s", path);
        return WEIR_CONFIG;
    }
    if (guard == HOST_GUARD_SECRET && (mode & 077)) {
        weir_err_set(err, WEIR_CONFIG,
                     "%s: others may read it (mode %04o), and it is a secret",
                     path, mode);
        weir_err_hint(err,
                      "chmod 600 %s; if others have read it already, "
                      "it is no secret any more",
                      path);
        return WEIR_CONFIG;
    }
    return WEIR_OK;
}

static enum weir_code leads_nowhere(const char *path, struct weir_err *err)
{
    return weir_err_set(err, WEIR_CONFIG, "%s: is a link that leads nowhere",
                        path);
}

/* Whoever may write the folder can put another file in this one's place, or
 * take it away.  With the sticky bit (/tmp) they cannot.  Where there is no
 * folder (`must`), nobody has a file in it; but a link is somebody's word that
 * there is one. */
static enum weir_code check_folder(const char *path, enum host_guard guard,
                                   bool must, struct weir_err *err)
{
    char *copy = strdup(path);
    const char *folder;
    struct stat it;
    enum weir_code code = WEIR_OK;

    if (!copy)
        return weir_err_nomem(err);
    folder = dirname(copy);
    if (stat(folder, &it) != 0) {
        if (must || errno != ENOENT)
            code = failed(folder, err);
        else if (lstat(folder, &it) == 0)
            code = leads_nowhere(folder, err);
    } else if (!owner_is_good(it.st_uid, guard)) {
        code = refuse_owner(folder, &it, guard, err);
    } else if ((it.st_mode & 022) && !(it.st_mode & S_ISVTX)) {
        code = weir_err_set(err, WEIR_CONFIG,
                            "%s: others may write this folder (mode %04o), and "
                            "so put another file in the place of %s, or take "
                            "it away",
                            folder, (unsigned)it.st_mode & 07777, path);
        weir_err_hint(err, "chmod go-w %s", folder);
    }
    free(copy);
    return code;
}

/* ---- reading ---- */

static enum weir_code read_all(int fd, const char *path, struct weir_buf *out,
                               struct weir_err *err)
{
    char part[4096];
    enum weir_code code = WEIR_OK;
    ssize_t n;

    while ((n = read(fd, part, sizeof(part))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            code = failed(path, err);
            break;
        }
        if (weir_buf_add(out, part, (size_t)n)) {
            code = weir_buf_err(out, path, err);
            break;
        }
    }
    explicit_bzero(part, sizeof(part));
    return code;
}

/* Of a link, the folder that it leads to decides as much as its own.  The file
 * has been opened, so the links come to an end. */
static enum weir_code check_folders(const char *path, enum host_guard guard,
                                    struct weir_err *err)
{
    enum weir_code code = check_folder(path, guard, true, err);
    bool link = false;
    char *at = code ? NULL : host_files_link(path, &link);

    for (int i = 0; link && at && code == WEIR_OK && i < HOST_FILES_MAX_LINKS;
         i++) {
        char *next = NULL;

        code = check_folder(at, guard, true, err);
        if (code == WEIR_OK)
            next = host_files_link(at, &link);
        free(at);
        at = next;
    }
    if (code == WEIR_OK && link && !at)
        code = weir_err_nomem(err);
    free(at);
    return code;
}

/* A file that is not there says nothing, unless somebody else took it away. */
static enum weir_code check_absence(const char *path, enum host_guard guard,
                                    struct weir_err *err)
{
    struct stat link;

    /* Another kind of file has come this very moment. */
    if (lstat(path, &link) == 0 && S_ISLNK(link.st_mode))
        return leads_nowhere(path, err);
    return check_folder(path, guard, false, err);
}

enum weir_code host_guarded_read(const char *path, enum host_guard guard,
                                 struct weir_buf *out, bool *there,
                                 struct weir_err *err)
{
    /* A pipe of that name must not be waited for. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat file;
    enum weir_code code;

    if (there)
        *there = fd >= 0;
    if (fd < 0)
        return there && errno == ENOENT ? check_absence(path, guard, err)
                                        : failed(path, err);
    code = fstat(fd, &file) == 0 ? check_file(path, &file, guard, err)
                                 : failed(path, err);
    if (code == WEIR_OK)
        code = check_folders(path, guard, err);
    if (code == WEIR_OK)
        code = read_all(fd, path, out, err);
    close(fd);
    return code;
}

/* ---- locking ---- */

enum { TRIES = 200, TRY_MS = 50 };

static enum weir_code wait_for_lock(int fd, const char *path,
                                    struct weir_err *err)
{
    const struct timespec pause = {.tv_nsec = TRY_MS * 1000000L};

    for (int i = 0; i < TRIES; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return WEIR_OK;
        if (errno != EWOULDBLOCK && errno != EINTR)
            return failed(path, err);
        nanosleep(&pause, NULL);
    }
    return weir_err_set(err, WEIR_LOCKED,
                        "%s: another process has held it for %d seconds", path,
                        TRIES * TRY_MS / 1000);
}

/* Whoever held it may have taken it away meanwhile: then somebody else can have
 * made, and locked, another one of that name. */
static bool is_in_place(int fd, const char *path)
{
    struct stat held, there;

    return fstat(fd, &held) == 0 && lstat(path, &there) == 0 &&
           held.st_ino == there.st_ino && held.st_dev == there.st_dev;
}

static enum weir_code lock_file(const char *path, int *lock,
                                struct weir_err *err)
{
    for (;;) {
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        enum weir_code code =
            fd < 0 ? failed(path, err) : wait_for_lock(fd, path, err);

        if (code == WEIR_OK && is_in_place(fd, path)) {
            *lock = fd;
            return WEIR_OK;
        }
        if (fd >= 0)
            close(fd);
        if (code)
            return code;
    }
}

static char *lock_of(const char *path)
{
    char *name = NULL;

    return asprintf(&name, "%s.lock", path) < 0 ? NULL : name;
}

enum weir_code host_guarded_lock(const char *path, int *lock,
                                 struct weir_err *err)
{
    enum weir_code code = host_folders_make_private(path, err);
    char *name;

    if (code)
        return code;
    name = lock_of(path);
    if (!name)
        return weir_err_nomem(err);
    code = lock_file(name, lock, err);
    free(name);
    return code;
}

void host_guarded_unlock(int lock)
{
    if (lock >= 0)
        close(lock);
}

void host_guarded_unlock_away(const char *path, int lock)
{
    char *name = lock >= 0 ? lock_of(path) : NULL;

    if (name)
        unlink(name);
    free(name);
    host_guarded_unlock(lock);
}
