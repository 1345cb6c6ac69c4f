/* log: every spelling of a secret, and lines that stay lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "weir/json.h"
#include "weir/log.h"

struct fixture {
    struct weir_clock_fake clock;
    struct weir_log *log;
    struct weir_buf lines;
};

static void keep(void *ud, const char *line, size_t len)
{
    weir_buf_add(ud, line, len);
}

static int setup(void **state)
{
    static struct fixture f;

    weir_clock_fake_init(&f.clock, 1700000000123); /* 2023-11-14 22:13:20 */
    weir_buf_init(&f.lines, 1 << 22);
    *state = &f;
    return weir_log_new(&f.clock.clock, keep, &f.lines, &f.log, NULL);
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    weir_log_free(f->log);
    weir_buf_fini(&f->lines);
    return 0;
}

static void tell(struct fixture *f, const char *secret)
{
    assert_int_equal(weir_log_secret(f->log, secret, strlen(secret), NULL),
                     WEIR_OK);
}

static void assert_redacted(struct fixture *f, const char *text,
                            const char *expected)
{
    struct weir_buf out;

    weir_buf_init(&out, 1 << 20);
    assert_int_equal(weir_log_redact(f->log, text, strlen(text), &out),
                     WEIR_OK);
    assert_string_equal(weir_buf_str(&out), expected);
    weir_buf_fini(&out);
}

/* ---- redaction ---- */

static void a_short_secret_is_refused(void **state)
{
    struct fixture *f = *state;
    struct weir_err err = WEIR_ERR_INIT;

    assert_int_equal(weir_log_secret(f->log, "abc", 3, &err), WEIR_INVALID);
    assert_null(strstr(err.message, "abc"));
    assert_redacted(f, "abc", "abc");
}

static void a_secret_is_found_as_it_is(void **state)
{
    struct fixture *f = *state;

    tell(f, "hunter22");
    tell(f, "hunter2222"); /* the longer one wins */
    tell(f, "2222xyz");    /* overlaps the end of it */
    assert_redacted(f, "hunter22", "[redacted]");
    assert_redacted(f, "a hunter22, hunter2222!", "a [redacted], [redacted]!");
    assert_redacted(f, "<hunter2222xyz>", "<[redacted]>");
    assert_redacted(f, "hunter2", "hunter2");
    assert_redacted(f, "", "");
}

static void a_secret_is_found_percent_encoded(void **state)
{
    struct fixture *f = *state;

    tell(f, "p/w d+\xC3\xA9&~");
    assert_redacted(f, "x=p%2Fw%20d%2B%C3%A9%26~&y", "x=[redacted]&y");
    assert_redacted(f, "x=p%2fw%20d%2b%c3%a9%26~&y", "x=[redacted]&y");
    assert_redacted(f, "x=p%2Fw+d%2B%C3%A9%26%7E&y", "x=[redacted]&y");
    assert_redacted(f, "%70%2F%77%20%64%2B%C3%A9%26%7E", "[redacted]");
    assert_redacted(f, "p%2Fw%2", "p%2Fw%2");
}

static void a_secret_that_looks_encoded_is_found(void **state)
{
    struct fixture *f = *state;

    tell(f, "50%25+off\\n");
    assert_redacted(f, "50%25+off\\n!", "[redacted]!");
    assert_redacted(f, "50%2525%2Boff%5Cn!", "[redacted]!");
    assert_redacted(f, "\"50%25+off\\\\n\"", "\"[redacted]\"");
}

static void a_secret_is_found_json_escaped(void **state)
{
    struct fixture *f = *state;

    tell(f, "a\"b\\c/d\ne\xF0\x9F\x98\x80");
    assert_redacted(f, "{\"k\":\"a\\\"b\\\\c\\/d\\ne\\uD83D\\uDE00\"}",
                    "{\"k\":\"[redacted]\"}");
    assert_redacted(f, "\"a\\u0022b\\u005cc\\u002fd\\u000Ae\\ud83d\\ude00\"",
                    "\"[redacted]\"");
    /* No lone backslash stays before the mark. */
    tell(f, "nest");
    assert_redacted(f, "\"\\nest\"", "\"[redacted]\"");
}

