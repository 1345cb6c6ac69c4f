#include <stdlib.h>
#include <string.h>

#include "call_object.h"
#include "merge_internal.h"
#include "weir/cut.h"

/* One update, or one read.  Every merge starts from what the caller gave
 * (base, mine) and the newest state of the server, so that no round depends
 * on the one before. */

#define ATTEMPTS 8
#define BODY_MAX ((size_t)16 << 20)
#define ETAG_MAX ((size_t)1024)
/* Ceiling of the first wait after a conflict, and of every wait: long enough
 * to let the other writer finish, since the answer's own way took longer. */
#define JITTER_MS     50
#define JITTER_CAP_MS 2000

struct update {
    struct weir_op op;
    struct weir_client *client;
    char *path;
    const struct weir_etag_rules *rules;
    enum weir_etag_policy policy;
    unsigned max_attempts;
    bool only_read;
    struct weir_json *fields; /* until `mine` is made of them */
    struct weir_json *base, *mine;
    struct weir_json *current; /* the server's newest; NULL: base */
    struct weir_json *wanted;  /* the merged state; NULL: mine */
    struct weir_json *report;  /* of the last merge */
    struct weir_json *state;   /* after the PUT */
    struct weir_buf etag;      /* of the state that the next PUT replaces */
    struct weir_buf body;      /* of the PUT under way */
    unsigned attempts;
    unsigned unchanged; /* refusals in a row with nothing new to see */
    bool conflict;
    struct weir_op *call;
    struct weir_timer wait;
    struct weir_err refusal; /* the last 409 or 412 */
};

static void replace(struct weir_json **slot, struct weir_json *json)
{
    weir_json_free(*slot);
    *slot = json;
}

static const struct weir_json *current(const struct update *u)
{
    return u->current ? u->current : u->base;
}

static const struct weir_json *wanted(const struct update *u)
{
    return u->wanted ? u->wanted : u->mine;
}

/* ---- calls ---- */

static void call(struct update *u, const char *method, weir_done_fn *done)
{
    struct weir_err err = WEIR_ERR_INIT;
    bool put = strcmp(method, "PUT") == 0;
    const struct weir_call what = {
        .method = method,
        .path = u->path,
        .body = put ? weir_buf_str(&u->body) : NULL,
        .body_len = put ? u->body.len : 0,
        .if_match = put ? weir_buf_str(&u->etag) : NULL,
    };

    if (weir_client_call(u->client, &what, &u->call, &err))
        weir_op_fail(&u->op, &err);
    else
        weir_op_start(u->call, done, u);
}

static void end_call(struct update *u)
{
    weir_op_free(u->call);
    u->call = NULL;
}

/* Ends with the failure of the call, which `fmt` puts into its place. */
static void fail_as_call(struct update *u, const char *prefix)
{
    struct weir_err err = WEIR_ERR_INIT;

    weir_err_copy(&err, weir_op_err(u->call));
    weir_err_prefix(&err, "%s", prefix);
    end_call(u);
    weir_op_fail(&u->op, &err);
}

/* ---- sending ---- */

/* Says which call was refused, so that the conflict can be found in a log. */
static void add_refusal(const struct update *u, struct weir_err *err)
{
    memcpy(err->method, u->refusal.method, sizeof(err->method));
    memcpy(err->url, u->refusal.url, sizeof(err->url));
    memcpy(err->request_id, u->refusal.request_id, sizeof(err->request_id));
    err->status = u->refusal.status;
    err->reach = u->refusal.reach;
    err->attempts = u->attempts;
}

static void read_current(void *ud);
static void put_done(void *ud, struct weir_op *op);

static void fail_outrun(struct update *u)
{
    struct weir_err err = WEIR_ERR_INIT;

    weir_err_set(&err, WEIR_CONFLICT,
                 "others were faster each time: %u updates were refused",
                 u->attempts);
    weir_err_hint(&err, "allow more attempts, or find out who writes so often");
    add_refusal(u, &err);
    weir_op_fail(&u->op, &err);
}

