/*
 * clock: time and randomness, so that tests can own both.
 */
#ifndef WEIR_CLOCK_H
#define WEIR_CLOCK_H

#include <stdint.h>

struct weir_clock {
    /* Milliseconds that never go back (CLOCK_MONOTONIC). */
    int64_t (*now)(void *ud);
    /* Milliseconds since 1970-01-01T00:00:00Z. */
    int64_t (*wall)(void *ud);
    /* 64 random bits, for jitter and identifiers, never for keys. */
    uint64_t (*random)(void *ud);
    /* NULL for a real clock.  A fake one moves itself on by `ms` instead of
     * waiting; the loop calls it when nothing but timers is pending. */
    void (*skip)(void *ud, int64_t ms);
    void *ud;
};

/* The machine's clock and getrandom(2). */
const struct weir_clock *weir_clock_system(void);

/* A clock for tests: starts at the given times, moves only when told to,
 * random numbers from a fixed seed (splitmix64). */
struct weir_clock_fake {
    struct weir_clock clock; /* hand &fake.clock to the loop */
    int64_t now_ms;
    int64_t wall_ms;
    uint64_t seed;
};
void weir_clock_fake_init(struct weir_clock_fake *fake, int64_t wall_ms);
void weir_clock_fake_advance(struct weir_clock_fake *fake, int64_t ms);

#endif
