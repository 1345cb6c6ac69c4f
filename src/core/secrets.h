/*
 * secrets: the texts that must appear in no output, as a sorted array that is
 * walked byte by byte like a tree.
 */
#ifndef WEIR_SECRETS_H
#define WEIR_SECRETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir/err.h"

/* Shorter ones would hide ordinary text. */
#define WEIR_SECRET_MIN  ((size_t)4)
#define WEIR_SECRETS_MAX ((size_t)4096)

struct weir_secret {
    unsigned char *text;
    size_t len;
    uint64_t told; /* when it was last told of: the lowest is forgotten */
};

struct weir_secrets {
    struct weir_secret *list; /* by bytes; a prefix before what it begins */
    size_t n, cap;
    uint64_t clock;
    uint64_t added;    /* how many there have ever been */
    size_t first[257]; /* list[first[b]] is the first that begins with b */
};

void weir_secrets_fini(struct weir_secrets *secrets);
/* WEIR_OK, also when it is known; WEIR_INVALID (too short), WEIR_NOMEM. */
enum weir_code weir_secrets_add(struct weir_secrets *secrets, const char *text,
                                size_t len, struct weir_err *err);

/* The secrets list[low] … list[high - 1], which have their first `depth`
 * bytes in common. */
struct weir_secrets_range {
    size_t low, high, depth;
};
struct weir_secrets_range weir_secrets_all(const struct weir_secrets *secrets);
/* Those of `range` that go on with `byte`. */
struct weir_secrets_range
weir_secrets_narrow(const struct weir_secrets *secrets,
                    struct weir_secrets_range range, unsigned char byte);
static inline bool weir_secrets_none(struct weir_secrets_range range)
{
    return range.low == range.high;
}
/* True if a secret ends here: the common bytes are all of it. */
static inline bool weir_secrets_ends(const struct weir_secrets *secrets,
                                     struct weir_secrets_range range)
{
    return range.low < range.high &&
           secrets->list[range.low].len == range.depth;
}

#endif
