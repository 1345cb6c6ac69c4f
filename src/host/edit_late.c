#include "edit_late.h"

#include "weir/late.h"

struct host_edit host_edit;

static const struct weir_late_function functions[] = {
#define ROW(name) {#name, offsetof(struct host_edit, name)},
    HOST_EDIT_EACH(ROW)
#undef ROW
};

static const struct weir_late_library library = {
    .file = "libedit.so.2",
    .purpose = "edits lines",
    .package = "libedit2",
    .functions = functions,
    .n_functions = sizeof(functions) / sizeof(*functions),
};

enum weir_code host_edit_load(struct weir_err *err)
{
    return host_edit.el_init ? WEIR_OK
                             : weir_late_load(&library, &host_edit, err);
}
