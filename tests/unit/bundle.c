/* Bundles: what is written reads back; every damage is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rig.h"
#include "weir/bundle.h"
#include "weir/hash.h"
#include "weir/trust.h"
#include "weir/version.h"

static const struct weir_archive_file files[] = {
    {"main.lua", "print(1)\n", 9}, {"lib/a.lua", "return 2\n", 9}};

static enum weir_code write_plan(const struct weir_bundle_plan *base,
                                 struct weir_buf *out, struct weir_err *err)
{
    struct weir_json *needs = rig_json("{'net':['tenant']}");
    struct weir_bundle_plan plan = *base;
    enum weir_code code;

    plan.needs = needs;
    code = weir_bundle_write(&plan, out, err);
    weir_json_free(needs);
    return code;
}

static const struct weir_bundle_plan plan = {.name = "rotate",
                                             .version = "1.4.0",
                                             .main = "main.lua",
                                             .files = files,
                                             .n_files = 2};

static void write_good(struct weir_buf *out)
{
    struct weir_err err = WEIR_ERR_INIT;

    weir_buf_init(out, (size_t)1 << 20);
    if (write_plan(&plan, out, &err))
        fail_msg("%s", err.message);
}

static enum weir_code open_bytes(const void *bytes, size_t len,
                                 struct weir_bundle **out, struct weir_err *err)
{
    enum weir_code code =
        weir_bundle_from_bytes(bytes, len, NULL, 0, "x.weir", out, err);

    if (code == WEIR_OK)
        code = weir_bundle_unpack(*out, err);
    if (code) {
        weir_bundle_free(*out);
        *out = NULL;
    }
    return code;
}

static void refused(const void *bytes, size_t len, const char *why)
{
    struct weir_bundle *bundle = NULL;
    struct weir_err err = WEIR_ERR_INIT;

    assert_int_equal(open_bytes(bytes, len, &bundle, &err), WEIR_VALIDATION);
    if (!strstr(err.message, why) || strncmp(err.message, "x.weir: ", 8) != 0)
        fail_msg("'%s' is not in: %s", why, err.message);
    assert_null(bundle);
}

/* ---- good ones ---- */

static void test_round_trip(void **state)
{
    struct weir_bundle *bundle = NULL;
    struct weir_buf one, two;
    size_t len = 0;

    (void)state;
    write_good(&one);
    write_good(&two);
    assert_int_equal(one.len, two.len);
    assert_memory_equal(one.data, two.data, one.len);
    assert_memory_equal(one.data, WEIR_BUNDLE_LINE "PK\3\4", 24);
    assert_int_equal(weir_bundle_from_bytes(one.data, one.len, "sig", 3,
                                            "x.weir", &bundle, NULL),
                     WEIR_OK);
    assert_memory_equal(weir_bundle_bytes(bundle, &len), one.data, one.len);
    assert_int_equal(len, one.len);
    assert_string_equal(weir_bundle_signature(bundle, &len), "sig");
    assert_int_equal(strlen(weir_bundle_sha256(bundle)), 64);
    assert_int_equal(weir_bundle_unpack(bundle, NULL), WEIR_OK);
    assert_int_equal(weir_bundle_unpack(bundle, NULL), WEIR_INVALID);
    assert_null(weir_bundle_bytes(bundle, &len));
    assert_int_equal(weir_bundle_form(bundle), WEIR_BUNDLE_SCRIPT);
    assert_string_equal(weir_bundle_path(bundle), "x.weir");
    assert_int_equal(weir_bundle_size(bundle), one.len);
    assert_string_equal(weir_bundle_manifest(bundle)->name, "rotate");
    assert_string_equal(weir_bundle_file(bundle, "lib/a.lua")->data,
                        "return 2\n");
    assert_null(weir_bundle_file(bundle, "lib"));
    assert_null(weir_bundle_file(bundle, WEIR_MANIFEST_FILE));
    weir_bundle_free(bundle);
    weir_bundle_free(NULL);
    weir_buf_fini(&one);
    weir_buf_fini(&two);
}

