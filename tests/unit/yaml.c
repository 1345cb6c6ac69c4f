/* yaml: what is read as what, what is refused, and what is written how. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weir/json.h"
#include "weir/yaml.h"

/* Reads YAML and leaves it as JSON text in `out`. */
static enum weir_code to_json(const char *text, size_t len,
                              const struct weir_yaml_options *options,
                              struct weir_buf *out, struct weir_err *err)
{
    struct weir_json_writer writer;
    struct weir_sink sink;
    /* Exactly as long as the text: a byte too far is seen by ASan. */
    char *copy = malloc(len ? len : 1);
    enum weir_code code;

    memcpy(copy, text, len);
    weir_json_writer_init(&writer, out, 0, &sink);
    code = weir_yaml_scan(copy, len, options, &sink, err);
    free(copy);
    return code;
}

static void assert_reads(const char *yaml, const char *json)
{
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_buf out;

    weir_buf_init(&out, 1 << 20);
    if (to_json(yaml, strlen(yaml), NULL, &out, &err))
        fail_msg("%s: %s", yaml, err.message);
    assert_string_equal(weir_buf_str(&out), json);
    weir_buf_fini(&out);
}

static void assert_refused(const char *yaml, enum weir_code expected,
                           const char *message)
{
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_buf out;
    enum weir_code code;

    weir_buf_init(&out, 1 << 20);
    code = to_json(yaml, strlen(yaml), NULL, &out, &err);
    if (code != expected)
        fail_msg("%.40s: %s, %s", yaml, weir_code_word(code), err.message);
    if (!strstr(err.message, message))
        fail_msg("%.40s: said \"%s\", not \"%s\"", yaml, err.message, message);
    weir_err_clear(&err);
    weir_buf_fini(&out);
}

/* ---- reading ---- */

