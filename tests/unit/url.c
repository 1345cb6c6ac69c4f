/* url: encoding, and where a URL really leads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "weir/url.h"

static void everything_but_unreserved_is_encoded(void **state)
{
    struct weir_buf buf;

    (void)state;
    weir_buf_init(&buf, 1000);
    assert_int_equal(weir_url_encode(&buf, "aZ09-._~", 8), WEIR_OK);
    assert_int_equal(weir_url_encode(&buf, " /?#%+&=\0\xC3\xA9\x7f", 12),
                     WEIR_OK);
    assert_string_equal(buf.data,
                        "aZ09-._~%20%2F%3F%23%25%2B%26%3D%00%C3%A9%7F");
    weir_buf_fini(&buf);
    weir_buf_init(&buf, 5);
    assert_int_equal(weir_url_encode(&buf, "ab/c", 4), WEIR_LIMIT);
    weir_buf_fini(&buf);
}

static void an_id_that_needs_no_encoding_is_told(void **state)
{
    (void)state;
    assert_int_equal(weir_url_unreserved("aZ09-._~", 8), 8);
    assert_int_equal(weir_url_unreserved("flt_1/", 6), 5);
    assert_int_equal(weir_url_unreserved("%41", 3), 0);
    assert_int_equal(weir_url_unreserved("a\xC3\xA9", 3), 1);
    assert_int_equal(weir_url_unreserved("", 0), 0);
    /* What is beyond its length is not looked at. */
    assert_int_equal(weir_url_unreserved("ab", 1), 1);
    assert_int_equal(weir_url_unreserved("a\0b", 3), 1);
}

static void pairs_are_joined(void **state)
{
    struct weir_buf buf;

    (void)state;
    weir_buf_init(&buf, 1000);
    weir_url_add_pair(&buf, "a b", "c&d", 3);
    weir_url_add_pair(&buf, "e", "", 0);
    assert_string_equal(buf.data, "a%20b=c%26d&e=");
    weir_buf_reset(&buf);
    weir_buf_adds(&buf, "/p?");
    weir_url_add_pair(&buf, "x", "1", 1);
    assert_string_equal(buf.data, "/p?x=1");
    weir_buf_fini(&buf);
}

