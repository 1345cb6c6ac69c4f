/* filter: the texts that were found faultless. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "weir/filter.h"

/* `sum` keeps most texts from being compared. */
struct known_text {
    uint64_t sum;
    size_t len;
    char *text; /* NULL: none yet */
};

struct weir_filter_known {
    struct known_text texts[WEIR_FILTER_KNOWN];
    size_t next; /* the place of the oldest */
};

struct weir_filter_known *weir_filter_known_new(void)
{
    return calloc(1, sizeof(struct weir_filter_known));
}

void weir_filter_known_free(struct weir_filter_known *known)
{
    if (!known)
        return;
    for (size_t i = 0; i < WEIR_FILTER_KNOWN; i++)
        free(known->texts[i].text);
    free(known);
}

static uint64_t sum_of(const char *text, size_t len)
{
    uint64_t sum = len, eight = 0;

    for (; len >= sizeof(eight); len -= sizeof(eight)) {
        memcpy(&eight, text, sizeof(eight));
        sum = (sum ^ eight) * 0x9E3779B97F4A7C15u;
        sum ^= sum >> 32;
        text += sizeof(eight);
    }
    eight = 0;
    memcpy(&eight, text, len);
    return (sum ^ eight) * 0x9E3779B97F4A7C15u;
}

bool weir_filter_known_has(const struct weir_filter_known *known,
                           const char *text, size_t len)
{
    uint64_t sum;

    if (len > WEIR_FILTER_KNOWN_SIZE)
        return false;
    sum = sum_of(text, len);
    for (size_t i = 0; i < WEIR_FILTER_KNOWN; i++) {
        const struct known_text *one = &known->texts[i];

        if (one->sum == sum && one->text && one->len == len &&
            memcmp(one->text, text, len) == 0)
            return true;
    }
    return false;
}

void weir_filter_known_add(struct weir_filter_known *known, const char *text,
                           size_t len)
{
    struct known_text *oldest = &known->texts[known->next];
    char *copy = len <= WEIR_FILTER_KNOWN_SIZE ? malloc(len + 1) : NULL;

    if (!copy)
        return;
    memcpy(copy, text, len);
    free(oldest->text);
    *oldest = (struct known_text){sum_of(text, len), len, copy};
    known->next = (known->next + 1) % WEIR_FILTER_KNOWN;
}
