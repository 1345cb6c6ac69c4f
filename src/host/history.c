#include "history.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folders.h"

/* The file is cut to its newer half when it has grown beyond this. */
#define MAX_FILE    ((size_t)1 << 20)
#define MAX_ENTRIES 10000

struct host_history {
    const struct weir_log *log;
    char *folder, *path, *lock_path; /* NULL: no home */
    char *last;                      /* the input before */
    char **added;                    /* of this session, as lines */
    size_t n_added, cap_added;
};

/* ---- where ---- */

struct host_history *host_history_new(const struct weir_log *log)
{
    struct host_history *history = calloc(1, sizeof(*history));

    if (!history)
        return NULL;
    history->log = log;
    history->path = host_folders_state("history");
    if (!history->path)
        return history;
    history->lock_path = host_folders_state("history.lock");
    history->folder = strndup(
        history->path, (size_t)(strrchr(history->path, '/') - history->path));
    if (!history->folder || !history->lock_path) {
        host_history_free(history);
        return NULL;
    }
    return history;
}

const char *host_history_path(const struct host_history *history)
{
    return history->path;
}

/* Makes the folder, and those above it as the XDG specification asks. */
static bool make_folder(char *path)
{
    for (char *slash = path + 1; (slash = strchr(slash, '/')) != NULL;
         slash++) {
        int made;

        *slash = '\0';
        made = mkdir(path, 0700);
        *slash = '/';
        if (made != 0 && errno != EEXIST)
            return false;
    }
    if (mkdir(path, 0700) == 0)
        return true;
    return errno == EEXIST && chmod(path, 0700) == 0;
}

/* ---- the lock, and the file under it ---- */

static int lock(struct host_history *history)
{
    int fd = open(history->lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    while (fd >= 0 && flock(fd, LOCK_EX) != 0) {
        if (errno != EINTR) {
            int reason = errno;

            close(fd);
            errno = reason;
            return -1;
        }
    }
    return fd;
}

static bool write_all(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, text, len);

        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0) {
            text += n;
            len -= (size_t)n;
        }
    }
    return true;
}

/* All of the file; empty where there is none. */
static bool read_file(const char *path, struct weir_buf *text)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char chunk[8192];
    ssize_t n;

    if (fd < 0)
        return errno == ENOENT;
    while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || weir_buf_add(text, chunk, (size_t)n)) {
            close(fd);
            return false;
        }
    }
    close(fd);
    return true;
}

/* The new file stands beside the old one until it is whole and on the disk. */
static bool replace_file(struct host_history *history, const char *text,
                         size_t len)
{
    char *temporary;
    int fd, folder;
    bool ok;

    if (asprintf(&temporary, "%s.%ld", history->path, (long)getpid()) < 0)
        return false;
    fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ok = fd >= 0 && write_all(fd, text, len) && fsync(fd) == 0;
    if (fd >= 0 && close(fd) != 0)
        ok = false;
    ok = ok && rename(temporary, history->path) == 0;
    if (!ok) {
        int reason = errno;

        unlink(temporary);
        errno = reason;
    }
    free(temporary);
    folder = ok ? open(history->folder, O_RDONLY | O_CLOEXEC) : -1;
    if (folder >= 0) {
        fsync(folder);
        close(folder);
    }
    return ok;
}

/* ---- lines ---- */

static void escape(const char *text, struct weir_buf *line)
{
    for (; *text; text++) {
        if (*text == '\n')
            weir_buf_adds(line, "\\n");
        else if (*text == '\\')
            weir_buf_adds(line, "\\\\");
        else
            weir_buf_addc(line, *text);
    }
}

static void unescape(char *line)
{
    char *out = line;

    for (; *line; line++) {
        if (*line == '\\' && line[1]) {
            line++;
            *out++ = (char)(*line == 'n' ? '\n' : *line);
        } else {
            *out++ = *line;
        }
    }
    *out = '\0';
}

/* Drops the older half, on a line's border. */
static const char *newer_half(const char *text, size_t len)
{
    const char *middle = text + len / 2;
    const char *line = memchr(middle, '\n', (size_t)(text + len - middle));

    return line ? line + 1 : text;
}

/* ---- what must not be written ---- */

/* True if the log would hide any of it. */
static bool holds_secret(const struct host_history *history, const char *text)
{
    struct weir_buf shown;
    bool holds;

    weir_buf_init(&shown, 4 * strlen(text) + 4096);
    holds =
        weir_log_redact(history->log, text, strlen(text), &shown) != WEIR_OK ||
        strcmp(weir_buf_str(&shown), text) != 0;
    weir_buf_fini(&shown);
    return holds;
}

/* client_secret = "…", password = '…': secret even if the line failed before
 * anybody was told so. */
