/*
 * Escapes and classes: what a backslash means to PCRE2 and to Python's re.
 */
#include "regex_scan.h"

#include <ctype.h>
#include <string.h>

/* Escapes that only one of the two has, or that mean two things. */
static const struct {
    char letter;
    const char *message;
} foreign[] = {
    {'C', "\\C (one byte) does not exist in Python"},
    {'E', "\\E does not exist in Python; escape each character instead"},
    {'G', "\\G does not exist in Python"},
    {'H', "\\H does not exist in Python; write [^ \\t]"},
    {'K', "\\K does not exist in Python; use a lookbehind or a group"},
    {'P', "\\P{...} does not exist in Python; write the class out"},
    {'Q', "\\Q...\\E does not exist in Python; escape each character"},
    {'R', "\\R does not exist in Python; write (?:\\r\\n|\\n|\\r)"},
    {'V', "\\V does not exist in Python; write [^\\n\\x0b\\f\\r]"},
    {'X', "\\X does not exist in Python"},
    {'Z', "\\Z is the very end in Python, here also before a last newline; "
          "write $, or (?![\\s\\S]) for the very end"},
    {'c', "\\c does not exist in Python; write \\xhh"},
    {'e', "\\e does not exist in Python; write \\x1b"},
    {'g', "\\g does not exist in Python; write \\1 or (?P=name)"},
    {'h', "\\h does not exist in Python; write [ \\t]"},
    {'k', "\\k does not exist in Python; write (?P=name)"},
    {'o', "\\o{...} does not exist in Python; write \\xhh"},
    {'p', "\\p{...} does not exist in Python; write the class out, or "
          "[^\\W\\d_] for a letter"},
    {'v', "\\v is one character in Python, here any vertical space; write "
          "\\x0b or [\\n\\x0b\\f\\r]"},
    {'z', "\\z exists in Python from 3.14 only; write (?![\\s\\S])"},
    {'B', "\\B differs on empty text; write (?!\\b)"},
    {'u', "\\uXXXX is Python's alone; write the character itself"},
    {'U', "\\UXXXXXXXX is Python's alone; write the character itself"},
};

static const char *foreign_message(char letter, bool in_class)
{
    if (in_class && letter == 'B')
        return NULL; /* an error in both */
    for (size_t i = 0; i < sizeof(foreign) / sizeof(*foreign); i++) {
        if (foreign[i].letter == letter)
            return foreign[i].message;
    }
    return NULL;
}

/* Past {…}, (…), <…> or '…' where one follows. */
static void skip_argument(struct scan *s)
{
    static const char open[] = "{<'", close[] = "}>'";
    const char *kind = scan_peek(s, 0) ? strchr(open, scan_peek(s, 0)) : NULL;
    const char *end;

    if (!kind)
        return;
    end = memchr(s->text + s->at + 1, close[kind - open], s->len - s->at - 1);
    s->at = end ? (size_t)(end - s->text) + 1 : s->len;
}

static void skip_digits(struct scan *s, size_t most, int (*is)(int))
{
    while (most-- > 0 && is((unsigned char)scan_peek(s, 0)))
        s->at++;
}

/* Past a foreign escape, as the one of the two reads it that knows it. */
static void skip_foreign(struct scan *s, char letter)
{
    switch (letter) {
    case 'u': skip_digits(s, 4, isxdigit); break;
    case 'U': skip_digits(s, 8, isxdigit); break;
    case 'c':
        if (s->at < s->len)
            scan_character(s);
        break;
    case 'p':
    case 'P':
        if (scan_peek(s, 0) != '{' && s->at < s->len) {
            scan_character(s);
            break;
        }
        skip_argument(s);
        break;
    case 'Q': {
        const char *end = memmem(s->text + s->at, s->len - s->at, "\\E", 2);

        s->at = end ? (size_t)(end - s->text) + 2 : s->len;
        break;
    }
    case 'g':
    case 'k':
    case 'o': skip_argument(s); break;
    default: break;
    }
}