static void encode_base64(const char *text, size_t len, bool url, char *out)
{
    const char *digits =
        url ? "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
              "0123456789-_"
            : "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
              "0123456789+/";

    for (size_t i = 0; i < len; i += 3) {
        unsigned long word = (unsigned long)(unsigned char)text[i] << 16;

        if (i + 1 < len)
            word |= (unsigned long)(unsigned char)text[i + 1] << 8;
        if (i + 2 < len)
            word |= (unsigned char)text[i + 2];
        *out++ = digits[word >> 18];
        *out++ = digits[(word >> 12) & 63];
        if (i + 1 < len)
            *out++ = digits[(word >> 6) & 63];
        else if (!url)
            *out++ = '=';
        if (i + 2 < len)
            *out++ = digits[word & 63];
        else if (!url)
            *out++ = '=';
    }
    *out = '\0';
}

/* The secret's own bytes in whatever can still be decoded of `text`. */
static void a_secret_is_found_in_base64(void **state)
{
    struct fixture *f = *state;
    static const char secret[] = "s\xFB\xFFkr?t>~7";
    struct weir_buf out;

    tell(f, secret);
    weir_buf_init(&out, 1 << 20);
    for (int before = 0; before < 5; before++) {
        for (int after = 0; after < 5; after++) {
            for (int url = 0; url < 2; url++) {
                char plain[64], encoded[128], text[256];
                int len = snprintf(plain, sizeof(plain), "%.*s%s%.*s", before,
                                   "id:x:", secret, after, "&rest");

                encode_base64(plain, (size_t)len, url, encoded);
                snprintf(text, sizeof(text), "Basic %s.", encoded);
                weir_buf_reset(&out);
                weir_log_redact(f->log, text, strlen(text), &out);
                assert_non_null(strstr(out.data, "[redacted]"));
                assert_non_null(strstr(out.data, "Basic "));
                if (before == 0 && after == 0)
                    assert_string_equal(out.data, "Basic [redacted].");
                /* At most four digits of what stood around it are left. */
                assert_true(out.len <= strlen("Basic [redacted].") +
                                           (size_t)(before + after) * 2);
            }
        }
    }
    assert_redacted(f, "x%3Dc%2Fv%2Fa3I%2FdD5%2BNw%3D%3D&y",
                    "x%3D[redacted]&y");
    weir_buf_fini(&out);
}

static void a_basic_pair_is_found(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(weir_log_basic(f->log, "id", "pw", NULL), WEIR_OK);
    assert_redacted(
        f, "Authorization: Basic aWQ6cHc=", "Authorization: Basic [redacted]");
    assert_redacted(f, "https://id:pw@host/", "https://[redacted]@host/");
}

static void the_oldest_secret_is_forgotten_first(void **state)
{
    struct fixture *f = *state;
    char text[32];

    for (int i = 0; i < 4096; i++) {
        snprintf(text, sizeof(text), "token-%d-", i);
        tell(f, text);
    }
    tell(f, "token-0-"); /* told again: it is young now */
    tell(f, "one more");
    assert_redacted(f, "token-0- token-1- token-2-",
                    "[redacted] token-1- [redacted]");
    assert_redacted(f, "one more", "[redacted]");
}

static void a_megabyte_is_redacted(void **state)
{
    struct fixture *f = *state;
    size_t len = 1 << 20;
    char *text = malloc(len + 1), name[64];
    struct weir_buf out;

    assert_non_null(text);
    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof(name), "eyJhbGciOi%d.token.of.the.day", i);
        tell(f, name);
    }
    for (size_t i = 0; i < len; i++)
        text[i] = "eyJhbGciOix eyJhbGci \"%2B\\n+ "[i % 30];
    text[len] = '\0';
    memcpy(text + len / 2, "eyJhbGciOi7.token.of.the.day", 28);
    weir_buf_init(&out, len * 2);
    assert_int_equal(weir_log_redact(f->log, text, len, &out), WEIR_OK);
    assert_int_equal(out.len, len - 28 + 10);
    weir_buf_fini(&out);
    free(text);
}

static void an_error_is_redacted(void **state)
{
    struct fixture *f = *state;
    struct weir_err err = WEIR_ERR_INIT;
    static const char detail[] = "{\"n\":12345678,\"t\":\"x s3cret\"}";

    tell(f, "s3cret");
    tell(f, "12345678");
    weir_err_set(&err, WEIR_AUTH, "the token s3cret was refused");
    weir_err_hint(&err, "not s3cret");
    snprintf(err.url, sizeof(err.url), "https://x.test/s3cret");
    weir_err_detail(&err, detail, strlen(detail));
    weir_log_redact_err(f->log, &err);
    assert_string_equal(err.message, "the token [redacted] was refused");
    assert_string_equal(err.hint, "not [redacted]");
    assert_string_equal(err.url, "https://x.test/[redacted]");
    assert_string_equal(err.detail,
                        "{\"n\":\"[redacted]\",\"t\":\"x [redacted]\"}");
    weir_err_clear(&err);
}

