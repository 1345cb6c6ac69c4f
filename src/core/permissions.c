/* permissions: making them, and their JSON. */
#include "weir/permissions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "permissions_internal.h"
#include "url_internal.h"
#include "weir/cut.h"

const char *const weir_permission_words[] = {"net", "read",   "write",
                                             "env", "mutate", NULL};

const char *weir_permission_word(enum weir_permission kind)
{
    return (unsigned)kind < WEIR_PERMISSIONS ? weir_permission_words[kind]
                                             : "unknown";
}

enum weir_permission weir_permission_from_word(const char *word)
{
    unsigned kind = 0;

    while (weir_permission_words[kind] &&
           strcmp(weir_permission_words[kind], word) != 0)
        kind++;
    return (enum weir_permission)kind;
}

/* ---- lists ---- */

static void list_fini(struct weir_permission_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->items[i]);
    free((void *)list->items);
    *list = (struct weir_permission_list){0};
}

/* Where `item` is or belongs; `*found` says which. */
static size_t list_place(const struct weir_permission_list *list,
                         const char *item, bool *found)
{
    size_t low = 0, high = list->n;

    *found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(list->items[middle], item);

        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

enum weir_code weir_permission_list_add(struct weir_permission_list *list,
                                        const char *item, struct weir_err *err)
{
    bool found;
    size_t at = list_place(list, item, &found);
    char **items, *copy;

    if (found)
        return WEIR_OK;
    if (list->n >= WEIR_PERMISSIONS_MAX_ITEMS)
        return weir_err_set(err, WEIR_LIMIT,
                            "more than %d items in one list of permissions",
                            WEIR_PERMISSIONS_MAX_ITEMS);
    copy = strdup(item);
    items = copy ? realloc((void *)list->items, (list->n + 1) * sizeof(*items))
                 : NULL;
    if (!items) {
        free(copy);
        return weir_err_nomem(err);
    }
    memmove((void *)(items + at + 1), (void *)(items + at),
            (list->n - at) * sizeof(*items));
    items[at] = copy;
    list->items = items;
    list->n++;
    return WEIR_OK;
}

void weir_permission_list_remove(struct weir_permission_list *list, size_t at)
{
    free(list->items[at]);
    list->n--;
    memmove((void *)(list->items + at), (void *)(list->items + at + 1),
            (list->n - at) * sizeof(*list->items));
}

static enum weir_code list_copy(struct weir_permission_list *to,
                                const struct weir_permission_list *from,
                                struct weir_err *err)
{
    enum weir_code code = WEIR_OK;

    for (size_t i = 0; !code && i < from->n; i++)
        code = weir_permission_list_add(to, from->items[i], err);
    return code;
}

static bool list_equal(const struct weir_permission_list *a,
                       const struct weir_permission_list *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++) {
        if (strcmp(a->items[i], b->items[i]) != 0)
            return false;
    }
    return true;
}

/* ---- making ---- */

enum weir_code weir_permissions_new(enum weir_permissions_source source,
                                    struct weir_permissions **out,
                                    struct weir_err *err)
{
    struct weir_permissions *permissions = calloc(1, sizeof(*permissions));

    if (!permissions)
        return weir_err_nomem(err);
    permissions->source = source;
    *out = permissions;
    return WEIR_OK;
}

void weir_permissions_free(struct weir_permissions *permissions)
{
    while (permissions) {
        struct weir_permissions *wider = permissions->wider;

        for (unsigned kind = 0; kind < WEIR_PERMISSION_MUTATE; kind++)
            list_fini(&permissions->lists[kind]);
        list_fini(&permissions->tenant);
        free(permissions);
        permissions = wider;
    }
}

enum weir_code weir_permissions_copy_one(const struct weir_permissions *from,
                                         unsigned kinds,
                                         struct weir_permissions **out,
                                         struct weir_err *err)
{
    struct weir_permissions *copy = calloc(1, sizeof(*copy));
    enum weir_code code = WEIR_OK;

    if (!copy)
        return weir_err_nomem(err);
    copy->source = from->source;
    for (unsigned kind = 0; !code && kind < WEIR_PERMISSION_MUTATE; kind++) {
        if (kinds & WEIR_PERMISSION_BIT(kind))
            code = list_copy(&copy->lists[kind], &from->lists[kind], err);
    }
    if (!code)
        code = list_copy(&copy->tenant, &from->tenant, err);
    copy->mutate = from->mutate;
    memcpy(copy->by, from->by, sizeof(copy->by));
    if (code)
        weir_permissions_free(copy);
    else
        *out = copy;
    return code;
}

enum weir_code weir_permissions_copy(const struct weir_permissions *from,
                                     struct weir_permissions **out,
                                     struct weir_err *err)
{
    struct weir_permissions *first = NULL, *last = NULL, *copy = NULL;

