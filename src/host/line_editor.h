/*
 * line_editor: what somebody types, while everything else goes on.
 *
 * libedit waits for keys in one function of ours, which turns the loop: tasks,
 * timers and transfers go on, and what they write makes the typed line step
 * aside.  An input can have many lines: Enter takes it when it is complete,
 * and starts a new line in it when it is not; a paste never runs anything.
 * Where there is no terminal that can do this (a pipe, TERM=dumb), lines are
 * read as they are.
 */
#ifndef HOST_LINE_EDITOR_H
#define HOST_LINE_EDITOR_H

#include <stdbool.h>
#include <stddef.h>

#include "terminal.h"
#include "weir/buf.h"
#include "weir/loop.h"

/* Bytes of one input. */
#define HOST_MAX_INPUT ((size_t)1 << 20)

enum host_line {
    HOST_LINE_INPUT,       /* an input was typed */
    HOST_LINE_EDIT,        /* the same, and it shall go to an editor */
    HOST_LINE_INTERRUPTED, /* Ctrl-C: what was typed is void */
    HOST_LINE_EOF,         /* Ctrl-D, or the end of the file */
    HOST_LINE_ENDED        /* the session cannot go on */
};

/* What is offered for the text before the cursor. */
struct host_completion {
    size_t start;         /* bytes: what is replaced begins here */
    struct weir_buf text; /* what stands there instead */
    struct weir_buf list; /* lines to show below; may be empty */
};

struct host_line_hooks {
    /* Turns the loop once, waiting as long as it takes; false: it cannot go
     * on, and the read ends. */
    bool (*wait)(void *ud);
    /* True once for each Ctrl-C. */
    bool (*interrupted)(void *ud);
    /* True if the input needs more lines.  *indent: columns of the next;
     * *outdent: how many too many the last one has. */
    bool (*wants_more)(void *ud, const char *text, size_t len, int *indent,
                       int *outdent);
    /* False: nothing is offered. */
    bool (*complete)(void *ud, const char *text, size_t cursor, int columns,
                     struct host_completion *out);
    void *ud;
};

struct host_line_editor;

/* An editor on standard input, and on standard output (or stderr, where only
 * that is a terminal); it tells `terminal` when somebody types.  All must
 * outlive it.  NULL without memory. */
struct host_line_editor *
host_line_editor_new(struct weir_loop *loop, struct host_terminal *terminal,
                     const struct host_line_hooks *hooks);
void host_line_editor_free(struct host_line_editor *editor);
/* True if somebody sits at a terminal. */
bool host_line_editor_is_interactive(const struct host_line_editor *editor);

/* Reads one input after `prompt` (UTF-8; colours as SGR sequences, none at its
 * end), which begins as `text` (NULL: empty), into `out`.  Inputs are taken
 * without their last newline. */
enum host_line host_line_editor_read(struct host_line_editor *editor,
                                     const char *prompt, const char *text,
                                     struct weir_buf *out);
/* Makes an input one that the arrow keys bring back. */
void host_line_editor_remember(struct host_line_editor *editor,
                               const char *text);

#endif
