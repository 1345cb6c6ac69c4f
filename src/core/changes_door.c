/* changes: what a run without the permission to change anything keeps back. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "changes_internal.h"
#include "weir/cut.h"
#include "weir/http.h"
#include "weir/permissions.h"

void weir_changes_guard(struct weir_changes *changes,
                        const struct weir_changes_door *door)
{
    changes->door = *door;
}

/* Header names as servers read them that hand them on as variables (CGI, RFC
 * 3875 section 4.1.18): '_' is '-'. */
static bool is_named(const char *header, const char *name)
{
    for (; *header && *name; header++, name++) {
        char c = *header == '_' ? '-' : *header;

        if (strncasecmp(&c, name, 1) != 0)
            return false;
    }
    return *header == *name;
}

/* Servers that take another method from a header would take a GET for it. */
static bool has_override(const struct weir_changes_call *call)
{
    static const char *const names[] = {"X-HTTP-Method-Override",
                                        "X-HTTP-Method", "X-Method-Override"};

    for (size_t i = 0; i < call->n_headers; i++) {
        for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
            if (is_named(call->headers[i].name, names[k]))
                return true;
        }
    }
    return false;
}

static bool is_safe(const char *const *safe,
                    const struct weir_changes_call *call)
{
    size_t len = strlen(call->method);

    for (; safe && *safe; safe++) {
        if (strncmp(*safe, call->method, len) == 0 && (*safe)[len] == ' ' &&
            strcmp(*safe + len + 1, call->url) == 0)
            return true;
    }
    return false;
}

static bool only_reads(const struct weir_changes_door *door,
                       const struct weir_changes_call *call)
{
    return (strcmp(call->method, "GET") == 0 ||
            strcmp(call->method, "HEAD") == 0 || is_safe(door->safe, call)) &&
           !has_override(call);
}

/* "/path" of a URL, without its query. */
static void path_of(const char *url, char *out, size_t size)
{
    const char *host = strstr(url, "://");
    const char *path = host ? host + 3 + strcspn(host + 3, "/?#") : url;

    weir_cut_copy(out, size, *path == '/' ? path : "/",
                  *path == '/' ? strcspn(path, "?#") : 1);
}

enum weir_code weir_changes_ask(struct weir_changes *changes,
                                const struct weir_changes_call *call,
                                struct weir_err *err)
{
    const struct weir_changes_door *door = changes ? &changes->door : NULL;
    char what[600], path[512];

    if (!door || !door->permissions || only_reads(door, call))
        return WEIR_OK;
    path_of(call->url, path, sizeof(path));
    weir_cut_printf(what, sizeof(what), "%s %s", call->method, path);
    if (weir_permissions_mutate(door->permissions, what, err) == WEIR_OK)
        return WEIR_OK;
    if (err) {
        err->final = true;
        snprintf(err->method, sizeof(err->method), "%s", call->method);
        weir_cut_copy(err->url, sizeof(err->url), call->url,
                      strcspn(call->url, "?#"));
    }
    weir_changes_add(changes,
                     &(struct weir_change){.outcome = WEIR_CHANGE_WOULD_SEND,
                                           .method = call->method,
                                           .url = call->url});
    if (door->kept)
        door->kept(door->ud, call, path,
                   weir_permissions_mutate_by(door->permissions));
    return WEIR_DENIED;
}
