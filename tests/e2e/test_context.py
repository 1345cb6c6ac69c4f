"""`weir context`, `--context`, `weir config show`: which tenant a run is for,
where each setting comes from, and that no secret is kept, shown or mixed up."""

import json
import os
import stat

import pytest

SECRET = "s3cret-of-the-tests"
CONNECT = """
    local tenant = cxone.connect()
    for _ in tenant.filters:list() do end
    print(tenant.name, tenant.context)
    """


@pytest.fixture
def contexts(tmp_path):
    """The file, in the test's own home."""
    return tmp_path / ".config" / "weir" / "contexts.json"


@pytest.fixture
def context(run_weir):
    """context(*words) → CompletedProcess of `weir context …`, which is done."""

    def run(*words, **more):
        result = run_weir("context", *words, **more)
        assert result.returncode == 0, result.stderr
        return result

    return run


@pytest.fixture
def secret_file(tmp_path):
    path = tmp_path / "secret"
    path.write_text(SECRET + "\n")
    path.chmod(0o600)
    return path


def places(sim):
    return ("--tenant", "t1", "--client-id", "tester", "--base-url", sim.url,
            "--token-url", sim.env["CXONE_TOKEN_URL"])


# -- keeping them


def test_add_list_use_show_remove(context, contexts):
    context("add", "prod", "--tenant", "acme", "--client-id", "weir",
            "--secret", "command:pass show acme/weir")
    context("add", "--tenant", "acme-test", "--client-id", "weir",
            "--secret", "env:ACME_TEST", "test")
    assert stat.S_IMODE(contexts.stat().st_mode) == 0o600
    assert json.loads(contexts.read_text())["contexts"]["prod"] == {
        "tenant": "acme", "client_id": "weir",
        "client_secret": {"command": ["pass", "show", "acme/weir"]}}
    assert context("list").stdout == "  prod  tenant acme\n  test  tenant acme-test\n"
    assert context("use", "prod").stdout == "in use: prod, tenant acme\n"
    assert context("list").stdout.startswith("* prod")
    assert "from the output of pass show acme/weir" in context("show").stdout
    assert json.loads(context("show", "--json", "test").stdout)["tenant"] == "acme-test"
    context("remove", "prod")
    assert context("list").stdout == "  test  tenant acme-test\n"
    assert "use" not in json.loads(contexts.read_text())


@pytest.mark.parametrize("source", [
    "command:vault kv get -field=password acme/weir", "command:vault --secret-id acme",
    "command:vault --token-file=/run/token", "command:vault --token=", "env:PATH_SECRET",
    "env:HOMES"])
def test_what_only_looks_like_a_secret(context, source):
    context("add", "a", "--tenant", "t", "--client-id", "c", "--secret", source)


def test_words_of_a_command_that_hold_spaces(context, contexts):
    context("add", "a", "--tenant", "t", "--client-id", "c", "--secret",
            'command:["my program", "a b", "$HOME;`x`"]')
    assert json.loads(contexts.read_text())["contexts"]["a"]["client_secret"] == {
        "command": ["my program", "a b", "$HOME;`x`"]}


@pytest.mark.parametrize("words, why", [
    (["add", "x"], "--tenant is required"),
    (["add", "x", "--tenant", "t"], "--client-id is required"),
    (["add", "x", "--tenant", "t", "--client-id", "c"], "--secret is required"),
    (["add"], "which context?"),
    (["use"], "which context?"),
    (["use", "a", "b"], "one name at a time"),
    (["ad"], "did you mean 'add'?"),
    ([], "add, use, list, show or remove"),
    (["list", "x"], "unexpected word 'x'"),
])
def test_command_lines_that_are_wrong(run_weir, words, why):
    result = run_weir("context", *words)
    assert result.returncode == 64 and why in result.stderr


