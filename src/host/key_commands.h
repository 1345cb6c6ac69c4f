/* key_commands: the parts of `weir key`, and what they share. */
#ifndef HOST_KEY_COMMANDS_H
#define HOST_KEY_COMMANDS_H

#include "options.h"
#include "weir/err.h"

extern const struct host_command host_command_key_new;
extern const struct host_command host_command_key_list;
extern const struct host_command host_command_key_trust;
extern const struct host_command host_command_key_revoke;
extern const struct host_command host_command_key_show;
extern const struct host_command host_command_key_export;
extern const struct host_command host_command_key_sign;
extern const struct host_command host_command_key_verify;

/* Says "weir key new: …" and the hint on stderr, clears `err`; returns the
 * exit code. */
int host_key_complain(const struct host_command *command, struct weir_err *err);
/* That standard output could be written: `code`, or HOST_EXIT_FAILED, said. */
int host_key_flushed(const struct host_command *command, int code);

#endif
