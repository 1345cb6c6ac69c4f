/* page: listings as servers give them, whole, empty, endless and broken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rig.h"
#include "weir/page.h"

struct fixture {
    struct rig rig;
    struct weir_page_options options;
    struct weir_op *op;
    /* For listings that are made up as they are asked for. */
    size_t (*cursor)(size_t page);
    size_t asked;
    size_t most_live;
};

static int setup(void **state)
{
    static struct fixture f;

    memset(&f, 0, sizeof(f));
    rig_init(&f.rig);
    f.options = (struct weir_page_options){.path = "/l", .items = "items"};
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    weir_op_free(f->op);
    rig_fini(&f->rig);
    return 0;
}

static void begin(struct fixture *f)
{
    struct weir_err err = WEIR_ERR_INIT;

    weir_op_free(f->op);
    if (weir_page_new(f->rig.client, &f->options, &f->op, &err))
        fail_msg("%s", err.message);
}

static void page(struct fixture *f, const char *body)
{
    rig_answer(&f->rig, 200, NULL, body);
}

/* Runs to the next item, which must be that number. */
static void assert_next(struct fixture *f, int64_t expected)
{
    int64_t got;

    if (rig_run(f->op))
        fail_msg("%s", weir_op_err(f->op)->message);
    assert_true(weir_json_integer(weir_page_item(f->op), &got));
    assert_int_equal(got, expected);
}

static void assert_end(struct fixture *f)
{
    assert_int_equal(rig_run(f->op), WEIR_OK);
    assert_null(weir_page_item(f->op));
}

static void assert_fails(struct fixture *f, enum weir_code code,
                         const char *message)
{
    assert_int_equal(rig_run(f->op), code);
    assert_null(weir_page_item(f->op));
    if (!strstr(weir_op_err(f->op)->message, message))
        fail_msg("'%s' is not in: %s", message, weir_op_err(f->op)->message);
}

static void assert_url(const struct fixture *f, size_t n, const char *url)
{
    assert_true(n < f->rig.fake.n_requests);
    assert_string_equal(f->rig.fake.requests[n].url, url);
}

/* ---- listings that are right ---- */

static void items_come_one_by_one(void **state)
{
    struct fixture *f = *state;

    f->options.query = "page_size=2";
    begin(f);
    page(f, "{'items':[1,2],'next_cursor':'a b&c=/é'}");
    page(f, "{'items':[3,4],'next_cursor':12}");
    page(f, "{'items':[5],'next_cursor':null}");
    for (int i = 1; i <= 5; i++)
        assert_next(f, i);
    assert_end(f);
    assert_end(f);
    assert_int_equal(weir_page_count(f->op), 3);
    assert_url(f, 0, "https://x.test/l?page_size=2");
    assert_url(f, 1,
               "https://x.test/l?page_size=2&cursor=a%20b%26c%3D%2F%C3%A9");
    assert_url(f, 2, "https://x.test/l?page_size=2&cursor=12");
}

static void names_are_the_dialects(void **state)
{
    struct fixture *f = *state;

    f->options.items = "rows";
    f->options.next = "more";
    f->options.cursor_param = "after";
    begin(f);
    page(f, "{'rows':[1],'more':'x','next_cursor':'y'}");
    page(f, "{'rows':[2]}");
    assert_next(f, 1);
    assert_next(f, 2);
    assert_end(f);
    assert_url(f, 1, "https://x.test/l?after=x");
}

static void a_listing_ends_in_three_ways(void **state)
{
    struct fixture *f = *state;
    static const char *const ends[] = {"{'items':[]}",
                                       "{'items':[],'next_cursor':null}",
                                       "{'items':[],'next_cursor':''}"};

    for (size_t i = 0; i < 3; i++) {
        begin(f);
        page(f, ends[i]);
        assert_end(f);
    }
}

static void empty_pages_before_the_last_are_passed(void **state)
{
    struct fixture *f = *state;

    begin(f);
    page(f, "{'items':[],'next_cursor':'a'}");
    page(f, "{'items':[],'next_cursor':'b'}");
    page(f, "{'items':[1],'next_cursor':'c'}");
    page(f, "{'items':[],'next_cursor':'d'}");
    page(f, "{'items':[2]}");
    assert_next(f, 1);
    assert_next(f, 2);
    assert_end(f);
}

static void items_that_are_here_need_no_turn(void **state)
{
    struct fixture *f = *state;
    int64_t n;

    begin(f);
    assert_false(weir_page_take(f->op));
    page(f, "{'items':[1,2],'next_cursor':'a'}");
    page(f, "{'items':[3]}");
    assert_next(f, 1);
    assert_true(weir_page_take(f->op));
    assert_true(weir_json_integer(weir_page_item(f->op), &n));
    assert_int_equal(n, 2);
    assert_false(weir_page_take(f->op));
    assert_next(f, 3);
    assert_false(weir_page_take(f->op));
    assert_end(f);
}

