/* json: the memory of a document whose nodes come and go together. */
#include <stdalign.h>
#include <stddef.h>
#include <stdlib.h>

#include "json_internal.h"

/* The first piece is of a size that malloc keeps at hand, below the one (1 KiB)
 * from which on it first joins all small pieces it has; later ones double, up
 * to a size of which the last one wastes little. */
#define FIRST_PIECE ((size_t)992)
#define LAST_PIECE  ((size_t)64 << 10)

struct weir_json_arena {
    struct weir_json_arena *next; /* the piece after this one */
    struct weir_json_arena *last; /* of the first piece: where there is room */
    size_t used, size;
    max_align_t bytes[];
};

static struct weir_json_arena *new_piece(size_t size)
{
    struct weir_json_arena *piece = malloc(sizeof(*piece) + size);

    if (piece) {
        piece->next = NULL;
        piece->last = piece;
        piece->used = 0;
        piece->size = size;
    }
    return piece;
}

static struct weir_json_arena *add_piece(struct weir_json_arena *first,
                                         size_t need)
{
    size_t size = 2 * first->last->size;
    struct weir_json_arena *piece;

    if (size > LAST_PIECE)
        size = LAST_PIECE;
    piece = new_piece(size > need ? size : need);
    if (piece) {
        first->last->next = piece;
        first->last = piece;
    }
    return piece;
}

void *weir_json_arena_take(struct weir_json_arena **arena, size_t size)
{
    const size_t align = alignof(max_align_t);
    const size_t first = FIRST_PIECE - sizeof(struct weir_json_arena);
    struct weir_json_arena *piece;
    void *memory;

    size = (size + align - 1) / align * align;
    if (!*arena)
        *arena = new_piece(size > first ? size : first);
    piece = *arena ? (*arena)->last : NULL;
    if (piece && size > piece->size - piece->used)
        piece = add_piece(*arena, size);
    if (!piece)
        return NULL;
    memory = (char *)piece->bytes + piece->used;
    piece->used += size;
    return memory;
}

void weir_json_arena_free(void *first_taken)
{
    struct weir_json_arena *piece =
        (void *)((char *)first_taken - offsetof(struct weir_json_arena, bytes));

    while (piece) {
        struct weir_json_arena *next = piece->next;

        free(piece);
        piece = next;
    }
}
