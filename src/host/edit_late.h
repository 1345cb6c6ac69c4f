/*
 * edit_late: libedit, loaded when somebody types lines (see weir/late.h).
 */
#ifndef HOST_EDIT_LATE_H
#define HOST_EDIT_LATE_H

#include <histedit.h>

#include "weir/err.h"

/* The functions that the line editor calls. */
#define HOST_EDIT_EACH(X)                                                      \
    X(el_cursor)                                                               \
    X(el_deletestr)                                                            \
    X(el_end)                                                                  \
    X(el_get)                                                                  \
    X(el_init)                                                                 \
    X(el_resize)                                                               \
    X(el_set)                                                                  \
    X(el_source)                                                               \
    X(el_wgetc)                                                                \
    X(el_wgets)                                                                \
    X(el_winsertstr)                                                           \
    X(el_wline)                                                                \
    X(el_wpush)                                                                \
    X(el_wset)                                                                 \
    X(history_w)                                                               \
    X(history_wend)                                                            \
    X(history_winit)

struct host_edit {
#define HOST_EDIT_MEMBER(name) __typeof__(name) *(name);
    HOST_EDIT_EACH(HOST_EDIT_MEMBER)
#undef HOST_EDIT_MEMBER
};

/* Filled by host_edit_load, before anything of libedit's is called. */
extern struct host_edit host_edit;

/* WEIR_OK; WEIR_NOMEM or WEIR_IO if the library cannot be had. */
enum weir_code host_edit_load(struct weir_err *err);

#endif