@pytest.mark.parametrize("option, value, why", [
    ("--secret", "hunter2hunter2", "never the secret itself"),
    ("--secret", "env:hunter2-hunter2", "name of a variable"),
    ("--secret", "env:", "name of a variable"),
    ("--secret", "file:", "absolute path"),
    ("--secret", "command:", "1 to 64 words"),
    ("--secret", "command:vault --password=hunter2hunter2", "carries a secret itself"),
    ("--secret", "command:vault --client-secret=hunter2hunter2", "carries a secret itself"),
    ("--secret", "command:env VAULT_TOKEN=hunter2hunter2 vault", "carries a secret itself"),
    ("--secret", "command:vault --Api-Key=hunter2hunter2", "carries a secret itself"),
    ("--secret", "env:PATH", "PATH is no secret"),
    ("--secret", "env:LD_PRELOAD", "LD_PRELOAD is no secret"),
    ("--secret", 'command:["a"', "the list of words"),
    ("--secret", "command:[1]", "every word is a text"),
    ("--secret", "pass:hunter2hunter2", "never the secret itself"),
    ("--base-url", "http://example.com", "only https"),
    ("--base-url", "https://hunter2hunter2:x@example.com", "base_url"),
    ("--base-url", "example.com", "base_url"),
    ("--base-url", "https://example.com/?a", "without ? and #"),
    ("--tenant", "evil.example/#", "letters, digits"),
    ("--tenant", "", "1 to 512 bytes"),
    ("--client-id", "a\nb", "on one line"),
    ("--access-key-id", "k", "access_key_secret is missing"),
])
def test_what_is_not_kept(run_weir, contexts, option, value, why):
    given = {"--tenant": "t", "--client-id": "c", "--secret": "env:S", option: value}
    result = run_weir("context", "add", "x", *[w for kv in given.items() for w in kv])
    assert result.returncode == 5
    assert why in result.stderr
    assert "hunter2" not in result.stderr
    assert not contexts.exists()


@pytest.mark.parametrize("name", ["a/b", "a b", ".x", "", "x" * 64, "ü"])
def test_names_that_are_none(run_weir, contexts, name):
    result = run_weir("context", "add", "--tenant", "t", "--client-id", "c",
                      "--secret", "env:S", name)
    assert result.returncode == 5 and "a context's name is made of" in result.stderr
    assert not contexts.exists()


def test_one_that_is_there_is_not_overwritten_by_accident(run_weir, context):
    words = ("add", "x", "--tenant", "t", "--client-id", "c", "--secret")
    context(*words, "env:A")
    result = run_weir("context", *words, "env:B")
    assert result.returncode == 5 and "already" in result.stderr
    assert "the variable A" in context("show", "x").stdout
    context(*words, "env:B", "--replace")
    assert "the variable B" in context("show", "x").stdout


@pytest.mark.parametrize("text, why", [
    ("{", "line 1"),
    ("[]", "expected an object"),
    ('{"contexts": {}}', "format"),
    ('{"format": 2, "contexts": {}}', "reads format 1"),
    ('{"format": 1}', "contexts: expected an object"),
    ('{"format": 1, "contexts": {}, "current": "x"}', "current: unknown"),
    ('{"format": 1, "contexts": {}, "use": "x"}', "no context of that name"),
    ('{"format": 1, "contexts": {}, "contexts": {}}', "contexts"),
    ('{"format": 1, "contexts": {"a": {"tennant": "t"}}}', "did you mean 'tenant'?"),
    ('{"format": 1, "contexts": {"a": {"tenant": "t", "client_id": "c"}}}',
     "a: client_secret is missing"),
    ('{"format": 1, "contexts": {"a": {"tenant": "t", "client_id": "c",'
     ' "client_secret": "hunter2hunter2"}}}', "never the secret itself"),
])
def test_a_file_that_is_wrong(run_weir, script, contexts, text, why):
    contexts.parent.mkdir(parents=True)
    contexts.write_text(text)
    contexts.chmod(0o600)
    for words in (["context", "list"], ["run", "--context", "a", script("print 'ran'")],
                  ["config", "show", "--context", "a"], ["run", script(CONNECT)]):
        result = run_weir(*words)
        assert (result.returncode, result.stdout) == (5, ""), words
        assert f"{contexts}: " in result.stderr and why in result.stderr
        assert "hunter2" not in result.stderr
    # Who needs no tenant is not stopped by it.
    assert run_weir("run", script("print 'ran'")).stdout == "ran\n"
    assert run_weir("run", "--sim", script(CONNECT)).returncode == 0


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_may_write_is_not_believed(run_weir, context, contexts, mode):
    context("add", "x", "--tenant", "t", "--client-id", "c", "--secret", "command:id")
    contexts.chmod(mode)
    result = run_weir("context", "list")
    assert result.returncode == 5
    assert "others may write it" in result.stderr and "chmod go-w" in result.stderr


