/* weir.core.etag: documents, merges, reads and updates.
 *
 * Documents stay in the core, as boxes, so that numbers keep their text on
 * the way from the server back to it. */
#include <string.h>

#include "box.h"
#include "client.h"
#include "weir/etag.h"

static const char document_type[] = "weir.etag.document";
static const char rules_type[] = "weir.etag.rules";

/* ---- documents ---- */

static void document_fini(void *memory)
{
    struct weir_json **json = memory;

    weir_json_free(*json);
    *json = NULL;
}

/* Pushes an empty box for a document. */
static struct weir_json **new_document(lua_State *L)
{
    struct weir_json **json =
        bind_box(L, sizeof(struct weir_json *), document_fini);

    if (luaL_newmetatable(L, document_type)) {
        lua_pushcfunction(L, bind_box_gc);
        lua_setfield(L, -2, "__gc");
        lua_pushcfunction(L, bind_box_gc);
        lua_setfield(L, -2, "__close");
        lua_pushboolean(L, 0);
        lua_setfield(L, -2, "__metatable");
    }
    lua_setmetatable(L, -2);
    return json;
}

static const struct weir_json *to_document(lua_State *L, int index)
{
    struct weir_json **json;

    luaL_checkudata(L, index, document_type);
    json = bind_box_memory(L, index);
    if (!json || !*json) {
        luaL_argerror(L, index, "the document is closed");
        return NULL; /* not reached */
    }
    return *json;
}

/* The document in a field of the table at `index`, or NULL; the table
 * anchors it. */
static const struct weir_json *field_document(lua_State *L, int index,
                                              const char *name)
{
    const struct weir_json *json = NULL;

    if (lua_getfield(L, index, name) != LUA_TNIL)
        json = to_document(L, -1);
    lua_pop(L, 1);
    return json;
}

/* document(what, value) → document */
static int etag_document(lua_State *L)
{
    const char *what = luaL_checkstring(L, 1);
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_json **document, **made;

    luaL_checkany(L, 2);
    lua_settop(L, 2);
    document = new_document(L);
    if (bind_value_json(L, 2, &made, &err))
        return bind_misuse_err(L, what, &err);
    *document = *made;
    *made = NULL;
    lua_settop(L, 3);
    return 1;
}

/* value(document) → value */
static int etag_value(lua_State *L)
{
    bind_value_push(L, to_document(L, 1));
    return 1;
}

/* set(document, fields) → document */
static int etag_set(lua_State *L)
{
    const struct weir_json *base = to_document(L, 1);
    const struct weir_json *fields = to_document(L, 2);
    struct weir_json **document = new_document(L);
    struct weir_err err = WEIR_ERR_INIT;

    *document = weir_json_copy(base);
    for (const struct weir_json *field = weir_json_first(fields); field;
         field = weir_json_next(field)) {
        size_t len;
        const char *key = weir_json_key(field, &len);

        if (!*document ||
            weir_json_set_len(*document, key, len, weir_json_copy(field))) {
            weir_err_nomem(&err);
            return bind_raise(L, &err);
        }
    }
    return 1;
}

/* ---- rules and policies ---- */

/* Counts a list of strings, which it must be. */
static size_t check_strings(lua_State *L, const struct weir_json *list,
                            const char *name)
{
    const struct weir_json *element = weir_json_first(list);

    if (list && !weir_json_is(list, WEIR_JSON_ARRAY) &&
        weir_json_size(list) > 0)
        bind_misuse(L, "rules: '%s' must be a list of names", name);
    for (; element; element = weir_json_next(element)) {
        if (!weir_json_is(element, WEIR_JSON_STRING))
            bind_misuse(L, "rules: '%s' must be a list of names", name);
    }
    return weir_json_size(list);
}

/* Pushes an array of the strings, whose text stays the document's. */
static const char *const *push_strings(lua_State *L,
                                       const struct weir_json *list, size_t n)
{
    const char **strings = lua_newuserdatauv(L, (n + 1) * sizeof(*strings), 0);
    const struct weir_json *element = weir_json_first(list);

    for (size_t i = 0; i < n; i++) {
        strings[i] = weir_json_string(element, NULL);
        element = weir_json_next(element);
    }
    return strings;
}

