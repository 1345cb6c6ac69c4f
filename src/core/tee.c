/* value: two sinks that are driven as one. */
#include "weir/value.h"

#define BOTH(tee, event, ...)                                                  \
    do {                                                                       \
        const struct weir_tee *t = (tee);                                      \
        enum weir_code code = t->first->event(t->first->ud, __VA_ARGS__);      \
                                                                               \
        return code ? code : t->second->event(t->second->ud, __VA_ARGS__);     \
    } while (0)

static enum weir_code on_null(void *ud, struct weir_err *err)
{
    BOTH(ud, null, err);
}

static enum weir_code on_boolean(void *ud, bool value, struct weir_err *err)
{
    BOTH(ud, boolean, value, err);
}

static enum weir_code on_number(void *ud, const char *text, size_t len,
                                struct weir_err *err)
{
    BOTH(ud, number, text, len, err);
}

static enum weir_code on_string(void *ud, const char *text, size_t len,
                                struct weir_err *err)
{
    BOTH(ud, string, text, len, err);
}

static enum weir_code on_begin_array(void *ud, struct weir_err *err)
{
    BOTH(ud, begin_array, err);
}

static enum weir_code on_end_array(void *ud, struct weir_err *err)
{
    BOTH(ud, end_array, err);
}

static enum weir_code on_begin_object(void *ud, struct weir_err *err)
{
    BOTH(ud, begin_object, err);
}

static enum weir_code on_key(void *ud, const char *text, size_t len,
                             struct weir_err *err)
{
    BOTH(ud, key, text, len, err);
}

static enum weir_code on_end_object(void *ud, struct weir_err *err)
{
    BOTH(ud, end_object, err);
}

struct weir_sink weir_tee_sink(struct weir_tee *tee)
{
    return (struct weir_sink){
        .null = on_null,
        .boolean = on_boolean,
        .number = on_number,
        .string = on_string,
        .begin_array = on_begin_array,
        .end_array = on_end_array,
        .begin_object = on_begin_object,
        .key = on_key,
        .end_object = on_end_object,
        .ud = tee,
    };
}
