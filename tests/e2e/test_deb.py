"""make deb: what the package holds and needs, and what lintian says. That it
runs on a clean Debian is scripts/try-deb's to show (make soak)."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("WEIR", ROOT / "build/weir")).resolve().parent
pytestmark = [
    pytest.mark.skipif(bool(os.environ.get("SANITIZE")),
                       reason="a package is not made with a sanitizer"),
]


def make(folder):
    made = subprocess.run(
        ["make", "-s", "-C", ROOT, "deb", f"BUILD={BUILD}", f"DEB_DIR={folder}"],
        capture_output=True, text=True, timeout=600,
        env={**os.environ, "SOURCE_DATE_EPOCH": "1767225600"})
    assert made.returncode == 0, made.stderr + made.stdout
    package, = folder.glob("*.deb")
    assert made.stdout.split("\n")[-2].endswith(package.name)
    return package


def ask(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def fields(package):
    return {name: ask("dpkg-deb", "-f", package, name).strip()
            for name in ["Package", "Version", "Architecture", "Depends", "Maintainer"]}


def test_the_package_has_what_it_says_and_lintian_agrees(tmp_path):
    package = make(tmp_path / "deb")
    version, = re.findall(r'WEIR_VERSION "(.*)"',
                          (ROOT / "include/weir/version.h").read_text())
    arch = ask("dpkg", "--print-architecture").strip()
    control = fields(package)
    assert (control["Package"], control["Version"], control["Architecture"]) == (
        "weir", version, arch)
    assert package.name == f"weir_{version}_{arch}.deb"

    # What is linked, and what is loaded by the program itself.
    depends = {d.split()[0] for d in control["Depends"].split(",")}
    late = {p for source in ROOT.glob("src/*/*.c")
            for p in re.findall(r'\.package = "(.*)"', source.read_text())}
    assert late and late <= depends, (late, depends)
    assert {"libc6", "libcurl4", "liblua5.4-0", "libssl3", "ca-certificates"} <= depends

    tree = tmp_path / "tree"
    ask("dpkg-deb", "-x", package, tree)
    found = {str(p.relative_to(tree)) for p in tree.rglob("*") if p.is_file()}
    stubs = {f"usr/share/weir/meta/{p.relative_to(ROOT / 'lua/meta')}"
             for p in (ROOT / "lua/meta").rglob("*.lua")}
    assert {f for f in found if not f.endswith(".md")} == stubs | {
        "usr/bin/weir", "usr/share/man/man1/weir.1.gz",
        "usr/share/man/man7/weir-lua.7.gz", "usr/share/doc/weir/copyright",
        "usr/share/doc/weir/changelog.gz",
        "usr/share/bash-completion/completions/weir",
        "usr/share/zsh/vendor-completions/_weir",
        "usr/share/fish/vendor_completions.d/weir.fish"}
    assert "usr/share/doc/weir/weir.filter.md" in found

    for line in ask("dpkg-deb", "-c", package).splitlines():
        mode, owner = line.split()[:2]
        assert owner == "root/root"
        assert mode[5] == mode[8] == "-", line
    ran = subprocess.run([tree / "usr/bin/weir", "--version"], text=True,
                         capture_output=True, check=True)
    assert ran.stdout.split()[:2] == ["weir", version]
    # A shell that reads it, and not only finds it.
    completion = tree / "usr/share/bash-completion/completions/weir"
    ask("bash", "-c", f"source {completion} && complete -p weir")

    assert shutil.which("lintian"), "lintian is not installed: scripts/setup test"
    said = subprocess.run(["lintian", "--allow-root", "--fail-on", "error,warning",
                           package], capture_output=True, text=True)
    assert said.returncode == 0 and "E:" not in said.stdout, said.stdout + said.stderr


def test_the_same_tree_gives_the_same_bytes(tmp_path):
    first, second = make(tmp_path / "a"), make(tmp_path / "b")
    assert first.read_bytes() == second.read_bytes()
