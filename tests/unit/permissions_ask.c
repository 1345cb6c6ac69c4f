/* permissions: asked by name and by address; how a denial reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grants.h"

/* ---- asking ---- */

static void names_are_asked_for_with_their_port(void **state)
{
    static const struct {
        const char *host;
        unsigned port;
        bool granted;
    } cases[] = {
        {"api.a.test", 443, true},
        {"API.A.TEST", 443, true},
        {"api.a.test.", 443, true},
        {"api.a.test", 8443, true},
        {"xapi.a.test", 443, false},
        {"api.a.test.evil", 443, false},
        {"a.test", 443, false},
        {"x.b.test", 8443, true},
        {"y.x.b.test", 8443, true},
        {"x.b.test", 443, false},
        {"b.test", 8443, false},
        {".b.test", 8443, false},
        {"xb.test", 8443, false},
        {"192.0.2.7", 80, true},
        {"[::ffff:192.0.2.7]", 1, true},
        {"192.0.2.8", 80, false},
        {"10.9.8.7", 22, true},
        {"[2001:db8::5]", 443, true},
        {"2001:db8::5", 443, true},
        {"[2001:db9::5]", 443, false},
        {"localhost", 80, true},
        {"127.0.0.1", 80, true},
        {"127.9.9.9", 80, true},
        {"[::1]", 80, true},
        {"localhost", 81, false},
        {"localhost.a.test", 80, false},
        {"", 443, false},
        {".", 443, false},
        {"tenant", 443, false},
        {"*.b.test", 8443, true},
    };
    struct weir_permissions *p =
        grants_parse("{\"net\":[\"api.a.test\",\"*.b.test:8443\",\"192.0.2.7\","
                     "\"10.0.0.0/8\",\"2001:db8::/32\",\"localhost:80\","
                     "\"tenant\"]}");

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum weir_code code =
            weir_permissions_connect(p, cases[i].host, cases[i].port, NULL);

        if (code != (cases[i].granted ? WEIR_OK : WEIR_DENIED))
            fail_msg("%s:%u: %s", cases[i].host, cases[i].port,
                     weir_code_word(code));
    }
    weir_permissions_free(p);
}

static void a_name_too_long_is_nobodys(void **state)
{
    struct weir_permissions *p = grants_parse("{\"net\":[\"*.a.test\"]}");
    char name[4096];

    (void)state;
    memset(name, 'x', sizeof(name));
    memcpy(name + sizeof(name) - 8, ".a.test", 8);
    assert_int_equal(weir_permissions_connect(p, name, 443, NULL), WEIR_DENIED);
    weir_permissions_free(p);
}

static void a_url_is_asked_for_as_libcurl_reads_it(void **state)
{
    static const struct {
        const char *url;
        bool granted;
    } cases[] = {
        {"https://a.test/x?y", true},
        {"https://a.test:443/", true},
        {"http://a.test/", false}, /* port 80 */
        {"https://A.test", true},
        {"http://127.1/", true},
        {"http://2130706433/", true},
        {"http://0x7f.1/", true},
        {"http://%31%32%37.0.0.1/", true},
        {"https://a.test@evil.test/", false},
        {"https://evil.test/#a.test", false},
        {"https://evil.test/?a.test", false},
        {"http://[::1]/", false},
    };
    struct weir_permissions *p =
        grants_parse("{\"net\":[\"a.test:443\",\"127.0.0.1\"]}");

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum weir_code code = weir_permissions_url(p, cases[i].url, NULL);

        if (code != (cases[i].granted ? WEIR_OK : WEIR_DENIED))
            fail_msg("%s: %s", cases[i].url, weir_code_word(code));
    }
    assert_int_equal(weir_permissions_url(p, "a b", NULL), WEIR_INVALID);
    weir_permissions_free(p);
}

static const char *const special[] = {
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.0.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fec0::1",
    "fd00::1",
    "fc00::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "::127.0.0.1",
    "64:ff9b:1::1",
    "2001::1",
    "100::1",
    "no address",
    "",
};

static const char *const public[] = {
    "192.0.2.7",       "8.8.8.8",      "172.32.0.1",     "172.15.255.255",
    "100.128.0.1",     "169.253.0.1",  "126.0.0.1",      "128.0.0.1",
    "2001:db8::1",     "2606:4700::1", "::ffff:8.8.8.8", "64:ff9b::808:808",
    "2002:808:808::1",
};

