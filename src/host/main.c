/* weir: which command, and what the program says of itself. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <lua.h>
#include <microhttpd.h>

#include "commands.h"
#include "environment.h"
#include "exit.h"
#include "weir/filter.h"
#include "weir/url.h"
#include "weir/version.h"

static int help(int argc, char **argv);
static int version(int argc, char **argv);

static int run(int argc, char **argv)
{
    return host_command_run.run(argc, argv);
}

static const struct {
    const char *name;
    const char *summary;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"run", "run a Lua script (also: weir SCRIPT.lua)", run},
    {"sim", "run the simulator as a server of its own", cmd_sim},
    {"help", "this text, or a command's: weir help run", help},
    {"version", "versions of weir and of the libraries in use", version},
};
enum { N_COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void print_help(FILE *out)
{
    fprintf(out, "usage: weir COMMAND [options]\n"
                 "       weir SCRIPT.lua [arguments]\n"
                 "\n"
                 "Scripts for NICE CXone event filters: define them, check "
                 "them, deploy them,\n"
                 "watch them. Everything runs without an account with "
                 "--sim.\n"
                 "\n"
                 "commands:\n");
    for (int i = 0; i < N_COMMANDS; i++)
        fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
    fprintf(
        out,
        "\n"
        "start here:\n"
        "  weir run --sim examples/deploy_filter.lua\n"
        "  weir run --help\n"
        "  weir --version -v     versions, proxy and certificates in use\n");
}

/* What of the environment a run would use.  A proxy's URL may hold a
 * password, which is not shown. */
static void print_environment(void)
{
    struct weir_http_settings settings = host_environment_http();
    struct weir_buf proxy;

    weir_buf_init(&proxy, 4096);
    if (settings.proxy && weir_url_redacted(&proxy, settings.proxy))
        weir_buf_adds(&proxy, "set, but no URL");
    printf("proxy      %s\n", settings.proxy ? weir_buf_str(&proxy) : "none");
    printf("no proxy   %s\n", settings.no_proxy ? settings.no_proxy : "none");
    printf("trust      %s\n",
           settings.ca_file ? settings.ca_file : "the system's certificates");
    weir_buf_fini(&proxy);
}

static int version(int argc, char **argv)
{
    bool verbose = false;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-v") != 0)
            return host_usage_error("", "--version takes only -v, not '%s'",
                                    argv[i]);
        verbose = true;
    }
    printf("weir %s\n%s %s libmicrohttpd/%s\n", weir_version(), LUA_RELEASE,
           weir_version_libraries(), MHD_get_version());
    if (verbose)
        print_environment();
    return HOST_EXIT_DONE;
}

static int unknown(const char *word)
{
    const char *names[N_COMMANDS + 1] = {NULL};
    const char *near;

    for (int i = 0; i < N_COMMANDS; i++)
        names[i] = commands[i].name;
    near = weir_nearest(word, names);
    if (near)
        return host_usage_error("", "no command '%s' (did you mean '%s'?)",
                                word, near);
    return host_usage_error("", "no command '%s', and no file of that name",
                            word);
}

static int dispatch(int argc, char **argv)
{
    struct stat file;

    for (int i = 0; i < N_COMMANDS; i++) {
        if (strcmp(argv[0], commands[i].name) == 0)
            return commands[i].run(argc, argv);
    }
    if (strcmp(argv[0], "-") == 0 ||
        (stat(argv[0], &file) == 0 && !S_ISDIR(file.st_mode)))
        return host_command_run.run(argc + 1, argv - 1);
    return unknown(argv[0]);
}

static int help(int argc, char **argv)
{
    char help_option[] = "--help";
    char *again[] = {argc > 1 ? argv[1] : NULL, help_option, NULL};

    if (argc > 1 && strcmp(argv[1], "help") != 0 &&
        strcmp(argv[1], "version") != 0)
        return dispatch(2, again);
    print_help(stdout);
    return HOST_EXIT_DONE;
}

int main(int argc, char **argv)
{
    const char *first = argc > 1 ? argv[1] : NULL;

    if (!first) {
        print_help(stderr);
        return HOST_EXIT_USAGE;
    }
    if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0)
        return help(1, argv);
    if (strcmp(first, "--version") == 0)
        return version(argc - 1, argv + 1);
    /* "weir --sim script.lua": options of run before a script. */
    if (first[0] == '-' && first[1] != '\0')
        return host_command_run.run(argc, argv);
    return dispatch(argc - 1, argv + 1);
}
