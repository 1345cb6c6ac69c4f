#include "options.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exit.h"
#include "weir/filter.h"

#define MAX_OPTIONS 64

int host_usage_error(const char *command, const char *fmt, ...)
{
    va_list args;

    fprintf(stderr, "weir%s%s: ", *command ? " " : "", command);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fprintf(stderr, "\nTry: weir%s%s --help\n", *command ? " " : "", command);
    return HOST_EXIT_USAGE;
}

void host_options_help(const struct host_command *command)
{
    printf("usage: %s\n", command->usage);
    if (command->about)
        printf("\n%s", command->about);
    for (int i = 0; command->parts && command->parts[i]; i++)
        printf("%s  %-16s %s\n", i ? "" : "\ncommands:\n",
               command->parts[i]->name, command->parts[i]->summary);
    printf("\noptions:\n");
    for (const struct host_option *o = command->options; o->name; o++) {
        char left[40];

        snprintf(left, sizeof(left), "--%s%s%s", o->name, o->arg ? " " : "",
                 o->arg ? o->arg : "");
        printf("  %-22s %s\n", left, o->help);
    }
    printf("  %-22s %s\n", "--help", "this text");
    if (command->after)
        printf("\n%s", command->after);
}

static int unknown_option(const struct host_command *command, const char *name)
{
    const char *names[MAX_OPTIONS + 2] = {"help"};
    size_t n = 1;
    const char *near;

    for (const struct host_option *o = command->options;
         o->name && n <= MAX_OPTIONS; o++)
        names[n++] = o->name;
    near = weir_nearest(name, names);
    if (near)
        return host_usage_error(command->name,
                                "unknown option --%s (did you mean --%s?)",
                                name, near);
    return host_usage_error(command->name, "unknown option --%s", name);
}

static const struct host_option *find(const struct host_option *options,
                                      const char *name, size_t len)
{
    for (const struct host_option *o = options; o->name; o++) {
        if (strlen(o->name) == len && memcmp(o->name, name, len) == 0)
            return o;
    }
    return NULL;
}

static int bad_value(const struct host_command *command,
                     const struct host_option *option, const char *value,
                     const char *wanted)
{
    return host_usage_error(command->name, "--%s takes %s, got '%s'",
                            option->name, wanted, value);
}

static int take_number(const struct host_command *command,
                       const struct host_option *option, const char *value,
                       uint64_t *out)
{
    char *end;
    unsigned long long number;

    errno = 0;
    number = strtoull(value, &end, 10);
    if (errno || end == value || *end || strchr(value, '-'))
        return bad_value(command, option, value, "a whole number");
    *out = number;
    return 0;
}

static int take_real(const struct host_command *command,
                     const struct host_option *option, const char *value,
                     double *out)
{
    char *end;
    double number;

    errno = 0;
    number = strtod(value, &end);
    if (errno || end == value || *end || !isfinite(number) || number < 0)
        return bad_value(command, option, value, "a number, 0 or more");
    *out = number;
    return 0;
}

/* A whole number of bytes, with a letter for powers of 1024; so few that what
 * is added to it, and twice of it, is a number of bytes too. */
static bool read_size(const char *value, uint64_t *out)
{
    static const char letters[] = "KMG";
    char *end;
    const char *letter;
    unsigned long long number;
    unsigned shift = 0;

    errno = 0;
    number = strtoull(value, &end, 10);
    if (*value < '0' || *value > '9' || errno)
        return false;
    letter = *end ? strchr(letters, *end) : NULL;
    if (letter) {
        shift = 10 * (unsigned)(letter - letters + 1);
        end++;
    }
    *out = number << shift;
    return *end == '\0' && number > 0 && *out >> shift == number &&
           *out <= UINT64_MAX / 4;
}

static int take_optional(const struct host_command *command,
                         const struct host_option *option, const char *value,
                         struct host_optional *out)
{
    double seconds = 0;

    switch (option->type) {
    case HOST_SIZE:
        if (!read_size(value, &out->number))
            return bad_value(command, option, value,
                             "a number of bytes, such as 65536, 64K, 256M or "
                             "1G");
        break;
    case HOST_SECONDS:
        if (take_real(command, option, value, &seconds))
            return HOST_EXIT_USAGE;
        if (seconds < 0.001 || seconds > 1e9)
            return bad_value(command, option, value,
                             "a number of seconds, 0.001 or more");
        out->number = (uint64_t)ceil(seconds * 1000);
        break;
    default:
        if (take_number(command, option, value, &out->number))
            return HOST_EXIT_USAGE;
        if (out->number == 0 || out->number > UINT32_MAX)
            return bad_value(command, option, value,
                             "a whole number, 1 or more");
    }
    out->set = true;
    return 0;
}

