/* json: what the scanner takes and refuses, documents, writing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "weir/json.h"

static struct weir_json *parse(const char *text)
{
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_json *json = NULL;

    if (weir_json_parse(text, strlen(text), NULL, &json, &err))
        fail_msg("%s: %s", text, err.message);
    return json;
}

static void assert_writes(const struct weir_json *json, unsigned indent,
                          const char *expected)
{
    struct weir_buf buf;

    weir_buf_init(&buf, 1 << 20);
    assert_int_equal(weir_json_write(json, indent, &buf, NULL), WEIR_OK);
    assert_string_equal(weir_buf_str(&buf), expected);
    assert_int_equal(buf.len, strlen(expected));
    weir_buf_fini(&buf);
}

/* ---- the scanner ---- */

struct row {
    const char *text;
    size_t len; /* 0: strlen */
    const char *message;
};

static void refused(const struct row *rows, size_t n)
{
    struct weir_err err = WEIR_ERR_INIT;

    for (size_t i = 0; i < n; i++) {
        struct weir_json *json = NULL;
        size_t len = rows[i].len ? rows[i].len : strlen(rows[i].text);
        /* Exactly as long as the text: a byte too far is seen by ASan. */
        char *text = malloc(len ? len : 1);
        enum weir_code code;

        memcpy(text, rows[i].text, len);
        code = weir_json_parse(text, len, NULL, &json, &err);
        free(text);
        if (code != WEIR_SYNTAX || json)
            fail_msg("%s was taken", rows[i].text);
        if (!strstr(err.message, rows[i].message))
            fail_msg("%s: said \"%s\", not \"%s\"", rows[i].text, err.message,
                     rows[i].message);
    }
    weir_err_clear(&err);
}

static void broken_structure_is_refused_with_its_place(void **state)
{
    static const struct row rows[] = {
        {"", 0, "line 1, column 1: expected a value, found the end of text"},
        {" \n\t", 0, "line 2, column 2: expected a value"},
        {"[", 0, "expected a value, found the end"},
        {"[1", 0, "expected ',' or ']', found the end"},
        {"[1,", 0, "expected a value, found the end"},
        {"[1,]", 0, "line 1, column 4: expected a value, found \"]\""},
        {"[,1]", 0, "expected a value, found \",\""},
        {"[1 2]", 0, "expected ',' or ']', found \"2\""},
        {"[1}", 0, "expected ',' or ']', found \"}\""},
        {"]", 0, "expected a value"},
        {"{", 0, "expected '\"' to begin a key, found the end"},
        {"{\"a\"", 0, "expected ':' after a key, found the end"},
        {"{\"a\":", 0, "expected a value, found the end"},
        {"{\"a\":1", 0, "expected ',' or '}', found the end"},
        {"{\"a\":1,}", 0, "expected '\"' to begin a key, found \"}\""},
        {"{\"a\" 1}", 0, "expected ':' after a key"},
        {"{a:1}", 0, "expected '\"' to begin a key, found \"a\""},
        {"{1:1}", 0, "expected '\"' to begin a key"},
        {"{'a':1}", 0, "expected '\"' to begin a key"},
        {"{\"a\":1]", 0, "expected ',' or '}', found \"]\""},
        {"[\n1,\n  \xC3\xA9]", 0,
         "line 3, column 3: expected a value, found "
         "\"\xC3\xA9\""},
        {"1 2", 0, "line 1, column 3: expected the end of text"},
        {"{}{}", 0, "expected the end of text"},
        {"1\0", 2, "expected the end of text, found \"\\x00\""},
        {"[1]\v", 0, "expected the end of text, found \"\\x0B\""},
        {"[1]/* c */", 0, "expected the end of text"},
        {"nul", 0, "expected a value"},
        {"nulll", 0, "expected the end of text"},
        {"True", 0, "expected a value"},
        {"NaN", 0, "expected a value"},
        {"-Infinity", 0, "expected a digit after '-'"},
        {"\xEF\xBB\xBF{}", 0, "a byte order mark is not allowed"},
        {"\xFE\xFF", 0, "expected a value, found \"\\xFE\""},
    };

    (void)state;
    refused(rows, sizeof(rows) / sizeof(*rows));
}

