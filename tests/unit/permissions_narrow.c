/* permissions: narrowed, and never widened. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grants.h"

/* ---- narrowing ---- */

static void only_what_both_grant_is_left(void **state)
{
    struct weir_permissions *p = grants_parse(
        "{\"net\":[\"*.a.test\",\"b.test\",\"10.0.0.0/8\",\"localhost\","
        "\"tenant\"],\"read\":[\"/srv\",\"/etc/x\"],\"write\":[\"/srv\"],"
        "\"env\":[\"A\",\"B\"],\"mutate\":true}");
    struct weir_permissions *q = grants_narrow(
        p, WEIR_PERMISSIONS_EVERY,
        "{\"net\":[\"x.a.test:443\",\"a.test\",\"*.b.test\",\"10.1.0.0/16\","
        "\"127.0.0.0/8:80\",\"acme.test\"],\"read\":[\"/\"],"
        "\"write\":[\"/srv/out\",\"/var\"],\"env\":[\"B\",\"C\"],"
        "\"mutate\":false}",
        "a policy");

    (void)state;
    grants_assert_json(
        q, "{\"env\":[\"B\"],\"mutate\":false,\"net\":["
           "\"10.1.0.0/16\",\"127.0.0.0/8:80\",\"tenant=*.b.test\","
           "\"tenant=a.test\",\"tenant=acme.test\",\"x.a.test:443\"],"
           "\"read\":[\"/etc/x\",\"/srv\"],"
           "\"write\":[\"/srv/out\"]}");
    weir_permissions_free(p);
    weir_permissions_free(q);
}

static void what_is_not_named_stays(void **state)
{
    struct weir_permissions *p =
        grants_parse("{\"net\":[\"a.test\"],\"env\":[\"A\"],\"mutate\":true}");
    struct weir_permissions *q = grants_narrow(
        p, WEIR_PERMISSION_BIT(WEIR_PERMISSION_NET), "{}", "--deny-net");

    (void)state;
    grants_assert_json(
        q, "{\"env\":[\"A\"],\"mutate\":true,\"net\":[],\"read\":[],"
           "\"write\":[]}");
    weir_permissions_free(p);
    weir_permissions_free(q);
}

/* Every pair of these, asked every one of those: what is left grants a thing
 * exactly if both do. */
static const char *const rules[] = {
    "tenant",
    "tenant:443",
    "tenant=acme.test",
    "tenant=10.0.0.0/8",
    "tenant=169.254.0.0/16",
    "tenant=localhost",
    "acme.test",
    "*.test",
    "*.acme.test",
    "x.acme.test:443",
    "acme.test:8080",
    "localhost",
    "localhost:8080",
    "127.0.0.1",
    "127.0.0.0/8:8080",
    "::1",
    "::/0",
    "0.0.0.0/0",
    "10.0.0.0/8",
    "10.1.0.0/16:443",
    "169.254.0.0/16",
    "fe80::/10",
};
static const char *const hosts[] = {
    "acme.test", "x.acme.test", "y.x.acme.test",   "other.test",
    "localhost", "127.0.0.1",   "[::1]",           "10.1.2.3",
    "10.2.0.1",  "8.8.8.8",     "169.254.169.254", "[fe80::1]",
};
static const char *const addresses[] = {
    "127.0.0.1",       "::1",     "10.1.2.3", "10.2.0.1",
    "169.254.169.254", "8.8.8.8", "fe80::1",  "2606:4700::1",
};
static const unsigned ports[] = {443, 8080};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static void check_meet(const struct weir_permissions *a,
                       const struct weir_permissions *b,
                       const struct weir_permissions *both, const char *host,
                       unsigned port)
{
    if ((weir_permissions_connect(both, host, port, NULL) == WEIR_OK) !=
        (!weir_permissions_connect(a, host, port, NULL) &&
         !weir_permissions_connect(b, host, port, NULL)))
        fail_msg("%s:%u", host, port);
    for (size_t i = 0; i < COUNT(addresses); i++) {
        bool in_a =
            !weir_permissions_address(a, host, port, addresses[i], NULL);
        bool in_b =
            !weir_permissions_address(b, host, port, addresses[i], NULL);
        bool in_both =
            !weir_permissions_address(both, host, port, addresses[i], NULL);

        if (in_both != (in_a && in_b))
            fail_msg("%s:%u at %s: %d, %d, both %d", host, port, addresses[i],
                     in_a, in_b, in_both);
    }
}

static struct weir_permissions *two_hosts(const char *one, const char *two)
{
    struct weir_permissions *p = NULL;

