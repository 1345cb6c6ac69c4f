/*
 * Libcurl's memory.  What it writes requests into and reads answers from has
 * held tokens, so it is wiped before it is given back: a few dozen small
 * blocks a request.  Most are asked for again with the next request, so they
 * are kept, wiped, in lists of one size each: taking one from there is a tenth
 * of what malloc() costs once many requests under way have emptied its own.
 * (malloc_usable_size(3): a block's real size.)
 *
 * A list belongs to a thread that has a loop; libcurl's threads that look up
 * names have none, and go to malloc().  A sanitizer sees every block, since
 * what is kept looks used to it.
 *
 * It is counted how often there was none to give: libcurl's own codes do not
 * tell a lack of memory from a header too long, an answer it cannot
 * decompress, or a URL it cannot read.
 */
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "loop_internal.h"

#ifdef WEIR_SANITIZED_MALLOC
#define KEEPS false
#else
#define KEEPS true
#endif

/* Lists are for blocks of 24, 40, 56 … 1032 bytes, which are malloc's own
 * sizes, then for four sizes to each doubling up to 32 KiB and 8 bytes; larger
 * ones are not kept.  A block is at least as large as its list says; how large
 * it is, malloc knows: so what others allocated may be freed here. */
#define STEP     ((size_t)16)
#define SMALL    ((size_t)1024)
#define LARGEST  ((size_t)32 * 1024)
#define OVER     ((size_t)8) /* that malloc gives beyond a multiple of 16 */
#define N_SMALL  (SMALL / STEP)
#define N_LISTS  (N_SMALL + (size_t)4 * 5)
#define KEPT_MAX ((size_t)2 << 20) /* bytes in all lists of a thread */

struct kept {
    struct kept *next; /* in the block itself; the rest of it is zeros */
    size_t size;
};

struct pool {
    struct kept *lists[N_LISTS];
    size_t bytes;
};

static _Thread_local struct pool pool;
static _Thread_local unsigned loops;
static _Thread_local size_t kept_max = KEPT_MAX;

/* Libcurl's functions are told nothing but a size. */
static _Thread_local unsigned long refusals;

unsigned long weir_curl_refusals(void)
{
    return refusals;
}

/* The list of the smallest blocks that hold `*size` bytes, which becomes what
 * to ask malloc for; N_LISTS for none. */
static size_t list_for(size_t *size)
{
    size_t over = *size > STEP + OVER ? *size - OVER : STEP;
    size_t half = SMALL, quarter, list = N_SMALL, n;

    if (!KEEPS || over > LARGEST)
        return N_LISTS;
    if (over <= SMALL) {
        n = (over + STEP - 1) / STEP;
        *size = n * STEP + OVER;
        return n - 1;
    }
    for (; over > 2 * half; half *= 2)
        list += 4;
    quarter = half / 4;
    n = (over - half + quarter - 1) / quarter;
    *size = half + n * quarter + OVER;
    return list + n - 1;
}

/* The list that a block of `size` bytes can serve; N_LISTS for none. */
static size_t list_of(size_t size)
{
    size_t over = size - OVER, half = SMALL, list = N_SMALL;

    if (!KEEPS || size < STEP + OVER || over > LARGEST)
        return N_LISTS;
    if (over <= SMALL)
        return over / STEP - 1;
    for (; over > 2 * half; half *= 2)
        list += 4;
    return list + (over - half) / (half / 4) - 1;
}

/* A block from the list, all zeros, or NULL. */
static void *take_kept(size_t list)
{
    struct kept *kept = list < N_LISTS ? pool.lists[list] : NULL;

    if (!kept)
        return NULL;
    pool.lists[list] = kept->next;
    pool.bytes -= kept->size;
    kept->next = NULL;
    kept->size = 0;
    return kept;
}

static void *noted(void *memory)
{
    if (!memory)
        refusals++;
    return memory;
}

static void *get(size_t size)
{
    void *memory = take_kept(list_for(&size));

    return memory ? memory : noted(malloc(size));
}

/* calloc() of glibc before 2.41 passes by the blocks that were freed last,
 * and asks the arena for each. */
static void *get_zeroed(size_t n, size_t one)
{
    size_t size = n * one;
    void *memory;

    if (one && n > SIZE_MAX / one)
        return noted(NULL);
    memory = take_kept(list_for(&size));
    if (memory)
        return memory;
    memory = noted(malloc(size ? size : 1));
    /* Of malloc() and memset() a compiler makes calloc() again. */
    if (memory)
        explicit_bzero(memory, size);
    return memory;
}

static char *copy(const char *text)
{
    size_t len = strlen(text) + 1;
    char *memory = get(len);

    if (memory)
        memcpy(memory, text, len);
    return memory;
}

static void wipe_and_free(void *memory)
{
    struct kept *kept = memory;
    size_t size, list;

    if (!memory)
        return;
    size = malloc_usable_size(memory);
    explicit_bzero(memory, size);
    list = loops > 0 ? list_of(size) : N_LISTS;
    if (list == N_LISTS || pool.bytes + size > kept_max) {
        free(memory);
        return;
    }
    kept->next = pool.lists[list];
    kept->size = size;
    pool.lists[list] = kept;
    pool.bytes += size;
}

/* realloc() might move the bytes and leave them where they were, too. */
static void *move(void *memory, size_t size)
{
    size_t had = memory ? malloc_usable_size(memory) : 0;
    void *moved;

    if (memory && size <= had && size > had / 2)
        return memory;
    moved = get(size);
    if (!moved || !memory)
        return moved;
    memcpy(moved, memory, had < size ? had : size);
    wipe_and_free(memory);
    return moved;
}

static void free_kept(void)
{
    for (size_t list = 0; list < N_LISTS; list++) {
        struct kept *kept = pool.lists[list], *next;

        for (; kept; kept = next) {
            next = kept->next;
            free(kept);
        }
        pool.lists[list] = NULL;
    }
    pool.bytes = 0;
}

void weir_curl_keep(size_t bytes)
{
    kept_max = bytes;
}

CURLcode weir_curl_init(void)
{
    CURLcode code = curl_global_init_mem(CURL_GLOBAL_DEFAULT, get,
                                         wipe_and_free, move, copy, get_zeroed);

    if (code == CURLE_OK)
        loops++;
    return code;
}

void weir_curl_end(void)
{
    curl_global_cleanup();
    if (loops > 0 && --loops == 0)
        free_kept();
}
