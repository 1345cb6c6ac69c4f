/* scenario: something that libweir does, to be done while memory runs out. */
#ifndef TORTURE_SCENARIO_H
#define TORTURE_SCENARIO_H

#include "weir/buf.h"
#include "weir/err.h"

struct scenario {
    const char *name;
    /* Does it, adds what came of it to `said` (whose memory is not counted)
     * and frees all that it made.  Returns WEIR_OK, or what libweir did. */
    enum weir_code (*run)(struct weir_buf *said, struct weir_err *err);
    /* What it may say of a lack of memory beside WEIR_NOMEM. */
    enum weir_code may_say;
};

extern const struct scenario scenarios_pure[]; /* to {NULL} */
extern const struct scenario scenarios_ops[];

/* Before the first scenario and after the last. */
void scenarios_begin(void);
void scenarios_end(void);

/* Ends the scenario `run` at `out` if the call fails. */
#define TRY(call)                                                              \
    do {                                                                       \
        code = (call);                                                         \
        if (code)                                                              \
            goto out;                                                          \
    } while (0)

/* printf to `said`, and one line for a document. */
void say(struct weir_buf *said, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
