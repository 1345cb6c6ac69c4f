/*
 * password: of a secret key, typed or from where a flag says.
 *
 * Never from the command line, which every process of the machine may read.
 */
#ifndef HOST_PASSWORD_H
#define HOST_PASSWORD_H

#include "options.h"
#include "weir/buf.h"
#include "weir/err.h"

#define HOST_PASSWORD_MAX ((size_t)1023) /* bytes, as minisign reads */

/* Where it comes from; a member of a command's struct. */
struct host_password_source {
    const char *file; /* --password-file: its first line */
    const char *env;  /* --password-env: name of a variable */
};
#define HOST_PASSWORD_OPTIONS(at)                                              \
    {"password-file",                                                          \
     "FILE",                                                                   \
     "its first line is the secret key's password",                            \
     HOST_TEXT,                                                                \
     (at) + offsetof(struct host_password_source, file),                       \
     NULL},                                                                    \
    {                                                                          \
        "password-env", "NAME", "a variable that holds the password",          \
            HOST_TEXT, (at) + offsetof(struct host_password_source, env), NULL \
    }

/* Gets the password into `out`, which is a secret buffer: from the file, the
 * variable, or else the terminal, where `prompt` is shown and nothing that is
 * typed; `twice`: asks again, and refuses what differs.  WEIR_OK; WEIR_USAGE
 * if there are two sources, or none and no terminal; WEIR_CONFIG for a file
 * that others may read, or a variable that is not set; WEIR_INVALID for an
 * empty or too long one, or two that differ; WEIR_CANCELLED (Ctrl-D); WEIR_IO,
 * WEIR_NOMEM. */
enum weir_code host_password_get(const struct host_password_source *source,
                                 const char *prompt, bool twice,
                                 struct weir_buf *out, struct weir_err *err);

#endif
