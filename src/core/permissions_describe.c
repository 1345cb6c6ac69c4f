/* permissions: in words, for whoever is to run it. */
#include <stdio.h>
#include <string.h>

#include "permissions_internal.h"

static void host_words(const struct weir_host_rule *rule, struct weir_buf *buf)
{
    struct weir_host_rule plain = *rule;
    char text[WEIR_HOST_TEXT];

    plain.tenant = rule->form == WEIR_HOST_ANY;
    plain.port = 0;
    weir_host_rule_text(&plain, text);
    switch (rule->form) {
    case WEIR_HOST_ANY:
        weir_buf_adds(buf, "the tenant and its token endpoint");
        break;
    case WEIR_HOST_NAME: weir_buf_adds(buf, text); break;
    case WEIR_HOST_BELOW:
        weir_buf_addf(buf, "every host below %s", rule->name);
        break;
    case WEIR_HOST_BLOCK:
        weir_buf_addf(buf, "the address%s %s",
                      rule->block.bits == rule->block.size * 8 ? "" : "es",
                      text);
        break;
    case WEIR_HOST_LOCAL: weir_buf_adds(buf, "this machine itself"); break;
    }
    if (rule->port)
        weir_buf_addf(buf, " (port %u only)", rule->port);
    if (rule->tenant && rule->form != WEIR_HOST_ANY)
        weir_buf_adds(buf, " (as far as that is the tenant)");
}

static void path_words(const char *path, struct weir_buf *buf)
{
    if (strcmp(path, "/") == 0)
        weir_buf_adds(buf, "every file of this machine");
    else if (strcmp(path, ".") == 0)
        weir_buf_adds(buf, "the script's folder");
    else if (path[0] == '/')
        weir_buf_adds(buf, path);
    else
        weir_buf_addf(buf, "%s (seen from the script)", path);
}

static void item_words(enum weir_permission kind, const char *item,
                       struct weir_buf *buf)
{
    struct weir_host_rule rule;

    if (kind == WEIR_PERMISSION_NET &&
        weir_host_rule_parse(item, strlen(item), &rule, NULL) == WEIR_OK)
        host_words(&rule, buf);
    else if (kind == WEIR_PERMISSION_ENV)
        weir_buf_adds(buf, item);
    else
        path_words(item, buf);
}

enum weir_code weir_permissions_describe(const struct weir_permissions *p,
                                         unsigned indent, struct weir_buf *buf)
{
    static const char *const heads[WEIR_PERMISSION_MUTATE] = {
        [WEIR_PERMISSION_NET] = "connects to ",
        [WEIR_PERMISSION_READ] = "reads files ",
        [WEIR_PERMISSION_WRITE] = "writes files",
        [WEIR_PERMISSION_ENV] = "environment ",
    };

    for (unsigned kind = 0; kind < WEIR_PERMISSION_MUTATE; kind++) {
        const struct weir_permission_list *list = &p->lists[kind];

        weir_buf_addf(buf, "%*s%s  ", (int)indent, "", heads[kind]);
        for (size_t i = 0; i < list->n; i++) {
            weir_buf_adds(buf, i ? ", " : "");
            item_words((enum weir_permission)kind, list->items[i], buf);
        }
        weir_buf_adds(buf, list->n ? "\n" : "nothing\n");
    }
    return weir_buf_addf(buf, "%*schanges       %s\n", (int)indent, "",
                         p->mutate ? "may create, change and delete on the "
                                     "servers it connects to"
                                   : "nothing: calls that would are "
                                     "reported, not sent");
}
