/* filter: every fault of a definition, each with its path; then the filter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weir/filter.h"

static const char *const channels[] = {"voice", "chat", "email", NULL};
static const char *const server_fields[] = {"id", "etag", NULL};
static const struct weir_filter_schema schema = {
    .channels = channels,
    .server_fields = server_fields,
    .max_name = 16,
    .max_description = 32,
    .max_matchers = 2,
    .max_pattern_rules = 2,
    .max_in_values = 3,
    .max_value = 64,
    .max_path_depth = 3,
};

static struct weir_json *parsed(const char *text)
{
    struct weir_json *json = NULL;
    struct weir_err err = WEIR_ERR_INIT;

    if (weir_json_parse(text, strlen(text), NULL, &json, &err))
        fail_msg("%s: %s", text, err.message);
    return json;
}

static struct weir_filter *made(const char *text)
{
    struct weir_json *json = parsed(text);
    struct weir_filter *filter = NULL;
    struct weir_err err = WEIR_ERR_INIT;

    if (weir_filter_new(json, &schema, &filter, NULL, &err))
        fail_msg("%s: %s", text, err.message);
    return filter;
}

static void check(const char *text, struct weir_filter_problems *problems)
{
    struct weir_json *json = parsed(text);
    struct weir_err err = WEIR_ERR_INIT;
    size_t before = problems->n;
    enum weir_code code = weir_filter_check(json, &schema, problems, &err);

    assert_int_equal(code, problems->n > before ? WEIR_VALIDATION : WEIR_OK);
    weir_json_free(json);
    weir_err_clear(&err);
}

/* Expects one problem at `path`, with these words in message and hint. */
static void one(const char *text, const char *path, const char *message,
                const char *hint)
{
    struct weir_filter_problems problems = {0};

    check(text, &problems);
    if (problems.n != 1)
        fail_msg("%s: %zu problems", text, problems.n);
    if (strcmp(problems.list[0].path, path) != 0 ||
        !strstr(problems.list[0].message, message) ||
        (*hint ? !strstr(problems.list[0].hint, hint)
               : problems.list[0].hint[0]))
        fail_msg("%s:\n  %s: %s (%s)", text, problems.list[0].path,
                 problems.list[0].message, problems.list[0].hint);
    weir_filter_problems_fini(&problems);
}

#define WITH(more)                                                             \
    "{\"name\":\"n\",\"channel\":\"voice\",\"target_group_id\":\"g\"," more "}"
#define MATCHER(more) WITH("\"matchers\":[{\"attribute\":\"a\"," more "}]")
#define RULE(more)    WITH("\"pattern_rules\":[{\"field\":\"a\"," more "}]")
#define PATH(path)                                                             \
    WITH("\"matchers\":[{\"operator\":\"equals\",\"value\":1,"                 \
         "\"attribute\":" path "}]")

static void what_is_no_object_is_refused(void **state)
{
    (void)state;
    /* A name that would act on a terminal is shown harmless. */
    one(WITH("\"a\\u001b[2J\\u007f\\u009b\":1"), "/a?[2J???", "unknown", "");
    one("[]", "", "a filter must be an object, not array", "");
    one("null", "", "object", "");
}

static void every_fault_is_found_in_one_pass(void **state)
{
    struct weir_filter_problems problems = {0};

    (void)state;
    check("{\"name\":\"\",\"description\":7,\"channel\":\"vocie\","
          "\"matchers\":[{\"atribute\":\"a\",\"operator\":\"equal\"},7],"
          "\"pattern_rules\":{},\"id\":\"x\",\"colour\":1}",
          &problems);
    static const char *const paths[] = {
        "/name",
        "/description",
        "/channel",
        "/matchers/0/atribute",
        "/matchers/0/attribute",
        "/matchers/0/operator",
        "/matchers/0/value",
        "/matchers/1",
        "/pattern_rules",
        "/target_group_id",
        "/id",
        "/colour",
    };
    assert_int_equal(problems.n, sizeof(paths) / sizeof(*paths));
    for (size_t i = 0; i < problems.n; i++)
        assert_string_equal(problems.list[i].path, paths[i]);
    assert_string_equal(problems.list[2].hint, "did you mean 'voice'?");
    assert_string_equal(problems.list[3].hint, "did you mean 'attribute'?");
    assert_string_equal(problems.list[5].hint, "did you mean 'equals'?");
    weir_filter_problems_fini(&problems);
}

