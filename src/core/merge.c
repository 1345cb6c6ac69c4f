#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "merge_internal.h"
#include "weir/cut.h"

/* The merge walks three documents at once and drives a builder: every value
 * is written once, so that a long document costs no more than its length.
 * It goes on after a conflict, to name all of them. */

/* Paths of a report together, and one path. */
#define REPORT_MAX     ((size_t)16 << 20)
#define PATH_MAX_BYTES ((size_t)1 << 20)
/* Conflicts named in the message; the detail has all. */
#define NAMED 4

struct merge {
    const struct weir_etag_rules *rules;
    enum weir_etag_policy policy;
    const struct weir_json *choices;
    const struct weir_json *choice; /* where the last search ended */
    const struct weir_sink *sink;
    struct weir_buf path;
    size_t reported; /* bytes of paths so far */
    struct weir_json *mine, *theirs, *same, *conflicts; /* the report */
    size_t undecided;
    struct weir_buf named; /* undecided paths, for the message */
    /* The element of a list that is being merged, and its rule. */
    const struct weir_etag_list *list;
    const struct weir_json *element;
    struct weir_err *err;
};

static enum weir_code merge_value(struct merge *m, const struct merge_row *row,
                                  const char *key, size_t key_len,
                                  unsigned depth);

/* ---- the path ---- */

static enum weir_code path_push(struct merge *m, const char *key, size_t len)
{
    weir_buf_addc(&m->path, '/');
    for (size_t i = 0; i < len; i++) {
        if (key[i] == '~')
            weir_buf_adds(&m->path, "~0");
        else if (key[i] == '/')
            weir_buf_adds(&m->path, "~1");
        else
            weir_buf_addc(&m->path, key[i]);
    }
    return weir_buf_err(&m->path, "a path in the merge", m->err);
}

static enum weir_code path_push_index(struct merge *m, size_t index)
{
    weir_buf_addf(&m->path, "/%zu", index);
    return weir_buf_err(&m->path, "a path in the merge", m->err);
}

static void path_pop(struct merge *m, size_t len)
{
    m->path.len = len;
    if (m->path.data)
        m->path.data[len] = '\0';
}

/* ---- the report ---- */

static struct weir_json *path_value(const struct merge *m)
{
    return weir_json_new_string(weir_buf_str(&m->path), m->path.len);
}

static enum weir_code count_path(struct merge *m)
{
    m->reported += m->path.len + 1;
    if (m->reported > REPORT_MAX)
        return weir_err_set(m->err, WEIR_LIMIT,
                            "the report of the merge is over its ceiling of "
                            "%zu bytes of paths",
                            REPORT_MAX);
    return WEIR_OK;
}

static enum weir_code report(struct merge *m, struct weir_json *list)
{
    if (count_path(m))
        return WEIR_LIMIT;
    if (weir_json_append(list, path_value(m)))
        return weir_err_nomem(m->err);
    return WEIR_OK;
}

/* The keys that make the element in question, so that a reader need not
 * count. */
static struct weir_json *identity(const struct merge *m)
{
    struct weir_json *out = weir_json_new_object();

    for (size_t i = 0; out && i < m->list->n_keys; i++) {
        const char *key = m->list->keys[i];

        if (weir_json_set(out, key,
                          weir_json_copy(weir_json_get(m->element, key)))) {
            weir_json_free(out);
            return NULL;
        }
    }
    return out;
}

static enum weir_code report_conflict(struct merge *m,
                                      const struct merge_row *row)
{
    static const char *const names[SIDES] = {"base", "mine", "theirs"};
    struct weir_json *conflict = weir_json_new_object();
    enum weir_code code;

    if (!conflict)
        return weir_err_nomem(m->err);
    code = weir_json_set(conflict, "path", path_value(m));
    for (int side = 0; side < SIDES && !code; side++) {
        if (row->at[side])
            code = weir_json_set(conflict, names[side],
                                 weir_json_copy(row->at[side]));
    }
    if (!code && m->element)
        code = weir_json_set(conflict, "element", identity(m));
    if (code) {
        weir_json_free(conflict);
        return weir_err_nomem(m->err);
    }
    if (weir_json_append(m->conflicts, conflict))
        return weir_err_nomem(m->err);
    return count_path(m);
}

