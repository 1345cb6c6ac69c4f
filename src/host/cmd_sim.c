#include "commands.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "../sim/sim.h"
#include "ending.h"
#include "exit.h"
#include "trust_files.h"

struct sim_command {
    uint64_t port;
    uint64_t seed;
    const char *scenario;
    const char *activation;
    const char *clock;
    const char *state;
    struct host_texts faults;
    double token_life;
    bool list_faults;
    bool quiet;
};

#define FIELD(name) offsetof(struct sim_command, name)

static const struct host_option options[] = {
    {"port", "N", "listen on 127.0.0.1:N; 0, the default, takes any free port",
     HOST_NUMBER, FIELD(port), NULL},
    {"seed", "N", "of ids, tokens, ETags and chances; default 1", HOST_NUMBER,
     FIELD(seed), NULL},
    {"scenario", "FILE", "a Lua file that returns settings, faults and events",
     HOST_TEXT, FIELD(scenario), NULL},
    {"activation", "HOW", "how filters become active; default looks=2",
     HOST_TEXT, FIELD(activation), NULL},
    {"state", "FILE", "keep everything in FILE, and go on from there",
     HOST_TEXT, FIELD(state), NULL},
    {"clock", "WHEN", "real (default), manual, or the time where it stands",
     HOST_TEXT, FIELD(clock), NULL},
    {"fault", "SPEC", "something that goes wrong; may be given many times",
     HOST_TEXTS, FIELD(faults), NULL},
    {"faults", NULL, "list the faults that there are, and end", HOST_FLAG,
     FIELD(list_faults), NULL},
    {"token-life", "SECONDS", "how long a token is good for; default 3600",
     HOST_REAL, FIELD(token_life), NULL},
    {"quiet", NULL, "print the URL and nothing else", HOST_FLAG, FIELD(quiet),
     NULL},
    {NULL, NULL, NULL, HOST_FLAG, 0, NULL},
};

static const char about[] =
    "Runs the simulator of the API as an HTTP server on 127.0.0.1, for any\n"
    "client.  Its first line of output is its URL, the next ones are the\n"
    "settings that point a client to it; requests are shown on stderr.\n"
    "Without --state everything is kept in memory.  SIGINT or SIGTERM ends it\n"
    "with code 0; code 7 says that another process has the state file.\n";

static const char after[] =
    "HOW a filter becomes active, after it was created:\n"
    "  looks=N               N looks at its status see it pending\n"
    "  seconds=S             S seconds later\n"
    "  fail, fail=REASON     it does not: FAILED at the first look\n"
    "  reject, reject=REASON it does not: REJECTED at the first look\n"
    "  never                 it stays pending\n"
    "\n"
    "While it runs: /_sim says what it is and counts; /_sim/log, "
    "/_sim/faults,\n"
    "/_sim/clock, /_sim/events, /_sim/config and /_sim/reset can be read or\n"
    "posted to.\n"
    "\n"
    "Examples:\n"
    "  weir sim --port 8080 --activation seconds=1.5\n"
    "  weir sim --fault rate:call=create,count=2,retry_after=3\n"
    "  weir sim --fault lost:call=create,p=0.1 --fault drop:p=0.05 --seed 7\n"
    "  weir sim --fault '{\"kind\": \"concurrent_edit\", \"value\": \"a, "
    "b\"}'\n"
    "  curl http://127.0.0.1:8080/_sim\n"
    "\n";

static const char about_faults[] =
    "SPEC of a fault: KIND, KIND:KEY=VALUE,… or a JSON object.  Every kind "
    "takes:\n"
    "  call=NAME              token, validate, create, get, update, delete,\n"
    "                         status, list, assign, members, metrics, audit;\n"
    "                         any.  Without it token calls are spared\n"
    "  method=M, target=TEXT  TEXT is a part of the path\n"
    "  count=N                how many times; default 1\n"
    "  p=CHANCE               of each request, then without end unless count\n"
    "                         says otherwise; decided by the seed\n"
    "  every=N, after=N       each N-th request; let N pass first\n"
    "Several faults add up, in their order, until one answers by itself.\n"
    "Kinds, with keys of their own:\n";

static int run(int argc, char **argv);

const struct host_command host_command_sim = {
    .name = "sim",
    .usage = "weir sim [options]",
    .summary = "run the simulator as a server of its own",
    .about = about,
    .options = options,
    .after = after,
    .run = run,
};

static void print_settings(const struct sim *sim, bool quiet)
{
    printf("%s\n", sim_url(sim));
    if (!quiet)
        printf("export CXONE_BASE_URL=%s\n"
               "export CXONE_TOKEN_URL=%s\n"
               "export CXONE_TENANT=simulator\n"
               "export CXONE_CLIENT_ID=sim-client\n"
               "export CXONE_CLIENT_SECRET=sim-client-secret\n",
               sim_url(sim), sim_token_url(sim));
    fflush(stdout);
}

static int print_faults(void)
{
    char *kinds = sim_fault_kinds();

    if (!kinds) {
        fprintf(stderr, "weir sim: out of memory\n");
        return HOST_EXIT_FAILED;
    }
    printf("%s%s", about_faults, kinds);
    free(kinds);
    return HOST_EXIT_DONE;
}

static int fail(struct weir_err *err)
{
    if (err->code == WEIR_INVALID)
        return host_usage_error("sim", "%s", err->message);
    return host_ending_err("sim", err);
}

/* The signals that end it are blocked from the start, so that none is lost
 * between listening and waiting. */
static int serve_until_signal(const struct sim_options *given)
{
    struct weir_err err = WEIR_ERR_INIT;
    struct sim *sim;
    sigset_t ends;
    int number;

    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    if (sim_start(given, &sim, &err) != WEIR_OK) {
        int code = fail(&err);

        weir_err_clear(&err);
        return code;
    }
    print_settings(sim, !given->log_requests);
    sigwait(&ends, &number);
    sim_stop(sim);
    return HOST_EXIT_DONE;
}

static int run(int argc, char **argv)
{
    struct sim_command given = {.seed = 0};
    struct weir_err err = WEIR_ERR_INIT;
    int code = 0;
    int operand =
        host_options_parse(&host_command_sim, argc, argv, &given, &code);

    if (operand < 0) /* after --help, the faults belong to it */
        return code ? code : print_faults();
    if (given.list_faults)
        return print_faults();
    if (operand < argc)
        return host_usage_error("sim", "unexpected argument '%s'",
                                argv[operand]);
    if (given.port > 65535)
        return host_usage_error("sim", "--port takes 0 to 65535, got %llu",
                                (unsigned long long)given.port);
    if (given.scenario && host_trust_check_unsigned(given.scenario, &err)) {
        code = fail(&err);
        weir_err_clear(&err);
        return code;
    }
    return serve_until_signal(&(struct sim_options){
        .port = (unsigned)given.port,
        .seed = given.seed,
        .scenario = given.scenario,
        .activation = given.activation,
        .clock = given.clock,
        .state = given.state,
        .faults = given.faults.list,
        .token_life = given.token_life,
        .log_requests = !given.quiet,
    });
}
