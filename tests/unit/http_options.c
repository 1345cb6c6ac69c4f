/* Every option of an easy handle, read back as the list that sets them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The list is no business of the library's users, only of this test. */
#include "../../src/core/http_internal.h"
#include "http_ask.h"

struct list {
    struct weir_http_option options[WEIR_HTTP_OPTIONS_MAX];
    size_t n;
};

static struct list list_of(struct weir_loop *loop, const char *method,
                           const char *url)
{
    static struct weir_http_exchange x;
    static struct weir_http_handle handle;
    struct weir_http_state *state = weir_http_state(loop);
    struct list list;

    x = (struct weir_http_exchange){.method = method, .url = url};
    assert_int_equal(weir_http_origin(state, url, &x.origin, NULL), WEIR_OK);
    list.n = weir_http_options(state, &handle, &x, list.options);
    assert_in_range(list.n, 1, WEIR_HTTP_OPTIONS_MAX);
    return list;
}

/* The value that holds in the end. */
static const struct weir_http_option *last(const struct list *list,
                                           const char *name)
{
    for (size_t i = list->n; i > 0; i--) {
        if (strcmp(list->options[i - 1].name, name) == 0)
            return &list->options[i - 1];
    }
    fail_msg("%s is not set", name);
    return NULL;
}

static void what_keeps_us_safe_is_set(void **state)
{
    static const struct {
        const char *name;
        long number;
    } numbers[] = {
        {"CURLOPT_NOSIGNAL", 1},
        {"CURLOPT_FOLLOWLOCATION", 0},
        {"CURLOPT_PATH_AS_IS", 1},
        {"CURLOPT_UPLOAD_BUFFERSIZE", 16384},
        {"CURLOPT_NETRC", CURL_NETRC_IGNORED},
        {"CURLOPT_SSL_VERIFYPEER", 1},
        {"CURLOPT_SSL_VERIFYHOST", 2},
        {"CURLOPT_SSLVERSION", CURL_SSLVERSION_TLSv1_2},
        {"CURLOPT_HTTP09_ALLOWED", 0},
    };
    struct list list = list_of(*state, "GET", "https://x.test/");

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        assert_int_equal(last(&list, numbers[i].name)->number,
                         numbers[i].number);
    /* Set and empty: NULL would mean the environment's. */
    assert_string_equal(last(&list, "CURLOPT_PROXY")->pointer, "");
    assert_string_equal(last(&list, "CURLOPT_NOPROXY")->pointer, "");
    assert_string_equal(last(&list, "CURLOPT_PROTOCOLS_STR")->pointer,
                        "http,https");
}

static void a_call_that_must_not_be_repeated_connects_anew(void **state)
{
    struct weir_http_exchange x = {.method = "POST",
                                   .url = "https://x.test/",
                                   .limits = {.connect_timeout_ms = 10000}};
    struct weir_http_handle handle = {.exchange = &x};
    struct list list;

    for (int once = 0; once < 2; once++) {
        x.once = once;
        list.n = weir_http_options(weir_http_state(*state), &handle, &x,
                                   list.options);
        assert_int_equal(last(&list, "CURLOPT_FRESH_CONNECT")->number, once);
        /* Libcurl's own is 300 s. */
        assert_int_equal(last(&list, "CURLOPT_CONNECTTIMEOUT_MS")->number,
                         10000);
    }
}

static void libcurl_takes_them_all(void **state)
{
    struct list list = list_of(*state, "PUT", "https://x.test/");
    CURL *easy = curl_easy_init();
    struct weir_err err = WEIR_ERR_INIT;

    assert_non_null(easy);
    if (weir_http_options_set(easy, list.options, list.n, &err))
        fail_msg("%s", err.message);
    /* One that it does not know is named. */
    list.options[0] = (struct weir_http_option){.id = (CURLoption)9999,
                                                .name = "CURLOPT_NONE"};
    assert_int_equal(weir_http_options_set(easy, list.options, 1, &err),
                     WEIR_TRANSPORT);
    assert_non_null(strstr(err.message, "CURLOPT_NONE"));
    curl_easy_cleanup(easy);
}

