/* The commands of weir bundle that have a file of their own. */
#ifndef HOST_BUNDLE_COMMANDS_H
#define HOST_BUNDLE_COMMANDS_H

#include "options.h"

extern const struct host_command host_bundle_create;

#endif
