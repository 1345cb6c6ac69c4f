/*
 * Where PCRE2 and Python's re read a pattern differently, and which shapes
 * are slow in both.  The list was measured against Python 3.11 and PCRE2
 * 10.42; tests/e2e/test_regex_portable.py holds it against the Python at
 * hand.
 *
 * Not reported, since every use of \s would be: Python's \s has the controls
 * U+001C to U+001F as well, PCRE2's has U+180E.
 */
#include "regex_scan.h"
#include "weir/cut.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "excerpt.h"

#define MAX_REPEAT 65535 /* PCRE2's */

/* ---- reporting ---- */

static void report(struct scan *s, size_t offset, bool warning, const char *fmt,
                   va_list args) __attribute__((format(printf, 4, 0)));

static void report(struct scan *s, size_t offset, bool warning, const char *fmt,
                   va_list args)
{
    if (s->n < s->max) {
        struct weir_regex_difference *d = &s->out[s->n];

        d->offset = offset;
        d->warning = warning;
        weir_cut_vprintf(d->message, sizeof(d->message), fmt, args);
        weir_excerpt_line(d->message);
    }
    s->n++;
}

void scan_differs(struct scan *s, size_t offset, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    report(s, offset, false, fmt, args);
    va_end(args);
}

void scan_warns(struct scan *s, size_t offset, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    report(s, offset, true, fmt, args);
    va_end(args);
}

/* A leading .* is one only where nothing at all stands before it. */
static bool leads(const struct scan *s)
{
    for (size_t i = 0; i < s->depth; i++) {
        if (s->frames[i].shape.started || s->frames[i].kind != SCAN_GROUP)
            return false;
    }
    return true;
}

static void warn_slow(struct scan *s, size_t offset, enum shape_slow slow)
{
    switch (slow) {
    case SHAPE_FAST: break;
    case SHAPE_NESTED:
        scan_warns(s, offset,
                   "can be slow: a repeat of a repeat, over the same text");
        break;
    case SHAPE_ADJACENT:
        scan_warns(s, offset,
                   "can be slow: two repeats in a row, over the same text");
        break;
    case SHAPE_LEADING:
        if (leads(s))
            scan_warns(s, offset,
                       "can be slow: a search that begins with .*; leave it "
                       "out, or begin with ^");
        break;
    }
}

/* ---- reading ---- */

char scan_peek(const struct scan *s, size_t ahead)
{
    return ahead < s->len - s->at ? s->text[s->at + ahead] : '\0';
}

bool scan_at(const struct scan *s, const char *text)
{
    size_t len = strlen(text);

    return len <= s->len - s->at && memcmp(s->text + s->at, text, len) == 0;
}

uint32_t scan_character(struct scan *s)
{
    unsigned char lead = (unsigned char)s->text[s->at++];
    uint32_t c = lead;

    if (lead >= 0xc0)
        c = lead & (lead >= 0xf0 ? 0x07 : lead >= 0xe0 ? 0x0f : 0x1f);
    while (lead >= 0xc0 && s->at < s->len &&
           ((unsigned char)s->text[s->at] & 0xc0) == 0x80)
        c = c << 6 | ((unsigned char)s->text[s->at++] & 0x3f);
    return c;
}

void scan_skip(struct scan *s, size_t n)
{
    s->at += n < s->len - s->at ? n : s->len - s->at;
}

void scan_past(struct scan *s, char c)
{
    const char *end = memchr(s->text + s->at, c, s->len - s->at);

    s->at = end ? (size_t)(end - s->text) + 1 : s->len;
}

/* ---- items ---- */

void scan_end_item(struct scan *s)
{
    struct scan_frame *frame = &s->frames[s->depth];

    if (frame->has_item)
        warn_slow(s, frame->item.offset,
                  shape_append(&frame->shape, &frame->item));
    frame->has_item = false;
}

struct shape_item *scan_item(struct scan *s, size_t offset)
{
    struct scan_frame *frame = &s->frames[s->depth];

    scan_end_item(s);
    s->started = true;
    frame->has_item = true;
    frame->item = (struct shape_item){.offset = offset};
    return &frame->item;
}

void scan_set_item(struct scan *s, size_t offset, struct shape_set set)
{
    struct shape_item *item = scan_item(s, offset);

    item->min = item->max = 1;
    item->first = set;
}

static bool within(uint32_t from, uint32_t to, uint32_t c)
{
    return from <= c && c <= to;
}

void scan_literal(struct scan *s, size_t offset, uint32_t from, uint32_t to,
                  struct shape_set *set)
{
    shape_add(set, from, to);
    if (!s->flags.caseless)
        return;
    shape_both_cases(set);
    if (within(from, to, 0x130) || within(from, to, 0x131)) {
        scan_differs(s, offset,
                     "the dotted \xc4\xb0 and the dotless \xc4\xb1 have no "
                     "other case here, but do in Python");
    } else if (!s->warned_dotless &&
               (within(from, to, 'i') || within(from, to, 'I'))) {
        s->warned_dotless = true;
        scan_warns(s, offset,
                   "Python's caseless i also matches \xc4\xb0 and \xc4\xb1");
    }
}

/* ---- repeats ---- */

/* {m}, {m,}, {m,n}, {,n} or {,}: its length with the braces, 0 if this is
 * none and so literal. */
