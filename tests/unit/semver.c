/* Versions: what is one, and which of two is the newer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "weir/semver.h"

static enum weir_code check(const char *text)
{
    return weir_semver_check(text, strlen(text), NULL);
}

static void test_valid(void **state)
{
    static const char *const good[] = {
        "0.0.0",          "1.4.0",
        "10.20.30",       "1.0.0-alpha",
        "1.0.0-rc.1",     "1.0.0-0.3.7",
        "1.0.0-x-y-z.--", "1.0.0-1a",
        "1.0.0-a.b-c",    "99999999999999999999.0.0"};

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        if (check(good[i]) != WEIR_OK)
            fail_msg("%s is refused", good[i]);
    }
}

static void test_invalid(void **state)
{
    static const struct {
        const char *text, *why;
    } bad[] = {
        {"", "three numbers"},
        {"1", "three numbers"},
        {"1.2", "three numbers"},
        {"1.2.3.4", "three numbers"},
        {"v1.2.3", "three numbers"},
        {"1.2.x", "three numbers"},
        {"1..3", "three numbers"},
        {"1.2.", "three numbers"},
        {"-1.2.3", "three numbers"},
        {"01.2.3", "begins with 0"},
        {"1.2.03", "begins with 0"},
        {"1.2.3-", "empty word"},
        {"1.2.3-a..b", "empty word"},
        {"1.2.3-01", "begins with 0"},
        {"1.2.3+5", "build metadata"},
        {"1.2.3-a_b", "no version can have"},
        {" 1.2.3", "three numbers"},
        {"1.2.3\n", "three numbers"},
        {"1.2.3-\xc3\xa4", "no version can have"},
    };
    char big[80];

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct weir_err err = WEIR_ERR_INIT;

        assert_int_equal(
            weir_semver_check(bad[i].text, strlen(bad[i].text), &err),
            WEIR_VALIDATION);
        if (!strstr(err.message, bad[i].why))
            fail_msg("%s: %s", bad[i].text, err.message);
    }
    memset(big, '1', sizeof(big));
    memcpy(big, "1.2.", 4);
    assert_int_equal(weir_semver_check(big, 64, NULL), WEIR_OK);
    assert_int_equal(weir_semver_check(big, 65, NULL), WEIR_VALIDATION);
    assert_int_equal(weir_semver_check("1.2.3\0", 6, NULL), WEIR_VALIDATION);
}

/* Each is older than the next: the specification's own list and more. */
static void test_order(void **state)
{
    static const char *const order[] = {
        "0.0.1",         "0.1.0",
        "1.0.0-0",       "1.0.0-2",
        "1.0.0-10",      "1.0.0-alpha",
        "1.0.0-alpha.1", "1.0.0-alpha.beta",
        "1.0.0-beta",    "1.0.0-beta.2",
        "1.0.0-beta.11", "1.0.0-beta.11.0",
        "1.0.0-rc",      "1.0.0-rc.1",
        "1.0.0-rc-1",    "1.0.0",
        "1.2.0",         "1.10.0",
        "2.0.0-a",       "2.0.0",
        "10.0.0",        "18446744073709551616.0.0"};
    size_t n = sizeof(order) / sizeof(order[0]);

    (void)state;
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(check(order[i]), WEIR_OK);
        for (size_t j = 0; j < n; j++) {
            int got = weir_semver_compare(order[i], order[j]);

            if ((got > 0) - (got < 0) != (i > j) - (i < j))
                fail_msg("%s %s: %d", order[i], order[j], got);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_invalid),
        cmocka_unit_test(test_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
