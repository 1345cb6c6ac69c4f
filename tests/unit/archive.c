/* Archives: what is written reads back, byte for byte the same each time;
 * everything else that the format allows is refused by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weir/archive.h"

/* ---- archives made by hand ---- */

enum { MAX = 1 << 16 };

/* One file, and what is said of it: everything true unless set. */
struct item {
    const char *name;
    size_t name_len; /* 0: strlen */
    const char *data;
    unsigned mode, flags, method;
    const char *local_name;
    unsigned packed, size; /* said in place of the true size */
    unsigned gap;          /* bytes before it */
};

struct raw {
    unsigned char bytes[MAX];
    size_t len;
};

static void put(struct raw *raw, const void *bytes, size_t len)
{
    assert_true(raw->len + len <= MAX);
    memcpy(raw->bytes + raw->len, bytes, len);
    raw->len += len;
}

static void put_number(struct raw *raw, unsigned long value, int n)
{
    for (int i = 0; i < n; i++, value >>= 8) {
        unsigned char byte = value & 0xFF;

        put(raw, &byte, 1);
    }
}

static unsigned long crc_of(const char *data, size_t len)
{
    unsigned long crc = 0xFFFFFFFFUL;

    for (size_t i = 0; i < len; i++) {
        crc ^= (unsigned char)data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (crc & 1 ? 0xEDB88320UL : 0);
    }
    return crc ^ 0xFFFFFFFFUL;
}

static const char *data_of(const struct item *it)
{
    return it->data ? it->data : "hello";
}

/* What stands in both headers. */
static void put_common(struct raw *raw, const struct item *it, size_t name_len)
{
    size_t len = strlen(data_of(it));

    put_number(raw, it->flags, 2);
    put_number(raw, it->method, 2);
    put_number(raw, 0x00210000, 4); /* 1980-01-01 */
    put_number(raw, crc_of(data_of(it), len), 4);
    put_number(raw, it->packed ? it->packed : len, 4);
    put_number(raw, it->size ? it->size : len, 4);
    put_number(raw, name_len, 2);
    put_number(raw, 0, 2); /* extra */
}

static size_t name_len_of(const struct item *it)
{
    return it->name_len ? it->name_len : strlen(it->name);
}

static void make(struct raw *raw, const struct item *items, size_t n)
{
    size_t offsets[8], directory;

    raw->len = 0;
    for (size_t i = 0; i < n; i++) {
        const char *name =
            items[i].local_name ? items[i].local_name : items[i].name;
        size_t name_len =
            items[i].local_name ? strlen(name) : name_len_of(&items[i]);

        for (unsigned gap = 0; gap < items[i].gap; gap++)
            put(raw, "?", 1);
        offsets[i] = raw->len;
        put(raw, "PK\3\4\12\0", 6);
        put_common(raw, &items[i], name_len);
        put(raw, name, name_len);
        put(raw, data_of(&items[i]), strlen(data_of(&items[i])));
    }
    directory = raw->len;
    for (size_t i = 0; i < n; i++) {
        put(raw, "PK\1\2\12\3\12\0", 8);
        put_common(raw, &items[i], name_len_of(&items[i]));
        put_number(raw, 0, 6); /* comment, disk, attributes */
        put_number(
            raw, (unsigned long)(items[i].mode ? items[i].mode : 0100644) << 16,
            4);
        put_number(raw, offsets[i], 4);
        put(raw, items[i].name, name_len_of(&items[i]));
    }
    put(raw, "PK\5\6\0\0\0\0", 8);
    put_number(raw, n, 2);
    put_number(raw, n, 2);
    put_number(raw, raw->len - directory - 12, 4);
    put_number(raw, directory, 4);
    put_number(raw, 0, 2);
}

static void refused_bytes(const void *bytes, size_t len, const char *why)
{
    struct weir_archive *archive = NULL;
    struct weir_err err = WEIR_ERR_INIT;
    enum weir_code code = weir_archive_read(bytes, len, &archive, &err);

    if (code != WEIR_VALIDATION && code != WEIR_LIMIT)
        fail_msg("code %d, expected '%s'", code, why);
    assert_null(archive);
    if (!strstr(err.message, why))
        fail_msg("'%s' is not in: %s", why, err.message);
    weir_err_clear(&err);
}

