#include "run_report.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "exit.h"
#include "run_report_internal.h"
#include "weir/cut.h"
#include "weir/json.h"

/* Of tenants for which there is no room, that they are known. */
#define MAX_LEFT_OUT 1024

/* A run has one report, and a signal has no argument to find it by. */
static struct {
    atomic_bool open;
    pid_t pid;
    struct host_files_place place;
    const struct weir_log *log;
    const struct weir_changes *changes;
    struct timespec started; /* monotonic */
    struct host_run_facts facts;
    uint64_t left_out[MAX_LEFT_OUT];
    atomic_size_t n_left_out;

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

/* Without memory the head before it stays; so it does where nothing is new.
 * True if there is a new one. */
static bool publish(void)
{
    const struct head *last = report.head;
    struct head *head = NULL;
    struct weir_buf text;

    if (!report.open)
        return false;
    weir_buf_init(&text, HOST_RUN_REPORT_HEAD);
    host_run_report_head(&report.facts, report.log, &text);
    if (!text.failed && (!last || last->len != text.len ||
                         memcmp(last->text, text.data, text.len) != 0))
        head = malloc(sizeof(*head) + text.len);
    if (head) {
        head->older = report.head;
        head->len = text.len;
        memcpy(head->text, text.data, text.len);
        report.head = head;
    }
    weir_buf_fini(&text);
    return head != NULL;
}

/* ---- writing: what a signal handler may do, too ---- */

struct out {
    int fd;
    int number;    /* errno of the first failure */
    bool one_line; /* a new line is a space: JSON has none inside a text */
    size_t used;
    char bytes[4096];
};

static void flush(struct out *out)
{
    for (size_t i = 0; out->one_line && i < out->used; i++) {
        if (out->bytes[i] == '\n')
            out->bytes[i] = ' ';
    }
    if (!out->number && out->used > 0)
        out->number = host_files_write(out->fd, out->bytes, out->used);
    out->used = 0;
}

static void put(void *ud, const char *text, size_t len)
{
    struct out *out = ud;

    while (len > 0) {
        size_t room = sizeof(out->bytes) - out->used;
        size_t part = len < room ? len : room;

        memcpy(out->bytes + out->used, text, part);
        out->used += part;
        text += part;
        len -= part;
        if (out->used == sizeof(out->bytes))
            flush(out);
    }
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
    puts_to(out, "]\n}");
}

struct end {
    int code;
    const char *how; /* NULL: not yet */
    const char *why; /* of a "killed" one */
};

static void put_report(struct out *out, const struct end *end)
{
    const struct head *head = report.head;
    char now[32];

    write_now(now);
    put(out, head->text, head->len);
    put_number(out,
               ",\n  \"tenants_left_out\": ", (long long)report.n_left_out);
    puts_to(out, ",\n  \"end\": ");
    puts_to(out, end->how ? "\"" : "null");
    puts_to(out, end->how ? now : "");
    puts_to(out, end->how ? "\",\n  \"outcome\": \"" : ",\n  \"outcome\": \"");
    puts_to(out, end->how ? end->how : "running");
    if (end->how)
        put_number(out, "\",\n  \"exit_code\": ", end->code);
    else
        puts_to(out, "\",\n  \"exit_code\": null");
    puts_to(out, ",\n  \"killed_by\": ");
    puts_to(out, end->why ? "\"" : "null");
    puts_to(out, end->why ? end->why : "");
    puts_to(out, end->why ? "\"" : "");
    put_spent(out);
    put_changes(out);
}

/* Returns 0 or an errno. */
static int write_report(void *ud, int fd)
{
    struct out out = {.fd = fd};

    put_report(&out, ud);
    puts_to(&out, "\n");
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

/* A copy, cut where it is longer than a report needs. */
static char *copy_of(const char *text)
{
    size_t len = strlen(text), size = len < 8 ? 8 : len + 1;
    char *copy;

    if (size > HOST_RUN_REPORT_TEXT)
        size = HOST_RUN_REPORT_TEXT;
    copy = malloc(size);
    return copy ? weir_cut_copy(copy, size, text, len) : NULL;
}

static void set(char **field, const char *text)
{
    free(*field);
    *field = text ? copy_of(text) : NULL;
}

void host_run_report_program(const struct host_run_program *program)
{
    struct host_run_facts *facts = &report.facts;

    if (!report.open)
        return;
    set(&facts->kind, program->kind);
    set(&facts->path, program->path);
    set(&facts->name, program->name);
    set(&facts->version, program->version);
    set(&facts->sha256, program->sha256);
    set(&facts->signer, program->signer);
    set(&facts->signer_name, program->signer_name);
    publish();
    store();
}

void host_run_report_where(const char *context, bool simulated)
{
    if (!report.open)
        return;
    set(&report.facts.context, context);
    report.facts.simulated = simulated;
    publish();
}

/* FNV-1a, both texts with their ends. */
static uint64_t mark_of(const char *name, const char *base_url)
{
    const char *const texts[] = {name, base_url};
    uint64_t mark = 14695981039346656037u;

    for (int i = 0; i < 2; i++) {
        const char *at = texts[i];

        do {
            mark = (mark ^ (unsigned char)*at) * 1099511628211u;
        } while (*at++);
    }
    return mark;
}

static bool is_known(const char *name, const char *base_url, uint64_t mark)
{
    const struct host_run_facts *facts = &report.facts;

    for (size_t i = 0; i < facts->n_tenants; i++) {
        if (strcmp(facts->tenants[i].name, name) == 0 &&
            strcmp(facts->tenants[i].base_url, base_url) == 0)
            return true;
    }
    for (size_t i = 0; i < report.n_left_out && i < MAX_LEFT_OUT; i++) {
        if (report.left_out[i] == mark)
            return true;
    }
    return false;
}

static bool keep_tenant(const char *name, const char *base_url)
{
    struct host_run_facts *facts = &report.facts;
    size_t n = facts->n_tenants;

    if (n == HOST_RUN_REPORT_TENANTS)
        return false;
    set(&facts->tenants[n].name, name);
    set(&facts->tenants[n].base_url, base_url);
    if (!facts->tenants[n].name || !facts->tenants[n].base_url)
        return false;
    facts->n_tenants++;
    return true;
}

bool host_run_report_tenant(const char *name, const char *base_url)
{
    uint64_t mark = mark_of(name, base_url);

    if (is_known(name, base_url, mark))
        return false;
    if (!keep_tenant(name, base_url)) {
        if (report.n_left_out < MAX_LEFT_OUT)
            report.left_out[report.n_left_out] = mark;
        report.n_left_out++;
    }
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
    if (!report.open || report.facts.error_message)
        return;
    set(&report.facts.error_code, code);
    set(&report.facts.error_message, message);
    publish();
}

void host_run_report_secret(void)
{
    if (publish())
        store();
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
    host_run_facts_fini(&report.facts);
    report.n_left_out = 0;
    host_files_place_close(&report.place);
}

static void know(const struct host_run_start *start)
{
    struct host_run_facts *facts = &report.facts;

    host_run_facts_fini(facts);
    set(&facts->path, start->program);
    facts->arguments = start->arguments;
    facts->n_arguments = start->n_arguments;
    facts->dry_run = start->dry_run;
    write_now(facts->start);
    if (gethostname(facts->machine, sizeof(facts->machine) - 1) != 0)
        facts->machine[0] = '\0';
}

enum weir_code host_run_report_begin(const char *path,
                                     const struct host_run_start *start,
                                     const struct weir_log *log,
                                     const struct weir_changes *changes,
                                     struct weir_err *err)
{
    struct end end = {.how = NULL};
    int number;

    if (host_run_report_place(path, start->program, &report.place, err)) {
        weir_err_prefix(err, "--report: ");
        return err->code;
    }
    report.pid = getpid();
    report.log = log;
    report.changes = changes;
    clock_gettime(CLOCK_MONOTONIC, &report.started);
    know(start);
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

/* The report that has no place, on standard error: as text after the reason,
 * or as a member of the object that says it. */
static void show(const struct end *end, const char *reason, bool json)
{
    struct out out = {.fd = STDERR_FILENO, .one_line = json};
    struct weir_buf quoted;
    char now[32];

    weir_buf_init(&quoted, HOST_RUN_REPORT_TEXT);
    fflush(stderr);
    if (json && weir_json_quote(&quoted, reason, strlen(reason)) == WEIR_OK) {
        write_now(now);
        puts_to(&out, "{\"time\":\"");
        puts_to(&out, now);
        puts_to(&out, "\",\"level\":\"error\",\"message\":");
        puts_to(&out, weir_buf_str(&quoted));
        puts_to(&out, ",\"report\":");
        put_report(&out, end);
        puts_to(&out, "}");
        flush(&out);
        out.one_line = false;
    } else {
        puts_to(&out, "weir: ");
        puts_to(&out, reason);
        puts_to(&out, "; here it is\n");
        put_report(&out, end);
    }
    puts_to(&out, "\n");
    flush(&out);
    weir_buf_fini(&quoted);
}

/* A run whose report is lost does not count as done, and says so wherever it
 * is read. */
static void show_lost(struct end *end, int number, bool json)
{
    char reason[256];

    weir_cut_printf(reason, sizeof(reason),
                    "the report of this run could not be written: %s",
                    strerror(number));
    host_run_report_failure(weir_code_word(WEIR_IO), reason);
    if (end->code == HOST_EXIT_DONE) {
        end->code = HOST_EXIT_FAILED;
        end->how = host_run_report_word(end->code);
    }
    show(end, reason, json);
}

int host_run_report_end(int code, const char *how, bool json)
{
    struct end end = {.code = code, .how = how};
    int number;

    if (!report.open || getpid() != report.pid)
        return code;
    number = host_files_place_put(&report.place, write_report, &end);
    if (number != 0)
        show_lost(&end, number, json);
    report.open = false;
    host_exit_last_word(NULL);
    forget();
    return end.code;
}