static void a_proxy_is_never_for_loopback(void **state)
{
    struct weir_http_settings settings = {
        .proxy = "http://p.test:1", .no_proxy = "a.test", .ca_file = "/ca.pem"};
    struct list list;

    assert_int_equal(weir_http_configure(*state, &settings, NULL), WEIR_OK);
    list = list_of(*state, "GET", "http://[::1]/");
    assert_string_equal(last(&list, "CURLOPT_PROXY")->pointer, "");
    list = list_of(*state, "GET", "https://x.test/");
    assert_string_equal(last(&list, "CURLOPT_PROXY")->pointer,
                        "http://p.test:1");
    assert_string_equal(last(&list, "CURLOPT_NOPROXY")->pointer, "a.test");
    assert_string_equal(last(&list, "CURLOPT_CAINFO")->pointer, "/ca.pem");
}

/* "localhost" may carry secrets in clear because of where it leads. */
static void a_loopback_name_leads_nowhere_else(void **state)
{
    struct weir_http_exchange x = {.origin = {.loopback = true}};
    struct weir_http_handle handle = {.exchange = &x,
                                      .state = weir_http_state(*state)};
    struct curl_sockaddr address = {.family = AF_INET, .socktype = SOCK_STREAM};
    struct sockaddr_in *v4 = (void *)&address.addr;

    v4->sin_family = AF_INET;
    v4->sin_addr.s_addr = htonl(0x7F000002);
    curl_socket_t fd =
        weir_http_on_socket(&handle, CURLSOCKTYPE_IPCXN, &address);
    assert_true(fd != CURL_SOCKET_BAD);
    close(fd);
    assert_false(x.left_loopback);
    v4->sin_addr.s_addr = htonl(0x0A000001);
    assert_int_equal(weir_http_on_socket(&handle, CURLSOCKTYPE_IPCXN, &address),
                     CURL_SOCKET_BAD);
    assert_true(x.left_loopback);
}

static CURLU *read_url_of(struct weir_loop *loop, const char *url, char **path)
{
    struct weir_http_exchange x = {.method = "GET", .url = url};
    struct weir_http_handle *handle = NULL;
    struct weir_http_state *state = weir_http_state(loop);
    CURLU *copy = NULL;

    assert_int_equal(weir_http_origin(state, url, &x.origin, NULL), WEIR_OK);
    assert_int_equal(weir_http_handle_new(state, &x, &handle, NULL), WEIR_OK);
    *path = NULL;
    if (handle->url) {
        copy = curl_url_dup(handle->url);
        assert_non_null(copy);
        assert_int_equal(curl_url_get(copy, CURLUPART_PATH, path, 0), 0);
    }
    weir_http_handle_free(handle);
    return copy;
}

/* Read with the same parser and the same flags as libcurl's own reading; a
 * copy of what has a zone has lost it, and would lead elsewhere. */
static void a_url_is_handed_over_read_unless_it_may_have_a_zone(void **state)
{
    char *path;
    CURLU *url =
        read_url_of(*state, "https://x.test/a/../%2Fb%2f?c=%2D", &path);

    assert_non_null(url);
    assert_string_equal(path, "/a/../%2Fb%2f");
    curl_free(path);
    curl_url_cleanup(url);
    assert_null(read_url_of(*state, "http://[fe80::1%25lo]/", &path));
    assert_null(read_url_of(*state, "http://[::1]/", &path));
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, http_setup, http_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_keeps_us_safe_is_set),
        TEST(a_call_that_must_not_be_repeated_connects_anew),
        TEST(libcurl_takes_them_all),
        TEST(a_proxy_is_never_for_loopback),
        TEST(a_loopback_name_leads_nowhere_else),
        TEST(a_url_is_handed_over_read_unless_it_may_have_a_zone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
