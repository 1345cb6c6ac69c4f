#include "auth_internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base64.h"
#include "reply_internal.h"
#include "weir/log.h"
#include "weir/url.h"

void weir_auth_wipe(char *text, size_t len)
{
    if (!text)
        return;
    explicit_bzero(text, len);
    free(text);
}

bool weir_auth_token_is_sane(const char *token, size_t len)
{
    if (len == 0 || len > WEIR_AUTH_MAX_TOKEN)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (token[i] < 0x21 || token[i] > 0x7E)
            return false;
    }
    return true;
}

enum weir_code weir_auth_tell(struct weir_log *log, const char *what,
                              const char *secret, struct weir_err *err)
{
    size_t len = strlen(secret);

    /* The log could not hide a shorter one without hiding ordinary text. */
    if (len < 4)
        return weir_err_set(err, WEIR_INVALID,
                            "%s: a secret of %zu bytes is too short, expected "
                            "at least 4",
                            what, len);
    return log ? weir_log_secret(log, secret, len, err) : WEIR_OK;
}

/* ---- the request ---- */

/* Far more than any credential takes. */
#define FORM_MAX ((size_t)1 << 20)

static enum weir_code add_pair(struct weir_buf *form, const char *name,
                               const char *value)
{
    return weir_url_add_pair(form, name, value, strlen(value));
}

static enum weir_code make_form(struct weir_grant *grant,
                                const struct weir_auth_config *config,
                                struct weir_err *err)
{
    bool access_key = config->kind == WEIR_AUTH_ACCESS_KEY;
    const char *user = access_key ? config->access_key_id : config->client_id;
    const char *password =
        access_key ? config->access_key_secret : config->client_secret;
    struct weir_buf form;
    enum weir_code code = WEIR_OK;

    weir_buf_init_secret(&form, FORM_MAX);
    add_pair(&form, "grant_type",
             access_key ? "password" : "client_credentials");
    add_pair(&form, access_key ? "username" : "client_id", user);
    add_pair(&form, access_key ? "password" : "client_secret", password);
    if (config->scope)
        add_pair(&form, "scope", config->scope);
    for (size_t i = 0; i < config->n_fields; i++)
        add_pair(&form, config->fields[i].name, config->fields[i].value);
    if (form.failed)
        code = weir_buf_err(&form, "the token request", err);
    else
        grant->body = weir_buf_take(&form, &grant->body_len);
    weir_buf_fini(&form);
    return code;
}

/* RFC 6749 section 2.3.1: id and secret are form-encoded before they become
 * user and password, so a colon in the id does no harm. */
static enum weir_code make_basic(struct weir_grant *grant,
                                 const struct weir_auth_config *config,
                                 struct weir_err *err)
{
    const char *id = config->client_id, *secret = config->client_secret;
    struct weir_buf pair;
    enum weir_code code;

    weir_buf_init_secret(&pair, FORM_MAX);
    weir_url_encode(&pair, id, strlen(id));
    weir_buf_addc(&pair, ':');
    weir_url_encode(&pair, secret, strlen(secret));
    grant->basic = calloc(1, sizeof("Basic ") + WEIR_BASE64_SIZE(pair.len));
    code = weir_buf_err(&pair, "the Basic credential", err);
    if (!code && grant->basic) {
        memcpy(grant->basic, "Basic ", 6);
        weir_base64_encode((const unsigned char *)pair.data, pair.len,
                           grant->basic + 6);
    } else if (!code) {
        code = weir_err_nomem(err);
    }
    weir_buf_fini(&pair);
    return code;
}

static enum weir_code required(const char *name, const char *value,
                               struct weir_err *err)
{
    if (!value || !*value)
        return weir_err_set(err, WEIR_INVALID, "%s is missing", name);
    return WEIR_OK;
}

static enum weir_code check_url(const struct weir_auth_config *config,
                                struct weir_err *err)
{
    enum weir_code code = required("token_url", config->token_url, err);

    if (code)
        return code;
    code = weir_url_check(config->token_url, err);
    if (!code && !config->allow_plain_http)
        code = weir_http_url_safe(config->token_url, err);
    if (code)
        weir_err_prefix(err, "token_url: ");
    return code;
}

