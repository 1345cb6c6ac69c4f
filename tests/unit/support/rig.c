#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

void rig_begin(struct weir_clock_fake *clock, struct weir_loop **loop,
               struct weir_log **log)
{
    weir_clock_fake_init(clock, 1700000000000);
    assert_int_equal(weir_loop_new(&clock->clock, loop, NULL), WEIR_OK);
    if (log)
        assert_int_equal(weir_log_new(&clock->clock, NULL, NULL, log, NULL),
                         WEIR_OK);
}

void rig_end(struct weir_loop *loop, struct weir_log *log)
{
    assert_int_equal(weir_loop_ops(loop), 0);
    assert_int_equal(weir_loop_timers(loop), 0);
    weir_log_free(log);
    weir_loop_free(loop);
}

void rig_end_transport(struct fake_transport *fake)
{
    assert_int_equal(fake_transport_left(fake), 0);
    fake_transport_fini(fake);
}

void rig_turn_until_idle(struct weir_loop *loop)
{
    while (!weir_loop_idle(loop))
        assert_int_equal(weir_loop_turn(loop, -1, NULL), WEIR_OK);
}

int rig_rounds(int all)
{
    const char *share = getenv("TEST_SHARE");
    int n = share ? atoi(share) : 1;

    return n > 1 ? all / n : all;
}

void rig_init(struct rig *rig)
{
    struct weir_client_config config = {.base_url = "https://x.test",
                                        .transport = &rig->fake.transport,
                                        .rate = -1};
    struct weir_err err = WEIR_ERR_INIT;

    rig_begin(&rig->clock, &rig->loop, NULL);
    fake_transport_init(&rig->fake);
    if (weir_client_new(rig->loop, &config, &rig->client, &err))
        fail_msg("%s", err.message);
}

void rig_fini(struct rig *rig)
{
    assert_int_equal(weir_loop_ops(rig->loop), 0);
    assert_int_equal(weir_loop_timers(rig->loop), 0);
    weir_client_unref(rig->client);
    rig_end_transport(&rig->fake);
    rig_end(rig->loop, NULL);
}

enum weir_code rig_run(struct weir_op *op)
{
    return weir_op_run(op, 3600000);
}

static char *with_quotes(const char *text)
{
    char *copy = strdup(text);

    assert_non_null(copy);
    for (char *p = copy; *p; p++) {
        if (*p == '\'')
            *p = '"';
    }
    return copy;
}

struct weir_json *rig_json(const char *text)
{
    char *copy = with_quotes(text);
    struct weir_json *out = NULL;
    struct weir_err err = WEIR_ERR_INIT;

    if (weir_json_parse(copy, strlen(copy), NULL, &out, &err))
        fail_msg("%s: %s", copy, err.message);
    free(copy);
    return out;
}

void rig_answer(struct rig *rig, int status, const char *headers,
                const char *body)
{
    char *copy = with_quotes(body);

    fake_transport_answer(&rig->fake, status, headers, copy);
    free(copy);
}

void rig_assert_json(const struct weir_json *got, const char *expected)
{
    struct weir_json *want = rig_json(expected);
    bool same = got && weir_json_equal(got, want);

    if (!same) {
        struct weir_buf buf;

        weir_buf_init(&buf, 1 << 20);
        if (got)
            weir_json_write(got, 0, &buf, NULL);
        print_error("got      %s\nexpected %s\n", weir_buf_str(&buf), expected);
        weir_buf_fini(&buf);
    }
    weir_json_free(want);
    assert_true(same);
}

void rig_assert_body(const struct rig *rig, size_t n, const char *expected)
{
    struct weir_json *body = NULL;

    assert_true(n < rig->fake.n_requests);
    assert_non_null(rig->fake.requests[n].body);
    assert_int_equal(weir_json_parse(rig->fake.requests[n].body,
                                     rig->fake.requests[n].body_len, NULL,
                                     &body, NULL),
                     WEIR_OK);
    rig_assert_json(body, expected);
    weir_json_free(body);
}
