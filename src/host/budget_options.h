/*
 * budget_options: what a run may use up, as options of the command line.
 */
#ifndef HOST_BUDGET_OPTIONS_H
#define HOST_BUDGET_OPTIONS_H

#include <stdint.h>

#include "budgets.h"
#include "options.h"

/* As they were given; unset: nothing was. */
struct host_budget_options {
    struct host_optional memory, cpu, time, output, requests;
};

#define HOST_BUDGET(offset, name)                                              \
    ((offset) + offsetof(struct host_budget_options, name))
#define HOST_BUDGET_OPTIONS(offset)                                            \
    {"max-memory",                                                             \
     "SIZE",                                                                   \
     "of Lua and buffers; confined: 256M, else none",                          \
     HOST_SIZE,                                                                \
     HOST_BUDGET(offset, memory),                                              \
     NULL},                                                                    \
        {"max-cpu",                                                            \
         "SECONDS",                                                            \
         "of processor time; confined: 60, else none",                         \
         HOST_SECONDS,                                                         \
         HOST_BUDGET(offset, cpu),                                             \
         NULL},                                                                \
        {"max-time",                                                           \
         "SECONDS",                                                            \
         "from start to end; confined: 3600, else none",                       \
         HOST_SECONDS,                                                         \
         HOST_BUDGET(offset, time),                                            \
         NULL},                                                                \
        {"max-output",                                                         \
         "SIZE",                                                               \
         "written, files too; confined: 64M, else none",                       \
         HOST_SIZE,                                                            \
         HOST_BUDGET(offset, output),                                          \
         NULL},                                                                \
    {                                                                          \
        "max-requests", "N", "open at once; confined: 100, else none",         \
            HOST_COUNT, HOST_BUDGET(offset, requests), NULL                    \
    }

/* The ceilings: what was given; else the defaults of a confined run, or none.
 * False if there is none at all. */
bool host_budgets_set(const struct host_budget_options *given, bool confined,
                      struct bind_budgets *budgets);

#endif