/* ---- one value ---- */

/* Writes a value, with its key inside an object; an absent one is not
 * written. */
static enum weir_code put(struct merge *m, const char *key, size_t key_len,
                          const struct weir_json *value)
{
    enum weir_code code = WEIR_OK;

    if (!value)
        return WEIR_OK;
    if (key)
        code = m->sink->key(m->sink->ud, key, key_len, m->err);
    return code ? code : weir_json_emit(value, m->sink, m->err);
}

/* The choice made for the current path.  The search goes on where the last
 * one ended, since choices come in the order of the conflicts they answer. */
static const struct weir_json *find_choice(struct merge *m)
{
    size_t n = weir_json_size(m->choices);

    for (size_t i = 0; i < n; i++) {
        const struct weir_json *path;
        const char *text;
        size_t len;

        m->choice = m->choice ? weir_json_next(m->choice) : NULL;
        if (!m->choice)
            m->choice = weir_json_first(m->choices);
        path = weir_json_get(m->choice, "path");
        text = weir_json_string(path, &len);
        if (text && len == m->path.len &&
            memcmp(text, weir_buf_str(&m->path), len) == 0)
            return m->choice;
    }
    return NULL;
}

static void name_undecided(struct merge *m)
{
    if (m->undecided++ < NAMED)
        weir_buf_addf(&m->named, "%s%s", m->undecided > 1 ? ", " : "",
                      WEIR_CUT(100, weir_buf_str(&m->path)));
}

static enum weir_code conflict(struct merge *m, const struct merge_row *row,
                               const char *key, size_t key_len)
{
    enum weir_code code = report_conflict(m, row);
    const struct weir_json *choice;

    if (code)
        return code;
    choice = find_choice(m);
    if (choice)
        return put(m, key, key_len, weir_json_get(choice, "value"));
    if (m->policy == WEIR_ETAG_MINE)
        return put(m, key, key_len, row->at[MINE]);
    if (m->policy != WEIR_ETAG_THEIRS)
        name_undecided(m);
    return put(m, key, key_len, row->at[THEIRS]);
}

static bool same(const struct weir_json *a, const struct weir_json *b)
{
    if (!a || !b)
        return a == b;
    return weir_json_equal(a, b);
}

/* A value that is not taken apart. */
static enum weir_code merge_whole(struct merge *m, const struct merge_row *row,
                                  const char *key, size_t key_len)
{
    bool mine = !same(row->at[BASE], row->at[MINE]);
    bool theirs = !same(row->at[BASE], row->at[THEIRS]);
    enum weir_code code = WEIR_OK;

    if (mine && !theirs) {
        code = report(m, m->mine);
        return code ? code : put(m, key, key_len, row->at[MINE]);
    }
    if (mine && !same(row->at[MINE], row->at[THEIRS]))
        return conflict(m, row, key, key_len);
    if (theirs)
        code = report(m, mine ? m->same : m->theirs);
    return code ? code : put(m, key, key_len, row->at[THEIRS]);
}

/* ---- objects ---- */

static enum weir_code merge_member(struct merge *m, const struct merge_row *row,
                                   unsigned depth)
{
    const struct weir_json *any = row->at[BASE]   ? row->at[BASE]
                                  : row->at[MINE] ? row->at[MINE]
                                                  : row->at[THEIRS];
    size_t key_len, path_len = m->path.len;
    const char *key = weir_json_key(any, &key_len);
    enum weir_code code;

    if (depth == 0 && weir_merge_is_server_field(m->rules, key, key_len))
        return put(m, key, key_len, row->at[THEIRS]);
    code = path_push(m, key, key_len);
    if (!code)
        code = merge_value(m, row, key, key_len, depth + 1);
    path_pop(m, path_len);
    return code;
}

