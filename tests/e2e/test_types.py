"""weir types: the stubs as files, and .luarc.json, of which nothing of the
user's is lost."""

import json
import os
import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
META = ROOT / "lua/meta"
GLOBALS = ["arg", "cxone", "weir"]


@pytest.fixture
def types(run_weir, tmp_path):
    """types(*args) runs it in an empty project."""
    project = tmp_path / "project"
    project.mkdir()

    def run(*args):
        return run_weir("types", *args, cwd=project)

    run.project = project
    run.settings = project / ".luarc.json"
    return run


def tree(folder):
    return {str(p.relative_to(folder)): p.read_bytes()
            for p in folder.rglob("*") if p.is_file()}


def stamps(folder):
    return {p: p.stat().st_mtime_ns for p in folder.rglob("*")}


def test_an_empty_project_gets_both(types):
    result = types()
    assert (result.returncode, result.stderr) == (0, "")
    stubs = tree(types.project / ".weir/types")
    manifest = stubs.pop("weir-types.txt").decode().splitlines()
    assert stubs == tree(META)
    assert manifest[1:] == sorted(stubs)
    assert json.loads(types.settings.read_text()) == {
        "runtime.version": "Lua 5.4", "workspace.library": [".weir/types"],
        "workspace.checkThirdParty": False, "diagnostics.globals": GLOBALS}
    assert result.stdout == (f".weir/types: {len(stubs)} stubs, {len(stubs)} written\n"
                             ".luarc.json: written\n")


def test_a_second_run_writes_nothing(types):
    types()
    before = stamps(types.project)
    result = types()
    assert (result.returncode, result.stderr) == (0, "")
    assert ", 0 written\n" in result.stdout and "nothing to add" in result.stdout
    assert stamps(types.project) == before


def test_after_an_upgrade_old_stubs_go_and_changed_ones_are_written(types):
    types()
    folder = types.project / ".weir/types"
    expected = tree(folder)
    (folder / "weir/old").mkdir()
    (folder / "weir/old/gone.lua").write_text("---@meta weir.old.gone\n")
    (folder / "weir/mine.lua").write_text("---@meta mine\n")
    (folder / "weir/page.lua").write_text("---@meta weir.page\n-- as it was\n")
    with (folder / "weir-types.txt").open("a") as manifest:
        manifest.write("weir/old/gone.lua\n../../kept.lua\n/etc/passwd\nweir/none.lua\n")
    (types.project / "kept.lua").write_text("---@meta kept\n")
    result = types()
    assert result.returncode == 0
    assert " 1 written, 1 removed\n" in result.stdout
    assert tree(folder) == {**expected, "weir/mine.lua": b"---@meta mine\n"}
    assert not (folder / "weir/old").exists()
    assert (types.project / "kept.lua").exists()


@pytest.mark.parametrize("old", [
    {"workspace.library": ["lib", "./.weir/types/"], "x": 1},
    {"workspace": {"library": ["lib"], "maxPreload": 12}, "x": [], "y": {"z": 1.5}},
    {"Lua.workspace.library": ["lib"], "Lua.diagnostics.globals": ["vim", "arg"]},
    {"Lua": {"workspace": {"library": []}, "diagnostics": {"globals": ["vim"]}}},
    {"workspace.library": {"lib": True}, "runtime.version": None},
    {},
])
def test_what_is_missing_is_added_where_it_belongs(types, old):
    types.settings.write_text(json.dumps(old))
    result = types()
    assert (result.returncode, result.stderr) == (0, "")
    new = json.loads(types.settings.read_text())

    def flat(value, prefix=""):
        found = {}
        for key, each in value.items():
            name = (prefix + key).removeprefix("Lua.")
            if isinstance(each, dict) and name != "workspace.library":
                found.update(flat(each, prefix + key + "."))
            else:
                found[name] = each
        return found

    before, after = flat(old), flat(new)
    for key, value in before.items():
        if isinstance(value, list):
            assert after[key][:len(value)] == value
        elif isinstance(value, dict):
            assert value.items() <= after[key].items()
        elif value is not None:
            assert after[key] == value
    assert after["runtime.version"] == "Lua 5.4"
    assert [p for p in after["workspace.library"] if p.strip("./") == "weir/types"]
    assert len(set(after["workspace.library"])) == len(after["workspace.library"])
    assert set(GLOBALS) <= set(after["diagnostics.globals"])
    assert len(set(after["diagnostics.globals"])) == len(after["diagnostics.globals"])
    text = types.settings.read_text()
    assert "nothing to add" in types().stdout
    assert types.settings.read_text() == text


