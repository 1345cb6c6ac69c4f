/*
 * regex: the portability scanner reads any text and points into it; what
 * compiles searches any subject within its ceilings; a pattern without
 * special characters is a search for its text.
 *
 * One byte of flags, then parts: a pattern, a subject.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "weir/regex.h"

#define MANY 8

static void check_portable(struct fuzz_text pattern)
{
    struct weir_regex_difference out[MANY] = {0};
    size_t n = weir_regex_portable(pattern.data, pattern.len, out, MANY);

    FUZZ_CHECK(n == weir_regex_portable(pattern.data, pattern.len, NULL, 0));
    for (size_t i = 0; i < n && i < MANY; i++) {
        FUZZ_CHECK(out[i].offset <= pattern.len);
        FUZZ_CHECK(out[i].message[0]);
        fuzz_check_line(out[i].message);
    }
}

static void check_captures(const struct weir_regex *regex,
                           const struct weir_regex_capture *captures,
                           struct fuzz_text subject, size_t start)
{
    /* \K may move a match's start before where the search began, or behind
     * the match's end; lookarounds may capture anywhere. */
    FUZZ_CHECK(captures[0].start <= subject.len);
    FUZZ_CHECK(captures[0].end <= subject.len && captures[0].end >= start);
    for (size_t i = 1; i <= weir_regex_groups(regex); i++) {
        const struct weir_regex_capture *c = &captures[i];

        FUZZ_CHECK(c->start == SIZE_MAX ||
                   (c->start <= c->end && c->end <= subject.len));
    }
}

static bool is_literal(struct fuzz_text text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!text.data[i] || strchr("\\^$.[]|()?*+{}#", text.data[i]))
            return false;
    }
    return true;
}

static void check_search(struct weir_regex *regex, struct fuzz_text subject,
                         const struct fuzz_text *literal)
{
    size_t groups = weir_regex_groups(regex), start = 0;
    struct weir_regex_capture *captures = calloc(groups + 1, sizeof(*captures));
    struct weir_err err = WEIR_ERR_INIT;

    FUZZ_CHECK(captures && groups <= WEIR_REGEX_MAX_PATTERN);
    for (size_t i = 1; i <= groups; i++) {
        const char *name = weir_regex_group_name(regex, i);

        FUZZ_CHECK(!name || *name);
    }
    /* As gmatch does: on from the end of each match. */
    for (int round = 0; round < 4 && start <= subject.len; round++) {
        bool matched = false;
        enum weir_code code = weir_regex_search(
            regex, subject.data, subject.len, start, &matched, captures, &err);

        if (code) {
            FUZZ_CHECK(
                code == WEIR_LIMIT ||
                (code == WEIR_INVALID &&
                 weir_utf8_valid(subject.data, subject.len) < subject.len));
            fuzz_check_err(&err, code);
            break;
        }
        if (literal && round == 0)
            FUZZ_CHECK(matched == (literal->len == 0 ||
                                   memmem(subject.data, subject.len,
                                          literal->data, literal->len)));
        if (!matched)
            break;
        check_captures(regex, captures, subject, start);
        start = captures[0].end > start ? captures[0].end : start + 1;
        while (start < subject.len && (subject.data[start] & 0xC0) == 0x80)
            start++;
    }
    free(captures);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_text rest = {(const char *)data, size};
    struct fuzz_text pattern = {"", 0}, subject = {"", 0};
    unsigned flags = fuzz_byte(&rest) & 15;
    struct weir_regex *regex = NULL;
    struct weir_err err = WEIR_ERR_INIT;
    enum weir_code code;

    fuzz_part(&rest, &pattern);
    fuzz_part(&rest, &subject);
    check_portable(pattern);
    code = weir_regex_new(pattern.data, pattern.len, flags, &regex, &err);
    if (code) {
        FUZZ_CHECK(code == WEIR_SYNTAX || code == WEIR_LIMIT);
        fuzz_check_err(&err, code);
        return 0;
    }
    check_search(regex, subject,
                 !(flags & (WEIR_REGEX_CASELESS | WEIR_REGEX_EXTENDED)) &&
                         is_literal(pattern)
                     ? &pattern
                     : NULL);
    weir_regex_free(regex);
    return 0;
}
