/* pure: the nouns that wait for nothing. */
#include <string.h>

#include "scenario.h"
#include "weir/etag.h"
#include "weir/filter.h"
#include "weir/hash.h"
#include "weir/json.h"
#include "weir/log.h"
#include "weir/manifest.h"
#include "weir/minisign.h"
#include "weir/permissions.h"
#include "weir/regex.h"
#include "weir/trust.h"
#include "weir/url.h"
#include "weir/yaml.h"

enum { MAX_TEXT = 1 << 16 };

static enum weir_code read_json(const char *text, struct weir_json **out,
                                struct weir_err *err)
{
    return weir_json_parse(text, strlen(text), NULL, out, err);
}

/* The document's text. */
static enum weir_code say_json(struct weir_buf *said,
                               const struct weir_json *json,
                               struct weir_err *err)
{
    struct weir_buf text;
    enum weir_code code;

    weir_buf_init(&text, MAX_TEXT);
    code = weir_json_write(json, 0, &text, err);
    if (!code)
        say(said, "%s\n", weir_buf_str(&text));
    weir_buf_fini(&text);
    return code;
}

/* ---- json and yaml ---- */

static const char document[] =
    "{\"name\":\"\\u00e4\\n\",\"list\":[1,2.50,null,true,\"\"],"
    "\"deep\":{\"deeper\":{\"deepest\":[[[]],{}]}},\"n\":9007199254740993}";

static enum weir_code run_json(struct weir_buf *said, struct weir_err *err)
{
    struct weir_json *json = NULL, *copy = NULL, *again = NULL;
    const struct weir_json_options twice = {.duplicate_keys = true,
                                            .secret = true};
    static const char repeated[] = "{\"a\":1,\"b\":[2],\"a\":{\"c\":3}}";
    enum weir_code code;

    TRY(read_json(document, &json, err));
    copy = weir_json_copy(json);
    TRY(copy ? WEIR_OK : WEIR_NOMEM);
    TRY(weir_json_set(copy, "added", weir_json_new_array()));
    TRY(weir_json_set(copy, "name", weir_json_new_string("other", 5)));
    TRY(weir_json_set_len(copy, "a\0b", 3, weir_json_new_integer(-1)));
    say(said, "%d %d\n", weir_json_equal(json, copy),
        weir_json_remove(copy, "n"));
    TRY(say_json(said, json, err));
    TRY(say_json(said, copy, err));
    TRY(weir_json_parse(repeated, strlen(repeated), &twice, &again, err));
    TRY(say_json(said, again, err));
out:
    weir_json_free(json);
    weir_json_free(copy);
    weir_json_wipe(again);
    return code;
}

static enum weir_code run_yaml(struct weir_buf *said, struct weir_err *err)
{
    static const char text[] = "base: &b {x: 1, y: [no, 0x10, ~]}\n"
                               "other: *b\n"
                               "text: |\n  lines\n  more\n"
                               "quoted: \"a\\tb\"\n";
    struct weir_json_builder *builder = NULL;
    struct weir_json *json = NULL;
    struct weir_buf out;
    enum weir_code code;

    weir_buf_init(&out, MAX_TEXT);
    TRY(weir_json_builder_new(&builder, err));
    TRY(weir_yaml_scan(text, strlen(text), NULL,
                       weir_json_builder_sink(builder), err));
    json = weir_json_builder_take(builder);
    TRY(weir_yaml_write(json, &out, err));
    say(said, "%s", weir_buf_str(&out));
out:
    weir_json_builder_free(builder);
    weir_json_free(json);
    weir_buf_fini(&out);
    return code;
}

/* ---- regex and filter ---- */

static enum weir_code run_regex(struct weir_buf *said, struct weir_err *err)
{
    static const char pattern[] = "^(?<kind>[a-z]+)_(\\d+)(x)?(?=$)";
    struct weir_regex *regex = NULL;
    struct weir_regex_capture captures[4];
    struct weir_regex_difference differences[4];
    bool matched = false;
    enum weir_code code;

    TRY(weir_regex_new(pattern, strlen(pattern), WEIR_REGEX_CASELESS, &regex,
                       err));
    TRY(weir_regex_search(regex, "Skill_42", 8, 0, &matched, captures, err));
    say(said, "%d %zu %s %zu\n", matched, weir_regex_groups(regex),
        weir_regex_group_name(regex, 1), captures[2].start);
    say(said, "%zu\n", weir_regex_portable("a\\Kb(?<n>c)", 11, differences, 4));
out:
    weir_regex_free(regex);
    return code;
}

