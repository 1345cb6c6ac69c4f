#include "warnings.h"

#include <stdbool.h>
#include <string.h>

#include "bind.h"

/* More of one warning is not said. */
#define WARNING_MAX ((size_t)64 * 1024)

struct warnings {
    struct weir_log *log;
    struct weir_buf text; /* of the pieces so far */
    bool on, more;
};

static const char registry_key; /* keeps the box */

static void warnings_fini(void *memory)
{
    weir_buf_fini(&((struct warnings *)memory)->text);
}

static void say(struct warnings *w)
{
    /* What did not fit is left out as a whole: a piece may end in the middle
     * of a secret. */
    if (w->on)
        weir_log_write_text(w->log, WEIR_LOG_WARN, NULL, weir_buf_str(&w->text),
                            w->text.len);
    weir_buf_fini(&w->text);
}

/* A piece of a warning; `to_continue` if another follows. */
static void on_piece(void *ud, const char *message, int to_continue)
{
    struct warnings *w = ud;
    bool control = !w->more && !to_continue && message[0] == '@';

    w->more = to_continue;
    if (control) {
        if (strcmp(message, "@on") == 0)
            w->on = true;
        else if (strcmp(message, "@off") == 0)
            w->on = false;
        return;
    }
    weir_buf_adds(&w->text, message);
    if (!to_continue)
        say(w);
}

void host_warnings_open(lua_State *L)
{
    struct warnings *w = bind_box(L, sizeof(*w), warnings_fini);

    w->log = bind_context(L)->log;
    weir_buf_init(&w->text, WARNING_MAX);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &registry_key);
    lua_setwarnf(L, on_piece, w);
}
