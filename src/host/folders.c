#include "folders.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char *path_in(const char *variable, const char *below_home,
                     const char *name)
{
    const char *base = getenv(variable), *home = getenv("HOME");
    char *path = NULL;
    int len = -1;

    /* The specification says: a relative path is to be ignored. */
    if (base && *base == '/')
        len = asprintf(&path, "%s/weir/%s", base, name);
    else if (home && *home == '/')
        len = asprintf(&path, "%s/%s/weir/%s", home, below_home, name);
    return len < 0 ? NULL : path;
}

char *host_folders_state(const char *name)
{
    return path_in("XDG_STATE_HOME", ".local/state", name);
}

char *host_folders_config(const char *name)
{
    return path_in("XDG_CONFIG_HOME", ".config", name);
}

enum weir_code host_folders_make_private(const char *path, struct weir_err *err)
{
    char *part = strdup(path);
    enum weir_code code = WEIR_OK;

    if (!part)
        return weir_err_nomem(err);
    for (char *slash = part + 1; (slash = strchr(slash, '/')) != NULL;
         slash++) {
        *slash = '\0';
        if (mkdir(part, 0700) != 0 && errno != EEXIST) {
            code = weir_err_set(err, WEIR_IO, "%s: %s", part, strerror(errno));
            break;
        }
        *slash = '/';
    }
    free(part);
    return code;
}
