#include "weir/dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

/* procfs, linux/magic.h: files that are no data, but processes, and among them
 * this one's memory. */
#define PROCESSES 0x9fa0

/* How often the kernel is asked again when something was renamed while it
 * looked (EAGAIN, openat2(2)). */
#define MAX_TRIES 32

struct root {
    char *path; /* as it was granted */
    int fd; /* the folder; or one above it; -1: it could not be looked for */
    char *name; /* beneath the one above; NULL: `fd` is the root itself */
    struct root *next;
};

struct weir_dir {
    struct root *roots;
};

/* ---- what the system said ---- */

static enum weir_code system_error(struct weir_err *err, const char *path)
{
    int number = errno;

    if (number == EXDEV)
        weir_err_set(err, WEIR_DENIED,
                     "%s: a link or a '..' in this path leads out of the "
                     "folder that was granted",
                     path);
    else if (number == ELOOP)
        weir_err_set(err, WEIR_DENIED,
                     "%s: there is a link in this path that is not followed "
                     "in a confined run",
                     path);
    else if (number == ENOSYS)
        weir_err_set(err, WEIR_IO,
                     "%s: files cannot be opened beneath a folder here: this "
                     "kernel has no openat2 (Linux 5.6), or a filter hides it",
                     path);
    else
        weir_err_set(err, WEIR_IO, "%s: %s", path, strerror(number));
    errno = number;
    return number == EXDEV || number == ELOOP ? WEIR_DENIED : WEIR_IO;
}

/* ---- roots ---- */

enum weir_code weir_dir_new(struct weir_dir **out, struct weir_err *err)
{
    struct weir_dir *dir = calloc(1, sizeof(*dir));

    if (!dir)
        return weir_err_nomem(err);
    *out = dir;
    return WEIR_OK;
}

void weir_dir_free(struct weir_dir *dir)
{
    if (!dir)
        return;
    while (dir->roots) {
        struct root *root = dir->roots;

        dir->roots = root->next;
        if (root->fd >= 0)
            close(root->fd);
        free(root->path);
        free(root->name);
        free(root);
    }
    free(dir);
}

/* Opens the nearest folder above `path` that is there, and keeps the rest of
 * the path: the name of a file, or of what is not there yet.  From now on no
 * link is followed on that rest: whoever may write the folder could put one
 * there, and the script may be among them. */
static enum weir_code look_around(struct root *root, const char *path)
{
    char *copy = strdup(path);
    size_t at = copy ? strlen(copy) : 0;

    if (!copy)
        return WEIR_NOMEM;
    do {
        do
            at--;
        while (at > 0 && copy[at] != '/');
        copy[at ? at : 1] = '\0'; /* "/file" is in "/" */
        root->fd = open(copy, O_PATH | O_DIRECTORY | O_CLOEXEC);
    } while (root->fd < 0 && at > 0 && (errno == ENOENT || errno == ENOTDIR));
    free(copy);
    if (root->fd < 0)
        return WEIR_OK;
    root->name = strdup(path + at + 1);
    if (root->name)
        return WEIR_OK;
    close(root->fd);
    root->fd = -1;
    return WEIR_NOMEM;
}

/* Looks for what was granted.  Not to find it is no failure. */
static enum weir_code look(struct root *root, struct weir_err *err)
{
    char *real;
    enum weir_code code;

    root->fd = open(root->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root->fd >= 0)
        return WEIR_OK;
    if (errno != ENOTDIR && errno != ENOENT)
        return system_error(err, root->path);
    real = realpath(root->path, NULL);
    if (!real && errno == ENOMEM)
        return weir_err_nomem(err);
    code = look_around(root, real ? real : root->path);
    free(real);
    return code ? weir_err_nomem(err) : WEIR_OK;
}

/* A folder's name may end with a slash, and means the same without. */
static size_t length_of(const char *path)
{
    size_t len = strlen(path);

    while (len > 1 && path[len - 1] == '/')
        len--;
    return len;
}

static struct root *find(const struct weir_dir *dir, const char *path)
{
    size_t len = length_of(path);
    struct root *root = dir->roots;

    while (root && (strncmp(root->path, path, len) != 0 || root->path[len]))
        root = root->next;
    return root;
}

static enum weir_code add(struct weir_dir *dir, const char *path,
                          struct weir_err *err)
{
    struct root *root = calloc(1, sizeof(*root));

    if (root)
        root->path = strndup(path, length_of(path));
    if (!root || !root->path) {
        free(root);
        return weir_err_nomem(err);
    }
    root->fd = -1;
    root->next = dir->roots;
    dir->roots = root;
    return look(root, err);
}

