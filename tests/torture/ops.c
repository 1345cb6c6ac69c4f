/*
 * ops: what waits, on a scripted transport and a fake clock; and real HTTP,
 * against a server in another process.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake_transport.h"
#include "scenario.h"
#include "server.h"
#include "shim.h"
#include "weir/auth.h"
#include "weir/client.h"
#include "weir/etag.h"
#include "weir/log.h"
#include "weir/page.h"
#include "weir/poll.h"

#define OBJECT "{\"id\":\"f1\",\"etag\":\"e1\",\"a\":1,\"b\":2}"
#define TOKEN  "{\"access_token\":\"token-one\",\"expires_in\":3600}"

/* ---- a client whose transport's own memory is not counted ---- */

struct stand {
    struct weir_clock_fake clock;
    struct weir_loop *loop;
    struct weir_log *log;
    struct fake_transport fake;
    struct weir_transport transport;
    struct weir_auth *auth;
    struct weir_client *client;
};

static enum weir_code uncounted(void *ud, struct weir_loop *loop,
                                const struct weir_http_request *request,
                                struct weir_op **out, struct weir_err *err)
{
    struct stand *stand = ud;
    enum weir_code code;

    shim_pause(true);
    code = stand->fake.transport.request(stand->fake.transport.ud, loop,
                                         request, out, err);
    shim_pause(false);
    return code;
}

static void answer(struct stand *stand, int status, const char *headers,
                   const char *body)
{
    shim_pause(true);
    fake_transport_answer(&stand->fake, status, headers, body);
    shim_pause(false);
}

static void lose(struct stand *stand)
{
    shim_pause(true);
    fake_transport_fail(&stand->fake, WEIR_TRANSPORT, WEIR_REACH_MAYBE, "lost");
    shim_pause(false);
}

static enum weir_code make(struct stand *stand, bool with_auth,
                           struct weir_err *err)
{
    struct weir_auth_config auth = {
        .kind = WEIR_AUTH_ACCESS_KEY,
        .token_url = "https://login.test/token",
        .client_id = "client",
        .client_secret = "hush-hush",
        .access_key_id = "key",
        .access_key_secret = "hush-more",
        .scope = "a b",
        .transport = &stand->transport,
    };
    struct weir_client_config config = {.base_url = "https://x.test/base",
                                        .transport = &stand->transport};
    enum weir_code code;

    *stand = (struct stand){.transport = {uncounted, stand}};
    weir_clock_fake_init(&stand->clock, 1700000000000);
    fake_transport_init(&stand->fake);
    TRY(weir_loop_new(&stand->clock.clock, &stand->loop, err));
    TRY(weir_log_new(NULL, NULL, NULL, &stand->log, err));
    auth.log = config.log = stand->log;
    if (with_auth)
        TRY(weir_auth_new(stand->loop, &auth, &stand->auth, err));
    config.auth = stand->auth;
    TRY(weir_client_new(stand->loop, &config, &stand->client, err));
out:
    return code;
}

static void unmake(struct stand *stand)
{
    weir_client_unref(stand->client);
    weir_auth_unref(stand->auth);
    shim_pause(true);
    fake_transport_fini(&stand->fake);
    shim_pause(false);
    weir_loop_free(stand->loop);
    weir_log_free(stand->log);
}

/* Runs the op; its error is copied to `err`. */
static enum weir_code finish(struct weir_op *op, struct weir_err *err)
{
    enum weir_code code = weir_op_run(op, 3600000);

    if (code)
        weir_err_copy(err, weir_op_err(op));
    return code;
}

/* ---- auth and client ---- */

static enum weir_code run_token(struct weir_buf *said, struct weir_err *err)
{
    struct stand stand;
    struct weir_op *op = NULL;
    enum weir_code code = make(&stand, true, err);

    answer(&stand, 503, "Retry-After: 1", "");
    answer(&stand, 200, NULL, TOKEN);
    if (code)
        goto out;
    TRY(weir_auth_token_new(stand.auth, &op, err));
    TRY(finish(op, err));
    say(said, "%s %u\n", weir_auth_token(op), weir_auth_fetches(stand.auth));
out:
    weir_op_free(op);
    unmake(&stand);
    return code;
}

