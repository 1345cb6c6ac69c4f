/*
 * shim: a malloc whose n-th call fails.
 *
 * Preloaded into a program (shim.so), or linked into one that steers it
 * (shim.h).  It stands before the C library's malloc or a sanitizer's, sees
 * what the program and every library allocates, strdup() and fopen() too, and
 * counts the calls that are of interest.  How it is told what to do when
 * preloaded:
 *
 *   TORTURE_AT=N          fail the N-th call; 0, the default: none
 *   TORTURE_TIMES=N       fail so many in a row, default 1; 0: all from there
 *   TORTURE_WHO=lua|rest  only what Lua's allocator asks for, or all but that
 *   TORTURE_THREADS=main|others   only the main thread's, or all but that
 *   TORTURE_REPORT=FILE   gets "failed …" with the call's stack, "spared …",
 *                         and at the end "calls N"
 *   TORTURE_TRACE=FILE    gets a number for the stack of each call, 8 bytes
 */
#include "shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <unwind.h>

enum { MAX_FRAMES = 48, TRACED_FRAMES = 12, EARLY = 64 << 10, TRACED = 4096 };
enum who { WHO_ALL, WHO_LUA, WHO_REST };
enum threads { THREADS_ALL, THREADS_MAIN, THREADS_OTHERS };

static struct {
    void *(*malloc)(size_t size);
    void *(*calloc)(size_t n, size_t size);
    void *(*realloc)(void *old, size_t size);
    void *(*memalign)(size_t alignment, size_t size);
    int (*posix_memalign)(void **out, size_t alignment, size_t size);
    void (*free)(void *memory);
} real;

static _Atomic unsigned long calls, fail_at, times;
static _Atomic long live;
static _Atomic bool armed, has_failed;
static enum who who;
static enum threads threads;
static int report_fd = -1, trace_fd = -1;
static uintptr_t lua_from, lua_to;
static uint64_t traced[TRACED];
static size_t n_traced;

/* What dlsym() asks for before it has found malloc for us.  Never freed. */
static _Alignas(16) char early[EARLY];
static size_t early_used;

/* Set while the shim itself calls what may allocate. */
static _Thread_local bool inside __attribute__((tls_model("initial-exec")));

static void *early_alloc(size_t size)
{
    size_t at = early_used;

    size = (size + 15) & ~(size_t)15;
    if (size > EARLY - at)
        abort();
    early_used += size;
    return early + at;
}

static bool is_early(const void *memory)
{
    return (const char *)memory >= early &&
           (const char *)memory < early + EARLY;
}

static void find_real(void)
{
    static bool finding;

    if (finding)
        return;
    finding = true;
    real.calloc = dlsym(RTLD_NEXT, "calloc");
    real.malloc = dlsym(RTLD_NEXT, "malloc");
    real.realloc = dlsym(RTLD_NEXT, "realloc");
    real.memalign = dlsym(RTLD_NEXT, "memalign");
    real.posix_memalign = dlsym(RTLD_NEXT, "posix_memalign");
    real.free = dlsym(RTLD_NEXT, "free");
    finding = false;
}

/* ---- which calls are of interest ---- */

static bool is_main_thread(void)
{
    return syscall(SYS_gettid) == getpid();
}

static bool is_lua(const void *caller)
{
    return (uintptr_t)caller >= lua_from && (uintptr_t)caller < lua_to;
}

static bool is_of_interest(const void *caller)
{
    if (!armed || inside)
        return false;
    if (who != WHO_ALL && is_lua(caller) != (who == WHO_LUA))
        return false;
    return threads == THREADS_ALL ||
           is_main_thread() == (threads == THREADS_MAIN);
}

/* ---- stacks ---- */

struct stack {
    void *frames[MAX_FRAMES];
    int n;
};

static _Unwind_Reason_Code add_frame(struct _Unwind_Context *context, void *ud)
{
    struct stack *stack = ud;

    if (stack->n == MAX_FRAMES)
        return _URC_END_OF_STACK;
    stack->frames[stack->n++] = (void *)_Unwind_GetIP(context);
    return _URC_NO_REASON;
}

/* ---- calls that are spared ----
 *
 * Where a library cannot bear a failure: the function of it that allocates,
 * and the evidence in README.md. */

static const struct {
    const char *object;   /* end of the library's path */
    const char *function; /* exported, and on the stack */
} spared[] = {
    {NULL, NULL},
};

