#include "grants.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct weir_permissions *grants_parse(const char *text)
{
    struct weir_permissions *p = NULL;
    struct weir_err err = WEIR_ERR_INIT;

    if (weir_permissions_parse_text(text, strlen(text), &p, &err))
        fail_msg("%s: %s", text, err.message);
    return p;
}

char *grants_json(const struct weir_permissions *p)
{
    struct weir_json *json = weir_permissions_json(p);
    struct weir_buf buf;

    assert_non_null(json);
    weir_buf_init(&buf, 1 << 20);
    assert_int_equal(weir_json_write(json, 0, &buf, NULL), WEIR_OK);
    weir_json_free(json);
    return weir_buf_take(&buf, NULL);
}

void grants_assert_json(const struct weir_permissions *p, const char *expected)
{
    char *text = grants_json(p);

    assert_string_equal(text, expected);
    free(text);
}

struct weir_permissions *grants_narrow(const struct weir_permissions *p,
                                       unsigned kinds, const char *with,
                                       const char *by)
{
    struct weir_permissions *other = grants_parse(with), *out = NULL;

    assert_int_equal(weir_permissions_narrow(p, kinds, other, by, &out, NULL),
                     WEIR_OK);
    weir_permissions_free(other);
    return out;
}
