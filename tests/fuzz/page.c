/*
 * page: whatever a server answers, a listing delivers the items of the pages
 * that came, in order, each once; asks with the cursor it was given; and ends
 * where the server says so, or with an error, always.
 *
 * One byte for how it is read, then one part per answer: "200 BODY" with any
 * status, "!" for a connection that breaks, "~" before either for a delay in
 * which the reader gives up and asks again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "rig.h"
#include "weir/page.h"
#include "weir/url.h"

#define ANSWERS_MAX 64
#define PAGES_MAX   20
#define CURSOR_MAX  4096

struct given {
    int status; /* 0: the connection broke */
    struct weir_json *body;
    enum weir_code unread; /* why there is no body: no JSON, or over a limit */
};

struct listing {
    struct rig rig;
    struct fuzz_text rest;
    struct given given[ANSWERS_MAX];
    size_t n_given;
    struct weir_op *op;
    struct weir_json *items; /* as delivered */
    enum weir_code code;
};

/* ---- answering ---- */

static int read_status(struct fuzz_text *part)
{
    int status = 0;

    if (part->len < 4 || part->data[3] != ' ')
        return 404;
    for (int i = 0; i < 3; i++) {
        if (part->data[i] < '0' || part->data[i] > '9')
            return 404;
        status = status * 10 + part->data[i] - '0';
    }
    part->data += 4;
    part->len -= 4;
    return status < 200 || status > 599 ? 404 : status;
}

static void answer(void *ud, struct fake_transport *fake,
                   const struct fake_request *request)
{
    struct listing *l = ud;
    struct fuzz_text part = {"404 ", 4};
    struct given given = {0};
    bool late;

    (void)request;
    FUZZ_CHECK(l->n_given < ANSWERS_MAX);
    if (l->n_given < ANSWERS_MAX - 8)
        fuzz_part(&l->rest, &part);
    late = part.len > 0 && *part.data == '~';
    if (late) {
        part.data++;
        part.len--;
    }
    if (part.len > 0 && *part.data == '!') {
        fake_transport_fail(fake, WEIR_TRANSPORT, WEIR_REACH_MAYBE, "broken");
    } else {
        char *body;

        given.status = read_status(&part);
        body = fuzz_string(part);
        given.unread =
            weir_json_parse(body, strlen(body), NULL, &given.body, NULL);
        fake_transport_answer(fake, given.status, NULL, body);
        free(body);
    }
    if (late)
        fake_transport_delay(fake, 10000);
    l->given[l->n_given++] = given;
}

/* ---- reading ---- */

/* Reads to the end, or until it has gone on for longer than it could. */
static void read_all(struct listing *l, bool take)
{
    for (int step = 0;; step++) {
        FUZZ_CHECK(step < 100000);
        if (!take || !weir_page_take(l->op)) {
            l->code = weir_op_run(l->op, 5000);
            if (l->code == WEIR_TIMEOUT)
                continue;
            if (l->code)
                break;
        }
        if (!weir_page_item(l->op))
            break;
        FUZZ_CHECK(
            !weir_json_append(l->items, weir_json_copy(weir_page_item(l->op))));
        FUZZ_CHECK(l->rig.fake.live <= 1);
    }
}

/* ---- what should have come ---- */

struct model {
    struct weir_json *items;
    struct weir_json *cursors; /* seen so far */
    enum weir_code code;
    bool more;
    size_t pages;
};

static bool is_integer(const char *text, size_t len)
{
    size_t sign = len > 0 && *text == '-';

    for (size_t i = sign; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
    }
    return len > sign;
}

