/*
 * client: the calls of bare.c made with libweir, from C: what weir's core
 * costs without Lua.  Checks, retries, rate limit, ceilings, merging and
 * redaction are what they are for a script.
 *
 * usage: client mix|update|list|token BASE_URL N IN_FLIGHT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weir/auth.h"
#include "weir/client.h"
#include "weir/etag.h"
#include "weir/filter.h"
#include "weir/http.h"
#include "weir/log.h"
#include "weir/loop.h"
#include "weir/op.h"
#include "weir/page.h"
#include "weir/poll.h"

#define API "/api/v2/event-processing"

static const char *const server_fields[] = {
    "id", "etag", "status", "created_at", "updated_at", "version", NULL};
static const char *const channels[] = {"voice", "chat", "email",
                                       "sms",   "web",  NULL};
static const struct weir_filter_schema schema = {
    .channels = channels,
    .server_fields = server_fields,
    .max_name = 200,
    .max_description = 2000,
    .max_matchers = 100,
    .max_pattern_rules = 100,
    .max_in_values = 1000,
    .max_value = 4096,
    .max_path_depth = 16,
};
static const char *const matcher_keys[] = {"attribute", "operator"};
static const char *const rule_keys[] = {"type", "field"};
static const struct weir_etag_list lists[] = {
    {"matchers", matcher_keys, 2},
    {"pattern_rules", rule_keys, 2},
};
static const struct weir_etag_rules rules = {server_fields, 6, lists, 2};
static const char *const done_words[] = {"ACTIVE"};
static const char *const failed_words[] = {"FAILED", "REJECTED"};

/* One after the other, a slot does all steps for one item after another. */
struct slot {
    struct weir_op *op;
    struct weir_buf text; /* the definition */
    char id[64];
    long item;
    int step;
};

static struct {
    const char *mode;
    long n, next, in_flight, running;
    struct weir_loop *loop;
    struct weir_log *log;
    struct weir_auth *auth;
    struct weir_client *client;
    unsigned long entries;
} all;

_Noreturn static void die(const char *what, const struct weir_err *err)
{
    fprintf(stderr, "client: %s%s%s\n", what, err ? ": " : "",
            err ? err->message : "");
    exit(1);
}

/* ---- starting calls ---- */

static void advance(void *ud, struct weir_op *op);

static void start(struct slot *s)
{
    weir_op_start(s->op, advance, s);
}

static void call(struct slot *s, const struct weir_call *what)
{
    struct weir_err err = WEIR_ERR_INIT;

    if (weir_client_call(all.client, what, &s->op, &err))
        die(what->path, &err);
    start(s);
}

static void post(struct slot *s, const char *path, bool safe)
{
    call(s, &(struct weir_call){.method = "POST",
                                .path = path,
                                .body = s->text.data,
                                .body_len = s->text.len,
                                .safe = safe});
}

/* ---- answers ---- */

static struct weir_json *answer(const struct slot *s)
{
    const struct weir_http_response *response = weir_http_response(s->op);
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_json *json = NULL;

    if (weir_json_parse(response->body, response->body_len, NULL, &json, &err))
        die("the answer is no JSON", &err);
    return json;
}

static void copy_id(struct slot *s)
{
    struct weir_json *json = answer(s);
    const char *id = weir_json_get_string(json, "id");

    if (!id || strlen(id) >= sizeof(s->id))
        die("no id", NULL);
    memcpy(s->id, id, strlen(id) + 1);
    weir_json_free(json);
}

/* ---- mix: validate, create, look at the status, assign ---- */

static struct weir_json *string(const char *text)
{
    return weir_json_new_string(text, strlen(text));
}

static void set(struct weir_json *object, const char *key,
                struct weir_json *value)
{
    if (weir_json_set(object, key, value))
        die("out of memory", NULL);
}

static void add_matcher(struct weir_json *list, const char *attribute,
                        const char *op, struct weir_json *value)
{
    struct weir_json *matcher = weir_json_new_object();

    set(matcher, "attribute", string(attribute));
    set(matcher, "operator", string(op));
    set(matcher, "value", value);
    weir_json_append(list, matcher);
}

static void add_rule(struct weir_json *list, const char *type,
                     const char *field, const char *pattern)
{
    struct weir_json *rule = weir_json_new_object();

    set(rule, "type", string(type));
    set(rule, "field", string(field));
    set(rule, "pattern", string(pattern));
    weir_json_append(list, rule);
}

