/*
 * yaml: text ↔ values through libyaml, deterministic and unsurprising.
 *
 * Written text means the same to a YAML 1.1 and a YAML 1.2 reader: every
 * string that is not plainly a word in both is double-quoted.  Read text
 * follows the YAML 1.2 core schema
 * (https://yaml.org/spec/1.2.2/#103-core-schema).
 */
#ifndef WEIR_YAML_H
#define WEIR_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "weir/buf.h"
#include "weir/err.h"
#include "weir/value.h"

struct weir_yaml_options {
    unsigned max_depth;    /* 0: 64 */
    size_t max_nodes;      /* 0: 1,000,000, aliases expanded */
    size_t max_expansions; /* 0: 10,000 nodes that come from aliases */
    size_t max_bytes;      /* of the text; 0: as long as it is */
};

/* Reads one document and drives `sink`.  Anchors and aliases are expanded;
 * recursion, duplicate keys, unknown tags, keys that are no strings and a
 * second document are errors.  WEIR_OK; WEIR_SYNTAX with line and column;
 * WEIR_LIMIT; or what the sink returned. */
enum weir_code weir_yaml_scan(const char *text, size_t len,
                              const struct weir_yaml_options *options,
                              const struct weir_sink *sink,
                              struct weir_err *err);

/* A value or a key of a text, and where it stands. */
struct weir_yaml_place {
    const char *pointer; /* JSON Pointer (RFC 6901), of a key its member's */
    bool key;
    size_t line, column; /* from 1; columns in characters */
    const char *text;    /* of a scalar, not NUL-terminated; else NULL */
    size_t len;
    bool plain; /* a scalar without quotes */
    /* What a YAML 1.1 reader takes a plain scalar for, where that is another
     * thing than here ("a boolean (true)"), else NULL. */
    const char *yaml11;
};

/* Tells of every value and key of one document, in the order of the text;
 * aliases are not expanded.  What is told lives during the call.  Errors as
 * weir_yaml_scan, but for keys, which are not compared. */
enum weir_code weir_yaml_places(const char *text, size_t len,
                                const struct weir_yaml_options *options,
                                void (*tell)(void *ud,
                                             const struct weir_yaml_place *at),
                                void *ud, struct weir_err *err);

/* A sink that writes one block-style document to `buf`, numbers as the text
 * they came in.  finish() ends the document; free() in any case. */
struct weir_yaml_writer;
enum weir_code weir_yaml_writer_new(struct weir_buf *buf,
                                    struct weir_yaml_writer **out,
                                    struct weir_err *err);
const struct weir_sink *weir_yaml_writer_sink(struct weir_yaml_writer *writer);
enum weir_code weir_yaml_writer_finish(struct weir_yaml_writer *writer,
                                       struct weir_err *err);
void weir_yaml_writer_free(struct weir_yaml_writer *writer);

struct weir_json;
/* Writes a document: emit + writer. */
enum weir_code weir_yaml_write(const struct weir_json *json,
                               struct weir_buf *buf, struct weir_err *err);

#endif
