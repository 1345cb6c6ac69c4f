/* Problems: where a check is, and the list of what it found. */
#include "filter_internal.h"
#include "weir/cut.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "excerpt.h"

/* ---- where ---- */

static void enter(struct filter_check *check, struct filter_step step)
{
    assert(check->depth < FILTER_MAX_DEPTH);
    check->steps[check->depth++] = step;
}

void filter_enter(struct filter_check *check, const char *key, size_t len)
{
    enter(check, (struct filter_step){key, len});
}

void filter_enter_index(struct filter_check *check, size_t index)
{
    enter(check, (struct filter_step){NULL, index});
}

void filter_leave(struct filter_check *check)
{
    check->depth--;
}

/* A path being written. */
struct path {
    char *text;
    size_t len, size;
    bool cut; /* ends with an ellipsis */
};

static void add(struct path *path, const char *text, size_t len)
{
    if (path->cut)
        return;
    /* A pointer too long to keep is cut; nothing longer is made of it. */
    if (path->len + len + sizeof(WEIR_CUT_MARK) > path->size) {
        path->cut = true;
        text = WEIR_CUT_MARK;
        len = sizeof(WEIR_CUT_MARK) - 1;
    }
    memcpy(path->text + path->len, text, len);
    path->len += len;
    path->text[path->len] = '\0';
}

static void add_key(struct path *path, const char *key, size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t n = 1;

        /* Characters stay whole, so that a pointer cut short is UTF-8. */
        while (i + n < len && ((unsigned char)key[i + n] & 0xc0) == 0x80)
            n++;
        if (key[i] == '~')
            add(path, "~0", 2);
        else if (key[i] == '/')
            add(path, "~1", 2);
        else
            add(path, key[i] ? key + i : "?", n);
        i += n;
    }
}

static void write_path(const struct filter_check *check, char *out, size_t size)
{
    struct path path = {.text = out, .size = size};

    out[0] = '\0';
    for (size_t i = 0; i < check->depth; i++) {
        const struct filter_step *step = &check->steps[i];
        char index[24];

        add(&path, "/", 1);
        if (step->key)
            add_key(&path, step->key, step->len);
        else
            add(&path, index,
                (size_t)snprintf(index, sizeof(index), "%zu", step->len));
    }
}

/* ---- what ---- */

static struct weir_filter_problem *next_problem(struct filter_check *check)
{
    struct weir_filter_problems *problems = check->problems;

    if (problems->n == problems->cap) {
        size_t cap = problems->cap ? problems->cap * 2 : 8;
        struct weir_filter_problem *list =
            realloc(problems->list, cap * sizeof(*list));

        if (!list) {
            check->failed = weir_err_nomem(check->err);
            return NULL;
        }
        problems->list = list;
        problems->cap = cap;
    }
    return &problems->list[problems->n++];
}

void filter_problem(struct filter_check *check, const char *hint,
                    const char *fmt, ...)
{
    struct weir_filter_problem *problem;
    va_list args;

    if (check->failed || check->found >= FILTER_MAX_PROBLEMS)
        return;
    problem = next_problem(check);
    if (!problem)
        return;
    problem->hint[0] = problem->path[0] = '\0';
    if (++check->found == FILTER_MAX_PROBLEMS) {
        snprintf(problem->message, sizeof(problem->message),
                 "too many problems; only the first %d are listed",
                 FILTER_MAX_PROBLEMS - 1);
        return;
    }
    write_path(check, problem->path, sizeof(problem->path));
    weir_excerpt_line(problem->path);
    va_start(args, fmt);
    weir_cut_vprintf(problem->message, sizeof(problem->message), fmt, args);
    va_end(args);
    weir_excerpt_line(problem->message);
    if (hint) {
        weir_cut_copy(problem->hint, sizeof(problem->hint), hint, strlen(hint));
        weir_excerpt_line(problem->hint);
    }
}

/* "a, b or c" */
static void list_words(char *out, size_t size, const char *const *words)
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; words[i] && used < size; i++) {
        const char *before = i == 0 ? "" : words[i + 1] ? ", " : " or ";
        int n = snprintf(out + used, size - used, "%s%s", before, words[i]);

        used += n > 0 ? (size_t)n : 0;
    }
}

void filter_unknown_word(struct filter_check *check, const char *what,
                         const char *word, size_t len, const char *const *words)
{
    char shown[FILTER_SHOWN], list[144], hint[96];
    const char *near =
        memchr(word, '\0', len) ? NULL : weir_nearest(word, words);

    list_words(list, sizeof(list), words);
    if (near)
        weir_cut_printf(hint, sizeof(hint), "did you mean '%s'?", near);
    filter_problem(check, near ? hint : NULL, "unknown %s %s; expected %s",
                   what, filter_show(shown, word, len), list);
}

const char *filter_show(char out[FILTER_SHOWN], const char *text, size_t len)
{
    size_t used = 0;

    out[used++] = '\'';
    for (size_t i = 0; i < len;) {
        size_t n = 1;

        while (i + n < len && ((unsigned char)text[i + n] & 0xc0) == 0x80)
            n++;
        if (used + n > FILTER_SHOWN - 6) {
            memcpy(out + used, "...", 3);
            used += 3;
            break;
        }
        if (filter_has_control(text + i, n, ""))
            out[used] = '?', n = 1;
        else
            memcpy(out + used, text + i, n);
        used += n;
        i += n;
    }
    out[used++] = '\'';
    out[used] = '\0';
    return out;
}

bool filter_has_control(const char *text, size_t len, const char *allowed)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if ((c < ' ' && (c == 0 || !strchr(allowed, c))) || c == 127)
            return true;
    }
    return false;
}

void weir_filter_problems_fini(struct weir_filter_problems *problems)
{
    free(problems->list);
    *problems = (struct weir_filter_problems){0};
}
