/*
 * wire: a server without a network.
 *
 * This file's socket() and connect() stand in front of libc's for the whole
 * process, libcurl included: every connection is one end of a socket pair,
 * whose other end answers each request with the next bytes of a script.  No
 * thread, no port, no waiting: the same script gives the same run.
 */
#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fuzz.h"

#define WIRE_CONNECTIONS 128
#define WIRE_REQUEST     8192 /* the longest one */

struct wire_end {
    int fd;
    bool hangs;
    size_t len; /* bytes of the request so far, still in the socket */
    char request[WIRE_REQUEST];
};

struct wire {
    struct fuzz_text script; /* what is left of it */
    size_t requests;
    size_t n_ends;
    struct wire_end ends[WIRE_CONNECTIONS];
    /* Called with each whole request and the answer that it gets, before the
     * answer is sent. */
    void (*on_request)(void *ud, const char *request, size_t len,
                       struct fuzz_text answer);
    void *ud;
};

/* From now on connections go here, and must be to 127.0.0.1 and that port. */
void wire_open(struct wire *wire, uint16_t port);
/* Answers what has come in: with the next part of the script, of which the
 * first byte says what comes after it: 'k' keeps the connection, 'r' resets
 * it, 'h' hangs (keeps it and answers no more), any other closes it.  True if
 * something happened. */
bool wire_serve(struct wire *wire);
/* Fails unless the client has closed all of its ends. */
void wire_close(struct wire *wire);

#endif
