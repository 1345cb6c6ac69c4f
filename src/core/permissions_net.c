/* permissions: hosts, the forms in which they are granted, and addresses. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "permissions_internal.h"
#include "weir/cut.h"

static const char tenant_prefix[] = "tenant=";

/* ---- addresses ---- */

/* Where a granted name must not lead by itself: this machine, its networks,
 * and what is no one host's (IANA's special-purpose registries, RFC 6890). */
static const struct {
    const char *block;
    const char *word;
} classes[] = {
    {"0.0.0.0/8", "unspecified"},     {"10.0.0.0/8", "private"},
    {"100.64.0.0/10", "private"},     {"127.0.0.0/8", "loopback"},
    {"169.254.0.0/16", "link-local"}, {"172.16.0.0/12", "private"},
    {"192.0.0.0/24", "reserved"},     {"192.168.0.0/16", "private"},
    {"198.18.0.0/15", "reserved"},    {"224.0.0.0/4", "multicast"},
    {"240.0.0.0/4", "reserved"},      {"::/128", "unspecified"},
    {"::1/128", "loopback"},          {"64:ff9b:1::/48", "private"},
    {"100::/64", "reserved"},         {"2001::/32", "reserved"},
    {"fc00::/7", "private"},          {"fe80::/10", "link-local"},
    {"fec0::/10", "private"},         {"ff00::/8", "multicast"},
};

/* IPv6 addresses that a translator turns into the IPv4 address inside them
 * (RFC 4291 section 2.5.5.1, RFC 6052, RFC 3056): at which byte. */
static const struct {
    const char *block;
    size_t at;
} translated[] = {{"::/96", 12}, {"64:ff9b::/96", 12}, {"2002::/16", 2}};

static bool in_block(const char *block, const char *address)
{
    struct weir_cidr cidr;

    return !weir_cidr_parse(block, strlen(block), &cidr, NULL) &&
           weir_cidr_contains(&cidr, address, strlen(address));
}

const char *weir_address_class(const char *address)
{
    unsigned char bytes[16];
    char inner[INET_ADDRSTRLEN];

    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        if (in_block(classes[i].block, address))
            return classes[i].word;
    }
    if (inet_pton(AF_INET6, address, bytes) != 1)
        return inet_pton(AF_INET, address, bytes) == 1 ? NULL : "unreadable";
    for (size_t i = 0; i < sizeof(translated) / sizeof(translated[0]); i++) {
        if (in_block(translated[i].block, address) &&
            inet_ntop(AF_INET, bytes + translated[i].at, inner, sizeof(inner)))
            return weir_address_class(inner);
    }
    return NULL;
}

static bool is_loopback(const char *address)
{
    return in_block("127.0.0.0/8", address) || in_block("::1/128", address);
}

/* ---- reading a rule ---- */

static enum weir_code no_host(struct weir_err *err, const char *text,
                              size_t len, const char *why)
{
    weir_err_set(err, WEIR_INVALID, "'%s' is not a host: %s",
                 weir_cut_copy((char[81]){0}, 81, text, len), why);
    weir_err_hint(err, "a host is api.example.com, *.example.com, "
                       "api.example.com:8443, 192.0.2.7, 10.0.0.0/8, "
                       "localhost or tenant");
    return WEIR_INVALID;
}

/* Digits from 1 to 65535, or 0. */
static unsigned read_port(const char *text, size_t len)
{
    unsigned port = 0;

    if (len < 1 || len > 5 || text[0] == '0')
        return 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return 0;
        port = port * 10 + (unsigned)(text[i] - '0');
    }
    return port <= 65535 ? port : 0;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool is_label_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

/* Labels of 1 to 63 letters, digits, '-' and '_', parted by dots. */
static const char *name_fault(const char *name)
{
    const char *last = name;

    for (const char *p = name; *p; p = *p ? p + 1 : p) {
        size_t label = strcspn(p, ".");

        if (label == 0)
            return "there is nothing between two dots";
        if (label > 63)
            return "a part of a name has at most 63 characters";
        for (size_t i = 0; i < label; i++) {
            if (!is_label_byte(p[i]))
                return "a name is letters, digits, '-' and dots (write "
                       "others in their xn-- form)";
        }
        last = p;
        p += label;
        if (*p && !p[1])
            return "there is nothing after the last dot";
    }
    /* What inet_aton and URL parsers would take for an address in one of its
     * older forms: 127.1, 2130706433, 0x7f.1. */
    if (last[0] >= '0' && last[0] <= '9' &&
        strspn(last, "0123456789abcdefx") == strlen(last))
        return "an IPv4 address is four numbers, such as 192.0.2.7";
    return NULL;
}