def test_another_version_is_left_and_said(types):
    types.settings.write_text('{"runtime": {"version": "LuaJIT"}}')
    result = types()
    assert result.returncode == 0
    assert 'version is "LuaJIT", and scripts of weir are Lua 5.4' in result.stderr
    assert json.loads(types.settings.read_text())["runtime"] == {"version": "LuaJIT"}


def test_a_list_that_is_none_is_left_and_said(types):
    types.settings.write_text('{"diagnostics.globals": "vim"}')
    result = types()
    assert result.returncode == 1
    assert 'diagnostics.globals is no list; make it one with ["arg", "cxone", "weir"]' \
        in result.stderr
    assert json.loads(types.settings.read_text())["diagnostics.globals"] == "vim"


@pytest.mark.parametrize("text", ['{ // mine\n "workspace.library": ["lib"] }\n', "[1]", "[]", "7"])
def test_what_is_no_plain_json_is_not_touched(types, text):
    types.settings.write_text(text)
    result = types()
    assert result.returncode == 1
    assert types.settings.read_text() == text
    assert 'add "runtime.version": "Lua 5.4", "workspace.library": [".weir/types"]' in result.stderr
    assert (types.project / ".weir/types/weir/page.lua").exists()
    types.settings.write_text('{ // mine\n "workspace.library": [".weir/types"] }\n')
    assert types().returncode == 0


@pytest.mark.parametrize("given,named", [
    ("types/weir", "types/weir"), ("types//weir/", "types//weir"), ("ünder lines", "ünder lines")])
def test_another_folder(types, given, named):
    assert types("--dir", given).returncode == 0
    assert (types.project / given / "weir/init.lua").exists()
    assert json.loads(types.settings.read_text())["workspace.library"] == [named]


def test_a_script_of_the_users_is_never_overwritten(types):
    mine = types.project / "cxone.lua"
    mine.write_text("return {}\n")
    result = types("--dir", ".")
    assert result.returncode == 1
    assert result.stderr.startswith("weir types: ./cxone.lua: is in the way")
    assert mine.read_text() == "return {}\n" and not types.settings.exists()


def test_a_file_or_a_folder_in_the_way(types):
    (types.project / "file").write_text("")
    for folder in ("file", "file/below"):
        result = types("--dir", folder)
        assert result.returncode == 1
        assert result.stderr == "weir types: file: Not a directory\n"
    (types.project / "d/weir/page.lua").mkdir(parents=True)
    result = types("--dir", "d")
    assert result.returncode == 1 and "d/weir/page.lua: Is a directory" in result.stderr
    types.settings.mkdir()
    result = types()
    assert result.returncode == 1 and ".luarc.json: Is a directory" in result.stderr


def test_a_folder_that_cannot_be_written(types):
    result = types("--dir", "/proc/self/weir")
    assert result.returncode == 1
    assert result.stderr.startswith("weir types: /proc/self/weir: ")


def test_links_and_modes_of_the_settings_stay(types):
    shared = types.project / "shared.json"
    shared.write_text("{}")
    shared.chmod(0o640)
    types.settings.symlink_to("shared.json")
    assert types().returncode == 0
    assert types.settings.is_symlink()
    assert shared.stat().st_mode & 0o777 == 0o640
    assert "workspace.library" in json.loads(shared.read_text())
    assert [p for p in os.listdir(types.project) if p.endswith(".tmp")] == []


def test_usage(types):
    assert types("here").returncode == 64
    assert types("--dir", "").returncode == 64
    assert "did you mean --dir" in types("--dri", "x").stderr