static void refused(const struct item *items, size_t n, const char *why)
{
    struct raw *raw = malloc(sizeof(*raw));

    assert_non_null(raw);
    make(raw, items, n);
    refused_bytes(raw->bytes, raw->len, why);
    free(raw);
}

static void refused_item(struct item item, const char *why)
{
    refused(&item, 1, why);
}

/* ---- what is good ---- */

static void test_round_trip(void **state)
{
    static const struct weir_archive_file files[] = {
        {"weir-manifest.json", "{}", 2},
        {"main.lua", "print(1)\n\0x", 11},
        {"lib/empty.lua", "", 0},
        {"d\xC3\xA4ten/\xE2\x82\xAC.csv", "a;b", 3}};
    struct weir_archive *archive = NULL;
    struct weir_buf one, two;

    (void)state;
    weir_buf_init(&one, MAX);
    weir_buf_init(&two, MAX);
    assert_int_equal(weir_archive_write(files, 4, &one, NULL), WEIR_OK);
    assert_int_equal(setenv("TZ", "Asia/Tokyo", 1), 0);
    assert_int_equal(weir_archive_write(files, 4, &two, NULL), WEIR_OK);
    assert_int_equal(unsetenv("TZ"), 0);
    assert_int_equal(one.len, two.len);
    assert_memory_equal(one.data, two.data, one.len);
    assert_int_equal(weir_archive_read(one.data, one.len, &archive, NULL),
                     WEIR_OK);
    assert_int_equal(weir_archive_count(archive), 4);
    for (size_t i = 0; i < 4; i++) {
        const struct weir_archive_file *got = weir_archive_at(archive, i);

        assert_string_equal(got->name, files[i].name);
        assert_int_equal(got->size, files[i].size);
        assert_memory_equal(got->data, files[i].data, got->size);
        assert_ptr_equal(weir_archive_get(archive, files[i].name), got);
    }
    assert_null(weir_archive_at(archive, 4));
    assert_null(weir_archive_get(archive, "Main.lua"));
    weir_archive_free(archive);
    weir_buf_fini(&one);
    weir_buf_fini(&two);
}

/* By hand, without what follows the data: as other writers do. */
static void test_by_hand(void **state)
{
    const struct item items[] = {{.name = "a.lua"}, {.name = "b/c.lua"}};
    struct weir_archive *archive = NULL;
    struct raw *raw = malloc(sizeof(*raw));
    struct weir_err err = WEIR_ERR_INIT;

    (void)state;
    assert_non_null(raw);
    make(raw, items, 2);
    if (weir_archive_read(raw->bytes, raw->len, &archive, &err))
        fail_msg("%s", err.message);
    assert_string_equal(weir_archive_get(archive, "b/c.lua")->data, "hello");
    weir_archive_free(archive);
    archive = NULL;
    make(raw, NULL, 0);
    assert_int_equal(weir_archive_read(raw->bytes, raw->len, &archive, NULL),
                     WEIR_OK);
    assert_int_equal(weir_archive_count(archive), 0);
    weir_archive_free(archive);
    weir_archive_free(NULL);
    free(raw);
}

static void test_find(void **state)
{
    static const struct weir_archive_file file = {"a", "x", 1};
    struct weir_buf buf;
    size_t start = 99;

    (void)state;
    weir_buf_init(&buf, MAX);
    weir_buf_adds(&buf, "#!/usr/bin/env weir\n");
    assert_int_equal(weir_archive_write(&file, 1, &buf, NULL), WEIR_OK);
    assert_int_equal(weir_archive_find(buf.data, buf.len, &start, NULL),
                     WEIR_OK);
    assert_int_equal(start, 20);
    refused_bytes(buf.data, buf.len, "20 bytes stand before the beginning");
    start = 99;
    assert_int_equal(weir_archive_find("x", 1, &start, NULL), WEIR_VALIDATION);
    assert_int_equal(start, 99);
    weir_buf_fini(&buf);
}

/* ---- names ---- */

