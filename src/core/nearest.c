/* nearest: what a mistyped word was probably meant to be. */
#include <stdint.h>
#include <string.h>

#include "weir/filter.h"

/* Longer words are no typing mistake of ours; this bounds the rows. */
#define MAX_WORD 64

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* Insertions, deletions, replacements, and neighbours swapped, each for 1
 * (optimal string alignment); a letter's case is not looked at. */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t rows[3][MAX_WORD + 1];
    size_t *before = rows[0], *last = rows[1], *row = rows[2];

    for (size_t j = 0; j <= b_len; j++)
        last[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t *oldest = before;

        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t change = lower(a[i - 1]) != lower(b[j - 1]);

            row[j] =
                least(least(last[j], row[j - 1]) + 1, last[j - 1] + change);
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                lower(a[i - 2]) == lower(b[j - 1]))
                row[j] = least(row[j], before[j - 2] + 1);
        }
        before = last;
        last = row;
        row = oldest;
    }
    return last[b_len];
}

const char *weir_nearest(const char *word, const char *const *candidates)
{
    size_t len = strlen(word), best = SIZE_MAX;
    const char *found = NULL;

    if (len == 0 || len > MAX_WORD)
        return NULL;
    for (; *candidates; candidates++) {
        size_t their_len = strlen(*candidates), d, allowed;

        if (their_len > MAX_WORD)
            continue;
        d = distance(word, len, *candidates, their_len);
        /* A third of the letters may be wrong: of "id", none. */
        allowed = (len > their_len ? len : their_len) / 3;
        if (d <= allowed && d < best) {
            best = d;
            found = *candidates;
        }
    }
    return found;
}
