"""weir key: what is refused and why; then minisign's files in weir, and
weir's in minisign."""

import base64
import concurrent.futures
import fcntl
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import stat
import struct
import subprocess
import time

import pytest

from until import until

MINISIGN = shutil.which("minisign")
USAGE, AUTH, CONFLICT, VALIDATION = 64, 5, 3, 4


@pytest.fixture
def key(run_weir, tmp_path):
    """key(*args, **options) runs it with files of the test's own."""

    def run(*args, **options):
        return run_weir("key", *args, **options)

    run.config = tmp_path / ".config/weir"
    run.state = tmp_path / ".local/state/weir"
    run.store = run.config / "trust.json"
    run.policy = run.config / "policy.json"
    return run


def succeed(result):
    assert (result.returncode, result.stderr) == (0, ""), result
    return result.stdout


def refuse(result, code, *said):
    assert result.returncode == code, result
    assert "Sanitizer" not in result.stderr
    for text in said:
        assert text in result.stderr, (text, result.stderr)
    return result.stderr


@pytest.fixture
def minisign(tmp_path):
    """minisign(*args, input=) runs the other program; what it needs is a test
    dependency of scripts/setup."""
    assert MINISIGN, "minisign is not installed: scripts/setup test"

    def run(*args, input="", check=True):
        return subprocess.run([MINISIGN, *map(str, args)], input=input, check=check,
                              capture_output=True, text=True, cwd=tmp_path,
                              env={**os.environ, "HOME": str(tmp_path)})

    return run


@pytest.fixture
def pair(key):
    succeed(key("new", "--no-password", "release"))
    return key.config / "keys/release"


def public_word(pair):
    return pair.with_suffix(".pub").read_text().split("\n")[1]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "deploy.weir"
    path.write_bytes(bytes(range(256)) * 300)
    return path


# ---- words ----

@pytest.mark.parametrize("words, said", [
    ([], "Expected new, list, trust, revoke, show, export, sign or verify"),
    (["nwe"], "did you mean 'new'?"),
    (["new"], "a NAME for the key is missing"),
    (["new", "a", "b"], "one name at a time, not 'b' too"),
    (["new", "--no-pasword", "a"], "did you mean --no-password?"),
    (["new", "--no-password", "--password-env", "X", "a"], "which?"),
    (["new", "--password-file", "f", "--password-env", "X", "a"], "which of the two?"),
    (["new", "--no-password", "a.key"], "'a.key' is a path: give a NAME"),
    (["new", "--no-password", "../a"], "'../a' is a path: give a NAME"),
    (["trust", "a"], "expected NAME and KEY"),
    (["revoke"], "expected one NAME or ID"),
    (["sign", "f"], "--key is missing"),
    (["verify"], "expected one FILE"),
    (["show", "a", "b"], "expected one NAME"),
    (["list", "all"], "unexpected argument 'all'"),
])
def test_a_wrong_word_is_named(key, words, said):
    refuse(key(*words), USAGE, said)


def test_help_man_and_completion_know_every_part(run_weir, key):
    parts = ["new", "list", "trust", "revoke", "show", "export", "sign", "verify"]
    told = succeed(key("--help"))
    page = run_weir("help", "--man").stdout
    offered = run_weir("completion", "--complete", "weir", "key", "").stdout
    for part in parts:
        assert f"key {part}" in told
        assert f"key {part}" in page.replace("\\", "")
        assert f"\n{part}\t" in "\n" + offered
        assert f"usage: weir key {part}" in succeed(key(part, "--help"))
    assert "/etc/weir/policy.json" in told


# ---- making a key ----

@pytest.mark.parametrize("name", [".hidden", "a b", "", "-x" * 40, "a" * 65, "ä"])
def test_what_cannot_be_a_name(key, name):
    refuse(key("new", "--no-password", "--", name), VALIDATION, "a key's name")
    assert not (key.config / "keys").exists()


def test_a_key_is_not_overwritten_unasked(key, pair):
    before = pair.with_suffix(".key").read_bytes()
    refuse(key("new", "--no-password", "release"), CONFLICT,
           "release.key is there already", "--replace")
    pair.with_suffix(".key").unlink()
    refuse(key("new", "--no-password", "release"), CONFLICT,
           "release.pub is there already")
    pair.with_suffix(".key").write_bytes(before)
    os.chmod(pair.with_suffix(".key"), 0o644)
    result = key("new", "--no-password", "--replace", "release")
    assert result.returncode == 0
    assert "the key that was there is replaced" in result.stderr
    assert pair.with_suffix(".key").read_bytes() != before
    assert stat.S_IMODE(pair.with_suffix(".key").stat().st_mode) == 0o600


