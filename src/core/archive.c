#include "weir/archive.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>

#include "archive_internal.h"
#include "excerpt.h"
#include "weir/late.h"

/* ---- libarchive, loaded late ---- */

#define EACH(X)                                                                \
    X(archive_entry_copy_pathname)                                             \
    X(archive_entry_filetype)                                                  \
    X(archive_entry_free)                                                      \
    X(archive_entry_hardlink)                                                  \
    X(archive_entry_new)                                                       \
    X(archive_entry_pathname)                                                  \
    X(archive_entry_set_filetype)                                              \
    X(archive_entry_set_perm)                                                  \
    X(archive_entry_set_size)                                                  \
    X(archive_entry_symlink)                                                   \
    X(archive_errno)                                                           \
    X(archive_error_string)                                                    \
    X(archive_read_data)                                                       \
    X(archive_read_free)                                                       \
    X(archive_read_new)                                                        \
    X(archive_read_next_header)                                                \
    X(archive_read_open_memory)                                                \
    X(archive_read_support_format_zip_seekable)                                \
    X(archive_write_close)                                                     \
    X(archive_write_data)                                                      \
    X(archive_write_free)                                                      \
    X(archive_write_header)                                                    \
    X(archive_write_new)                                                       \
    X(archive_write_open)                                                      \
    X(archive_write_set_bytes_in_last_block)                                   \
    X(archive_write_set_format_zip)                                            \
    X(archive_write_set_options)

struct library {
#define MEMBER(name) __typeof__(name) *(name);
    EACH(MEMBER)
#undef MEMBER
};

static const struct weir_late_function functions[] = {
#define ROW(name) {#name, offsetof(struct library, name)},
    EACH(ROW)
#undef ROW
};

static const struct weir_late_library libarchive = {
    .file = "libarchive.so.13",
    .purpose = "reads and writes bundles",
    .package = "libarchive13",
    .functions = functions,
    .n_functions = sizeof(functions) / sizeof(*functions),
};

static enum weir_code failed(const struct library *lib, struct archive *a,
                             const char *doing, struct weir_err *err)
{
    const char *why = lib->archive_error_string(a);

    if (lib->archive_errno(a) == ENOMEM || !why)
        return weir_err_nomem(err);
    return weir_err_set(err, WEIR_VALIDATION, "%s: %s", doing, why);
}

/* ---- writing ---- */

static ssize_t take_bytes(struct archive *a, void *ud, const void *bytes,
                          size_t len)
{
    (void)a;
    return weir_buf_add(ud, bytes, len) ? -1 : (ssize_t)len;
}

/* Neither time, owner nor group is set: libarchive then writes the first
 * instant that ZIP knows, whatever the time zone. */
static enum weir_code write_file(const struct library *lib, struct archive *a,
                                 const struct weir_archive_file *file,
                                 struct weir_err *err)
{
    struct archive_entry *entry = lib->archive_entry_new();
    enum weir_code code = WEIR_OK;

    if (!entry)
        return weir_err_nomem(err);
    lib->archive_entry_copy_pathname(entry, file->name);
    lib->archive_entry_set_filetype(entry, AE_IFREG);
    lib->archive_entry_set_perm(entry, 0644);
    lib->archive_entry_set_size(entry, (la_int64_t)file->size);
    if (lib->archive_write_header(a, entry) != ARCHIVE_OK ||
        (file->size > 0 && lib->archive_write_data(a, file->data, file->size) !=
                               (la_ssize_t)file->size))
        code = failed(lib, a, file->name, err);
    lib->archive_entry_free(entry);
    return code;
}

/* `utf8`: a name is more than ASCII, and the archive has to say so. */
static enum weir_code write_all(const struct library *lib, struct archive *a,
                                const struct weir_archive_file *files, size_t n,
                                bool utf8, struct weir_buf *out,
                                struct weir_err *err)
{
    enum weir_code code = WEIR_OK;

    if (lib->archive_write_set_format_zip(a) != ARCHIVE_OK ||
        lib->archive_write_set_options(a, "zip:compression=store") !=
            ARCHIVE_OK ||
        (utf8 && lib->archive_write_set_options(a, "zip:hdrcharset=UTF-8") !=
                     ARCHIVE_OK) ||
        lib->archive_write_set_bytes_in_last_block(a, 1) != ARCHIVE_OK ||
        lib->archive_write_open(a, out, NULL, take_bytes, NULL) != ARCHIVE_OK)
        return failed(lib, a, "the archive", err);
    for (size_t i = 0; i < n && code == WEIR_OK; i++)
        code = write_file(lib, a, &files[i], err);
    if (code == WEIR_OK && lib->archive_write_close(a) != ARCHIVE_OK)
        code = failed(lib, a, "the archive", err);
    return out->failed ? weir_buf_err(out, "the archive", err) : code;
}

/* The names and sizes of what is to be written, as an outline whose entries
 * are to be freed. */
static enum weir_code outline_files(const struct weir_archive_file *files,
                                    size_t n, struct archive_outline *out,
                                    struct weir_err *err)
{
    struct archive_entry_outline *entries;

