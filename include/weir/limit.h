/*
 * limit: a token bucket, and a pause that holds everyone.  No waiting in
 * here: callers ask when they may go, in order of asking.
 */
#ifndef WEIR_LIMIT_H
#define WEIR_LIMIT_H

#include <stdint.h>

struct weir_limit {
    double rate;  /* tokens a second; 0: unlimited */
    double burst; /* bucket size */
    double tokens;
    int64_t filled_ms; /* when `tokens` was true */
    int64_t paused_ms; /* nobody goes before this time */
};

/* `rate` <= 0: unlimited.  `burst` < 1 counts as 1. */
void weir_limit_init(struct weir_limit *limit, double rate, double burst,
                     int64_t now_ms);
/* Takes a token and returns 0, or takes none and returns the milliseconds
 * (1 or more) until it is worth asking again. */
int64_t weir_limit_take(struct weir_limit *limit, int64_t now_ms);
/* Nobody goes before `until_ms`; a shorter pause never replaces a longer. */
void weir_limit_pause(struct weir_limit *limit, int64_t until_ms);

#endif