static enum weir_code read_name(const char *text, size_t len,
                                struct weir_host_rule *rule,
                                struct weir_err *err)
{
    const char *name = text, *fault;
    size_t name_len = len;

    rule->form = WEIR_HOST_NAME;
    if (len == 1 && text[0] == '*')
        return no_host(err, text, len, "name the servers one by one");
    if (len > 2 && text[0] == '*' && text[1] == '.') {
        rule->form = WEIR_HOST_BELOW;
        name += 2;
        name_len -= 2;
    }
    if (memchr(name, '*', name_len))
        return no_host(err, text, len, "'*' stands before the first dot only");
    if (name_len > 1 && name[name_len - 1] == '.')
        name_len--;
    if (name_len == 0)
        return no_host(err, text, len, "it is empty");
    if (name_len > WEIR_HOST_MAX)
        return no_host(err, text, len, "a name has at most 253 characters");
    for (size_t i = 0; i < name_len; i++)
        rule->name[i] = lower(name[i]);
    rule->name[name_len] = '\0';
    fault = name_fault(rule->name);
    if (fault)
        return no_host(err, text, len, fault);
    if (rule->form == WEIR_HOST_NAME && strcmp(rule->name, "localhost") == 0)
        rule->form = WEIR_HOST_LOCAL;
    if (rule->form == WEIR_HOST_NAME && strcmp(rule->name, "tenant") == 0) {
        rule->form = WEIR_HOST_ANY;
        rule->tenant = true;
    }
    return WEIR_OK;
}

/* An address or a block, if it is meant to be one. */
static enum weir_code read_block(const char *text, size_t len,
                                 struct weir_host_rule *rule, bool *is_block,
                                 struct weir_err *err)
{
    struct weir_err why = WEIR_ERR_INIT;
    char copy[WEIR_CIDR_TEXT];
    unsigned char bytes[16];
    enum weir_code code;

    *is_block = false;
    if (len >= sizeof(copy) - 5) {
        if (memchr(text, '/', len))
            return no_host(err, text, len, "a host has no path");
        return WEIR_OK;
    }
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (inet_pton(AF_INET, copy, bytes) == 1)
        memcpy(copy + len, "/32", 4);
    else if (inet_pton(AF_INET6, copy, bytes) == 1)
        memcpy(copy + len, "/128", 5);
    else if (!strpbrk(copy, "/:"))
        return WEIR_OK;
    *is_block = true;
    rule->form = WEIR_HOST_BLOCK;
    code = weir_cidr_parse(copy, strlen(copy), &rule->block, &why);
    if (!code)
        return WEIR_OK;
    weir_err_set(err, WEIR_INVALID, "'%s' is not a host: %s",
                 WEIR_CUT(80, copy), why.message);
    weir_err_hint(err, "%s", why.hint);
    return WEIR_INVALID;
}

/* Takes ":port" off the end, and the brackets around what stands before. */
static enum weir_code take_port(const char **text, size_t *len,
                                struct weir_host_rule *rule,
                                struct weir_err *err)
{
    const char *start = *text, *end = start + *len;
    const char *close = memchr(start, ']', *len), *colon;

    if (*len && start[0] == '[') {
        if (!close || (close + 1 < end && close[1] != ':'))
            return no_host(err, start, *len, "the ']' is not where it belongs");
        *text = start + 1;
        *len = (size_t)(close - start) - 1;
        colon = close + 1 < end ? close + 1 : NULL;
    } else {
        colon = memchr(start, ':', *len);
        /* Two colons are an IPv6 address. */
        if (!colon || memchr(colon + 1, ':', (size_t)(end - colon) - 1))
            return WEIR_OK;
        *len = (size_t)(colon - start);
    }
    if (!colon)
        return WEIR_OK;
    rule->port = read_port(colon + 1, (size_t)(end - colon) - 1);
    if (rule->port == 0)
        return no_host(err, start, (size_t)(end - start),
                       "the port after ':' is a number from 1 to 65535");
    return WEIR_OK;
}

enum weir_code weir_host_rule_parse(const char *text, size_t len,
                                    struct weir_host_rule *out,
                                    struct weir_err *err)
{
    struct weir_host_rule rule = {.form = WEIR_HOST_NAME};
    const char *host = text;
    size_t host_len = len;
    bool is_block;
    enum weir_code code;

