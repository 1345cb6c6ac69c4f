/*
 * permissions: what is taken reads back the same and can be told; what two
 * tables leave of each other grants exactly what both do; an address of this
 * machine needs more than a name; a denial can be shown.
 *
 * Parts: a table, another, a host, an address, a path or name.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "permissions_internal.h"
#include "weir/permissions.h"

static struct weir_permissions *parse(struct fuzz_text text)
{
    struct weir_permissions *p = NULL;
    struct weir_err err = WEIR_ERR_INIT;
    enum weir_code code =
        weir_permissions_parse_text(text.data, text.len, &p, &err);

    if (code) {
        FUZZ_CHECK(code == WEIR_SYNTAX || code == WEIR_INVALID ||
                   code == WEIR_LIMIT);
        FUZZ_CHECK(!p);
        fuzz_check_line(err.hint);
        fuzz_check_err(&err, code);
    }
    return p;
}

/* ---- one ---- */

static void check_told(const struct weir_permissions *p)
{
    struct weir_buf words;
    char *line, *rest;
    int lines = 0;

    weir_buf_init(&words, SIZE_MAX);
    FUZZ_CHECK(weir_permissions_describe(p, 2, &words) == WEIR_OK);
    for (line = strtok_r(words.data, "\n", &rest); line;
         line = strtok_r(NULL, "\n", &rest), lines++)
        fuzz_check_line(line);
    FUZZ_CHECK(lines == WEIR_PERMISSIONS);
    weir_buf_fini(&words);
}

static void check_same(const struct weir_permissions *p)
{
    struct weir_json *json = weir_permissions_json(p), *again_json;
    struct weir_permissions *again = NULL;

    FUZZ_CHECK(json);
    FUZZ_CHECK(weir_permissions_parse(json, &again, NULL) == WEIR_OK);
    FUZZ_CHECK(weir_permissions_equal(p, again));
    again_json = weir_permissions_json(again);
    FUZZ_CHECK(weir_json_equal(json, again_json));
    weir_json_free(json);
    weir_json_free(again_json);
    weir_permissions_free(again);
}

static void check_items(const struct weir_permissions *p)
{
    for (unsigned kind = 0; kind < WEIR_PERMISSIONS; kind++) {
        size_t n = weir_permissions_size(p, (enum weir_permission)kind);

        FUZZ_CHECK(n <= WEIR_PERMISSIONS_MAX_ITEMS);
        for (size_t i = 0; i < n; i++) {
            const char *item =
                weir_permissions_item(p, (enum weir_permission)kind, i);

            fuzz_check_line(item);
            FUZZ_CHECK(i == 0 ||
                       strcmp(weir_permissions_item(
                                  p, (enum weir_permission)kind, i - 1),
                              item) < 0);
        }
    }
}

/* ---- being asked ---- */

struct asked {
    char *host, *address, *path;
    unsigned port;
};

enum { ANSWERS = 7 };

static bool answer(enum weir_code code, struct weir_err *err)
{
    struct weir_json *detail;

    if (code == WEIR_OK)
        return true;
    FUZZ_CHECK(code == WEIR_DENIED);
    fuzz_check_line(err->hint);
    FUZZ_CHECK(err->detail);
    detail = fuzz_json((struct fuzz_text){err->detail, strlen(err->detail)});
    FUZZ_CHECK(weir_json_get_string(detail, "permission"));
    FUZZ_CHECK(weir_json_get_string(detail, "asked"));
    weir_json_free(detail);
    fuzz_check_err(err, code);
    return false;
}

static void ask(const struct weir_permissions *p, const struct asked *asked,
                bool out[ANSWERS])
{
    struct weir_err err = WEIR_ERR_INIT;
    const char *root = NULL;

    out[0] = answer(weir_permissions_connect(p, asked->host, asked->port, &err),
                    &err);
    out[1] = answer(weir_permissions_address(p, asked->host, asked->port,
                                             asked->address, &err),
                    &err);
    FUZZ_CHECK(out[0] || !out[1]);
    for (int i = 0; i < 2; i++) {
        enum weir_permission kind =
            i ? WEIR_PERMISSION_WRITE : WEIR_PERMISSION_READ;

        out[2 + i] = answer(
            weir_permissions_path(p, kind, asked->path, &root, &err), &err);
        FUZZ_CHECK(!out[2 + i] || root);
    }
    out[4] = answer(weir_permissions_env(p, asked->path, &err), &err);
    out[5] = answer(weir_permissions_mutate(p, asked->path, &err), &err);
    /* A public address leads where the name does. */
    out[6] = answer(
        weir_permissions_address(p, asked->host, asked->port, "8.8.8.8", &err),
        &err);
    FUZZ_CHECK(out[6] == out[0]);
}

