#include "budget.h"

void weir_budget_init(struct weir_budget *budget)
{
    budget->left = WEIR_BUDGET_FULL;
}

unsigned weir_budget_cost(const struct weir_http_response *response,
                          const struct weir_err *failure)
{
    if (response)
        return response->status == 429 ? 0 : WEIR_BUDGET_RETRY;
    return failure->code == WEIR_TIMEOUT ? WEIR_BUDGET_TIMEOUT
                                         : WEIR_BUDGET_RETRY;
}

bool weir_budget_spend(struct weir_budget *budget, unsigned cost)
{
    if (cost > budget->left)
        return false;
    budget->left -= cost;
    return true;
}

void weir_budget_give_back(struct weir_budget *budget, unsigned spent)
{
    budget->left += spent ? spent : WEIR_BUDGET_SUCCESS;
    if (budget->left > WEIR_BUDGET_FULL)
        budget->left = WEIR_BUDGET_FULL;
}
