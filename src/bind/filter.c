/* weir.core.filter: the definition, its check, and the dialect's schema.  The
 * face, lua/weir/filter.lua, raises and finds the script's lines. */
#include <string.h>

#include "bind.h"
#include "weir/filter.h"

static const char filter_type[] = "weir.filter";
static const char schema_type[] = "weir.filter.schema";

#define MAX_WORDS    64
#define MAX_TEXT     ((size_t)16 << 20)
#define USUAL_TEXT   960 /* room for most, in one piece */
#define MAX_DESCRIBE ((size_t)64 * 1024)

/* ---- the schema, read once from the dialect's table ---- */

struct schema {
    struct weir_json *json; /* owns the words */
    const char *channels[MAX_WORDS + 1];
    const char *server_fields[MAX_WORDS + 1];
    struct weir_filter_schema core;
    struct weir_filter_known *known;
    struct weir_filter_known *known_regexes;
    struct weir_json_builder *builder; /* NULL: not made yet, or taken */
};

static void schema_fini(void *memory)
{
    struct schema *schema = memory;

    weir_filter_known_free(schema->known);
    schema->known = NULL;
    weir_filter_known_free(schema->known_regexes);
    schema->known_regexes = NULL;
    weir_json_builder_free(schema->builder);
    schema->builder = NULL;
    weir_json_free(schema->json);
    schema->json = NULL;
}

static void read_words(lua_State *L, const struct weir_json *json,
                       const char *name, const char **words)
{
    const struct weir_json *list = weir_json_get(json, name);
    const struct weir_json *word = weir_json_first(list);
    size_t n = 0;

    if (weir_json_size(list) == 0 || weir_json_size(list) > MAX_WORDS)
        bind_misuse(L, "dialect: filter.%s must be a list of 1 to %d words",
                    name, MAX_WORDS);
    for (; word; word = weir_json_next(word)) {
        words[n] = weir_json_string(word, NULL);
        if (!words[n++])
            bind_misuse(L, "dialect: filter.%s must hold strings", name);
    }
}

static void read_limits(lua_State *L, const struct weir_json *json,
                        struct weir_filter_schema *core)
{
    const struct {
        const char *name;
        size_t *out;
    } limits[] = {
        {"name", &core->max_name},
        {"description", &core->max_description},
        {"matchers", &core->max_matchers},
        {"pattern_rules", &core->max_pattern_rules},
        {"in_values", &core->max_in_values},
        {"value", &core->max_value},
        {"path_depth", &core->max_path_depth},
    };
    const struct weir_json *object = weir_json_get(json, "limits");

    for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
        int64_t value;

        if (!weir_json_integer(weir_json_get(object, limits[i].name), &value) ||
            value < 1)
            bind_misuse(L,
                        "dialect: filter.limits.%s must be a whole number "
                        "above 0",
                        limits[i].name);
        *limits[i].out = (size_t)value;
    }
}

/* schema(dialect's filter table) → schema */
static int filter_schema(lua_State *L)
{
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_json **json;
    struct schema *schema;

    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    schema = bind_box(L, sizeof(*schema), schema_fini);
    luaL_setmetatable(L, schema_type);
    schema->known = weir_filter_known_new();
    schema->known_regexes = weir_filter_known_new();
    if (!schema->known || !schema->known_regexes)
        return bind_raise_nomem(L);
    if (bind_value_json(L, 1, &json, &err))
        return bind_misuse_err(L, "dialect: filter", &err);
    schema->json = *json;
    *json = NULL;
    read_words(L, schema->json, "channels", schema->channels);
    read_words(L, schema->json, "server_fields", schema->server_fields);
    read_limits(L, schema->json, &schema->core);
    schema->core.channels = schema->channels;
    schema->core.server_fields = schema->server_fields;
    schema->core.known_regexes = schema->known_regexes;
    lua_settop(L, 2);
    return 1;
}

static struct schema *check_schema(lua_State *L, int index)
{
    struct schema *schema;

