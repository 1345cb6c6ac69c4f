/* The parts of the repl: what its files share. */
#ifndef HOST_REPL_INTERNAL_H
#define HOST_REPL_INTERNAL_H

#include "history.h"
#include "line_editor.h"
#include "repl.h"

struct host_repl {
    struct host_session *session;
    struct host_line_editor *editor;
    struct host_history *history;
    const struct host_break *stop; /* NULL: a session of its own */
    bool started;                  /* lua/weir/repl has */
    bool interactive;
    bool color; /* on standard output */
    int code;   /* of the exit, once `over` */
    bool over;
    bool said_history; /* that the history cannot be kept */
    bool warned_tasks; /* Ctrl-D was told that tasks still run */
    char *draft;       /* what the next input begins with */
};

/* repl_lib.c: pushes the table of functions that lua/repl is given. */
void host_repl_push_host(lua_State *L, struct host_repl *repl);

/* repl_edit.c: lets the user's editor change `text`; false, and said, if it
 * did not. */
bool host_repl_edit(struct host_repl *repl, const char *text,
                    struct weir_buf *out);

#endif