    if (n > WEIR_ARCHIVE_MAX_FILES)
        return weir_err_set(err, WEIR_LIMIT,
                            "%zu files are more than the %zu that a bundle may "
                            "have",
                            n, WEIR_ARCHIVE_MAX_FILES);
    entries = calloc(n + 1, sizeof(*entries));
    if (!entries)
        return weir_err_nomem(err);
    for (size_t i = 0; i < n; i++)
        entries[i] = (struct archive_entry_outline){
            files[i].name, strlen(files[i].name), files[i].size, 0};
    *out = (struct archive_outline){entries, n};
    return WEIR_OK;
}

static enum weir_code check_files(const struct archive_outline *outline,
                                  struct weir_err *err)
{
    size_t left = WEIR_ARCHIVE_MAX_BYTES;

    for (size_t i = 0; i < outline->n; i++) {
        const struct archive_entry_outline *entry = &outline->entries[i];
        enum weir_code code =
            weir_archive_check_name(entry->name, entry->name_len, err);

        if (code)
            return code;
        if (entry->size > left)
            return weir_err_set(err, WEIR_LIMIT,
                                "%s: with this file the bundle is over %zu "
                                "bytes",
                                entry->name, WEIR_ARCHIVE_MAX_BYTES);
        left -= entry->size;
    }
    return archive_names_check(outline, err);
}

static enum weir_code write_checked(const struct weir_archive_file *files,
                                    const struct archive_outline *outline,
                                    bool utf8, struct weir_buf *out,
                                    struct weir_err *err)
{
    enum weir_code code = check_files(outline, err);
    struct library lib;
    struct archive *a;

    if (code == WEIR_OK)
        code = weir_late_load(&libarchive, &lib, err);
    if (code)
        return code;
    a = lib.archive_write_new();
    if (!a)
        return weir_err_nomem(err);
    code = write_all(&lib, a, files, outline->n, utf8, out, err);
    lib.archive_write_free(a);
    return code;
}

enum weir_code weir_archive_write(const struct weir_archive_file *files,
                                  size_t n, struct weir_buf *out,
                                  struct weir_err *err)
{
    struct archive_outline outline = {NULL, 0};
    struct archive_locale locale;
    enum weir_code code = outline_files(files, n, &outline, err);

    if (code)
        return code;
    code = archive_locale_begin(&locale, &outline, err);
    if (code == WEIR_OK) {
        code = write_checked(files, &outline, locale.made != (locale_t)0, out,
                             err);
        archive_locale_end(&locale);
    }
    archive_outline_free(&outline);
    return code;
}

/* ---- reading ---- */

struct weir_archive {
    struct weir_archive_file *files;
    size_t n;
};

/* What a mode says of an entry if it is no file, else NULL. */
static const char *kind_of(unsigned mode)
{
    switch (mode & AE_IFMT) {
    case AE_IFREG: return NULL;
    case AE_IFLNK: return "a symbolic link";
    case AE_IFDIR: return "a folder with an entry of its own";
    case AE_IFCHR:
    case AE_IFBLK: return "a device";
    case AE_IFIFO: return "a named pipe (device)";
    case AE_IFSOCK: return "a socket (device)";
    default: return "of an unknown kind";
    }
}

/* As the archive says, and as libarchive reads it: it takes some modes for
 * those of files. */
static const char *entry_kind(const struct library *lib,
                              struct archive_entry *entry, unsigned mode)
{
    const char *kind = mode & AE_IFMT ? kind_of(mode) : NULL;

    if (kind)
        return kind;
    if (lib->archive_entry_hardlink(entry))
        return "a hard link";
    if (lib->archive_entry_symlink(entry))
        return "a symbolic link";
    return kind_of(lib->archive_entry_filetype(entry));
}

static enum weir_code refuse(const struct archive_entry_outline *from,
                             struct weir_err *err, const char *fault)
{
    char shown[WEIR_EXCERPT];

    return weir_err_set(err, WEIR_VALIDATION, "%s is %s",
                        weir_excerpt_quote(shown, from->name, from->name_len),
                        fault);
}

static enum weir_code read_data(const struct library *lib, struct archive *a,
                                char *data, size_t size, const char *name,
                                struct weir_err *err)
{
    size_t done = 0;

    /* One byte more than announced, to see that it does not come. */
    while (done <= size) {
        la_ssize_t n = lib->archive_read_data(a, data + done, size + 1 - done);

        if (n < 0)
            return failed(lib, a, name, err);
        if (n == 0)
            break;
        done += (size_t)n;
    }
    if (done != size)
        return weir_err_set(err, WEIR_VALIDATION,
                            "%s has not the %zu bytes that the archive's "
                            "directory says",
                            name, size);
    data[size] = '\0';
    return WEIR_OK;
}

/* libarchive reads the next header and must see what the outline saw. */
static enum weir_code check_header(const struct library *lib, struct archive *a,
                                   const struct archive_entry_outline *from,
                                   struct weir_err *err)
{
    struct archive_entry *entry = NULL;
    int status = lib->archive_read_next_header(a, &entry);
    const char *kind, *name;