def test_nobody_else_may_read_the_secret(key, pair):
    assert stat.S_IMODE(pair.with_suffix(".key").stat().st_mode) == 0o600
    assert stat.S_IMODE(pair.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("mode, said", [
    (0o640, "others may read it (mode 0640), and it is a secret"),
    (0o604, "others may read it (mode 0604)"),
    (0o602, "others may write it (mode 0602)"),
])
def test_a_secret_that_others_reach_is_not_used(key, pair, file, mode, said):
    os.chmod(pair.with_suffix(".key"), mode)
    refuse(key("sign", "--key", "release", file), AUTH, said, "chmod")
    assert not file.with_name("deploy.weir.minisig").exists()


def test_a_folder_that_others_may_write_is_no_place_for_it(key, pair, file):
    os.chmod(pair.parent, 0o777)
    refuse(key("sign", "--key", "release", file), AUTH,
           "others may write this folder (mode 0777)")


def test_a_folder_of_ones_choice(key, tmp_path):
    refuse(key("new", "--no-password", "--dir", tmp_path / "none", "ci"), 1,
           "No such file or directory")
    folder = tmp_path / "keys"
    folder.mkdir()
    assert str(folder / "ci.key") in succeed(
        key("new", "--no-password", "--dir", folder, "ci"))
    assert (folder / "ci.key").exists() and (folder / "ci.pub").exists()


# ---- passwords ----

def test_without_a_terminal_a_password_must_be_named(key, clean_env, weir):
    result = subprocess.run([weir, "key", "new", "a"], env=clean_env, text=True,
                            capture_output=True, start_new_session=True,
                            stdin=subprocess.DEVNULL, timeout=60)
    refuse(result, USAGE, "there is no terminal to ask on", "--password-file")


@pytest.mark.parametrize("env, said", [
    ({}, "the variable SIGN, which should hold the password, is not set"),
    ({"SIGN": ""}, "the password is empty"),
    ({"SIGN": "x" * 1024}, "the password is longer than 1023 bytes"),
])
def test_a_password_in_a_variable(key, env, said):
    stderr = refuse(key("new", "--password-env", "SIGN", "a", env=env),
                    AUTH if not env else 1, said)
    assert "xxx" not in stderr
    assert not (key.config / "keys/a.key").exists()


def test_a_password_file_is_a_secret_too(key, tmp_path):
    path = tmp_path / "password"
    refuse(key("new", "--password-file", path, "a"), 1, "No such file")
    path.write_text("hush\n")
    os.chmod(path, 0o644)
    stderr = refuse(key("new", "--password-file", path, "a"), AUTH,
                    "others may read it (mode 0644)")
    assert "hush" not in stderr
    path.write_text("\nsecond line")
    os.chmod(path, 0o600)
    refuse(key("new", "--password-file", path, "a"), 1, "the password is empty")


def test_a_typed_password_is_not_shown(key, terminal):
    term = terminal("key", "new", "typed")
    term.see("password for the new key:")
    term.type("one-hush\r")
    term.see("the same once more:")
    term.type("another\r")
    term.see("the two passwords are not the same")
    term.ended()
    assert "hush" not in term.text() and "another" not in term.text()
    assert not (key.config / "keys/typed.key").exists()


@pytest.mark.parametrize("byte, said", [("\x04", "no password was given"), ("\x03", "")])
def test_a_question_can_be_left(key, terminal, byte, said):
    term = terminal("key", "new", "left")
    term.see("password for the new key:")
    term.type("half")
    term.type(byte if byte == "\x03" else "\x15" + byte)
    if said:
        term.see(said)
    term.ended()
    assert "half" not in term.text()
    assert not (key.config / "keys/left.key").exists()


@pytest.mark.parametrize("end", ["one\r", "\x03", "\x04", "\x1c", signal.SIGTERM, signal.SIGHUP])
def test_the_terminal_shows_again_what_is_typed(terminal, weir, end):
    """However the question ended."""
    term = terminal("-c", f"trap : INT QUIT; stty echo; {weir} key new a; stty -a",
                    program="/bin/sh")
    term.see("password for the new key:")
    if isinstance(end, str):
        term.type(end)
    else:
        os.kill(int(subprocess.check_output(["pgrep", "-P", str(term.child.pid)])), end)
    if end == "one\r":
        term.see("the same once more:").type("two\r")
    term.ended()
    assert re.search(r"[^-]\becho\b", term.text()), term.text()


def encrypted(path, password):
    """Encrypts a secret key's file as minisign does, but at the lowest cost."""
    comment, word, _ = path.read_text().split("\n")
    raw = bytearray(base64.b64decode(word))
    raw[2:4] = b"Sc"
    raw[38:54] = struct.pack("<QQ", 32768, 1 << 24)
    raw[126:158] = hashlib.blake2b(raw[:2] + raw[54:126], digest_size=32).digest()
    stream = hashlib.scrypt(password, salt=raw[6:38], n=1024, r=8, p=1, dklen=104)
    raw[54:158] = bytes(a ^ b for a, b in zip(raw[54:158], stream))
    path.write_text(f"{comment}\n{base64.b64encode(raw).decode()}\n")


def test_a_password_goes_from_the_environment(weir, clean_env, key, pair, file):
    """Others of this user, and a core, would find it there as long as it runs."""
    encrypted(pair.with_suffix(".key"), b"hunter2")
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with pytest.raises(BlockingIOError):
        while True:
            os.write(writing, b"x" * 4096)
    os.set_blocking(writing, True)
    process = subprocess.Popen(
        [weir, "key", "sign", "--key", "release", "--password-env", "HUSH", str(file)],
        env={**clean_env, "HUSH": "hunter2", "SHOWN": "hunter3"}, stdout=writing)
    os.close(writing)
    try:
        while not file.with_name("deploy.weir.minisig").exists():
            assert process.poll() is None
            time.sleep(0.01)
        with open(f"/proc/{process.pid}/environ", "rb") as environment:
            seen = environment.read()
    finally:
        with open(reading, "rb") as pipe:
            pipe.read()
        process.wait(timeout=60)
    assert process.returncode == 0
    assert b"hunter3" in seen and b"hunter2" not in seen


# ---- minisign ----

def test_minisign_verifies_what_weir_signs(key, pair, file, minisign):
    assert f"signed: {file}.minisig" in succeed(key("sign", "--key", "release", file))
    told = minisign("-V", "-m", file, "-p", pair.with_suffix(".pub")).stdout
    assert "Signature and comment signature verified" in told
    assert "file:deploy.weir\thashed" in told
    told = minisign("-V", "-H", "-m", file, "-P", public_word(pair)).stdout
    assert "verified" in told
    succeed(key("sign", "--key", pair.with_suffix(".key"), "--comment",
                "version 1.4.0 für alle", file))
    told = minisign("-V", "-m", file, "-p", pair.with_suffix(".pub"))
    assert "Trusted comment: version 1.4.0 für alle" in told.stdout
    file.write_bytes(file.read_bytes()[:-1])
    assert minisign("-V", "-m", file, "-p", pair.with_suffix(".pub"),
                    check=False).returncode != 0


def test_minisign_signs_with_a_key_of_weirs(key, pair, file, minisign):
    minisign("-S", "-m", file, "-s", pair.with_suffix(".key"), "-t", "by the other")
    succeed(key("trust", "ours", "release"))
    told = succeed(key("verify", file))
    assert "signed by ours, key" in told and "trusted comment: by the other" in told


@pytest.mark.parametrize("legacy", [[], ["-l"]], ids=["prehashed", "legacy"])
def test_weir_verifies_what_minisign_signs(key, file, minisign, tmp_path, legacy):
    minisign("-G", "-W", "-p", "m.pub", "-s", "m.key")
    minisign("-S", *legacy, "-m", file, "-s", "m.key", "-t", "théirs\tand a tab")
    told = succeed(key("verify", "--key", tmp_path / "m.pub", file))
    assert "trusted comment: théirs\tand a tab" in told
    succeed(key("verify", "--key", (tmp_path / "m.pub").read_text().split("\n")[1], file))
    # And it signs with that key exactly what minisign would have.
    os.chmod(tmp_path / "m.key", 0o600)
    before = file.with_name("deploy.weir.minisig").read_bytes()
    succeed(key("sign", "--key", tmp_path / "m.key", "--comment", "théirs\tand a tab",
                file))
    after = file.with_name("deploy.weir.minisig").read_bytes()
    assert (after == before) == (legacy == [])


def test_one_password_opens_a_key_in_both_programs(key, file, minisign, tmp_path):
    hush = {"HUSH": "correct horse ☂"}
    told = succeed(key("new", "--password-env", "HUSH", "mine", env=hush))
    assert "not encrypted" not in told
    mine = key.config / "keys/mine.key"
    minisign("-S", "-m", file, "-s", mine, input=hush["HUSH"] + "\n")
    succeed(key("verify", "--key", "mine", file))
    stderr = refuse(key("sign", "--key", "mine", "--password-env", "HUSH", file,
                        env={"HUSH": "wrong horse"}), AUTH,
                    "mine.key: wrong password for this secret key")
    assert "horse" not in stderr
    minisign("-G", "-p", "m.pub", "-s", "m.key", input="their hush\ntheir hush\n")
    password = tmp_path / "password"
    password.write_text("their hush\nof one line\n")
    os.chmod(password, 0o600)
    os.chmod(tmp_path / "m.key", 0o600)
    succeed(key("sign", "--key", tmp_path / "m.key", "--password-file", password, file))
    assert "verified" in minisign("-V", "-m", file, "-p", "m.pub").stdout


def test_a_key_file_that_asks_for_everything_is_refused_at_once(key, pair, file):
    path = pair.with_suffix(".key")
    comment, word, _ = path.read_text().split("\n")
    raw = bytearray(base64.b64decode(word))
    raw[2:4] = b"Sc"
    raw[38:54] = b"\xff" * 16
    path.write_text(f"{comment}\n{base64.b64encode(bytes(raw)).decode()}\n")
    refuse(key("sign", "--key", "release", "--password-env", "P", file, env={"P": "x"}),
           1, "MiB of memory; the ceiling is 1024 MiB")


@pytest.mark.parametrize("change, said", [
    (lambda text: text.replace("\n", "\r\n"), "ends in a carriage return"),
    (lambda text: text + "more", "4 bytes after line 4"),
    (lambda text: text[text.index("\n") + 1:], 'line 1 does not begin with "untrusted'),
    (lambda text: text[:90], "line 2, the signature, is"),
    (lambda text: text.replace("timestamp", "timestomp"), "the trusted comment is not what"),
    (lambda text: "", "line 1 is missing"),
    (lambda text: "\0" * 20000, "ceiling"),
])
def test_a_changed_signature_is_refused_by_its_fault(key, pair, file, change, said):
    succeed(key("sign", "--key", "release", file))
    path = file.with_name("deploy.weir.minisig")
    path.write_text(change(path.read_text()), newline="")
    result = key("verify", "--key", "release", file)
    assert result.returncode in (1, AUTH), result
    assert said in result.stderr, result.stderr


def test_the_wrong_kind_of_file_is_told(key, pair, file):
    succeed(key("sign", "--key", "release", file))
    refuse(key("verify", "--key", f"{file}.minisig", file), 1,
           "by its length this is a signature's file")
    refuse(key("trust", "a", pair.with_suffix(".key")), 1,
           "by its length this is a secret key's file")
    refuse(key("sign", "--key", "reelase", file), 1, 'no key "reelase"', "'weir key new' makes one",
           "weir key list")
    # What one trusts is somebody else's: a new one of one's own is no help.
    for which, said in (("missing.pub", "missing.pub is not there"),
                        ("reelase", "weir key list"),
                        (f"{pair}s.pub", f"did you mean '{pair}.pub'?")):
        assert "key new" not in refuse(key("trust", "them", which), 1, said)


# ---- trusting ----

def test_a_key_is_trusted_until_it_is_not(key, pair, file):
    succeed(key("sign", "--key", "release", file))
    refuse(key("verify", file), AUTH, "is not trusted here", "weir key trust NAME FILE.pub")
    refuse(key("trust", "--expires", "2020-01-01", "ops", "release"), VALIDATION, "is past")
    refuse(key("trust", "--expires", "tomorrow", "ops", "release"), VALIDATION,
           "--expires: expected a day such as")
    refuse(key("trust", "ops", "RWQ" + "A" * 11 + "E" + "A" * 41), 1,
           "the key: line 1 is a weak key")
    assert "trusted: ops, key" in succeed(
        key("trust", "--expires", "2099-12-31", "ops", public_word(pair)))
    assert "signed by ops, key" in succeed(key("verify", file))
    refuse(key("trust", "ops", "release"), CONFLICT, 'there is a key "ops"')
    refuse(key("revoke", "osp"), 1, 'did you mean "ops"?')
    succeed(key("revoke", "--reason", "laptop lost", "ops"))
    refuse(key("verify", file), AUTH, "which is revoked since", "laptop lost",
           str(key.store))
    refuse(key("trust", "again", "release"), CONFLICT, "revoked for good")


def test_the_list_is_the_files(key, pair):
    word = public_word(pair)
    succeed(key("trust", "--expires", "2099-12-31", "ops", "release"))
    succeed(key("revoke", "0123456789abcdef"))
    key.policy.write_text(json.dumps({"require_signature": True, "keys": [
        {"name": "machine", "key": word}]}))
    told = json.loads(succeed(key("list", "--json")))
    assert [k["name"] for k in told["keys"]] == ["ops"]
    assert told["keys"][0]["key"] == word
    assert told["keys"][0]["expires"] == "2099-12-31T23:59:59Z"
    assert told["revoked"][0]["id"] == "0123456789ABCDEF"
    assert told["own"] == [{"name": "release", "key": word, "id": told["keys"][0]["id"]}]
    assert told["policies"][0]["file"] == str(key.policy)
    assert told["policies"][0]["require_signature"] is True
    text = succeed(key("list"))
    for said in ["ops", "machine", "0123456789ABCDEF", "expires 2099-12-31",
                 "demands a trusted signature, of one of these keys", "release"]:
        assert said in text
    assert word in succeed(key("show", "ops"))
    assert succeed(key("export", "ops")) == pair.with_suffix(".pub").read_text()


def test_many_at_once_lose_nothing(key, tmp_path):
    names = [f"k{i}" for i in range(8)]
    folder = tmp_path / "keys"
    folder.mkdir()

    def one(name):
        succeed(key("new", "--no-password", "--dir", folder, name))
        succeed(key("trust", name, folder / f"{name}.pub"))

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(one, names))
    told = json.loads(succeed(key("list", "--json")))
    assert sorted(k["name"] for k in told["keys"]) == names


