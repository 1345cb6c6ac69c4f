/*
 * retry_after: whatever a server writes into Retry-After and Date, the
 * decision is bounded: never a wait below 1 ms, above the cap or beyond the
 * deadline, never a call repeated that must not be.
 *
 * Twelve bytes of circumstances, then parts: Date, then Retry-After values.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fuzz.h"
#include "weir/retry.h"

#define VALUES_MAX 8

/* ---- the values ---- */

/* A date that is read, written as RFC 9110 asks, is read the same. */
static void check_date(const char *text)
{
    int64_t ms = weir_http_date(text);
    time_t seconds = ms / 1000;
    struct tm tm;
    char fixed[64];

    FUZZ_CHECK(ms >= -1 && (ms == -1 || ms % 1000 == 0));
    if (ms < 0)
        return;
    FUZZ_CHECK(gmtime_r(&seconds, &tm));
    /* The leap second after the last minute of a year with four digits. */
    if (tm.tm_year + 1900 == 10000)
        return;
    /* Names of days and months in the C locale, which is that of a target. */
    strftime(fixed, sizeof(fixed), "%a, %d %b %Y %H:%M:%S GMT", &tm);
    FUZZ_CHECK(weir_http_date(fixed) == ms);
}

/* A value is digits, or has the letters of a date, or counts for nothing. */
static void check_value(const char *value, const char *date, int64_t wall_ms)
{
    int64_t ms = weir_retry_after(&value, 1, date, wall_ms);
    size_t digits;
    bool whole;

    FUZZ_CHECK(ms >= -1);
    value += strspn(value, " \t");
    digits = strspn(value, "0123456789");
    whole = digits > 0 && value[digits + strspn(value + digits, " \t")] == '\0';
    if (whole && digits <= 12) {
        FUZZ_CHECK(ms == strtoll(value, NULL, 10) * 1000);
    } else if (whole) {
        FUZZ_CHECK(ms >= 0);
    } else if (!strchr(value, ':')) {
        FUZZ_CHECK(ms == -1);
    }
}

/* ---- the decision ---- */

static void check_decision(const struct weir_retry_policy *policy,
                           const struct weir_retry_input *in)
{
    struct weir_retry_decision d = weir_retry_decide(policy, in);
    int64_t cap =
        policy->cap_ms > 0 ? policy->cap_ms : WEIR_RETRY_CAP_MS_DEFAULT;
    unsigned attempts =
        policy->attempts ? policy->attempts : WEIR_RETRY_ATTEMPTS_DEFAULT;
    bool turned_away =
        in->code == WEIR_OK && (in->status == 429 || in->status == 503);

    FUZZ_CHECK(d.wait_ms >= 0 && d.pause_ms >= 0 && d.pause_ms <= cap);
    FUZZ_CHECK(d.pause_all == (in->code == WEIR_OK && in->status == 429));
    FUZZ_CHECK(!d.from_server || turned_away);
    FUZZ_CHECK(!d.pause_all || d.pause_ms > 0);
    if (d.reason != WEIR_RETRY_AGAIN)
        return;
    FUZZ_CHECK(d.wait_ms >= 1 && d.wait_ms <= cap);
    FUZZ_CHECK(in->left_ms < 0 || d.wait_ms < in->left_ms);
    FUZZ_CHECK(in->attempt < attempts);
    FUZZ_CHECK(in->kind != WEIR_RETRY_ONCE || d.done != WEIR_DONE_PERHAPS);
    FUZZ_CHECK(in->kind != WEIR_RETRY_ONCE || turned_away ||
               (in->code != WEIR_OK && in->reach == WEIR_REACH_NONE));
    FUZZ_CHECK(!(in->code != WEIR_OK && in->final));
    FUZZ_CHECK(in->code != WEIR_OK || in->status >= 429);
}

static int64_t number(struct fuzz_text *rest)
{
    unsigned high = fuzz_byte(rest);
    int64_t value = (int64_t)((high & 0x1F) << 8 | fuzz_byte(rest));

    /* Small, large, negative, and about all that fits. */
    switch (high >> 5) {
    case 0: return -value;
    case 1: return value * 1000000;
    case 2: return INT64_MAX - value;
    case 3: return INT64_MIN + value;
    default: return value;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int statuses[] = {200, 204, 301, 400, 404, 408, 409, 418,
                                   429, 429, 500, 501, 502, 503, 503, 504};
    static const enum weir_code codes[] = {
        WEIR_OK,      WEIR_OK,        WEIR_OK,    WEIR_OK,
        WEIR_TIMEOUT, WEIR_TRANSPORT, WEIR_LIMIT, WEIR_PROTOCOL};
    struct fuzz_text rest = {(const char *)data, size}, part;
    unsigned first = fuzz_byte(&rest), second = fuzz_byte(&rest);
    char *values[VALUES_MAX], *date = NULL;
    struct weir_retry_input in = {
        .attempt = 1 + (first & 7),
        .kind = (enum weir_retry_kind)((second >> 5 & 3) % 3),
        .status = statuses[first >> 4],
        .code = codes[second & 7],
        .reach = (enum weir_reach)((second >> 3) % 3),
        .final = second & 0x80,
        .random = fuzz_byte(&rest) * 0x0101010101010101ULL,
    };
    struct weir_retry_policy policy = {.attempts = fuzz_byte(&rest) & 7};
    int64_t together, longest = -1;
    size_t n = 0;

    policy.base_ms = number(&rest);
    policy.cap_ms = number(&rest);
    in.left_ms = number(&rest);
    in.wall_ms = number(&rest) & INT64_MAX;
    if (fuzz_part(&rest, &part) && part.len)
        date = fuzz_string(part);
    while (n < VALUES_MAX && fuzz_part(&rest, &part))
        values[n++] = fuzz_string(part);
    in.date = date;
    in.retry_after = (const char *const *)values;
    in.n_retry_after = n;

    if (date)
        check_date(date);
    for (size_t i = 0; i < n; i++) {
        int64_t one = weir_retry_after(&in.retry_after[i], 1, date, in.wall_ms);

        check_date(values[i]);
        check_value(values[i], date, in.wall_ms);
        longest = one > longest ? one : longest;
    }
    together = weir_retry_after(in.retry_after, n, date, in.wall_ms);
    FUZZ_CHECK(together == longest);
    check_decision(&policy, &in);
    for (size_t i = 0; i < n; i++)
        free(values[i]);
    free(date);
    return 0;
}
