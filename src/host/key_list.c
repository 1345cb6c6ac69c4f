/* weir key list, show and export: what keys there are. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"
#include "ending.h"
#include "exit.h"
#include "folders.h"
#include "guarded.h"
#include "key_commands.h"
#include "key_files.h"
#include "trust_files.h"
#include "weir/manifest.h"

enum { MAX_OWN = 1024 };

/* ---- keys of `weir key new` ---- */

struct own_key {
    char name[WEIR_TRUST_NAME_MAX + 1];
    struct weir_minisign_public key;
};
struct own_keys {
    struct own_key *list; /* by name */
    size_t n;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct own_key *)a)->name,
                  ((const struct own_key *)b)->name);
}

/* The name of a file "NAME.pub"; false for any other. */
static bool take_name(const char *file, char *out)
{
    size_t len = strlen(file);

    if (len < 5 || strcmp(file + len - 4, ".pub") != 0 ||
        len - 4 > WEIR_TRUST_NAME_MAX)
        return false;
    memcpy(out, file, len - 4);
    out[len - 4] = '\0';
    return weir_trust_check_name(out, NULL) == WEIR_OK;
}

static bool has_secret(const char *name)
{
    char *path = NULL;
    bool has = host_key_path(name, HOST_KEY_SECRET, &path, NULL) == WEIR_OK &&
               access(path, F_OK) == 0;

    free(path);
    return has;
}

static enum weir_code add_own(struct own_keys *keys, const char *name,
                              struct weir_err *err)
{
    struct own_key *list, key;
    enum weir_code code = host_key_read_public(name, &key.key, err);

    if (code)
        return code;
    snprintf(key.name, sizeof(key.name), "%s", name);
    if (keys->n >= MAX_OWN)
        return weir_err_set(err, WEIR_LIMIT, "there are over %d keys", MAX_OWN);
    list = realloc(keys->list, (keys->n + 1) * sizeof(*list));
    if (!list)
        return weir_err_nomem(err);
    keys->list = list;
    list[keys->n++] = key;
    return WEIR_OK;
}

static enum weir_code load_own(struct own_keys *keys, struct weir_err *err)
{
    char *folder = host_folders_config("keys"), name[WEIR_TRUST_NAME_MAX + 1];
    DIR *dir = folder ? opendir(folder) : NULL;
    enum weir_code code = WEIR_OK;

    if (folder && !dir && errno != ENOENT)
        code = weir_err_set(err, WEIR_IO, "%s: %s", folder, strerror(errno));
    for (struct dirent *file; !code && dir && (file = readdir(dir));) {
        if (take_name(file->d_name, name) && has_secret(name))
            code = add_own(keys, name, err);
    }
    if (dir)
        closedir(dir);
    free(folder);
    if (keys->n > 1)
        qsort(keys->list, keys->n, sizeof(*keys->list), by_name);
    return code;
}

/* ---- list ---- */

struct list_command {
    bool json;
};

static const struct host_option list_options[] = {
    {"json", NULL, "as JSON, on standard output", HOST_FLAG,
     offsetof(struct list_command, json), NULL},
    {NULL, NULL, NULL, HOST_FLAG, 0, NULL},
};

static int run_list(int argc, char **argv);

const struct host_command host_command_key_list = {
    .name = "key list",
    .usage = "weir key list [--json]",
    .summary = "the keys that are trusted, revoked, demanded and one's own",
    .options = list_options,
    .run = run_list,
};

static const char *day(int64_t time, char out[WEIR_MANIFEST_TIME])
{
    weir_manifest_time_text(time, out);
    out[10] = '\0';
    return out;
}

static void print_store(const struct weir_trust_store *store)
{
    int64_t now = (int64_t)time(NULL);
    char id[WEIR_MINISIGN_ID_TEXT], text[WEIR_MANIFEST_TIME];

    for (size_t i = 0; i < store->n_keys; i++) {
        const struct weir_trust_key *key = &store->keys[i];

        weir_minisign_id_text(key->key.id, id);
        printf("  trusted  %s  %-20s", id, key->name);
        if (key->expires)
            printf("  %s %s", key->expires < now ? "EXPIRED" : "expires",
                   day(key->expires, text));
        printf("\n");
    }
    for (size_t i = 0; i < store->n_revoked; i++) {
        const struct weir_trust_revoked *revoked = &store->revoked[i];

        weir_minisign_id_text(revoked->id, id);
        printf("  revoked  %s  %-20s", id, revoked->name);
        if (revoked->since)
            printf("  since %s", day(revoked->since, text));
        printf("%s%s\n", *revoked->reason ? "  " : "", revoked->reason);
    }
}

