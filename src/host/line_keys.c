/* What keys do beyond libedit's own editing. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "line_internal.h"

/* A sequence that ends the line at once; what Enter types when it agrees. */
#define END_KEYS L"\030\n"

static struct host_line_editor *editor_of(EditLine *el)
{
    struct host_line_editor *editor;

    host_edit.el_get(el, EL_CLIENTDATA, &editor);
    return editor;
}

static void to_end(EditLine *el)
{
    const LineInfoW *line = host_edit.el_wline(el);

    host_edit.el_cursor(el, (int)(line->lastchar - line->cursor));
}

static const wchar_t *line_start(const LineInfoW *line, const wchar_t *at)
{
    while (at > line->buffer && at[-1] != L'\n')
        at--;
    return at;
}

static const wchar_t *line_end(const LineInfoW *line, const wchar_t *at)
{
    while (at < line->lastchar && *at != L'\n')
        at++;
    return at;
}

/* ---- Enter ---- */

static unsigned char new_line(EditLine *el, int indent)
{
    wchar_t text[64] = L"\n";

    for (int i = 0; i < indent && i < 60; i++)
        wcscat(text, L" ");
    return host_edit.el_winsertstr(el, text) ? CC_ERROR : CC_REFRESH;
}

/* Takes so many columns from the start of the line that was just written. */
static void shift_left(EditLine *el, int columns)
{
    const LineInfoW *line = host_edit.el_wline(el);
    int to_text = (int)(line->lastchar - line_start(line, line->cursor));

    to_text -= (int)wcsspn(line_start(line, line->cursor), L" ");
    if (columns <= 0 || to_text < 0)
        return;
    host_edit.el_cursor(el, -to_text);
    host_edit.el_deletestr(el, columns);
    to_end(el);
}

static unsigned char key_newline(EditLine *el, wint_t c)
{
    (void)c;
    return new_line(el, 0);
}

static unsigned char key_enter(EditLine *el, wint_t c)
{
    struct host_line_editor *editor = editor_of(el);
    const LineInfoW *line = host_edit.el_wline(el);
    struct weir_buf text;
    bool more;
    int indent = 0, outdent = 0;

    (void)c;
    weir_buf_init(&text, HOST_MAX_INPUT);
    host_line_narrow(&text, line->buffer,
                     (size_t)(line->lastchar - line->buffer));
    more = editor->hooks.wants_more(editor->hooks.ud, weir_buf_str(&text),
                                    text.len, &indent, &outdent);
    weir_buf_fini(&text);
    if (line->cursor == line->lastchar)
        shift_left(el, outdent);
    if (more)
        return new_line(el, host_line_has_input(editor) ? 0 : indent);
    host_edit.el_wpush(el, END_KEYS);
    return CC_REFRESH;
}

/* ---- Ctrl-C, Ctrl-Z, Ctrl-X Ctrl-E ---- */

static unsigned char key_interrupt(EditLine *el, wint_t c)
{
    (void)c;
    editor_of(el)->interrupted = true;
    to_end(el);
    host_edit.el_winsertstr(el, L"^C");
    host_edit.el_wpush(el, END_KEYS);
    return CC_REFRESH;
}

static volatile sig_atomic_t continued;

static void on_continue(int number)
{
    (void)number;
    continued = 1;
}

/* Stops the whole group, as the terminal would, and comes back when it goes
 * on.  The signal may take its time, since any thread can get it; where no
 * shell could continue us it never stops us. */
static void stop_here(void)
{
    struct sigaction action, before;

    memset(&action, 0, sizeof(action));
    action.sa_handler = on_continue;
    sigemptyset(&action.sa_mask);
    continued = 0;
    sigaction(SIGCONT, &action, &before);
    kill(0, SIGTSTP);
    for (int i = 0; i < 50 && !continued; i++)
        usleep(10000);
    sigaction(SIGCONT, &before, NULL);
}

static unsigned char key_suspend(EditLine *el, wint_t c)
{
    struct host_line_editor *editor = editor_of(el);

    (void)c;
    editor->typing.hide(editor);
    fputs("\033[?2004l", editor->out);
    fflush(editor->out);
    host_edit.el_set(el, EL_PREP_TERM, 0);
    stop_here();
    host_edit.el_set(el, EL_PREP_TERM, 1);
    host_line_take_suspend_key();
    fputs("\033[?2004h", editor->out);
    host_edit.el_resize(el);
    editor->typing.show(editor);
    return CC_NORM;
}