static size_t braces(struct scan *s, size_t *min, size_t *max)
{
    size_t at = 1, digits[2] = {0, 0}, value[2] = {0, 0};
    bool comma = false;

    for (;; at++) {
        char c = scan_peek(s, at);

        if (isdigit((unsigned char)c)) {
            digits[comma]++;
            if (value[comma] <= MAX_REPEAT)
                value[comma] = value[comma] * 10 + (size_t)(c - '0');
        } else if (c == ',' && !comma) {
            comma = true;
        } else if (c == '}') {
            break;
        } else {
            return 0;
        }
    }
    if (!comma && !digits[0])
        return 0;
    *min = value[0];
    *max = !comma ? value[0] : digits[1] ? value[1] : SHAPE_UNBOUNDED;
    if (!digits[0])
        scan_differs(s, s->at,
                     "{,n} is a repeat in Python and plain text here; write "
                     "{0,n}, or \\{ for the text");
    else if (value[0] > MAX_REPEAT || value[1] > MAX_REPEAT)
        scan_differs(s, s->at, "repeats over %d are refused here", MAX_REPEAT);
    return at + 1;
}

/* The length of a repeat that stands here, 0 for none. */
static size_t repeat(struct scan *s, size_t *min, size_t *max)
{
    switch (scan_peek(s, 0)) {
    case '*': *min = 0, *max = SHAPE_UNBOUNDED; return 1;
    case '+': *min = 1, *max = SHAPE_UNBOUNDED; return 1;
    case '?': *min = 0, *max = 1; return 1;
    case '{': return braces(s, min, max);
    default: return 0;
    }
}

static bool is_space(char c)
{
    return c && strchr(" \t\n\v\f\r", c);
}

/* A ? or + that says how the repeat goes about it. */
static void repeat_suffix(struct scan *s, size_t offset)
{
    size_t ahead = 0;
    char c;

    while (s->flags.extended && is_space(scan_peek(s, ahead)))
        ahead++;
    c = scan_peek(s, ahead);
    if (c != '?' && c != '+')
        return;
    if (ahead)
        scan_differs(s, s->at, "Python allows no space inside a repeat");
    s->at += ahead + 1;
    if (c == '+')
        scan_warns(s, offset, "possessive repeats need Python 3.11");
}

static bool scan_repeat(struct scan *s)
{
    struct scan_frame *frame = &s->frames[s->depth];
    size_t offset = s->at, min, max;
    size_t len = repeat(s, &min, &max);

    if (!len)
        return false;
    s->at += len;
    if (!frame->has_item)
        return true; /* refused by both */
    if (frame->item.captures && frame->item.min == 0 && max > 1)
        scan_differs(s, offset,
                     "what a group captures differs where it is repeated and "
                     "can be empty");
    if (frame->item.max == 0)
        max = min = 1; /* however often: it takes no text */
    if (max >= min)
        warn_slow(s, frame->item.offset, shape_repeat(&frame->item, min, max));
    repeat_suffix(s, offset);
    return true;
}

/* ---- the walk ---- */

/* Space and comments of (?x). */
static bool skip_extended(struct scan *s)
{
    static const char *const wide[] = {"\xc2\x85", "\xe2\x80\x8e",
                                       "\xe2\x80\x8f", "\xe2\x80\xa8",
                                       "\xe2\x80\xa9"};

    if (!s->flags.extended)
        return false;
    for (size_t i = 0; i < sizeof(wide) / sizeof(*wide); i++) {
        if (scan_at(s, wide[i])) {
            scan_differs(s, s->at,
                         "this space beyond ASCII is skipped here by (?x), "
                         "and matched in Python");
            s->at += strlen(wide[i]);
            return true;
        }
    }
    if (is_space(scan_peek(s, 0)))
        s->at++;
    else if (scan_peek(s, 0) == '#')
        scan_past(s, '\n');
    else
        return false;
    return true;
}

static void literal(struct scan *s)
{
    size_t offset = s->at;
    uint32_t c = scan_character(s);
    struct shape_set set = {0};

    scan_literal(s, offset, c, c, &set);
    scan_set_item(s, offset, set);
}

static void dot(struct scan *s)
{
    struct shape_set set = shape_class('.');

    if (s->flags.dotall)
        shape_add(&set, '\n', '\n');
    scan_set_item(s, s->at++, set);
    s->frames[s->depth].item.any = true;
}

static void caret(struct scan *s)
{
    if (s->flags.multiline)
        scan_differs(s, s->at,
                     "^ under (?m) also matches after a last newline in "
                     "Python; write (?:\\A|(?<=\\n))");
    scan_item(s, s->at++)->assertion = true;
}

static void scan_one(struct scan *s)
{
    if (skip_extended(s) || scan_repeat(s))
        return;
    switch (scan_peek(s, 0)) {
    case '\\': scan_escape(s); break;
    case '[': scan_class(s); break;
    case '(': scan_group(s); break;
    case ')':
        if (s->depth > 0)
            scan_close(s);
        s->at++;
        break;
    case '|':
        scan_end_item(s);
        shape_alternative(&s->frames[s->depth].shape);
        s->started = true;
        s->at++;
        break;
    case '.': dot(s); break;
    case '^': caret(s); break;
    case '$': scan_item(s, s->at++)->assertion = true; break;
    default: literal(s); break;
    }
}

size_t weir_regex_portable(const char *pattern, size_t len,
                           struct weir_regex_difference *out, size_t max)
{
    /* 80 KB, but on the stack: a scan that can fail has no way to say so. */
    struct scan s;

    memset(&s, 0, offsetof(struct scan, frames));
    s.frames[0] = (struct scan_frame){.kind = SCAN_GROUP};
    s.text = pattern;
    s.len = len;
    s.out = out;
    s.max = max;
    s.behind_groups = SIZE_MAX;
    while (s.at < s.len && !s.stop)
        scan_one(&s);
    scan_end_item(&s);
    return s.n;
}
