/* changes: what may not change anything is kept back, and told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "grants.h"
#include "http_ask.h"
#include "rig.h"
#include "weir/changes.h"
#include "weir/etag.h"

static const char *const safe[] = {"POST https://a.test/base/filters/validate",
                                   "POST https://a.test/token", NULL};

struct fixture {
    struct rig rig;
    struct weir_changes *changes;
    struct weir_permissions *permissions;
    char told[400]; /* of what was kept back, one line each */
};

static void kept(void *ud, const struct weir_changes_call *call,
                 const char *path, const char *by)
{
    struct fixture *f = ud;
    size_t len = strlen(f->told);

    snprintf(f->told + len, sizeof(f->told) - len, "%s %s %zu %s\n",
             call->method, path, call->body_len, by ? by : "-");
}

static int setup(void **state)
{
    static struct fixture f;
    struct weir_client_config config = {.base_url = "https://a.test/base"};
    struct weir_changes_door door = {.safe = safe, .kept = kept, .ud = &f};

    memset(&f, 0, sizeof(f));
    rig_init(&f.rig);
    f.permissions = grants_parse("{}");
    door.permissions = f.permissions;
    assert_int_equal(
        weir_changes_new(&f.rig.clock.clock, NULL, &f.changes, NULL), WEIR_OK);
    weir_changes_guard(f.changes, &door);
    weir_client_unref(f.rig.client);
    config.transport = &f.rig.fake.transport;
    config.changes = f.changes;
    assert_int_equal(weir_client_new(f.rig.loop, &config, &f.rig.client, NULL),
                     WEIR_OK);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    rig_fini(&f->rig);
    weir_changes_free(f->changes);
    weir_permissions_free(f->permissions);
    return 0;
}

static unsigned long would_send(const struct fixture *f)
{
    return weir_changes_counts(f->changes).of[WEIR_CHANGE_WOULD_SEND];
}

/* Asks for the call; it must be let through, and be answered, or kept back. */
static void ask(struct fixture *f, const struct weir_call *call, bool passes)
{
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_op *op = NULL;
    enum weir_code code = weir_client_call(f->rig.client, call, &op, &err);

    if (!passes) {
        assert_int_equal(code, WEIR_DENIED);
        assert_string_equal(err.method, call->method);
        assert_true(err.final);
        weir_err_clear(&err);
        return;
    }
    if (code)
        fail_msg("%s %s: %s", call->method, call->path, err.message);
    fake_transport_answer(&f->rig.fake, 200, NULL, "{}");
    assert_int_equal(rig_run(op), WEIR_OK);
    weir_op_free(op);
}

static void what_only_reads_passes(void **state)
{
    struct fixture *f = *state;

    ask(f, &(struct weir_call){.method = "GET", .path = "/x"}, true);
    ask(f, &(struct weir_call){.method = "HEAD", .path = "/x"}, true);
    ask(f,
        &(struct weir_call){
            .method = "POST", .path = "/filters/validate", .safe = true},
        true);
    assert_int_equal(would_send(f), 0);
    assert_string_equal(f->told, "");
}

/* Nor does a script's own word that it changes nothing count. */
static void what_may_change_something_is_kept_back(void **state)
{
    static const struct weir_header override = {"x-http-method-override",
                                                "DELETE"};
    /* As CGI hands it on, and who builds on that. */
    static const struct weir_header underscores = {"X_HTTP-Method_Override",
                                                   "DELETE"};
    static const struct weir_call calls[] = {
        {.method = "POST", .path = "/filters", .body = "{}", .body_len = 2},
        {.method = "PUT",
         .path = "/x",
         .query = "token=1",
         .if_match = "\"1\""},
        {.method = "PATCH", .path = "/x"},
        {.method = "DELETE", .path = "/x"},
        {.method = "OPTIONS", .path = "/x"},
        {.method = "POST", .path = "/filters", .safe = true},
        {.method = "POST", .path = "/filters/validate/x", .safe = true},
        {.method = "PUT", .path = "/filters/validate", .safe = true},
        {.method = "POST", .path = "/filters/validate", .query = "a=b"},
        {.method = "POST", .path = "/x/filters/validate", .safe = true},
        {.method = "GET",
         .path = "/x",
         .headers = &underscores,
         .n_headers = 1},
        {.method = "GET", .path = "/x", .headers = &override, .n_headers = 1},
        {.method = "POST",
         .path = "/filters/validate",
         .headers = &override,
         .n_headers = 1},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        ask(f, &calls[i], false);
        assert_int_equal(would_send(f), i + 1);
        assert_int_equal(weir_changes_counts(f->changes).under_way, 0);
        if (i == 1)
            assert_string_equal(f->told, "POST /base/filters 2 -\n"
                                         "PUT /base/x 0 -\n");
    }
    assert_int_equal(f->rig.fake.n_requests, 0);
}

