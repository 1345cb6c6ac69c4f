/*
 * bare: what bench-http measures weir against.  The same calls as the scripts
 * beside it, written by hand on libcurl's multi interface and cJSON, with
 * nothing of what a client is for: no check of what is sent or received but
 * the status, no retry, no rate limit, no ceiling, no redaction.
 *
 * usage: bare mix|update|list|token BASE_URL N IN_FLIGHT [--reuse] [--no-parse]
 *
 * It is written with care for its speed: easy handles and their buffers are
 * used again, connections are kept, TLS sessions are shared.  A call that must
 * not be sent twice (create) goes out on a fresh connection, as weir's does;
 * --reuse sends it on a kept connection too.  --no-parse: a listing
 * reads of each page only its cursor.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <curl/curl.h>

#define API "/api/v2/event-processing"

struct text {
    char *data;
    size_t len, room;
};

/* One after the other, a slot does all steps for one item after another. */
struct slot {
    CURL *easy;
    struct curl_slist *headers;
    struct text answer;
    char *sent; /* body under way */
    char url[512];
    char id[64];
    char etag[128];
    long item;
    int step;
};

static struct {
    const char *base;
    long n, next;
    bool reuse, parse;
    char token[512];
    char authorization[600];
    CURLM *multi;
    CURLSH *share;
    unsigned long entries;
    char cursor[256];
} all = {.parse = true};

static void die(const char *what)
{
    fprintf(stderr, "bare: %s\n", what);
    exit(1);
}

/* ---- receiving ---- */

static size_t on_body(char *bytes, size_t size, size_t n, void *ud)
{
    struct text *text = ud;
    size_t len = size * n;

    if (text->len + len + 1 > text->room) {
        text->room = 2 * (text->len + len + 1);
        text->data = realloc(text->data, text->room);
        if (!text->data)
            die("out of memory");
    }
    memcpy(text->data + text->len, bytes, len);
    text->len += len;
    text->data[text->len] = '\0';
    return len;
}

static cJSON *parse(const struct slot *s)
{
    cJSON *json = cJSON_ParseWithLength(s->answer.data, s->answer.len);

    if (!json)
        die("the answer is no JSON");
    return json;
}

static void copy_member(const cJSON *json, const char *name, char *out,
                        size_t size)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(json, name);

    if (!cJSON_IsString(member) || strlen(member->valuestring) >= size)
        die("a member is missing");
    memcpy(out, member->valuestring, strlen(member->valuestring) + 1);
}

static void copy_etag(struct slot *s)
{
    struct curl_header *header;

    if (curl_easy_header(s->easy, "ETag", 0, CURLH_HEADER, -1, &header) ||
        strlen(header->value) >= sizeof(s->etag))
        die("no ETag");
    memcpy(s->etag, header->value, strlen(header->value) + 1);
}

/* ---- sending ---- */

static CURL *new_easy(struct slot *s)
{
    CURL *easy = curl_easy_init();
    const char *ca = getenv("SSL_CERT_FILE");

    if (!easy)
        die("no handle");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "weir/0.0.0");
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_SHARE, all.share);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &s->answer);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, s);
    if (ca)
        curl_easy_setopt(easy, CURLOPT_CAINFO, ca);
    /* So that libcurl keeps what it read from the file. */
    curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    return easy;
}

static void add_header(struct slot *s, const char *line)
{
    struct curl_slist *list = curl_slist_append(s->headers, line);

    if (!list)
        die("out of memory");
    s->headers = list;
}

