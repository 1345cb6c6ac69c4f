/* The beginning of a run's report: what is known before the end. */
#include <stdlib.h>
#include <string.h>

#include "run_report.h"
#include "run_report_internal.h"
#include "weir/json.h"
#include "weir/value.h"
#include "weir/version.h"

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD, for what is no UTF-8 */

/* JSON has no other text than UTF-8; an argument can be any bytes. */
static void add_utf8(struct weir_buf *out, const char *text, size_t len)
{
    while (len > 0) {
        size_t valid = weir_utf8_valid(text, len);

        weir_buf_add(out, text, valid);
        if (valid == len)
            break;
        weir_buf_adds(out, REPLACEMENT);
        text += valid + 1;
        len -= valid + 1;
    }
}

/* A JSON string without secrets, or null. */
static void add_text(struct weir_buf *out, const struct weir_log *log,
                     const char *text)
{
    struct weir_buf redacted, clean;

    if (!text) {
        weir_buf_adds(out, "null");
        return;
    }
    weir_buf_init(&redacted, HOST_RUN_REPORT_HEAD);
    weir_buf_init(&clean, HOST_RUN_REPORT_HEAD);
    if (weir_log_redact(log, text, strlen(text), &redacted) == WEIR_OK)
        add_utf8(&clean, weir_buf_str(&redacted), redacted.len);
    else
        weir_buf_adds(&clean, "[not shown]");
    if (clean.failed || weir_json_quote(out, weir_buf_str(&clean), clean.len))
        weir_buf_adds(out, "\"[not shown]\"");
    weir_buf_fini(&redacted);
    weir_buf_fini(&clean);
}

struct writing {
    struct weir_buf *out;
    const struct weir_log *log;
};

static void add_member(const struct writing *to, const char *before,
                       const char *name, const char *text)
{
    weir_buf_addf(to->out, "%s\"%s\": ", before, name);
    add_text(to->out, to->log, text);
}

/* Those that are shown come first, each whole. */
static void add_arguments(const struct writing *to,
                          const struct host_run_facts *facts)
{
    struct weir_buf one;
    size_t n = 0, bytes = 0;

    weir_buf_init(&one, HOST_RUN_REPORT_HEAD);
    weir_buf_adds(to->out, ",\n  \"arguments\": [");
    for (; n < facts->n_arguments; n++) {
        weir_buf_reset(&one);
        /* Quotes, and a comma; what is longer need not be looked at. */
        if (bytes + strlen(facts->arguments[n]) + 4 > HOST_RUN_REPORT_ARGUMENTS)
            break;
        add_text(&one, to->log, facts->arguments[n]);
        bytes += one.len + 2;
        if (one.failed || bytes > HOST_RUN_REPORT_ARGUMENTS)
            break;
        weir_buf_adds(to->out, n ? ", " : "");
        weir_buf_add(to->out, one.data, one.len);
    }
    weir_buf_fini(&one);
    weir_buf_addf(to->out, "],\n  \"arguments_left_out\": %zu",
                  facts->n_arguments - n);
}

static void add_program(const struct writing *to,
                        const struct host_run_facts *facts)
{
    add_member(to, ",\n  \"program\": {\n    ", "kind", facts->kind);
    add_member(to, ",\n    ", "path", facts->path);
    add_member(to, ",\n    ", "name", facts->name);
    add_member(to, ",\n    ", "version", facts->version);
    add_member(to, ",\n    ", "sha256", facts->sha256);
    add_member(to, ",\n    ", "signer", facts->signer);
    add_member(to, ",\n    ", "signer_name", facts->signer_name);
    weir_buf_adds(to->out, "\n  }");
    add_arguments(to, facts);
}

static void add_error(const struct writing *to,
                      const struct host_run_facts *facts)
{
    if (!facts->error_message) {
        weir_buf_adds(to->out, ",\n  \"error\": null");
        return;
    }
    add_member(to, ",\n  \"error\": {", "code", facts->error_code);
    add_member(to, ", ", "message", facts->error_message);
    weir_buf_addc(to->out, '}');
}

static void add_tenants(const struct writing *to,
                        const struct host_run_facts *facts)
{
    weir_buf_adds(to->out, ",\n  \"tenants\": [");
    for (size_t i = 0; i < facts->n_tenants; i++) {
        add_member(to, i ? ", {" : "{", "name", facts->tenants[i].name);
        add_member(to, ", ", "base_url", facts->tenants[i].base_url);
        weir_buf_addc(to->out, '}');
    }
    weir_buf_addc(to->out, ']');
}

void host_run_report_head(const struct host_run_facts *facts,
                          const struct weir_log *log, struct weir_buf *out)
{
    const struct writing to = {out, log};

    weir_buf_addf(out, HOST_RUN_REPORT_OPENING "%d", HOST_RUN_REPORT_FORMAT);
    add_program(&to, facts);
    add_member(&to, ",\n  ", "machine", facts->machine);
    add_member(&to, ",\n  ", "weir", weir_version());
    add_member(&to, ",\n  ", "context", facts->context);
    weir_buf_addf(out, ",\n  \"simulator\": %s,\n  \"dry_run\": %s",
                  facts->simulated ? "true" : "false",
                  facts->dry_run ? "true" : "false");
    add_error(&to, facts);
    add_member(&to, ",\n  ", "start", facts->start);
    add_tenants(&to, facts);
}

void host_run_facts_fini(struct host_run_facts *facts)
{
    free(facts->kind);
    free(facts->path);
    free(facts->name);
    free(facts->version);
    free(facts->sha256);
    free(facts->signer);
    free(facts->signer_name);
    free(facts->context);
    free(facts->error_code);
    free(facts->error_message);
    for (size_t i = 0; i < facts->n_tenants; i++) {
        free(facts->tenants[i].name);
        free(facts->tenants[i].base_url);
    }
    *facts = (struct host_run_facts){.n_tenants = 0};
}
