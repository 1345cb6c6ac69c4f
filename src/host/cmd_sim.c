#include "commands.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "../sim/sim.h"
#include "exit.h"

struct sim_command {
    uint64_t port;
    uint64_t seed;
    const char *scenario;
    const char *activation;
    struct host_texts faults;
    double token_life;
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
    {"fault", "SPEC", "something that goes wrong; may be given many times",
     HOST_TEXTS, FIELD(faults), NULL},
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
    "Everything is kept in memory.  SIGINT or SIGTERM ends it with code 0.\n";

static const char after[] =
    "HOW a filter becomes active, after it was created:\n"
    "  looks=N               N looks at its status see it pending\n"
    "  seconds=S             S seconds later\n"
    "  fail, fail=REASON     it does not: FAILED at the first look\n"
    "  reject, reject=REASON it does not: REJECTED at the first look\n"
    "  never                 it stays pending\n"
    "\n"
    "SPEC of a fault: KIND, KIND:KEY=VALUE,… or a JSON object.  Kinds:\n"
    "  rate                  429 with Retry-After; retry_after=S, date=true\n"
    "  status                any error; status=503, message=TEXT,\n"
    "                        retry_after=S, date=true\n"
    "  invalid               400 with a list of errors; path=/POINTER,\n"
    "                        message=TEXT\n"
    "  slow                  the answer comes late; seconds=S\n"
    "  drop                  connection closed, nothing done\n"
    "  lost                  done, but the answer is lost;\n"
    "                        at=before, after_headers or mid_body\n"
    "  expired               401: the token is worth nothing any more\n"
    "  concurrent_edit       somebody else edits just before an update;\n"
    "                        field=NAME, value=TEXT, actor=NAME\n"
    "  invalid_json          an answer that is no JSON; body=TEXT\n"
    "  truncate              an answer cut short in the middle\n"
    "  endless_cursor        a listing whose next page is the same page\n"
    "  redirect              to location=URL; status=302\n"
    "Every kind takes: call (token, validate, create, get, update, delete,\n"
    "status, list, assign, members, metrics, audit, or any), method, target\n"
    "(text in the path), count (default 1), probability, after=N (let N "
    "pass).\n"
    "Without call=token or call=any, token calls are spared.\n"
    "\n"
    "While it runs: /_sim says what it is and counts; /_sim/log, "
    "/_sim/faults,\n"
    "/_sim/events, /_sim/config and /_sim/reset can be read or posted to.\n"
    "\n"
    "Examples:\n"
    "  weir sim --port 8080 --activation seconds=1.5\n"
    "  weir sim --fault rate:call=create,count=2,retry_after=3\n"
    "  weir sim --fault '{\"kind\": \"concurrent_edit\", \"value\": \"a, "
    "b\"}'\n"
    "  curl http://127.0.0.1:8080/_sim\n";

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

static int fail(const struct weir_err *err)
{
    if (err->code == WEIR_INVALID)
        return host_usage_error("sim", "%s", err->message);
    fprintf(stderr, "weir sim: %s\n", err->message);
    if (*err->hint)
        fprintf(stderr, "hint: %s\n", err->hint);
    return host_exit_code(err->code);
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
    int code = 0;
    int operand =
        host_options_parse(&host_command_sim, argc, argv, &given, &code);

    if (operand < 0)
        return code;
    if (operand < argc)
        return host_usage_error("sim", "unexpected argument '%s'",
                                argv[operand]);
    if (given.port > 65535)
        return host_usage_error("sim", "--port takes 0 to 65535, got %llu",
                                (unsigned long long)given.port);
    return serve_until_signal(&(struct sim_options){
        .port = (unsigned)given.port,
        .seed = given.seed,
        .scenario = given.scenario,
        .activation = given.activation,
        .faults = given.faults.list,
        .token_life = given.token_life,
        .log_requests = !given.quiet,
    });
}
