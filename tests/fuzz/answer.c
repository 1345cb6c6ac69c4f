/*
 * answer: any bytes as a server's answers, through libcurl and the whole
 * client.  The call ends; what it hands over is within its ceilings; nothing
 * goes to another place; a create is repeated only after an answer that
 * refused it; every request is well-formed, whatever an earlier answer put
 * into its headers; nothing is left open.
 *
 * One byte chooses the call, then one part per answer (support/wire.h).
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "weir/client.h"
#include "weir/etag.h"
#include "weir/page.h"
#include "wire.h"

#define PORT        8080
#define BASE        "http://127.0.0.1:8080"
#define MAX_BODY    65536u
#define MAX_HEADERS 32u
/* What a call of this client may send: attempts, one more after a 401, each
 * with its redirects, and tokens.  Updates and listings are several calls. */
#define MAX_REQUESTS 28u

enum call { GET, CREATE, PUT, DELETE, HEAD, UPDATE, LISTING, VALIDATE };

struct run {
    enum call call;
    struct weir_clock_fake clock;
    struct weir_loop *loop;
    struct weir_auth *auth;
    struct weir_client *client;
    struct weir_op *op;
    struct wire wire;
    bool created; /* a create was sent, and its answer does not refuse it */
    bool done;
};

/* ---- what the server sees ---- */

static bool has(struct fuzz_text text, const char *word)
{
    return memmem(text.data, text.len, word, strlen(word)) != NULL;
}

/* Only the headers that we send, each on one line. */
static void check_header(const char *line, size_t len)
{
    static const char *const names[] = {
        "Host",         "User-Agent",     "Accept",        "Accept-Encoding",
        "Content-Type", "Content-Length", "Authorization", "If-Match"};
    const char *colon = memchr(line, ':', len);
    size_t i = 0, name_len = colon ? (size_t)(colon - line) : 0;

    while (i < 8 && (strlen(names[i]) != name_len ||
                     memcmp(names[i], line, name_len) != 0))
        i++;
    FUZZ_CHECK(i < 8 && len > name_len + 2);
    for (size_t at = 0; at < len; at++)
        FUZZ_CHECK((unsigned char)line[at] >= ' ' || line[at] == '\t');
}

static void on_request(void *ud, const char *request, size_t len,
                       struct fuzz_text answer)
{
    struct run *run = ud;
    const char *end = memmem(request, len, "\r\n", 2), *next;
    bool create = run->call == CREATE && memcmp(request, "POST /x ", 8) == 0;

    FUZZ_CHECK(end && end - request > 9 && !memcmp(end - 9, " HTTP/1.1", 9));
    for (const char *line = end + 2; line < request + len; line = next + 2) {
        next = memmem(line, (size_t)(request + len - line), "\r\n", 2);
        FUZZ_CHECK(next);
        if (next == line)
            break;
        check_header(line, (size_t)(next - line));
    }
    if (create) {
        FUZZ_CHECK(!run->created);
        /* Not what the client reads there, but what it needs at least. */
        run->created = !has(answer, "429") && !has(answer, "503") &&
                       !(run->auth && has(answer, "401"));
    }
}

/* ---- the call ---- */

static void make_client(struct run *run, bool auth)
{
    static const struct weir_auth_config auth_config = {
        .kind = WEIR_AUTH_CLIENT_CREDENTIALS,
        .token_url = BASE "/token",
        .client_id = "an id",
        .client_secret = "a secret",
        .limits = {.max_bytes = MAX_BODY, .max_headers = MAX_HEADERS},
    };
    struct weir_client_config config = {
        .base_url = BASE,
        .rate = -1,
        .limits = {.max_bytes = MAX_BODY,
                   .max_headers = MAX_HEADERS,
                   .max_header_bytes = 4096},
    };

    if (auth)
        FUZZ_CHECK(!weir_auth_new(run->loop, &auth_config, &run->auth, NULL));
    config.auth = run->auth;
    FUZZ_CHECK(!weir_client_new(run->loop, &config, &run->client, NULL));
}

