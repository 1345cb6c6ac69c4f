#include <string.h>

#include "base64.h"
#include "minisign_internal.h"
#include "weir/cut.h"
#include "weir/value.h"

enum weir_code weir_minisign_line(struct weir_minisign_lines *lines,
                                  const char *what,
                                  struct weir_minisign_line *out,
                                  struct weir_err *err)
{
    const char *start = lines->text + lines->at, *end;
    size_t left = lines->len - lines->at;

    lines->number++;
    if (left == 0)
        return weir_err_set(err, WEIR_SYNTAX, "line %u is missing: %s",
                            lines->number, what);
    end = memchr(start, '\n', left);
    out->text = start;
    out->len = end ? (size_t)(end - start) : left;
    lines->at += out->len + (end ? 1 : 0);
    if (out->len > 0 && start[out->len - 1] == '\r') {
        weir_err_set(err, WEIR_SYNTAX, "line %u ends in a carriage return",
                     lines->number);
        weir_err_hint(err, "the file was given Windows line ends on its way: "
                           "send it as binary, or in an archive");
        return WEIR_SYNTAX;
    }
    return WEIR_OK;
}

const char *weir_minisign_comment_fault(const char *text, size_t len,
                                        size_t max)
{
    if (len > max)
        return "is too long";
    if (weir_utf8_valid(text, len) != len)
        return "is not UTF-8";
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c < 0x20 && c != '\t')
            return "has a control character";
        /* DEL, and the C1 controls, which some terminals obey. */
        if (c == 0x7f ||
            (c == 0xc2 && i + 1 < len && (unsigned char)text[i + 1] < 0xa0))
            return "has a control character";
    }
    return NULL;
}

enum weir_code weir_minisign_comment(struct weir_minisign_lines *lines,
                                     const char *prefix, size_t max,
                                     struct weir_minisign_line *out,
                                     struct weir_err *err)
{
    size_t prefix_len = strlen(prefix);
    struct weir_minisign_line line = {.text = ""};
    const char *fault;
    char what[64];
    enum weir_code code;

    weir_cut_printf(what, sizeof(what), "\"%s…\"", prefix);
    code = weir_minisign_line(lines, what, &line, err);
    if (code)
        return code;
    if (line.len < prefix_len || memcmp(line.text, prefix, prefix_len) != 0)
        return weir_err_set(err, WEIR_SYNTAX,
                            "line %u does not begin with \"%s\"", lines->number,
                            prefix);
    line.text += prefix_len;
    line.len -= prefix_len;
    fault = weir_minisign_comment_fault(line.text, line.len, max);
    if (fault)
        return weir_err_set(err, WEIR_SYNTAX, "line %u: the comment %s",
                            lines->number, fault);
    *out = line;
    return WEIR_OK;
}

/* Files of one kind are often given for another's. */
static void hint_what_it_is(size_t len, struct weir_err *err)
{
    static const struct {
        size_t len;
        const char *name;
    } kinds[] = {{WEIR_BASE64_SIZE(42), "a public key"},
                 {WEIR_BASE64_SIZE(74), "a signature"},
                 {WEIR_BASE64_SIZE(158), "a secret key"}};

    for (size_t i = 0; err && i < sizeof(kinds) / sizeof(*kinds); i++) {
        if (kinds[i].len == len && !strstr(err->message, kinds[i].name + 2))
            weir_err_hint(err, "by its length this is %s's file",
                          kinds[i].name);
    }
}

enum weir_code weir_minisign_bytes(struct weir_minisign_lines *lines,
                                   const char *what, unsigned char *out,
                                   size_t want, struct weir_err *err)
{
    struct weir_minisign_line line = {.text = ""};
    enum weir_code code = weir_minisign_line(lines, what, &line, err);

    if (code)
        return code;
    code = weir_base64_decode(line.text, line.len, out, want, err);
    if (code) {
        weir_err_prefix(err, "line %u, %s, ", lines->number, what);
        hint_what_it_is(line.len, err);
    }
    return code;
}

enum weir_code weir_minisign_end(const struct weir_minisign_lines *lines,
                                 struct weir_err *err)
{
    size_t left = lines->len - lines->at;

    if (left == 0)
        return WEIR_OK;
    return weir_err_set(err, WEIR_SYNTAX,
                        "%zu byte%s after line %u, where it must end", left,
                        left == 1 ? "" : "s", lines->number);
}
