/* retry: every kind of call times every outcome; Retry-After; HTTP-date. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "weir/retry.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* 2023-11-14T22:13:20Z */
#define WALL 1700000000000

static const struct weir_retry_policy defaults = {0};

/* ---- what may be sent again ---- */

#define AGAIN  WEIR_RETRY_AGAIN
#define DONE   WEIR_RETRY_DONE
#define UNSAFE WEIR_RETRY_UNSAFE

#define READ  WEIR_RETRY_READ
#define TWICE WEIR_RETRY_TWICE
#define ONCE  WEIR_RETRY_ONCE

/* Every method with every way to guard it, as the contract has it. */
static const struct {
    const char *method;
    enum weir_retry_kind plain, if_match, safe, idempotent;
} methods[] = {
    {"GET", READ, READ, READ, READ},      {"HEAD", READ, READ, READ, READ},
    {"PUT", ONCE, TWICE, READ, TWICE},    {"DELETE", ONCE, TWICE, READ, TWICE},
    {"POST", ONCE, ONCE, READ, TWICE},    {"PATCH", ONCE, ONCE, READ, TWICE},
    {"OPTIONS", ONCE, ONCE, READ, TWICE}, {"TRACE", ONCE, ONCE, READ, TWICE},
    {"get", ONCE, ONCE, READ, TWICE},     {"GETS", ONCE, ONCE, READ, TWICE},
};

static void every_method_has_its_kind(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(methods); i++) {
        const char *m = methods[i].method;

        assert_int_equal(weir_retry_kind(m, false, false, false),
                         methods[i].plain);
        assert_int_equal(weir_retry_kind(m, true, false, false),
                         methods[i].if_match);
        assert_int_equal(weir_retry_kind(m, false, true, false),
                         methods[i].safe);
        assert_int_equal(weir_retry_kind(m, false, false, true),
                         methods[i].idempotent);
        /* What is given on top never takes anything away. */
        assert_int_equal(weir_retry_kind(m, true, true, true), READ);
        assert_true(weir_retry_kind(m, true, false, true) >=
                    methods[i].if_match);
    }
}

/* What the contract says of an answer: for a read, for what may be sent
 * twice, for what must be sent once; and whether it may have been done. */
struct verdict {
    enum weir_retry_reason read, twice, once;
    enum weir_retry_done done; /* where it changes something */
};

static const struct verdict final = {DONE, DONE, DONE, WEIR_DONE_NOT};
static const struct verdict refused = {AGAIN, AGAIN, AGAIN, WEIR_DONE_NOT};
static const struct verdict busy = {AGAIN, AGAIN, AGAIN, WEIR_DONE_HARDLY};
static const struct verdict unknown = {AGAIN, AGAIN, UNSAFE, WEIR_DONE_PERHAPS};
/* It would go wrong again, but may have been done. */
static const struct verdict spoilt = {DONE, DONE, UNSAFE, WEIR_DONE_PERHAPS};

static struct verdict of_status(int status)
{
    if (status == 429)
        return refused;
    if (status == 503)
        return busy;
    if (status == 501 || status == 505 || status < 500 || status > 599)
        return final;
    return unknown; /* 500, 502, 504, and what is read as 500 */
}

static struct verdict of_failure(enum weir_code code, enum weir_reach reach,
                                 bool for_good)
{
    bool passes = !for_good && (code == WEIR_TRANSPORT || code == WEIR_TIMEOUT);

    if (reach == WEIR_REACH_NONE)
        return passes ? refused : final;
    return passes ? unknown : spoilt;
}

static const struct weir_retry_input first_attempt = {
    .attempt = 1,
    .reach = WEIR_REACH_ANSWER,
    .wall_ms = WALL,
    .left_ms = -1,
    .random = 12345,
};

