/*
 * mhd_late: libmicrohttpd, loaded when a simulator starts (see weir/late.h).
 */
#ifndef WEIR_SIM_MHD_LATE_H
#define WEIR_SIM_MHD_LATE_H

#include <microhttpd.h>

#include "weir/err.h"

/* The functions that the simulator calls, without their prefix. */
#define SIM_MHD_EACH(X)                                                        \
    X(add_response_header)                                                     \
    X(create_response_from_buffer)                                             \
    X(create_response_from_callback)                                           \
    X(destroy_response)                                                        \
    X(get_connection_info)                                                     \
    X(get_connection_values)                                                   \
    X(get_daemon_info)                                                         \
    X(get_timeout)                                                             \
    X(get_version)                                                             \
    X(lookup_connection_value)                                                 \
    X(queue_response)                                                          \
    X(resume_connection)                                                       \
    X(run)                                                                     \
    X(start_daemon)                                                            \
    X(stop_daemon)                                                             \
    X(suspend_connection)

struct sim_mhd {
#define SIM_MHD_MEMBER(name) __typeof__(MHD_##name) *(name);
    SIM_MHD_EACH(SIM_MHD_MEMBER)
#undef SIM_MHD_MEMBER
};

/* Filled by sim_mhd_load, before any thread uses it. */
extern struct sim_mhd sim_mhd;

/* WEIR_OK; WEIR_NOMEM or WEIR_IO if the library cannot be had. */
enum weir_code sim_mhd_load(struct weir_err *err);

#endif