static void test_names(void **state)
{
    (void)state;
#define NAME(text, why)                                                        \
    refused_item((struct item){.name = text, .name_len = sizeof(text) - 1}, why)
    NAME("../x", "has a '..' part");
    NAME("a/../../x", "has a '..' part");
    NAME("a/..", "has a '..' part");
    NAME("/etc/passwd", "is absolute");
    NAME("C:/x", "is absolute: it begins with a drive");
    NAME("a\\b", "has a backslash");
    NAME("a\0b", "has a NUL byte");
    NAME("a\xFFz", "is not UTF-8");
    NAME("a\xED\xA0\x80", "is not UTF-8");
    NAME("a\nb", "has a control character");
    NAME("a\x1B[2J", "has a control character");
    NAME("a\xC2\x9B", "has a control character");
    NAME("a\xE2\x80\xAE.lua", "has a control character");
    NAME("a\xE2\x81\xA6.lua", "has a control character");
    NAME("./a", "has a '.' part");
    NAME("a//b", "has an empty part");
    NAME("a/", "has an empty part");
    NAME("e\xC3\xA9", "is not marked as UTF-8");
    /* e and an accent, which libarchive would make one letter of */
    refused_item((struct item){.name = "e\xCC\x81", .flags = 0x800}, "NFC");
    refused_item((struct item){.name = "", .name_len = 0}, "is empty");
}

static void test_long_name(void **state)
{
    char name[WEIR_ARCHIVE_MAX_NAME + 2];

    (void)state;
    memset(name, 'x', sizeof(name));
    assert_int_equal(weir_archive_check_name(name, sizeof(name) - 2, NULL),
                     WEIR_OK);
    assert_int_equal(weir_archive_check_name(name, sizeof(name) - 1, NULL),
                     WEIR_VALIDATION);
}

static void two(const char *a, const char *b, const char *why)
{
    const struct item items[] = {{.name = a, .flags = 0x800},
                                 {.name = b, .flags = 0x800}};
    const struct weir_archive_file files[] = {{a, "", 0}, {b, "", 0}};
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_buf buf;

    refused(items, 2, why);
    weir_buf_init(&buf, MAX);
    assert_int_equal(weir_archive_write(files, 2, &buf, &err), WEIR_VALIDATION);
    assert_non_null(strstr(err.message, why));
    assert_int_equal(buf.len, 0);
    weir_buf_fini(&buf);
}

static void test_duplicates(void **state)
{
    (void)state;
    two("a.lua", "a.lua", "two files have the name \"a.lua\"");
    two("a.lua", "A.lua", "differ in case only");
    two("x/Stra\xC3\x9F"
        "e\xC3\x84",
        "x/stra\xC3\x9F"
        "e\xC3\xA4",
        "differ in case only");
    two("\xCF\x83", "\xCF\x82", "differ in case only"); /* sigma, final sigma */
    two("a", "a/b", "that of a file and that of a folder");
    two("A/b/c", "a/B", "that of a file and that of a folder");
}

/* ---- kinds ---- */

static void test_kinds(void **state)
{
    (void)state;
    refused_item((struct item){.name = "a", .mode = 0120777}, "symbolic link");
    refused_item((struct item){.name = "a", .mode = 0020666}, "a device");
    refused_item((struct item){.name = "a", .mode = 0060666}, "a device");
    refused_item((struct item){.name = "a", .mode = 0010666}, "a named pipe");
    refused_item((struct item){.name = "a", .mode = 0140666}, "a socket");
    refused_item((struct item){.name = "a", .mode = 0040755}, "a folder");
    refused_item((struct item){.name = "a", .flags = 1}, "is encrypted");
    refused_item((struct item){.name = "a", .flags = 0x2000},
                 "needs a feature of ZIP");
}

/* ---- bombs ---- */

