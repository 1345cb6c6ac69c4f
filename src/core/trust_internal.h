/* trust: what its files share. */
#ifndef WEIR_TRUST_INTERNAL_H
#define WEIR_TRUST_INTERNAL_H

#include "shape.h"
#include "weir/trust.h"

/* Reads the arrays of keys and of revoked ones, each of which may be absent,
 * into an empty store.  `dated`: keys have "id" and "added", revoked ones
 * "since", as in a trust store; in a policy they have not. */
enum weir_code weir_trust_read_keys(struct weir_shape *shape,
                                    const struct weir_json *json, bool dated,
                                    struct weir_trust_store *out);

/* UTF-8 without control characters. */
bool weir_trust_is_line(const char *text, size_t len);

/* A required member, already known to be a string, into `out` of `size`
 * bytes, the NUL included: a line that is not empty. */
enum weir_code weir_trust_read_text(struct weir_shape *shape,
                                    const struct weir_json *object,
                                    const char *key, char *out, size_t size);
/* A member that is a time; 0 if it is absent. */
enum weir_code weir_trust_read_time(struct weir_shape *shape,
                                    const struct weir_json *object,
                                    const char *key, int64_t *out);
/* A member that is a key id. */
enum weir_code weir_trust_read_id(struct weir_shape *shape,
                                  const struct weir_json *object,
                                  const char *key, unsigned char *out);

/* Adds a time or a text to an object. */
enum weir_code weir_trust_set_time(struct weir_json *object, const char *key,
                                   int64_t time);
enum weir_code weir_trust_set_text(struct weir_json *object, const char *key,
                                   const char *text);

/* The highest version of a bundle that has run by that key, or NULL. */
const struct weir_trust_version *
weir_trust_find_version(const struct weir_trust_versions *versions,
                        const char *bundle, const char *key);

/* The revoked key of that id in the store, or NULL. */
const struct weir_trust_revoked *
weir_trust_find_revoked(const struct weir_trust_store *store,
                        const unsigned char *id);

#endif