static void test_forms(void **state)
{
    struct weir_bundle_plan program = plan;
    struct weir_bundle *bundle = NULL;
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_buf buf;

    (void)state;
    program.program = "\177ELF and more";
    program.program_len = 13;
    weir_buf_init(&buf, (size_t)1 << 20);
    assert_int_equal(write_plan(&program, &buf, NULL), WEIR_OK);
    assert_int_equal(open_bytes(buf.data, buf.len, &bundle, NULL), WEIR_OK);
    assert_int_equal(weir_bundle_form(bundle), WEIR_BUNDLE_PROGRAM);
    weir_bundle_free(bundle);
    bundle = NULL;
    assert_true(weir_bundle_is(buf.data, 64, buf.data + buf.len - 22, 22));
    assert_false(weir_bundle_is(buf.data, 64, "", 0));
    assert_int_equal(open_bytes(buf.data + 13, buf.len - 13, &bundle, NULL),
                     WEIR_OK);
    assert_int_equal(weir_bundle_form(bundle), WEIR_BUNDLE_ARCHIVE);
    weir_bundle_free(bundle);
    program.program = "#!/bin/sh\n";
    program.program_len = 10;
    assert_int_equal(write_plan(&program, &buf, &err), WEIR_VALIDATION);
    assert_non_null(strstr(err.message, "10 bytes stand before the archive"));
    weir_buf_fini(&buf);
}

static void test_is(void **state)
{
    (void)state;
    assert_true(weir_bundle_is("PK\3\4", 4, "", 0));
    assert_true(weir_bundle_is("#!/usr/bin/env weir\nPK\3\4", 24, "", 0));
    assert_false(weir_bundle_is("#!/usr/bin/env weir\nprint(1)", 28, "", 0));
    assert_false(weir_bundle_is("#!/usr/bin/env weir", 19, "", 0));
    assert_false(weir_bundle_is("print 'PK\3\4'", 13, "", 0));
    assert_false(weir_bundle_is("", 0, "", 0));
}

/* ---- damage ---- */

/* Every byte, or every fiftieth under memcheck. */
static size_t stride(void)
{
    return (size_t)(50 / rig_rounds(50));
}

/* Cut at every byte, and every byte changed: refused, or one that says nothing
 * of the files (a time, say) and then the same files. */
static void test_every_byte(void **state)
{
    struct weir_bundle *bundle;
    struct weir_buf buf;

    (void)state;
    write_good(&buf);
    for (size_t len = 0; len < buf.len; len += stride()) {
        bundle = NULL;
        assert_int_not_equal(open_bytes(buf.data, len, &bundle, NULL), WEIR_OK);
    }
    for (size_t at = 0; at < buf.len; at += stride()) {
        bundle = NULL;
        buf.data[at] ^= 1;
        if (open_bytes(buf.data, buf.len, &bundle, NULL) == WEIR_OK) {
            assert_string_equal(weir_bundle_file(bundle, "main.lua")->data,
                                "print(1)\n");
            assert_string_equal(weir_bundle_manifest(bundle)->main, "main.lua");
            weir_bundle_free(bundle);
        }
        buf.data[at] ^= 1;
    }
    weir_buf_fini(&buf);
}

/* Every byte of a signed bundle changed, in every bit: none is what was
 * signed, and nothing of it is read. */
static void test_every_bit_signed(void **state)
{
    struct weir_minisign_secret *secret = NULL;
    struct weir_trust_key key = {.name = "release"};
    struct weir_trust trust = {.n_policies = 0};
    struct weir_trust_signer signer;
    struct weir_buf bytes, signature;

    (void)state;
    write_good(&bytes);
    weir_buf_init(&signature, WEIR_MINISIGN_FILE_MAX);
    assert_int_equal(weir_minisign_secret_new(&secret, NULL), WEIR_OK);
    weir_minisign_secret_public(secret, &key.key);
    assert_int_equal(weir_trust_store_init(&trust.store, "trust.json", NULL),
                     WEIR_OK);
    assert_int_equal(weir_trust_store_add(&trust.store, &key, NULL), WEIR_OK);
    assert_int_equal(weir_minisign_sign(secret, bytes.data, bytes.len, NULL,
                                        "x", &signature, NULL),
                     WEIR_OK);
    for (size_t at = 0; at < bytes.len; at += stride()) {
        for (unsigned bit = 0; bit < 8; bit++) {
            bytes.data[at] ^= (char)(1U << bit);
            assert_int_equal(weir_trust_verify(&trust, bytes.data, bytes.len,
                                               signature.data, signature.len, 1,
                                               &signer, NULL),
                             WEIR_AUTH);
            bytes.data[at] ^= (char)(1U << bit);
        }
    }
    assert_int_equal(weir_trust_verify(&trust, bytes.data, bytes.len - 1,
                                       signature.data, signature.len, 1,
                                       &signer, NULL),
                     WEIR_AUTH);
    assert_int_equal(weir_trust_verify(&trust, bytes.data, bytes.len,
                                       signature.data, signature.len, 1,
                                       &signer, NULL),
                     WEIR_OK);
    assert_int_equal(signer.standing, WEIR_TRUST_TRUSTED);
    weir_trust_fini(&trust);
    weir_minisign_secret_free(secret);
    weir_buf_fini(&bytes);
    weir_buf_fini(&signature);
}

