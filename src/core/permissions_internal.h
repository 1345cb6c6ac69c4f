/* The parts of permissions: what its files share. */
#ifndef WEIR_PERMISSIONS_INTERNAL_H
#define WEIR_PERMISSIONS_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "cidr.h"
#include "weir/permissions.h"

/* RFC 1035 section 2.3.4, as text. */
#define WEIR_HOST_MAX 253
/* Room for any host rule or question as text. */
#define WEIR_HOST_TEXT (WEIR_HOST_MAX + 32)

/* ---- permissions_net.c: one host of "net" ---- */

enum weir_host_form {
    WEIR_HOST_ANY,   /* of the tenant */
    WEIR_HOST_NAME,  /* api.example.com */
    WEIR_HOST_BELOW, /* *.example.com */
    WEIR_HOST_BLOCK, /* an address is a block of one */
    WEIR_HOST_LOCAL  /* localhost */
};

struct weir_host_rule {
    enum weir_host_form form;
    bool tenant;   /* only as far as the host is the tenant's */
    unsigned port; /* 0: any */
    struct weir_cidr block;
    char name[WEIR_HOST_MAX + 1]; /* NAME and BELOW, lower case, no "*." */
};

/* Who is asked for. */
struct weir_host_question {
    char host[WEIR_HOST_MAX + 1]; /* lower case, no brackets; "" for nobody */
    bool literal;                 /* an address */
    unsigned port;
    bool tenant; /* one of the tenant's origins */
};

/* WEIR_OK; WEIR_INVALID with what was expected. */
enum weir_code weir_host_rule_parse(const char *text, size_t len,
                                    struct weir_host_rule *out,
                                    struct weir_err *err);
/* The rule as weir_host_rule_parse reads it. */
void weir_host_rule_text(const struct weir_host_rule *rule,
                         char out[WEIR_HOST_TEXT]);
/* The rule that covers what both cover; false if there is nothing. */
bool weir_host_rule_meet(const struct weir_host_rule *a,
                         const struct weir_host_rule *b,
                         struct weir_host_rule *out);
void weir_host_question_init(struct weir_host_question *question,
                             const char *host, unsigned port);
/* "api.example.com:443", "[::1]:80". */
void weir_host_question_text(const struct weir_host_question *question,
                             char out[WEIR_HOST_TEXT]);
/* Whether the rule covers who is asked for … */
bool weir_host_rule_covers(const struct weir_host_rule *rule,
                           const struct weir_host_question *question);
/* … and the address that this has led to. */
bool weir_host_rule_covers_address(const struct weir_host_rule *rule,
                                   const struct weir_host_question *question,
                                   const char *address);
/* What kind of address it is, or NULL for one that any granted name may lead
 * to: "loopback", "private" … */
const char *weir_address_class(const char *address);

/* ---- permissions.c ---- */

struct weir_permission_list {
    char **items; /* owned; sorted by bytes, none twice */
    size_t n;
};

struct weir_permissions {
    enum weir_permissions_source source;
    struct weir_permission_list lists[WEIR_PERMISSION_MUTATE];
    bool mutate;
    struct weir_permission_list tenant; /* "host:port" of its origins */
    /* What this was narrowed from and by what; for denials.  Owned. */
    struct weir_permissions *wider;
    char by[160];
};

/* Adds a copy of `item` at its place, unless it is there.  WEIR_OK,
 * WEIR_LIMIT, WEIR_NOMEM. */
enum weir_code weir_permission_list_add(struct weir_permission_list *list,
                                        const char *item, struct weir_err *err);

/* The same of a path, made normal.  WEIR_INVALID if it is none. */
enum weir_code weir_permission_list_add_path(struct weir_permission_list *list,
                                             const char *item, size_t len,
                                             struct weir_err *err);
void weir_permission_list_remove(struct weir_permission_list *list, size_t at);
/* "net", "read" … in the order of the enum, NULL at the end. */
extern const char *const weir_permission_words[];
/* A copy without what it was narrowed from, and of the lists only those
 * whose bits are in `kinds`. */
enum weir_code weir_permissions_copy_one(const struct weir_permissions *from,
                                         unsigned kinds,
                                         struct weir_permissions **out,
                                         struct weir_err *err);

/* ---- permissions_path.c ---- */

/* Whether `path` is `root` or beneath it; both normal. */
bool weir_path_beneath(const char *path, const char *root);

#endif