static void what_took_the_permission_away_is_told(void **state)
{
    struct fixture *f = *state;
    struct weir_permissions *declared = grants_parse("{\"mutate\":true}");
    struct weir_permissions *dry =
        grants_narrow(declared, WEIR_PERMISSION_BIT(WEIR_PERMISSION_MUTATE),
                      "{}", "--dry-run");
    struct weir_changes_door door = {
        .permissions = declared, .kept = kept, .ud = f};
    struct weir_call put = {.method = "PUT", .path = "/x"};

    weir_changes_guard(f->changes, &door);
    ask(f, &put, true);
    door.permissions = dry;
    weir_changes_guard(f->changes, &door);
    ask(f, &put, false);
    assert_string_equal(f->told, "PUT /base/x 0 --dry-run\n");
    weir_permissions_free(declared);
    weir_permissions_free(dry);
}

static void an_update_reads_and_does_not_write(void **state)
{
    struct fixture *f = *state;
    struct weir_json *fields = rig_json("{'name':'b'}");
    struct weir_etag_options options = {.path = "/x", .fields = fields};
    struct weir_op *op = NULL;

    fake_transport_answer(&f->rig.fake, 200, "ETag: \"1\"", "{\"name\":\"a\"}");
    assert_int_equal(weir_etag_update(f->rig.client, &options, &op, NULL),
                     WEIR_OK);
    assert_int_equal(rig_run(op), WEIR_DENIED);
    assert_int_equal(f->rig.fake.n_requests, 1);
    assert_string_equal(weir_op_err(op)->message,
                        "mutate: PUT /base/x may change something, and is not "
                        "granted");
    weir_op_free(op);
    weir_json_free(fields);
    assert_int_equal(would_send(f), 1);
}

static void a_request_without_a_client_is_kept_back_too(void **state)
{
    struct fixture *f = *state;
    struct weir_http_request request = {.method = "DELETE",
                                        .url = "https://a.test/x/y?z=1",
                                        .changes = f->changes};
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_op *op = NULL;

    assert_int_equal(weir_http_new(f->rig.loop, &request, &op, &err),
                     WEIR_DENIED);
    assert_string_equal(f->told, "DELETE /x/y 0 -\n");
    assert_string_equal(err.url, "https://a.test/x/y");
    weir_err_clear(&err);
    request.method = "GET";
    assert_int_equal(weir_http_new(f->rig.loop, &request, &op, NULL), WEIR_OK);
    weir_op_free(op);
    request.url = "https://a.test?x=/y";
    request.method = "POST";
    assert_int_equal(weir_http_new(f->rig.loop, &request, &op, NULL),
                     WEIR_DENIED);
    assert_string_equal(f->told, "DELETE /x/y 0 -\nPOST / 0 -\n");
    /* Of nobody's interest: a token. */
    request.changes = NULL;
    assert_int_equal(weir_http_new(f->rig.loop, &request, &op, NULL), WEIR_OK);
    weir_op_free(op);
}

static enum weir_code take_token(struct fixture *f, const char *url)
{
    struct weir_auth_config config = {
        .kind = WEIR_AUTH_CLIENT_CREDENTIALS,
        .token_url = url,
        .client_id = "id",
        .client_secret = "hunter22",
        .transport = &f->rig.fake.transport,
        .changes = f->changes,
    };
    struct weir_auth *auth = NULL;
    struct weir_op *op = NULL;
    enum weir_code code;

    assert_int_equal(weir_auth_new(f->rig.loop, &config, &auth, NULL), WEIR_OK);
    assert_int_equal(weir_auth_token_new(auth, &op, NULL), WEIR_OK);
    code = rig_run(op);
    weir_op_free(op);
    weir_auth_unref(auth);
    return code;
}

static void tokens_are_taken_of_the_tenant_alone(void **state)
{
    struct fixture *f = *state;

    fake_transport_answer(&f->rig.fake, 200, NULL,
                          "{\"access_token\":\"abcdefgh\"}");
    assert_int_equal(take_token(f, "https://a.test/token"), WEIR_OK);
    assert_int_equal(take_token(f, "https://a.test/filters"), WEIR_DENIED);
    assert_string_equal(f->told, "POST /filters 65 -\n");
    assert_int_equal(f->rig.fake.n_requests, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_only_reads_passes),
        TEST(what_may_change_something_is_kept_back),
        TEST(what_took_the_permission_away_is_told),
        TEST(an_update_reads_and_does_not_write),
        TEST(a_request_without_a_client_is_kept_back_too),
        TEST(tokens_are_taken_of_the_tenant_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
