/*
 * etag: read, change, put-if-match; and the three-way merge.
 *
 * RFC 9110 sections 8.8.3 and 13.1.1.  An update starts from the state that
 * the caller last saw; when somebody else was faster, both changes are
 * merged field by field, and a field that both changed is a conflict, never
 * a silent overwrite.
 */
#ifndef WEIR_ETAG_H
#define WEIR_ETAG_H

#include <stdbool.h>
#include <stddef.h>

#include "weir/client.h"
#include "weir/err.h"
#include "weir/json.h"
#include "weir/op.h"

/* A list whose elements have an identity: they merge one by one. */
struct weir_etag_list {
    const char *field;       /* "matchers" */
    const char *const *keys; /* {"attribute", "operator"} */
    size_t n_keys;
};

/* What the dialect knows of the documents. */
struct weir_etag_rules {
    const char *const *server_fields; /* never sent, never in conflict */
    size_t n_server_fields;
    const struct weir_etag_list *lists;
    size_t n_lists;
};

enum weir_etag_policy {
    WEIR_ETAG_FAIL,  /* a conflict ends the update */
    WEIR_ETAG_MINE,  /* the caller's value wins */
    WEIR_ETAG_THEIRS /* the server's value wins */
};

/* Merges objects: what only one side changed against `base` is taken from
 * that side.  `rules` may be NULL.  On success `*merged` is a new document;
 * `*report` (may be NULL) is
 *   {"mine":[paths], "theirs":[paths], "conflicts":[{path,base,mine,theirs}]}
 * with JSON pointers (RFC 6901), absent values left out.  With
 * WEIR_ETAG_FAIL and conflicts: WEIR_CONFLICT, *report is still made, and
 * *merged is untouched. */
enum weir_code weir_etag_merge(const struct weir_json *base,
                               const struct weir_json *mine,
                               const struct weir_json *theirs,
                               const struct weir_etag_rules *rules,
                               enum weir_etag_policy policy,
                               struct weir_json **merged,
                               struct weir_json **report, struct weir_err *err);

struct weir_etag_options {
    const char *path;
    /* What the caller last saw; NULL: read it first. */
    const struct weir_json *base;
    const char *etag; /* its ETag; NULL: base's "etag" member, else read */
    /* Exactly one of these. */
    const struct weir_json *fields;      /* members to set in base */
    const struct weir_json *mine;        /* the whole new state */
    const struct weir_etag_rules *rules; /* must outlive the op */
    enum weir_etag_policy policy;
    unsigned attempts; /* PUTs in all; 0: 8 */
};

/* An op that updates one document.  op: WEIR_CONFLICT (err.detail: the
 * merge's conflicts), WEIR_RATE never, WEIR_PROTOCOL (no ETag to be had), or
 * the call's own. */
enum weir_code weir_etag_update(struct weir_client *client,
                                const struct weir_etag_options *options,
                                struct weir_op **out, struct weir_err *err);

/* Of a finished update op; all owned by the op. */
struct weir_etag_result {
    const struct weir_json *state;  /* as the server now has it */
    const char *etag;               /* its ETag, or NULL if it told none */
    unsigned attempts;              /* PUTs sent; 0: nothing was to change */
    const struct weir_json *theirs; /* array of paths others had changed */
    /* After WEIR_CONFLICT: the state that was in the way. */
    const struct weir_json *conflicting;
};
struct weir_etag_result weir_etag_result(const struct weir_op *op);

/* The ETag that If-Match may carry, from a response's header or else its
 * body's "etag" member, quoted as RFC 9110 asks.  WEIR_OK; WEIR_PROTOCOL if
 * there is none, or only a weak one. */
enum weir_code weir_etag_of(const struct weir_http_response *response,
                            const struct weir_json *body, struct weir_buf *out,
                            struct weir_err *err);

#endif
