/*
 * manifest: what is read has all it must have, and is written in the same
 * bytes however often it is read; versions have one order.
 */
#include <string.h>

#include "fuzz.h"
#include "weir/archive.h"
#include "weir/manifest.h"
#include "weir/semver.h"

static void check_values(const struct weir_manifest *m)
{
    char time[WEIR_MANIFEST_TIME];
    int64_t again = 0;

    FUZZ_CHECK(*m->name && strlen(m->name) <= WEIR_MANIFEST_MAX_NAME);
    FUZZ_CHECK(!strchr(m->name, '/') && m->name[0] != '.');
    FUZZ_CHECK(weir_semver_compare(m->version, m->version) == 0);
    FUZZ_CHECK((weir_semver_compare(m->version, m->weir) > 0) ==
               (weir_semver_compare(m->weir, m->version) < 0));
    FUZZ_CHECK(weir_manifest_find(m, m->main));
    FUZZ_CHECK(m->needs && m->n_files > 0);
    for (size_t i = 0; i < m->n_files; i++) {
        const char *path = m->files[i].path;

        FUZZ_CHECK(weir_archive_check_name(path, strlen(path), NULL) ==
                   WEIR_OK);
        FUZZ_CHECK(strlen(m->files[i].sha256) == 64);
        FUZZ_CHECK(i == 0 || strcmp(m->files[i - 1].path, path) < 0);
    }
    if (m->expires) {
        weir_manifest_time_text(m->expires, time);
        FUZZ_CHECK(weir_manifest_read_time(time, strlen(time), &again, NULL) ==
                   WEIR_OK);
        FUZZ_CHECK(again == m->expires);
    }
}

static void check_again(const struct weir_manifest *m)
{
    struct weir_manifest *again = NULL;
    struct weir_buf one, two;

    weir_buf_init(&one, SIZE_MAX);
    weir_buf_init(&two, SIZE_MAX);
    FUZZ_CHECK(weir_manifest_write(m, &one, NULL) == WEIR_OK);
    FUZZ_CHECK(weir_manifest_read(one.data, one.len, &again, NULL) == WEIR_OK);
    FUZZ_CHECK(weir_manifest_write(again, &two, NULL) == WEIR_OK);
    FUZZ_CHECK(one.len == two.len && !memcmp(one.data, two.data, one.len));
    weir_manifest_free(again);
    weir_buf_fini(&one);
    weir_buf_fini(&two);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_manifest *manifest = NULL;
    struct weir_err err = WEIR_ERR_INIT;
    enum weir_code code =
        weir_manifest_read((const char *)data, size, &manifest, &err);

    if (code) {
        FUZZ_CHECK(code == WEIR_SYNTAX || code == WEIR_VALIDATION ||
                   code == WEIR_LIMIT);
        FUZZ_CHECK(!manifest);
        fuzz_check_err(&err, code);
        return 0;
    }
    check_values(manifest);
    check_again(manifest);
    weir_manifest_free(manifest);
    return 0;
}
