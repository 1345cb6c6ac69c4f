/* reply: what auth and client read from a server's answer alike, and how
 * they say it. */
#ifndef WEIR_REPLY_INTERNAL_H
#define WEIR_REPLY_INTERNAL_H

#include <stddef.h>

#include "weir/err.h"
#include "weir/http.h"
#include "weir/json.h"
#include "weir/retry.h"

/* Longest text of a server that goes into a message, with its NUL. */
#define WEIR_REPLY_TEXT 384

/* Copies foreign text as one line that is safe on a terminal: control and
 * direction-changing characters and runs of space become one space, what is
 * not UTF-8 becomes '?'; cut to `size` with an ellipsis. */
void weir_reply_line(char *out, size_t size, const char *text, size_t len);

/* "404 Not Found", or the number alone; `out` has room for 48 bytes. */
#define WEIR_REPLY_STATUS 48
void weir_reply_status(char out[WEIR_REPLY_STATUS], int status);

/* The server's own name for the request, or NULL. */
const char *weir_reply_request_id(const struct weir_http_response *response);

/* Fills method, url (redacted), attempts and, where there is a response,
 * status, reach and request_id. */
void weir_reply_identify(struct weir_err *err, const char *method,
                         const char *url, unsigned attempts,
                         const struct weir_http_response *response);

/* The body as a document, or NULL if it is none or too large to be worth
 * reading for a message. */
struct weir_json *weir_reply_document(const struct weir_http_response *r);
/* The same for an answer with a secret in it: weir_json_wipe() it.  WEIR_OK,
 * WEIR_NOMEM. */
enum weir_code weir_reply_secret(const struct weir_http_response *r,
                                 struct weir_json **out);

/* What the rules of retrying look at.  `values` stays the caller's and must
 * outlive the decision. */
#define WEIR_REPLY_RETRY_AFTER 4
void weir_reply_retry_input(struct weir_retry_input *input,
                            const struct weir_http_response *response,
                            const struct weir_err *err,
                            const char *values[WEIR_REPLY_RETRY_AFTER]);

/* `about` and "503 from the server: again in 2.1 s (attempt 2 of 4)" for a
 * progress note; `attempt` is the one to come. */
void weir_reply_note(struct weir_op *op, const char *about,
                     const struct weir_http_response *response,
                     const struct weir_err *err, int64_t wait_ms,
                     unsigned attempt, unsigned attempts);

/* Appends to the message why there is no further attempt ("; 4 attempts
 * made", "; the server asks to wait 3600.0 s, …"). */
void weir_reply_gave_up(struct weir_err *err,
                        const struct weir_retry_policy *policy,
                        const struct weir_retry_decision *decision,
                        unsigned attempts);

#endif