enum weir_code weir_dir_root(struct weir_dir *dir, const char *root,
                             struct weir_err *err)
{
    if (root[0] != '/')
        return weir_err_set(err, WEIR_INVALID,
                            "%s: a folder to open files beneath must be an "
                            "absolute path",
                            root);
    return find(dir, root) ? WEIR_OK : add(dir, root, err);
}

/* ---- places: a root, and the rest of a path beneath it ---- */

struct place {
    const struct root *root;
    char rest[PATH_MAX];
};

/* The part of `path` beneath the root, "" for the root itself; or NULL. */
static const char *beneath(const char *root, const char *path)
{
    size_t len = strlen(root);

    if (strcmp(root, "/") == 0)
        len = 0;
    if (strncmp(root, path, len) != 0 || (path[len] && path[len] != '/'))
        return NULL;
    path += len;
    return path + strspn(path, "/");
}

/* openat2(2) has no function in glibc.  A descriptor, or -1 with errno. */
static int open_beneath(const struct root *root, const char *path,
                        unsigned flags, mode_t mode)
{
    struct open_how how = {
        .flags = flags | O_CLOEXEC,
        .mode = flags & O_CREAT ? mode : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    long fd = -1;

    /* Around a file that was granted there may be what was not. */
    if (root->name)
        how.resolve |= RESOLVE_NO_SYMLINKS;
    for (int i = 0; i < MAX_TRIES; i++) {
        fd = syscall(SYS_openat2, root->fd, *path ? path : ".", &how,
                     sizeof(how));
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
            break;
    }
    return (int)fd;
}

/* What was not there when it was granted has become a folder: from now on
 * that one.  Beneath the folder around it there is what was not granted. */
static int enter(struct root *root)
{
    int fd = open_beneath(root, root->name, O_PATH | O_DIRECTORY, 0);

    if (fd < 0)
        return -1;
    close(root->fd);
    root->fd = fd;
    free(root->name);
    root->name = NULL;
    return 0;
}

static enum weir_code find_place(struct weir_dir *dir, const char *root,
                                 const char *path, struct place *place,
                                 struct weir_err *err)
{
    enum weir_code code = weir_dir_root(dir, root, err);
    struct root *found;
    const char *rest;

    if (code)
        return code;
    found = find(dir, root);
    rest = beneath(found->path, path);
    if (!rest) {
        weir_err_set(err, WEIR_DENIED, "%s: is not beneath %s", path, root);
        return WEIR_DENIED;
    }
    if (found->fd < 0 && (code = look(found, err)) != WEIR_OK)
        return code;
    if (found->fd < 0) {
        errno = ENOENT;
        return system_error(err, path);
    }
    if (found->name && *rest && enter(found))
        return system_error(err, path);
    if (found->name)
        rest = found->name;
    if (strlen(rest) >= sizeof(place->rest)) {
        errno = ENAMETOOLONG;
        return system_error(err, path);
    }
    place->root = found;
    memcpy(place->rest, rest, strlen(rest) + 1);
    return WEIR_OK;
}

/* ---- opening ---- */

static unsigned open_flags(unsigned flags)
{
    unsigned out = O_NOCTTY | O_NONBLOCK;

    if ((flags & WEIR_DIR_READ) && (flags & WEIR_DIR_WRITE))
        out |= O_RDWR;
    else if (flags & WEIR_DIR_WRITE)
        out |= O_WRONLY;
    if (flags & WEIR_DIR_APPEND)
        out |= O_APPEND;
    if (flags & WEIR_DIR_CREATE)
        out |= O_CREAT;
    if (flags & WEIR_DIR_NEW)
        out |= O_EXCL;
    return out;
}

static int refuse_kind(mode_t mode)
{
    if (S_ISREG(mode))
        return 0;
    errno = S_ISDIR(mode) ? EISDIR : EINVAL;
    return -1;
}

static int check_regular(int fd)
{
    struct stat file;
    struct statfs system;

    if (fstat(fd, &file) || refuse_kind(file.st_mode) || fstatfs(fd, &system))
        return -1;
    if (system.f_type != PROCESSES)
        return 0;
    errno = ENOTSUP;
    return -1;
}

/* Looks at it without opening it, since that alone moves a tape. */
static int look_at(const struct place *place)
{
    int fd = open_beneath(place->root, place->rest, O_PATH, 0), wrong, number;

    if (fd < 0)
        return -1;
    wrong = check_regular(fd);
    number = errno;
    close(fd);
    errno = number;
    return wrong;
}

static enum weir_code open_error(struct weir_err *err, const char *path)
{
    if (errno == EINVAL) {
        weir_err_set(err, WEIR_IO,
                     "%s: is no regular file, and a confined run opens no "
                     "others",
                     path);
        errno = EINVAL;
        return WEIR_IO;
    }
    if (errno == ENOTSUP) {
        weir_err_set(err, WEIR_IO,
                     "%s: is a process, not data (procfs), and a confined run "
                     "opens nothing there",
                     path);
        errno = ENOTSUP;
        return WEIR_IO;
    }
    return system_error(err, path);
}

/* It was no pipe when it was looked at; it is looked at again. */
static int settle(int fd, unsigned flags)
{
    int status = fcntl(fd, F_GETFL);

    if (check_regular(fd))
        return -1;
    if (status < 0 || fcntl(fd, F_SETFL, status & ~O_NONBLOCK))
        return -1;
    return flags & WEIR_DIR_EMPTY ? ftruncate(fd, 0) : 0;
}

enum weir_code weir_dir_open(struct weir_dir *dir, const char *root,
                             const char *path, unsigned flags, int *fd,
                             struct weir_err *err)
{
    struct place place = {.root = NULL};
    enum weir_code code = find_place(dir, root, path, &place, err);
    int opened;

    if (code)
        return code;
    if (look_at(&place) && !(errno == ENOENT && flags & WEIR_DIR_CREATE))
        return open_error(err, path);
    opened = open_beneath(place.root, place.rest, open_flags(flags),
                          flags & WEIR_DIR_NEW ? 0600 : 0666);
    if (opened < 0)
        return system_error(err, path);
    if (settle(opened, flags)) {
        code = open_error(err, path);
        close(opened);
        return code;
    }
    *fd = opened;
    return WEIR_OK;
}

/* ---- removing and renaming ---- */

/* The folder that an entry is in, open, and the entry's name in it. */
struct entry {
    int fd;
    const char *name;
};

static enum weir_code find_entry(struct weir_dir *dir, const char *root,
                                 const char *path, struct place *place,
                                 struct entry *entry, struct weir_err *err)
{
    enum weir_code code = find_place(dir, root, path, place, err);
    size_t len = code ? 0 : strlen(place->rest);
    char *slash;

    if (code)
        return code;
    while (len > 0 && place->rest[len - 1] == '/')
        place->rest[--len] = '\0';
    slash = strrchr(place->rest, '/');
    entry->name = slash ? slash + 1 : place->rest;
    if (!*entry->name || strcmp(entry->name, ".") == 0 ||
        strcmp(entry->name, "..") == 0) {
        errno = EBUSY;
        return system_error(err, path);
    }
    if (slash)
        *slash = '\0';
    entry->fd = open_beneath(place->root, slash ? place->rest : "",
                             O_PATH | O_DIRECTORY, 0);
    return entry->fd < 0 ? system_error(err, path) : WEIR_OK;
}

enum weir_code weir_dir_remove(struct weir_dir *dir, const char *root,
                               const char *path, struct weir_err *err)
{
    struct place place = {.root = NULL};
    struct entry entry = {.fd = -1};
    enum weir_code code = find_entry(dir, root, path, &place, &entry, err);
    int failed;

    if (code)
        return code;
    failed = unlinkat(entry.fd, entry.name, 0);
    if (failed && errno == EISDIR)
        failed = unlinkat(entry.fd, entry.name, AT_REMOVEDIR);
    if (failed)
        code = system_error(err, path);
    close(entry.fd);
    return code;
}

enum weir_code weir_dir_rename(struct weir_dir *dir, const char *from_root,
                               const char *from, const char *to_root,
                               const char *to, struct weir_err *err)
{
    struct place from_place = {.root = NULL}, to_place = {.root = NULL};
    struct entry old = {.fd = -1}, new = {.fd = -1};
    enum weir_code code =
        find_entry(dir, from_root, from, &from_place, &old, err);

    if (code)
        return code;
    code = find_entry(dir, to_root, to, &to_place, &new, err);
    if (code) {
        close(old.fd);
        return code;
    }
    if (renameat(old.fd, old.name, new.fd, new.name)) {
        int number = errno;

        /* Two file systems: no link has led anywhere. */
        code = weir_err_set(err, WEIR_IO, "%s: %s", from, strerror(number));
        errno = number;
    }
    close(old.fd);
    close(new.fd);
    return code;
}
