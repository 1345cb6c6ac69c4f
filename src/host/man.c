/* weir(1) in roff (man(7)), made of the tables that --help is made of, so
 * that the two cannot say different things. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "weir/version.h"

/* Text as it is: a hyphen that can be copied, no control line by accident. */
static void text(FILE *out, const char *from)
{
    bool at_start = true;

    for (; *from; from++) {
        if (at_start && (*from == '.' || *from == '\''))
            fputs("\\&", out);
        at_start = *from == '\n';
        if (*from == '\\')
            fputs("\\e", out);
        else if (*from == '-')
            fputs("\\-", out);
        else
            fputc(*from, out);
    }
}

/* Help texts are laid out by hand; they stay as they are. */
static void laid_out(FILE *out, const char *from)
{
    if (!from)
        return;
    fputs(".PP\n.nf\n", out);
    text(out, from);
    fputs(".fi\n", out);
}

static void option(FILE *out, const struct host_option *o)
{
    fputs(".TP\n.BR \\-\\-", out);
    text(out, o->name);
    if (o->arg)
        fprintf(out, " \" \" \\fI%s\\fR", o->arg);
    fputs("\n", out);
    text(out, o->help);
    fputs("\n", out);
}

static void command(FILE *out, const struct host_command *c)
{
    fputs(".SS ", out);
    text(out, c->usage);
    fputs("\n", out);
    text(out, c->summary);
    fputs("\n", out);
    laid_out(out, c->about);
    for (const struct host_option *o = c->options; o && o->name; o++)
        option(out, o);
    laid_out(out, c->after);
}

void host_man_print(FILE *out)
{
    fprintf(out,
            ".TH WEIR 1 \"\" \"weir %s\" \"User Commands\"\n"
            ".SH NAME\n"
            "weir \\- scripting host for NICE CXone event filters\n"
            ".SH SYNOPSIS\n"
            ".B weir\n.I COMMAND\n.RI [ options ]\n.br\n"
            ".B weir\n.I SCRIPT.lua\n.RI [ arguments ]\n"
            ".SH DESCRIPTION\n"
            "Runs Lua scripts that define event filters, check them, deploy "
            "them and watch\nthem.  Everything runs without an account with "
            "\\fB\\-\\-sim\\fR, against a built\\-in\nsimulator.\n"
            ".SH COMMANDS\n",
            weir_version());
    for (int i = 0; host_commands[i]; i++) {
        const struct host_command *const *parts = host_commands[i]->parts;

        command(out, host_commands[i]);
        for (; parts && *parts; parts++)
            command(out, *parts);
    }
    fputs(".SH SEE ALSO\n"
          ".BR weir\\-lua (7)\n"
          "has every function that a script can call.  The same as LuaLS "
          "stubs is\ninstalled below \\fIshare/weir/meta\\fR.  "
          "The C library is described by\nits headers, \\fIinclude/weir\\fR; "
          "\\fBpkg\\-config \\-\\-cflags \\-\\-libs weir\\fR says how to\n"
          "build against it.\n",
          out);
}
