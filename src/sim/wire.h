/*
 * wire: the bytes of an answer that go to the socket without the library.
 *
 * The library suspends a connection while its request waits for the handler:
 * it neither reads nor writes it then, and all of the answer before has been
 * sent.  Whoever holds the suspended connection may write to it.
 */
#ifndef WEIR_SIM_WIRE_H
#define WEIR_SIM_WIRE_H

#include "server.h"

struct wire {
    size_t sent;
    int64_t next; /* when something is to be done; set it to start */
    bool full;    /* the socket takes no more: wait for it, not for `next` */
    bool held;    /* all is sent, and `next` is the end */
};

/* Sends what is due by `now`, never waiting.  True when it is over: all sent
 * and held as long as asked, or the client gone. */
bool wire_advance(struct wire *wire, const struct server_answer *answer, int fd,
                  int64_t now);
/* Ends the connection as the answer says.  The descriptor stays open: the
 * library owns it, and finds nothing more to read. */
void wire_end(const struct server_answer *answer, int fd);

#endif