/* A call with its token, a refusal and a renewal, and a wait. */
static enum weir_code run_call(struct weir_buf *said, struct weir_err *err)
{
    static const struct weir_header headers[] = {{"X-A", "b"}};
    struct weir_call call = {
        .method = "POST",
        .path = "/things",
        .query = "a=b",
        .headers = headers,
        .n_headers = 1,
        .body = "{\"x\":1}",
        .body_len = 7,
        .safe = true,
    };
    struct stand stand;
    struct weir_op *op = NULL;
    enum weir_code code = make(&stand, true, err);

    answer(&stand, 200, NULL, TOKEN);
    answer(&stand, 401, NULL, "");
    answer(&stand, 200, NULL, TOKEN);
    answer(&stand, 429, "Retry-After: 2", "");
    answer(&stand, 502, NULL, "<html>");
    answer(&stand, 200, "X-Request-Id: r1", "{\"ok\":true}");
    if (code)
        goto out;
    TRY(weir_client_call(stand.client, &call, &op, err));
    TRY(finish(op, err));
    say(said, "%d %s\n", weir_http_response(op)->status,
        weir_http_response(op)->body);
out:
    weir_op_free(op);
    unmake(&stand);
    return code;
}

/* A refusal with particulars; then a change whose answer is lost. */
static enum weir_code run_refused(struct weir_buf *said, struct weir_err *err)
{
    struct weir_call call = {.method = "POST", .path = "/things"};
    struct stand stand;
    struct weir_op *op = NULL, *lost = NULL;
    enum weir_code code = make(&stand, false, err);

    answer(&stand, 400, NULL,
           "{\"message\":\"no\",\"errors\":[{\"path\":\"/a\"}]}");
    lose(&stand);
    if (code)
        goto out;
    TRY(weir_client_call(stand.client, &call, &op, err));
    code = weir_op_run(op, 3600000);
    if (code != WEIR_VALIDATION) {
        weir_err_copy(err, weir_op_err(op));
        goto out;
    }
    TRY(weir_client_call(stand.client, &call, &lost, err));
    code = weir_op_run(lost, 3600000);
    if (code != WEIR_AMBIGUOUS) {
        weir_err_copy(err, weir_op_err(lost));
        goto out;
    }
    code = WEIR_OK;
    say(said, "refused, lost\n");
out:
    weir_op_free(op);
    weir_op_free(lost);
    unmake(&stand);
    return code;
}

/* ---- page, etag, poll ---- */

static enum weir_code run_page(struct weir_buf *said, struct weir_err *err)
{
    const struct weir_page_options options = {
        .path = "/list", .query = "size=2", .items = "items"};
    const struct weir_json *item;
    struct stand stand;
    struct weir_op *op = NULL;
    enum weir_code code = make(&stand, false, err);

    answer(&stand, 200, NULL, "{\"items\":[1,{}],\"next_cursor\":\"c 1\"}");
    answer(&stand, 200, NULL, "{\"items\":[],\"next_cursor\":\"c2\"}");
    answer(&stand, 200, NULL, "{\"items\":[\"x\"],\"next_cursor\":null}");
    if (code)
        goto out;
    TRY(weir_page_new(stand.client, &options, &op, err));
    do {
        if (!weir_page_take(op))
            TRY(finish(op, err));
        item = weir_page_item(op);
        say(said, "%s\n",
            item ? weir_json_type_name(weir_json_type(item)) : "end");
    } while (item);
out:
    weir_op_free(op);
    unmake(&stand);
    return code;
}

static enum weir_code run_etag(struct weir_buf *said, struct weir_err *err)
{
    static const char changed[] =
        "{\"id\":\"f1\",\"etag\":\"e2\",\"a\":1,\"b\":5}";
    static const char *const server_fields[] = {"id", "etag"};
    static const struct weir_etag_rules rules = {.server_fields = server_fields,
                                                 .n_server_fields = 2};
    struct weir_json *fields = NULL;
    struct weir_etag_options options = {.path = "/f/1", .rules = &rules};
    struct weir_etag_result result;
    struct stand stand;
    struct weir_op *op = NULL;
    enum weir_code code = make(&stand, false, err);

