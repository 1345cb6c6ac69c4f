/* The parts of line_editor: what its files share. */
#ifndef HOST_LINE_INTERNAL_H
#define HOST_LINE_INTERNAL_H

#include <stdio.h>
#include <termios.h>

#include "edit_late.h"
#include "line_editor.h"

/* Inputs that the arrow keys bring back, oldest first. */
#define HOST_LINE_PAST ((size_t)10000)
struct host_line_past {
    wchar_t **inputs;
    size_t n;
    size_t at;      /* the one that was brought back; n: none */
    wchar_t *typed; /* what it had to begin with; NULL: nobody looked */
};

struct host_line_editor {
    struct weir_loop *loop;
    struct host_terminal *terminal;
    struct host_line_hooks hooks;
    FILE *out;         /* where prompts go; NULL: nobody looks */
    EditLine *el;      /* NULL: lines are read as they are */
    HistoryW *history; /* for Ctrl-R */
    struct host_line_past past;

    struct weir_watch watch; /* of standard input */
    unsigned char bytes[4096];
    size_t n_bytes, next; /* read, and taken of them */
    bool eof;

    /* Of the read that goes on. */
    wchar_t *prompt;
    bool begun;     /* libedit has asked for its first key */
    wchar_t *first; /* what it begins with */
    int columns;    /* at which it was drawn last */
    bool reading;
    bool hidden;
    bool ended;
    bool interrupted;
    bool wants_edit;
    struct host_typing typing;
};

/* ---- line_input.c: keys, as bytes and as characters ---- */

/* True once after the window has changed its size (line_editor.c). */
bool host_line_take_resize(void);
/* Watches standard input, if that has not begun. */
bool host_line_watch(struct host_line_editor *editor);
/* libedit's reader of one character: waits for it in the loop. */
int host_line_get_char(EditLine *el, wchar_t *out);
/* A line as it is, with its newline if it has one, appended to `out`; false
 * at the end of everything, and when the session has ended. */
bool host_line_get_plain(struct host_line_editor *editor, struct weir_buf *out);
/* Makes Ctrl-Z a key like others, so that the terminal is left in order. */
void host_line_take_suspend_key(void);
/* True if more is there than was taken: a paste, or fast fingers. */
bool host_line_has_input(struct host_line_editor *editor);
/* A copy in characters; NULL without memory. */
wchar_t *host_line_wide(const char *text);
/* Appends `len` characters as UTF-8. */
void host_line_narrow(struct weir_buf *out, const wchar_t *text, size_t len);

/* ---- line_screen.c: where what stands ---- */

void host_line_typing(struct host_line_editor *editor);
/* Looks whether the window's size has changed, and draws the line anew. */
void host_line_resized(struct host_line_editor *editor);
/* Shows whole lines below the typed one, and that again below them. */
void host_line_show_below(struct host_line_editor *editor, const char *text);

/* ---- line_past.c: older inputs ---- */

/* Adds a copy; false without memory. */
bool host_line_past_add(struct host_line_past *past, const wchar_t *text);
void host_line_past_fini(struct host_line_past *past);
/* A new line begins. */
void host_line_past_begin(struct host_line_past *past);
/* Puts the next older (step < 0) or newer input into the line that begins as
 * what was typed; after the newest that comes back.  False: there is none. */
bool host_line_past_move(EditLine *el, struct host_line_past *past, int step);

/* ---- line_keys.c: what keys do ---- */

void host_line_bind(EditLine *el);

#endif