static void the_first_is_the_errors_message(void **state)
{
    struct weir_json *json = parsed("{\"channel\":\"vocie\"}");
    struct weir_filter *filter = NULL;
    struct weir_err err = WEIR_ERR_INIT;

    (void)state;
    assert_int_equal(weir_filter_new(json, &schema, &filter, NULL, &err),
                     WEIR_VALIDATION);
    assert_null(filter);
    assert_string_equal(err.message, "/name: is required (and 2 more)");
    weir_json_free(json);
}

static void fields_of_the_server_are_left_out(void **state)
{
    (void)state;
    one(WITH("\"etag\":\"x\""), "/etag", "the server sets it: leave it out",
        "");
}

static void unknown_fields_are_refused(void **state)
{
    (void)state;
    one(WITH("\"matcher\":[]"), "/matcher", "unknown field 'matcher'",
        "did you mean 'matchers'?");
    one(WITH("\"a/b~c\\u0000\\n\":1"), "/a~1b~0c??", "a/b~c?", "");
    one(MATCHER("\"operator\":\"equals\",\"value\":1,\"case\":1"),
        "/matchers/0/case", "attribute, operator or value", "");
}

static void names_are_short_and_printable(void **state)
{
    (void)state;
    one("{\"name\":\"12345678901234567\",\"channel\":\"chat\","
        "\"target_group_id\":\"g\"}",
        "/name", "has 17 bytes; at most 16", "");
    one("{\"name\":\"a\\u0000b\",\"channel\":\"chat\","
        "\"target_group_id\":\"g\"}",
        "/name", "control character", "");
    one("{\"name\":\"a\\nb\",\"channel\":\"chat\",\"target_group_id\":\"g\"}",
        "/name", "control character", "");
    one("{\"name\":\"n\",\"channel\":\"chat\",\"target_group_id\":\"\"}",
        "/target_group_id", "empty", "");
    one(WITH("\"description\":null"), "/description", "string, not null", "");
    one(WITH("\"description\":\"123456789012345678901234567890123\""),
        "/description", "33 bytes", "");
}

static void channels_are_the_schemas(void **state)
{
    (void)state;
    one("{\"name\":\"n\",\"channel\":\"Voice\",\"target_group_id\":\"g\"}",
        "/channel", "unknown channel 'Voice'; expected voice, chat or email",
        "did you mean 'voice'?");
    one("{\"name\":\"n\",\"channel\":\"voice\\u0000\","
        "\"target_group_id\":\"g\"}",
        "/channel", "unknown channel", "");
    one("{\"name\":\"n\",\"channel\":1,\"target_group_id\":\"g\"}", "/channel",
        "must be a string, not number", "");
}

static void lists_are_arrays_of_few_objects(void **state)
{
    (void)state;
    one(WITH("\"matchers\":{\"attribute\":\"a\"}"), "/matchers",
        "must be an array, not object", "");
    one(WITH("\"pattern_rules\":null"), "/pattern_rules", "array", "");
    one(WITH("\"pattern_rules\":[\"x\"]"), "/pattern_rules/0",
        "a pattern rule must be an object, not string", "");
#define M "{\"attribute\":\"a\",\"operator\":\"equals\",\"value\":1}"
    one(WITH("\"matchers\":[" M "," M "," M "]"), "/matchers",
        "has 3 elements; at most 2", "");
    one(WITH("\"matchers\":[" M ",[]]"), "/matchers/1", "object, not array",
        "");
}

static void words_of_other_languages_are_understood(void **state)
{
    (void)state;
    one(MATCHER("\"operator\":\"==\",\"value\":1"), "/matchers/0/operator",
        "unknown operator '=='", "did you mean 'equals'?");
    one(MATCHER("\"operator\":\"regex\",\"value\":\"x\""),
        "/matchers/0/operator", "unknown operator",
        "put it into pattern_rules");
}

