#include "weir/client.h"

#include <stdlib.h>
#include <string.h>

#include "auth_internal.h"
#include "client_internal.h"
#include "url_internal.h"
#include "weir/log.h"
#include "weir/url.h"

#define DEFAULT_RATE       100
#define DEFAULT_TIMEOUT_MS 120000

/* ---- making and ending ---- */

static enum weir_code check_base_url(const struct weir_client_config *config,
                                     struct weir_err *err)
{
    const char *url = config->base_url;
    enum weir_code code;

    if (!url || !*url)
        return weir_err_set(err, WEIR_INVALID, "base_url is missing");
    code = weir_url_check(url, err);
    if (!code && strpbrk(url, "?#"))
        code = weir_err_set(err, WEIR_INVALID,
                            "expected an origin with an optional path, "
                            "without '?' and '#'");
    if (!code && !config->allow_plain_http)
        code = weir_http_url_safe(url, err);
    if (code)
        weir_err_prefix(err, "base_url: ");
    return code;
}

/* A path begins with a slash of its own, so the base gives up its last. */
static char *without_slashes(const char *url)
{
    size_t len = strlen(url);

    while (len && url[len - 1] == '/')
        len--;
    return strndup(url, len);
}

enum weir_code weir_client_new(struct weir_loop *loop,
                               const struct weir_client_config *config,
                               struct weir_client **out, struct weir_err *err)
{
    struct weir_client *client;
    double rate = config->rate == 0 ? DEFAULT_RATE : config->rate;
    enum weir_code code = check_base_url(config, err);

    if (code)
        return code;
    client = calloc(1, sizeof(*client));
    if (!client)
        return weir_err_nomem(err);
    client->refs = 1;
    client->loop = loop;
    client->base_url = without_slashes(config->base_url);
    if (!client->base_url) {
        free(client);
        return weir_err_nomem(err);
    }
    /* It was checked, and so cannot fail. */
    weir_url_scan(client->base_url, &client->origin_len, NULL);
    client->auth = config->auth ? weir_auth_ref(config->auth) : NULL;
    client->retry = config->retry;
    client->limits = config->limits;
    client->document = (struct weir_json_options){
        .max_depth = config->max_depth, .max_nodes = config->max_nodes};
    client->timeout_ms =
        config->timeout_ms > 0 ? config->timeout_ms : DEFAULT_TIMEOUT_MS;
    client->allow_plain_http = config->allow_plain_http;
    client->transport =
        config->transport ? *config->transport : weir_http_transport;
    client->log = config->log;
    client->changes = config->changes;
    weir_budget_init(&client->budget);
    weir_limit_init(&client->limit, rate,
                    config->burst > 0 ? config->burst : rate,
                    weir_loop_now(loop));
    *out = client;
    return WEIR_OK;
}

struct weir_client *weir_client_ref(struct weir_client *client)
{
    client->refs++;
    return client;
}

void weir_client_unref(struct weir_client *client)
{
    if (!client || --client->refs > 0)
        return;
    /* Calls hold references, so nobody is in the queue. */
    weir_auth_unref(client->auth);
    free(client->base_url);
    free(client);
}

struct weir_loop *weir_client_loop(const struct weir_client *client)
{
    return client->loop;
}

struct weir_client_stats weir_client_stats(const struct weir_client *client)
{
    return client->stats;
}

/* ---- the queue for the rate limit ---- */

static void enqueue(struct weir_client *client, struct weir_turn *turn)
{
    turn->waiting = true;
    turn->prev = client->last;
    turn->next = NULL;
    if (client->last)
        client->last->next = turn;
    else
        client->first = turn;
    client->last = turn;
}

static void dequeue(struct weir_client *client, struct weir_turn *turn)
{
    turn->waiting = false;
    if (turn->prev)
        turn->prev->next = turn->next;
    else
        client->first = turn->next;
    if (turn->next)
        turn->next->prev = turn->prev;
    else
        client->last = turn->prev;
    turn->prev = turn->next = NULL;
}

/* Lets go whoever may, from the front; then waits for the next one's time.
 * A pause that began meanwhile shows in what the limit answers. */
static void serve(void *ud)
{
    struct weir_client *client = ud;

    while (client->first) {
        struct weir_turn *turn = client->first;
        int64_t wait =
            weir_limit_take(&client->limit, weir_loop_now(client->loop));

        if (wait > 0) {
            weir_timer_start(client->loop, &client->next_turn, wait, serve,
                             client);
            return;
        }
        dequeue(client, turn);
        turn->go(turn->ud);
    }
}

bool weir_client_ask(struct weir_client *client, struct weir_turn *turn)
{
    int64_t wait;

    if (client->first) {
        enqueue(client, turn);
        return false;
    }
    wait = weir_limit_take(&client->limit, weir_loop_now(client->loop));
    if (wait == 0)
        return true;
    enqueue(client, turn);
    weir_timer_start(client->loop, &client->next_turn, wait, serve, client);
    return false;
}

void weir_client_leave(struct weir_client *client, struct weir_turn *turn)
{
    if (!turn->waiting)
        return;
    dequeue(client, turn);
    if (!client->first)
        weir_timer_stop(&client->next_turn);
}

int64_t weir_client_paused(const struct weir_client *client)
{
    int64_t left = client->limit.paused_ms - weir_loop_now(client->loop);

    return left > 0 ? left : 0;
}

void weir_client_pause(struct weir_client *client, int64_t ms)
{
    int64_t until = weir_loop_now(client->loop) + ms;

    weir_limit_pause(&client->limit, until);
    if (client->auth)
        weir_auth_hold(client->auth, until);
}
