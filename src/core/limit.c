#include "weir/limit.h"

#include <math.h>

/* A wait is cut to a day: long enough never to be a busy loop, short enough
 * to add to any time. */
#define LONGEST_WAIT_MS ((int64_t)24 * 3600 * 1000)

/* What rounding may take from a token over many small refills. */
#define ALMOST (1.0 - 1e-9)

void weir_limit_init(struct weir_limit *limit, double rate, double burst,
                     int64_t now_ms)
{
    if (!(burst >= 1))
        burst = 1;
    *limit = (struct weir_limit){
        .rate = rate > 0 ? rate : 0,
        .burst = burst,
        .tokens = burst,
        .filled_ms = now_ms,
        .paused_ms = now_ms,
    };
}

static void refill(struct weir_limit *limit, int64_t now_ms)
{
    if (now_ms <= limit->filled_ms)
        return;
    limit->tokens += (double)(now_ms - limit->filled_ms) * limit->rate / 1000;
    if (limit->tokens > limit->burst)
        limit->tokens = limit->burst;
    limit->filled_ms = now_ms;
}

int64_t weir_limit_take(struct weir_limit *limit, int64_t now_ms)
{
    double wait;

    if (now_ms < limit->paused_ms)
        return limit->paused_ms - now_ms;
    if (limit->rate == 0)
        return 0;
    refill(limit, now_ms);
    if (limit->tokens >= ALMOST) {
        limit->tokens = limit->tokens > 1 ? limit->tokens - 1 : 0;
        return 0;
    }
    wait = ceil((ALMOST - limit->tokens) * 1000 / limit->rate);
    if (!(wait < (double)LONGEST_WAIT_MS))
        return LONGEST_WAIT_MS;
    return wait < 1 ? 1 : (int64_t)wait;
}

void weir_limit_pause(struct weir_limit *limit, int64_t until_ms)
{
    if (until_ms <= limit->paused_ms)
        return;
    limit->paused_ms = until_ms;
    /* After the pause one goes at once and the others at the rate: a server
     * that was too busy is not met with the whole burst. */
    limit->tokens = 1;
    limit->filled_ms = until_ms;
}
