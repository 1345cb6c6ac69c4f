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

/* Names that a dialect may change. */
#define WEIR_PAGE_CURSOR "cursor"
#define WEIR_PAGE_NEXT   "next_cursor"
#define WEIR_PAGE_SIZE   "page_size"

struct weir_page_options {
    const char *path;         /* as in struct weir_call */
    const char *query;        /* encoded, without cursor; or NULL */
    const char *items;        /* member with the array, e.g. "filters" */
    const char *cursor_param; /* NULL: WEIR_PAGE_CURSOR */
    const char *next;         /* member with the cursor; NULL: WEIR_PAGE_NEXT */
    size_t max_pages;         /* 0: 1,000,000 */
    size_t max_items;         /* of all pages; 0: 100,000,000 */
    size_t max_bytes;         /* bytes of one page; 0: the client's */
};

/* An op that goes on: each start delivers the next item.  The next page is
 * fetched from the moment that the first item of this one is delivered; what
 * goes wrong with it is told when its turn comes, and again at every further
 * start.  A listing ends where the cursor is absent, null or "".
 * new: WEIR_OK, WEIR_INVALID, WEIR_NOMEM.  op: WEIR_PROTOCOL (items absent or
 * no array; a cursor that is neither string nor integer, or that comes a
 * second time: it is named), WEIR_LIMIT (pages; a cursor over 4 KiB), or the
 * call's own. */
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
