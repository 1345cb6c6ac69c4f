/* weir key trust, weir key revoke: what is in the trust store. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ending.h"
#include "exit.h"
#include "key_commands.h"
#include "key_files.h"
#include "trust_files.h"
#include "weir/manifest.h"

/* ---- trust ---- */

struct trust_command {
    const char *expires;
};

static const struct host_option trust_options[] = {
    {"expires", "DAY", "trust it no longer than to the end of 2027-12-31",
     HOST_TEXT, offsetof(struct trust_command, expires), NULL},
    {NULL, NULL, NULL, HOST_FLAG, 0, NULL},
};

static int run_trust(int argc, char **argv);

const struct host_command host_command_key_trust = {
    .name = "key trust",
    .usage = "weir key trust [--expires DAY] NAME KEY",
    .summary = "trust bundles that are signed with a key",
    .about =
        "KEY is a public key: the word that begins with RW, a file such as\n"
        "release.pub, or the name of a key of 'weir key new'. Have it from "
        "its\n"
        "owner by a way that you trust; NAME is what you will call it.\n",
    .options = trust_options,
    .after = "examples:\n"
             "  weir key trust --expires 2027-12-31 release release.pub\n",
    .files = true,
    .run = run_trust,
};

static enum weir_code add(struct weir_trust_store *store, void *ud,
                          struct weir_err *err)
{
    return weir_trust_store_add(store, ud, err);
}

static enum weir_code take_expires(const char *text, int64_t now,
                                   struct weir_trust_key *key,
                                   struct weir_err *err)
{
    enum weir_code code;

    if (!text)
        return WEIR_OK;
    code = weir_manifest_read_time(text, strlen(text), &key->expires, err);
    if (code) {
        weir_err_prefix(err, "--expires: ");
        return code;
    }
    if (weir_manifest_expired(key->expires, now))
        return weir_err_set(err, WEIR_VALIDATION, "--expires: %s is past",
                            text);
    return WEIR_OK;
}

static enum weir_code trust(const struct trust_command *given, const char *name,
                            const char *which, struct weir_trust_key *key,
                            struct weir_err *err)
{
    enum weir_code code = weir_trust_check_name(name, err);

    int64_t now = (int64_t)time(NULL);

    key->added = weir_manifest_time_of_clock(now);
    if (!code) {
        memcpy(key->name, name, strlen(name) + 1);
        code = take_expires(given->expires, now, key, err);
    }
    if (!code)
        code = host_key_read_public(which, &key->key, err);
    return code ? code : host_trust_change(add, key, err);
}

static int run_trust(int argc, char **argv)
{
    struct trust_command given = {.expires = NULL};
    struct weir_trust_key key = {.added = 0};
    struct weir_err err = WEIR_ERR_INIT;
    char id[WEIR_MINISIGN_ID_TEXT];
    int code = 0;
    int first =
        host_options_parse(&host_command_key_trust, argc, argv, &given, &code);

    if (first < 0)
        return code;
    if (first + 2 != argc)
        return host_usage_error("key trust", "expected NAME and KEY");
    if (trust(&given, argv[first], argv[first + 1], &key, &err))
        return host_ending_err(host_command_key_trust.name, &err);
    weir_minisign_id_text(key.key.id, id);
    printf("trusted: %s, key %s\n", key.name, id);
    return host_ending_flushed(host_command_key_trust.name, HOST_EXIT_DONE);
}

/* ---- revoke ---- */

struct revoke_command {
    const char *reason;
};

static const struct host_option revoke_options[] = {
    {"reason", "TEXT", "why, for whoever meets it later", HOST_TEXT,
     offsetof(struct revoke_command, reason), NULL},
    {NULL, NULL, NULL, HOST_FLAG, 0, NULL},
};

static int run_revoke(int argc, char **argv);

const struct host_command host_command_key_revoke = {
    .name = "key revoke",
    .usage = "weir key revoke [--reason TEXT] NAME|ID",
    .summary = "refuse whatever is signed with a key, from now on",
    .about =
        "The key is trusted no more, and nothing that it has signed runs, "
        "even\n"
        "where unsigned bundles do. This is for good. A key that was never\n"
        "trusted here is revoked by its id of 16 digits.\n",
    .options = revoke_options,
    .after = "examples:\n"
             "  weir key revoke --reason \"laptop lost\" release\n",
    .run = run_revoke,
};

struct revocation {
    const char *which, *reason;
    struct weir_trust_revoked made;
};

static enum weir_code revoke(struct weir_trust_store *store, void *ud,
                             struct weir_err *err)
{
    struct revocation *it = ud;

    return weir_trust_store_revoke(store, it->which, it->reason,
                                   (int64_t)time(NULL), &it->made, err);
}

static int run_revoke(int argc, char **argv)
{
    struct revoke_command given = {.reason = NULL};
    struct revocation revocation = {.which = NULL};
    struct weir_err err = WEIR_ERR_INIT;
    char id[WEIR_MINISIGN_ID_TEXT];
    int code = 0;
    int first =
        host_options_parse(&host_command_key_revoke, argc, argv, &given, &code);

    if (first < 0)
        return code;
    if (first + 1 != argc)
        return host_usage_error("key revoke", "expected one NAME or ID");
    revocation.which = argv[first];
    revocation.reason = given.reason;
    if (host_trust_change(revoke, &revocation, &err))
        return host_ending_err(host_command_key_revoke.name, &err);
    weir_minisign_id_text(revocation.made.id, id);
    printf("revoked: %s%skey %s\n", revocation.made.name,
           *revocation.made.name ? ", " : "", id);
    return host_ending_flushed(host_command_key_revoke.name, HOST_EXIT_DONE);
}
