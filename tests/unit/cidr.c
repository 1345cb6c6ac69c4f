/* cidr: what is refused and what is suggested, then what is inside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "../../src/core/cidr.h"

static void refuse(const char *text, enum weir_code code, const char *hint)
{
    struct weir_cidr block;
    struct weir_err err = WEIR_ERR_INIT;

    if (weir_cidr_parse(text, strlen(text), &block, &err) != code ||
        !strstr(err.hint, hint))
        fail_msg("%s: %s; %s", text, err.message, err.hint);
}

static void what_is_no_block_is_refused(void **state)
{
    (void)state;
    refuse("", WEIR_SYNTAX, "10.0.0.0/8");
    refuse("office", WEIR_SYNTAX, "10.0.0.0/8");
    refuse("10.0.0/8", WEIR_SYNTAX, "10.0.0.0/8");
    refuse("010.0.0.0/8", WEIR_SYNTAX, "10.0.0.0/8");
    refuse("0x0a.0.0.0/8", WEIR_SYNTAX, "10.0.0.0/8");
    refuse("10.0.0.256/32", WEIR_SYNTAX, "10.0.0.0/8");
    refuse("fe80::1%eth0/64", WEIR_SYNTAX, "10.0.0.0/8");
    refuse("10.0.0.0/33", WEIR_SYNTAX, "");
    refuse("10.0.0.0/", WEIR_SYNTAX, "");
    refuse("10.0.0.0/08", WEIR_SYNTAX, "");
    refuse("10.0.0.0/-1", WEIR_SYNTAX, "");
    refuse("10.0.0.0/8 ", WEIR_SYNTAX, "");
    refuse("::/129", WEIR_SYNTAX, "");
}

static void the_right_block_is_suggested(void **state)
{
    (void)state;
    refuse("10.1.2.3/8", WEIR_INVALID, "'10.0.0.0/8'");
    refuse("192.168.1.129/25", WEIR_INVALID, "'192.168.1.128/25'");
    refuse("1.2.3.4/0", WEIR_INVALID, "'0.0.0.0/0'");
    refuse("2001:db8::1/32", WEIR_INVALID, "'2001:db8::/32'");
    refuse("2001:db8:ffff::/33", WEIR_INVALID, "'2001:db8:8000::/33'");
    refuse("10.1.2.3", WEIR_SYNTAX, "'10.1.2.3/32'");
    refuse("::1", WEIR_SYNTAX, "'::1/128'");
}

static void a_nul_ends_no_address(void **state)
{
    struct weir_cidr block;

    (void)state;
    assert_int_equal(weir_cidr_parse("10.0.0.0\0/8", 11, &block, NULL),
                     WEIR_SYNTAX);
}

static bool inside(const char *text, const char *address)
{
    struct weir_cidr block;

    assert_int_equal(weir_cidr_parse(text, strlen(text), &block, NULL),
                     WEIR_OK);
    return weir_cidr_contains(&block, address, strlen(address));
}

static void addresses_are_inside_or_not(void **state)
{
    (void)state;
    assert_true(inside("10.0.0.0/8", "10.255.255.255"));
    assert_false(inside("10.0.0.0/8", "11.0.0.0"));
    assert_true(inside("192.168.1.128/25", "192.168.1.200"));
    assert_false(inside("192.168.1.128/25", "192.168.1.127"));
    assert_true(inside("0.0.0.0/0", "255.1.2.3"));
    assert_false(inside("0.0.0.0/0", "::1"));
    assert_true(inside("10.0.0.1/32", "10.0.0.1"));
    assert_false(inside("10.0.0.1/32", "10.0.0.2"));
    assert_true(inside("2001:db8::/33", "2001:db8:7fff::1"));
    assert_false(inside("2001:db8::/33", "2001:db8:8000::1"));
    assert_false(inside("10.0.0.0/8", "10.0.0"));
    assert_false(inside("10.0.0.0/8", "10.0.0.1 "));
}

static void mapped_addresses_count_as_ipv4(void **state)
{
    (void)state;
    assert_true(inside("10.0.0.0/8", "::ffff:10.1.2.3"));
    assert_true(inside("::ffff:10.0.0.0/104", "10.1.2.3"));
    assert_false(inside("::/0", "::ffff:10.1.2.3"));
    refuse("::ffff:10.1.2.3/104", WEIR_INVALID, "'::ffff:10.0.0.0/104'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_block_is_refused),
        cmocka_unit_test(the_right_block_is_suggested),
        cmocka_unit_test(a_nul_ends_no_address),
        cmocka_unit_test(addresses_are_inside_or_not),
        cmocka_unit_test(mapped_addresses_count_as_ipv4),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
