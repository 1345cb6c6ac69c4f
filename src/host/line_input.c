/* Keys: bytes from standard input, and the characters they spell. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "line_internal.h"

/* What a byte that spells nothing becomes. */
#define REPLACEMENT 0xFFFD

/* ---- bytes ---- */

static void readable(void *ud)
{
    struct host_line_editor *editor = ud;
    ssize_t n;

    if (editor->next < editor->n_bytes) {
        /* Nobody took these yet; the loop must not spin on the rest. */
        weir_watch_stop(&editor->watch);
        return;
    }
    /* A pipe is shared with whatever the session reads from standard input,
     * so there no byte is taken before it is needed. */
    n = read(STDIN_FILENO, editor->bytes,
             editor->el ? sizeof(editor->bytes) : 1);
    editor->next = editor->n_bytes = 0;
    if (n > 0)
        editor->n_bytes = (size_t)n;
    else if (n == 0 || (errno != EINTR && errno != EAGAIN))
        editor->eof = true;
}

bool host_line_watch(struct host_line_editor *editor)
{
    if (editor->watch.loop)
        return true;
    return weir_watch_start(editor->loop, &editor->watch, STDIN_FILENO,
                            readable, editor) == WEIR_OK;
}

bool host_line_has_input(struct host_line_editor *editor)
{
    int n = 0;

    if (editor->next < editor->n_bytes)
        return true;
    return ioctl(STDIN_FILENO, FIONREAD, &n) == 0 && n > 0;
}

/* Waits until a byte is there; false: none will come, or Ctrl-C came. */
static bool wait_for_byte(struct host_line_editor *editor)
{
    while (editor->next == editor->n_bytes) {
        if (editor->eof || editor->ended)
            return false;
        if (!host_line_watch(editor) || !editor->hooks.wait(editor->hooks.ud)) {
            editor->ended = true;
            return false;
        }
        if (editor->hooks.interrupted(editor->hooks.ud)) {
            editor->interrupted = true;
            return false;
        }
        if (host_line_take_resize() && editor->el)
            host_line_resized(editor);
    }
    return true;
}

/* ---- characters ---- */

wchar_t *host_line_wide(const char *text)
{
    size_t len = strlen(text);
    wchar_t *wide = calloc(len + 1, sizeof(*wide)), *out = wide;
    mbstate_t state;

    if (!wide)
        return NULL;
    memset(&state, 0, sizeof(state));
    while (len > 0) {
        size_t n = mbrtowc(out, text, len, &state);

        if (n == 0 || n == (size_t)-1 || n == (size_t)-2) {
            memset(&state, 0, sizeof(state));
            *out = REPLACEMENT;
            n = 1;
        }
        out++;
        text += n;
        len -= n;
    }
    return wide;
}

void host_line_narrow(struct weir_buf *out, const wchar_t *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char bytes[16];
        mbstate_t state;
        size_t n;

        memset(&state, 0, sizeof(state));
        n = wcrtomb(bytes, text[i], &state);
        if (n != (size_t)-1)
            weir_buf_add(out, bytes, n);
    }
}

void host_line_take_suspend_key(void)
{
    struct termios mode;

    if (tcgetattr(STDIN_FILENO, &mode) == 0) {
        mode.c_cc[VSUSP] = _POSIX_VDISABLE;
        tcsetattr(STDIN_FILENO, TCSADRAIN, &mode);
    }
}

/* Only now has libedit set the terminal and begun the line. */
static void begin(struct host_line_editor *editor)
{
    editor->begun = true;
    host_line_take_suspend_key();
    if (editor->first) {
        host_edit.el_winsertstr(editor->el, editor->first);
        host_edit.el_set(editor->el, EL_REFRESH);
    }
}

int host_line_get_char(EditLine *el, wchar_t *out)
{
    struct host_line_editor *editor;
    mbstate_t state;

    host_edit.el_get(el, EL_CLIENTDATA, &editor);
    memset(&state, 0, sizeof(state));
    if (!editor->begun)
        begin(editor);
    while (wait_for_byte(editor)) {
        char byte = (char)editor->bytes[editor->next++];
        size_t n = mbrtowc(out, &byte, 1, &state);

        if (n == (size_t)-2)
            continue; /* a part of a character */
        if (n == (size_t)-1)
            *out = REPLACEMENT;
        return 1;
    }
    if (editor->interrupted) {
        editor->interrupted = false;
        *out = 3; /* as if the key had come as a character */
        return 1;
    }
    return 0;
}

bool host_line_get_plain(struct host_line_editor *editor, struct weir_buf *out)
{
    size_t before = out->len;

    while (wait_for_byte(editor)) {
        char c = (char)editor->bytes[editor->next++];
        int waiting = 0;

        weir_buf_addc(out, c);
        if (c == '\n')
            return true;
        /* What is there already needs no turn of the loop. */
        while (editor->next == editor->n_bytes &&
               ioctl(STDIN_FILENO, FIONREAD, &waiting) == 0 && waiting > 0 &&
               read(STDIN_FILENO, &c, 1) == 1) {
            weir_buf_addc(out, c);
            if (c == '\n')
                return true;
        }
    }
    return !editor->ended && !editor->interrupted && out->len > before;
}
