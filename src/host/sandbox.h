/*
 * sandbox: what a confined script sees of Lua.
 *
 * The state is made as every other, for our own modules stand on Lua's
 * libraries.  Then the script is given globals of its own: only what is on
 * the lists here, in tables that nobody else uses.  What a script does to
 * them, and to the metatables that it can reach, is its own affair.
 *
 * A name that is not on a list is not there.  tests/e2e/sandbox_names.txt has
 * the whole list again, so that nothing gets in by accident.
 */
#ifndef HOST_SANDBOX_H
#define HOST_SANDBOX_H

#include <stdio.h>

#include <lua.h>

#include "bind.h"

/* Replaces the globals of a state whose libraries are complete and kept
 * (bind_keep_libraries).  `strict` gives the function on top the globals of a
 * script; it is for modules beside the script, in `folder` ("dir/", "./").
 * May raise for want of memory. */
void host_sandbox_open(lua_State *L, const char *folder,
                       void (*strict)(lua_State *L));

/* Modules that are not weir's are found by the function on top, which it
 * takes, and no more in the script's folder. */
void host_sandbox_set_searcher(lua_State *L);

/* ---- its parts: each takes the script's globals at index `globals` ---- */

/* Pushes the host's own table of the library ("" for the base). */
void host_sandbox_original(lua_State *L, const char *library);
/* Copies the named functions of the library into the table on top. */
void host_sandbox_copy(lua_State *L, const char *library,
                       const char *const *names);

/* Gives our own modules the functions of the library on top, which it takes,
 * in a table of their own: they work on what scripts hand them. */
void host_sandbox_share(lua_State *L, const char *library);

/* Base functions that are ours, and debug, os, math, utf8, coroutine. */
void host_sandbox_base(lua_State *L, int globals);
void host_sandbox_string(lua_State *L, int globals);
void host_sandbox_table(lua_State *L, int globals);
/* io, the part of os that names files, loadfile and dofile; our own modules
 * get the same, so that a path of a script has one door. */
void host_sandbox_files(lua_State *L, int globals);
/* package and require. */
void host_sandbox_modules(lua_State *L, int globals, const char *folder,
                          void (*strict)(lua_State *L));

/* Loads the text of `file` as Lua, as luaL_loadfilex does but for bytecode;
 * closes nothing.  Pushes the function or a message. */
int host_sandbox_load_text(lua_State *L, FILE *file, const char *name);

#endif
