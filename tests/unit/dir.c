/* dir: nothing outside of a granted folder is opened, removed or renamed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "weir/dir.h"

/* A folder with "in" (granted) and "out" (not), each with a file "f". */
struct ground {
    char base[64], in[96], out[96];
    struct weir_dir *dir;
};

static void put(const char *folder, const char *name, const char *text)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static bool holds(const char *folder, const char *name, const char *text)
{
    char path[256], got[64] = "";
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "re");
    if (!file)
        return false;
    got[fread(got, 1, sizeof(got) - 1, file)] = '\0';
    fclose(file);
    return strcmp(got, text) == 0;
}

static void link_in(const struct ground *g, const char *to, const char *name)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/%s", g->in, name);
    assert_int_equal(symlink(to, path), 0);
}

static int begin(void **state)
{
    struct ground *g = calloc(1, sizeof(*g));

    strcpy(g->base, "/tmp/weir-dir-XXXXXX");
    assert_non_null(mkdtemp(g->base));
    snprintf(g->in, sizeof(g->in), "%s/in", g->base);
    snprintf(g->out, sizeof(g->out), "%s/out", g->base);
    assert_int_equal(mkdir(g->in, 0700) | mkdir(g->out, 0700), 0);
    put(g->in, "f", "inner");
    put(g->out, "f", "outer");
    assert_int_equal(weir_dir_new(&g->dir, NULL), WEIR_OK);
    assert_int_equal(weir_dir_root(g->dir, g->in, NULL), WEIR_OK);
    *state = g;
    return 0;
}

static int end(void **state)
{
    struct ground *g = *state;
    char command[128];

    weir_dir_free(g->dir);
    snprintf(command, sizeof(command), "rm -rf %s", g->base);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
    free(g);
    return 0;
}

/* The code of opening in/`rest`; what it was about is in `err`. */
static enum weir_code open_in(const struct ground *g, const char *rest,
                              unsigned flags, struct weir_err *err)
{
    char path[512];
    enum weir_code code;
    int fd = -1;

    snprintf(path, sizeof(path), "%s/%s", g->in, rest);
    code = weir_dir_open(g->dir, g->in, path, flags, &fd, err);
    assert_int_equal(code == WEIR_OK, fd >= 0);
    if (fd >= 0) {
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        assert_false(fcntl(fd, F_GETFL) & O_NONBLOCK);
        close(fd);
    }
    return code;
}

static void assert_open(const struct ground *g, const char *rest,
                        enum weir_code code, const char *words)
{
    struct weir_err err = WEIR_ERR_INIT;

    assert_int_equal(open_in(g, rest, WEIR_DIR_READ, &err), code);
    if (words && !strstr(err.message, words))
        fail_msg("%s: '%s' is not in '%s'", rest, words, err.message);
    weir_err_clear(&err);
}

/* ---- what is beneath, and what leads out ---- */

static void what_is_beneath_is_opened(void **state)
{
    struct ground *g = *state;
    char sub[128];

    snprintf(sub, sizeof(sub), "%s/sub", g->in);
    assert_int_equal(mkdir(sub, 0700), 0);
    link_in(g, "f", "link");
    link_in(g, "../f", "sub/link");
    assert_open(g, "f", WEIR_OK, NULL);
    assert_open(g, "./sub/../f", WEIR_OK, NULL);
    assert_open(g, "//f", WEIR_OK, NULL);
    assert_open(g, "link", WEIR_OK, NULL);
    assert_open(g, "sub/link", WEIR_OK, NULL);
}

static void what_leads_out_is_denied(void **state)
{
    struct ground *g = *state;
    char outside[128];
    int fd;

    link_in(g, "../out/f", "relative");
    link_in(g, "../out", "folder");
    link_in(g, g->in, "absolute"); /* absolute links leave by definition */
    link_in(g, "/proc/self/root", "magic");
    assert_open(g, "../out/f", WEIR_DENIED, "leads out");
    assert_open(g, "../in/f", WEIR_DENIED, "leads out");
    assert_open(g, "relative", WEIR_DENIED, "leads out");
    assert_open(g, "folder/f", WEIR_DENIED, "leads out");
    assert_open(g, "absolute/f", WEIR_DENIED, "leads out");
    assert_open(g, "magic/etc/passwd", WEIR_DENIED, NULL);
    snprintf(outside, sizeof(outside), "%s/f", g->out);
    assert_int_equal(
        weir_dir_open(g->dir, g->in, outside, WEIR_DIR_READ, &fd, NULL),
        WEIR_DENIED);
    /* "in" grants nothing of "in2". */
    snprintf(outside, sizeof(outside), "%s2/f", g->in);
    assert_int_equal(
        weir_dir_open(g->dir, g->in, outside, WEIR_DIR_READ, &fd, NULL),
        WEIR_DENIED);
}

