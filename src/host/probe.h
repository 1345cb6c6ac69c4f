/* probe: known faults of the Lua library, tried where they can do no harm. */
#ifndef HOST_PROBE_H
#define HOST_PROBE_H

/* Runs the Lua text in a state of its own in a child, for 10 s at most:
 * "sound" if it ends well, "crash" if it raised or brought the child down,
 * "unknown" if it could not be run to its end.  To be called before there are
 * threads. */
const char *host_probe(const char *text);

/* Closes 20,000 coroutines, each by the one around it: crashes in 5.4.4. */
extern const char host_probe_close[];
/* Compares bit operations in a chunk of over 255 constants with the same in
 * a small one. */
extern const char host_probe_constants[];

#endif