static void scalars_are_those_of_the_core_schema(void **state)
{
    static const char *const rows[][2] = {
        {"[~, null, Null, NULL, ]", "[null,null,null,null]"},
        {"- \n- x", "[null,\"x\"]"},
        {"[true, True, TRUE, false, False, FALSE]",
         "[true,true,true,false,false,false]"},
        {"[0, -0, +1, -12, 123456789012345678901234567890]",
         "[0,-0,1,-12,123456789012345678901234567890]"},
        {"[0x1F, 0xff, 0o17]", "[31,255,15]"},
        {"[! 1, ! ~, ! a, !!str 2]", "[\"1\",\"~\",\"a\",\"2\"]"},
        {"[1.5, .5, -.5, 1., 1e3, 1.5E+3, 007.5, +1.0e-2]",
         "[1.5,0.5,-0.5,1.0,1e3,1.5E+3,7.5,1.0e-2]"},
        /* What 1.1 would read otherwise is a string. */
        {"[yes, No, on, OFF, y, n]",
         "[\"yes\",\"No\",\"on\",\"OFF\",\"y\",\"n\"]"},
        {"[0777, 08, -012, 1:30, 2001-01-01, 1_000, 0b11, =]",
         "[\"0777\",\"08\",\"-012\",\"1:30\",\"2001-01-01\",\"1_000\",\"0b11\","
         "\"=\"]"},
        {"[nULL, tRUE, ., +, 1e, 0x, 0o8, 0xg, 1.2.3, e5, .e5, --1]",
         "[\"nULL\",\"tRUE\",\".\",\"+\",\"1e\",\"0x\",\"0o8\",\"0xg\","
         "\"1.2.3\",\"e5\",\".e5\",\"--1\"]"},
        {"[\"1\", '1', \"null\", \"\", '']",
         "[\"1\",\"1\",\"null\",\"\",\"\"]"},
        {"[!!str 1, !!str null, !!int \"7\", !!float '1.5', !!bool \"true\", "
         "!!null '']",
         "[\"1\",\"null\",7,1.5,true,null]"},
        {"\"\\0\\x41\\u00e9\\U0001F600\"",
         "\"\\u0000A\xC3\xA9\xF0\x9F\x98\x80\""},
        {"{\"\": 1, 'a b': 2, c: 3}", "{\"\":1,\"a b\":2,\"c\":3}"},
        {"%YAML 1.2\n---\nx\n...\n", "\"x\""},
        {"---\n", "null"},
        {"\xEF\xBB\xBF"
         "a: 1\n",
         "{\"a\":1}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        assert_reads(rows[i][0], rows[i][1]);
}

static void blocks_and_aliases_are_read(void **state)
{
    (void)state;
    assert_reads("a:\n  - 1\n  - b: |\n      two\n      lines\n    c: >-\n"
                 "      one\n      line\n",
                 "{\"a\":[1,{\"b\":\"two\\nlines\\n\",\"c\":\"one line\"}]}");
    assert_reads("a: &x {k: [1]}\nb: *x\nc: [*x, *x]\n",
                 "{\"a\":{\"k\":[1]},\"b\":{\"k\":[1]},"
                 "\"c\":[{\"k\":[1]},{\"k\":[1]}]}");
    assert_reads("- &a 1\n- *a\n- &a 2\n- *a\n", "[1,1,2,2]");
    assert_reads("- &k name\n- *k : 1\n", "[\"name\",{\"name\":1}]");
}

static void what_is_not_ours_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *yaml, *message;
    } rows[] = {
        {"", "no YAML document"},
        {"# only this\n", "no YAML document"},
        {"a: 1\n---\nb: 2\n", "line 2, column 1: a second document"},
        {"a: 1\nb: 2\na: 3\n", "line 3, column 1: the key \"a\" came before"},
        {"x: {a: 1, \"a\": 2}", "line 1, column 11: the key \"a\""},
        {"&a [*a]", "line 1, column 5: the alias \"a\" stands inside"},
        {"&a {k: {l: *a}}", "the alias \"a\" stands inside"},
        {"x: *no", "line 1, column 4: no anchor \"no\" before"},
        {"- *a\n- &a 1", "no anchor \"a\" before"},
        {"!ruby/object:X {}", "unknown tag: \"!ruby/object:X\""},
        {"a: !!python/object/apply:os.system [x]", "unknown tag"},
        {"!!set {a}", "unknown tag"},
        {"!!binary aGk=", "unknown tag"},
        {"!!map [1]", "unknown tag"},
        {"!!int 0.5", "does not fit its tag"},
        {"!!int x", "does not fit its tag"},
        {"!!bool yes", "does not fit its tag"},
        {"!!null 0", "does not fit its tag"},
        {"!!float .nan", "does not fit its tag"},
        {"1: x", "line 1, column 1: a key must be a string; this is a number"},
        {"{true: x}", "this is a boolean"},
        {"a:\n  ~: x", "line 2, column 3: a key must be a string; this is "
                       "null"},
        {"? [a]\n: 1", "this is an array"},
        {"? {a: 1}\n: 1", "this is an object"},
        {"- &a [1]\n- *a : 1", "this is an array"},
        {"a: &a {x: 1}\nb:\n  <<: *a\n", "line 3, column 3: merge keys"},
        {"a: .inf", "line 1, column 4: .inf is a number that JSON cannot"},
        {"a: -.INF", "cannot hold"},
        {"a: .nan", "cannot hold"},
        {"a: 0x10000000000000000", "cannot hold"},
        {"a: [1\nb: 2", "line 2"},
        {"a: \"x", "line 1, column 6"},
        {"a: b: c", "line 1, column 5: mapping values are not allowed"},
        {"\ta: 1", "line 1, column 1"},
        {"a: \"\\ud800\"", "line 1"},
        {"a: \x01", "line 1, column 4: control characters are not allowed"},
        {"ab\n\xFF", "line 2, column 1: invalid leading UTF-8 octet"},
        {"\xFF\xFE"
         "a",
         "line 1, column 1"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        assert_refused(rows[i].yaml, WEIR_SYNTAX, rows[i].message);
}

static char *repeat(const char *text, size_t n)
{
    size_t len = strlen(text);
    char *all = malloc(n * len + 1);

    for (size_t i = 0; i < n; i++)
        memcpy(all + i * len, text, len);
    all[n * len] = '\0';
    return all;
}

/* The place shows that libyaml was left there and then: the whole of the
 * second row takes it most of a minute. */
static void the_ceilings_hold_at_once(void **state)
{
    static const struct {
        const char *unit;
        size_t n;
        const char *message;
    } rows[] = {
        {"[", 65, "line 1, column 65: nested deeper than 64 levels"},
        {"{a: ", 80000, "line 1, column 257: nested deeper than 64 levels"},
        {"[", 300000, "line 1, column 65: nested deeper than 64 levels"},
        {"- ", 50000, "line 1, column 129: nested deeper than 64 levels"},
        {"? ", 50000, "line 1, column 129: nested deeper than 64 levels"},
        {"- a\n", 1000000, "more than 1000000 values"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        char *yaml = repeat(rows[i].unit, rows[i].n);

        assert_refused(yaml, WEIR_LIMIT, rows[i].message);
        free(yaml);
    }
}

static void an_alias_bomb_is_a_limit(void **state)
{
    struct weir_yaml_options deep = {.max_expansions = 1000000};
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_buf yaml, out;

    (void)state;
    weir_buf_init(&yaml, 10000);
    weir_buf_adds(&yaml, "- &a0 [x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 10; i++)
        weir_buf_addf(&yaml,
                      "- &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i,
                      i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    assert_refused(yaml.data, WEIR_LIMIT, "aliases expand to more than 10000");
    /* The ceiling on values counts what aliases bring. */
    weir_buf_init(&out, 1 << 28);
    assert_int_equal(to_json(yaml.data, yaml.len, &deep, &out, &err),
                     WEIR_LIMIT);
    assert_non_null(strstr(err.message, "more than 1000000 values"));
    weir_err_clear(&err);
    weir_buf_fini(&out);
    weir_buf_fini(&yaml);
}

/* Nesting that aliases bring counts as well. */
static void depth_through_aliases_is_counted(void **state)
{
    struct weir_buf yaml;

    (void)state;
    weir_buf_init(&yaml, 10000);
    weir_buf_adds(&yaml, "- &a0 [x]\n");
    for (int i = 1; i < 70; i++)
        weir_buf_addf(&yaml, "- &a%d [*a%d]\n", i, i - 1);
    assert_refused(yaml.data, WEIR_LIMIT, "nested deeper than 64 levels");
    weir_buf_fini(&yaml);
}

static void options_say_less(void **state)
{
    struct weir_yaml_options options = {
        .max_depth = 2, .max_nodes = 4, .max_expansions = 1};
    struct weir_buf out;

    (void)state;
    weir_buf_init(&out, 1000);
    assert_int_equal(to_json("[[1]]", 5, &options, &out, NULL), WEIR_OK);
    assert_int_equal(to_json("[[[]]]", 6, &options, &out, NULL), WEIR_LIMIT);
    assert_int_equal(to_json("[1,2,3]", 7, &options, &out, NULL), WEIR_OK);
    assert_int_equal(to_json("[1,2,3,4]", 9, &options, &out, NULL), WEIR_LIMIT);
    assert_int_equal(to_json("[&a 1,*a]", 9, &options, &out, NULL), WEIR_OK);
    assert_int_equal(to_json("[&a [],*a,*a]", 13, &options, &out, NULL),
                     WEIR_LIMIT);
    weir_buf_fini(&out);
}

/* ---- writing ---- */

static void write_json(const char *json, struct weir_buf *out)
{
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_json *document;

    if (weir_json_parse(json, strlen(json), NULL, &document, &err) ||
        weir_yaml_write(document, out, &err))
        fail_msg("%s: %s", json, err.message);
    weir_json_free(document);
}

static void assert_writes(const char *json, const char *yaml)
{
    struct weir_buf out;

    weir_buf_init(&out, 1 << 20);
    write_json(json, &out);
    assert_string_equal(weir_buf_str(&out), yaml);
    weir_buf_fini(&out);
}

static void documents_are_written_in_blocks_with_sorted_keys(void **state)
{
    (void)state;
    assert_writes("{\"name\":\"x\",\"matchers\":[{\"value\":300,\"attribute\":"
                  "\"customer.tier\"}],\"a\":[],\"o\":{},\"n\":null,"
                  "\"t\":true,\"l\":[[1,[2]],\"flt_1-a\"]}",
                  "a: []\n"
                  "l:\n"
                  "- - 1\n"
                  "  - - 2\n"
                  "- flt_1-a\n"
                  "matchers:\n"
                  "- attribute: customer.tier\n"
                  "  value: 300\n"
                  "\"n\": null\n"
                  "name: x\n"
                  "o: {}\n"
                  "t: true\n");
}

static void numbers_are_written_as_both_versions_read_them(void **state)
{
    (void)state;
    assert_writes("[1,-0,1e3,1E400,1.5e-7,2.0,-1e-3,1.25E+2,"
                  "123456789012345678901234567890,0.10]",
                  "- 1\n- -0\n- 1.0e+3\n- 1.0E+400\n- 1.5e-7\n- 2.0\n"
                  "- -1.0e-3\n- 1.25E+2\n- 123456789012345678901234567890\n"
                  "- 0.10\n");
}

static void a_string_stays_on_one_line(void **state)
{
    char *words = repeat("many words ", 100);
    struct weir_buf json, out;

    (void)state;
    weir_buf_init(&json, 1 << 16);
    weir_buf_init(&out, 1 << 16);
    weir_buf_addf(&json, "[\"%s\\nnext\"]", words);
    write_json(json.data, &out);
    assert_ptr_equal(strchr(out.data, '\n'), out.data + out.len - 1);
    weir_buf_fini(&json);
    weir_buf_fini(&out);
    free(words);
}

static const char *const nasty[] = {
    "",
    "~",
    "null",
    "Null",
    "true",
    "False",
    "yes",
    "No",
    "ON",
    "off",
    "y",
    "N",
    "none",
    "1",
    "-1",
    "+1",
    "1e3",
    "1E400",
    "0x10",
    "0o17",
    "0777",
    "0b1",
    "1_000",
    "1.5",
    ".5",
    "1.",
    "-0",
    "12:30",
    "1:30",
    "190:20:30",
    "2001-01-01",
    "2001-01-01 12:00:00",
    ".inf",
    "-.INF",
    ".nan",
    "=",
    "<<",
    "-",
    "- a",
    "? a",
    ": a",
    "a: b",
    "a #b",
    "#",
    "&a",
    "*a",
    "!a",
    "|",
    ">",
    "%",
    "@",
    "`",
    "[",
    "]",
    "{",
    "}",
    ",",
    "'",
    "\\\"",
    "---",
    "...",
    " a",
    "a ",
    "\\n",
    "a\\n",
    "\\ta",
    "a\\u0000b",
    "\\u0007",
    "\\u007f",
    "\\u0085",
    "\\u2028",
    "\\ufeff",
    "\xC3\xA9",
    "\\ud83d\\ude00",
    "a\\\\b",
    "\\r\\n",
    "word",
    "two words",
    "flt_1",
    "x.y-z",
    "production_platinum",
    "\\uffff",
};

/* Written and read again: the same, as value and as key, and the same bytes
 * whenever it is written. */
static void nasty_strings_come_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(nasty) / sizeof(*nasty); i++) {
        struct weir_buf json, yaml, again, back;
        struct weir_json *a, *b;
        struct weir_err err = WEIR_ERR_INIT;

        weir_buf_init(&json, 10000);
        weir_buf_init(&yaml, 10000);
        weir_buf_init(&again, 10000);
        weir_buf_init(&back, 10000);
        weir_buf_addf(&json, "{\"k\":[\"%s\"],\"o\":{\"%s\":1}}", nasty[i],
                      nasty[i]);
        write_json(json.data, &yaml);
        write_json(json.data, &again);
        assert_string_equal(yaml.data, again.data);
        if (to_json(yaml.data, yaml.len, NULL, &back, &err))
            fail_msg("%s: %s", yaml.data, err.message);
        assert_int_equal(weir_json_parse(json.data, json.len, NULL, &a, NULL),
                         WEIR_OK);
        assert_int_equal(weir_json_parse(back.data, back.len, NULL, &b, NULL),
                         WEIR_OK);
        if (!weir_json_equal(a, b))
            fail_msg("%s became %s through %s", json.data, back.data,
                     yaml.data);
        weir_json_free(a);
        weir_json_free(b);
        weir_buf_fini(&json);
        weir_buf_fini(&yaml);
        weir_buf_fini(&again);
        weir_buf_fini(&back);
    }
}

static void scalars_alone_are_documents(void **state)
{
    static const char *const rows[] = {"1",    "1.5",       "\"x\"", "\"no\"",
                                       "null", "\"a\\nb\"", "[]",    "{}"};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct weir_buf yaml, back;

        weir_buf_init(&yaml, 1000);
        weir_buf_init(&back, 1000);
        write_json(rows[i], &yaml);
        assert_int_equal(to_json(yaml.data, yaml.len, NULL, &back, NULL),
                         WEIR_OK);
        assert_string_equal(back.data, rows[i]);
        weir_buf_fini(&yaml);
        weir_buf_fini(&back);
    }
}

static void a_full_buffer_ends_the_writing(void **state)
{
    struct weir_json *json = weir_json_new_array();
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_buf out;

    (void)state;
    for (int i = 0; i < 10000; i++)
        weir_json_append(json, weir_json_new_string("no", 2));
    weir_buf_init(&out, 100);
    assert_int_equal(weir_yaml_write(json, &out, &err), WEIR_LIMIT);
    assert_string_equal(err.message,
                        "YAML text is over its ceiling of 100 bytes");
    weir_err_clear(&err);
    weir_buf_fini(&out);
    weir_json_free(json);
}

static void what_is_not_utf8_is_not_written(void **state)
{
    struct weir_json *json = weir_json_new_string("\xC3", 1);
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_buf out;

    (void)state;
    weir_buf_init(&out, 100);
    assert_int_equal(weir_yaml_write(json, &out, &err), WEIR_INVALID);
    assert_non_null(strstr(err.message, "not UTF-8"));
    weir_err_clear(&err);
    weir_buf_fini(&out);
    weir_json_free(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars_are_those_of_the_core_schema),
        cmocka_unit_test(blocks_and_aliases_are_read),
        cmocka_unit_test(what_is_not_ours_is_refused_with_its_place),
        cmocka_unit_test(the_ceilings_hold_at_once),
        cmocka_unit_test(an_alias_bomb_is_a_limit),
        cmocka_unit_test(depth_through_aliases_is_counted),
        cmocka_unit_test(options_say_less),
        cmocka_unit_test(documents_are_written_in_blocks_with_sorted_keys),
        cmocka_unit_test(numbers_are_written_as_both_versions_read_them),
        cmocka_unit_test(a_string_stays_on_one_line),
        cmocka_unit_test(nasty_strings_come_back),
        cmocka_unit_test(scalars_alone_are_documents),
        cmocka_unit_test(a_full_buffer_ends_the_writing),
        cmocka_unit_test(what_is_not_utf8_is_not_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
