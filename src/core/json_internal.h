/* What json.c tells the rest of the core, and nobody else. */
#ifndef WEIR_JSON_INTERNAL_H
#define WEIR_JSON_INTERNAL_H

#include <stdint.h>
#include <string.h>

#include "weir/json.h"

/* cJSON's version; only one file of the core includes cJSON.h. */
const char *weir_json_library_version(void);

/* Of the eight bytes at `p`, marks (0x80) the first that is other than plain: a
 * control character, a quote, a backslash, or beyond ASCII.  (x - n·01…) & ~x &
 * 80… marks every byte below n; above the first it may mark others, too. */
static inline uint64_t weir_json_not_plain(const char *p)
{
    const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
    uint64_t x, quote, backslash;

    memcpy(&x, p, sizeof(x));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap64(x);
#endif
    quote = x ^ ones * '"';
    backslash = x ^ ones * '\\';
    return ((x | (x - ones * 0x20)) & tops) | ((quote - ones) & ~quote & tops) |
           ((backslash - ones) & ~backslash & tops);
}

/* The first byte from `p` on that does not stand for itself in a string, or
 * that is beyond ASCII; `end` if there is none. */
static inline const char *weir_json_plain_run(const char *p, const char *end)
{
    const char *start = p;
    uint64_t odd;

    for (; end - p >= 8; p += 8) {
        odd = weir_json_not_plain(p);
        if (odd)
            return p + __builtin_ctzll(odd) / 8;
    }
    if (p == end)
        return end;
    if (p > start) {
        /* The last eight, some of which are known to be plain. */
        odd = weir_json_not_plain(end - 8);
        return odd ? end - 8 + __builtin_ctzll(odd) / 8 : end;
    }
    while (p < end && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x80 &&
           *p != '"' && *p != '\\')
        p++;
    return p;
}

/* Memory in few pieces, given back as a whole (json_arena.c).  `*arena` begins
 * as NULL; whoever has the memory that was taken first has all of it.  NULL
 * without memory. */
struct weir_json_arena;
void *weir_json_arena_take(struct weir_json_arena **arena, size_t size);
void weir_json_arena_free(void *first_taken);

/* A value to be made: `text` is a string's or a number's, `key` counts where
 * the parent is an object. */
struct weir_json_seed {
    enum weir_json_type type;
    bool truth;
    const char *text;
    size_t len;
    const char *key;
    size_t key_len;
    struct weir_json_arena **arena; /* of the whole document, or NULL */
};
/* Makes it as the last child of `parent`, an array or object, or without one
 * (NULL).  Does not look whether there is a member of that name.  WEIR_OK,
 * WEIR_NOMEM, WEIR_LIMIT for the key; `*out` stays the parent's. */
enum weir_code weir_json_grow(struct weir_json *parent,
                              const struct weir_json_seed *seed,
                              struct weir_json **out);

/* Of members with one name, keeps the last. */
enum weir_code weir_json_drop_repeated(struct weir_json *object);

/* The members of an object in the byte order of their keys: in `room` if
 * there are no more than `room_len`, else in memory to be freed.  NULL when
 * memory is out. */
const struct weir_json **weir_json_sorted(const struct weir_json *object,
                                          const struct weir_json **room,
                                          size_t room_len);

/* Byte order of keys. */
int weir_json_key_order(const char *a, size_t a_len, const char *b,
                        size_t b_len);

#endif
