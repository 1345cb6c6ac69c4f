#include "answer.h"

#include <string.h>
#include <sys/types.h>

#define MAX_HEADERS ((size_t)64 << 10)
#define MAX_BODY    ((size_t)64 << 20)
#define MAX_WIRE    (MAX_HEADERS + MAX_BODY)
#define BLOCK       4096

void server_answer_init(struct server_answer *answer)
{
    *answer = (struct server_answer){.status = 500};
    weir_buf_init(&answer->headers, MAX_HEADERS);
    weir_buf_init(&answer->body, MAX_BODY);
    weir_buf_init(&answer->wire, MAX_WIRE);
}

void server_answer_fini(struct server_answer *answer)
{
    weir_buf_fini(&answer->headers);
    weir_buf_fini(&answer->body);
    weir_buf_fini(&answer->wire);
}

static ssize_t read_body(void *ud, uint64_t pos, char *out, size_t max)
{
    const struct server_answer *answer = ud;
    size_t n;

    if (pos >= answer->body.len)
        return MHD_CONTENT_READER_END_OF_STREAM;
    n = answer->body.len - (size_t)pos;
    if (n > max)
        n = max;
    memcpy(out, answer->body.data + pos, n);
    return (ssize_t)n;
}

static struct MHD_Response *make_response(struct server_answer *answer)
{
    if (answer->chunked)
        return sim_mhd.create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK,
                                                     read_body, answer, NULL);
    return sim_mhd.create_response_from_buffer(
        answer->body.len, (void *)weir_buf_str(&answer->body),
        MHD_RESPMEM_PERSISTENT);
}

/* False for a field that the library refuses (CR, LF, an empty name). */
static bool add_headers(struct MHD_Response *response,
                        const struct server_answer *answer)
{
    const char *at = answer->headers.data;
    const char *end = at + answer->headers.len;

    while (at < end) {
        const char *value = at + strlen(at) + 1;

        if (sim_mhd.add_response_header(response, at, value) != MHD_YES)
            return false;
        at = value + strlen(value) + 1;
    }
    return !answer->close || sim_mhd.add_response_header(response, "Connection",
                                                         "close") == MHD_YES;
}

enum MHD_Result answer_queue(struct MHD_Connection *connection,
                             struct server_answer *answer)
{
    struct MHD_Response *response;
    enum MHD_Result result = MHD_NO;

    if (answer->then != SERVER_ANSWER)
        return MHD_NO;
    response = make_response(answer);
    if (!response)
        return MHD_NO;
    if (add_headers(response, answer))
        result = sim_mhd.queue_response(connection, answer->status, response);
    sim_mhd.destroy_response(response);
    return result;
}