static unsigned char key_edit(EditLine *el, wint_t c)
{
    (void)c;
    editor_of(el)->wants_edit = true;
    host_edit.el_wpush(el, END_KEYS);
    return CC_NORM;
}

/* ---- arrows: within an input of many lines first ---- */

static unsigned char to_line(EditLine *el, const wchar_t *start,
                             const wchar_t *end)
{
    const LineInfoW *line = host_edit.el_wline(el);
    long column = line->cursor - line_start(line, line->cursor);
    const wchar_t *to = end - start < column ? end : start + column;

    host_edit.el_cursor(el, (int)(to - line->cursor));
    return CC_CURSOR;
}

static unsigned char key_up(EditLine *el, wint_t c)
{
    const LineInfoW *line = host_edit.el_wline(el);
    const wchar_t *start = line_start(line, line->cursor);

    (void)c;
    if (start > line->buffer)
        return to_line(el, line_start(line, start - 1), start - 1);
    return host_line_past_move(el, &editor_of(el)->past, -1) ? CC_REFRESH
                                                             : CC_ERROR;
}

static unsigned char key_down(EditLine *el, wint_t c)
{
    const LineInfoW *line = host_edit.el_wline(el);
    const wchar_t *end = line_end(line, line->cursor);

    (void)c;
    if (end < line->lastchar)
        return to_line(el, end + 1, line_end(line, end + 1));
    return host_line_past_move(el, &editor_of(el)->past, 1) ? CC_REFRESH
                                                            : CC_ERROR;
}

static unsigned char key_home(EditLine *el, wint_t c)
{
    const LineInfoW *line = host_edit.el_wline(el);

    (void)c;
    host_edit.el_cursor(el,
                        (int)(line_start(line, line->cursor) - line->cursor));
    return CC_CURSOR;
}

static unsigned char key_end(EditLine *el, wint_t c)
{
    const LineInfoW *line = host_edit.el_wline(el);

    (void)c;
    host_edit.el_cursor(el, (int)(line_end(line, line->cursor) - line->cursor));
    return CC_CURSOR;
}

/* ---- Tab ---- */

static unsigned char offer(EditLine *el, struct host_completion *offered,
                           const char *text, size_t cursor)
{
    wchar_t *wide;

    if (offered->text.len != cursor - offered->start ||
        memcmp(weir_buf_str(&offered->text), text + offered->start,
               offered->text.len) != 0) {
        struct weir_buf old;
        wchar_t *replaced;

        weir_buf_init(&old, HOST_MAX_INPUT);
        weir_buf_add(&old, text + offered->start, cursor - offered->start);
        replaced = host_line_wide(weir_buf_str(&old));
        wide = host_line_wide(weir_buf_str(&offered->text));
        if (replaced && wide) {
            host_edit.el_deletestr(el, (int)wcslen(replaced));
            host_edit.el_winsertstr(el, wide);
        }
        free(replaced);
        free(wide);
        weir_buf_fini(&old);
    }
    if (offered->list.len > 0) {
        host_line_show_below(editor_of(el), weir_buf_str(&offered->list));
        return CC_NORM;
    }
    return CC_REFRESH;
}

static unsigned char key_complete(EditLine *el, wint_t c)
{
    struct host_line_editor *editor = editor_of(el);
    const LineInfoW *line = host_edit.el_wline(el);
    const wchar_t *start = line_start(line, line->cursor);
    struct host_completion offered = {.start = 0};
    struct weir_buf text;
    int columns, rows;
    unsigned char result = CC_ERROR;

    (void)c;
    /* At the start of a line Tab indents, as in any editor. */
    if (wcsspn(start, L" ") >= (size_t)(line->cursor - start) &&
        start > line->buffer)
        return host_edit.el_winsertstr(el, L"  ") ? CC_ERROR : CC_REFRESH;
    weir_buf_init(&text, HOST_MAX_INPUT);
    weir_buf_init(&offered.text, HOST_MAX_INPUT);
    weir_buf_init(&offered.list, HOST_MAX_INPUT);
    host_line_narrow(&text, line->buffer,
                     (size_t)(line->cursor - line->buffer));
    host_terminal_size(fileno(editor->out), &columns, &rows);
    if (editor->hooks.complete(editor->hooks.ud, weir_buf_str(&text), text.len,
                               columns, &offered) &&
        offered.start <= text.len)
        result = offer(el, &offered, weir_buf_str(&text), text.len);
    weir_buf_fini(&text);
    weir_buf_fini(&offered.text);
    weir_buf_fini(&offered.list);
    return result;
}

