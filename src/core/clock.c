#include "weir/clock.h"

#include <stddef.h>
#include <sys/random.h>
#include <time.h>

static int64_t read_ms(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t system_now(void *ud)
{
    (void)ud;
    return read_ms(CLOCK_MONOTONIC);
}

static int64_t system_wall(void *ud)
{
    (void)ud;
    return read_ms(CLOCK_REALTIME);
}

static uint64_t system_random(void *ud)
{
    uint64_t bits;

    (void)ud;
    /* Up to 256 bytes never come short once the pool is up (getrandom(2));
     * jitter can live with the clock's low bits until then. */
    if (getrandom(&bits, sizeof(bits), 0) != (ssize_t)sizeof(bits)) {
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        bits = (uint64_t)ts.tv_nsec * 0x9E3779B97F4A7C15u;
    }
    return bits;
}

const struct weir_clock *weir_clock_system(void)
{
    static const struct weir_clock clock = {
        .now = system_now,
        .wall = system_wall,
        .random = system_random,
    };

    return &clock;
}

static int64_t fake_now(void *ud)
{
    return ((struct weir_clock_fake *)ud)->now_ms;
}

static int64_t fake_wall(void *ud)
{
    return ((struct weir_clock_fake *)ud)->wall_ms;
}

/* splitmix64, https://prng.di.unimi.it/splitmix64.c (public domain). */
static uint64_t fake_random(void *ud)
{
    struct weir_clock_fake *fake = ud;
    uint64_t z = (fake->seed += 0x9E3779B97F4A7C15u);

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static void fake_skip(void *ud, int64_t ms)
{
    weir_clock_fake_advance(ud, ms);
}

void weir_clock_fake_init(struct weir_clock_fake *fake, int64_t wall_ms)
{
    *fake = (struct weir_clock_fake){
        .clock = {.now = fake_now,
                  .wall = fake_wall,
                  .random = fake_random,
                  .skip = fake_skip,
                  .ud = fake},
        .now_ms = 1000,
        .wall_ms = wall_ms,
        .seed = 1,
    };
}

void weir_clock_fake_advance(struct weir_clock_fake *fake, int64_t ms)
{
    fake->now_ms += ms;
    fake->wall_ms += ms;
}
