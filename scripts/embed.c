/*
 * embed: turns Lua files into one C table, so that the program is one file.
 * Usage: embed ROOT FILE… > sources.c
 * ROOT/weir/page.lua becomes the module "weir.page", x/init.lua becomes "x".
 * Of each module there is the text and, since a program should not compile
 * itself every time it starts, what Lua compiles it to; of a stub (ROOT/meta),
 * which is read and never run, the text.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

static void die(const char *path, const char *why)
{
    fprintf(stderr, "embed: %s: %s\n", path, why);
    exit(1);
}

static char *module_name(const char *root, const char *path)
{
    size_t skip = strlen(root) + 1;
    char *name = strdup(path + skip), *end;

    if (!name || strncmp(path, root, skip - 1) != 0)
        die(path, "not beneath the root");
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
    return name;
}

static char *file_text(const char *path, size_t *len)
{
    FILE *in = fopen(path, "rb");
    char *text = NULL;
    long size = -1;

    if (in && fseek(in, 0, SEEK_END) == 0)
        size = ftell(in);
    if (size >= 0)
        text = malloc((size_t)size + 1);
    if (!text || fseek(in, 0, SEEK_SET) != 0 ||
        fread(text, 1, (size_t)size, in) != (size_t)size)
        die(path, strerror(errno));
    fclose(in);
    text[size] = '\0';
    *len = (size_t)size;
    return text;
}

static void write_bytes(const void *bytes, size_t len, unsigned long *n)
{
    for (const signed char *c = bytes, *end = c + len; c < end; c++) {
        if ((*n)++ % 16 == 0)
            printf("\n     ");
        printf("%d,", *c);
    }
}

static int write_piece(lua_State *L, const void *piece, size_t len, void *n)
{
    (void)L;
    write_bytes(piece, len, n);
    return 0;
}

/* Lines and names stay in it: a traceback needs them. */
static void write_code(lua_State *L, const char *path, const char *module,
                       const char *text, size_t len)
{
    const char *chunk = lua_pushfstring(L, "=[%s]", module);
    unsigned long n = 0;

    if (luaL_loadbufferx(L, text, len, chunk, "t") != LUA_OK)
        die(path, lua_tostring(L, -1));
    printf("     (const char[]){");
    lua_dump(L, write_piece, &n, 0);
    printf("0},\n     %lu},\n", n);
    lua_pop(L, 2);
}

static void write_module(lua_State *L, const char *root, const char *path)
{
    char *name = module_name(root, path);
    unsigned long n = 0;
    size_t len;
    char *text = file_text(path, &len);

    printf("    {\"%s\",\n     (const char[]){", name);
    write_bytes(text, len, &n);
    printf("0},\n     %lu,\n", n);
    if (strncmp(name, "meta.", strlen("meta.")) == 0)
        printf("     NULL, 0},\n");
    else
        write_code(L, path, name, text, len);
    free(text);
    free(name);
}

int main(int argc, char **argv)
{
    lua_State *L;

    if (argc < 2) {
        fprintf(stderr, "usage: embed ROOT FILE...\n");
        return 64;
    }
    L = luaL_newstate();
    if (!L)
        die(argv[1], "out of memory");
    printf("/* Made by scripts/embed.c; do not edit. */\n"
           "#include \"bind.h\"\n\n"
           "const struct bind_source bind_sources[] = {\n");
    for (int i = 2; i < argc; i++)
        write_module(L, argv[1], argv[i]);
    printf("    {NULL, NULL, 0, NULL, 0},\n};\n");
    lua_close(L);
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
