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

struct host_terminal {
    bool is_tty;
    bool color;
    bool line_shown; /* a progress line stands on the terminal */
};

/* Looks at stderr; colours follow `color`, then NO_COLOR, CLICOLOR_FORCE and
 * TERM=dumb (https://no-color.org, https://bixense.com/clicolors). */
void host_terminal_init(struct host_terminal *terminal, enum host_color color);
/* True if colours belong on `fd`, by the rules above. */
bool host_terminal_colors(int fd, enum host_color color);
/* Writes whole lines, after taking a progress line away. */
void host_terminal_write(struct host_terminal *terminal, const char *text,
                         size_t len);
/* Shows, replaces or (NULL) takes away the progress line; on a terminal
 * only. */
void host_terminal_progress(struct host_terminal *terminal, const char *text);
/* An SGR sequence ("1;31") or "" where colours are off. */
const char *host_terminal_sgr(const struct host_terminal *terminal,
                              const char *on);

#endif
