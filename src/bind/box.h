/*
 * box: what those who wait need to see of boxes, and of those with an op.
 */
#ifndef WEIR_BIND_BOX_H
#define WEIR_BIND_BOX_H

#include <stdbool.h>

#include "bind.h"
#include "weir/op.h"

struct bind_task;

/* One registration for a wake: of this task, for this wait of it.  A wake
 * whose generation has passed is stale and dropped. */
struct bind_waiter {
    struct bind_task *task;
    uint64_t generation;
};

/* The op comes first: what bind_op() hands out points to it. */
struct op_box {
    struct weir_op *op;
    struct bind_waiter waiter;
    bind_results_fn *results;
    bool goes_on; /* it will be waited for again */
};

/* The memory of the box at `index` if it is open and closed by `fini`: how
 * one kind of box is told from another. */
void *bind_box_memory_of(lua_State *L, int index, void (*fini)(void *memory));
/* The memory of the box at `index` if it was made by bind_op() and is open,
 * or NULL. */
struct op_box *bind_op_box(lua_State *L, int index);

#endif