/* ---- a paste: everything up to its end mark is text ---- */

static const wchar_t paste_end[] = L"\033[201~";
enum { PASTE_END = sizeof(paste_end) / sizeof(paste_end[0]) - 1 };

static unsigned char key_paste(EditLine *el, wint_t c)
{
    size_t n = 0, cap = 256;
    wchar_t *text = malloc(cap * sizeof(*text)), next;
    unsigned char result = CC_ERROR;

    (void)c;
    while (text && host_edit.el_wgetc(el, &next) == 1) {
        if (n + 2 > cap) {
            wchar_t *larger = realloc(text, 2 * cap * sizeof(*text));

            if (!larger || cap > HOST_MAX_INPUT)
                break;
            text = larger;
            cap *= 2;
        }
        text[n++] = next == L'\r' ? L'\n' : next;
        if (n >= PASTE_END &&
            wmemcmp(text + n - PASTE_END, paste_end, PASTE_END) == 0) {
            n -= PASTE_END;
            break;
        }
    }
    if (text) {
        while (n > 0 && text[n - 1] == L'\n')
            n--; /* Enter is the reader's to press */
        text[n] = L'\0';
        if (n == 0 || host_edit.el_winsertstr(el, text) == 0)
            result = CC_REFRESH;
    }
    free(text);
    return result;
}

/* ---- all of them ---- */

void host_line_bind(EditLine *el)
{
    /* Given as wide texts: of narrow ones libedit makes copies for ever. */
    static const struct {
        const wchar_t *name, *help;
        unsigned char (*fn)(EditLine *, wint_t);
    } functions[] = {
        {L"weir-enter", L"take the input, or add a line to it", key_enter},
        {L"weir-newline", L"add a line", key_newline},
        {L"weir-interrupt", L"drop the input", key_interrupt},
        {L"weir-suspend", L"stop the program", key_suspend},
        {L"weir-edit", L"go on in an editor", key_edit},
        {L"weir-up", L"the line above, or older inputs", key_up},
        {L"weir-down", L"the line below, or newer inputs", key_down},
        {L"weir-home", L"start of the line", key_home},
        {L"weir-end", L"end of the line", key_end},
        {L"weir-complete", L"complete the word", key_complete},
        {L"weir-paste", L"take a paste as text", key_paste},
    };
    static const struct {
        const char *key, *name;
    } keys[] = {
        {"^M", "weir-enter"},
        {"^J", "weir-enter"},
        {"^X^J", "ed-newline"},
        {"\\033^M", "weir-newline"},
        {"\\033^J", "weir-newline"},
        {"^C", "weir-interrupt"},
        {"^Z", "weir-suspend"},
        {"^X^E", "weir-edit"},
        {"^I", "weir-complete"},
        {"^P", "weir-up"},
        {"^N", "weir-down"},
        {"^R", "em-inc-search-prev"},
        {"^A", "weir-home"},
        {"^E", "weir-end"},
        {"\\033[A", "weir-up"},
        {"\\033OA", "weir-up"},
        {"\\033[B", "weir-down"},
        {"\\033OB", "weir-down"},
        {"\\033[C", "ed-next-char"},
        {"\\033OC", "ed-next-char"},
        {"\\033[D", "ed-prev-char"},
        {"\\033OD", "ed-prev-char"},
        {"\\033[1;5C", "em-next-word"},
        {"\\033[1;5D", "ed-prev-word"},
        {"\\033[H", "weir-home"},
        {"\\033OH", "weir-home"},
        {"\\033[1~", "weir-home"},
        {"\\033[F", "weir-end"},
        {"\\033OF", "weir-end"},
        {"\\033[4~", "weir-end"},
        {"\\033[3~", "ed-delete-next-char"},
        {"\\033[200~", "weir-paste"},
    };

    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
        host_edit.el_wset(el, EL_ADDFN, functions[i].name, functions[i].help,
                          functions[i].fn);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        host_edit.el_set(el, EL_BIND, keys[i].key, keys[i].name, NULL);
}
