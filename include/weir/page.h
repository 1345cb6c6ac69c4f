/*
 * page: a cursor listing, one item at a time, one page ahead at most.
 */
#ifndef WEIR_PAGE_H
#define WEIR_PAGE_H

#include <stddef.h>

#include "weir/client.h"
#include "weir/err.h"
#include "weir/json.h"
#include "weir/op.h"

struct weir_page_options {
    const char *path;         /* as in struct weir_call */
    const char *query;        /* encoded, without cursor; or NULL */
    const char *items;        /* member with the array, e.g. "filters" */
    const char *cursor_param; /* NULL: "cursor" */
    const char *next;         /* member with the cursor; NULL: "next_cursor" */
    size_t max_pages;         /* 0: 1,000,000 */
    size_t max_body;          /* bytes of one page; 0: the client's */
};

/* An op that goes on: each start delivers the next item.  op: WEIR_PROTOCOL
 * (items absent, a cursor that comes a second time: it is named),
 * WEIR_LIMIT, or the call's own. */
enum weir_code weir_page_new(struct weir_client *client,
                             const struct weir_page_options *options,
                             struct weir_op **out, struct weir_err *err);
/* The item of the finished op, NULL after the last; valid until the op is
 * started again or freed. */
const struct weir_json *weir_page_item(const struct weir_op *op);
/* Delivers the next item without a turn of the loop, if the page that is
 * here has one: true, and weir_page_item() is it.  Otherwise start the op. */
bool weir_page_take(struct weir_op *op);
/* Pages received so far. */
size_t weir_page_count(const struct weir_op *op);

#endif
