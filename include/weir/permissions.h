/*
 * permissions: what a run may do.
 *
 * One value says which servers may be asked, which files read and written,
 * which variables of the environment seen, and whether anything may be
 * changed.  It comes from one table, which a script declares with
 * `weir.needs` or a bundle's manifest carries; flags and policies can narrow
 * it and nothing can widen it.  Every door of a confined run asks it before
 * it opens.
 *
 * A denial is a WEIR_DENIED whose message names the permission and what was
 * asked, and whose hint says how it is declared or what took it away.
 */
#ifndef WEIR_PERMISSIONS_H
#define WEIR_PERMISSIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "weir/buf.h"
#include "weir/err.h"
#include "weir/json.h"

struct weir_permissions;

enum weir_permission {
    WEIR_PERMISSION_NET,    /* servers: "net", a list of hosts */
    WEIR_PERMISSION_READ,   /* files and folders: "read", a list of paths */
    WEIR_PERMISSION_WRITE,  /* the same: "write" */
    WEIR_PERMISSION_ENV,    /* variables: "env", a list of names */
    WEIR_PERMISSION_MUTATE, /* changing calls: "mutate", true or false */
    WEIR_PERMISSIONS
};
/* "net", "read", "write", "env", "mutate". */
const char *weir_permission_word(enum weir_permission kind);
/* The permission of a word, or WEIR_PERMISSIONS. */
enum weir_permission weir_permission_from_word(const char *word);

/* Sets of them, for weir_permissions_narrow. */
#define WEIR_PERMISSION_BIT(kind) (1u << (kind))
#define WEIR_PERMISSIONS_EVERY    ((1u << WEIR_PERMISSIONS) - 1)

/* Who grants; it decides what a denial advises. */
enum weir_permissions_source {
    WEIR_PERMISSIONS_DECLARED, /* weir.needs, or a manifest */
    WEIR_PERMISSIONS_FLAGS     /* weir run --sandbox --net=… */
};

/* Ceilings. */
#define WEIR_PERMISSIONS_MAX_ITEMS 256  /* of one list */
#define WEIR_PERMISSIONS_MAX_PATH  4096 /* bytes, as PATH_MAX */
#define WEIR_PERMISSIONS_MAX_ENV   255  /* bytes of a name */

/* ---- making ---- */

/* Grants nothing.  WEIR_OK, WEIR_NOMEM. */
enum weir_code weir_permissions_new(enum weir_permissions_source source,
                                    struct weir_permissions **out,
                                    struct weir_err *err);
/* NULL is allowed. */
void weir_permissions_free(struct weir_permissions *permissions);
/* WEIR_OK, WEIR_NOMEM. */
enum weir_code weir_permissions_copy(const struct weir_permissions *from,
                                     struct weir_permissions **out,
                                     struct weir_err *err);

/* Reads {"net": [hosts], "read": [paths], "write": [paths], "env": [names],
 * "mutate": true}, each member optional.  A host is one of
 *   api.example.com         that name, any port
 *   *.example.com           every name below it, not itself
 *   api.example.com:8443    that port only; so with every form
 *   192.0.2.7  [2001:db8::7]:443  10.0.0.0/8  2001:db8::/32
 *   localhost               this machine, by that name and by its addresses
 *   tenant                  the tenant in use and its token endpoint, see
 *                           weir_permissions_tenant
 *   tenant=HOST             HOST as far as it is the tenant's: what a
 *                           narrowing leaves of the two
 * A path is absolute or relative (weir_permissions_resolve); it grants what
 * it names and everything beneath, and is held without "//", "." and inner
 * "..".  A name of the environment is letters, digits and '_'.
 * WEIR_OK; WEIR_INVALID with what was expected and a hint, and as detail
 * {"path": "/net/0"}, the pointer of the value at fault; WEIR_LIMIT;
 * WEIR_NOMEM. */
enum weir_code weir_permissions_parse(const struct weir_json *table,
                                      struct weir_permissions **out,
                                      struct weir_err *err);
/* The same from text; WEIR_SYNTAX if it is no JSON. */
enum weir_code weir_permissions_parse_text(const char *text, size_t len,
                                           struct weir_permissions **out,
                                           struct weir_err *err);

/* Grants one host, path or name more, while a value is being made.  (Of
 * MUTATE the item is "true" or "false".)  Errors as weir_permissions_parse. */
enum weir_code weir_permissions_grant(struct weir_permissions *permissions,
                                      enum weir_permission kind,
                                      const char *item, size_t len,
                                      struct weir_err *err);
