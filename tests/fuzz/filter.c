/*
 * filter: a definition of any shape is taken or gets problems that can be
 * shown and found; what is taken describes itself.  CIDR blocks agree with
 * addresses compared bit by bit.
 *
 * Parts: a definition; a CIDR block, an address.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "cidr.h"
#include "fuzz.h"
#include "weir/filter.h"

static const char *const channels[] = {"voice", "chat", "email",
                                       "sms",   "web",  NULL};
static const char *const server_fields[] = {"id", "etag", "status", NULL};
static const struct weir_filter_schema schema = {
    .channels = channels,
    .server_fields = server_fields,
    .max_name = 32,
    .max_description = 64,
    .max_matchers = 4,
    .max_pattern_rules = 4,
    .max_in_values = 5,
    .max_value = 256,
    .max_path_depth = 4,
};

/* ---- problems ---- */

/* The value that the next part of a pointer leads to, NULL if there is none;
 * `*pointer` moves behind the part. */
static const struct weir_json *step(const struct weir_json *at,
                                    const char **pointer)
{
    char name[512];
    size_t len = 0;
    const char *p = *pointer + 1;

    for (; *p && *p != '/'; p++) {
        FUZZ_CHECK(len < sizeof(name));
        name[len++] = *p;
        if (*p == '~')
            name[len - 1] = *++p == '0' ? '~' : '/';
    }
    *pointer = p;
    if (!weir_json_is(at, WEIR_JSON_ARRAY))
        return weir_json_get_len(at, name, len);
    FUZZ_CHECK(len > 0 && len < sizeof(name));
    name[len] = '\0';
    FUZZ_CHECK(strspn(name, "0123456789") == len);
    return weir_json_at(at, strtoul(name, NULL, 10));
}

/* A place in the definition, or of a member that should be there. */
static void check_place(const struct weir_json *at, const char *path)
{
    FUZZ_CHECK(fuzz_is_pointer(path, strlen(path)));
    /* A long path is cut, and names with control characters are shown. */
    if (strlen(path) > 140 || strstr(path, "…") || strchr(path, '?'))
        return;
    while (*path) {
        FUZZ_CHECK(at);
        at = step(at, &path);
    }
}

static void check_problems(const struct weir_json *definition,
                           const struct weir_filter_problems *problems)
{
    for (size_t i = 0; i < problems->n; i++) {
        const struct weir_filter_problem *problem = &problems->list[i];

        FUZZ_CHECK(problem->message[0]);
        fuzz_check_line(problem->message);
        fuzz_check_line(problem->hint);
        fuzz_check_line(problem->path);
        check_place(definition, problem->path);
    }
}

/* ---- what is taken ---- */

static void check_filter(const struct weir_json *definition)
{
    struct weir_filter *one = NULL, *two = NULL;
    struct weir_buf line;

    FUZZ_CHECK(!weir_filter_new(weir_json_copy(definition), &schema, &one, NULL,
                                NULL));
    FUZZ_CHECK(weir_json_equal(weir_filter_definition(one), definition));
    FUZZ_CHECK(!weir_filter_new(weir_json_copy(weir_filter_definition(one)),
                                &schema, &two, NULL, NULL));
    FUZZ_CHECK(weir_filter_equal(one, two) && weir_filter_equal(two, one));
    FUZZ_CHECK(strcmp(weir_filter_name(one),
                      weir_json_get_string(definition, "name")) == 0);
    weir_buf_init(&line, 1 << 20);
    FUZZ_CHECK(weir_filter_describe(one, &line) == WEIR_OK);
    fuzz_check_line(weir_buf_str(&line));
    weir_buf_fini(&line);
    weir_filter_free(one);
    weir_filter_free(two);
}

/* A check that remembers regexes finds what one finds that does not, also
 * when it is asked again. */
