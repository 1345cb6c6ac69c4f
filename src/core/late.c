#include "weir/late.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

/* The loader's text has no reason where the loader itself could not allocate:
 * it looks at an errno of its own, and malloc() sets that of libc. */
static enum weir_code fail(const struct weir_late_library *library, int number,
                           const char *why, struct weir_err *err)
{
    if (number == ENOMEM || (why && strstr(why, strerror(ENOMEM))))
        return weir_err_nomem(err);
    weir_err_set(err, WEIR_IO, "cannot load %s, which %s: %s", library->file,
                 library->purpose, why ? why : "out of memory");
    weir_err_hint(err, "install the package %s", library->package);
    return WEIR_IO;
}

enum weir_code weir_late_load(const struct weir_late_library *library,
                              void *out, struct weir_err *err)
{
    void *loaded;
    int number;

    errno = 0;
    loaded = dlopen(library->file, RTLD_NOW | RTLD_LOCAL);
    number = errno; /* dlerror() may change it */
    if (!loaded)
        return fail(library, number, dlerror(), err);
    for (size_t i = 0; i < library->n_functions; i++) {
        if (!dlsym(loaded, library->functions[i].name))
            return fail(library, 0, dlerror(), err);
    }
    for (size_t i = 0; i < library->n_functions; i++) {
        void *function = dlsym(loaded, library->functions[i].name);

        memcpy((char *)out + library->functions[i].offset, &function,
               sizeof(function));
    }
    return WEIR_OK;
}
