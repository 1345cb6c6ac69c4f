/* The parts of changes: what its files share. */
#ifndef WEIR_CHANGES_INTERNAL_H
#define WEIR_CHANGES_INTERNAL_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "weir/buf.h"
#include "weir/changes.h"

#define CHUNK ((size_t)64 * 1024)

/* Bytes are never moved or changed once `len` counts them. */
struct chunk {
    _Atomic(struct chunk *) next;
    atomic_size_t len;
    char text[CHUNK];
};

struct weir_changes {
    const struct weir_clock *clock;
    const struct weir_log *log;
    _Atomic(struct chunk *) first;
    struct chunk *last;
    size_t size; /* of all text */
    struct weir_buf line;
    int64_t second; /* that `when` is of */
    char when[32];
    atomic_ulong of[WEIR_CHANGE_OUTCOMES];
    atomic_ulong more, under_way;
    struct weir_changes_door door; /* no permissions: it stands open */
};

#endif
