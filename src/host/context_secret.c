#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "child.h"
#include "context_internal.h"
#include "contexts.h"
#include "guarded.h"
#include "secrecy.h"

#define MAX_SECRET ((size_t)64 * 1024)
#define MAX_WORDS  64
#define MAX_WORD   4096
/* Whoever is asked for a finger or a PIN needs some time. */
#define COMMAND_MS 60000

static enum weir_code no_source(struct weir_err *err)
{
    weir_err_set(err, WEIR_CONFIG,
                 "expected where the secret comes from (a variable, a file or "
                 "a command), never the secret itself; what stands there is "
                 "not shown");
    weir_err_hint(err, "env:NAME, file:PATH or command:PROGRAM ARGUMENT...");
    return WEIR_CONFIG;
}

/* ---- checking ---- */

static bool is_variable(const char *text, size_t len)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "abcdefghijklmnopqrstuvwxyz0123456789_";

    return len > 0 && len < 256 && strspn(text, letters) == len &&
           !(text[0] >= '0' && text[0] <= '9');
}

/* A variable that says something to every program: its value is no secret, and
 * the programs that are started need it, while a secret is taken from the
 * environment. */
static bool is_for_all(const char *name)
{
    static const char *const names[] = {
        "PATH",   "HOME",   "USER",   "LOGNAME",  "SHELL",
        "PWD",    "OLDPWD", "TERM",   "LANG",     "TZ",
        "TMPDIR", "EDITOR", "VISUAL", "LANGUAGE", "DISPLAY"};
    static const char *const begins[] = {"LC_", "LD_", "XDG_", "WEIR_"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
        if (strncmp(name, begins[i], strlen(begins[i])) == 0)
            return true;
    }
    return false;
}

/* Absolute: what it means must not depend on where weir is started. */
static bool is_path(const char *text, size_t len)
{
    return len > 1 && len < MAX_WORD && text[0] == '/' && strlen(text) == len &&
           text[len - 1] != '/';
}

/* Whether one of the names, of which the last is NULL, ends those bytes. */
static bool ends_with(const char *const *names, const char *text, size_t len)
{
    for (; *names; names++) {
        size_t n = strlen(*names);

        if (n <= len && strncasecmp(text + len - n, *names, n) == 0)
            return true;
    }
    return false;
}

/* "--client-secret=hunter2": a secret on a command line, which every user of
 * the machine can read while the program runs. */
static bool carries_secret(const char *word)
{
    static const char *const names[] = {"password", "passwd",  "passphrase",
                                        "secret",   "token",   "apikey",
                                        "api-key",  "api_key", NULL};
    size_t len = strcspn(word, "=");

    return word[len] == '=' && word[len + 1] != '\0' &&
           ends_with(names, word, len);
}

static enum weir_code check_command(const struct weir_json *words,
                                    struct weir_err *err)
{
    size_t n = weir_json_size(words);

    if (!weir_json_is(words, WEIR_JSON_ARRAY) || n == 0 || n > MAX_WORDS)
        return weir_err_set(err, WEIR_CONFIG,
                            "command: expected a list of 1 to %d words, the "
                            "program first; no shell reads them",
                            MAX_WORDS);
    for (const struct weir_json *at = weir_json_first(words); at;
         at = weir_json_next(at)) {
        size_t len = 0;
        const char *word = weir_json_string(at, &len);

        if (!word || len >= MAX_WORD || strlen(word) != len ||
            (at == weir_json_first(words) && len == 0))
            return weir_err_set(err, WEIR_CONFIG,
                                "command: every word is a text without NUL");
        if (carries_secret(word)) {
            weir_err_set(err, WEIR_CONFIG,
                         "command: a word carries a secret itself, "
                         "which does not belong in a file or on a "
                         "command line; it is not shown");
            weir_err_hint(err, "let the program read it from a file of its "
                               "own; if it is but a name, make it a word of "
                               "its own, without the '='");
            return WEIR_CONFIG;
        }
    }
    return WEIR_OK;
}

