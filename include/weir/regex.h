/*
 * regex: PCRE2 with ceilings on time and memory, and the question whether a
 * pattern means the same to Python's re.
 */
#ifndef WEIR_REGEX_H
#define WEIR_REGEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir/clock.h"
#include "weir/err.h"

struct weir_regex;

enum weir_regex_flags {
    WEIR_REGEX_CASELESS = 1 << 0,  /* i */
    WEIR_REGEX_MULTILINE = 1 << 1, /* m */
    WEIR_REGEX_DOTALL = 1 << 2,    /* s */
    WEIR_REGEX_EXTENDED = 1 << 3   /* x */
};

#define WEIR_REGEX_MAX_PATTERN ((size_t)8192)  /* bytes */
#define WEIR_REGEX_MAX_SUBJECT ((size_t)65536) /* bytes, by default */

/* Compiles UTF-8 text (UTF, UCP, no \C).  WEIR_OK; WEIR_SYNTAX with the
 * offset; WEIR_LIMIT over the pattern's ceiling; WEIR_NOMEM. */
enum weir_code weir_regex_new(const char *pattern, size_t len, unsigned flags,
                              struct weir_regex **out, struct weir_err *err);
void weir_regex_free(struct weir_regex *regex);
/* The clock that a search's time is taken by, kept and not owned; until this
 * is called, the machine's. */
void weir_regex_set_clock(struct weir_regex *regex,
                          const struct weir_clock *clock);

/* A capture: byte offsets into the subject; `start` is SIZE_MAX if the group
 * took no part. */
struct weir_regex_capture {
    size_t start, end;
};

/* Groups, the whole match (group 0) not counted. */
size_t weir_regex_groups(const struct weir_regex *regex);
/* Name of group `n` (1 or more), or NULL. */
const char *weir_regex_group_name(const struct weir_regex *regex, size_t n);

/* Searches `subject` from byte `start`.  Sets `*matched`; fills
 * captures[0..groups] if `captures` is not NULL.  WEIR_OK; WEIR_LIMIT when a
 * match, heap, subject or time ceiling was hit; WEIR_INVALID for a subject
 * that is not UTF-8. */
enum weir_code weir_regex_search(struct weir_regex *regex, const char *subject,
                                 size_t len, size_t start, bool *matched,
                                 struct weir_regex_capture *captures,
                                 struct weir_err *err);

/* One way in which Python's re reads the pattern differently. */
struct weir_regex_difference {
    size_t offset; /* bytes into the pattern */
    char message[160];
    bool warning; /* portable, but can be slow or depends on the version */
};
/* Fills up to `max` of them; returns how many there are.  Portable means
 * none that is not a warning. */
size_t weir_regex_portable(const char *pattern, size_t len,
                           struct weir_regex_difference *out, size_t max);

#endif
