#include "sqlite_late.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* The name of SQLite 3's binary interface, which has not changed since 2004. */
#define LIBRARY "libsqlite3.so.0"

static const struct {
    const char *name;
    size_t offset;
} functions[] = {
#define ROW(name) {"sqlite3_" #name, offsetof(struct sim_sqlite, name)},
    SIM_SQLITE_EACH(ROW)
#undef ROW
};

static bool find_all(void *library, struct sim_sqlite *out)
{
    for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
        void *function = dlsym(library, functions[i].name);

        if (!function)
            return false;
        memcpy((char *)out + functions[i].offset, &function, sizeof(function));
    }
    return true;
}

const struct sim_sqlite *sim_sqlite(struct weir_err *err)
{
    static struct sim_sqlite sqlite;
    void *library;

    if (sqlite.step)
        return &sqlite;
    library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (library && find_all(library, &sqlite))
        return &sqlite;
    weir_err_set(err, WEIR_IO,
                 "cannot load SQLite, which keeps state files: %s",
                 library ? "it lacks a function" : dlerror());
    weir_err_hint(err, "install the package libsqlite3-0");
    sqlite = (struct sim_sqlite){.step = NULL};
    return NULL;
}
