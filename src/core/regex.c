/*
 * regex: PCRE2 with a ceiling on everything a pattern or a subject can spend.
 *
 * The time account.  PCRE2's match limit counts backtracks of one attempt and
 * starts again at every start offset, so it bounds no search: \w+\s*[yz] on
 * 50 KB takes 23 s within it.  Patterns are therefore compiled with automatic
 * callouts: one comes before every item of the pattern, in the interpreter
 * and under JIT alike, and between two of them no more than one run over the
 * subject can happen.  Each callout is a step; a search that spends its steps
 * is ended, and the same way on every machine.  Because a step can be as long
 * as the subject, the clock is looked at as well, now and then.
 *
 * Measured: JIT with callouts is about as fast as the interpreter without
 * (105 ns against 101 ns for ^skill_premium_.*$ on a short field).
 */
#include "weir/regex.h"

#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#define MATCH_LIMIT    100000
#define HEAP_LIMIT_KIB 4096
#define MAX_STEPS      4000000u
#define MAX_MS         250
#define LOOK_EVERY     64u /* steps between two looks at the clock */
#define JIT_STACK_MIN  ((size_t)32 * 1024)
#define JIT_STACK_MAX  ((size_t)512 * 1024)

struct account {
    const struct weir_clock *clock;
    uint32_t steps;
    int64_t deadline; /* 0: not looked at the clock yet */
};

struct weir_regex {
    pcre2_code *code;
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack; /* NULL until the small default was too small */
    struct account account;
    const char **names; /* names[n - 1], inside `code`; NULL if none */
    uint32_t groups;
};

static int64_t now(const struct account *account)
{
    return account->clock->now(account->clock->ud);
}

static int step(pcre2_callout_block *block, void *ud)
{
    struct account *account = ud;

    (void)block;
    if (++account->steps % LOOK_EVERY != 0)
        return 0;
    if (account->steps >= MAX_STEPS)
        return PCRE2_ERROR_CALLOUT;
    /* The first look sets the deadline: short searches never ask. */
    if (account->deadline == 0)
        account->deadline = now(account) + MAX_MS;
    return now(account) > account->deadline ? PCRE2_ERROR_CALLOUT : 0;
}

/* A first character guessed from inside a lookahead makes (?=b)c?b miss "b";
 * a false alarm here costs speed only. */
static bool has_lookaround(const char *pattern, size_t len)
{
    static const char *const marks[] = {"(?=", "(?!", "(?<=", "(?<!", "(*"};

    for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++) {
        if (memmem(pattern, len, marks[i], strlen(marks[i])))
            return true;
    }
    return false;
}

static uint32_t compile_options(const char *pattern, size_t len, unsigned flags)
{
    uint32_t options =
        PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C | PCRE2_AUTO_CALLOUT;

    if (flags & WEIR_REGEX_CASELESS)
        options |= PCRE2_CASELESS;
    if (flags & WEIR_REGEX_MULTILINE)
        options |= PCRE2_MULTILINE;
    if (flags & WEIR_REGEX_DOTALL)
        options |= PCRE2_DOTALL;
    if (flags & WEIR_REGEX_EXTENDED)
        options |= PCRE2_EXTENDED;
    if (has_lookaround(pattern, len))
        options |= PCRE2_NO_START_OPTIMIZE;
    return options;
}

static enum weir_code compile_failed(int error, size_t offset,
                                     struct weir_err *err)
{
    char text[128] = "";

    if (error == PCRE2_ERROR_HEAP_FAILED)
        return weir_err_nomem(err);
    if (error == PCRE2_ERROR_PATTERN_TOO_LARGE)
        return weir_err_set(err, WEIR_LIMIT,
                            "the regex is too large once its repeats are "
                            "written out");
    pcre2_get_error_message(error, (PCRE2_UCHAR *)text, sizeof(text));
    return weir_err_set(err, WEIR_SYNTAX, "%s, at byte %zu of the regex", text,
                        offset);
}