#define A64 "a1b2c3d4e5f60718a1b2c3d4e5f60718a1b2c3d4e5f60718a1b2c3d4e5f60718"

/* Appends an archive with this manifest (' for "), the main script and, if
 * `name` is given, one file more. */
static void archive_with(const char *manifest, const char *name,
                         struct weir_buf *out)
{
    struct weir_json *json = rig_json(manifest);
    struct weir_archive_file list[3] = {{WEIR_MANIFEST_FILE, "", 0},
                                        {"main.lua", "print(1)\n", 9}};
    struct weir_buf text;

    weir_buf_init(&text, 4096);
    assert_int_equal(weir_json_write(json, 2, &text, NULL), WEIR_OK);
    list[0].data = text.data;
    list[0].size = text.len;
    list[2] = (struct weir_archive_file){name, "x", 1};
    assert_int_equal(weir_archive_write(list, name ? 3 : 2, out, NULL),
                     WEIR_OK);
    weir_json_free(json);
    weir_buf_fini(&text);
}

static void refused_with(const char *manifest, const char *name,
                         const char *why)
{
    struct weir_buf bytes;

    weir_buf_init(&bytes, 65536);
    archive_with(manifest, name, &bytes);
    refused(bytes.data, bytes.len, why);
    weir_buf_fini(&bytes);
}

#define FORM                                                                   \
    "{'format':1,'name':'a','version':'1.0.0','weir':'0.1.0',"                 \
    "'main':'main.lua','needs':{},'files':[{'path':'main.lua',"                \
    "'size':%d,'sha256':'%s'}%s]}"

static void test_manifest_and_archive(void **state)
{
    char hash[WEIR_HASH_HEX_SIZE], good[600], bad[600];
    (void)state;
    assert_int_equal(
        weir_hash_hex_of(WEIR_HASH_SHA256, "print(1)\n", 9, hash, NULL),
        WEIR_OK);
    snprintf(good, sizeof(good), FORM, 9, hash, "");
    refused_with(good, "extra.lua",
                 "extra.lua is in the archive, and not in the manifest");
    snprintf(bad, sizeof(bad), FORM, 9, A64, "");
    refused_with(bad, NULL,
                 "main.lua is not the file that the manifest tells of");
    snprintf(bad, sizeof(bad), FORM, 8, hash, "");
    refused_with(bad, NULL, "main.lua has 9 bytes, and the manifest says 8");
    snprintf(bad, sizeof(bad), FORM, 9, hash,
             ",{'path':'z.lua','size':0,'sha256':'" A64 "'}");
    refused_with(bad, NULL, "z.lua is in the manifest, and not in the archive");
    refused_with("{'format':1}", NULL, "/name: is missing");
    refused_with("{'format':3}", NULL,
                 "format 3, and this weir reads format 1");
}

static void test_no_bundle(void **state)
{
    static const struct weir_archive_file only = {"a.lua", "x", 1};
    struct weir_buf buf;

    (void)state;
    weir_buf_init(&buf, 4096);
    assert_int_equal(weir_archive_write(&only, 1, &buf, NULL), WEIR_OK);
    refused(buf.data, buf.len, "is an archive, but no bundle");
    weir_buf_reset(&buf);
    weir_buf_adds(&buf, "#!/bin/sh\nrm -rf /\n");
    assert_int_equal(weir_archive_write(&only, 1, &buf, NULL), WEIR_OK);
    refused(buf.data, buf.len, "bytes stand before the archive, and they are");
    refused("", 0, "no archive");
    refused("PK\3\4", 4, "cut short");
    weir_buf_fini(&buf);
}

