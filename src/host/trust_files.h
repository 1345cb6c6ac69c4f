/*
 * trust_files: where the files of weir/trust.h are.
 *
 *   /etc/weir/policy.json                 the machine's policy
 *   $XDG_CONFIG_HOME/weir/policy.json     the user's, which only adds to it
 *   $XDG_CONFIG_HOME/weir/trust.json      keys trusted and revoked
 *   $XDG_STATE_HOME/weir/versions.json    the versions that have run
 *
 * One that is not there says nothing.  One that cannot be read, that others
 * may write or that is malformed is an error, and so nothing runs.
 */
#ifndef HOST_TRUST_FILES_H
#define HOST_TRUST_FILES_H

#include "weir/trust.h"

#define HOST_MACHINE_POLICY "/etc/weir/policy.json"

/* Reads all of them; weir_trust_fini() it.  WEIR_CONFIG, WEIR_IO and what
 * reading gives (weir/trust.h); *out is then untouched. */
enum weir_code host_trust_load(struct weir_trust *out, struct weir_err *err);
/* The keys alone: what `weir key` changes. */
enum weir_code host_trust_load_store(struct weir_trust_store *out,
                                     struct weir_err *err);

/* Whether something may run that nobody can have signed: a script, what is
 * typed.  WEIR_OK; WEIR_AUTH if a policy asks for a signature, with `what` at
 * the beginning of the message; and what reading the policies gives. */
enum weir_code host_trust_check_unsigned(const char *what,
                                         struct weir_err *err);

/* Changes the store as `change` does, with nobody else doing so meanwhile; it
 * is written if `change` returns WEIR_OK. */
enum weir_code
host_trust_change(enum weir_code (*change)(struct weir_trust_store *store,
                                           void *ud, struct weir_err *err),
                  void *ud, struct weir_err *err);

/* To be called right before a bundle runs whose signer was verified: between
 * the two somebody may have been asked, and taken the night for an answer.
 * Reads all anew, judges once more, and remembers the version
 * (weir_trust_remember); of two at once the second sees the first.  WEIR_OK,
 * WEIR_AUTH, WEIR_CONFIG, and what reading and writing give. */
enum weir_code host_trust_admit(const struct weir_trust_signer *signer,
                                const struct weir_trust_facts *facts,
                                int64_t now, struct weir_err *err);

#endif