static enum weir_code check_variable(const char *name, size_t len,
                                     struct weir_err *err)
{
    if (!is_variable(name, len))
        return weir_err_set(err, WEIR_CONFIG,
                            "env: expected the name of a variable (letters, "
                            "digits, '_'); what stands there is not shown, in "
                            "case it is the secret");
    if (is_for_all(name))
        return weir_err_set(err, WEIR_CONFIG,
                            "env: %s is no secret, and other programs read "
                            "it; expected a variable that holds this alone",
                            name);
    return WEIR_OK;
}

enum weir_code host_context_check_source(const struct weir_json *source,
                                         struct weir_err *err)
{
    const struct weir_json *member = weir_json_first(source);
    const char *key, *text;
    size_t len = 0;

    if (!weir_json_is(source, WEIR_JSON_OBJECT) || weir_json_size(source) != 1)
        return no_source(err);
    key = weir_json_key(member, NULL);
    text = weir_json_string(member, &len);
    if (strcmp(key, "command") == 0)
        return check_command(member, err);
    if (strcmp(key, "env") == 0 && text)
        return check_variable(text, len, err);
    if (strcmp(key, "file") == 0 && text) {
        if (is_path(text, len))
            return WEIR_OK;
        return weir_err_set(err, WEIR_CONFIG,
                            "file: expected an absolute path; what stands "
                            "there is not shown, in case it is the secret");
    }
    return no_source(err);
}

/* ---- from a command line ---- */

static struct weir_json *split_words(const char *text)
{
    struct weir_json *words = weir_json_new_array();

    while (words && *(text += strspn(text, " "))) {
        size_t len = strcspn(text, " ");

        if (weir_json_append(words, weir_json_new_string(text, len))) {
            weir_json_free(words);
            return NULL;
        }
        text += len;
    }
    return words;
}

static enum weir_code read_words(const char *text, struct weir_json **out,
                                 struct weir_err *err)
{
    if (text[0] == '[') {
        if (weir_json_parse(text, strlen(text), NULL, out, err) == WEIR_OK)
            return WEIR_OK;
        weir_err_prefix(err, "command: the list of words: ");
        return err->code == WEIR_NOMEM ? WEIR_NOMEM : (err->code = WEIR_CONFIG);
    }
    *out = split_words(text);
    return *out ? WEIR_OK : weir_err_nomem(err);
}

/* A path on a command line means what it means there. */
static struct weir_json *read_path(const char *text)
{
    char *path = NULL;
    struct weir_json *json;

    if (text[0] != '/' && text[0] != '\0') {
        char *folder = getcwd(NULL, 0);

        if (!folder || asprintf(&path, "%s/%s", folder, text) < 0)
            path = NULL;
        free(folder);
        if (!path)
            return NULL;
    }
    json = weir_json_new_string(path ? path : text, strlen(path ? path : text));
    free(path);
    return json;
}

enum weir_code host_contexts_source(const char *text, struct weir_json **out,
                                    struct weir_err *err)
{
    static const char *const kinds[] = {"env", "file", "command"};
    size_t len = strcspn(text, ":");
    struct weir_json *source, *value = NULL;
    enum weir_code code = WEIR_OK;
    size_t kind = 0;

    while (kind < 3 &&
           (strlen(kinds[kind]) != len || memcmp(kinds[kind], text, len) != 0))
        kind++;
    if (kind == 3 || text[len] != ':')
        return no_source(err);
    text += len + 1;
    if (kind == 2)
        code = read_words(text, &value, err);
    else if (kind == 1)
        value = read_path(text);
    else
        value = weir_json_new_string(text, strlen(text));
    if (code)
        return code;
    source = weir_json_new_object();
    if (!source || weir_json_set(source, kinds[kind], value)) {
        weir_json_free(source);
        return weir_err_nomem(err);
    }
    code = host_context_check_source(source, err);
    if (code)
        weir_json_free(source);
    else
        *out = source;
    return code;
}

