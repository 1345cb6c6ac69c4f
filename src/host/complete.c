#include "complete.h"

#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include <lualib.h>

#include "bind.h"
#include "bundle_file.h"
#include "commands.h"
#include "contexts.h"
#include "tool.h"

/* The words typed so far, and the one that is being typed. */
struct typed {
    FILE *out;
    char **words; /* before `word` */
    int n;
    const char *word;
};

static void offer(const struct typed *typed, const char *dashes,
                  const char *value, const char *help)
{
    size_t prefix = strlen(dashes), len = strlen(typed->word);

    if (strncmp(typed->word, dashes, len < prefix ? len : prefix) == 0 &&
        (len <= prefix ||
         strncmp(typed->word + prefix, value, len - prefix) == 0))
        fprintf(typed->out, "%s%s\t%s\n", dashes, value, help);
}

static void offer_files(const struct typed *typed)
{
    fputs(":files\n", typed->out);
}

static void offer_commands(const struct typed *typed)
{
    for (int i = 0; host_commands[i]; i++)
        offer(typed, "", host_commands[i]->name, host_commands[i]->summary);
}

/* Their names; nothing where the file cannot be read. */
static void offer_contexts(const struct typed *typed, const char *prefix)
{
    struct host_contexts contexts;

    if (host_contexts_load(&contexts, NULL))
        return;
    for (const struct weir_json *at =
             weir_json_first(weir_json_get(contexts.json, "contexts"));
         at; at = weir_json_next(at)) {
        char help[HOST_CONTEXT_MAX_NAME + 300];

        snprintf(help, sizeof(help), "tenant %s",
                 weir_json_get_string(at, "tenant"));
        offer(typed, prefix, weir_json_key(at, NULL), help);
    }
    host_contexts_fini(&contexts);
}

/* ---- a command's options ---- */

static const struct host_option *find_option(const struct host_command *command,
                                             const char *word)
{
    for (const struct host_option *o = command->options; o && o->name; o++) {
        if (strncmp(word, "--", 2) == 0 && strcmp(word + 2, o->name) == 0)
            return o;
    }
    return NULL;
}

static void offer_options(const struct typed *typed,
                          const struct host_command *command)
{
    for (const struct host_option *o = command->options; o && o->name; o++)
        offer(typed, "--", o->name, o->help);
    offer(typed, "--", "help", "the help of this command");
}

/* `prefix` is what stands before the value in the same word: "--color=". */
static void offer_values(const struct typed *typed, const char *prefix,
                         const struct host_option *option)
{
    for (int i = 0; option->choices && option->choices[i]; i++)
        offer(typed, prefix, option->choices[i], "");
    if (strcmp(option->name, "context") == 0)
        offer_contexts(typed, prefix);
    if (strcmp(option->arg, "FILE") == 0 || strcmp(option->arg, "DIR") == 0 ||
        strcmp(option->arg, "PATH") == 0)
        offer_files(typed);
}

/* "--color=al": true if the word is an option with its value. */
static bool offer_attached(const struct typed *typed,
                           const struct host_command *command)
{
    const char *equals = strchr(typed->word, '=');
    size_t len = equals ? (size_t)(equals - typed->word) : 0;
    const struct host_option *option;
    char prefix[64];

    if (!equals || len + 2 > sizeof(prefix))
        return false;
    memcpy(prefix, typed->word, len);
    prefix[len] = '\0';
    option = find_option(command, prefix);
    if (!option || !option->arg)
        return false;
    memcpy(prefix + len, "=", 2);
    offer_values(typed, prefix, option);
    return true;
}

/* ---- a script's parameters ---- */

/* Pushes the arguments that the bundle at `path` declares, as JSON text; nil
 * if it is none, or declares nothing. */
static void push_bundle_args(lua_State *L, const char *path)
{
    const struct host_bundle_asked asked = {.look_only = true};
    struct host_bundle *bundle = NULL;
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_buf *text = bind_buf(L, WEIR_MANIFEST_MAX);
    const struct weir_json *args = NULL;

    if (host_bundle_open(path, &asked, &bundle, &err) == WEIR_OK && bundle)
        args = weir_bundle_manifest(bundle->bundle)->args;
    if (!args || weir_json_write(args, 0, text, NULL))
        weir_buf_reset(text);
    weir_err_clear(&err);
    host_bundle_free(bundle);
    if (text->len > 0)
        lua_pushlstring(L, text->data, text->len);
    else
        lua_pushnil(L);
}

/* complete(path, words, word) in a state that has nothing but modules. */
static int call_script(lua_State *L)
{
    const struct typed *typed = lua_touserdata(L, 1);

    luaL_openlibs(L);
    bind_open(L);
    push_bundle_args(L, typed->words[0]);
    if (lua_isnil(L, -1)) {
        host_tool_push(L, "weir.args_complete", "in_script");
        lua_pushstring(L, typed->words[0]);
    } else {
        host_tool_push(L, "bundle", "words");
        lua_pushvalue(L, -2);
    }
    lua_createtable(L, typed->n, 0);
    for (int i = 1; i < typed->n; i++) {
        lua_pushstring(L, typed->words[i]);
        lua_rawseti(L, -2, i);
    }
    lua_pushstring(L, typed->word);
    lua_call(L, 3, 2);
    return 2;
}

