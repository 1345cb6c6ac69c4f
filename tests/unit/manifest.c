/* The manifest: what is written reads back, and every other text is refused at
 * the member that is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rig.h"
#include "weir/manifest.h"

#define D64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HEAD                                                                   \
    "{'format':1,'name':'rotate','version':'1.4.0','weir':'0.1.0',"            \
    "'main':'a.lua',"
#define FILES "'files':[{'path':'a.lua','size':3,'sha256':'" D64 "'}],"
#define NEEDS "'needs':{'net':['tenant']}"

static char *with_quotes(const char *text)
{
    char *copy = strdup(text);

    assert_non_null(copy);
    for (char *at = copy; (at = strchr(at, '\'')) != NULL; at++)
        *at = '"';
    return copy;
}

static enum weir_code read_text(const char *text, struct weir_manifest **out,
                                struct weir_err *err)
{
    char *quoted = with_quotes(text);
    enum weir_code code = weir_manifest_read(quoted, strlen(quoted), out, err);

    free(quoted);
    return code;
}

static void refused(const char *text, const char *why)
{
    struct weir_manifest *out = NULL;
    struct weir_err err = WEIR_ERR_INIT;
    enum weir_code code = read_text(text, &out, &err);

    if (code != WEIR_VALIDATION && code != WEIR_SYNTAX)
        fail_msg("code %d for %s", code, text);
    assert_null(out);
    if (!strstr(err.message, why))
        fail_msg("'%s' is not in: %s", why, err.message);
    assert_true(strncmp(err.message, "weir-manifest.json: ", 20) == 0);
    weir_err_clear(&err);
}

static void test_read(void **state)
{
    struct weir_manifest *m = NULL;

    (void)state;
    assert_int_equal(
        read_text(HEAD FILES NEEDS
                  ",'args':{'about':'x','params':[{'name':'--tier',"
                  "'default':3,'choices':['a','b'],'many':false}]},"
                  "'expires':'2027-01-31T23:59:59Z'}",
                  &m, NULL),
        WEIR_OK);
    assert_string_equal(m->name, "rotate");
    assert_string_equal(m->version, "1.4.0");
    assert_string_equal(m->weir, "0.1.0");
    assert_string_equal(m->main, "a.lua");
    assert_int_equal(m->n_files, 1);
    assert_string_equal(m->files[0].sha256, D64);
    assert_int_equal(m->files[0].size, 3);
    assert_int_equal(m->expires, 1801439999);
    assert_ptr_equal(weir_manifest_find(m, "a.lua"), &m->files[0]);
    assert_null(weir_manifest_find(m, "b.lua"));
    rig_assert_json(m->needs, "{'net':['tenant']}");
    rig_assert_json(weir_json_get(m->args, "about"), "'x'");
    weir_manifest_free(m);
    m = NULL;
    assert_int_equal(read_text(HEAD FILES NEEDS "}", &m, NULL), WEIR_OK);
    assert_null(m->args);
    assert_int_equal(m->expires, 0);
    weir_manifest_free(m);
    weir_manifest_free(NULL);
}

static void test_members(void **state)
{
    (void)state;
    refused("", "line 1");
    refused("{'format':1,'format':1}", "came before in this object");
    refused("[]", "must be an object, not array");
    refused("{'format':2,'new':3}", "format 2, and this weir reads format 1");
    refused("{}", "/format: is missing");
    refused("{'format':1e300}", "/format: must be a whole number");
    refused("{'format':1.5}", "/format: must be a whole number");
    refused("{'format':'1'}", "/format: must be number, not string");
    refused(HEAD FILES NEEDS ",'nmae':1}",
            "unknown member \"nmae\" (did you mean \"name\"?)");
    refused(HEAD FILES NEEDS ",'zzzzzzzz':1}",
            "unknown member \"zzzzzzzz\"; a newer weir");
    refused(HEAD FILES NEEDS ",'main\\u0000':1}", "unknown member");
    refused(HEAD FILES "'needs':[]}", "/needs: must be object, not array");
    refused(HEAD FILES "'expires':'2027-01-31T23:59:59Z'}",
            "/needs: is missing");
    refused(HEAD FILES NEEDS ",'expires':5}", "/expires: must be string");
    refused(HEAD FILES NEEDS "} x", "line 1");
}

static void test_texts(void **state)
{
    (void)state;
    refused("{'format':1,'name':'a b','version':'1.0.0','weir':'0.1.0',"
            "'main':'a.lua'," FILES NEEDS "}",
            "/name: must be letters");
    refused("{'format':1,'name':'','version':'1.0.0','weir':'0.1.0',"
            "'main':'a.lua'," FILES NEEDS "}",
            "/name: must have 1 to 64 bytes");
    refused("{'format':1,'name':'../x','version':'1.0.0','weir':'0.1.0',"
            "'main':'a.lua'," FILES NEEDS "}",
            "/name: must be letters");
    refused("{'format':1,'name':'a\\u0000','version':'1.0.0','weir':'0.1.0',"
            "'main':'a.lua'," FILES NEEDS "}",
            "/name: has a NUL");
    refused("{'format':1,'name':'a','version':'1.0','weir':'0.1.0',"
            "'main':'a.lua'," FILES NEEDS "}",
            "/version: version \"1.0\" must be three numbers");
    refused("{'format':1,'name':'a','version':'1.0.0','weir':'new',"
            "'main':'a.lua'," FILES NEEDS "}",
            "/weir: version \"new\"");
    refused("{'format':1,'name':'a','version':'1.0.0','weir':'0.1.0',"
            "'main':'b.lua'," FILES NEEDS "}",
            "/main: \"b.lua\" is none of the files");
    refused("{'format':1,'name':'a','version':'1.0.0','weir':'0.1.0',"
            "'main':'/a.lua'," FILES NEEDS "}",
            "/main: file name \"/a.lua\" is absolute");
}

static void test_files(void **state)
{
#define FILE_OF(path, size, hash)                                              \
    "{'path':'" path "','size':" size ",'sha256':'" hash "'}"
    (void)state;
    refused(HEAD "'files':[]," NEEDS "}", "/files: must have 1 to");
    refused(HEAD "'files':[3]," NEEDS "}", "/files/0: must be an object");
    refused(HEAD "'files':[" FILE_OF("../a", "1", D64) "]," NEEDS "}",
            "/files/0/path: file name \"../a\" has a '..' part");
    refused(HEAD "'files':[" FILE_OF("a.lua", "-1", D64) "]," NEEDS "}",
            "/files/0/size: must be a whole number, 0 to 67108864");
    refused(HEAD "'files':[" FILE_OF("a.lua", "1e3", D64) "]," NEEDS "}",
            "/files/0/size");
    refused(HEAD "'files':[" FILE_OF("a.lua", "67108865", D64) "]," NEEDS "}",
            "/files/0/size");
    refused(HEAD "'files':[" FILE_OF("a.lua", "1", "AB") "]," NEEDS "}",
            "/files/0/sha256: must be 64");
    refused(HEAD "'files':[" FILE_OF("a.lua", "1", D64) "," FILE_OF(
                "a.lua", "1", D64) "]," NEEDS "}",
            "/files/1: \"a.lua\" is not in the order");
    refused(HEAD "'files':[" FILE_OF("b.lua", "1", D64) "," FILE_OF(
                "a.lua", "1", D64) "]," NEEDS "}",
            "/files/1: \"a.lua\" is not in the order");
    refused(HEAD "'files':[" FILE_OF("weir-manifest.json", "1", D64) "]," NEEDS
                                                                     "}",
            "the manifest cannot list itself");
    refused(HEAD "'files':[{'path':'a.lua','size':1,'sha256':'" D64
                 "','sha265':''}]," NEEDS "}",
            "/files/0: unknown member \"sha265\" (did you mean \"sha256\"?)");
}

static void test_args(void **state)
{
    (void)state;
    refused(HEAD FILES NEEDS ",'args':{}}", "/args/params: is missing");
    refused(HEAD FILES NEEDS ",'args':{'params':[],'abuot':''}}",
            "/args: unknown member \"abuot\" (did you mean \"about\"?)");
    refused(HEAD FILES NEEDS ",'args':{'params':[{'name':1}]}}",
            "/args/params/0/name: must be string");
    refused(HEAD FILES NEEDS ",'args':{'params':[{'name':'a'},{}]}}",
            "/args/params/1/name: is missing");
    refused(HEAD FILES NEEDS
            ",'args':{'params':[{'name':'a','requierd':true}]}}",
            "(did you mean \"required\"?)");
    refused(HEAD FILES NEEDS ",'args':{'about':'\\u001b[2J','params':[]}}",
            "/args: has a control character");
    refused(HEAD FILES NEEDS
            ",'args':{'params':[{'name':'a','choices':['\\u009b']}]}}",
            "/args: has a control character");
    refused(HEAD FILES NEEDS ",'args':{'about':'\\u202Eevil','params':[]}}",
            "/args: has a control character");
    refused(HEAD FILES NEEDS ",'args':{'about':'a\\u2028b','params':[]}}",
            "/args: has a control character");
    refused(HEAD FILES NEEDS ",'args':{'about':'\\u2067a','params':[]}}",
            "/args: has a control character");
    refused(HEAD FILES "'needs':{'net':['a\\u0007']}}",
            "/needs: has a control character");
    refused(HEAD FILES "'needs':{'a\\u0007':true}}",
            "/needs: has a control character");
}

static void test_times(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } good[] = {{"2027-01-31", 1801439999},
                {"2027-01-31T00:00:00Z", 1801353600},
                {"2028-02-29T12:30:01Z", 1835440201},
                {"2000-01-01", 946771199}};
    static const char *const bad[] = {"",
                                      "2027-1-31",
                                      "2027-13-01",
                                      "2027-02-29",
                                      "2027-00-01",
                                      "2027-01-00",
                                      "1999-01-01",
                                      "2027-01-31T24:00:00Z",
                                      "2027-01-31T23:60:00Z",
                                      "2027-01-31T23:59:60Z",
                                      "2027-01-31T23:59:59+",
                                      "2027-01-31 23:59:59Z",
                                      "31-01-2027",
                                      "tomorrow",
                                      "2027/01/31"};
    char out[WEIR_MANIFEST_TIME];

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        int64_t got = 0;

        assert_int_equal(weir_manifest_read_time(
                             good[i].text, strlen(good[i].text), &got, NULL),
                         WEIR_OK);
        assert_int_equal(got, good[i].seconds);
        assert_int_equal(
            strncmp(weir_manifest_time_text(got, out), good[i].text, 10), 0);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int64_t got = -7;

        if (weir_manifest_read_time(bad[i], strlen(bad[i]), &got, NULL) !=
            WEIR_VALIDATION)
            fail_msg("%s is taken", bad[i]);
        assert_int_equal(got, -7);
    }
}

/* Whatever the order of the files, the text is the same, and reads back. */
static void test_write(void **state)
{
    struct weir_manifest_file files[] = {
        {.path = (char *)"lib/b.lua", .size = 0, .sha256 = D64},
        {.path = (char *)"a.lua", .size = 3, .sha256 = D64},
        {.path = (char *)"lib/a.lua", .size = 67108864, .sha256 = D64}};
    struct weir_manifest m = {.name = (char *)"x",
                              .version = (char *)"1.0.0-rc.1",
                              .weir = (char *)"0.1.0",
                              .main = (char *)"a.lua",
                              .files = files,
                              .n_files = 3,
                              .needs = rig_json("{'mutate':true}"),
                              .expires = 1801439999};
    struct weir_manifest *again = NULL;
    struct weir_manifest_file first;
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_buf one, two;

    (void)state;
    weir_buf_init(&one, 4096);
    weir_buf_init(&two, 4096);
    assert_int_equal(weir_manifest_write(&m, &one, NULL), WEIR_OK);
    first = files[0];
    files[0] = files[2];
    files[2] = first;
    assert_int_equal(weir_manifest_write(&m, &two, NULL), WEIR_OK);
    assert_string_equal(one.data, two.data);
    assert_int_equal(weir_manifest_read(one.data, one.len, &again, NULL),
                     WEIR_OK);
    assert_string_equal(again->files[1].path, "lib/a.lua");
    assert_int_equal(again->expires, m.expires);
    weir_manifest_free(again);
    m.main = (char *)"c.lua";
    assert_int_equal(weir_manifest_write(&m, &two, &err), WEIR_VALIDATION);
    assert_non_null(strstr(err.message, "/main"));
    weir_json_free(m.needs);
    weir_buf_fini(&one);
    weir_buf_fini(&two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),  cmocka_unit_test(test_members),
        cmocka_unit_test(test_texts), cmocka_unit_test(test_files),
        cmocka_unit_test(test_args),  cmocka_unit_test(test_times),
        cmocka_unit_test(test_write),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