static const char *const channels[] = {"voice", "chat", NULL};
static const char *const server_fields[] = {"id", "etag", NULL};
static const struct weir_filter_schema plain_schema = {
    .channels = channels,
    .server_fields = server_fields,
    .max_name = 64,
    .max_description = 64,
    .max_matchers = 4,
    .max_pattern_rules = 4,
    .max_in_values = 4,
    .max_value = 64,
    .max_path_depth = 4,
};

static enum weir_code run_filter(struct weir_buf *said, struct weir_err *err)
{
    static const char good[] =
        "{\"name\":\"n\",\"channel\":\"voice\",\"matchers\":[{\"attribute\":"
        "\"a.b\",\"operator\":\"in\",\"value\":[1,\"x\"]}],\"pattern_rules\":"
        "[{\"type\":\"regex\",\"field\":\"f\",\"pattern\":\"^a+$\"},{\"type\":"
        "\"cidr\",\"field\":\"g\",\"pattern\":\"10.0.0.0/8\"}],"
        "\"target_group_id\":\"grp\"}";
    static const char bad[] =
        "{\"name\":\"\",\"chanel\":\"vioce\",\"id\":1,\"matchers\":[{},"
        "{\"attribute\":\"a\",\"operator\":\"equal\",\"value\":1}],"
        "\"pattern_rules\":[{\"type\":\"regex\",\"field\":\"f\",\"pattern\":"
        "\"(\"}]}";
    struct weir_filter_problems problems = {0};
    struct weir_filter_schema schema = plain_schema;
    struct weir_json *json = NULL, *wrong = NULL;
    struct weir_filter *filter = NULL;
    struct weir_buf line;
    enum weir_code code;

    weir_buf_init(&line, MAX_TEXT);
    schema.known_regexes = weir_filter_known_new();
    TRY(schema.known_regexes ? WEIR_OK : weir_err_nomem(err));
    TRY(read_json(good, &json, err));
    TRY(weir_filter_new(json, &schema, &filter, NULL, err));
    json = NULL; /* the filter's now */
    TRY(weir_filter_describe(filter, &line));
    say(said, "%s %d\n", weir_buf_str(&line),
        weir_filter_equal(filter, filter));
    TRY(read_json(bad, &wrong, err));
    code = weir_filter_check(wrong, &schema, &problems, err);
    TRY(code == WEIR_VALIDATION ? WEIR_OK : code);
    weir_err_clear(err);
    for (size_t i = 0; i < problems.n; i++)
        say(said, "%s %s\n", problems.list[i].path, problems.list[i].message);
out:
    weir_buf_fini(&line);
    weir_filter_known_free(schema.known_regexes);
    weir_filter_free(filter);
    weir_filter_problems_fini(&problems);
    weir_json_free(json);
    weir_json_free(wrong);
    return code;
}

/* ---- merge ---- */

static enum weir_code run_merge(struct weir_buf *said, struct weir_err *err)
{
    static const char *const keys[] = {"k"};
    static const struct weir_etag_list lists[] = {{"rows", keys, 1}};
    static const struct weir_etag_rules rules = {
        .server_fields = server_fields,
        .n_server_fields = 2,
        .lists = lists,
        .n_lists = 1,
    };
    struct weir_json *base = NULL, *mine = NULL, *theirs = NULL;
    struct weir_json *merged = NULL, *report = NULL, *choices = NULL;
    struct weir_json *conflicts = NULL;
    struct weir_etag_merging merging = {.rules = &rules,
                                        .policy = WEIR_ETAG_MINE};
    enum weir_code code;

    TRY(read_json("{\"id\":1,\"a\":{\"b\":1,\"c\":2},\"d\":1,\"rows\":[{\"k\":1"
                  ",\"v\":1},{\"k\":2,\"v\":2},{\"k\":3}]}",
                  &base, err));
    TRY(read_json("{\"id\":1,\"a\":{\"b\":9,\"c\":2},\"d\":2,\"rows\":[{\"k\":2"
                  ",\"v\":2},{\"k\":1,\"v\":5},{\"k\":4}]}",
                  &mine, err));
    TRY(read_json("{\"id\":2,\"a\":{\"b\":1,\"c\":8},\"d\":3,\"rows\":[{\"k\":1"
                  ",\"v\":6},{\"k\":3},{\"k\":5}],\"e\":1}",
                  &theirs, err));
    TRY(read_json("[{\"path\":\"/d\",\"value\":7}]", &choices, err));
    merging.choices = choices;
    TRY(weir_etag_merge(base, mine, theirs, &merging, &merged, &report, err));
    TRY(say_json(said, merged, err));
    TRY(say_json(said, report, err));
    weir_json_free(merged);
    merged = NULL;
    code = weir_etag_merge(base, mine, theirs, NULL, &merged, &conflicts, err);
    TRY(code == WEIR_CONFLICT ? WEIR_OK : code);
    weir_err_clear(err); /* its detail is there if there was memory for it */
    TRY(say_json(said, conflicts, err));
out:
    weir_json_free(base);
    weir_json_free(mine);
    weir_json_free(theirs);
    weir_json_free(merged);
    weir_json_free(report);
    weir_json_free(conflicts);
    weir_json_free(choices);
    return code;
}

