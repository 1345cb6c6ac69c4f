/*
 * Three documents side by side: what the merge walks along.
 *
 * A row has what the three sides hold under one name (members of objects) or
 * one identity (elements of lists).
 */
#ifndef WEIR_MERGE_INTERNAL_H
#define WEIR_MERGE_INTERNAL_H

#include "weir/etag.h"

enum merge_side { BASE, MINE, THEIRS, SIDES };

struct merge_row {
    const struct weir_json *at[SIDES]; /* NULL: absent on that side */
    size_t place[SIDES];               /* among its siblings, where present */
};

struct merge_rows {
    struct merge_row *row; /* free() it */
    size_t n;
    size_t n_base; /* rows of a list that base has; they come first */
};

/* Rows of three objects (NULL: no members), in the byte order of the keys.
 * WEIR_OK, WEIR_NOMEM. */
enum weir_code weir_merge_members(const struct weir_json *const sides[SIDES],
                                  struct merge_rows *out);

/* Rows of three arrays (NULL: empty): base's elements in their order, then
 * what theirs added, then what mine added.  WEIR_OK, WEIR_NOMEM, or
 * WEIR_INVALID when the elements have no obvious identity. */
enum weir_code weir_merge_elements(const struct weir_json *const sides[SIDES],
                                   const struct weir_etag_list *list,
                                   struct merge_rows *out);

/* The order in which the rows of a list belong into the merged one, rows
 * that one side removed included: `*first` is a row's index, next[i] the one
 * after row i, rows->n ends it.  free() next.  WEIR_OK, WEIR_NOMEM. */
enum weir_code weir_merge_order(const struct merge_rows *rows, size_t *first,
                                size_t **next);

/* The rule for the top-level member of that name, or NULL. */
const struct weir_etag_list *
weir_merge_list(const struct weir_etag_rules *rules, const char *key,
                size_t len);
bool weir_merge_is_server_field(const struct weir_etag_rules *rules,
                                const char *key, size_t len);

/* Says whether two states are the same but for what the server owns.  WEIR_OK,
 * WEIR_NOMEM. */
enum weir_code weir_etag_same(const struct weir_etag_rules *rules,
                              const struct weir_json *one,
                              const struct weir_json *other, bool *same);
/* Writes a state without the server's fields into the body of a PUT, emptied
 * before; keys in byte order. */
enum weir_code weir_etag_write(const struct weir_etag_rules *rules,
                               const struct weir_json *state,
                               struct weir_buf *body, struct weir_err *err);

#endif
