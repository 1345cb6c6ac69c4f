/* permissions: the table is read strictly, and told in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grants.h"

/* `text` is refused; message and hint contain what is given. */
static void refused(const char *text, const char *message, const char *hint,
                    const char *path)
{
    struct weir_permissions *p = (void *)&p;
    struct weir_err err = WEIR_ERR_INIT;
    char detail[80];

    assert_int_equal(weir_permissions_parse_text(text, strlen(text), &p, &err),
                     WEIR_INVALID);
    assert_ptr_equal(p, (void *)&p);
    if (!strstr(err.message, message) || !strstr(err.hint, hint))
        fail_msg("%s: '%s' (%s)", text, err.message, err.hint);
    snprintf(detail, sizeof(detail), "{\"path\":\"%s\"}", path);
    assert_string_equal(err.detail, detail);
    weir_err_clear(&err);
}

/* ---- reading ---- */

static void nothing_is_granted_by_default(void **state)
{
    struct weir_permissions *p = grants_parse("{}");

    (void)state;
    grants_assert_json(p, "{\"env\":[],\"mutate\":false,\"net\":[],\"read\":[],"
                          "\"write\":[]}");
    assert_int_equal(weir_permissions_connect(p, "a.test", 443, NULL),
                     WEIR_DENIED);
    assert_int_equal(
        weir_permissions_path(p, WEIR_PERMISSION_READ, "/", NULL, NULL),
        WEIR_DENIED);
    assert_int_equal(weir_permissions_env(p, "HOME", NULL), WEIR_DENIED);
    assert_int_equal(weir_permissions_mutate(p, "PUT /x", NULL), WEIR_DENIED);
    weir_permissions_free(p);
}

static void what_is_no_table_of_permissions_is_refused(void **state)
{
    (void)state;
    refused("[]", "one table", "", "");
    refused("true", "one table", "", "");
    refused("{\"nett\":[]}", "no permission 'nett'", "did you mean 'net'?", "");
    refused("{\"exec\":[]}", "no permission 'exec'", "net, read, write, env",
            "");
    refused("{\"net\\u0000\":[]}", "no permission", "", "");
    refused("{\"net\":\"a.test\"}", "net is a list, not string",
            "net = {\"api.example.com\"}", "/net");
    refused("{\"net\":null}", "net is a list, not null", "", "/net");
    refused("{\"read\":{}}", "read is a list, not object", "", "/read");
    refused("{\"env\":[\"A\",7]}", "env[2]: a string was expected, not number",
            "", "/env/1");
    refused("{\"mutate\":\"yes\"}", "mutate is true or false, not string", "",
            "/mutate");
    refused("{\"mutate\":1}", "mutate is true or false, not number", "",
            "/mutate");
}

static void a_member_twice_is_a_fault_of_the_text(void **state)
{
    const char *text = "{\"net\":[],\"net\":[\"a.test\"]}";
    struct weir_permissions *p = NULL;

    (void)state;
    assert_int_equal(weir_permissions_parse_text(text, strlen(text), &p, NULL),
                     WEIR_SYNTAX);
}

static void each_form_of_a_host_has_one_spelling(void **state)
{
    struct weir_permissions *p =
        grants_parse("{\"net\":[\"API.Example.com\",\"api.example.com.\","
                     "\"*.Example.COM:8443\",\"192.0.2.7\",\"192.0.2.7/32\","
                     "\"[2001:DB8::7]:443\",\"2001:db8::/32\",\"10.0.0.0/8\","
                     "\"::ffff:10.1.0.0/112\",\"LocalHost:80\",\"tenant\","
                     "\"[2001:db8::/33]:9\",\"tenant=a.test\",\"x_y.test\"]}");

    (void)state;
    grants_assert_json(p,
                       "{\"env\":[],\"mutate\":false,\"net\":["
                       "\"*.example.com:8443\",\"10.0.0.0/8\",\"10.1.0.0/16\","
                       "\"192.0.2.7\",\"2001:db8::/32\",\"[2001:db8::/33]:9\","
                       "\"[2001:db8::7]:443\",\"api.example.com\","
                       "\"localhost:80\",\"tenant\",\"tenant=a.test\","
                       "\"x_y.test\"],\"read\":[],\"write\":[]}");
    weir_permissions_free(p);
}

