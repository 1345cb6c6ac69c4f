/* near_file: what somebody may have meant who named a file that is not there.
 */
#ifndef HOST_NEAR_FILE_H
#define HOST_NEAR_FILE_H

#include <limits.h>

/* Room for "; did you mean 'PATH'?" */
#define HOST_NEAR_FILE_SIZE (PATH_MAX + 24)

/* Writes that, with the file in the folder of `path` whose name is nearest to
 * the one that it names; "" if none is near enough to suggest, or the folder
 * cannot be read.  Returns `out`. */
const char *host_near_file(const char *path, char out[HOST_NEAR_FILE_SIZE]);

#endif
