/* yaml: the sink that writes a document, through libyaml's emitter. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "weir/json.h"
#include "yaml_internal.h"

struct weir_yaml_writer {
    struct weir_sink sink;
    yaml_emitter_t emitter;
    struct weir_buf *buf;
    struct weir_buf number;
    unsigned depth;
};

static int on_output(void *ud, unsigned char *bytes, size_t len)
{
    struct weir_yaml_writer *w = ud;

    return weir_buf_add(w->buf, bytes, len) == WEIR_OK;
}

static enum weir_code emitter_error(struct weir_yaml_writer *w,
                                    struct weir_err *err)
{
    enum weir_code code = weir_buf_err(w->buf, "YAML text", err);

    if (code)
        return code;
    if (w->emitter.error == YAML_EMITTER_ERROR && w->emitter.problem)
        return weir_err_set(err, WEIR_INVALID, "YAML cannot be written: %s",
                            w->emitter.problem);
    return weir_err_nomem(err);
}

/* `made`: whether the event could be made.  The emitter takes it over. */
static enum weir_code emit(struct weir_yaml_writer *w, int made,
                           yaml_event_t *event, struct weir_err *err)
{
    if (!made)
        return weir_err_nomem(err);
    if (!yaml_emitter_emit(&w->emitter, event))
        return emitter_error(w, err);
    return WEIR_OK;
}

static enum weir_code scalar(struct weir_yaml_writer *w, const char *text,
                             size_t len, yaml_scalar_style_t style,
                             struct weir_err *err)
{
    yaml_event_t event;
    int made;

    if (len > INT_MAX)
        return weir_err_set(err, WEIR_LIMIT, "a text is longer than 2 GB");
    made = yaml_scalar_event_initialize(
        &event, NULL, NULL, (const yaml_char_t *)text, (int)len, 1, 1, style);
    return emit(w, made, &event, err);
}

static enum weir_code on_null(void *ud, struct weir_err *err)
{
    return scalar(ud, "null", 4, YAML_PLAIN_SCALAR_STYLE, err);
}

static enum weir_code on_boolean(void *ud, bool value, struct weir_err *err)
{
    const char *text = value ? "true" : "false";

    return scalar(ud, text, strlen(text), YAML_PLAIN_SCALAR_STYLE, err);
}

static enum weir_code on_number(void *ud, const char *text, size_t len,
                                struct weir_err *err)
{
    struct weir_yaml_writer *w = ud;

    weir_buf_reset(&w->number);
    if (weir_yaml_from_json_number(text, len, &w->number))
        return weir_err_nomem(err);
    return scalar(w, weir_buf_str(&w->number), w->number.len,
                  YAML_PLAIN_SCALAR_STYLE, err);
}

static enum weir_code on_string(void *ud, const char *text, size_t len,
                                struct weir_err *err)
{
    size_t valid = weir_utf8_valid(text, len);

    if (valid < len)
        return weir_err_set(err, WEIR_INVALID,
                            "a string is not UTF-8 (byte %zu of it)",
                            valid + 1);
    return scalar(ud, text, len,
                  weir_yaml_is_word(text, len)
                      ? YAML_PLAIN_SCALAR_STYLE
                      : YAML_DOUBLE_QUOTED_SCALAR_STYLE,
                  err);
}

static enum weir_code on_begin(struct weir_yaml_writer *w, bool array,
                               struct weir_err *err)
{
    yaml_event_t event;
    int made;

    if (w->depth == WEIR_VALUE_MAX_DEPTH)
        return weir_err_set(err, WEIR_LIMIT, "nested deeper than %d levels",
                            WEIR_VALUE_MAX_DEPTH);
    w->depth++;
    if (array)
        made = yaml_sequence_start_event_initialize(&event, NULL, NULL, 1,
                                                    YAML_BLOCK_SEQUENCE_STYLE);
    else
        made = yaml_mapping_start_event_initialize(&event, NULL, NULL, 1,
                                                   YAML_BLOCK_MAPPING_STYLE);
    return emit(w, made, &event, err);
}