def test_two_that_add_at_once_lose_nothing(start_weir, context, contexts):
    running = [start_weir("context", "add", f"c{i}", "--tenant", "t", "--client-id", "c",
                          "--secret", "env:S") for i in range(8)]
    for process in running:
        assert process.wait(60) == 0, process.communicate()[1]
    assert len(context("list").stdout.splitlines()) == 8


def test_no_home(run_weir):
    result = run_weir("context", "list", env={"HOME": ""})
    assert result.returncode == 5 and "HOME" in result.stderr


def test_completion_knows_them(run_weir, context, contexts):
    context("add", "prod", "--tenant", "acme", "--client-id", "c", "--secret", "env:S")

    def offered(*words):
        result = run_weir("completion", "--complete", "--", "weir", *words)
        assert (result.returncode, result.stderr) == (0, "")
        return result.stdout

    for words in (["run", "--context", ""], ["context", "use", "p"],
                  ["repl", "--context", "pr"], ["context", "show", ""]):
        assert "prod\ttenant acme\n" in offered(*words), words
    assert "--context=prod\ttenant acme\n" in offered("doctor", "--context=")
    assert offered("context", "re") == "remove\tforget a context; the tenant is left alone\n"
    contexts.write_text("{")
    assert "prod" not in offered("context", "use", "")


# -- which one counts


def test_nothing_is_sent_by_a_guess(run_weir, script, context, sim, secret_file):
    """A context that is there and that nobody named is not used."""
    context("add", "prod", *places(sim), "--secret", f"file:{secret_file}")
    result = run_weir("run", script(CONNECT))
    assert result.returncode == 5
    assert "no tenant to connect to" in result.stderr


def test_precedence(run_weir, script, context, sim, secret_file):
    for name in "flag", "variable", "used":
        context("add", name, *places(sim), "--secret", f"file:{secret_file}")
    context("use", "used")
    path = script(CONNECT)
    env = dict(sim.env)

    def went(*words, **variables):
        result = run_weir("run", *words, path, env=variables)
        assert result.returncode == 0, result.stderr
        return result.stdout.split()[1], result.stderr

    assert went()[0] == "used"
    assert went(**env)[0] == "nil"  # the environment, as a whole
    assert "context used is in use and does not count" in went(**env)[1]
    assert went(WEIR_CONTEXT="variable", **env)[0] == "variable"
    name, stderr = went("--context", "flag", WEIR_CONTEXT="variable", **env)
    assert name == "flag"
    assert "not used: CXONE_TENANT, " in stderr and "named by --context" in stderr
    assert f"weir: tenant t1 at {sim.url}, from context flag\n" in stderr
    assert went(WEIR_CONTEXT="")[0] == "used"


def test_sources_are_never_mixed(run_weir, script, context, sim, secret_file):
    """One tenant's secret must not go to another one: a variable alone makes
    the environment the source, and then it is not complete."""
    context("add", "prod", *places(sim), "--secret", f"file:{secret_file}")
    context("use", "prod")
    result = run_weir("run", script(CONNECT), env={"CXONE_BASE_URL": sim.url})
    assert result.returncode == 5
    assert "CXONE_TENANT, CXONE_CLIENT_ID and CXONE_CLIENT_SECRET are not set" in result.stderr
    result = run_weir("run", "--context", "prod", script(CONNECT), env={
        "CXONE_BASE_URL": "http://127.0.0.1:1", "CXONE_CLIENT_SECRET": "of-another"})
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("words", [["run", "--context", "nope", "-"],
                                   ["repl", "--context", "nope"],
                                   ["doctor", "--context", "nope"],
                                   ["config", "show", "--context", "nope"]])
