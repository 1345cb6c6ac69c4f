#include "answer.h"

#include <string.h>
#include <sys/types.h>

#define MAX_HEADERS ((size_t)64 << 10)
#define MAX_BODY    ((size_t)64 << 20)
#define BLOCK       4096

void server_answer_init(struct server_answer *answer)
{
    *answer = (struct server_answer){.status = 500};
    weir_buf_init(&answer->headers, MAX_HEADERS);
    weir_buf_init(&answer->body, MAX_BODY);
}

void server_answer_fini(struct server_answer *answer)
{
    weir_buf_fini(&answer->headers);
    weir_buf_fini(&answer->body);
}

/* How much of the body goes out before the connection is closed. */
static size_t body_sent(const struct server_answer *answer)
{
    switch (answer->drop) {
    case SERVER_DROP_BEFORE:
    case SERVER_DROP_AFTER_HEADERS: return 0;
    case SERVER_DROP_MID_BODY: return answer->body.len / 2;
    case SERVER_SEND: break;
    }
    return answer->body.len;
}

static ssize_t read_body(void *ud, uint64_t pos, char *out, size_t max)
{
    const struct server_answer *answer = ud;
    size_t end = body_sent(answer), n;

    if (pos >= end)
        return answer->drop == SERVER_SEND ? MHD_CONTENT_READER_END_OF_STREAM
                                           : MHD_CONTENT_READER_END_WITH_ERROR;
    n = end - (size_t)pos;
    if (n > max)
        n = max;
    memcpy(out, answer->body.data + pos, n);
    return (ssize_t)n;
}

static struct MHD_Response *make_response(struct server_answer *answer)
{
    uint64_t size = answer->chunked ? MHD_SIZE_UNKNOWN : answer->body.len;

    if (answer->drop != SERVER_SEND || answer->chunked)
        return MHD_create_response_from_callback(size, BLOCK, read_body, answer,
                                                 NULL);
    return MHD_create_response_from_buffer(answer->body.len,
                                           (void *)weir_buf_str(&answer->body),
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

        if (MHD_add_response_header(response, at, value) != MHD_YES)
            return false;
        at = value + strlen(value) + 1;
    }
    return !answer->close ||
           MHD_add_response_header(response, "Connection", "close") == MHD_YES;
}

enum MHD_Result answer_queue(struct MHD_Connection *connection,
                             struct server_answer *answer)
{
    struct MHD_Response *response;
    enum MHD_Result result = MHD_NO;

    /* Without a body there is no middle of it to be dropped in. */
    if (answer->drop == SERVER_DROP_BEFORE ||
        (answer->drop != SERVER_SEND && answer->body.len == 0))
        return MHD_NO;
    response = make_response(answer);
    if (!response)
        return MHD_NO;
    if (add_headers(response, answer))
        result = MHD_queue_response(connection, answer->status, response);
    MHD_destroy_response(response);
    return result;
}
