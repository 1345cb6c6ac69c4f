#include "libcrypto.h"

#include <stdlib.h>

#include <openssl/err.h>

/* A context that cannot be allocated leaves no error at all, and an algorithm
 * that cannot be for want of memory leaves that it is not supported. */
static bool was_memory(bool (*offers)(void))
{
    bool memory = ERR_peek_error() == 0;
    void *probe;

    for (unsigned long e = ERR_get_error(); e != 0; e = ERR_get_error())
        memory = memory || ERR_GET_REASON(e) == ERR_R_MALLOC_FAILURE;
    if (memory)
        return true;
    probe = malloc(4096);
    free(probe);
    memory = !probe || offers();
    ERR_clear_error();
    return memory;
}

enum weir_code weir_libcrypto_refused(const char *what, bool (*offers)(void),
                                      struct weir_err *err)
{
    if (was_memory(offers))
        return weir_err_nomem(err);
    weir_err_set(err, WEIR_CONFIG, "this machine's libcrypto offers no %s",
                 what);
    weir_err_hint(err, "its configuration (openssl.cnf, OPENSSL_CONF) may "
                       "have taken the default provider out");
    return WEIR_CONFIG;
}
