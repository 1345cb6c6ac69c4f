/*
 * token: fetches a bearer token with libweir and says how that went.
 *
 *     cc token.c $(pkg-config --cflags --libs weir) -o token
 *
 * It reads CXONE_TOKEN_URL, CXONE_CLIENT_ID, CXONE_CLIENT_SECRET and
 * CXONE_TENANT; `weir sim` prints values to try it with.  The token itself is
 * not shown.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/auth.h>
#include <weir/err.h>
#include <weir/log.h>
#include <weir/loop.h>
#include <weir/op.h>

/* Every wait has an end. */
#define DEADLINE_MS 30000

static void to_stderr(void *ud, const char *line, size_t len)
{
    (void)ud;
    fwrite(line, 1, len, stderr);
}

/* Prints `err` without the secrets that the log was told of. */
static int fail(const struct weir_log *log, struct weir_err *err)
{
    weir_log_redact_err(log, err);
    fprintf(stderr, "token: %s: %s\n", weir_code_word(err->code), err->message);
    if (err->hint[0])
        fprintf(stderr, "hint: %s\n", err->hint);
    weir_err_clear(err);
    return 1;
}

static int fetch(struct weir_loop *loop, struct weir_log *log,
                 const struct weir_auth_config *config)
{
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_auth *auth = NULL;
    struct weir_op *op = NULL;
    int code = 0;

    if (weir_auth_new(loop, config, &auth, &err) ||
        weir_auth_token_new(auth, &op, &err)) {
        code = fail(log, &err);
    } else if (weir_op_run(op, DEADLINE_MS)) {
        weir_err_copy(&err, weir_op_err(op));
        code = fail(log, &err);
    } else {
        printf("a token of %zu characters after %u request(s)\n",
               strlen(weir_auth_token(op)), weir_auth_fetches(auth));
    }
    weir_op_free(op);
    weir_auth_unref(auth);
    return code;
}

int main(void)
{
    const char *tenant = getenv("CXONE_TENANT");
    const struct weir_header fields[] = {{"tenant", tenant ? tenant : ""}};
    struct weir_auth_config config = {
        .kind = WEIR_AUTH_CLIENT_CREDENTIALS,
        .token_url = getenv("CXONE_TOKEN_URL"),
        .client_id = getenv("CXONE_CLIENT_ID"),
        .client_secret = getenv("CXONE_CLIENT_SECRET"),
        .fields = fields,
        .n_fields = tenant ? 1 : 0,
    };
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_loop *loop = NULL;
    struct weir_log *log = NULL;
    int code;

    if (!config.token_url || !config.client_id || !config.client_secret) {
        fprintf(stderr, "token: set CXONE_TOKEN_URL, CXONE_CLIENT_ID and "
                        "CXONE_CLIENT_SECRET\n");
        return 64;
    }
    if (weir_log_new(NULL, to_stderr, NULL, &log, &err) ||
        weir_loop_new(NULL, &loop, &err)) {
        code = fail(log, &err);
    } else {
        config.log = log;
        code = fetch(loop, log, &config);
    }
    weir_loop_free(loop);
    weir_log_free(log);
    return code;
}
