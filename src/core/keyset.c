#include "keyset.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "weir/value.h"

/* Up to here comparing with every earlier key is cheaper than sorting. */
#define SMALL 16

_Static_assert(sizeof(((struct weir_keyset *)0)->first) / sizeof(size_t) ==
                   WEIR_VALUE_MAX_DEPTH + 1,
               "one slot for every level of nesting");

void weir_keyset_init(struct weir_keyset *set)
{
    weir_buf_init(&set->arena, SIZE_MAX);
    set->entries = set->few;
    set->cap = WEIR_KEYSET_FEW;
    set->count = 0;
    set->depth = 0;
}

void weir_keyset_fini(struct weir_keyset *set)
{
    weir_buf_fini(&set->arena);
    if (set->entries != set->few)
        free(set->entries);
    set->entries = NULL;
}

void weir_keyset_open(struct weir_keyset *set)
{
    set->first[set->depth++] = set->count;
}

static inline const char *text_of(const struct weir_keyset *set,
                                  const struct weir_keyset_entry *entry)
{
    return weir_buf_str(&set->arena) + entry->text;
}

static bool seen(const struct weir_keyset *set, const char *key, size_t len)
{
    for (size_t i = set->first[set->depth - 1]; i < set->count; i++) {
        const struct weir_keyset_entry *entry = &set->entries[i];
        const char *text = text_of(set, entry);

        /* Keys of one length mostly differ in their first byte already. */
        if (entry->len == len &&
            (len == 0 || (text[0] == key[0] && memcmp(text, key, len) == 0)))
            return true;
    }
    return false;
}

static bool grow(struct weir_keyset *set)
{
    size_t cap = set->cap * 2;
    bool first = set->entries == set->few;
    struct weir_keyset_entry *entries =
        reallocarray(first ? NULL : set->entries, cap, sizeof(*entries));

    if (!entries)
        return false;
    if (first)
        memcpy(entries, set->few, sizeof(set->few));
    set->entries = entries;
    set->cap = cap;
    return true;
}

enum weir_code weir_keyset_add(struct weir_keyset *set, const char *key,
                               size_t len, size_t at)
{
    size_t members = set->count - set->first[set->depth - 1];
    struct weir_keyset_entry entry = {set->arena.len, len, at};

    if (members < SMALL && seen(set, key, len))
        return WEIR_CONFLICT;
    if (set->count == set->cap && !grow(set))
        return WEIR_NOMEM;
    if (weir_buf_add(&set->arena, key, len))
        return WEIR_NOMEM;
    set->entries[set->count++] = entry;
    return WEIR_OK;
}

/* By length first: only whether two are equal matters.  Equal keys in the
 * order of their places, so that the repetition is what gets reported. */
static int by_key(const void *a, const void *b, void *arena)
{
    const struct weir_keyset_entry *x = a, *y = b;
    const char *text = arena;
    int order;

    if (x->len != y->len)
        return x->len < y->len ? -1 : 1;
    order = memcmp(text + x->text, text + y->text, x->len);
    if (order == 0)
        order = x->at < y->at ? -1 : 1;
    return order;
}

/* The repeated key that comes first in the text, or NULL. */
static const struct weir_keyset_entry *
repeated(struct weir_keyset *set, struct weir_keyset_entry *entries, size_t n)
{
    const struct weir_keyset_entry *found = NULL;
    char *arena = set->arena.data;

    qsort_r(entries, n, sizeof(*entries), by_key, arena);
    for (size_t i = 1; i < n; i++) {
        const struct weir_keyset_entry *a = &entries[i - 1], *b = &entries[i];

        if (a->len == b->len &&
            memcmp(arena + a->text, arena + b->text, a->len) == 0 &&
            (!found || b->at < found->at))
            found = b;
    }
    return found;
}

enum weir_code weir_keyset_close(struct weir_keyset *set, size_t *at,
                                 const char **key, size_t *len)
{
    size_t first = set->first[--set->depth], members = set->count - first;
    const struct weir_keyset_entry *found;

    if (members > SMALL) {
        /* Sorting moves the object's first key from its place. */
        size_t arena_start = set->entries[first].text;

        found = repeated(set, set->entries + first, members);
        if (found) {
            *at = found->at;
            *key = text_of(set, found);
            *len = found->len;
            return WEIR_CONFLICT;
        }
        set->arena.len = arena_start;
    } else if (members > 0) {
        set->arena.len = set->entries[first].text;
    }
    set->count = first;
    return WEIR_OK;
}