static enum weir_code merge_object(struct merge *m, const struct merge_row *row,
                                   unsigned depth)
{
    struct merge_rows rows;
    enum weir_code code = weir_merge_members(row->at, &rows);

    if (code == WEIR_INVALID)
        return weir_err_set(m->err, code, "an object at '%s' has a key twice",
                            WEIR_CUT(100, weir_buf_str(&m->path)));
    if (code)
        return weir_err_nomem(m->err);
    code = m->sink->begin_object(m->sink->ud, m->err);
    for (size_t i = 0; i < rows.n && !code; i++)
        code = merge_member(m, &rows.row[i], depth);
    free(rows.row);
    return code ? code : m->sink->end_object(m->sink->ud, m->err);
}

/* ---- lists ---- */

static enum weir_code merge_element(struct merge *m,
                                    const struct merge_rows *rows, size_t index,
                                    unsigned depth)
{
    const struct merge_row *row = &rows->row[index];
    size_t path_len = m->path.len;
    enum weir_code code = path_push_index(m, index);

    m->element = row->at[BASE]   ? row->at[BASE]
                 : row->at[MINE] ? row->at[MINE]
                                 : row->at[THEIRS];
    if (!code)
        code = merge_value(m, row, NULL, 0, depth + 1);
    m->element = NULL;
    path_pop(m, path_len);
    return code;
}

/* Merges a list element by element; sets `*done` if it could. */
static enum weir_code merge_list(struct merge *m, const struct merge_row *row,
                                 const char *key, size_t key_len,
                                 unsigned depth, bool *done)
{
    struct merge_rows rows;
    size_t first, *next;
    enum weir_code code;

    m->list = weir_merge_list(m->rules, key, key_len);
    if (!m->list)
        return WEIR_OK;
    code = weir_merge_elements(row->at, m->list, &rows);
    if (code == WEIR_INVALID)
        return WEIR_OK; /* no obvious identity: as a whole */
    if (code)
        return weir_err_nomem(m->err);
    if (weir_merge_order(&rows, &first, &next)) {
        free(rows.row);
        return weir_err_nomem(m->err);
    }
    *done = true;
    code = m->sink->key(m->sink->ud, key, key_len, m->err);
    if (!code)
        code = m->sink->begin_array(m->sink->ud, m->err);
    for (size_t i = first; i < rows.n && !code; i = next[i])
        code = merge_element(m, &rows, i, depth);
    free(next);
    free(rows.row);
    return code ? code : m->sink->end_array(m->sink->ud, m->err);
}

/* True if both sides have that type, and base has it or nothing. */
static bool all_are(const struct merge_row *row, enum weir_json_type type)
{
    return weir_json_is(row->at[MINE], type) &&
           weir_json_is(row->at[THEIRS], type) &&
           (!row->at[BASE] || weir_json_is(row->at[BASE], type));
}

static enum weir_code merge_value(struct merge *m, const struct merge_row *row,
                                  const char *key, size_t key_len,
                                  unsigned depth)
{
    enum weir_code code;
    bool done = false;

    if (depth > WEIR_VALUE_MAX_DEPTH)
        return weir_err_set(m->err, WEIR_LIMIT,
                            "a document to merge is nested deeper than %d",
                            WEIR_VALUE_MAX_DEPTH);
    if (all_are(row, WEIR_JSON_OBJECT)) {
        code = key ? m->sink->key(m->sink->ud, key, key_len, m->err) : WEIR_OK;
        return code ? code : merge_object(m, row, depth);
    }
    /* Lists with a rule are members of the document itself. */
    if (depth == 1 && all_are(row, WEIR_JSON_ARRAY)) {
        code = merge_list(m, row, key, key_len, depth, &done);
        if (code || done)
            return code;
    }
    return merge_whole(m, row, key, key_len);
}

/* ---- the whole ---- */

/* Says which fields need a decision, and hands all of them over as detail. */
static enum weir_code undecided(struct merge *m)
{
    struct weir_buf text;

