/* After a client has ended, its token and its credentials are nowhere in the
 * memory that it gave back; nor is a secret key that has signed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../src/core/base64.h"
#include "../../src/core/minisign_internal.h"
#include "server.h"
#include "weir/auth.h"
#include "weir/client.h"
#include "weir/log.h"

/* Long enough not to be there by chance.  What is looked for is kept with
 * some bits turned, so that looking does not find itself. */
#define TOKEN  "tok-5f1c9a7e3b2d48860cafe"
#define SECRET "shh-0b77d1e99c4412ab77e55"

#define MASK 0x5A
struct mask {
    unsigned char bytes[64];
    size_t len;
};

static struct mask masked(const char *text)
{
    struct mask mask = {.len = strlen(text)};

    for (size_t i = 0; i < mask.len; i++)
        mask.bytes[i] = (unsigned char)(text[i] ^ MASK);
    return mask;
}

static size_t count_in(const unsigned char *at, size_t len,
                       const struct mask *mask)
{
    size_t found = 0;

    for (size_t i = 0; i + mask->len <= len; i++) {
        size_t k = 0;

        while (k < mask->len && at[i + k] == (mask->bytes[k] ^ MASK))
            k++;
        found += k == mask->len;
    }
    return found;
}

/* How often the text stands in the heap, in use or given back. */
static size_t count_in_heap(const struct mask *mask)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    size_t found = 0;

    assert_non_null(maps);
    while (fgets(line, sizeof(line), maps)) {
        uintptr_t from, to;

        if (strstr(line, "[heap]") &&
            sscanf(line, "%" SCNxPTR "-%" SCNxPTR, &from, &to) == 2)
            found += count_in((const unsigned char *)from, to - from, mask);
    }
    fclose(maps);
    return found;
}

/* False where freed memory is not kept in the heap (a sanitizer's or
 * valgrind's allocator): then there is nothing to be seen. */
static bool heap_shows_what_was_freed(void)
{
    struct mask mask = masked("control-77b1c0de-of-the-test");
    char *volatile block = malloc(4000);

    assert_non_null(block);
    for (size_t i = 0; i < mask.len; i++)
        block[2000 + i] = (char)(mask.bytes[i] ^ MASK);
    free(block);
    return count_in_heap(&mask) > 0;
}

/* A server in a process of its own, since it remembers what it was sent. */
static pid_t serve(int *port)
{
    static const struct server_step script[] = {
        READ,
        /* The token is escaped, so that reading it takes a further copy. */
        SEND("HTTP/1.1 200 OK\r\nContent-Length: 69\r\n\r\n"
             "{\"access_token\":\"\\u0074ok-5f1c9a7e3b2d48860cafe\","
             "\"expires_in\":3600}  "),
        READ,
        SEND("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"),
    };
    int pipes[2];
    pid_t child;

    assert_int_equal(pipe(pipes), 0);
    child = fork();
    if (child == 0) {
        struct server *server = SERVER(script);
        int number = server_port(server);

        if (write(pipes[1], &number, sizeof(number)) == sizeof(number))
            pause();
        _exit(0);
    }
    assert_true(child > 0);
    assert_int_equal(read(pipes[0], port, sizeof(*port)), sizeof(*port));
    close(pipes[0]);
    close(pipes[1]);
    return child;
}

/* A token and a call with it, over real sockets; all is freed again. */
static void make_a_call(int port, enum weir_auth_kind kind)
{
    struct weir_loop *loop;
    struct weir_log *log;
    struct weir_client *client;
    struct weir_op *op;
    char url[64], secret[] = SECRET;
    struct weir_auth_config login = {.kind = kind,
                                     .token_url = url,
                                     .client_id = "the-id",
                                     .client_secret = secret,
                                     .access_key_id = "the-key",
                                     .access_key_secret = "another-secret"};
    struct weir_client_config config = {.base_url = url};
    struct weir_err err = WEIR_ERR_INIT;

    snprintf(url, sizeof(url), "http://127.0.0.1:%d", port);
    assert_int_equal(weir_loop_new(NULL, &loop, NULL), WEIR_OK);
    assert_int_equal(weir_log_new(NULL, NULL, NULL, &log, NULL), WEIR_OK);
    login.log = config.log = log;
    assert_int_equal(weir_auth_new(loop, &login, &config.auth, NULL), WEIR_OK);
    assert_int_equal(weir_client_new(loop, &config, &client, NULL), WEIR_OK);
    weir_auth_unref(config.auth);
    assert_int_equal(
        weir_client_call(client,
                         &(struct weir_call){.method = "GET", .path = "/x"},
                         &op, NULL),
        WEIR_OK);
    weir_op_run(op, 20000);
    weir_err_copy(&err, weir_op_err(op));
    weir_op_free(op);
    weir_client_unref(client);
    weir_loop_free(loop);
    weir_log_free(log);
    explicit_bzero(secret, sizeof(secret));
    assert_string_equal(err.message, "");
}

