/* The check of a definition: every fault in one pass. */
#include <stdio.h>
#include <string.h>

#include "filter_internal.h"

static const char *const filter_keys[] = {
    "name",          "description",     "channel", "matchers",
    "pattern_rules", "target_group_id", NULL};
static const char *const matcher_keys[] = {"attribute", "operator", "value",
                                           NULL};
static const char *const rule_keys[] = {"type", "field", "pattern", NULL};

/* Words of other languages, which no edit distance would find. */
static const struct {
    const char *word, *hint;
} foreign_words[] = {
    {"=", "did you mean 'equals'?"},
    {"==", "did you mean 'equals'?"},
    {"eq", "did you mean 'equals'?"},
    {"is", "did you mean 'equals'?"},
    {"!=", "did you mean 'not_equals'?"},
    {"~=", "did you mean 'not_equals'?"},
    {"ne", "did you mean 'not_equals'?"},
    {">", "did you mean 'greater_than'?"},
    {"gt", "did you mean 'greater_than'?"},
    {"<", "did you mean 'less_than'?"},
    {"lt", "did you mean 'less_than'?"},
    {"one_of", "did you mean 'in'?"},
    {"any_of", "did you mean 'in'?"},
    {"regex", "that is a pattern rule: put it into pattern_rules"},
    {"matches", "a regex is a pattern rule: put it into pattern_rules"},
    {"cidr", "that is a pattern rule: put it into pattern_rules"},
    {"prefix", "that is a pattern rule: put it into pattern_rules"},
    {"starts_with", "a prefix is a pattern rule: put it into pattern_rules"},
};

static bool is_one_of(const char *word, size_t len, const char *const *words)
{
    for (; *words; words++) {
        if (strlen(*words) == len && memcmp(*words, word, len) == 0)
            return true;
    }
    return false;
}

static const char *type_name(const struct weir_json *json)
{
    return weir_json_type_name(weir_json_type(json));
}

/* The member if it is there; else the problem that it is not. */
static const struct weir_json *required(struct filter_check *check,
                                        const struct weir_json *object,
                                        const char *key, const char *hint)
{
    const struct weir_json *member = weir_json_get(object, key);

    if (!member) {
        filter_enter(check, key, strlen(key));

        filter_problem(check, hint, "is required");
        filter_leave(check);
    }
    return member;
}

static void check_keys(struct filter_check *check,
                       const struct weir_json *object, const char *what,
                       const char *const *keys,
                       const char *const *server_fields)
{
    const struct weir_json *member = weir_json_first(object);

    for (; member; member = weir_json_next(member)) {
        size_t len;
        const char *key = weir_json_key(member, &len);

        if (is_one_of(key, len, keys))
            continue;
        filter_enter(check, key, len);
        if (server_fields && is_one_of(key, len, server_fields))
            filter_problem(check, NULL, "the server sets it: leave it out");
        else
            filter_unknown_word(check, what, key, len, keys);
        filter_leave(check);
    }
}

/* ---- the plain fields ---- */

static void check_string(struct filter_check *check,
                         const struct weir_json *json, size_t max, bool prose)
{
    size_t len = 0;
    const char *text = weir_json_string(json, &len);

    if (!text)
        filter_problem(check, NULL, "must be a string, not %s",
                       type_name(json));
    else if (len == 0 && !prose)
        filter_problem(check, NULL, "must not be empty");
    else if (len > max)
        filter_problem(check, NULL, "has %zu bytes; at most %zu are allowed",
                       len, max);
    else if (filter_has_control(text, len, prose ? "\n\t" : ""))
        filter_problem(check, NULL, "has a control character");
}

static void check_string_field(struct filter_check *check,
                               const struct weir_json *definition,
                               const char *key, size_t max, bool optional)
{
    const struct weir_json *json = optional
                                       ? weir_json_get(definition, key)
                                       : required(check, definition, key, NULL);

    if (!json)
        return;
    filter_enter(check, key, strlen(key));
    check_string(check, json, max, optional);
    filter_leave(check);
}

/* A word of `words` at `key`: its place in the list, or -1. */
static int check_word(struct filter_check *check,
                      const struct weir_json *object, const char *key,
                      const char *const *words)
{
    const struct weir_json *json = required(check, object, key, NULL);
    size_t len = 0;
    const char *word;
    int found = -1;

    if (!json)
        return -1;
    filter_enter(check, key, strlen(key));
    word = weir_json_string(json, &len);
    for (int i = 0; word && words[i] && found < 0; i++) {
        if (strlen(words[i]) == len && memcmp(words[i], word, len) == 0)
            found = i;
    }
    if (!word)
        filter_problem(check, NULL, "must be a string, not %s",
                       type_name(json));
    else if (found < 0)
        filter_unknown_word(check, key, word, len, words);
    filter_leave(check);
    return found;
}

/* ---- matchers and rules ---- */

static bool check_object(struct filter_check *check,
                         const struct weir_json *json, const char *what,
                         const char *const *keys)
{
    if (!weir_json_is(json, WEIR_JSON_OBJECT)) {
        filter_problem(check, NULL, "a %s must be an object, not %s", what,
                       type_name(json));
        return false;
    }
    check_keys(check, json, "field", keys, NULL);
    return true;
}

