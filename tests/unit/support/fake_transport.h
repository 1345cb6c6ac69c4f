/*
 * fake_transport: a struct weir_transport that answers from a list.
 *
 * Answers are given in the order in which they were added, whatever is asked
 * for; every request is kept for the test to look at.  A request for which
 * no answer is left fails the test and prints the request.
 *
 *     struct fake_transport fake;
 *     fake_transport_init(&fake);
 *     fake_transport_answer(&fake, 503, "Retry-After: 2", "");
 *     fake_transport_answer(&fake, 200, "ETag: \"1\"\nX-A: b", "{}");
 *     fake_transport_delay(&fake, 300);       // of the answer last added
 *     fake_transport_fail(&fake, WEIR_TRANSPORT, WEIR_REACH_MAYBE, "reset");
 *     config.transport = &fake.transport;
 *     ...
 *     assert_string_equal(fake.requests[0].url, "https://x.test/a");
 *     assert_int_equal(fake_transport_left(&fake), 0);
 *     fake_transport_fini(&fake);
 */
#ifndef FAKE_TRANSPORT_H
#define FAKE_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir/http.h"

/* A request as it was asked for. */
struct fake_request {
    char *method;
    char *url;
    struct weir_header *headers;
    size_t n_headers;
    char *body; /* NULL: none; NUL-terminated as well */
    size_t body_len;
    bool once;
    bool allow_plain_http;
    struct weir_http_limits limits;
    int64_t time;   /* of the loop's clock, when the op was started */
    bool started;   /* weir_op_start was called on it */
    bool cancelled; /* cancelled before its answer came */
};

struct fake_answer;

struct fake_transport {
    struct weir_transport transport; /* hand this over */
    struct fake_request *requests;   /* may move when a request comes in */
    size_t n_requests;
    size_t live; /* ops not freed yet */
    struct fake_answer *answers;
    size_t n_answers;
    size_t next;
    /* If set, called before each request takes its answer; it may add one,
     * so that a test can answer according to what is asked. */
    void (*on_request)(void *ud, struct fake_transport *fake,
                       const struct fake_request *request);
    void *ud;
};

void fake_transport_init(struct fake_transport *fake);
/* Frees all; fails the test if an op made here was not freed. */
void fake_transport_fini(struct fake_transport *fake);

/* `headers`: lines "Name: value" parted by '\n', or NULL; copied. */
void fake_transport_answer(struct fake_transport *fake, int status,
                           const char *headers, const char *body);
void fake_transport_fail(struct fake_transport *fake, enum weir_code code,
                         enum weir_reach reach, const char *message);
/* Milliseconds on the loop's clock before the answer last added comes. */
void fake_transport_delay(struct fake_transport *fake, int64_t ms);
/* Answers not yet consumed. */
size_t fake_transport_left(const struct fake_transport *fake);
/* Value of a request's header (any case), or NULL. */
const char *fake_request_header(const struct fake_request *request,
                                const char *name);

#endif
