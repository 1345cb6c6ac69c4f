/* Making a bundle: hashes, manifest, archive; and reading it back. */
#include <stdlib.h>
#include <string.h>

#include "weir/bundle.h"
#include "weir/hash.h"
#include "weir/version.h"

static int by_name(const void *a, const void *b)
{
    const struct weir_archive_file *x = a, *y = b;

    return strcmp(x->name, y->name);
}

/* The manifest's text of the files, which are in their order. */
static enum weir_code write_manifest(const struct weir_bundle_plan *plan,
                                     const struct weir_archive_file *files,
                                     struct weir_buf *out, struct weir_err *err)
{
    /* Nothing in it is changed or freed by whoever writes it. */
    struct weir_manifest m = {.name = (char *)plan->name,
                              .version = (char *)plan->version,
                              .weir = (char *)weir_version(),
                              .main = (char *)plan->main,
                              .n_files = plan->n_files,
                              .args = (struct weir_json *)plan->args,
                              .needs = (struct weir_json *)plan->needs,
                              .expires = plan->expires};
    enum weir_code code = WEIR_OK;

    m.files = calloc(plan->n_files + 1, sizeof(*m.files));
    if (!m.files)
        return weir_err_nomem(err);
    for (size_t i = 0; i < plan->n_files && code == WEIR_OK; i++) {
        m.files[i].path = (char *)files[i].name;
        m.files[i].size = files[i].size;
        code = weir_hash_hex_of(WEIR_HASH_SHA256, files[i].data, files[i].size,
                                m.files[i].sha256, err);
    }
    if (code == WEIR_OK)
        code = weir_manifest_write(&m, out, err);
    free(m.files);
    return code;
}

static enum weir_code write_files(const struct weir_bundle_plan *plan,
                                  struct weir_archive_file *files,
                                  struct weir_buf *out, struct weir_err *err)
{
    struct weir_buf manifest;
    enum weir_code code;

    if (plan->n_files > 0)
        memcpy(files + 1, plan->files, plan->n_files * sizeof(*files));
    qsort(files + 1, plan->n_files, sizeof(*files), by_name);
    weir_buf_init(&manifest, WEIR_MANIFEST_MAX);
    code = write_manifest(plan, files + 1, &manifest, err);
    files[0] = (struct weir_archive_file){
        WEIR_MANIFEST_FILE, weir_buf_str(&manifest), manifest.len};
    if (code == WEIR_OK)
        code = weir_archive_write(files, plan->n_files + 1, out, err);
    weir_buf_fini(&manifest);
    return code;
}

static enum weir_code read_back(const struct weir_buf *bytes,
                                struct weir_err *err)
{
    struct weir_bundle *bundle = NULL;
    enum weir_code code = weir_bundle_from_bytes(
        weir_buf_str(bytes), bytes->len, NULL, 0, "the bundle", &bundle, err);

    if (code == WEIR_OK)
        code = weir_bundle_unpack(bundle, err);
    weir_bundle_free(bundle);
    return code;
}

enum weir_code weir_bundle_write(const struct weir_bundle_plan *plan,
                                 struct weir_buf *out, struct weir_err *err)
{
    struct weir_archive_file *files = calloc(plan->n_files + 1, sizeof(*files));
    struct weir_buf bytes;
    enum weir_code code;

    if (!files)
        return weir_err_nomem(err);
    weir_buf_init(&bytes, WEIR_BUNDLE_MAX);
    if (plan->program)
        weir_buf_add(&bytes, plan->program, plan->program_len);
    else
        weir_buf_adds(&bytes, WEIR_BUNDLE_LINE);
    code = write_files(plan, files, &bytes, err);
    free(files);
    if (code == WEIR_OK)
        code = read_back(&bytes, err);
    if (code == WEIR_OK && weir_buf_add(out, bytes.data, bytes.len))
        code = weir_buf_err(out, "the bundle", err);
    weir_buf_fini(&bytes);
    return code;
}