static void paths_have_a_syntax(void **state)
{
    (void)state;
    one(PATH("\"\""), "/matchers/0/attribute", "empty", "");
    one(PATH("\"a..b\""), "/matchers/0/attribute", "empty name before a dot",
        "customer.tier");
    one(PATH("\".a\""), "/matchers/0/attribute", "empty name", "dots");
    one(PATH("\"a.\""), "/matchers/0/attribute", "ends in a dot", "dots");
    one(PATH("\"a\\\\\""), "/matchers/0/attribute", "ends in a backslash",
        "dots");
    one(PATH("\"a\\\\b\""), "/matchers/0/attribute", "backslash", "dots");
    one(PATH("\"a.b.c.d\""), "/matchers/0/attribute", "has 4 names; at most 3",
        "");
    one(PATH("\"a\\u0000\""), "/matchers/0/attribute", "control character", "");
    one(PATH("7"), "/matchers/0/attribute", "string, not number", "");
    weir_filter_free(made(PATH("\"a\\\\.b.c\\\\\\\\.d\"")));
}

static void values_fit_their_operator(void **state)
{
    (void)state;
#define V(op, value) MATCHER("\"operator\":\"" op "\",\"value\":" value)
#define AT           "/matchers/0/value"
    one(V("equals", "[1]"), AT, "not array", "operator 'in'");
    one(V("equals", "{\"a\":1}"), AT, "not object", "");
    one(V("not_equals", "[]"), AT, "not array", "");
    one(V("contains", "{}"), AT, "not object", "");
    one(V("greater_than", "\"many\""), AT, "a number, or a string that is one",
        "");
    one(V("greater_than", "\"300 \""), AT, "'300 '", "");
    one(V("greater_than", "\"\""), AT, "number", "");
    one(V("less_than", "true"), AT, "not boolean", "");
    one(V("less_than", "null"), AT, "not null", "");
    one(V("less_than", "\"0x10\""), AT, "number", "");
    one(V("in", "[]"), AT, "needs at least one value", "");
    one(V("in", "{}"), AT, "needs at least one value", "");
    one(V("in", "\"a\""), AT, "must be an array of values, not string",
        "'equals'");
    one(V("in", "[1,2,3,4]"), AT, "has 4 values; at most 3", "");
    one(V("in", "[1,[2],3]"), AT "/1", "not array", "");
    one(V("equals", "\"12345678901234567890123456789012345678901234567890"
                    "123456789012345\""),
        AT, "has 65 bytes; at most 64", "");
    one(MATCHER("\"operator\":\"equals\""), AT, "is required", "weir.null");
}

