/*
 * shape: which members a JSON object may have, for files that people write.
 *
 * A member that is not known is a fault, with the nearest one that is: it was
 * meant to say something, and a file that decides what may run must not be
 * obeyed in part.  Messages name the file and the JSON pointer (RFC 6901).
 */
#ifndef WEIR_SHAPE_H
#define WEIR_SHAPE_H

#include <stdbool.h>
#include <stddef.h>

#include "weir/json.h"

struct weir_shape {
    const char *file;  /* what it is called in messages */
    char pointer[128]; /* to what is being read, "" for the whole */
    struct weir_err *err;
};

struct weir_shape_member {
    const char *key; /* NULL ends the list */
    unsigned types;  /* WEIR_SHAPE bits */
    bool required;
};
#define WEIR_SHAPE(name) (1U << WEIR_JSON_##name)

/* Clears err and sets "FILE: /pointer: …"; returns WEIR_VALIDATION. */
enum weir_code weir_shape_refuse(struct weir_shape *shape, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The same with another noun's error, which is cleared; WEIR_NOMEM stays. */
enum weir_code weir_shape_refuse_as(struct weir_shape *shape,
                                    struct weir_err *fault);

/* That the value is an object of these members and no others. */
enum weir_code weir_shape_object(struct weir_shape *shape,
                                 const struct weir_json *object,
                                 const struct weir_shape_member *members);

/* Goes down to a member or an element; weir_shape_leave() with what comes
 * back. */
size_t weir_shape_enter(struct weir_shape *shape, const char *key);
size_t weir_shape_enter_index(struct weir_shape *shape, size_t index);
void weir_shape_leave(struct weir_shape *shape, size_t at);

/* Parses the file: an object of these members.  WEIR_SYNTAX and WEIR_LIMIT
 * too; messages begin with the file's name. */
enum weir_code weir_shape_parse(struct weir_shape *shape, const char *text,
                                size_t len, size_t max,
                                const struct weir_shape_member *members,
                                struct weir_json **out);

#endif
