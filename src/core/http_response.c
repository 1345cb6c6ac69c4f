/* What every op with a response has in common, whatever made it. */
#include <strings.h>

#include "weir/http.h"

const struct weir_http_response *weir_http_response(const struct weir_op *op)
{
    if (op->state != WEIR_OP_FINISHED || weir_op_code(op))
        return NULL;
    return ((const struct weir_http_op *)op)->response;
}

const char *weir_http_header(const struct weir_http_response *response,
                             const char *name, size_t n)
{
    for (size_t i = 0; i < response->n_headers; i++) {
        if (strcasecmp(response->headers[i].name, name) == 0 && n-- == 0)
            return response->headers[i].value;
    }
    return NULL;
}
