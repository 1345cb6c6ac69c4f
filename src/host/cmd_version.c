/* weir version: what the program stands on, and what of the environment it
 * obeys. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <lua.h>

#include "commands.h"
#include "environment.h"
#include "exit.h"
#include "mhd_late.h"
#include "weir/version.h"

static int run(int argc, char **argv);

static const struct host_option options[] = {
    {NULL, NULL, NULL, HOST_FLAG, 0, NULL},
};

const struct host_command host_command_version = {
    .name = "version",
    .usage = "weir version [-v]",
    .summary = "versions of weir and of the libraries in use",
    .about = "With -v also the proxy and the certificates that a run would "
             "use.\n",
    .options = options,
    .run = run,
};

static void print_environment(void)
{
    struct weir_buf proxy;
    struct host_environment words;

    weir_buf_init(&proxy, HOST_MAX_PROXY);
    words = host_environment_words(&proxy);
    printf("proxy      %s\nno proxy   %s\ntrust      %s\n", words.proxy,
           words.no_proxy, words.trust);
    weir_buf_fini(&proxy);
}

static int run(int argc, char **argv)
{
    bool verbose = false;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            host_options_help(&host_command_version);
            return HOST_EXIT_DONE;
        }
        if (strcmp(argv[i], "-v") != 0)
            return host_usage_error("version", "takes only -v, not '%s'",
                                    argv[i]);
        verbose = true;
    }
    printf("weir %s\n%s %s libmicrohttpd/%s\n", weir_version(), LUA_RELEASE,
           weir_version_libraries(),
           sim_mhd_load(NULL) ? "none" : sim_mhd.get_version());
    if (verbose)
        print_environment();
    return HOST_EXIT_DONE;
}
