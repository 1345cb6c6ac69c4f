/*
 * Groups: everything that a bracket begins, and what refers to it.
 */
#include "regex_scan.h"

#include <ctype.h>
#include <string.h>

#define MAX_NAME 32 /* PCRE2's */

/* The number of the group of that name, 0 if there is none so far. */
static size_t find_name(const struct scan *s, const char *name, size_t len)
{
    for (size_t i = 0; i < s->n_groups && i < SCAN_MAX_GROUPS; i++) {
        if (s->groups[i].name && s->groups[i].name_len == len &&
            memcmp(s->groups[i].name, name, len) == 0)
            return i + 1;
    }
    return 0;
}

void scan_reference(struct scan *s, size_t offset, size_t n, const char *name,
                    size_t len)
{
    struct shape_item *item = scan_item(s, offset);
    const struct scan_group *group = NULL;

    if (n == 0)
        n = find_name(s, name, len);
    if (n == 0 || n > s->n_groups) {
        scan_differs(s, offset,
                     "Python refuses a reference to a group that comes later");
        return;
    }
    if (n <= SCAN_MAX_GROUPS)
        group = &s->groups[n - 1];
    if (group && group->open)
        scan_differs(s, offset,
                     "Python refuses a reference to a group from inside it");
    else if (n > s->behind_groups)
        scan_differs(s, offset,
                     "Python refuses a reference to a group of the same "
                     "lookbehind");
    item->max = group ? group->max : SHAPE_UNBOUNDED;
    item->min = group ? group->min : 0;
}

/* ---- opening and closing ---- */

static void open_group(struct scan *s, size_t offset, enum scan_kind kind)
{
    struct scan_frame *frame;

    scan_end_item(s);
    s->started = true;
    if (s->depth == SCAN_MAX_DEPTH) {
        scan_differs(s, offset, "more than %d nested groups are refused here",
                     SCAN_MAX_DEPTH);
        s->stop = true;
        return;
    }
    frame = &s->frames[++s->depth];
    *frame = (struct scan_frame){.kind = kind,
                                 .offset = offset,
                                 .behind_groups = s->behind_groups,
                                 .flags = s->flags};
    if (kind == SCAN_BEHIND && s->behind_groups == SIZE_MAX)
        s->behind_groups = s->n_groups;
}

static void open_capture(struct scan *s, size_t offset, const char *name,
                         size_t len)
{
    size_t depth = s->depth;

    open_group(s, offset, SCAN_GROUP);
    if (s->depth == depth)
        return;
    if (s->n_groups < SCAN_MAX_GROUPS)
        s->groups[s->n_groups] =
            (struct scan_group){.name = name, .name_len = len, .open = true};
    s->frames[s->depth].number = ++s->n_groups;
}

void scan_close(struct scan *s)
{
    struct scan_frame *frame = &s->frames[s->depth];
    struct shape_item item;

    scan_end_item(s);
    shape_alternative(&frame->shape);
    item = shape_item(&frame->shape, frame->offset);
    if (frame->kind == SCAN_CONDITION && frame->shape.branches == 1)
        item.min = 0;
    if (frame->kind == SCAN_BEHIND && item.min != item.max)
        scan_differs(s, frame->offset,
                     "Python wants one fixed width for a lookbehind, the same "
                     "for every alternative");
    if (frame->number) {
        item.captures = true;
        if (frame->number <= SCAN_MAX_GROUPS) {
            struct scan_group *group = &s->groups[frame->number - 1];

            group->min = item.min;
            group->max = item.max;
            group->open = false;
        }
    }
    if (frame->kind == SCAN_AHEAD || frame->kind == SCAN_BEHIND)
        item = (struct shape_item){.offset = frame->offset,
                                   .captures = item.captures};
    s->flags = frame->flags;
    s->behind_groups = frame->behind_groups;
    s->depth--;
    *scan_item(s, item.offset) = item;
}

/* The name up to `close`, which is taken too. */
static const char *group_name(struct scan *s, char close, size_t *len)
{
    size_t start = s->at;

    scan_past(s, close);
    *len = s->at - start;
    if (*len > 0 && s->text[s->at - 1] == close)
        --*len;
    return s->text + start;
}

static void check_name(struct scan *s, const char *name, size_t len)
{
    size_t offset = (size_t)(name - s->text);

    if (len > MAX_NAME)
        scan_differs(s, offset, "names over %d characters are refused here",
                     MAX_NAME);
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)name[i] >= 128) {
            scan_differs(s, offset, "names of groups must be ASCII here");
            return;
        }
    }
}

/* ---- what stands after "(?" ---- */

struct scan_flags_text {
    bool on, off; /* "-" was there */
    bool foreign;
};

/* (?imsx), (?-i), (?i:…): the flags, and whether Python has them all. */
static struct scan_flags_text read_flags(struct scan *s, size_t offset)
{
    struct scan_flags_text seen = {.on = true};
    char last = '\0';

    for (; s->at < s->len && !strchr(":)", scan_peek(s, 0)); s->at++) {
        char c = scan_peek(s, 0);

        switch (c) {
        case 'i': s->flags.caseless = seen.on; break;
        case 'm': s->flags.multiline = seen.on; break;
        case 's': s->flags.dotall = seen.on; break;
        case 'x': s->flags.extended = seen.on; break;
        case '-': seen.on = false, seen.off = true; break;
        case 'a':
        case 'L':
        case 'u':
            scan_differs(s, offset, "flag %c is Python's alone; leave it out",
                         c);
            break;
        default: seen.foreign = true; break;
        }
        seen.foreign |= c == 'x' && last == 'x';
        last = c;
    }
    if (seen.foreign)
        scan_differs(s, offset, "Python's flags are i, m, s and x, once each");
    return seen;
}

