/*
 * trace: every request and its answer, shown on stderr as they happen.
 *
 * What carries credentials is masked by its name here, before the log's
 * redaction takes out what it knows: an answer can bring a secret that nobody
 * has told it of yet.
 */
#ifndef HOST_TRACE_H
#define HOST_TRACE_H

#include <stdbool.h>

#include "weir/buf.h"
#include "weir/http_trace.h"

struct host_session;

struct host_trace {
    struct host_session *session;
    struct weir_http_observer observer;
    bool on;
};

/* Switches it; the trace must outlive the session's loop. */
void host_trace_switch(struct host_trace *trace, struct host_session *session,
                       bool on);

/* Appends `text` with the values of members and fields masked whose names say
 * that they are secret ("client_secret", "access_token"): JSON, forms, queries.
 */
void host_trace_mask(struct weir_buf *out, const char *text, size_t len);

#endif
