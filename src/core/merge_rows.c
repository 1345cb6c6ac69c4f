#include "merge_internal.h"

#include <stdlib.h>
#include <string.h>

/* One value of one side, before the sides are put together. */
struct part {
    const struct weir_json *node;
    enum merge_side side;
    size_t place;
};

typedef int compare_fn(const void *a, const void *b, void *ud);

static int compare_bytes(const char *a, size_t a_len, const char *b,
                         size_t b_len)
{
    size_t len = a_len < b_len ? a_len : b_len;
    int order = len ? memcmp(a, b, len) : 0;

    if (order)
        return order;
    return (a_len > b_len) - (a_len < b_len);
}

static int compare_keys(const void *a, const void *b, void *ud)
{
    size_t a_len, b_len;
    const char *a_key = weir_json_key(((const struct part *)a)->node, &a_len);
    const char *b_key = weir_json_key(((const struct part *)b)->node, &b_len);

    (void)ud;
    return compare_bytes(a_key, a_len, b_key, b_len);
}

static int compare_scalars(const struct weir_json *a, const struct weir_json *b)
{
    enum weir_json_type type = weir_json_type(a);
    size_t a_len, b_len;
    const char *a_text, *b_text;

    if (type != weir_json_type(b))
        return type < weir_json_type(b) ? -1 : 1;
    if (type == WEIR_JSON_BOOLEAN)
        return (int)weir_json_true(a) - (int)weir_json_true(b);
    if (type == WEIR_JSON_NUMBER) {
        a_text = weir_json_number(a, &a_len);
        b_text = weir_json_number(b, &b_len);
        return weir_number_compare(a_text, a_len, b_text, b_len);
    }
    a_text = weir_json_string(a, &a_len);
    b_text = weir_json_string(b, &b_len);
    return compare_bytes(a_text, a_len, b_text, b_len);
}

static int compare_identities(const void *a, const void *b, void *ud)
{
    const struct weir_etag_list *list = ud;

    for (size_t i = 0; i < list->n_keys; i++) {
        int order = compare_scalars(
            weir_json_get(((const struct part *)a)->node, list->keys[i]),
            weir_json_get(((const struct part *)b)->node, list->keys[i]));

        if (order)
            return order;
    }
    return 0;
}

/* The children of all three sides in one array; NULL without memory. */
static struct part *gather(const struct weir_json *const sides[SIDES],
                           size_t *n)
{
    struct part *parts;
    size_t total = 0, at = 0;

    for (int side = 0; side < SIDES; side++)
        total += weir_json_size(sides[side]);
    parts = calloc(total + 1, sizeof(*parts));
    if (!parts)
        return NULL;
    for (int side = 0; side < SIDES; side++) {
        const struct weir_json *node = weir_json_first(sides[side]);

        for (size_t place = 0; node && at < total; place++) {
            parts[at++] = (struct part){node, (enum merge_side)side, place};
            node = weir_json_next(node);
        }
    }
    *n = at;
    return parts;
}

/* Puts equal parts of different sides into one row.  WEIR_INVALID if a side
 * has two that are equal. */
static enum weir_code group(struct part *parts, size_t n, compare_fn *compare,
                            void *ud, struct merge_rows *out)
{
    struct merge_rows rows = {.row = calloc(n + 1, sizeof(*rows.row))};

    if (!rows.row)
        return WEIR_NOMEM;
    qsort_r(parts, n, sizeof(*parts), compare, ud);
    for (size_t i = 0; i < n; i++) {
        struct merge_row *row;

        if (i == 0 || compare(&parts[i - 1], &parts[i], ud) != 0)
            rows.n++;
        row = &rows.row[rows.n - 1];
        if (row->at[parts[i].side]) {
            free(rows.row);
            return WEIR_INVALID;
        }
        row->at[parts[i].side] = parts[i].node;
        row->place[parts[i].side] = parts[i].place;
        if (parts[i].side == BASE)
            rows.n_base++;
    }
    *out = rows;
    return WEIR_OK;
}

enum weir_code weir_merge_members(const struct weir_json *const sides[SIDES],
                                  struct merge_rows *out)
{
    size_t n;
    struct part *parts = gather(sides, &n);
    enum weir_code code;

    if (!parts)
        return WEIR_NOMEM;
    code = group(parts, n, compare_keys, NULL, out);
    free(parts);
    return code;
}

static bool has_identity(const struct weir_json *element,
                         const struct weir_etag_list *list)
{
    if (!weir_json_is(element, WEIR_JSON_OBJECT))
        return false;
    for (size_t i = 0; i < list->n_keys; i++) {
        const struct weir_json *value = weir_json_get(element, list->keys[i]);

        if (!weir_json_is(value, WEIR_JSON_STRING) &&
            !weir_json_is(value, WEIR_JSON_NUMBER) &&
            !weir_json_is(value, WEIR_JSON_BOOLEAN))
            return false;
    }
    return list->n_keys > 0;
}

static int compare_rows(const void *a, const void *b)
{
    static const enum merge_side order[SIDES] = {BASE, THEIRS, MINE};
    const struct merge_row *x = a, *y = b;

    for (int i = 0; i < SIDES; i++) {
        enum merge_side side = order[i];

        if (x->at[side] && y->at[side])
            return x->place[side] < y->place[side] ? -1 : 1;
        if (x->at[side] || y->at[side])
            return x->at[side] ? -1 : 1;
    }
    return 0;
}

