/* weir key: the keys that bundles are signed with, and those that are
 * trusted. */
#include <stdio.h>

#include "commands.h"
#include "exit.h"
#include "key_commands.h"

static const struct host_command *const parts[] = {
    &host_command_key_new,
    &host_command_key_list,
    &host_command_key_trust,
    &host_command_key_revoke,
    &host_command_key_show,
    &host_command_key_export,
    &host_command_key_sign,
    &host_command_key_verify,
    NULL,
};

static const struct host_option options[] = {
    {NULL, NULL, NULL, HOST_FLAG, 0, NULL},
};

static int run(int argc, char **argv)
{
    return host_command_run_part(&host_command_key, argc, argv);
}

const struct host_command host_command_key = {
    .name = "key",
    .usage = "weir key COMMAND",
    .summary = "keys to sign bundles with, and keys that are trusted",
    .about =
        "Keys and signatures are minisign's (Ed25519): 'minisign -V' verifies\n"
        "what weir has signed, and the other way round.\n",
    .options = options,
    .after =
        "files:\n"
        "  $XDG_CONFIG_HOME/weir/keys/         keys of 'weir key new'\n"
        "  $XDG_CONFIG_HOME/weir/trust.json    keys trusted and revoked\n"
        "  /etc/weir/policy.json               what the machine demands\n"
        "  $XDG_CONFIG_HOME/weir/policy.json   what the user demands beside "
        "it\n"
        "  $XDG_STATE_HOME/weir/versions.json  the versions that have run\n"
        "\n"
        "A policy is JSON; each member may be absent, and none takes back "
        "what\n"
        "another file demands:\n"
        "  {\"require_signature\": true,     nothing unsigned, nor by a key\n"
        "                                  that is not trusted\n"
        "   \"no_downgrade\": true,          no version below one that has "
        "run\n"
        "   \"keys\": [{\"name\": \"ops\",       these keys and no others; "
        "\"expires\"\n"
        "             \"key\": \"RW...\"}],    may say until when\n"
        "   \"revoked\": [{\"id\": \"...\"}]}    and never these\n"
        "A policy that is malformed, or that others may write, lets nothing "
        "run.\n",
    .parts = parts,
    .run = run,
};