def test_one_that_is_not_there(run_weir, context, words):
    context("add", "prod", "--tenant", "t", "--client-id", "c", "--secret", "env:S")
    result = run_weir(*words, input="print 'ran'")
    assert (result.returncode, result.stdout) == (5, "")
    assert "--context: there is no context 'nope'; there are prod" in result.stderr


# -- secrets


def test_a_secret_from_each_source(run_weir, script, context, sim, secret_file, tmp_path):
    context("add", "f", *places(sim), "--secret", f"file:{secret_file}")
    context("add", "e", *places(sim), "--secret", "env:PROD_KEY")
    context("add", "c", *places(sim), "--secret", f"command:cat {secret_file}")
    path = script(CONNECT + "print(os.getenv 'PROD_KEY', weir.secret.find 'CXONE_CLIENT_SECRET')"
                  "error('s3cret-of-the-tests')")
    for name in "fec":
        result = run_weir("run", "--context", name, "--trace", "--log-level", "debug",
                          "--report", tmp_path / "r.json", path, env={"PROD_KEY": SECRET})
        assert result.returncode == 1
        # Only who is asked for the variable takes it out of the environment.
        seen = "nil" if name == "e" else SECRET
        assert result.stdout == f"t1\t{name}\n{seen}\tsecret CXONE_CLIENT_SECRET\n"
        report = (tmp_path / "r.json").read_text()
        assert SECRET not in result.stderr + report
        assert json.loads(report)["context"] == name


@pytest.mark.parametrize("make, why", [
    (None, "No such file"),
    (lambda p: (p.write_text("x1234"), p.chmod(0o640)), "others may read it (mode 0640)"),
    (lambda p: (p.write_text(""), p.chmod(0o600)), "there is nothing in it"),
    (lambda p: (p.write_text("\n\n"), p.chmod(0o600)), "there is nothing in it"),
    (lambda p: (p.write_text("hunter2\nhunter3\n"), p.chmod(0o600)), "more than one line"),
    (lambda p: (p.write_bytes(b"hun\0ter2"), p.chmod(0o600)), "more than one line"),
    (lambda p: (p.write_text("x" * 70000), p.chmod(0o600)), "65536"),
    (lambda p: p.mkdir(mode=0o700), "no regular file"),
    (lambda p: os.mkfifo(p, 0o600), "no regular file"),
])
def test_a_secret_file_that_is_wrong(run_weir, script, context, sim, tmp_path, make, why):
    path = tmp_path / "wrong"
    if make:
        make(path)
    context("add", "x", *places(sim), "--secret", f"file:{path}")
    result = run_weir("run", "--context", "x", script(CONNECT))
    assert (result.returncode, result.stdout) == (5, "")
    assert "context x: client_secret: " in result.stderr and why in result.stderr
    assert "what to do: " in result.stderr
    assert "hunter" not in result.stderr and "ter2" not in result.stderr


@pytest.mark.parametrize("command, why", [
    (["/nonexistent/program"], "cannot be started: No such file"),
    (["sh", "-c", "echo hunter2; echo the vault is sealed >&2; exit 3"],
     "failed with exit code 3; it says: the vault is sealed"),
    (["sh", "-c", "kill -9 $$"], "ended by signal 9"),
    (["true"], "there is nothing in it"),
    (["yes", "hunter2"], "says more than"),
    (["sh", "-c", "echo hunter2; echo hunter3"], "more than one line"),
])
def test_a_secret_command_that_fails(run_weir, script, context, sim, command, why):
    context("add", "x", *places(sim), "--secret", "command:" + json.dumps(command))
    result = run_weir("run", "--context", "x", "--log-level", "debug", script(CONNECT))
    assert (result.returncode, result.stdout) == (5, "")
    assert why in result.stderr
    assert "echo hunter" in why or "hunter2" not in result.stderr.replace(
        " ".join(command), "")


