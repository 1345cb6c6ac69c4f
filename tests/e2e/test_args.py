"""weir.args from outside: words, exit codes, what is printed where; and
completion in real shells."""

import os
import shutil
import subprocess

import pexpect
import pytest

SCRIPT = """\
    #!/usr/bin/env weir
    local args = weir.args {
      about = "Deploys one filter per region.",
      { name = "region", many = true, choices = { "emea", "apac" } },
      { name = "--channel", short = "-c", choices = { "chat", "voice" }, default = "chat" },
      { name = "--definition", type = "file", help = "the filter as JSON" },
    }
    print(args.channel, table.concat(args.region, "+"))
"""


@pytest.fixture
def deploy(script):
    return script(SCRIPT, "deploy.lua")


def test_words_reach_the_script(run_weir, deploy):
    result = run_weir("run", deploy, "apac", "-cvoice", "emea")
    assert (result.returncode, result.stdout, result.stderr) == (0, "voice\tapac+emea\n", "")


def test_help_goes_to_stdout_and_nothing_runs(run_weir, deploy):
    result = run_weir("run", deploy, "--help")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith(f"usage: weir run {deploy} [options] REGION...\n")
    assert "--definition DEFINITION\n                         the filter as JSON" in result.stdout


def test_a_wrong_word_is_64_without_an_excerpt(run_weir, deploy):
    result = run_weir("run", deploy, "emea", "--chanel", "chat")
    assert (result.returncode, result.stdout) == (64, "")
    assert result.stderr == (
        "weir: deploy.lua: unknown option --chanel (did you mean --channel?)\n"
        f"  what to do: weir run {deploy} --help shows what there is\n")


def test_a_wrong_declaration_is_the_scripts_mistake(run_weir, script):
    result = run_weir("run", script('weir.args {\n  { name = "--x", typ = "flag" },\n}\n'))
    assert result.returncode == 1
    assert "did you mean 'type'?" in result.stderr and "script.lua:1" in result.stderr


def test_standard_input_can_have_parameters(run_weir):
    result = run_weir("run", "-", "--n", "3", input=(
        'local a = weir.args { { name = "--n", type = "integer" } } print(a.n + 1)'))
    assert (result.returncode, result.stdout) == (0, "4\n")


# ---- completion ----


def complete(run_weir, *words, cwd=None):
    result = run_weir("completion", "--complete", "--", "weir", *words, cwd=cwd)
    assert (result.returncode, result.stderr) == (0, "")
    return [line.split("\t")[0] for line in result.stdout.splitlines()]


@pytest.mark.parametrize("words,expected", [
    (["ru"], ["run", ":files"]),
    (["run", "--si"], ["--sim", "--sim-seed", "--sim-state"]),
    (["run", "--color", "a"], ["auto", "always"]),
    (["run", "--color=n"], ["--color=never"]),
    (["run", ""], [":files"]),
    (["--traceb"], ["--traceback"]),
    (["help", "si"], ["sim"]),
    (["completion", "b"], ["bash"]),
    (["sim", "--scenario", ""], [":files"]),
    (["sim", "--port", ""], []),
    (["run", "deploy.lua", "e"], ["emea"]),
    (["deploy.lua", "--ch"], ["--channel"]),
    (["run", "--sim", "deploy.lua", "-c", ""], ["chat", "voice"]),
    (["run", "deploy.lua", "--definition", ""], [":files"]),
    (["run", "other.lua", ""], [":files"]),
    (["run", "missing.lua", ""], [":files"]),
    (["nonsense", ""], []),
])
def test_what_a_word_can_become(run_weir, deploy, words, expected):
    (deploy.parent / "other.lua").write_text("os.exit(1)\n")
    assert complete(run_weir, *words, cwd=deploy.parent) == expected


def test_completing_does_not_run_the_script(run_weir, script, tmp_path):
    trap = tmp_path / "touched"
    path = script(f'io.open("{trap}", "w") weir.args {{ {{ name = os.exit(9) }} }}')
    assert complete(run_weir, "run", path, "") == [":files"]
    assert not trap.exists()


def test_an_unknown_shell_is_a_usage_error(run_weir):
    result = run_weir("completion", "tcsh")
    assert result.returncode == 64 and "bash, zsh or fish" in result.stderr


@pytest.fixture
def with_weir(weir, clean_env, deploy):
    """An environment in which `weir` is on the path."""
    folder = deploy.parent / "bin"
    folder.mkdir()
    (folder / "weir").symlink_to(weir)
    return {**clean_env, "PATH": f"{folder}:{os.environ['PATH']}", "PS1": "$ "}


def test_bash_completes(with_weir, deploy):
    def reply(line):
        words = " ".join(f"'{word}'" for word in line)
        return subprocess.run(
            ["bash", "--norc", "-c",
             f"source <(weir completion bash); COMP_WORDS=({words}); COMP_CWORD={len(line) - 1}; "
             '_weir; printf "%s\\n" "${COMPREPLY[@]}"'],
            env=with_weir, cwd=deploy.parent, capture_output=True, text=True, check=True,
        ).stdout.split()

    assert reply(["weir", "ver"]) == ["version"]
    assert reply(["weir", "run", "--color", "=", "al"]) == ["always"]
    assert reply(["weir", "run", "dep"]) == ["deploy.lua"]
    assert reply(["weir", "run", "deploy.lua", "--chan"]) == ["--channel"]


def test_fish_completes(with_weir, deploy):
    assert shutil.which("fish")

    def reply(line):
        return subprocess.run(
            ["fish", "--no-config", "-c",
             f"weir completion fish | source; complete -C '{line}'"],
            env=with_weir, cwd=deploy.parent, capture_output=True, text=True, check=True,
        ).stdout.splitlines()

    assert [line.split("\t")[0] for line in reply("weir ver")] == ["version"]
    assert [line.split("\t")[0] for line in reply("weir run deploy.lua -c v")] == ["voice"]
    assert "deploy.lua" in [line.split("\t")[0] for line in reply("weir run dep")]


def test_zsh_completes(with_weir, deploy):
    shell = pexpect.spawn("zsh", ["-f", "-i"], env={**with_weir, "PROMPT": "$ "},
                          cwd=str(deploy.parent), encoding="utf-8", timeout=30,
                          dimensions=(24, 100))
    shell.sendline("autoload -Uz compinit; compinit -u -d ./zcompdump; "
                   "source <(weir completion zsh); echo re''ady")
    shell.expect("ready")
    shell.send("weir run deploy.lua --def\t")
    shell.expect("inition")
    shell.sendcontrol("u")
    shell.send("weir vers\t")
    shell.expect("ion")
    shell.close(force=True)


def test_the_scripts_of_the_shells_parse(run_weir, tmp_path):
    for shell in ["bash", "zsh", "fish"]:
        path = tmp_path / shell
        path.write_text(run_weir("completion", shell).stdout)
        subprocess.run([shell, "-n", path], check=True)
