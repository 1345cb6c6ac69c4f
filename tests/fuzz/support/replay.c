/*
 * replay: runs a target over files, without libFuzzer, so that every seed is
 * a regression test wherever there is a C compiler.  A seed goes in whole and
 * cut short at every byte.
 *
 * Usage: TARGET FILE|DIRECTORY ...
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

/* Longer ones are not cut short: that is quadratic. */
#define CUT_MAX 2048

static size_t files;

/* From memory of just that size, where a byte too far is seen. */
static void run(const char *data, size_t len)
{
    uint8_t *exact = malloc(len ? len : 1);

    FUZZ_CHECK(exact);
    memcpy(exact, data, len);
    LLVMFuzzerTestOneInput(exact, len);
    free(exact);
}

static void replay_file(const char *path)
{
    struct weir_buf buf;
    char chunk[4096];
    FILE *file = fopen(path, "rb");
    size_t got;

    if (!file) {
        perror(path);
        exit(1);
    }
    weir_buf_init(&buf, SIZE_MAX);
    while ((got = fread(chunk, 1, sizeof(chunk), file)) > 0)
        FUZZ_CHECK(weir_buf_add(&buf, chunk, got) == WEIR_OK);
    fclose(file);
    /* A finding ends the process: this says with what. */
    fprintf(stderr, "%s\n", path);
    for (size_t len = buf.len > CUT_MAX ? buf.len : 0; len <= buf.len; len++)
        run(weir_buf_str(&buf), len);
    weir_buf_fini(&buf);
    files++;
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void replay(const char *path)
{
    struct dirent **names;
    int n = scandir(path, &names, visible, alphasort);

    if (n < 0) {
        replay_file(path);
        return;
    }
    for (int i = 0; i < n; i++) {
        char inside[4096];

        snprintf(inside, sizeof(inside), "%s/%s", path, names[i]->d_name);
        replay_file(inside);
        free(names[i]);
    }
    free(names);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        replay(argv[i]);
    printf("%zu files\n", files);
    return files > 0 ? 0 : 1;
}
