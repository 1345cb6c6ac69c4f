#include "password.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "guarded.h"

/* ---- what somebody types ---- */

static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
enum { ENDING = sizeof(ending) / sizeof(*ending) };

static volatile sig_atomic_t caught;

static void note(int number)
{
    caught = number;
}

/* A signal must not leave a terminal that shows nothing. */
static void catch_signals(struct sigaction *old)
{
    struct sigaction action = {.sa_handler = note}; /* reads are interrupted */

    caught = 0;
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < ENDING; i++)
        sigaction(ending[i], &action, &old[i]);
}

static void give_signals_back(const struct sigaction *old)
{
    for (int i = 0; i < ENDING; i++)
        sigaction(ending[i], &old[i], NULL);
}

static bool show(int tty, const char *text)
{
    return write(tty, text, strlen(text)) >= 0;
}

/* Up to the line's end; false at the end of input, an error or a signal. */
static bool read_line(int tty, struct weir_buf *out)
{
    char byte;
    ssize_t n;

    while ((n = read(tty, &byte, 1)) == 1) {
        if (byte == '\n' || byte == '\r')
            break;
        weir_buf_addc(out, byte); /* its ceiling is looked at later */
    }
    explicit_bzero(&byte, sizeof(byte));
    return n == 1;
}

/* One line with the echo off.  WEIR_CANCELLED with `caught` set: a signal. */
static enum weir_code ask_once(int tty, const char *prompt,
                               struct weir_buf *out, struct weir_err *err)
{
    struct sigaction old[ENDING];
    struct termios before, quiet;
    bool got = false;

    if (tcgetattr(tty, &before) != 0)
        return weir_err_set(err, WEIR_IO, "the terminal: %s", strerror(errno));
    quiet = before;
    quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
    catch_signals(old);
    if (tcsetattr(tty, TCSAFLUSH, &quiet) == 0) {
        got = show(tty, prompt) && read_line(tty, out);
        tcsetattr(tty, TCSAFLUSH, &before);
        show(tty, "\n");
    }
    give_signals_back(old);
    if (caught)
        raise(caught);
    return got ? WEIR_OK
               : weir_err_set(err, WEIR_CANCELLED, "no password was given");
}

/* After Ctrl-Z and fg the question is asked again. */
static enum weir_code ask(int tty, const char *prompt, struct weir_buf *out,
                          struct weir_err *err)
{
    enum weir_code code;

    do {
        weir_buf_fini(out);
        code = ask_once(tty, prompt, out, err);
    } while (code == WEIR_CANCELLED && caught == SIGTSTP);
    return code;
}

static enum weir_code ask_twice(int tty, const struct weir_buf *first,
                                struct weir_err *err)
{
    struct weir_buf again;
    enum weir_code code;

    weir_buf_init_secret(&again, HOST_PASSWORD_MAX);
    code = ask(tty, "the same once more: ", &again, err);
    if (code == WEIR_OK &&
        (again.len != first->len ||
         memcmp(weir_buf_str(&again), weir_buf_str(first), first->len) != 0))
        code = weir_err_set(err, WEIR_INVALID,
                            "the two passwords are not the same");
    weir_buf_fini(&again);
    return code;
}

static enum weir_code from_terminal(const char *prompt, bool twice,
                                    struct weir_buf *out, struct weir_err *err)
{
    int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    enum weir_code code;

    if (tty < 0)
        return weir_err_set(err, WEIR_USAGE,
                            "a password is needed, and there is no terminal to "
                            "ask on: name a --password-file or --password-env");
    code = ask(tty, prompt, out, err);
    if (code == WEIR_OK && twice)
        code = ask_twice(tty, out, err);
    close(tty);
    return code;
}

/* ---- what a flag names ---- */

static enum weir_code from_file(const char *path, struct weir_buf *out,
                                struct weir_err *err)
{
    struct weir_buf text;
    enum weir_code code;

    weir_buf_init_secret(&text, (size_t)64 * 1024);
    code = host_guarded_read(path, HOST_GUARD_SECRET, &text, NULL, err);
    if (code == WEIR_OK)
        weir_buf_add(out, weir_buf_str(&text),
                     strcspn(weir_buf_str(&text), "\r\n"));
    weir_buf_fini(&text);
    return code;
}

static enum weir_code from_variable(const char *name, struct weir_buf *out,
                                    struct weir_err *err)
{
    char *value = getenv(name);

    if (!value)
        return weir_err_set(err, WEIR_CONFIG,
                            "the variable %s, which should hold the password, "
                            "is not set",
                            name);
    weir_buf_adds(out, value);
    /* Nothing that we start is to find it. */
    explicit_bzero(value, strlen(value));
    unsetenv(name);
    return WEIR_OK;
}

enum weir_code host_password_get(const struct host_password_source *source,
                                 const char *prompt, bool twice,
                                 struct weir_buf *out, struct weir_err *err)
{
    enum weir_code code;

    if (source->file && source->env)
        return weir_err_set(err, WEIR_USAGE,
                            "--password-file and --password-env: which of the "
                            "two?");
    if (source->file)
        code = from_file(source->file, out, err);
    else if (source->env)
        code = from_variable(source->env, out, err);
    else
        code = from_terminal(prompt, twice, out, err);
    if (code)
        return code;
    if (out->failed == WEIR_LIMIT)
        return weir_err_set(err, WEIR_INVALID,
                            "the password is longer than %zu bytes",
                            HOST_PASSWORD_MAX);
    if (out->failed)
        return weir_err_nomem(err);
    if (out->len == 0)
        return weir_err_set(err, WEIR_INVALID, "the password is empty");
    return WEIR_OK;
}
