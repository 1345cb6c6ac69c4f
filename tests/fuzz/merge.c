/*
 * merge: what only one side changed is kept, what both changed is reported,
 * and nothing else is.
 *
 * Parts: base, mine, theirs; one byte before them says where lists merge
 * element by element.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "weir/etag.h"

static const char *const server_fields[] = {"id", "etag"};
static const char *const matcher_keys[] = {"attribute", "operator"};
static const char *const rule_keys[] = {"type"};
static const struct weir_etag_list lists[] = {{"matchers", matcher_keys, 2},
                                              {"rules", rule_keys, 1}};
static const struct weir_etag_rules all_rules = {server_fields, 2, lists, 2};
static const struct weir_etag_rules no_rules;

struct sides {
    const struct weir_etag_rules *rules;
    const struct weir_json *base, *mine, *theirs;
};

static enum weir_code merge(const struct sides *s, enum weir_etag_policy policy,
                            struct weir_json **merged,
                            struct weir_json **report)
{
    struct weir_etag_merging merging = {.rules = s->rules, .policy = policy};
    struct weir_err err = WEIR_ERR_INIT;
    enum weir_code code = weir_etag_merge(s->base, s->mine, s->theirs, &merging,
                                          merged, report, &err);

    if (code)
        fuzz_check_err(&err, code);
    return code;
}

static bool is_servers(const struct sides *s, const char *key, size_t len)
{
    for (size_t i = 0; i < s->rules->n_server_fields; i++) {
        const char *field = s->rules->server_fields[i];

        if (strlen(field) == len && memcmp(field, key, len) == 0)
            return true;
    }
    return false;
}

/* Absent equals absent. */
static bool same(const struct weir_json *a, const struct weir_json *b)
{
    return a == b || (a && b && weir_json_equal(a, b));
}

/* ---- three sides of which two are the same ---- */

/* Equal but for the server's fields, which are those of `theirs`. */
static void check_is(const struct sides *s, const struct weir_json *expected)
{
    struct weir_json *merged = NULL, *report = NULL;
    const struct weir_json *m;
    size_t servers = 0, len;

    FUZZ_CHECK(merge(s, WEIR_ETAG_FAIL, &merged, &report) == WEIR_OK);
    FUZZ_CHECK(weir_json_size(weir_json_get(report, "conflicts")) == 0);
    for (m = weir_json_first(merged); m; m = weir_json_next(m)) {
        const char *key = weir_json_key(m, &len);
        bool server = is_servers(s, key, len);
        const struct weir_json *from = server ? s->theirs : expected;

        servers += server;
        FUZZ_CHECK(same(m, weir_json_get_len(from, key, len)));
    }
    for (m = weir_json_first(expected); m; m = weir_json_next(m)) {
        const char *key = weir_json_key(m, &len);

        if (!is_servers(s, key, len))
            servers++;
    }
    FUZZ_CHECK(weir_json_size(merged) == servers);
    weir_json_free(merged);
    weir_json_free(report);
}

static void check_identities(const struct sides *s)
{
    const struct weir_json *b = s->base, *m = s->mine, *t = s->theirs;

    check_is(&(struct sides){s->rules, b, b, b}, b);
    check_is(&(struct sides){s->rules, b, m, b}, m);
    check_is(&(struct sides){s->rules, b, b, t}, t);
    check_is(&(struct sides){s->rules, b, m, m}, m);
}

/* ---- the report ---- */

static void check_paths(const struct weir_json *list)
{
    const struct weir_json *path = weir_json_first(list);
    size_t len;

    FUZZ_CHECK(weir_json_is(list, WEIR_JSON_ARRAY));
    for (; path; path = weir_json_next(path)) {
        const char *text = weir_json_string(path, &len);

        FUZZ_CHECK(text && len > 0 && fuzz_is_pointer(text, len));
    }
}

