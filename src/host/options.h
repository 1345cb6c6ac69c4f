/*
 * options: a command's options as one table, which serves parsing, --help
 * and suggestions alike.
 */
#ifndef HOST_OPTIONS_H
#define HOST_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum host_option_type {
    HOST_FLAG,   /* bool */
    HOST_TEXT,   /* const char *, points into argv */
    HOST_TEXTS,  /* struct host_texts: may be given many times */
    HOST_NUMBER, /* uint64_t */
    HOST_REAL,   /* double, 0 or more */
    HOST_CHOICE, /* int: index into `choices` */
    /* struct host_optional, all of them more than 0: */
    HOST_COUNT,   /* a number */
    HOST_SIZE,    /* bytes: "4096", "64K", "256M", "1G" */
    HOST_SECONDS, /* milliseconds; given in seconds: "0.5" */
};

struct host_optional {
    bool set;
    uint64_t number;
};

#define HOST_MAX_TEXTS 64
struct host_texts {
    const char *list[HOST_MAX_TEXTS + 1]; /* NULL-terminated */
    size_t n;
};

struct host_option {
    const char *name; /* without dashes; NULL ends the table */
    const char *arg;  /* name of the argument in --help; NULL for a flag */
    const char *help; /* one line */
    enum host_option_type type;
    size_t offset; /* into the struct given to host_options_parse */
    const char *const *choices; /* HOST_CHOICE: NULL-terminated */
};

struct host_command {
    const char *name;    /* "run" */
    const char *usage;   /* "weir run [options] SCRIPT [args]" */
    const char *summary; /* one line, for weir --help */
    const char *about;   /* paragraphs after the usage line; may be NULL */
    const struct host_option *options;
    const char *after;           /* paragraphs after the options; may be NULL */
    const char *const *operands; /* the words it takes; NULL: no such list */
    bool files;                  /* what it takes are files */
    bool runs;     /* the first one, with what comes after as its arguments */
    bool contexts; /* what it takes is a context's name */
    /* Commands of its own, named "bundle create"; NULL-terminated.  NULL: it
     * has none. */
    const struct host_command *const *parts;
    int (*run)(int argc, char **argv); /* argv[0] is the command's name */
};

/* Reads options from argv[1] on into `out`, up to "--"; of a command that
 * runs something, up to the first operand.  Operands among the options are
 * moved behind them.  Returns the index of the first operand, argc if there
 * is none ("-" is one); or -1 with *code set when the
 * command is over: 0 after --help (printed to stdout), 64 after a usage
 * error (said on stderr, with the nearest right option). */
int host_options_parse(const struct host_command *command, int argc,
                       char **argv, void *out, int *code);

/* The index of the first operand, or argc if there is none, without reading
 * or judging any option. */
int host_options_operand(const struct host_command *command, int argc,
                         char **argv);

/* Prints a command's --help to stdout. */
void host_options_help(const struct host_command *command);

/* Says "weir run: …" (printf) and how to get help on stderr; returns 64. */
int host_usage_error(const char *command, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