def test_of_two_keys_of_a_name_one_is_made_and_no_lock_is_left(key, tmp_path):
    folder = tmp_path / "keys"
    folder.mkdir()

    def one(_):
        return key("new", "--no-password", "--dir", folder, "ci").returncode

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        codes = sorted(pool.map(one, range(8)))
    assert codes == [0] + 7 * [CONFLICT]
    assert sorted(path.name for path in folder.iterdir()) == ["ci.key", "ci.pub"]


def test_a_lock_that_was_taken_away_is_none(start_weir, tmp_path):
    """Who waited for it waits for the one that somebody else has made since."""
    path = tmp_path / "ci.key.lock"
    with path.open("w") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        process = start_weir("key", "new", "--no-password", "--dir", tmp_path, "ci")

        def opened():
            """What weir has open of that name."""
            try:
                return [str(target) for fd in pathlib.Path(f"/proc/{process.pid}/fd").iterdir()
                        if path.name in str(target := os.readlink(fd))]
            except OSError:
                return []

        until(opened)
        path.unlink()
        second = path.open("w")
        fcntl.flock(second, fcntl.LOCK_EX)
    with second:
        until(lambda: process.poll() is not None or str(path) in opened())
        (tmp_path / "ci.key").write_text("another's")
    assert process.wait(60) == CONFLICT
    assert (tmp_path / "ci.key").read_text() == "another's"


