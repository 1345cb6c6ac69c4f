/*
 * archive: what is read has names that can be names, sizes within the
 * ceilings, and is the same when it is written and read again.
 */
#include <string.h>

#include "fuzz.h"
#include "weir/archive.h"

static void check_again(const struct weir_archive *archive)
{
    size_t n = weir_archive_count(archive);
    struct weir_archive_file files[64];
    struct weir_archive *again = NULL;
    struct weir_buf buf;

    if (n > 64)
        return;
    for (size_t i = 0; i < n; i++)
        files[i] = *weir_archive_at(archive, i);
    weir_buf_init(&buf, SIZE_MAX);
    FUZZ_CHECK(weir_archive_write(files, n, &buf, NULL) == WEIR_OK);
    FUZZ_CHECK(weir_archive_read(buf.data, buf.len, &again, NULL) == WEIR_OK);
    FUZZ_CHECK(weir_archive_count(again) == n);
    for (size_t i = 0; i < n; i++) {
        const struct weir_archive_file *file = weir_archive_at(again, i);

        FUZZ_CHECK(strcmp(file->name, files[i].name) == 0);
        FUZZ_CHECK(file->size == files[i].size);
        FUZZ_CHECK(memcmp(file->data, files[i].data, file->size) == 0);
    }
    weir_archive_free(again);
    weir_buf_fini(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_archive *archive = NULL;
    struct weir_err err = WEIR_ERR_INIT;
    size_t start, total = 0;
    enum weir_code code = weir_archive_read(data, size, &archive, &err);

    if (code) {
        FUZZ_CHECK(code == WEIR_VALIDATION || code == WEIR_LIMIT);
        FUZZ_CHECK(!archive);
        fuzz_check_err(&err, code);
        return 0;
    }
    FUZZ_CHECK(weir_archive_find(data, size, &start, NULL) == WEIR_OK);
    FUZZ_CHECK(start == 0);
    for (size_t i = 0; i < weir_archive_count(archive); i++) {
        const struct weir_archive_file *file = weir_archive_at(archive, i);

        FUZZ_CHECK(weir_archive_check_name(file->name, strlen(file->name),
                                           NULL) == WEIR_OK);
        FUZZ_CHECK(file->data && file->data[file->size] == '\0');
        FUZZ_CHECK(weir_archive_get(archive, file->name) == file);
        total += file->size;
    }
    FUZZ_CHECK(total <= size && total <= WEIR_ARCHIVE_MAX_BYTES);
    check_again(archive);
    weir_archive_free(archive);
    return 0;
}
