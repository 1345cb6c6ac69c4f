"""Signed bundles: whose they are decides what runs, before anything of them is
read; and minisign agrees."""

import json
import os
import shutil
import stat
import subprocess

import pytest

MAIN = {"main.lua": "print('it has ' .. 'run', ...)\n"}


@pytest.fixture
def key(run_weir):
    """key(*words) runs weir key, which must succeed."""

    def run(*words):
        result = run_weir("key", *words)
        assert result.returncode == 0, result.stderr
        return result.stdout

    return run


@pytest.fixture
def release(key):
    """A key of this machine's own."""
    key("new", "--no-password", "release")


@pytest.fixture
def signed(make_bundle, release):
    """signed(*options) → a bundle signed with it."""

    def make(*options, files=None):
        return make_bundle(files or MAIN, "--name", "greet", "--version", "1.0.0",
                           "--sign", "release", *options)

    return make


@pytest.fixture
def trusted(signed, key, tmp_path):
    """A signed bundle on a machine that trusts its key."""
    path = signed()
    key("trust", "release", tmp_path / ".config/weir/keys/release.pub")
    return path


def signature_of(path):
    return path.with_name(path.name + ".minisig")


def test_what_a_trusted_key_signed_needs_no_other_word(trusted, run_weir):
    result = run_weir("bundle", "run", trusted, "a")
    assert (result.returncode, result.stdout, result.stderr) == (0, "it has run\ta\n", "")
    for words in (["run"], ["bundle", "run", "--require-signature"]):
        assert run_weir(*words, trusted).stdout == "it has run\n"
    told = run_weir("bundle", "verify", trusted)
    assert told.returncode == 0
    assert told.stdout.startswith(f"{trusted}: greet 1.0.0, signed by release (key ")
    shown = run_weir("bundle", "inspect", trusted).stdout
    assert "  signature signed by release (key " in shown
    assert "            greet 1.0.0, file:test.weir, hashed\n" in shown


def test_a_key_that_is_not_trusted_is_none(signed, run_weir):
    path = signed()
    result = run_weir("bundle", "run", path)
    assert result.returncode == 5
    assert "is signed by a key that is not trusted here, and without a terminal" in result.stderr
    for words in (["bundle", "verify"], ["bundle", "run", "--accept", "--require-signature"]):
        result = run_weir(*words, path)
        assert (result.returncode, result.stdout) == (5, "")
        assert "which is not trusted here; if you know whose key that is" in result.stderr
    assert run_weir("bundle", "run", "--accept", path).stdout == "it has run\n"
    # Anybody can write that id.
    assert "  signature said to be signed by key " in run_weir("bundle", "inspect", path).stdout
    known = json.loads(run_weir("bundle", "inspect", "--json", path).stdout)
    assert known["signature"]["status"] == "unknown" and len(known["signature"]["key"]) == 16


def test_the_same_bundle_has_the_same_signature(signed):
    first = signature_of(signed()).read_bytes()
    assert signature_of(signed()).read_bytes() == first


def test_minisign_verifies_it(trusted, tmp_path):
    minisign = shutil.which("minisign")
    assert minisign, "minisign is not installed: scripts/setup test"
    public = tmp_path / ".config/weir/keys/release.pub"
    told = subprocess.run([minisign, "-V", "-m", trusted, "-p", public],
                          capture_output=True, text=True, check=True)
    assert "Signature and comment signature verified" in told.stdout


