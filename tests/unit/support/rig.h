/*
 * rig: a client on a fake transport and a fake clock, for what stands on
 * clients.  Answers wait for nobody; time moves when there is only it left.
 */
#ifndef RIG_H
#define RIG_H

#include "fake_transport.h"
#include "weir/client.h"
#include "weir/json.h"
#include "weir/log.h"

struct rig {
    struct weir_clock_fake clock;
    struct weir_loop *loop;
    struct fake_transport fake;
    struct weir_client *client;
};

void rig_init(struct rig *rig);
/* Fails the test if an op, a timer or a request was left behind. */
void rig_fini(struct rig *rig);

/* How often what is random is tried: `all`, or one TEST_SHARE-th of it, as
 * under memcheck, where all is fifty times as slow. */
int rig_rounds(int all);

/* The same in parts, for fixtures that stand on other things: a loop, and a
 * log that swallows (`log` may be NULL), on a fake clock. */
void rig_begin(struct weir_clock_fake *clock, struct weir_loop **loop,
               struct weir_log **log);
void rig_end(struct weir_loop *loop, struct weir_log *log);
void rig_end_transport(struct fake_transport *fake);
/* Turns until nothing is left to wait for. */
void rig_turn_until_idle(struct weir_loop *loop);

/* Runs an op to its end; fails the test if that takes over an hour. */
enum weir_code rig_run(struct weir_op *op);

/* A document from text with ' for ". */
struct weir_json *rig_json(const char *text);
/* An answer whose body is written so, too. */
void rig_answer(struct rig *rig, int status, const char *headers,
                const char *body);
/* Fails the test, showing both, unless they are the same value. */
void rig_assert_json(const struct weir_json *got, const char *expected);
/* The same for the body of the n-th request. */
void rig_assert_body(const struct rig *rig, size_t n, const char *expected);

#endif
