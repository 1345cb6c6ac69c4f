/* The names of an archive's files: what each may be, and all together. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <wctype.h>

#include <wchar.h>

#include "archive_internal.h"
#include "excerpt.h"
#include "weir/value.h"

/* ---- one name ---- */

static enum weir_code refuse(struct weir_err *err, const char *name, size_t len,
                             const char *fault)
{
    char shown[WEIR_EXCERPT];

    return weir_err_set(err, WEIR_VALIDATION, "file name %s %s",
                        weir_excerpt_quote(shown, name, len), fault);
}

static bool has_control(const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (weir_excerpt_obeyed(name + i, len - i))
            return true;
    }
    return false;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static const char *part_fault(const char *part, size_t len)
{
    if (len == 0)
        return "has an empty part: '/' twice, or at the end";
    if (len == 2 && part[0] == '.' && part[1] == '.')
        return "has a '..' part, which leads out of the bundle";
    if (len == 1 && part[0] == '.')
        return "has a '.' part; leave it out";
    return NULL;
}

static const char *name_fault(const char *name, size_t len)
{
    if (len == 0)
        return "is empty";
    if (memchr(name, '\0', len))
        return "has a NUL byte";
    if (len > WEIR_ARCHIVE_MAX_NAME)
        return "is longer than 255 bytes";
    if (weir_utf8_valid(name, len) != len)
        return "is not UTF-8";
    if (memchr(name, '\\', len))
        return "has a backslash; folders are separated by '/'";
    if (has_control(name, len))
        return "has a control character";
    if (name[0] == '/')
        return "is absolute; names are relative to the main script's folder";
    if (len >= 2 && name[1] == ':' && is_letter(name[0]))
        return "is absolute: it begins with a drive";
    for (size_t at = 0; at <= len;) {
        const char *slash = memchr(name + at, '/', len - at);
        size_t part = slash ? (size_t)(slash - name) - at : len - at;
        const char *fault = part_fault(name + at, part);

        if (fault)
            return fault;
        at += part + 1;
    }
    return NULL;
}

enum weir_code weir_archive_check_name(const char *name, size_t len,
                                       struct weir_err *err)
{
    const char *fault = name_fault(name, len);

    return fault ? refuse(err, name, len, fault) : WEIR_OK;
}

/* ---- all names ---- */

static bool is_ascii(const struct archive_outline *outline)
{
    for (size_t i = 0; i < outline->n; i++) {
        const struct archive_entry_outline *entry = &outline->entries[i];

        for (size_t at = 0; at < entry->name_len; at++) {
            if ((unsigned char)entry->name[at] >= 0x80)
                return false;
        }
    }
    return true;
}

enum weir_code archive_locale_begin(struct archive_locale *locale,
                                    const struct archive_outline *outline,
                                    struct weir_err *err)
{
    *locale = (struct archive_locale){(locale_t)0, (locale_t)0};
    /* Not without need: a lack of memory here is one that glibc remembers. */
    if (is_ascii(outline))
        return WEIR_OK;
    locale->made = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    if (!locale->made && errno == ENOMEM)
        return weir_err_nomem(err);
    if (!locale->made) {
        /* glibc does not say which of the two. */
        weir_err_set(err, WEIR_CONFIG,
                     "the locale C.UTF-8, which names of files in bundles "
                     "need, is not there, or there is no memory for it");
        weir_err_hint(err, "install the package libc-bin");
        return WEIR_CONFIG;
    }
    locale->before = uselocale(locale->made);
    return WEIR_OK;
}

void archive_locale_end(struct archive_locale *locale)
{
    if (!locale->made)
        return;
    uselocale(locale->before);
    freelocale(locale->made);
}

/* A name with the case of its letters gone, in memory of its own. */
struct folded {
    char *text;
    const struct archive_entry_outline *entry;
};

/* The name is valid UTF-8, and each character keeps its place: upper first,
 * since some lower-case letters (ſ, ς) share one upper-case letter. */
