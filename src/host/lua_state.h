/*
 * lua_state: the Lua state that scripts run in.
 */
#ifndef HOST_LUA_STATE_H
#define HOST_LUA_STATE_H

#include <lua.h>

#include "bind.h"

/* A state with Lua's libraries and weir's modules, text chunks only; modules
 * are found beside `script` (a path, or NULL) first.  If the context has
 * permissions, the script is confined to them (sandbox.h).  NULL without
 * memory. */
lua_State *host_state_new(struct bind_context *context, const char *script);

/* Lets `require` find a room of lua/ that is hidden from scripts, for the
 * command that it is of.  May raise for want of memory. */
void host_state_show_room(lua_State *L, const char *room);

/* Reads the script at `path` ("-": standard input) into `out`, which it
 * initialises; 0 or an errno. */
int host_state_read(const char *path, struct weir_buf *out);

/* Loads the text of the script at `path` and pushes its main function, whose
 * globals are strict.  LUA_OK, or Lua's code with the message on top. */
int host_state_load(lua_State *L, const char *path,
                    const struct weir_buf *text);

/* The same for text in memory (NUL-terminated), as the chunk of that name. */
int host_state_load_text(lua_State *L, const char *text, size_t len,
                         const char *chunk);

/* Whether such a text is Lua; true for want of memory, too. */
bool host_state_is_lua(lua_State *L, const char *text, size_t len);

/* Makes the function on top, which it takes, the one that finds modules that
 * are not weir's: search(name) → loader, data; or a text about where it
 * looked. */
void host_state_set_searcher(lua_State *L);

/* Sets the global `arg` as lua(1) does: arg[0] the script, arg[1] … its
 * arguments, arg[-1] … what stands before. */
void host_state_set_arg(lua_State *L, int argc, char **argv, int script);

#endif
