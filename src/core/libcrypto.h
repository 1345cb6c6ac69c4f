/* libcrypto: what its callers here share. */
#ifndef WEIR_LIBCRYPTO_H
#define WEIR_LIBCRYPTO_H

#include <stdbool.h>

#include "weir/err.h"

/* Why a call of libcrypto failed that must not fail: WEIR_NOMEM, or
 * WEIR_CONFIG with a message that this machine's library does not offer
 * `what`.  `offers` asks the library for it once more.  Empties its queue of
 * errors, so that libcurl finds none of ours in it. */
enum weir_code weir_libcrypto_refused(const char *what, bool (*offers)(void),
                                      struct weir_err *err);

#endif
