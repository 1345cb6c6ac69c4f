/* Where the typed line stands on the screen: it is taken away for what others
 * write, and drawn again.  The layout repeats libedit's. */
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "line_internal.h"

struct place {
    int row, column;
};

static int width_of(wchar_t c)
{
    int width = wcwidth(c);

    return width >= 0 ? width : 2; /* a control character: ^X */
}

static void put(struct place *at, wchar_t c, int columns)
{
    int width;

    if (c == L'\n') {
        at->row++;
        at->column = 0;
        return;
    }
    width = c == L'\t' ? 8 - at->column % 8 : width_of(c);
    if (at->column + width > columns) {
        at->row++;
        at->column = 0;
    }
    at->column += width;
    if (at->column >= columns) {
        at->row++;
        at->column = 0;
    }
}

/* The prompt's colours stand between marks (see host_line_editor_read). */
static void put_prompt(struct place *at, const wchar_t *prompt, int columns)
{
    bool literal = false;

    for (; *prompt; prompt++) {
        if (*prompt == L'\1')
            literal = !literal;
        else if (!literal)
            put(at, *prompt, columns);
    }
}

/* Rows of the typed line above the cursor, and below it, at a width. */
static void rows(struct host_line_editor *editor, int columns, int height,
                 int *above, int *below)
{
    const LineInfoW *line = host_edit.el_wline(editor->el);
    struct place at = {0, 0}, cursor;

    put_prompt(&at, editor->prompt, columns);
    cursor = at;
    for (const wchar_t *c = line->buffer; c < line->lastchar; c++) {
        put(&at, *c, columns);
        if (c + 1 == line->cursor)
            cursor = at;
    }
    *above = cursor.row < height ? cursor.row : height - 1;
    *below = at.row - cursor.row;
    if (*below > height - 1 - *above)
        *below = height - 1 - *above;
}

static void note_columns(struct host_line_editor *editor)
{
    int height;

    host_terminal_size(fileno(editor->out), &editor->columns, &height);
}

static void hide(void *ud)
{
    struct host_line_editor *editor = ud;
    int columns, height, above, below;

    if (!editor->reading || editor->hidden)
        return;
    editor->hidden = true;
    host_terminal_size(fileno(editor->out), &columns, &height);
    rows(editor, columns, height, &above, &below);
    if (editor->columns > 0 && editor->columns != columns) {
        /* Some terminals wrap anew what they show, others do not.  Where it
         * is not known, too little is taken away rather than what stands
         * above. */
        int before;

        rows(editor, editor->columns, height, &before, &below);
        if (before < above)
            above = before;
    }
    if (above > 0)
        fprintf(editor->out, "\033[%dA", above);
    fputs("\r\033[J", editor->out);
    fflush(editor->out);
}

static void show(void *ud)
{
    struct host_line_editor *editor = ud;

    if (!editor->reading || !editor->hidden)
        return;
    editor->hidden = false;
    note_columns(editor);
    host_edit.el_set(editor->el, EL_REFRESH);
}

void host_line_typing(struct host_line_editor *editor)
{
    editor->typing =
        (struct host_typing){.hide = hide, .show = show, .ud = editor};
    editor->terminal->typing = &editor->typing;
    note_columns(editor);
}

void host_line_resized(struct host_line_editor *editor)
{
    hide(editor);
    host_edit.el_resize(editor->el);
    show(editor);
}

void host_line_show_below(struct host_line_editor *editor, const char *text)
{
    int columns, height, above, below;

    host_terminal_size(fileno(editor->out), &columns, &height);
    rows(editor, columns, height, &above, &below);
    for (int i = 0; i <= below; i++)
        fputc('\n', editor->out);
    fputc('\r', editor->out);
    fputs(text, editor->out);
    host_edit.el_set(editor->el, EL_REFRESH);
    fflush(editor->out);
}