static void what_is_no_host_is_refused(void **state)
{
    static const struct {
        const char *host, *message;
    } cases[] = {
        {"", "it is empty"},
        {"*", "one by one"},
        {"*.", "first dot only"},
        {"a.*.test", "first dot only"},
        {"*a.test", "first dot only"},
        {"*.*.test", "first dot only"},
        {"https://a.test", "without https://"},
        {"a.test/path", "not a block"},
        {"a test", "a blank"},
        {"a.test\\n", "a control"},
        {"b\\u00fccher.test", "not ASCII"},
        {"a..test", "between two dots"},
        {".test", "between two dots"},
        {"a.test:0", "1 to 65535"},
        {"a.test:65536", "1 to 65535"},
        {"a.test:080", "1 to 65535"},
        {"a.test:", "1 to 65535"},
        {"a.test:http", "1 to 65535"},
        {"user@a.test", "letters, digits"},
        {"127.1", "four numbers"},
        {"2130706433", "four numbers"},
        {"0x7f.0.0.1", "four numbers"},
        {"0x7f000001", "four numbers"},
        {"127.0.0.01", "four numbers"},
        {"1.2.3.4.5", "four numbers"},
        {"10.0.0.1/8", "beyond the first 8"},
        {"10.0.0.0/33", "0 to 32"},
        {"[::1", "']'"},
        {"[::1]x", "']'"},
        {"[a.test]:443", "in brackets"},
        {"[]", "in brackets"},
        {"1:2:3", "not a block"},
        {"tenant=", "it is empty"},
        {"tenant=tenant=a.test", "letters, digits"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[160];

        snprintf(text, sizeof(text), "{\"net\":[\"%s\"]}", cases[i].host);
        refused(text, cases[i].message, "", "/net/0");
    }
}

static void names_have_their_lengths(void **state)
{
    char label[65], text[400] = "{\"net\":[\"";

    (void)state;
    memset(label, 'a', 64);
    label[64] = '\0';
    snprintf(text, sizeof(text), "{\"net\":[\"%s.test\"]}", label);
    refused(text, "at most 63", "", "/net/0");
    snprintf(text, sizeof(text),
             "{\"net\":[\"%.60s.%.60s.%.60s.%.60s.%.10s\"]}", label, label,
             label, label, label);
    refused(text, "at most 253", "", "/net/0");
    snprintf(text, sizeof(text), "{\"net\":[\"%.60s.%.60s.%.60s.%.60s.%.9s\"]}",
             label, label, label, label, label);
    weir_permissions_free(grants_parse(text));
}

static void paths_are_made_normal(void **state)
{
    static const struct {
        const char *path, *normal;
    } cases[] = {
        {"/", "/"},
        {"//a///b/", "/a/b"},
        {"/a/./b/../c", "/a/c"},
        {"/..", "/"},
        {"/../../a", "/a"},
        {"/a/..", "/"},
        {".", "."},
        {"./", "."},
        {"a/..", "."},
        {"./a//b/.", "a/b"},
        {"../a", "../a"},
        {"a/../../b", "../b"},
        {"../../a/../b", "../../b"},
        {"...", "..."},
        {"..a/b..", "..a/b.."},
        {"/a..", "/a.."},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct weir_buf buf;

        weir_buf_init(&buf, 100);
        weir_buf_adds(&buf, "x:");
        assert_int_equal(weir_path_normal(&buf, cases[i].path), WEIR_OK);
        assert_string_equal(weir_buf_str(&buf) + 2, cases[i].normal);
        weir_buf_fini(&buf);
    }
}

static void what_is_no_path_or_name_is_refused(void **state)
{
    (void)state;
    refused("{\"read\":[\"\"]}", "read[1]: a path is empty", "absolute",
            "/read/0");
    refused("{\"write\":[\"a\",\"~/x\"]}", "write[2]: '~'", "", "/write/1");
    refused("{\"write\":[\"~/../x\"]}", "write[1]: '~'", "", "/write/0");
    refused("{\"write\":[\"a/..//./~/x\"]}", "write[1]: '~'", "", "/write/0");
    refused("{\"read\":[\"a\\u0000b\"]}", "not seen", "", "/read/0");
    refused("{\"read\":[\"a\\nb\"]}", "not seen", "", "/read/0");
    refused("{\"read\":[\"a\\u202eb\"]}", "not seen", "", "/read/0");
    refused("{\"read\":[\"\\u200b\"]}", "not seen", "", "/read/0");
    refused("{\"read\":[\"a\\u009b\"]}", "not seen", "", "/read/0");
    refused("{\"read\":[\"a\\u2066b\"]}", "not seen", "", "/read/0");
    refused("{\"read\":[\"\\ufeffa\"]}", "not seen", "", "/read/0");
    weir_permissions_free(grants_parse(
        "{\"read\":[\"\\u00e4\\u20ac\\u00a0\",\"\\u2026\\ud83d\\ude00\"]}"));
    refused("{\"env\":[\"\"]}", "env[1]: '' is not a name", "", "/env/0");
    refused("{\"env\":[\"1A\"]}", "'1A' is not a name", "", "/env/0");
    refused("{\"env\":[\"CXONE_*\"]}", "is not a name", "in full", "/env/0");
    refused("{\"env\":[\"A=B\"]}", "is not a name", "", "/env/0");
    refused("{\"env\":[\"A\\u0000\"]}", "is not a name", "", "/env/0");
}

static void lists_have_a_ceiling(void **state)
{
    struct weir_permissions *p = NULL;
    struct weir_err err = WEIR_ERR_INIT;
    char name[24];

    (void)state;
    assert_int_equal(weir_permissions_new(WEIR_PERMISSIONS_FLAGS, &p, NULL),
                     WEIR_OK);
    for (int i = 0; i < WEIR_PERMISSIONS_MAX_ITEMS; i++) {
        snprintf(name, sizeof(name), "h%d.test", i);
        assert_int_equal(weir_permissions_grant(p, WEIR_PERMISSION_NET, name,
                                                strlen(name), NULL),
                         WEIR_OK);
    }
    assert_int_equal(
        weir_permissions_grant(p, WEIR_PERMISSION_NET, "h0.test", 7, NULL),
        WEIR_OK);
    assert_int_equal(
        weir_permissions_grant(p, WEIR_PERMISSION_NET, "x.test", 6, &err),
        WEIR_LIMIT);
    assert_non_null(strstr(err.message, "256"));
    weir_permissions_free(p);
}

static void what_was_written_reads_back_equal(void **state)
{
    struct weir_permissions *p =
        grants_parse("{\"write\":[\"out/../out/x\"],\"read\":[\"/srv\",\".\"],"
                     "\"net\":[\"tenant\",\"[::1]:8080\",\"*.a.test\"],"
                     "\"mutate\":true,\"env\":[\"B\",\"A\",\"B\"]}");
    char *text = grants_json(p);
    struct weir_permissions *again = grants_parse(text);

    (void)state;
    assert_string_equal(text,
                        "{\"env\":[\"A\",\"B\"],\"mutate\":true,"
                        "\"net\":[\"*.a.test\",\"[::1]:8080\",\"tenant\"],"
                        "\"read\":[\".\",\"/srv\"],\"write\":[\"out/x\"]}");
    assert_true(weir_permissions_equal(p, again));
    assert_int_equal(weir_permissions_size(p, WEIR_PERMISSION_ENV), 2);
    assert_string_equal(weir_permissions_item(p, WEIR_PERMISSION_ENV, 1), "B");
    assert_null(weir_permissions_item(p, WEIR_PERMISSION_ENV, 2));
    assert_int_equal(weir_permissions_size(p, WEIR_PERMISSION_MUTATE), 0);
    assert_true(weir_permissions_mutates(p));
    weir_permissions_free(p);
    weir_permissions_free(again);
    free(text);
}

static void each_list_counts_when_two_are_compared(void **state)
{
    static const char *const different[] = {
        "{}",
        "{\"net\":[\"a.test\"],\"env\":[\"A\"]}",
        "{\"net\":[\"a.test\"],\"mutate\":true}",
        "{\"net\":[\"a.test\",\"b.test\"]}",
        "{\"net\":[\"b.test\"]}",
        "{\"net\":[\"a.test\"],\"read\":[\"a\"]}",
        "{\"net\":[\"a.test\"],\"write\":[\"a\"]}"};
    struct weir_permissions *p = grants_parse("{\"net\":[\"a.test\"]}");

    (void)state;
    for (size_t i = 0; i < sizeof(different) / sizeof(different[0]); i++) {
        struct weir_permissions *other = grants_parse(different[i]);

        assert_false(weir_permissions_equal(p, other));
        assert_false(weir_permissions_equal(other, p));
        weir_permissions_free(other);
    }
    weir_permissions_free(p);
}

/* ---- in words ---- */

static void an_operator_reads_what_it_may_do(void **state)
{
    struct weir_permissions *p = grants_parse(
        "{\"net\":[\"tenant\",\"api.a.test:8443\",\"*.b.test\",\"10.0.0.0/8\","
        "\"192.0.2.7\",\"localhost\"],\"read\":[\".\",\"/srv\",\"../x\"],"
        "\"write\":[\"/\"],\"env\":[\"A\",\"B\"],\"mutate\":true}");
    struct weir_permissions *none = grants_parse("{}");
    struct weir_permissions *part = grants_narrow(
        p, WEIR_PERMISSIONS_EVERY, "{\"net\":[\"acme.test\"]}", "it");
    struct weir_buf buf;

    (void)state;
    weir_buf_init(&buf, 4096);
    assert_int_equal(weir_permissions_describe(p, 2, &buf), WEIR_OK);
    assert_string_equal(
        weir_buf_str(&buf),
        "  connects to   every host below b.test, the addresses 10.0.0.0/8, "
        "the address 192.0.2.7, api.a.test (port 8443 only), this machine "
        "itself, the tenant and its token endpoint\n"
        "  reads files   the script's folder, ../x (seen from the script), "
        "/srv\n"
        "  writes files  every file of this machine\n"
        "  environment   A, B\n"
        "  changes       may create, change and delete on the servers it "
        "connects to\n");
    weir_buf_reset(&buf);
    assert_int_equal(weir_permissions_describe(none, 0, &buf), WEIR_OK);
    assert_string_equal(weir_buf_str(&buf),
                        "connects to   nothing\n"
                        "reads files   nothing\n"
                        "writes files  nothing\n"
                        "environment   nothing\n"
                        "changes       nothing: calls that would are "
                        "reported, not sent\n");
    weir_buf_reset(&buf);
    assert_int_equal(weir_permissions_describe(part, 0, &buf), WEIR_OK);
    assert_non_null(strstr(weir_buf_str(&buf),
                           "connects to   acme.test (as far as that is the "
                           "tenant)\n"));
    weir_buf_fini(&buf);
    weir_permissions_free(p);
    weir_permissions_free(none);
    weir_permissions_free(part);
}

static void words_and_kinds_agree(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < WEIR_PERMISSIONS; kind++)
        assert_int_equal(weir_permission_from_word(
                             weir_permission_word((enum weir_permission)kind)),
                         kind);
    assert_int_equal(weir_permission_from_word("Net"), WEIR_PERMISSIONS);
    assert_string_equal(weir_permission_word(WEIR_PERMISSIONS), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_granted_by_default),
        cmocka_unit_test(what_is_no_table_of_permissions_is_refused),
        cmocka_unit_test(a_member_twice_is_a_fault_of_the_text),
        cmocka_unit_test(each_form_of_a_host_has_one_spelling),
        cmocka_unit_test(what_is_no_host_is_refused),
        cmocka_unit_test(names_have_their_lengths),
        cmocka_unit_test(paths_are_made_normal),
        cmocka_unit_test(what_is_no_path_or_name_is_refused),
        cmocka_unit_test(lists_have_a_ceiling),
        cmocka_unit_test(what_was_written_reads_back_equal),
        cmocka_unit_test(each_list_counts_when_two_are_compared),
        cmocka_unit_test(an_operator_reads_what_it_may_do),
        cmocka_unit_test(words_and_kinds_agree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