    for (size_t i = 0; i < len; i++) {
        if (text[i] <= ' ' || text[i] == 0x7f)
            return no_host(err, text, len,
                           "it holds a blank, a control "
                           "character or what is not ASCII");
    }
    if (memmem(text, len, "://", 3))
        return no_host(err, text, len,
                       "name the host alone, without https:// and path");
    if (len >= sizeof(tenant_prefix) - 1 &&
        memcmp(text, tenant_prefix, sizeof(tenant_prefix) - 1) == 0) {
        rule.tenant = true;
        host += sizeof(tenant_prefix) - 1;
        host_len -= sizeof(tenant_prefix) - 1;
    }
    code = take_port(&host, &host_len, &rule, err);
    if (!code)
        code = read_block(host, host_len, &rule, &is_block, err);
    if (!code && !is_block)
        code = host == text || host[-1] != '['
                   ? read_name(host, host_len, &rule, err)
                   : no_host(err, text, len,
                             "only an IPv6 address stands in brackets");
    if (code)
        return code;
    *out = rule;
    return WEIR_OK;
}

/* ---- writing a rule ---- */

static void block_text(const struct weir_cidr *block, char *out, size_t size)
{
    char address[INET6_ADDRSTRLEN] = "";

    inet_ntop(block->size == 4 ? AF_INET : AF_INET6, block->bytes, address,
              sizeof(address));
    if (block->bits == block->size * 8)
        snprintf(out, size, "%s", address);
    else
        snprintf(out, size, "%s/%u", address, block->bits);
}

void weir_host_rule_text(const struct weir_host_rule *rule,
                         char out[WEIR_HOST_TEXT])
{
    char host[WEIR_HOST_MAX + 3] = "", port[8] = "";
    bool brackets = false, bare = rule->form == WEIR_HOST_ANY;

    switch (rule->form) {
    case WEIR_HOST_ANY: snprintf(host, sizeof(host), "tenant"); break;
    case WEIR_HOST_NAME:
    case WEIR_HOST_LOCAL: snprintf(host, sizeof(host), "%s", rule->name); break;
    case WEIR_HOST_BELOW:
        snprintf(host, sizeof(host), "*.%s", rule->name);
        break;
    case WEIR_HOST_BLOCK:
        block_text(&rule->block, host, sizeof(host));
        brackets = rule->block.size == 16 && rule->port;
        break;
    }
    if (rule->port)
        snprintf(port, sizeof(port), ":%u", rule->port & 0xffff);
    snprintf(out, WEIR_HOST_TEXT, "%s%s%s%s%s",
             rule->tenant && !bare ? tenant_prefix : "", brackets ? "[" : "",
             host, brackets ? "]" : "", port);
}

/* ---- what two rules have in common ---- */

/* Whether `name` is below `parent`. */
static bool is_below(const char *name, const char *parent)
{
    size_t len = strlen(name), parent_len = strlen(parent);

    return len > parent_len + 1 && name[len - parent_len - 1] == '.' &&
           strcmp(name + len - parent_len, parent) == 0;
}

/* Whether all of `inner` lies in `outer`. */
static bool is_inside(const struct weir_cidr *inner,
                      const struct weir_cidr *outer)
{
    char address[INET6_ADDRSTRLEN];

    return inner->size == outer->size && inner->bits >= outer->bits &&
           inet_ntop(inner->size == 4 ? AF_INET : AF_INET6, inner->bytes,
                     address, sizeof(address)) &&
           weir_cidr_contains(outer, address, strlen(address));
}

static bool meet_blocks(const struct weir_cidr *a, const struct weir_cidr *b,
                        struct weir_host_rule *out)
{
    if (!is_inside(a, b) && !is_inside(b, a))
        return false;
    out->form = WEIR_HOST_BLOCK;
    out->block = is_inside(a, b) ? *a : *b;
    return true;
}

/* Of the addresses that "localhost" covers and those of a block. */
static bool meet_local(const struct weir_cidr *block,
                       struct weir_host_rule *out)
{
    static const struct weir_cidr v4 = {4, 8, {127}},
                                  v6 = {16, 128, {[15] = 1}};

    return meet_blocks(block, block->size == 4 ? &v4 : &v6, out);
}

static void take_host(const struct weir_host_rule *from,
                      struct weir_host_rule *out)
{
    out->form = from->form;
    out->block = from->block;
    memcpy(out->name, from->name, sizeof(out->name));
}