    luaL_checkudata(L, index, schema_type);
    schema = bind_box_memory(L, index);
    if (!schema)
        luaL_argerror(L, index, "the schema is closed");
    return schema;
}

/* ---- making ---- */

/* A filter is its text, which is what is sent; the document is made when
 * somebody reads it. */
struct filter_box {
    struct weir_buf text;
    struct weir_json_builder *builder; /* while the filter is made */
    struct weir_filter *filter;        /* NULL until it is read */
};

static void filter_fini(void *memory)
{
    struct filter_box *box = memory;

    weir_json_builder_free(box->builder);
    box->builder = NULL;
    weir_filter_free(box->filter);
    box->filter = NULL;
    weir_buf_fini(&box->text);
}

static struct filter_box *to_box(lua_State *L, int index)
{
    struct filter_box *box;

    luaL_checkudata(L, index, filter_type);
    box = bind_box_memory(L, index);
    if (!box)
        luaL_argerror(L, index, "the filter is closed");
    return box;
}

static const struct weir_filter *to_filter(lua_State *L, int index)
{
    struct filter_box *box = to_box(L, index);
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_json *json = NULL;
    enum weir_code code;

    if (box->filter)
        return box->filter;
    code = weir_json_parse(weir_buf_str(&box->text), box->text.len, NULL, &json,
                           &err);
    if (!code)
        code = weir_filter_again(json, &box->filter, &err);
    if (code) {
        weir_json_free(json);
        bind_raise(L, &err);
    }
    return box->filter;
}

static void problems_fini(void *memory)
{
    weir_filter_problems_fini(memory);
}

