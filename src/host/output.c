#include "output.h"

#include <stdio.h>
#include <stdio_ext.h>
#include <unistd.h>

/* Held by stdio itself, which writes by itself what is beyond it. */
static char held[64 * 1024];
static bool open_line;

void host_output_hold(void)
{
    fflush(stdout);
    setvbuf(stdout, held, _IOFBF, sizeof(held));
}

void host_output_release(void)
{
    fflush(stdout);
    if (isatty(STDOUT_FILENO))
        setvbuf(stdout, held, _IOLBF, sizeof(held));
}

void host_output_flush(struct host_terminal *terminal)
{
    const struct host_typing *typing = terminal->typing;
    size_t n = __fpending(stdout);

    if (n == 0)
        return;
    host_terminal_progress(terminal, NULL);
    open_line = held[n - 1] != '\n';
    if (!typing) {
        fflush(stdout);
        return;
    }
    typing->hide(typing->ud);
    host_output_end_line();
    typing->show(typing->ud);
}

void host_output_end_line(void)
{
    if (open_line)
        fputc('\n', stdout);
    open_line = false;
    fflush(stdout);
}
