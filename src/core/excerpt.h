/*
 * excerpt: showing a place in hostile text, inside an error message.
 */
#ifndef WEIR_EXCERPT_H
#define WEIR_EXCERPT_H

#include <stddef.h>

/* Room for any excerpt with its quotes and NUL. */
#define WEIR_EXCERPT 64

/* Writes `text` between double quotes, cut to some 40 bytes with an ellipsis;
 * what is not shown but obeyed, or not UTF-8, shows as \xNN.  Returns `out`. */
const char *weir_excerpt_quote(char out[WEIR_EXCERPT], const char *text,
                               size_t len);

/* Length of the character at `text` if a terminal would not show it but obey
 * it: control characters, what turns the order of its neighbours (U+202A to
 * U+202E, U+2066 to U+2069) and what ends a line (U+2028, U+2029).  0 for all
 * others. */
size_t weir_excerpt_obeyed(const char *text, size_t len);

/* Makes `text` fit for one line of a terminal, in place: what
 * would be obeyed and what is not UTF-8 become '?', and a character that was
 * cut off at the end goes. */
void weir_excerpt_line(char *text);

struct weir_place {
    size_t line;   /* from 1 */
    size_t column; /* from 1, in characters */
};
/* Where byte `at` of `text` is. */
struct weir_place weir_excerpt_place(const char *text, size_t at);

#endif