static bool is_spared(const struct stack *stack)
{
    for (int i = 0; spared[0].object && i < stack->n; i++) {
        Dl_info info;

        if (!dladdr(stack->frames[i], &info) || !info.dli_sname)
            continue;
        for (size_t s = 0; spared[s].object; s++) {
            if (strcmp(info.dli_sname, spared[s].function) == 0 &&
                strstr(info.dli_fname, spared[s].object))
                return true;
        }
    }
    return false;
}

static void report(const char *what, unsigned long call, size_t size,
                   const struct stack *stack)
{
    char line[80];
    int len;

    if (report_fd < 0)
        return;
    len = snprintf(line, sizeof(line), "%s %lu, %zu bytes\n", what, call, size);
    if (write(report_fd, line, (size_t)len) == len)
        backtrace_symbols_fd(stack->frames, stack->n, report_fd);
}

static void flush_trace(void)
{
    size_t len = n_traced * sizeof(traced[0]);

    if (trace_fd >= 0 && write(trace_fd, traced, len) != (ssize_t)len)
        abort();
    n_traced = 0;
}

/* Offsets into objects, so that it is the same in every run (FNV-1a). */
static void trace(const struct stack *stack)
{
    uint64_t hash = 0xcbf29ce484222325;

    for (int i = 0; i < stack->n && i < TRACED_FRAMES; i++) {
        Dl_info info;
        uint64_t at = (uintptr_t)stack->frames[i];

        if (dladdr(stack->frames[i], &info))
            at -= (uintptr_t)info.dli_fbase;
        hash = (hash ^ at) * 0x100000001b3;
    }
    traced[n_traced++] = hash;
    if (n_traced == TRACED)
        flush_trace();
}

/* True if this call has to fail. */
static bool fails(const void *caller, size_t size)
{
    struct stack stack = {.n = 0};
    unsigned long call;
    bool fail;

    if (!is_of_interest(caller))
        return false;
    call = ++calls;
    fail = fail_at > 0 && call >= fail_at &&
           (times == 0 || call < fail_at + times);
    if (!fail && trace_fd < 0)
        return false;
    inside = true;
    _Unwind_Backtrace(add_frame, &stack);
    if (trace_fd >= 0)
        trace(&stack);
    if (fail && is_spared(&stack)) {
        fail = false;
        report("spared", call, size, &stack);
    } else if (fail && !has_failed) {
        report("failed", call, size, &stack);
    }
    inside = false;
    if (!fail)
        return false;
    has_failed = true;
    errno = ENOMEM;
    return true;
}

/* ---- in place of malloc and its kin ---- */

#define CALLER __builtin_return_address(0)

static void *counted(void *memory)
{
    if (memory)
        live++;
    return memory;
}

void *malloc(size_t size)
{
    if (!real.malloc)
        find_real();
    if (!real.malloc)
        return early_alloc(size);
    return fails(CALLER, size) ? NULL : counted(real.malloc(size));
}

void *calloc(size_t n, size_t size)
{
    if (!real.calloc)
        find_real();
    if (!real.calloc)
        return early_alloc(n * size); /* static memory is zero */
    return fails(CALLER, n * size) ? NULL : counted(real.calloc(n, size));
}

static void *move(const void *caller, void *old, size_t size)
{
    if (!real.realloc)
        find_real();
    if (!real.realloc)
        return early_alloc(size);
    if (is_early(old)) {
        void *memory = malloc(size);

        if (memory) /* reads too much, but only of `early` */
            memcpy(memory, old,
                   size < (size_t)(early + EARLY - (char *)old)
                       ? size
                       : (size_t)(early + EARLY - (char *)old));
        return memory;
    }
    /* Lua counts on it that what shrinks does not fail; malloc never lets it
     * down.  To size 0 it is a free(). */
    if (size > 0 && !(old && size <= malloc_usable_size(old)) &&
        fails(caller, size))
        return NULL;
    if (old && size == 0)
        live--;
    return old ? real.realloc(old, size) : counted(real.realloc(old, size));
}

void *realloc(void *old, size_t size)
{
    return move(CALLER, old, size);
}

void *reallocarray(void *old, size_t n, size_t size)
{
    size_t whole;

    if (__builtin_mul_overflow(n, size, &whole)) {
        errno = ENOMEM;
        return NULL;
    }
    return move(CALLER, old, whole);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    int failed;

    if (!real.posix_memalign)
        find_real();
    if (fails(CALLER, size))
        return ENOMEM;
    failed = real.posix_memalign(out, alignment, size);
    if (!failed)
        live++;
    return failed;
}

void *memalign(size_t alignment, size_t size)
{
    if (!real.memalign)
        find_real();
    return fails(CALLER, size) ? NULL : counted(real.memalign(alignment, size));
}