static enum weir_code compile(struct weir_regex *regex, const char *pattern,
                              size_t len, unsigned flags, struct weir_err *err)
{
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    int error;
    PCRE2_SIZE offset;

    if (!context)
        return weir_err_nomem(err);
    /* The library's default is its builder's choice; Python's is this. */
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    regex->code = pcre2_compile((PCRE2_SPTR)pattern, len,
                                compile_options(pattern, len, flags), &error,
                                &offset, context);
    pcre2_compile_context_free(context);
    return regex->code ? WEIR_OK : compile_failed(error, offset, err);
}

/* What only searching needs, made before the first one: many patterns are
 * compiled to learn whether they are any.  WEIR_OK, WEIR_NOMEM. */
static enum weir_code get_ready(struct weir_regex *regex, struct weir_err *err)
{
    if (regex->context)
        return WEIR_OK;
    regex->data = pcre2_match_data_create_from_pattern(regex->code, NULL);
    if (!regex->data)
        return weir_err_nomem(err);
    regex->context = pcre2_match_context_create(NULL);
    if (!regex->context) {
        pcre2_match_data_free(regex->data);
        regex->data = NULL;
        return weir_err_nomem(err);
    }
    pcre2_set_match_limit(regex->context, MATCH_LIMIT);
    pcre2_set_heap_limit(regex->context, HEAP_LIMIT_KIB);
    pcre2_set_callout(regex->context, step, &regex->account);
    /* Without JIT (no executable memory, say) the interpreter does it. */
    pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE);
    return WEIR_OK;
}

/* The name table's entries: group number in two bytes, then the name. */
static enum weir_code read_names(struct weir_regex *regex, struct weir_err *err)
{
    uint32_t count = 0, size = 0;
    PCRE2_SPTR table = NULL;

    pcre2_pattern_info(regex->code, PCRE2_INFO_CAPTURECOUNT, &regex->groups);
    pcre2_pattern_info(regex->code, PCRE2_INFO_NAMECOUNT, &count);
    pcre2_pattern_info(regex->code, PCRE2_INFO_NAMEENTRYSIZE, &size);
    pcre2_pattern_info(regex->code, PCRE2_INFO_NAMETABLE, &table);
    if (count == 0)
        return WEIR_OK;
    regex->names = calloc(regex->groups, sizeof(*regex->names));
    if (!regex->names)
        return weir_err_nomem(err);
    for (uint32_t i = 0; i < count; i++) {
        PCRE2_SPTR entry = table + (size_t)i * size;
        uint32_t n = (uint32_t)entry[0] << 8 | entry[1];

        regex->names[n - 1] = (const char *)entry + 2;
    }
    return WEIR_OK;
}

enum weir_code weir_regex_new(const char *pattern, size_t len, unsigned flags,
                              struct weir_regex **out, struct weir_err *err)
{
    struct weir_regex *regex;
    enum weir_code code;

    if (len > WEIR_REGEX_MAX_PATTERN)
        return weir_err_set(err, WEIR_LIMIT,
                            "the regex has %zu bytes; at most %zu are allowed",
                            len, WEIR_REGEX_MAX_PATTERN);
    regex = calloc(1, sizeof(*regex));
    if (!regex)
        return weir_err_nomem(err);
    regex->account.clock = weir_clock_system();
    code = compile(regex, pattern, len, flags, err);
    if (code == WEIR_OK)
        code = read_names(regex, err);
    if (code != WEIR_OK) {
        weir_regex_free(regex);
        return code;
    }
    *out = regex;
    return WEIR_OK;
}

void weir_regex_free(struct weir_regex *regex)
{
    if (!regex)
        return;
    free(regex->names);
    pcre2_match_context_free(regex->context);
    pcre2_jit_stack_free(regex->stack);
    pcre2_match_data_free(regex->data);
    pcre2_code_free(regex->code);
    free(regex);
}

void weir_regex_set_clock(struct weir_regex *regex,
                          const struct weir_clock *clock)
{
    regex->account.clock = clock;
}

size_t weir_regex_groups(const struct weir_regex *regex)
{
    return regex->groups;
}

const char *weir_regex_group_name(const struct weir_regex *regex, size_t n)
{
    if (!regex->names || n < 1 || n > regex->groups)
        return NULL;
    return regex->names[n - 1];
}