static void assert_verdict(const char *what, struct weir_retry_input in,
                           const struct verdict *verdict)
{
    const enum weir_retry_reason want[] = {
        [ONCE] = verdict->once,
        [TWICE] = verdict->twice,
        [READ] = verdict->read,
    };

    for (enum weir_retry_kind kind = ONCE; kind <= READ; kind++) {
        struct weir_retry_decision d;

        in.kind = kind;
        d = weir_retry_decide(&defaults, &in);
        if (d.reason != want[kind])
            fail_msg("%s, kind %d: reason %d, not %d", what, kind, d.reason,
                     want[kind]);
        if (d.done != (kind == READ ? WEIR_DONE_NOT : verdict->done))
            fail_msg("%s, kind %d: done is %d", what, kind, d.done);
        if (d.pause_all != (in.code == WEIR_OK && in.status == 429))
            fail_msg("%s: pause_all is %d", what, d.pause_all);
        if (d.reason == AGAIN && (d.wait_ms < 1 || d.wait_ms > 500))
            fail_msg("%s: waits %d ms", what, (int)d.wait_ms);
        /* The last attempt of all ends what would go on, and only that. */
        in.attempt = 4;
        d = weir_retry_decide(&defaults, &in);
        assert_int_equal(d.reason, want[kind] == AGAIN ? WEIR_RETRY_ATTEMPTS
                                                       : want[kind]);
        in.attempt = 1;
    }
}

static void every_status_has_its_verdict(void **state)
{
    struct weir_retry_input in = first_attempt;

    (void)state;
    for (in.status = 100; in.status <= 999; in.status++) {
        struct verdict want = of_status(in.status);
        char what[16];

        snprintf(what, sizeof(what), "%d", in.status);
        assert_verdict(what, in, &want);
    }
}

static void every_failure_has_its_verdict(void **state)
{
    struct weir_retry_input in = first_attempt;

    (void)state;
    for (in.code = WEIR_OK + 1; in.code < WEIR_CODES; in.code++) {
        for (in.reach = WEIR_REACH_NONE; in.reach <= WEIR_REACH_ANSWER;
             in.reach++) {
            for (int for_good = 0; for_good < 2; for_good++) {
                struct verdict want =
                    of_failure(in.code, in.reach, for_good != 0);
                char what[64];

                in.final = for_good != 0;
                snprintf(what, sizeof(what), "%s, reach %d%s",
                         weir_code_word(in.code), in.reach,
                         for_good ? ", for good" : "");
                assert_verdict(what, in, &want);
            }
        }
    }
}

static void a_policy_of_its_own_says_how_often(void **state)
{
    struct weir_retry_policy policy = {.attempts = 2};
    struct weir_retry_input in = first_attempt;

    (void)state;
    in.status = 503;
    for (in.attempt = 1; in.attempt < 9; in.attempt++)
        assert_int_equal(weir_retry_decide(&policy, &in).reason,
                         in.attempt < 2 ? AGAIN : WEIR_RETRY_ATTEMPTS);
    policy.attempts = 1;
    in.attempt = 1;
    assert_int_equal(weir_retry_decide(&policy, &in).reason,
                     WEIR_RETRY_ATTEMPTS);
}

/* ---- how long ---- */

static void backoff_doubles_up_to_the_cap_with_full_jitter(void **state)
{
    static const int64_t ceilings[] = {500,  1000,  2000,  4000,
                                       8000, 16000, 20000, 20000};
    struct weir_retry_policy many = {.attempts = 1000};
    struct weir_retry_input in = {.kind = READ,
                                  .code = WEIR_TRANSPORT,
                                  .reach = WEIR_REACH_MAYBE,
                                  .left_ms = -1};

    (void)state;
    for (unsigned n = 0; n < COUNT(ceilings); n++) {
        int64_t least = INT64_MAX, most = 0;

        in.attempt = n + 1;
        for (uint64_t random = 0; random < 40000; random++) {
            struct weir_retry_decision d;

            in.random = random;
            d = weir_retry_decide(&many, &in);
            assert_int_equal(d.reason, AGAIN);
            assert_false(d.from_server);
            least = d.wait_ms < least ? d.wait_ms : least;
            most = d.wait_ms > most ? d.wait_ms : most;
        }
        assert_int_equal(least, 1); /* never a hot loop */
        assert_int_equal(most, ceilings[n]);
    }
    in.attempt = 999; /* 2^998 does not overflow */
    in.random = UINT64_MAX;
    assert_in_range(weir_retry_decide(&many, &in).wait_ms, 1, 20000);
    many.cap_ms = INT64_MAX;
    assert_true(weir_retry_decide(&many, &in).wait_ms >= 1);
}

static struct weir_retry_decision answer(int status, const char *retry_after,
                                         int64_t left_ms)
{
    struct weir_retry_input in = {
        .attempt = 1,
        .kind = READ,
        .status = status,
        .reach = WEIR_REACH_ANSWER,
        .retry_after = &retry_after,
        .n_retry_after = retry_after ? 1 : 0,
        .wall_ms = WALL,
        .left_ms = left_ms,
        .random = 99,
    };

    return weir_retry_decide(&defaults, &in);
}

