/*
 * consent: whoever runs a bundle has seen what it will be able to do.
 *
 * On a terminal that is asked once for each key, name and version (and again
 * if what it needs has changed), and remembered in
 * $XDG_STATE_HOME/weir/accepted.json.  Without a terminal nobody can be asked:
 * then a trusted signature or --accept stands for the answer.
 */
#ifndef HOST_CONSENT_H
#define HOST_CONSENT_H

#include <stdbool.h>

#include "bundle_file.h"

/* WEIR_OK if the bundle may be run; WEIR_PERMISSION and what to do about it if
 * not.  `accept` is --accept.  May ask on the terminal, and then waits for a
 * line as long as it takes. */
enum weir_code host_consent(const struct host_bundle *bundle, bool accept,
                            struct weir_err *err);

#endif