# ---- files that decide ----

@pytest.mark.parametrize("text, said", [
    ("", "policy.json: "),
    ("{", "policy.json: "),
    ('{"require_signatures": true}', 'did you mean "require_signature"?'),
    ('{"require_signature": 1}', "/require_signature: must be boolean, not number"),
    ('{"no_downgrade": true}', '"no_downgrade" needs "require_signature"'),
    ("\0", "policy.json: "),
])
def test_a_policy_that_is_not_understood_lets_nothing_through(key, pair, file, text, said):
    succeed(key("sign", "--key", "release", file))
    succeed(key("trust", "ops", "release"))
    key.policy.write_text(text)
    refuse(key("verify", file), 1 if said == "policy.json: " else VALIDATION, said,
           str(key.policy))


@pytest.mark.parametrize("name", ["policy", "store"])
def test_a_file_that_others_may_write_decides_nothing(key, pair, file, name):
    succeed(key("sign", "--key", "release", file))
    succeed(key("trust", "ops", "release"))
    key.policy.write_text("{}")
    path = getattr(key, name)
    os.chmod(path, 0o666)
    refuse(key("verify", file), AUTH, f"{path}: others may write it (mode 0666)",
           "chmod go-w")
    os.chmod(path, 0o600)
    succeed(key("verify", file))
    os.chmod(key.config, 0o770)
    refuse(key("verify", file), AUTH, "others may write this folder (mode 0770)")


