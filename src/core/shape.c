#include "shape.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "excerpt.h"
#include "weir/cut.h"
#include "weir/filter.h"

enum { MAX_MEMBERS = 16 };

enum weir_code weir_shape_refuse(struct weir_shape *shape, const char *fmt, ...)
{
    char message[512];
    va_list args;

    va_start(args, fmt);
    weir_cut_vprintf(message, sizeof(message), fmt, args);
    va_end(args);
    return weir_err_set(shape->err, WEIR_VALIDATION, "%s: %s%s%s", shape->file,
                        shape->pointer, *shape->pointer ? ": " : "", message);
}

enum weir_code weir_shape_refuse_as(struct weir_shape *shape,
                                    struct weir_err *fault)
{
    if (fault->code == WEIR_NOMEM)
        return weir_err_nomem(shape->err);
    weir_shape_refuse(shape, "%s", fault->message);
    if (*fault->hint)
        weir_err_hint(shape->err, "%s", fault->hint);
    weir_err_clear(fault);
    return WEIR_VALIDATION;
}

size_t weir_shape_enter(struct weir_shape *shape, const char *key)
{
    size_t len = strlen(shape->pointer);

    snprintf(shape->pointer + len, sizeof(shape->pointer) - len, "/%s", key);
    return len;
}

size_t weir_shape_enter_index(struct weir_shape *shape, size_t index)
{
    char key[24];

    snprintf(key, sizeof(key), "%zu", index);
    return weir_shape_enter(shape, key);
}

void weir_shape_leave(struct weir_shape *shape, size_t at)
{
    shape->pointer[at] = '\0';
}

static enum weir_code refuse_unknown(struct weir_shape *shape,
                                     const struct weir_shape_member *members,
                                     const char *key, size_t len)
{
    const char *names[MAX_MEMBERS + 1] = {NULL};
    char shown[WEIR_EXCERPT];
    const char *near;

    for (size_t i = 0; members[i].key && i < MAX_MEMBERS; i++)
        names[i] = members[i].key;
    near = memchr(key, '\0', len) ? NULL : weir_nearest(key, names);
    weir_excerpt_quote(shown, key, len);
    if (near)
        return weir_shape_refuse(
            shape, "unknown member %s (did you mean \"%s\"?)", shown, near);
    return weir_shape_refuse(shape,
                             "unknown member %s; a newer weir may know "
                             "it",
                             shown);
}

static const struct weir_shape_member *
find(const struct weir_shape_member *members, const char *key, size_t len)
{
    for (; members->key; members++) {
        if (strlen(members->key) == len && memcmp(members->key, key, len) == 0)
            return members;
    }
    return NULL;
}

static enum weir_code refuse_type(struct weir_shape *shape,
                                  const struct weir_shape_member *member,
                                  enum weir_json_type found)
{
    char words[80] = "";

    for (int type = 0; type <= WEIR_JSON_OBJECT; type++) {
        size_t len = strlen(words);

        if (member->types & 1U << type)
            snprintf(words + len, sizeof(words) - len, "%s%s",
                     len ? " or " : "",
                     weir_json_type_name((enum weir_json_type)type));
    }
    weir_shape_enter(shape, member->key);
    return weir_shape_refuse(shape, "must be %s, not %s", words,
                             weir_json_type_name(found));
}

enum weir_code weir_shape_object(struct weir_shape *shape,
                                 const struct weir_json *object,
                                 const struct weir_shape_member *members)
{
    if (!weir_json_is(object, WEIR_JSON_OBJECT))
        return weir_shape_refuse(shape, "must be an object, not %s",
                                 weir_json_type_name(weir_json_type(object)));
    for (const struct weir_json *child = weir_json_first(object); child;
         child = weir_json_next(child)) {
        size_t len;
        const char *key = weir_json_key(child, &len);
        const struct weir_shape_member *member = find(members, key, len);

        if (!member)
            return refuse_unknown(shape, members, key, len);
        if (!(member->types & 1U << weir_json_type(child)))
            return refuse_type(shape, member, weir_json_type(child));
    }
    for (; members->key; members++) {
        if (members->required && !weir_json_get(object, members->key)) {
            weir_shape_enter(shape, members->key);
            return weir_shape_refuse(shape, "is missing");
        }
    }
    return WEIR_OK;
}

enum weir_code weir_shape_parse(struct weir_shape *shape, const char *text,
                                size_t len, size_t max,
                                const struct weir_shape_member *members,
                                struct weir_json **out)
{
    const struct weir_json_options options = {.max_depth = 8, .max_bytes = max};
    struct weir_json *json = NULL;
    enum weir_code code =
        weir_json_parse(text, len, &options, &json, shape->err);

    if (code) {
        weir_err_prefix(shape->err, "%s: ", shape->file);
        return code;
    }
    code = weir_shape_object(shape, json, members);
    if (code)
        weir_json_free(json);
    else
        *out = json;
    return code;
}
