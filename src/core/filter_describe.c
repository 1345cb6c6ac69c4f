/* A filter in one readable line. */
#include <string.h>

#include "excerpt.h"
#include "filter_internal.h"

/* Conditions that are written out; the others are counted. */
#define MAX_CONDITIONS 5

struct line {
    struct weir_buf *buf;
    size_t conditions;
};

static void add_value(struct line *line, const struct weir_json *value)
{
    weir_json_write(value, 0, line->buf, NULL);
}

/* `first second "third"`, with what stands before it. */
static void add_condition(struct line *line, const struct weir_json *object,
                          const char *first, const char *second,
                          const char *third)
{
    char shown[FILTER_SHOWN];
    const char *name;
    size_t len;

    if (line->conditions++ >= MAX_CONDITIONS)
        return;
    name = weir_json_string(weir_json_get(object, first), &len);
    filter_show(shown, name, len);
    shown[strlen(shown) - 1] = '\0'; /* without its quotes */
    weir_buf_addf(line->buf, "%s%s %s ", line->conditions == 1 ? ": " : " and ",
                  shown + 1, weir_json_get_string(object, second));
    add_value(line, weir_json_get(object, third));
}

static const struct weir_json *first_of(const struct weir_json *definition,
                                        const char *list)
{
    return weir_json_first(weir_json_get(definition, list));
}

enum weir_code weir_filter_describe(const struct weir_filter *filter,
                                    struct weir_buf *buf)
{
    const struct weir_json *definition = weir_filter_definition(filter);
    const struct weir_json *each;
    struct line line = {.buf = buf};
    size_t start = buf->len;
    enum weir_code code;

    weir_buf_addf(buf, "filter %s (%s)", weir_filter_name(filter),
                  weir_json_get_string(definition, "channel"));
    for (each = first_of(definition, "matchers"); each;
         each = weir_json_next(each))
        add_condition(&line, each, "attribute", "operator", "value");
    for (each = first_of(definition, "pattern_rules"); each;
         each = weir_json_next(each))
        add_condition(&line, each, "field", "type", "pattern");
    if (line.conditions > MAX_CONDITIONS)
        weir_buf_addf(buf, " and %zu more", line.conditions - MAX_CONDITIONS);
    code = weir_buf_addf(buf, " \xe2\x86\x92 %s",
                         weir_json_get_string(definition, "target_group_id"));
    /* JSON writes DEL and U+009B as they are. */
    if (!code)
        weir_excerpt_line(buf->data + start);
    return code;
}
