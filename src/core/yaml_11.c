/* yaml: what a plain scalar was in YAML 1.1, as its type repository has it
 * (https://yaml.org/type/) and its readers do it. */
#include <string.h>
#include <strings.h>

#include "yaml_internal.h"

/* A walk over the text; each step says whether the expected part was there. */
struct reader {
    const char *at, *end;
};

static bool one_of(struct reader *r, const char *set)
{
    if (r->at == r->end || !*r->at || !strchr(set, *r->at))
        return false;
    r->at++;
    return true;
}

static size_t many_of(struct reader *r, const char *set)
{
    size_t n = 0;

    while (one_of(r, set))
        n++;
    return n;
}

static bool at_end(const struct reader *r)
{
    return r->at == r->end;
}

static struct reader begin(const char *text, size_t len)
{
    return (struct reader){text, text + len};
}

static bool is_word(const char *text, size_t len, const char *const *words)
{
    for (; *words; words++) {
        if (strlen(*words) == len && strncasecmp(*words, text, len) == 0)
            return true;
    }
    return false;
}

/* "yes", "Yes" and "YES", not "yEs". */
static bool is_cased(const char *text, size_t len)
{
    size_t upper = 0;

    for (size_t i = 0; i < len; i++)
        upper += text[i] >= 'A' && text[i] <= 'Z';
    return upper == 0 || upper == len ||
           (upper == 1 && text[0] >= 'A' && text[0] <= 'Z');
}

/* [-+]? 0b[01_]+ */
static bool is_binary(struct reader r)
{
    one_of(&r, "-+");
    return one_of(&r, "0") && one_of(&r, "b") && many_of(&r, "01_") > 0 &&
           at_end(&r);
}

/* [-+]? 0[0-7_]+ */
static bool is_octal(struct reader r)
{
    one_of(&r, "-+");
    return one_of(&r, "0") && many_of(&r, "01234567_") > 0 && at_end(&r);
}

/* Digits of a number with a '_' in it: [-+]? [0-9][0-9_]* ( \. [0-9_]* )?, or
 * 0x[0-9a-fA-F_]+ */
static bool is_grouped(struct reader r)
{
    struct reader hex = r;

    if (!memchr(r.at, '_', (size_t)(r.end - r.at)))
        return false;
    one_of(&hex, "-+");
    if (one_of(&hex, "0") && one_of(&hex, "x") &&
        many_of(&hex, "0123456789abcdefABCDEF_") > 0 && at_end(&hex))
        return true;
    one_of(&r, "-+");
    if (!one_of(&r, "123456789"))
        return false;
    many_of(&r, "0123456789_");
    if (one_of(&r, "."))
        many_of(&r, "0123456789_");
    return at_end(&r);
}

/* [-+]? [0-9][0-9_]* ( : [0-5]?[0-9] )+ ( \. [0-9_]* )? */
static bool is_base_60(struct reader r)
{
    size_t groups = 0;

    one_of(&r, "-+");
    if (!one_of(&r, "0123456789"))
        return false;
    many_of(&r, "0123456789_");
    while (one_of(&r, ":")) {
        const char *first = r.at;
        size_t n = many_of(&r, "0123456789");

        if (n == 0 || n > 2 || (n == 2 && *first > '5'))
            return false;
        groups++;
    }
    if (groups > 0 && one_of(&r, "."))
        many_of(&r, "0123456789_");
    return groups > 0 && at_end(&r);
}

static bool digits(struct reader *r, size_t least, size_t most)
{
    size_t n = many_of(r, "0123456789");

    return n >= least && n <= most;
}

/* 2001-01-01, or with a time: 2001-12-14 21:59:43.10 -5 */
static bool is_date(struct reader r)
{
    if (!digits(&r, 4, 4) || !one_of(&r, "-") || !digits(&r, 1, 2) ||
        !one_of(&r, "-") || !digits(&r, 1, 2))
        return false;
    if (at_end(&r))
        return true;
    if (!one_of(&r, "Tt") && many_of(&r, " \t") == 0)
        return false;
    if (!digits(&r, 1, 2) || !one_of(&r, ":") || !digits(&r, 2, 2) ||
        !one_of(&r, ":") || !digits(&r, 2, 2))
        return false;
    if (one_of(&r, "."))
        many_of(&r, "0123456789");
    many_of(&r, " \t");
    if (one_of(&r, "Z"))
        return at_end(&r);
    if (one_of(&r, "-+") && !digits(&r, 1, 2))
        return false;
    return at_end(&r) || (one_of(&r, ":") && digits(&r, 2, 2) && at_end(&r));
}

/* 0o17 is new in 1.2; a float of 1.1 has a point, and a sign at its exponent.
 */
static bool is_new_number(struct reader r)
{
    struct reader octal = r;
    bool point;

    if (one_of(&octal, "0") && one_of(&octal, "o"))
        return true;
    one_of(&r, "-+");
    many_of(&r, "0123456789");
    point = one_of(&r, ".");
    many_of(&r, "0123456789");
    return one_of(&r, "eE") && (!point || !one_of(&r, "-+"));
}

const char *weir_yaml_in_11(const char *text, size_t len)
{
    static const char *const trues[] = {"y", "yes", "on", NULL};
    static const char *const falses[] = {"n", "no", "off", NULL};
    enum weir_yaml_scalar type = weir_yaml_resolve(text, len);
    struct reader r = begin(text, len);

    if (type == WEIR_YAML_NUMBER)
        return is_new_number(r) ? "a text" : NULL;
    if (type != WEIR_YAML_STRING || len == 0)
        return NULL;
    if (is_word(text, len, trues) && is_cased(text, len))
        return "a boolean (true)";
    if (is_word(text, len, falses) && is_cased(text, len))
        return "a boolean (false)";
    if (is_octal(r))
        return "an octal number";
    if (is_binary(r))
        return "a binary number";
    if (is_base_60(r))
        return "a number in base 60";
    if (is_grouped(r))
        return "a number";
    if (is_date(r))
        return "a date";
    if (len == 1 && *text == '=')
        return "a default value";
    return NULL;
}
