/*
 * state: the simulator's memory in one file, an SQLite database.
 *
 * What is kept are items: a kind, a key within it, and a text (JSON, to those
 * who write it).  All changes of one request are one transaction, which has
 * reached the disk when state_commit returns (WAL, synchronous=FULL): neither
 * kill -9 nor a power cut takes it back.
 *
 * The file belongs to one process for as long as it is open: the lock is
 * SQLite's own, ends with the process however that ends, and names it.  (It
 * is a lock of POSIX: within one process a file must not be opened twice.)
 */
#ifndef WEIR_SIM_STATE_H
#define WEIR_SIM_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir/err.h"

struct state;

struct state_key {
    const char *text; /* NULL: the key is the number */
    size_t len;
    int64_t number;
};

/* Opens the file, or makes it.  WEIR_LOCKED, naming the holder; WEIR_IO for a
 * file that cannot be read or written, is damaged, no state file, or one of a
 * newer weir (it is left as it is); WEIR_NOMEM. */
enum weir_code state_open(const char *path, struct state **out,
                          struct weir_err *err);
/* What was committed stays.  NULL is allowed. */
void state_close(struct state *state);

/* Calls fn for every item, in the order of kind and key (numbers before
 * texts), until it returns false; the texts live during the call.  WEIR_IO,
 * WEIR_NOMEM. */
typedef bool state_item_fn(void *ud, const char *kind,
                           const struct state_key *key, const char *value,
                           size_t len);
enum weir_code state_each(struct state *state, state_item_fn *fn, void *ud,
                          struct weir_err *err);

/* A transaction: begin, any number of changes, commit.  After any failure it
 * is as if it had not begun.  WEIR_IO (a full disk too), WEIR_NOMEM. */
enum weir_code state_begin(struct state *state, struct weir_err *err);
enum weir_code state_clear(struct state *state, struct weir_err *err);
enum weir_code state_put(struct state *state, const char *kind,
                         const struct state_key *key, const char *value,
                         size_t len, struct weir_err *err);
enum weir_code state_drop(struct state *state, const char *kind,
                          const struct state_key *key, struct weir_err *err);
enum weir_code state_commit(struct state *state, struct weir_err *err);

#endif