    assert_int_equal(weir_permissions_new(WEIR_PERMISSIONS_DECLARED, &p, NULL),
                     WEIR_OK);
    assert_int_equal(
        weir_permissions_grant(p, WEIR_PERMISSION_NET, one, strlen(one), NULL),
        WEIR_OK);
    assert_int_equal(
        weir_permissions_grant(p, WEIR_PERMISSION_NET, two, strlen(two), NULL),
        WEIR_OK);
    assert_int_equal(weir_permissions_tenant(p, "https://acme.test", NULL),
                     WEIR_OK);
    assert_int_equal(weir_permissions_tenant(p, "http://127.0.0.1:8080", NULL),
                     WEIR_OK);
    return p;
}

static void narrowing_is_exactly_what_both_grant(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rules); i++) {
        for (size_t j = 0; j < COUNT(rules); j++) {
            struct weir_permissions *a =
                two_hosts(rules[i], rules[(i * 7 + 3) % COUNT(rules)]);
            struct weir_permissions *b =
                two_hosts(rules[j], rules[(j * 5 + 1) % COUNT(rules)]);
            struct weir_permissions *both = NULL;

            assert_int_equal(weir_permissions_narrow(a, WEIR_PERMISSIONS_EVERY,
                                                     b, "b", &both, NULL),
                             WEIR_OK);
            for (size_t h = 0; h < COUNT(hosts); h++) {
                for (size_t k = 0; k < COUNT(ports); k++)
                    check_meet(a, b, both, hosts[h], ports[k]);
            }
            weir_permissions_free(a);
            weir_permissions_free(b);
            weir_permissions_free(both);
        }
    }
}

static void narrowing_of_paths_is_exactly_what_both_grant(void **state)
{
    static const char *const roots[] = {"/",   "/a", "/a/b", "/ab", ".",
                                        "a/b", "..", "../a", "a",   "../.."};
    static const char *const asked[] = {
        "/",   "/a", "/a/b/c", "/ab/c", "/x",    ".",       "a",         "a/b",
        "a/c", "..", "../a",   "../b",  "../..", "../../x", "../../../y"};

    (void)state;
    for (size_t i = 0; i < COUNT(roots) * COUNT(roots); i++) {
        struct weir_permissions *a = NULL, *b = NULL, *both = NULL;
        const char *root_a = roots[i / COUNT(roots)];
        const char *root_b = roots[i % COUNT(roots)];

        weir_permissions_new(WEIR_PERMISSIONS_DECLARED, &a, NULL);
        weir_permissions_new(WEIR_PERMISSIONS_FLAGS, &b, NULL);
        weir_permissions_grant(a, WEIR_PERMISSION_READ, root_a, strlen(root_a),
                               NULL);
        weir_permissions_grant(b, WEIR_PERMISSION_READ, root_b, strlen(root_b),
                               NULL);
        assert_int_equal(weir_permissions_narrow(a, WEIR_PERMISSIONS_EVERY, b,
                                                 "b", &both, NULL),
                         WEIR_OK);
        for (size_t k = 0; k < COUNT(asked); k++) {
            bool in_a = !weir_permissions_path(a, WEIR_PERMISSION_READ,
                                               asked[k], NULL, NULL);
            bool in_b = !weir_permissions_path(b, WEIR_PERMISSION_READ,
                                               asked[k], NULL, NULL);
            bool in_both = !weir_permissions_path(both, WEIR_PERMISSION_READ,
                                                  asked[k], NULL, NULL);

            if (in_both != (in_a && in_b))
                fail_msg("%s in %s and %s: %d", asked[k], root_a, root_b,
                         in_both);
        }
        weir_permissions_free(a);
        weir_permissions_free(b);
        weir_permissions_free(both);
    }
}

static void what_is_covered_twice_is_kept_once(void **state)
{
    struct weir_permissions *p =
        grants_parse("{\"net\":[\"*.a.test\",\"x.a.test\",\"*.x.a.test\"]}");
    struct weir_permissions *q = grants_narrow(
        p, WEIR_PERMISSIONS_EVERY, "{\"net\":[\"*.a.test\"]}", "it");

    (void)state;
    grants_assert_json(q, "{\"env\":[],\"mutate\":false,\"net\":[\"*.a.test\"],"
                          "\"read\":[],\"write\":[]}");
    weir_permissions_free(p);
    weir_permissions_free(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_both_grant_is_left),
        cmocka_unit_test(what_is_not_named_stays),
        cmocka_unit_test(narrowing_is_exactly_what_both_grant),
        cmocka_unit_test(narrowing_of_paths_is_exactly_what_both_grant),
        cmocka_unit_test(what_is_covered_twice_is_kept_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