@pytest.mark.parametrize("name", ["policy", "store"])
def test_a_file_that_others_may_have_taken_away_is_missed(key, pair, file, name):
    """Otherwise a policy or a revocation could be undone by removing it."""
    succeed(key("sign", "--key", "release", file))
    succeed(key("trust", "ops", "release"))
    path = getattr(key, name)
    path.unlink(missing_ok=True)
    path.symlink_to("gone.json")
    refuse(key("verify", file), AUTH, f"{path}: is a link that leads nowhere")
    path.unlink()
    os.chmod(key.config, 0o777)
    refuse(key("verify", file), AUTH, "others may write this folder (mode 0777)", "take it away")
    os.chmod(key.config, 0o700)
    key.config.rename(key.config.with_name("moved"))
    key.config.symlink_to("unmounted")
    refuse(key("verify", file), AUTH, f"{key.config}: is a link that leads nowhere")


@pytest.mark.parametrize("name", ["policy", "store"])
@pytest.mark.parametrize("absolute", [True, False])
def test_where_a_link_leads_others_may_not_write_either(key, pair, file, tmp_path, name, absolute):
    """Else it leads to any file of root's that says less, say an empty one."""
    succeed(key("sign", "--key", "release", file))
    succeed(key("trust", "ops", "release"))
    key.policy.write_text("{}")
    path = getattr(key, name)
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)
    safe = tmp_path / "safe"
    safe.mkdir(mode=0o755)
    path.rename(safe / "real.json")
    (shared / "next.json").symlink_to("../safe/real.json")
    path.symlink_to(shared / "next.json" if absolute else "../../shared/next.json")
    succeed(key("verify", file))
    os.chmod(shared, 0o777)
    refuse(key("verify", file), AUTH, "shared: others may write this folder (mode 0777)")
    os.chmod(shared, 0o1777)
    succeed(key("verify", file))
    os.chmod(safe, 0o777)
    refuse(key("verify", file), AUTH, "safe: others may write this folder (mode 0777)")