static void broken_numbers_are_refused(void **state)
{
    static const struct row rows[] = {
        {"01", 0, "must not begin with a zero"},
        {"-01", 0, "must not begin with a zero"},
        {"00", 0, "must not begin with a zero"},
        {"1.", 0, "expected a digit after '.'"},
        {"1.e1", 0, "expected a digit after '.'"},
        {"[1.]", 0, "expected a digit after '.'"},
        {"1e", 0, "expected digits in the exponent"},
        {"1e+", 0, "expected digits in the exponent"},
        {"1E-]", 0, "expected digits in the exponent"},
        {".5", 0, "expected a value"},
        {"+1", 0, "expected a value"},
        {"-", 0, "expected a digit after '-'"},
        {"--1", 0, "expected a digit after '-'"},
        {"0x10", 0, "expected the end of text, found \"x\""},
        {"1_000", 0, "expected the end of text, found \"_\""},
        {"1.2.3", 0, "column 4: expected the end of text, found \".\""},
        {"[1e5e5]", 0, "expected ',' or ']', found \"e\""},
    };

    (void)state;
    refused(rows, sizeof(rows) / sizeof(*rows));
}

static void broken_strings_are_refused(void **state)
{
    static const struct row rows[] = {
        {"\"", 0, "expected '\"' to end the string"},
        {"\"abc", 0, "line 1, column 5: expected '\"' to end the string"},
        {"\"a\nb\"", 0, "control character"},
        {"\"a\tb\"", 0, "control character"},
        {"\"\0\"", 3, "control character"},
        {"\"\\", 0, "expected an escape character"},
        {"\"\\x41\"", 0, "after a backslash, found \"x\""},
        {"\"\\'\"", 0, "after a backslash"},
        {"\"\\\0\"", 4, "after a backslash, found \"\\x00\""},
        {"\"\\u12\"", 0, "four hex digits"},
        {"\"\\u12G4\"", 0, "four hex digits"},
        {"\"\\u", 0, "four hex digits"},
        {"\"\\ud800\"", 0, "a high surrogate without its low one"},
        {"\"\\ud800x\"", 0, "a high surrogate without its low one"},
        {"\"\\ud800\\n\"", 0, "a high surrogate without its low one"},
        {"\"\\ud800\\ud800\"", 0, "a high surrogate without its low one"},
        {"\"\\uD83D\\u0041\"", 0, "a high surrogate without its low one"},
        {"\"ab\\udc00\"", 0, "line 1, column 4: a low surrogate"},
        {"\"\xFF\"", 0, "line 1, column 2: invalid UTF-8"},
        {"\"\xC3\xA9\xC0\x80\"", 0, "line 1, column 3: invalid UTF-8"},
        {"\"\xED\xA0\x80\"", 0, "invalid UTF-8"},
        {"\"\xC3", 0, "invalid UTF-8"},
        {"{\"\xFF\":1}", 0, "invalid UTF-8"},
    };

    (void)state;
    refused(rows, sizeof(rows) / sizeof(*rows));
}

