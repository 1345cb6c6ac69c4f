/*
 * value: a tree of JSON values as a stream of events.
 *
 * Sources (the JSON scanner, the YAML reader, a document walk, a Lua value)
 * drive a sink; sinks (document builder, JSON and YAML writers, Lua builder)
 * take what comes.  Any source fits any sink, with nothing lost in between:
 * numbers travel as the text they were written in.
 */
#ifndef WEIR_VALUE_H
#define WEIR_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir/err.h"

/* Every callback returns WEIR_OK to go on; anything else ends the source,
 * which returns that code.  `err` is never NULL for a callback.  Text is not
 * NUL-terminated and valid only during the call; strings and keys are valid
 * UTF-8 and may hold NUL.  No key comes twice in one object, unless the
 * source was asked to let that pass.  A callback always returns: a source
 * holds memory, which a longjmp would lose. */
struct weir_sink {
    enum weir_code (*null)(void *ud, struct weir_err *err);
    enum weir_code (*boolean)(void *ud, bool value, struct weir_err *err);
    /* JSON number text, RFC 8259 section 6. */
    enum weir_code (*number)(void *ud, const char *text, size_t len,
                             struct weir_err *err);
    enum weir_code (*string)(void *ud, const char *text, size_t len,
                             struct weir_err *err);
    enum weir_code (*begin_array)(void *ud, struct weir_err *err);
    enum weir_code (*end_array)(void *ud, struct weir_err *err);
    enum weir_code (*begin_object)(void *ud, struct weir_err *err);
    /* Before each member's value. */
    enum weir_code (*key)(void *ud, const char *text, size_t len,
                          struct weir_err *err);
    enum weir_code (*end_object)(void *ud, struct weir_err *err);
    void *ud;
};

/* Two sinks that are driven as one: each event goes to `first`, and if that
 * returns WEIR_OK to `second`, so that the ceiling of the first is one for
 * both.  The sinks are not owned. */
struct weir_tee {
    const struct weir_sink *first, *second;
};
/* `tee` must live as long as the sink. */
struct weir_sink weir_tee_sink(struct weir_tee *tee);

/* Nesting allowed in any tree, unless an option says less (traps: depth). */
#define WEIR_VALUE_MAX_DEPTH 128

/* "more than 100 values in one text (max_nodes)", with the hint to raise it;
 * returns WEIR_LIMIT. */
enum weir_code weir_value_over(struct weir_err *err, const char *what,
                               size_t max, const char *option);
/* The hint for a text nested deeper than `max_depth`. */
void weir_value_hint_depth(struct weir_err *err, unsigned max_depth);

/* A number read exactly. */
struct weir_number {
    /* No fraction, no exponent, fits int64_t.  "-0" is no integer: int64_t
     * has no negative zero, a double has. */
    bool is_integer;
    int64_t integer;
    double real; /* nearest double, also when is_integer */
};

/* Length of the number text (RFC 8259 section 6) that `text` begins with, 0 if
 * it begins with none. */
size_t weir_number_span(const char *text, size_t len);
/* Reads JSON number text.  WEIR_OK; WEIR_SYNTAX if it is not one; WEIR_LIMIT
 * if a double can only hold it as infinity (1e400), or as zero though it is
 * not zero (1e-400).  Never looks at the locale. */
enum weir_code weir_number_parse(const char *text, size_t len,
                                 struct weir_number *out, struct weir_err *err);
/* Compares two number texts by exact mathematical value, whatever their
 * length ("1" equals "1.0", 9007199254740993 is above 9007199254740992).
 * Returns < 0, 0, > 0.  Both must be valid number text. */
int weir_number_compare(const char *a, size_t a_len, const char *b,
                        size_t b_len);

/* Room for any double or integer as text, with its NUL. */
#define WEIR_NUMBER_TEXT 32
/* Shortest text that reads back to the same double, always with a fraction
 * or exponent ("1.0", "1e+300") so that it stays a float.  WEIR_INVALID for
 * NaN and infinities.  Returns the length through `len`. */
enum weir_code weir_number_format(double value, char out[WEIR_NUMBER_TEXT],
                                  size_t *len, struct weir_err *err);
/* The integer's text, with its NUL; returns its length. */
size_t weir_number_format_integer(int64_t value, char out[WEIR_NUMBER_TEXT]);

/* Length of the valid UTF-8 prefix (RFC 3629: no surrogates, no overlong
 * forms); equals `len` when all of it is valid. */
size_t weir_utf8_valid(const char *text, size_t len);

#endif
