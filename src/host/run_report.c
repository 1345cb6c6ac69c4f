#include "run_report.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "exit.h"
#include "files.h"
#include "weir/buf.h"
#include "weir/json.h"
#include "weir/version.h"

#define MAX_HEAD      ((size_t)8 << 20)
#define MAX_TENANTS   16
#define MAX_ARGUMENTS 1024 /* that are shown */

/* A run has one report, and a signal has no argument to find it by. */
static struct {
    atomic_bool open;
    pid_t pid;
    struct host_files_place place;
    const struct weir_log *log;
    const struct weir_changes *changes;
    struct timespec started; /* monotonic */
    char start[32];
    char machine[256];

    char *kind, *path, *name, *version, *sha256, *signer, *signer_name;
    char **arguments;
    size_t n_arguments;
    char *context;
    bool simulated, dry_run;
    struct {
        char *name, *base_url;
    } tenants[MAX_TENANTS];
    size_t n_tenants;
    char *error_code, *error_message;

    /* All but the end as text: replaced as a whole, so that an end that
     * cannot wait finds the last one.  Those before it are kept, since such an
     * end may be reading one. */
    _Atomic(struct head *) head;
} report;

struct head {
    struct head *older;
    size_t len;
    char text[];
};

/* ---- time ---- */

/* "2026-11-26T03:04:05Z" of a time since the epoch, with nothing that a signal
 * handler may not use (civil_from_days of Howard Hinnant's chrono notes). */
static void write_time(int64_t seconds, char out[32])
{
    int64_t days = seconds / 86400 + 719468;
    unsigned rest = (unsigned)(seconds % 86400);
    unsigned era = (unsigned)(days / 146097);
    unsigned day = (unsigned)(days % 146097);
    unsigned year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    unsigned of_year = day - (365 * year + year / 4 - year / 100);
    unsigned month = (5 * of_year + 2) / 153;
    unsigned parts[6];
    static const char form[] = "0000-00-00T00:00:00Z";
    static const char ends[] = {3, 6, 9, 12, 15, 18};

    parts[2] = of_year - (153 * month + 2) / 5 + 1;
    parts[1] = month < 10 ? month + 3 : month - 9;
    parts[0] = year + era * 400 + (parts[1] <= 2);
    parts[3] = rest / 3600;
    parts[4] = rest / 60 % 60;
    parts[5] = rest % 60;
    memcpy(out, form, sizeof(form));
    for (size_t i = 0; i < sizeof(ends); i++) {
        char *at = out + ends[i];

        for (unsigned value = parts[i]; value > 0; value /= 10)
            *at-- = (char)('0' + value % 10);
    }
}

static void write_now(char out[32])
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    write_time(now.tv_sec, out);
}

/* ---- what is known before the end ---- */

/* A JSON string without secrets, or null. */
static void add_text(struct weir_buf *out, const char *text)
{
    struct weir_buf redacted;

    if (!text) {
        weir_buf_adds(out, "null");
        return;
    }
    weir_buf_init(&redacted, MAX_HEAD);
    if (weir_log_redact(report.log, text, strlen(text), &redacted) ||
        weir_json_quote(out, weir_buf_str(&redacted), redacted.len))
        weir_buf_adds(out, "\"[not shown]\"");
    weir_buf_fini(&redacted);
}

static void add_member(struct weir_buf *out, const char *before,
                       const char *name, const char *text)
{
    weir_buf_addf(out, "%s\"%s\": ", before, name);
    add_text(out, text);
}

static void add_program(struct weir_buf *out)
{
    add_member(out, ",\n  \"program\": {\n    ", "kind", report.kind);
    add_member(out, ",\n    ", "path", report.path);
    add_member(out, ",\n    ", "name", report.name);
    add_member(out, ",\n    ", "version", report.version);
    add_member(out, ",\n    ", "sha256", report.sha256);
    add_member(out, ",\n    ", "signer", report.signer);
    add_member(out, ",\n    ", "signer_name", report.signer_name);
    weir_buf_adds(out, "\n  },\n  \"arguments\": [");
    for (size_t i = 0; i < report.n_arguments; i++) {
        weir_buf_adds(out, i ? ", " : "");
        add_text(out, report.arguments[i]);
    }
    weir_buf_addc(out, ']');
}

