/*
 * request: what the options of every HTTP call have in common (weir.http,
 * weir.client): query, headers and body in, a response out.
 */
#ifndef WEIR_BIND_REQUEST_H
#define WEIR_BIND_REQUEST_H

#include <stddef.h>

#include "bind.h"
#include "weir/http.h"

/* Every function below pushes exactly one value, which owns what it returns;
 * keep it on the stack until the core has made its copy.  A caller's mistake
 * raises and names `what` ("http.request"). */

/* The query (or form) at `index`: a table, encoded with its keys in byte
 * order (RFC 3986; an array repeats its key); a string, taken as encoded
 * already; nil: NULL.  `name` is the option's. */
const char *bind_query(lua_State *L, int index, const char *what,
                       const char *name);

/* The headers at `index`: a table of name = value, names in byte order, an
 * array repeats its name; nil: none. */
const struct weir_header *bind_headers(lua_State *L, int index,
                                       const char *what, size_t *n);

/* The same for another table of texts, the option `name`: the further fields
 * of a form. */
const struct weir_header *bind_pairs(lua_State *L, int index, const char *what,
                                     const char *name, size_t *n);

struct bind_body {
    const char *data; /* NULL: none */
    size_t len;
    const char *content_type; /* NULL: the caller's own header says it */
};
/* The body that the options table at `index` (or nil) asks for by `body`
 * (bytes), `json` (a value) or `form` (as a query); one of them at most. */
void bind_body(lua_State *L, int index, const char *what,
               struct bind_body *out);

/* All of it from one options table (or nil): its `query`, `headers`, `body`,
 * `json`, `form`.  Unlike the others this pushes three values. */
struct bind_request {
    const char *query; /* NULL: none */
    const struct weir_header *headers;
    size_t n_headers;
    struct bind_body body;
};
void bind_request(lua_State *L, int index, const char *what,
                  struct bind_request *out);
/* The core has made its copy: gives back what the boxes among the three values
 * hold, of which the first is at `index`, before the collector comes by. */
void bind_request_release(lua_State *L, int index);
/* For option tables of calls that take all of it; offsets name a member of
 * type bool that nobody reads. */
#define BIND_REQUEST_OPTIONS(type, member)                                     \
    {"query", BIND_ANY, offsetof(type, member), false},                        \
        {"headers", BIND_TABLE, offsetof(type, member), false},                \
        {"body", BIND_ANY, offsetof(type, member), false},                     \
        {"json", BIND_ANY, offsetof(type, member), false},                     \
    {                                                                          \
        "form", BIND_TABLE, offsetof(type, member), false                      \
    }

/* The ceilings of an HTTP exchange, one list for whoever has them: offsets
 * into a struct weir_http_limits that is `member` of `type`.  Its timeout_ms
 * goes by different names, and is not in it. */
#define BIND_LIMIT(type, member, field)                                        \
    (offsetof(type, member) + offsetof(struct weir_http_limits, field))
#define BIND_LIMIT_OPTIONS(type, member)                                       \
    {"connect_timeout", BIND_SECONDS,                                          \
     BIND_LIMIT(type, member, connect_timeout_ms), false},                     \
        {"first_byte_timeout", BIND_SECONDS,                                   \
         BIND_LIMIT(type, member, first_byte_timeout_ms), false},              \
        {"stall_timeout", BIND_SECONDS,                                        \
         BIND_LIMIT(type, member, stall_timeout_ms), false},                   \
        {"min_speed", BIND_UNSIGNED, BIND_LIMIT(type, member, min_speed),      \
         false},                                                               \
        {"max_bytes", BIND_COUNT, BIND_LIMIT(type, member, max_bytes), false}, \
        {"max_header_bytes", BIND_COUNT,                                       \
         BIND_LIMIT(type, member, max_header_bytes), false},                   \
        {"max_headers", BIND_COUNT, BIND_LIMIT(type, member, max_headers),     \
         false},                                                               \
    {                                                                          \
        "max_redirects", BIND_UNSIGNED,                                        \
            BIND_LIMIT(type, member, max_redirects), false                     \
    }
/* To be called on the struct before and after bind_options reads it: a script
 * says 0 for none, where the core takes 0 for the default. */
void bind_limits_before(struct weir_http_limits *limits);
void bind_limits_after(struct weir_http_limits *limits);

/* Pushes the response: a table {status, headers, body, url, elapsed} with
 * the method json(). */
void bind_response_push(lua_State *L,
                        const struct weir_http_response *response);
/* The results of an op whose result is a response. */
int bind_response_results(lua_State *L, struct weir_op *op);

#endif
