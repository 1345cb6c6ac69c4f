/* redact: secrets encoded more than once, cut short, folded, and hostile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weir/cut.h"
#include "weir/err.h"
#include "weir/json.h"
#include "weir/log.h"
#include "weir/url.h"

static int setup(void **state)
{
    struct weir_log *log;

    if (weir_log_new(NULL, NULL, NULL, &log, NULL))
        return -1;
    *state = log;
    return 0;
}

static int teardown(void **state)
{
    weir_log_free(*state);
    return 0;
}

static void tell(struct weir_log *log, const char *secret)
{
    assert_int_equal(weir_log_secret(log, secret, strlen(secret), NULL),
                     WEIR_OK);
}

static void assert_redacted(struct weir_log *log, const char *text,
                            const char *expected)
{
    struct weir_buf out;

    weir_buf_init(&out, 1 << 20);
    assert_int_equal(weir_log_redact(log, text, strlen(text), &out), WEIR_OK);
    assert_string_equal(weir_buf_str(&out), expected);
    weir_buf_fini(&out);
}

/* ---- encodings of encodings ---- */

typedef void encode_fn(struct weir_buf *out, const char *text, size_t len);

static void percent(struct weir_buf *out, const char *text, size_t len)
{
    weir_url_encode(out, text, len);
}

static void percent_all(struct weir_buf *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        weir_buf_addf(out, "%%%02x", (unsigned char)text[i]);
}

static void form(struct weir_buf *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] == ' ')
            weir_buf_addc(out, '+');
        else
            weir_url_encode(out, text + i, 1);
    }
}

static void json(struct weir_buf *out, const char *text, size_t len)
{
    weir_json_quote(out, text, len);
}

/* Every ASCII character as \u00xx. */
static void json_all(struct weir_buf *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] < 0x80)
            weir_buf_addf(out, "\\u%04X", (unsigned char)text[i]);
        else
            weir_buf_addc(out, text[i]);
    }
}

static void base64_with(struct weir_buf *out, const char *text, size_t len,
                        const char *digits, size_t wrap)
{
    size_t column = 0;

    for (size_t i = 0; i < len; i += 3) {
        unsigned long word = (unsigned long)(unsigned char)text[i] << 16;

        if (i + 1 < len)
            word |= (unsigned long)(unsigned char)text[i + 1] << 8;
        if (i + 2 < len)
            word |= (unsigned char)text[i + 2];
        weir_buf_addc(out, digits[word >> 18]);
        weir_buf_addc(out, digits[(word >> 12) & 63]);
        weir_buf_addc(out, i + 1 < len ? digits[(word >> 6) & 63] : '=');
        weir_buf_addc(out, i + 2 < len ? digits[word & 63] : '=');
        column += 4;
        if (wrap && column >= wrap && i + 3 < len) {
            weir_buf_adds(out, "\r\n");
            column = 0;
        }
    }
}

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

static void base64(struct weir_buf *out, const char *text, size_t len)
{
    base64_with(out, text, len, LETTERS "+/", 0);
}

static void base64url(struct weir_buf *out, const char *text, size_t len)
{
    base64_with(out, text, len, LETTERS "-_", 0);
}

static void base64_lines(struct weir_buf *out, const char *text, size_t len)
{
    base64_with(out, text, len, LETTERS "+/", 24);
}

static const struct {
    const char *name;
    encode_fn *encode;
    bool is_base64;
} encodings[] = {
    {"plain", NULL, false},
    {"percent", percent, false},
    {"percent all", percent_all, false},
    {"form", form, false},
    {"json", json, false},
    {"json all", json_all, false},
    {"base64", base64, true},
    {"base64url", base64url, true},
    {"base64 in lines", base64_lines, true},
};
#define N_ENCODINGS (sizeof(encodings) / sizeof(encodings[0]))

static void apply(size_t encoding, struct weir_buf *text)
{
    struct weir_buf out;

    if (!encodings[encoding].encode)
        return;
    weir_buf_init(&out, 1 << 20);
    encodings[encoding].encode(&out, weir_buf_str(text), text->len);
    weir_buf_fini(text);
    *text = out;
}

/* No 4 bytes of a hidden text may be left: the longest piece that `out` and
 * `hidden` have in common, where neither is what was put around it. */
static void assert_nothing_left(const char *out, const char *hidden,
                                size_t shared, const char *what)
{
    size_t len = strlen(hidden);

    for (size_t i = 0; i + shared <= len; i++) {
        char piece[32];

        memcpy(piece, hidden + i, shared);
        piece[shared] = '\0';
        if (strstr(out, piece))
            fail_msg("%s: \"%s\" is left in \"%s\"", what, piece, out);
    }
}