static void values_that_fit_are_taken(void **state)
{
    static const char *const good[] = {
        V("equals", "null"),        V("equals", "\"\""),
        V("not_equals", "false"),   V("greater_than", "300"),
        V("less_than", "\"-1e3\""), V("contains", "1.5"),
        V("contains", "\"x\""),     V("in", "[null,1,\"a\"]"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        weir_filter_free(made(good[i]));
}

static void patterns_fit_their_type(void **state)
{
    (void)state;
#define P(type, pattern) RULE("\"type\":\"" type "\",\"pattern\":" pattern)
#define RULE_AT          "/pattern_rules/0/pattern"
    one(P("regex", "\"a(b\""), RULE_AT, "at byte 3", "");
    one(P("regex", "\"a\\\\Kb\""), RULE_AT,
        "portable to Python's re, at byte 1", "");
    one(P("regex", "1"), RULE_AT, "string, not number", "");
    one(P("cidr", "\"10.1.0.0/8\""), RULE_AT,
        "'10.1.0.0/8': ", "did you mean '10.0.0.0/8'?");
    one(P("cidr", "\"ten\""), RULE_AT, "not a block", "10.0.0.0/8");
    one(P("prefix", "\"\""), RULE_AT, "must not be empty", "");
    one(P("regexp", "\"a\""), "/pattern_rules/0/type", "unknown type 'regexp'",
        "did you mean 'regex'?");
    weir_filter_free(made(P("regex", "\"(a+)+\""))); /* slow: a warning */
    weir_filter_free(made(P("cidr", "\"2001:db8::/32\"")));
    weir_filter_free(made(P("prefix", "\"+49\"")));
}

/* How many problems a filter has whose only regex is `pattern`, in JSON. */
static size_t problems_of_regex(const char *pattern,
                                struct weir_filter_known *known)
{
    struct weir_filter_schema remembers = schema;
    struct weir_filter_problems problems = {0};
    struct weir_json *json;
    char text[256];
    size_t n;

    snprintf(text, sizeof(text), RULE("\"type\":\"regex\",\"pattern\":\"%s\""),
             pattern);
    json = parsed(text);
    remembers.known_regexes = known;
    weir_filter_check(json, &remembers, &problems, NULL);
    n = problems.n;
    weir_filter_problems_fini(&problems);
    weir_json_free(json);
    return n;
}

/* A regex is remembered if nothing was wrong with it, and then taken at its
 * word. */
static void a_regex_that_is_known_is_not_compiled_again(void **state)
{
    struct weir_filter_known *known = weir_filter_known_new();

    (void)state;
    assert_non_null(known);
    for (int twice = 0; twice < 2; twice++) {
        assert_int_equal(problems_of_regex("a{2}b", known), 0);
        assert_int_equal(problems_of_regex("(a+)+", known), 0); /* a warning */
        assert_int_equal(problems_of_regex("a(b", known), 1);
        assert_int_equal(problems_of_regex("a\\\\Kb", known), 1);
    }
    assert_true(weir_filter_known_has(known, "a{2}b", 5));
    assert_true(weir_filter_known_has(known, "(a+)+", 5));
    assert_false(weir_filter_known_has(known, "a(b", 3));
    assert_false(weir_filter_known_has(known, "a\\Kb", 4));
    weir_filter_known_add(known, "a(b", 3);
    assert_int_equal(problems_of_regex("a(b", known), 0);
    assert_int_equal(problems_of_regex("a(b", NULL), 1);
    weir_filter_known_free(known);
}

static void more_problems_than_anybody_reads_are_cut(void **state)
{
    struct weir_filter_problems problems = {0};
    char *text = malloc(100000), *end = text;

    (void)state;
    end += sprintf(end, "{\"k\":0");
    for (int i = 0; i < 3000; i++)
        end += sprintf(end, ",\"key %d\":%d", i, i);
    sprintf(end, "}");
    check(text, &problems);
    assert_int_equal(problems.n, 1000);
    assert_non_null(strstr(problems.list[999].message, "first 999"));
    free(text);
    weir_filter_problems_fini(&problems);
}

static void a_long_key_is_cut_not_overrun(void **state)
{
    char text[1200] = "{\"";

    (void)state;
    memset(text + 2, '~', 1000);
    strcpy(text + 1002, "\":1,\"name\":\"n\",\"channel\":\"chat\","
                        "\"target_group_id\":\"g\"}");
    struct weir_filter_problems problems = {0};
    check(text, &problems);
    assert_int_equal(problems.n, 1);
    assert_true(strlen(problems.list[0].path) < sizeof(problems.list[0].path));
    assert_non_null(strstr(problems.list[0].message, "~~~...'"));
    weir_filter_problems_fini(&problems);
}

static void a_filter_keeps_its_own_copy(void **state)
{
    struct weir_filter *filter = made(WITH("\"description\":\"d\\n\""));

    (void)state;
    assert_string_equal(weir_filter_name(filter), "n");
    assert_string_equal(
        weir_json_get_string(weir_filter_definition(filter), "description"),
        "d\n");
    weir_filter_free(filter);
    weir_filter_free(NULL);
}

static bool equal(const char *a, const char *b)
{
    struct weir_filter *x = made(a), *y = made(b);
    bool same = weir_filter_equal(x, y);

    assert_int_equal(same, weir_filter_equal(y, x));
    weir_filter_free(x);
    weir_filter_free(y);
    return same;
}

static void equality_is_of_the_definition(void **state)
{
    (void)state;
    assert_true(equal(WITH("\"matchers\":[]"), WITH("\"pattern_rules\":[]")));
    assert_true(equal(V("equals", "1"), V("equals", "1.0")));
    assert_false(equal(V("equals", "1"), V("equals", "\"1\"")));
    assert_false(equal(V("equals", "1"), WITH("\"matchers\":[]")));
    assert_false(equal(WITH("\"description\":\"\""), WITH("\"matchers\":[]")));
}

static void a_filter_reads_as_one_line(void **state)
{
    struct weir_filter *filter =
        made(WITH("\"matchers\":[{\"attribute\":\"customer.tier\","
                  "\"operator\":\"in\",\"value\":[\"gold\",1]}],"
                  "\"pattern_rules\":[{\"type\":\"prefix\","
                  "\"field\":\"phone\",\"pattern\":\"+49\"}]"));
    struct weir_buf buf;

    (void)state;
    weir_buf_init(&buf, 1000);
    assert_int_equal(weir_filter_describe(filter, &buf), WEIR_OK);
    assert_string_equal(weir_buf_str(&buf),
                        "filter n (voice): customer.tier in [\"gold\",1] and "
                        "phone prefix \"+49\" \xe2\x86\x92 g");
    weir_buf_fini(&buf);
    weir_buf_init(&buf, 10);
    assert_int_equal(weir_filter_describe(filter, &buf), WEIR_LIMIT);
    weir_buf_fini(&buf);
    weir_filter_free(filter);
}

static void a_description_is_one_printable_line(void **state)
{
    struct weir_filter *filter = made(MATCHER(
        "\"operator\":\"equals\",\"value\":\"a\\u007f\\u009b\\n\\u00e9\""));
    struct weir_buf buf;

    (void)state;
    weir_buf_init(&buf, 1000);
    weir_buf_adds(&buf, "before\n");
    assert_int_equal(weir_filter_describe(filter, &buf), WEIR_OK);
    assert_string_equal(weir_buf_str(&buf),
                        "before\nfilter n (voice): a equals \"a???\\n\xC3\xA9\""
                        " \xe2\x86\x92 g");
    assert_int_equal(buf.len, strlen(buf.data));
    weir_buf_fini(&buf);
    weir_filter_free(filter);
}

static void words_and_enums_agree(void **state)
{
    (void)state;
    assert_int_equal(weir_filter_operator("greater_than"),
                     WEIR_FILTER_GREATER_THAN);
    assert_int_equal(weir_filter_operator("Equals"), -1);
    assert_int_equal(weir_filter_rule_type("cidr"), WEIR_FILTER_CIDR);
    assert_int_equal(weir_filter_rule_type(""), -1);
    assert_string_equal(weir_filter_operators()[WEIR_FILTER_IN], "in");
    assert_string_equal(weir_filter_rule_types()[WEIR_FILTER_PREFIX], "prefix");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_object_is_refused),
        cmocka_unit_test(every_fault_is_found_in_one_pass),
        cmocka_unit_test(the_first_is_the_errors_message),
        cmocka_unit_test(fields_of_the_server_are_left_out),
        cmocka_unit_test(unknown_fields_are_refused),
        cmocka_unit_test(names_are_short_and_printable),
        cmocka_unit_test(channels_are_the_schemas),
        cmocka_unit_test(lists_are_arrays_of_few_objects),
        cmocka_unit_test(words_of_other_languages_are_understood),
        cmocka_unit_test(paths_have_a_syntax),
        cmocka_unit_test(values_fit_their_operator),
        cmocka_unit_test(values_that_fit_are_taken),
        cmocka_unit_test(patterns_fit_their_type),
        cmocka_unit_test(a_regex_that_is_known_is_not_compiled_again),
        cmocka_unit_test(more_problems_than_anybody_reads_are_cut),
        cmocka_unit_test(a_long_key_is_cut_not_overrun),
        cmocka_unit_test(a_filter_keeps_its_own_copy),
        cmocka_unit_test(equality_is_of_the_definition),
        cmocka_unit_test(a_filter_reads_as_one_line),
        cmocka_unit_test(a_description_is_one_printable_line),
        cmocka_unit_test(words_and_enums_agree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
