/*
 * sqlite_late: SQLite, loaded when a state file is opened (see weir/late.h).
 */
#ifndef WEIR_SIM_SQLITE_LATE_H
#define WEIR_SIM_SQLITE_LATE_H

#include <sqlite3.h>

#include "weir/err.h"

/* The functions that state.c calls, without their prefix. */
#define SIM_SQLITE_EACH(X)                                                     \
    X(bind_int64)                                                              \
    X(bind_text)                                                               \
    X(bind_text64)                                                             \
    X(clear_bindings)                                                          \
    X(close)                                                                   \
    X(column_bytes)                                                            \
    X(column_int64)                                                            \
    X(column_text)                                                             \
    X(column_type)                                                             \
    X(db_readonly)                                                             \
    X(errmsg)                                                                  \
    X(exec)                                                                    \
    X(extended_errcode)                                                        \
    X(finalize)                                                                \
    X(get_autocommit)                                                          \
    X(open_v2)                                                                 \
    X(prepare_v2)                                                              \
    X(prepare_v3)                                                              \
    X(reset)                                                                   \
    X(step)                                                                    \
    X(system_errno)

struct sim_sqlite {
#define SIM_SQLITE_MEMBER(name) __typeof__(sqlite3_##name) *(name);
    SIM_SQLITE_EACH(SIM_SQLITE_MEMBER)
#undef SIM_SQLITE_MEMBER
};

/* Filled by sim_sqlite_load, before any state is opened. */
extern struct sim_sqlite sim_sqlite;

/* WEIR_OK; WEIR_NOMEM or WEIR_IO if the library cannot be had. */
enum weir_code sim_sqlite_load(struct weir_err *err);

#endif
