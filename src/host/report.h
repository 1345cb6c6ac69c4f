/*
 * report: the last word about a script that failed.
 *
 * It shows the script's own line, not our internals; what else is known (the
 * problems of a definition, the fields in conflict, the cause); and what to
 * do about it.
 */
#ifndef HOST_REPORT_H
#define HOST_REPORT_H

#include <stdbool.h>

#include <lua.h>

#include "terminal.h"
#include "weir/buf.h"
#include "weir/err.h"

/* Appends the report of the error at `index`.  `trace` is the index of what
 * bind_trace_push tells of where it came from: {source =, line =, text =}, or
 * of nil (a syntax error).  Script code runs only for an error object with a
 * __tostring of its own, and then protected.  The text is not redacted yet. */
void host_report(lua_State *L, int index, int trace, bool traceback,
                 const struct host_terminal *terminal, struct weir_buf *out);

/* Pushes the message alone, one line, as it stands in the report. */
const char *host_report_line(lua_State *L, int index, int trace);

/* Keeps the text of a chunk that is no file, such as a typed line, so that
 * reports can show lines of it: `source` is its name ("repl:3"). */
void host_report_keep(lua_State *L, const char *source, const char *text,
                      size_t len);
/* Lines of the file `source` may be shown, also of a confined script. */
void host_report_show(lua_State *L, const char *source);

/* The code of the error at `index`: an err object's own, else WEIR_INVALID
 * (an ordinary Lua error). */
enum weir_code host_report_code(lua_State *L, int index);

#endif
