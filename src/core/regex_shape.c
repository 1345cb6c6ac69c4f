#include "regex_shape.h"

#include <ctype.h>

/* A repeat this long is as slow as one without an end. */
#define LONG_REPEAT 100

void shape_add(struct shape_set *set, uint32_t from, uint32_t to)
{
    for (uint32_t c = from; c <= to && c < 128; c++) {
        if (c < 64)
            set->low |= UINT64_C(1) << c;
        else
            set->high |= UINT64_C(1) << (c - 64);
    }
    if (to >= 128)
        set->others = true;
}

void shape_union(struct shape_set *set, const struct shape_set *more)
{
    set->low |= more->low;
    set->high |= more->high;
    set->others |= more->others;
}

/* What stands for "all others" stays on both sides: a class rarely holds
 * every one of them. */
void shape_invert(struct shape_set *set)
{
    set->low = ~set->low;
    set->high = ~set->high;
    set->others = true;
}

/* A-Z and a-z are 32 apart in the upper half. */
void shape_both_cases(struct shape_set *set)
{
    uint64_t upper = set->high & UINT64_C(0x07fffffe);
    uint64_t lower = set->high >> 32 & UINT64_C(0x07fffffe);

    set->high |= upper << 32 | lower;
}

bool shape_overlap(const struct shape_set *a, const struct shape_set *b)
{
    return (a->low & b->low) || (a->high & b->high) || (a->others && b->others);
}

struct shape_set shape_class(char letter)
{
    struct shape_set set = {0};

    switch (letter) {
    case 'd':
    case 'D': shape_add(&set, '0', '9'); break;
    case 'w':
    case 'W':
        shape_add(&set, '0', '9');
        shape_add(&set, 'A', 'Z');
        shape_add(&set, 'a', 'z');
        shape_add(&set, '_', '_');
        shape_add(&set, 128, 128);
        break;
    case 's':
    case 'S':
        shape_add(&set, '\t', '\r');
        shape_add(&set, ' ', ' ');
        break;
    default: shape_add(&set, '\n', '\n'); break;
    }
    if (letter == '.' || isupper((unsigned char)letter))
        shape_invert(&set);
    return set;
}

static size_t add(size_t a, size_t b)
{
    return a > SHAPE_UNBOUNDED - b ? SHAPE_UNBOUNDED : a + b;
}

static size_t multiply(size_t a, size_t b)
{
    if (a == 0 || b == 0)
        return 0;
    return a > SHAPE_UNBOUNDED / b ? SHAPE_UNBOUNDED : a * b;
}

enum shape_slow shape_repeat(struct shape_item *item, size_t min, size_t max)
{
    bool is_long = max - min >= LONG_REPEAT;
    bool nested = is_long && shape_overlap(&item->tail, &item->first);

    /* A single character's or class's repeat goes on with what it began
     * with; a group's, with what the repeat at its end goes on with. */
    if (is_long && item->max == 1)
        item->tail = item->first;
    item->min = multiply(item->min, min);
    item->max = multiply(item->max, max);
    item->repeated = true;
    return nested ? SHAPE_NESTED : SHAPE_FAST;
}

static bool has_any(const struct shape_set *set)
{
    return set->low || set->high || set->others;
}

enum shape_slow shape_append(struct shape *shape, const struct shape_item *item)
{
    enum shape_slow slow = SHAPE_FAST;
    bool is_long = item->max - item->min >= LONG_REPEAT;

    if (is_long && has_any(&item->tail) &&
        shape_overlap(&shape->run_tail, &item->first))
        slow = SHAPE_ADJACENT;
    else if (is_long && item->any && !shape->started)
        slow = SHAPE_LEADING;
    shape->started = true;
    if (!shape->mandatory)
        shape_union(&shape->first, &item->first);
    if (item->min > 0) {
        shape->mandatory = true;
        shape->run_tail = item->tail;
    } else {
        shape_union(&shape->run_tail, &item->tail);
    }
    shape->run_min = add(shape->run_min, item->min);
    shape->run_max = add(shape->run_max, item->max);
    shape->captures |= item->captures;
    return slow;
}

void shape_alternative(struct shape *shape)
{
    if (shape->branches == 0 || shape->run_min < shape->min)
        shape->min = shape->run_min;
    if (shape->branches == 0 || shape->run_max > shape->max)
        shape->max = shape->run_max;
    shape_union(&shape->tail, &shape->run_tail);
    shape->branches++;
    shape->run_min = shape->run_max = 0;
    shape->run_tail = (struct shape_set){0};
    shape->mandatory = shape->started = false;
}

struct shape_item shape_item(const struct shape *shape, size_t offset)
{
    return (struct shape_item){.offset = offset,
                               .min = shape->min,
                               .max = shape->max,
                               .first = shape->first,
                               .tail = shape->tail,
                               .captures = shape->captures};
}