/* Prints the list {{value, help}, …} at `index`. */
static void print_list(lua_State *L, int index, FILE *out)
{
    for (lua_Integer i = 1; lua_rawgeti(L, index, i) == LUA_TTABLE; i++) {
        const char *value, *help;

        lua_rawgeti(L, -1, 1);
        lua_rawgeti(L, -2, 2);
        value = lua_tostring(L, -2);
        help = lua_tostring(L, -1);
        if (value && help)
            fprintf(out, "%s\t%.*s\n", value, (int)strcspn(help, "\n"), help);
        lua_pop(L, 3);
    }
    lua_pop(L, 1);
}

/* `typed->words` begins with the script.  One that declares nothing may take
 * files as well as anything else. */
static void offer_parameters(const struct typed *typed)
{
    struct bind_context context = {.loop = NULL};
    lua_State *L = luaL_newstate();
    bool files = true;

    if (!L)
        return;
    if (weir_log_new(NULL, NULL, NULL, &context.log, NULL) == WEIR_OK) {
        bind_context_set(L, &context);
        lua_pushcfunction(L, call_script);
        lua_pushlightuserdata(L, (void *)(uintptr_t)typed);
        if (lua_pcall(L, 1, 2, 0) == LUA_OK && lua_istable(L, -2)) {
            files = lua_toboolean(L, -1);
            print_list(L, lua_gettop(L) - 1, typed->out);
        }
    }
    lua_close(L);
    weir_log_free(context.log);
    if (files)
        offer_files(typed);
}

/* ---- which of these ---- */

/* The index in typed->words of the first operand, from `first` on; typed->n
 * if there is none.  *pending: the option whose value is being typed. */
static int first_operand(const struct typed *typed, int first,
                         const struct host_command *command,
                         const struct host_option **pending)
{
    *pending = NULL;
    for (int i = first; i < typed->n; i++) {
        const struct host_option *option =
            find_option(command, typed->words[i]);

        if (*pending)
            *pending = NULL;
        else if (option && option->arg)
            *pending = option;
        else if (typed->words[i][0] != '-' || typed->words[i][1] == '\0')
            return i;
    }
    return typed->n;
}

static void offer_operand(const struct typed *typed,
                          const struct host_command *command, int operand)
{
    const struct typed rest = {typed->out, typed->words + operand,
                               typed->n - operand, typed->word};

    if (command->runs && operand < typed->n)
        offer_parameters(&rest);
    else if (typed->word[0] == '-')
        offer_options(typed, command);
    else if (command->files)
        offer_files(typed);
    else if (command == &host_command_help && operand == typed->n)
        offer_commands(typed);
    else if (command->contexts && operand == typed->n)
        offer_contexts(typed, "");
    for (int i = 0; command->operands && command->operands[i]; i++) {
        if (operand == typed->n && typed->word[0] != '-')
            offer(typed, "", command->operands[i], "");
    }
}

static void offer_to(const struct typed *typed, int first,
                     const struct host_command *command)
{
    const struct host_option *pending;
    int operand = first_operand(typed, first, command, &pending);

    if (pending)
        offer_values(typed, "", pending);
    else if (operand < typed->n || !offer_attached(typed, command))
        offer_operand(typed, command, operand);
}

static void offer_parts(const struct typed *typed,
                        const struct host_command *command)
{
    for (int i = 0; command->parts[i]; i++)
        offer(typed, "", strrchr(command->parts[i]->name, ' ') + 1,
              command->parts[i]->summary);
    offer(typed, "--", "help", "the help of this command");
}

static void offer_for_command(const struct typed *typed, int first,
                              const struct host_command *command)
{
    if (command->parts && first < typed->n)
        command = host_command_part(command, typed->words[first++]);
    if (!command)
        return;
    if (command->parts) {
        offer_parts(typed, command);
        return;
    }
    offer_to(typed, first, command);
}

static bool is_file(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

void host_complete(FILE *out, int n, char **words)
{
    const struct typed typed = {out, words, n - 1, n > 0 ? words[n - 1] : ""};
    const struct host_command *command;

    if (n < 2)
        return;
    if (n == 2 && typed.word[0] != '-') {
        offer_commands(&typed);
        offer_files(&typed);
        return;
    }
    if (n == 2)
        offer(&typed, "--", "version", "versions of weir and its libraries");
    command = n > 2 ? host_command_find(words[1]) : NULL;
    if (command)
        offer_for_command(&typed, 2, command);
    else if (n == 2 || words[1][0] == '-' || is_file(words[1]))
        offer_for_command(&typed, 1, &host_command_run);
}
