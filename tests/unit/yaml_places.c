/* yaml_places: where values stand, and what YAML 1.1 reads otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "weir/buf.h"
#include "weir/yaml.h"

static void write_place(void *ud, const struct weir_yaml_place *at)
{
    struct weir_buf *out = ud;

    weir_buf_addf(out, "%zu:%zu %s%s", at->line, at->column,
                  at->key ? "key " : "", at->pointer);
    if (at->yaml11)
        weir_buf_addf(out, " (%s)", at->yaml11);
    weir_buf_addc(out, '\n');
}

static void assert_places(const char *text, const char *expected)
{
    struct weir_buf out;
    struct weir_err err = WEIR_ERR_INIT;

    weir_buf_init(&out, 100000);
    weir_yaml_places(text, strlen(text), NULL, write_place, &out, &err);
    assert_string_equal(err.message, "");
    assert_string_equal(weir_buf_str(&out), expected);
    weir_buf_fini(&out);
}

static void every_value_and_key_has_its_place(void **state)
{
    (void)state;
    assert_places("name: x\n"
                  "matchers:\n"
                  "  - {a/b~: 1, c: [2]}\n"
                  "  - ü: \"é\"\n",
                  "1:1 \n"
                  "1:1 key /name\n1:7 /name\n"
                  "2:1 key /matchers\n3:3 /matchers\n"
                  "3:5 /matchers/0\n"
                  "3:6 key /matchers/0/a~1b~0\n3:12 /matchers/0/a~1b~0\n"
                  "3:15 key /matchers/0/c\n3:18 /matchers/0/c\n"
                  "3:19 /matchers/0/c/0\n"
                  "4:5 /matchers/1\n"
                  "4:5 key /matchers/1/ü\n4:8 /matchers/1/ü\n");
}

static void json_is_read_as_well(void **state)
{
    (void)state;
    assert_places("{\n\t\"a\": [true,\n\t1e3]}",
                  "1:1 \n2:2 key /a\n2:7 /a\n2:8 /a/0\n"
                  "3:2 /a/1 (a text)\n");
}

static void aliases_stand_where_they_stand(void **state)
{
    (void)state;
    assert_places("a: &x {b: yes}\n*x : 1\nc: *x\n",
                  "1:1 \n1:1 key /a\n1:4 /a\n1:8 key /a/b\n"
                  "1:11 /a/b (a boolean (true))\n"
                  "2:1 key /\n2:6 /\n3:1 key /c\n3:4 /c\n");
}

struct row {
    const char *text;
    const char *yaml11;
};

static void take_11(void *ud, const struct weir_yaml_place *at)
{
    *(const char **)ud = at->yaml11;
}

static void what_was_something_else_in_yaml_1_1(void **state)
{
    static const struct row rows[] = {
        {"yes", "a boolean (true)"},
        {"On", "a boolean (true)"},
        {"Y", "a boolean (true)"},
        {"NO", "a boolean (false)"},
        {"off", "a boolean (false)"},
        {"n", "a boolean (false)"},
        {"yEs", NULL},
        {"yes!", NULL},
        {"true", NULL},
        {"null", NULL},
        {"~", NULL},
        {"\"yes\"", NULL},
        {"'0777'", NULL},
        {"!!str yes", NULL},
        {"! yes", NULL},
        {"0777", "an octal number"},
        {"-017", "an octal number"},
        {"0_7", "an octal number"},
        {"089", NULL},
        {"0", NULL},
        {"0x1F", NULL},
        {"0o17", "a text"},
        {"0b101", "a binary number"},
        {"1_000", "a number"},
        {"1_000.5", "a number"},
        {"0x_1", "a number"},
        {"_1", NULL},
        {"12", NULL},
        {"1.5", NULL},
        {"1.5e+3", NULL},
        {"1e3", "a text"},
        {"1e+3", "a text"},
        {"1.5e3", "a text"},
        {"1:30", "a number in base 60"},
        {"-12:30:45", "a number in base 60"},
        {"12:30:45.5", "a number in base 60"},
        {"1:60", NULL},
        {"10.0.0.1:80", NULL},
        {"2001-01-01", "a date"},
        {"2001-1-1", "a date"},
        {"2001-12-14T21:59:43.10Z", "a date"},
        {"2001-12-14 21:59:43.10 -5", "a date"},
        {"2001-12-14 21:59", NULL},
        {"2001-01", NULL},
        {"1-800-555-0100", NULL},
        {"=", "a default value"},
        {"grp_1", NULL},
        {"", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *got = NULL;
        char text[64] = "[";

        strcat(strcat(text, rows[i].text), "]");
        if (weir_yaml_places(text, strlen(text), NULL, take_11, &got, NULL))
            fail_msg("%s", text);
        if (!got || !rows[i].yaml11) {
            if (got != rows[i].yaml11)
                fail_msg("%s: %s", rows[i].text, got ? got : "nothing");
            continue;
        }
        if (strcmp(got, rows[i].yaml11) != 0)
            fail_msg("%s: %s", rows[i].text, got);
    }
}

static void what_cannot_be_read_says_where(void **state)
{
    struct weir_err err = WEIR_ERR_INIT;

    (void)state;
    assert_int_equal(weir_yaml_places("a: ]", 4, NULL, write_place, NULL, &err),
                     WEIR_SYNTAX);
    assert_non_null(strstr(err.message, "line 1"));
    assert_int_equal(weir_yaml_places("", 0, NULL, write_place, NULL, &err),
                     WEIR_SYNTAX);
    weir_err_clear(&err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_and_key_has_its_place),
        cmocka_unit_test(json_is_read_as_well),
        cmocka_unit_test(aliases_stand_where_they_stand),
        cmocka_unit_test(what_was_something_else_in_yaml_1_1),
        cmocka_unit_test(what_cannot_be_read_says_where),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