static void one_page_ahead_and_no_more(void **state)
{
    struct fixture *f = *state;

    begin(f);
    page(f, "{'items':[1,2],'next_cursor':'a'}");
    page(f, "{'items':[3],'next_cursor':'b'}");
    page(f, "{'items':[4]}");
    assert_int_equal(f->rig.fake.n_requests, 0);
    assert_next(f, 1);
    /* The first is being read: the second is under way. */
    assert_int_equal(f->rig.fake.n_requests, 2);
    while (!weir_loop_idle(f->rig.loop))
        weir_loop_turn(f->rig.loop, -1, NULL);
    assert_int_equal(weir_page_count(f->op), 2);
    assert_next(f, 2);
    assert_int_equal(f->rig.fake.n_requests, 2);
    assert_next(f, 3);
    assert_int_equal(f->rig.fake.n_requests, 3);
    assert_next(f, 4);
    assert_end(f);
}

static void leaving_early_leaves_nothing_behind(void **state)
{
    struct fixture *f = *state;

    begin(f);
    page(f, "{'items':[1,2],'next_cursor':'a'}");
    page(f, "{'items':[3]}");
    fake_transport_delay(&f->rig.fake, 1000);
    assert_next(f, 1);
    assert_int_equal(f->rig.fake.live, 1);
    weir_op_free(f->op);
    f->op = NULL;
    assert_int_equal(f->rig.fake.live, 0);
    assert_true(weir_loop_idle(f->rig.loop));
}

static void a_cancelled_start_can_be_made_again(void **state)
{
    struct fixture *f = *state;

    begin(f);
    page(f, "{'items':[1],'next_cursor':'a'}");
    page(f, "{'items':[2]}");
    fake_transport_delay(&f->rig.fake, 1000);
    page(f, "{'items':[2]}");
    assert_next(f, 1);
    assert_int_equal(weir_op_run(f->op, 10), WEIR_TIMEOUT);
    assert_int_equal(f->rig.fake.live, 0);
    assert_next(f, 2);
    assert_url(f, 1, "https://x.test/l?cursor=a");
    assert_url(f, 2, "https://x.test/l?cursor=a");
    assert_end(f);
}

/* ---- listings that are not ---- */

static void what_goes_wrong_ahead_is_told_in_its_turn(void **state)
{
    struct fixture *f = *state;

    begin(f);
    page(f, "{'items':[1,2],'next_cursor':'a'}");
    rig_answer(&f->rig, 403, NULL, "{}");
    assert_next(f, 1);
    while (!weir_loop_idle(f->rig.loop))
        weir_loop_turn(f->rig.loop, -1, NULL);
    assert_next(f, 2);
    assert_fails(f, WEIR_PERMISSION, "page 2: ");
    /* And again, without asking again. */
    assert_fails(f, WEIR_PERMISSION, "page 2: ");
    assert_int_equal(f->rig.fake.n_requests, 2);
}

static void a_page_without_its_items_is_an_error(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *body, *message;
    } cases[] = {
        {"{'next_cursor':null}", "'items' should be an array and is absent"},
        {"{'items':null}", "'items' should be an array and is null"},
        {"{'items':{}}", "'items' should be an array and is object"},
        {"[1,2]", "should be a JSON object and is of type array"},
        {"<html>", "not JSON"},
        {"{'items':[1,2", "not JSON"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        begin(f);
        page(f, cases[i].body);
        assert_fails(f, WEIR_PROTOCOL, cases[i].message);
        assert_string_equal(weir_op_err(f->op)->url, "https://x.test/l");
        assert_string_equal(weir_op_err(f->op)->method, "GET");
    }
}

static void a_cursor_must_be_text_or_integer(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = {"1.5", "1e3", "true", "{}", "['a']"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        char body[80];

        begin(f);
        snprintf(body, sizeof(body), "{'items':[1],'next_cursor':%s}", bad[i]);
        page(f, body);
        assert_next(f, 1);
        assert_fails(f, WEIR_PROTOCOL, "'next_cursor' should be a string");
    }
}

static void a_cursor_has_a_ceiling(void **state)
{
    struct fixture *f = *state;
    char *body = malloc(6000);

    begin(f);
    strcpy(body, "{'items':[],'next_cursor':'");
    memset(body + strlen(body), 'x', 5000);
    strcpy(body + 27 + 5000, "'}");
    page(f, body);
    free(body);
    assert_fails(f, WEIR_LIMIT, "'next_cursor' has 5000 bytes");
}