static void magic_links_are_not_followed(void **state)
{
    struct ground *g = *state;
    struct weir_err err = WEIR_ERR_INIT;
    char path[64];
    int fd, own = open(g->out, O_PATH | O_DIRECTORY | O_CLOEXEC);

    snprintf(path, sizeof(path), "/proc/self/fd/%d/f", own);
    assert_int_equal(
        weir_dir_open(g->dir, "/proc/self", path, WEIR_DIR_READ, &fd, &err),
        WEIR_DENIED);
    close(own);
}

static void a_root_that_is_exchanged_stays_what_it_was(void **state)
{
    struct ground *g = *state;
    char moved[128], path[128], text[8] = "";
    int fd;

    snprintf(moved, sizeof(moved), "%s/moved", g->base);
    snprintf(path, sizeof(path), "%s/f", g->in);
    assert_int_equal(rename(g->in, moved), 0);
    assert_int_equal(symlink(g->out, g->in), 0);
    assert_int_equal(
        weir_dir_open(g->dir, g->in, path, WEIR_DIR_READ, &fd, NULL), WEIR_OK);
    assert_int_equal(read(fd, text, sizeof(text) - 1), 5);
    assert_string_equal(text, "inner");
    close(fd);
}

/* ---- kinds of files ---- */

static void only_regular_files_are_opened(void **state)
{
    struct ground *g = *state;
    char path[128];

    snprintf(path, sizeof(path), "%s/pipe", g->in);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_open(g, "pipe", WEIR_IO, "no regular file");
    assert_int_equal(open_in(g, "pipe", WEIR_DIR_WRITE, NULL), WEIR_IO);
    assert_open(g, "", WEIR_IO, "Is a directory");
    assert_open(g, ".", WEIR_IO, "Is a directory");
    assert_open(g, "none", WEIR_IO, "No such file");
    assert_open(g, "f/x", WEIR_IO, "Not a directory");
    if (access("/dev/null", R_OK) == 0) {
        int fd;

        assert_int_equal(weir_dir_open(g->dir, "/dev", "/dev/null",
                                       WEIR_DIR_READ, &fd, NULL),
                         WEIR_IO);
    }
}

static void writing_creates_empties_and_appends(void **state)
{
    struct ground *g = *state;
    const unsigned write = WEIR_DIR_WRITE | WEIR_DIR_CREATE;
    struct weir_err err = WEIR_ERR_INIT;

    assert_int_equal(open_in(g, "f", write, NULL), WEIR_OK);
    assert_true(holds(g->in, "f", "inner"));
    assert_int_equal(open_in(g, "f", write | WEIR_DIR_EMPTY, NULL), WEIR_OK);
    assert_true(holds(g->in, "f", ""));
    assert_int_equal(open_in(g, "new", write | WEIR_DIR_NEW, NULL), WEIR_OK);
    assert_int_equal(open_in(g, "new", write | WEIR_DIR_NEW, &err), WEIR_IO);
    assert_non_null(strstr(err.message, "File exists"));
    weir_err_clear(&err);
    link_in(g, "../out/made", "dangling");
    assert_int_equal(open_in(g, "dangling", write, NULL), WEIR_DENIED);
    assert_false(holds(g->out, "made", ""));
}

static void a_path_longer_than_any_is_an_error(void **state)
{
    struct ground *g = *state;
    char *path = malloc(6000);
    int fd, len = sprintf(path, "%s/", g->in);

    memset(path + len, 'x', 5990 - (size_t)len);
    path[5990] = '\0';
    assert_int_equal(
        weir_dir_open(g->dir, g->in, path, WEIR_DIR_READ, &fd, NULL), WEIR_IO);
    free(path);
}

/* ---- a root that is a file, or not there yet ---- */

