/*
 * json: text ↔ values, strictly RFC 8259, with nothing lost.
 *
 * One scanner reads all JSON of the program.  Documents are held by cJSON
 * behind an opaque type; numbers keep the text they were written in, strings
 * may hold NUL, keys are looked up by exact bytes.
 */
#ifndef WEIR_JSON_H
#define WEIR_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir/buf.h"
#include "weir/err.h"
#include "weir/value.h"

struct weir_json; /* one value of a document */

struct weir_json_options {
    unsigned max_depth;  /* 0: WEIR_VALUE_MAX_DEPTH */
    size_t max_nodes;    /* 0: 10,000,000 values */
    size_t max_bytes;    /* of the text; 0: as long as it is */
    bool duplicate_keys; /* true: the last one counts; false: an error */
    bool secret;         /* wipes what the reading itself held in memory */
};

/* Reads `text` and drives `sink`.  Refuses whatever RFC 8259 does not allow:
 * a BOM, invalid UTF-8, lone surrogates, raw control characters, trailing
 * text.  `options` may be NULL.  WEIR_OK; WEIR_SYNTAX with line, column and
 * what was expected; WEIR_LIMIT; or what the sink returned. */
enum weir_code weir_json_scan(const char *text, size_t len,
                              const struct weir_json_options *options,
                              const struct weir_sink *sink,
                              struct weir_err *err);

/* Reads `text` into a document (weir_json_free it). */
enum weir_code weir_json_parse(const char *text, size_t len,
                               const struct weir_json_options *options,
                               struct weir_json **out, struct weir_err *err);

/* A sink that builds a document.  After the source has succeeded,
 * weir_json_builder_take() hands the document over; fini frees the rest. */
struct weir_json_builder;
enum weir_code weir_json_builder_new(struct weir_json_builder **out,
                                     struct weir_err *err);
const struct weir_sink *weir_json_builder_sink(struct weir_json_builder *b);
struct weir_json *weir_json_builder_take(struct weir_json_builder *b);
void weir_json_builder_free(struct weir_json_builder *b);

/* Frees a value that has no parent, with all below it.  NULL is allowed. */
void weir_json_free(struct weir_json *json);
/* The same for a document with secrets: wipes its texts first. */
void weir_json_wipe(struct weir_json *json);

enum weir_json_type {
    WEIR_JSON_NULL,
    WEIR_JSON_BOOLEAN,
    WEIR_JSON_NUMBER,
    WEIR_JSON_STRING,
    WEIR_JSON_ARRAY,
    WEIR_JSON_OBJECT
};
enum weir_json_type weir_json_type(const struct weir_json *json);
/* "null", "boolean", "number", "string", "array", "object". */
const char *weir_json_type_name(enum weir_json_type type);
bool weir_json_is(const struct weir_json *json, enum weir_json_type type);

/* Reading.  Each is valid on the type it names and returns false, NULL or 0
 * on any other, and on NULL.  Pointers live as long as the document. */
bool weir_json_true(const struct weir_json *json);
/* NUL-terminated as well; may hold NUL inside. */
const char *weir_json_string(const struct weir_json *json, size_t *len);
/* The number as it was written. */
const char *weir_json_number(const struct weir_json *json, size_t *len);
/* True and the value if it is an integer that fits. */
bool weir_json_integer(const struct weir_json *json, int64_t *out);
/* True and the nearest double if it is a number within range. */
bool weir_json_real(const struct weir_json *json, double *out);

/* Elements of an array or members of an object. */
size_t weir_json_size(const struct weir_json *json);
const struct weir_json *weir_json_first(const struct weir_json *json);
const struct weir_json *weir_json_next(const struct weir_json *child);
const char *weir_json_key(const struct weir_json *member, size_t *len);
const struct weir_json *weir_json_at(const struct weir_json *array,
                                     size_t index);
/* Member by exact bytes, NULL if absent. */
const struct weir_json *weir_json_get(const struct weir_json *object,
                                      const char *key);
const struct weir_json *weir_json_get_len(const struct weir_json *object,
                                          const char *key, size_t len);
/* weir_json_string of a member: NULL if absent or no string. */
const char *weir_json_get_string(const struct weir_json *object,
                                 const char *key);

/* Making.  NULL when memory is out. */
struct weir_json *weir_json_new_null(void);
struct weir_json *weir_json_new_boolean(bool value);
struct weir_json *weir_json_new_integer(int64_t value);
/* `text` is JSON number text, kept as it is. */
struct weir_json *weir_json_new_number(const char *text, size_t len);
struct weir_json *weir_json_new_string(const char *text, size_t len);
struct weir_json *weir_json_new_array(void);
struct weir_json *weir_json_new_object(void);
struct weir_json *weir_json_copy(const struct weir_json *json);

/* Changing.  Each takes `child` over, also on failure; a NULL child is the
 * failure of its making (WEIR_NOMEM), so calls can be nested. */
enum weir_code weir_json_append(struct weir_json *array,
                                struct weir_json *child);
/* Replaces a member of that name in its place, or adds one at the end. */
enum weir_code weir_json_set(struct weir_json *object, const char *key,
                             struct weir_json *child);
enum weir_code weir_json_set_len(struct weir_json *object, const char *key,
                                 size_t len, struct weir_json *child);
/* Removes a member; false if there was none. */
bool weir_json_remove(struct weir_json *object, const char *key);

/* Same value: numbers by exact value, objects without regard to order. */
bool weir_json_equal(const struct weir_json *a, const struct weir_json *b);

/* Drives `sink`; members go in the byte order of their keys. */
enum weir_code weir_json_emit(const struct weir_json *json,
                              const struct weir_sink *sink,
                              struct weir_err *err);

/* A sink that writes JSON text.  `indent` spaces a level, 0: one line. */
struct weir_json_writer {
    struct weir_buf *buf;
    unsigned indent;
    unsigned depth;
    bool after_key;
    bool has_items[WEIR_VALUE_MAX_DEPTH + 1];
};
void weir_json_writer_init(struct weir_json_writer *writer,
                           struct weir_buf *buf, unsigned indent,
                           struct weir_sink *sink);
/* emit + writer: appends the value's text to `buf`. */
enum weir_code weir_json_write(const struct weir_json *json, unsigned indent,
                               struct weir_buf *buf, struct weir_err *err);
/* Appends `text` as a JSON string with its quotes. */
enum weir_code weir_json_quote(struct weir_buf *buf, const char *text,
                               size_t len);

#endif