def test_a_secret_command_is_no_shell(run_weir, script, context, sim, tmp_path):
    context("add", "x", *places(sim), "--secret",
            "command:echo $HOME `touch hacked` > out ; rm")
    result = run_weir("run", "--context", "x", script("""
        local s = weir.secret.find "CXONE_CLIENT_SECRET"
        print(s)"""), cwd=tmp_path)
    assert result.stdout == "secret CXONE_CLIENT_SECRET\n", result.stderr
    assert not (tmp_path / "hacked").exists() and not (tmp_path / "out").exists()


def test_a_secret_command_is_run_once_and_only_when_needed(
        run_weir, script, context, sim, secret_file, tmp_path):
    log = tmp_path / "log"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\necho asked >> {log}\ncat\ncat {secret_file}\n")
    program.chmod(0o700)
    context("add", "x", *places(sim), "--secret", f"command:{program}")
    context("use", "x")
    run_weir("run", script("print 'no tenant'"))
    run_weir("run", "--sim", "--context", "x", script(CONNECT))
    run_weir("config", "show", "--origin")
    assert not log.exists()
    # Its standard input is empty, also where the script comes from there.
    result = run_weir("run", "-", input=CONNECT + CONNECT.replace("local tenant", "tenant"))
    assert result.returncode == 0, result.stderr
    assert log.read_text() == "asked\n"


# -- config show


def test_config_show(run_weir, context, sim):
    context("add", "prod", *places(sim), "--secret", "command:cat /nowhere")
    context("use", "prod")
    plain = run_weir("config", "show")
    assert plain.returncode == 0 and "cat /nowhere" not in plain.stdout
    origin = run_weir("config", "show", "--origin", env={"HTTPS_PROXY": "http://u:pw12@p:1/"})
    lines = {line.split()[0]: line for line in origin.stdout.splitlines()}
    assert lines["context"].split()[1:] == ["prod", "weir", "context", "use"]
    assert lines["client_secret"].endswith("context prod: the output of cat /nowhere")
    assert "set, not shown" in lines["client_secret"]
    assert lines["base_url"].split()[1:] == [sim.url, "context", "prod"]
    assert lines["scope"].endswith("by default")
    assert lines["proxy"].endswith("HTTPS_PROXY") and "pw12" not in origin.stdout


def test_config_show_json_of_the_environment(run_weir, sim):
    result = run_weir("config", "show", "--json", env=sim.env)
    told = json.loads(result.stdout)
    rows = {row["name"]: row for row in told["settings"]}
    assert rows["tenant"] == {"name": "tenant", "value": "t1", "origin": "CXONE_TENANT"}
    assert rows["client_secret"]["value"] == "set, not shown"
    assert told["notes"] == [] and SECRET not in result.stdout


def test_config_show_of_nothing(run_weir):
    result = run_weir("config", "show", "--origin")
    assert result.returncode == 0
    assert "no CXONE_TENANT" in result.stdout
    assert "note: not complete, so nothing can be sent" in result.stdout


# -- elsewhere


def test_doctor_names_the_context(run_weir, context, sim, secret_file, tmp_path):
    context("add", "good", *places(sim), "--secret", f"file:{secret_file}")
    context("add", "bad", *places(sim), "--secret", f"file:{tmp_path}/none")
    result = run_weir("doctor", "--context", "good", "--json")
    checks = {c["name"]: c for c in json.loads(result.stdout)["checks"]}
    assert result.returncode == 0, result.stdout
    assert checks["context"]["detail"] == "good (--context)"
    result = run_weir("doctor", "--context", "bad", "--json")
    assert result.returncode == 5
    failed = [c for c in json.loads(result.stdout)["checks"] if c["status"] == "fail"]
    assert len(failed) == 1 and "No such file" in failed[0]["detail"]


def test_the_prompt_is_the_context(terminal, context, sim, secret_file):
    context("add", "prod", *places(sim), "--secret", f"file:{secret_file}")
    session = terminal("repl", "--context", "prod", "--no-rc")
    session.prompt("prod")
    session.see("context prod")
    session.enter("tenant.name", "prod")
    session.see('"t1"')