static size_t check_report(const struct weir_json *report)
{
    const struct weir_json *conflicts = weir_json_get(report, "conflicts");
    const struct weir_json *c = weir_json_first(conflicts);
    size_t len;

    check_paths(weir_json_get(report, "mine"));
    check_paths(weir_json_get(report, "theirs"));
    check_paths(weir_json_get(report, "same"));
    for (; c; c = weir_json_next(c)) {
        const struct weir_json *mine = weir_json_get(c, "mine");
        const struct weir_json *theirs = weir_json_get(c, "theirs");
        const char *path = weir_json_string(weir_json_get(c, "path"), &len);

        FUZZ_CHECK(path && fuzz_is_pointer(path, len));
        /* Different from each other, and each from the base. */
        FUZZ_CHECK(!same(mine, theirs));
        FUZZ_CHECK(!same(mine, weir_json_get(c, "base")));
        FUZZ_CHECK(!same(theirs, weir_json_get(c, "base")));
    }
    return weir_json_size(conflicts);
}

/* ---- member by member ---- */

static void check_member(const struct sides *s, const struct weir_json *merged,
                         const char *key, size_t len)
{
    const struct weir_json *b = weir_json_get_len(s->base, key, len);
    const struct weir_json *m = weir_json_get_len(s->mine, key, len);
    const struct weir_json *t = weir_json_get_len(s->theirs, key, len);
    const struct weir_json *got = weir_json_get_len(merged, key, len);

    if (is_servers(s, key, len))
        FUZZ_CHECK(same(got, t));
    else if (same(b, m))
        FUZZ_CHECK(same(got, t));
    else if (same(b, t) || same(m, t))
        FUZZ_CHECK(same(got, m));
    /* Both changed it; a value is there unless a side took it away. */
    else if (m && t)
        FUZZ_CHECK(got);
}

static void check_members(const struct sides *s, const struct weir_json *merged)
{
    const struct weir_json *of[] = {s->base, s->mine, s->theirs, merged};

    for (size_t i = 0; i < 4; i++) {
        const struct weir_json *m = weir_json_first(of[i]);

        for (; m; m = weir_json_next(m)) {
            size_t len;
            const char *key = weir_json_key(m, &len);

            check_member(s, merged, key, len);
        }
    }
}

static void check_merge(const struct sides *s)
{
    struct weir_json *report = NULL, *merged = NULL, *mine = NULL;
    struct weir_json *theirs = NULL, *back = NULL, *back_report = NULL;
    struct sides swapped = {s->rules, s->base, s->theirs, s->mine};
    enum weir_code code = merge(s, WEIR_ETAG_FAIL, &merged, &report);
    size_t conflicts = check_report(report);

    FUZZ_CHECK(code == (conflicts ? WEIR_CONFLICT : WEIR_OK));
    FUZZ_CHECK((merged == NULL) == (code != WEIR_OK));
    FUZZ_CHECK(merge(s, WEIR_ETAG_MINE, &mine, NULL) == WEIR_OK);
    FUZZ_CHECK(merge(s, WEIR_ETAG_THEIRS, &theirs, NULL) == WEIR_OK);
    check_members(s, mine);
    check_members(s, theirs);
    if (merged) {
        /* Nothing was in conflict, so no policy decides anything. */
        FUZZ_CHECK(weir_json_equal(merged, mine));
        FUZZ_CHECK(weir_json_equal(merged, theirs));
    }
    /* The other way round, the same is in conflict. */
    merge(&swapped, WEIR_ETAG_FAIL, &back, &back_report);
    FUZZ_CHECK(check_report(back_report) == conflicts);
    FUZZ_CHECK(weir_json_size(weir_json_get(back_report, "mine")) ==
               weir_json_size(weir_json_get(report, "theirs")));
    weir_json_free(report);
    weir_json_free(merged);
    weir_json_free(mine);
    weir_json_free(theirs);
    weir_json_free(back);
    weir_json_free(back_report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_text rest = {(const char *)data, size}, part;
    struct sides s = {.rules = fuzz_byte(&rest) & 1 ? &all_rules : &no_rules};
    struct weir_json *json[3] = {NULL, NULL, NULL};
    bool objects = true;

    for (size_t i = 0; i < 3; i++) {
        if (fuzz_part(&rest, &part))
            json[i] = fuzz_json(part);
        objects &= weir_json_is(json[i], WEIR_JSON_OBJECT);
    }
    s.base = json[0];
    s.mine = json[1];
    s.theirs = json[2];
    if (objects) {
        check_identities(&s);
        check_merge(&s);
    }
    for (size_t i = 0; i < 3; i++)
        weir_json_free(json[i]);
    return 0;
}
