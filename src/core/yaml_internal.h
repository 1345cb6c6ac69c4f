/*
 * yaml_internal: a YAML text in memory, between libyaml and the sink.
 */
#ifndef WEIR_YAML_INTERNAL_H
#define WEIR_YAML_INTERNAL_H

#include <stdbool.h>

#include "weir/yaml.h"

/* ---- scalars (yaml_scalar.c) ---- */

enum weir_yaml_scalar {
    WEIR_YAML_STRING,
    WEIR_YAML_NULL,
    WEIR_YAML_FALSE,
    WEIR_YAML_TRUE,
    WEIR_YAML_NUMBER,
    WEIR_YAML_UNUSABLE /* .inf, .nan, hex or octal beyond 64 bits */
};

/* What a plain scalar is in the core schema of YAML 1.2, except that digits
 * with a leading zero are a string: 1.1 reads 0777 as octal, 1.2 does not. */
enum weir_yaml_scalar weir_yaml_resolve(const char *text, size_t len);
/* Appends the JSON text of a plain scalar that resolves to a number. */
enum weir_code weir_yaml_to_json_number(const char *text, size_t len,
                                        struct weir_buf *out);
/* Appends JSON number text as both YAML versions read it: 1.1 wants a point
 * and a signed exponent in a float. */
enum weir_code weir_yaml_from_json_number(const char *text, size_t len,
                                          struct weir_buf *out);
/* True if a plain scalar is this string to a reader of either version. */
bool weir_yaml_is_word(const char *text, size_t len);

/* What a reader of YAML 1.1 (https://yaml.org/type/) takes a plain scalar for,
 * where that is another thing; else NULL. */
const char *weir_yaml_in_11(const char *text, size_t len);

/* `options`, or NULL, with the defaults in it. */
struct weir_yaml_options
weir_yaml_defaults(const struct weir_yaml_options *options);

/* ---- a loaded document (yaml_load.c) ---- */

enum weir_yaml_kind {
    WEIR_YAML_SCALAR,
    WEIR_YAML_ARRAY,
    WEIR_YAML_OBJECT,
    WEIR_YAML_END,
    WEIR_YAML_ALIAS
};

struct weir_yaml_item {
    enum weir_yaml_kind kind;
    enum weir_yaml_scalar type;
    size_t line, column; /* from 1 */
    size_t text, len;    /* of a scalar, in the arena */
    size_t target;       /* of an alias: the index of what it stands for */
    bool plain;
    bool tagged; /* a scalar that says what it is */
};

struct weir_yaml_tree {
    struct weir_yaml_item *items;
    size_t count, cap;
    struct weir_buf arena;
};

/* Reads one document.  `options` has no zeros any more. */
enum weir_code weir_yaml_load(const char *text, size_t len,
                              const struct weir_yaml_options *options,
                              struct weir_yaml_tree *tree,
                              struct weir_err *err);
void weir_yaml_tree_fini(struct weir_yaml_tree *tree);

/* "line 3, column 5: " and a message of printf form. */
enum weir_code weir_yaml_fail(struct weir_err *err, enum weir_code code,
                              size_t line, size_t column, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

#endif