static void the_server_says_how_long(void **state)
{
    struct weir_retry_decision d;

    (void)state;
    for (int status = 429; status <= 503; status += 503 - 429) {
        d = answer(status, "5", -1);
        assert_int_equal(d.reason, AGAIN);
        assert_int_equal(d.wait_ms, 5000);
        assert_true(d.from_server);
        d = answer(status, "Tue, 14 Nov 2023 22:13:27 GMT", -1);
        assert_int_equal(d.wait_ms, 7000);
        d = answer(status, "20", -1); /* the cap itself is allowed */
        assert_int_equal(d.reason, AGAIN);
        d = answer(status, "soon", -1);
        assert_int_equal(d.wait_ms, 100); /* our own backoff */
        assert_false(d.from_server);
    }
    /* Only 429 and 503 have a Retry-After that counts here. */
    d = answer(502, "5", -1);
    assert_int_equal(d.wait_ms, 100);
}

static void at_once_still_gets_jitter(void **state)
{
    static const char *const at_once[] = {"0", "Tue, 14 Nov 2023 22:13:20 GMT",
                                          "Mon, 13 Nov 2023 22:13:20 GMT"};

    (void)state;
    for (size_t i = 0; i < COUNT(at_once); i++) {
        struct weir_retry_decision d = answer(429, at_once[i], -1);

        assert_int_equal(d.reason, AGAIN);
        assert_int_equal(d.wait_ms, 100);
        assert_int_equal(d.pause_ms, 100);
    }
}

static void longer_than_the_cap_gives_up_with_the_figure(void **state)
{
    struct weir_retry_decision d = answer(503, "3600", -1);

    (void)state;
    assert_int_equal(d.reason, WEIR_RETRY_CAP);
    assert_int_equal(d.wait_ms, 3600000);
    assert_false(d.pause_all);
    d = answer(429, "2300000000", -1);
    assert_int_equal(d.reason, WEIR_RETRY_CAP);
    assert_true(d.pause_all);
    assert_int_equal(d.pause_ms, 20000);
}

static void never_longer_than_the_deadline(void **state)
{
    (void)state;
    assert_int_equal(answer(429, "5", 5001).reason, AGAIN);
    assert_int_equal(answer(429, "5", 5000).reason, WEIR_RETRY_DEADLINE);
    assert_int_equal(answer(429, "5", 5000).wait_ms, 5000);
    assert_int_equal(answer(500, NULL, 0).reason, WEIR_RETRY_DEADLINE);
}

static void a_last_429_still_pauses_the_others(void **state)
{
    const char *five = "5";
    struct weir_retry_input in = {.attempt = 4,
                                  .status = 429,
                                  .reach = WEIR_REACH_ANSWER,
                                  .retry_after = &five,
                                  .n_retry_after = 1,
                                  .left_ms = -1};
    struct weir_retry_decision d = weir_retry_decide(&defaults, &in);

    (void)state;
    assert_int_equal(d.reason, WEIR_RETRY_ATTEMPTS);
    assert_true(d.pause_all);
    assert_int_equal(d.pause_ms, 5000);
}

/* ---- Retry-After ---- */