static void a_name_leads_to_no_address_of_this_machine_or_network(void **state)
{
    struct weir_permissions *p = grants_parse("{\"net\":[\"*.a.test\"]}");
    struct weir_err err = WEIR_ERR_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++) {
        if (weir_permissions_address(p, "x.a.test", 443, special[i], &err) !=
            WEIR_DENIED)
            fail_msg("%s", special[i]);
        weir_err_clear(&err);
    }
    for (size_t i = 0; i < sizeof(public) / sizeof(public[0]); i++) {
        if (weir_permissions_address(p, "x.a.test", 443, public[i], NULL))
            fail_msg("%s", public[i]);
        assert_int_equal(
            weir_permissions_address(p, "evil.test", 443, public[i], NULL),
            WEIR_DENIED);
    }
    weir_permissions_free(p);
}

static void an_address_is_granted_beside_the_name(void **state)
{
    struct weir_permissions *p = grants_parse(
        "{\"net\":[\"a.test\",\"10.0.0.0/8:443\",\"localhost:8080\"]}");

    (void)state;
    assert_int_equal(
        weir_permissions_address(p, "a.test", 443, "10.1.1.1", NULL), WEIR_OK);
    assert_int_equal(
        weir_permissions_address(p, "a.test", 80, "10.1.1.1", NULL),
        WEIR_DENIED);
    assert_int_equal(
        weir_permissions_address(p, "a.test", 8080, "127.0.0.1", NULL),
        WEIR_OK);
    assert_int_equal(
        weir_permissions_address(p, "a.test", 443, "127.0.0.1", NULL),
        WEIR_DENIED);
    assert_int_equal(
        weir_permissions_address(p, "b.test", 443, "10.1.1.1", NULL),
        WEIR_DENIED);
    /* An address in the URL is both. */
    assert_int_equal(
        weir_permissions_address(p, "10.2.2.2", 443, "10.2.2.2", NULL),
        WEIR_OK);
    assert_int_equal(weir_permissions_address(p, "[::1]", 8080, "::1", NULL),
                     WEIR_OK);
    weir_permissions_free(p);
}

static void the_tenant_is_what_the_host_says(void **state)
{
    struct weir_permissions *p = grants_parse("{\"net\":[\"tenant\"]}");
    struct weir_permissions *none = grants_parse("{}");
    struct weir_err err = WEIR_ERR_INIT;

    (void)state;
    assert_int_equal(weir_permissions_connect(p, "acme.test", 443, NULL),
                     WEIR_DENIED);
    assert_int_equal(
        weir_permissions_tenant(p, "https://ACME.test/api/v2", NULL), WEIR_OK);
    assert_int_equal(weir_permissions_tenant(p, "http://127.0.0.1:8080", NULL),
                     WEIR_OK);
    assert_int_equal(weir_permissions_tenant(p, "no url", NULL), WEIR_INVALID);
    assert_int_equal(weir_permissions_connect(p, "acme.test", 443, NULL),
                     WEIR_OK);
    assert_int_equal(weir_permissions_connect(p, "acme.test", 8443, NULL),
                     WEIR_DENIED);
    assert_int_equal(weir_permissions_tenant(none, "https://acme.test", NULL),
                     WEIR_OK);
    assert_int_equal(weir_permissions_connect(none, "acme.test", 443, &err),
                     WEIR_DENIED);
    assert_string_equal(err.hint,
                        "the script declares it in its first statement: "
                        "weir.needs { net = {\"tenant\"} }");
    weir_err_clear(&err);
    weir_permissions_free(none);
    assert_int_equal(weir_permissions_connect(p, "127.0.0.1", 8080, NULL),
                     WEIR_OK);
    assert_int_equal(weir_permissions_connect(p, "localhost", 8080, NULL),
                     WEIR_DENIED);
    /* It may be in the operator's own network, but is no metadata service. */
    assert_int_equal(
        weir_permissions_address(p, "acme.test", 443, "10.0.0.1", NULL),
        WEIR_OK);
    assert_int_equal(
        weir_permissions_address(p, "127.0.0.1", 8080, "127.0.0.1", NULL),
        WEIR_OK);
    assert_int_equal(
        weir_permissions_address(p, "acme.test", 443, "169.254.169.254", NULL),
        WEIR_DENIED);
    assert_int_equal(
        weir_permissions_address(p, "acme.test", 443, "0.0.0.0", NULL),
        WEIR_DENIED);
    grants_assert_json(p, "{\"env\":[],\"mutate\":false,\"net\":[\"tenant\"],"
                          "\"read\":[],\"write\":[]}");
    weir_permissions_free(p);
}

