/*
 * Libcurl's memory.  What it writes requests into and reads answers from has
 * held tokens, so it is wiped before it goes back to malloc: a few dozen
 * small blocks a request.  (malloc_usable_size(3): the block's real size.)
 *
 * It is counted how often there was none to give: libcurl's own codes do not
 * tell a lack of memory from a header too long, an answer it cannot
 * decompress, or a URL it cannot read.
 */
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "loop_internal.h"

/* Libcurl's functions are told nothing but a size. */
static _Thread_local unsigned long refusals;

static void *noted(void *memory)
{
    if (!memory)
        refusals++;
    return memory;
}

unsigned long weir_curl_refusals(void)
{
    return refusals;
}

static void *get(size_t size)
{
    return noted(malloc(size));
}

/* calloc() of glibc before 2.41 passes by the blocks that were freed last,
 * and asks the arena for each. */
static void *get_zeroed(size_t n, size_t size)
{
    size_t bytes = n && size ? n * size : 1;
    void *memory = n && size > SIZE_MAX / n ? NULL : malloc(bytes);

    /* Of malloc() and memset() a compiler makes calloc() again. */
    if (memory)
        explicit_bzero(memory, bytes);
    return noted(memory);
}

static char *copy(const char *text)
{
    return noted(strdup(text));
}

static void wipe_and_free(void *memory)
{
    if (!memory)
        return;
    explicit_bzero(memory, malloc_usable_size(memory));
    free(memory);
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

CURLcode weir_curl_init(void)
{
    return curl_global_init_mem(CURL_GLOBAL_DEFAULT, get, wipe_and_free, move,
                                copy, get_zeroed);
}
