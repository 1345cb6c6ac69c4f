/*
 * shim: a malloc whose n-th call fails.
 *
 * Linked into a program, it is steered by these functions; preloaded, by the
 * variables that shim.c lists.
 */
#ifndef TORTURE_SHIM_H
#define TORTURE_SHIM_H

#include <stdbool.h>

/* From now on calls are counted.  The n-th fails (0: none does), and those
 * after it up to `in_a_row` of them; 0: all. */
void shim_fail_at(unsigned long n, unsigned long in_a_row);
/* Counts and fails no more.  Returns the calls counted. */
unsigned long shim_stop(void);
/* Lets calls pass uncounted for a while. */
void shim_pause(bool pause);
/* True if a call has failed since shim_fail_at(). */
bool shim_failed(void);
/* Blocks allocated by anybody and not freed. */
long shim_live(void);
/* Where the stack of the first failing call is written; -1: nowhere. */
void shim_report_to(int fd);
/* Calls of other threads than the main one are let be. */
void shim_only_this_thread(void);

#endif
