/* The halves of contexts: contexts.c has the file, context_secret.c where
 * secrets come from. */
#ifndef HOST_CONTEXT_INTERNAL_H
#define HOST_CONTEXT_INTERNAL_H

#include "weir/err.h"
#include "weir/json.h"

/* {"env": NAME}, {"file": PATH} or {"command": [PROGRAM, …]}; WEIR_CONFIG for
 * anything else, which is not shown: it may be the secret itself. */
enum weir_code host_context_check_source(const struct weir_json *source,
                                         struct weir_err *err);

#endif
