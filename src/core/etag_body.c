/* etag: what of a state an update compares and sends. */
#include <stdlib.h>

#include "json_internal.h"
#include "merge_internal.h"

/* The members of a state that are not the server's, in the order of their
 * keys; most states have no more than FEW. */
#define FEW 32
/* Room for the text of most, in one piece. */
#define USUAL 960
struct members {
    const struct weir_json *few[FEW];
    const struct weir_json **list; /* `few`, or memory */
    size_t n;
};

static bool members_init(struct members *m, const struct weir_etag_rules *rules,
                         const struct weir_json *state)
{
    size_t n = weir_json_size(state);

    m->n = 0;
    m->list = weir_json_sorted(state, m->few, FEW);
    for (size_t i = 0; m->list && i < n; i++) {
        size_t len;
        const char *key = weir_json_key(m->list[i], &len);

        if (!weir_merge_is_server_field(rules, key, len))
            m->list[m->n++] = m->list[i];
    }
    return m->list != NULL;
}

static void members_fini(struct members *m)
{
    if (m->list != m->few)
        free(m->list);
}

static bool is_same_member(const struct weir_json *a, const struct weir_json *b)
{
    size_t a_len, b_len;
    const char *a_key = weir_json_key(a, &a_len);
    const char *b_key = weir_json_key(b, &b_len);

    return weir_json_key_order(a_key, a_len, b_key, b_len) == 0 &&
           weir_json_equal(a, b);
}

enum weir_code weir_etag_same(const struct weir_etag_rules *rules,
                              const struct weir_json *one,
                              const struct weir_json *other, bool *same)
{
    struct members a, b;
    bool ready = members_init(&a, rules, one);

    ready = members_init(&b, rules, other) && ready;
    *same = ready && a.n == b.n;
    for (size_t i = 0; *same && i < a.n; i++)
        *same = is_same_member(a.list[i], b.list[i]);
    members_fini(&a);
    members_fini(&b);
    return ready ? WEIR_OK : WEIR_NOMEM;
}

enum weir_code weir_etag_write(const struct weir_etag_rules *rules,
                               const struct weir_json *state,
                               struct weir_buf *body, struct weir_err *err)
{
    struct weir_json_writer writer;
    struct weir_sink sink;
    struct members m;
    enum weir_code code;

    if (!members_init(&m, rules, state))
        return weir_err_nomem(err);
    weir_buf_reset(body);
    weir_buf_reserve(body, USUAL);
    weir_json_writer_init(&writer, body, 0, &sink);
    code = sink.begin_object(sink.ud, err);
    for (size_t i = 0; i < m.n && !code; i++) {
        size_t len;
        const char *key = weir_json_key(m.list[i], &len);

        code = sink.key(sink.ud, key, len, err);
        if (!code)
            code = weir_json_emit(m.list[i], &sink, err);
    }
    members_fini(&m);
    return code ? code : sink.end_object(sink.ud, err);
}
