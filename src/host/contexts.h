/*
 * contexts: the tenants that somebody works with, each under a name:
 * $XDG_CONFIG_HOME/weir/contexts.json.
 *
 *     {"format": 1, "use": "prod", "contexts": {"prod": {
 *         "tenant": "acme", "client_id": "web",
 *         "client_secret": {"command": ["pass", "show", "acme/weir"]},
 *         "base_url": "https://…", "token_url": "https://…",
 *         "access_key_id": "…", "access_key_secret": {"file": "/…"}}}}
 *
 * A secret is never in it, only where it comes from: {"env": NAME},
 * {"file": PATH} or {"command": [PROGRAM, …]}.
 */
#ifndef HOST_CONTEXTS_H
#define HOST_CONTEXTS_H

#include <stdbool.h>

#include "weir/buf.h"
#include "weir/err.h"
#include "weir/json.h"

#define HOST_CONTEXT_MAX_NAME 64 /* bytes, with its NUL */

struct host_contexts {
    char *path;
    struct weir_json *json; /* checked; never NULL after a load */
    bool there;             /* the file is */
    int lock;               /* of its file, while it is edited; or -1 */
};

/* Where it is; NULL (and WEIR_CONFIG) if there is no home to look in. */
enum weir_code host_contexts_path(char **out, struct weir_err *err);

/* Reads and checks it; a file that is not there has no contexts.  WEIR_OK;
 * WEIR_CONFIG with file, place and what was expected: also for one that
 * others may write, since it names programs to run; WEIR_IO; WEIR_NOMEM. */
enum weir_code host_contexts_load(struct host_contexts *out,
                                  struct weir_err *err);
/* The same for whoever goes on to store it: nobody else does meanwhile.
 * WEIR_LOCKED as well. */
enum weir_code host_contexts_edit(struct host_contexts *out,
                                  struct weir_err *err);
void host_contexts_fini(struct host_contexts *contexts);
/* Replaces the file as a whole, mode 0600. */
enum weir_code host_contexts_store(const struct host_contexts *contexts,
                                   struct weir_err *err);

/* The name that `weir context use` chose, or NULL. */
const char *host_contexts_used(const struct host_contexts *contexts);
/* The context, or NULL with a WEIR_CONFIG that says what there is. */
const struct weir_json *host_contexts_find(const struct host_contexts *contexts,
                                           const char *name,
                                           struct weir_err *err);
/* Checks one context by itself: as host_contexts_load. */
enum weir_code host_contexts_check(const char *name,
                                   const struct weir_json *context,
                                   struct weir_err *err);
/* Adds or replaces it (taken over), uses it, removes it (false: not there).
 * WEIR_OK, WEIR_NOMEM. */
enum weir_code host_contexts_set(struct host_contexts *contexts,
                                 const char *name, struct weir_json *context);
enum weir_code host_contexts_use(struct host_contexts *contexts,
                                 const char *name);
bool host_contexts_remove(struct host_contexts *contexts, const char *name);

/* ---- where a secret comes from ---- */

/* Reads "env:NAME", "file:PATH" or "command:WORD WORD…" (or a JSON array of
 * words) into a source.  WEIR_CONFIG says what was expected, and never shows
 * a text that may be the secret itself; WEIR_NOMEM. */
enum weir_code host_contexts_source(const char *text, struct weir_json **out,
                                    struct weir_err *err);
/* Appends the source in words: "the variable NAME", "the file /x", "the
 * output of pass show x". */
void host_contexts_describe(const struct weir_json *source,
                            struct weir_buf *out);
/* Gets the secret; `out` wipes.  WEIR_OK; WEIR_CONFIG, WEIR_TIMEOUT,
 * WEIR_CANCELLED, WEIR_NOMEM, in words that do not hold it. */
enum weir_code host_contexts_secret(const struct weir_json *source,
                                    struct weir_buf *out, struct weir_err *err);

#endif
