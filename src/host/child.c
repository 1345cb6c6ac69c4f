#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "exit.h"
#include "foreground.h"
#include "signals.h"
#include "watchdog.h"

/* What of its complaints is kept, and how much of them shown. */
#define MAX_COMPLAINT 4096
#define MAX_SHOWN     400
/* Between two looks at whether it was stopped, and why it should end. */
#define LOOK_MS 50

struct child {
    const char *name;
    pid_t pid;
    int out, complaints; /* -1: closed */
    int64_t timeout, deadline;
    struct weir_buf *text;
    char complaint[MAX_COMPLAINT]; /* the end of it */
    size_t complaint_len;
};

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- starting ---- */

/* In the child, after fork: only what may be done there.  `failure` carries an
 * errno back if the program cannot be started. */
_Noreturn static void become(char *const *argv, const int *out,
                             const int *complaints, int failure, pid_t parent,
                             const sigset_t *mask)
{
    int null = open("/dev/null", O_RDONLY);
    int number;

    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127); /* it has gone meanwhile */
    signal(SIGPIPE, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    sigprocmask(SIG_SETMASK, mask, NULL);
    if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 &&
        dup2(out[1], STDOUT_FILENO) >= 0 &&
        dup2(complaints[1], STDERR_FILENO) >= 0)
        execvp(argv[0], argv);
    number = errno;
    while (write(failure, &number, sizeof(number)) < 0 && errno == EINTR)
        ;
    _exit(127);
}

static void close_pair(const int *pair)
{
    close(pair[0]);
    close(pair[1]);
}

/* What execvp said, or 0. */
static int read_failure(int from)
{
    int number = 0;
    ssize_t n;

    do {
        n = read(from, &number, sizeof(number));
    } while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof(number) ? number : 0;
}

/* A signal that ends the process between fork and host_exit_kills would leave
 * the child behind: it comes after both.  Returns 0 or an errno. */
static int start_group(struct child *child, char *const *argv, const int *out,
                       const int *complaints, int failure)
{
    pid_t parent = getpid();
    sigset_t every, before;
    int number;

    sigfillset(&every);
    pthread_sigmask(SIG_SETMASK, &every, &before);
    child->pid = fork();
    if (child->pid == 0)
        become(argv, out, complaints, failure, parent, &before);
    number = child->pid < 0 ? errno : 0;
    if (child->pid > 0) {
        /* Both do it, since neither knows which is first. */
        setpgid(child->pid, child->pid);
        host_exit_kills(child->pid);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return number;
}

/* Returns 0 or an errno. */
static int start(struct child *child, char *const *argv)
{
    int out[2], complaints[2], failure[2], number = 0;

    if (pipe2(out, O_CLOEXEC) != 0)
        return errno;
    if (pipe2(complaints, O_CLOEXEC) != 0) {
        number = errno;
        close_pair(out);
        return number;
    }
    if (pipe2(failure, O_CLOEXEC) != 0) {
        number = errno;
        close_pair(out);
        close_pair(complaints);
        return number;
    }
    number = start_group(child, argv, out, complaints, failure[1]);
    close(out[1]);
    close(complaints[1]);
    close(failure[1]);
    child->out = out[0];
    child->complaints = complaints[0];
    if (number == 0)
        number = read_failure(failure[0]);
    close(failure[0]);
    return number;
}

/* ---- listening ---- */

static void keep_complaint(struct child *child, const char *bytes, size_t len)
{
    size_t room = sizeof(child->complaint);

    if (len > room) {
        bytes += len - room;
        len = room;
    }
    if (child->complaint_len + len > room) {
        size_t kept = room - len;

        memmove(child->complaint,
                child->complaint + child->complaint_len - kept, kept);
        child->complaint_len = kept;
    }
    memcpy(child->complaint + child->complaint_len, bytes, len);
    child->complaint_len += len;
}

/* Reads what is there; closes the descriptor at its end. */
static void take(struct child *child, int *from, bool is_out)
{
    char block[4096];
    ssize_t n = read(*from, block, sizeof(block));

    if (n > 0 && is_out)
        weir_buf_add(child->text, block, (size_t)n);
    else if (n > 0)
        keep_complaint(child, block, (size_t)n);
    explicit_bzero(block, sizeof(block));
    if (n > 0 || (n < 0 && errno == EINTR))
        return;
    close(*from);
    *from = -1;
}

/* ---- waiting ---- */

/* A program that asks at the terminal is stopped for it: it gets the terminal.
 * Where a person has stopped both, both go on together. */
static enum weir_code on_stop(struct child *child, int number,
                              struct weir_err *err)
{
    bool asks = number == SIGTTIN || number == SIGTTOU;

    if (number == SIGTSTP && host_foreground_is_lent()) {
        host_foreground_take(false);
        kill(0, SIGTSTP);
        child->deadline = now_ms() + child->timeout;
        asks = true;
    }
    if (!asks)
        return WEIR_OK;
    if (!host_foreground_lend(child->pid)) {
        weir_err_set(err, WEIR_CONFIG,
                     "%s asks at the terminal, which weir has not got while "
                     "it runs in the background",
                     child->name);
        weir_err_hint(err, "run weir in the foreground, or make the program "
                           "answer without asking");
        return WEIR_CONFIG;
    }
    kill(-child->pid, SIGCONT);
    return WEIR_OK;
}

/* Between two looks at its output: whether it may go on. */
static enum weir_code attend(struct child *child, struct weir_err *err)
{
    siginfo_t info = {.si_pid = 0};

    if (host_signal())
        return weir_err_set(err, WEIR_CANCELLED, "interrupted");
    if (host_watchdog_is_over())
        return weir_err_set(err, WEIR_TIMEOUT,
                            "the time of the run was over before %s was done",
                            child->name);
    if (now_ms() >= child->deadline)
        return weir_err_set(err, WEIR_TIMEOUT, "%s was not done within %g s",
                            child->name, (double)child->timeout / 1000);
    if (waitid(P_PID, (id_t)child->pid, &info, WSTOPPED | WNOHANG) == 0 &&
        info.si_pid == child->pid)
        return on_stop(child, info.si_status, err);
    return WEIR_OK;
}

/* Until it has closed its output and complaints.  A program that it has left
 * behind may keep them open: the deadline holds for that, too. */
static enum weir_code listen_to(struct child *child, struct weir_err *err)
{
    while (child->out >= 0 || child->complaints >= 0) {
        struct pollfd fds[] = {{child->out, POLLIN, 0},
                               {child->complaints, POLLIN, 0}};

        if (attend(child, err))
            return err->code;
        if (poll(fds, 2, LOOK_MS) < 0)
            continue; /* a signal */
        if (fds[0].revents)
            take(child, &child->out, true);
        if (fds[1].revents)
            take(child, &child->complaints, false);
        if (child->text->failed)
            return weir_err_set(err, WEIR_CONFIG,
                                "%s says more than %zu bytes; expected the "
                                "secret alone",
                                child->name, child->text->max);
    }
    return WEIR_OK;
}

/* Waits for its end, at most as long as it may go on.  *status is waitpid's;
 * `err` says why it has to be ended. */
static enum weir_code wait_for(struct child *child, int *status,
                               struct weir_err *err)
{
    pid_t pid;

    while ((pid = waitpid(child->pid, status, WNOHANG)) == 0 ||
           (pid < 0 && errno == EINTR)) {
        if (attend(child, err))
            return err->code;
        poll(NULL, 0, 5);
    }
    child->pid = 0;
    return WEIR_OK;
}

/* ---- the end ---- */

/* The end of its complaints, as one line that no terminal obeys. */
static void add_complaint(struct child *child, struct weir_err *err)
{
    char *begin = child->complaint;
    size_t len = child->complaint_len;

    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)begin[i] < ' ' || begin[i] == 0x7F)
            begin[i] = ' ';
    }
    while (len > 0 && begin[len - 1] == ' ')
        len--;
    if (len > MAX_SHOWN) {
        begin += len - MAX_SHOWN;
        len = MAX_SHOWN;
    }
    while (len > 0 &&
           (*begin == ' ' || ((unsigned char)*begin & 0xC0) == 0x80)) {
        begin++;
        len--;
    }
    if (len > 0)
        weir_err_append(err, "; it says: %.*s", (int)len, begin);
}