static int take_choice(const struct host_command *command,
                       const struct host_option *option, const char *value,
                       int *out)
{
    char wanted[160] = "one of";
    const char *near;

    for (int i = 0; option->choices[i]; i++) {
        if (strcmp(option->choices[i], value) == 0) {
            *out = i;
            return 0;
        }
        snprintf(wanted + strlen(wanted), sizeof(wanted) - strlen(wanted),
                 "%s %s", i ? "," : "", option->choices[i]);
    }
    near = weir_nearest(value, option->choices);
    if (near)
        return host_usage_error(command->name,
                                "--%s: no '%s' (did you mean '%s'?)",
                                option->name, value, near);
    return bad_value(command, option, value, wanted);
}

static int take(const struct host_command *command,
                const struct host_option *option, const char *value, void *out)
{
    void *field = (char *)out + option->offset;
    struct host_texts *texts;

    switch (option->type) {
    case HOST_FLAG: *(bool *)field = true; return 0;
    case HOST_TEXT: *(const char **)field = value; return 0;
    case HOST_TEXTS:
        texts = field;
        if (texts->n == HOST_MAX_TEXTS)
            return host_usage_error(command->name, "more than %d times --%s",
                                    HOST_MAX_TEXTS, option->name);
        texts->list[texts->n++] = value;
        return 0;
    case HOST_NUMBER: return take_number(command, option, value, field);
    case HOST_REAL: return take_real(command, option, value, field);
    case HOST_CHOICE: return take_choice(command, option, value, field);
    case HOST_COUNT:
    case HOST_SIZE:
    case HOST_SECONDS: return take_optional(command, option, value, field);
    }
    return 0;
}

/* Takes argv[*i], an option, and the argument it may have; 0 or an exit
 * code. */
static int take_option(const struct host_command *command, int argc,
                       char **argv, int *i, void *out)
{
    const char *name = argv[*i] + 2, *value = NULL;
    size_t len = strcspn(name, "=");
    const struct host_option *option = find(command->options, name, len);
    char word[64];

    if (!option) {
        snprintf(word, sizeof(word), "%.*s", (int)len, name);
        return unknown_option(command, word);
    }
    if (name[len] == '=')
        value = name + len + 1;
    if (option->type == HOST_FLAG && value)
        return host_usage_error(command->name, "--%s takes no argument",
                                option->name);
    if (option->type != HOST_FLAG && !value) {
        if (*i + 1 >= argc)
            return host_usage_error(command->name, "--%s needs %s",
                                    option->name, option->arg);
        value = argv[++*i];
    }
    return take(command, option, value, out);
}

/* Reads the option at argv[*i], and moves *i to its value if that is the next
 * word.  False when the command is over. */
static bool parse_option(const struct host_command *command, int argc,
                         char **argv, int *i, void *out, int *code)
{
    const char *word = argv[*i];

    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        host_options_help(command);
        *code = 0;
        return false;
    }
    if (word[1] != '-')
        *code = host_usage_error(command->name,
                                 "unknown option %s; options are words: "
                                 "--sim, --help",
                                 word);
    else
        *code = take_option(command, argc, argv, i, out);
    return *code == 0;
}

int host_options_parse(const struct host_command *command, int argc,
                       char **argv, void *out, int *code)
{
    int i = 1, operands = 0;

    for (; i < argc; i++) {
        char *word = argv[i];

        if (strcmp(word, "--") == 0) {
            i++;
            break;
        }
        if (word[0] == '-' && word[1] != '\0') {
            if (!parse_option(command, argc, argv, &i, out, code))
                return -1;
        } else if (command->runs) {
            break; /* what stands after it is for the script */
        } else {
            argv[1 + operands++] = word;
        }
    }
    /* The operands so far, and those after "--", at the end. */
    memmove((void *)(argv + i - operands), (void *)(argv + 1),
            (size_t)operands * sizeof(*argv));
    return i - operands;
}

int host_options_operand(const struct host_command *command, int argc,
                         char **argv)
{
    for (int i = 1; i < argc; i++) {
        const struct host_option *option;
        const char *word = argv[i];
        size_t len;

        if (word[0] != '-' || word[1] == '\0')
            return i;
        if (strcmp(word, "--") == 0)
            return i + 1;
        len = strcspn(word, "=");
        option = len > 2 ? find(command->options, word + 2, len - 2) : NULL;
        if (option && option->type != HOST_FLAG && word[len] == '\0')
            i++;
    }
    return argc;
}
