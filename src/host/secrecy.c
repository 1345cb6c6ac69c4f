#include "secrecy.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

extern char **environ;

/* The environment is the process's, and so is what was taken from it. */
static struct secret {
    char *name;
    char *value;
    struct secret *next;
} * secrets;
static bool lost; /* one, for want of memory */

static void forget(struct secret *secret)
{
    if (secret->value)
        explicit_bzero(secret->value, strlen(secret->value));
    free(secret->value);
    free(secret->name);
    free(secret);
}

static void forget_all(void)
{
    while (secrets) {
        struct secret *secret = secrets;

        secrets = secret->next;
        forget(secret);
    }
}

/* "CXONE_CLIENT_SECRET=…": the length of the name, or 0 for others. */
static size_t secret_name(const char *entry)
{
    static const char begin[] = "CXONE_", end[] = "_SECRET";
    size_t len = strcspn(entry, "=");

    if (entry[len] != '=' || len < sizeof(begin) + sizeof(end) - 2 ||
        memcmp(entry, begin, sizeof(begin) - 1) != 0 ||
        memcmp(entry + len - (sizeof(end) - 1), end, sizeof(end) - 1) != 0)
        return 0;
    return len;
}

static struct secret *find(const char *name, size_t len)
{
    struct secret *secret = secrets;

    while (secret && (strlen(secret->name) != len ||
                      memcmp(secret->name, name, len) != 0))
        secret = secret->next;
    return secret;
}

/* NULL if there is no memory. */
static struct secret *add(const char *name, size_t name_len, const char *value)
{
    struct secret *secret = calloc(1, sizeof(*secret));

    if (!secret)
        return NULL;
    secret->name = strndup(name, name_len);
    secret->value = strdup(value);
    if (!secret->name || !secret->value) {
        forget(secret);
        return NULL;
    }
    secret->next = secrets;
    secrets = secret;
    return secret;
}

/* Of a variable that is there twice the first counts, as for getenv().
 * Without memory it is lost, and no session begins: a script would be told
 * that the variable is not set. */
static void keep(const char *entry, size_t name_len)
{
    if (!find(entry, name_len) && !add(entry, name_len, entry + name_len + 1))
        lost = true;
}

/* "NAME=…" of that name: its length; or 0. */
static size_t this_name(const char *entry, const char *name)
{
    size_t len = strlen(name);

    return strncmp(entry, name, len) == 0 && entry[len] == '=' ? len : 0;
}

/* The variable `name`, or for NULL all that are secret by their names.
 * unsetenv() would leave the bytes where they are. */
static void take_from_environment(const char *name)
{
    char **to = environ;

    for (char **from = environ; from && *from; from++) {
        size_t name_len = name ? this_name(*from, name) : secret_name(*from);

        if (name_len == 0) {
            *to++ = *from;
            continue;
        }
        keep(*from, name_len);
        explicit_bzero(*from + name_len + 1, strlen(*from + name_len + 1));
    }
    if (to)
        *to = NULL;
}

/* A limit of 0 would not stop a core that goes to a program (core(5)); to 1
 * byte the kernel writes neither.  The hard limit stays, so that a child can
 * raise its own again. */
static void dump_no_core(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_CORE, &limit))
        return;
    limit.rlim_cur = limit.rlim_max < 1 ? limit.rlim_max : 1;
    setrlimit(RLIMIT_CORE, &limit);
}

void host_secrecy_start(void)
{
    dump_no_core();
    take_from_environment(NULL);
    atexit(forget_all);
}

const char *host_secrecy_find(const char *name)
{
    const struct secret *secret = find(name, strlen(name));

    return secret && secret->value[0] ? secret->value : NULL;
}

const char *host_secrecy_take(const char *name)
{
    take_from_environment(name);
    return host_secrecy_find(name);
}

const char *host_secrecy_keep(const char *name, const char *value)
{
    const struct secret *secret = add(name, strlen(name), value);

    return secret ? secret->value : NULL;
}

enum weir_code host_secrecy_tell(struct weir_log *log, struct weir_err *err)
{
    if (lost)
        return weir_err_nomem(err);
    for (const struct secret *secret = secrets; secret; secret = secret->next) {
        enum weir_code code =
            weir_log_secret(log, secret->value, strlen(secret->value), err);

        if (code == WEIR_INVALID)
            weir_err_clear(err);
        else if (code)
            return code;
    }
    return WEIR_OK;
}