static struct weir_json *definition(long i)
{
    struct weir_json *json = weir_json_new_object();
    struct weir_json *matchers = weir_json_new_array();
    struct weir_json *patterns = weir_json_new_array();
    struct weir_json *regions = weir_json_new_array();
    char text[64];

    snprintf(text, sizeof(text), "bench_%ld", i);
    set(json, "name", string(text));
    snprintf(text, sizeof(text), "premium customers in chat, no %ld", i);
    set(json, "description", string(text));
    set(json, "channel", string("chat"));
    weir_json_append(regions, string("emea"));
    weir_json_append(regions, string("apac"));
    weir_json_append(regions, string("latam"));
    add_matcher(matchers, "customer.tier", "equals", string("gold"));
    add_matcher(matchers, "queue.wait_seconds", "greater_than",
                weir_json_new_integer(45));
    add_matcher(matchers, "customer.region", "in", regions);
    add_matcher(matchers, "contact.score", "less_than",
                weir_json_new_number("0.75", 4));
    set(json, "matchers", matchers);
    add_rule(patterns, "regex", "agent.skill_id", "^skill_premium_.*$");
    add_rule(patterns, "prefix", "contact.source", "web_");
    set(json, "pattern_rules", patterns);
    set(json, "target_group_id", string("grp_bench"));
    return json;
}

static void make_filter(struct slot *s)
{
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_filter *filter = NULL;

    if (weir_filter_new(definition(s->item), &schema, &filter, NULL, &err))
        die("not a filter", &err);
    weir_buf_reset(&s->text);
    if (weir_json_write(weir_filter_definition(filter), 0, &s->text, &err))
        die("not written", &err);
    weir_filter_free(filter);
}

static void wait_active(struct slot *s)
{
    char path[160];
    struct weir_err err = WEIR_ERR_INIT;

    snprintf(path, sizeof(path), API "/filters/%s/status", s->id);
    if (weir_poll_new(all.loop, all.client,
                      &(struct weir_poll_options){.path = path,
                                                  .done = done_words,
                                                  .n_done = 1,
                                                  .failed = failed_words,
                                                  .n_failed = 2},
                      &s->op, &err))
        die("no poll", &err);
    start(s);
}

static void assign(struct slot *s)
{
    char body[128];
    int len = snprintf(body, sizeof(body), "{\"filter_ids\":[\"%s\"]}", s->id);

    call(s, &(struct weir_call){.method = "PUT",
                                .path = API "/filter-groups/grp_bench/filters",
                                .body = body,
                                .body_len = (size_t)len,
                                .idempotent = true});
}

static struct weir_op *drop(struct slot *s)
{
    weir_op_free(s->op);
    return s->op = NULL;
}

/* Begins the slot's next call; false when it has none left. */
static bool mix_next(struct slot *s)
{
    switch (s->step++) {
    case 0:
        drop(s);
        if (all.next == all.n)
            return false;
        s->item = ++all.next;
        make_filter(s);
        post(s, API "/filters/validate", true);
        return true;
    case 1:
        drop(s);
        post(s, API "/filters", false);
        return true;
    case 2:
        copy_id(s);
        drop(s);
        wait_active(s);
        return true;
    case 3:
        if (strcmp(weir_poll_word(s->op), "ACTIVE") != 0)
            die("not active", NULL);
        drop(s);
        assign(s);
        return true;
    default: s->step = 0; return mix_next(s);
    }
}

/* ---- update: read, change a field, put ---- */

static bool update_next(struct slot *s)
{
    struct weir_json *fields;
    struct weir_err err = WEIR_ERR_INIT;
    char path[160], text[64];

    if (s->op && weir_etag_result(s->op).attempts != 1)
        die("not changed", NULL);
    drop(s);
    if (all.next == all.n)
        return false;
    s->item = ++all.next;
    snprintf(path, sizeof(path), API "/filters/flt_%ld", s->item);
    snprintf(text, sizeof(text), "changed by update %ld", s->item);
    fields = weir_json_new_object();
    set(fields, "description", string(text));
    if (weir_etag_update(all.client,
                         &(struct weir_etag_options){
                             .path = path, .fields = fields, .rules = &rules},
                         &s->op, &err))
        die("no update", &err);
    weir_json_free(fields);
    start(s);
    return true;
}