/* ---- log and url ---- */

static bool leaked;

/* What cannot be redacted must not be shown. */
static void look_at(void *ud, const char *line, size_t len)
{
    (void)ud;
    if (memmem(line, len, "hush-hush", 9) || memmem(line, len, "pass%20w", 8))
        leaked = true;
}

static enum weir_code run_log(struct weir_buf *said, struct weir_err *err)
{
    struct weir_log *log = NULL;
    struct weir_json *fields = NULL;
    struct weir_err told = WEIR_ERR_INIT;
    struct weir_buf out;
    enum weir_code code;

    weir_buf_init(&out, MAX_TEXT);
    leaked = false;
    TRY(weir_log_new(NULL, look_at, NULL, &log, err));
    TRY(weir_log_secret(log, "hush-hush", 9, err));
    TRY(weir_log_basic(log, "user", "pass word", err));
    TRY(read_json(
        "{\"a\":[1,\"hush-hush\"],\"b\":{\"c\":\"user%3Apass%20word\"}}",
        &fields, err));
    weir_log_write(log, WEIR_LOG_WARN, fields, "%s", "a hush-hush");
    weir_log_set_format(log, WEIR_LOG_JSON);
    weir_log_write_text(log, WEIR_LOG_ERROR, fields, "b\0hush-hush", 11);
    weir_err_set(&told, WEIR_AUTH, "it was hush-hush");
    weir_err_detail(&told, "[\"hush-hush\"]", 13);
    weir_log_redact_err(log, &told);
    look_at(NULL, told.message, strlen(told.message));
    if (told.detail)
        look_at(NULL, told.detail, strlen(told.detail));
    TRY(weir_log_redact(log, "x hush-hush y aHVzaC1odXNo z", 28, &out));
    say(said, "%s\n", weir_buf_str(&out));
out:
    say(said, leaked ? "leaked\n" : "");
    /* A leak is worth more than any other word of the scenario. */
    if (leaked)
        code = weir_err_set(err, WEIR_FAILED, "a secret was shown");
    weir_err_clear(&told);
    weir_buf_fini(&out);
    weir_json_free(fields);
    weir_log_free(log);
    return code;
}

static enum weir_code run_url(struct weir_buf *said, struct weir_err *err)
{
    struct weir_buf out;
    enum weir_code code;
    bool same = false, zoned = true;

    weir_buf_init(&out, MAX_TEXT);
    TRY(weir_url_check("https://a.test:8443/x?y#z", err));
    TRY(weir_url_same_origin("https://a.test", "HTTPS://A.test:443/", &same));
    TRY(weir_url_same_origin("https://[fe80::1%25a]/", "https://[fe80::1%25b]/",
                             &zoned));
    TRY(weir_url_add_pair(&out, "a b", "c/d", 3));
    say(said, "%d %d %s\n", same, zoned, weir_buf_str(&out));
    weir_buf_reset(&out);
    TRY(weir_url_redacted(&out, "https://u:p@a.test/x?y#z"));
    /* It may give up, but never show more. */
    if (strcmp(weir_buf_str(&out), "https://a.test/x") != 0 &&
        strcmp(weir_buf_str(&out), "(not a URL)") != 0)
        code = weir_err_set(err, WEIR_FAILED, "%s", weir_buf_str(&out));
out:
    weir_buf_fini(&out);
    return code;
}

/* ---- hash and minisign ---- */

static enum weir_code run_hash(struct weir_buf *said, struct weir_err *err)
{
    unsigned char digest[WEIR_HASH_MAX_SIZE];
    char hex[WEIR_HASH_HEX_SIZE];
    struct weir_hash *hash = NULL;
    enum weir_code code;

