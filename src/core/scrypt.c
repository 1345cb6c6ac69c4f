#include "scrypt.h"

#include <inttypes.h>

#include <openssl/evp.h>
#include <openssl/kdf.h>

#include "libcrypto.h"

/* N·r·p of libsodium's "sensitive" is 2^23. */
#define WORK_MAX ((uint64_t)1 << 24)
enum { R = 8 };
/* Each lane is memory of its own, 1 KiB and the same again in libcrypto, and
 * hashed twice whatever N is; minisign's keys have one. */
#define LANES_MAX ((uint64_t)1 << 16)

struct parameters {
    uint64_t n;
    uint64_t p;
};

/* The largest power of two, at least 2, whose double is over `max`. */
static uint64_t power_below(uint64_t max)
{
    uint64_t n = 2;

    while (n <= max / 2 && n < (uint64_t)1 << 62)
        n *= 2;
    return n;
}

/* As libsodium derives them, so that its files open here. */
static struct parameters derive(struct weir_scrypt_cost cost)
{
    struct parameters out = {.p = 1};
    uint64_t operations = cost.operations < 32768 ? 32768 : cost.operations;

    if (operations < cost.memory / 32) {
        out.n = power_below(operations / (R * 4));
    } else {
        uint64_t work;

        out.n = power_below(cost.memory / (R * 128));
        work = operations / 4 / out.n;
        out.p = (work > 0x3fffffff ? 0x3fffffff : work) / R;
    }
    return out;
}

enum weir_code weir_scrypt_check(struct weir_scrypt_cost cost,
                                 struct weir_err *err)
{
    struct parameters found = derive(cost);

    if (found.n > WEIR_SCRYPT_MEMORY_MAX / (R * 128))
        return weir_err_set(err, WEIR_LIMIT,
                            "it asks for %" PRIu64
                            " MiB of memory; the ceiling is %" PRIu64 " MiB",
                            found.n >> 10, WEIR_SCRYPT_MEMORY_MAX >> 20);
    if (found.p > WORK_MAX / (R * found.n))
        return weir_err_set(err, WEIR_LIMIT,
                            "it asks for more than twice the work of any key "
                            "that minisign makes (scrypt N=%" PRIu64
                            " r=%d p=%" PRIu64 ")",
                            found.n, R, found.p);
    if (found.p > LANES_MAX)
        return weir_err_set(err, WEIR_LIMIT,
                            "it asks for %" PRIu64
                            " lanes of scrypt; the ceiling is %" PRIu64,
                            found.p, LANES_MAX);
    return WEIR_OK;
}

static bool offered(void)
{
    EVP_KDF *found = EVP_KDF_fetch(NULL, "SCRYPT", NULL);

    EVP_KDF_free(found);
    return found != NULL;
}

enum weir_code weir_scrypt(const char *password, size_t password_len,
                           const unsigned char *salt, size_t salt_len,
                           struct weir_scrypt_cost cost, unsigned char *out,
                           size_t size, struct weir_err *err)
{
    struct parameters found = derive(cost);
    enum weir_code code = weir_scrypt_check(cost, err);

    if (code)
        return code;
    /* libcrypto counts a little more than the table; what is asked for was
     * judged above. */
    if (EVP_PBE_scrypt(password, password_len, salt, salt_len, found.n, R,
                       found.p, 2 * WEIR_SCRYPT_MEMORY_MAX, out, size) == 1)
        return WEIR_OK;
    code = weir_libcrypto_refused("scrypt", offered, err);
    if (code == WEIR_NOMEM)
        weir_err_append(err,
                        ": a password's key needs %" PRIu64 " MiB for a moment",
                        found.n >> 10);
    return code;
}
