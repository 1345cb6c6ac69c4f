#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum weir_code fail(struct weir_err *err, const char *path, int number)
{
    return weir_err_set(err, WEIR_IO, "%s: %s", path, strerror(number));
}

/* ---- folders ---- */

static enum weir_code make_one(const char *path, struct weir_err *err)
{
    struct stat there;

    if (mkdir(path, 0777) == 0)
        return WEIR_OK;
    if (errno != EEXIST)
        return fail(err, path, errno);
    if (stat(path, &there) != 0)
        return fail(err, path, errno);
    return S_ISDIR(there.st_mode) ? WEIR_OK : fail(err, path, ENOTDIR);
}

enum weir_code host_files_make_folder(const char *path, struct weir_err *err)
{
    char *part = strdup(path);
    enum weir_code code = WEIR_OK;

    if (!part)
        return weir_err_nomem(err);
    for (char *at = part + 1; code == WEIR_OK && *part && *at; at++) {
        if (*at != '/' || at[-1] == '/')
            continue;
        *at = '\0';
        code = make_one(part, err);
        *at = '/';
    }
    if (code == WEIR_OK)
        code = make_one(part, err);
    free(part);
    return code;
}

/* ---- files ---- */

int host_files_write(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);

        if (n < 0 && errno != EINTR)
            return errno;
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        }
    }
    return 0;
}

/* A new file; a process of the same number may have left one behind. */
static int create(const char *path, mode_t mode)
{
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
    int fd = open(path, flags, mode);

    if (fd < 0 && errno == EEXIST && unlink(path) == 0)
        fd = open(path, flags, mode);
    return fd;
}

/* The new name must outlive a crash too; a file system that cannot sync a
 * folder has nothing more to offer. */
static void sync_folder(const char *path)
{
    char *copy = strdup(path);
    int fd =
        copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    free(copy);
}

/* Whoever may read a program may run it. */
static mode_t kept_mode(mode_t old, mode_t mode)
{
    mode_t run = mode & 0111 ? (old & 0444) >> 2 : 0;

    return (old & 07777) | run;
}

/* Returns 0 or an errno. */
static int replace(const char *path, const char *temporary, const void *data,
                   size_t len, mode_t mode)
{
    struct stat old;
    bool is_there = stat(path, &old) == 0;
    int fd = create(temporary, mode), number = 0;

    if (fd < 0)
        return errno;
    if (is_there && fchmod(fd, kept_mode(old.st_mode, mode)) != 0)
        number = errno;
    if (number == 0)
        number = host_files_write(fd, data, len);
    if (number == 0 && fsync(fd) != 0)
        number = errno;
    if (close(fd) != 0 && number == 0)
        number = errno;
    if (number == 0 && rename(temporary, path) != 0)
        number = errno;
    if (number != 0)
        unlink(temporary);
    else
        sync_folder(path);
    return number;
}

enum weir_code host_files_replace(const char *path, const void *data,
                                  size_t len, struct weir_err *err)
{
    return host_files_replace_as(path, data, len, 0666, err);
}

enum weir_code host_files_replace_as(const char *path, const void *data,
                                     size_t len, mode_t mode,
                                     struct weir_err *err)
{
    char *real = realpath(path, NULL); /* NULL: not there yet */
    const char *target = real ? real : path;
    char *temporary = NULL;
    enum weir_code code = WEIR_OK;
    int number;

    if (asprintf(&temporary, "%s.%ld.tmp", target, (long)getpid()) < 0) {
        free(real);
        return weir_err_nomem(err);
    }
    number = replace(target, temporary, data, len, mode);
    if (number != 0)
        code = fail(err, path, number);
    free(temporary);
    free(real);
    return code;
}

/* ---- a place that is kept ---- */

void host_files_place_close(struct host_files_place *place)
{
    if (place->folder >= 0)
        close(place->folder);
    free(place->name);
    *place = (struct host_files_place){.folder = -1};
}

/* "NAME" and the suffix; false if that is too long for a name. */
static bool temporary_name(const struct host_files_place *place,
                           const char *suffix, char out[NAME_MAX + 1])
{
    size_t len = strlen(place->name), more = strlen(suffix) + 1;

    if (len + more > NAME_MAX + 1)
        return false;
    memcpy(out, place->name, len);
    memcpy(out + len, suffix, more);
    return true;
}

/* Returns the descriptor, or -1.  One that a run before has left is in the
 * way. */
static int create_beside(const struct host_files_place *place,
                         const char *temporary)
{
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(place->folder, temporary, flags, 0600);

    if (fd < 0 && errno == EEXIST && unlinkat(place->folder, temporary, 0) == 0)
        fd = openat(place->folder, temporary, flags, 0600);
    return fd;
}

int host_files_place_put(const struct host_files_place *place,
                         const char *suffix, int (*write)(void *ud, int fd),
                         void *ud)
{
    char temporary[NAME_MAX + 1];
    int fd, number;

    if (!temporary_name(place, suffix, temporary))
        return ENAMETOOLONG;
    fd = create_beside(place, temporary);
    if (fd < 0)
        return errno;
    number = write(ud, fd);
    if (number == 0 && fsync(fd) != 0)
        number = errno;
    if (close(fd) != 0 && number == 0)
        number = errno;
    if (number == 0 &&
        renameat(place->folder, temporary, place->folder, place->name) != 0)
        number = errno;
    if (number != 0)
        unlinkat(place->folder, temporary, 0);
    else
        fsync(place->folder); /* see sync_folder */
    return number;
}

/* What is there already must be a file that can be replaced. */
static enum weir_code check_target(const char *path, struct weir_err *err)
{
    struct stat there;
    const char *why = NULL;

    if (!*path || path[strlen(path) - 1] == '/')
        why = "this names no file";
    else if (stat(path, &there) != 0)
        why = errno == ENOENT ? NULL : strerror(errno);
    else if (S_ISDIR(there.st_mode))
        why = "this is a folder; expected the name of a file in it";
    else if (!S_ISREG(there.st_mode))
        why = "this is no ordinary file and cannot be replaced as a whole; "
              "expected the name of one";
    if (!why)
        return WEIR_OK;
    return weir_err_set(err, WEIR_CONFIG, "%s: %s", path, why);
}

/* `path` is taken apart. */
static int open_place(struct host_files_place *out, char *path)
{
    out->name = strdup(basename(path));
    if (!out->name)
        return ENOMEM;
    out->folder = open(dirname(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return out->folder < 0 ? errno : 0;
}

enum weir_code host_files_place_open(const char *path,
                                     struct host_files_place *out,
                                     struct weir_err *err)
{
    char *real = realpath(path, NULL); /* NULL: not there yet */
    char *copy = strdup(real ? real : path);
    enum weir_code code = check_target(path, err);
    int number;

    *out = (struct host_files_place){.folder = -1};
    free(real);
    if (!copy)
        return weir_err_nomem(err);
    number = code ? 0 : open_place(out, copy);
    if (number == ENOENT)
        code = weir_err_set(err, WEIR_CONFIG, "%s: there is no folder %s", path,
                            copy);
    else if (number != 0)
        code = weir_err_set(err, WEIR_CONFIG, "%s: %s", path, strerror(number));
    if (code)
        host_files_place_close(out);
    free(copy);
    return code;
}
