/*
 * embed: turns Lua files into one C table of texts, so that the program is
 * one file.  Usage: embed ROOT FILE… > sources.c
 * ROOT/weir/page.lua becomes the module "weir.page", x/init.lua becomes "x".
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void write_module(const char *root, const char *path)
{
    size_t skip = strlen(root) + 1;
    char *name = strdup(path + skip), *end;

    if (!name || strncmp(path, root, skip - 1) != 0)
        exit(1);
    end = strstr(name, ".lua");
    if (end)
        *end = '\0';
    end = strstr(name, "/init");
    if (end && end[5] == '\0')
        *end = '\0';
    for (char *c = name; *c; c++) {
        if (*c == '/')
            *c = '.';
    }
    printf("    {\"%s\", (const char[]){", name);
    free(name);
}

static void write_file(const char *root, const char *path)
{
    FILE *in = fopen(path, "rb");
    unsigned long n = 0;
    int c;

    if (!in) {
        fprintf(stderr, "embed: %s: %s\n", path, strerror(errno));
        exit(1);
    }
    write_module(root, path);
    while ((c = getc(in)) != EOF) {
        if (n++ % 16 == 0)
            printf("\n     ");
        printf("%d,", c > 127 ? c - 256 : c);
    }
    fclose(in);
    printf("0},\n     %lu},\n", n);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: embed ROOT FILE...\n");
        return 64;
    }
    printf("/* Made by scripts/embed.c; do not edit. */\n"
           "#include \"bind.h\"\n\n"
           "const struct bind_source bind_sources[] = {\n");
    for (int i = 2; i < argc; i++)
        write_file(argv[1], argv[i]);
    printf("    {NULL, NULL, 0},\n};\n");
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