    TRY(weir_hash_hex_of(WEIR_HASH_SHA256, "abc", 3, hex, err));
    say(said, "%s\n", hex);
    TRY(weir_hash_new(WEIR_HASH_BLAKE2B512, &hash, err));
    TRY(weir_hash_add(hash, "abc", 3, err));
    TRY(weir_hash_end(hash, digest, err));
    weir_hash_hex(digest, weir_hash_size(WEIR_HASH_BLAKE2B512), hex);
    say(said, "%s\n", hex);
out:
    weir_hash_free(hash);
    return code;
}

static enum weir_code run_permissions(struct weir_buf *said,
                                      struct weir_err *err)
{
    static const char table[] =
        "{\"net\":[\"tenant\",\"*.a.test\"],\"read\":[\".\",\"/srv\"],"
        "\"env\":[\"A\"],\"mutate\":true}";
    struct weir_permissions *p = NULL, *narrow = NULL, *copy = NULL;
    struct weir_json *json = NULL;
    const char *root = NULL;
    enum weir_code code;

    TRY(weir_permissions_parse_text(table, strlen(table), &p, err));
    TRY(weir_permissions_resolve(p, "/home/u", err));
    TRY(weir_permissions_narrow(p, WEIR_PERMISSIONS_EVERY, p, "itself", &narrow,
                                err));
    TRY(weir_permissions_tenant(narrow, "https://acme.test", err));
    TRY(weir_permissions_copy(narrow, &copy, err));
    json = weir_permissions_json(copy);
    TRY(json ? WEIR_OK : weir_err_nomem(err));
    TRY(say_json(said, json, err));
    TRY(weir_permissions_url(copy, "https://acme.test/x", err));
    TRY(weir_permissions_path(copy, WEIR_PERMISSION_READ, "/srv/x", &root,
                              err));
    say(said, "%s\n", root);
    /* A denial needs no memory, but to say more than its message. */
    if (weir_permissions_env(copy, "B", err) == WEIR_DENIED)
        say(said, "%s\n", err->message);
    weir_err_clear(err);
out:
    weir_json_free(json);
    weir_permissions_free(p);
    weir_permissions_free(narrow);
    weir_permissions_free(copy);
    return code;
}

/* What a signature fits does not depend on memory: a want of it is said. */
static enum weir_code run_minisign(struct weir_buf *said, struct weir_err *err)
{
    static const struct weir_minisign_cost cheap = {32768, 1 << 20};
    struct weir_minisign_secret *secret = NULL, *again = NULL;
    struct weir_minisign_signature signature;
    struct weir_minisign_public key;
    struct weir_buf file, signed_text;
    enum weir_code code;

    weir_buf_init_secret(&file, WEIR_MINISIGN_FILE_MAX);
    weir_buf_init(&signed_text, WEIR_MINISIGN_FILE_MAX);
    TRY(weir_minisign_secret_new(&secret, err));
    TRY(weir_minisign_secret_write(secret, "pw", 2, cheap, &file, err));
    TRY(weir_minisign_secret_read(file.data, file.len, "pw", 2, &again, err));
    TRY(weir_minisign_sign(again, "text", 4, NULL, "trusted", &signed_text,
                           err));
    TRY(weir_minisign_signature_read(signed_text.data, signed_text.len,
                                     &signature, err));
    weir_minisign_secret_public(secret, &key);
    TRY(weir_minisign_verify(&key, &signature, "text", 4, err));
    say(said, "%s\n", signature.trusted);
out:
    weir_minisign_secret_free(secret);
    weir_minisign_secret_free(again);
    weir_buf_fini(&file);
    weir_buf_fini(&signed_text);
    return code;
}

/* Not the archive: libarchive ends the process when it gets no memory. */
static enum weir_code run_manifest(struct weir_buf *said, struct weir_err *err)
{
    static const char text[] =
        "{\"format\":1,\"name\":\"rotate\",\"version\":\"1.4.0-rc.1\","
        "\"weir\":\"0.1.0\",\"main\":\"a.lua\",\"files\":[{\"path\":"
        "\"a.lua\",\"size\":3,\"sha256\":\"0123456789abcdef0123456789abcdef"
        "0123456789abcdef0123456789abcdef\"}],\"needs\":{\"net\":[\"tenant\"]"
        "},\"args\":{\"about\":\"x\",\"params\":[{\"name\":\"--a\"}]},"
        "\"expires\":\"2027-01-31T23:59:59Z\"}";
    struct weir_manifest *manifest = NULL;
    struct weir_buf out;
    enum weir_code code;