/* ---- in words ---- */

void host_contexts_describe(const struct weir_json *source,
                            struct weir_buf *out)
{
    const struct weir_json *member = weir_json_first(source);
    const char *key = weir_json_key(member, NULL);

    if (strcmp(key, "env") == 0) {
        weir_buf_addf(out, "the variable %s", weir_json_string(member, NULL));
    } else if (strcmp(key, "file") == 0) {
        weir_buf_addf(out, "the file %s", weir_json_string(member, NULL));
    } else {
        weir_buf_adds(out, "the output of");
        for (const struct weir_json *at = weir_json_first(member); at;
             at = weir_json_next(at))
            weir_buf_addf(out, " %s", weir_json_string(at, NULL));
    }
}

/* ---- getting it ---- */

/* As it was when the context was chosen, before any script ran. */
static enum weir_code from_variable(const char *name, struct weir_buf *out,
                                    struct weir_err *err)
{
    const char *value = host_secrecy_find(name);

    if (!value)
        return weir_err_set(err, WEIR_CONFIG, "the variable %s is not set",
                            name);
    return weir_buf_adds(out, value);
}

static enum weir_code from_file(const char *path, struct weir_buf *out,
                                struct weir_err *err)
{
    enum weir_code code =
        host_guarded_read(path, HOST_GUARD_SECRET, out, NULL, err);

    if (code && code != WEIR_NOMEM)
        err->code = code = WEIR_CONFIG;
    return code;
}

static enum weir_code from_command(const struct weir_json *words,
                                   struct weir_buf *out, struct weir_err *err)
{
    char *argv[MAX_WORDS + 1];
    size_t n = 0;

    for (const struct weir_json *at = weir_json_first(words); at;
         at = weir_json_next(at))
        argv[n++] = (char *)(uintptr_t)weir_json_string(at, NULL);
    argv[n] = NULL;
    return host_child_read(argv, COMMAND_MS, out, err);
}

/* One line; its end is not part of it. */
static enum weir_code trim(struct weir_buf *out, struct weir_err *err)
{
    while (out->len > 0 &&
           (out->data[out->len - 1] == '\n' || out->data[out->len - 1] == '\r'))
        out->data[--out->len] = '\0';
    if (out->len == 0)
        return weir_err_set(err, WEIR_CONFIG, "there is nothing in it");
    if (strlen(out->data) != out->len || strpbrk(out->data, "\r\n"))
        return weir_err_set(err, WEIR_CONFIG,
                            "there is more than one line in it; expected the "
                            "secret alone");
    return WEIR_OK;
}

enum weir_code host_contexts_secret(const struct weir_json *source,
                                    struct weir_buf *out, struct weir_err *err)
{
    const struct weir_json *member = weir_json_first(source);
    const char *key = weir_json_key(member, NULL);
    const char *text = weir_json_string(member, NULL);
    enum weir_code code;

    weir_buf_init_secret(out, MAX_SECRET);
    if (strcmp(key, "env") == 0)
        code = from_variable(text, out, err);
    else if (strcmp(key, "file") == 0)
        code = from_file(text, out, err);
    else
        code = from_command(member, out, err);
    if (!code && out->failed == WEIR_NOMEM)
        code = weir_err_nomem(err);
    else if (!code && out->failed)
        code = weir_err_set(err, WEIR_CONFIG, "the secret is over %zu bytes",
                            MAX_SECRET);
    if (!code && trim(out, err)) {
        struct weir_buf words;

        weir_buf_init(&words, 1024);
        host_contexts_describe(source, &words);
        weir_err_prefix(err, "%s: ", weir_buf_str(&words));
        weir_buf_fini(&words);
        code = err->code;
    }
    if (code)
        weir_buf_fini(out);
    return code;
}
