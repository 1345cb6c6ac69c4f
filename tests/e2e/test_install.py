"""What `make install` puts where, and a C program that builds against it
with nothing but pkg-config."""

import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("WEIR", ROOT / "build/weir")).resolve().parent
SANITIZE = os.environ.get("SANITIZE", "")


def install(*settings):
    subprocess.run(
        ["make", "-s", "-C", ROOT, "install", f"BUILD={BUILD}",
         f"SANITIZE={SANITIZE}", *settings],
        check=True, capture_output=True, text=True)


def files_below(folder):
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def test_everything_lands_below_destdir_and_nothing_elsewhere(tmp_path):
    install("PREFIX=/usr", f"DESTDIR={tmp_path}")
    found = files_below(tmp_path)
    headers = {f"usr/include/weir/{h.name}" for h in (ROOT / "include/weir").glob("*.h")}
    stubs = {f"usr/share/weir/meta/{p.relative_to(ROOT / 'lua/meta')}"
             for p in (ROOT / "lua/meta").rglob("*.lua")}
    pages = {f"usr/share/doc/weir/{stub.read_text().split()[1]}.md"
             for stub in (ROOT / "lua/meta").rglob("*.lua")}
    assert found == headers | stubs | pages | {
        "usr/bin/weir", "usr/lib/libweir.a", "usr/lib/pkgconfig/weir.pc",
        "usr/share/man/man1/weir.1", "usr/share/man/man7/weir-lua.7",
        "usr/share/doc/weir/README.md"}
    pc = (tmp_path / "usr/lib/pkgconfig/weir.pc").read_text()
    assert str(tmp_path) not in pc and "prefix=/usr\n" in pc and "@" not in pc
    subprocess.run(["make", "-s", "-C", ROOT, "uninstall", "PREFIX=/usr",
                    f"DESTDIR={tmp_path}"], check=True)
    assert files_below(tmp_path) == set()


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prefix")
    install(f"PREFIX={folder}")
    return folder


def pkg_config(prefix, *args):
    return subprocess.run(
        ["pkg-config", *args, "weir"], check=True, text=True, capture_output=True,
        env={**os.environ, "PKG_CONFIG_PATH": f"{prefix}/lib/pkgconfig"}).stdout.split()


@pytest.fixture(scope="module")
def token(prefix):
    """examples/c/token.c, built in a folder that knows nothing of the tree."""
    source = ROOT / "examples/c/token.c"
    command = ["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", source.name,
               *pkg_config(prefix, "--cflags", "--libs"), "-o", prefix / "token"]
    if SANITIZE:
        command.append(f"-fsanitize={SANITIZE}")
    (prefix / source.name).write_text(source.read_text())
    subprocess.run(command, check=True, cwd=prefix)
    return prefix / "token"


def run(token, env):
    return subprocess.run([token], env=env, capture_output=True, text=True, timeout=60)


def test_a_c_program_fetches_a_token(token, clean_env, sim):
    result = run(token, {**clean_env, **sim.env})
    assert (result.returncode, result.stderr) == (0, "")
    assert re.fullmatch(r"a token of \d+ characters after 1 request\(s\)\n", result.stdout)


def test_a_c_program_is_told_what_failed(token, clean_env, sim):
    result = run(token, clean_env)
    assert result.returncode == 64 and "CXONE_CLIENT_SECRET" in result.stderr
    refused = {**clean_env, **sim.env, "CXONE_TOKEN_URL": "http://127.0.0.1:1/token"}
    result = run(token, refused)
    assert result.returncode == 1 and "transport" in result.stderr
    assert sim.env["CXONE_CLIENT_SECRET"] not in result.stderr


def test_the_version_is_the_same_everywhere(prefix, run_weir):
    version = pkg_config(prefix, "--modversion")[0]
    assert run_weir("--version").stdout.startswith(f"weir {version}\n")
    page = (prefix / "share/man/man1/weir.1").read_text()
    assert f'"weir {version}"' in page


@pytest.mark.parametrize("header", sorted(h.name for h in (ROOT / "include/weir").glob("*.h")))
def test_every_header_stands_alone(header, prefix):
    subprocess.run(
        ["cc", "-std=c11", "-pedantic", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
         f"-I{prefix}/include", "-x", "c", "-"],
        input=f"#include <weir/{header}>\n", text=True, check=True)


def test_the_manual_is_clean_and_names_every_command(prefix, run_weir):
    page = prefix / "share/man/man1/weir.1"
    shown = subprocess.run(["man", "--warnings", "-l", page], capture_output=True,
                           text=True, env={**os.environ, "MANWIDTH": "80"})
    assert shown.stderr == ""
    for line in run_weir("help").stdout.split("commands:\n")[1].split("\n\n")[0].splitlines():
        assert f"weir {line.split()[0]}" in shown.stdout
