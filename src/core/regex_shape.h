/*
 * shape: what the parts of a pattern can match, as far as it shows how wide
 * a group is and whether two repeats can fight over the same text.
 */
#ifndef WEIR_REGEX_SHAPE_H
#define WEIR_REGEX_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHAPE_UNBOUNDED SIZE_MAX

/* Characters: ASCII one by one, all others as one. */
struct shape_set {
    uint64_t low, high; /* 0 to 63, 64 to 127 */
    bool others;
};
void shape_add(struct shape_set *set, uint32_t from, uint32_t to);
void shape_union(struct shape_set *set, const struct shape_set *more);
void shape_invert(struct shape_set *set);
void shape_both_cases(struct shape_set *set);
bool shape_overlap(const struct shape_set *a, const struct shape_set *b);
/* d w s D W S, or '.' (all but a newline). */
struct shape_set shape_class(char letter);

/* One part of a sequence: a character, a class, a group; with its repeat. */
struct shape_item {
    size_t offset;          /* where it stands in the pattern */
    size_t min, max;        /* characters */
    struct shape_set first; /* what it can begin with */
    struct shape_set tail;  /* what a long repeat at its end can go on with */
    bool captures;          /* a capture, or one inside */
    bool assertion;         /* ^ $ \b and the like: cannot be repeated */
    bool any;               /* a dot */
    bool repeated;
};

/* A sequence with its alternatives: a group, or the whole pattern. */
struct shape {
    size_t min, max;         /* of the alternatives that have ended */
    size_t run_min, run_max; /* of the current one */
    size_t branches;         /* ended */
    struct shape_set first, tail, run_tail;
    bool mandatory; /* the current one has a part that cannot be empty */
    bool started;   /* it has a part */
    bool captures;
};

/* Why a repeat can be slow. */
enum shape_slow {
    SHAPE_FAST,
    SHAPE_NESTED,   /* a repeat of a repeat, over the same text */
    SHAPE_ADJACENT, /* two repeats in a row, over the same text */
    SHAPE_LEADING   /* a search that begins with .* */
};

/* Repeats `item`. */
enum shape_slow shape_repeat(struct shape_item *item, size_t min, size_t max);
/* Puts `item` at the end of the current alternative. */
enum shape_slow shape_append(struct shape *shape,
                             const struct shape_item *item);
/* Ends the current alternative. */
void shape_alternative(struct shape *shape);
/* The whole as one item, after its last alternative was ended. */
struct shape_item shape_item(const struct shape *shape, size_t offset);

#endif