static void check_remembering(const struct weir_json *definition, size_t n)
{
    struct weir_filter_schema remembers = schema;
    struct weir_filter_problems problems = {0};

    remembers.known_regexes = weir_filter_known_new();
    FUZZ_CHECK(remembers.known_regexes);
    for (size_t times = 1; times <= 2; times++) {
        weir_filter_check(definition, &remembers, &problems, NULL);
        FUZZ_CHECK(problems.n == times * n);
    }
    weir_filter_problems_fini(&problems);
    weir_filter_known_free(remembers.known_regexes);
}

static void check_definition(struct weir_json *definition)
{
    struct weir_filter_problems problems = {0}, again = {0};
    struct weir_filter *filter = NULL;
    struct weir_err err = WEIR_ERR_INIT;
    enum weir_code code =
        weir_filter_check(definition, &schema, &problems, &err);

    FUZZ_CHECK(code == (problems.n ? WEIR_VALIDATION : WEIR_OK));
    check_problems(definition, &problems);
    check_remembering(definition, problems.n);
    if (code) {
        fuzz_check_err(&err, code);
        FUZZ_CHECK(weir_filter_new(definition, &schema, &filter, &again,
                                   &err) == code);
        fuzz_check_err(&err, code);
        FUZZ_CHECK(!filter && again.n == problems.n);
    } else {
        check_filter(definition);
    }
    weir_filter_problems_fini(&problems);
    weir_filter_problems_fini(&again);
}

/* ---- blocks ---- */

/* Bytes of an address, 4 or 16, an IPv4-mapped one as 4; 0 if it is none. */
static size_t address(const char *text, unsigned char out[16])
{
    static const unsigned char mapped[12] = {[10] = 255, [11] = 255};

    if (inet_pton(AF_INET, text, out) == 1)
        return 4;
    if (inet_pton(AF_INET6, text, out) != 1)
        return 0;
    if (memcmp(out, mapped, sizeof(mapped)) != 0)
        return 16;
    memmove(out, out + 12, 4);
    return 4;
}

static bool same_bits(const unsigned char *a, const unsigned char *b,
                      unsigned bits)
{
    for (unsigned i = 0; i < bits; i++) {
        if ((a[i / 8] ^ b[i / 8]) >> (7 - i % 8) & 1)
            return false;
    }
    return true;
}

static void check_block(const char *text, const char *candidate)
{
    struct weir_cidr block, right;
    struct weir_err err = WEIR_ERR_INIT;
    unsigned char bytes[16], own[16];
    enum weir_code code = weir_cidr_parse(text, strlen(text), &block, &err);
    size_t size = address(candidate, bytes);
    char network[INET6_ADDRSTRLEN];

    if (code == WEIR_INVALID) {
        /* Host bits: the hint names the block that is right. */
        const char *right_text = strchr(err.hint, '\'') + 1;

        FUZZ_CHECK(!weir_cidr_parse(right_text, strcspn(right_text, "'"),
                                    &right, NULL));
    }
    if (code) {
        FUZZ_CHECK(code == WEIR_INVALID || code == WEIR_SYNTAX);
        fuzz_check_err(&err, code);
        return;
    }
    FUZZ_CHECK(block.size == 4 || block.size == 16);
    FUZZ_CHECK(block.bits <= block.size * 8);
    inet_ntop(block.size == 4 ? AF_INET : AF_INET6, block.bytes, network,
              sizeof(network));
    FUZZ_CHECK(weir_cidr_contains(&block, network, strlen(network)) ||
               (block.size == 16 && address(network, own) == 4));
    FUZZ_CHECK(
        weir_cidr_contains(&block, candidate, strlen(candidate)) ==
        (size == block.size && same_bits(block.bytes, bytes, block.bits)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_text rest = {(const char *)data, size}, part;
    struct fuzz_text block = {"", 0}, inside = {"", 0};
    struct weir_json *definition = NULL;
    char *block_text, *inside_text;

    if (fuzz_part(&rest, &part))
        definition = fuzz_json(part);
    fuzz_part(&rest, &block);
    fuzz_part(&rest, &inside);
    if (definition)
        check_definition(definition);
    weir_json_free(definition);
    block_text = fuzz_string(block);
    inside_text = fuzz_string(inside);
    check_block(block_text, inside_text);
    free(block_text);
    free(inside_text);
    return 0;
}