static void what_rfc_8259_allows_is_taken(void **state)
{
    static const char *const rows[][2] = {
        {" null ", "null"},
        {"true", "true"},
        {"\r\n\t false", "false"},
        {"\"\"", "\"\""},
        {"[ ]", "[]"},
        {"{ }", "{}"},
        {"[[],{},[{}]]", "[[],{},[{}]]"},
        {"-0", "-0"},
        {"1E400", "1E400"},
        {"1e-400", "1e-400"},
        {"0.10", "0.10"},
        {"123456789012345678901234567890.5",
         "123456789012345678901234567890.5"},
        {"\"\\u0041\\/\\b\\f\\n\\r\\t\\\"\\\\\"",
         "\"A/\\b\\f\\n\\r\\t\\\"\\\\\""},
        {"\"\\ud83d\\ude00\\uD83D\\uDE00\"",
         "\"\xF0\x9F\x98\x80\xF0\x9F\x98\x80\""},
        {"\"\\u00e9\\u20ac\\uFFFF\"", "\"\xC3\xA9\xE2\x82\xAC\xEF\xBF\xBF\""},
        {"\"\x7F\"", "\"\x7F\""},
        {"\"\\u001f\"", "\"\\u001f\""},
        {"{\"\":{\"\":1}}", "{\"\":{\"\":1}}"},
        {"{\"b\":1,\"a\":2,\"B\":3,\"\xC3\xA9\":4,\"ab\":5}",
         "{\"B\":3,\"a\":2,\"ab\":5,\"b\":1,\"\xC3\xA9\":4}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct weir_json *json = parse(rows[i][0]);

        assert_writes(json, 0, rows[i][1]);
        weir_json_free(json);
    }
}

static void nul_survives_in_strings_and_keys(void **state)
{
    static const char text[] =
        "{\"a\":0,\"a\\u0000b\":\"x\\u0000y\\u0000\",\"a\\u0000c\":1}";
    struct weir_json *json = parse(text), *copy = weir_json_copy(json);
    size_t len;
    const char *value =
        weir_json_string(weir_json_get_len(copy, "a\0b", 3), &len);

    (void)state;
    assert_int_equal(len, 4);
    assert_memory_equal(value, "x\0y\0", 5);
    assert_int_equal(weir_json_size(json), 3);
    assert_true(weir_json_equal(json, copy));
    assert_writes(copy, 0, text);
    weir_json_free(json);
    weir_json_free(copy);
}

static void keys_that_differ_in_case_differ(void **state)
{
    struct weir_json *json = parse("{\"Name\":1,\"name\":2,\"NAM\":3}");
    int64_t value = 0;

    (void)state;
    assert_true(weir_json_integer(weir_json_get(json, "name"), &value));
    assert_int_equal(value, 2);
    assert_null(weir_json_get(json, "NAME"));
    assert_true(weir_json_remove(json, "Name"));
    assert_false(weir_json_remove(json, "nAme"));
    assert_int_equal(weir_json_size(json), 2);
    weir_json_free(json);
}

static void repeated_keys_are_refused_or_the_last_counts(void **state)
{
    static const struct row rows[] = {
        {"{\"a\":1,\"a\":1}", 0, "line 1, column 8: the key \"a\" came before"},
        {"{\"a\":1,\n\"b\":{\"c\":0,\"\\u0063\":1}}", 0,
         "line 2, column 12: the key \"c\" came before"},
        {"[{\"\":1,\"\":2}]", 0, "the key \"\" came before"},
        {"{\"a\\u0000b\":1,\"a\\u0000b\":2}", 0, "the key \"a\\x00b\""},
    };
    struct weir_json_options last = {.duplicate_keys = true};
    struct weir_json *json;
    const char *text = "{\"a\":1,\"b\":{\"x\":1,\"x\":2},\"a\":3,\"a\":[4]}";

    (void)state;
    refused(rows, sizeof(rows) / sizeof(*rows));
    assert_int_equal(weir_json_parse(text, strlen(text), &last, &json, NULL),
                     WEIR_OK);
    assert_int_equal(weir_json_size(json), 2);
    assert_writes(json, 0, "{\"a\":[4],\"b\":{\"x\":2}}");
    weir_json_free(json);
    /* The same name in different objects is no repetition. */
    json = parse("{\"a\":{\"a\":{\"a\":1}},\"b\":[{\"a\":1},{\"a\":2}]}");
    weir_json_free(json);
}

/* A large object's keys are sorted at its end, not compared one by one. */
static void repeated_keys_are_found_in_large_objects(void **state)
{
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_json *json;
    struct weir_buf buf;

    (void)state;
    weir_buf_init(&buf, 1 << 24);
    weir_buf_adds(&buf, "{\"in\":{");
    for (int i = 0; i < 100000; i++)
        weir_buf_addf(&buf, "\"key%d\":{\"a\":1},", i);
    weir_buf_adds(&buf, "\n\"key50000\":1,\"key7\":2},\"in2\":1}");
    assert_int_equal(weir_json_parse(buf.data, buf.len, NULL, &json, &err),
                     WEIR_SYNTAX);
    assert_string_equal(err.message, "line 2, column 1: the key \"key50000\" "
                                     "came before in this object");
    weir_err_clear(&err);
    weir_buf_fini(&buf);
}

static char *brackets(size_t depth)
{
    char *text = malloc(2 * depth + 1);

    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    text[2 * depth] = '\0';
    return text;
}

static void depth_128_is_taken_and_129_refused(void **state)
{
    struct weir_json_options shallow = {.max_depth = 3};
    struct weir_json_options greedy = {.max_depth = 100000};
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_json *json;
    char *text = brackets(129);

    (void)state;
    assert_int_equal(weir_json_parse(text + 1, 256, NULL, &json, &err),
                     WEIR_OK);
    weir_json_free(json);
    assert_int_equal(weir_json_parse(text, 258, NULL, &json, &err), WEIR_LIMIT);
    assert_string_equal(
        err.message,
        "line 1, column 129: nested deeper than 128 levels (max_depth)");
    assert_int_equal(weir_json_parse(text, 258, &greedy, &json, &err),
                     WEIR_LIMIT);
    assert_int_equal(weir_json_parse("[[[0]]]", 7, &shallow, &json, &err),
                     WEIR_OK);
    weir_json_free(json);
    assert_int_equal(weir_json_parse("[[[[]]]]", 8, &shallow, &json, &err),
                     WEIR_LIMIT);
    weir_err_clear(&err);
    free(text);
    text = brackets(1000000);
    assert_int_equal(weir_json_parse(text, 2000000, NULL, &json, NULL),
                     WEIR_LIMIT);
    free(text);
}

static void too_many_values_are_a_limit(void **state)
{
    struct weir_json_options few = {.max_nodes = 4};
    struct weir_json *json;

    (void)state;
    assert_int_equal(weir_json_parse("[1,2,3]", 7, &few, &json, NULL), WEIR_OK);
    weir_json_free(json);
    assert_int_equal(weir_json_parse("[1,2,3,4]", 9, &few, &json, NULL),
                     WEIR_LIMIT);
}

/* ---- a sink that says no ---- */

struct refusing {
    int left;
};

static enum weir_code no_null(void *ud, struct weir_err *err)
{
    struct refusing *r = ud;

    if (r->left-- > 0)
        return WEIR_OK;
    return weir_err_set(err, WEIR_FAILED, "enough");
}

static enum weir_code yes(void *ud, struct weir_err *err)
{
    (void)ud;
    (void)err;
    return WEIR_OK;
}

static void the_sink_ends_the_source(void **state)
{
    struct refusing refusing = {.left = 2};
    struct weir_sink sink = {
        .null = no_null, .begin_array = yes, .end_array = yes, .ud = &refusing};
    struct weir_err err = WEIR_ERR_INIT;

    (void)state;
    assert_int_equal(weir_json_scan("[null,null,null,x", 17, NULL, &sink, &err),
                     WEIR_FAILED);
    assert_string_equal(err.message, "enough");
    refusing.left = 0;
    assert_int_equal(weir_json_scan("null", 4, NULL, &sink, NULL), WEIR_FAILED);
    weir_err_clear(&err);
}

/* ---- documents ---- */

static void reading_the_wrong_type_gives_nothing(void **state)
{
    struct weir_json *json =
        parse("{\"s\":\"x\",\"n\":1.5,\"a\":[1],\"b\":true}");
    int64_t integer = 7;
    double real = 7;
    size_t len = 7;

    (void)state;
    assert_null(weir_json_string(weir_json_get(json, "n"), &len));
    assert_int_equal(len, 0);
    assert_null(weir_json_number(weir_json_get(json, "s"), NULL));
    assert_null(weir_json_get_string(json, "n"));
    assert_null(weir_json_get_string(json, "absent"));
    assert_null(weir_json_get(json, "S"));
    assert_null(weir_json_get(NULL, "s"));
    assert_null(weir_json_get(weir_json_get(json, "a"), "s"));
    assert_null(weir_json_at(json, 0));
    assert_null(weir_json_at(weir_json_get(json, "a"), 1));
    assert_false(weir_json_integer(weir_json_get(json, "n"), &integer));
    assert_false(weir_json_real(weir_json_get(json, "s"), &real));
    assert_false(weir_json_true(weir_json_get(json, "s")));
    assert_true(integer == 7 && real == 7);
    assert_int_equal(weir_json_size(weir_json_get(json, "s")), 0);
    assert_int_equal(weir_json_size(NULL), 0);
    assert_false(weir_json_is(NULL, WEIR_JSON_NULL));
    assert_null(weir_json_first(weir_json_get(json, "s")));
    assert_null(weir_json_next(NULL));
    weir_json_free(json);
    weir_json_free(NULL);
}

static void reading_gives_what_was_written(void **state)
{
    struct weir_json *json = parse(
        "{\"i\":9223372036854775807,\"f\":0.1,\"t\":true,\"a\":[null,\"x\"]}");
    const struct weir_json *a = weir_json_get(json, "a");
    int64_t integer;
    double real;
    size_t len;

    (void)state;
    assert_true(weir_json_integer(weir_json_get(json, "i"), &integer));
    assert_true(integer == INT64_MAX);
    assert_true(weir_json_real(weir_json_get(json, "f"), &real));
    assert_true(real == 0.1);
    assert_true(weir_json_true(weir_json_get(json, "t")));
    assert_int_equal(weir_json_size(a), 2);
    assert_true(weir_json_is(weir_json_at(a, 0), WEIR_JSON_NULL));
    assert_string_equal(weir_json_string(weir_json_at(a, 1), &len), "x");
    assert_string_equal(weir_json_key(a, &len), "a");
    assert_int_equal(len, 1);
    assert_null(weir_json_key(weir_json_at(a, 0), &len));
    assert_string_equal(weir_json_type_name(weir_json_type(a)), "array");
    weir_json_free(json);
}

static void members_are_set_in_place_and_removed(void **state)
{
    struct weir_json *json = weir_json_new_object();
    struct weir_json *list = weir_json_new_array();

    (void)state;
    weir_json_set(json, "b", weir_json_new_integer(INT64_MIN));
    weir_json_set(json, "a", weir_json_new_boolean(false));
    weir_json_set(json, "c", weir_json_new_null());
    weir_json_append(list, weir_json_new_number("1.50", 4));
    weir_json_append(list, weir_json_new_string("s", 1));
    assert_int_equal(weir_json_set(json, "b", list), WEIR_OK);
    assert_string_equal(weir_json_key(weir_json_first(json), NULL), "b");
    assert_int_equal(weir_json_size(json), 3);
    assert_writes(json, 0, "{\"a\":false,\"b\":[1.50,\"s\"],\"c\":null}");
    assert_true(weir_json_remove(json, "b"));
    assert_false(weir_json_remove(json, "b"));
    assert_true(weir_json_remove(json, "c"));
    assert_int_equal(weir_json_set(json, "d", weir_json_new_integer(1)),
                     WEIR_OK);
    assert_writes(json, 0, "{\"a\":false,\"d\":1}");
    assert_true(weir_json_remove(json, "a"));
    assert_true(weir_json_remove(json, "d"));
    assert_writes(json, 0, "{}");
    weir_json_free(json);
}

/* Also on failure the child is taken over: LeakSanitizer is the witness. */
static void a_wrong_parent_takes_the_child_all_the_same(void **state)
{
    struct weir_json *array = weir_json_new_array();
    struct weir_json *object = weir_json_new_object();

    (void)state;
    assert_int_equal(weir_json_append(object, weir_json_new_null()),
                     WEIR_INVALID);
    assert_int_equal(weir_json_set(array, "a", weir_json_new_null()),
                     WEIR_INVALID);
    assert_int_equal(weir_json_append(array, NULL), WEIR_NOMEM);
    assert_int_equal(weir_json_set(object, "a", NULL), WEIR_NOMEM);
    assert_int_equal(weir_json_append(NULL, weir_json_new_null()), WEIR_NOMEM);
    assert_int_equal(weir_json_size(array) + weir_json_size(object), 0);
    weir_json_free(array);
    weir_json_free(object);
}

static void equal_is_by_value(void **state)
{
    static const struct {
        const char *a, *b;
        bool equal;
    } rows[] = {
        {"1", "1.0", true},
        {"[1e2]", "[100]", true},
        {"9007199254740993", "9007199254740992", false},
        {"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", true},
        {"{\"a\":1}", "{\"a\":1,\"b\":2}", false},
        {"{\"a\":1,\"c\":2}", "{\"a\":1,\"b\":2}", false},
        {"[1,2]", "[2,1]", false},
        {"[1]", "[1,1]", false},
        {"\"1\"", "1", false},
        {"null", "false", false},
        {"true", "false", false},
        {"\"a\\u0000b\"", "\"a\\u0000c\"", false},
        {"[]", "{}", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct weir_json *a = parse(rows[i].a), *b = parse(rows[i].b);

        if (weir_json_equal(a, b) != rows[i].equal ||
            weir_json_equal(b, a) != rows[i].equal)
            fail_msg("%s and %s", rows[i].a, rows[i].b);
        weir_json_free(a);
        weir_json_free(b);
    }
}

/* ---- writing ---- */

static void indented_text_is_exact(void **state)
{
    struct weir_json *json =
        parse("{\"b\":[1,{\"c\":null}],\"a\":[],\"o\":{}}");

    (void)state;
    assert_writes(json, 2,
                  "{\n  \"a\": [],\n  \"b\": [\n    1,\n    {\n"
                  "      \"c\": null\n    }\n  ],\n  \"o\": {}\n}");
    weir_json_free(json);
}

static void what_is_not_utf8_is_not_written(void **state)
{
    struct weir_json *json = weir_json_new_string("ab\xFF", 3);
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_buf buf;

    (void)state;
    weir_buf_init(&buf, 100);
    assert_int_equal(weir_json_write(json, 0, &buf, &err), WEIR_INVALID);
    assert_string_equal(err.message, "a string is not UTF-8 (byte 3 of it)");
    assert_int_equal(weir_json_quote(&buf, "\xFF", 1), WEIR_INVALID);
    weir_err_clear(&err);
    weir_buf_fini(&buf);
    weir_json_free(json);
}

static void a_full_buffer_ends_the_writing(void **state)
{
    struct weir_json *json = parse("[\"0123456789\",\"0123456789\"]");
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_buf buf;

    (void)state;
    weir_buf_init(&buf, 20);
    assert_int_equal(weir_json_write(json, 0, &buf, &err), WEIR_LIMIT);
    assert_string_equal(err.message,
                        "JSON text is over its ceiling of 20 bytes");
    weir_err_clear(&err);
    weir_buf_fini(&buf);
    weir_json_free(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_structure_is_refused_with_its_place),
        cmocka_unit_test(broken_numbers_are_refused),
        cmocka_unit_test(broken_strings_are_refused),
        cmocka_unit_test(what_rfc_8259_allows_is_taken),
        cmocka_unit_test(nul_survives_in_strings_and_keys),
        cmocka_unit_test(keys_that_differ_in_case_differ),
        cmocka_unit_test(repeated_keys_are_refused_or_the_last_counts),
        cmocka_unit_test(repeated_keys_are_found_in_large_objects),
        cmocka_unit_test(depth_128_is_taken_and_129_refused),
        cmocka_unit_test(too_many_values_are_a_limit),
        cmocka_unit_test(the_sink_ends_the_source),
        cmocka_unit_test(reading_the_wrong_type_gives_nothing),
        cmocka_unit_test(reading_gives_what_was_written),
        cmocka_unit_test(members_are_set_in_place_and_removed),
        cmocka_unit_test(a_wrong_parent_takes_the_child_all_the_same),
        cmocka_unit_test(equal_is_by_value),
        cmocka_unit_test(indented_text_is_exact),
        cmocka_unit_test(what_is_not_utf8_is_not_written),
        cmocka_unit_test(a_full_buffer_ends_the_writing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