/* Bytes of the same encodings of nothing. */
static size_t quotes(size_t a, size_t b, size_t c)
{
    struct weir_buf text;
    size_t len;

    weir_buf_init(&text, 1 << 20);
    apply(a, &text);
    apply(b, &text);
    apply(c, &text);
    len = text.len;
    weir_buf_fini(&text);
    return len;
}

static const char *const nasty[] = {
    "Zq8#\"/\\ &~+%41=k\xC3\xA9?>s",
    "50%25+off\\n\\u0041-sale",
    "abcdefghijklmnop",
};

static void a_secret_is_found_encoded_up_to_three_times(void **state)
{
    for (size_t s = 0; s < sizeof(nasty) / sizeof(nasty[0]); s++) {
        tell(*state, nasty[s]);
    }
    for (size_t s = 0; s < sizeof(nasty) / sizeof(nasty[0]); s++) {
        for (size_t n = 0; n < N_ENCODINGS * N_ENCODINGS * N_ENCODINGS; n++) {
            size_t a = n % N_ENCODINGS, b = n / N_ENCODINGS % N_ENCODINGS;
            size_t c = n / N_ENCODINGS / N_ENCODINGS;
            struct weir_buf text, out;
            char what[128];

            /* Base64 is looked into twice, and what it is made of may be
             * encoded again. */
            if (encodings[a].is_base64 + encodings[b].is_base64 +
                    encodings[c].is_base64 >
                2)
                continue;
            snprintf(what, sizeof(what), "%zu: %s, %s, %s", s,
                     encodings[a].name, encodings[b].name, encodings[c].name);
            weir_buf_init(&text, 1 << 20);
            weir_buf_init(&out, 1 << 20);
            weir_buf_adds(&text, nasty[s]);
            apply(a, &text);
            apply(b, &text);
            apply(c, &text);
            weir_log_redact(*state, text.data, text.len, &out);
            if (!strstr(weir_buf_str(&out), "[redacted]"))
                fail_msg("%s: not found in %s", what, weir_buf_str(&text));
            /* What is left are the quotes of JSON, encoded, and a digit or
             * two of base64 at either end. */
            if (out.len > strlen("[redacted]") + quotes(a, b, c) + 8)
                fail_msg("%s: too much is left in %s", what, out.data);
            weir_buf_fini(&text);
            weir_buf_fini(&out);
        }
    }
}

/* RFC 6749 section 2.3.1: id and secret are form-encoded first. */
static void a_basic_credential_over_encoded_parts_is_found(void **state)
{
    static const char *const befores[] = {"", "i", "id", "id%3A", "x:id "};

    tell(*state, nasty[0]);
    for (size_t i = 0; i < sizeof(befores) / sizeof(befores[0]); i++) {
        for (int url = 0; url < 2; url++) {
            struct weir_buf pair, text, out;

            weir_buf_init(&pair, 1 << 20);
            weir_buf_init(&text, 1 << 20);
            weir_buf_init(&out, 1 << 20);
            weir_buf_addf(&pair, "%s:", befores[i]);
            form(&pair, nasty[0], strlen(nasty[0]));
            weir_buf_adds(&text, "Authorization: Basic ");
            (url ? base64url : base64)(&text, pair.data, pair.len);
            weir_log_redact(*state, text.data, text.len, &out);
            assert_non_null(strstr(out.data, "Basic "));
            assert_non_null(strstr(out.data, "[redacted]"));
            assert_nothing_left(out.data, text.data + 21 + 8, 4, "Basic");
            weir_buf_fini(&pair);
            weir_buf_fini(&text);
            weir_buf_fini(&out);
        }
    }
}

static void doubly_escaped_json_stays_json(void **state)
{
    tell(*state, "nest\"egg");
    assert_redacted(*state,
                    "{\"detail\":\"{\\\"v\\\":\\\"nest\\\\\\\"egg\\\"}\"}",
                    "{\"detail\":\"{\\\"v\\\":\\\"[redacted]\\\"}\"}");
    /* \\n of the inner JSON may be the n of the secret. */
    assert_redacted(*state, "\"a\\\\nest\\\\\\\"egg b\"", "\"a[redacted] b\"");
}

static void a_key_in_a_pointer_is_found(void **state)
{
    tell(*state, "a/b~c/d");
    assert_redacted(*state, "/x/a~1b~0c~1d/0: unknown",
                    "/x/[redacted]/0: unknown");
}

/* ---- cuts ---- */