/* Sends what is wanted, unless the server has it already. */
static void put_or_finish(struct update *u)
{
    struct weir_err err = WEIR_ERR_INIT;
    bool same;

    if (weir_etag_same(u->rules, current(u), wanted(u), &same)) {
        weir_err_nomem(&err);
        weir_op_fail(&u->op, &err);
        return;
    }
    if (same) {
        weir_op_finish(&u->op);
        return;
    }
    if (u->attempts == u->max_attempts) {
        fail_outrun(u);
        return;
    }
    if (weir_etag_write(u->rules, wanted(u), &u->body, &err)) {
        weir_op_fail(&u->op, &err);
        return;
    }
    u->attempts++;
    call(u, "PUT", put_done);
}

/* ---- reading ---- */

/* Sets `mine` from the fields to set. */
static enum weir_code make_mine(struct update *u, struct weir_err *err)
{
    if (u->mine)
        return WEIR_OK;
    u->mine = weir_json_copy(u->base);
    for (const struct weir_json *field = weir_json_first(u->fields); field;
         field = weir_json_next(field)) {
        size_t len;
        const char *key = weir_json_key(field, &len);

        if (!u->mine ||
            weir_json_set_len(u->mine, key, len, weir_json_copy(field)))
            return weir_err_nomem(err);
    }
    return u->mine ? WEIR_OK : weir_err_nomem(err);
}

/* Merges what the caller wants with what the server now has. */
static enum weir_code merge(struct update *u, struct weir_err *err)
{
    const struct weir_etag_merging merging = {.rules = u->rules,
                                              .policy = u->policy};
    struct weir_json *merged = NULL, *report = NULL;
    enum weir_code code = weir_etag_merge(u->base, u->mine, u->current,
                                          &merging, &merged, &report, err);

    if (report)
        replace(&u->report, report);
    if (merged)
        replace(&u->wanted, merged);
    if (code == WEIR_CONFLICT) {
        u->conflict = true;
        add_refusal(u, err);
    }
    return code;
}

/* Takes the state just read as the newest. */
static enum weir_code take_current(struct update *u, struct weir_err *err)
{
    struct weir_json *json;
    struct weir_buf tag;
    enum weir_code code = weir_call_object(u->call, "GET", &json, err);
    bool as_before;

    if (code)
        return code;
    weir_buf_init(&tag, ETAG_MAX);
    code = weir_etag_of(weir_http_response(u->call), json, &tag, err);
    /* A read alone has use for a state without ETag. */
    if (code == WEIR_PROTOCOL && u->only_read)
        code = WEIR_OK;
    if (code) {
        weir_json_free(json);
        weir_buf_fini(&tag);
        return code;
    }
    as_before = u->etag.len == tag.len && tag.len > 0 &&
                memcmp(u->etag.data, tag.data, tag.len) == 0;
    u->unchanged = as_before ? u->unchanged + 1 : 0;
    weir_buf_fini(&u->etag);
    u->etag = tag;
    if (u->base) {
        replace(&u->current, json);
        return WEIR_OK;
    }
    u->base = json;
    return u->only_read ? WEIR_OK : make_mine(u, err);
}

/* The server refused twice, and each time had what it had before: then this
 * is not about the ETag (a name that is taken answers 409, too). */
static void fail_unchanged(struct update *u)
{
    struct weir_err err = WEIR_ERR_INIT;

    weir_err_copy(&err, &u->refusal);
    weir_err_prefix(&err, "refused although the ETag is the current one: ");
    weir_op_fail(&u->op, &err);
}

static void read_done(void *ud, struct weir_op *op)
{
    struct update *u = ud;
    struct weir_err err = WEIR_ERR_INIT;
    enum weir_code code;

    if (weir_op_code(op)) {
        fail_as_call(u, u->attempts ? "reading what is there now: " : "");
        return;
    }
    code = take_current(u, &err);
    end_call(u);
    if (!code && u->unchanged > 1) {
        fail_unchanged(u);
        return;
    }
    if (!code && u->current)
        code = merge(u, &err);
    if (code)
        weir_op_fail(&u->op, &err);
    else if (u->only_read)
        weir_op_finish(&u->op);
    else
        put_or_finish(u);
}

static void read_current(void *ud)
{
    call(ud, "GET", read_done);
}