static void loopback_is_what_will_be_connected(void **state)
{
    static const struct {
        const char *url;
        bool loopback;
    } cases[] = {
        {"http://localhost", true},
        {"http://LOCALHOST:8080/x", true},
        {"http://loc%61lhost/", true},
        {"http://127.0.0.1/", true},
        {"http://127.255.0.3/", true},
        {"http://127.1/", true},
        {"http://2130706433/", true},
        {"http://0x7f.1/", true},
        {"http://0177.0.0.1/", true},
        {"http://[::1]:80/", true},
        {"http://[0:0:0:0:0:0:0:1]/", true},
        {"http://localhost.evil.com/", false},
        {"http://localhost./", false},
        {"http://127.0.0.1.evil.com/", false},
        {"http://127.0.0.1./", false},
        {"http://127.0.0.1%2eevil.com/", false},
        {"http://localhost@evil.com/", false},
        {"http://evil.com#@localhost/", false},
        {"http://evil.com/localhost", false},
        {"http://128.0.0.1/", false},
        {"http://0/", false},
        {"http://[::ffff:127.0.0.1]/", false},
        {"http://[::1%25eth0]/", false},
        {"http://[::2]/", false},
        {"http://2852039166/", false},
        {"http://\xEF\xBC\x91.0.0.1/", false},
        {"localhost", false},
        {"", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (weir_url_is_loopback(cases[i].url) != cases[i].loopback)
            fail_msg("%s", cases[i].url);
    }
}

static bool same_origin(const char *a, const char *b)
{
    bool same = true;

    assert_int_equal(weir_url_same_origin(a, b, &same), WEIR_OK);
    return same;
}

static void an_origin_is_scheme_host_and_port(void **state)
{
    (void)state;
    assert_true(same_origin("https://A.test/x", "https://a.test:443"));
    assert_true(same_origin("http://127.1:8/", "http://127.0.0.1:8"));
    assert_false(same_origin("https://a.test", "http://a.test"));
    assert_false(same_origin("https://a.test", "http://a.test:443"));
    assert_false(same_origin("https://a.test", "https://a.test:444"));
    assert_false(same_origin("https://a.test", "https://b.a.test"));
    assert_false(same_origin("https://a.test", "https://a.test."));
    assert_false(same_origin("https://a.test", "a.test"));
    /* A link-local address is another one on each interface. */
    assert_true(same_origin("https://[fe80::1%25a]/", "https://[fe80::1%a]"));
    assert_false(same_origin("https://[fe80::1%25a]", "https://[fe80::1%25b]"));
    assert_false(same_origin("https://[fe80::1%25a]", "https://[fe80::1]"));
    assert_false(same_origin("", ""));
}

static void assert_redacted(const char *url, const char *expected)
{
    struct weir_buf buf;

    weir_buf_init(&buf, 1000);
    assert_int_equal(weir_url_redacted(&buf, url), WEIR_OK);
    assert_string_equal(weir_buf_str(&buf), expected);
    weir_buf_fini(&buf);
}

static void a_redacted_url_has_no_secret(void **state)
{
    (void)state;
    assert_redacted("https://u:p@a.test:8/x/../y?token=1#f",
                    "https://a.test:8/x/../y");
    assert_redacted("https://a.test?token=1", "https://a.test/");
    assert_redacted("no secret:token@ here", "(not a URL)");
    assert_redacted("file:u:secret@a.test/x", "(not a URL)");
    assert_redacted("file:///x", "(not a URL)");
}

static void assert_invalid(const char *url, const char *says)
{
    struct weir_err err = WEIR_ERR_INIT;

    if (weir_url_check(url, &err) != WEIR_INVALID || !strstr(err.message, says))
        fail_msg("%s: %s", url, err.message);
}

static void a_url_is_checked(void **state)
{
    char *longest = malloc(70001);

    (void)state;
    assert_int_equal(weir_url_check("https://a.test/x?y=%20#z", NULL), WEIR_OK);
    assert_int_equal(weir_url_check("HTTP://[::1]:8080", NULL), WEIR_OK);
    assert_invalid("https://a.test/a\r\nX: y", "line break at byte 17");
    assert_invalid("https://a.test/a b", "a space at byte 17; write %20");
    assert_invalid("https://a.test/\xC3\xA9", "write %C3");
    assert_invalid("https://a.test\\@b.test/", "a backslash");
    assert_invalid("https://a.test/\x01", "0x01");
    assert_invalid("https://user:hunter2@a.test/", "credentials");
    assert_invalid("https:///x", "names no host");
    assert_invalid("https:/a.test/x", "must begin with");
    assert_invalid("//a.test/x", "must begin with");
    assert_invalid("file:///etc/passwd", "must begin with");
    assert_invalid("", "must begin with");
    assert_invalid("https://a.test:99999/", "Port number");
    assert_invalid("https://a%00b/", "not valid");
    assert_non_null(longest);
    memset(longest, 'a', 70000);
    memcpy(longest, "https://a.test/", 15);
    longest[70000] = '\0';
    assert_invalid(longest, "longer than 65536 bytes");
    free(longest);
}

static void a_refused_password_is_not_shown(void **state)
{
    struct weir_err err = WEIR_ERR_INIT;

    (void)state;
    weir_url_check("https://user:hunter2@a.test/", &err);
    assert_null(strstr(err.message, "hunter2"));
}

static void the_password_of_a_proxy(void **state)
{
    static const char *const cases[][2] = {
        {"http://user:p%40ss%2Fw@proxy.test:3128", "p@ss/w"},
        {"user:secret@proxy.test:3128", "secret"},
        {"socks5h://a:b@c", "b"},
        {"http://user@proxy.test", ""},
        {"http://proxy.test", ""},
        {"::", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct weir_buf out;

        weir_buf_init(&out, 100);
        assert_int_equal(weir_url_password(&out, cases[i][0]), WEIR_OK);
        assert_string_equal(weir_buf_str(&out), cases[i][1]);
        weir_buf_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_password_of_a_proxy),
        cmocka_unit_test(everything_but_unreserved_is_encoded),
        cmocka_unit_test(an_id_that_needs_no_encoding_is_told),
        cmocka_unit_test(pairs_are_joined),
        cmocka_unit_test(loopback_is_what_will_be_connected),
        cmocka_unit_test(an_origin_is_scheme_host_and_port),
        cmocka_unit_test(a_redacted_url_has_no_secret),
        cmocka_unit_test(a_url_is_checked),
        cmocka_unit_test(a_refused_password_is_not_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