static int octal(int c)
{
    return c >= '0' && c <= '7';
}

static uint32_t hex(struct scan *s, size_t offset)
{
    uint32_t value = 0;
    size_t digits = 0;

    if (scan_peek(s, 0) == '{') {
        scan_differs(s, offset,
                     "\\x{...} does not exist in Python; write \\xhh or the "
                     "character itself");
        skip_argument(s);
        return 128;
    }
    while (digits < 2 && isxdigit((unsigned char)scan_peek(s, 0))) {
        char c = s->text[s->at++];

        value = value * 16 + (uint32_t)(isdigit((unsigned char)c)
                                            ? c - '0'
                                            : (c | 32) - 'a' + 10);
        digits++;
    }
    if (digits < 2)
        scan_differs(s, offset, "\\x needs two digits in Python");
    return value;
}

/* \0, and what of octal the two read alike: \0 with two digits more. */
static uint32_t zero(struct scan *s)
{
    uint32_t value = 0;

    for (int i = 0; i < 2 && octal((unsigned char)scan_peek(s, 0)); i++)
        value = value * 8 + (uint32_t)(s->text[s->at++] - '0');
    return value;
}

/* A letter's character, for those that are the same in both. */
static bool plain_escape(char letter, bool in_class, uint32_t *out)
{
    static const char letters[] = "afnrt", values[] = "\a\f\n\r\t";
    const char *at = strchr(letters, letter);

    if (letter == 'b' && in_class)
        *out = '\b';
    else if (letter && at)
        *out = (unsigned char)values[at - letters];
    else
        return false;
    return true;
}

/* After a backslash and its letter, both taken, when it is no digit: true
 * with one character, false with `set` (or nothing, for an assertion). */
static bool read_escape(struct scan *s, size_t offset, char letter,
                        bool in_class, uint32_t *character,
                        struct shape_set *set)
{
    const char *message = foreign_message(letter, in_class);

    if (letter == 'N') {
        bool named = scan_peek(s, 0) == '{';

        scan_differs(s, offset,
                     named ? "\\N{...} is Python's alone; write the character "
                             "itself"
                           : "\\N does not exist in Python; write [^\\n]");
        skip_argument(s);
        *set = shape_class('.');
        return false;
    }
    if (message) {
        scan_differs(s, offset, "%s", message);
        skip_foreign(s, letter);
        *set = shape_class('.');
        return false;
    }
    if (letter && strchr("dDwWsS", letter)) {
        *set = shape_class(letter);
        return false;
    }
    if (letter == 'x')
        *character = hex(s, offset);
    else if (letter == '0')
        *character = zero(s);
    else if (!plain_escape(letter, in_class, character))
        *character = (unsigned char)letter;
    return true;
}

/* \1 to \99 outside a class. */
static void reference(struct scan *s, size_t offset)
{
    size_t digits = 0, n = 0;

    while (isdigit((unsigned char)scan_peek(s, digits)))
        digits++;
    for (size_t i = 0; i < digits && i < 2; i++)
        n = n * 10 + (size_t)(s->text[s->at + i] - '0');
    if (digits > 2 || (digits == 2 && n > s->n_groups)) {
        scan_differs(s, offset,
                     "\\%.*s can be a group, an octal code or both; write "
                     "\\xhh for a character, (?:\\1) before a digit",
                     (int)(digits < 4 ? digits : 4), s->text + s->at);
        s->at += digits;
        scan_set_item(s, offset, shape_class('.'));
        return;
    }
    s->at += digits;
    scan_reference(s, offset, n, NULL, 0);
}

