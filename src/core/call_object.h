/* call_object: the JSON object that the answer to a finished call carries. */
#ifndef WEIR_CALL_OBJECT_H
#define WEIR_CALL_OBJECT_H

#include "weir/err.h"
#include "weir/json.h"
#include "weir/op.h"

/* Parses the answer of a call that succeeded.  WEIR_OK and a document for the
 * caller to free; WEIR_PROTOCOL, with the call's URL and status, if it is no
 * JSON object; WEIR_LIMIT; WEIR_NOMEM.  `method` goes into the error. */
enum weir_code weir_call_object(const struct weir_op *call, const char *method,
                                struct weir_json **out, struct weir_err *err);
/* Puts method, URL and status of the call into an error about its answer. */
void weir_call_blame(const struct weir_op *call, const char *method,
                     struct weir_err *err);

#endif
