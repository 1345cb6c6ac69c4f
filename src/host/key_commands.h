/* key_commands: the parts of `weir key`. */
#ifndef HOST_KEY_COMMANDS_H
#define HOST_KEY_COMMANDS_H

#include "options.h"

extern const struct host_command host_command_key_new;
extern const struct host_command host_command_key_list;
extern const struct host_command host_command_key_trust;
extern const struct host_command host_command_key_revoke;
extern const struct host_command host_command_key_show;
extern const struct host_command host_command_key_export;
extern const struct host_command host_command_key_sign;
extern const struct host_command host_command_key_verify;

#endif
