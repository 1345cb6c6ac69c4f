#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
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

static bool write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);

        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        }
    }
    return true;
}

/* A new file; a process of the same number may have left one behind. */
static int create(const char *path)
{
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
    int fd = open(path, flags, 0666);

    if (fd < 0 && errno == EEXIST && unlink(path) == 0)
        fd = open(path, flags, 0666);
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

/* Returns 0 or an errno. */
static int replace(const char *path, const char *temporary, const void *data,
                   size_t len)
{
    struct stat old;
    bool is_there = stat(path, &old) == 0;
    int fd = create(temporary), number = 0;

    if (fd < 0)
        return errno;
    if ((is_there && fchmod(fd, old.st_mode & 07777) != 0) ||
        !write_all(fd, data, len) || fsync(fd) != 0)
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
    char *real = realpath(path, NULL); /* NULL: not there yet */
    const char *target = real ? real : path;
    char *temporary = NULL;
    enum weir_code code = WEIR_OK;
    int number;

    if (asprintf(&temporary, "%s.%ld.tmp", target, (long)getpid()) < 0) {
        free(real);
        return weir_err_nomem(err);
    }
    number = replace(target, temporary, data, len);
    if (number != 0)
        code = fail(err, path, number);
    free(temporary);
    free(real);
    return code;
}