only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
NOBODY = 65534


@only_root
@pytest.mark.parametrize("name", ["policy", "store", "config"])
def test_what_belongs_to_somebody_else_decides_nothing(key, pair, file, name):
    succeed(key("sign", "--key", "release", file))
    succeed(key("trust", "ops", "release"))
    key.policy.write_text("{}")
    path = getattr(key, name)
    os.chown(path, NOBODY, NOBODY)
    refuse(key("verify", file), AUTH, f"{path}: it belongs to somebody else (user {NOBODY})",
           "chown it to yourself")
    os.chown(path, 0, 0)
    succeed(key("verify", file))


@only_root
def test_a_secret_of_somebody_else_is_none_of_ours(key, pair, file):
    os.chown(pair.with_suffix(".key"), NOBODY, NOBODY)
    refuse(key("sign", "--key", "release", file), AUTH, "belongs to somebody else")


def test_a_policy_that_is_a_pipe_is_not_waited_for(key, pair, file):
    succeed(key("sign", "--key", "release", file))
    os.mkfifo(key.policy)
    refuse(key("verify", file), AUTH, "is no regular file")


def namespaces_work():
    return subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode == 0


@pytest.mark.skipif(not namespaces_work(), reason="no user namespaces here")
def test_the_machines_policy_wins(weir, key, pair, file, clean_env, tmp_path):
    """/etc is a folder of the test's own, in a mount namespace."""
    etc = tmp_path / "etc"
    (etc / "weir").mkdir(parents=True)
    machine = etc / "weir/policy.json"
    succeed(key("sign", "--key", "release", file))
    succeed(key("trust", "ops", "release"))
    key.policy.write_text('{"require_signature": false}')

    def verify():
        return subprocess.run(
            ["unshare", "-rm", "sh", "-c", 'mount --bind "$1" /etc && exec "$2" key verify "$3"',
             "sh", etc, weir, file], env=clean_env, capture_output=True, text=True, timeout=60)

    succeed(verify())
    other = "RWRWHHd59eh0yG0AIRWyAa/f1gcedhxR+IIbW9JYYc8pvxQnK59rZFHu"
    policy = {"require_signature": True, "keys": [{"name": "machine", "key": other}]}
    machine.write_text(json.dumps(policy))
    refuse(verify(), AUTH, "none of those that this machine takes",
           '("keys" in /etc/weir/policy.json)')
    policy["keys"].append({"name": "release", "key": public_word(pair)})
    machine.write_text(json.dumps(policy))
    assert "signed by release" in succeed(verify())
    policy["revoked"] = [{"id": json.loads(key("list", "--json").stdout)["own"][0]["id"]}]
    machine.write_text(json.dumps(policy))
    refuse(verify(), AUTH, "which is revoked", "/etc/weir/policy.json")
    machine.write_text('{"require": true}')
    refuse(verify(), VALIDATION, "/etc/weir/policy.json: ", "nothing is run")
    os.chmod(machine, 0o622)
    refuse(verify(), AUTH, "others may write it (mode 0622)")
    machine.unlink()
    succeed(verify())
    machine.symlink_to("policies/machine.json")
    refuse(verify(), AUTH, "/etc/weir/policy.json: is a link that leads nowhere", "nothing is run")