static void assert_leaves_nothing(enum weir_auth_kind kind)
{
    struct mask token = masked(TOKEN), secret = masked(SECRET);
    int port, status;
    pid_t child;

    if (!heap_shows_what_was_freed())
        skip();
    child = serve(&port);
    make_a_call(port, kind);
    kill(child, SIGTERM);
    waitpid(child, &status, 0);
    assert_int_equal(count_in_heap(&token), 0);
    assert_int_equal(count_in_heap(&secret), 0);
}

static void client_credentials_leave_nothing(void **state)
{
    (void)state;
    assert_leaves_nothing(WEIR_AUTH_CLIENT_CREDENTIALS);
}

static void an_access_key_leaves_nothing(void **state)
{
    (void)state;
    assert_leaves_nothing(WEIR_AUTH_ACCESS_KEY);
}

static void a_secret_buffer_grows_without_a_trace(void **state)
{
    struct mask mask = masked("grown-41d2e7b95a-of-the-test");
    struct weir_buf buf;

    (void)state;
    if (!heap_shows_what_was_freed())
        skip();
    weir_buf_init_secret(&buf, 1 << 16);
    for (size_t i = 0; i < mask.len; i++)
        weir_buf_addc(&buf, (char)(mask.bytes[i] ^ MASK));
    for (int i = 0; i < 4000; i++)
        weir_buf_addc(&buf, '.');
    assert_int_equal(buf.failed, WEIR_OK);
    assert_int_equal(count_in_heap(&mask), 1);
    weir_buf_fini(&buf);
    assert_int_equal(count_in_heap(&mask), 0);
    assert_true(buf.secret);
}

/* The seed is nowhere after signing, neither its bytes nor their base64. */
static void a_secret_key_leaves_nothing(void **state)
{
    static const struct weir_minisign_cost cheap = {32768, 1 << 20};
    struct weir_minisign_secret *secret, *again;
    struct mask seed = {.len = WEIR_ED25519_SEED}, base;
    struct weir_buf file, signature;
    char text[WEIR_BASE64_SIZE(WEIR_ED25519_SEED)];

    (void)state;
    if (!heap_shows_what_was_freed())
        skip();
    weir_buf_init_secret(&file, WEIR_MINISIGN_FILE_MAX);
    weir_buf_init(&signature, WEIR_MINISIGN_FILE_MAX);
    assert_int_equal(weir_minisign_secret_new(&secret, NULL), WEIR_OK);
    for (size_t i = 0; i < seed.len; i++)
        seed.bytes[i] = secret->seed[i] ^ MASK;
    /* In the file it begins two bytes after a multiple of three. */
    weir_base64_encode(secret->seed + 1, 30, text);
    base = masked("");
    base.len = 40;
    for (size_t i = 0; i < base.len; i++)
        base.bytes[i] = (unsigned char)(text[i] ^ MASK);
    for (int encrypted = 0; encrypted < 2; encrypted++) {
        const char *password = encrypted ? "pass" : NULL;

        weir_buf_reset(&file);
        assert_int_equal(
            weir_minisign_secret_write(secret, password, 4, cheap, &file, NULL),
            WEIR_OK);
        assert_int_equal(weir_minisign_secret_read(file.data, file.len,
                                                   password, 4, &again, NULL),
                         WEIR_OK);
        assert_int_equal(weir_minisign_sign(again, "text", 4, NULL, "trusted",
                                            &signature, NULL),
                         WEIR_OK);
        assert_int_equal(count_in_heap(&seed), 2);
        assert_int_equal(count_in_heap(&base), encrypted ? 0 : 1);
        weir_minisign_secret_free(again);
    }
    weir_minisign_secret_free(secret);
    weir_buf_fini(&file);
    weir_buf_fini(&signature);
    explicit_bzero(text, sizeof(text));
    assert_int_equal(count_in_heap(&seed), 0);
    assert_int_equal(count_in_heap(&base), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(client_credentials_leave_nothing),
        cmocka_unit_test(an_access_key_leaves_nothing),
        cmocka_unit_test(a_secret_buffer_grows_without_a_trace),
        cmocka_unit_test(a_secret_key_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