/* Prepares the slot's handle; `body` (owned by the caller) may be NULL. */
static void prepare(struct slot *s, const char *method, const char *body,
                    bool fresh)
{
    curl_slist_free_all(s->headers);
    s->headers = NULL;
    add_header(s, "Accept: application/json");
    if (body)
        add_header(s, "Content-Type: application/json");
    if (body && s->etag[0]) {
        char line[160];

        snprintf(line, sizeof(line), "If-Match: %s", s->etag);
        add_header(s, line);
    }
    if (all.authorization[0])
        add_header(s, all.authorization);
    curl_easy_setopt(s->easy, CURLOPT_URL, s->url);
    curl_easy_setopt(s->easy, CURLOPT_HTTPHEADER, s->headers);
    if (body) {
        curl_easy_setopt(s->easy, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
        curl_easy_setopt(s->easy, CURLOPT_POSTFIELDS, body);
    } else {
        curl_easy_setopt(s->easy, CURLOPT_HTTPGET, 1L);
    }
    curl_easy_setopt(s->easy, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(s->easy, CURLOPT_FRESH_CONNECT, fresh && !all.reuse);
    s->answer.len = 0;
}

static void replace_sent(struct slot *s, char *body)
{
    free(s->sent);
    s->sent = body;
}

/* ---- token ---- */

static void fetch_token(void)
{
    struct slot s = {0};
    cJSON *json;
    long status = 0;

    s.easy = new_easy(&s);
    add_header(&s, "Accept: application/json");
    snprintf(s.url, sizeof(s.url), "%s/as/token.oauth2", all.base);
    curl_easy_setopt(s.easy, CURLOPT_URL, s.url);
    curl_easy_setopt(s.easy, CURLOPT_HTTPHEADER, s.headers);
    curl_easy_setopt(s.easy, CURLOPT_POSTFIELDS,
                     "grant_type=client_credentials&client_id=bench&"
                     "client_secret=bench-secret&"
                     "scope=event-processing%3Aread%20event-processing%3Awrite"
                     "%20analytics%3Aread&tenant=bench");
    if (curl_easy_perform(s.easy))
        die("no token");
    curl_easy_getinfo(s.easy, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200)
        die("no token");
    json = parse(&s);
    copy_member(json, "access_token", all.token, sizeof(all.token));
    snprintf(all.authorization, sizeof(all.authorization),
             "Authorization: Bearer %s", all.token);
    cJSON_Delete(json);
    curl_easy_cleanup(s.easy);
    curl_slist_free_all(s.headers);
    free(s.answer.data);
}

/* ---- mix: validate, create, look at the status, assign ---- */

static char *definition(long i)
{
    char *text = NULL;

    if (asprintf(&text,
                 "{\"channel\":\"chat\","
                 "\"description\":\"premium customers in chat, no %ld\","
                 "\"matchers\":["
                 "{\"attribute\":\"customer.tier\",\"operator\":\"equals\","
                 "\"value\":\"gold\"},"
                 "{\"attribute\":\"queue.wait_seconds\","
                 "\"operator\":\"greater_than\",\"value\":45},"
                 "{\"attribute\":\"customer.region\",\"operator\":\"in\","
                 "\"value\":[\"emea\",\"apac\",\"latam\"]},"
                 "{\"attribute\":\"contact.score\",\"operator\":\"less_than\","
                 "\"value\":0.75}],"
                 "\"name\":\"bench_%ld\",\"pattern_rules\":["
                 "{\"field\":\"agent.skill_id\","
                 "\"pattern\":\"^skill_premium_.*$\",\"type\":\"regex\"},"
                 "{\"field\":\"contact.source\",\"pattern\":\"web_\","
                 "\"type\":\"prefix\"}],"
                 "\"target_group_id\":\"grp_bench\"}",
                 i, i) < 0)
        die("out of memory");
    return text;
}

/* Prepares the next request of the slot; false when it has none left. */
static bool mix_next(struct slot *s)
{
    cJSON *json;
    char *ids = NULL;

    switch (s->step++) {
    case 0:
        if (all.next == all.n)
            return false;
        replace_sent(s, definition(++all.next));
        snprintf(s->url, sizeof(s->url), "%s" API "/filters/validate",
                 all.base);
        prepare(s, "POST", s->sent, false);
        return true;
    case 1:
        json = parse(s);
        if (!cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "valid")))
            die("not valid");
        cJSON_Delete(json);
        snprintf(s->url, sizeof(s->url), "%s" API "/filters", all.base);
        prepare(s, "POST", s->sent, true);
        return true;
    case 2:
        json = parse(s);
        copy_member(json, "id", s->id, sizeof(s->id));
        cJSON_Delete(json);
        snprintf(s->url, sizeof(s->url), "%s" API "/filters/%s/status",
                 all.base, s->id);
        prepare(s, "GET", NULL, false);
        return true;
    case 3:
        json = parse(s);
        if (strcmp(cJSON_GetStringValue(
                       cJSON_GetObjectItemCaseSensitive(json, "status")),
                   "ACTIVE") != 0)
            die("not active");
        cJSON_Delete(json);
        snprintf(s->url, sizeof(s->url),
                 "%s" API "/filter-groups/grp_bench/filters", all.base);
        if (asprintf(&ids, "{\"filter_ids\":[\"%s\"]}", s->id) < 0)
            die("out of memory");
        replace_sent(s, ids);
        prepare(s, "PUT", s->sent, false);
        return true;
    default: s->step = 0; return mix_next(s);
    }
}

/* ---- update: read, change a field, put ---- */

static void change(cJSON *json, long i)
{
    static const char *const server_fields[] = {
        "id", "etag", "status", "created_at", "updated_at", "version"};
    char text[64];

    for (size_t f = 0; f < sizeof(server_fields) / sizeof(*server_fields); f++)
        cJSON_DeleteItemFromObjectCaseSensitive(json, server_fields[f]);
    snprintf(text, sizeof(text), "changed by update %ld", i);
    if (!cJSON_ReplaceItemInObjectCaseSensitive(json, "description",
                                                cJSON_CreateString(text)))
        die("no description");
}

