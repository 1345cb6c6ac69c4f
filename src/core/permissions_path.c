/* permissions: paths by their text. */
#include <string.h>

#include "permissions_internal.h"

/* Takes the last part of `buf` off, if it is a name; false if there is none
 * that ".." could undo. */
static bool drop_part(struct weir_buf *buf, size_t start)
{
    size_t len = buf->len;

    while (len > start && buf->data[len - 1] != '/')
        len--;
    if (buf->len == len ||
        (buf->len - len == 2 && memcmp(buf->data + len, "..", 2) == 0))
        return false;
    /* The slash before it goes too, unless it is the root. */
    if (len > start + 1 || (len == start + 1 && buf->data[start] != '/'))
        len--;
    buf->len = len;
    buf->data[len] = '\0';
    return true;
}

static void add_part(struct weir_buf *buf, size_t start, const char *part,
                     size_t len)
{
    if (buf->len > start && buf->data[buf->len - 1] != '/')
        weir_buf_addc(buf, '/');
    weir_buf_add(buf, part, len);
}

enum weir_code weir_path_normal(struct weir_buf *buf, const char *path)
{
    size_t start = buf->len;
    bool absolute = path[0] == '/';

    if (absolute)
        weir_buf_addc(buf, '/');
    for (const char *p = path; *p && !buf->failed;) {
        size_t len = strcspn(p, "/");
        bool up = len == 2 && p[0] == '.' && p[1] == '.';

        if (up) {
            if (!drop_part(buf, start) && !absolute)
                add_part(buf, start, p, len);
        } else if (len > 0 && !(len == 1 && p[0] == '.')) {
            add_part(buf, start, p, len);
        }
        p += len;
        p += strspn(p, "/");
    }
    if (!buf->failed && buf->len == start)
        weir_buf_addc(buf, '.');
    return buf->failed;
}

/* Whether the normal relative `path` begins above where it starts. */
static bool climbs(const char *path)
{
    return strncmp(path, "..", 2) == 0 && (path[2] == '\0' || path[2] == '/');
}

bool weir_path_beneath(const char *path, const char *root)
{
    size_t len = strlen(root);

    if ((path[0] == '/') != (root[0] == '/'))
        return false;
    if (strcmp(root, "/") == 0)
        return true;
    if (strcmp(root, ".") == 0)
        return !climbs(path);
    /* What climbs further than the root lies beside it, not beneath. */
    if (strncmp(path, root, len) != 0 || (path[len] && path[len] != '/'))
        return false;
    return path[len] == '\0' || !climbs(path + len + 1);
}