static int match(struct weir_regex *regex, const char *subject, size_t len,
                 size_t start, uint32_t options)
{
    return pcre2_match(regex->code, (PCRE2_SPTR)subject, len, start, options,
                       regex->data, regex->context);
}

/* JIT on the machine's stack, then on a larger one of ours, then without:
 * most patterns never need the second, and the steps of all count. */
static int match_with_room(struct weir_regex *regex, const char *subject,
                           size_t len, size_t start)
{
    int result = match(regex, subject, len, start, 0);

    if (result == PCRE2_ERROR_JIT_STACKLIMIT && !regex->stack) {
        regex->stack =
            pcre2_jit_stack_create(JIT_STACK_MIN, JIT_STACK_MAX, NULL);
        if (regex->stack) {
            pcre2_jit_stack_assign(regex->context, NULL, regex->stack);
            result = match(regex, subject, len, start, PCRE2_NO_UTF_CHECK);
        }
    }
    if (result == PCRE2_ERROR_JIT_STACKLIMIT)
        result = match(regex, subject, len, start,
                       PCRE2_NO_JIT | PCRE2_NO_UTF_CHECK);
    return result;
}

static enum weir_code search_failed(struct weir_regex *regex, int result,
                                    struct weir_err *err)
{
    if (result >= PCRE2_ERROR_UTF8_ERR21 && result <= PCRE2_ERROR_UTF8_ERR1)
        return weir_err_set(err, WEIR_INVALID,
                            "the text is not UTF-8 at byte %zu",
                            pcre2_get_startchar(regex->data));
    switch (result) {
    case PCRE2_ERROR_BADUTFOFFSET:
        return weir_err_set(err, WEIR_INVALID,
                            "the search starts inside a character");
    case PCRE2_ERROR_NOMEMORY: return weir_err_nomem(err);
    case PCRE2_ERROR_CALLOUT:
        return weir_err_set(err, WEIR_LIMIT,
                            "the search took too long and was ended (%u "
                            "steps; at most %u, and %d ms)",
                            regex->account.steps, MAX_STEPS, MAX_MS);
    case PCRE2_ERROR_MATCHLIMIT:
        return weir_err_set(err, WEIR_LIMIT,
                            "the regex tried more than %d ways to match at "
                            "one place",
                            MATCH_LIMIT);
    case PCRE2_ERROR_HEAPLIMIT:
    case PCRE2_ERROR_DEPTHLIMIT:
        return weir_err_set(err, WEIR_LIMIT,
                            "the search needs more than %d KiB of memory",
                            HEAP_LIMIT_KIB);
    default:
        return weir_err_set(err, WEIR_LIMIT,
                            "the search was given up (PCRE2 error %d)", result);
    }
}

enum weir_code weir_regex_search(struct weir_regex *regex, const char *subject,
                                 size_t len, size_t start, bool *matched,
                                 struct weir_regex_capture *captures,
                                 struct weir_err *err)
{
    const PCRE2_SIZE *found;
    enum weir_code code;
    int result;

    if (len > WEIR_REGEX_MAX_SUBJECT)
        return weir_err_set(err, WEIR_LIMIT,
                            "the text has %zu bytes; at most %zu are searched",
                            len, WEIR_REGEX_MAX_SUBJECT);
    if (start > len)
        return weir_err_set(err, WEIR_INVALID,
                            "the search starts at byte %zu of %zu", start, len);
    code = get_ready(regex, err);
    if (code)
        return code;
    regex->account = (struct account){.clock = regex->account.clock};
    result = match_with_room(regex, subject, len, start);
    if (result < 0 && result != PCRE2_ERROR_NOMATCH)
        return search_failed(regex, result, err);
    *matched = result >= 0;
    if (!*matched || !captures)
        return WEIR_OK;
    found = pcre2_get_ovector_pointer(regex->data);
    for (size_t i = 0; i <= regex->groups; i++)
        captures[i] =
            (struct weir_regex_capture){found[2 * i], found[2 * i + 1]};
    return WEIR_OK;
}