static bool update_next(struct slot *s)
{
    cJSON *json;

    switch (s->step++) {
    case 0:
        if (all.next == all.n)
            return false;
        s->etag[0] = '\0';
        s->item = ++all.next;
        snprintf(s->id, sizeof(s->id), "flt_%ld", s->item);
        snprintf(s->url, sizeof(s->url), "%s" API "/filters/%s", all.base,
                 s->id);
        prepare(s, "GET", NULL, false);
        return true;
    case 1:
        json = parse(s);
        copy_etag(s);
        change(json, s->item);
        replace_sent(s, cJSON_PrintUnformatted(json));
        cJSON_Delete(json);
        prepare(s, "PUT", s->sent, false);
        return true;
    default:
        /* The new state, which the caller of an update goes on with. */
        json = parse(s);
        copy_etag(s);
        copy_member(json, "id", s->id, sizeof(s->id));
        cJSON_Delete(json);
        s->step = 0;
        return update_next(s);
    }
}

/* ---- list: every entry of the audit log ---- */

static void walk_page(struct slot *s)
{
    cJSON *json = parse(s);
    const cJSON *next = cJSON_GetObjectItemCaseSensitive(json, "next_cursor");
    const cJSON *entry;

    cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(json, "entries"))
    {
        if (cJSON_IsString(cJSON_GetObjectItemCaseSensitive(entry, "id")))
            all.entries++;
    }
    all.cursor[0] = '\0';
    if (cJSON_IsString(next))
        snprintf(all.cursor, sizeof(all.cursor), "%s", next->valuestring);
    cJSON_Delete(json);
}

static void find_cursor(struct slot *s)
{
    static const char mark[] = "\"next_cursor\":\"";
    const char *at = strstr(s->answer.data, mark);

    all.entries += 50;
    all.cursor[0] = '\0';
    if (at)
        snprintf(all.cursor, sizeof(all.cursor), "%lu",
                 strtoul(at + sizeof(mark) - 1, NULL, 10));
}

static bool list_next(struct slot *s)
{
    if (s->step++ > 0) {
        if (all.parse)
            walk_page(s);
        else
            find_cursor(s);
        if (!all.cursor[0])
            return false;
    }
    snprintf(s->url, sizeof(s->url), "%s" API "/audit-logs?page_size=50%s%s",
             all.base, all.cursor[0] ? "&cursor=" : "", all.cursor);
    prepare(s, "GET", NULL, false);
    return true;
}

/* ---- all slots at once ---- */

static void run(bool (*next)(struct slot *s), long in_flight)
{
    struct slot *slots = calloc((size_t)in_flight, sizeof(*slots));
    int running = 0, left;

    if (!slots)
        die("out of memory");
    for (long i = 0; i < in_flight; i++) {
        slots[i].easy = new_easy(&slots[i]);
        if (next(&slots[i]))
            curl_multi_add_handle(all.multi, slots[i].easy);
    }
    do {
        CURLMsg *msg;

        if (curl_multi_perform(all.multi, &running))
            die("curl_multi_perform");
        while ((msg = curl_multi_info_read(all.multi, &left))) {
            struct slot *s = NULL;
            CURL *easy = msg->easy_handle;
            long status = 0;

            if (msg->data.result)
                die(curl_easy_strerror(msg->data.result));
            curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&s);
            curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
            if (status < 200 || status > 299)
                die("not a success");
            curl_multi_remove_handle(all.multi, easy);
            if (next(s)) {
                curl_multi_add_handle(all.multi, easy);
                running = 1;
            }
        }
        if (running && curl_multi_poll(all.multi, NULL, 0, 1000, NULL))
            die("curl_multi_poll");
    } while (running);
    for (long i = 0; i < in_flight; i++) {
        curl_easy_cleanup(slots[i].easy);
        curl_slist_free_all(slots[i].headers);
        free(slots[i].answer.data);
        free(slots[i].sent);
    }
    free(slots);
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    long in_flight;

    if (argc < 5) {
        fprintf(stderr, "usage: bare mix|update|list|token BASE N IN_FLIGHT "
                        "[--reuse] [--no-parse]\n");
        return 64;
    }
    all.base = argv[2];
    all.n = strtol(argv[3], NULL, 10);
    in_flight = strtol(argv[4], NULL, 10);
    for (int i = 5; i < argc; i++) {
        all.reuse |= strcmp(argv[i], "--reuse") == 0;
        all.parse &= strcmp(argv[i], "--no-parse") != 0;
    }
    if (curl_global_init(CURL_GLOBAL_DEFAULT))
        die("curl_global_init");
    all.share = curl_share_init();
    curl_share_setopt(all.share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    all.multi = curl_multi_init();
    curl_multi_setopt(all.multi, CURLMOPT_MAXCONNECTS, 64L);
    fetch_token();
    if (strcmp(mode, "mix") == 0)
        run(mix_next, in_flight);
    else if (strcmp(mode, "update") == 0)
        run(update_next, in_flight);
    else if (strcmp(mode, "list") == 0)
        run(list_next, 1);
    printf("%lu\n", strcmp(mode, "token") == 0
                        ? (unsigned long)strlen(all.token)
                    : strcmp(mode, "list") == 0 ? all.entries
                                                : (unsigned long)all.next);
    curl_multi_cleanup(all.multi);
    curl_share_cleanup(all.share);
    curl_global_cleanup();
    return 0;
}
