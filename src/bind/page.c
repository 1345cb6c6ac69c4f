/* weir.core.page: open a listing, take its items one by one. */
#include <stdio.h>
#include <string.h>

#include "box.h"
#include "client.h"
#include "request.h"
#include "weir/page.h"
#include "weir/url.h"

#define MAX_QUERY ((size_t)64 << 10)

struct options {
    const char *items, *cursor_param, *size_param, *next;
    size_t size, max_pages, max_items, max_bytes;
    bool query; /* read by bind_query */
};

#define OPTION(name, type)                                                     \
    {                                                                          \
#name, type, offsetof(struct options, name), false                     \
    }
static const struct bind_opt page_options[] = {
    {"items", BIND_STRING, offsetof(struct options, items), true},
    OPTION(query, BIND_ANY),
    OPTION(size, BIND_COUNT),
    OPTION(size_param, BIND_STRING),
    OPTION(cursor_param, BIND_STRING),
    OPTION(next, BIND_STRING),
    OPTION(max_pages, BIND_COUNT),
    OPTION(max_items, BIND_COUNT),
    OPTION(max_bytes, BIND_COUNT),
    {NULL, BIND_ANY, 0, false},
};

/* The query of the table at `index` with the page's size; pushes what owns
 * it (two values). */
static const char *full_query(lua_State *L, int index, const char *what,
                              const struct options *options)
{
    struct weir_buf *buf;
    const char *query;
    char size[24];

    lua_getfield(L, index, "query");
    query = bind_query(L, -1, what, "query");
    lua_remove(L, -2);
    buf = bind_buf(L, MAX_QUERY);
    if (query)
        weir_buf_adds(buf, query);
    snprintf(size, sizeof(size), "%zu", options->size);
    if (options->size > 0)
        weir_url_add_pair(
            buf, options->size_param ? options->size_param : WEIR_PAGE_SIZE,
            size, strlen(size));
    if (buf->failed == WEIR_NOMEM)
        bind_raise_nomem(L);
    if (buf->failed)
        bind_misuse(L, "%s: the query is over %zu bytes", what, MAX_QUERY);
    return buf->len ? weir_buf_str(buf) : NULL;
}

/* open(what, client, path, options) → listing */
static int page_open(lua_State *L)
{
    const char *what = luaL_checkstring(L, 1);
    struct weir_client *client = bind_client_check(L, 2, what);
    const char *path = luaL_checkstring(L, 3);
    struct weir_err err = WEIR_ERR_INIT;
    struct options options = {0};
    struct weir_page_options page = {.path = path};
    struct weir_op **op;

    lua_settop(L, 4);
    if (lua_isnil(L, 4))
        bind_misuse(L, "%s: options must be a table with 'items'", what);
    bind_options(L, 4, what, page_options, &options);
    page.query = full_query(L, 4, what, &options);
    page.items = options.items;
    page.cursor_param = options.cursor_param;
    page.next = options.next;
    page.max_pages = options.max_pages;
    page.max_items = options.max_items;
    page.max_bytes = options.max_bytes;
    op = bind_op(L);
    if (weir_page_new(client, &page, op, &err))
        return bind_raise(L, &err);
    return 1;
}

static int push_item(lua_State *L, struct weir_op *op)
{
    bind_value_push(L, weir_page_item(op));
    return 1;
}

/* next(listing) → item; nil after the last; nil, err */
static int page_next(lua_State *L)
{
    struct op_box *box = bind_op_box(L, 1);

    if (box && box->op && strcmp(box->op->class->name, "page") != 0)
        return luaL_argerror(L, 1, "not a listing");
    if (box && box->op && weir_page_take(box->op))
        return push_item(L, box->op);
    return bind_await_step(L, 1, push_item);
}

static const luaL_Reg functions[] = {
    {"open", page_open},
    {"next", page_next},
    {NULL, NULL},
};

int luaopen_weir_page(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
