/*
 * A secret is looked for in all its spellings at once: at every place of the
 * text, each unit (redact_read.h) is read as every byte it may stand for, and
 * the walk through the secrets goes on with that byte.  So it does not matter
 * which bytes an encoder chose to encode, how often, nor in which case it
 * writes its digits.
 */
#include "redact.h"

#include <stdlib.h>
#include <string.h>

/* As much of a longer secret is as good as all of it. */
#define TELLING_LEN ((size_t)16)
/* From here on a line break inside a secret is taken for a folded line. */
#define FOLD_LEN ((size_t)8)
/* Two readings can both go on only where one secret looks like another
 * encoded; more of them in a row than this are no accident of use. */
#define FORKS_MAX 32
/* Base64 of base64. */
#define NESTING_MAX 2

struct state {
    size_t at;
    struct weir_secrets_range range;
    bool folded; /* what came last belongs to no secret */
};

struct walk {
    struct weir_redaction *work;
    const struct weir_reading *text;
    size_t end; /* of the longest secret found; 0: none */
};

static void reach(struct walk *walk, size_t end)
{
    if (end > walk->end)
        walk->end = end;
}

/* Notes what ends here; false if the walk is over. */
static bool look(struct walk *walk, const struct state *here)
{
    size_t end;

    if (!here->folded && (weir_secrets_ends(walk->work->secrets, here->range) ||
                          here->range.depth >= TELLING_LEN))
        reach(walk, here->at);
    if (here->range.depth >= WEIR_SECRET_MIN &&
        weir_reading_is_cut(walk->text, here->at, &end))
        reach(walk, end);
    if (walk->work->budget == 0)
        return false;
    walk->work->budget--;
    return here->at < walk->text->len;
}

static struct weir_secrets_range go_on(const struct walk *walk,
                                       struct weir_secrets_range range,
                                       const struct weir_unit *unit)
{
    for (size_t i = 0; i < unit->n && !weir_secrets_none(range); i++)
        range = weir_secrets_narrow(walk->work->secrets, range, unit->bytes[i]);
    return range;
}

/* A line break, or what errors show in place of one. */
static bool is_fold(const struct weir_unit *unit)
{
    return unit->n == 1 && unit->bytes[0] && strchr("\r\n\t ?", unit->bytes[0]);
}

/* Where the walk can go from here: at most one state a reading, or two where
 * it may also be a fold. */
static size_t next_states(struct walk *walk, struct state from,
                          struct state out[2 * (WEIR_UNIT_LEVELS + 1)])
{
    struct weir_unit units[WEIR_UNIT_LEVELS + 1];
    size_t n_units = weir_unit_readings(walk->text, from.at, units), n = 0;

    for (size_t i = 0; i < n_units; i++) {
        struct state to = {from.at + units[i].size,
                           go_on(walk, from.range, &units[i]), false};

        if (!weir_secrets_none(to.range))
            out[n++] = to;
        if (from.range.depth >= FOLD_LEN && is_fold(&units[i]))
            out[n++] = (struct state){to.at, from.range, true};
    }
    return n;
}

static void follow(struct walk *walk, struct state state, unsigned forks)
{
    struct state next[2 * (WEIR_UNIT_LEVELS + 1)];

    while (look(walk, &state)) {
        size_t n = next_states(walk, state, next);

        if (n == 0)
            return;
        if (n > 1 && forks == FORKS_MAX) {
            walk->work->budget = 0;
            return;
        }
        for (size_t i = 1; i < n; i++)
            follow(walk, next[i], forks + 1);
        state = next[0];
    }
}

/* A backslash that is left alone before "[redacted]" would spoil JSON. */
static size_t before_escape(const struct weir_reading *text, size_t start)
{
    while (start > 0 && text->bytes[start - 1] == '\\')
        start--;
    return start;
}

static void find_starts(const struct weir_secrets *secrets, bool starts[256])
{
    for (size_t byte = 0; byte < 256; byte++)
        starts[byte] = secrets->first[byte] < secrets->first[byte + 1];
    starts['%'] = starts['\\'] = true;
    starts['+'] = starts['+'] || starts[' '];
    starts['~'] = starts['~'] || starts['/'];
}

enum weir_code weir_redact_mark(struct weir_redaction *work,
                                const struct weir_reading *text, int nesting,
                                bool *hide)
{
    struct weir_secrets_range all = weir_secrets_all(work->secrets);
    size_t hidden = 0; /* up to here */

    for (size_t at = 0; at < text->len && work->budget > 0; at++) {
        struct walk walk = {work, text, 0};
        size_t start = at;

        if (!work->starts[(unsigned char)text->bytes[at]])
            continue;
        follow(&walk, (struct state){at, all, false}, 0);
        if (walk.end <= hidden)
            continue;
        start = start < hidden ? hidden : before_escape(text, start);
        memset(hide + start, true, walk.end - start);
        hidden = walk.end;
    }
    if (nesting < NESTING_MAX && work->budget > 0)
        return weir_redact_base64(work, text, nesting + 1, hide);
    return WEIR_OK;
}

static void write(const struct weir_reading *text, const bool *hide,
                  struct weir_buf *out)
{
    for (size_t at = 0; at < text->len;) {
        size_t end = at;

        while (end < text->len && hide[end] == hide[at])
            end++;
        if (hide[at])
            weir_buf_adds(out, WEIR_REDACTED);
        else
            weir_buf_add(out, text->bytes + at, end - at);
        at = end;
    }
}

/* Texts of use take two or three steps a byte. */
static size_t budget_for(size_t len)
{
    return 4096 + (len > SIZE_MAX / 128 ? SIZE_MAX / 2 : len * 64);
}

enum weir_code weir_redact(const struct weir_secrets *secrets, const char *text,
                           size_t len, bool cut, struct weir_buf *out)
{
    struct weir_reading reading = {text, len, cut};
    struct weir_redaction work = {.secrets = secrets,
                                  .budget = budget_for(len)};
    enum weir_code code;
    bool *hide;

    if (secrets->n == 0 || len == 0)
        return weir_buf_add(out, text, len);
    hide = calloc(len, sizeof(*hide));
    if (!hide)
        return out->failed = WEIR_NOMEM;
    find_starts(secrets, work.starts);
    code = weir_redact_mark(&work, &reading, 0, hide);
    if (work.budget == 0)
        memset(hide, true, len);
    if (code)
        out->failed = code;
    else
        write(&reading, hide, out);
    free(hide);
    return out->failed;
}
