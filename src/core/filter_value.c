/* The parts of a matcher or a pattern rule: path, value, pattern. */
#include <string.h>

#include "cidr.h"
#include "filter_internal.h"
#include "weir/regex.h"
#include "weir/value.h"

/* Of one regex; more would not be read. */
#define MAX_DIFFERENCES 16

/* ---- attribute and field ---- */

/* What is wrong with the path, or NULL. */
static const char *path_fault(const char *path, size_t len, size_t *names)
{
    size_t name_len = 0;

    *names = 1;
    for (size_t i = 0; i < len; i++) {
        if (path[i] == '.') {
            if (name_len == 0)
                return "has an empty name before a dot";
            name_len = 0;
            ++*names;
            continue;
        }
        name_len++;
        if (path[i] != '\\')
            continue;
        if (i + 1 == len)
            return "ends in a backslash";
        if (path[i + 1] != '.' && path[i + 1] != '\\')
            return "has a backslash that stands before neither a dot nor a "
                   "backslash";
        i++;
    }
    return name_len == 0 ? "ends in a dot" : NULL;
}

static bool check_text(struct filter_check *check, const struct weir_json *json,
                       const char **text, size_t *len)
{
    *text = weir_json_string(json, len);
    if (!*text) {
        filter_problem(check, NULL, "must be a string, not %s",
                       weir_json_type_name(weir_json_type(json)));
    } else if (*len == 0) {
        filter_problem(check, NULL, "must not be empty");
    } else if (*len > check->schema->max_value) {
        filter_problem(check, NULL, "has %zu bytes; at most %zu are allowed",
                       *len, check->schema->max_value);
    } else {
        return true;
    }
    return false;
}

void filter_check_path(struct filter_check *check, const struct weir_json *path)
{
    const char *text, *fault;
    size_t len, names;

    if (!check_text(check, path, &text, &len))
        return;
    fault = path_fault(text, len, &names);
    if (filter_has_control(text, len, ""))
        filter_problem(check, NULL, "has a control character");
    else if (fault)
        filter_problem(check,
                       "names are joined by dots: customer.tier; a dot in a "
                       "name is written \\.",
                       "%s", fault);
    else if (names > check->schema->max_path_depth)
        filter_problem(check, NULL, "has %zu names; at most %zu are allowed",
                       names, check->schema->max_path_depth);
}

/* ---- values ---- */

static bool is_scalar(const struct weir_json *json)
{
    return !weir_json_is(json, WEIR_JSON_ARRAY) &&
           !weir_json_is(json, WEIR_JSON_OBJECT);
}

static void check_scalar(struct filter_check *check,
                         const struct weir_json *value, const char *hint)
{
    size_t len = 0;

    if (!is_scalar(value))
        filter_problem(check, hint,
                       "must be a string, a number, a boolean or null, not %s",
                       weir_json_type_name(weir_json_type(value)));
    else if (weir_json_string(value, &len) && len > check->schema->max_value)
        filter_problem(check, NULL, "has %zu bytes; at most %zu are allowed",
                       len, check->schema->max_value);
}

static void check_number(struct filter_check *check,
                         const struct weir_json *value)
{
    size_t len = 0;
    const char *text = weir_json_string(value, &len);
    char shown[FILTER_SHOWN];

    if (weir_json_is(value, WEIR_JSON_NUMBER))
        return;
    if (!text)
        filter_problem(check, NULL,
                       "must be a number, or a string that is one, not %s",
                       weir_json_type_name(weir_json_type(value)));
    else if (len == 0 || weir_number_span(text, len) != len)
        filter_problem(check, NULL,
                       "must be a number, or a string that is one, not %s",
                       filter_show(shown, text, len));
    else if (len > check->schema->max_value)
        filter_problem(check, NULL, "has %zu bytes; at most %zu are allowed",
                       len, check->schema->max_value);
}

static void check_list(struct filter_check *check,
                       const struct weir_json *value)
{
    const struct weir_json *element = weir_json_first(value);
    size_t n = weir_json_size(value);

    /* An empty table of Lua may arrive as either. */
    if (!is_scalar(value) && n == 0) {
        filter_problem(check, NULL, "needs at least one value");
        return;
    }
    if (!weir_json_is(value, WEIR_JSON_ARRAY)) {
        filter_problem(check, "for one value use the operator 'equals'",
                       "must be an array of values, not %s",
                       weir_json_type_name(weir_json_type(value)));
        return;
    }
    if (n > check->schema->max_in_values)
        filter_problem(check, NULL, "has %zu values; at most %zu are allowed",
                       n, check->schema->max_in_values);
    for (size_t i = 0; element; i++, element = weir_json_next(element)) {
        filter_enter_index(check, i);

        check_scalar(check, element, NULL);
        filter_leave(check);
    }
}

void filter_check_value(struct filter_check *check,
                        enum weir_filter_operator op,
                        const struct weir_json *value)
{
    switch (op) {
    case WEIR_FILTER_GREATER_THAN:
    case WEIR_FILTER_LESS_THAN: check_number(check, value); break;
    case WEIR_FILTER_IN: check_list(check, value); break;
    case WEIR_FILTER_EQUALS:
        check_scalar(check, value,
                     weir_json_is(value, WEIR_JSON_ARRAY)
                         ? "for any of several values use the operator 'in'"
                         : NULL);
        break;
    case WEIR_FILTER_NOT_EQUALS:
    case WEIR_FILTER_CONTAINS: check_scalar(check, value, NULL); break;
    }
}

/* ---- patterns ---- */

/* Whether it is faultless; if not, its problems are reported. */
static bool compile_regex(struct filter_check *check, const char *pattern,
                          size_t len)
{
    struct weir_regex_difference d[MAX_DIFFERENCES];
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_regex *regex = NULL;
    size_t n;
    bool faultless;

    if (weir_regex_new(pattern, len, 0, &regex, &err) == WEIR_NOMEM)
        check->failed = weir_err_nomem(check->err);
    else if (err.code)
        filter_problem(check, NULL, "is no valid regex: %s", err.message);
    faultless = err.code == WEIR_OK;
    weir_regex_free(regex);
    weir_err_clear(&err);
    n = weir_regex_portable(pattern, len, d, MAX_DIFFERENCES);
    for (size_t i = 0; i < n && i < MAX_DIFFERENCES; i++) {
        if (d[i].warning)
            continue;
        faultless = false;
        filter_problem(check, NULL,
                       "is not portable to Python's re, at byte %zu: %s",
                       d[i].offset, d[i].message);
    }
    return faultless;
}

static void check_regex(struct filter_check *check, const char *pattern,
                        size_t len)
{
    struct weir_filter_known *known = check->schema->known_regexes;

    if (known && weir_filter_known_has(known, pattern, len))
        return;
    if (compile_regex(check, pattern, len) && known)
        weir_filter_known_add(known, pattern, len);
}

void filter_check_pattern(struct filter_check *check,
                          enum weir_filter_rule_type type,
                          const struct weir_json *pattern)
{
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_cidr block;
    const char *text;
    size_t len;

    if (!check_text(check, pattern, &text, &len))
        return;
    if (type == WEIR_FILTER_REGEX)
        check_regex(check, text, len);
    else if (type == WEIR_FILTER_CIDR &&
             weir_cidr_parse(text, len, &block, &err)) {
        char shown[FILTER_SHOWN];

        filter_problem(check, err.hint, "%s: %s", filter_show(shown, text, len),
                       err.message);
    }
    weir_err_clear(&err);
}
