/* json: members in the byte order of their keys. */
#include <stdlib.h>
#include <string.h>

#include "json_internal.h"

int weir_json_key_order(const char *a, size_t a_len, const char *b,
                        size_t b_len)
{
    int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

    return order ? order : (a_len > b_len) - (a_len < b_len);
}

static int by_key(const void *a, const void *b)
{
    size_t x_len, y_len;
    const char *x = weir_json_key(*(const struct weir_json *const *)a, &x_len);
    const char *y = weir_json_key(*(const struct weir_json *const *)b, &y_len);

    return weir_json_key_order(x, x_len, y, y_len);
}

const struct weir_json **weir_json_sorted(const struct weir_json *object,
                                          const struct weir_json **room,
                                          size_t room_len)
{
    size_t n = weir_json_size(object), i = 0;
    const struct weir_json *member = weir_json_first(object);
    bool sorted = true;

    if (n > room_len) {
        room = reallocarray(NULL, n, sizeof(const struct weir_json *));
        if (!room)
            return NULL;
    }
    for (; member; member = weir_json_next(member), i++) {
        room[i] = member;
        sorted = sorted && (i == 0 || by_key(&room[i - 1], &room[i]) < 0);
    }
    if (!sorted)
        qsort(room, n, sizeof(const struct weir_json *), by_key);
    return room;
}
