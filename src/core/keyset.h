/*
 * keyset: which keys were seen in each open object, so that none comes twice.
 *
 * Keys of all open objects lie in one stack.  A small object is compared key
 * by key as they come; a large one is sorted once, when it ends, so that a
 * hostile object of a million keys costs n log n and no hash can be flooded.
 */
#ifndef WEIR_KEYSET_H
#define WEIR_KEYSET_H

#include <stdbool.h>
#include <stddef.h>

#include "weir/buf.h"

struct weir_keyset_entry {
    size_t text; /* offset in the arena */
    size_t len;
    size_t at; /* where the source found it */
};

/* Entries that need no memory of their own. */
#define WEIR_KEYSET_FEW 32

/* Points into itself: not to be copied. */
struct weir_keyset {
    struct weir_buf arena;
    struct weir_keyset_entry *entries; /* `few`, or what was allocated */
    size_t count, cap;
    size_t first[129]; /* of each open object: its first entry */
    unsigned depth;    /* at most WEIR_VALUE_MAX_DEPTH */
    struct weir_keyset_entry few[WEIR_KEYSET_FEW];
};

void weir_keyset_init(struct weir_keyset *set);
void weir_keyset_fini(struct weir_keyset *set);

void weir_keyset_open(struct weir_keyset *set);
/* WEIR_OK, WEIR_NOMEM, or WEIR_CONFLICT if the innermost object has this key
 * already (found at once in small objects only). */
enum weir_code weir_keyset_add(struct weir_keyset *set, const char *key,
                               size_t len, size_t at);
/* Ends the innermost object.  WEIR_CONFLICT if a key came twice: its second
 * place goes to `at` and its text, valid until the next call, to the rest. */
enum weir_code weir_keyset_close(struct weir_keyset *set, size_t *at,
                                 const char **key, size_t *len);

#endif
