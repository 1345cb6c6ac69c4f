/* weir: which command. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "exit.h"
#include "near_file.h"
#include "run.h"
#include "secrecy.h"

static int unknown(const char *word)
{
    const char *near = host_command_nearest(word);
    char file[HOST_NEAR_FILE_SIZE];

    if (near)
        return host_usage_error("", "no command '%s' (did you mean '%s'?)",
                                word, near);
    return host_usage_error("", "no command '%s', and no file of that name%s",
                            word, host_near_file(word, file));
}

static int dispatch(int argc, char **argv)
{
    const struct host_command *command = host_command_find(argv[0]);
    struct stat file;

    if (command)
        return command->run(argc, argv);
    if (strcmp(argv[0], "-") == 0 ||
        (stat(argv[0], &file) == 0 && !S_ISDIR(file.st_mode)))
        return host_command_run.run(argc + 1, argv - 1);
    return unknown(argv[0]);
}

/* In the place of a stream that somebody has closed would be the next file
 * that is opened, a report perhaps, and what is printed would go there.  What
 * stands there instead fails as the closed one would. */
static void hold_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0)
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    }
}

int main(int argc, char **argv)
{
    const char *first = argc > 1 ? argv[1] : NULL;

    hold_streams();
    host_secrecy_start();
    if (host_run_has_own()) {
        if (!first || strcmp(first, "--weir") != 0)
            return host_run_own(argc, argv);
        argc--;
        argv++;
        first = argc > 1 ? argv[1] : NULL;
    }
    if (!first)
        return host_command_repl.run(argc, argv);
    if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0) {
        host_help_print(stdout);
        return HOST_EXIT_DONE;
    }
    if (strcmp(first, "--version") == 0)
        return host_command_version.run(argc - 1, argv + 1);
    /* "weir --sim script.lua", "weir --sim": options of a command that is not
     * named, with a script or without. */
    if (first[0] == '-' && first[1] != '\0') {
        if (host_options_operand(&host_command_repl, argc, argv) < argc)
            return host_command_run.run(argc, argv);
        return host_command_repl.run(argc, argv);
    }
    return dispatch(argc - 1, argv + 1);
}