static void a_path_covers_what_is_beneath(void **state)
{
    static const struct {
        const char *path, *root; /* NULL: denied */
    } cases[] = {
        {"/srv/data", "/srv/data"},
        {"/srv/data/x", "/srv/data"},
        {"/srv/data/deep/y", "/srv/data/deep"},
        {"/srv/data/../x", NULL},
        {"/srv/data/../data/x", "/srv/data"},
        {"/srv//data/./x", "/srv/data"},
        {"/srv/dataset", NULL},
        {"/srv", NULL},
        {"/", NULL},
        {"srv/data", NULL},
        {"out", "out"},
        {"out/x", "out"},
        {"out/../x", NULL},
        {"outx", NULL},
        {"../up", "../up"},
        {"../up/x", "../up"},
        {"../../up", NULL},
        {"", NULL},
        {".", NULL},
    };
    struct weir_permissions *p =
        grants_parse("{\"read\":[\"/srv/data\",\"/srv/data/deep\",\"out\","
                     "\"../up\"]}");

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *root = NULL;
        enum weir_code code = weir_permissions_path(p, WEIR_PERMISSION_READ,
                                                    cases[i].path, &root, NULL);

        if (code != (cases[i].root ? WEIR_OK : WEIR_DENIED))
            fail_msg("%s: %s", cases[i].path, weir_code_word(code));
        if (cases[i].root)
            assert_string_equal(root, cases[i].root);
        assert_int_equal(weir_permissions_path(p, WEIR_PERMISSION_WRITE,
                                               cases[i].path, NULL, NULL),
                         WEIR_DENIED);
    }
    weir_permissions_free(p);
}

static void a_folder_covers_no_climb_out_of_it(void **state)
{
    struct weir_permissions *here = grants_parse("{\"read\":[\".\"]}");
    struct weir_permissions *up = grants_parse("{\"read\":[\"..\"]}");

    (void)state;
    assert_int_equal(
        weir_permissions_path(here, WEIR_PERMISSION_READ, "a/b", NULL, NULL),
        WEIR_OK);
    assert_int_equal(
        weir_permissions_path(here, WEIR_PERMISSION_READ, "..a", NULL, NULL),
        WEIR_OK);
    assert_int_equal(
        weir_permissions_path(here, WEIR_PERMISSION_READ, "../a", NULL, NULL),
        WEIR_DENIED);
    assert_int_equal(
        weir_permissions_path(here, WEIR_PERMISSION_READ, "/a", NULL, NULL),
        WEIR_DENIED);
    assert_int_equal(
        weir_permissions_path(up, WEIR_PERMISSION_READ, "../a", NULL, NULL),
        WEIR_OK);
    assert_int_equal(
        weir_permissions_path(up, WEIR_PERMISSION_READ, "../../a", NULL, NULL),
        WEIR_DENIED);
    weir_permissions_free(here);
    weir_permissions_free(up);
}

static void relative_paths_are_resolved(void **state)
{
    struct weir_permissions *p = grants_parse(
        "{\"read\":[\".\",\"../x\",\"/abs\"],\"write\":[\"out\"]}");

    (void)state;
    assert_int_equal(weir_permissions_resolve(p, "relative", NULL),
                     WEIR_INVALID);
    assert_int_equal(weir_permissions_resolve(p, "/home/u/./s", NULL), WEIR_OK);
    grants_assert_json(p, "{\"env\":[],\"mutate\":false,\"net\":[],\"read\":["
                          "\"/abs\",\"/home/u/s\",\"/home/u/x\"],"
                          "\"write\":[\"/home/u/s/out\"]}");
    assert_int_equal(weir_permissions_path(p, WEIR_PERMISSION_WRITE,
                                           "/home/u/s/out/f", NULL, NULL),
                     WEIR_OK);
    weir_permissions_free(p);
}

