#include "weir/changes.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "changes_internal.h"
#include "reply_internal.h"
#include "weir/buf.h"
#include "weir/json.h"

/* One change: a URL of 2,000 bytes takes six times that at the most. */
#define MAX_CHANGE ((size_t)16 * 1024)
#define MAX_URL    2048
#define SEPARATOR  ",\n    "

const char *weir_change_word(enum weir_change_outcome outcome)
{
    static const char *const words[] = {"done", "refused", "ambiguous",
                                        "not_sent", "would_send"};

    return words[outcome];
}

enum weir_code weir_changes_new(const struct weir_clock *clock,
                                const struct weir_log *log,
                                struct weir_changes **out, struct weir_err *err)
{
    struct weir_changes *changes = calloc(1, sizeof(*changes));

    if (!changes)
        return weir_err_nomem(err);
    changes->clock = clock ? clock : weir_clock_system();
    changes->log = log;
    weir_buf_init(&changes->line, MAX_CHANGE);
    *out = changes;
    return WEIR_OK;
}

void weir_changes_free(struct weir_changes *changes)
{
    struct chunk *next;

    if (!changes)
        return;
    for (struct chunk *at = changes->first; at; at = next) {
        next = at->next;
        free(at);
    }
    weir_buf_fini(&changes->line);
    free(changes);
}

/* ---- one change as text ---- */

static void add_time(struct weir_buf *line, const struct weir_clock *clock)
{
    time_t seconds = clock->wall(clock->ud) / 1000;
    char when[40];
    struct tm tm;

    gmtime_r(&seconds, &tm);
    strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
    weir_buf_addf(line, "{\"time\":\"%s\"", when);
}

/* Text of a server or of a script: one line, and without secrets. */
static void add_text(struct weir_changes *changes, const char *name,
                     const char *text, size_t len)
{
    struct weir_buf redacted;
    char plain[MAX_URL];

    weir_buf_init(&redacted, 2 * sizeof(plain));
    weir_reply_line(plain, sizeof(plain), text, len);
    if (weir_log_redact(changes->log, plain, strlen(plain), &redacted)) {
        weir_buf_reset(&redacted);
        weir_buf_adds(&redacted, "[redacted]");
    }
    weir_buf_addf(&changes->line, ",\"%s\":", name);
    weir_json_quote(&changes->line, weir_buf_str(&redacted), redacted.len);
    weir_buf_fini(&redacted);
}

static void write_line(struct weir_changes *changes,
                       const struct weir_change *change)
{
    struct weir_buf *line = &changes->line;

    weir_buf_reset(line);
    weir_buf_adds(line, SEPARATOR);
    add_time(line, changes->clock);
    add_text(changes, "method", change->method, strlen(change->method));
    add_text(changes, "url", change->url, strcspn(change->url, "?#"));
    weir_buf_addf(line, ",\"outcome\":\"%s\"",
                  weir_change_word(change->outcome));
    if (change->code)
        weir_buf_addf(line, ",\"code\":\"%s\"", weir_code_word(change->code));
    if (change->status)
        weir_buf_addf(line, ",\"status\":%d", change->status);
    if (change->request_id && change->request_id[0])
        add_text(changes, "request_id", change->request_id,
                 strlen(change->request_id));
    weir_buf_addf(line, ",\"tries\":%u", change->tries);
    if (change->maybe_twice)
        weir_buf_adds(line, ",\"maybe_twice\":true");
    weir_buf_addc(line, '}');
}

/* ---- keeping it ---- */

static bool add_chunk(struct weir_changes *changes)
{
    struct chunk *chunk = malloc(sizeof(*chunk));

    if (!chunk)
        return false;
    atomic_init(&chunk->next, NULL);
    atomic_init(&chunk->len, 0);
    if (changes->last)
        changes->last->next = chunk;
    else
        changes->first = chunk;
    changes->last = chunk;
    return true;
}

/* What was done is the bulk of a large run; what was not is what its reader
 * looks for. */
static size_t ceiling(enum weir_change_outcome outcome)
{
    if (outcome == WEIR_CHANGE_DONE || outcome == WEIR_CHANGE_WOULD_SEND)
        return WEIR_CHANGES_MAX / 4 * 3;
    return WEIR_CHANGES_MAX;
}

/* False if there is no room. */
static bool keep(struct weir_changes *changes, enum weir_change_outcome outcome)
{
    const struct weir_buf *line = &changes->line;
    struct chunk *last = changes->last;

    if (line->failed || changes->size + line->len > ceiling(outcome))
        return false;
    if ((!last || last->len + line->len > CHUNK) && !add_chunk(changes))
        return false;
    last = changes->last;
    memcpy(last->text + last->len, line->data, line->len);
    last->len += line->len;
    changes->size += line->len;
    return true;
}

void weir_changes_sent(struct weir_changes *changes)
{
    if (changes)
        changes->under_way++;
}

void weir_changes_add(struct weir_changes *changes,
                      const struct weir_change *change)
{
    if (!changes)
        return;
    write_line(changes, change);
    if (!keep(changes, change->outcome))
        changes->more++;
    changes->of[change->outcome]++;
    if (change->tries > 0)
        changes->under_way--;
}

/* ---- reading it ---- */

struct weir_changes_counts
weir_changes_counts(const struct weir_changes *changes)
{
    struct weir_changes_counts counts = {.more = changes->more,
                                         .under_way = changes->under_way};

    for (int i = 0; i < WEIR_CHANGE_OUTCOMES; i++)
        counts.of[i] = changes->of[i];
    return counts;
}

void weir_changes_text(const struct weir_changes *changes,
                       void (*write)(void *ud, const char *text, size_t len),
                       void *ud)
{
    size_t skip = sizeof(SEPARATOR) - 1; /* before the first */

    for (const struct chunk *at = changes->first; at; at = at->next) {
        size_t len = at->len;

        if (len > skip)
            write(ud, at->text + skip, len - skip);
        skip = 0;
    }
}
