/*
 * key_files: keys by the names of their files.
 *
 * A key that `weir key new NAME` made is $XDG_CONFIG_HOME/weir/keys/NAME.key,
 * its public half NAME.pub beside it; wherever a key is named, a word with a
 * '/' or that ends in .key or .pub is the path of a file instead, such as one
 * of minisign's.
 */
#ifndef HOST_KEY_FILES_H
#define HOST_KEY_FILES_H

#include "password.h"
#include "weir/minisign.h"

bool host_key_is_path(const char *which);

enum host_key_half { HOST_KEY_SECRET, HOST_KEY_PUBLIC };

/* The path that a name means; free() it.  WEIR_OK; WEIR_VALIDATION for what
 * cannot be a name; WEIR_CONFIG if there is no folder for keys; WEIR_NOMEM. */
enum weir_code host_key_path(const char *which, enum host_key_half half,
                             char **out, struct weir_err *err);

/* Opens a secret key, asking for its password if it has one; free it with
 * weir_minisign_secret_free().  What host_guarded_read, host_password_get and
 * weir_minisign_secret_read give; WEIR_NOT_FOUND if there is no such key. */
enum weir_code host_key_open(const char *which,
                             const struct host_password_source *password,
                             struct weir_minisign_secret **out,
                             struct weir_err *err);

/* Reads a public key: a name or file, or the key itself as one word. */
enum weir_code host_key_read_public(const char *which,
                                    struct weir_minisign_public *out,
                                    struct weir_err *err);

/* The whole of a file, up to `max` bytes: of what is signed.  WEIR_IO,
 * WEIR_LIMIT, WEIR_NOMEM. */
enum weir_code host_key_read_file(const char *path, size_t max,
                                  struct weir_buf *out, struct weir_err *err);

#endif
