/* json: the strict table of RFC 8259, tests/json/rfc8259.txt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weir/json.h"

#define TABLE "tests/json/rfc8259.txt"

struct row {
    char *name, *verdict, *written;
    char *text; /* of just its length: a byte too far is seen by ASan */
    size_t len;
};

/* Undoes %NN, in place, and returns the length. */
static size_t decode(char *text)
{
    char *out = text;

    if (strcmp(text, "%empty") == 0)
        *text = '\0';
    for (const char *p = text; *p; p++) {
        char digits[3] = {0};

        if (*p != '%') {
            *out++ = *p;
            continue;
        }
        memcpy(digits, p + 1, 2);
        *out++ = (char)strtoul(digits, NULL, 16);
        p += 2;
    }
    *out = '\0';
    return (size_t)(out - text);
}

static bool read_row(char *line, struct row *row)
{
    char *text, *save = NULL;

    if (*line == '#' || *line == '\n')
        return false;
    row->name = strtok_r(line, "\t", &save);
    row->verdict = strtok_r(NULL, "\t", &save);
    text = strtok_r(NULL, "\t", &save);
    row->written = strtok_r(NULL, "\t", &save);
    assert_non_null(row->written);
    row->len = decode(text);
    row->text = malloc(row->len ? row->len : 1);
    assert_non_null(row->text);
    memcpy(row->text, text, row->len);
    return true;
}

static void accepted(const struct row *row)
{
    struct weir_json *json = NULL, *again = NULL;
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_buf buf;
    size_t expected_len = row->len;
    const char *expected = row->text;

    if (strcmp(row->written, "=") != 0) {
        expected_len = decode(row->written);
        expected = row->written;
    }
    if (weir_json_parse(row->text, row->len, NULL, &json, &err))
        fail_msg("%s: refused: %s", row->name, err.message);
    weir_buf_init(&buf, 1 << 20);
    assert_int_equal(weir_json_write(json, 0, &buf, NULL), WEIR_OK);
    if (buf.len != expected_len || memcmp(buf.data, expected, buf.len) != 0)
        fail_msg("%s: written as %s", row->name, buf.data);
    assert_int_equal(weir_json_parse(buf.data, buf.len, NULL, &again, NULL),
                     WEIR_OK);
    assert_true(weir_json_equal(json, again));
    weir_json_free(json);
    weir_json_free(again);
    weir_buf_fini(&buf);
}

static void refused(const struct row *row)
{
    struct weir_json *json = NULL;
    struct weir_err err = WEIR_ERR_INIT;
    bool limit = strncmp(row->written, "limit: ", 7) == 0;
    const char *says = row->written + (limit ? 7 : 0);
    enum weir_code code =
        weir_json_parse(row->text, row->len, NULL, &json, &err);

    if (code != (limit ? WEIR_LIMIT : WEIR_SYNTAX) || json)
        fail_msg("%s: %s %s", row->name, weir_code_word(code), err.message);
    if (strncmp(err.message, "line ", 5) != 0 || !strstr(err.message, says))
        fail_msg("%s: said \"%s\", not \"%s\"", row->name, err.message, says);
    weir_err_clear(&err);
}

static void every_row_of_the_table(void **state)
{
    FILE *file = fopen(TABLE, "r");
    char line[4096];
    struct row row;
    size_t rows = 0;

    (void)state;
    if (!file)
        fail_msg("%s cannot be read: run the test at the top of the tree",
                 TABLE);
    while (fgets(line, sizeof(line), file)) {
        if (!read_row(line, &row))
            continue;
        rows++;
        if (strstr(row.verdict, "accept"))
            accepted(&row);
        else
            refused(&row);
        free(row.text);
    }
    fclose(file);
    assert_true(rows > 200);
}

/* Where the choice is the caller's. */
static void duplicate_keys_may_be_let_pass(void **state)
{
    static const char *const rows[][2] = {
        {"{\"a\":1,\"a\":2}", "{\"a\":2}"},
        {"{\"a\":1,\"\\u0061\":2}", "{\"a\":2}"},
        {"{\"a\":1,\"b\":0,\"a\":{\"a\":1,\"a\":2}}",
         "{\"a\":{\"a\":2},\"b\":0}"},
        {"{\"a\\u0000\":1,\"a\":2,\"a\\u0000\":3}", "{\"a\":2,\"a\\u0000\":3}"},
    };
    struct weir_json_options last = {.duplicate_keys = true};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct weir_json *json = NULL;
        struct weir_buf buf;

        weir_buf_init(&buf, 1000);
        assert_int_equal(
            weir_json_parse(rows[i][0], strlen(rows[i][0]), &last, &json, NULL),
            WEIR_OK);
        weir_json_write(json, 0, &buf, NULL);
        assert_string_equal(weir_buf_str(&buf), rows[i][1]);
        weir_json_free(json);
        weir_buf_fini(&buf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_of_the_table),
        cmocka_unit_test(duplicate_keys_may_be_let_pass),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