static void retry_after_reads_what_the_rfc_allows(void **state)
{
    static const struct {
        const char *value;
        int64_t want;
    } rows[] = {
        {"120", 120000},
        {"0", 0},
        {"007", 7000},
        {" 3 ", 3000},
        {"\t3", 3000},
        {"2300000000", 2300000000000},
        {"99999999999999999999999", INT64_MAX / 4},
        {"", -1},
        {"  ", -1},
        {"-5", -1},
        {"1.5", -1},
        {"abc", -1},
        {"+3", -1},
        {"0x10", -1},
        {"12abc", -1},
        {"1 2", -1},
        {"1e3", -1},
        {"5, 6", -1},
        {"Tue, 14 Nov 2023 22:14:20 GMT", 60000},
        {"Tuesday, 14-Nov-23 22:14:20 GMT", 60000},
        {"Tue Nov 14 22:14:20 2023", 60000},
        {"Tue, 14 Nov 2023 22:13:19 GMT", 0},
        {"Tue, 14 Nov 2023 22:14:20 CET", -1},
        {"Tue, 14 Nov 2023 22:14:20 GMT and a very long tail of words", -1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t got = weir_retry_after(&rows[i].value, 1, NULL, WALL);

        if (got != rows[i].want)
            fail_msg("\"%s\": %lld, not %lld", rows[i].value, (long long)got,
                     (long long)rows[i].want);
    }
    assert_int_equal(weir_retry_after(NULL, 0, NULL, WALL), -1);
}

static void a_date_counts_from_the_servers_clock(void **state)
{
    const char *at = "Sun, 06 Nov 1994 08:49:37 GMT";

    (void)state;
    assert_int_equal(
        weir_retry_after(&at, 1, "Sun, 06 Nov 1994 08:49:30 GMT", WALL), 7000);
    /* A Date that is none leaves our own clock, for which it is long past. */
    assert_int_equal(weir_retry_after(&at, 1, "yesterday", WALL), 0);
    assert_int_equal(weir_retry_after(&at, 1, NULL, 784111770000), 7000);
}

static void of_several_values_the_longest_counts(void **state)
{
    const char *values[] = {"abc", "3", "Tue, 14 Nov 2023 22:14:20 GMT", "59"};

    (void)state;
    assert_int_equal(weir_retry_after(values, 2, NULL, WALL), 3000);
    assert_int_equal(weir_retry_after(values, 4, NULL, WALL), 60000);
}

/* ---- HTTP-date ---- */

static void http_dates_are_read_strictly(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } rows[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
        {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
        {"Sun Nov  6 08:49:37 1994", 784111777},
        {"Wed Nov 16 08:49:37 1994", 784975777},
        {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
        {"Thu, 29 Feb 2024 12:00:00 GMT", 1709208000},
        {"Tue, 29 Feb 2000 00:00:00 GMT", 951782400},
        {"Fri, 31 Dec 9999 23:59:59 GMT", 253402300799},
        {"Sat, 31 Dec 2016 23:59:60 GMT", 1483228800},
        {"Sunday, 06-Nov-69 08:49:37 GMT", 3150953377},
        {"Wed, 31 Dec 1969 23:59:59 GMT", -1},
        {"Wed, 29 Feb 2023 12:00:00 GMT", -1},
        {"Thu, 29 Feb 2100 12:00:00 GMT", -1},
        {"Sun, 00 Nov 1994 08:49:37 GMT", -1},
        {"Sun, 31 Nov 1994 08:49:37 GMT", -1},
        {"Sun, 06 Nov 1994 24:00:00 GMT", -1},
        {"Sun, 06 Nov 1994 08:60:00 GMT", -1},
        {"Sun, 06 Nov 1994 08:49:61 GMT", -1},
        {"Sun, 6 Nov 1994 08:49:37 GMT", -1},
        {"Sun, 06 nov 1994 08:49:37 GMT", -1},
        {"Som, 06 Nov 1994 08:49:37 GMT", -1},
        {"Sun, 06 Nov 1994 08:49:37 UTC", -1},
        {"Sun, 06 Nov 1994 08:49:37", -1},
        {"Sun, 06 Nov 1994 08:49:37 GMT ", -1},
        {"Sun, 06-Nov-94 08:49:37 GMT", -1},
        {"Sun Nov 6 08:49:37 1994", -1},
        {"1994-11-06T08:49:37Z", -1},
        {"", -1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t want = rows[i].seconds < 0 ? -1 : rows[i].seconds * 1000;
        int64_t got = weir_http_date(rows[i].text);

        if (got != want)
            fail_msg("\"%s\": %lld, not %lld", rows[i].text, (long long)got,
                     (long long)want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_method_has_its_kind),
        cmocka_unit_test(every_status_has_its_verdict),
        cmocka_unit_test(every_failure_has_its_verdict),
        cmocka_unit_test(a_policy_of_its_own_says_how_often),
        cmocka_unit_test(backoff_doubles_up_to_the_cap_with_full_jitter),
        cmocka_unit_test(the_server_says_how_long),
        cmocka_unit_test(at_once_still_gets_jitter),
        cmocka_unit_test(longer_than_the_cap_gives_up_with_the_figure),
        cmocka_unit_test(never_longer_than_the_deadline),
        cmocka_unit_test(a_last_429_still_pauses_the_others),
        cmocka_unit_test(retry_after_reads_what_the_rfc_allows),
        cmocka_unit_test(a_date_counts_from_the_servers_clock),
        cmocka_unit_test(of_several_values_the_longest_counts),
        cmocka_unit_test(http_dates_are_read_strictly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
