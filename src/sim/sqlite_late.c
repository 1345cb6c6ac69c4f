#include "sqlite_late.h"

#include "weir/late.h"

struct sim_sqlite sim_sqlite;

static const struct weir_late_function functions[] = {
#define ROW(name) {"sqlite3_" #name, offsetof(struct sim_sqlite, name)},
    SIM_SQLITE_EACH(ROW)
#undef ROW
};

static const struct weir_late_library library = {
    .file = "libsqlite3.so.0", /* SQLite 3, unchanged since 2004 */
    .purpose = "keeps state files",
    .package = "libsqlite3-0",
    .functions = functions,
    .n_functions = sizeof(functions) / sizeof(*functions),
};

enum weir_code sim_sqlite_load(struct weir_err *err)
{
    return sim_sqlite.step ? WEIR_OK
                           : weir_late_load(&library, &sim_sqlite, err);
}