static void add_where(struct weir_buf *out)
{
    add_member(out, ",\n  ", "machine", report.machine);
    add_member(out, ",\n  ", "weir", weir_version());
    add_member(out, ",\n  ", "context", report.context);
    weir_buf_addf(out, ",\n  \"simulator\": %s,\n  \"dry_run\": %s",
                  report.simulated ? "true" : "false",
                  report.dry_run ? "true" : "false");
    weir_buf_adds(out, ",\n  \"tenants\": [");
    for (size_t i = 0; i < report.n_tenants; i++) {
        add_member(out, i ? ", {" : "{", "name", report.tenants[i].name);
        add_member(out, ", ", "base_url", report.tenants[i].base_url);
        weir_buf_addc(out, '}');
    }
    weir_buf_addc(out, ']');
}

static void add_error(struct weir_buf *out)
{
    if (!report.error_message) {
        weir_buf_adds(out, ",\n  \"error\": null");
        return;
    }
    add_member(out, ",\n  \"error\": {", "code", report.error_code);
    add_member(out, ", ", "message", report.error_message);
    weir_buf_addc(out, '}');
}

/* Without memory the head before it stays. */
static void publish(void)
{
    struct weir_buf text;
    struct head *head;

    if (!report.open)
        return;
    weir_buf_init(&text, MAX_HEAD);
    weir_buf_addf(&text, "{\n  \"format\": %d", HOST_RUN_REPORT_FORMAT);
    add_program(&text);
    add_where(&text);
    add_error(&text);
    add_member(&text, ",\n  ", "start", report.start);
    head = text.failed ? NULL : malloc(sizeof(*head) + text.len);
    if (head) {
        head->older = report.head;
        head->len = text.len;
        memcpy(head->text, text.data, text.len);
        report.head = head;
    }
    weir_buf_fini(&text);
}

/* ---- writing: what a signal handler may do, too ---- */

struct out {
    int fd;
    int number; /* errno of the first failure */
    size_t used;
    char bytes[4096];
};

static void flush(struct out *out)
{
    if (!out->number && out->used > 0)
        out->number = host_files_write(out->fd, out->bytes, out->used);
    out->used = 0;
}

static void put(void *ud, const char *text, size_t len)
{
    struct out *out = ud;

    if (out->used + len > sizeof(out->bytes))
        flush(out);
    if (len > sizeof(out->bytes)) {
        if (!out->number)
            out->number = host_files_write(out->fd, text, len);
        return;
    }
    memcpy(out->bytes + out->used, text, len);
    out->used += len;
}

static void puts_to(struct out *out, const char *text)
{
    put(out, text, strlen(text));
}

