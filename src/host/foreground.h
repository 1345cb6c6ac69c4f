/*
 * foreground: the terminal, lent to a program that asks there.
 *
 * A program in a process group of its own is stopped as soon as it reads from
 * the terminal, or changes its modes, while another group is in the
 * foreground (SIGTTIN, SIGTTOU; POSIX.1-2017, XBD 11.1.4).
 */
#ifndef HOST_FOREGROUND_H
#define HOST_FOREGROUND_H

#include <stdbool.h>
#include <sys/types.h>

/* Puts the group into the foreground of the controlling terminal, whose modes
 * are kept.  False if there is none, or if this process is in its background
 * and so has nothing to lend. */
bool host_foreground_lend(pid_t group);

/* Whether it is lent. */
bool host_foreground_is_lent(void);

/* Takes it back, if it is lent; with `modes` as it was, for a program that did
 * not come to doing that itself.  A signal handler may do it. */
void host_foreground_take(bool modes);

#endif
