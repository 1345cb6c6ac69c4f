/*
 * trail: the cursors of one listing, remembered in bounded memory.
 *
 * The first 4,096 are kept as hashes, so the usual mistakes (the same cursor
 * again, a listing that begins anew) show at once, however long the listing.
 * Beyond, Brent's algorithm keeps one cursor at a time: a listing that comes
 * to run in a circle of n pages is found within 3 n or, where it ran m pages
 * before, 3 m.  Two different cursors are taken for the same with a
 * probability of 4,096 / 2^64 a page: once in 4,000 years of 30,000 pages a
 * second.
 */
#ifndef WEIR_TRAIL_H
#define WEIR_TRAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir/err.h"

struct weir_trail {
    uint64_t seed;
    uint64_t *slots; /* open addressing; 0: empty */
    size_t n_slots, n;
    char *mark; /* Brent's tortoise */
    size_t mark_len;
    uint64_t steps, power;
};

void weir_trail_init(struct weir_trail *trail, uint64_t seed);
void weir_trail_fini(struct weir_trail *trail);
/* Remembers a cursor; `*seen` says whether it came before.  WEIR_OK,
 * WEIR_NOMEM. */
enum weir_code weir_trail_add(struct weir_trail *trail, const char *cursor,
                              size_t len, bool *seen);

#endif