static void a_secret_cut_by_a_full_field_is_found(void **state)
{
    struct fixture *f = *state;
    struct weir_err err = WEIR_ERR_INIT;

    tell(f, "correct horse battery staple");
    weir_err_set(&err, WEIR_AUTH, "%*s%s", (int)sizeof(err.message) - 10, "",
                 "correct horse battery staple");
    weir_log_redact_err(f->log, &err);
    assert_null(strstr(err.message, "corr"));
}

/* ---- lines ---- */

static struct weir_json *fields(const char *text)
{
    struct weir_json *json = NULL;

    assert_int_equal(weir_json_parse(text, strlen(text), NULL, &json, NULL),
                     WEIR_OK);
    return json;
}

static void a_text_line(void **state)
{
    struct fixture *f = *state;
    struct weir_json *json = fields(
        "{\"id\":\"flt_1\",\"n\":3,\"why\":\"a b\",\"list\":[1,\"s3cret\"]}");

    tell(f, "s3cret");
    weir_log_write(f->log, WEIR_LOG_WARN, json,
                   "sent %s\n\x1b[31m \xC2\x9B"
                   "2J twice",
                   "s3cret");
    assert_string_equal(
        weir_buf_str(&f->lines),
        "22:13:20 warn  sent [redacted]\\n\\x1b[31m \\u009b2J twice "
        "id=flt_1 n=3 why=\"a b\" list=[1,\"[redacted]\"]\n");
    weir_json_free(json);
}

static void a_json_line(void **state)
{
    struct fixture *f = *state;
    struct weir_json *json = fields("{\"s3cret\":12345678,\"b\":\"\\n\"}");

    tell(f, "s3cret");
    tell(f, "12345678");
    weir_log_set_format(f->log, WEIR_LOG_JSON);
    weir_log_write(f->log, WEIR_LOG_ERROR, json, "a \"%s\" \xFF b", "s3cret");
    assert_string_equal(
        weir_buf_str(&f->lines),
        "{\"time\":\"2023-11-14T22:13:20.123Z\",\"level\":\"error\","
        "\"message\":\"a \\\"[redacted]\\\" \xEF\xBF\xBD b\","
        "\"fields\":{\"b\":\"\\n\",\"[redacted]\":\"[redacted]\"}}\n");
    weir_json_free(json);
}

static void only_enabled_levels_are_written(void **state)
{
    struct fixture *f = *state;

    weir_log_write(f->log, WEIR_LOG_DEBUG, NULL, "no");
    assert_int_equal(f->lines.len, 0);
    assert_false(weir_log_enabled(f->log, WEIR_LOG_DEBUG));
    weir_log_set_level(f->log, WEIR_LOG_OFF);
    weir_log_write(f->log, WEIR_LOG_ERROR, NULL, "no");
    assert_int_equal(f->lines.len, 0);
    weir_log_set_level(f->log, WEIR_LOG_DEBUG);
    weir_log_write(f->log, WEIR_LOG_DEBUG, NULL, "yes");
    assert_string_equal(weir_buf_str(&f->lines), "22:13:20 debug yes\n");
    assert_int_equal(weir_log_level_from_word("warn"), WEIR_LOG_WARN);
    assert_int_equal(weir_log_level_from_word("loud"), -1);
}

static void a_long_message_is_cut_without_showing_half_a_secret(void **state)
{
    struct fixture *f = *state;

    tell(f, "correct horse battery staple");
    weir_log_write(f->log, WEIR_LOG_INFO, NULL,
                   "%*scorrect horse battery "
                   "staple",
                   64 * 1024 - 10, "");
    assert_non_null(strstr(f->lines.data, "[redacted]\n"));
    assert_null(strstr(f->lines.data, "correct"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_short_secret_is_refused),
        TEST(a_secret_is_found_as_it_is),
        TEST(a_secret_is_found_percent_encoded),
        TEST(a_secret_that_looks_encoded_is_found),
        TEST(a_secret_is_found_json_escaped),
        TEST(a_secret_is_found_in_base64),
        TEST(a_basic_pair_is_found),
        TEST(the_oldest_secret_is_forgotten_first),
        TEST(a_megabyte_is_redacted),
        TEST(an_error_is_redacted),
        TEST(a_secret_cut_by_a_full_field_is_found),
        TEST(a_text_line),
        TEST(a_json_line),
        TEST(only_enabled_levels_are_written),
        TEST(a_long_message_is_cut_without_showing_half_a_secret),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
