/*
 * filter: the typed definition of an event filter, immutable once made.
 *
 * What a definition means is in docs of the matcher; what the dialect fixes
 * (channels, limits, server-owned members) comes in as a schema, so that it
 * stands in one place of the program.
 */
#ifndef WEIR_FILTER_H
#define WEIR_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "weir/err.h"
#include "weir/json.h"

enum weir_filter_operator {
    WEIR_FILTER_EQUALS,
    WEIR_FILTER_NOT_EQUALS,
    WEIR_FILTER_GREATER_THAN,
    WEIR_FILTER_LESS_THAN,
    WEIR_FILTER_CONTAINS,
    WEIR_FILTER_IN
};

enum weir_filter_rule_type {
    WEIR_FILTER_REGEX,
    WEIR_FILTER_CIDR,
    WEIR_FILTER_PREFIX
};

struct weir_filter_known;

/* The dialect's part; all lists NULL-terminated. */
struct weir_filter_schema {
    const char *const *channels;
    const char *const *server_fields; /* refused in a definition */
    size_t max_name;                  /* bytes */
    size_t max_description;           /* bytes */
    size_t max_matchers;
    size_t max_pattern_rules;
    size_t max_in_values;
    size_t max_value;      /* bytes of one string value */
    size_t max_path_depth; /* names in an attribute */
    /* Regexes found faultless lately, which are not compiled again; NULL: none
     * are remembered. */
    struct weir_filter_known *known_regexes;
};

/* One fault of a definition. */
struct weir_filter_problem {
    char path[160];    /* JSON pointer: "/matchers/0/operator" */
    char message[256]; /* what is wrong and what was expected */
    char hint[192];    /* "did you mean 'equals'?", or "" */
};
struct weir_filter_problems {
    struct weir_filter_problem *list;
    size_t n, cap;
};
void weir_filter_problems_fini(struct weir_filter_problems *problems);

/* Finds every fault in one pass and appends it to `problems`.  WEIR_OK if
 * there was none; WEIR_VALIDATION if there were; WEIR_NOMEM. */
enum weir_code weir_filter_check(const struct weir_json *definition,
                                 const struct weir_filter_schema *schema,
                                 struct weir_filter_problems *problems,
                                 struct weir_err *err);

struct weir_filter;

/* Checks and makes a filter, which takes `definition` over if it could be
 * made.  As weir_filter_check; `problems` may be NULL. */
enum weir_code weir_filter_new(struct weir_json *definition,
                               const struct weir_filter_schema *schema,
                               struct weir_filter **out,
                               struct weir_filter_problems *problems,
                               struct weir_err *err);
void weir_filter_free(struct weir_filter *filter);
/* The same for a definition that a check found faultless before, text by text;
 * it is not checked again.  WEIR_OK, WEIR_NOMEM. */
enum weir_code weir_filter_again(struct weir_json *definition,
                                 struct weir_filter **out,
                                 struct weir_err *err);

/*
 * Texts that were found faultless lately, of definitions by one schema, or of
 * regexes: who validates a definition and then creates it need not have it
 * checked twice, and many filters share their regexes.  At most
 * WEIR_FILTER_KNOWN texts of at most WEIR_FILTER_KNOWN_SIZE bytes, of which the
 * oldest is forgotten first.
 */
#define WEIR_FILTER_KNOWN      128
#define WEIR_FILTER_KNOWN_SIZE ((size_t)8 * 1024)
/* NULL without memory. */
struct weir_filter_known *weir_filter_known_new(void);
void weir_filter_known_free(struct weir_filter_known *known);
/* Compares whole texts. */
bool weir_filter_known_has(const struct weir_filter_known *known,
                           const char *text, size_t len);
/* Remembers a copy; what is too long, and without memory, is not remembered. */
void weir_filter_known_add(struct weir_filter_known *known, const char *text,
                           size_t len);

/* The definition, as it was given; owned by the filter. */
const struct weir_json *weir_filter_definition(const struct weir_filter *f);
const char *weir_filter_name(const struct weir_filter *filter);
/* Same definition: values as weir_json_equal, absent lists as empty ones. */
bool weir_filter_equal(const struct weir_filter *a,
                       const struct weir_filter *b);

/* Appends one readable line: name, channel, the first conditions, group.
 * WEIR_OK, WEIR_NOMEM, or WEIR_LIMIT of the buffer. */
enum weir_code weir_filter_describe(const struct weir_filter *filter,
                                    struct weir_buf *buf);

/* The operator or rule type of a word, or -1. */
int weir_filter_operator(const char *word);
int weir_filter_rule_type(const char *word);
/* The words, NULL-terminated, in the order of the enums. */
const char *const *weir_filter_operators(void);
const char *const *weir_filter_rule_types(void);

/* The word of `candidates` (NULL-terminated) nearest to `word` by edit
 * distance, or NULL if none is near enough to suggest. */
const char *weir_nearest(const char *word, const char *const *candidates);

#endif
