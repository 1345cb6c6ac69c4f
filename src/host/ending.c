#include "ending.h"

#include <stdio.h>

#include "exit.h"

int host_ending_err(const char *command, struct weir_err *err)
{
    int code = host_exit_code(err->code);

    fprintf(stderr, "weir %s: %s%s%s\n", command, err->message,
            *err->hint ? "; " : "", err->hint);
    weir_err_clear(err);
    return code;
}

int host_ending_flushed(const char *command, int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    fprintf(stderr, "weir %s: standard output cannot be written\n", command);
    return code ? code : HOST_EXIT_FAILED;
}
