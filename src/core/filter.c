#include "weir/filter.h"

#include <stdlib.h>
#include <string.h>

struct weir_filter {
    struct weir_json *definition;
};

static const char *const operators[] = {[WEIR_FILTER_EQUALS] = "equals",
                                        [WEIR_FILTER_NOT_EQUALS] = "not_equals",
                                        [WEIR_FILTER_GREATER_THAN] =
                                            "greater_than",
                                        [WEIR_FILTER_LESS_THAN] = "less_than",
                                        [WEIR_FILTER_CONTAINS] = "contains",
                                        [WEIR_FILTER_IN] = "in",
                                        NULL};
static const char *const rule_types[] = {[WEIR_FILTER_REGEX] = "regex",
                                         [WEIR_FILTER_CIDR] = "cidr",
                                         [WEIR_FILTER_PREFIX] = "prefix",
                                         NULL};

const char *const *weir_filter_operators(void)
{
    return operators;
}

const char *const *weir_filter_rule_types(void)
{
    return rule_types;
}

static int find(const char *word, const char *const *words)
{
    for (int i = 0; words[i]; i++) {
        if (strcmp(words[i], word) == 0)
            return i;
    }
    return -1;
}

int weir_filter_operator(const char *word)
{
    return find(word, operators);
}

int weir_filter_rule_type(const char *word)
{
    return find(word, rule_types);
}

enum weir_code weir_filter_new(struct weir_json *definition,
                               const struct weir_filter_schema *schema,
                               struct weir_filter **out,
                               struct weir_filter_problems *problems,
                               struct weir_err *err)
{
    struct weir_filter_problems own = {0};
    enum weir_code code =
        weir_filter_check(definition, schema, problems ? problems : &own, err);

    weir_filter_problems_fini(&own);
    return code ? code : weir_filter_again(definition, out, err);
}

enum weir_code weir_filter_again(struct weir_json *definition,
                                 struct weir_filter **out, struct weir_err *err)
{
    struct weir_filter *filter = calloc(1, sizeof(*filter));

    if (!filter)
        return weir_err_nomem(err);
    filter->definition = definition;
    *out = filter;
    return WEIR_OK;
}

void weir_filter_free(struct weir_filter *filter)
{
    if (!filter)
        return;
    weir_json_free(filter->definition);
    free(filter);
}

const struct weir_json *weir_filter_definition(const struct weir_filter *f)
{
    return f->definition;
}

const char *weir_filter_name(const struct weir_filter *filter)
{
    return weir_json_get_string(filter->definition, "name");
}

/* An empty list and none are the same definition; only the two list fields
 * of a checked filter can be arrays. */
static bool says_something(const struct weir_json *member)
{
    return !weir_json_is(member, WEIR_JSON_ARRAY) || weir_json_size(member) > 0;
}

/* Whether every member of `a` that says something is in `b` too. */
static bool within(const struct weir_json *a, const struct weir_json *b)
{
    const struct weir_json *member = weir_json_first(a);

    for (; member; member = weir_json_next(member)) {
        size_t len;
        const char *key = weir_json_key(member, &len);
        const struct weir_json *other = weir_json_get_len(b, key, len);

        if (says_something(member) &&
            (!other || !weir_json_equal(member, other)))
            return false;
    }
    return true;
}

bool weir_filter_equal(const struct weir_filter *a, const struct weir_filter *b)
{
    return within(a->definition, b->definition) &&
           within(b->definition, a->definition);
}
