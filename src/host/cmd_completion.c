/* weir completion: what a shell needs to complete weir's command lines. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "complete.h"
#include "exit.h"

struct completion_command {
    bool complete;
};

static const struct host_option options[] = {
    {"complete", NULL, "print what the last of the given words can become",
     HOST_FLAG, offsetof(struct completion_command, complete), NULL},
    {NULL, NULL, NULL, HOST_FLAG, 0, NULL},
};

static int run(int argc, char **argv);

static const char *const shells[] = {"bash", "zsh", "fish", NULL};

const struct host_command host_command_completion = {
    .name = "completion",
    .usage = "weir completion bash|zsh|fish",
    .summary = "print the completion of a shell, scripts' parameters included",
    .about =
        "Completes commands, options and their values; and the parameters "
        "that\n"
        "a script declares with weir.args, where it writes them as constants:\n"
        "the script is read, and not run.\n",
    .options = options,
    .after = "examples:\n"
             "  source <(weir completion bash)        in ~/.bashrc\n"
             "  source <(weir completion zsh)         in ~/.zshrc\n"
             "  weir completion fish | source         in config.fish\n",
    .operands = shells,
    .run = run,
};

/* Bash splits words at '=', so "--color=al" comes in three pieces. */
static const char bash[] =
    "_weir() {\n"
    "    local -a words=()\n"
    "    local i word line cur\n"
    "    for ((i = 0; i <= COMP_CWORD; i++)); do\n"
    "        word=${COMP_WORDS[i]}\n"
    "        if ((i > 1)) && [[ $word == = || ${COMP_WORDS[i - 1]} == = ]];\n"
    "        then\n"
    "            words[${#words[@]}-1]+=$word\n"
    "        else\n"
    "            words+=(\"$word\")\n"
    "        fi\n"
    "    done\n"
    "    cur=${words[${#words[@]}-1]}\n"
    "    COMPREPLY=()\n"
    "    while IFS= read -r line; do\n"
    "        if [[ $line == :files ]]; then\n"
    "            compopt -o filenames 2>/dev/null\n"
    "            while IFS= read -r line; do\n"
    "                COMPREPLY+=(\"$line\")\n"
    "            done < <(compgen -f -- \"${cur#*=}\")\n"
    "        else\n"
    "            line=${line%%$'\\t'*}\n"
    "            [[ $cur == *=* ]] && line=${line#*=}\n"
    "            COMPREPLY+=(\"$line\")\n"
    "        fi\n"
    "    done < <(\"${words[0]}\" completion --complete -- \"${words[@]}\" "
    "2>/dev/null)\n"
    "}\n"
    "complete -F _weir weir\n";

static const char zsh[] =
    "#compdef weir\n"
    "_weir() {\n"
    "    local -a values\n"
    "    local line value files\n"
    "    for line in \"${(@f)$(\"${words[1]}\" completion --complete -- "
    "\"${(@)words[1,CURRENT]}\" 2>/dev/null)}\"; do\n"
    "        if [[ $line == :files ]]; then\n"
    "            files=1\n"
    "        elif [[ -n $line ]]; then\n"
    "            value=${line%%$'\\t'*}\n"
    "            values+=(\"${value//:/\\\\:}:${line#*$'\\t'}\")\n"
    "        fi\n"
    "    done\n"
    "    (( $#values )) && _describe weir values\n"
    "    [[ -n $files ]] && _files\n"
    "}\n"
    "if [[ ${funcstack[1]} == _weir ]]; then\n"
    "    _weir \"$@\"\n"
    "else\n"
    "    compdef _weir weir\n"
    "fi\n";

static const char fish[] =
    "function __weir_complete\n"
    "    set -l words (commandline -opc) (commandline -ct)\n"
    "    for line in ($words[1] completion --complete -- $words 2>/dev/null)\n"
    "        if test \"$line\" = :files\n"
    "            __fish_complete_path (commandline -ct)\n"
    "        else\n"
    "            echo $line\n"
    "        end\n"
    "    end\n"
    "end\n"
    "complete -c weir -f -a '(__weir_complete)'\n";

static int run(int argc, char **argv)
{
    static const char *const scripts[] = {bash, zsh, fish};
    struct completion_command given = {.complete = false};
    int code = 0;
    int first =
        host_options_parse(&host_command_completion, argc, argv, &given, &code);

    if (first < 0)
        return code;
    if (given.complete) {
        host_complete(stdout, argc - first, argv + first);
        return HOST_EXIT_DONE;
    }
    for (int i = 0; argc - first == 1 && shells[i]; i++) {
        if (strcmp(argv[first], shells[i]) == 0) {
            fputs(scripts[i], stdout);
            return HOST_EXIT_DONE;
        }
    }
    return host_usage_error("completion", "expected bash, zsh or fish");
}