static enum weir_code on_begin_array(void *ud, struct weir_err *err)
{
    return on_begin(ud, true, err);
}

static enum weir_code on_begin_object(void *ud, struct weir_err *err)
{
    return on_begin(ud, false, err);
}

static enum weir_code on_end_array(void *ud, struct weir_err *err)
{
    struct weir_yaml_writer *w = ud;
    yaml_event_t event;

    w->depth--;
    return emit(w, yaml_sequence_end_event_initialize(&event), &event, err);
}

static enum weir_code on_end_object(void *ud, struct weir_err *err)
{
    struct weir_yaml_writer *w = ud;
    yaml_event_t event;

    w->depth--;
    return emit(w, yaml_mapping_end_event_initialize(&event), &event, err);
}

static enum weir_code start(struct weir_yaml_writer *w, struct weir_err *err)
{
    yaml_event_t event;
    int made = yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING);
    enum weir_code code = emit(w, made, &event, err);

    if (code)
        return code;
    made = yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1);
    return emit(w, made, &event, err);
}

enum weir_code weir_yaml_writer_new(struct weir_buf *buf,
                                    struct weir_yaml_writer **out,
                                    struct weir_err *err)
{
    struct weir_yaml_writer *w = calloc(1, sizeof(*w));
    enum weir_code code;

    if (!w || !yaml_emitter_initialize(&w->emitter)) {
        free(w);
        return weir_err_nomem(err);
    }
    w->buf = buf;
    weir_buf_init(&w->number, SIZE_MAX);
    yaml_emitter_set_output(&w->emitter, on_output, w);
    yaml_emitter_set_encoding(&w->emitter, YAML_UTF8_ENCODING);
    yaml_emitter_set_unicode(&w->emitter, 1);
    yaml_emitter_set_indent(&w->emitter, 2);
    /* A string stays on one line: where it would be folded depends on what
     * stands before it, and a diff should not. */
    yaml_emitter_set_width(&w->emitter, -1);
    w->sink = (struct weir_sink){
        .null = on_null,
        .boolean = on_boolean,
        .number = on_number,
        .string = on_string,
        .begin_array = on_begin_array,
        .end_array = on_end_array,
        .begin_object = on_begin_object,
        .key = on_string,
        .end_object = on_end_object,
        .ud = w,
    };
    code = start(w, err);
    if (code) {
        weir_yaml_writer_free(w);
        return code;
    }
    *out = w;
    return WEIR_OK;
}

const struct weir_sink *weir_yaml_writer_sink(struct weir_yaml_writer *writer)
{
    return &writer->sink;
}

enum weir_code weir_yaml_writer_finish(struct weir_yaml_writer *writer,
                                       struct weir_err *err)
{
    yaml_event_t event;
    int made = yaml_document_end_event_initialize(&event, 1);
    enum weir_code code = emit(writer, made, &event, err);

    if (code)
        return code;
    made = yaml_stream_end_event_initialize(&event);
    code = emit(writer, made, &event, err);
    if (!code && !yaml_emitter_flush(&writer->emitter))
        code = emitter_error(writer, err);
    return code;
}

void weir_yaml_writer_free(struct weir_yaml_writer *writer)
{
    if (!writer)
        return;
    yaml_emitter_delete(&writer->emitter);
    weir_buf_fini(&writer->number);
    free(writer);
}

enum weir_code weir_yaml_write(const struct weir_json *json,
                               struct weir_buf *buf, struct weir_err *err)
{
    struct weir_yaml_writer *writer = NULL;
    enum weir_code code = weir_yaml_writer_new(buf, &writer, err);

    if (code || !writer)
        return code;
    code = weir_json_emit(json, &writer->sink, err);
    if (!code)
        code = weir_yaml_writer_finish(writer, err);
    weir_yaml_writer_free(writer);
    return code;
}