static void test_bombs(void **state)
{
    static const struct weir_archive_file big[] = {
        {"a", "", WEIR_ARCHIVE_MAX_BYTES}, {"b", "", 1}};
    struct weir_archive_file *many;
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_buf buf;

    (void)state;
    refused_item(
        (struct item){.name = "a", .method = 8, .packed = 5, .size = 5000000},
        "compressed: 5000000 bytes from 5 (ratio 1000000)");
    refused_item((struct item){.name = "a", .size = 5000000}, "has two sizes");
    refused_item((struct item){.name = "a",
                               .packed = WEIR_ARCHIVE_MAX_BYTES + 1,
                               .size = WEIR_ARCHIVE_MAX_BYTES + 1},
                 "size of a bomb");
    refused_bytes("PK\5\6\0\0\0\0\1\20\1\20\0\0\0\0\0\0\0\0\0\0", 22,
                  "count of a bomb");
    refused_bytes("PK\5\6\0\0\0\0\377\377\377\377\0\0\0\0\0\0\0\0\0\0", 22,
                  "ZIP64");
    weir_buf_init(&buf, MAX);
    assert_int_equal(weir_archive_write(big, 2, &buf, &err), WEIR_LIMIT);
    many = calloc(WEIR_ARCHIVE_MAX_FILES + 1, sizeof(*many));
    assert_non_null(many); /* and not looked at */
    assert_int_equal(
        weir_archive_write(many, WEIR_ARCHIVE_MAX_FILES + 1, &buf, &err),
        WEIR_LIMIT);
    free(many);
    weir_buf_fini(&buf);
}

/* ---- structure ---- */

static void test_disagreement(void **state)
{
    const struct item gap[] = {{.name = "a"}, {.name = "b", .gap = 3}};
    const struct item before[] = {{.name = "a", .gap = 1}};

    (void)state;
    refused_item((struct item){.name = "a.lua", .local_name = "b.lua"},
                 "another name in its own header");
    refused_item((struct item){.name = "a.lua", .local_name = "a.lua2"},
                 "another name in its own header");
    refused(gap, 2, "overlapping or hidden bytes");
    refused(before, 1, "overlapping or hidden bytes");
    refused_item((struct item){.name = "a", .packed = 9, .size = 9},
                 "cut short");
    refused_item((struct item){.name = "a", .packed = 3, .size = 3}, "hidden");
}

static void test_tail(void **state)
{
    static const struct item item = {.name = "a.lua"};
    struct raw *raw = malloc(sizeof(*raw));

    (void)state;
    assert_non_null(raw);
    make(raw, &item, 1);
    put(raw, "x", 1);
    refused_bytes(raw->bytes, raw->len, "1 bytes stand after the end");
    make(raw, &item, 1);
    raw->bytes[raw->len - 2] = 7;
    refused_bytes(raw->bytes, raw->len, "cut short");
    put(raw, "comment", 7);
    refused_bytes(raw->bytes, raw->len, "7 bytes stand after the end");
    free(raw);
}

/* Cut at every byte, and every byte changed: refused, or (bytes that say
 * nothing, such as a time) the same file. */
static void test_every_byte(void **state)
{
    static const struct weir_archive_file files[] = {{"a.lua", "hello", 5},
                                                     {"b/c.lua", "there", 5}};
    struct weir_buf buf;
    struct weir_archive *archive;

    (void)state;
    weir_buf_init(&buf, MAX);
    assert_int_equal(weir_archive_write(files, 2, &buf, NULL), WEIR_OK);
    for (size_t len = 0; len < buf.len; len++) {
        archive = NULL;
        assert_int_not_equal(weir_archive_read(buf.data, len, &archive, NULL),
                             WEIR_OK);
        assert_null(archive);
    }
    for (size_t at = 0; at < buf.len; at++) {
        buf.data[at] ^= 0x20;
        if (weir_archive_read(buf.data, buf.len, &archive, NULL) == WEIR_OK) {
            assert_int_equal(weir_archive_count(archive), 2);
            assert_int_equal(weir_archive_at(archive, 0)->size, 5);
            assert_string_equal(weir_archive_at(archive, 0)->data, "hello");
            weir_archive_free(archive);
        }
        buf.data[at] ^= 0x20;
    }
    weir_buf_fini(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),   cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_find),         cmocka_unit_test(test_names),
        cmocka_unit_test(test_long_name),    cmocka_unit_test(test_duplicates),
        cmocka_unit_test(test_kinds),        cmocka_unit_test(test_bombs),
        cmocka_unit_test(test_disagreement), cmocka_unit_test(test_tail),
        cmocka_unit_test(test_every_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