/* A userdata whose user value keeps all that the rules point to. */
static struct weir_etag_rules *new_rules(lua_State *L)
{
    struct weir_etag_rules *rules = lua_newuserdatauv(L, sizeof(*rules), 1);

    *rules = (struct weir_etag_rules){.server_fields = NULL};
    if (luaL_newmetatable(L, rules_type)) {
        lua_pushboolean(L, 0);
        lua_setfield(L, -2, "__metatable");
    }
    lua_setmetatable(L, -2);
    return rules;
}

/* rules({server_fields = {…}, lists = {{field =, keys = {…}}}}) → rules */
static int etag_rules(lua_State *L)
{
    struct weir_etag_rules *rules;
    struct weir_etag_list *lists;
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_json **json;
    const struct weir_json *server, *list;
    size_t i = 0;

    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    rules = new_rules(L);
    lua_newtable(L);
    if (bind_value_json(L, 1, &json, &err)) {
        weir_err_prefix(&err, "rules: ");
        return bind_raise(L, &err);
    }
    lua_rawseti(L, -2, 1);
    server = weir_json_get(*json, "server_fields");
    rules->n_server_fields = check_strings(L, server, "server_fields");
    rules->server_fields = push_strings(L, server, rules->n_server_fields);
    lua_rawseti(L, -2, 2);
    list = weir_json_get(*json, "lists");
    rules->n_lists = weir_json_size(list);
    lists = lua_newuserdatauv(L, (rules->n_lists + 1) * sizeof(*lists), 0);
    lua_rawseti(L, -2, 3);
    rules->lists = lists;
    for (list = weir_json_first(list); list; list = weir_json_next(list), i++) {
        const struct weir_json *keys = weir_json_get(list, "keys");

        lists[i].field = weir_json_get_string(list, "field");
        if (!lists[i].field)
            bind_misuse(L, "rules: each of 'lists' needs a 'field' and 'keys'");
        lists[i].n_keys = check_strings(L, keys, "keys");
        lists[i].keys = push_strings(L, keys, lists[i].n_keys);
        lua_rawseti(L, -2, (lua_Integer)i + 4);
    }
    lua_setiuservalue(L, 2, 1);
    return 1;
}

/* Pushes the rules in the table of options at `index`, which keep themselves
 * alive while they are on the stack; nil: none. */
static const struct weir_etag_rules *push_rules(lua_State *L, int index)
{
    if (lua_getfield(L, index, "rules") == LUA_TNIL)
        return NULL;
    return luaL_checkudata(L, -1, rules_type);
}

static enum weir_etag_policy read_policy(lua_State *L, const char *word)
{
    static const char *const words[] = {"fail", "mine", "theirs", NULL};

    for (int i = 0; word && words[i]; i++) {
        if (strcmp(word, words[i]) == 0)
            return (enum weir_etag_policy)i;
    }
    if (word)
        bind_misuse(L,
                    "on_conflict must be \"fail\", \"mine\", \"theirs\" or a "
                    "function, not \"%s\"",
                    word);
    return WEIR_ETAG_FAIL;
}

/* ---- merging ---- */

struct merge_options {
    const char *policy;
    bool rules, choices;
};
static const struct bind_opt merge_options[] = {
    {"policy", BIND_STRING, offsetof(struct merge_options, policy), false},
    {"rules", BIND_ANY, offsetof(struct merge_options, rules), false},
    {"choices", BIND_ANY, offsetof(struct merge_options, choices), false},
    {NULL, BIND_ANY, 0, false},
};

/* merge(base, mine, theirs, {policy, rules, choices}) → document or nil,
 * report, err */