    if (status == ARCHIVE_EOF)
        return weir_err_set(err, WEIR_VALIDATION,
                            "the archive has fewer files than its directory "
                            "says");
    if (status != ARCHIVE_OK)
        return failed(lib, a, "the archive", err);
    kind = entry_kind(lib, entry, from->mode);
    if (kind)
        return refuse(from, err, kind);
    name = lib->archive_entry_pathname(entry);
    if (!name)
        return weir_err_nomem(err);
    if (strlen(name) != from->name_len ||
        memcmp(name, from->name, from->name_len) != 0)
        return refuse(from, err,
                      "a name that reads differently in its composed form "
                      "(Unicode NFC)");
    return WEIR_OK;
}

/* Name and data in one piece of memory that begins with the name. */
static enum weir_code read_file(const struct library *lib, struct archive *a,
                                const struct archive_entry_outline *from,
                                struct weir_archive_file *out,
                                struct weir_err *err)
{
    enum weir_code code = check_header(lib, a, from, err);
    char *name, *data;

    if (code)
        return code;
    name = malloc(from->name_len + 1 + from->size + 1);
    if (!name)
        return weir_err_nomem(err);
    memcpy(name, from->name, from->name_len);
    name[from->name_len] = '\0';
    data = name + from->name_len + 1;
    code = read_data(lib, a, data, from->size, name, err);
    if (code)
        free(name);
    else
        *out = (struct weir_archive_file){name, data, from->size};
    return code;
}

static enum weir_code read_files(const struct library *lib, struct archive *a,
                                 const struct archive_outline *outline,
                                 struct weir_archive *out, struct weir_err *err)
{
    struct archive_entry *entry;
    enum weir_code code = WEIR_OK;

    for (size_t i = 0; i < outline->n && code == WEIR_OK; i++) {
        code =
            read_file(lib, a, &outline->entries[i], &out->files[out->n], err);
        out->n += code ? 0 : 1;
    }
    if (code == WEIR_OK &&
        lib->archive_read_next_header(a, &entry) != ARCHIVE_EOF)
        code = weir_err_set(err, WEIR_VALIDATION,
                            "the archive has more files than its directory "
                            "says (hidden files)");
    return code;
}

static enum weir_code unpack(const void *bytes, size_t len,
                             const struct archive_outline *outline,
                             struct weir_archive *out, struct weir_err *err)
{
    struct library lib;
    enum weir_code code = weir_late_load(&libarchive, &lib, err);
    struct archive *a;

    if (code)
        return code;
    a = lib.archive_read_new();
    if (!a)
        return weir_err_nomem(err);
    if (lib.archive_read_support_format_zip_seekable(a) != ARCHIVE_OK ||
        lib.archive_read_open_memory(a, bytes, len) != ARCHIVE_OK)
        code = failed(&lib, a, "the archive", err);
    else
        code = read_files(&lib, a, outline, out, err);
    lib.archive_read_free(a);
    return code;
}

static struct weir_archive *new_archive(size_t n)
{
    struct weir_archive *archive = calloc(1, sizeof(*archive));

    if (!archive)
        return NULL;
    archive->files = calloc(n + 1, sizeof(*archive->files));
    if (!archive->files) {
        free(archive);
        return NULL;
    }
    return archive;
}

static enum weir_code read_outlined(const void *bytes, size_t len,
                                    const struct archive_outline *outline,
                                    struct weir_archive **out,
                                    struct weir_err *err)
{
    struct archive_locale locale;
    struct weir_archive *archive = new_archive(outline->n);
    enum weir_code code;

    if (!archive)
        return weir_err_nomem(err);
    code = archive_locale_begin(&locale, outline, err);
    if (code == WEIR_OK) {
        code = archive_names_check(outline, err);
        if (code == WEIR_OK && outline->n > 0)
            code = unpack(bytes, len, outline, archive, err);
        archive_locale_end(&locale);
    }
    if (code)
        weir_archive_free(archive);
    else
        *out = archive;
    return code;
}

enum weir_code weir_archive_read(const void *bytes, size_t len,
                                 struct weir_archive **out,
                                 struct weir_err *err)
{
    struct archive_outline outline = {NULL, 0};
    enum weir_code code = archive_outline_read(bytes, len, &outline, err);

    if (code)
        return code;
    code = read_outlined(bytes, len, &outline, out, err);
    archive_outline_free(&outline);
    return code;
}

size_t weir_archive_count(const struct weir_archive *archive)
{
    return archive->n;
}

const struct weir_archive_file *
weir_archive_at(const struct weir_archive *archive, size_t index)
{
    return index < archive->n ? &archive->files[index] : NULL;
}

const struct weir_archive_file *
weir_archive_get(const struct weir_archive *archive, const char *name)
{
    for (size_t i = 0; i < archive->n; i++) {
        if (strcmp(archive->files[i].name, name) == 0)
            return &archive->files[i];
    }
    return NULL;
}

void weir_archive_free(struct weir_archive *archive)
{
    if (!archive)
        return;
    for (size_t i = 0; i < archive->n; i++)
        free((void *)archive->files[i].name);
    free(archive->files);
    free(archive);
}