static void a_file_grants_itself_alone(void **state)
{
    struct ground *g = *state;
    char root[128], path[256];
    int fd;

    snprintf(root, sizeof(root), "%s/f", g->out);
    put(g->out, "g", "other");
    assert_int_equal(
        weir_dir_open(g->dir, root, root, WEIR_DIR_READ, &fd, NULL), WEIR_OK);
    close(fd);
    snprintf(path, sizeof(path), "%s/../g", root);
    assert_int_not_equal(
        weir_dir_open(g->dir, root, path, WEIR_DIR_READ, &fd, NULL), WEIR_OK);
}

static void what_is_made_later_is_found(void **state)
{
    struct ground *g = *state;
    const unsigned write = WEIR_DIR_WRITE | WEIR_DIR_CREATE;
    char root[128], path[256];
    int fd;

    snprintf(root, sizeof(root), "%s/later", g->base);
    snprintf(path, sizeof(path), "%s/f", root);
    assert_int_equal(weir_dir_root(g->dir, root, NULL), WEIR_OK);
    assert_int_equal(weir_dir_open(g->dir, root, path, write, &fd, NULL),
                     WEIR_IO);
    assert_int_equal(mkdir(root, 0700), 0);
    put(g->base, "other", "not granted");
    snprintf(path, sizeof(path), "%s/../other", root);
    assert_int_equal(
        weir_dir_open(g->dir, root, path, WEIR_DIR_READ, &fd, NULL),
        WEIR_DENIED);
    snprintf(path, sizeof(path), "%s/f", root);
    assert_int_equal(weir_dir_open(g->dir, root, path, write, &fd, NULL),
                     WEIR_OK);
    close(fd);
    put(g->base, "secret", "not granted");
    snprintf(path, sizeof(path), "%s/../secret", root);
    assert_int_equal(
        weir_dir_open(g->dir, root, path, WEIR_DIR_READ, &fd, NULL),
        WEIR_DENIED);
    /* A link in the place of what was granted opens nothing. */
    snprintf(root, sizeof(root), "%s/file", g->base);
    assert_int_equal(weir_dir_root(g->dir, root, NULL), WEIR_OK);
    assert_int_equal(symlink("out/f", root), 0);
    assert_int_equal(weir_dir_open(g->dir, root, root, write, &fd, NULL),
                     WEIR_DENIED);
}

/* A root two folders deep, of which neither was there when it was named. */
static void what_is_made_later_is_found_without_links(void **state)
{
    struct ground *g = *state;
    char root[256], path[512], parent[128];
    int fd = -1;

    snprintf(parent, sizeof(parent), "%s/in/later", g->base);
    snprintf(root, sizeof(root), "%s/sub", parent);
    snprintf(path, sizeof(path), "%s/f", root);
    assert_int_equal(weir_dir_root(g->dir, root, NULL), WEIR_OK);
    assert_int_equal(
        weir_dir_open(g->dir, root, path, WEIR_DIR_READ, &fd, NULL), WEIR_IO);
    assert_int_equal(errno, ENOENT);

    link_in(g, "../out", "later");
    snprintf(path, sizeof(path), "%s/sub", g->out);
    assert_int_equal(mkdir(path, 0700), 0);
    put(path, "f", "outer");
    snprintf(path, sizeof(path), "%s/f", root);
    assert_int_equal(
        weir_dir_open(g->dir, root, path, WEIR_DIR_READ, &fd, NULL),
        WEIR_DENIED);

    assert_int_equal(unlink(parent), 0);
    assert_int_equal(mkdir(parent, 0700) | mkdir(root, 0700), 0);
    put(root, "f", "inner");
    assert_int_equal(
        weir_dir_open(g->dir, root, path, WEIR_DIR_READ, &fd, NULL), WEIR_OK);
    close(fd);
}

static void processes_are_not_opened(void **state)
{
    static const char *const files[] = {"/proc/self/mem", "/proc/self/environ",
                                        "/proc/loadavg"};
    struct ground *g = *state;
    struct weir_err err = WEIR_ERR_INIT;
    int fd = -1;

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        assert_int_equal(
            weir_dir_open(g->dir, "/", files[i], WEIR_DIR_READ, &fd, &err),
            WEIR_IO);
        assert_int_equal(errno, ENOTSUP);
        assert_non_null(strstr(err.message, "procfs"));
        weir_err_clear(&err);
        assert_int_equal(weir_dir_open(g->dir, files[i], files[i],
                                       WEIR_DIR_READ | WEIR_DIR_WRITE, &fd,
                                       NULL),
                         WEIR_IO);
    }
}