static int etag_merge(lua_State *L)
{
    struct merge_options options = {0};
    struct weir_etag_merging merging = {.rules = NULL};
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_json **merged, **report;
    enum weir_code code;

    lua_settop(L, 4);
    bind_options(L, 4, "etag.merge", merge_options, &options);
    merging.policy = read_policy(L, options.policy);
    merging.choices = options.choices ? field_document(L, 4, "choices") : NULL;
    merging.rules = push_rules(L, 4);
    report = new_document(L);
    merged = new_document(L);
    code = weir_etag_merge(to_document(L, 1), to_document(L, 2),
                           to_document(L, 3), &merging, merged, report, &err);
    if (code && code != WEIR_CONFLICT)
        return bind_raise(L, &err);
    if (code) {
        lua_pushnil(L);
        lua_replace(L, -2);
    }
    bind_value_push(L, *report);
    lua_pushnil(L);
    if (code) {
        bind_err_push(L, &err);
        lua_replace(L, -2);
        weir_err_clear(&err);
    }
    return 3;
}

/* ---- reading and updating ---- */

static int read_results(lua_State *L, struct weir_op *op)
{
    struct weir_etag_result result = weir_etag_result(op);
    struct weir_json **document = new_document(L);
    struct weir_err err = WEIR_ERR_INIT;

    *document = weir_json_copy(result.state);
    if (!*document) {
        weir_err_nomem(&err);
        return bind_raise(L, &err);
    }
    lua_pushstring(L, result.etag);
    return 2;
}

/* read(what, client, path) → document, etag or nil; nil, err */
static int etag_read(lua_State *L)
{
    const char *what = luaL_checkstring(L, 1);
    struct weir_client *client = bind_client_check(L, 2, what);
    const char *path = luaL_checkstring(L, 3);
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_op **op = bind_op(L);

    if (weir_etag_read(client, path, op, &err))
        return bind_raise(L, &err);
    return bind_await(L, -1, read_results);
}

/* Pushes a list of the report; an empty one where nothing was merged. */
static void push_list(lua_State *L, const struct weir_json *list)
{
    if (list) {
        bind_value_push(L, list);
        return;
    }
    lua_newtable(L);
    bind_array_mark(L, -1);
}

static int update_results(lua_State *L, struct weir_op *op)
{
    struct weir_etag_result result = weir_etag_result(op);

    bind_value_push(L, result.state);
    lua_createtable(L, 0, 4);
    lua_pushinteger(L, result.attempts);
    lua_setfield(L, -2, "attempts");
    lua_pushstring(L, result.etag);
    lua_setfield(L, -2, "etag");
    push_list(L, result.theirs);
    lua_setfield(L, -2, "merged");
    push_list(L, result.decided);
    lua_setfield(L, -2, "decided");
    return 2;
}

struct update_options {
    const char *etag, *policy;
    unsigned attempts;
    bool rules, base, fields, mine;
};
#define OPTION(name, type)                                                     \
    {                                                                          \
#name, type, offsetof(struct update_options, name), false              \
    }
static const struct bind_opt update_options[] = {
    OPTION(etag, BIND_STRING),       OPTION(policy, BIND_STRING),
    OPTION(attempts, BIND_UNSIGNED), OPTION(rules, BIND_ANY),
    OPTION(base, BIND_ANY),          OPTION(fields, BIND_ANY),
    OPTION(mine, BIND_ANY),          {NULL, BIND_ANY, 0, false},
};

/* update(what, client, path, options) → state, info; nil, err */
static int etag_update(lua_State *L)
{
    const char *what = luaL_checkstring(L, 1);
    struct weir_client *client = bind_client_check(L, 2, what);
    struct weir_etag_options update = {.path = luaL_checkstring(L, 3)};
    struct update_options options = {0};
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_op **op;

    lua_settop(L, 4);
    bind_options(L, 4, what, update_options, &options);
    update.base = field_document(L, 4, "base");
    update.fields = field_document(L, 4, "fields");
    update.mine = field_document(L, 4, "mine");
    update.etag = options.etag;
    update.attempts = options.attempts;
    update.policy = read_policy(L, options.policy);
    update.rules = push_rules(L, 4); /* stays on the stack while we wait */
    op = bind_op(L);
    if (weir_etag_update(client, &update, op, &err))
        return bind_misuse_err(L, what, &err);
    return bind_await(L, -1, update_results);
}

static const luaL_Reg functions[] = {
    {"document", etag_document}, {"rules", etag_rules}, {"value", etag_value},
    {"set", etag_set},           {"merge", etag_merge}, {"read", etag_read},
    {"update", etag_update},     {NULL, NULL},
};

int luaopen_weir_etag(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
