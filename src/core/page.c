#include "weir/page.h"

#include <stdlib.h>
#include <string.h>

#include "call_object.h"
#include "trail.h"
#include "weir/cut.h"
#include "weir/url.h"

#define MAX_PAGES  ((size_t)1000000)
#define MAX_ITEMS  ((size_t)100000000)
#define CURSOR_MAX ((size_t)4096)
#define QUERY_MAX  ((size_t)64 << 10)

struct page {
    struct weir_op op;
    struct weir_client *client;
    char *path, *query, *items, *cursor_param, *next;
    size_t max_pages, max_items, max_bytes;
    size_t n_items; /* delivered */
    struct weir_trail trail;
    struct weir_json *here;           /* the page being delivered */
    const struct weir_json *item;     /* delivered last */
    const struct weir_json *upcoming; /* of `here`, to be delivered next */
    struct weir_json *ahead;          /* the page after it */
    struct weir_op *call;             /* that is fetching it */
    struct weir_buf cursor;           /* that it is fetched with */
    bool more;                        /* there is another one to fetch */
    size_t count;
    struct weir_err failure; /* of the page after `here` and `ahead` */
};

static void advance(struct page *p);

/* ---- what a page says ---- */

static bool is_integer_text(const char *text, size_t len)
{
    size_t i = len > 0 && text[0] == '-';

    if (i == len)
        return false;
    for (; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
    }
    return true;
}

/* A cursor for a message: cut, and fit for a terminal. */
static void name_cursor(const struct weir_buf *cursor, char out[64])
{
    size_t len = cursor->len < 60 ? cursor->len : 60;

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)cursor->data[i];

        out[i] = '?';
        if (c >= 0x20 && c < 0x7F)
            out[i] = (char)c;
    }
    memcpy(out + len, "...", 3);
    out[cursor->len > len ? len + 3 : len] = '\0';
}

/* Reads the cursor of the page that has arrived; none: the last page. */
static enum weir_code read_cursor(struct page *p, const struct weir_json *page,
                                  struct weir_err *err)
{
    const struct weir_json *member = weir_json_get(page, p->next);
    size_t len = 0;
    const char *text = weir_json_string(member, &len);
    char name[64];
    bool seen;

    p->more = false;
    if (!member || weir_json_is(member, WEIR_JSON_NULL) || (text && len == 0))
        return WEIR_OK;
    if (!text) {
        text = weir_json_number(member, &len);
        if (!text || !is_integer_text(text, len))
            return weir_err_set(
                err, WEIR_PROTOCOL,
                "'%s' should be a string, an integer or null, and is of "
                "type %s",
                WEIR_CUT(60, p->next),
                weir_json_type_name(weir_json_type(member)));
    }
    if (len > CURSOR_MAX)
        return weir_err_set(err, WEIR_LIMIT,
                            "'%s' has %zu bytes, more than %zu",
                            WEIR_CUT(60, p->next), len, CURSOR_MAX);
    weir_buf_reset(&p->cursor);
    if (weir_buf_add(&p->cursor, text, len) ||
        weir_trail_add(&p->trail, text, len, &seen))
        return weir_err_nomem(err);
    if (seen) {
        name_cursor(&p->cursor, name);
        return weir_err_set(err, WEIR_PROTOCOL,
                            "the listing runs in a circle: the cursor \"%s\" "
                            "came a second time, with page %zu",
                            name, p->count);
    }
    p->more = true;
    return WEIR_OK;
}

static enum weir_code read_page(struct page *p, struct weir_err *err)
{
    struct weir_json *page;
    const struct weir_json *items;
    enum weir_code code = weir_call_object(p->call, "GET", &page, err);

    p->more = false;
    if (code)
        return code;
    items = weir_json_get(page, p->items);
    if (!weir_json_is(items, WEIR_JSON_ARRAY)) {
        code = weir_err_set(
            err, WEIR_PROTOCOL, "'%s' should be an array and is %s",
            WEIR_CUT(60, p->items),
            items ? weir_json_type_name(weir_json_type(items)) : "absent");
        weir_json_free(page);
    } else {
        p->count++;
        p->ahead = page;
        code = read_cursor(p, page, err);
    }
    if (code)
        weir_call_blame(p->call, "GET", err);
    return code;
}

/* ---- fetching ---- */

static void end_call(struct page *p)
{
    weir_op_free(p->call);
    p->call = NULL;
}

static void fetched(void *ud, struct weir_op *call)
{
    struct page *p = ud;

    if (weir_op_code(call)) {
        weir_err_copy(&p->failure, weir_op_err(call));
        p->more = false;
    } else if (read_page(p, &p->failure)) {
        p->more = false;
    }
    if (p->failure.code)
        weir_err_prefix(&p->failure,
                        "page %zu: ", p->ahead ? p->count : p->count + 1);
    end_call(p);
    if (p->op.state == WEIR_OP_RUNNING)
        advance(p);
}

static enum weir_code over(const struct page *p, size_t max, const char *unit,
                           const char *option, struct weir_err *err)
{
    weir_err_set(err, WEIR_LIMIT, "the listing %s has more than %zu %s (%s)",
                 WEIR_CUT(200, p->path), max, unit, option);
    weir_err_hint(err, "raise %s if it is so long", option);
    return WEIR_LIMIT;
}

static enum weir_code start_call(struct page *p, struct weir_err *err)
{
    struct weir_buf query;
    enum weir_code code;

