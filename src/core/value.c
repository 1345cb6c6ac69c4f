#include "weir/value.h"

enum weir_code weir_value_over(struct weir_err *err, const char *what,
                               size_t max, const char *option)
{
    weir_err_set(err, WEIR_LIMIT, "more than %zu %s (%s)", max, what, option);
    weir_err_hint(err, "raise %s if such texts are expected", option);
    return WEIR_LIMIT;
}

void weir_value_hint_depth(struct weir_err *err, unsigned max_depth)
{
    if (max_depth < WEIR_VALUE_MAX_DEPTH)
        weir_err_hint(err,
                      "raise max_depth if such texts are expected; %d is "
                      "the most",
                      WEIR_VALUE_MAX_DEPTH);
    else
        weir_err_hint(err, "%d levels are the most that can be read",
                      WEIR_VALUE_MAX_DEPTH);
}