@only_root
@pytest.mark.skipif(not namespaces_work(), reason="no mount namespaces here")
@pytest.mark.parametrize("name", ["weir/policy.json", "weir"])
def test_the_machines_policy_is_root_s(weir, clean_env, tmp_path, name):
    """Also where the one who asks could have written it."""
    etc = tmp_path / "etc"
    (etc / "weir").mkdir(parents=True)
    (etc / "weir/policy.json").write_text("{}")
    shutil.copy(weir, etc / "program")
    os.chmod(etc, 0o755)

    def listed():
        return subprocess.run(
            ["unshare", "-m", "sh", "-c", 'mount --bind "$1" /etc && exec setpriv --reuid '
             f'{NOBODY} --regid {NOBODY} --clear-groups /etc/program key list', "sh", etc],
            env={**clean_env, "HOME": "/nonexistent"}, capture_output=True, text=True, timeout=60)

    succeed(listed())
    os.chown(etc / name, NOBODY, NOBODY)
    refuse(listed(), AUTH, f"/etc/{name}: it belongs to somebody else (user {NOBODY})",
           f"chown root /etc/{name}")


def test_killed_in_the_midst_the_store_is_whole(key, pair, start_weir, tmp_path):
    succeed(key("trust", "first", "release"))
    folder = tmp_path / "keys"
    folder.mkdir()
    for i in range(6):
        succeed(key("new", "--no-password", "--dir", folder, f"k{i}"))
        process = start_weir("key", "trust", f"k{i}", folder / f"k{i}.pub")
        try:
            process.wait(timeout=0.002 * i)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        process.wait()
        told = json.loads(succeed(key("list", "--json")))
        assert told["keys"][0]["name"] == "first"


# ---- a machine that runs nothing unsigned ----

@pytest.mark.parametrize("policy, code, said", [
    ('{"require_signature": true}', AUTH, '("require_signature" in '),
    ('{"require_signature": "yes"}', VALIDATION, "must be boolean, not string"),
])
def test_nothing_unsigned_runs_where_a_policy_says_so(
        key, run_weir, script, policy, code, said):
    path = script("io.write('ran\\n')")
    key.config.mkdir(parents=True)
    for words, typed in [(["repl", "--sim"], "print(1)"), (["--sim"], "print(1)")]:
        key.policy.write_text("{}")
        assert run_weir(*words, input=typed).stdout in ("ran\n", "1\n"), words
        key.policy.write_text(policy)
        result = run_weir(*words, input=typed)
        refuse(result, code, said, str(key.policy))
        assert result.stdout == "", words
    # What runs nothing of anybody's is as ever.
    assert run_weir("check", path).returncode == 0
    assert run_weir("--version").returncode == 0
