/*
 * scan: one walk over a pattern's text, as regex_portable.c does it with the
 * help of regex_group.c and regex_escape.c.  It reads any text; whether the
 * pattern compiles is not its question.
 */
#ifndef WEIR_REGEX_SCAN_H
#define WEIR_REGEX_SCAN_H

#include "weir/regex.h"

#include "regex_shape.h"

#define SCAN_MAX_GROUPS 512 /* whose widths and names are remembered */
#define SCAN_MAX_DEPTH  250 /* PCRE2's own ceiling on nested groups */

struct scan_group {
    const char *name; /* in the pattern, NULL for none */
    size_t name_len;
    size_t min, max; /* characters */
    bool open;
};

enum scan_kind { SCAN_GROUP, SCAN_AHEAD, SCAN_BEHIND, SCAN_CONDITION };

struct scan_flags {
    bool caseless, multiline, dotall, extended;
};

struct scan_frame {
    struct shape shape;
    struct shape_item item; /* the last one, which a repeat may follow */
    bool has_item;
    enum scan_kind kind;
    size_t offset;           /* of its opening bracket */
    size_t number;           /* of the capture, 0 for none */
    size_t behind_groups;    /* `behind_groups` outside */
    struct scan_flags flags; /* outside */
};

struct scan {
    const char *text;
    size_t len, at;
    struct weir_regex_difference *out;
    size_t n, max; /* differences found; room for them */
    size_t depth;  /* frames[0] is the pattern itself */
    size_t n_groups;
    /* Groups there were when the outermost lookbehind began, SIZE_MAX
     * outside one. */
    size_t behind_groups;
    struct scan_flags flags;
    bool started;        /* something but flags and comments was read */
    bool warned_dotless; /* about i and its Turkish relatives, once */
    bool stop;
    /* Last, since they are 100 KB that nobody zeroes: each is set when its
     * bracket opens. */
    struct scan_frame frames[SCAN_MAX_DEPTH + 1];
    struct scan_group groups[SCAN_MAX_GROUPS];
};

/* Reports a difference (or a warning) at `offset`. */
void scan_differs(struct scan *s, size_t offset, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void scan_warns(struct scan *s, size_t offset, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The byte `ahead` of here, or NUL past the end. */
char scan_peek(const struct scan *s, size_t ahead);
bool scan_at(const struct scan *s, const char *text);
/* Takes one character, which may be several bytes. */
uint32_t scan_character(struct scan *s);
/* Goes on by `n` bytes, or to the end. */
void scan_skip(struct scan *s, size_t n);
/* Goes past the next `c`, or to the end. */
void scan_past(struct scan *s, char c);

/* Ends the last item: no repeat follows it. */
void scan_end_item(struct scan *s);
/* Begins the item after the last one, which gets its place. */
struct shape_item *scan_item(struct scan *s, size_t offset);
/* An item of one of these characters. */
void scan_set_item(struct scan *s, size_t offset, struct shape_set set);
/* Adds a literal to a set, looking at what (?i) makes of it. */
void scan_literal(struct scan *s, size_t offset, uint32_t from, uint32_t to,
                  struct shape_set *set);

/* regex_group.c: at an opening bracket; at a closing one, which stays; a
 * reference to group `n`, or to the one of that name (n 0). */
void scan_group(struct scan *s);
void scan_close(struct scan *s);
void scan_reference(struct scan *s, size_t offset, size_t n, const char *name,
                    size_t len);

/* regex_escape.c: at a backslash outside a class; at a bracket. */
void scan_escape(struct scan *s);
void scan_class(struct scan *s);

#endif
