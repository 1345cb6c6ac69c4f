/*
 * cut: text that must fit into a fixed size.
 *
 * Whoever cuts a text says so with an ellipsis where the cut is.  People see
 * that something is missing, and the log (weir_log_redact) sees where half a
 * secret may stand: what could be the beginning of one before an ellipsis is
 * hidden like a whole one.
 */
#ifndef WEIR_CUT_H
#define WEIR_CUT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#define WEIR_CUT_MARK "\xE2\x80\xA6" /* U+2026 */

/* printf into `out`; what does not fit is cut before a UTF-8 character and
 * ends with the mark.  `size` is 8 or more.  Returns the length. */
size_t weir_cut_printf(char *out, size_t size, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
size_t weir_cut_vprintf(char *out, size_t size, const char *fmt, va_list args)
    __attribute__((format(printf, 3, 0)));

/* Copies `len` bytes of text the same way; returns `out`. */
char *weir_cut_copy(char *out, size_t size, const char *text, size_t len);

/* For the argument of a printf: at most `max` bytes of a text, mark included.
 * The memory is the enclosing block's. */
#define WEIR_CUT(max, text)                                                    \
    weir_cut_copy((char[(max) + 1]){0}, (max) + 1, (text), strlen(text))

#endif
