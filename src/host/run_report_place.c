/* Where a run's report goes: nowhere where anything else is lost by it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run_report_internal.h"

/* What an earlier report begins with, and what comes after its number. */
static const char opening[] = HOST_RUN_REPORT_OPENING;
static const char following[] = ",\n  \"program\": {\n";

enum { LOOK = 64, MAX_DIGITS = 9 };

static bool looks_like_one(const char *head, size_t len)
{
    size_t at = sizeof(opening) - 1, digits;

    if (len < at || memcmp(head, opening, at) != 0)
        return false;
    digits = strspn(head + at, "0123456789");
    at += digits;
    return digits > 0 && digits <= MAX_DIGITS &&
           len - at >= sizeof(following) - 1 &&
           memcmp(head + at, following, sizeof(following) - 1) == 0;
}

static bool are_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static const char *stream_of(const struct stat *file)
{
    static const char *const words[] = {"what standard input is read from",
                                        "where standard output goes",
                                        "where standard error goes"};
    struct stat stream;

    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fstat(fd, &stream) == 0 && are_same(&stream, file))
            return words[fd];
    }
    return NULL;
}

/* An empty file is somebody's place for it (mktemp). */
static enum weir_code check_content(int fd, const char *path,
                                    struct weir_err *err)
{
    char head[LOOK + 1] = "";
    ssize_t len;

    do {
        len = pread(fd, head, LOOK, 0);
    } while (len < 0 && errno == EINTR);
    if (len < 0)
        return weir_err_set(err, WEIR_CONFIG, "%s: %s", path, strerror(errno));
    if (len == 0 || looks_like_one(head, (size_t)len))
        return WEIR_OK;
    weir_err_set(err, WEIR_CONFIG,
                 "%s: something else is in this file, which would be lost; "
                 "expected a new name, or that of an earlier report",
                 path);
    return WEIR_CONFIG;
}

static enum weir_code check_file(int fd, const char *path, const char *program,
                                 struct weir_err *err)
{
    const char *stream;
    struct stat file, other;

    if (fstat(fd, &file) != 0)
        return weir_err_set(err, WEIR_CONFIG, "%s: %s", path, strerror(errno));
    stream = stream_of(&file);
    if (stream)
        return weir_err_set(err, WEIR_CONFIG,
                            "%s: this is %s, and would be replaced", path,
                            stream);
    if (program && stat(program, &other) == 0 && are_same(&file, &other))
        return weir_err_set(err, WEIR_CONFIG,
                            "%s: this is what is to be run, and would be "
                            "replaced",
                            path);
    return check_content(fd, path, err);
}

static enum weir_code check(const struct host_files_place *place,
                            const char *path, const char *program,
                            struct weir_err *err)
{
    const int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW;
    int fd = openat(place->folder, place->name, flags);
    enum weir_code code;

    if (fd < 0 && errno == ENOENT)
        return WEIR_OK;
    if (fd < 0)
        return weir_err_set(err, WEIR_CONFIG,
                            "%s: %s; what is in it cannot be seen, and would "
                            "be lost",
                            path, strerror(errno));
    code = check_file(fd, path, program, err);
    close(fd);
    return code;
}

enum weir_code host_run_report_place(const char *path, const char *program,
                                     struct host_files_place *out,
                                     struct weir_err *err)
{
    enum weir_code code = host_files_place_open(path, out, err);

    if (code)
        return code;
    code = check(out, path, program, err);
    if (code)
        host_files_place_close(out);
    return code;
}
