/*
 * yaml: what is read can be written, and what is written reads back as the
 * same value, deterministically; a document of any origin survives the way
 * through YAML; the ceilings hold.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "weir/yaml.h"

static enum weir_code read_yaml(const char *text, size_t len,
                                const struct weir_yaml_options *options,
                                struct weir_json **out)
{
    struct weir_json_builder *builder;
    struct weir_err err = WEIR_ERR_INIT;
    enum weir_code code;

    FUZZ_CHECK(weir_json_builder_new(&builder, NULL) == WEIR_OK);
    code = weir_yaml_scan(text, len, options, weir_json_builder_sink(builder),
                          &err);
    if (code)
        fuzz_check_err(&err, code);
    else
        *out = weir_json_builder_take(builder);
    weir_json_builder_free(builder);
    return code;
}

static size_t nodes(const struct weir_json *json, unsigned depth,
                    unsigned *deepest)
{
    const struct weir_json *child = weir_json_first(json);
    size_t n = 1;

    if (weir_json_type(json) >= WEIR_JSON_ARRAY && ++depth > *deepest)
        *deepest = depth;
    for (; child; child = weir_json_next(child))
        n += nodes(child, depth, deepest);
    return n;
}

/* Document → YAML → document → YAML. */
static void check_round(const struct weir_json *json)
{
    struct weir_yaml_options deep = {.max_depth = WEIR_VALUE_MAX_DEPTH};
    struct weir_json *again = NULL;
    struct weir_buf one, two;

    weir_buf_init(&one, SIZE_MAX);
    weir_buf_init(&two, SIZE_MAX);
    FUZZ_CHECK(weir_yaml_write(json, &one, NULL) == WEIR_OK);
    FUZZ_CHECK(weir_utf8_valid(one.data, one.len) == one.len);
    FUZZ_CHECK(read_yaml(one.data, one.len, &deep, &again) == WEIR_OK);
    FUZZ_CHECK(weir_json_equal(json, again));
    FUZZ_CHECK(weir_yaml_write(again, &two, NULL) == WEIR_OK);
    FUZZ_CHECK(one.len == two.len && memcmp(one.data, two.data, one.len) == 0);
    weir_json_free(again);
    weir_buf_fini(&one);
    weir_buf_fini(&two);
}

/* Said through options, each ceiling is where it is said to be. */
static void check_ceilings(const char *text, size_t len,
                           const struct weir_json *json)
{
    unsigned deepest = 0;
    size_t n = nodes(json, 0, &deepest);
    struct weir_yaml_options o = {.max_depth = deepest};
    struct weir_json *again = NULL;

    FUZZ_CHECK(deepest <= 64 && n <= 1000000);
    FUZZ_CHECK(read_yaml(text, len, &o, &again) == WEIR_OK);
    FUZZ_CHECK(weir_json_equal(json, again));
    weir_json_free(again);
    if (deepest > 1) {
        o.max_depth = deepest - 1;
        FUZZ_CHECK(read_yaml(text, len, &o, &again) == WEIR_LIMIT);
    }
    if (n > 1) {
        o = (struct weir_yaml_options){.max_nodes = n - 1};
        FUZZ_CHECK(read_yaml(text, len, &o, &again) == WEIR_LIMIT);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct weir_json *json = NULL;
    enum weir_code code = read_yaml(text, size, NULL, &json);

    FUZZ_CHECK(code == WEIR_OK || code == WEIR_SYNTAX || code == WEIR_LIMIT);
    if (code == WEIR_OK) {
        check_ceilings(text, size, json);
        check_round(json);
        weir_json_free(json);
    }
    json = fuzz_json((struct fuzz_text){text, size});
    if (json)
        check_round(json);
    weir_json_free(json);
    return 0;
}