    for (; from; from = from->wider) {
        enum weir_code code =
            weir_permissions_copy_one(from, WEIR_PERMISSIONS_EVERY, &copy, err);

        if (code) {
            weir_permissions_free(first);
            return code;
        }
        if (last)
            last->wider = copy;
        else
            first = copy;
        last = copy;
    }
    *out = first;
    return WEIR_OK;
}

/* ---- what the host adds ---- */

static enum weir_code resolve_list(struct weir_permission_list *list,
                                   const char *base, struct weir_err *err)
{
    struct weir_permission_list made = {0};
    enum weir_code code = WEIR_OK;
    struct weir_buf path;

    weir_buf_init(&path, (size_t)2 * WEIR_PERMISSIONS_MAX_PATH);
    for (size_t i = 0; !code && i < list->n; i++) {
        const char *item = list->items[i];

        weir_buf_reset(&path);
        if (item[0] != '/') {
            weir_buf_adds(&path, base);
            weir_buf_addc(&path, '/');
        }
        weir_buf_adds(&path, item);
        code = path.failed ? weir_buf_err(&path, "a path", err)
                           : weir_permission_list_add_path(&made, path.data,
                                                           path.len, err);
    }
    weir_buf_fini(&path);
    if (code) {
        list_fini(&made);
        return code;
    }
    list_fini(list);
    *list = made;
    return WEIR_OK;
}

enum weir_code weir_permissions_resolve(struct weir_permissions *permissions,
                                        const char *base, struct weir_err *err)
{
    enum weir_code code = WEIR_OK;

    if (base[0] != '/')
        return weir_err_set(err, WEIR_INVALID, "'%s' is no absolute path",
                            WEIR_CUT(80, base));
    for (; !code && permissions; permissions = permissions->wider) {
        code =
            resolve_list(&permissions->lists[WEIR_PERMISSION_READ], base, err);
        if (!code)
            code = resolve_list(&permissions->lists[WEIR_PERMISSION_WRITE],
                                base, err);
    }
    return code;
}

enum weir_code weir_permissions_tenant(struct weir_permissions *permissions,
                                       const char *url, struct weir_err *err)
{
    struct weir_host_question question;
    char text[WEIR_HOST_TEXT], host[WEIR_HOST_MAX + 3];
    unsigned port;
    enum weir_code code = weir_url_host(url, host, sizeof(host), &port, err);

    if (code)
        return code;
    weir_host_question_init(&question, host, port);
    weir_host_question_text(&question, text);
    for (; !code && permissions; permissions = permissions->wider)
        code = weir_permission_list_add(&permissions->tenant, text, err);
    return code;
}

/* ---- telling ---- */

bool weir_permissions_equal(const struct weir_permissions *a,
                            const struct weir_permissions *b)
{
    for (unsigned kind = 0; kind < WEIR_PERMISSION_MUTATE; kind++) {
        if (!list_equal(&a->lists[kind], &b->lists[kind]))
            return false;
    }
    return a->mutate == b->mutate;
}

size_t weir_permissions_size(const struct weir_permissions *p,
                             enum weir_permission kind)
{
    return (unsigned)kind < WEIR_PERMISSION_MUTATE ? p->lists[kind].n : 0;
}

const char *weir_permissions_item(const struct weir_permissions *p,
                                  enum weir_permission kind, size_t index)
{
    return index < weir_permissions_size(p, kind) ? p->lists[kind].items[index]
                                                  : NULL;
}

bool weir_permissions_mutates(const struct weir_permissions *p)
{
    return p->mutate;
}

static struct weir_json *list_json(const struct weir_permission_list *list)
{
    struct weir_json *array = weir_json_new_array();

    for (size_t i = 0; array && i < list->n; i++) {
        const char *item = list->items[i];

        if (weir_json_append(array, weir_json_new_string(item, strlen(item)))) {
            weir_json_free(array);
            return NULL;
        }
    }
    return array;
}

struct weir_json *weir_permissions_json(const struct weir_permissions *p)
{
    struct weir_json *table = weir_json_new_object();
    enum weir_code code = table ? WEIR_OK : WEIR_NOMEM;

    for (unsigned kind = 0; !code && kind < WEIR_PERMISSION_MUTATE; kind++)
        code = weir_json_set(table, weir_permission_words[kind],
                             list_json(&p->lists[kind]));
    if (!code)
        code =
            weir_json_set(table, weir_permission_words[WEIR_PERMISSION_MUTATE],
                          weir_json_new_boolean(p->mutate));
    if (code) {
        weir_json_free(table);
        return NULL;
    }
    return table;
}
