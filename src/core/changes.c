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

/* Many changes end in one second. */
static void add_time(struct weir_changes *changes)
{
    time_t seconds = changes->clock->wall(changes->clock->ud) / 1000;
    struct tm tm;

    if (seconds != changes->second || !changes->when[0]) {
        gmtime_r(&seconds, &tm);
        strftime(changes->when, sizeof(changes->when), "%Y-%m-%dT%H:%M:%SZ",
                 &tm);
        changes->second = seconds;
    }
    weir_buf_adds(&changes->line, "{\"time\":\"");
    weir_buf_adds(&changes->line, changes->when);
}

/* What a server or a script has written, each on one line: redacted together,
 * since looking for all secrets is what costs here. */
struct foreign {
    struct weir_buf text;
    size_t url_len; /* the request id stands behind it, after a newline */
};

static void read_foreign(const struct weir_changes *changes,
                         const struct weir_change *change, struct foreign *out)
{
    char plain[2 * MAX_URL];
    const char *id = change->request_id ? change->request_id : "";
    size_t len;

    weir_reply_line(plain, MAX_URL, change->url, strcspn(change->url, "?#"));
    len = strlen(plain);
    plain[len++] = '\n';
    weir_reply_line(plain + len, MAX_URL, id, strlen(id));
    weir_buf_init(&out->text, 2 * sizeof(plain));
    if (weir_log_redact(changes->log, plain, strlen(plain), &out->text)) {
        weir_buf_reset(&out->text);
        weir_buf_adds(&out->text, "[redacted]");
    }
    out->url_len = strcspn(weir_buf_str(&out->text), "\n");
}

static void add_foreign(struct weir_changes *changes,
                        const struct foreign *foreign, bool id)
{
    const char *text = weir_buf_str(&foreign->text);
    size_t from = id ? foreign->url_len + 1 : 0;
    size_t to = id ? foreign->text.len : foreign->url_len;

    if (from >= to)
        return; /* none */
    weir_buf_adds(&changes->line, id ? ",\"request_id\":" : ",\"url\":");
    weir_json_quote(&changes->line, text + from, to - from);
}

static void add_word(struct weir_buf *line, const char *name, const char *word)
{
    weir_buf_adds(line, name);
    weir_buf_adds(line, word);
    weir_buf_addc(line, '"');
}

static void write_line(struct weir_changes *changes,
                       const struct weir_change *change)
{
    struct weir_buf *line = &changes->line;
    struct foreign foreign;

    read_foreign(changes, change, &foreign);
    weir_buf_reset(line);
    weir_buf_adds(line, SEPARATOR);
    add_time(changes);
    weir_buf_adds(line, "\",\"method\":");
    weir_json_quote(line, change->method, strlen(change->method));
    add_foreign(changes, &foreign, false);
    add_word(line, ",\"outcome\":\"", weir_change_word(change->outcome));
    if (change->code)
        add_word(line, ",\"code\":\"", weir_code_word(change->code));
    if (change->status)
        weir_buf_addf(line, ",\"status\":%d", change->status);
    add_foreign(changes, &foreign, true);
    weir_buf_addf(line, ",\"tries\":%u", change->tries);
    if (change->maybe_twice)
        weir_buf_adds(line, ",\"maybe_twice\":true");
    weir_buf_addc(line, '}');
    weir_buf_fini(&foreign.text);
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