static void flag_group(struct scan *s, size_t offset)
{
    struct scan_flags outside = s->flags;
    bool started = s->started;
    struct scan_flags_text seen = read_flags(s, offset);

    if (scan_peek(s, 0) == ':') {
        struct scan_flags inside = s->flags;

        s->flags = outside;
        s->at++;
        open_group(s, offset, SCAN_GROUP);
        s->flags = inside;
        return;
    }
    scan_skip(s, 1);
    if (seen.off)
        scan_differs(s, offset,
                     "Python takes a flag away for a group only: (?-i:...)");
    else if (started)
        scan_differs(s, offset,
                     "Python takes flags at the start only; write (?i:...) for "
                     "a part");
}

static void condition(struct scan *s, size_t offset)
{
    const char *name;
    size_t len;

    open_group(s, offset, SCAN_CONDITION);
    if (scan_peek(s, 0) == '?' || scan_peek(s, 0) == '*') {
        scan_differs(s, offset,
                     "Python has no condition on a lookaround; write two "
                     "alternatives, each with its lookaround");
        s->at--; /* it is read as a group of its own */
        return;
    }
    name = group_name(s, ')', &len);
    if (len == 0 || isdigit((unsigned char)name[0]))
        return;
    if (!isalpha((unsigned char)name[0]) && name[0] != '_') {
        scan_differs(s, offset,
                     "Python's conditions are (?(1)...) and (?(name)...)");
    } else if (name[0] == 'R' || (len == 6 && memcmp(name, "DEFINE", 6) == 0) ||
               (len > 7 && memcmp(name, "VERSION", 7) == 0)) {
        scan_differs(s, offset, "(?(%.*s) is not a group's name here",
                     (int)(len < 20 ? len : 20), name);
    } else if (find_name(s, name, len) == 0) {
        scan_differs(s, offset,
                     "Python refuses a condition on a name that comes later");
    }
}

static void recursion(struct scan *s, size_t offset)
{
    scan_differs(s, offset,
                 "Python has no recursion into a group; write it out");
    scan_past(s, ')');
    scan_set_item(s, offset, shape_class('.'));
    s->frames[s->depth].item.max = SHAPE_UNBOUNDED;
}

static void python_group(struct scan *s, size_t offset)
{
    const char *name;
    size_t len;
    char kind = scan_peek(s, 1);

    scan_skip(s, 2);
    if (kind == '<') {
        name = group_name(s, '>', &len);
        check_name(s, name, len);
        open_capture(s, offset, name, len);
    } else if (kind == '=') {
        name = group_name(s, ')', &len);
        scan_reference(s, offset, 0, name, len);
    } else {
        recursion(s, offset); /* (?P>name) */
    }
}

static void foreign_name(struct scan *s, size_t offset, char close)
{
    const char *name;
    size_t len;

    s->at++;
    name = group_name(s, close, &len);
    scan_differs(s, offset, "Python's named groups are (?P<%.*s>...)",
                 (int)(len < MAX_NAME ? len : MAX_NAME), name);
    open_capture(s, offset, name, len);
}

/* The groups that a fixed text begins. */
static bool simple_group(struct scan *s, size_t offset)
{
    static const struct {
        const char *text;
        enum scan_kind kind;
        const char *differs, *warns;
    } simple[] = {
        {":", SCAN_GROUP, NULL, NULL},
        {"=", SCAN_AHEAD, NULL, NULL},
        {"!", SCAN_AHEAD, NULL, NULL},
        {"<=", SCAN_BEHIND, NULL, NULL},
        {"<!", SCAN_BEHIND, NULL, NULL},
        {">", SCAN_GROUP, NULL, "atomic groups need Python 3.11"},
        {"|", SCAN_GROUP, "(?|...) does not exist in Python", NULL},
        {"*", SCAN_AHEAD, "(?*...) does not exist in Python", NULL},
        {"<*", SCAN_BEHIND, "(?<*...) does not exist in Python", NULL},
    };

    for (size_t i = 0; i < sizeof(simple) / sizeof(*simple); i++) {
        if (!scan_at(s, simple[i].text))
            continue;
        if (simple[i].differs)
            scan_differs(s, offset, "%s", simple[i].differs);
        if (simple[i].warns)
            scan_warns(s, offset, "%s", simple[i].warns);
        s->at += strlen(simple[i].text);
        open_group(s, offset, simple[i].kind);
        return true;
    }
    return false;
}

/* At what follows "(?". */
static void special_group(struct scan *s, size_t offset)
{
    char c = scan_peek(s, 0), next = scan_peek(s, 1);

    if (simple_group(s, offset))
        return;
    if (c == '#') {
        scan_past(s, ')');
    } else if (c == 'P') {
        python_group(s, offset);
    } else if (c == '<') {
        foreign_name(s, offset, '>');
    } else if (c == '\'') {
        foreign_name(s, offset, '\'');
    } else if (c == '(') {
        s->at++;
        condition(s, offset);
    } else if (c == 'C') {
        scan_differs(s, offset, "callouts do not exist in Python");
        scan_past(s, ')');
    } else if (c == 'R' || c == '&' || isdigit((unsigned char)c) ||
               (c && strchr("+-", c) && isdigit((unsigned char)next))) {
        recursion(s, offset);
    } else {
        flag_group(s, offset);
    }
}

void scan_group(struct scan *s)
{
    size_t offset = s->at++;

    if (scan_peek(s, 0) == '?') {
        s->at++;
        special_group(s, offset);
    } else if (scan_peek(s, 0) == '*') {
        scan_differs(s, offset, "(*...) does not exist in Python");
        scan_past(s, ')');
    } else {
        open_capture(s, offset, NULL, 0);
    }
}
