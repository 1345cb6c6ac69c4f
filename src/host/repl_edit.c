/* :edit: the user's editor, while the loop goes on. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "repl_internal.h"

/* How often the loop looks whether the editor has ended. */
#define LOOK_EVERY_MS 50

/* Writes the text to a new file that only the user can read; its path, to be
 * freed and unlinked, or NULL with the reason in errno. */
static char *write_draft(const char *text)
{
    const char *folder = getenv("TMPDIR");
    char *path = NULL;
    size_t len = strlen(text);
    int fd;
    bool ok;

    if (asprintf(&path, "%s/weir-XXXXXX.lua",
                 folder && *folder ? folder : "/tmp") < 0)
        return NULL;
    fd = mkostemps(path, 4, O_CLOEXEC);
    ok = fd >= 0 && write(fd, text, len) == (ssize_t)len &&
         (len == 0 || text[len - 1] == '\n' || write(fd, "\n", 1) == 1);
    if (fd >= 0)
        close(fd);
    if (ok)
        return path;
    if (fd >= 0)
        unlink(path);
    free(path);
    return NULL;
}

static bool read_draft(const char *path, struct weir_buf *out)
{
    FILE *file = fopen(path, "re");
    char chunk[4096];
    size_t n;
    bool ok = file != NULL;

    while (ok && (n = fread(chunk, 1, sizeof(chunk), file)) > 0)
        ok = weir_buf_add(out, chunk, n) == WEIR_OK;
    if (file)
        fclose(file);
    while (ok && out->len > 0 && out->data[out->len - 1] == '\n')
        out->len--;
    return ok;
}

/* VISUAL and EDITOR may hold arguments, so a shell reads them. */
static pid_t start_editor(const char *path)
{
    const char *editor = getenv("VISUAL");
    char *command = NULL, shell[] = "/bin/sh", flag[] = "-c";
    char *argv[] = {shell, flag, NULL, shell, NULL, NULL};
    pid_t child = -1;
    int failed;

    if (!editor || !*editor)
        editor = getenv("EDITOR");
    if (!editor || !*editor)
        editor = "vi";
    if (asprintf(&command, "%s \"$1\"", editor) < 0)
        return -1;
    argv[2] = command;
    argv[4] = strdup(path);
    failed = argv[4] ? posix_spawn(&child, shell, NULL, NULL, argv, environ)
                     : ENOMEM;
    free(argv[4]);
    free(command);
    errno = failed;
    return failed ? -1 : child;
}

/* The terminal is the editor's: what tasks print waits. */
static bool wait_for(struct host_repl *repl, pid_t child)
{
    struct host_session *s = repl->session;
    struct sigaction ignore, before;
    int status = 0;
    bool goes_on = true;

    memset(&ignore, 0, sizeof(ignore));
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGINT, &ignore, &before);
    s->typed = false;
    while (waitpid(child, &status, goes_on ? WNOHANG : 0) == 0) {
        goes_on = host_session_run_ready(s) && host_session_turn(s, 0);
        if (goes_on)
            goes_on = host_session_turn(s, LOOK_EVERY_MS);
    }
    s->typed = true;
    sigaction(SIGINT, &before, NULL);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool host_repl_edit(struct host_repl *repl, const char *text,
                    struct weir_buf *out)
{
    struct host_session *s = repl->session;
    char *path;
    pid_t child;
    bool ok;

    if (!repl->interactive) {
        host_complain(s, "weir: :edit needs a terminal");
        return false;
    }
    path = write_draft(text);
    if (!path) {
        host_complain(s, "weir: cannot write a draft: %s", strerror(errno));
        return false;
    }
    child = start_editor(path);
    if (child < 0)
        host_complain(s, "weir: cannot start the editor: %s", strerror(errno));
    ok = child > 0 && wait_for(repl, child);
    if (child > 0 && !ok)
        host_complain(s, "weir: the editor failed; nothing is taken from it");
    if (ok && !read_draft(path, out)) {
        host_complain(s, "weir: cannot read the draft back");
        ok = false;
    }
    unlink(path);
    free(path);
    return ok;
}