static void make_op(struct run *run)
{
    static const char *const methods[] = {
        [GET] = "GET",       [CREATE] = "POST", [PUT] = "PUT",
        [DELETE] = "DELETE", [HEAD] = "HEAD",   [VALIDATE] = "POST"};
    bool body = run->call == CREATE || run->call == PUT;
    struct weir_json *fields = NULL;
    struct weir_call call = {
        .path = "/x",
        .body = body || run->call == VALIDATE ? "{}" : NULL,
        .body_len = body || run->call == VALIDATE ? 2 : 0,
        .if_match = run->call == PUT || run->call == DELETE ? "\"1\"" : NULL,
        .safe = run->call == VALIDATE,
    };
    enum weir_code code;

    if (run->call == UPDATE) {
        struct weir_etag_options options = {.path = "/x", .attempts = 3};

        fields = fuzz_json((struct fuzz_text){"{\"a\":2}", 7});
        options.fields = fields;
        code = weir_etag_update(run->client, &options, &run->op, NULL);
    } else if (run->call == LISTING) {
        struct weir_page_options options = {
            .path = "/x", .items = "items", .max_pages = 4};

        code = weir_page_new(run->client, &options, &run->op, NULL);
    } else {
        call.method = methods[run->call];
        code = weir_client_call(run->client, &call, &run->op, NULL);
    }
    FUZZ_CHECK(code == WEIR_OK);
    weir_json_free(fields);
}

static void on_done(void *ud, struct weir_op *op)
{
    struct run *run = ud;

    FUZZ_CHECK(op == run->op && !run->done);
    run->done = true;
}

/* Turns the loop until the op has ended.  While nothing comes over the wire,
 * it is the fake clock that moves. */
static void turn(struct run *run)
{
    run->done = false;
    weir_op_start(run->op, on_done, run);
    for (int turns = 0, still = 0; !run->done; turns++) {
        FUZZ_CHECK(turns < 100000);
        FUZZ_CHECK(weir_loop_turn(run->loop, 0, NULL) == WEIR_OK);
        still = wire_serve(&run->wire) ? 0 : still + 1;
        if (still > 3)
            weir_clock_fake_advance(&run->clock, 500);
    }
}

/* ---- what comes of it ---- */

static void check_response(const struct weir_http_response *response)
{
    FUZZ_CHECK(response->status >= 200 && response->status <= 299);
    FUZZ_CHECK(response->body_len <= MAX_BODY);
    FUZZ_CHECK(response->body[response->body_len] == '\0');
    FUZZ_CHECK(response->n_headers <= MAX_HEADERS);
    FUZZ_CHECK(strncmp(response->url, BASE "/", sizeof(BASE)) == 0);
    for (size_t i = 0; i < response->n_headers; i++) {
        FUZZ_CHECK(response->headers[i].name[0]);
        FUZZ_CHECK(!strpbrk(response->headers[i].name, " \t\r\n:"));
        FUZZ_CHECK(!strpbrk(response->headers[i].value, "\r\n"));
    }
}

static void check_error(const struct weir_op *op)
{
    const struct weir_err *err = weir_op_err(op);
    struct weir_err copy = WEIR_ERR_INIT;

    fuzz_check_line(err->url);
    fuzz_check_line(err->request_id);
    if (err->detail) {
        struct weir_json *detail =
            fuzz_json((struct fuzz_text){err->detail, strlen(err->detail)});

        FUZZ_CHECK(detail);
        weir_json_free(detail);
    }
    weir_err_copy(&copy, err);
    fuzz_check_err(&copy, err->code);
}

static void run_call(struct run *run)
{
    turn(run);
    FUZZ_CHECK(run->wire.requests <= MAX_REQUESTS || run->call == UPDATE);
    if (weir_op_code(run->op))
        check_error(run->op);
    else if (run->call == UPDATE)
        FUZZ_CHECK(weir_etag_result(run->op).state);
    else
        check_response(weir_http_response(run->op));
}

static void run_listing(struct run *run)
{
    do {
        turn(run);
    } while (!weir_op_code(run->op) && weir_page_item(run->op));
    if (weir_op_code(run->op))
        check_error(run->op);
    FUZZ_CHECK(run->wire.requests <= 4 * MAX_REQUESTS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_text rest = {(const char *)data, size};
    static struct run run;
    unsigned first = fuzz_byte(&rest);

    memset(&run, 0, offsetof(struct run, wire));
    run.wire.n_ends = run.wire.requests = 0;
    run.wire.script = rest;
    run.wire.on_request = on_request;
    run.wire.ud = &run;
    run.created = false;
    run.call = (enum call)(first & 7);
    wire_open(&run.wire, PORT);
    weir_clock_fake_init(&run.clock, 1700000000000);
    FUZZ_CHECK(!weir_loop_new(&run.clock.clock, &run.loop, NULL));
    make_client(&run, first & 8);
    make_op(&run);
    if (run.call == LISTING)
        run_listing(&run);
    else
        run_call(&run);
    weir_op_free(run.op);
    FUZZ_CHECK(weir_loop_ops(run.loop) == 0);
    weir_client_unref(run.client);
    weir_auth_unref(run.auth);
    FUZZ_CHECK(weir_loop_timers(run.loop) == 0);
    weir_loop_free(run.loop);
    wire_close(&run.wire);
    return 0;
}
