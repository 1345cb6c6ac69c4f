/* permissions: one item, and the table that a script or a manifest has. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "permissions_internal.h"
#include "weir/cut.h"
#include "weir/filter.h"

/* ---- one item ---- */

static bool is_env_name(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = text[i];

        if (!(c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              (c >= '0' && c <= '9' && i > 0)))
            return false;
    }
    return len > 0 && len <= WEIR_PERMISSIONS_MAX_ENV;
}

static enum weir_code grant_env(struct weir_permissions *permissions,
                                const char *item, size_t len,
                                struct weir_err *err)
{
    char name[WEIR_PERMISSIONS_MAX_ENV + 1];

    if (!is_env_name(item, len)) {
        weir_err_set(err, WEIR_INVALID, "'%s' is not a name of the environment",
                     weir_cut_copy((char[81]){0}, 81, item, len));
        weir_err_hint(err, "letters, digits and '_', such as "
                           "CXONE_TENANT; each is named in full");
        return WEIR_INVALID;
    }
    memcpy(name, item, len);
    name[len] = '\0';
    return weir_permission_list_add(&permissions->lists[WEIR_PERMISSION_ENV],
                                    name, err);
}

static enum weir_code grant_host(struct weir_permissions *permissions,
                                 const char *item, size_t len,
                                 struct weir_err *err)
{
    struct weir_host_rule rule;
    char text[WEIR_HOST_TEXT];
    enum weir_code code = weir_host_rule_parse(item, len, &rule, err);

    if (code)
        return code;
    weir_host_rule_text(&rule, text);
    return weir_permission_list_add(&permissions->lists[WEIR_PERMISSION_NET],
                                    text, err);
}

/* What a terminal obeys or does not show: whoever reads what a run may do
 * must see what is there.  C0 and C1 controls; marks of direction and width
 * zero, and separators (U+200B to U+200F, U+2028 to U+202E, U+2060 to U+206F,
 * U+FEFF). */
static bool is_unseen(const unsigned char *text, size_t len)
{
    if (text[0] < ' ' || text[0] == 0x7f)
        return true;
    if (len >= 2 && text[0] == 0xc2 && text[1] < 0xa0)
        return true;
    if (len >= 3 && text[0] == 0xe2 && text[1] == 0x80)
        return (text[2] >= 0x8b && text[2] <= 0x8f) ||
               (text[2] >= 0xa8 && text[2] <= 0xae);
    if (len >= 3 && text[0] == 0xe2 && text[1] == 0x81)
        return text[2] >= 0xa0 && text[2] <= 0xaf;
    return len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0;
}

static enum weir_code refuse_path(const char *fault, struct weir_err *err)
{
    weir_err_set(err, WEIR_INVALID, "%s", fault);
    weir_err_hint(err, "a path is absolute (/srv/data) or relative to "
                       "the script (out)");
    return WEIR_INVALID;
}

static const char *path_fault(const char *item, size_t len)
{
    if (len == 0)
        return "a path is empty";
    if (len >= WEIR_PERMISSIONS_MAX_PATH)
        return "a path has 4096 bytes or more";
    for (size_t i = 0; i < len; i++) {
        if (is_unseen((const unsigned char *)item + i, len - i))
            return "a path holds a character that is not seen";
    }
    return NULL;
}

enum weir_code weir_permission_list_add_path(struct weir_permission_list *list,
                                             const char *item, size_t len,
                                             struct weir_err *err)
{
    const char *fault = path_fault(item, len);
    struct weir_buf path;
    enum weir_code code;
    char *copy;

    if (fault)
        return refuse_path(fault, err);
    copy = strndup(item, len);
    if (!copy)
        return weir_err_nomem(err);
    weir_buf_init(&path, WEIR_PERMISSIONS_MAX_PATH);
    code = weir_path_normal(&path, copy);
    if (code)
        weir_buf_err(&path, "a path", err);
    else if (item[0] == '~' || path.data[0] == '~') /* also of ./~ */
        code = refuse_path(
            "'~' is the shell's word for a home; name the folder", err);
    else
        code = weir_permission_list_add(list, weir_buf_str(&path), err);
    weir_buf_fini(&path);
    free(copy);
    return code;
}

enum weir_code weir_permissions_grant(struct weir_permissions *permissions,
                                      enum weir_permission kind,
                                      const char *item, size_t len,
                                      struct weir_err *err)
{
    switch (kind) {
    case WEIR_PERMISSION_NET: return grant_host(permissions, item, len, err);
    case WEIR_PERMISSION_READ:
    case WEIR_PERMISSION_WRITE:
        return weir_permission_list_add_path(&permissions->lists[kind], item,
                                             len, err);
    case WEIR_PERMISSION_ENV: return grant_env(permissions, item, len, err);
    case WEIR_PERMISSION_MUTATE:
        if ((len == 4 && memcmp(item, "true", 4) == 0) ||
            (len == 5 && memcmp(item, "false", 5) == 0)) {
            permissions->mutate = len == 4;
            return WEIR_OK;
        }
        break;
    case WEIR_PERMISSIONS: break;
    }
    return weir_err_set(err, WEIR_INVALID, "mutate is true or false");
}

