#include "sandbox_pattern.h"

#include <ctype.h>
#include <string.h>

#include <lauxlib.h>

#include "budgets.h"

enum { OPEN = -1, POSITION = -2 }; /* lengths that are none yet, and never */

/* As deep as Lua's own goes before a pattern is too complex. */
#define MAX_DEPTH 200
#define ESCAPE    '%'

static void step(struct sandbox_match *m)
{
    if ((++m->steps & 0xFFF) == 0)
        bind_budgets_check(m->L);
}

static unsigned char byte(const char *at)
{
    return (unsigned char)*at;
}

/* ---- one character ---- */

/* What follows the single-character item at `p`. */
static const char *item_end(const struct sandbox_match *m, const char *p)
{
    if (p == m->pattern_end)
        luaL_error(m->L, "malformed pattern (ends with '%%')");
    if (*p == ESCAPE) {
        if (p + 1 == m->pattern_end)
            luaL_error(m->L, "malformed pattern (ends with '%%')");
        return p + 2;
    }
    if (*p++ != '[')
        return p;
    if (p < m->pattern_end && *p == '^')
        p++;
    /* A ']' that comes first is one of the set. */
    do {
        if (p == m->pattern_end)
            luaL_error(m->L, "malformed pattern (missing ']')");
        if (*p++ == ESCAPE) {
            if (p == m->pattern_end)
                luaL_error(m->L, "malformed pattern (missing ']')");
            p++;
        }
    } while (p == m->pattern_end || *p != ']');
    return p + 1;
}

static bool in_class(unsigned char c, unsigned char class)
{
    bool in;

    switch (tolower(class)) {
    case 'a': in = isalpha(c); break;
    case 'c': in = iscntrl(c); break;
    case 'd': in = isdigit(c); break;
    case 'g': in = isgraph(c); break;
    case 'l': in = islower(c); break;
    case 'p': in = ispunct(c); break;
    case 's': in = isspace(c); break;
    case 'u': in = isupper(c); break;
    case 'w': in = isalnum(c); break;
    case 'x': in = isxdigit(c); break;
    case 'z': in = c == 0; break; /* of Lua 5.1, and still there */
    default: return class == c;
    }
    return isupper(class) ? !in : in;
}

/* The set is from '[' at `p` to its ']' at `last`. */
static bool in_set(unsigned char c, const char *p, const char *last)
{
    bool found = true;

    if (p[1] == '^') {
        found = false;
        p++;
    }
    while (++p < last) {
        if (*p == ESCAPE) {
            if (in_class(c, byte(++p)))
                return found;
        } else if (p[1] == '-' && p + 2 < last) {
            p += 2;
            if (byte(p - 2) <= c && c <= byte(p))
                return found;
        } else if (byte(p) == c) {
            return found;
        }
    }
    return !found;
}

/* Whether the character at `s` matches the item from `p` to `end`. */
static bool matches_item(struct sandbox_match *m, const char *s, const char *p,
                         const char *end)
{
    step(m);
    if (s >= m->text_end)
        return false;
    switch (*p) {
    case '.': return true;
    case ESCAPE: return in_class(byte(s), byte(p + 1));
    case '[': return in_set(byte(s), p, end - 1);
    default: return *p == *s;
    }
}

/* ---- captures ---- */

static int check_closed(const struct sandbox_match *m, char digit)
{
    int i = digit - '1';

    if (i < 0 || i >= m->n || m->captures[i].len == OPEN)
        luaL_error(m->L, "invalid capture index %%%d", i + 1);
    return i;
}

static int innermost_open(const struct sandbox_match *m)
{
    for (int i = m->n - 1; i >= 0; i--) {
        if (m->captures[i].len == OPEN)
            return i;
    }
    return luaL_error(m->L, "invalid pattern capture");
}

static const char *begin_capture(struct sandbox_match *m, const char *s,
                                 const char *p, ptrdiff_t len)
{
    const char *end;

    if (m->n >= SANDBOX_MAX_CAPTURES)
        luaL_error(m->L, "too many captures");
    m->captures[m->n++] = (struct sandbox_capture){s, len};
    end = sandbox_match_at(m, s, p);
    if (!end)
        m->n--;
    return end;
}

static const char *end_capture(struct sandbox_match *m, const char *s,
                               const char *p)
{
    int i = innermost_open(m);
    const char *end;

    m->captures[i].len = s - m->captures[i].at;
    end = sandbox_match_at(m, s, p);
    if (!end)
        m->captures[i].len = OPEN;
    return end;
}

/* ---- items of their own kind ---- */

/* "%bxy": to after the y that balances the x at `s`. */
static const char *match_balance(struct sandbox_match *m, const char *s,
                                 const char *p)
{
    int open = 1;

    if (m->pattern_end - p < 2)
        luaL_error(m->L, "malformed pattern (missing arguments to '%%b')");
    if (s >= m->text_end || *s != *p)
        return NULL;
    while (++s < m->text_end) {
        step(m);
        if (*s == p[1]) {
            if (--open == 0)
                return s + 1;
        } else if (*s == *p) {
            open++;
        }
    }
    return NULL;
}

/* "%1": to after the text that capture 1 has matched. */
static const char *match_again(struct sandbox_match *m, const char *s,
                               char digit)
{
    const struct sandbox_capture *capture =
        &m->captures[check_closed(m, digit)];
    size_t len = (size_t)capture->len;

    step(m);
    if (capture->len < 0 || (size_t)(m->text_end - s) < len ||
        memcmp(capture->at, s, len) != 0)
        return NULL;
    return s + len;
}