    weir_buf_init(&text, REPORT_MAX);
    weir_err_set(m->err, WEIR_CONFLICT, "both sides changed %s",
                 weir_buf_str(&m->named));
    if (m->undecided > NAMED) {
        weir_err_append(m->err, " and %zu more", m->undecided - NAMED);
    }
    weir_err_hint(m->err, "decide each of them, or let one side win");
    if (!weir_json_write(m->conflicts, 0, &text, NULL))
        weir_err_detail(m->err, weir_buf_str(&text), text.len);
    weir_buf_fini(&text);
    return WEIR_CONFLICT;
}

/* Puts the lists of the report into one object, which takes them over. */
static enum weir_code make_report(struct merge *m, struct weir_json **out)
{
    struct weir_json *object = weir_json_new_object();
    enum weir_code code = object ? WEIR_OK : WEIR_NOMEM;

    struct {
        const char *name;
        struct weir_json **list;
    } part[] = {{"mine", &m->mine},
                {"theirs", &m->theirs},
                {"same", &m->same},
                {"conflicts", &m->conflicts}};

    for (size_t i = 0; i < sizeof(part) / sizeof(*part) && !code; i++) {
        code = weir_json_set(object, part[i].name, *part[i].list);
        *part[i].list = NULL;
    }
    if (code) {
        weir_json_free(object);
        return weir_err_nomem(m->err);
    }
    *out = object;
    return WEIR_OK;
}

static enum weir_code check_sides(const struct merge_row *root,
                                  struct weir_err *err)
{
    static const char *const names[SIDES] = {"base", "mine", "theirs"};

    for (int side = 0; side < SIDES; side++) {
        const struct weir_json *json = root->at[side];

        if (!weir_json_is(json, WEIR_JSON_OBJECT))
            return weir_err_set(
                err, WEIR_INVALID, "only objects can be merged, and %s is %s",
                names[side],
                json ? weir_json_type_name(weir_json_type(json)) : "absent");
    }
    return WEIR_OK;
}

static enum weir_code run(struct merge *m, const struct merge_row *root,
                          struct weir_json_builder *builder,
                          struct weir_json **merged, struct weir_json **report)
{
    enum weir_code code = merge_object(m, root, 0);
    struct weir_json *made = NULL;

    if (code)
        return code;
    if (m->undecided)
        code = undecided(m);
    if (report && make_report(m, &made))
        return WEIR_NOMEM;
    if (report)
        *report = made;
    if (!code)
        *merged = weir_json_builder_take(builder);
    return code;
}

enum weir_code weir_etag_merge(const struct weir_json *base,
                               const struct weir_json *mine,
                               const struct weir_json *theirs,
                               const struct weir_etag_merging *merging,
                               struct weir_json **merged,
                               struct weir_json **report, struct weir_err *err)
{
    const struct merge_row root = {.at = {base, mine, theirs}};
    struct weir_err own = WEIR_ERR_INIT;
    struct weir_json_builder *builder = NULL;
    struct merge m = {.err = &own};
    enum weir_code code = check_sides(&root, err);

    if (code)
        return code;
    if (merging) {
        m.rules = merging->rules;
        m.policy = merging->policy;
        m.choices = merging->choices;
    }
    weir_buf_init(&m.path, PATH_MAX_BYTES);
    weir_buf_init(&m.named, 1024);
    m.mine = weir_json_new_array();
    m.theirs = weir_json_new_array();
    m.same = weir_json_new_array();
    m.conflicts = weir_json_new_array();
    if (!m.mine || !m.theirs || !m.same || !m.conflicts ||
        weir_json_builder_new(&builder, NULL)) {
        code = weir_err_nomem(&own);
    } else {
        m.sink = weir_json_builder_sink(builder);
        code = run(&m, &root, builder, merged, report);
    }
    if (builder)
        weir_json_builder_free(builder);
    weir_json_free(m.mine);
    weir_json_free(m.theirs);
    weir_json_free(m.same);
    weir_json_free(m.conflicts);
    weir_buf_fini(&m.path);
    weir_buf_fini(&m.named);
    weir_err_move(err, &own);
    return code;
}