/* ---- reading the table ---- */

/* What is wrong is said with its place, for people and for programs. */
static enum weir_code at_place(struct weir_err *err, const char *word,
                               size_t index, bool of_list)
{
    char detail[64];

    if (!err || err->code == WEIR_NOMEM)
        return err ? err->code : WEIR_NOMEM;
    if (of_list) {
        weir_err_prefix(err, "%s[%zu]: ", word, index + 1);
        snprintf(detail, sizeof(detail), "{\"path\":\"/%s/%zu\"}", word, index);
    } else {
        snprintf(detail, sizeof(detail), "{\"path\":\"/%s\"}", word);
    }
    weir_err_detail(err, detail, strlen(detail));
    return err->code;
}

static enum weir_code parse_list(struct weir_permissions *permissions,
                                 enum weir_permission kind,
                                 const struct weir_json *member,
                                 struct weir_err *err)
{
    const char *word = weir_permission_words[kind];
    size_t index = 0;

    if (!weir_json_is(member, WEIR_JSON_ARRAY)) {
        weir_err_set(err, WEIR_INVALID, "%s is a list, not %s", word,
                     weir_json_type_name(weir_json_type(member)));
        weir_err_hint(err, "%s = {\"%s\"}", word,
                      kind == WEIR_PERMISSION_NET   ? "api.example.com"
                      : kind == WEIR_PERMISSION_ENV ? "CXONE_TENANT"
                                                    : "data");
        at_place(err, word, 0, false);
        return WEIR_INVALID;
    }
    for (const struct weir_json *item = weir_json_first(member); item;
         item = weir_json_next(item), index++) {
        size_t len;
        const char *text = weir_json_string(item, &len);
        enum weir_code code;

        if (text)
            code = weir_permissions_grant(permissions, kind, text, len, err);
        else
            code =
                weir_err_set(err, WEIR_INVALID, "a string was expected, not %s",
                             weir_json_type_name(weir_json_type(item)));
        if (code) {
            at_place(err, word, index, true);
            return code;
        }
    }
    return WEIR_OK;
}

static enum weir_code parse_member(struct weir_permissions *permissions,
                                   const struct weir_json *member,
                                   struct weir_err *err)
{
    size_t len;
    const char *key = weir_json_key(member, &len), *near;
    enum weir_permission kind =
        strlen(key) == len ? weir_permission_from_word(key) : WEIR_PERMISSIONS;

    if (kind == WEIR_PERMISSIONS) {
        weir_err_set(err, WEIR_INVALID, "there is no permission '%s'",
                     weir_cut_copy((char[41]){0}, 41, key, len));
        near = weir_nearest(key, weir_permission_words);
        if (near)
            weir_err_hint(err, "did you mean '%s'?", near);
        else
            weir_err_hint(err, "there are net, read, write, env and mutate");
        weir_err_detail(err, "{\"path\":\"\"}", 11);
        return WEIR_INVALID;
    }
    if (kind != WEIR_PERMISSION_MUTATE)
        return parse_list(permissions, kind, member, err);
    if (weir_json_is(member, WEIR_JSON_BOOLEAN)) {
        permissions->mutate = weir_json_true(member);
        return WEIR_OK;
    }
    weir_err_set(err, WEIR_INVALID, "mutate is true or false, not %s",
                 weir_json_type_name(weir_json_type(member)));
    at_place(err, weir_permission_words[kind], 0, false);
    return WEIR_INVALID;
}

enum weir_code weir_permissions_parse(const struct weir_json *table,
                                      struct weir_permissions **out,
                                      struct weir_err *err)
{
    struct weir_permissions *permissions;
    enum weir_code code;

    if (!weir_json_is(table, WEIR_JSON_OBJECT)) {
        weir_err_set(err, WEIR_INVALID,
                     "permissions are one table with net, read, write, env "
                     "and mutate, not %s",
                     weir_json_type_name(weir_json_type(table)));
        weir_err_detail(err, "{\"path\":\"\"}", 11);
        return WEIR_INVALID;
    }
    code = weir_permissions_new(WEIR_PERMISSIONS_DECLARED, &permissions, err);
    if (code)
        return code;
    for (const struct weir_json *member = weir_json_first(table);
         !code && member; member = weir_json_next(member))
        code = parse_member(permissions, member, err);
    if (code)
        weir_permissions_free(permissions);
    else
        *out = permissions;
    return code;
}

enum weir_code weir_permissions_parse_text(const char *text, size_t len,
                                           struct weir_permissions **out,
                                           struct weir_err *err)
{
    struct weir_json_options options = {.max_depth = 8,
                                        .max_bytes = (size_t)4 << 20};
    struct weir_json *table;
    enum weir_code code = weir_json_parse(text, len, &options, &table, err);

    if (code)
        return code;
    code = weir_permissions_parse(table, out, err);
    weir_json_free(table);
    return code;
}