/* ---- after the PUT ---- */

static void read_back_done(void *ud, struct weir_op *op)
{
    struct update *u = ud;
    struct weir_err err = WEIR_ERR_INIT;

    if (weir_op_code(op)) {
        fail_as_call(u, "the update is done, but reading it back failed: ");
        return;
    }
    if (weir_call_object(u->call, "GET", &u->state, &err)) {
        weir_err_prefix(&err, "the update is done, but reading it back "
                              "failed: ");
        end_call(u);
        weir_op_fail(&u->op, &err);
        return;
    }
    /* The update is done; an ETag would only be for the next one. */
    weir_buf_reset(&u->etag);
    if (weir_etag_of(weir_http_response(u->call), u->state, &u->etag, NULL))
        weir_buf_reset(&u->etag);
    end_call(u);
    weir_op_finish(&u->op);
}

/* Takes the new state from the PUT's answer, or reads it back. */
static void put_accepted(struct update *u)
{
    struct weir_buf tag;
    struct weir_json *json = NULL;

    weir_buf_init(&tag, ETAG_MAX);
    if (!weir_call_object(u->call, "PUT", &json, NULL) &&
        !weir_etag_of(weir_http_response(u->call), json, &tag, NULL)) {
        u->state = json;
        weir_buf_fini(&u->etag);
        u->etag = tag;
        end_call(u);
        weir_op_finish(&u->op);
        return;
    }
    weir_json_free(json);
    weir_buf_fini(&tag);
    end_call(u);
    call(u, "GET", read_back_done);
}

static void wait_and_read(struct update *u)
{
    const struct weir_clock *clock = weir_loop_clock(u->op.loop);
    int64_t most = JITTER_MS;

    for (unsigned i = 1; i < u->attempts && most < JITTER_CAP_MS; i++)
        most *= 2;
    if (most > JITTER_CAP_MS)
        most = JITTER_CAP_MS;
    weir_op_note(&u->op, "PUT %s: changed by others, attempt %u of %u",
                 WEIR_CUT(80, u->path), u->attempts + 1, u->max_attempts);
    weir_timer_start(u->op.loop, &u->wait,
                     (int64_t)(clock->random(clock->ud) % (uint64_t)(most + 1)),
                     read_current, u);
}

/* A refusal may be our own work: when the call was sent more than once, the
 * first may have been done, and its answer lost.  Then what is there now is
 * looked at even if there is no further attempt. */
static void put_refused(struct update *u)
{
    weir_err_copy(&u->refusal, weir_op_err(u->call));
    end_call(u);
    if (u->attempts < u->max_attempts || u->refusal.attempts > 1)
        wait_and_read(u);
    else
        fail_outrun(u);
}

static void put_done(void *ud, struct weir_op *op)
{
    struct update *u = ud;
    const struct weir_err *err = weir_op_err(op);

    if (!err->code) {
        put_accepted(u);
    } else if (err->status == 409 || err->status == 412) {
        put_refused(u);
    } else if (err->status == 428) {
        struct weir_err missing = WEIR_ERR_INIT;

        weir_err_copy(&u->refusal, err);
        end_call(u);
        weir_err_set(&missing, WEIR_PROTOCOL,
                     "the server asks for an ETag (428 Precondition "
                     "Required) although If-Match was sent");
        weir_err_hint(&missing, "something between may drop the header");
        add_refusal(u, &missing);
        weir_op_fail(&u->op, &missing);
    } else {
        fail_as_call(u, "");
    }
}

/* ---- the op ---- */

static void start(struct weir_op *op)
{
    struct update *u = (struct update *)op;

    if (u->only_read || !u->base || u->etag.len == 0)
        read_current(u);
    else
        put_or_finish(u);
}

static void cancel(struct weir_op *op)
{
    struct update *u = (struct update *)op;

    weir_timer_stop(&u->wait);
    end_call(u);
}

static void free_update(struct weir_op *op)
{
    struct update *u = (struct update *)op;

    weir_client_unref(u->client);
    free(u->path);
    weir_json_free(u->fields);
    weir_json_free(u->base);
    weir_json_free(u->mine);
    weir_json_free(u->current);
    weir_json_free(u->wanted);
    weir_json_free(u->report);
    weir_json_free(u->state);
    weir_buf_fini(&u->etag);
    weir_buf_fini(&u->body);
    weir_err_clear(&u->refusal);
    free(u);
}

