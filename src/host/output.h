/*
 * output: standard output where somebody types.
 *
 * What scripts print there is held back until a moment when the typed line
 * can step aside for it, and the next prompt begins a line of its own.
 */
#ifndef HOST_OUTPUT_H
#define HOST_OUTPUT_H

#include "terminal.h"

/* Begins and ends holding back. */
void host_output_hold(void);
void host_output_release(void);
/* Writes what was held back. */
void host_output_flush(struct host_terminal *terminal);
/* Ends a line that was left open, so that a prompt can follow. */
void host_output_end_line(void);

#endif