/* Known to be no operator: is it one of another language? */
static const char *foreign_hint(const struct weir_json *matcher)
{
    const char *word = weir_json_get_string(matcher, "operator");
    size_t n = sizeof(foreign_words) / sizeof(*foreign_words);

    for (size_t i = 0; word && i < n; i++) {
        if (strcmp(word, foreign_words[i].word) == 0)
            return foreign_words[i].hint;
    }
    return NULL;
}

static void hint_operator(struct filter_check *check,
                          const struct weir_json *matcher)
{
    struct weir_filter_problems *problems = check->problems;
    const char *hint = foreign_hint(matcher);
    struct weir_filter_problem *last;

    if (!hint || problems->n == 0 || check->found >= FILTER_MAX_PROBLEMS)
        return;
    last = &problems->list[problems->n - 1];
    snprintf(last->hint, sizeof(last->hint), "%s", hint);
}

static void check_matcher(struct filter_check *check,
                          const struct weir_json *matcher)
{
    const struct weir_json *part;
    int op;

    if (!check_object(check, matcher, "matcher", matcher_keys))
        return;
    part = required(check, matcher, "attribute", NULL);
    if (part) {
        filter_enter(check, "attribute", 9);

        filter_check_path(check, part);
        filter_leave(check);
    }
    op = check_word(check, matcher, "operator", weir_filter_operators());
    if (op < 0)
        hint_operator(check, matcher);
    part = required(check, matcher, "value",
                    "where null is meant, write weir.null");
    if (part && op >= 0) {
        filter_enter(check, "value", 5);

        filter_check_value(check, (enum weir_filter_operator)op, part);
        filter_leave(check);
    }
}

static void check_rule(struct filter_check *check, const struct weir_json *rule)
{
    const struct weir_json *part;
    int type;

    if (!check_object(check, rule, "pattern rule", rule_keys))
        return;
    type = check_word(check, rule, "type", weir_filter_rule_types());
    part = required(check, rule, "field", NULL);
    if (part) {
        filter_enter(check, "field", 5);

        filter_check_path(check, part);
        filter_leave(check);
    }
    part = required(check, rule, "pattern", NULL);
    if (part && type >= 0) {
        filter_enter(check, "pattern", 7);

        filter_check_pattern(check, (enum weir_filter_rule_type)type, part);
        filter_leave(check);
    }
}

static void check_list(struct filter_check *check,
                       const struct weir_json *definition, const char *key,
                       size_t max,
                       void (*each)(struct filter_check *check,
                                    const struct weir_json *element))
{
    const struct weir_json *list = weir_json_get(definition, key), *element;

    if (!list)
        return;
    filter_enter(check, key, strlen(key));
    if (!weir_json_is(list, WEIR_JSON_ARRAY))
        filter_problem(check, NULL, "must be an array, not %s",
                       type_name(list));
    else if (weir_json_size(list) > max)
        filter_problem(check, NULL, "has %zu elements; at most %zu are allowed",
                       weir_json_size(list), max);
    if (!weir_json_is(list, WEIR_JSON_ARRAY))
        list = NULL; /* an object has elements of another kind */
    element = weir_json_first(list);
    for (size_t i = 0; element; i++, element = weir_json_next(element)) {
        filter_enter_index(check, i);

        each(check, element);
        filter_leave(check);
    }
    filter_leave(check);
}

/* ---- the whole ---- */

static void check_filter(struct filter_check *check,
                         const struct weir_json *definition)
{
    const struct weir_filter_schema *schema = check->schema;

    check_string_field(check, definition, "name", schema->max_name, false);
    check_string_field(check, definition, "description",
                       schema->max_description, true);
    check_word(check, definition, "channel", schema->channels);
    check_list(check, definition, "matchers", schema->max_matchers,
               check_matcher);
    check_list(check, definition, "pattern_rules", schema->max_pattern_rules,
               check_rule);
    check_string_field(check, definition, "target_group_id", schema->max_value,
                       false);
    check_keys(check, definition, "field", filter_keys, schema->server_fields);
}

static enum weir_code summary(const struct filter_check *check, size_t first,
                              struct weir_err *err)
{
    const struct weir_filter_problem *problem = &check->problems->list[first];
    char more[48] = "";

    if (check->found > 1)
        snprintf(more, sizeof(more), " (and %zu more)", check->found - 1);
    weir_err_set(err, WEIR_VALIDATION, "%s%s%s%s", problem->path,
                 problem->path[0] ? ": " : "", problem->message, more);
    weir_err_hint(err, "%s", problem->hint);
    return WEIR_VALIDATION;
}

enum weir_code weir_filter_check(const struct weir_json *definition,
                                 const struct weir_filter_schema *schema,
                                 struct weir_filter_problems *problems,
                                 struct weir_err *err)
{
    struct filter_check check = {
        .schema = schema, .problems = problems, .err = err};
    size_t first = problems->n;

    if (weir_json_is(definition, WEIR_JSON_OBJECT))
        check_filter(&check, definition);
    else
        filter_problem(&check, NULL, "a filter must be an object, not %s",
                       type_name(definition));
    if (check.failed)
        return check.failed;
    return check.found ? summary(&check, first, err) : WEIR_OK;
}
