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

struct weir_etag_merging {
    const struct weir_etag_rules *rules; /* NULL: none */
    enum weir_etag_policy policy;
    /* Conflicts decided one by one, before the policy: an array of
     * {"path", "value"} with paths as the report names them; no "value"
     * leaves the field out.  NULL: none. */
    const struct weir_json *choices;
};

/* Merges objects: what only one side changed against `base` is taken from
 * that side, member by member through nested objects.  Absent and null are
 * two values; numbers are compared exactly.  Arrays merge as a whole, but the
 * lists of the rules (members of the document itself) element by element if
 * every element on every side has all keys, as strings, numbers or booleans,
 * and no two of a side have the same.  Such a list keeps the order of the one
 * side that changed it; if both added or removed elements, base's order or
 * that of the side that rearranged it (theirs, if both did), then the
 * elements that they added, then those of mine.  The server's fields are
 * taken from `theirs`, unreported.
 *
 * `merging` may be NULL.  On success `*merged` is a new document; `*report`
 * (may be NULL) is
 *   {"mine":[paths], "theirs":[paths], "same":[paths],
 *    "conflicts":[{path,base,mine,theirs,element}]}
 * with JSON pointers (RFC 6901) of what mine alone changed, theirs alone,
 * both to the same value, both to different ones; absent values are left
 * out.  In a list merged one by one a pointer counts base's elements, then
 * their additions, then mine, and "element" has the keys of the element in
 * question.  WEIR_INVALID if one of the three is no object; WEIR_LIMIT for
 * a report over 16 MiB of paths; WEIR_NOMEM.  With WEIR_ETAG_FAIL and
 * conflicts without a choice: WEIR_CONFLICT, *report is still made, and
 * *merged is untouched; err.detail has the conflicts. */
enum weir_code weir_etag_merge(const struct weir_json *base,
                               const struct weir_json *mine,
                               const struct weir_json *theirs,
                               const struct weir_etag_merging *merging,
                               struct weir_json **merged,
                               struct weir_json **report, struct weir_err *err);

struct weir_etag_options {
    const char *path;
    /* What the caller last saw; NULL: read it first. */
    const struct weir_json *base;
    const char *etag; /* its ETag; NULL: base's "etag" member, else read */
    /* Exactly one of these; the server's fields in them are not sent. */
    const struct weir_json *fields;      /* members to set in base */
    const struct weir_json *mine;        /* the whole new state */
    const struct weir_etag_rules *rules; /* must outlive the op */
    enum weir_etag_policy policy;
    unsigned attempts; /* PUTs in all; 0: 8 */
};

/* An op that updates one document: PUT with If-Match; on 409 and 412 it
 * reads what is there now, merges and tries again, with jitter between.  Where
 * nothing is left to change, nothing is sent: that is how an update ends
 * whose answer was lost.  op: WEIR_CONFLICT (err.detail: the merge's
 * conflicts; or every attempt met a newer state), WEIR_PROTOCOL (no ETag to
 * be had; 428 although one was sent; no JSON object at the path), or the
 * call's own. */
enum weir_code weir_etag_update(struct weir_client *client,
                                const struct weir_etag_options *options,
                                struct weir_op **out, struct weir_err *err);
/* An op that reads one document and its ETag, into the same result. */
enum weir_code weir_etag_read(struct weir_client *client, const char *path,
                              struct weir_op **out, struct weir_err *err);

/* Of a finished op; all owned by the op. */
struct weir_etag_result {
    const struct weir_json *state;  /* as the server now has it */
    const char *etag;               /* its ETag, or NULL if it told none */
    unsigned attempts;              /* PUTs sent; 0: nothing was to change */
    const struct weir_json *theirs; /* array of paths others had changed */
    /* Array of the conflicts that the policy decided. */
    const struct weir_json *decided;
    /* After WEIR_CONFLICT: the three states that would not merge; `etag` is
     * then that of `conflicting`, the server's. */
    const struct weir_json *base, *mine, *conflicting;
};
struct weir_etag_result weir_etag_result(const struct weir_op *op);

/* The ETag that If-Match may carry, from a response's header or else its
 * body's "etag" member, quoted as RFC 9110 asks.  Either may be NULL.
 * WEIR_OK; WEIR_PROTOCOL if there is none, or only a weak one; WEIR_NOMEM. */
enum weir_code weir_etag_of(const struct weir_http_response *response,
                            const struct weir_json *body, struct weir_buf *out,
                            struct weir_err *err);

#endif