static const struct weir_op_class update_class = {"etag", start, cancel,
                                                  free_update, NULL};

static struct update *new_update(struct weir_client *client, const char *path)
{
    struct update *u = calloc(1, sizeof(*u));

    if (!u)
        return NULL;
    weir_op_init(&u->op, weir_client_loop(client), &update_class);
    u->client = weir_client_ref(client);
    weir_buf_init(&u->etag, ETAG_MAX);
    weir_buf_init(&u->body, BODY_MAX);
    u->path = strdup(path);
    if (!u->path) {
        weir_op_free(&u->op);
        return NULL;
    }
    return u;
}

static enum weir_code check(const struct weir_etag_options *options,
                            struct weir_err *err)
{
    if (!options->path)
        return weir_err_set(err, WEIR_INVALID, "an update needs a path");
    if (!options->fields == !options->mine)
        return weir_err_set(err, WEIR_INVALID,
                            "an update needs either fields to set or the "
                            "whole new state");
    if (!weir_json_is(options->fields ? options->fields : options->mine,
                      WEIR_JSON_OBJECT))
        return weir_err_set(err, WEIR_INVALID, "%s must be an object",
                            options->fields ? "the fields to set"
                                            : "the new state");
    if (options->base && !weir_json_is(options->base, WEIR_JSON_OBJECT))
        return weir_err_set(err, WEIR_INVALID, "base must be an object");
    return WEIR_OK;
}

/* Copies the documents; an ETag that If-Match may not carry is as none, so
 * that the state is read. */
static enum weir_code copy_options(struct update *u,
                                   const struct weir_etag_options *options,
                                   struct weir_err *err)
{
    u->rules = options->rules;
    u->policy = options->policy;
    u->max_attempts = options->attempts ? options->attempts : ATTEMPTS;
    if (options->fields)
        u->fields = weir_json_copy(options->fields);
    else
        u->mine = weir_json_copy(options->mine);
    if (!u->fields && !u->mine)
        return weir_err_nomem(err);
    if (!options->base)
        return WEIR_OK;
    u->base = weir_json_copy(options->base);
    if (!u->base)
        return weir_err_nomem(err);
    if (options->etag) {
        const struct weir_header header = {"ETag", options->etag};
        const struct weir_http_response given = {.headers = &header,
                                                 .n_headers = 1};

        weir_etag_of(&given, NULL, &u->etag, NULL);
    } else {
        weir_etag_of(NULL, u->base, &u->etag, NULL);
    }
    return make_mine(u, err);
}

enum weir_code weir_etag_update(struct weir_client *client,
                                const struct weir_etag_options *options,
                                struct weir_op **out, struct weir_err *err)
{
    enum weir_code code = check(options, err);
    struct update *u;

    if (code)
        return code;
    u = new_update(client, options->path);
    if (!u)
        return weir_err_nomem(err);
    code = copy_options(u, options, err);
    if (code)
        weir_op_free(&u->op);
    else
        *out = &u->op;
    return code;
}

enum weir_code weir_etag_read(struct weir_client *client, const char *path,
                              struct weir_op **out, struct weir_err *err)
{
    struct update *u = new_update(client, path);

    if (!u)
        return weir_err_nomem(err);
    u->only_read = true;
    *out = &u->op;
    return WEIR_OK;
}

struct weir_etag_result weir_etag_result(const struct weir_op *op)
{
    const struct update *u = (const struct update *)op;
    struct weir_etag_result result = {
        .etag = u->etag.len ? weir_buf_str(&u->etag) : NULL,
        .attempts = u->attempts,
        .theirs = weir_json_get(u->report, "theirs"),
        .decided = weir_json_get(u->report, "conflicts"),
    };

    if (u->conflict) {
        result.base = u->base;
        result.mine = u->mine;
        result.conflicting = u->current;
    } else {
        result.state = u->state ? u->state : current(u);
    }
    return result;
}
