/*
 * measure: runs a command and tells what it alone has cost.
 *
 * usage: measure COMMAND [ARGUMENT ...]
 *
 * On its last line of stdout: CPU seconds of the user, of the system, and the
 * peak resident set in KiB, from wait4(2).  A small program of its own since
 * the peak of a child begins with that of whoever started it.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
    struct rusage usage;
    int status;
    pid_t child;

    if (argc < 2) {
        fprintf(stderr, "usage: measure COMMAND [ARGUMENT ...]\n");
        return 64;
    }
    child = fork();
    if (child == 0) {
        execvp(argv[1], argv + 1);
        perror(argv[1]);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &usage) != child) {
        perror("measure");
        return 1;
    }
    printf("%.6f %.6f %ld\n", seconds(usage.ru_utime), seconds(usage.ru_stime),
           usage.ru_maxrss);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
