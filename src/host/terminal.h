/*
 * terminal: who may write to stderr, and how.
 *
 * Log lines, notices, reports and the progress line share one terminal; all
 * of them go through here, so that none writes into another's line.
 */
#ifndef HOST_TERMINAL_H
#define HOST_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

enum host_color { HOST_COLOR_AUTO, HOST_COLOR_ALWAYS, HOST_COLOR_NEVER };

/* A line that somebody is typing: it steps aside for what is written. */
struct host_typing {
    void (*hide)(void *ud); /* takes the line away, the cursor to its start */
    void (*show)(void *ud); /* draws it again where the cursor is */
    void *ud;
};

struct host_terminal {
    bool is_tty;
    bool color;
    bool line_shown; /* a progress line stands on the terminal */
    const struct host_typing *typing; /* NULL: nobody types */
};

/* Looks at stderr; colours follow `color`, then NO_COLOR, CLICOLOR_FORCE and
 * TERM=dumb (https://no-color.org, https://bixense.com/clicolors). */
void host_terminal_init(struct host_terminal *terminal, enum host_color color);
/* Writes whole lines, after what standard output holds back, and after taking
 * a progress line away. */
void host_terminal_write(struct host_terminal *terminal, const char *text,
                         size_t len);
/* Shows, replaces or (NULL) takes away the progress line; on a terminal
 * only, and not while somebody types there. */
void host_terminal_progress(struct host_terminal *terminal, const char *text);
/* Columns and rows of the terminal at `fd`; 80 and 24 where it has none. */
void host_terminal_size(int fd, int *columns, int *rows);
/* True if colours belong on `fd`, by the rules above. */
bool host_terminal_colors(int fd, enum host_color color);
/* An SGR sequence ("1;31") or "" where colours are off. */
const char *host_terminal_sgr(const struct host_terminal *terminal,
                              const char *on);

#endif
