#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
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

/* ---- a place that is kept ---- */

void host_files_place_close(struct host_files_place *place)
{
    if (place->folder >= 0)
        close(place->folder);
    free(place->name);
    *place = (struct host_files_place){.folder = -1};
}

#define TEMPORARY  ".tmp"
#define MAX_NUMBER 16 /* hexadecimal digits of 64 bits */

/* Appends a dot and the number in hexadecimal. */
static char *add_number(char *at, uint64_t number)
{
    static const char digits[] = "0123456789abcdef";
    int shift = 60;

    while (shift > 0 && number >> shift == 0)
        shift -= 4;
    *at++ = '.';
    for (; shift >= 0; shift -= 4)
        *at++ = digits[number >> shift & 15];
    return at;
}

/* "NAME.PID.NOW.tmp": nobody else's, neither another process's, nor one of
 * the same number in another container, nor what this process was writing when
 * a signal came.  False if that is too long for a name. */
static bool temporary_name(const struct host_files_place *place,
                           char out[NAME_MAX + 1])
{
    size_t len = strlen(place->name);
    struct timespec now;
    char *at = out + len;

    if (len + 2 * (1 + MAX_NUMBER) + sizeof(TEMPORARY) > NAME_MAX + 1)
        return false;
    clock_gettime(CLOCK_REALTIME, &now);
    memcpy(out, place->name, len);
    at = add_number(at, (uint64_t)getpid());
    at = add_number(at,
                    (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec);
    memcpy(at, TEMPORARY, sizeof(TEMPORARY));
    return true;
}

/* Whoever may read a program may run it. */
static mode_t kept_mode(mode_t old, mode_t mode)
{
    mode_t run = mode & 0111 ? (old & 0444) >> 2 : 0;

    return (old & 07777) | run;
}

/* Returns 0 or an errno. */
static int keep_mode(const struct host_files_place *place, int fd)
{
    struct stat old;

    if (!place->keeps_mode ||
        fstatat(place->folder, place->name, &old, 0) != 0 ||
        fchmod(fd, kept_mode(old.st_mode, place->mode)) == 0)
        return 0;
    return errno;
}

int host_files_place_put(const struct host_files_place *place,
                         int (*write)(void *ud, int fd), void *ud)
{
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    char temporary[NAME_MAX + 1];
    int fd, number;

    if (!temporary_name(place, temporary))
        return ENAMETOOLONG;
    fd = openat(place->folder, temporary, flags, place->mode);
    if (fd < 0)
        return errno;
    number = keep_mode(place, fd);
    if (number == 0)
        number = write(ud, fd);
    if (number == 0 && fsync(fd) != 0)
        number = errno;
    if (close(fd) != 0 && number == 0)
        number = errno;
    if (number == 0 &&
        renameat(place->folder, temporary, place->folder, place->name) != 0)
        number = errno;
    /* The new name must outlive a crash too; a file system that cannot sync a
     * folder has nothing more to offer. */
    if (number != 0)
        unlinkat(place->folder, temporary, 0);
    else
        fsync(place->folder);
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

char *host_files_link(const char *path, bool *is_link)
{
    char to[PATH_MAX], *seen = NULL;
    ssize_t len = readlink(path, to, sizeof(to) - 1);
    const char *slash = strrchr(path, '/');
    int folder = slash ? (int)(slash + 1 - path) : 0;

    if (is_link)
        *is_link = len >= 0;
    if (len < 0)
        return NULL;
    to[len] = '\0';
    if (*to == '/')
        folder = 0;
    return asprintf(&seen, "%.*s%s", folder, path, to) < 0 ? NULL : seen;
}

/* Where `path` leads: through every link, also one to what is not there yet.
 * NULL without memory. */
static char *follow(const char *path)
{
    char *at = strdup(path);

    for (int i = 0; at && i < HOST_FILES_MAX_LINKS; i++) {
        char *next = realpath(at, NULL);
        bool is_there = next != NULL;

        if (!is_there)
            next = host_files_link(at, NULL);
        if (!next)
            break;
        free(at);
        at = next;
        if (is_there)
            break;
    }
    return at;
}

enum weir_code host_files_place_open(const char *path,
                                     struct host_files_place *out,
                                     struct weir_err *err)
{
    char *copy = follow(path);
    enum weir_code code = check_target(path, err);
    int number;

    *out = (struct host_files_place){.folder = -1, .mode = 0600};
    if (!copy) {
        weir_err_nomem(err);
        return WEIR_NOMEM;
    }
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

/* ---- a file in one go ---- */

struct bytes {
    const void *data;
    size_t len;
};

static int write_bytes(void *ud, int fd)
{
    const struct bytes *bytes = ud;

    return host_files_write(fd, bytes->data, bytes->len);
}

enum weir_code host_files_replace_as(const char *path, const void *data,
                                     size_t len, mode_t mode,
                                     struct weir_err *err)
{
    struct bytes bytes = {data, len};
    struct host_files_place place;
    enum weir_code code = host_files_place_open(path, &place, err);
    int number;

    if (code == WEIR_CONFIG && err)
        err->code = WEIR_IO; /* it was not the place that was configured */
    if (code)
        return code == WEIR_CONFIG ? WEIR_IO : code;
    place.mode = mode;
    place.keeps_mode = true;
    number = host_files_place_put(&place, write_bytes, &bytes);
    host_files_place_close(&place);
    return number ? fail(err, path, number) : WEIR_OK;
}

enum weir_code host_files_replace(const char *path, const void *data,
                                  size_t len, struct weir_err *err)
{
    return host_files_replace_as(path, data, len, 0666, err);
}