static char *fold(const char *name, size_t len)
{
    size_t room = 4 * len + 1, used = 0;
    char *out = malloc(room + MB_LEN_MAX);
    mbstate_t in = {0};

    for (size_t at = 0; out && at < len;) {
        wchar_t wide;
        mbstate_t state = {0};
        size_t n = mbrtowc(&wide, name + at, len - at, &in);

        if (n == 0 || n > len - at) { /* not in this locale: as it stands */
            out[used++] = name[at++];
            in = (mbstate_t){0};
            continue;
        }
        at += n;
        n = wcrtomb(out + used, (wchar_t)towlower(towupper((wint_t)wide)),
                    &state);
        used += n == (size_t)-1 ? 0 : n;
    }
    if (out)
        out[used] = '\0';
    return out;
}

static int by_text(const void *a, const void *b)
{
    const struct folded *x = a, *y = b;

    return strcmp(x->text, y->text);
}

static enum weir_code refuse_twice(struct weir_err *err,
                                   const struct archive_entry_outline *a,
                                   const struct archive_entry_outline *b)
{
    char one[WEIR_EXCERPT], two[WEIR_EXCERPT];

    if (a->name_len == b->name_len &&
        memcmp(a->name, b->name, a->name_len) == 0)
        return weir_err_set(err, WEIR_VALIDATION,
                            "two files have the name %s (duplicate name)",
                            weir_excerpt_quote(one, a->name, a->name_len));
    return weir_err_set(err, WEIR_VALIDATION,
                        "the file names %s and %s differ in case only "
                        "(duplicate name)",
                        weir_excerpt_quote(one, a->name, a->name_len),
                        weir_excerpt_quote(two, b->name, b->name_len));
}

/* That no folder of the name is a file of the archive. */
static enum weir_code check_folders(const struct folded *list, size_t n,
                                    const char *text, struct weir_err *err)
{
    for (const char *slash = strchr(text, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        char *folder = strndup(text, (size_t)(slash - text));
        const struct folded key = {.text = folder}, *found;
        char shown[WEIR_EXCERPT];

        if (!folder)
            return weir_err_nomem(err);
        found = bsearch(&key, list, n, sizeof(*list), by_text);
        free(folder);
        if (found)
            return weir_err_set(
                err, WEIR_VALIDATION,
                "the name %s is that of a file and that of a folder",
                weir_excerpt_quote(shown, found->entry->name,
                                   found->entry->name_len));
    }
    return WEIR_OK;
}

static enum weir_code check_folded(struct folded *list, size_t n,
                                   struct weir_err *err)
{
    enum weir_code code = WEIR_OK;

    qsort(list, n, sizeof(*list), by_text);
    for (size_t i = 1; i < n; i++) {
        if (strcmp(list[i - 1].text, list[i].text) == 0)
            return refuse_twice(err, list[i - 1].entry, list[i].entry);
    }
    for (size_t i = 0; i < n && code == WEIR_OK; i++)
        code = check_folders(list, n, list[i].text, err);
    return code;
}

static enum weir_code fold_all(const struct archive_outline *outline,
                               struct folded *list, struct weir_err *err)
{
    for (size_t i = 0; i < outline->n; i++) {
        const struct archive_entry_outline *entry = &outline->entries[i];

        list[i].entry = entry;
        list[i].text = fold(entry->name, entry->name_len);
        if (!list[i].text)
            return weir_err_nomem(err);
    }
    return WEIR_OK;
}

enum weir_code archive_names_check(const struct archive_outline *outline,
                                   struct weir_err *err)
{
    struct folded *list = calloc(outline->n + 1, sizeof(*list));
    enum weir_code code;

    if (!list)
        return weir_err_nomem(err);
    code = fold_all(outline, list, err);
    if (code == WEIR_OK)
        code = check_folded(list, outline->n, err);
    for (size_t i = 0; i < outline->n; i++)
        free(list[i].text);
    free(list);
    return code;
}
