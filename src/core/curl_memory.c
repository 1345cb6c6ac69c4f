/*
 * Libcurl's memory.  What it writes requests into and reads answers from has
 * held tokens, so it is wiped before it goes back to malloc: a few dozen
 * small blocks a request.  (malloc_usable_size(3): the block's real size.)
 */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "loop_internal.h"

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
    moved = malloc(size);
    if (!moved || !memory)
        return moved;
    memcpy(moved, memory, had < size ? had : size);
    wipe_and_free(memory);
    return moved;
}

CURLcode weir_curl_init(void)
{
    return curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, wipe_and_free,
                                move, strdup, calloc);
}