    weir_buf_init(&out, MAX_TEXT);
    TRY(weir_manifest_read(text, strlen(text), &manifest, err));
    TRY(weir_manifest_write(manifest, &out, err));
    say(said, "%s", weir_buf_str(&out));
out:
    weir_buf_fini(&out);
    weir_manifest_free(manifest);
    return code;
}

/* ---- trust ---- */

#define KEY "RWRWHHd59eh0yG0AIRWyAa/f1gcedhxR+IIbW9JYYc8pvxQnK59rZFHu"
#define ID  "C874E8F579771C56"

/* Signed by that key, of "hello\n"; made by minisign. */
static const char signed_by_key[] =
    "untrusted comment: signature from minisign secret key\n"
    "RWRWHHd59eh0yFmJyHEp6A7UMHo8V0XKH1Jpeirn6xqFZ70EQZpb9lxMML1dTVOIz9sEAl77"
    "KYrsPwbuvAnlRHRMsZ/D+CQ7sg8=\ntrusted comment: c\n"
    "AvOd88RHcsao+a8xlBnpjMYEVhxKqyw+E0HO16Lt7Ey/x7FvF4wdSwBJgYLBHWyBOEG3FqMu"
    "Y4pc4F/RSSGvAA==\n";

static enum weir_code read_trust(struct weir_trust *trust, struct weir_err *err)
{
    static const char policy[] =
        "{\"require_signature\":true,\"no_downgrade\":true,\"keys\":[{"
        "\"name\":\"a\",\"key\":\"" KEY "\"}]}";
    static const char store[] =
        "{\"keys\":[{\"name\":\"a\",\"id\":\"" ID "\",\"key\":\"" KEY
        "\",\"added\":\"2026-01-01\"}],\"revoked\":[{\"id\":\"1\","
        "\"since\":\"2026-01-01\"}]}";
    static const char versions[] =
        "{\"versions\":[{\"bundle\":\"r\",\"key\":\"" ID
        "\",\"version\":\"1.0.0\",\"since\":\"2026-01-01\"}]}";
    enum weir_code code;

    TRY(weir_trust_store_init(&trust->store, "store", err));
    TRY(weir_trust_versions_init(&trust->versions, "versions", err));
    TRY(weir_trust_policy_read("policy", policy, strlen(policy),
                               &trust->policies[0], err));
    trust->n_policies = 1;
    TRY(weir_trust_store_read(&trust->store, store, strlen(store), err));
    TRY(weir_trust_versions_read(&trust->versions, versions, strlen(versions),
                                 err));
out:
    return code;
}

/* Want of memory is never a yes, nor taken for a bad signature. */
static enum weir_code run_trust(struct weir_buf *said, struct weir_err *err)
{
    static struct weir_trust_signer signer;
    const struct weir_trust_facts facts = {.bundle = "r", .version = "1.1.0"};
    struct weir_trust trust = {.n_policies = 0};
    struct weir_trust_revoked revoked;
    struct weir_buf text;
    bool changed = false;
    enum weir_code code;

    weir_buf_init(&text, MAX_TEXT);
    TRY(read_trust(&trust, err));
    TRY(weir_trust_verify(&trust, "hello\n", 6, signed_by_key,
                          strlen(signed_by_key), 1795716000, &signer, err));
    TRY(weir_trust_decide(&trust, &signer, &facts, 1795716000, err));
    TRY(weir_trust_remember(&trust.versions, &signer, &facts, 1795716000,
                            &changed, err));
    TRY(weir_trust_versions_write(&trust.versions, &text, err));
    TRY(weir_trust_store_revoke(&trust.store, "a", "lost", 1795716000, &revoked,
                                err));
    TRY(weir_trust_store_write(&trust.store, &text, err));
    say(said, "%s %d\n%s", signer.name, changed, weir_buf_str(&text));
out:
    weir_buf_fini(&text);
    weir_trust_fini(&trust);
    return code;
}

const struct scenario scenarios_pure[] = {
    {"json", run_json, WEIR_OK},
    {"yaml", run_yaml, WEIR_OK},
    {"regex", run_regex, WEIR_OK},
    {"filter", run_filter, WEIR_OK},
    {"merge", run_merge, WEIR_OK},
    {"log", run_log, WEIR_OK},
    {"url", run_url, WEIR_OK},
    {"hash", run_hash, WEIR_OK},
    {"minisign", run_minisign, WEIR_OK},
    {"trust", run_trust, WEIR_OK},
    {"permissions", run_permissions, WEIR_OK},
    {"manifest", run_manifest, WEIR_OK},
    {NULL, NULL, WEIR_OK},
};