def test_what_minisign_signed_runs(make_bundle, key, run_weir, tmp_path):
    minisign = shutil.which("minisign")
    assert minisign, "minisign is not installed: scripts/setup test"
    path = make_bundle(MAIN)
    env = {**os.environ, "HOME": str(tmp_path)}
    subprocess.run([minisign, "-G", "-W", "-p", tmp_path / "m.pub", "-s", tmp_path / "m.key"],
                   env=env, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    subprocess.run([minisign, "-S", "-W", "-s", tmp_path / "m.key", "-m", path],
                   env=env, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    key("trust", "theirs", tmp_path / "m.pub")
    assert run_weir("bundle", "run", path).stdout == "it has run\n"


# Harm -------------------------------------------------------------------------------


def test_every_byte_counts(trusted, run_weir):
    """Each byte of the head, the manifest, the files and the end, one at a
    time: a signature that does not fit is the end, --accept or not. (Every
    byte there is: tests/unit/bundle.c.)"""
    good = trusted.read_bytes()
    places = {*range(0, 64), *range(64, len(good), 37), *range(len(good) - 22, len(good))}
    for at in sorted(places):
        damaged = bytearray(good)
        damaged[at] ^= 1 << at % 8
        trusted.write_bytes(damaged)
        result = run_weir("bundle", "run", "--accept", trusted)
        assert "it has run" not in result.stdout
        assert result.returncode in (4, 5), (at, result)
    trusted.write_bytes(good)
    assert run_weir("bundle", "run", trusted).stdout == "it has run\n"


@pytest.mark.parametrize("spoil", [
    lambda text: text[:-20], lambda text: "", lambda text: text.replace("1.0.0", "1.0.1"),
    lambda text: text + "more\n", lambda text: "x" * 20000,
])
def test_a_signature_that_is_none(trusted, run_weir, spoil):
    signature = signature_of(trusted)
    signature.write_text(spoil(signature.read_text()))
    for words in (["run", "--accept"], ["verify"], ["inspect"]):
        result = run_weir("bundle", *words, trusted)
        assert result.returncode in (1, 5) and result.stdout == "", result
        assert result.stderr.count("\n") == 1


def test_another_bundle_s_signature(trusted, make_bundle, run_weir):
    other = make_bundle({"main.lua": "print('it has run too')\n"}, output="other.weir")
    shutil.copy(signature_of(trusted), signature_of(other))
    result = run_weir("bundle", "run", "--accept", other)
    assert (result.returncode, result.stdout) == (5, "")


def test_a_script_in_the_place_of_a_bundle(trusted, run_weir):
    """It would be asked for no signature and would not be confined."""
    assert run_weir("run", trusted).stdout == "it has run\n"
    trusted.write_text("print('anything', os.execute)\n")
    for words in (["run"], ["run", "--accept"], []):
        result = run_weir(*words, trusted)
        assert (result.returncode, result.stdout) == (4, ""), words
        assert f"{trusted}: is no bundle" in result.stderr


def test_a_signature_that_is_left_off(trusted, run_weir):
    signature_of(trusted).unlink()
    result = run_weir("bundle", "run", trusted)
    assert (result.returncode, result.stdout) == (5, "")
    assert "is not signed, and without a terminal nobody can be asked" in result.stderr


def test_a_key_that_is_revoked(trusted, key, run_weir):
    key("revoke", "--reason", "laptop lost", "release")
    for words in (["run", "--accept"], ["verify"], ["inspect"]):
        result = run_weir("bundle", *words, trusted)
        assert (result.returncode, result.stdout) == (5, "")
        assert "revoked" in result.stderr


# Policies --------------------------------------------------------------------------


@pytest.fixture
def policy(tmp_path):
    """policy(**rules) writes the user's policy."""

    def write(**rules):
        path = tmp_path / ".config/weir/policy.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.parent.chmod(0o700)
        path.write_text(json.dumps(rules))
        path.chmod(0o600)

    return write


def test_a_policy_that_runs_nothing_unsigned(trusted, make_bundle, policy, run_weir):
    policy(require_signature=True)
    assert run_weir("bundle", "run", trusted).stdout == "it has run\n"
    other = make_bundle(MAIN, output="other.weir")
    for words in (["bundle", "run", "--accept"], ["run", "--accept"], ["bundle", "verify"]):
        result = run_weir(*words, other)
        assert (result.returncode, result.stdout) == (5, ""), words
        assert "policy.json" in result.stderr
    # To be looked at, it need not be run.
    shown = run_weir("bundle", "inspect", other)
    assert shown.returncode == 0 and "  problem   " in shown.stdout


def test_no_version_goes_backwards(signed, key, policy, run_weir, tmp_path):
    old = signed()
    key("trust", "release", tmp_path / ".config/weir/keys/release.pub")
    policy(require_signature=True, no_downgrade=True)
    kept = tmp_path / "old.weir"
    shutil.copy(old, kept)
    shutil.copy(signature_of(old), signature_of(kept))
    assert run_weir("bundle", "run", kept).returncode == 0
    new = signed("--version", "1.0.1")
    assert run_weir("bundle", "run", new).returncode == 0
    result = run_weir("bundle", "run", kept)
    assert (result.returncode, result.stdout) == (5, "")
    assert "1.0.1" in result.stderr


def test_a_policy_that_cannot_be_read_runs_nothing(trusted, policy, run_weir):
    policy(require_signatur=True)
    result = run_weir("bundle", "run", "--accept", trusted)
    assert result.returncode != 0 and result.stdout == ""
    assert "policy.json" in result.stderr


# Around it -------------------------------------------------------------------------


def test_a_program_is_signed_as_a_whole(make_bundle, release, key, clean_env, tmp_path):
    path = make_bundle(MAIN, "--exe", "--sign", "release", output="greet")
    key("trust", "release", tmp_path / ".config/weir/keys/release.pub")

    def run():
        return subprocess.run([path, "a"], env=clean_env, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=60)

    assert run().stdout == "it has run\ta\n"
    signature = signature_of(path).read_text()
    signature_of(path).write_text(signature.replace("main 0.0.0", "main 9.0.0"))
    broken = run()
    assert (broken.returncode, broken.stdout) == (5, "")


def test_no_such_key(run_weir, script, tmp_path):
    script("print(1)\n", "main.lua")
    result = run_weir("bundle", "create", "main.lua", "-o", "x.weir", "--sign", "nobody", cwd=tmp_path)
    assert result.returncode != 0
    assert "nobody" in result.stderr
    assert not (tmp_path / "x.weir").exists()


def test_a_stale_signature_is_told(signed, make_bundle):
    signed()
    make_bundle({"main.lua": "print(2)\n"})
    assert "test.weir.minisig is the signature of what was there before" in make_bundle.made.stderr


def test_the_report_names_the_signer(trusted, run_weir, tmp_path):
    report = tmp_path / "report.json"
    assert run_weir("bundle", "run", "--report", report, trusted).returncode == 0
    text = report.read_text()
    known = json.loads(run_weir("bundle", "inspect", "--json", trusted).stdout)
    assert known["signature"]["key"] in text and known["sha256"] in text
    assert '"release"' in text
    assert stat.S_IMODE(report.stat().st_mode) == 0o600


def test_an_answer_is_remembered_for_the_key(terminal, trusted, signed):
    """A rebuilt bundle of the same key and version that needs the same is the
    same question."""
    asked = terminal("bundle", "run", trusted)
    asked.see("signed by release")
    asked.see(r"Run it\? \[y/N\]")
    asked.type("y\r")
    asked.see("it has run")
    again = signed(files={"main.lua": "print('another has run')\n"})
    second = terminal("bundle", "run", again)
    second.see("another has run")
    assert "Run it?" not in second.text()
    more = signed(files={"main.lua": "weir.needs { env = { 'HOME' } }\nprint('more has ' .. 'run')\n"})
    terminal("bundle", "run", more).see(r"Run it\? \[y/N\]")
    newer = signed("--version", "1.0.1")
    terminal("bundle", "run", newer).see(r"Run it\? \[y/N\]")


def test_an_answer_for_a_key_that_is_not_trusted_is_for_these_bytes(signed, terminal):
    """Anybody can put that key's id into a signature's file."""
    path = signed()
    asked = terminal("bundle", "run", path).see(r"Run it\? \[y/N\]")
    asked.type("y\r").see("it has run")
    terminal("bundle", "run", path).see("it has run")
    signature = signature_of(path).read_bytes()
    other = signed(files={"main.lua": "print('it has ' .. 'run too')\n"})
    signature_of(other).write_bytes(signature)
    terminal("bundle", "run", other).see(r"Run it\? \[y/N\]")


@pytest.mark.parametrize("meanwhile, said", [
    (lambda key, run: run("bundle", "run", "newer.weir"), '"greet" 1.0.0 is older than 2.0.0'),
    (lambda key, run: key("revoke", "release"), "which is revoked since"),
    (lambda key, run: run("key", "trust", "x", "y"), None),
])
def test_an_answer_that_comes_late(trusted, make_bundle, key, run_weir, terminal, tmp_path,
                                   meanwhile, said):
    """The question may stand on a terminal for hours."""
    make_bundle(MAIN, "--name", "greet", "--version", "2.0.0", "--sign", "release",
                output="newer.weir")
    policy = tmp_path / ".config/weir/policy.json"
    policy.write_text('{"require_signature": true, "no_downgrade": true}')
    asked = terminal("bundle", "run", trusted).see(r"Run it\? \[y/N\]")
    meanwhile(key, lambda *words: run_weir(*words, cwd=tmp_path))
    asked.type("y\r")
    assert asked.ended() == (5 if said else 0)
    # Where a line is wrapped the terminal has no blank, whatever was written.
    shown = "".join(asked.text().split())
    assert ("ithasrun" in shown) == (said is None)
    assert "".join((said or "it has run").split()) in shown
