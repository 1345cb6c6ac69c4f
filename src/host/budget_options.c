#include "budget_options.h"

/* Where the help says them, too. */
#define CONFINED_MEMORY   ((uint64_t)256 << 20)
#define CONFINED_CPU      60000
#define CONFINED_TIME     3600000
#define CONFINED_OUTPUT   ((uint64_t)64 << 20)
#define CONFINED_REQUESTS 100

static uint64_t choose(const struct host_optional *given, bool confined,
                       uint64_t otherwise)
{
    if (given->set)
        return given->number;
    return confined ? otherwise : 0;
}

bool host_budgets_set(const struct host_budget_options *given, bool confined,
                      struct bind_budgets *budgets)
{
    budgets->max_memory =
        (size_t)choose(&given->memory, confined, CONFINED_MEMORY);
    budgets->max_cpu = (int64_t)choose(&given->cpu, confined, CONFINED_CPU);
    budgets->max_time = (int64_t)choose(&given->time, confined, CONFINED_TIME);
    budgets->max_output = choose(&given->output, confined, CONFINED_OUTPUT);
    budgets->max_requests =
        (size_t)choose(&given->requests, confined, CONFINED_REQUESTS);
    return budgets->max_memory || budgets->max_cpu || budgets->max_time ||
           budgets->max_output || budgets->max_requests;
}
