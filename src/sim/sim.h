/*
 * sim: the embedded simulator of the API, a real HTTP server on 127.0.0.1.
 *
 * It runs in a thread of its own with a Lua state of its own; nothing is
 * shared with the state that runs scripts.  What it answers is written in
 * lua/sim; what it speaks is HTTP/1.1, to any client.
 */
#ifndef WEIR_SIM_H
#define WEIR_SIM_H

#include <stdbool.h>
#include <stdint.h>

#include "weir/err.h"

struct sim;

/* All zero is a good default.  Texts are copied or used up by sim_start. */
struct sim_options {
    unsigned port;        /* on 127.0.0.1; 0: any free one */
    uint64_t seed;        /* of ids, tokens, ETags and chances */
    const char *scenario; /* path of a Lua file that returns a table, or NULL */
    /* "looks=2", "seconds=1.5", "fail", "fail=reason", "reject", "never";
     * NULL: two looks see it pending, the third sees it active. */
    const char *activation;
    /* "kind", "kind:key=value,…" or a JSON object each; NULL-terminated, or
     * NULL for none.  sim_fault_kinds() lists them. */
    const char *const *faults;
    /* "real", NULL for the same; "manual": stands still at 2025-01-01 until it
     * is moved; or where it stands, "2024-05-01T12:00:00Z" or seconds. */
    const char *clock;
    /* Path of the file that keeps everything (see state.h), or NULL. */
    const char *state;
    double token_life; /* seconds a token lives; 0: 3600 */
    bool log_requests; /* a line on stderr for every request */
};

/* Listens and answers from its own thread until sim_stop.  `options` may be
 * NULL.  WEIR_OK; WEIR_INVALID for an option or a scenario that makes no
 * sense, naming it; WEIR_IO if the port cannot be had, or the state file be
 * used; WEIR_LOCKED if another process has that; WEIR_NOMEM. */
enum weir_code sim_start(const struct sim_options *options, struct sim **out,
                         struct weir_err *err);
/* "http://127.0.0.1:PORT"; lives as long as the simulator. */
const char *sim_url(const struct sim *sim);
/* Where it hands out tokens: sim_url and the dialect's path. */
const char *sim_token_url(const struct sim *sim);
/* The kinds of faults that there are, with their keys: text for people, which
 * the caller frees.  NULL without memory. */
char *sim_fault_kinds(void);
/* Ends the thread, drops open connections, frees everything.  NULL is
 * allowed. */
void sim_stop(struct sim *sim);

#endif
