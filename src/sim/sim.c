#include "sim.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge.h"
#include "server.h"

struct sim {
    struct bridge *bridge; /* the thread's, once that runs */
    struct server *server;
    pthread_t thread;
    bool running;
    char url[32];
    char *token_url;
};

static void *serve(void *ud)
{
    server_run(((struct sim *)ud)->server);
    return NULL;
}

/* The thread starts with every signal blocked: signals are the program's
 * business, and a closed connection's SIGPIPE is nobody's. */
static enum weir_code start_thread(struct sim *sim, struct weir_err *err)
{
    sigset_t all, before;
    int failed;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&sim->thread, NULL, serve, sim);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    /* What pthread_create() says of too little memory, too. */
    if (failed == EAGAIN)
        return weir_err_set(err, WEIR_NOMEM,
                            "cannot start a thread: out of memory, or of "
                            "threads");
    if (failed) {
        char text[128];

        return weir_err_set(err, WEIR_IO, "cannot start a thread: %s",
                            strerror_r(failed, text, sizeof(text)));
    }
    sim->running = true;
    return WEIR_OK;
}

static enum weir_code start(struct sim *sim, const struct sim_options *options,
                            struct weir_err *err)
{
    enum weir_code code = bridge_new(options, &sim->bridge, err);

    if (code == WEIR_OK)
        code = server_new(options->port, bridge_handle, sim->bridge,
                          &sim->server, err);
    if (code != WEIR_OK)
        return code;
    snprintf(sim->url, sizeof(sim->url), "http://127.0.0.1:%u",
             server_port(sim->server));
    if (asprintf(&sim->token_url, "%s%s", sim->url,
                 bridge_token_path(sim->bridge)) < 0) {
        sim->token_url = NULL;
        return weir_err_nomem(err);
    }
    return start_thread(sim, err);
}

enum weir_code sim_start(const struct sim_options *options, struct sim **out,
                         struct weir_err *err)
{
    static const struct sim_options defaults = {.port = 0};
    struct sim *sim = calloc(1, sizeof(*sim));
    enum weir_code code;

    if (!sim)
        return weir_err_nomem(err);
    if (!options)
        options = &defaults;
    code = options->port > 65535
               ? weir_err_set(err, WEIR_INVALID, "port %u: expected 0 to 65535",
                              options->port)
               : start(sim, options, err);
    if (code != WEIR_OK) {
        sim_stop(sim);
        return code;
    }
    *out = sim;
    return WEIR_OK;
}

const char *sim_url(const struct sim *sim)
{
    return sim->url;
}

const char *sim_token_url(const struct sim *sim)
{
    return sim->token_url;
}

char *sim_fault_kinds(void)
{
    return bridge_fault_kinds();
}

void sim_stop(struct sim *sim)
{
    if (!sim)
        return;
    if (sim->running) {
        server_end(sim->server);
        pthread_join(sim->thread, NULL);
    }
    server_free(sim->server);
    bridge_free(sim->bridge);
    free(sim->token_url);
    free(sim);
}
