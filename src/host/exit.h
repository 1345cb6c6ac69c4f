/* exit: the program's exit codes, the same for every command. */
#ifndef HOST_EXIT_H
#define HOST_EXIT_H

#include <sys/types.h>

#include "weir/err.h"

enum host_exit {
    HOST_EXIT_DONE = 0,
    HOST_EXIT_FAILED = 1,
    HOST_EXIT_CHANGES = 2, /* only with --detailed-exitcode */
    HOST_EXIT_CONFLICT = 3,
    HOST_EXIT_VALIDATION = 4, /* validation, test or threshold failed */
    HOST_EXIT_AUTH = 5,       /* authentication, permission, configuration */
    HOST_EXIT_TIMEOUT = 6,    /* timeout, or rate budget spent */
    HOST_EXIT_LOCKED = 7,     /* a lock is held by another process */
    HOST_EXIT_USAGE = 64,
    HOST_EXIT_SIGNAL = 128 /* plus the signal's number */
};

/* The exit code of a run that ended with an error of this code. */
int host_exit_code(enum weir_code code);

/* Ends the process here and now, without waiting for Lua; a lent
 * terminal is taken back.  `why` goes into the
 * run's report: plain words, without quotes and backslashes.  For signal
 * handlers and other threads. */
_Noreturn void host_exit_now(int code, const char *why);
/* `word` is called before such an end, and may do what a signal handler may;
 * NULL: nothing is. */
void host_exit_last_word(void (*word)(int code, const char *why));
/* A process group that is killed at such an end; 0: none is. */
void host_exit_kills(pid_t group);

#endif
