/* json: strings are looked at eight bytes at a time; every byte counts at
 * every place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "weir/json.h"

#define LONGEST 20

/* What JSON says of one byte inside a string that is ASCII otherwise. */
static bool stands_for_itself(int byte)
{
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

static bool reads(const char *text, size_t len)
{
    struct weir_json *json = NULL;
    enum weir_code code = weir_json_parse(text, len, NULL, &json, NULL);

    weir_json_free(json);
    return code == WEIR_OK;
}

static void each_byte_is_seen_when_reading(void **state)
{
    (void)state;
    for (size_t len = 1; len <= LONGEST; len++) {
        for (size_t at = 0; at < len; at++) {
            for (int byte = 0; byte < 256; byte++) {
                char text[LONGEST + 4];

                memset(text, 'x', sizeof(text));
                text[0] = text[len + 1] = '"';
                text[at + 1] = (char)byte;
                assert_int_equal(reads(text, len + 2), stands_for_itself(byte));
            }
        }
    }
}

/* What is written is read back as it was, and holds nothing that a reader of
 * JSON would refuse. */
static void write_and_read(const char *text, size_t len)
{
    struct weir_json *json = NULL;
    struct weir_buf buf;
    const char *back;
    size_t back_len;

    weir_buf_init(&buf, 1000);
    assert_int_equal(weir_json_quote(&buf, text, len), WEIR_OK);
    assert_int_equal(strlen(weir_buf_str(&buf)), buf.len);
    assert_int_equal(weir_json_parse(buf.data, buf.len, NULL, &json, NULL),
                     WEIR_OK);
    back = weir_json_string(json, &back_len);
    assert_int_equal(back_len, len);
    assert_memory_equal(back, text, len);
    weir_json_free(json);
    weir_buf_fini(&buf);
}

static void each_byte_is_seen_when_writing(void **state)
{
    (void)state;
    for (size_t len = 1; len <= LONGEST; len++) {
        for (size_t at = 0; at < len; at++) {
            char text[LONGEST + 1];

            for (int byte = 0; byte < 0x80; byte++) {
                memset(text, 'x', sizeof(text));
                text[at] = (char)byte;
                write_and_read(text, len);
            }
            for (int byte = 0x80; byte < 0x100; byte++) {
                struct weir_buf buf;

                text[at] = (char)byte;
                weir_buf_init(&buf, 1000);
                assert_int_equal(weir_json_quote(&buf, text, len),
                                 WEIR_INVALID);
                weir_buf_fini(&buf);
            }
        }
    }
}

static void characters_beyond_ascii_may_stand_anywhere(void **state)
{
    static const char *const characters[] = {"é", "€", "😀"};

    (void)state;
    for (size_t c = 0; c < 3; c++) {
        size_t size = strlen(characters[c]);

        for (size_t at = 0; at < LONGEST - size; at++) {
            char text[LONGEST];

            memset(text, 'x', sizeof(text));
            memcpy(text + at, characters[c], size);
            write_and_read(text, sizeof(text));
            /* And what comes behind them is looked at. */
            text[LONGEST - 1] = '\n';
            write_and_read(text, sizeof(text));
            text[at + size - 1] = 'x';
            assert_false(weir_utf8_valid(text, sizeof(text)) == sizeof(text));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_byte_is_seen_when_reading),
        cmocka_unit_test(each_byte_is_seen_when_writing),
        cmocka_unit_test(characters_beyond_ascii_may_stand_anywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