/* Makes relative paths absolute, beneath `base` (an absolute path): the
 * folder of the script for what it declares, the current one for flags.
 * Until then they cover relative paths only.  WEIR_OK; WEIR_INVALID if the
 * base is not absolute; WEIR_LIMIT; WEIR_NOMEM. */
enum weir_code weir_permissions_resolve(struct weir_permissions *permissions,
                                        const char *base, struct weir_err *err);

/* Adds an origin that "tenant" means, from a URL (https://acme.example).
 * Whoever configures the run says so; a script cannot.  WEIR_OK; WEIR_INVALID
 * if it is no URL; WEIR_NOMEM. */
enum weir_code weir_permissions_tenant(struct weir_permissions *permissions,
                                       const char *url, struct weir_err *err);

/* `*out` is what both grant, for the permissions whose bits are in `kinds`;
 * the others are as in `permissions`.  The tenant's origins are those of
 * `permissions`.  `by` says what narrows, for denials: "--net=acme.example".
 * WEIR_OK; WEIR_LIMIT if a list would have too many items; WEIR_NOMEM. */
enum weir_code
weir_permissions_narrow(const struct weir_permissions *permissions,
                        unsigned kinds, const struct weir_permissions *with,
                        const char *by, struct weir_permissions **out,
                        struct weir_err *err);

/* ---- telling ---- */

/* The same items are granted; not who granted them. */
bool weir_permissions_equal(const struct weir_permissions *a,
                            const struct weir_permissions *b);
/* A table as weir_permissions_parse reads it, all members present, lists
 * sorted by bytes: the same grants give the same text.  NULL without
 * memory. */
struct weir_json *weir_permissions_json(const struct weir_permissions *p);
/* Appends one line a permission, in words for whoever is to run it, each
 * after `indent` spaces.  WEIR_OK, or as the buffer fails. */
enum weir_code weir_permissions_describe(const struct weir_permissions *p,
                                         unsigned indent, struct weir_buf *buf);
/* The items of a list, sorted by bytes; of MUTATE there are none. */
size_t weir_permissions_size(const struct weir_permissions *p,
                             enum weir_permission kind);
const char *weir_permissions_item(const struct weir_permissions *p,
                                  enum weir_permission kind, size_t index);
bool weir_permissions_mutates(const struct weir_permissions *p);

/* ---- asking: WEIR_OK or WEIR_DENIED (or WEIR_NOMEM) ---- */

/* Whether a connection to host:port may be begun.  `host` is a name or an
 * address as a URL has it ("[::1]"), with any letter case. */
enum weir_code weir_permissions_connect(const struct weir_permissions *p,
                                        const char *host, unsigned port,
                                        struct weir_err *err);
/* The same for the host and port of a URL; WEIR_INVALID if it is none. */
enum weir_code weir_permissions_url(const struct weir_permissions *p,
                                    const char *url, struct weir_err *err);
/* Whether that connection may be to `address` ("127.0.0.1", "::1"), to which
 * the name has led.  Addresses of this machine, of its networks and of no one
 * (loopback, link-local, private, multicast, reserved) need an item that
 * covers the address itself (an address, a block, "localhost"), or the name
 * to be the tenant's; link-local and multicast ones always the first. */
enum weir_code weir_permissions_address(const struct weir_permissions *p,
                                        const char *host, unsigned port,
                                        const char *address,
                                        struct weir_err *err);
/* Whether the path may be read (READ) or written (WRITE), by its text alone:
 * links are for whoever opens it beneath `*root`, the longest item that covers
 * it (owned by `p`; `root` may be NULL). */
enum weir_code weir_permissions_path(const struct weir_permissions *p,
                                     enum weir_permission kind,
                                     const char *path, const char **root,
                                     struct weir_err *err);
enum weir_code weir_permissions_env(const struct weir_permissions *p,
                                    const char *name, struct weir_err *err);
/* Whether something may be changed; `what` is "PUT /path", for the message. */
enum weir_code weir_permissions_mutate(const struct weir_permissions *p,
                                       const char *what, struct weir_err *err);

/* What took the permission to change anything away ("--dry-run"), or NULL if
 * it was never granted. */
const char *weir_permissions_mutate_by(const struct weir_permissions *p);

/* Appends `path` without "//", "." and inner ".."; "" becomes ".".  What
 * climbs above the root ends there.  WEIR_OK, or as the buffer fails. */
enum weir_code weir_path_normal(struct weir_buf *buf, const char *path);

#endif
