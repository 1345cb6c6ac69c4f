/* What the tests of permissions share. */
#ifndef GRANTS_H
#define GRANTS_H

#include "weir/permissions.h"

/* The permissions of a table; ends the test if it is none. */
struct weir_permissions *grants_parse(const char *text);
/* Their JSON, to be freed. */
char *grants_json(const struct weir_permissions *p);
void grants_assert_json(const struct weir_permissions *p, const char *expected);
/* What `p` and the table grant both. */
struct weir_permissions *grants_narrow(const struct weir_permissions *p,
                                       unsigned kinds, const char *with,
                                       const char *by);

#endif