    answer(&stand, 200, "ETag: \"e1\"", OBJECT);
    answer(&stand, 412, NULL, "{}");
    answer(&stand, 200, NULL, changed);
    answer(&stand, 200, "ETag: \"e3\"", changed);
    /* An answer for which there was no memory is read again. */
    answer(&stand, 200, "ETag: \"e3\"", changed);
    if (code)
        goto out;
    TRY(weir_json_parse("{\"a\":3}", 7, NULL, &fields, err));
    options.fields = fields;
    TRY(weir_etag_update(stand.client, &options, &op, err));
    TRY(finish(op, err));
    result = weir_etag_result(op);
    say(said, "%s %u %zu\n", result.etag, result.attempts,
        weir_json_size(result.theirs));
out:
    weir_op_free(op);
    weir_json_free(fields);
    unmake(&stand);
    return code;
}

static enum weir_code run_poll(struct weir_buf *said, struct weir_err *err)
{
    static const char *const done[] = {"ACTIVE"}, *const failed[] = {"FAILED"};
    const struct weir_poll_options options = {
        .path = "/f/1/status",
        .what = "filter f1",
        .done = done,
        .n_done = 1,
        .failed = failed,
        .n_failed = 1,
        .interval_ms = 1000,
    };
    struct stand stand;
    struct weir_op *op = NULL;
    enum weir_code code = make(&stand, false, err);

    answer(&stand, 200, NULL, "{\"status\":\"DRAFT\"}");
    answer(&stand, 503, NULL, "");
    answer(&stand, 200, NULL, "{\"status\":\"ACTIVE\"}");
    if (code)
        goto out;
    TRY(weir_poll_new(stand.loop, stand.client, &options, &op, err));
    TRY(finish(op, err));
    say(said, "%s %u\n", weir_poll_word(op), weir_poll_looks(op));
out:
    weir_op_free(op);
    unmake(&stand);
    return code;
}

/* ---- http ---- */

static const struct server_step script[] = {
    READ,
    SEND("HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n"),
    READ,
    SEND("HTTP/1.1 200 OK\r\nX-A: b\r\nX-Folded: a\r\n b\r\n"
         "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
    AGAIN,
};

static pid_t server_process;
static char server_address[64];
static struct weir_loop *kept;

/* Apart, so that the server's memory is not ours. */
void scenarios_begin(void)
{
    int ends[2];

    if (pipe(ends))
        abort();
    server_process = fork();
    if (server_process < 0)
        abort();
    if (server_process == 0) {
        struct server *server;
        const char *url;

        /* Ends with the process that asks, however that ends. */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        server = SERVER_EACH(script);
        url = server_url(server, "/");

        if (write(ends[1], url, strlen(url) + 1) < 0)
            _exit(1);
        close(ends[1]);
        for (;;)
            pause();
    }
    close(ends[1]);
    if (read(ends[0], server_address, sizeof(server_address)) <= 0)
        abort();
    close(ends[0]);
    /* Keeps libcurl awake, which starts once in a process. */
    if (weir_loop_new(NULL, &kept, NULL))
        abort();
}

void scenarios_end(void)
{
    weir_loop_free(kept);
    kill(server_process, SIGKILL);
    waitpid(server_process, NULL, 0);
}

static enum weir_code run_http(struct weir_buf *said, struct weir_err *err)
{
    static const struct weir_header headers[] = {{"X-A", "b"}, {"X-B", ""}};
    const struct weir_http_request request = {
        .method = "GET",
        .url = server_address,
        .headers = headers,
        .n_headers = 2,
        .limits = {.timeout_ms = 20000},
    };
    const struct weir_http_settings settings = {
        .proxy = "http://127.0.0.1:1", .no_proxy = "a.test", .ca_file = NULL};
    struct weir_loop *loop = NULL;
    struct weir_op *op = NULL;
    enum weir_code code;

    TRY(weir_loop_new(NULL, &loop, err));
    TRY(weir_http_configure(loop, &settings, err));
    TRY(weir_http_new(loop, &request, &op, err));
    TRY(finish(op, err));
    say(said, "%d %s %s\n", weir_http_response(op)->status,
        weir_http_response(op)->body,
        weir_http_header(weir_http_response(op), "X-Folded", 0));
out:
    weir_op_free(op);
    weir_loop_free(loop);
    return code;
}

const struct scenario scenarios_ops[] = {
    {"token", run_token, WEIR_OK},     {"call", run_call, WEIR_OK},
    {"refused", run_refused, WEIR_OK}, {"page", run_page, WEIR_OK},
    {"etag", run_etag, WEIR_OK},       {"poll", run_poll, WEIR_OK},
    {"http", run_http, WEIR_OK},       {NULL, NULL, WEIR_OK},
};
