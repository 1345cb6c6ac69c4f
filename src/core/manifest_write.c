/* The manifest's text: members in the order of their bytes, files in that of
 * their paths. */
#include <stdlib.h>
#include <string.h>

#include "weir/manifest.h"

static enum weir_code add_text(struct weir_json *object, const char *key,
                               const char *text)
{
    return weir_json_set(object, key, weir_json_new_string(text, strlen(text)));
}

static struct weir_json *file_json(const struct weir_manifest_file *file)
{
    struct weir_json *json = weir_json_new_object();

    if (json && (add_text(json, "path", file->path) ||
                 weir_json_set(json, "size",
                               weir_json_new_integer((int64_t)file->size)) ||
                 add_text(json, "sha256", file->sha256))) {
        weir_json_free(json);
        return NULL;
    }
    return json;
}

static int by_path(const void *a, const void *b)
{
    const struct weir_manifest_file *x = a, *y = b;

    return strcmp(x->path, y->path);
}

static struct weir_json *files_json(const struct weir_manifest *m)
{
    struct weir_manifest_file *order = calloc(m->n_files + 1, sizeof(*order));
    struct weir_json *list = weir_json_new_array();

    for (size_t i = 0; order && i < m->n_files; i++)
        order[i] = m->files[i];
    if (order)
        qsort(order, m->n_files, sizeof(*order), by_path);
    for (size_t i = 0; list && i < m->n_files; i++) {
        if (!order || weir_json_append(list, file_json(&order[i]))) {
            weir_json_free(list);
            list = NULL;
        }
    }
    free(order);
    return list;
}

static bool add_members(struct weir_json *json, const struct weir_manifest *m)
{
    char time[WEIR_MANIFEST_TIME];

    return !weir_json_set(json, "format",
                          weir_json_new_integer(WEIR_MANIFEST_FORMAT)) &&
           !add_text(json, "name", m->name) &&
           !add_text(json, "version", m->version) &&
           !add_text(json, "weir", m->weir) &&
           !add_text(json, "main", m->main) &&
           !weir_json_set(json, "files", files_json(m)) &&
           !weir_json_set(json, "needs", weir_json_copy(m->needs)) &&
           !(m->args && weir_json_set(json, "args", weir_json_copy(m->args))) &&
           !(m->expires && add_text(json, "expires",
                                    weir_manifest_time_text(m->expires, time)));
}

enum weir_code weir_manifest_write(const struct weir_manifest *manifest,
                                   struct weir_buf *out, struct weir_err *err)
{
    struct weir_json *json = weir_json_new_object();
    struct weir_manifest *again = NULL;
    struct weir_buf text;
    enum weir_code code;

    weir_buf_init(&text, WEIR_MANIFEST_MAX);
    code = json && add_members(json, manifest)
               ? weir_json_write(json, 2, &text, err)
               : weir_err_nomem(err);
    weir_json_free(json);
    if (code == WEIR_OK && weir_buf_addc(&text, '\n'))
        code = weir_buf_err(&text, WEIR_MANIFEST_FILE, err);
    /* What is written can be read: one place knows what a manifest is. */
    if (code == WEIR_OK)
        code = weir_manifest_read(text.data, text.len, &again, err);
    weir_manifest_free(again);
    if (code == WEIR_OK && weir_buf_add(out, text.data, text.len))
        code = weir_buf_err(out, WEIR_MANIFEST_FILE, err);
    weir_buf_fini(&text);
    return code;
}