static void a_cursor_that_comes_again_is_named(void **state)
{
    struct fixture *f = *state;

    begin(f);
    page(f, "{'items':[1],'next_cursor':'first'}");
    page(f, "{'items':[2],'next_cursor':'se\\u001b\\u0007cond'}");
    page(f, "{'items':[3],'next_cursor':'third'}");
    page(f, "{'items':[4],'next_cursor':'se\\u001b\\u0007cond'}");
    for (int i = 1; i <= 4; i++)
        assert_next(f, i);
    assert_fails(f, WEIR_PROTOCOL,
                 "the cursor \"se??cond\" came a second time, with page 4");
    assert_int_equal(f->rig.fake.n_requests, 4);
}

static void pages_have_a_ceiling(void **state)
{
    struct fixture *f = *state;

    f->options.max_pages = 2;
    begin(f);
    page(f, "{'items':[1],'next_cursor':'a'}");
    page(f, "{'items':[2],'next_cursor':'b'}");
    assert_next(f, 1);
    assert_next(f, 2);
    assert_fails(f, WEIR_LIMIT, "more than 2 pages (max_pages)");
}

static void items_have_a_ceiling(void **state)
{
    struct fixture *f = *state;

    f->options.max_items = 3;
    begin(f);
    page(f, "{'items':[1,2],'next_cursor':'a'}");
    page(f, "{'items':[3,4],'next_cursor':'b'}");
    page(f, "{'items':[5]}");
    for (int item = 1; item <= 3; item++)
        assert_next(f, item);
    assert_fails(f, WEIR_LIMIT, "more than 3 items (max_items)");
}

static void as_many_items_as_allowed_are_no_fault(void **state)
{
    struct fixture *f = *state;

    f->options.max_items = 2;
    begin(f);
    page(f, "{'items':[1,2],'next_cursor':'a'}");
    page(f, "{'items':[]}");
    assert_next(f, 1);
    assert_next(f, 2);
    assert_end(f);
}

/* ---- long listings ---- */

static void make_up(void *ud, struct fake_transport *fake,
                    const struct fake_request *request)
{
    struct fixture *f = ud;
    char body[80];
    size_t next = f->cursor(++f->asked);

    (void)request;
    if (fake->live > f->most_live)
        f->most_live = fake->live;
    snprintf(body, sizeof(body), "{\"items\":[0],\"next_cursor\":\"c%zu\"}",
             next);
    if (next == 0)
        snprintf(body, sizeof(body), "{\"items\":[0]}");
    fake_transport_answer(fake, 200, NULL, body);
}

/* Pages read until it ends; SIZE_MAX if it was found to run in a circle. */
static size_t read_made_up(struct fixture *f, size_t (*cursor)(size_t))
{
    f->cursor = cursor;
    f->asked = 0;
    f->rig.fake.on_request = make_up;
    f->rig.fake.ud = f;
    begin(f);
    while (!rig_run(f->op) && weir_page_item(f->op))
        ;
    if (!weir_op_code(f->op))
        return weir_page_count(f->op);
    assert_non_null(strstr(weir_op_err(f->op)->message, "in a circle"));
    return SIZE_MAX;
}

#define PAGES(n) ((size_t)rig_rounds(n))

static size_t fair(size_t page)
{
    return page < PAGES(9000) ? page : 0;
}

static size_t anew(size_t page)
{
    return (page - 1) % PAGES(7000) + 1;
}

static size_t late_circle(size_t page)
{
    return page < PAGES(5000) ? page : PAGES(5000) + page % 37;
}

static void a_long_listing_is_read_to_its_end(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(read_made_up(f, fair), PAGES(9000));
    assert_true(f->most_live <= 1);
}

static void circles_are_found_however_long_the_listing(void **state)
{
    struct fixture *f = *state;

    /* One that begins anew is found at the first repetition. */
    assert_int_equal(read_made_up(f, anew), SIZE_MAX);
    assert_int_equal(weir_page_count(f->op), PAGES(7000) + 1);
    /* One that runs in a circle late, soon after. */
    assert_int_equal(read_made_up(f, late_circle), SIZE_MAX);
    assert_in_range(weir_page_count(f->op), PAGES(5000) + 37, PAGES(9000));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(items_come_one_by_one),
        TEST(names_are_the_dialects),
        TEST(a_listing_ends_in_three_ways),
        TEST(empty_pages_before_the_last_are_passed),
        TEST(items_that_are_here_need_no_turn),
        TEST(one_page_ahead_and_no_more),
        TEST(leaving_early_leaves_nothing_behind),
        TEST(a_cancelled_start_can_be_made_again),
        TEST(what_goes_wrong_ahead_is_told_in_its_turn),
        TEST(a_page_without_its_items_is_an_error),
        TEST(a_cursor_must_be_text_or_integer),
        TEST(a_cursor_has_a_ceiling),
        TEST(a_cursor_that_comes_again_is_named),
        TEST(pages_have_a_ceiling),
        TEST(items_have_a_ceiling),
        TEST(as_many_items_as_allowed_are_no_fault),
        TEST(a_long_listing_is_read_to_its_end),
        TEST(circles_are_found_however_long_the_listing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