static void the_beginning_of_a_secret_before_a_cut_is_hidden(void **state)
{
    tell(*state, "correct horse");
    tell(*state, "p%ss w\"rd/x");
    assert_redacted(*state, "bad value 'corre…' here",
                    "bad value '[redacted]…' here");
    assert_redacted(*state, "'corr...'", "'[redacted]...'");
    assert_redacted(*state, "cor…", "cor…");
    assert_redacted(*state, "corre here", "corre here");
    assert_redacted(*state, "x=p%25ss%20w%2…", "x=[redacted]…");
    assert_redacted(*state, "x=p%25ss%…", "x=[redacted]…");
    assert_redacted(*state, "\"p%ss w\\u00…\"", "\"[redacted]…\"");
    assert_redacted(*state, "\"p%ss w\\…\"", "\"[redacted]…\"");
    assert_redacted(*state, "{\"a\":\"corr\\u2026\"}",
                    "{\"a\":\"[redacted]\\u2026\"}");
    /* base64 of "id:correct horse", cut in the middle of it. */
    assert_redacted(*state, "Basic aWQ6Y29ycmVj…", "Basic aWQ6[redacted]…");
}

static void sixteen_bytes_of_a_secret_are_hidden_anywhere(void **state)
{
    tell(*state, "0123456789abcdefghijklmnop");
    assert_redacted(*state, "0123456789abcde!", "0123456789abcde!");
    assert_redacted(*state, "<0123456789abcdef>", "<[redacted]>");
    assert_redacted(*state, "<0123456789abcdefghi>", "<[redacted]>");
}

static void a_secret_over_two_lines_is_hidden(void **state)
{
    tell(*state, "0123456789abcdefghij");
    assert_redacted(*state, "<0123456789a\r\n bcdefghij>", "<[redacted]>");
    assert_redacted(*state, "\"0123456789a\\nbcdefghij\"", "\"[redacted]\"");
    assert_redacted(*state, "0123456789a bcdefghij x", "[redacted] x");
    assert_redacted(*state, "0123456789a??bcdefghij x", "[redacted] x");
    assert_redacted(*state, "0123456789abcdefghij x", "[redacted] x");
}

/* Whatever an error is made of, and wherever it is cut. */
static void an_error_cut_anywhere_shows_nothing(void **state)
{
    static const char secret[] = "Zq8#\"/\\ &~+%41=kXyW?>sTuvw09";
    struct weir_err err = WEIR_ERR_INIT;
    const size_t size = sizeof(err.message);

    tell(*state, secret);
    for (size_t before = size - sizeof(secret) - 8; before < size; before++) {
        weir_err_set(&err, WEIR_AUTH, "%*s%s|", (int)before, "", secret);
        /* A cut in the middle stays one: more text follows it. */
        weir_err_prefix(&err, "%s: ", before % 2 ? "reading" : "");
        weir_err_append(&err, " and more");
        weir_err_hint(&err, "%*s%s|", (int)(before - size + 256), "", secret);
        weir_cut_printf(err.url, sizeof(err.url), "%*s%s|",
                        (int)(before - size + 512), "", secret);
        weir_log_redact_err(*state, &err);
        assert_null(strstr(err.message, "Zq8#"));
        assert_null(strstr(err.hint, "Zq8#"));
        assert_null(strstr(err.url, "Zq8#"));
    }
    weir_err_clear(&err);
}

/* ---- ceilings of the search itself ---- */

static void a_hostile_secret_does_not_slow_the_log(void **state)
{
    enum { LEN = 1 << 18 };
    char *text = malloc(LEN + 1), *secret = malloc(8192);
    struct weir_buf out;

    assert_non_null(text);
    assert_non_null(secret);
    /* A token of backslashes can be read in very many ways. */
    memset(secret, '\\', 8191);
    secret[8191] = '\0';
    tell(*state, secret);
    memset(secret, 'a', 8190);
    secret[8190] = 'b';
    tell(*state, secret);
    weir_buf_init(&out, 1 << 22);
    for (int i = 0; i < 3; i++) {
        memset(text, "\\a%"[i], LEN);
        text[LEN] = '\0';
        weir_buf_reset(&out);
        assert_int_equal(weir_log_redact(*state, text, LEN, &out), WEIR_OK);
        assert_true(out.len <= LEN);
    }
    assert_redacted(*state, "plain text is as it was",
                    "plain text is as it was");
    weir_buf_fini(&out);
    free(text);
    free(secret);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_secret_is_found_encoded_up_to_three_times),
        TEST(a_basic_credential_over_encoded_parts_is_found),
        TEST(doubly_escaped_json_stays_json),
        TEST(a_key_in_a_pointer_is_found),
        TEST(the_beginning_of_a_secret_before_a_cut_is_hidden),
        TEST(sixteen_bytes_of_a_secret_are_hidden_anywhere),
        TEST(a_secret_over_two_lines_is_hidden),
        TEST(an_error_cut_anywhere_shows_nothing),
        TEST(a_hostile_secret_does_not_slow_the_log),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