enum weir_code weir_merge_elements(const struct weir_json *const sides[SIDES],
                                   const struct weir_etag_list *list,
                                   struct merge_rows *out)
{
    size_t n;
    struct part *parts = gather(sides, &n);
    enum weir_code code = WEIR_OK;

    if (!parts)
        return WEIR_NOMEM;
    for (size_t i = 0; i < n && !code; i++) {
        if (!has_identity(parts[i].node, list))
            code = WEIR_INVALID;
    }
    if (!code)
        code = group(parts, n, compare_identities, (void *)list, out);
    free(parts);
    if (!code)
        qsort(out->row, out->n, sizeof(*out->row), compare_rows);
    return code;
}

/* ---- the order of a merged list ---- */

/* True if both sides have the same elements in the same order. */
static bool same_sequence(const struct merge_rows *rows, enum merge_side a,
                          enum merge_side b)
{
    for (size_t i = 0; i < rows->n; i++) {
        const struct merge_row *row = &rows->row[i];

        if (!row->at[a] != !row->at[b] ||
            (row->at[a] && row->place[a] != row->place[b]))
            return false;
    }
    return true;
}

/* True if a side has what is left of base's elements in another order. */
static bool rearranged(const struct merge_rows *rows, enum merge_side side)
{
    size_t last = 0;

    for (size_t i = 0; i < rows->n_base; i++) {
        const struct merge_row *row = &rows->row[i];

        if (!row->at[side])
            continue;
        if (row->place[side] < last)
            return true;
        last = row->place[side];
    }
    return false;
}

/* Which side's order rules, and how many of the rows it orders: all of them,
 * or only those of base, with additions to follow. */
static enum merge_side lead(const struct merge_rows *rows, size_t *n)
{
    *n = rows->n;
    if (same_sequence(rows, MINE, BASE) || same_sequence(rows, MINE, THEIRS))
        return THEIRS;
    if (same_sequence(rows, THEIRS, BASE))
        return MINE;
    *n = rows->n_base;
    if (rearranged(rows, THEIRS))
        return THEIRS;
    return rearranged(rows, MINE) ? MINE : BASE;
}

/* A chain of rows; its head stands before all, under the index `n`. */
struct chain {
    size_t *next;
    size_t head, tail;
};

static void insert_after(struct chain *chain, size_t before, size_t row)
{
    chain->next[row] = chain->next[before];
    chain->next[before] = row;
    if (chain->tail == before)
        chain->tail = row;
}

/* The led rows by their place on the leading side, `none` in the gaps; NULL
 * without memory. */
static size_t *rows_by_place(const struct merge_rows *rows,
                             enum merge_side side, size_t n_led,
                             size_t *n_places)
{
    size_t n = 0, *at_place;

    for (size_t i = 0; i < n_led; i++) {
        if (rows->row[i].at[side] && rows->row[i].place[side] >= n)
            n = rows->row[i].place[side] + 1;
    }
    at_place = malloc((n + 1) * sizeof(*at_place));
    if (!at_place)
        return NULL;
    for (size_t i = 0; i < n; i++)
        at_place[i] = rows->n;
    for (size_t i = 0; i < n_led; i++) {
        if (rows->row[i].at[side])
            at_place[rows->row[i].place[side]] = i;
    }
    *n_places = n;
    return at_place;
}

enum weir_code weir_merge_order(const struct merge_rows *rows, size_t *first,
                                size_t **next)
{
    const size_t none = rows->n;
    size_t n_led, n_places = 0;
    enum merge_side side = lead(rows, &n_led);
    size_t *at_place = rows_by_place(rows, side, n_led, &n_places);
    bool *placed = calloc(rows->n + 1, sizeof(*placed));
    struct chain chain = {.next = calloc(rows->n + 1, sizeof(size_t)),
                          .head = none,
                          .tail = none};

    if (!placed || !chain.next || !at_place) {
        free(placed);
        free(chain.next);
        free(at_place);
        return WEIR_NOMEM;
    }
    chain.next[none] = none;
    for (size_t i = 0; i < n_places; i++) {
        if (at_place[i] != none) {
            insert_after(&chain, chain.tail, at_place[i]);
            placed[at_place[i]] = true;
        }
    }
    /* What the leading side removed may yet stay, by decision: it keeps its
     * place behind what stood before it in base. */
    for (size_t i = 0; i < rows->n; i++) {
        if (placed[i])
            continue;
        if (i >= rows->n_base)
            insert_after(&chain, chain.tail, i);
        else
            insert_after(&chain, i ? i - 1 : chain.head, i);
    }
    free(placed);
    free(at_place);
    *first = chain.next[none];
    *next = chain.next;
    return WEIR_OK;
}

/* ---- rules ---- */

static bool is(const char *name, const char *key, size_t len)
{
    return strlen(name) == len && memcmp(name, key, len) == 0;
}

const struct weir_etag_list *
weir_merge_list(const struct weir_etag_rules *rules, const char *key,
                size_t len)
{
    for (size_t i = 0; rules && i < rules->n_lists; i++) {
        if (is(rules->lists[i].field, key, len))
            return &rules->lists[i];
    }
    return NULL;
}

bool weir_merge_is_server_field(const struct weir_etag_rules *rules,
                                const char *key, size_t len)
{
    for (size_t i = 0; rules && i < rules->n_server_fields; i++) {
        if (is(rules->server_fields[i], key, len))
            return true;
    }
    return false;
}