static bool names_secret(const char *text)
{
    static const char *const names[] = {"secret", "password", "token"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        for (const char *at = text; (at = strcasestr(at, names[i])) != NULL;
             at++) {
            const char *c = at + strlen(names[i]);

            c += strspn(c, " \t\"']");
            if (*c != '=' && *c != '(')
                continue;
            c++;
            c += strspn(c, " \t");
            if (*c == '"' || *c == '\'' || *c == '[')
                return true;
        }
    }
    return false;
}

/* ---- adding ---- */

static void keep_added(struct host_history *history, const char *line)
{
    if (history->n_added == history->cap_added) {
        size_t cap = history->cap_added ? 2 * history->cap_added : 64;
        char **larger = realloc(history->added, cap * sizeof(*larger));

        if (!larger)
            return;
        history->added = larger;
        history->cap_added = cap;
    }
    history->added[history->n_added] = strdup(line);
    if (history->added[history->n_added])
        history->n_added++;
}

/* Under the lock. */
static bool append(struct host_history *history, const struct weir_buf *line)
{
    int fd = open(history->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    struct stat file;
    bool ok = fd >= 0 && fstat(fd, &file) == 0;

    if (ok && (file.st_mode & 077) != 0)
        fchmod(fd, 0600);
    ok = ok && write_all(fd, line->data, line->len);
    if (fd >= 0)
        close(fd);
    if (ok && (size_t)file.st_size + line->len > MAX_FILE) {
        struct weir_buf all;

        weir_buf_init(&all, 64 * MAX_FILE);
        if (read_file(history->path, &all)) {
            const char *text = weir_buf_str(&all);
            const char *kept = newer_half(text, all.len);

            ok = replace_file(history, kept, all.len - (size_t)(kept - text));
        }
        weir_buf_fini(&all);
    }
    return ok;
}

bool host_history_add(struct host_history *history, const char *text)
{
    struct weir_buf line;
    int fd;
    bool ok;

    if (!history->path || !*text || *text == ' ' ||
        strlen(text) > MAX_FILE / 4 ||
        (history->last && strcmp(history->last, text) == 0) ||
        holds_secret(history, text) || names_secret(text))
        return true;
    if (!make_folder(history->folder))
        return false;
    fd = lock(history);
    if (fd < 0)
        return false;
    weir_buf_init(&line, MAX_FILE);
    escape(text, &line);
    keep_added(history, weir_buf_str(&line));
    weir_buf_addc(&line, '\n');
    ok = append(history, &line);
    close(fd);
    weir_buf_fini(&line);
    free(history->last);
    history->last = strdup(text);
    return ok;
}

/* ---- loading and ending ---- */

bool host_history_load(struct host_history *history,
                       void (*each)(void *ud, const char *text), void *ud)
{
    struct weir_buf all;
    char *text, *line;
    size_t n = 0;
    bool ok;

    if (!history->path)
        return true;
    weir_buf_init(&all, 64 * MAX_FILE);
    ok = read_file(history->path, &all);
    text = ok && all.len > 0 ? strdup(weir_buf_str(&all)) : NULL;
    weir_buf_fini(&all);
    for (char *c = text; c && *c; c++)
        n += *c == '\n';
    for (char *rest = text; (line = strsep(&rest, "\n")) != NULL;) {
        if (*line && n-- <= MAX_ENTRIES) {
            unescape(line);
            each(ud, line);
        }
    }
    free(text);
    return ok;
}

static bool is_secret_line(struct host_history *history, const char *line,
                           size_t len)
{
    for (size_t i = 0; i < history->n_added; i++) {
        if (strlen(history->added[i]) == len &&
            memcmp(history->added[i], line, len) == 0)
            return holds_secret(history, history->added[i]);
    }
    return false;
}

/* A secret may have been told of after a line with it was typed. */
static void take_secrets_out(struct host_history *history)
{
    struct weir_buf all, kept;
    bool found = false;
    int fd;

    for (size_t i = 0; i < history->n_added && !found; i++)
        found = holds_secret(history, history->added[i]);
    fd = found ? lock(history) : -1;
    if (fd < 0)
        return;
    weir_buf_init(&all, 64 * MAX_FILE);
    weir_buf_init(&kept, 64 * MAX_FILE);
    if (read_file(history->path, &all)) {
        const char *line = weir_buf_str(&all), *end;

        for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
            if (!is_secret_line(history, line, (size_t)(end - line)))
                weir_buf_add(&kept, line, (size_t)(end + 1 - line));
        }
        replace_file(history, weir_buf_str(&kept), kept.len);
    }
    close(fd);
    weir_buf_fini(&all);
    weir_buf_fini(&kept);
}

void host_history_free(struct host_history *history)
{
    if (!history)
        return;
    if (history->path && history->lock_path)
        take_secrets_out(history);
    for (size_t i = 0; i < history->n_added; i++)
        free(history->added[i]);
    free(history->added);
    free(history->last);
    free(history->folder);
    free(history->path);
    free(history->lock_path);
    free(history);
}
