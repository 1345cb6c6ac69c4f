/*
 * confine: what a run may do, out of what its script declares and what the
 * flags of the command line leave of it.
 */
#ifndef HOST_CONFINE_H
#define HOST_CONFINE_H

#include <stdbool.h>
#include <stddef.h>

#include "options.h"
#include "weir/changes.h"
#include "weir/err.h"
#include "weir/permissions.h"

/* --net=, --deny-net and the like, as they were given. */
struct host_confine_flags {
    struct host_texts net, read, write, env;
    bool deny_net, deny_read, deny_write, deny_env, deny_mutate;
    bool dry_run;
};

#define HOST_CONFINE_FIELD(base, name)                                         \
    ((base) + offsetof(struct host_confine_flags, name))
/* For a command's table; `base` is where its struct has the flags. */
#define HOST_CONFINE_OPTIONS(base)                                             \
    {"net",                                                                    \
     "HOST",                                                                   \
     "of the declared hosts, only these (many times)",                         \
     HOST_TEXTS,                                                               \
     HOST_CONFINE_FIELD(base, net),                                            \
     NULL},                                                                    \
        {"read",                                                               \
         "PATH",                                                               \
         "of the declared files to read, only these",                          \
         HOST_TEXTS,                                                           \
         HOST_CONFINE_FIELD(base, read),                                       \
         NULL},                                                                \
        {"write",                                                              \
         "PATH",                                                               \
         "of the declared files to write, only these",                         \
         HOST_TEXTS,                                                           \
         HOST_CONFINE_FIELD(base, write),                                      \
         NULL},                                                                \
        {"env",                                                                \
         "NAME",                                                               \
         "of the declared variables, only these",                              \
         HOST_TEXTS,                                                           \
         HOST_CONFINE_FIELD(base, env),                                        \
         NULL},                                                                \
        {"deny-net",                                                           \
         NULL,                                                                 \
         "connect to nothing",                                                 \
         HOST_FLAG,                                                            \
         HOST_CONFINE_FIELD(base, deny_net),                                   \
         NULL},                                                                \
        {"deny-read",                                                          \
         NULL,                                                                 \
         "read no file",                                                       \
         HOST_FLAG,                                                            \
         HOST_CONFINE_FIELD(base, deny_read),                                  \
         NULL},                                                                \
        {"deny-write",                                                         \
         NULL,                                                                 \
         "write no file",                                                      \
         HOST_FLAG,                                                            \
         HOST_CONFINE_FIELD(base, deny_write),                                 \
         NULL},                                                                \
        {"deny-env",                                                           \
         NULL,                                                                 \
         "see no variable of the environment",                                 \
         HOST_FLAG,                                                            \
         HOST_CONFINE_FIELD(base, deny_env),                                   \
         NULL},                                                                \
        {"deny-mutate",                                                        \
         NULL,                                                                 \
         "change nothing on a server",                                         \
         HOST_FLAG,                                                            \
         HOST_CONFINE_FIELD(base, deny_mutate),                                \
         NULL},                                                                \
    {                                                                          \
        "dry-run", NULL, "keep back what changes something, and say so",       \
            HOST_FLAG, HOST_CONFINE_FIELD(base, dry_run), NULL                 \
    }

/* What a run may do; host_confined_fini() it. */
struct host_confined {
    struct weir_permissions *declared; /* by the script; NULL: nothing */
    struct weir_permissions *granted;  /* NULL: not confined */
    /* Who is asked before something is changed: `granted`, or what a run
     * that is not confined has of its flags.  NULL: nobody. */
    struct weir_permissions *changes;
};
void host_confined_fini(struct host_confined *confined);

/* Reads what the text of a script declares with weir.needs; NULL if it
 * declares nothing.  `name` is the file's, for messages.  WEIR_OK;
 * WEIR_INVALID with the line; WEIR_NOMEM. */
enum weir_code host_confine_read(const char *name, const char *text, size_t len,
                                 struct weir_permissions **declared,
                                 struct weir_err *err);

/* Makes of the declaration, which it takes over also on failure, and the
 * flags what is granted.  Paths that were declared are seen from `base`, a
 * folder, those of flags from the current one.  Without a declaration and
 * without `sandbox` the run is not confined.  WEIR_OK; WEIR_USAGE for flags
 * that have nothing to narrow or cannot be read; WEIR_LIMIT; WEIR_NOMEM. */
enum weir_code host_confine_make(const struct host_confine_flags *flags,
                                 bool sandbox,
                                 struct weir_permissions *declared,
                                 const char *base, struct host_confined *out,
                                 struct weir_err *err);

#endif
