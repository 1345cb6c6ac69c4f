/*
 * bridge: the simulator's Lua state behind the server's handler.
 *
 * lua/sim gives one function that takes a request as a table and returns the
 * answer as one; this translates, and nothing else.
 */
#ifndef WEIR_SIM_BRIDGE_H
#define WEIR_SIM_BRIDGE_H

#include "server.h"
#include "sim.h"

struct bridge;

/* Makes the state, reads the scenario.  As sim_start. */
enum weir_code bridge_new(const struct sim_options *options,
                          struct bridge **out, struct weir_err *err);
/* Path of the token endpoint; lives as long as the bridge. */
const char *bridge_token_path(const struct bridge *bridge);
/* A server_handler_fn; `ud` is the bridge.  One thread at a time. */
void bridge_handle(void *ud, const struct server_request *request,
                   struct server_answer *answer);
/* The kinds of faults, as text of a line or two each; the caller frees it.
 * NULL without memory. */
char *bridge_fault_kinds(void);
void bridge_free(struct bridge *bridge);

#endif