    if (p->count >= p->max_pages)
        return over(p, p->max_pages, "pages", "max_pages", err);
    weir_buf_init(&query, QUERY_MAX);
    if (p->query)
        weir_buf_adds(&query, p->query);
    if (p->count > 0)
        weir_url_add_pair(&query, p->cursor_param, weir_buf_str(&p->cursor),
                          p->cursor.len);
    code = weir_buf_err(&query, "the query of a page", err);
    if (!code) {
        const struct weir_call call = {
            .method = "GET",
            .path = p->path,
            .query = query.len ? weir_buf_str(&query) : NULL,
            .max_bytes = p->max_bytes,
        };

        code = weir_client_call(p->client, &call, &p->call, err);
    }
    weir_buf_fini(&query);
    if (!code)
        weir_op_start(p->call, fetched, p);
    return code;
}

static void fetch(struct page *p)
{
    if (start_call(p, &p->failure))
        p->more = false;
}

/* ---- delivering ---- */

static void turn(struct page *p)
{
    weir_json_free(p->here);
    p->here = p->ahead;
    p->ahead = NULL;
    p->upcoming = weir_json_first(weir_json_get(p->here, p->items));
    if (p->more)
        fetch(p);
}

static void deliver(struct page *p)
{
    p->item = p->upcoming;
    p->upcoming = weir_json_next(p->upcoming);
    p->n_items++;
}

/* The end, although there is another item. */
static void refuse_item(struct page *p)
{
    weir_err_clear(&p->failure);
    over(p, p->max_items, "items", "max_items", &p->failure);
    end_call(p);
    weir_json_free(p->ahead);
    p->ahead = NULL;
    p->upcoming = NULL;
    p->more = false;
}

/* Brings the op that is running to its next item, or as far as can be. */
static void advance(struct page *p)
{
    /* What goes wrong with a page is told after the pages before it. */
    while (!p->upcoming && p->ahead)
        turn(p);
    if (p->upcoming && p->n_items == p->max_items)
        refuse_item(p);
    if (p->upcoming) {
        deliver(p);
        weir_op_finish(&p->op);
        return;
    }
    if (!p->failure.code && !p->call && p->more)
        fetch(p);
    if (p->failure.code) {
        struct weir_err err = WEIR_ERR_INIT;

        weir_err_copy(&err, &p->failure);
        weir_op_fail(&p->op, &err);
    } else if (!p->call) {
        weir_op_finish(&p->op);
    }
}

/* ---- the op ---- */

static void start(struct weir_op *op)
{
    struct page *p = (struct page *)op;

    p->item = NULL;
    advance(p);
}

static void cancel(struct weir_op *op)
{
    end_call((struct page *)op);
}

static void free_page(struct weir_op *op)
{
    struct page *p = (struct page *)op;

    /* The page ahead is fetched while the op itself is at rest. */
    end_call(p);
    weir_client_unref(p->client);
    weir_json_free(p->here);
    weir_json_free(p->ahead);
    weir_trail_fini(&p->trail);
    weir_buf_fini(&p->cursor);
    weir_err_clear(&p->failure);
    free(p->path);
    free(p->query);
    free(p->items);
    free(p->cursor_param);
    free(p->next);
    free(p);
}

static void note(const struct weir_op *op, char out[WEIR_OP_NOTE])
{
    const struct page *p = (const struct page *)op;

    weir_cut_printf(out, WEIR_OP_NOTE, "GET %s: page %zu",
                    WEIR_CUT(100, p->path), p->count + 1);
}

static const struct weir_op_class page_class = {"page", start, cancel,
                                                free_page, note};

/* Copies a text, or the one that stands in for it; false without memory. */
static bool copy(char **to, const char *text, const char *otherwise)
{
    if (!text)
        text = otherwise;
    *to = text ? strdup(text) : NULL;
    return *to || !text;
}

enum weir_code weir_page_new(struct weir_client *client,
                             const struct weir_page_options *options,
                             struct weir_op **out, struct weir_err *err)
{
    struct weir_loop *loop = weir_client_loop(client);
    const struct weir_clock *clock = weir_loop_clock(loop);
    struct page *p;

    if (!options->path || !options->items)
        return weir_err_set(err, WEIR_INVALID,
                            "a listing needs a path and the name of the "
                            "member that has the items");
    p = calloc(1, sizeof(*p));
    if (!p)
        return weir_err_nomem(err);
    weir_op_init(&p->op, loop, &page_class);
    p->client = weir_client_ref(client);
    p->max_pages = options->max_pages ? options->max_pages : MAX_PAGES;
    p->max_items = options->max_items ? options->max_items : MAX_ITEMS;
    p->max_bytes = options->max_bytes;
    p->more = true;
    weir_buf_init(&p->cursor, CURSOR_MAX);
    weir_trail_init(&p->trail, clock->random(clock->ud));
    if (!copy(&p->path, options->path, NULL) ||
        !copy(&p->query, options->query, NULL) ||
        !copy(&p->items, options->items, NULL) ||
        !copy(&p->cursor_param, options->cursor_param, WEIR_PAGE_CURSOR) ||
        !copy(&p->next, options->next, WEIR_PAGE_NEXT)) {
        weir_op_free(&p->op);
        return weir_err_nomem(err);
    }
    *out = &p->op;
    return WEIR_OK;
}

const struct weir_json *weir_page_item(const struct weir_op *op)
{
    return ((const struct page *)op)->item;
}

bool weir_page_take(struct weir_op *op)
{
    struct page *p = (struct page *)op;

    if (op->state == WEIR_OP_RUNNING || op->queued || !p->upcoming ||
        p->n_items == p->max_items)
        return false;
    deliver(p);
    return true;
}

size_t weir_page_count(const struct weir_op *op)
{
    return ((const struct page *)op)->count;
}
