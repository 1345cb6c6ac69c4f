/* doors: a session's doors, each shut as far as the run is confined. */
#ifndef HOST_DOORS_H
#define HOST_DOORS_H

#include "session.h"

/* Before the session's Lua state is made: finds out what the run may do (see
 * confine.h), and shuts the network's door.  WEIR_OK, or as host_confine_read
 * and host_confine_make. */
enum weir_code host_doors_shut(struct host_session *session,
                               const struct host_session_options *options,
                               struct weir_err *err);
/* After it: which servers "tenant" means, and which calls change nothing.
 * WEIR_OK, WEIR_NOMEM. */
enum weir_code host_doors_know(struct host_session *session,
                               struct weir_err *err);
void host_doors_fini(struct host_session *session);

#endif
