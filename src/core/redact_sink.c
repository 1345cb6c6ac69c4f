#include "redact_sink.h"

#include <string.h>

/* Longest string or number that is passed on. */
#define TEXT_MAX ((size_t)16 << 20)

enum weir_code weir_redact_clean(const struct weir_secrets *secrets,
                                 const char *text, size_t len, bool cut,
                                 struct weir_buf *out)
{
    size_t done = out->len, valid;
    struct weir_buf rest;
    enum weir_code code = weir_redact(secrets, text, len, cut, out);

    if (code)
        return code;
    valid = weir_utf8_valid(out->data + done, out->len - done);
    if (valid == out->len - done)
        return WEIR_OK;
    weir_buf_init(&rest, out->max);
    code = weir_buf_add(&rest, out->data + done, out->len - done);
    out->len = done;
    for (size_t at = 0; !code && at < rest.len; at += valid) {
        valid = weir_utf8_valid(rest.data + at, rest.len - at);
        code = weir_buf_add(out, rest.data + at, valid);
        if (!code && valid < rest.len - at) {
            code = weir_buf_adds(out, "\xEF\xBF\xBD");
            valid++;
        }
    }
    weir_buf_fini(&rest);
    return code;
}

static enum weir_code clean(struct weir_redact_sink *r, const char *text,
                            size_t len, struct weir_err *err)
{
    weir_buf_reset(&r->text);
    if (weir_redact_clean(r->secrets, text, len, false, &r->text))
        return weir_buf_err(&r->text, "a redacted text", err);
    return WEIR_OK;
}

static enum weir_code on_null(void *ud, struct weir_err *err)
{
    struct weir_redact_sink *r = ud;

    return r->inner->null(r->inner->ud, err);
}

static enum weir_code on_boolean(void *ud, bool value, struct weir_err *err)
{
    struct weir_redact_sink *r = ud;

    return r->inner->boolean(r->inner->ud, value, err);
}

static enum weir_code on_string(void *ud, const char *text, size_t len,
                                struct weir_err *err)
{
    struct weir_redact_sink *r = ud;
    enum weir_code code = clean(r, text, len, err);

    return code ? code
                : r->inner->string(r->inner->ud, weir_buf_str(&r->text),
                                   r->text.len, err);
}

/* A number with a secret in it is none any more. */
static enum weir_code on_number(void *ud, const char *text, size_t len,
                                struct weir_err *err)
{
    struct weir_redact_sink *r = ud;
    enum weir_code code = clean(r, text, len, err);

    if (code)
        return code;
    if (r->text.len == len && memcmp(weir_buf_str(&r->text), text, len) == 0)
        return r->inner->number(r->inner->ud, text, len, err);
    return r->inner->string(r->inner->ud, weir_buf_str(&r->text), r->text.len,
                            err);
}

static enum weir_code on_begin_array(void *ud, struct weir_err *err)
{
    struct weir_redact_sink *r = ud;

    return r->inner->begin_array(r->inner->ud, err);
}

static enum weir_code on_end_array(void *ud, struct weir_err *err)
{
    struct weir_redact_sink *r = ud;

    return r->inner->end_array(r->inner->ud, err);
}

static enum weir_code on_begin_object(void *ud, struct weir_err *err)
{
    struct weir_redact_sink *r = ud;

    return r->inner->begin_object(r->inner->ud, err);
}

static enum weir_code on_key(void *ud, const char *text, size_t len,
                             struct weir_err *err)
{
    struct weir_redact_sink *r = ud;
    enum weir_code code = clean(r, text, len, err);

    return code ? code
                : r->inner->key(r->inner->ud, weir_buf_str(&r->text),
                                r->text.len, err);
}

static enum weir_code on_end_object(void *ud, struct weir_err *err)
{
    struct weir_redact_sink *r = ud;

    return r->inner->end_object(r->inner->ud, err);
}

void weir_redact_sink_init(struct weir_redact_sink *redact,
                           const struct weir_secrets *secrets,
                           const struct weir_sink *inner,
                           struct weir_sink *sink)
{
    *redact = (struct weir_redact_sink){.secrets = secrets, .inner = inner};
    weir_buf_init(&redact->text, TEXT_MAX);
    *sink = (struct weir_sink){
        .null = on_null,
        .boolean = on_boolean,
        .number = on_number,
        .string = on_string,
        .begin_array = on_begin_array,
        .end_array = on_end_array,
        .begin_object = on_begin_object,
        .key = on_key,
        .end_object = on_end_object,
        .ud = redact,
    };
}

void weir_redact_sink_fini(struct weir_redact_sink *redact)
{
    weir_buf_fini(&redact->text);
}
