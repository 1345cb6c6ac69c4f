#include "call_object.h"

#include <stdio.h>
#include <string.h>

#include "client_internal.h"
#include "weir/cut.h"
#include "weir/http.h"

void weir_call_blame(const struct weir_op *call, const char *method,
                     struct weir_err *err)
{
    const struct weir_http_response *response = weir_http_response(call);

    snprintf(err->method, sizeof(err->method), "%s", method);
    /* What is asked for may be nobody's business; where it is, is not. */
    weir_cut_copy(err->url, sizeof(err->url), response->url,
                  strcspn(response->url, "?#"));
    err->status = response->status;
    err->reach = WEIR_REACH_ANSWER;
}

enum weir_code weir_call_object(const struct weir_op *call, const char *method,
                                struct weir_json **out, struct weir_err *err)
{
    const struct weir_http_response *response = weir_http_response(call);
    struct weir_err own = WEIR_ERR_INIT;
    struct weir_json *json = NULL;
    enum weir_code code = weir_json_parse(
        response->body, response->body_len,
        &((const struct call *)call)->client->document, &json, &own);

    if (code == WEIR_SYNTAX) {
        weir_err_prefix(&own, "the answer is not JSON: ");
        own.code = code = WEIR_PROTOCOL;
    } else if (!code && !weir_json_is(json, WEIR_JSON_OBJECT)) {
        code = weir_err_set(&own, WEIR_PROTOCOL,
                            "the answer should be a JSON object and is of "
                            "type %s",
                            weir_json_type_name(weir_json_type(json)));
        weir_json_free(json);
    }
    if (code)
        weir_call_blame(call, method, &own);
    else
        *out = json;
    weir_err_move(err, &own);
    return code;
}
