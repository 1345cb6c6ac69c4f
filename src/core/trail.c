#include "trail.h"

#include <stdlib.h>
#include <string.h>

#define MOST_HASHES 4096

void weir_trail_init(struct weir_trail *trail, uint64_t seed)
{
    *trail = (struct weir_trail){.seed = seed, .power = 1};
}

void weir_trail_fini(struct weir_trail *trail)
{
    free(trail->slots);
    free(trail->mark);
    weir_trail_init(trail, trail->seed);
}

/* FNV-1a from a random start (http://www.isthe.com/chongo/tech/comp/fnv/),
 * finished as splitmix64 does, so that all bits depend on all. */
static uint64_t hash(const struct weir_trail *trail, const char *text,
                     size_t len)
{
    uint64_t h = 0xCBF29CE484222325u ^ trail->seed;

    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)text[i]) * 0x100000001B3u;
    h = (h ^ (h >> 30)) * 0xBF58476D1CE4E5B9u;
    h = (h ^ (h >> 27)) * 0x94D049BB133111EBu;
    h ^= h >> 31;
    return h ? h : 1;
}

/* The slot that holds `h`, or the empty one where it would go. */
static uint64_t *find(uint64_t *slots, size_t n_slots, uint64_t h)
{
    size_t i = h & (n_slots - 1);

    while (slots[i] && slots[i] != h)
        i = (i + 1) & (n_slots - 1);
    return &slots[i];
}

/* Keeps the table at most half full. */
static enum weir_code grow(struct weir_trail *trail)
{
    size_t n_slots = trail->n_slots ? trail->n_slots * 2 : 16;
    uint64_t *slots;

    if (trail->n * 2 < trail->n_slots)
        return WEIR_OK;
    slots = calloc(n_slots, sizeof(*slots));
    if (!slots)
        return WEIR_NOMEM;
    for (size_t i = 0; i < trail->n_slots; i++) {
        if (trail->slots[i])
            *find(slots, n_slots, trail->slots[i]) = trail->slots[i];
    }
    free(trail->slots);
    trail->slots = slots;
    trail->n_slots = n_slots;
    return WEIR_OK;
}

/* R. P. Brent, An improved Monte Carlo factorization algorithm, BIT 20
 * (1980), section 2: the mark is set anew after 1, 2, 4, … steps. */
static enum weir_code step(struct weir_trail *trail, const char *cursor,
                           size_t len, bool *seen)
{
    char *mark;

    if (trail->mark && trail->mark_len == len &&
        memcmp(trail->mark, cursor, len) == 0) {
        *seen = true;
        return WEIR_OK;
    }
    *seen = false;
    if (trail->mark && ++trail->steps < trail->power)
        return WEIR_OK;
    mark = realloc(trail->mark, len + 1);
    if (!mark)
        return WEIR_NOMEM;
    memcpy(mark, cursor, len);
    trail->mark = mark;
    trail->mark_len = len;
    trail->steps = 0;
    trail->power *= 2;
    return WEIR_OK;
}

enum weir_code weir_trail_add(struct weir_trail *trail, const char *cursor,
                              size_t len, bool *seen)
{
    uint64_t h = hash(trail, cursor, len);
    uint64_t *slot;

    if (trail->n < MOST_HASHES && grow(trail))
        return WEIR_NOMEM;
    slot = find(trail->slots, trail->n_slots, h);
    if (*slot) {
        *seen = true;
        return WEIR_OK;
    }
    if (trail->n >= MOST_HASHES)
        return step(trail, cursor, len, seen);
    *slot = h;
    trail->n++;
    *seen = false;
    return WEIR_OK;
}
