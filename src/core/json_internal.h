/* What json.c tells the rest of the core, and nobody else. */
#ifndef WEIR_JSON_INTERNAL_H
#define WEIR_JSON_INTERNAL_H

#include "weir/json.h"

/* cJSON's version; only one file of the core includes cJSON.h. */
const char *weir_json_library_version(void);

/* Adds a member at the end without looking whether there is one of that name;
 * takes `child` over, also on failure. */
enum weir_code weir_json_add_member(struct weir_json *object, const char *key,
                                    size_t len, struct weir_json *child);

/* Of members with one name, keeps the last. */
enum weir_code weir_json_drop_repeated(struct weir_json *object);

/* The members of an object in the byte order of their keys: in `room` if
 * there are no more than `room_len`, else in memory to be freed.  NULL when
 * memory is out. */
const struct weir_json **weir_json_sorted(const struct weir_json *object,
                                          const struct weir_json **room,
                                          size_t room_len);

/* Byte order of keys. */
int weir_json_key_order(const char *a, size_t a_len, const char *b,
                        size_t b_len);

#endif
