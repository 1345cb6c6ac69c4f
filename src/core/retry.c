#include "weir/retry.h"

#include <string.h>

/* ---- Retry-After ---- */

/* Longer than any cap, and safe to add to any time. */
#define FOREVER_MS (INT64_MAX / 4)

/* Digits and nothing else, so not "-5", "1.5", "+3", "0x10" or "12abc". */
static int64_t delta_seconds(const char *text, size_t len)
{
    int64_t seconds = 0;

    if (len == 0)
        return -1;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        if (seconds < FOREVER_MS / 1000)
            seconds = seconds * 10 + (text[i] - '0');
    }
    return seconds < FOREVER_MS / 1000 ? seconds * 1000 : FOREVER_MS;
}

/* The header's text without the optional white space around it. */
static const char *trimmed(const char *text, size_t *len)
{
    *len = strlen(text);
    while (*len && (*text == ' ' || *text == '\t')) {
        text++;
        --*len;
    }
    while (*len && (text[*len - 1] == ' ' || text[*len - 1] == '\t'))
        --*len;
    return text;
}

/* An HTTP-date as a distance from `from_ms`, a past one as 0; or -1. */
static int64_t until_date(const char *text, size_t len, int64_t from_ms)
{
    char copy[48]; /* the longest form has 33 characters */
    int64_t at;

    if (len >= sizeof(copy))
        return -1;
    memcpy(copy, text, len);
    copy[len] = '\0';
    at = weir_http_date(copy);
    if (at < 0)
        return -1;
    return at > from_ms ? at - from_ms : 0;
}

int64_t weir_retry_after(const char *const *values, size_t n, const char *date,
                         int64_t wall_ms)
{
    /* The server's own clock counts, since ours may be wrong. */
    int64_t from_ms = date ? weir_http_date(date) : -1;
    int64_t longest = -1;

    if (from_ms < 0)
        from_ms = wall_ms;
    for (size_t i = 0; i < n; i++) {
        size_t len;
        const char *text = trimmed(values[i], &len);
        int64_t wait = delta_seconds(text, len);

        if (wait < 0)
            wait = until_date(text, len, from_ms);
        if (wait > longest)
            longest = wait;
    }
    return longest;
}

/* ---- what may be sent again ---- */

enum weir_retry_kind weir_retry_kind(const char *method, bool if_match,
                                     bool safe, bool idempotent)
{
    bool guarded = if_match && (strcmp(method, "PUT") == 0 ||
                                strcmp(method, "DELETE") == 0);

    if (safe || strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
        return WEIR_RETRY_READ;
    return guarded || idempotent ? WEIR_RETRY_TWICE : WEIR_RETRY_ONCE;
}

static bool is_server_trouble(int status)
{
    /* 501 and 505: the server cannot do this at all. */
    return status >= 500 && status <= 599 && status != 501 && status != 505;
}

static enum weir_retry_done done(const struct weir_retry_input *in)
{
    if (in->kind == WEIR_RETRY_READ)
        return WEIR_DONE_NOT;
    if (in->code != WEIR_OK)
        return in->reach == WEIR_REACH_NONE ? WEIR_DONE_NOT : WEIR_DONE_PERHAPS;
    if (in->status == 503)
        return WEIR_DONE_HARDLY;
    return is_server_trouble(in->status) ? WEIR_DONE_PERHAPS : WEIR_DONE_NOT;
}

enum verdict { FINAL, UNSAFE, REPEAT };

static enum verdict judge(const struct weir_retry_input *in)
{
    if (in->kind == WEIR_RETRY_ONCE && done(in) == WEIR_DONE_PERHAPS)
        return UNSAFE;
    if (in->code == WEIR_OK)
        return in->status == 429 || is_server_trouble(in->status) ? REPEAT
                                                                  : FINAL;
    if (in->final)
        return FINAL;
    /* Whatever else went wrong (an answer too large, not HTTP) would go
     * wrong again. */
    return in->code == WEIR_TRANSPORT || in->code == WEIR_TIMEOUT ? REPEAT
                                                                  : FINAL;
}

/* ---- how long to wait ---- */

/* Full jitter: anywhere up to a ceiling that doubles with every attempt
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 * At least 1 ms, so that no bad luck makes a hot loop. */
static int64_t backoff(const struct weir_retry_policy *policy,
                       const struct weir_retry_input *in)
{
    int64_t ceiling = policy->base_ms;

    for (unsigned i = 1; i < in->attempt && ceiling < policy->cap_ms; i++)
        ceiling = ceiling > INT64_MAX / 2 ? INT64_MAX : ceiling * 2;
    if (ceiling > policy->cap_ms)
        ceiling = policy->cap_ms;
    return 1 + (int64_t)(in->random % (uint64_t)ceiling);
}

static struct weir_retry_policy
with_defaults(const struct weir_retry_policy *policy)
{
    struct weir_retry_policy p = *policy;

    if (p.attempts == 0)
        p.attempts = WEIR_RETRY_ATTEMPTS_DEFAULT;
    if (p.base_ms <= 0)
        p.base_ms = WEIR_RETRY_BASE_MS_DEFAULT;
    if (p.cap_ms <= 0)
        p.cap_ms = WEIR_RETRY_CAP_MS_DEFAULT;
    return p;
}

/* How long to wait, by the server's word or by our own backoff. */
static void choose_wait(const struct weir_retry_policy *policy,
                        const struct weir_retry_input *in,
                        struct weir_retry_decision *d)
{
    int64_t asked = -1;

    if (in->code == WEIR_OK && (in->status == 429 || in->status == 503))
        asked = weir_retry_after(in->retry_after, in->n_retry_after, in->date,
                                 in->wall_ms);
    d->from_server = asked > 0;
    /* "At once" from the server gets jitter all the same: everyone who was
     * turned away hears the same answer. */
    d->wait_ms = asked > 0 ? asked : backoff(policy, in);
}

struct weir_retry_decision
weir_retry_decide(const struct weir_retry_policy *policy,
                  const struct weir_retry_input *in)
{
    struct weir_retry_policy p = with_defaults(policy);
    struct weir_retry_decision d = {.reason = WEIR_RETRY_DONE,
                                    .done = done(in)};
    enum verdict verdict = judge(in);

    if (verdict == FINAL)
        return d;
    if (verdict == UNSAFE) {
        d.reason = WEIR_RETRY_UNSAFE;
        return d;
    }
    choose_wait(&p, in, &d);
    if (in->code == WEIR_OK && in->status == 429) {
        /* Everyone waits, also where this call gives up; but one answer that
         * says "tomorrow" does not silence a client until tomorrow. */
        d.pause_all = true;
        d.pause_ms = d.wait_ms < p.cap_ms ? d.wait_ms : p.cap_ms;
    }
    if (in->attempt >= p.attempts)
        d.reason = WEIR_RETRY_ATTEMPTS;
    else if (d.wait_ms > p.cap_ms)
        d.reason = WEIR_RETRY_CAP;
    else if (in->left_ms >= 0 && d.wait_ms >= in->left_ms)
        d.reason = WEIR_RETRY_DEADLINE;
    else
        d.reason = WEIR_RETRY_AGAIN;
    return d;
}
