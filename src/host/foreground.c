#include "foreground.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <termios.h>
#include <unistd.h>

/* A process has one at most. */
static struct termios kept;
static _Atomic int lent = -1; /* its descriptor */

/* Who is in the background is stopped for it, unless SIGTTOU is blocked. */
static void put_in_front(int tty, pid_t group, const struct termios *modes)
{
    sigset_t ttou, before;

    sigemptyset(&ttou);
    sigaddset(&ttou, SIGTTOU);
    pthread_sigmask(SIG_BLOCK, &ttou, &before);
    tcsetpgrp(tty, group);
    if (modes)
        tcsetattr(tty, TCSADRAIN, modes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

bool host_foreground_lend(pid_t group)
{
    int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

    if (tty < 0)
        return false;
    if (tcgetpgrp(tty) != getpgrp() || tcgetattr(tty, &kept) != 0) {
        close(tty);
        return false;
    }
    lent = tty;
    put_in_front(tty, group, NULL);
    return true;
}

bool host_foreground_is_lent(void)
{
    return lent >= 0;
}

void host_foreground_take(bool modes)
{
    int tty = atomic_exchange(&lent, -1);

    if (tty < 0)
        return;
    put_in_front(tty, getpgrp(), modes ? &kept : NULL);
    close(tty);
}
