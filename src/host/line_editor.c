#include "line_editor.h"

#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "line_internal.h"

#define MAX_REMEMBERED 10000

/* A signal handler has no argument to find these by. */
static volatile sig_atomic_t resized;
static struct weir_loop *volatile woken;

static void on_resize(int number)
{
    (void)number;
    resized = 1;
    if (woken)
        weir_loop_wake(woken);
}

bool host_line_take_resize(void)
{
    bool was = resized;

    resized = 0;
    return was;
}

/* ---- making ---- */

static const char continued[] = "...> ";

static wchar_t *prompt_of(EditLine *el)
{
    struct host_line_editor *editor;
    static wchar_t none[] = L"";

    host_edit.el_get(el, EL_CLIENTDATA, &editor);
    return editor->prompt ? editor->prompt : none;
}

/* Where characters have a width and a length; nothing else of the locale is
 * taken over, since Lua's string functions would follow it. */
static bool use_utf8(void)
{
    return setlocale(LC_CTYPE, "C.UTF-8") || setlocale(LC_CTYPE, "en_US.UTF-8");
}

static bool open_editor(struct host_line_editor *editor)
{
    HistEventW event;

    editor->history = host_edit.history_winit();
    editor->el = host_edit.el_init("weir", stdin, editor->out, stderr);
    if (!editor->history || !editor->el)
        return false;
    host_edit.history_w(editor->history, &event, H_SETSIZE, MAX_REMEMBERED);
    host_edit.el_set(editor->el, EL_CLIENTDATA, editor);
    host_edit.el_set(editor->el, EL_SIGNAL, 0);
    host_edit.el_wset(editor->el, EL_HIST, host_edit.history_w,
                      editor->history);
    host_edit.el_set(editor->el, EL_EDITOR, "emacs");
    host_edit.el_source(editor->el, NULL); /* ~/.editrc */
    host_edit.el_set(editor->el, EL_GETCFN, host_line_get_char);
    host_edit.el_wset(editor->el, EL_PROMPT_ESC, prompt_of, L'\1');
    host_line_bind(editor->el);
    return true;
}

/* What is typed must not queue up behind what a script prints. */
static FILE *own_stream(int fd)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    FILE *stream = copy >= 0 ? fdopen(copy, "w") : NULL;

    if (!stream && copy >= 0)
        close(copy);
    return stream;
}

/* Whether this terminal can, and the library is there. */
static bool can_edit(const struct host_line_editor *editor)
{
    const char *term = getenv("TERM");
    struct weir_err err = WEIR_ERR_INIT;

    if (!editor->out || !term || !*term || strcmp(term, "dumb") == 0 ||
        !use_utf8())
        return false;
    if (host_edit_load(&err) == WEIR_OK)
        return true;
    fprintf(stderr, "weir: %s; lines are read as they are\n", err.message);
    weir_err_clear(&err);
    return false;
}

struct host_line_editor *
host_line_editor_new(struct weir_loop *loop, struct host_terminal *terminal,
                     const struct host_line_hooks *hooks)
{
    struct host_line_editor *editor = calloc(1, sizeof(*editor));

    if (!editor)
        return NULL;
    editor->loop = loop;
    editor->terminal = terminal;
    editor->hooks = *hooks;
    if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
        editor->out = own_stream(STDOUT_FILENO);
    else if (isatty(STDIN_FILENO) && isatty(STDERR_FILENO))
        editor->out = own_stream(STDERR_FILENO);
    if (can_edit(editor) && !open_editor(editor)) {
        host_line_editor_free(editor);
        return NULL;
    }
    return editor;
}

void host_line_editor_free(struct host_line_editor *editor)
{
    if (!editor)
        return;
    weir_watch_stop(&editor->watch);
    if (editor->el)
        host_edit.el_end(editor->el);
    if (editor->history)
        host_edit.history_wend(editor->history);
    if (editor->out)
        fclose(editor->out);
    host_line_past_fini(&editor->past);
    free(editor->prompt);
    free(editor);
}

bool host_line_editor_is_interactive(const struct host_line_editor *editor)
{
    return editor->out != NULL;
}

void host_line_editor_remember(struct host_line_editor *editor,
                               const char *text)
{
    HistEventW event;
    wchar_t *wide = editor->history ? host_line_wide(text) : NULL;

    if (wide) {
        host_edit.history_w(editor->history, &event, H_ENTER, wide);
        host_line_past_add(&editor->past, wide);
    }
    free(wide);
}