static void a_path_without_end_is_denied(void **state)
{
    struct weir_permissions *p = grants_parse("{\"read\":[\"/\"]}");
    char *path = malloc(100001);

    (void)state;
    memset(path, 'x', 100000);
    path[0] = '/';
    path[100000] = '\0';
    assert_int_equal(
        weir_permissions_path(p, WEIR_PERMISSION_READ, path, NULL, NULL),
        WEIR_DENIED);
    free(path);
    weir_permissions_free(p);
}

/* ---- how a denial reads ---- */

static void assert_denial(enum weir_code code, struct weir_err *err,
                          const char *message, const char *hint)
{
    assert_int_equal(code, WEIR_DENIED);
    assert_int_equal(err->code, WEIR_DENIED);
    assert_string_equal(err->message, message);
    assert_string_equal(err->hint, hint);
    assert_non_null(err->detail);
    weir_err_clear(err);
}

static void a_denial_says_how_it_is_declared(void **state)
{
    struct weir_permissions *p =
        grants_parse("{\"net\":[\"a.test\"],\"read\":[\"/srv\",\"data\"]}");
    struct weir_err err = WEIR_ERR_INIT;

    (void)state;
    assert_denial(weir_permissions_connect(p, "Evil.test", 443, &err), &err,
                  "net: connecting to evil.test:443 is not granted; granted: "
                  "a.test",
                  "the script declares it in its first statement: "
                  "weir.needs { net = {\"evil.test\"} }");
    assert_denial(weir_permissions_connect(p, "[::1]", 8443, &err), &err,
                  "net: connecting to [::1]:8443 is not granted; granted: "
                  "a.test",
                  "the script declares it in its first statement: "
                  "weir.needs { net = {\"[::1]:8443\"} }");
    assert_denial(
        weir_permissions_address(p, "a.test", 443, "169.254.169.254", &err),
        &err,
        "net: connecting to a.test:443 at 169.254.169.254 (link-local) is not "
        "granted by the host's name alone; granted: a.test",
        "the script declares it in its first statement: "
        "weir.needs { net = {\"169.254.169.254\"} }");
    assert_denial(weir_permissions_path(p, WEIR_PERMISSION_READ, "/srv/../etc",
                                        NULL, &err),
                  &err,
                  "read: reading /etc is not granted; granted: /srv, data",
                  "the script declares it in its first statement: "
                  "weir.needs { read = {\"/etc\"} }");
    assert_denial(
        weir_permissions_path(p, WEIR_PERMISSION_WRITE, "o\"\\\n", NULL, &err),
        &err, "write: writing o\"\\? is not granted; no path is",
        "the script declares it in its first statement: "
        "weir.needs { write = {\"o\\\"\\\\?\"} }");
    assert_denial(weir_permissions_env(p, "HOME", &err), &err,
                  "env: the variable HOME is not granted; no variable is",
                  "the script declares it in its first statement: "
                  "weir.needs { env = {\"HOME\"} }");
    assert_denial(weir_permissions_mutate(p, "PUT /x", &err), &err,
                  "mutate: PUT /x may change something, and is not granted",
                  "the script declares it in its first statement: "
                  "weir.needs { mutate = true }");
    assert_int_equal(weir_permissions_connect(p, "b.test", 443, &err),
                     WEIR_DENIED);
    assert_string_equal(err.detail, "{\"permission\":\"net\","
                                    "\"asked\":\"b.test:443\"}");
    assert_int_equal(weir_permissions_env(p, "A\"\n", &err), WEIR_DENIED);
    assert_string_equal(err.detail, "{\"permission\":\"env\","
                                    "\"asked\":\"A\\\"?\"}");
    weir_err_clear(&err);
    weir_permissions_free(p);
}

