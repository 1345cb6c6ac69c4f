/* Older inputs on the arrow keys: those that begin as what is typed does. */
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "line_internal.h"

bool host_line_past_add(struct host_line_past *past, const wchar_t *text)
{
    if (past->n > 0 && wcscmp(past->inputs[past->n - 1], text) == 0)
        return true;
    if (past->n == HOST_LINE_PAST) {
        free(past->inputs[0]);
        memmove(past->inputs, past->inputs + 1,
                (past->n - 1) * sizeof(*past->inputs));
        past->n--;
    }
    if (!past->inputs) {
        past->inputs = calloc(HOST_LINE_PAST, sizeof(*past->inputs));
        if (!past->inputs)
            return false;
    }
    past->inputs[past->n] = wcsdup(text);
    if (!past->inputs[past->n])
        return false;
    past->n++;
    return true;
}

void host_line_past_fini(struct host_line_past *past)
{
    for (size_t i = 0; i < past->n; i++)
        free(past->inputs[i]);
    free(past->inputs);
    free(past->typed);
}

void host_line_past_begin(struct host_line_past *past)
{
    free(past->typed);
    past->typed = NULL;
    past->at = past->n;
}

/* What stands in the line now; to be freed. */
static wchar_t *line_text(EditLine *el)
{
    const LineInfoW *line = host_edit.el_wline(el);
    size_t len = (size_t)(line->lastchar - line->buffer);
    wchar_t *text = calloc(len + 1, sizeof(*text));

    if (text)
        wmemcpy(text, line->buffer, len);
    return text;
}

/* Whether the line still is what the last move put there. */
static bool is_moving(const struct host_line_past *past, const wchar_t *now)
{
    return past->typed && past->at < past->n &&
           wcscmp(past->inputs[past->at], now) == 0;
}

static bool put(EditLine *el, const wchar_t *text)
{
    const LineInfoW *line = host_edit.el_wline(el);

    host_edit.el_cursor(el, (int)(line->lastchar - line->cursor));
    line = host_edit.el_wline(el);
    host_edit.el_deletestr(el, (int)(line->cursor - line->buffer));
    return !*text || host_edit.el_winsertstr(el, text) == 0;
}

bool host_line_past_move(EditLine *el, struct host_line_past *past, int step)
{
    wchar_t *now = line_text(el);
    size_t at = past->n, len;
    bool moved = false;

    if (!now)
        return false;
    if (is_moving(past, now)) {
        at = past->at;
    } else {
        free(past->typed);
        past->typed = wcsdup(now);
    }
    len = past->typed ? wcslen(past->typed) : 0;
    while (past->typed && !moved) {
        if (step < 0 ? at == 0 : at >= past->n)
            break;
        at = step < 0 ? at - 1 : at + 1;
        if (at == past->n)
            moved = put(el, past->typed);
        else if (wcsncmp(past->inputs[at], past->typed, len) == 0 &&
                 wcscmp(past->inputs[at], now) != 0)
            moved = put(el, past->inputs[at]);
    }
    if (moved)
        past->at = at;
    free(now);
    return moved;
}