/* Further fields must not say twice what the grant says itself. */
static enum weir_code check_fields(const struct weir_auth_config *config,
                                   struct weir_err *err)
{
    static const char *const own[] = {"grant_type",    "client_id",
                                      "client_secret", "username",
                                      "password",      "scope"};

    for (size_t i = 0; i < config->n_fields; i++) {
        const char *name = config->fields[i].name;

        if (!name || !*name || !config->fields[i].value)
            return weir_err_set(err, WEIR_INVALID,
                                "fields: a name and a value are needed");
        for (size_t k = 0; k < sizeof(own) / sizeof(own[0]); k++) {
            if (strcmp(name, own[k]) == 0)
                return weir_err_set(err, WEIR_INVALID,
                                    "fields: '%s' has a setting of its own",
                                    name);
        }
    }
    return WEIR_OK;
}

static enum weir_code check(const struct weir_auth_config *config,
                            struct weir_err *err)
{
    enum weir_code code = check_url(config, err);

    if (!code)
        code = required("client_id", config->client_id, err);
    if (!code)
        code = required("client_secret", config->client_secret, err);
    if (!code)
        code = weir_auth_tell(config->log, "client_secret",
                              config->client_secret, err);
    if (!code && config->kind == WEIR_AUTH_ACCESS_KEY) {
        code = required("access_key_id", config->access_key_id, err);
        if (!code)
            code =
                required("access_key_secret", config->access_key_secret, err);
        if (!code)
            code = weir_auth_tell(config->log, "access_key_secret",
                                  config->access_key_secret, err);
    }
    return code ? code : check_fields(config, err);
}

enum weir_code weir_grant_init(struct weir_grant *grant,
                               const struct weir_auth_config *config,
                               struct weir_err *err)
{
    enum weir_code code = check(config, err);

    *grant = (struct weir_grant){0};
    if (code)
        return code;
    grant->url = strdup(config->token_url);
    code = grant->url ? make_form(grant, config, err) : weir_err_nomem(err);
    if (!code && config->kind == WEIR_AUTH_ACCESS_KEY) {
        code = make_basic(grant, config, err);
        if (!code)
            code = weir_auth_tell(config->log, "the Basic credential",
                                  grant->basic + 6, err);
    }
    if (code)
        weir_grant_fini(grant);
    return code;
}

void weir_grant_fini(struct weir_grant *grant)
{
    free(grant->url);
    weir_auth_wipe(grant->body, grant->body_len);
    weir_auth_wipe(grant->basic, grant->basic ? strlen(grant->basic) : 0);
    *grant = (struct weir_grant){0};
}

/* ---- the answer ---- */

/* {"error", "error_description"} of RFC 6749 section 5.2, as a line. */
static void refusal(char *out, size_t size, const struct weir_json *json)
{
    const char *word = weir_json_get_string(json, "error");
    const char *why = weir_json_get_string(json, "error_description");
    struct weir_buf text;

    if (!why)
        why = weir_json_get_string(json, "message");
    weir_buf_init(&text, (size_t)1 << 20); /* more than any document read */
    if (word)
        weir_buf_adds(&text, word);
    if (word && why)
        weir_buf_adds(&text, ": ");
    if (why)
        weir_buf_adds(&text, why);
    weir_reply_line(out, size, weir_buf_str(&text), text.len);
    weir_buf_fini(&text);
}

static enum weir_code refused_code(int status)
{
    switch (status) {
    case 400:
    case 401:
    case 403: return WEIR_AUTH;
    case 429: return WEIR_RATE;
    default: return status >= 500 ? WEIR_SERVER : WEIR_PROTOCOL;
    }
}

static enum weir_code refused(const struct weir_http_response *response,
                              const struct weir_json *json,
                              struct weir_err *err)
{
    enum weir_code code = refused_code(response->status);
    char why[WEIR_REPLY_TEXT], status[WEIR_REPLY_STATUS];