/* ---- the host ---- */

#define GOOD                                                                   \
    "{'format':1,'name':'a','version':'1.0.0','weir':'%s','main':"             \
    "'main.lua','needs':{},'files':[{'path':'main.lua','size':9,'sha256':"     \
    "'%s'}]}"

static void test_host(void **state)
{
    static const char *const versions[] = {"0.0.1", WEIR_VERSION, "99.0.0"};
    char hash[WEIR_HASH_HEX_SIZE], text[600];

    (void)state;
    assert_int_equal(
        weir_hash_hex_of(WEIR_HASH_SHA256, "print(1)\n", 9, hash, NULL),
        WEIR_OK);
    for (int i = 0; i < 3; i++) {
        struct weir_bundle *bundle = NULL;
        struct weir_err err = WEIR_ERR_INIT;
        struct weir_buf bytes;

        snprintf(text, sizeof(text), GOOD, versions[i], hash);
        weir_buf_init(&bytes, 65536);
        archive_with(text, NULL, &bytes);
        assert_int_equal(open_bytes(bytes.data, bytes.len, &bundle, NULL),
                         WEIR_OK);
        assert_int_equal(weir_bundle_check_host(bundle, &err),
                         i < 2 ? WEIR_OK : WEIR_CONFIG);
        if (i == 2)
            assert_non_null(strstr(err.message, "needs weir 99.0.0 or newer"));
        weir_bundle_free(bundle);
        weir_buf_fini(&bytes);
    }
}

/* ---- from a file ---- */

static void put_file(const char *path, const void *bytes, size_t len)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static enum weir_code load_path(const char *path, struct weir_bundle **out,
                                struct weir_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    enum weir_code code;

    assert_true(fd >= 0);
    code = weir_bundle_load(fd, path, out, err);
    close(fd);
    return code;
}

/* What comes to the file's place after it was read is not looked at. */
static void test_load(void **state)
{
    char folder[] = "/tmp/weir-bundle-XXXXXX", path[64], signature[80];
    struct weir_bundle *bundle = NULL;
    struct weir_buf buf;
    size_t len;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/x.weir", folder);
    snprintf(signature, sizeof(signature), "%s.minisig", path);
    write_good(&buf);
    put_file(path, buf.data, buf.len);
    assert_int_equal(load_path(path, &bundle, NULL), WEIR_OK);
    assert_null(weir_bundle_signature(bundle, &len));
    weir_bundle_free(bundle);
    put_file(signature, "signed\n", 7);
    assert_int_equal(load_path(path, &bundle, NULL), WEIR_OK);
    put_file(path, "gone", 4);
    put_file(signature, "gone", 4);
    assert_string_equal(weir_bundle_signature(bundle, &len), "signed\n");
    assert_int_equal(weir_bundle_unpack(bundle, NULL), WEIR_OK);
    assert_string_equal(weir_bundle_file(bundle, "main.lua")->data,
                        "print(1)\n");
    weir_bundle_free(bundle);
    memset(buf.data, 'x', buf.len);
    put_file(signature, buf.data, buf.len);
    for (int i = 0; i < 40; i++) {
        FILE *more = fopen(signature, "ab");

        assert_non_null(more);
        assert_int_equal(fwrite(buf.data, 1, buf.len, more), buf.len);
        assert_int_equal(fclose(more), 0);
    }
    assert_int_equal(load_path(path, &bundle, NULL), WEIR_LIMIT);
    assert_int_equal(unlink(signature), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
    weir_buf_fini(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_is),
        cmocka_unit_test(test_every_byte),
        cmocka_unit_test(test_every_bit_signed),
        cmocka_unit_test(test_manifest_and_archive),
        cmocka_unit_test(test_no_bundle),
        cmocka_unit_test(test_host),
        cmocka_unit_test(test_load),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
