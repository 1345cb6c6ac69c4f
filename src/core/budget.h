/*
 * budget: how many retries a client may still make, as in the AWS SDKs'
 * standard mode
 * (https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html).
 * While most calls succeed it is full; in an outage it runs dry, and then
 * every call is sent once instead of four times.
 */
#ifndef WEIR_BUDGET_H
#define WEIR_BUDGET_H

#include <stdbool.h>

#include "weir/err.h"
#include "weir/http.h"

#define WEIR_BUDGET_FULL    500
#define WEIR_BUDGET_RETRY   5
#define WEIR_BUDGET_TIMEOUT 10
#define WEIR_BUDGET_SUCCESS 1 /* a success without a retry gives back */

struct weir_budget {
    unsigned left;
};

void weir_budget_init(struct weir_budget *budget);
/* What a retry costs after this answer, or failure if there is none.  A 429
 * costs nothing: waiting it out already holds everyone back. */
unsigned weir_budget_cost(const struct weir_http_response *response,
                          const struct weir_err *failure);
/* False, and nothing spent, if there is not so much. */
bool weir_budget_spend(struct weir_budget *budget, unsigned cost);
/* After a success whose last retry cost `spent`, 0 if it had none. */
void weir_budget_give_back(struct weir_budget *budget, unsigned spent);

/* What an error says where the budget ended a call. */
#define WEIR_BUDGET_EMPTY                                                      \
    "; not repeated, since most calls of this client fail (its retry budget "  \
    "is empty)"

#endif
