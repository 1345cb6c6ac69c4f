#include "exit.h"

#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "foreground.h"

int host_exit_code(enum weir_code code)
{
    switch (code) {
    case WEIR_OK: return HOST_EXIT_DONE;
    case WEIR_CONFLICT: return HOST_EXIT_CONFLICT;
    case WEIR_VALIDATION: return HOST_EXIT_VALIDATION;
    case WEIR_AUTH:
    case WEIR_PERMISSION:
    case WEIR_DENIED:
    case WEIR_CONFIG: return HOST_EXIT_AUTH;
    case WEIR_TIMEOUT:
    case WEIR_RATE: return HOST_EXIT_TIMEOUT;
    case WEIR_USAGE: return HOST_EXIT_USAGE;
    case WEIR_LOCKED: return HOST_EXIT_LOCKED;
    default: return HOST_EXIT_FAILED;
    }
}

static void (*_Atomic last_word)(int code, const char *why);

void host_exit_last_word(void (*word)(int code, const char *why))
{
    last_word = word;
}

static _Atomic pid_t killed;

void host_exit_kills(pid_t group)
{
    killed = group;
}

void host_exit_now(int code, const char *why)
{
    void (*word)(int, const char *) = last_word;
    pid_t group = killed;

    if (group > 0)
        kill(-group, SIGKILL);
    host_foreground_take(true);
    if (word)
        word(code, why);
    _exit(code);
}