static bool grants_addresses(const struct weir_permissions *p)
{
    for (size_t i = 0; i < weir_permissions_size(p, WEIR_PERMISSION_NET); i++) {
        const char *item = weir_permissions_item(p, WEIR_PERMISSION_NET, i);
        struct weir_host_rule rule;

        FUZZ_CHECK(!weir_host_rule_parse(item, strlen(item), &rule, NULL));
        if (rule.form != WEIR_HOST_NAME && rule.form != WEIR_HOST_BELOW)
            return true;
    }
    return false;
}

static void check_asked(const struct weir_permissions *p,
                        const struct asked *asked)
{
    static const char *const special[] = {"127.0.0.1",        "::1",
                                          "169.254.169.254",  "10.0.0.1",
                                          "::ffff:127.0.0.1", "0.0.0.0"};

    if (grants_addresses(p))
        return;
    for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
        FUZZ_CHECK(weir_permissions_address(p, asked->host, asked->port,
                                            special[i], NULL) == WEIR_DENIED);
}

/* ---- two ---- */

static void check_narrow(const struct weir_permissions *a,
                         const struct weir_permissions *b,
                         const struct asked *asked)
{
    bool in_a[ANSWERS], in_b[ANSWERS], in_both[ANSWERS];
    struct weir_permissions *both = NULL;
    struct weir_err err = WEIR_ERR_INIT;
    enum weir_code code = weir_permissions_narrow(a, WEIR_PERMISSIONS_EVERY, b,
                                                  "the other", &both, &err);

    if (code) {
        FUZZ_CHECK(code == WEIR_LIMIT);
        fuzz_check_err(&err, code);
        return;
    }
    check_same(both);
    check_items(both);
    ask(a, asked, in_a);
    ask(b, asked, in_b);
    ask(both, asked, in_both);
    for (int i = 0; i < ANSWERS; i++)
        FUZZ_CHECK(in_both[i] == (in_a[i] && in_b[i]));
    weir_permissions_free(both);
}

/* ---- paths ---- */

static void check_path(const char *path)
{
    struct weir_buf once, twice;

    weir_buf_init(&once, SIZE_MAX);
    weir_buf_init(&twice, SIZE_MAX);
    FUZZ_CHECK(weir_path_normal(&once, path) == WEIR_OK);
    FUZZ_CHECK(weir_path_normal(&twice, once.data) == WEIR_OK);
    FUZZ_CHECK(strcmp(once.data, twice.data) == 0);
    FUZZ_CHECK(!strstr(once.data, "//") && !strstr(once.data, "/./"));
    FUZZ_CHECK((path[0] == '/') == (once.data[0] == '/'));
    FUZZ_CHECK(path[0] != '/' || !strstr(once.data, "/../"));
    FUZZ_CHECK(weir_path_beneath(once.data, once.data));
    weir_buf_fini(&once);
    weir_buf_fini(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_text rest = {(const char *)data, size}, part;
    struct weir_permissions *a = NULL, *b = NULL;
    struct fuzz_text texts[3] = {{"", 0}, {"", 0}, {"", 0}};
    struct asked asked;

    if (fuzz_part(&rest, &part))
        a = parse(part);
    if (fuzz_part(&rest, &part))
        b = parse(part);
    for (int i = 0; i < 3; i++)
        fuzz_part(&rest, &texts[i]);
    asked.host = fuzz_string(texts[0]);
    asked.address = fuzz_string(texts[1]);
    asked.path = fuzz_string(texts[2]);
    asked.port = size % 2 ? 443 : 8080;
    check_path(asked.path);
    for (int i = 0; i < 2; i++) {
        struct weir_permissions *p = i ? b : a;

        if (!p)
            continue;
        check_told(p);
        check_same(p);
        check_items(p);
        check_asked(p, &asked);
        FUZZ_CHECK(!weir_permissions_tenant(p, "https://acme.test", NULL));
        FUZZ_CHECK(!weir_permissions_tenant(p, "http://127.0.0.1:8080", NULL));
    }
    if (a && b) {
        check_narrow(a, b, &asked);
        check_narrow(b, a, &asked);
    }
    weir_permissions_free(a);
    weir_permissions_free(b);
    free(asked.host);
    free(asked.address);
    free(asked.path);
    return 0;
}