void scan_escape(struct scan *s)
{
    size_t offset = s->at++;
    char letter = scan_peek(s, 0);
    struct shape_set set = {0};
    uint32_t character;

    if (s->at >= s->len)
        return;
    if (letter >= '1' && letter <= '9') {
        reference(s, offset);
        return;
    }
    if ((unsigned char)letter >= 128) {
        uint32_t c = scan_character(s);

        scan_literal(s, offset, c, c, &set);
        scan_set_item(s, offset, set);
        return;
    }
    s->at++;
    if (letter == 'b' || letter == 'A') {
        scan_item(s, offset)->assertion = true;
        return;
    }
    if (read_escape(s, offset, letter, false, &character, &set))
        scan_literal(s, offset, character, character, &set);
    if (letter && strchr("BGKZz", letter))
        scan_item(s, offset)->assertion = true;
    else
        scan_set_item(s, offset, set);
}

/* ---- classes ---- */

/* One member: true with its character, false with a set. */
static bool class_member(struct scan *s, uint32_t *character,
                         struct shape_set *set)
{
    size_t offset = s->at;
    char letter;

    if (scan_peek(s, 0) != '\\' || s->at + 1 >= s->len) {
        *character = scan_character(s);
        return true;
    }
    s->at++;
    letter = scan_peek(s, 0);
    if ((unsigned char)letter >= 128) {
        *character = scan_character(s);
        return true;
    }
    s->at++;
    if (letter >= '1' && letter <= '9') {
        scan_differs(s, offset,
                     "an octal code in a class is read differently; write "
                     "\\xhh");
        skip_digits(s, 2, octal);
        *set = shape_class('.');
        return false;
    }
    return read_escape(s, offset, letter, true, character, set);
}

static bool posix_class(struct scan *s)
{
    char kind = scan_peek(s, 1);
    char close[3] = {kind, ']', '\0'};
    const char *end;

    if (scan_peek(s, 0) != '[' || !kind || !strchr(":.=", kind))
        return false;
    end = memmem(s->text + s->at + 2, s->len - s->at - 2, close, 2);
    if (!end)
        return false;
    for (const char *c = s->text + s->at + 2; c < end; c++) {
        if (!isalpha((unsigned char)*c) && *c != '^')
            return false;
    }
    scan_differs(s, s->at,
                 "POSIX classes do not exist in Python; write \\d, \\w, \\s or "
                 "a range");
    s->at = (size_t)(end - s->text) + 2;
    return true;
}

static void set_operator(struct scan *s)
{
    char c = scan_peek(s, 0);

    if (c == '[')
        scan_differs(s, s->at,
                     "Python may come to read [ in a class as a class of its "
                     "own; write \\[");
    else if (c && strchr("&-~|", c) && scan_peek(s, 1) == c)
        scan_differs(s, s->at,
                     "Python may come to read %c%c in a class as an operator; "
                     "write \\%c\\%c",
                     c, c, c, c);
}

/* A member, or a range of two. */
static void class_part(struct scan *s, struct shape_set *set)
{
    size_t offset = s->at;
    uint32_t from, to;

    if (posix_class(s)) {
        *set = shape_class('.');
        return;
    }
    set_operator(s);
    if (!class_member(s, &from, set))
        return;
    to = from;
    if (scan_peek(s, 0) == '-' && scan_peek(s, 1) != ']' &&
        s->at + 1 < s->len) {
        struct shape_set ignored = {0};

        set_operator(s);
        s->at++;
        if (!class_member(s, &to, &ignored) || to < from)
            to = from; /* refused by both */
    }
    scan_literal(s, offset, from, to, set);
}

void scan_class(struct scan *s)
{
    size_t offset = s->at++;
    struct shape_set all = {0};
    bool inverted = scan_peek(s, 0) == '^' && s->at < s->len;
    bool first = true;

    if (inverted)
        s->at++;
    while (s->at < s->len && (first || scan_peek(s, 0) != ']')) {
        struct shape_set set = {0};

        first = false;
        class_part(s, &set);
        shape_union(&all, &set);
    }
    scan_skip(s, 1); /* the bracket, unless the text ends before it */
    if (inverted)
        shape_invert(&all);
    scan_set_item(s, offset, all);
}
