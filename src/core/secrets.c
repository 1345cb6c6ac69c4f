#include "secrets.h"

#include <stdlib.h>
#include <string.h>

static void forget(struct weir_secret *secret)
{
    explicit_bzero(secret->text, secret->len);
    free(secret->text);
}

void weir_secrets_fini(struct weir_secrets *secrets)
{
    for (size_t i = 0; i < secrets->n; i++)
        forget(&secrets->list[i]);
    free(secrets->list);
    *secrets = (struct weir_secrets){0};
}

static int compare(const struct weir_secret *secret, const void *text,
                   size_t len)
{
    size_t shorter = secret->len < len ? secret->len : len;
    int order = memcmp(secret->text, text, shorter);

    return order ? order : (secret->len > len) - (secret->len < len);
}

/* Where `text` is or would be. */
static size_t position(const struct weir_secrets *secrets, const char *text,
                       size_t len)
{
    size_t low = 0, high = secrets->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare(&secrets->list[middle], text, len) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void index_first(struct weir_secrets *secrets)
{
    size_t i = 0;

    for (unsigned byte = 0; byte <= 256; byte++) {
        while (i < secrets->n && secrets->list[i].text[0] < byte)
            i++;
        secrets->first[byte] = i;
    }
}

static void remove_oldest(struct weir_secrets *secrets)
{
    size_t oldest = 0;

    for (size_t i = 1; i < secrets->n; i++) {
        if (secrets->list[i].told < secrets->list[oldest].told)
            oldest = i;
    }
    forget(&secrets->list[oldest]);
    secrets->n--;
    memmove(&secrets->list[oldest], &secrets->list[oldest + 1],
            (secrets->n - oldest) * sizeof(*secrets->list));
}

static bool make_room(struct weir_secrets *secrets)
{
    size_t cap = secrets->cap ? secrets->cap * 2 : 16;
    struct weir_secret *list;

    if (secrets->n < secrets->cap)
        return true;
    list = realloc(secrets->list, cap * sizeof(*list));
    if (!list)
        return false;
    secrets->list = list;
    secrets->cap = cap;
    return true;
}

enum weir_code weir_secrets_add(struct weir_secrets *secrets, const char *text,
                                size_t len, struct weir_err *err)
{
    size_t at = position(secrets, text, len);
    unsigned char *copy;

    if (len < WEIR_SECRET_MIN)
        return weir_err_set(err, WEIR_INVALID,
                            "a secret of %zu bytes is too short to be hidden "
                            "(%zu or more)",
                            len, WEIR_SECRET_MIN);
    if (at < secrets->n && compare(&secrets->list[at], text, len) == 0) {
        secrets->list[at].told = ++secrets->clock;
        return WEIR_OK;
    }
    copy = malloc(len);
    if (!copy || !make_room(secrets)) {
        free(copy);
        return weir_err_nomem(err);
    }
    memcpy(copy, text, len);
    if (secrets->n == WEIR_SECRETS_MAX) {
        remove_oldest(secrets);
        at = position(secrets, text, len);
    }
    memmove(&secrets->list[at + 1], &secrets->list[at],
            (secrets->n - at) * sizeof(*secrets->list));
    secrets->list[at] = (struct weir_secret){copy, len, ++secrets->clock};
    secrets->n++;
    secrets->added++;
    index_first(secrets);
    return WEIR_OK;
}

/* ---- walking ---- */

struct weir_secrets_range weir_secrets_all(const struct weir_secrets *secrets)
{
    return (struct weir_secrets_range){0, secrets->n, 0};
}

/* The first of list[low … high) whose byte at `depth` is `byte` or more. */
static size_t bound(const struct weir_secrets *secrets, size_t low, size_t high,
                    size_t depth, unsigned byte)
{
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (secrets->list[middle].text[depth] < byte)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct weir_secrets_range
weir_secrets_narrow(const struct weir_secrets *secrets,
                    struct weir_secrets_range range, unsigned char byte)
{
    size_t depth = range.depth++;

    if (depth == 0) {
        range.low = secrets->first[byte];
        range.high = secrets->first[byte + 1];
        return range;
    }
    /* One that ends here is the first of the range and goes no further. */
    if (range.low < range.high && secrets->list[range.low].len == depth)
        range.low++;
    range.low = bound(secrets, range.low, range.high, depth, byte);
    range.high = bound(secrets, range.low, range.high, depth, byte + 1u);
    return range;
}