static void print_policy(const struct weir_trust_policy *policy)
{
    printf("%s (policy)\n", policy->store.file);
    if (policy->require_signature)
        printf("  demands a trusted signature%s\n",
               policy->has_keys ? ", of one of these keys" : "");
    if (policy->no_downgrade)
        printf("  demands that versions do not go back\n");
    print_store(&policy->store);
}

static void print_all(const struct weir_trust *trust,
                      const struct own_keys *own)
{
    char id[WEIR_MINISIGN_ID_TEXT];

    for (size_t i = 0; i < trust->n_policies; i++)
        print_policy(&trust->policies[i]);
    printf("%s\n", trust->store.file);
    print_store(&trust->store);
    if (trust->store.n_keys + trust->store.n_revoked == 0)
        printf("  no keys; weir key trust NAME KEY\n");
    if (own->n > 0)
        printf("secret keys\n");
    for (size_t i = 0; i < own->n; i++) {
        weir_minisign_id_text(own->list[i].key.id, id);
        printf("  own      %s  %s\n", id, own->list[i].name);
    }
}

static bool set_text(struct weir_json *object, const char *key,
                     const char *text)
{
    return weir_json_set(object, key,
                         weir_json_new_string(text, strlen(text))) == WEIR_OK;
}

static struct weir_json *store_json(const struct weir_trust_store *store)
{
    struct weir_json *json = weir_trust_store_json(store);

    if (json && !set_text(json, "file", store->file)) {
        weir_json_free(json);
        return NULL;
    }
    return json;
}

static struct weir_json *policy_json(const struct weir_trust_policy *policy)
{
    struct weir_json *json = store_json(&policy->store);

    if (json &&
        (weir_json_set(json, "require_signature",
                       weir_json_new_boolean(policy->require_signature)) ||
         weir_json_set(json, "no_downgrade",
                       weir_json_new_boolean(policy->no_downgrade)) ||
         weir_json_set(json, "only_these_keys",
                       weir_json_new_boolean(policy->has_keys)))) {
        weir_json_free(json);
        return NULL;
    }
    return json;
}

static struct weir_json *own_json(const struct own_key *own)
{
    struct weir_json *json = weir_json_new_object();
    char id[WEIR_MINISIGN_ID_TEXT], word[WEIR_MINISIGN_KEY_TEXT];

    weir_minisign_id_text(own->key.id, id);
    weir_minisign_public_text(&own->key, word);
    if (json && set_text(json, "name", own->name) && set_text(json, "id", id) &&
        set_text(json, "key", word))
        return json;
    weir_json_free(json);
    return NULL;
}

static struct weir_json *all_json(const struct weir_trust *trust,
                                  const struct own_keys *own)
{
    struct weir_json *json = store_json(&trust->store);
    struct weir_json *policies = weir_json_new_array(),
                     *keys = weir_json_new_array();
    bool ok = json && policies && keys;

    for (size_t i = 0; ok && i < trust->n_policies; i++)
        ok = weir_json_append(policies, policy_json(&trust->policies[i])) ==
             WEIR_OK;
    for (size_t i = 0; ok && i < own->n; i++)
        ok = weir_json_append(keys, own_json(&own->list[i])) == WEIR_OK;
    if (!ok) {
        weir_json_free(policies);
        weir_json_free(keys);
        weir_json_free(json);
        return NULL;
    }
    ok = weir_json_set(json, "policies", policies) == WEIR_OK;
    if (weir_json_set(json, "own", keys) != WEIR_OK || !ok) {
        weir_json_free(json);
        return NULL;
    }
    return json;
}

static enum weir_code print_json(const struct weir_trust *trust,
                                 const struct own_keys *own,
                                 struct weir_err *err)
{
    struct weir_json *json = all_json(trust, own);
    struct weir_buf text;
    enum weir_code code;