static void put_number(struct out *out, const char *before, long long number)
{
    char digits[24];
    char *at = digits + sizeof(digits);
    unsigned long long left =
        number < 0 ? -(unsigned long long)number : (unsigned long long)number;

    do {
        *--at = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    puts_to(out, before);
    if (number < 0)
        puts_to(out, "-");
    put(out, at, (size_t)(digits + sizeof(digits) - at));
}

/* Seconds with three places. */
static void put_seconds(struct out *out, const char *before, long long ms)
{
    char places[] = ".000";

    put_number(out, before, ms / 1000);
    places[1] = (char)('0' + ms / 100 % 10);
    places[2] = (char)('0' + ms / 10 % 10);
    places[3] = (char)('0' + ms % 10);
    puts_to(out, places);
}

static long long ms_of(const struct timeval *time)
{
    return (long long)time->tv_sec * 1000 + time->tv_usec / 1000;
}

static void put_spent(struct out *out)
{
    struct timespec now;
    struct rusage usage;

    clock_gettime(CLOCK_MONOTONIC, &now);
    getrusage(RUSAGE_SELF, &usage);
    put_seconds(out, ",\n  \"spent\": {\"seconds\": ",
                (long long)(now.tv_sec - report.started.tv_sec) * 1000 +
                    (now.tv_nsec - report.started.tv_nsec) / 1000000);
    put_seconds(out, ", \"cpu_seconds\": ",
                ms_of(&usage.ru_utime) + ms_of(&usage.ru_stime));
    put_number(out, ", \"memory_bytes\": ", (long long)usage.ru_maxrss * 1024);
    puts_to(out, "}");
}

static void put_changes(struct out *out)
{
    struct weir_changes_counts counts = weir_changes_counts(report.changes);
    unsigned long all = 0;

    puts_to(out, ",\n  \"counts\": {");
    for (int i = 0; i < WEIR_CHANGE_OUTCOMES; i++) {
        puts_to(out, i ? ", \"" : "\"");
        puts_to(out, weir_change_word((enum weir_change_outcome)i));
        put_number(out, "\": ", (long long)counts.of[i]);
        all += counts.of[i];
    }
    put_number(out, ", \"under_way\": ", (long long)counts.under_way);
    put_number(out, "},\n  \"more\": ", (long long)counts.more);
    puts_to(out, ",\n  \"changes\": [");
    if (all > 0) {
        puts_to(out, "\n    ");
        weir_changes_text(report.changes, put, out);
        puts_to(out, "\n  ");
    }
    puts_to(out, "]\n}\n");
}

struct end {
    int code;
    const char *how; /* NULL: not yet */
    const char *why; /* of a "killed" one */
};

/* Returns 0 or an errno. */
static int write_report(void *ud, int fd)
{
    const struct end *end = ud;
    const struct head *head = report.head;
    struct out out = {.fd = fd};
    char now[32];

    write_now(now);
    put(&out, head->text, head->len);
    puts_to(&out, ",\n  \"end\": ");
    puts_to(&out, end->how ? "\"" : "null");
    puts_to(&out, end->how ? now : "");
    puts_to(&out, end->how ? "\",\n  \"outcome\": \"" : ",\n  \"outcome\": \"");
    puts_to(&out, end->how ? end->how : "running");
    if (end->how)
        put_number(&out, "\",\n  \"exit_code\": ", end->code);
    else
        puts_to(&out, "\",\n  \"exit_code\": null");
    puts_to(&out, ",\n  \"killed_by\": ");
    puts_to(&out, end->why ? "\"" : "null");
    puts_to(&out, end->why ? end->why : "");
    puts_to(&out, end->why ? "\"" : "");
    put_spent(&out);
    put_changes(&out);
    flush(&out);
    return out.number;
}

/* ---- what is told ---- */

/* Best effort: what is wrong with the place has been told at the beginning or
 * will be at the end. */
static void store(void)
{
    struct end end = {.how = NULL};

    if (report.open)
        host_files_place_put(&report.place, write_report, &end);
}

static void set(char **field, const char *text)
{
    free(*field);
    *field = text ? strdup(text) : NULL;
}

void host_run_report_program(const struct host_run_program *program)
{
    if (!report.open)
        return;
    set(&report.kind, program->kind);
    set(&report.path, program->path);
    set(&report.name, program->name);
    set(&report.version, program->version);
    set(&report.sha256, program->sha256);
    set(&report.signer, program->signer);
    set(&report.signer_name, program->signer_name);
    report.arguments = program->arguments;
    report.n_arguments = program->n_arguments < MAX_ARGUMENTS
                             ? program->n_arguments
                             : MAX_ARGUMENTS;
    publish();
    store();
}

void host_run_report_where(const char *context, bool simulated)
{
    if (!report.open)
        return;
    set(&report.context, context);
    report.simulated = simulated;
    publish();
}

void host_run_report_dry_run(void)
{
    report.dry_run = true;
    publish();
}

bool host_run_report_tenant(const char *name, const char *base_url)
{
    if (report.n_tenants == MAX_TENANTS)
        return false;
    for (size_t i = 0; i < report.n_tenants; i++) {
        if (strcmp(report.tenants[i].name, name) == 0 &&
            strcmp(report.tenants[i].base_url, base_url) == 0)
            return false;
    }
    set(&report.tenants[report.n_tenants].name, name);
    set(&report.tenants[report.n_tenants].base_url, base_url);
    if (!report.tenants[report.n_tenants].name ||
        !report.tenants[report.n_tenants].base_url)
        return false;
    report.n_tenants++;
    publish();
    store();
    return true;
}

bool host_run_report_asked(void)
{
    return report.open;
}

void host_run_report_failure(const char *code, const char *message)
{
    if (!report.open || report.error_message)
        return;
    set(&report.error_code, code);
    set(&report.error_message, message);
    publish();
}

/* ---- begin and end ---- */

/* A child that a script made is not the run. */
static void last_word(int code, const char *why)
{
    struct end end = {code, "killed", why};

    if (report.open && getpid() == report.pid)
        host_files_place_put(&report.place, write_report, &end);
}

static void forget(void)
{
    struct head *older;

    for (struct head *head = report.head; head; head = older) {
        older = head->older;
        free(head);
    }
    report.head = NULL;
    set(&report.kind, NULL);
    set(&report.path, NULL);
    set(&report.name, NULL);
    set(&report.version, NULL);
    set(&report.sha256, NULL);
    set(&report.signer, NULL);
    set(&report.signer_name, NULL);
    set(&report.context, NULL);
    set(&report.error_code, NULL);
    set(&report.error_message, NULL);
    for (size_t i = 0; i < report.n_tenants; i++) {
        set(&report.tenants[i].name, NULL);
        set(&report.tenants[i].base_url, NULL);
    }
    report.n_tenants = 0;
    host_files_place_close(&report.place);
}

static bool is_same(const char *path, const char *other)
{
    struct stat a, b;

    return other && stat(path, &a) == 0 && stat(other, &b) == 0 &&
           a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

enum weir_code host_run_report_begin(const char *path, const char *program,
                                     const struct weir_log *log,
                                     const struct weir_changes *changes,
                                     struct weir_err *err)
{
    struct end end = {.how = NULL};
    int number;

    if (is_same(path, program))
        return weir_err_set(err, WEIR_CONFIG,
                            "--report: %s is what is to be run, and would be "
                            "replaced",
                            path);
    if (host_files_place_open(path, &report.place, err)) {
        weir_err_prefix(err, "--report: ");
        return err->code;
    }
    report.pid = getpid();
    report.log = log;
    report.changes = changes;
    clock_gettime(CLOCK_MONOTONIC, &report.started);
    write_now(report.start);
    if (gethostname(report.machine, sizeof(report.machine) - 1) != 0)
        report.machine[0] = '\0';
    set(&report.path, program);
    report.open = true;
    publish();
    number = report.head
                 ? host_files_place_put(&report.place, write_report, &end)
                 : ENOMEM;
    if (number != 0) {
        report.open = false;
        forget();
        return weir_err_set(err, WEIR_CONFIG, "--report: %s: %s", path,
                            strerror(number));
    }
    host_exit_last_word(last_word);
    return WEIR_OK;
}

const char *host_run_report_word(int code)
{
    return code == HOST_EXIT_DONE ? "done" : "failed";
}

bool host_run_report_end(int code, const char *how)
{
    struct end end = {.code = code, .how = how};
    int number;

    if (!report.open || getpid() != report.pid)
        return true;
    publish(); /* secrets that were met later are redacted now */
    number = host_files_place_put(&report.place, write_report, &end);
    if (number != 0) {
        fprintf(stderr,
                "weir: the report of this run could not be written: %s; "
                "here it is\n",
                strerror(number));
        fflush(stderr);
        write_report(&end, STDERR_FILENO);
    }
    report.open = false;
    host_exit_last_word(NULL);
    forget();
    return number == 0;
}