static void a_denial_says_which_flag_took_it_away(void **state)
{
    struct weir_permissions *p =
        grants_parse("{\"net\":[\"a.test\",\"b.test\"],\"mutate\":true}");
    struct weir_permissions *q =
        grants_narrow(p, WEIR_PERMISSION_BIT(WEIR_PERMISSION_NET),
                      "{\"net\":[\"a.test\"]}", "--net=a.test");
    struct weir_permissions *r = grants_narrow(
        q, WEIR_PERMISSION_BIT(WEIR_PERMISSION_MUTATE), "{}", "--dry-run");
    struct weir_permissions *s = grants_narrow(
        r, WEIR_PERMISSION_BIT(WEIR_PERMISSION_NET), "{}", "--deny-net");
    struct weir_permissions *copy = NULL;
    struct weir_err err = WEIR_ERR_INIT;

    (void)state;
    assert_int_equal(weir_permissions_copy(s, &copy, NULL), WEIR_OK);
    weir_permissions_free(s);
    assert_denial(weir_permissions_connect(copy, "a.test", 443, &err), &err,
                  "net: connecting to a.test:443 is taken away by --deny-net",
                  "the run would have it without: leave --deny-net out, or "
                  "let it name this too, if it may");
    assert_int_equal(weir_permissions_connect(copy, "b.test", 443, &err),
                     WEIR_DENIED);
    assert_string_equal(err.message,
                        "net: connecting to b.test:443 is taken away by "
                        "--net=a.test");
    assert_int_equal(weir_permissions_connect(copy, "c.test", 443, &err),
                     WEIR_DENIED);
    assert_string_equal(err.message,
                        "net: connecting to c.test:443 is not granted; "
                        "granted: a.test, b.test");
    assert_int_equal(weir_permissions_mutate(copy, "PUT /x", &err),
                     WEIR_DENIED);
    assert_string_equal(err.message, "mutate: PUT /x may change something, "
                                     "and is kept back by --dry-run");
    weir_err_clear(&err);
    assert_string_equal(weir_permissions_mutate_by(copy), "--dry-run");
    assert_null(weir_permissions_mutate_by(p));
    weir_permissions_free(p);
    weir_permissions_free(q);
    weir_permissions_free(r);
    weir_permissions_free(copy);
}

static void a_denial_under_flags_names_the_flag(void **state)
{
    struct weir_permissions *p = NULL;
    struct weir_err err = WEIR_ERR_INIT;

    (void)state;
    assert_int_equal(weir_permissions_new(WEIR_PERMISSIONS_FLAGS, &p, NULL),
                     WEIR_OK);
    assert_int_equal(weir_permissions_connect(p, "a.test", 8080, &err),
                     WEIR_DENIED);
    assert_string_equal(err.hint, "grant it with --net=a.test:8080");
    assert_int_equal(
        weir_permissions_path(p, WEIR_PERMISSION_WRITE, "/x", NULL, &err),
        WEIR_DENIED);
    assert_string_equal(err.hint, "grant it with --write=/x");
    assert_int_equal(weir_permissions_mutate(p, "DELETE /x", &err),
                     WEIR_DENIED);
    assert_non_null(strstr(err.hint, "weir.needs { mutate = true }"));
    weir_err_clear(&err);
    weir_permissions_free(p);
}

static void a_long_list_is_not_all_said(void **state)
{
    struct weir_permissions *p =
        grants_parse("{\"env\":[\"A\",\"B\",\"C\",\"D\",\"E\",\"F\",\"G\"]}");
    struct weir_err err = WEIR_ERR_INIT;

    (void)state;
    assert_int_equal(weir_permissions_env(p, "H", &err), WEIR_DENIED);
    assert_string_equal(err.message, "env: the variable H is not granted; "
                                     "granted: A, B, C, D, E and 2 more");
    weir_err_clear(&err);
    weir_permissions_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_asked_for_with_their_port),
        cmocka_unit_test(a_name_too_long_is_nobodys),
        cmocka_unit_test(a_url_is_asked_for_as_libcurl_reads_it),
        cmocka_unit_test(a_name_leads_to_no_address_of_this_machine_or_network),
        cmocka_unit_test(an_address_is_granted_beside_the_name),
        cmocka_unit_test(the_tenant_is_what_the_host_says),
        cmocka_unit_test(a_path_covers_what_is_beneath),
        cmocka_unit_test(a_folder_covers_no_climb_out_of_it),
        cmocka_unit_test(relative_paths_are_resolved),
        cmocka_unit_test(a_path_without_end_is_denied),
        cmocka_unit_test(a_denial_says_how_it_is_declared),
        cmocka_unit_test(a_denial_says_which_flag_took_it_away),
        cmocka_unit_test(a_denial_under_flags_names_the_flag),
        cmocka_unit_test(a_long_list_is_not_all_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
