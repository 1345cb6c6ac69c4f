/* json: the sink that builds a document, and the reading of one. */
#include <stdlib.h>
#include <string.h>

#include "json_internal.h"

struct weir_json_builder {
    struct weir_sink sink;
    struct weir_json *root;
    struct weir_json_arena *arena; /* of the document under `root` */
    struct weir_json *open[WEIR_VALUE_MAX_DEPTH];
    unsigned depth;
    bool may_repeat; /* keys may come twice: the last one counts */
    bool secret;     /* what is not handed over is wiped */
    struct weir_buf key;
};

/* Makes a value where it belongs. */
static enum weir_code place(struct weir_json_builder *b,
                            struct weir_json_seed seed, struct weir_json **out,
                            struct weir_err *err)
{
    struct weir_json *parent = b->depth ? b->open[b->depth - 1] : NULL;
    struct weir_json *value = NULL;
    enum weir_code code;

    if (!parent && b->root)
        return weir_err_set(err, WEIR_INVALID,
                            "a document holds one value, not two");
    /* A scalar of its own needs no arena. */
    if (parent || seed.type >= WEIR_JSON_ARRAY)
        seed.arena = &b->arena;
    seed.key = weir_buf_str(&b->key);
    seed.key_len = b->key.len;
    code = weir_json_grow(parent, &seed, &value);
    if (code == WEIR_LIMIT)
        return weir_err_set(err, code, "a key is longer than 2 GB");
    if (code)
        return weir_err_nomem(err);
    if (!parent)
        b->root = value;
    if (out)
        *out = value;
    return WEIR_OK;
}

static enum weir_code open_value(struct weir_json_builder *b,
                                 enum weir_json_type type, struct weir_err *err)
{
    struct weir_json *value = NULL;
    enum weir_code code;

    if (b->depth == WEIR_VALUE_MAX_DEPTH)
        return weir_err_set(err, WEIR_LIMIT, "nested deeper than %d levels",
                            WEIR_VALUE_MAX_DEPTH);
    code = place(b, (struct weir_json_seed){.type = type}, &value, err);
    if (!code)
        b->open[b->depth++] = value;
    return code;
}

static enum weir_code on_null(void *ud, struct weir_err *err)
{
    return place(ud, (struct weir_json_seed){.type = WEIR_JSON_NULL}, NULL,
                 err);
}

static enum weir_code on_boolean(void *ud, bool value, struct weir_err *err)
{
    return place(
        ud, (struct weir_json_seed){.type = WEIR_JSON_BOOLEAN, .truth = value},
        NULL, err);
}

static enum weir_code place_text(struct weir_json_builder *b,
                                 enum weir_json_type type, const char *text,
                                 size_t len, struct weir_err *err)
{
    const struct weir_json_seed seed = {
        .type = type, .text = text ? text : "", .len = len};

    return place(b, seed, NULL, err);
}

static enum weir_code on_number(void *ud, const char *text, size_t len,
                                struct weir_err *err)
{
    return place_text(ud, WEIR_JSON_NUMBER, text, len, err);
}

static enum weir_code on_string(void *ud, const char *text, size_t len,
                                struct weir_err *err)
{
    return place_text(ud, WEIR_JSON_STRING, text, len, err);
}

static enum weir_code on_begin_array(void *ud, struct weir_err *err)
{
    return open_value(ud, WEIR_JSON_ARRAY, err);
}

static enum weir_code on_begin_object(void *ud, struct weir_err *err)
{
    return open_value(ud, WEIR_JSON_OBJECT, err);
}

static enum weir_code on_key(void *ud, const char *text, size_t len,
                             struct weir_err *err)
{
    struct weir_json_builder *b = ud;

    weir_buf_reset(&b->key);
    if (weir_buf_add(&b->key, text, len))
        return weir_err_nomem(err);
    return WEIR_OK;
}

static enum weir_code on_end_array(void *ud, struct weir_err *err)
{
    struct weir_json_builder *b = ud;

    (void)err;
    b->depth--;
    return WEIR_OK;
}

static enum weir_code on_end_object(void *ud, struct weir_err *err)
{
    struct weir_json_builder *b = ud;
    struct weir_json *object = b->open[--b->depth];

    if (b->may_repeat && weir_json_drop_repeated(object))
        return weir_err_nomem(err);
    return WEIR_OK;
}

static void init(struct weir_json_builder *b)
{
    b->root = NULL;
    b->arena = NULL;
    b->depth = 0;
    b->may_repeat = b->secret = false;
    b->sink = (struct weir_sink){
        .null = on_null,
        .boolean = on_boolean,
        .number = on_number,
        .string = on_string,
        .begin_array = on_begin_array,
        .end_array = on_end_array,
        .begin_object = on_begin_object,
        .key = on_key,
        .end_object = on_end_object,
        .ud = b,
    };
    weir_buf_init(&b->key, SIZE_MAX);
}

static void fini(struct weir_json_builder *b)
{
    if (b->secret)
        weir_json_wipe(b->root);
    else
        weir_json_free(b->root);
    weir_buf_fini(&b->key);
}

enum weir_code weir_json_builder_new(struct weir_json_builder **out,
                                     struct weir_err *err)
{
    struct weir_json_builder *b = malloc(sizeof(*b));

    if (!b)
        return weir_err_nomem(err);
    init(b);
    *out = b;
    return WEIR_OK;
}

const struct weir_sink *weir_json_builder_sink(struct weir_json_builder *b)
{
    return &b->sink;
}

struct weir_json *weir_json_builder_take(struct weir_json_builder *b)
{
    struct weir_json *root = b->root;

    b->root = NULL;
    b->arena = NULL;
    b->depth = 0;
    return root;
}

void weir_json_builder_free(struct weir_json_builder *b)
{
    if (!b)
        return;
    fini(b);
    free(b);
}

enum weir_code weir_json_parse(const char *text, size_t len,
                               const struct weir_json_options *options,
                               struct weir_json **out, struct weir_err *err)
{
    struct weir_json_builder b;
    enum weir_code code;

    init(&b);
    b.may_repeat = options && options->duplicate_keys;
    b.secret = options && options->secret;
    code = weir_json_scan(text, len, options, &b.sink, err);
    if (!code)
        *out = weir_json_builder_take(&b);
    fini(&b);
    return code;
}