/* ---- removing and renaming ---- */

static void entries_are_removed_beneath_only(void **state)
{
    struct ground *g = *state;
    char path[256];

    link_in(g, "../out", "folder");
    snprintf(path, sizeof(path), "%s/folder/f", g->in);
    assert_int_equal(weir_dir_remove(g->dir, g->in, path, NULL), WEIR_DENIED);
    snprintf(path, sizeof(path), "%s/../out/f", g->in);
    assert_int_equal(weir_dir_remove(g->dir, g->in, path, NULL), WEIR_DENIED);
    assert_int_equal(weir_dir_remove(g->dir, g->in, g->in, NULL), WEIR_IO);
    snprintf(path, sizeof(path), "%s/..", g->in);
    assert_int_equal(weir_dir_remove(g->dir, g->in, path, NULL), WEIR_IO);
    /* The link itself, not what it leads to. */
    snprintf(path, sizeof(path), "%s/folder", g->in);
    assert_int_equal(weir_dir_remove(g->dir, g->in, path, NULL), WEIR_OK);
    assert_true(holds(g->out, "f", "outer"));
    snprintf(path, sizeof(path), "%s/f", g->in);
    assert_int_equal(weir_dir_remove(g->dir, g->in, path, NULL), WEIR_OK);
    assert_false(holds(g->in, "f", "inner"));
}

static void entries_are_renamed_beneath_only(void **state)
{
    struct ground *g = *state;
    char from[128], to[256];

    snprintf(from, sizeof(from), "%s/f", g->in);
    snprintf(to, sizeof(to), "%s/../out/taken", g->in);
    assert_int_equal(weir_dir_rename(g->dir, g->in, from, g->in, to, NULL),
                     WEIR_DENIED);
    assert_int_equal(weir_dir_rename(g->dir, g->in, to, g->in, from, NULL),
                     WEIR_DENIED);
    snprintf(to, sizeof(to), "%s/moved", g->in);
    assert_int_equal(weir_dir_rename(g->dir, g->in, from, g->in, to, NULL),
                     WEIR_OK);
    assert_true(holds(g->in, "moved", "inner"));
    snprintf(from, sizeof(from), "%s/f", g->out);
    assert_int_equal(weir_dir_rename(g->dir, g->in, to, g->out, from, NULL),
                     WEIR_OK);
    assert_true(holds(g->out, "f", "inner"));
}

/* ---- a kernel without openat2 ---- */

static void hide_openat2(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
        _exit(2);
}

static void without_openat2_nothing_is_opened(void **state)
{
    struct ground *g = *state;
    int status;
    pid_t child = fork();

    if (child == 0) {
        struct weir_err err = WEIR_ERR_INIT;
        char path[128];
        int fd;

        hide_openat2();
        snprintf(path, sizeof(path), "%s/f", g->in);
        if (weir_dir_open(g->dir, g->in, path, WEIR_DIR_READ, &fd, &err) !=
                WEIR_IO ||
            errno != ENOSYS || !strstr(err.message, "no openat2"))
            _exit(1);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 2)
        skip(); /* no seccomp here */
    assert_int_equal(WEXITSTATUS(status), 0);
}

#define ON_GROUND(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_GROUND(what_is_beneath_is_opened),
        ON_GROUND(what_leads_out_is_denied),
        ON_GROUND(magic_links_are_not_followed),
        ON_GROUND(a_root_that_is_exchanged_stays_what_it_was),
        ON_GROUND(only_regular_files_are_opened),
        ON_GROUND(writing_creates_empties_and_appends),
        ON_GROUND(a_path_longer_than_any_is_an_error),
        ON_GROUND(a_file_grants_itself_alone),
        ON_GROUND(what_is_made_later_is_found),
        ON_GROUND(what_is_made_later_is_found_without_links),
        ON_GROUND(processes_are_not_opened),
        ON_GROUND(entries_are_removed_beneath_only),
        ON_GROUND(entries_are_renamed_beneath_only),
        ON_GROUND(without_openat2_nothing_is_opened),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