/* "%f[set]": what follows it, if `s` is where the set begins. */
static const char *match_frontier(struct sandbox_match *m, const char *s,
                                  const char *p)
{
    const char *end;
    unsigned char before, here;

    if (p >= m->pattern_end || *p != '[')
        luaL_error(m->L, "missing '[' after '%%f' in pattern");
    end = item_end(m, p);
    before = s == m->text ? 0 : byte(s - 1);
    here = s == m->text_end ? 0 : byte(s);
    if (in_set(before, p, end - 1) || !in_set(here, p, end - 1))
        return NULL;
    return end;
}

/* "x*" and "x+": as many as there are, then ever fewer. */
static const char *match_most(struct sandbox_match *m, const char *s,
                              const char *p, const char *end, ptrdiff_t least)
{
    ptrdiff_t n = 0;

    while (matches_item(m, s + n, p, end))
        n++;
    for (; n >= least; n--) {
        const char *found = sandbox_match_at(m, s + n, end + 1);

        if (found)
            return found;
    }
    return NULL;
}

/* "x-": none, then ever more. */
static const char *match_fewest(struct sandbox_match *m, const char *s,
                                const char *p, const char *end)
{
    for (;; s++) {
        const char *found = sandbox_match_at(m, s, end + 1);

        if (found)
            return found;
        if (!matches_item(m, s, p, end))
            return NULL;
    }
}

/* ---- the whole ---- */

/* Where the match goes on: at `s` with `p`; or it is decided. */
struct walk {
    const char *s, *p;
    bool over; /* `s` is the end of the match, or NULL */
};

static void decide(struct walk *walk, const char *s)
{
    walk->s = s;
    walk->over = true;
}

static void go_on(struct walk *walk, const char *s, const char *p)
{
    walk->s = s;
    walk->p = p;
    walk->over = s == NULL;
}

/* A single character and what may stand behind it. */
static void walk_item(struct sandbox_match *m, struct walk *walk)
{
    const char *s = walk->s, *p = walk->p, *end = item_end(m, p), *found;
    char suffix = end < m->pattern_end ? *end : '\0';
    bool matches;

    switch (suffix) {
    case '*': decide(walk, match_most(m, s, p, end, 0)); return;
    case '+': decide(walk, match_most(m, s, p, end, 1)); return;
    case '-': decide(walk, match_fewest(m, s, p, end)); return;
    default: break;
    }
    matches = matches_item(m, s, p, end);
    if (suffix != '?') {
        go_on(walk, matches ? s + 1 : NULL, end);
        return;
    }
    found = matches ? sandbox_match_at(m, s + 1, end + 1) : NULL;
    if (found)
        decide(walk, found);
    else
        go_on(walk, s, end + 1);
}

static void walk_escape(struct sandbox_match *m, struct walk *walk)
{
    const char *s = walk->s, *p = walk->p;
    char kind = p + 1 < m->pattern_end ? p[1] : '\0';

    if (kind == 'b')
        go_on(walk, match_balance(m, s, p + 2), p + 4);
    else if (kind == 'f') {
        const char *end = match_frontier(m, s, p + 2);

        go_on(walk, end ? s : NULL, end);
    } else if (isdigit((unsigned char)kind))
        go_on(walk, match_again(m, s, kind), p + 2);
    else
        walk_item(m, walk);
}

static void walk_on(struct sandbox_match *m, struct walk *walk)
{
    const char *s = walk->s, *p = walk->p;

    switch (*p) {
    case '(':
        if (p + 1 < m->pattern_end && p[1] == ')')
            decide(walk, begin_capture(m, s, p + 2, POSITION));
        else
            decide(walk, begin_capture(m, s, p + 1, OPEN));
        return;
    case ')': decide(walk, end_capture(m, s, p + 1)); return;
    case '$':
        if (p + 1 != m->pattern_end)
            break;
        decide(walk, s == m->text_end ? s : NULL);
        return;
    case ESCAPE: walk_escape(m, walk); return;
    default: break;
    }
    walk_item(m, walk);
}

const char *sandbox_match_at(struct sandbox_match *m, const char *at,
                             const char *pattern)
{
    struct walk walk = {at, pattern, false};

    if (++m->depth > MAX_DEPTH)
        luaL_error(m->L, "pattern too complex");
    while (!walk.over && walk.p != m->pattern_end)
        walk_on(m, &walk);
    m->depth--;
    return walk.s;
}

/* ---- what was captured ---- */

void sandbox_push_capture(struct sandbox_match *m, int i, const char *at,
                          const char *end)
{
    if (i >= m->n) {
        if (i > 0)
            luaL_error(m->L, "invalid capture index %%%d", i + 1);
        lua_pushlstring(m->L, at, (size_t)(end - at));
        return;
    }
    if (m->captures[i].len == OPEN)
        luaL_error(m->L, "unfinished capture");
    if (m->captures[i].len == POSITION)
        lua_pushinteger(m->L, m->captures[i].at - m->text + 1);
    else
        lua_pushlstring(m->L, m->captures[i].at, (size_t)m->captures[i].len);
}

int sandbox_push_captures(struct sandbox_match *m, bool whole, const char *at,
                          const char *end)
{
    int n = m->n == 0 && whole ? 1 : m->n;

    luaL_checkstack(m->L, n, "too many captures");
    for (int i = 0; i < n; i++)
        sandbox_push_capture(m, i, at, end);
    return n;
}
