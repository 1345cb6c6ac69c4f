/*
 * settings: which tenant a run is for, and where each of its settings is from.
 *
 * One source counts, and counts as a whole, so that one tenant's secret is
 * never sent to another:
 *
 *   1. the context that --context names
 *   2. the context that WEIR_CONTEXT names
 *   3. the environment, if any of the CXONE_… variables below is set
 *   4. the context that `weir context use` chose
 *
 * A script's own options (cxone.connect{…}) come before all of them.  Settings
 * go by the name of their variable (CXONE_TENANT), also from a context.  One a
 * process, as the environment is.
 */
#ifndef HOST_SETTINGS_H
#define HOST_SETTINGS_H

#include <stdbool.h>

#include "weir/buf.h"
#include "weir/err.h"

/* Chooses the source; `flag` is what --context says, or NULL.  With the
 * simulator a context lends its tenant's name and no secret is fetched; one
 * that is only in use is left alone.  WEIR_OK; WEIR_CONFIG, WEIR_IO if the
 * context that was named is not to be had: one that is in use is complained
 * of by host_settings_find, since not every script connects.  WEIR_NOMEM. */
enum weir_code host_settings_begin(const char *flag, bool sim,
                                   struct weir_err *err);
void host_settings_end(void);

/* The context that counts, or NULL; and who says so: "--context",
 * "WEIR_CONTEXT", "weir context use"; or "the environment". */
const char *host_settings_context(void);
const char *host_settings_chosen_by(void);
/* The context that is in use and does not count, since the environment has
 * settings; or NULL. */
const char *host_settings_passed_over(void);
/* Appends the variables that are set and do not count, since a context was
 * named; returns how many. */
size_t host_settings_ignored(struct weir_buf *out);

/* What is known as `variable`: *origin is "CXONE_TENANT" or "context prod", or
 * NULL where nothing is known; *value is NULL for a secret, which is not
 * fetched.  Both are good until the next call.  Errors as
 * host_settings_begin. */
enum weir_code host_settings_find(const char *variable, const char **value,
                                  const char **origin, struct weir_err *err);
/* Fetches a secret, once; *value is NULL if there is none.  The process keeps
 * it until it exits.  WEIR_OK; errors as host_contexts_secret. */
enum weir_code host_settings_secret(const char *variable, const char **value,
                                    struct weir_err *err);

#endif