    refusal(why, sizeof(why), json);
    weir_reply_status(status, response->status);
    weir_err_set(err, code, "no token: the token endpoint answered %s%s%s",
                 status, why[0] ? ": " : "", why);
    if (code == WEIR_AUTH)
        weir_err_hint(err, "check the client id and secret, the tenant and "
                           "the scope");
    else if (code == WEIR_PROTOCOL)
        weir_err_hint(err, "check the token URL");
    return code;
}

/* expires_in as a number or a numeric string; absent or null: the default. */
static enum weir_code read_life(const struct weir_json *json, int64_t *life_ms,
                                struct weir_err *err)
{
    const struct weir_json *life = weir_json_get(json, "expires_in");
    struct weir_number number = {.real = -1};
    double seconds;
    size_t len;
    const char *text;

    if (!life || weir_json_is(life, WEIR_JSON_NULL)) {
        *life_ms = WEIR_AUTH_LIFE_MS;
        return WEIR_OK;
    }
    text = weir_json_number(life, &len);
    if (!text)
        text = weir_json_string(life, &len);
    if (!text || weir_number_parse(text, len, &number, NULL) || number.real < 0)
        return weir_err_set(err, WEIR_PROTOCOL,
                            "the token endpoint sent an expires_in that is "
                            "not a number of seconds");
    seconds = number.real < 1e9 ? number.real : 1e9;
    *life_ms = (int64_t)(seconds * 1000);
    return WEIR_OK;
}

static enum weir_code read_token(const struct weir_json *json, char **token,
                                 struct weir_err *err)
{
    const struct weir_json *type = weir_json_get(json, "token_type");
    const char *text;
    size_t len, type_len;

    text = weir_json_string(weir_json_get(json, "access_token"), &len);
    if (!text)
        return weir_err_set(err, WEIR_PROTOCOL,
                            "the token endpoint sent no access_token");
    if (!weir_auth_token_is_sane(text, len) || len < 4)
        return weir_err_set(err, WEIR_PROTOCOL,
                            "the token endpoint sent an access_token that "
                            "cannot be used: expected 4 to %zu visible ASCII "
                            "characters",
                            WEIR_AUTH_MAX_TOKEN);
    if (type && !weir_json_is(type, WEIR_JSON_NULL)) {
        const char *word = weir_json_string(type, &type_len);

        if (!word || type_len != 6 || strcasecmp(word, "Bearer") != 0)
            return weir_err_set(err, WEIR_PROTOCOL,
                                "the token endpoint sent a token_type other "
                                "than Bearer");
    }
    *token = strndup(text, len);
    return *token ? WEIR_OK : weir_err_nomem(err);
}

/* RFC 6749 section 5.1: may be left out where all was granted.  Nothing is
 * decided by it, so what is no text counts as left out. */
static enum weir_code read_scope(const struct weir_json *json, char **scope,
                                 struct weir_err *err)
{
    const char *text = weir_json_get_string(json, "scope");

    if (!text)
        return WEIR_OK;
    *scope = strdup(text);
    return *scope ? WEIR_OK : weir_err_nomem(err);
}

static enum weir_code read_grant(const struct weir_json *json,
                                 struct weir_granted *granted,
                                 struct weir_err *err)
{
    enum weir_code code = read_life(json, &granted->life_ms, err);

    if (!code)
        code = read_scope(json, &granted->scope, err);
    if (!code)
        code = read_token(json, &granted->token, err);
    if (code) {
        free(granted->scope);
        granted->scope = NULL;
    }
    return code;
}

enum weir_code weir_grant_answer(const struct weir_http_response *response,
                                 struct weir_granted *granted,
                                 struct weir_err *err)
{
    struct weir_json *json;
    enum weir_code code = weir_reply_secret(response, &json);

    if (code)
        return weir_err_nomem(err);
    if (response->status < 200 || response->status > 299)
        code = refused(response, json, err);
    else if (!weir_json_is(json, WEIR_JSON_OBJECT))
        /* Never quoted: a broken answer may hold a token all the same. */
        code = weir_err_set(err, WEIR_PROTOCOL,
                            "the token endpoint answered %d with a body that "
                            "is no JSON object",
                            response->status);
    else
        code = read_grant(json, granted, err);
    weir_json_wipe(json);
    return code;
}