/* Ctrl-C goes to whoever has the terminal; it was meant for all. */
static bool was_interrupted(int status)
{
    return (WIFSIGNALED(status) && WTERMSIG(status) == SIGINT) ||
           (WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGINT);
}

static enum weir_code judge(struct child *child, int status, bool had_terminal,
                            struct weir_err *err)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return WEIR_OK;
    if (had_terminal && was_interrupted(status)) {
        raise(SIGINT);
        return weir_err_set(err, WEIR_CANCELLED, "interrupted");
    }
    if (WIFSIGNALED(status))
        weir_err_set(err, WEIR_CONFIG, "%s was ended by signal %d", child->name,
                     WTERMSIG(status));
    else
        weir_err_set(err, WEIR_CONFIG, "%s failed with exit code %d",
                     child->name, WEXITSTATUS(status));
    add_complaint(child, err);
    return err->code;
}

static enum weir_code end(struct child *child, enum weir_code code,
                          struct weir_err *err)
{
    bool had_terminal;
    int status = 0;

    if (code == WEIR_OK)
        code = wait_for(child, &status, err);
    if (child->pid > 0) {
        kill(-child->pid, SIGKILL);
        while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    host_exit_kills(0);
    had_terminal = host_foreground_is_lent();
    host_foreground_take(code != WEIR_OK || status != 0);
    if (code == WEIR_OK)
        code = judge(child, status, had_terminal, err);
    else if (code == WEIR_TIMEOUT)
        add_complaint(child, err);
    return code;
}

enum weir_code host_child_read(char *const *argv, int64_t timeout_ms,
                               struct weir_buf *out, struct weir_err *err)
{
    struct child child = {.name = argv[0],
                          .out = -1,
                          .complaints = -1,
                          .timeout = timeout_ms,
                          .deadline = now_ms() + timeout_ms,
                          .text = out};
    int number = start(&child, argv);
    enum weir_code code = WEIR_OK;

    if (number != 0)
        code = weir_err_set(err, WEIR_CONFIG, "%s cannot be started: %s",
                            child.name, strerror(number));
    else
        code = listen_to(&child, err);
    if (child.pid > 0)
        code = end(&child, code, err);
    if (child.out >= 0)
        close(child.out);
    if (child.complaints >= 0)
        close(child.complaints);
    explicit_bzero(child.complaint, sizeof(child.complaint));
    if (code)
        weir_buf_fini(out);
    return code;
}