/* ---- reading ---- */

/* Between marks, libedit takes SGR sequences as having no width. */
static wchar_t *mark_colors(const char *prompt)
{
    struct weir_buf marked;
    wchar_t *wide;

    weir_buf_init(&marked, 4096);
    for (const char *c = prompt; *c; c++) {
        size_t len = *c == '\033' ? strcspn(c, "m") + 1 : 1;

        if (len > strlen(c))
            break;
        if (*c == '\033')
            weir_buf_addc(&marked, '\1');
        weir_buf_add(&marked, c, len);
        if (*c == '\033')
            weir_buf_addc(&marked, '\1');
        c += len - 1;
    }
    wide = host_line_wide(weir_buf_str(&marked));
    weir_buf_fini(&marked);
    return wide;
}

static void begin_typing(struct host_line_editor *editor,
                         struct sigaction *before)
{
    struct sigaction action;

    memset(&action, 0, sizeof(action));
    action.sa_handler = on_resize;
    sigemptyset(&action.sa_mask);
    woken = editor->loop;
    resized = 0;
    sigaction(SIGWINCH, &action, before);
    host_line_typing(editor);
    editor->reading = true;
    fputs("\033[?2004h", editor->out);
}

static void end_typing(struct host_line_editor *editor,
                       const struct sigaction *before)
{
    editor->reading = false;
    editor->terminal->typing = NULL;
    fputs("\033[?2004l", editor->out);
    fflush(editor->out);
    sigaction(SIGWINCH, before, NULL);
    woken = NULL;
}

static enum host_line edit(struct host_line_editor *editor, const char *text,
                           struct weir_buf *out)
{
    struct sigaction before;
    const wchar_t *line;
    int n = 0;

    editor->first = text && *text ? host_line_wide(text) : NULL;
    begin_typing(editor, &before);
    line = host_edit.el_wgets(editor->el, &n);
    end_typing(editor, &before);
    free(editor->first);
    editor->first = NULL;
    if (!line || n <= 0) {
        fputc('\n', editor->out);
        fflush(editor->out);
        return editor->ended ? HOST_LINE_ENDED : HOST_LINE_EOF;
    }
    if (line[n - 1] == L'\n')
        n--;
    if (editor->interrupted)
        return HOST_LINE_INTERRUPTED;
    host_line_narrow(out, line, (size_t)n);
    return editor->wants_edit ? HOST_LINE_EDIT : HOST_LINE_INPUT;
}

static void drop_newline(struct weir_buf *text)
{
    while (text->len > 0 && (text->data[text->len - 1] == '\n' ||
                             text->data[text->len - 1] == '\r'))
        text->len--;
}

/* Lines as they are, until they are an input. */
static enum host_line read_plain(struct host_line_editor *editor,
                                 const char *prompt, struct weir_buf *out)
{
    int indent, outdent;

    for (;;) {
        if (editor->out) {
            fputs(out->len > 0 ? continued : prompt, editor->out);
            fflush(editor->out);
        }
        if (!host_line_get_plain(editor, out))
            break;
        if (!editor->hooks.wants_more(editor->hooks.ud, weir_buf_str(out),
                                      out->len, &indent, &outdent)) {
            drop_newline(out);
            return HOST_LINE_INPUT;
        }
    }
    if (editor->out)
        fputc('\n', editor->out);
    if (editor->interrupted)
        return HOST_LINE_INTERRUPTED;
    if (editor->ended)
        return HOST_LINE_ENDED;
    drop_newline(out);
    return out->len > 0 ? HOST_LINE_INPUT : HOST_LINE_EOF;
}

enum host_line host_line_editor_read(struct host_line_editor *editor,
                                     const char *prompt, const char *text,
                                     struct weir_buf *out)
{
    enum host_line end;

    editor->interrupted = editor->wants_edit = false;
    editor->hidden = editor->begun = false;
    host_line_past_begin(&editor->past);
    free(editor->prompt);
    editor->prompt = mark_colors(prompt);
    if (!editor->prompt)
        return HOST_LINE_ENDED;
    end =
        editor->el ? edit(editor, text, out) : read_plain(editor, prompt, out);
    /* While a line runs, its keys are not read. */
    weir_watch_stop(&editor->watch);
    return end;
}
