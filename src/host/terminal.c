#include "terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool is_set(const char *name)
{
    const char *value = getenv(name);

    return value && *value;
}

static bool wants_color(enum host_color color, bool is_tty)
{
    const char *term = getenv("TERM"), *force = getenv("CLICOLOR_FORCE");

    if (color != HOST_COLOR_AUTO)
        return color == HOST_COLOR_ALWAYS;
    if (is_set("NO_COLOR"))
        return false;
    if (force && *force && strcmp(force, "0") != 0)
        return true;
    return is_tty && !(term && strcmp(term, "dumb") == 0);
}

bool host_terminal_colors(int fd, enum host_color color)
{
    return wants_color(color, isatty(fd) == 1);
}

void host_terminal_init(struct host_terminal *terminal, enum host_color color)
{
    *terminal = (struct host_terminal){.is_tty = isatty(STDERR_FILENO) == 1};
    terminal->color = wants_color(color, terminal->is_tty);
}

void host_terminal_size(int fd, int *columns, int *rows)
{
    struct winsize size;
    bool known = ioctl(fd, TIOCGWINSZ, &size) == 0;

    *columns = known && size.ws_col > 0 ? size.ws_col : 80;
    *rows = known && size.ws_row > 0 ? size.ws_row : 24;
}

void host_terminal_write(struct host_terminal *terminal, const char *text,
                         size_t len)
{
    const struct host_typing *typing = terminal->typing;

    host_terminal_progress(terminal, NULL);
    if (typing)
        typing->hide(typing->ud);
    fflush(stdout);
    fwrite(text, 1, len, stderr);
    fflush(stderr);
    if (typing)
        typing->show(typing->ud);
}

/* Cut at the width, on a character's border, and without control characters:
 * a note may hold what a server sent. */
static void put_line(const char *text, int width)
{
    int used = 0;

    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        bool starts = (*c & 0xC0) != 0x80;

        if (starts && ++used >= width)
            break;
        putc(*c < 0x20 || *c == 0x7F ? ' ' : *c, stderr);
    }
}

void host_terminal_progress(struct host_terminal *terminal, const char *text)
{
    int columns, rows;

    if (!terminal->is_tty || terminal->typing ||
        (!text && !terminal->line_shown))
        return;
    fputs("\r\033[K", stderr);
    host_terminal_size(STDERR_FILENO, &columns, &rows);
    if (text)
        put_line(text, columns);
    terminal->line_shown = text != NULL;
    fflush(stderr);
}

const char *host_terminal_sgr(const struct host_terminal *terminal,
                              const char *on)
{
    static _Thread_local char sequence[4][16];
    static _Thread_local unsigned next;
    char *out;

    if (!terminal->color)
        return "";
    out = sequence[next++ % 4];
    snprintf(out, sizeof(sequence[0]), "\033[%sm", on);
    return out;
}