/* One order of the two; the other is asked for by the caller. */
static bool meet_one(const struct weir_host_rule *a,
                     const struct weir_host_rule *b, struct weir_host_rule *out)
{
    if (a->form == WEIR_HOST_BLOCK && b->form == WEIR_HOST_BLOCK)
        return meet_blocks(&a->block, &b->block, out);
    if (a->form == WEIR_HOST_LOCAL && b->form == WEIR_HOST_BLOCK)
        return meet_local(&b->block, out);
    if (b->form == WEIR_HOST_ANY ||
        (a->form == WEIR_HOST_LOCAL && b->form == WEIR_HOST_LOCAL) ||
        (a->form == b->form && strcmp(a->name, b->name) == 0 &&
         a->form != WEIR_HOST_BLOCK) ||
        (a->form != WEIR_HOST_BLOCK && a->form != WEIR_HOST_LOCAL &&
         b->form == WEIR_HOST_BELOW && is_below(a->name, b->name))) {
        take_host(a, out);
        return true;
    }
    return false;
}

bool weir_host_rule_meet(const struct weir_host_rule *a,
                         const struct weir_host_rule *b,
                         struct weir_host_rule *out)
{
    struct weir_host_rule rule = {.form = WEIR_HOST_ANY};

    if (a->port && b->port && a->port != b->port)
        return false;
    if (!meet_one(a, b, &rule) && !meet_one(b, a, &rule))
        return false;
    rule.port = a->port ? a->port : b->port;
    rule.tenant = a->tenant || b->tenant;
    *out = rule;
    return true;
}

/* ---- asking ---- */

void weir_host_question_init(struct weir_host_question *question,
                             const char *host, unsigned port)
{
    size_t len = strlen(host);
    unsigned char bytes[16];

    *question = (struct weir_host_question){.port = port};
    if (len > 1 && host[0] == '[' && host[len - 1] == ']') {
        host++;
        len -= 2;
    } else if (len > 1 && host[len - 1] == '.') {
        len--;
    }
    if (len > WEIR_HOST_MAX)
        return;
    for (size_t i = 0; i < len; i++)
        question->host[i] = lower(host[i]);
    question->literal = inet_pton(AF_INET, question->host, bytes) == 1 ||
                        inet_pton(AF_INET6, question->host, bytes) == 1;
}

void weir_host_question_text(const struct weir_host_question *question,
                             char out[WEIR_HOST_TEXT])
{
    bool v6 = strchr(question->host, ':') != NULL;

    snprintf(out, WEIR_HOST_TEXT, "%s%s%s:%u", v6 ? "[" : "",
             question->host[0] ? question->host : "(no name)", v6 ? "]" : "",
             question->port & 0xffff);
}

bool weir_host_rule_covers(const struct weir_host_rule *rule,
                           const struct weir_host_question *question)
{
    const char *host = question->host;

    if (!host[0] || (rule->port && rule->port != question->port) ||
        (rule->tenant && !question->tenant))
        return false;
    switch (rule->form) {
    case WEIR_HOST_ANY: return true;
    case WEIR_HOST_NAME: return strcmp(host, rule->name) == 0;
    case WEIR_HOST_BELOW: return is_below(host, rule->name);
    case WEIR_HOST_BLOCK:
        return weir_cidr_contains(&rule->block, host, strlen(host));
    case WEIR_HOST_LOCAL:
        return strcmp(host, "localhost") == 0 || is_loopback(host);
    }
    return false;
}

/* A tenant may be in the operator's own network, or simulated here; it is no
 * cloud's metadata service, unless the operator wrote down that address. */
static bool tenant_may_be_at(const struct weir_host_question *question,
                             const char *address)
{
    const char *class = weir_address_class(address);

    return question->literal || !class || strcmp(class, "private") == 0 ||
           strcmp(class, "loopback") == 0;
}

bool weir_host_rule_covers_address(const struct weir_host_rule *rule,
                                   const struct weir_host_question *question,
                                   const char *address)
{
    if (rule->port && rule->port != question->port)
        return false;
    if (rule->tenant &&
        (!question->tenant || !tenant_may_be_at(question, address)))
        return false;
    switch (rule->form) {
    case WEIR_HOST_ANY: return true;
    case WEIR_HOST_NAME:
    case WEIR_HOST_BELOW: return false;
    case WEIR_HOST_BLOCK:
        return weir_cidr_contains(&rule->block, address, strlen(address));
    case WEIR_HOST_LOCAL: return is_loopback(address);
    }
    return false;
}
