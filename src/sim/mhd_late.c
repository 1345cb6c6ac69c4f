#include "mhd_late.h"

#include "weir/late.h"

struct sim_mhd sim_mhd;

static const struct weir_late_function functions[] = {
#define ROW(name) {"MHD_" #name, offsetof(struct sim_mhd, name)},
    SIM_MHD_EACH(ROW)
#undef ROW
};

static const struct weir_late_library library = {
    .file = "libmicrohttpd.so.12",
    .purpose = "serves the simulator",
    .package = "libmicrohttpd12",
    .functions = functions,
    .n_functions = sizeof(functions) / sizeof(*functions),
};

enum weir_code sim_mhd_load(struct weir_err *err)
{
    return sim_mhd.run ? WEIR_OK : weir_late_load(&library, &sim_mhd, err);
}