void *aligned_alloc(size_t alignment, size_t size)
{
    if (!real.memalign)
        find_real();
    return fails(CALLER, size) ? NULL : counted(real.memalign(alignment, size));
}

/* A sanitizer's own would not ask malloc(). */
char *strndup(const char *text, size_t most)
{
    size_t len = strnlen(text, most);
    char *copy = malloc(len + 1);

    if (copy) {
        memcpy(copy, text, len);
        copy[len] = '\0';
    }
    return copy;
}

char *strdup(const char *text)
{
    return strndup(text, SIZE_MAX);
}

char *__strdup(const char *text);
char *__strdup(const char *text)
{
    return strndup(text, SIZE_MAX);
}

void free(void *memory)
{
    if (!memory || is_early(memory))
        return;
    live--;
    real.free(memory);
}

/* ---- for a program that it is linked into ---- */

void shim_fail_at(unsigned long n, unsigned long in_a_row)
{
    calls = 0;
    has_failed = false;
    times = in_a_row;
    fail_at = n;
    armed = true;
}

unsigned long shim_stop(void)
{
    armed = false;
    return calls;
}

void shim_pause(bool pause)
{
    inside = pause;
}

bool shim_failed(void)
{
    return has_failed;
}

long shim_live(void)
{
    return live;
}

void shim_report_to(int fd)
{
    report_fd = fd;
}

void shim_only_this_thread(void)
{
    threads = THREADS_MAIN;
}

/* ---- for a program that it is preloaded into ---- */

static int find_lua(struct dl_phdr_info *info, size_t size, void *ud)
{
    (void)size;
    (void)ud;
    if (!strstr(info->dlpi_name, "/liblua5"))
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];

        if (part->p_type == PT_LOAD && (part->p_flags & PF_X)) {
            lua_from = info->dlpi_addr + part->p_vaddr;
            lua_to = lua_from + part->p_memsz;
        }
    }
    return 1;
}

static bool is_set_to(const char *name, const char *value)
{
    const char *is = getenv(name);

    return is && strcmp(is, value) == 0;
}

static int open_named(const char *name)
{
    const char *path = getenv(name);

    return path ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)
                : -1;
}

static void begin(void)
{
    const char *at = getenv("TORTURE_AT");
    const char *times_text = getenv("TORTURE_TIMES");
    dl_iterate_phdr(find_lua, NULL);
    fail_at = at ? strtoul(at, NULL, 10) : 0;
    times = times_text ? strtoul(times_text, NULL, 10) : 1;
    who = is_set_to("TORTURE_WHO", "lua")    ? WHO_LUA
          : is_set_to("TORTURE_WHO", "rest") ? WHO_REST
                                             : WHO_ALL;
    threads = is_set_to("TORTURE_THREADS", "main")     ? THREADS_MAIN
              : is_set_to("TORTURE_THREADS", "others") ? THREADS_OTHERS
                                                       : THREADS_ALL;
    report_fd = open_named("TORTURE_REPORT");
    trace_fd = open_named("TORTURE_TRACE");
    armed = true;
}

__attribute__((destructor)) static void end(void)
{
    char line[40];
    int len;

    armed = false;
    flush_trace();
    if (report_fd < 0)
        return;
    len = snprintf(line, sizeof(line), "calls %lu\n", calls);
    if (write(report_fd, line, (size_t)len) != len)
        abort();
}

/* What libcurl gave back would serve it again without a call of malloc, and so
 * could not fail. */
static void keep_nothing(void)
{
    void (*keep)(size_t bytes) =
        (void (*)(size_t))(uintptr_t)dlsym(RTLD_DEFAULT, "weir_curl_keep");

    if (keep)
        keep(0);
}

/* Before main() the libraries make themselves ready, which is not ours to
 * mend: counting begins here. */
int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv,
                      void (*init)(void), void (*fini)(void),
                      void (*rtld_fini)(void), void *stack_end);
int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv,
                      void (*init)(void), void (*fini)(void),
                      void (*rtld_fini)(void), void *stack_end)
{
    int (*start)(int (*)(int, char **, char **), int, char **, void (*)(void),
                 void (*)(void), void (*)(void), void *) =
        (int (*)(int (*)(int, char **, char **), int, char **, void (*)(void),
                 void (*)(void), void (*)(void),
                 void *))(uintptr_t)dlsym(RTLD_NEXT, "__libc_start_main");

    keep_nothing();
    if (getenv("TORTURE_AT"))
        begin();
    return start(main, argc, argv, init, fini, rtld_fini, stack_end);
}