    if (!json)
        return weir_err_nomem(err);
    weir_buf_init(&text, 4 * WEIR_TRUST_FILE_MAX);
    code = weir_json_write(json, 2, &text, err);
    if (code == WEIR_OK)
        printf("%s\n", weir_buf_str(&text));
    weir_buf_fini(&text);
    weir_json_free(json);
    return code;
}

static int run_list(int argc, char **argv)
{
    struct list_command given = {.json = false};
    struct weir_trust trust = {.n_policies = 0};
    struct own_keys own = {NULL, 0};
    struct weir_err err = WEIR_ERR_INIT;
    int code = 0;
    int first =
        host_options_parse(&host_command_key_list, argc, argv, &given, &code);

    if (first < 0)
        return code;
    if (first < argc)
        return host_usage_error("key list", "unexpected argument '%s'",
                                argv[first]);
    if (host_trust_load(&trust, &err) == WEIR_OK &&
        load_own(&own, &err) == WEIR_OK) {
        if (given.json)
            print_json(&trust, &own, &err);
        else
            print_all(&trust, &own);
    }
    free(own.list);
    weir_trust_fini(&trust);
    if (err.code)
        return host_ending_err(host_command_key_list.name, &err);
    return host_ending_flushed(host_command_key_list.name, HOST_EXIT_DONE);
}

/* ---- show, export ---- */

static const struct host_option no_options[] = {
    {NULL, NULL, NULL, HOST_FLAG, 0, NULL},
};

static int run_show(int argc, char **argv);
static int run_export(int argc, char **argv);

const struct host_command host_command_key_show = {
    .name = "key show",
    .usage = "weir key show NAME",
    .summary = "a public key: its id, and the word that others trust",
    .about = "NAME is that of a trusted key, of one's own, or a file.\n",
    .options = no_options,
    .files = true,
    .run = run_show,
};

const struct host_command host_command_key_export = {
    .name = "key export",
    .usage = "weir key export NAME",
    .summary = "a public key as a file of minisign's, on standard output",
    .options = no_options,
    .after = "examples:\n"
             "  weir key export release > release.pub\n",
    .files = true,
    .run = run_export,
};

/* A trusted key by name or id; else whatever host_key_read_public finds. */
static enum weir_code find(const char *which, struct weir_minisign_public *key,
                           struct weir_err *err)
{
    struct weir_trust_store store;
    const struct weir_trust_key *found;
    enum weir_code code = host_trust_load_store(&store, err);

    if (code)
        return code;
    code = weir_trust_store_find(&store, which, &found, NULL);
    if (code == WEIR_OK)
        *key = found->key;
    weir_trust_store_fini(&store);
    return code ? host_key_read_public(which, key, err) : WEIR_OK;
}

static bool one_key(const struct host_command *command, int argc, char **argv,
                    struct weir_minisign_public *key, int *code)
{
    struct weir_err err = WEIR_ERR_INIT;
    int first = host_options_parse(command, argc, argv, NULL, code);

    if (first < 0)
        return false;
    if (first + 1 != argc)
        *code = host_usage_error(command->name, "expected one NAME");
    else if (find(argv[first], key, &err))
        *code = host_ending_err(command->name, &err);
    else
        return true;
    return false;
}

static int run_show(int argc, char **argv)
{
    struct weir_minisign_public key;
    char id[WEIR_MINISIGN_ID_TEXT], word[WEIR_MINISIGN_KEY_TEXT];
    int code = 0;

    if (!one_key(&host_command_key_show, argc, argv, &key, &code))
        return code;
    weir_minisign_id_text(key.id, id);
    weir_minisign_public_text(&key, word);
    printf("key id      %s\npublic key  %s\n", id, word);
    return host_ending_flushed(host_command_key_show.name, HOST_EXIT_DONE);
}

static int run_export(int argc, char **argv)
{
    struct weir_minisign_public key;
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_buf text;
    int code = 0;

    if (!one_key(&host_command_key_export, argc, argv, &key, &code))
        return code;
    weir_buf_init(&text, WEIR_MINISIGN_FILE_MAX);
    if (weir_minisign_public_write(&key, &text, &err))
        code = host_ending_err(host_command_key_export.name, &err);
    else
        printf("%s", weir_buf_str(&text));
    weir_buf_fini(&text);
    return host_ending_flushed(host_command_key_export.name, code);
}