static void push_problems(lua_State *L,
                          const struct weir_filter_problems *problems)
{
    lua_createtable(L, (int)problems->n, 0);
    for (size_t i = 0; i < problems->n; i++) {
        const struct weir_filter_problem *problem = &problems->list[i];

        lua_createtable(L, 0, 5);
        bind_redacted_push(L, problem->path, strlen(problem->path));
        lua_setfield(L, -2, "path");
        bind_redacted_push(L, problem->message, strlen(problem->message));
        lua_setfield(L, -2, "message");
        if (problem->hint[0]) {
            bind_redacted_push(L, problem->hint, strlen(problem->hint));
            lua_setfield(L, -2, "hint");
        }
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

/* An empty table of Lua could be either; where a list belongs it is one. */
static enum weir_code mend_empty_lists(struct weir_json *json, bool *mended,
                                       struct weir_err *err)
{
    static const char *const lists[] = {"matchers", "pattern_rules"};

    for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
        const struct weir_json *list = weir_json_get(json, lists[i]);

        if (!weir_json_is(list, WEIR_JSON_OBJECT) || weir_json_size(list) > 0)
            continue;
        if (weir_json_set(json, lists[i], weir_json_new_array()))
            return weir_err_nomem(err);
        *mended = true;
    }
    return WEIR_OK;
}

/* Pushes nil and the one problem of a table that JSON cannot hold, whose
 * message begins with its path, or with "value" for the whole. */
static int unfit(lua_State *L, struct weir_err *err)
{
    const char *colon = strstr(err->message, ": ");
    const char *message = colon ? colon + 2 : err->message;

    lua_pushnil(L);
    lua_createtable(L, 1, 0);
    lua_createtable(L, 0, 4);
    bind_redacted_push(
        L, err->message,
        colon && err->message[0] == '/' ? (size_t)(colon - err->message) : 0);
    lua_setfield(L, -2, "path");
    bind_redacted_push(L, message, strlen(message));
    lua_setfield(L, -2, "message");
    lua_rawseti(L, -2, 1);
    weir_err_clear(err);
    return 2;
}

/* Writes the table at `index` as the box's text, and builds its document.  The
 * builder is the schema's, unless a filter is made while another one is. */
static enum weir_code write_text(lua_State *L, int index, struct schema *schema,
                                 struct filter_box *box, struct weir_err *err)
{
    struct weir_json_writer writer;
    struct weir_sink text, both;
    struct weir_tee tee = {.first = &text};

    weir_buf_init(&box->text, MAX_TEXT);
    weir_buf_reserve(&box->text, USUAL_TEXT);
    weir_json_writer_init(&writer, &box->text, 0, &text);
    box->builder = schema->builder;
    schema->builder = NULL;
    if (!box->builder && weir_json_builder_new(&box->builder, err))
        return WEIR_NOMEM;
    tee.second = weir_json_builder_sink(box->builder);
    both = weir_tee_sink(&tee);
    return bind_value_emit(L, index, &both, err);
}

/* The document that write_text() has built. */
static struct weir_json *take_document(struct schema *schema,
                                       struct filter_box *box)
{
    struct weir_json *json = weir_json_builder_take(box->builder);

    if (schema->builder)
        weir_json_builder_free(box->builder);
    else
        schema->builder = box->builder;
    box->builder = NULL;
    return json;
}

/* Checks a document that nobody has checked, and takes it over; mends the
 * text where it is faultless. */
static enum weir_code check(const struct schema *schema, struct weir_json *json,
                            struct weir_buf *text,
                            struct weir_filter_problems *problems,
                            struct weir_err *err)
{
    bool mended = false;
    enum weir_code code = mend_empty_lists(json, &mended, err);

    if (code == WEIR_OK)
        code = weir_filter_check(json, &schema->core, problems, err);
    if (code == WEIR_OK && mended) {
        weir_buf_reset(text);
        code = weir_json_write(json, 0, text, err);
    } else if (code == WEIR_OK) {
        weir_filter_known_add(schema->known, weir_buf_str(text), text->len);
    }
    weir_json_free(json);
    return code;
}

/* Pushes nil and the list of problems of a text that has some.  They are
 * looked for again, since what is found must be owned by a box, and most
 * texts have none. */
static int push_faults(lua_State *L, const struct schema *schema,
                       struct weir_buf *text)
{
    struct weir_filter_problems *problems =
        bind_box(L, sizeof(*problems), problems_fini);
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_json *json = NULL;
    enum weir_code code =
        weir_json_parse(weir_buf_str(text), text->len, NULL, &json, &err);

    if (code == WEIR_OK)
        code = check(schema, json, text, problems, &err);
    if (code != WEIR_VALIDATION)
        return bind_raise(L, &err);
    weir_err_clear(&err);
    lua_pushnil(L);
    push_problems(L, problems);
    return 2;
}

/* new(schema, table) → filter, or nil and the list of problems. */
static int filter_new(lua_State *L)
{
    struct schema *schema = check_schema(L, 1);
    struct weir_filter_problems problems = {0};
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_json *json;
    struct filter_box *box;
    enum weir_code code;

    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    box = bind_box(L, sizeof(*box), filter_fini);
    luaL_setmetatable(L, filter_type);
    code = write_text(L, 2, schema, box, &err);
    if (code == WEIR_NOMEM)
        return bind_raise(L, &err);
    if (code)
        return unfit(L, &err);
    json = take_document(schema, box);
    /* The document is given back at once: most filters are sent, not read. */
    if (weir_filter_known_has(schema->known, weir_buf_str(&box->text),
                              box->text.len)) {
        weir_json_free(json);
        return 1;
    }
    code = check(schema, json, &box->text, &problems, &err);
    weir_filter_problems_fini(&problems);
    if (code == WEIR_VALIDATION) {
        weir_err_clear(&err);
        return push_faults(L, schema, &box->text);
    }
    return code ? bind_raise(L, &err) : 1;
}

/* ---- reading ---- */

static int filter_table(lua_State *L)
{
    bind_value_push(L, weir_filter_definition(to_filter(L, 1)));
    return 1;
}

static int filter_json(lua_State *L)
{
    const struct filter_box *box = to_box(L, 1);
    lua_Integer indent = luaL_optinteger(L, 2, 0);
    struct weir_err err = WEIR_ERR_INIT;
    struct weir_buf *buf;

    luaL_argcheck(L, indent >= 0 && indent <= 16, 2, "indent is 0 to 16");
    if (indent == 0) {
        lua_pushlstring(L, weir_buf_str(&box->text), box->text.len);
        return 1;
    }
    buf = bind_buf(L, MAX_TEXT);
    if (weir_json_write(weir_filter_definition(to_filter(L, 1)),
                        (unsigned)indent, buf, &err))
        return bind_raise(L, &err);
    lua_pushlstring(L, weir_buf_str(buf), buf->len);
    return 1;
}

static int filter_tostring(lua_State *L)
{
    const struct weir_filter *filter = to_filter(L, 1);
    struct weir_buf *buf = bind_buf(L, MAX_DESCRIBE);

    /* What does not fit is not shown. */
    weir_filter_describe(filter, buf);
    lua_pushlstring(L, weir_buf_str(buf), buf->len);
    return 1;
}

static int filter_eq(lua_State *L)
{
    bool both =
        luaL_testudata(L, 1, filter_type) && luaL_testudata(L, 2, filter_type);

    lua_pushboolean(L, both &&
                           weir_filter_equal(to_filter(L, 1), to_filter(L, 2)));
    return 1;
}

/* The fields a filter can have: NULL-terminated, for a suggestion. */
static const char *const fields[] = {
    "name",          "description",     "channel", "matchers",
    "pattern_rules", "target_group_id", NULL};

static int no_such_field(lua_State *L, const char *key)
{
    const char *near = weir_nearest(key, fields);

    return bind_misuse(L, "a filter has no field '%s'%s%s%s", key,
                       near ? "; did you mean '" : "", near ? near : "",
                       near ? "'?" : "");
}

/* Methods (upvalue 1) first, then fields, as fresh copies; a list that the
 * definition leaves out reads as an empty one. */
static int filter_index(lua_State *L)
{
    const char *key = luaL_checkstring(L, 2);
    const struct weir_json *definition, *member;
    const char *const *field = fields;

    lua_settop(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
        return 1;
    definition = weir_filter_definition(to_filter(L, 1));
    while (*field && strcmp(*field, key) != 0)
        field++;
    if (!*field)
        return no_such_field(L, key);
    member = weir_json_get(definition, key);
    if (!member &&
        (strcmp(key, "matchers") == 0 || strcmp(key, "pattern_rules") == 0)) {
        lua_newtable(L);
        bind_array_mark(L, -1);
    } else {
        bind_value_push(L, member);
    }
    return 1;
}

static int filter_newindex(lua_State *L)
{
    return bind_misuse(
        L, "a filter is immutable; make a new one with f:with{...}");
}

/* is(value) → whether it is a filter */
static int filter_is(lua_State *L)
{
    lua_pushboolean(L, luaL_testudata(L, 1, filter_type) != NULL);
    return 1;
}

static const luaL_Reg functions[] = {{"schema", filter_schema},
                                     {"new", filter_new},
                                     {"is", filter_is},
                                     {NULL, NULL}};

static const luaL_Reg methods[] = {
    {"table", filter_table}, {"json", filter_json}, {NULL, NULL}};

static const luaL_Reg metamethods[] = {
    {"__newindex", filter_newindex}, {"__eq", filter_eq},
    {"__tostring", filter_tostring}, {"__gc", bind_box_gc},
    {"__close", bind_box_gc},        {NULL, NULL}};

/* The face adds methods of its own to `methods`. */
int luaopen_weir_filter(lua_State *L)
{
    luaL_newmetatable(L, schema_type);
    lua_pushcfunction(L, bind_box_gc);
    lua_setfield(L, -2, "__gc");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    luaL_newlib(L, functions);
    luaL_newlib(L, methods);
    luaL_newmetatable(L, filter_type);
    luaL_setfuncs(L, metamethods, 0);
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pushvalue(L, -2);
    lua_pushcclosure(L, filter_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    lua_setfield(L, -2, "methods");
    return 1;
}