/* ---- list: every entry of the audit log ---- */

static bool list_next(struct slot *s)
{
    struct weir_err err = WEIR_ERR_INIT;

    if (!s->op) {
        if (weir_page_new(all.client,
                          &(struct weir_page_options){.path = API "/audit-logs",
                                                      .query = "page_size=50",
                                                      .items = "entries"},
                          &s->op, &err))
            die("no listing", &err);
        start(s);
        return true;
    }
    do {
        const struct weir_json *item = weir_page_item(s->op);

        if (!item) {
            drop(s);
            return false;
        }
        all.entries += weir_json_get_string(item, "id") != NULL;
    } while (weir_page_take(s->op));
    start(s);
    return true;
}

/* ---- all slots at once ---- */

static bool next(struct slot *s)
{
    if (strcmp(all.mode, "mix") == 0)
        return mix_next(s);
    return strcmp(all.mode, "update") == 0 ? update_next(s) : list_next(s);
}

static void advance(void *ud, struct weir_op *op)
{
    if (weir_op_code(op))
        die("failed", weir_op_err(op));
    all.running -= !next(ud);
}

static void run(void)
{
    struct slot *slots = calloc((size_t)all.in_flight, sizeof(*slots));
    struct weir_err err = WEIR_ERR_INIT;

    if (!slots)
        die("out of memory", NULL);
    all.running = all.in_flight;
    for (long i = 0; i < all.in_flight; i++) {
        weir_buf_init(&slots[i].text, 1 << 20);
        all.running -= !next(&slots[i]);
    }
    while (all.running > 0) {
        if (weir_loop_turn(all.loop, -1, &err))
            die("loop", &err);
    }
    for (long i = 0; i < all.in_flight; i++)
        weir_buf_fini(&slots[i].text);
    free(slots);
}

static void begin(const char *base)
{
    const struct weir_header fields[] = {{"tenant", "bench"}};
    const struct weir_http_settings settings = {.ca_file =
                                                    getenv("SSL_CERT_FILE")};
    struct weir_err err = WEIR_ERR_INIT;
    char token_url[512];
    struct weir_auth_config login = {
        .kind = WEIR_AUTH_CLIENT_CREDENTIALS,
        .token_url = token_url,
        .client_id = "bench",
        .client_secret = "bench-secret",
        .scope = "event-processing:read event-processing:write analytics:read",
        .fields = fields,
        .n_fields = 1,
    };
    struct weir_client_config config = {.base_url = base, .rate = -1};

    snprintf(token_url, sizeof(token_url), "%s/as/token.oauth2", base);
    if (weir_log_new(NULL, NULL, NULL, &all.log, &err) ||
        weir_loop_new(NULL, &all.loop, &err) ||
        weir_http_configure(all.loop, &settings, &err))
        die("no loop", &err);
    login.log = config.log = all.log;
    if (weir_auth_new(all.loop, &login, &all.auth, &err))
        die("no auth", &err);
    config.auth = all.auth;
    if (weir_client_new(all.loop, &config, &all.client, &err))
        die("no client", &err);
}

static unsigned long fetch_token(void)
{
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_op *op = NULL;
    unsigned long len;

    if (weir_auth_token_new(all.auth, &op, &err))
        die("no token", &err);
    if (weir_op_run(op, 30000))
        die("no token", weir_op_err(op));
    len = strlen(weir_auth_token(op));
    weir_op_free(op);
    return len;
}

int main(int argc, char **argv)
{
    unsigned long result;

    if (argc != 5) {
        fprintf(stderr,
                "usage: client mix|update|list|token BASE N IN_FLIGHT\n");
        return 64;
    }
    all.mode = argv[1];
    all.n = strtol(argv[3], NULL, 10);
    all.in_flight = strtol(argv[4], NULL, 10);
    begin(argv[2]);
    if (strcmp(all.mode, "token") == 0) {
        result = fetch_token();
    } else {
        run();
        result = strcmp(all.mode, "list") == 0 ? all.entries
                                               : (unsigned long)all.next;
    }
    printf("%lu\n", result);
    weir_client_unref(all.client);
    weir_auth_unref(all.auth);
    weir_loop_free(all.loop);
    weir_log_free(all.log);
    return 0;
}
