/* What the files of the noun filter share. */
#ifndef WEIR_FILTER_INTERNAL_H
#define WEIR_FILTER_INTERNAL_H

#include "weir/filter.h"

/* More would not be read. */
#define FILTER_MAX_PROBLEMS 1000

/* A value is in an element of a list of the filter, no deeper. */
#define FILTER_MAX_DEPTH 8

/* One step down: into the member `key`, or (NULL) the element `len`. */
struct filter_step {
    const char *key;
    size_t len;
};

/* Where in the definition a check is, and what it has found so far.  The JSON
 * pointer (RFC 6901) is written only for a problem. */
struct filter_check {
    const struct weir_filter_schema *schema;
    struct weir_filter_problems *problems;
    enum weir_code failed; /* WEIR_OK or WEIR_NOMEM */
    struct weir_err *err;
    size_t found;
    size_t depth;
    struct filter_step steps[FILTER_MAX_DEPTH];
};

/* Goes down into a member, whose key must live until filter_leave(), or into
 * an element; and up again. */
void filter_enter(struct filter_check *check, const char *key, size_t len);
void filter_enter_index(struct filter_check *check, size_t index);
void filter_leave(struct filter_check *check);

/* Reports a problem here; `hint` may be NULL. */
void filter_problem(struct filter_check *check, const char *hint,
                    const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The same, for a word that is none of `words`. */
void filter_unknown_word(struct filter_check *check, const char *what,
                         const char *word, size_t len,
                         const char *const *words);

/* Room for a word in a message, and the word made fit for one: short, on one
 * line, in quotes. */
#define FILTER_SHOWN 64
const char *filter_show(char out[FILTER_SHOWN], const char *text, size_t len);

/* Whether there is a control character, other than those of `allowed`. */
bool filter_has_control(const char *text, size_t len, const char *allowed);

/* filter_value.c: the parts of a matcher or a rule. */
void filter_check_path(struct filter_check *check,
                       const struct weir_json *path);
void filter_check_value(struct filter_check *check,
                        enum weir_filter_operator op,
                        const struct weir_json *value);
void filter_check_pattern(struct filter_check *check,
                          enum weir_filter_rule_type type,
                          const struct weir_json *pattern);

#endif
