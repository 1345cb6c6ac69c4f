/*
 * answer: a server_answer as libmicrohttpd sends it.
 */
#ifndef WEIR_SIM_ANSWER_H
#define WEIR_SIM_ANSWER_H

#include "mhd_late.h"
#include "server.h"

/* Queues the answer, or returns MHD_NO, upon which the library closes the
 * connection: so too where nothing is to come after the wire bytes.
 * `answer` must live until the request is completed. */
enum MHD_Result answer_queue(struct MHD_Connection *connection,
                             struct server_answer *answer);

#endif
