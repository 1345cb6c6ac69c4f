/*
 * value: what the bindings of json and yaml share beyond bind.h.
 */
#ifndef WEIR_BIND_VALUE_H
#define WEIR_BIND_VALUE_H

#include "bind.h"

/* Longest text that encoding makes. */
#define BIND_VALUE_MAX_TEXT ((size_t)256 << 20)

/* What becomes of a number that Lua cannot hold as it is written: an integer
 * beyond 64 bits, a number beyond the range of a double. */
enum bind_big {
    BIND_BIG_EXACT,  /* it becomes an object that keeps its text (number.c) */
    BIND_BIG_ERROR,  /* the whole text is refused */
    BIND_BIG_FLOAT,  /* such an integer becomes the nearest float */
    BIND_BIG_STRING, /* it becomes a string of its own text */
    BIND_BIG_WORDS
};
/* The word of a `big_numbers` option; raises if it is none. */
enum bind_big bind_big_check(lua_State *L, const char *what, const char *word);
struct bind_builder *bind_builder_big(lua_State *L, enum bind_big big);

/* Pushes such an object; `text` is JSON number text that no Lua number is. */
void bind_number_push(lua_State *L, const char *text, size_t len);
/* The text of one, or NULL if that is none. */
const char *bind_number(lua_State *L, int index, size_t *len);

/* A place inside a value, as a JSON pointer (RFC 6901), for messages. */
struct bind_path {
    char text[160];
    size_t len;
    bool cut;
};
void bind_path_init(struct bind_path *path);
void bind_path_key(struct bind_path *path, const char *key, size_t len);
void bind_path_index(struct bind_path *path, size_t index);
/* "/a/0/b", or "value" for the whole. */
const char *bind_path_text(const struct bind_path *path);

/* Reads json.decode's options at `index` for `what`, and pushes a builder that
 * keeps to them. */
struct bind_builder *bind_json_options(lua_State *L, int index,
                                       const char *what,
                                       struct weir_json_options *out);

#endif
