"""The API reference: all that a script can call is in it, its links lead
somewhere, and its examples are Lua that weir check has nothing against."""

import json
import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
STUBS = sorted((ROOT / "lua/meta").rglob("*.lua"))


def module_of(stub):
    return stub.read_text().splitlines()[0].split()[1]


def make(weir, folder):
    subprocess.run([weir, "run", ROOT / "scripts/docs/make.lua", folder], check=True,
                   env={"PATH": os.environ["PATH"], "HOME": str(folder)}, timeout=60)
    return {p.name: p.read_text() for p in folder.iterdir()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("docs")


@pytest.fixture(scope="module")
def pages(weir, folder):
    return make(weir, folder)


def test_a_page_for_each_module_and_no_other(pages):
    assert set(pages) == {f"{module_of(stub)}.md" for stub in STUBS} | {"README.md", "weir-lua.7"}


def test_it_is_the_same_every_time(weir, pages, tmp_path):
    assert make(weir, tmp_path) == pages


@pytest.mark.parametrize("stub", STUBS, ids=module_of)
def test_every_function_class_and_alias_is_there(pages, stub):
    text = stub.read_text()
    page, roff = pages[f"{module_of(stub)}.md"], pages["weir-lua.7"]
    headings = re.findall(r"^#+ `([^`]+)`$", page, re.M)
    for separator, name, names in re.findall(r"^function \w+([.:])(\w+)\((.*)\) end", text, re.M):
        inside = ", ".join(f"{each}\\??" for each in map(re.escape, names.split(", "))) if names else ""
        assert [h for h in headings if re.fullmatch(rf"\w+{re.escape(separator)}{name}\({inside}\)", h)]
        assert f"{separator}{name}(" in roff
    for name in re.findall(r"^---@(?:class(?: \(exact\))?|alias) ([\w.]+)", text, re.M):
        assert "".join(pages.values()).count(f'<a id="{name}"></a>') == 1
        assert name in roff or name.upper() in roff
    for name, doc in re.findall(r"^---@field (\w+)\??.*?  +(\S.*)$", text, re.M):
        assert f"`{name}" in page and doc in page


@pytest.mark.parametrize("stub", STUBS, ids=module_of)
def test_what_the_stub_says_is_said(pages, stub):
    """Each line of prose and of examples, links aside, tables too."""
    page = re.sub(r"\[(`[^`]+`)\]\([^)]*\)", r"\1", "".join(pages.values()))
    lines = {line.strip() for line in page.splitlines()}
    # Of a constant there is the class's field, in its words.
    text = re.sub(r"(?m)^(---.*\n)+\w+\.\w+ = nil$", "", stub.read_text())
    for line in text.splitlines():
        said = re.match(r"---(?!@|\| .*[^|]$)\s*(.*\S)", line)
        assert not said or said[1].strip() in lines, line


def test_every_link_leads_somewhere(pages):
    ids = {name: re.findall(r'<a id="([^"]+)"></a>', text) for name, text in pages.items()}
    n = 0
    for name, text in pages.items():
        assert len(set(ids[name])) == len(ids[name])
        if not name.endswith(".md"):
            continue
        for target in re.findall(r"\]\(([^)]*)\)", re.sub(r"```.*?```", "", text, flags=re.S)):
            file, _, fragment = target.partition("#")
            assert (file or name) in pages, target
            assert not fragment or fragment in ids[file or name], f"{name}: {target}"
            n += 1
    assert n > 200


@pytest.mark.parametrize("locale", ["C.UTF-8", "C"])
def test_man_has_nothing_against_the_manual_page(pages, folder, locale):
    shown = subprocess.run(
        ["man", "--warnings", "-l", folder / "weir-lua.7"], capture_output=True, text=True,
        errors="replace", env={"PATH": os.environ["PATH"], "LC_ALL": locale, "MANWIDTH": "80"})
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "filters:deploy(definition, opts?)" in shown.stdout
    assert '  return tenant.filters:get(id)' in shown.stdout


def test_examples_are_sound(pages, run_weir, tmp_path):
    """What is no whole script may leave names open, and nothing else."""
    files = []
    for name, text in pages.items():
        for i, example in enumerate(re.findall(r"```lua\n(.*?)\n```", text, re.S)):
            files.append(tmp_path / f"{name}.{i}.lua")
            files[-1].write_text(example + "\n")
    assert len(files) > 30
    result = run_weir("check", "--json", *files)
    faults = [f for f in json.loads(result.stdout)["findings"]
              if f["code"] != "undeclared-global" or "assignment" in f["message"]]
    assert faults == []