static void model_cursor(struct model *m, const struct weir_json *cursor)
{
    size_t len = 0;
    const char *text = weir_json_string(cursor, &len);
    const struct weir_json *seen = weir_json_first(m->cursors);
    struct weir_json *copy;

    m->more = false;
    if (!cursor || weir_json_is(cursor, WEIR_JSON_NULL) || (text && !len))
        return;
    if (!text)
        text = weir_json_number(cursor, &len);
    if (!text ||
        (weir_json_is(cursor, WEIR_JSON_NUMBER) && !is_integer(text, len)))
        m->code = WEIR_PROTOCOL;
    else if (len > CURSOR_MAX)
        m->code = WEIR_LIMIT;
    if (m->code)
        return;
    copy = weir_json_new_string(text, len);
    for (; seen; seen = weir_json_next(seen)) {
        if (weir_json_equal(seen, copy))
            m->code = WEIR_PROTOCOL;
    }
    FUZZ_CHECK(!weir_json_append(m->cursors, copy));
    m->more = m->code == WEIR_OK;
    if (m->more && m->pages == PAGES_MAX)
        m->code = WEIR_LIMIT;
}

static void model_page(struct model *m, const struct given *given)
{
    const struct weir_json *items = weir_json_get(given->body, "items"), *item;

    if (!weir_json_is(items, WEIR_JSON_ARRAY)) {
        m->code = given->unread == WEIR_LIMIT ? WEIR_LIMIT : WEIR_PROTOCOL;
        return;
    }
    m->pages++;
    for (item = weir_json_first(items); item; item = weir_json_next(item))
        FUZZ_CHECK(!weir_json_append(m->items, weir_json_copy(item)));
    model_cursor(m, weir_json_get(given->body, "next_cursor"));
}

static void check_url(const struct model *m, const struct fake_request *request)
{
    const struct weir_json *last =
        weir_json_at(m->cursors, weir_json_size(m->cursors) - 1);
    struct weir_buf url;
    size_t len = 0;
    const char *cursor = weir_json_string(last, &len);

    weir_buf_init(&url, SIZE_MAX);
    weir_buf_adds(&url, "https://x.test/l?");
    weir_url_add_pair(&url, "page_size", "2", 1);
    if (m->pages > 0)
        weir_url_add_pair(&url, "cursor", cursor, len);
    FUZZ_CHECK(strcmp(weir_buf_str(&url), request->url) == 0);
    weir_buf_fini(&url);
}

/* Goes through what was asked and answered. */
static void model(struct listing *l, struct model *m)
{
    const struct given *last = NULL;

    for (size_t i = 0; i < l->n_given; i++) {
        const struct fake_request *request = &l->rig.fake.requests[i];
        const struct given *given = &l->given[i];

        /* Nothing is asked after the end. */
        FUZZ_CHECK(!m->code && (m->more || i == 0 || m->pages == 0));
        check_url(m, request);
        if (request->cancelled)
            continue;
        last = given;
        if (given->status >= 200 && given->status < 300)
            model_page(m, given);
    }
    /* What ended it with another status is some other error. */
    if (!m->code && last && (last->status < 200 || last->status > 299))
        FUZZ_CHECK(l->code != WEIR_OK);
    else
        FUZZ_CHECK(l->code == m->code);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_page_options options = {.path = "/l",
                                        .query = "page_size=2",
                                        .items = "items",
                                        .max_pages = PAGES_MAX};
    static struct listing l;
    struct model m = {.items = weir_json_new_array(),
                      .cursors = weir_json_new_array()};

    memset(&l, 0, sizeof(l));
    l.rest = (struct fuzz_text){(const char *)data, size};
    l.items = weir_json_new_array();
    rig_init(&l.rig);
    l.rig.fake.on_request = answer;
    l.rig.fake.ud = &l;
    fuzz_byte(&l.rest);
    FUZZ_CHECK(!weir_page_new(l.rig.client, &options, &l.op, NULL));
    read_all(&l, size > 0 && data[0] & 1);
    if (l.code) {
        struct weir_err err = WEIR_ERR_INIT;

        weir_err_copy(&err, weir_op_err(l.op));
        fuzz_check_err(&err, l.code);
    }
    model(&l, &m);
    FUZZ_CHECK(weir_json_equal(l.items, m.items));
    FUZZ_CHECK(weir_page_count(l.op) == m.pages);
    weir_op_free(l.op);
    rig_fini(&l.rig);
    for (size_t i = 0; i < l.n_given; i++)
        weir_json_free(l.given[i].body);
    weir_json_free(l.items);
    weir_json_free(m.items);
    weir_json_free(m.cursors);
    return 0;
}
