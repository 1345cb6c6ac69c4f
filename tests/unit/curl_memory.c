/* Libcurl's memory: what is given back and taken again is whole and empty. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "rig.h"
#include "weir/loop.h"

/* Blocks of any size are had from libcurl as escaped texts: what needs no
 * escape comes back as it is. */
static char *block(size_t len, char fill)
{
    char *text = malloc(len + 1), *copy;

    assert_non_null(text);
    memset(text, fill, len);
    text[len] = '\0';
    /* 0 would mean the text's own length; it is that. */
    copy = curl_easy_escape(NULL, text, (int)len);
    free(text);
    assert_non_null(copy);
    return copy;
}

static void check_block(const char *copy, size_t len, char fill)
{
    assert_int_equal(strlen(copy), len);
    for (size_t i = 0; i < len; i++)
        assert_int_equal(copy[i], fill);
}

static void blocks_of_every_size_keep_what_is_in_them(void **state)
{
    struct weir_loop *loop;

    (void)state;
    assert_int_equal(weir_loop_new(NULL, &loop, NULL), WEIR_OK);
    for (int round = 0; round < 2; round++) {
        for (size_t len = 1; len < 3000; len++) {
            char *a = block(len, 'a'), *b = block(len, 'b');

            check_block(a, len, 'a');
            curl_free(a);
            check_block(b, len, 'b');
            curl_free(b);
        }
    }
    for (size_t len = 3000; len < 70000; len += 97) {
        char *a = block(len, 'a');

        check_block(a, len, 'a');
        curl_free(a);
    }
    weir_loop_free(loop);
}

#define MANY 500

static void many_blocks_at_once_are_many(void **state)
{
    uint64_t seed = 88172645463325252u;
    char *blocks[MANY] = {0}, fills[MANY];
    size_t lens[MANY];
    struct weir_loop *loop;

    (void)state;
    assert_int_equal(weir_loop_new(NULL, &loop, NULL), WEIR_OK);
    for (int i = 0; i < rig_rounds(20000); i++) {
        size_t at;

        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        at = seed % MANY;
        if (blocks[at])
            check_block(blocks[at], lens[at], fills[at]);
        curl_free(blocks[at]);
        lens[at] = 1 + (seed >> 20) % ((seed >> 50) % 4 ? 200 : 40000);
        fills[at] = (char)('a' + (seed >> 10) % 26);
        blocks[at] = block(lens[at], fills[at]);
    }
    for (size_t i = 0; i < MANY; i++)
        curl_free(blocks[i]);
    weir_loop_free(loop);
}

/* A handle is read as if it were zeros where nothing was written. */
static void a_handle_made_of_used_memory_is_new(void **state)
{
    struct weir_loop *loop;

    (void)state;
    assert_int_equal(weir_loop_new(NULL, &loop, NULL), WEIR_OK);
    for (int i = 0; i < 50; i++) {
        CURL *easy = curl_easy_init();
        char *url = NULL, *private = NULL;

        assert_non_null(easy);
        assert_int_equal(curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url),
                         CURLE_OK);
        assert_string_equal(url, "");
        assert_int_equal(curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private),
                         CURLE_OK);
        assert_null(private);
        curl_easy_setopt(easy, CURLOPT_URL, "http://127.0.0.1:1/x");
        curl_easy_setopt(easy, CURLOPT_PRIVATE, url);
        curl_easy_cleanup(easy);
    }
    weir_loop_free(loop);
}

static void one_loop_ends_and_the_other_goes_on(void **state)
{
    struct weir_loop *first, *second;
    char *a, *b;

    (void)state;
    assert_int_equal(weir_loop_new(NULL, &first, NULL), WEIR_OK);
    assert_int_equal(weir_loop_new(NULL, &second, NULL), WEIR_OK);
    a = block(100, 'a');
    weir_loop_free(first);
    check_block(a, 100, 'a');
    curl_free(a);
    b = block(100, 'b');
    weir_loop_free(second);
    check_block(b, 100, 'b');
    curl_free(b);
}

/* As libcurl's threads do that look up names. */
static void *swap(void *ud)
{
    char **blocks = ud;

    for (size_t i = 0; i < MANY; i++) {
        check_block(blocks[i], i + 1, 'm');
        curl_free(blocks[i]);
        blocks[i] = block(i + 1, 't');
    }
    return NULL;
}

static void a_thread_without_a_loop_gives_and_takes(void **state)
{
    char *blocks[MANY];
    struct weir_loop *loop;
    pthread_t thread;

    (void)state;
    assert_int_equal(weir_loop_new(NULL, &loop, NULL), WEIR_OK);
    for (size_t i = 0; i < MANY; i++)
        blocks[i] = block(i + 1, 'm');
    assert_int_equal(pthread_create(&thread, NULL, swap, blocks), 0);
    pthread_join(thread, NULL);
    for (size_t i = 0; i < MANY; i++) {
        check_block(blocks[i], i + 1, 't');
        curl_free(blocks[i]);
    }
    weir_loop_free(loop);
}

/* Bytes that malloc() has given out; 0 where a sanitizer's stands for it. */
static size_t in_use(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

#define MEBI ((size_t)1 << 20)

/* A burst of requests must not be paid for until the end of the program. */
static void what_is_kept_has_a_ceiling(void **state)
{
    static char *blocks[MANY];
    struct weir_loop *loop;
    size_t before, after;

    (void)state;
    assert_int_equal(weir_loop_new(NULL, &loop, NULL), WEIR_OK);
    before = in_use();
    for (size_t i = 0; i < MANY; i++)
        blocks[i] = block(30000, 'c'); /* 14 MiB */
    for (size_t i = 0; i < MANY; i++)
        curl_free(blocks[i]);
    after = in_use();
    assert_true(after < before + 3 * MEBI);
    /* The lists are in use: what is asked for again comes from there. */
    assert_true(before == 0 || after > before + MEBI);
    weir_loop_free(loop);
    assert_true(in_use() < before + MEBI);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_of_every_size_keep_what_is_in_them),
        cmocka_unit_test(many_blocks_at_once_are_many),
        cmocka_unit_test(a_handle_made_of_used_memory_is_new),
        cmocka_unit_test(one_loop_ends_and_the_other_goes_on),
        cmocka_unit_test(a_thread_without_a_loop_gives_and_takes),
        cmocka_unit_test(what_is_kept_has_a_ceiling),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
