/* permissions: what two of them have in common. */
#include <stdio.h>
#include <string.h>

#include "permissions_internal.h"
#include "weir/cut.h"

/* Finds what both items cover. */
typedef bool meet_fn(const char *a, const char *b, char *out, size_t size);

static bool meet_hosts(const char *a, const char *b, char *out, size_t size)
{
    struct weir_host_rule rule_a, rule_b, both;
    char text[WEIR_HOST_TEXT];

    if (weir_host_rule_parse(a, strlen(a), &rule_a, NULL) ||
        weir_host_rule_parse(b, strlen(b), &rule_b, NULL) ||
        !weir_host_rule_meet(&rule_a, &rule_b, &both))
        return false;
    weir_host_rule_text(&both, text);
    snprintf(out, size, "%s", text);
    return true;
}

static bool meet_paths(const char *a, const char *b, char *out, size_t size)
{
    if (!weir_path_beneath(a, b) && !weir_path_beneath(b, a))
        return false;
    snprintf(out, size, "%s", weir_path_beneath(a, b) ? a : b);
    return true;
}

static bool meet_names(const char *a, const char *b, char *out, size_t size)
{
    if (strcmp(a, b) != 0)
        return false;
    snprintf(out, size, "%s", a);
    return true;
}

/* Adds `item` unless one that is there covers it; drops what it covers. */
static enum weir_code add_widest(struct weir_permission_list *list,
                                 const char *item, meet_fn *meet,
                                 struct weir_err *err)
{
    char both[WEIR_PERMISSIONS_MAX_PATH + 1];

    for (size_t i = 0; i < list->n;) {
        bool common = meet(list->items[i], item, both, sizeof(both));

        if (common && strcmp(both, item) == 0)
            return WEIR_OK;
        if (common && strcmp(both, list->items[i]) == 0)
            weir_permission_list_remove(list, i);
        else
            i++;
    }
    return weir_permission_list_add(list, item, err);
}

static enum weir_code narrow_list(const struct weir_permission_list *a,
                                  const struct weir_permission_list *b,
                                  meet_fn *meet,
                                  struct weir_permission_list *out,
                                  struct weir_err *err)
{
    char both[WEIR_PERMISSIONS_MAX_PATH + 1];
    enum weir_code code = WEIR_OK;

    for (size_t i = 0; i < a->n; i++) {
        for (size_t j = 0; !code && j < b->n; j++) {
            if (meet(a->items[i], b->items[j], both, sizeof(both)))
                code = add_widest(out, both, meet, err);
        }
    }
    return code;
}

enum weir_code
weir_permissions_narrow(const struct weir_permissions *permissions,
                        unsigned kinds, const struct weir_permissions *with,
                        const char *by, struct weir_permissions **out,
                        struct weir_err *err)
{
    static meet_fn *const meets[WEIR_PERMISSION_MUTATE] = {
        [WEIR_PERMISSION_NET] = meet_hosts,
        [WEIR_PERMISSION_READ] = meet_paths,
        [WEIR_PERMISSION_WRITE] = meet_paths,
        [WEIR_PERMISSION_ENV] = meet_names,
    };
    struct weir_permissions *narrow;
    enum weir_code code =
        weir_permissions_copy_one(permissions, ~kinds, &narrow, err);

    if (code)
        return code;
    for (unsigned kind = 0; !code && kind < WEIR_PERMISSION_MUTATE; kind++) {
        if (kinds & WEIR_PERMISSION_BIT(kind))
            code = narrow_list(&permissions->lists[kind], &with->lists[kind],
                               meets[kind], &narrow->lists[kind], err);
    }
    if (kinds & WEIR_PERMISSION_BIT(WEIR_PERMISSION_MUTATE))
        narrow->mutate = permissions->mutate && with->mutate;
    weir_cut_copy(narrow->by, sizeof(narrow->by), by, strlen(by));
    if (!code)
        code = weir_permissions_copy(permissions, &narrow->wider, err);
    if (code)
        weir_permissions_free(narrow);
    else
        *out = narrow;
    return code;
}
