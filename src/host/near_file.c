#include "near_file.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "weir/filter.h"

/* Whether `name` is nearer to `word` than `best`, "" being nothing; of two that
 * are as near the first by bytes is, since a folder has no order. */
static bool is_nearer(const char *word, const char *name, const char *best)
{
    bool before = !*best || strcmp(name, best) < 0;
    const char *both[] = {before ? name : best, before ? best : name, NULL};

    return weir_nearest(word, both) == name;
}

static void find(DIR *dir, const char *word, char best[NAME_MAX + 1])
{
    const struct dirent *entry;

    *best = '\0';
    while ((entry = readdir(dir)) != NULL) {
        size_t len = strlen(entry->d_name);

        if (entry->d_name[0] == '.' || entry->d_type == DT_DIR ||
            len > NAME_MAX || strcmp(entry->d_name, word) == 0)
            continue;
        if (is_nearer(word, entry->d_name, best))
            memcpy(best, entry->d_name, len + 1);
    }
}

const char *host_near_file(const char *path, char out[HOST_NEAR_FILE_SIZE])
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    char best[NAME_MAX + 1];
    int folder = (int)(name - path);
    DIR *dir;

    *out = '\0';
    if (strlen(path) >= PATH_MAX)
        return out;
    snprintf(out, HOST_NEAR_FILE_SIZE, "%.*s.", folder, path);
    dir = opendir(out);
    *out = '\0';
    if (!dir)
        return out;
    find(dir, name, best);
    closedir(dir);
    if (*best && (size_t)folder + strlen(best) < PATH_MAX)
        snprintf(out, HOST_NEAR_FILE_SIZE, "; did you mean '%.*s%s'?", folder,
                 path, best);
    return out;
}
