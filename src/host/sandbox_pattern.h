/*
 * sandbox_pattern: Lua's patterns (Lua 5.4 manual, section 6.4.1), matched by
 * a matcher that can be stopped.
 *
 * A hostile pattern keeps Lua's own one busy for longer than anybody lives,
 * and no hook runs there.  This one looks at the budgets as it goes.
 */
#ifndef HOST_SANDBOX_PATTERN_H
#define HOST_SANDBOX_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

#define SANDBOX_MAX_CAPTURES 32

struct sandbox_capture {
    const char *at;
    ptrdiff_t len; /* or one of two marks below 0 */
};

struct sandbox_match {
    lua_State *L;
    const char *text, *text_end;
    const char *pattern_end;
    unsigned steps;
    int depth; /* of matches inside matches */
    int n;     /* captures so far */
    struct sandbox_capture captures[SANDBOX_MAX_CAPTURES];
};

/* The end of the match of `pattern` that begins at `at`, or NULL.  Raises for
 * a pattern that is none, and when a budget is spent. */
const char *sandbox_match_at(struct sandbox_match *match, const char *at,
                             const char *pattern);
/* Pushes capture `i` from 0 of a match from `at` to `end`; where the pattern
 * has none, the first is the whole match. */
void sandbox_push_capture(struct sandbox_match *match, int i, const char *at,
                          const char *end);
/* Pushes all of them; `whole`: the match itself if there are none.  Returns
 * how many. */
int sandbox_push_captures(struct sandbox_match *match, bool whole,
                          const char *at, const char *end);

#endif
